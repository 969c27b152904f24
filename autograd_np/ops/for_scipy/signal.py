"""`scipy.signal`: convolution along axes, and the recursive part of a linear filter; `scipy.ndimage` is made of the same.

A convolution is linear in each argument, and the transpose is a convolution with the other, turned around.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import scipy.signal

from autograd_np.op import case, eager, general, multilinear
from autograd_np.ops.indexing import along, axes_of
from autograd_np.typing import Array

__all__ = ["convolve", "recursive"]


# --- convolution ----------------------------------------------------------------------------------


@functools.partial(eager, host=True)
def convolve(a: Array, v: Array, mode: str = "full", method: str = "fft", axes: tuple[int, ...] | None = None) -> Array:
    """Return the convolution along `axes`, all by default, directly or by the fast Fourier transform."""
    if method == "fft":
        found: Array = scipy.signal.fftconvolve(a, v, mode, axes)
        return found
    found = scipy.signal.convolve(a, v, mode, "direct")
    return found


def _whole(g: Array, a: Array, v: Array, mode: str, axes: tuple[int, ...]) -> Array:
    """Return the cotangent of the full convolution, of which `mode` shows a part in the middle."""
    widths = [(0, 0)] * a.ndim
    for i in axes:
        n, m = a.shape[i], v.shape[i]
        before = {"full": 0, "same": (m - 1) // 2, "valid": min(n, m) - 1}[mode]
        widths[i] = (before, n + m - 1 - before - g.shape[i])
    return np.pad(g, widths) if widths else g


def _by(g: Array, a: Array, v: Array, other: Array, mode: str, method: str, axes: Any) -> Array:
    chosen = axes_of(axes, a.ndim) if a.ndim else ()
    return convolve(_whole(g, a, v, mode, chosen), np.flip(other, chosen), mode="valid", method=method, axes=axes)


def _convolve_by_a(g: Array, y: Array, a: Array, v: Array, mode: str = "full", method: str = "fft", axes: Any = None) -> Array:
    return _by(g, a, v, v, mode, method, axes)


def _convolve_by_v(g: Array, y: Array, a: Array, v: Array, mode: str = "full", method: str = "fft", axes: Any = None) -> Array:
    return _by(g, a, v, a, mode, method, axes)


# --- filters --------------------------------------------------------------------------------------


@functools.partial(eager, host=True)
def recursive(x: Array, a: Array, axis: int = -1) -> Array:
    """Return the y with a[0] y[n] + a[1] y[n-1] + ... = x[n], and y zero before the first sample."""
    found: Array = scipy.signal.lfilter(np.ones(1, np.result_type(a)), a, x, axis)
    return found


def _recursive_by_x(g: Array, y: Array, x: Array, a: Array, axis: int = -1) -> Array:
    return np.flip(recursive(np.flip(g, axis), a, axis=axis), axis)


def _recursive_by_a(g: Array, y: Array, x: Array, a: Array, axis: int = -1) -> Array:
    by_x = _recursive_by_x(g, y, x, a, axis)
    n, shown = x.shape[axis], range(min(len(a), x.shape[axis]))
    sums = [-np.sum(by_x[along(axis, slice(k, None), x.ndim)] * y[along(axis, slice(None, n - k), x.ndim)]) for k in shown]
    return np.stack([*sums, *([np.zeros_like(sums[0])] * (len(a) - len(sums)))])


# --- the table ------------------------------------------------------------------------------------

PLANES = (
    case((5,), (3,)), case((3,), (5,), mode="same"), case((6,), (4,), mode="valid"), case((4, 5), (2, 3)), case((4, 5), (3, 2), mode="same"),
    case((4, 5), (2, 3), mode="valid"), case((2, 5), (2, 3), axes=(1,)), case((1, 5), (3, 2), axes=(-1,), mode="valid"),
    case((5,), (4,), mode="same", method="direct"), case((4, 5), (2, 2), mode="valid", method="direct"), case((2, 3), (4, 5), mode="valid"),
)  # fmt: skip
POLES = np.array([2.0, -0.6, 0.3])

# fmt: off
multilinear(convolve, _convolve_by_a, _convolve_by_v, cases=PLANES, tex="#1 * #2")
general(recursive, _recursive_by_x, _recursive_by_a, cases=(case((5,), POLES), case((2, 4), POLES, axis=1), case((3, 2), POLES, axis=0), case((2,), POLES), case((3,), np.array([1.5]))))
# fmt: on
