"""Random programs of views, writes and reads under ag.vmap: what they compute of many examples is what NumPy computes of each."""

from __future__ import annotations

import os
import warnings
from collections import Counter
from typing import Any

import numpy as np
import pytest
import view_programs
from view_programs import DifferenceError, Grower, UnorderedError

import autograd_np as ag

COUNT = int(os.environ.get("AUTOGRAD_NP_PROGRAMS", "250"))


def judge(program: list[Any], inputs: list[np.ndarray], axes: list[int]) -> str:
    """Compare vmap, gradients of it and vmap of vmap with a loop over NumPy's arrays; say whether the engine looped, or refused."""

    def all_values(*xs: Any) -> Any:
        return [v * 1 for v in view_programs.run(program, *xs)[1]]

    def loss(*xs: Any) -> Any:
        return view_programs.run(program, *xs)[0]

    columns = [np.moveaxis(x, axis, 0) for x, axis in zip(inputs, axes, strict=True)]
    try:
        if any(isinstance(v, np.ndarray) and not v.ndim for row in zip(*columns, strict=True) for v in view_programs.run(program, *row)[1]):
            return "none"  # an array of no axes, not a number: vmap takes it for one
        alone = [all_values(*row) for row in zip(*columns, strict=True)]
        slopes = [ag.grad(loss)(*row) for row in zip(*columns, strict=True)]
    except (UnorderedError, DifferenceError, ag.AutogradError, ValueError, IndexError, TypeError):
        return "none"  # it was grown on other numbers, in another layout
    expected = [np.stack(part) for part in zip(*alone, strict=True)]
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            found = ag.vmap(all_values, in_axes=tuple(axes))(*inputs)
            slope = ag.grad(lambda *xs: np.sum(ag.vmap(loss, in_axes=tuple(axes))(*xs)))(*inputs)
            twice = ag.vmap(ag.vmap(all_values, in_axes=tuple(axes)), in_axes=-1)(*(np.stack([x, x], axis=-1) for x in inputs))
        except ag.AutogradError:
            return "refused"
    for k, (a, b) in enumerate(zip(found, expected, strict=True)):
        view_programs._same(a, b, f"variable {k}")
        view_programs._same(twice[k][1], b, f"variable {k}, twice")
    view_programs._same(np.moveaxis(slope, axes[0], 0), np.stack(slopes), "gradient")
    return "looped" if any(issubclass(w.category, ag.LoopWarning) for w in told) else "right"


def check(seed: int) -> str:
    """Grow a program and judge it on three examples, wherever their axis is."""
    grower = Grower(seed)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        program = grower.grow(int(grower.rng.integers(4, 16)))
        axes = [int(grower.rng.integers(x.ndim + 1)) for x in grower.inputs]
        examples = [np.stack([x, 0.9 * x, x[...] * 1.1], axis=axis) for x, axis in zip(grower.inputs, axes, strict=True)]
        return judge(program, examples, axes) if program else "none"


@pytest.mark.parametrize("block", range(5))
def test_random_programs_compute_what_numpy_does_of_each_example(block: int) -> None:
    outcomes = Counter(check(seed) for seed in range(block * COUNT // 5, (block + 1) * COUNT // 5))
    assert outcomes["right"] > 0
    assert outcomes["refused"] <= 0.02 * outcomes.total()
