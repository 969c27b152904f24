"""Formulas of elements mean what was derived: their values, read from the printed tree, are those of the arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from formulas import examples
from meaning import Meaning, NotReadError

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


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name != "of_nothing"])
def test_a_formula_of_elements_is_the_gradient(name: str) -> None:
    f, arguments = EXAMPLES[name]
    lesson = Lesson(ag.derive(f, *arguments), index=True)
    meaning = meaning_of(lesson)
    read = not_read = 0
    for s in [*lesson.chain, *(s._replace(raw=s.value) for s in lesson.derivation.statements)]:
        wanted = np.asarray(s.variable.values[0])
        for e in (s.raw, s.value):
            writer = lesson._writer()
            letters = writer.fresh(s.of.ndim)
            at = tuple(n.Number("1") if all(shape[i] == 1 for shape in s.of.shapes) else letters[i] for i in range(s.of.ndim))
            writer._used += at
            try:
                node = writer(e, None if not e.ndim else writer.aligned(e, s.of, at))
                for index in list(np.ndindex(*wanted.shape))[:40]:
                    found = meaning(node, {letter: i + 1 for letter, i in zip(letters, index, strict=True)})
                    assert np.isclose(found, wanted[index], rtol=1e-9, atol=1e-12), (s.variable, node, index)
                read += 1
            except NotReadError:
                not_read += 1
    assert read >= PARTLY.get(name, 3 * not_read), (read, not_read)
