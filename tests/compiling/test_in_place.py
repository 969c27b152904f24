"""`ag.compile(f, in_place=True)`: what is written into arguments is written into them, as NumPy does it, and nothing else is changed."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import autograd_np as ag
from autograd_np.compiling.ways import has_numba

BACKENDS = ["numpy", *(["numba"] if has_numba() else [])]


def _momentum(p: Any, g: Any, v: Any, rate: float) -> None:
    v *= 0.9
    v += g
    p -= rate * v


def _root(p: Any, g: Any, v: Any, rate: float) -> None:
    u = np.multiply(g, g, out=np.empty_like(p))
    v += u
    np.sqrt(v, out=u)
    u += 1e-8
    np.divide(g, u, out=u)
    u *= rate
    p -= u


def _parts(p: Any, g: Any, v: Any, rate: float) -> Any:
    before = p.sum()
    p[..., 1:] = g[..., :-1] * rate
    np.copyto(v, g)
    p[..., 0] += v.sum()
    return before, p.T, v


def _swapped(p: Any, g: Any, v: Any, rate: float) -> None:
    old = p.copy()
    p[...] = v
    v[...] = old
    g[...] = rate


def _read_afterwards(p: Any, g: Any, v: Any, rate: float) -> Any:
    old = p * 1.0
    p += g.T.sum() + v[::-1]
    return old - p, np.sum(p * old) * rate


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("shape", [(5,), (3, 4), (700, 130)])
@pytest.mark.parametrize("f", [_momentum, _root, _parts, _swapped, _read_afterwards])
def test_what_a_function_writes_is_written(f: Any, shape: tuple[int, ...], dtype: Any, backend: str) -> None:
    rng = np.random.default_rng(0)
    mine = [rng.uniform(0.5, 2, size=shape).astype(dtype) for _ in range(3)]
    theirs = [x.copy() for x in mine]
    compiled = ag.compile(f, in_place=True, backend=backend)
    near = 1e-4 if dtype is np.float32 else 1e-11
    for rate in (0.1, 0.2, -0.5):
        results = [np.array(x) for x in compiled(*mine, rate) or ()], [np.array(x) for x in f(*theirs, rate) or ()]
        for a, b in zip([*mine, *results[0]], [*theirs, *results[1]], strict=True):
            assert a.dtype == b.dtype
            np.testing.assert_allclose(a, b, near, near * np.max(np.abs(b)))
    assert compiled.signatures == 1


def test_large_arrays_are_written_tile_by_tile_without_a_second_array() -> None:
    p, g, v = np.ones((3, 800, 500))
    compiled = ag.compile(_root, in_place=True, backend="numpy")
    compiled(p, g, v, 0.1)
    assert "for k" in compiled.source
    assert "copyto" not in compiled.source
    assert compiled.memory < p.nbytes / 4


def test_a_matrix_read_as_its_transpose_is_not_overwritten_on_the_way() -> None:
    def f(x: Any, y: Any) -> None:
        x += np.exp(x.T) * y

    mine, y = np.random.default_rng(0).normal(size=(2, 300, 300))
    theirs = mine.copy()
    ag.compile(f, in_place=True, backend="numpy")(mine, y)
    f(theirs, y)
    np.testing.assert_allclose(mine, theirs, 1e-12)


def test_a_whole_training_step_in_place() -> None:
    def step(w: Any, x: Any, y: Any, rate: float) -> Any:
        loss, g = ag.value_and_grad(lambda w: np.mean((x @ w - y) ** 2))(w)
        w -= rate * g
        return loss

    rng = np.random.default_rng(0)
    x, y, w = rng.normal(size=(9, 3)), rng.normal(size=9), np.zeros(3)
    expected = w.copy()
    compiled = ag.compile(step, in_place=True)
    for _ in range(3):
        np.testing.assert_allclose(compiled(w, x, y, 0.1), step(expected, x, y, 0.1), 1e-12)
        np.testing.assert_allclose(w, expected, 1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
def test_infinities_and_nans_are_numpys_own(backend: str) -> None:
    mine = [np.array([1.0, np.inf, np.nan, 1e200, 2.0]), np.array([np.inf, 0.0, 1.0, 1e200, 0.0]), np.zeros(5)]
    theirs = [x.copy() for x in mine]
    compiled = ag.compile(_root, in_place=True, backend=backend)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(3):
            compiled(*mine, 0.1)
            _root(*theirs, 0.1)
    for a, b in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(a, b, 1e-12)


def test_numpy_warns_once_and_nothing_is_computed_twice() -> None:
    mine, v = np.full(3, 1e308), np.zeros(3)
    compiled = ag.compile(_momentum, in_place=True, backend="numpy")
    compiled(mine.copy(), v.copy(), v.copy(), 0.1)
    with pytest.warns(RuntimeWarning, match="overflow"):
        compiled(mine, np.full(3, -1e308), v, 10.0)
    np.testing.assert_array_equal(v, -1e308)


def test_memory_that_two_arguments_share_is_refused() -> None:
    base = np.ones(6)
    compiled = ag.compile(_momentum, in_place=True)
    compiled(base[:2], base[2:4], base[4:], 0.1)
    with pytest.raises(ag.CompileError, match="shares memory"):
        compiled(base[:2], base[2:4], base[1:3], 0.1)
    with pytest.raises(ag.CompileError, match="shares memory"):
        ag.compile(_momentum, in_place=True)(base[:2], base[2:4], base[1:3], 0.1)


def test_writing_is_refused_where_it_was_not_asked_for_and_into_what_is_captured() -> None:
    kept = np.ones(3)

    def into_captured(x: Any) -> None:
        kept[...] = x

    with pytest.raises(ag.InPlaceError, match=r"x\.copy\(\)"):
        ag.compile(_momentum)(*np.ones((3, 3)), 0.1)
    with pytest.raises(ag.AutogradError, match="kept"):
        ag.compile(into_captured, in_place=True)(np.zeros(3))
    np.testing.assert_array_equal(kept, 1)


def test_tiles_that_need_no_memory_of_their_own_are_written() -> None:
    def f(p: Any, g: Any) -> None:
        p += g
        p *= g
        g -= 1.0

    mine = list(np.random.default_rng(0).normal(size=(2, 700, 300)))
    theirs = [x.copy() for x in mine]
    compiled = ag.compile(f, in_place=True, backend="numpy")
    for _ in range(2):
        compiled(*mine)
        f(*theirs)
    np.testing.assert_allclose(mine, theirs, 1e-12)
