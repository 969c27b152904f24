"""Order statistics and covariances of samples.

A quantile is a mean of two neighbouring elements in order, whose places and weights NumPy's own function tells when it is asked
for the quantiles of 0, 1, 2, ...: so every method is covered, and nothing of NumPy's definitions is written down again.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_np.op import Recordable, case, constant, constant_of, derived, known_of
from autograd_np.ops.adjoint import conj
from autograd_np.ops.reductions import kept, refuse_out
from autograd_np.ops.shaping import astype, merge
from autograd_np.typing import Array

_NAN = np.array([[0.3, np.nan, 1.2, -0.7], [np.nan, np.nan, 0.4, 2.0], [1.0, 0.1, 0.2, 0.5]])

# fmt: off
constant(np.nanargmax, np.nanargmin, cases=(case(_NAN), case(_NAN, axis=1)))
# fmt: on


# --- quantiles ------------------------------------------------------------------------------------


def _array(a: Any) -> Array:
    return a if hasattr(a, "ndim") else np.asarray(a)


_STEPS = frozenset(("inverted_cdf", "averaged_inverted_cdf", "closest_observation", "lower", "higher", "midpoint", "nearest"))
"""The methods whose result depends on q by steps; with the others it is piecewise linear."""


def _quantile_of(a: Any, q: Any, axis: Any, method: str, keepdims: bool, weights: Any, ignore_nan: bool) -> Array:
    if weights is not None:
        return _weighted(_array(a), q, axis, method, keepdims, weights, ignore_nan)
    a, moved = _array(a), q if isinstance(q, Recordable) and method not in _STEPS else None
    q = known_of(q)
    lanes, _ = merge(a, axis)
    ordered = np.sort(lanes, axis=-1)
    missing = np.isnan(ordered)
    n = ordered.shape[-1]
    # how many are no NaN: a number that carries no gradient
    counts = np.asarray(constant_of(np.sum(~missing, axis=-1) if ignore_nan else np.full(ordered.shape[:-1], n)))
    real = np.empty(0, a.dtype).real.dtype  # nanmedian takes complex numbers
    dtype = np.quantile(np.zeros(1, real), q, method=method).dtype  # type: ignore[call-overload]
    shape = np.shape(q) + counts.shape
    places = np.zeros(shape)
    for count in np.unique(counts):
        found = np.quantile(np.arange(max(count, 1), dtype=float), q, method=method)  # type: ignore[call-overload]
        places[..., counts == count] = np.reshape(found, (*np.shape(q), 1))

    def at(i: Array) -> Array:
        i = np.moveaxis(np.reshape(i, (-1, *counts.shape)), 0, -1)
        return np.moveaxis(np.take_along_axis(ordered, i, axis=-1), -1, 0).reshape(shape)

    low = np.floor(places).astype(int)
    weight = (places - low).astype(dtype)
    below, above = at(low), at(np.minimum(low + 1, max(n - 1, 0)))
    result = np.where(weight > 0, below * (1 - weight) + above * weight, below)
    if moved is not None and n > 1:
        first = np.clip(low, 0, np.maximum(counts - 2, 0))
        moves, shift = _by_q(moved, places, counts, method)
        result = result + np.where(moves, shift * (at(first + 1) - at(first)), 0)
    bad = np.broadcast_to(counts == 0, shape) if ignore_nan else np.broadcast_to(np.any(missing, axis=-1), shape)
    result = astype(np.where(bad, np.nan, result), np.result_type(dtype, a.dtype) if a.dtype.kind == "c" else dtype)
    if keepdims:
        one = kept(np.zeros(counts.shape), a, axis).shape if axis is not None else (1,) * a.ndim
        result = result.reshape(np.shape(q) + one)
    return result


def _by_q(q: Any, places: Array, counts: Array, method: str) -> tuple[Array, Array]:
    """Return which places q moves, those that are q (n + c) + d and not held at an end, and how far: zero, with the derivative n + c."""
    low, high = np.quantile(np.arange(1000.0), (0.25, 0.75), method=method)  # type: ignore[call-overload]
    rate = counts + (2 * (high - low) - 1000)
    value = np.reshape(constant_of(q), (*q.shape, *(1,) * counts.ndim))
    free = value * rate + (low - (high - low) / 2)
    moves = (np.abs(free - places) < 1e-9 * (1 + counts)) & (counts > 1)
    return moves, rate * (np.reshape(q, value.shape) - value)


def _weighted(a: Any, q: Any, axis: Any, method: str, keepdims: bool, weights: Any, ignore_nan: bool) -> Array:
    """Return elements, which NumPy chooses when it is asked for the quantiles of their ranks; by q and weights the choice changes by steps."""
    flat = np.reshape(a, -1)
    values = np.asarray(constant_of(flat))
    order = np.argsort(values)
    ranks = np.empty(values.size)
    ranks[order] = np.arange(values.size)
    ranks = np.where(np.isnan(values), np.nan, ranks).reshape(a.shape)
    fn: Any = np.nanquantile if ignore_nan else np.quantile
    found = np.asarray(fn(ranks, constant_of(q), axis=axis, method=method, keepdims=keepdims, weights=constant_of(weights)))
    bad = np.isnan(found)
    chosen = np.take(flat, order[np.where(bad, 0, found).astype(int)])
    return np.where(bad, np.nan, chosen) if np.any(bad) else chosen


_CASES = (
    case((5,), q=0.3), case((3, 4), q=[0.1, 0.5, 0.9], axis=1), case((2, 3, 4), q=0.25, axis=(0, 2), keepdims=True), case((6,), q=0.4, method="hazen"),
    case((6,), q=0.4, method="nearest"), case((5, 2), q=0.6, axis=0, method="midpoint"), case((6,), q=[0.2, 0.5], method="averaged_inverted_cdf"),
)  # fmt: skip


def _hundred(cases: Any) -> Any:
    return tuple(case(*c.arrays, **{**c.attrs, "q": np.multiply(c.attrs["q"], 100).tolist()}) for c in cases)


@derived(np.quantile, cases=_CASES)
def _quantile(
    a: Any, q: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, method: str = "linear", keepdims: bool = False,
    *, weights: Any = None, interpolation: Any = None,
) -> Array:  # fmt: skip
    refuse_out(out, "np.quantile")
    return _quantile_of(a, q, axis, interpolation or method, keepdims, weights, False)


@derived(np.percentile, cases=_hundred(_CASES))
def _percentile(
    a: Any, q: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, method: str = "linear", keepdims: bool = False,
    *, weights: Any = None, interpolation: Any = None,
) -> Array:  # fmt: skip
    refuse_out(out, "np.percentile")
    return _quantile_of(a, _share(q), axis, interpolation or method, keepdims, weights, False)


@derived(np.nanquantile, cases=(*_CASES, case(_NAN, q=0.3, axis=1), case(_NAN, q=[0.2, 0.5], axis=0), case(_NAN, q=0.5)))
def _nanquantile(
    a: Any, q: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, method: str = "linear", keepdims: bool = False,
    *, weights: Any = None, interpolation: Any = None,
) -> Array:  # fmt: skip
    refuse_out(out, "np.nanquantile")
    return _quantile_of(a, q, axis, interpolation or method, keepdims, weights, True)


@derived(np.nanpercentile, cases=(*_hundred(_CASES), case(_NAN, q=30.0, axis=1)))
def _nanpercentile(
    a: Any, q: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, method: str = "linear", keepdims: bool = False,
    *, weights: Any = None, interpolation: Any = None,
) -> Array:  # fmt: skip
    refuse_out(out, "np.nanpercentile")
    return _quantile_of(a, _share(q), axis, interpolation or method, keepdims, weights, True)


def _share(q: Any) -> Any:
    return q / 100 if isinstance(q, (int, float)) else np.true_divide(q, 100)


@derived(np.nanmedian, cases=(case((5,)), case((3, 4), axis=1), case(_NAN, axis=1), case(_NAN, axis=0, keepdims=True)))
def _nanmedian(a: Any, axis: Any = None, out: Any = None, overwrite_input: bool = False, keepdims: bool = False) -> Array:
    refuse_out(out, "np.nanmedian")
    return _quantile_of(a, 0.5, axis, "linear", keepdims, None, True)


# --- covariances ----------------------------------------------------------------------------------


@derived(np.cov, cases=(
    case((3, 5)), case((5,)), case((5,), (5,)), case((4, 2), rowvar=False, ddof=0), case((2, 4), bias=True), case((2, 4), fweights=np.array([1, 2, 1, 3])),
    case((2, 4), aweights=np.array([0.5, 2.0, 1.0, 0.7]))))  # fmt: skip
def _cov(
    m: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: Any = None, fweights: Any = None, aweights: Any = None,
    *, dtype: Any = None,
) -> Array:  # fmt: skip
    m, y = _array(m), None if y is None else _array(y)
    if m.ndim > 2 or (y is not None and y.ndim > 2):
        raise ValueError(f"np.cov needs arrays of at most two axes, got {m.ndim} and {0 if y is None else y.ndim}")
    dtype = dtype or np.result_type(m.dtype, np.float64, *(() if y is None else (y.dtype,)))
    parts = []
    for part in (m, y):
        if part is not None:
            rows = np.atleast_2d(astype(part, dtype))
            single = part.ndim < 2 if part is m else rows.shape[0] == 1  # NumPy's rules differ
            parts.append(rows if rowvar or single else rows.T)
    x = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=0)
    ddof = (0 if bias else 1) if ddof is None else ddof
    weights: Any = None
    for given in (fweights, aweights):
        if given is not None:
            weights = _array(given) if weights is None else weights * _array(given)
    if weights is None:
        freedom = x.shape[1] - ddof
        centred = x - np.mean(x, axis=1, keepdims=True)
        scaled = centred
    else:
        total = np.sum(weights)
        freedom = total - ddof if aweights is None else total - ddof * np.sum(weights * _array(aweights)) / total
        centred = x - np.sum(x * weights, axis=1, keepdims=True) / total
        scaled = centred * weights
    return np.squeeze(np.matmul(centred, conj(scaled).T) / freedom)


@derived(np.corrcoef, cases=(case((3, 5)), case((5,), (5,)), case((4, 2), rowvar=False)))
def _corrcoef(x: Any, y: Any = None, rowvar: bool = True, *, dtype: Any = None) -> Array:
    c = _cov(x, y, rowvar, dtype=dtype)
    if not c.ndim:
        return c / c
    spread = np.sqrt(np.real(np.diagonal(c)))
    c = c / spread[:, None] / spread[None, :]
    if c.dtype.kind == "c":
        return np.clip(np.real(c), -1, 1) + 1j * np.clip(np.imag(c), -1, 1)
    return np.clip(c, -1, 1)
