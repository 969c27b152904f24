"""`ag.compile(f, in_place=True)` where a zero meets an infinity later: the engine says what it means, and begins with what was there."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_np as ag
from autograd_np.compiling.ways import has_numba

BACKENDS = ["numpy", *(["numba"] if has_numba() else [])]


def _masked(w: Any, x: Any) -> Any:
    return np.sum(np.where(w > 0, np.log(w) * x, x))


def _root(w: Any, x: Any) -> Any:
    return np.sum(np.where(w > 0.5, np.sqrt(w) * x, 0.0))


def _step(loss: Callable[..., Any]) -> Callable[..., Any]:
    def step(w: Any, v: Any, x: Any, rate: float) -> Any:
        value, g = ag.value_and_grad(loss)(w, x)
        v *= 0.5
        v += g
        w -= rate * v
        return value

    return step


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("shape", [(4,), (130, 700)])
@pytest.mark.parametrize("loss", [_masked, _root])
def test_a_zero_that_meets_an_infinity_is_the_engines_to_say(loss: Any, shape: tuple[int, ...], backend: str) -> None:
    rng = np.random.default_rng(0)
    mine = [rng.uniform(1, 2, size=shape) for _ in range(3)]
    theirs = [x.copy() for x in mine]
    step = _step(loss)
    compiled = ag.compile(step, in_place=True, backend=backend)
    for k in range(6):
        if k in (2, 3):
            for w in (mine[0], theirs[0]):
                w.flat[k] = 0.0
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            got, wanted = compiled(*mine, 1e-3), step(*theirs, 1e-3)
        np.testing.assert_allclose(got, wanted, 1e-12)
        for a, b in zip(mine, theirs, strict=True):
            assert np.all(np.isfinite(b))
            np.testing.assert_allclose(a, b, 1e-11, 1e-13)
    assert compiled.signatures == 1


def test_what_is_kept_for_that_is_counted_and_only_where_it_may_be_needed() -> None:
    w, v, x = np.ones((3, 400, 500))
    masked = ag.compile(_step(_masked), in_place=True, backend="numpy")
    masked(w, v, x, 0.1)
    assert masked.memory > 2 * w.nbytes
    smooth = ag.compile(_step(lambda w, x: np.sum(np.tanh(w) * x)), in_place=True, backend="numpy")
    smooth(w, v, x, 0.1)
    assert smooth.memory < w.nbytes

    def update(w: Any, v: Any, x: Any, rate: float) -> None:  # nothing is differentiated
        v += x * x
        w -= rate * x / np.sqrt(v)

    plain = ag.compile(update, in_place=True, backend="numpy")
    plain(w, v, x, 0.1)
    assert plain.memory < w.nbytes


def test_a_nan_that_goes_in_comes_out() -> None:
    w, v, x = np.ones((3, 4))
    compiled = ag.compile(_step(_masked), in_place=True, backend="numpy")
    compiled(w, v, x, 0.1)
    w[:], v[:], x[:] = 1, 0, [1, np.nan, 1, 1]
    compiled(w, v, x, 1.0)
    np.testing.assert_array_equal(np.isnan(w), [False, True, False, False])
    np.testing.assert_array_equal(w[[0, 2, 3]], 0.0)
