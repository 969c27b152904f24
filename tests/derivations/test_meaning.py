"""Formulas of elements mean what was derived: their values, read from the printed tree, are those of the arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from formulas import examples
from gallery import judging
from meaning import Meaning, NotReadError
from programs import program

import autograd_np as ag
from autograd_np.derivations.mathematics import notation as n
from autograd_np.derivations.mathematics.lesson import Lesson

EXAMPLES = examples()
PARTLY = {"softmax_classifier": 8, "differences": 0}
"""Examples whose formulas have parts that are whole arrays, and how many of them can be read."""


def meaning_of(lesson: Any) -> Meaning:
    arrays: dict[Any, Any] = {}
    gradients: dict[Any, Any] = {}
    for e, variable in {**lesson.forward_names, **lesson.names}.items():
        value = np.asarray(e.values[0])
        table = gradients if variable.is_gradient else arrays
        table[lesson.symbols(variable.name, 0)] = value + 1 if value.dtype.kind == "i" and value.ndim else value  # places count from one
    for number in lesson.derivation.recording.numbers:
        arrays.setdefault(lesson.symbols(number.name, 0), number.values[0])
    return Meaning(arrays, gradients, {letter: values[0] for values, letter in lesson.sizes.letters.items()})


def read_and_not(f: Any, arguments: Any, wrt: Any = None, *, elements: int = 6) -> tuple[int, int]:
    """Hold every equation of a derivation against its value; return how many were read, and how many could not be."""
    derivation = ag.derive(f, *arguments, wrt=wrt)
    lesson = Lesson(derivation, index=True)
    meaning = meaning_of(lesson)
    read = not_read = 0
    for s in [*lesson.chain, *(s._replace(raw=s.value) for s in derivation.statements)]:
        wanted = np.asarray(s.variable.values[0])
        near = 1e-3 if wanted.dtype == np.float32 else 1e-7
        for e in (s.raw, s.value):
            writer = lesson._writer()
            letters = writer.fresh(s.of.ndim)
            at = tuple(n.Number("1") if all(shape[i] == 1 for shape in s.of.shapes) else letters[i] for i in range(s.of.ndim))
            writer._used += at
            try:
                node = writer(e, None if not e.ndim else writer.aligned(e, s.of, at))
                for index in list(np.ndindex(*wanted.shape))[:elements]:
                    with np.errstate(all="ignore"):
                        found = meaning(node, {letter: i + 1 for letter, i in zip(letters, index, strict=True)})
                    assert np.isclose(found, wanted[index], rtol=near, atol=near, equal_nan=True), (s.variable, node, index)
                read += 1
            except NotReadError:
                not_read += 1
    return read, not_read


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name != "of_nothing"])
def test_a_formula_of_elements_is_the_gradient(name: str) -> None:
    read, not_read = read_and_not(*EXAMPLES[name], elements=40)
    assert read >= PARTLY.get(name, 3 * not_read), (read, not_read)


@pytest.mark.parametrize("entry", judging.entries(), ids=lambda entry: entry.name)
def test_those_of_the_gallery(entry: Any) -> None:
    read, _ = read_and_not(entry.f, entry.arguments().values(), entry.wrt, elements=3)
    assert read


def test_those_of_random_programs() -> None:
    read = not_read = 0
    for seed in range(0, 40, 4):
        f, arguments, _ = program(seed)
        found = read_and_not(f, arguments)
        read, not_read = read + found[0], not_read + found[1]
    assert read > 5 * not_read, (read, not_read)


def test_values_of_one_variable_are_told_apart() -> None:
    def f(x: Any) -> Any:
        h = np.sin(x)
        h = h**2
        x = h * x
        return np.sum(x)

    source = ag.derive(f, np.ones(3)).to_latex()
    assert r"\underset{n}{\mathbf{h}_{2}} &= \underset{n}{\mathbf{h}_{1}^{\odot2}}" in source
    assert r"\underset{n}{\mathbf{x}_{2}} &= " in source
    assert read_and_not(f, [np.ones(3)])[1] == 0
