"""How often a function runs to be read: on Tensors no more often than there are points, where its sizes may vary as they like."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd_np as ag
from autograd_np.derivations.reading.recording import record


def test_a_function_of_any_sizes_is_recorded_at_its_points_and_no_more() -> None:
    runs = 0

    def f(W: Any, X: Any, b: Any) -> Any:
        nonlocal runs
        runs += isinstance(W, ag.Tensor)
        Z = W @ X + b
        return np.mean(np.tanh(Z))

    recording = record(f, (np.ones((2, 3)), np.ones((3, 4)), np.ones((2, 1))))
    assert recording.sheet.points == 3
    assert runs == 3
    assert {len(set(e.shapes)) for e in recording.inputs.values()} == {3}


def test_an_axis_that_cannot_vary_is_found_all_the_same() -> None:
    def f(X: Any, y: Any) -> Any:
        total = 0.0
        for row in X:  # as many operations as rows
            total = total + np.sum(row * y)
        return total

    recording = record(f, (np.arange(6.0).reshape(2, 3), np.ones(3)))
    assert {shape[0] for shape in recording.inputs["X"].shapes} == {2}
    assert len({shape[1] for shape in recording.inputs["X"].shapes}) == recording.sheet.points > 1


def test_a_variable_that_is_written_in_place_has_its_name_at_each_value() -> None:
    def f(x: Any) -> Any:
        a = x * 2
        a[0] = x[1]
        a += 1
        return np.sum(a)

    names = [n.name for n in ag.trace(f, np.arange(3.0)) if n.op is not None]
    assert names == ["a", None, "a_2", "a_3", None]
    assert [e for e in record(f, (np.arange(3.0),)).names.values() if e.startswith("a")] == ["a_1", "a_2", "a_3"]
