"""Functions that reduce or accumulate along axes.

Conventions: ties of max and min share the gradient equally; `prod` and `cumprod` never divide, so zeros are
right at every order; the standard deviation of a constant input has gradient zero; elements that a
``where=`` mask leaves out get zero.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_np import errors
from autograd_np.op import case, constant, derived, general, linear
from autograd_np.ops.adjoint import conj
from autograd_np.ops.elementwise import over
from autograd_np.ops.indexing import axes_of, axis_of, reduced_axes
from autograd_np.ops.shaping import astype, cast_to, filled, is_half, merge, wide
from autograd_np.typing import Array

# --- the pieces that the rules share --------------------------------------------------------------


def kept(a: Array, x: Array, axis: Any) -> Array:
    """Give `a`, reduced from `x` along `axis`, a shape that broadcasts against `x`."""
    if axis is None or a.ndim == x.ndim:
        return a
    shape = list(x.shape)
    for i in reduced_axes(axis, x.ndim):
        shape[i] = 1
    return a.reshape(tuple(shape))


def count(x: Array, axis: Any, where: Any = True) -> Any:
    """Return how many elements each result was reduced from; an array under a mask."""
    if where is not True:
        return np.sum(np.broadcast_to(where, x.shape), axis=axis, keepdims=True, dtype=wide(x.dtype))
    n = x.size if axis is None else math.prod(x.shape[i] for i in reduced_axes(axis, x.ndim))
    return np.float32(n) if is_half(x.dtype) else n


def _masked(g: Array, where: Any) -> Array:
    return g if where is True else np.where(where, g, 0)


def _demand_float(y: Array, name: str) -> None:
    if y.dtype.kind not in "fc":
        raise errors.DifferentiationError(
            f"{name}(..., dtype={y.dtype}) has no gradient: reduce in a floating dtype, and convert the result with .astype"
        )


# --- sums and means -------------------------------------------------------------------------------


def _sum_vjp(
    g: Array, y: Array, x: Array, axis: Any = None, dtype: Any = None, keepdims: bool = False, initial: Any = 0, where: Any = True
) -> Array:
    if dtype is not None:
        _demand_float(y, "sum")
    return _masked(filled(kept(g, x, axis), x), where)


def _sum_jvp(tangents: Any, y: Array, x: Array, initial: Any = 0, **how: Any) -> Array:
    _demand_float(y, "sum")
    return np.sum(tangents[0], **how)  # `initial` is a constant: the tangent starts from zero


def _mean_vjp(g: Array, y: Array, x: Array, axis: Any = None, dtype: Any = None, keepdims: bool = False, where: Any = True) -> Array:
    if dtype is not None:
        _demand_float(y, "mean")
    if where is True:
        return filled(kept(g, x, axis) / count(x, axis), x)
    return np.where(np.broadcast_to(where, x.shape), kept(g, x, axis) / count(x, axis, where), 0)


def _cumsum_vjp(g: Array, y: Array, x: Array, axis: Any = None, dtype: Any = None) -> Array:
    if dtype is not None:
        _demand_float(y, "cumsum")
    along = 0 if axis is None else axis
    return np.flip(np.cumsum(np.flip(g, along), axis=along, dtype=wide(g.dtype)), along).reshape(x.shape)


# --- products: exclusive ones, so that nothing is divided by an element ---------------------------


def _products_before(x: Array) -> Array:
    """Return, for each element of the last axis, the product of those before it."""
    return np.cumprod(np.concatenate([np.ones_like(x[..., :1]), x[..., :-1]], axis=-1), axis=-1)


def _sums_from(g: Array, x: Array) -> Array:
    """Solve s[i] = g[i] + x[i+1] s[i+1] along the last axis, in log2(n) doubling steps."""
    n, s, factor, step = x.shape[-1], g, x[..., 1:], 1
    while step < n:  # s[i] holds `step` terms; factor[i] is the product of x[i+1] ... x[i+step]
        s = np.concatenate([s[..., : n - step] + factor * s[..., step:], s[..., n - step :]], axis=-1)
        factor = factor[..., : max(n - 2 * step, 0)] * factor[..., step:]
        step *= 2
    return s


def _prod_vjp(
    g: Array, y: Array, x: Array, axis: Any = None, dtype: Any = None, keepdims: bool = False, initial: Any = 1, where: Any = True
) -> Array:
    if dtype is not None:
        _demand_float(y, "prod")
    flat, restore = merge(cast_to(x if where is True else np.where(where, x, 1), wide(x.dtype)), axis)
    others = _products_before(flat) * np.flip(_products_before(np.flip(flat, -1)), -1)
    return _masked(kept(g, x, axis) * initial * restore(others), where)


def _cumprod_vjp(g: Array, y: Array, x: Array, axis: Any = None, dtype: Any = None) -> Array:
    if dtype is not None:
        _demand_float(y, "cumprod")
    along = 0 if axis is None else axis
    moved = cast_to(np.moveaxis(x.reshape(-1) if axis is None or not x.ndim else x, along, -1), wide(x.dtype))
    found = _products_before(moved) * _sums_from(np.moveaxis(g, along, -1), moved)
    return np.moveaxis(found, -1, along).reshape(x.shape)


# --- order ----------------------------------------------------------------------------------------


def _extreme_vjp(g: Array, y: Array, x: Array, axis: Any = None, keepdims: bool = False, initial: Any = None, where: Any = True) -> Array:
    top = kept(y, x, axis)
    won = (x == top) | (x != x)  # a NaN wins over everything
    if where is not True:
        won = won & where
    winners = np.sum(won, axis=axis, keepdims=True, dtype=wide(g.dtype))
    if initial is not None:
        winners = winners + (top == initial)
    return np.where(won, kept(g, x, axis) / np.maximum(winners, 1), 0)


# --- spread ---------------------------------------------------------------------------------------


def _centered(x: Array, axis: Any, where: Any) -> Array:
    """Return x - mean(x); exactly zero for a constant input, since one of its own elements is taken off first."""
    if where is True:
        reduced = reduced_axes(axis, x.ndim)
        x = x - x[tuple(slice(0, 1) if i in reduced else slice(None) for i in range(x.ndim))]
    else:
        x = np.where(where, x - np.min(x, axis=axis, keepdims=True, initial=np.inf, where=where), 0)
    dtype = wide(x.dtype)
    mean = np.sum(x, axis=axis, keepdims=True, dtype=dtype) / np.maximum(count(x, axis, where), 1).astype(dtype)
    return _masked(x - mean, where)


def _var_vjp(
    g: Array,
    y: Array,
    x: Array,
    axis: Any = None,
    dtype: Any = None,
    ddof: Any = 0,
    keepdims: bool = False,
    where: Any = True,
    correction: Any = None,
) -> Array:
    if dtype is not None:
        _demand_float(y, "var")
    freedom = count(x, axis, where) - (ddof if correction is None else correction)
    return kept(g, x, axis) * (2 * conj(_centered(x, axis, where)) / freedom)


def _std_vjp(
    g: Array,
    y: Array,
    x: Array,
    axis: Any = None,
    dtype: Any = None,
    ddof: Any = 0,
    keepdims: bool = False,
    where: Any = True,
    correction: Any = None,
) -> Array:
    if dtype is not None:
        _demand_float(y, "std")
    freedom = count(x, axis, where) - (ddof if correction is None else correction)
    return kept(g, x, axis) * over(conj(_centered(x, axis, where)), kept(y, x, axis) * freedom)


def _sum(x: Array) -> Array:
    """Return ``np.sum(x)`` of an ndarray without NumPy's Python layer."""
    return np.add.reduce(x, None)


def _mean(x: Array) -> Array:
    """Return ``np.mean(x)`` of an ndarray; its Python layer is left out where it changes nothing."""
    return np.add.reduce(x, None) / x.size if x.size and x.dtype.char in "df" else np.mean(x)


# --- the table ------------------------------------------------------------------------------------

_MASK = np.array([[True, False, True, True], [False, True, False, True], [True, True, False, True]])
_ZEROS = np.array([[1.5, 0.0, -0.5, 2.0], [0.0, 1.2, 0.0, 0.7], [0.3, 0.4, 1.1, -2.0]])
_AXES = (case((3, 4)), case((3, 4), axis=1, keepdims=True), case((2, 3, 4), axis=(0, -1)), case((3, 4), axis=-2), case((), keepdims=True))

# fmt: off

# sums and means    function      vjp                                                                                      notation
general(np.sum,     _sum_vjp, jvp=_sum_jvp, selects=False, direct=_sum, cases=(*_AXES, case((3, 4), axis=0, where=_MASK, initial=2.0)), tex=r"\sum #1")
linear(np.mean,     _mean_vjp, *_AXES, case((3, 4), axis=0, where=_MASK), selects=False, direct=_mean,                     tex=r"\overline{#1}")
linear(np.cumsum,   _cumsum_vjp, case((3, 4)), case((3, 4), axis=1), case((3, 4), axis=-2))

# products
general(np.prod,    _prod_vjp, cases=(*_AXES, case(_ZEROS, axis=1), case(_ZEROS, axis=0, where=_MASK, initial=2.0)),       tex=r"\prod #1", note="never divides: zeros are right")
general(np.cumprod, _cumprod_vjp, cases=(case((3, 4)), case((3, 4), axis=0), case(_ZEROS, axis=1), case(_ZEROS)),          note="never divides: zeros are right")

# order
general(np.max,     _extreme_vjp, cases=(*_AXES, case((3, 4), axis=1, where=_MASK, initial=-9.0)), also=(np.amax,),        tex=r"\max #1", note="ties share equally")
general(np.min,     _extreme_vjp, cases=(*_AXES, case((3, 4), axis=1, where=_MASK, initial=9.0)), also=(np.amin,),         tex=r"\min #1", note="ties share equally")

# spread
general(np.var,     _var_vjp, cases=(*_AXES, case((3, 4), axis=1, ddof=1), case((3, 4), axis=0, where=_MASK)),             tex=r"\operatorname{Var} #1")
general(np.std,     _std_vjp, cases=(*_AXES, case((3, 4), axis=1, ddof=1), case((3, 4), axis=0, where=_MASK[::-1])),       tex=r"\operatorname{sd} #1", note="0 at a constant input")

constant(np.any, np.all, cases=_AXES)
constant(np.argmax, np.argmin, cases=(case((3, 4)), case((3, 4), axis=1, keepdims=True)))
# fmt: on


# --- in terms of the rows above -------------------------------------------------------------------


def refuse_out(out: Any, name: str) -> None:
    """Raise InPlaceError if a derived function was given `out` by position, where the engine does not look for it."""
    if out is not None:
        raise errors.InPlaceError(f"{name} takes out= by name only, and a Tensor: {name}(..., out=y)")


def number(y: Array) -> Array:
    """Return a result without axes as a number, which is no memory, as NumPy's reductions do; ``np.where`` makes an array of it."""
    return y if y.ndim else y[()]


@derived(np.count_nonzero)
def _count_nonzero(a: Array, axis: Any = None, *, keepdims: bool = False) -> Array:
    return np.sum(a != 0, axis=axis, keepdims=keepdims, dtype=int)


@derived(np.ptp)
def _ptp(a: Array, axis: Any = None, out: None = None, keepdims: bool = False) -> Array:
    refuse_out(out, "np.ptp")
    return np.max(a, axis=axis, keepdims=keepdims) - np.min(a, axis=axis, keepdims=keepdims)


@derived(np.median)
def _median(a: Array, axis: Any = None, out: None = None, overwrite_input: bool = False, keepdims: bool = False) -> Array:
    refuse_out(out, "np.median")
    ordered = np.sort(merge(a, axis)[0], axis=-1)
    n = ordered.shape[-1]
    middle = np.mean(ordered[..., (n - 1) // 2 : n // 2 + 1], axis=-1)
    middle = np.where(np.any(np.isnan(ordered), axis=-1), np.nan, middle)
    if keepdims:
        return middle.reshape((1,) * a.ndim) if axis is None else kept(middle, a, axis)
    return number(middle)


@derived(np.average)
def _average(a: Array, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: bool = False) -> Any:
    a = a if hasattr(a, "ndim") else np.asarray(a)
    axis = None if axis is None else reduced_axes(axis, a.ndim)
    if weights is None:
        mean = np.mean(a, axis=axis, keepdims=keepdims)
        total = np.full(mean.shape, count(a, axis), dtype=mean.dtype)
        return (mean, total) if returned else mean
    weights = weights if hasattr(weights, "ndim") else np.asarray(weights)
    if weights.shape != a.shape:
        axes = axes_of(axis, a.ndim)
        if axis is None or weights.shape != tuple(a.shape[i] for i in axes):
            raise (TypeError if axis is None else ValueError)(
                f"np.average got weights of shape {weights.shape} for an array of shape {a.shape} and axis={axis}; "
                f"they must have the array's shape, or that of the axes which are averaged"
            )
        order = np.argsort(axes)
        lined_up = np.transpose(weights, tuple(order.tolist()))
        weights = lined_up.reshape(tuple(n if i in axes else 1 for i, n in enumerate(a.shape)))
        weights = np.broadcast_to(weights, a.shape)
    dtype = np.result_type(a.dtype, weights.dtype, *(["f8"] if a.dtype.kind in "biu" else []))
    total = np.sum(weights, axis=axis, keepdims=keepdims, dtype=dtype)
    mean = np.sum(a * astype(weights, dtype), axis=axis, keepdims=keepdims) / total
    return (mean, total) if returned else mean


def _ignoring_nan(reduction: Callable[..., Any], neutral: float) -> Callable[..., Any]:
    """Return the reduction with every NaN replaced by its neutral element."""

    def ignoring(a: Array, *args: Any, **kwargs: Any) -> Array:
        return reduction(np.where(np.isnan(a), neutral, a), *args, **kwargs)

    return ignoring


derived(np.nansum)(_ignoring_nan(np.sum, 0))
derived(np.nanprod)(_ignoring_nan(np.prod, 1))
derived(np.nancumsum)(_ignoring_nan(np.cumsum, 0))
derived(np.nancumprod)(_ignoring_nan(np.cumprod, 1))


@derived(np.nanmean)
def _nanmean(a: Array, axis: Any = None, dtype: Any = None, out: None = None, keepdims: bool = False, *, where: Any = True) -> Array:
    refuse_out(out, "np.nanmean")
    good, mask = ~np.isnan(a), {} if where is True else {"where": where}
    total = np.sum(np.where(good, a, 0), axis=axis, dtype=dtype, keepdims=keepdims, **mask)
    return (total / np.sum(good, axis=axis, keepdims=keepdims, dtype=wide(total.dtype), **mask)).astype(total.dtype)


def _nanvar(a: Array, axis: Any = None, dtype: Any = None, out: None = None, ddof: Any = 0, keepdims: Any = False, **how: Any) -> Array:
    """Return the variance with what is subtracted and squared rounded to the dtype of `a`, as NumPy does where it looks for NaN."""
    refuse_out(out, "np.nanvar")
    if a.dtype.kind != "f":
        return np.var(a, axis=axis, dtype=dtype, ddof=ddof, keepdims=keepdims, **how)
    mask = {"where": how.pop("where")} if "where" in how else {}
    ddof = how.pop("correction", ddof)
    if how:
        raise errors.NoRowError(f"np.nanvar and np.nanstd do not cover the argument {', '.join(how)}")
    good = ~np.isnan(a)
    freedom = np.sum(good, axis=axis, keepdims=keepdims, **mask) - ddof
    off = astype(np.where(good, a - _nanmean(a, axis, dtype, keepdims=True, **mask), 0), a.dtype)
    total = np.sum(off * off, axis=axis, dtype=dtype, keepdims=keepdims, **mask)
    return number(np.where(freedom > 0, astype(total / np.where(freedom > 0, freedom, 1), total.dtype), np.nan))


def _nanstd(a: Array, axis: Any = None, dtype: Any = None, out: None = None, ddof: Any = 0, keepdims: Any = False, **how: Any) -> Array:
    y = _nanvar(a, axis, dtype, out, ddof, keepdims, **how)
    return number(np.where(y > 0, np.sqrt(np.where(y > 0, y, 1)), y))  # the slope at 0 is 0, as that of `std`


derived(np.nanvar)(_nanvar)
derived(np.nanstd)(_nanstd)


@derived(np.nanmax)
def _nanmax(a: Array, axis: Any = None, out: None = None, keepdims: bool = False, **how: Any) -> Array:
    refuse_out(out, "np.nanmax")
    largest = np.max(np.where(np.isnan(a), -np.inf, a), axis=axis, keepdims=keepdims, **how)
    if "initial" in how:
        return largest
    return number(np.where(np.all(np.isnan(a), axis=axis, keepdims=keepdims), np.nan, largest))


@derived(np.nanmin)
def _nanmin(a: Array, axis: Any = None, out: None = None, keepdims: bool = False, **how: Any) -> Array:
    refuse_out(out, "np.nanmin")
    if "initial" in how:
        how["initial"] = -how["initial"]
    return -_nanmax(-a, axis, None, keepdims, **how)


def _cumulative(accumulate: Callable[..., Any], neutral: Callable[..., Any]) -> Callable[..., Any]:
    """Return the array-API form of an accumulation: any one axis, and the neutral element first if asked."""

    def cumulative(x: Array, /, *, axis: Any = None, dtype: Any = None, out: None = None, include_initial: bool = False) -> Array:
        refuse_out(out, "np.cumulative_sum")
        if axis is None and x.ndim > 1:
            raise ValueError(f"axis= is needed for an array of {x.ndim} axes")
        if np.ndim(axis) and np.size(axis) != 1:
            raise ValueError(f"one axis is accumulated along, got axis={axis!r}")
        x = np.atleast_1d(x)
        axis = 0 if axis is None else axis_of(axis, x.ndim)
        y = accumulate(x, axis=axis) if dtype is None else accumulate(x, axis=axis, dtype=dtype)
        if not include_initial:
            return y
        first = neutral(y, shape=tuple(1 if i == axis else n for i, n in enumerate(y.shape)))
        return np.concatenate([first, y], axis=axis)

    return cumulative


if hasattr(np, "cumulative_sum"):  # NumPy 2.1
    derived(np.cumulative_sum)(_cumulative(np.cumsum, np.zeros_like))
    derived(np.cumulative_prod)(_cumulative(np.cumprod, np.ones_like))
