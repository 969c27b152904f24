"""``numpy.fft``: every transform is linear, so it is its own tangent, and the row gives its transpose.

The matrix of the Fourier transform is symmetric: its transpose is the same transform. Around it stand what NumPy does before
(cutting or padding to `n`) and what it leaves out (`rfft` the second half of the spectrum, `irfft` the conjugates of the first),
whose transposes undo that. Formulas: the definitions in NumPy's manual, https://numpy.org/doc/stable/reference/routines.fft.html.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_np import errors
from autograd_np.op import Domain, beside, case, derived, linear
from autograd_np.ops.indexing import axes_of, axis_of
from autograd_np.typing import Array, Shape

_OTHER = {None: "forward", "backward": "forward", "forward": "backward", "ortho": "ortho"}
"""The norm with which the inverse transform has the factor of the transform."""


def _fitted(a: Array, shape: Shape) -> Array:
    """Cut each axis at its end, or pad it there with zeros."""
    a = a[tuple(slice(0, n) for n in shape)]
    missing = [(0, n - m) for n, m in zip(shape, a.shape, strict=True)]
    return np.pad(a, missing) if any(after for _, after in missing) else a


def _chosen(a: Array, s: Sequence[int] | None, axes: Any, *, halves: bool = False) -> tuple[int, ...]:
    """Return the axes that are transformed, from 0; of a transform that `halves` one of them, and with `s`, each is named once."""
    if axes is None and s is not None:
        return tuple(range(a.ndim - len(s), a.ndim))
    chosen = axes_of(axes, a.ndim)
    if (halves or s is not None) and len(set(chosen)) < len(chosen):
        raise errors.NoRowError(f"the rows of np.fft do not cover an axis that is named twice here, axes={axes} with s={s}")
    return chosen


def _unfft(transform: Any) -> Any:
    def vjp(g: Array, y: Array, a: Array, n: Any = None, axis: int = -1, norm: Any = None) -> Array:
        return _fitted(transform(g, axis=axis, norm=norm), a.shape)

    return vjp


def _unfftn(transform: Any, default: Any) -> Any:
    def vjp(g: Array, y: Array, a: Array, s: Any = None, axes: Any = default, norm: Any = None) -> Array:
        return _fitted(transform(g, axes=_chosen(a, s, axes), norm=norm), a.shape)

    return vjp


def _twice(g: Array, axis: int, n: int) -> Array:
    """Return how often `irfft` uses each frequency: twice, for it stands for its conjugate too, but for 0 and the highest even one."""
    times = np.full(n // 2 + 1, 2, np.finfo(g.dtype).dtype)
    times[0] = 1
    if n % 2 == 0:
        times[-1] = 1
    return beside(times.reshape(tuple(-1 if i == axis else 1 for i in range(g.ndim))), g)


def _unrfft(g: Array, y: Array, a: Array, n: Any = None, axis: int = -1, norm: Any = None) -> Array:
    """Add up Re(g e^-iθ) over the frequencies that `rfft` returns; `irfft` counts their conjugates, too."""
    axis = axis_of(axis, a.ndim)
    n = a.shape[axis] if n is None else n
    half = np.conjugate(g) / _twice(g, axis, n)
    return _fitted(np.fft.irfft(half, n, axis, norm=_OTHER[norm]), a.shape)  # type: ignore[arg-type]


def _unrfftn(default: Any) -> Any:
    def vjp(g: Array, y: Array, a: Array, s: Any = None, axes: Any = default, norm: Any = None) -> Array:
        axes = _chosen(a, s, axes, halves=True)
        n = a.shape[axes[-1]] if s is None or s[-1] == -1 else s[-1]
        sizes = (*(g.shape[i] for i in axes[:-1]), n)
        half = np.conjugate(g) / _twice(g, axes[-1], n)
        return _fitted(np.fft.irfftn(half, sizes, axes, norm=_OTHER[norm]), a.shape)  # type: ignore[arg-type]

    return vjp


def _unirfft(g: Array, y: Array, a: Array, n: Any = None, axis: int = -1, norm: Any = None) -> Array:
    axis = axis_of(axis, a.ndim)
    spectrum = np.conjugate(np.fft.rfft(g, axis=axis, norm=_OTHER[norm]))  # type: ignore[arg-type]
    return _fitted(spectrum * _twice(g, axis, g.shape[axis]), a.shape)


def _unirfftn(default: Any) -> Any:
    def vjp(g: Array, y: Array, a: Array, s: Any = None, axes: Any = default, norm: Any = None) -> Array:
        axes = _chosen(a, s, axes, halves=True)
        spectrum = np.conjugate(np.fft.rfftn(g, axes=axes, norm=_OTHER[norm]))  # type: ignore[arg-type]
        return _fitted(spectrum * _twice(g, axes[-1], g.shape[axes[-1]]), a.shape)

    return vjp


# --- the table ------------------------------------------------------------------------------------

ONE = (
    case((4,)), case((5,)), case((1,)), case((2, 5), n=3), case((2, 5), n=8, norm="ortho"), case((4, 3), axis=0, norm="forward"),
    case((2, 5), n=7, axis=-2, norm="backward"),
)  # fmt: skip
SEVERAL = (
    case((3, 4)),
    case((2, 3, 5), axes=(0, 2)),
    case((2, 3, 4), s=(4, 2), axes=(0, 1), norm="ortho"),
    case((3, 4), s=(5, 3), axes=(1, 0), norm="forward"),
)
TWO = (case((3, 4)), case((2, 3, 5), s=(4, 6), norm="ortho"), case((4, 3, 2), axes=(0, 1), norm="forward"))
FEW = tuple(c for c in ONE if c.arrays != ((1,),))  # of one frequency irfft makes nothing, unless n= says so
plane = Domain(complex=True)

# fmt: off
linear(np.fft.fft,    _unfft(np.fft.fft),                  *ONE)
linear(np.fft.ifft,   _unfft(np.fft.ifft),                 *ONE,                          on=plane)
linear(np.fft.rfft,   _unrfft,                             *ONE)
linear(np.fft.irfft,  _unirfft,                            *FEW, case((3,), n=1),         on=plane)
linear(np.fft.fft2,   _unfftn(np.fft.fftn, (-2, -1)),      *TWO)
linear(np.fft.ifft2,  _unfftn(np.fft.ifftn, (-2, -1)),     *TWO,                          on=plane)
linear(np.fft.rfft2,  _unrfftn((-2, -1)),                  *TWO)
linear(np.fft.irfft2, _unirfftn((-2, -1)),                 *TWO,                          on=plane)
linear(np.fft.fftn,   _unfftn(np.fft.fftn, None),          *SEVERAL, case((3, 4), axes=(0, 0)))
linear(np.fft.ifftn,  _unfftn(np.fft.ifftn, None),         *SEVERAL,                      on=plane)
linear(np.fft.rfftn,  _unrfftn(None),                      *SEVERAL)
linear(np.fft.irfftn, _unirfftn(None),                     *SEVERAL,                      on=plane)
# fmt: on


# --- in terms of the rows above -------------------------------------------------------------------


@derived(np.fft.hfft)
def _hfft(a: Array, n: Any = None, axis: int = -1, norm: Any = None) -> Array:
    n = 2 * (a.shape[axis] - 1) if n is None else n
    return np.fft.irfft(np.conjugate(a), n, axis, norm=_OTHER[norm])  # type: ignore[arg-type]


@derived(np.fft.ihfft)
def _ihfft(a: Array, n: Any = None, axis: int = -1, norm: Any = None) -> Array:
    return np.conjugate(np.fft.rfft(a, n, axis, norm=_OTHER[norm]))  # type: ignore[arg-type]


def _shifted(x: Array, axes: Any, sign: int) -> Array:
    chosen = axes_of(axes, x.ndim)
    return np.roll(x, tuple(sign * (x.shape[i] // 2) for i in chosen), chosen)


@derived(np.fft.fftshift)
def _fftshift(x: Array, axes: Any = None) -> Array:
    return _shifted(x, axes, 1)


@derived(np.fft.ifftshift)
def _ifftshift(x: Array, axes: Any = None) -> Array:
    return _shifted(x, axes, -1)
