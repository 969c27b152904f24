"""`scipy.signal`, whose convolutions and linear filters understand Tensors: ``from autograd_np.scipy import signal``.

They are linear in each argument (`lfilter` but for `a`), so that they are differentiable by all: the signal, the kernel, the
coefficients of a filter, and its initial state.

Examples
--------
>>> import numpy as np
>>> import autograd_np as ag
>>> from autograd_np.scipy import signal
>>> x = np.array([1.0, 2.0, 3.0])
>>> ag.grad(lambda kernel: np.sum(signal.fftconvolve(x, kernel, mode="valid") ** 2))(np.array([0.0, 1.0]))
array([16., 10.])
>>> ag.grad(lambda a: signal.lfilter([1.0], a, x)[-1])(np.array([1.0, -0.5]))
array([-5.75, -3.  ])
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import signal

from autograd_np.op import constant_of
from autograd_np.ops.adjoint import conj
from autograd_np.ops.for_scipy import signal as rows
from autograd_np.ops.indexing import along, axis_of
from autograd_np.scipy.mirror import array, covering, module


def _pair(in1: Any, in2: Any, name: str) -> tuple[Any, Any]:
    in1, in2 = array(in1), array(in2)
    if in1.ndim != in2.ndim:
        raise ValueError(f"scipy.signal.{name} got arrays of {in1.ndim} and {in2.ndim} axes; they must have the same number")
    return in1, in2


# --- convolution ----------------------------------------------------------------------------------


def _convolve(in1: Any, in2: Any, mode: str = "full", method: str = "auto") -> Any:
    in1, in2 = _pair(in1, in2, "convolve")
    if method == "auto":
        method = signal.choose_conv_method(constant_of(in1), constant_of(in2), mode) if in1.ndim and in1.size and in2.size else "direct"
    if method not in ("direct", "fft"):
        raise ValueError(f"convolve got method={method!r}; it is 'auto', 'direct' or 'fft'")
    return rows.convolve(in1, in2, mode=mode, method=method)


def _fftconvolve(in1: Any, in2: Any, mode: str = "full", axes: Any = None) -> Any:
    in1, in2 = _pair(in1, in2, "fftconvolve")
    axes = None if axes is None else tuple(np.atleast_1d(axes).tolist())
    return rows.convolve(in1, in2, mode=mode, method="fft", axes=axes)


def _turned(kernel: Any) -> Any:
    return np.flip(conj(array(kernel)))


def _correlate(in1: Any, in2: Any, mode: str = "full", method: str = "auto") -> Any:
    return _convolve(in1, _turned(in2), mode, method)


_BOUNDARIES: dict[str, Any] = {"fill": "constant", "wrap": "wrap", "circular": "wrap", "symm": "symmetric", "symmetric": "symmetric"}


def _convolve2d(in1: Any, in2: Any, mode: str = "full", boundary: str = "fill", fillvalue: Any = 0) -> Any:
    """Continue the first array beyond its boundary, and take the part of the convolution that does not look further."""
    in1, in2 = _pair(in1, in2, "convolve2d")
    if in1.ndim != 2:
        raise ValueError(f"convolve2d takes arrays of two axes, got shapes {in1.shape} and {in2.shape}")
    if boundary not in _BOUNDARIES:
        raise ValueError(f"convolve2d got boundary={boundary!r}; it is 'fill', 'wrap' or 'symm'")
    if mode == "valid":
        return rows.convolve(in1, in2, mode="valid", method="direct")
    (n, m), (k, j) = in1.shape, in2.shape
    how = {"constant_values": fillvalue} if boundary == "fill" else {}
    around = np.pad(in1, [(k - 1, k - 1), (j - 1, j - 1)], _BOUNDARIES[boundary], **how)
    full = rows.convolve(around, in2, mode="valid", method="direct")
    return full if mode == "full" else full[(k - 1) // 2 : (k - 1) // 2 + n, (j - 1) // 2 : (j - 1) // 2 + m]


def _correlate2d(in1: Any, in2: Any, mode: str = "full", boundary: str = "fill", fillvalue: Any = 0) -> Any:
    in1, in2 = _pair(in1, in2, "correlate2d")
    if mode != "same":
        return _convolve2d(in1, _turned(in2), mode, boundary, fillvalue)
    full = _convolve2d(in1, _turned(in2), "full", boundary, fillvalue)
    (n, m), (k, j) = in1.shape, in2.shape
    return full[k // 2 : k // 2 + n, j // 2 : j // 2 + m]


# --- filters --------------------------------------------------------------------------------------


def _along(taps: Any, ndim: int, axis: int) -> Any:
    return np.reshape(taps, (1,) * axis + (-1,) + (1,) * (ndim - axis - 1))


def _lfilter(b: Any, a: Any, x: Any, axis: int = -1, zi: Any = None) -> Any:
    """Filter with the numerator, a convolution, and then recursively; a state is added to the first samples between the two."""
    b, a, x = np.atleast_1d(array(b)), np.atleast_1d(array(a)), array(x)
    if b.ndim != 1 or a.ndim != 1:
        raise ValueError(f"lfilter takes coefficients along one axis, got shapes {b.shape} and {a.shape}")
    axis = axis_of(axis, x.ndim)
    n, order = x.shape[axis], max(len(a), len(b)) - 1
    whole = rows.convolve(x, _along(b, x.ndim, axis), method="direct")
    moved = whole[along(axis, slice(0, n), x.ndim)]
    if zi is None:
        return rows.recursive(moved, a, axis=axis)
    zi = array(zi)
    if zi.ndim != x.ndim or zi.shape[axis] != order:
        raise ValueError(f"lfilter got zi of shape {zi.shape}; it needs {x.ndim} axes, {order} numbers along axis {axis}")
    zi = np.broadcast_to(zi, (*x.shape[:axis], order, *x.shape[axis + 1 :]))
    y = rows.recursive(moved + a[0] * _fitted(zi, axis, 0, n), a, axis=axis)
    rest = rows.convolve(y, _along(a, x.ndim, axis), method="direct")
    zf = (_fitted(whole, axis, n, order) - _fitted(rest, axis, n, order)) / a[0] + _fitted(zi, axis, n, order)
    return y, zf


def _fitted(x: Any, axis: int, start: int, size: int) -> Any:
    """Return `size` numbers along an axis, zeros where there are no more."""
    part = x[along(axis, slice(start, start + size), x.ndim)]
    missing = size - part.shape[axis]
    return np.pad(part, [(0, missing if i == axis else 0) for i in range(x.ndim)]) if missing else part


_COVERED: dict[str, Callable[..., Any]] = {
    "convolve": _convolve, "convolve2d": _convolve2d, "correlate": _correlate, "correlate2d": _correlate2d, "fftconvolve": _fftconvolve,
    "lfilter": _lfilter, "oaconvolve": _fftconvolve,
}  # fmt: skip

GIVEN = {name: covering(getattr(signal, name), covered, f"scipy.signal.{name}") for name, covered in _COVERED.items()}
"""The names that understand Tensors only here."""

__getattr__, __dir__, __all__ = module("scipy.signal", GIVEN)
