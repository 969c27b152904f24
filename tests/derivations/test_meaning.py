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
NOT_READ = {"softmax_classifier": 2, "layer_norm": 0, "of_nothing": 9, "itself": 9}
"""Examples with formulas that are partly of whole arrays (a soft maximum), and of no elements."""


def values_of(lesson: Any) -> Meaning:
    arrays, gradients = {}, {}
    for e, variable in {**lesson.forward_names, **lesson.names}.items():
        table = gradients if variable.is_gradient else arrays
        table[lesson.symbols(variable.name, 0)] = e.values[0]
    letters = {letter: values[0] for values, letter in lesson.sizes.letters.items()}
    return Meaning(arrays, gradients, letters)


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_formula_of_elements_is_the_gradient(name: str) -> None:
    f, arguments = EXAMPLES[name]
    lesson = Lesson(ag.derive(f, *arguments), index=True)
    meaning = values_of(lesson)
    read, not_read = 0, 0
    for s in (*lesson.chain, *lesson.derivation.statements):
        wanted = np.asarray(s.variable.values[0])
        for e in (s.raw, s.value):
            writer = lesson._writer()
            letters = writer.fresh(s.of.ndim)
            at = tuple(n.Number("1") if all(shape[i] == 1 for shape in s.of.shapes) else letters[i] for i in range(s.of.ndim))
            writer._used += at
            try:
                node = writer(e, at if e.ndim == s.of.ndim else None if not e.ndim else writer.aligned(e, s.of, at))
                for index in np.ndindex(*wanted.shape[:2], *([1] * len(wanted.shape[2:]))):
                    found = meaning(node, {letter: i + 1 for letter, i in zip(letters, index, strict=True)})
                    assert np.isclose(found, wanted[index], rtol=1e-9, atol=1e-12), (name, s.variable, index)
                read += 1
            except NotReadError:
                not_read += 1
    assert read > not_read or name in NOT_READ, (read, not_read)
