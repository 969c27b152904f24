"""Functions that read values outside of the record are compiled right, or refused with their line: no number of the first call stays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_np as ag
from autograd_np.compiling.ways import has_numba

BACKENDS = ["numpy", *(["numba"] if has_numba() else [])]
X = np.array([1.0, -2.0, 0.5, 3.0])
UP = np.arange(1.0, 10.0)


def _putmask(x: Any) -> Any:
    y = x * 1
    np.putmask(y, x > 0, np.array([7.0, 8.0]))
    return y


def _place(x: Any) -> Any:
    y = x * 1
    np.place(y, x > 0, 0.0)
    return y


def _put(x: Any, i: Any) -> Any:
    y = x * 1
    np.put(y, i, 0.0)
    return y


def _copyto(x: Any) -> Any:
    y = x * 1
    np.copyto(y, 0.0, where=x > 0)
    return y


def _masked(x: Any) -> Any:
    y = x * 1
    y[x > 0] = 0.0
    return y


TWO = (np.array(2),), (np.array(5),)
CALLS: dict[str, Any] = {
    "piecewise": (lambda x: np.piecewise(x, [x < 0, x >= 0], [lambda v: -v, lambda v: v]), (X,), (-X,)),
    "putmask": (_putmask, (X,), (-X,)),
    "place": (_place, (X,), (-X,)),
    "copyto": (_copyto, (X,), (-X,)),
    "mask": (_masked, (X,), (-X,)),
    "put": (_put, (X, np.array([1, 2])), (X, np.array([2, 3]))),
    "histogram": (lambda x: np.histogram(x, bins=[-3, 0, 1, 3])[0], (X,), (-X,)),
    "histogram2d": (lambda x: np.histogram2d(x, x, bins=2)[0], (X,), (-3 * X,)),
    "histogramdd": (lambda x: np.histogramdd((x, x), bins=2)[0], (X,), (-3 * X,)),
    "bincount": (lambda x: np.bincount((x > 0).astype(int), minlength=2), (X,), (-X,)),
    "bincount of weights": (lambda x, w: np.bincount((x > 0).astype(int), w, minlength=2), (X, X), (-X, X)),
    "digitize": (lambda x: np.digitize(x, [0, 1]), (X,), (-X,)),
    "searchsorted": (lambda x: np.searchsorted([0.0, 1.0], x), (X,), (-X,)),
    "unique": (np.unique, (UP,), (UP * 0,)),
    "unique, counts": (lambda x: np.unique(x, return_counts=True)[1], (UP,), (UP * 0,)),
    "union1d": (np.union1d, (UP, UP), (UP, UP * 0)),
    "intersect1d": (np.intersect1d, (UP, UP), (UP, UP * 0)),
    "trim_zeros": (np.trim_zeros, (UP,), (UP * (UP > 3),)),
    "nanmedian": (np.nanmedian, (UP,), (np.where(UP > 4, np.nan, UP),)),
    "quantile, at a float": (np.quantile, (UP, 0.2), (UP, 0.7)),
    "weighted quantile": (lambda x, w: np.quantile(x, 0.5, weights=w, method="inverted_cdf"), (UP, UP), (UP, 1 / UP)),
    "slice": (lambda x, n: np.exp(x[:n]), (UP, *TWO[0]), (UP, *TWO[1])),
    "reshape": (lambda x, s: np.reshape(x, s) * 2, (UP, np.array([3, 3])), (UP, np.array([9, 1]))),
    "repeat": (lambda x, n: np.repeat(x, n), (X, np.array([2, 2, 2, 2])), (X, np.array([5, 1, 1, 1]))),
    "sum along": (lambda x, n: np.sum(x, axis=n), (UP.reshape(3, 3), np.array(0)), (UP.reshape(3, 3), np.array(1))),
    "ravel_multi_index": (lambda x, i: x[np.ravel_multi_index((i, i), (3, 3))], (UP, np.array([0, 1])), (UP, np.array([2, 0]))),
    "array2string": (lambda x: x * len(np.array2string(x)), (X,), (X * 1e30,)),
    "lexsort": (lambda x: x[np.lexsort((x,))], (X,), (-X,)),
    "count_nonzero": (lambda x: x * np.count_nonzero(x > 0), (X,), (-X,)),
    "linspace": (lambda x, r: np.linspace(0, r, 4) * x, (X, 0.5), (-X, 2.0)),
    "clip": (lambda x, r: np.clip(x, None, r), (X, 0.5), (-X, 2.0)),
    "clip at a number": (lambda x: np.clip(x, None, 0.1), (X,), (-X,)),
}


def _refused(compiled: Any, *args: Any) -> ag.AutogradError | None:
    try:
        compiled(*args)
    except ag.AutogradError as error:
        return error
    return None


@pytest.mark.parametrize("what", CALLS)
def test_what_was_computed_at_the_first_call_does_not_stay(what: str) -> None:
    f, first, then = CALLS[what]
    compiled = ag.compile(f, backend="numpy")
    refused = _refused(compiled, *first)
    if refused is None:
        got, wanted = compiled(*then), f(*then)
        assert np.shape(got) == np.shape(wanted)
        np.testing.assert_allclose(got, wanted)
    else:
        assert type(refused) in (ag.CompileError, ag.LeavesNumPyError, ag.NoRowError)
        assert "test_values_outside_the_record.py:" in str(refused) or "numpy" in getattr(f, "__module__", "")


@pytest.mark.parametrize(
    "what", ["putmask", "copyto", "mask", "digitize", "searchsorted", "count_nonzero", "linspace", "clip", "clip at a number"]
)
def test_what_keeps_its_shape_is_compiled(what: str) -> None:
    f, first, then = CALLS[what]
    for backend in BACKENDS:
        compiled = ag.compile(f, backend=backend)
        compiled(*first)
        np.testing.assert_allclose(compiled(*then), f(*then))


def test_distributions_are_compiled_with_their_bounds() -> None:
    stats = pytest.importorskip("autograd_np.scipy.stats")
    for f, first, then in (
        (lambda x: stats.gamma.logpdf(x, 2.0), X * X, -X),
        (lambda x: stats.expon.cdf(x), X * X, -X),
        (lambda x: stats.norm.logpdf(x, 0.0, 2.0), X, -X),
        (lambda x: stats.entropy(x), UP, UP * (UP > 4)),
    ):
        compiled = ag.compile(f, backend="numpy")
        with np.errstate(all="ignore"):
            refused = _refused(compiled, first)
            if refused is None:
                np.testing.assert_allclose(compiled(then), f(then))
            else:
                assert "test_values_outside_the_record.py:" in str(refused)


@pytest.mark.parametrize(
    "f",
    [
        lambda x, r: x * 2 if isinstance(x, np.ndarray) else x * 3,
        lambda x, r: x * 2 if type(x) is np.ndarray else x * 3,
        lambda x, r: x * 2 if isinstance(r, float) else x * 3,
        lambda x, r: x * 2 if np.isscalar(x.sum()) else x * 3,
        lambda x, r: x * 2 if isinstance(x[0], np.floating) else x * 3,
        lambda x, r: x * 2 if hasattr(x, "__array_interface__") else x * 3,
        lambda x, r: (x * 1, isinstance(x, np.ndarray)),
        lambda x, r: (x * 1, "array" if isinstance(x, np.ndarray) else "tensor"),
    ],
)
@pytest.mark.parametrize("x", [X, np.array([1, 2])], ids=["floats", "ints"])
def test_a_branch_on_a_type_is_refused(f: Any, x: Any) -> None:
    if isinstance(f(x, 0.5), np.ndarray) and np.array_equal(f(x, 0.5), x * 3):
        return
    with pytest.raises(ag.CompileError, match="by the type of a value"):
        ag.compile(f, backend="numpy")(x, 0.5)


def test_a_maximum_has_the_slope_of_the_engine_at_ties() -> None:
    f = ag.grad(lambda x: np.sum(np.maximum(x, 0) ** 2 + 3 * np.maximum(x, 0)))
    z = np.array([0.0, 2.0, -1.0])
    for dtype in (np.float64, np.float32):
        for first in (z, np.ones(3)):
            compiled = ag.compile(f, backend="numpy")
            compiled(first.astype(dtype))
            np.testing.assert_array_equal(compiled(z.astype(dtype)), f(z.astype(dtype)))
            assert "where" not in compiled.source
    for backend in BACKENDS:
        compiled = ag.compile(f, backend=backend)
        compiled(np.ones(3))
        np.testing.assert_array_equal(compiled(z), f(z))


def test_an_infinity_at_the_first_call_or_later_is_what_the_engine_says() -> None:
    def f(x: Any) -> Any:
        return np.log(np.sum(np.exp(x)))

    z = np.array([np.inf, 2.0])
    for g in (f, ag.grad(f)):
        later = ag.compile(g, backend="numpy")
        later(np.ones(2))
        with np.errstate(all="ignore"):
            np.testing.assert_array_equal(ag.compile(g, backend="numpy")(z), g(z))
            np.testing.assert_array_equal(later(z), g(z))


def _mask(x: Any) -> Any:
    kept = np.random.random(x.shape) > 0.5  # noqa: NPY002
    return x * kept


def _noisy(x: Any) -> Any:
    return _mask(np.tanh(x)) * GENERATOR.normal(size=x.shape)


def _own_noise(x: Any) -> Any:
    y = np.tanh(x) + np.exp(x)
    return y * GENERATOR.normal(size=x.shape)


GENERATOR = np.random.default_rng(3)


@pytest.mark.parametrize(("f", "line"), [(_noisy, "kept = np.random.random(x.shape) > 0.5"), (_own_noise, "return y * GENERATOR.normal")])
def test_what_draws_is_refused_with_its_line_and_has_drawn_nothing(f: Any, line: str) -> None:
    before = GENERATOR.bit_generator.state
    with pytest.raises(ag.CompileError, match=rf"draws random numbers, at .*test_values_outside_the_record.py:\d+: {line[:8]}") as refused:
        ag.compile(f, backend="numpy")(X)
    assert line in str(refused.value)
    assert GENERATOR.bit_generator.state == before
