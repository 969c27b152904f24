"""Sampled functions: convolution and correlation, interpolation, integrals and windows over samples, phases.

Here belongs what treats an array as samples along an axis; polynomials and statistics have files of their own.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from autograd_np.op import Op, case, derived, eager, elementwise, general, linear, multilinear, value_of
from autograd_np.ops.adjoint import conj
from autograd_np.ops.indexing import along, axis_of, scatter_add
from autograd_np.ops.shaping import astype
from autograd_np.samples import Domain
from autograd_np.typing import Array, Shape

# --- convolution ----------------------------------------------------------------------------------


def _whole(g: Array, a: Array, v: Array, mode: Any) -> Array:
    """Return the cotangent of the full convolution, of which `mode` shows a part."""
    n, m = np.size(a), np.size(v)
    short = min(n, m) - 1
    before = {"full": 0, "same": short // 2, "valid": short}[mode]
    return np.pad(g, (before, n + m - 1 - before - g.size))


def _convolve_by_a(g: Array, y: Array, a: Array, v: Array, mode: Any = "full") -> Array:
    return np.convolve(_whole(g, a, v, mode), np.flip(np.reshape(v, -1)), "valid").reshape(np.shape(a))


def _convolve_by_v(g: Array, y: Array, a: Array, v: Array, mode: Any = "full") -> Array:
    return np.convolve(_whole(g, a, v, mode), np.flip(np.reshape(a, -1)), "valid").reshape(np.shape(v))


# --- windows --------------------------------------------------------------------------------------

windows = np.lib.stride_tricks.sliding_window_view


def _places(shape: Shape, window_shape: Any, axis: Any) -> Array:
    return windows(np.arange(math.prod(shape)).reshape(shape), window_shape, axis)


def _unwindow(g: Array, y: Array, x: Array, window_shape: Any, axis: Any = None, subok: bool = False, writeable: bool = False) -> Array:
    places = _places(x.shape, window_shape, axis).reshape(-1)
    return scatter_add(np.reshape(g, -1), shape=(math.prod(x.shape),), index=places).reshape(x.shape)


def _offsets(shape: Shape, strides: Any) -> Array:
    """Return how many bytes each element is from the first."""
    found: Array = np.zeros(shape, int)
    for i, (n, step) in enumerate(zip(shape, strides, strict=True)):
        found = found + step * np.arange(n).reshape(-1, *(1,) * (len(shape) - 1 - i))
    return found


def _elements(x: Any, shape: Any, strides: Any) -> tuple[Array, tuple[Any, Any]]:
    """Return the number in C order of each element that a view shows, its shape and strides; refuse what lies outside of `x`."""
    x = np.asarray(value_of(x))
    shape = x.shape if shape is None else tuple(shape)
    if strides is None:
        strides = x.__array_interface__["strides"]  # None of a contiguous array, whose view is one, too
    strides = tuple(x.itemsize * math.prod(shape[i + 1 :]) for i in range(len(shape))) if strides is None else tuple(strides)
    if len(shape) != len(strides):
        raise ValueError(f"as_strided needs a stride for each axis, got shape {shape} and strides {strides}")
    own, wanted = _offsets(x.shape, x.strides), _offsets(shape, strides)
    order = np.argsort(own, axis=None, kind="stable")
    offsets = own.reshape(-1)[order]
    found = np.clip(np.searchsorted(offsets, wanted), 0, max(x.size - 1, 0))
    if wanted.size and (not x.size or np.any(offsets[found] != wanted)):
        raise ValueError(
            f"as_strided of shape {shape} and strides {strides} reaches beyond the elements of an array of shape {x.shape}, "
            f"strides {x.strides} and items of {x.itemsize} bytes"
        )
    return order[found] if x.size else wanted, (shape, strides)


@eager
def as_strided(x: Array, shape: Any = None, strides: Any = None, subok: bool = False, writeable: bool = True) -> Array:
    """Return a view of an array with another shape and other strides, in bytes, which must show elements of the array itself.

    What NumPy's own function has in ``autograd_np.numpy``; arrays too are checked, which NumPy does not.
    """
    _, (shape, strides) = _elements(x, shape, strides)
    return np.lib.stride_tricks.as_strided(np.asarray(x), shape, strides, writeable=writeable)


def _scattered(g: Array, y: Array, x: Array, shape: Any = None, strides: Any = None, subok: bool = False, writeable: bool = True) -> Array:
    places, _ = _elements(x, shape, strides)
    return scatter_add(np.reshape(g, -1), shape=(math.prod(x.shape),), index=places.reshape(-1)).reshape(x.shape)


def _shown(t: Any, y: Array, x: Array, shape: Any = None, strides: Any = None, subok: bool = False, writeable: bool = True) -> Array:
    places, _ = _elements(x, shape, strides)  # of x, since a tangent may be laid out otherwise
    return np.take(np.reshape(t[0], -1), places)


# no row of the table, whose samples come in every layout and dtype: strides, in bytes, mean something for one of them alone
as_strided.op = Op(
    "as_strided", as_strided, "general", (_scattered,), jvp=_shown, params=("x", "shape", "strides", "subok", "writeable"),
)  # fmt: skip


# --- Bessel functions -----------------------------------------------------------------------------


@functools.partial(eager, host=True)
def bessel_i(x: Array, order: int = 0) -> Array:
    """Return the modified Bessel function I_n of real numbers, for n = 0, 1, 2, ...

    The mean of exp(x cos θ) cos(n θ) over the circle (DLMF 10.32.3) by the trapezoidal rule, which converges geometrically: with
    2N points its error is I_(2N-n), so that N grows with the square root of x. By symmetry a quarter of the circle is enough.
    """
    x = np.asarray(x)
    dtype = np.result_type(x.dtype, np.float32)
    exact = np.result_type(dtype, np.float64)
    limit = float(np.log(np.finfo(exact).max)) + 12  # I_n(x) is about exp(x) / sqrt(2 π x), and not to be had beyond
    size = np.minimum(np.abs(x).astype(exact), limit)
    count = 12 + order + int(5 * math.sqrt(float(np.max(size, initial=0, where=~np.isnan(size)))))
    angles = (np.arange(count) + exact.type(0.5)) * (exact.type(np.pi) / (2 * count))  # of a quarter, where the cosine is positive
    cosine, size = np.cos(angles), size[..., None]
    opposite = -np.expm1(-2 * size * cosine) if order % 2 else 1 + np.exp(-2 * size * cosine)  # of a sinh and a cosh, without cancellation
    waves = np.exp(size * (cosine - 1)) * opposite / 2 * np.cos(order * angles)
    size = size[..., 0]
    with np.errstate(over="ignore"):  # as NumPy's own
        found = (np.exp(size / 2) * np.mean(waves, axis=-1) * np.exp(size / 2)).astype(dtype)
    found = np.where(np.abs(x) > limit, np.inf, found) * (np.sign(x) if order % 2 else 1)
    return np.asarray(found, dtype=dtype)[()]


def _bessel_slope(g: Array, y: Array, x: Array, order: int = 0) -> Array:
    return g * ((bessel_i(x, order=order - 1) + bessel_i(x, order=order + 1)) / 2 if order else bessel_i(x, order=1))


# --- the table ------------------------------------------------------------------------------------

# fmt: off
multilinear(eager(np.convolve), _convolve_by_a, _convolve_by_v, cases=(
    case((5,), (3,)), case((3,), (5,), mode="same"), case((6,), (2,), mode="same"), case((5,), (4,), mode="valid"), case((2,), (5,), mode="valid"), case((1,), (3,))),
    also=(np.convolve,), tex="#1 * #2")
linear(eager(windows), _unwindow, case((5,), window_shape=3), case((4, 5), window_shape=(2, 3)), case((3, 4, 2), window_shape=2, axis=1), case((3, 4), window_shape=(2, 2), axis=(0, 0)),
    signature="x window_shape axis subok writeable", also=(windows,))
general(bessel_i, _bessel_slope, selects=False, cases=(case((3,)), case((2, 2), order=2), case((), order=1)), tex="I_{#order}(#1)")
elementwise(eager(np.i0, host=True), lambda y, x: bessel_i(x, order=1), on=Domain(-9, 9), also=(np.i0,), tex=r"I_0(#1)")
# fmt: on


# --- in terms of the rows above -------------------------------------------------------------------


@derived(np.correlate, cases=(
    case((5,), (3,)), case((3,), (5,)), case((5,), (4,), mode="same"), case((4,), (5,), mode="same"), case((3,), (2,), mode="full")))  # fmt: skip
def _correlate(a: Any, v: Any, mode: Any = "valid") -> Array:
    a, v = (np.atleast_1d(x if hasattr(x, "ndim") else np.asarray(x)) for x in (a, v))
    if len(v) > len(a):  # NumPy exchanges them and turns the result around
        return conj(np.flip(_correlate(v, a, mode)))
    return np.convolve(a, np.flip(conj(v)), mode)


@derived(np.interp, cases=(
    case(np.array([0.2, 1.7, 2.4, -3.0, 9.0]), np.array([0.0, 1.0, 2.0, 3.5]), (4,)), case(np.array([[0.2], [1.7]]), np.array([0.0, 1.0, 2.0]), (3,), left=-1.0, right=2.0),
    case(np.array([0.4, 5.1, -3.0]), np.array([0.1, 2.0, 1.2]), (3,), period=3.3), case(np.array(0.3), np.array([0.0, 1.0]), (2,)), case(np.array([0.3]), np.array([0.5]), (1,))))  # fmt: skip
def _interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Array:
    x, xp, fp = (a if hasattr(a, "ndim") else np.asarray(a) for a in (x, xp, fp))
    if xp.ndim != 1 or xp.shape != fp.shape or not len(xp):
        raise ValueError(f"np.interp needs points and values along one axis, of the same length; got shapes {xp.shape} and {fp.shape}")
    dtype = np.complex128 if fp.dtype.kind == "c" else np.float64
    x, xp, fp = astype(x, np.float64), astype(xp, np.float64), astype(fp, dtype)
    if period is not None:
        if period == 0:
            raise ValueError("np.interp got period=0; it must not be zero")
        period, left, right = abs(period), None, None
        x, xp = np.mod(x, period), np.mod(xp, period)
        order = np.argsort(xp)
        xp, fp = xp[order], fp[order]
        xp = np.concatenate([xp[-1:] - period, xp, xp[:1] + period])
        fp = np.concatenate([fp[-1:], fp, fp[:1]])
    low, high = x < xp[0], x > xp[-1]
    if len(xp) == 1:
        inside = np.broadcast_to(fp[0], x.shape)
    else:
        i = np.clip(np.searchsorted(xp, x, side="right") - 1, 0, len(xp) - 2)
        slope = (fp[i + 1] - fp[i]) / (xp[i + 1] - xp[i])
        inside = slope * (x - xp[i]) + fp[i]
    return np.where(low, fp[0] if left is None else left, np.where(high, fp[-1] if right is None else right, inside))


@derived(np.trapezoid, cases=(
    case((5,)), case((3, 4), dx=0.5, axis=0), case((3, 4), x=np.array([0.0, 0.3, 1.0, 1.1])), case((3, 4), (3,), axis=0), case((2, 3), (2, 3))))  # fmt: skip
def _trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Array:
    y = y if hasattr(y, "ndim") else np.asarray(y)
    axis = axis_of(axis, y.ndim)
    if x is not None:
        x = x if hasattr(x, "ndim") else np.asarray(x)
        dx = np.diff(x).reshape((-1,) + (1,) * (y.ndim - 1 - axis)) if x.ndim == 1 else np.diff(x, axis=axis)
    after, before = y[along(axis, slice(1, None), y.ndim)], y[along(axis, slice(None, -1), y.ndim)]
    return np.sum(dx * (after + before) / 2.0, axis=axis)


@derived(
    np.unwrap,
    cases=(
        case(np.array([0.0, 0.5, 6.0, 1.2, -7.0])),
        case(np.array([[0.1, 4.5, 9.0], [0.0, 3.9, 1.0]]), axis=1),
        case(np.array([0.1, 0.75, 1.3, 0.2]), period=1.0),
    ),
)
def _unwrap(p: Any, discont: Any = None, axis: int = -1, *, period: Any = 2 * np.pi) -> Array:
    p = p if hasattr(p, "ndim") else np.asarray(p)
    axis = axis_of(axis, p.ndim)
    steps = np.diff(p, axis=axis)
    whole = np.issubdtype(np.result_type(steps, period), np.integer)
    half, rest = divmod(period, 2) if whole else (period / 2, 0)
    low = -half
    turned = np.mod(steps - low, period) + low
    if not whole or rest == 0:
        turned = np.where((turned == low) & (steps > 0), half, turned)
    correction = np.where(abs(steps) < (half if discont is None else discont), 0, turned - steps)
    first = p[along(axis, slice(0, 1), p.ndim)]
    return np.concatenate([first, p[along(axis, slice(1, None), p.ndim)] + np.cumsum(correction, axis=axis)], axis=axis)
