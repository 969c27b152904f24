"""`scipy.ndimage`, whose linear filters understand Tensors: ``from autograd_np.scipy import ndimage``.

Each continues the array beyond its boundary, as `mode` says, and convolves; so they are differentiable by the array, and by the weights
where there are some. Widths of filters (`sigma`, `size`) are numbers without a gradient.

Examples
--------
>>> import numpy as np
>>> import autograd_np as ag
>>> from autograd_np.scipy import ndimage
>>> x = np.array([1.0, 2.0, 4.0])
>>> ag.grad(lambda w: np.sum(ndimage.convolve(x, w, mode="nearest")))(np.array([1.0, 1.0, 1.0]))
array([10.,  7.,  4.])
>>> ag.grad(lambda x: ndimage.gaussian_filter(x, 1.0)[0])(x).round(3)
array([0.641, 0.296, 0.063])
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy import ndimage

from autograd_np.calls import plain
from autograd_np.errors import NoRowError
from autograd_np.ops import astype
from autograd_np.ops.adjoint import conj
from autograd_np.ops.for_scipy import signal as rows
from autograd_np.ops.indexing import axes_of
from autograd_np.scipy.mirror import array, covering, module

_MODES: dict[str, Any] = {
    "reflect": "symmetric", "grid-mirror": "symmetric", "mirror": "reflect", "nearest": "edge", "wrap": "wrap", "grid-wrap": "wrap",
    "constant": "constant", "grid-constant": "constant",
}  # fmt: skip


def _array(x: Any) -> Any:
    x = array(x)
    return x if x.dtype.kind in "fc" else astype(x, np.float64)


def _each(option: Any, count: int, what: str) -> list[Any]:
    """Return an option for each axis: one for all, or a sequence."""
    if isinstance(option, str) or not isinstance(option, (Sequence, np.ndarray)):
        return [option] * count
    if len(option) != count:
        raise RuntimeError(f"{what} must have as many numbers as there are axes, {count}; got {len(option)}")
    return list(option)


def _correlated(x: Any, weights: Any, axes: tuple[int, ...], mode: str, cval: Any, origins: Sequence[int], turned: bool = False) -> Any:
    """Correlate along axes with weights of as many; `turned`: convolve."""
    if mode not in _MODES:
        raise NoRowError(f"scipy.ndimage covers mode={', '.join(_MODES)} with Tensors, got {mode!r}")
    if weights.ndim != len(axes):
        raise RuntimeError(f"weights of {weights.ndim} axes do not fit {len(axes)} axes of the array")
    widths = [(0, 0)] * x.ndim
    for i, n, origin in zip(axes, weights.shape, origins, strict=True):
        before = n // 2 + (-origin - (n % 2 == 0) if turned else origin)
        if not 0 <= before < n:
            raise ValueError(f"origin={origin} lies outside the weights, of which there are {n} along axis {i}")
        widths[i] = (before, n - 1 - before)
    how = {"constant_values": cval} if _MODES[mode] == "constant" else {}
    around = np.pad(x, widths, _MODES[mode], **how)
    order = np.argsort(axes)
    kernel = np.transpose(weights, order) if len(axes) > 1 else weights
    shape = [1] * x.ndim
    for i, k in zip(sorted(axes), kernel.shape, strict=True):
        shape[i] = k
    kernel = np.reshape(kernel if turned else np.flip(kernel), shape)
    found = rows.convolve(around, kernel, mode="valid", method="direct")
    return astype(found, np.result_type(x.dtype, np.complex64) if found.dtype.kind == "c" else x.dtype)


def _nd(x: Any, weights: Any, mode: str, cval: Any, origin: Any, axes: Any, turned: bool) -> Any:
    x, weights = _array(x), _array(weights)
    chosen = axes_of(axes, x.ndim)
    return _correlated(x, weights if turned else conj(weights), chosen, mode, cval, _each(origin, len(chosen), "origin"), turned)


def _convolve(input: Any, weights: Any, *, mode: str = "reflect", cval: Any = 0.0, origin: Any = 0, axes: Any = None) -> Any:  # noqa: A002
    return _nd(input, weights, mode, cval, origin, axes, turned=True)


def _correlate(input: Any, weights: Any, *, mode: str = "reflect", cval: Any = 0.0, origin: Any = 0, axes: Any = None) -> Any:  # noqa: A002
    return _nd(input, weights, mode, cval, origin, axes, turned=False)


def _convolve1d(input: Any, weights: Any, axis: int = -1, *, mode: str = "reflect", cval: Any = 0.0, origin: int = 0) -> Any:  # noqa: A002
    return _nd(input, weights, mode, cval, origin, axis, turned=True)


def _correlate1d(input: Any, weights: Any, axis: int = -1, *, mode: str = "reflect", cval: Any = 0.0, origin: int = 0) -> Any:  # noqa: A002
    return _nd(input, weights, mode, cval, origin, axis, turned=False)


# --- filters made of them -------------------------------------------------------------------------


def _gaussian(sigma: float, order: int, truncate: float, radius: Any) -> Any:
    """Return the weights of a Gaussian filter, as SciPy answers an impulse."""
    sigma, truncate = plain(sigma, "scipy.ndimage.gaussian_filter(..., sigma=)", []), float(truncate)
    reach = int(truncate * float(sigma) + 0.5) if radius is None else int(radius)
    impulse = np.zeros(2 * reach + 1)
    impulse[reach] = 1.0
    return ndimage.gaussian_filter1d(impulse, float(sigma), order=order, mode="constant", truncate=truncate, radius=reach)[::-1]


def _gaussian_filter1d(
    input: Any, sigma: Any, axis: int = -1, order: int = 0, *,  # noqa: A002
    mode: str = "reflect", cval: Any = 0.0, truncate: float = 4.0, radius: Any = None,
) -> Any:  # fmt: skip
    return _correlate1d(input, _gaussian(sigma, order, truncate, radius), axis, mode=mode, cval=cval)


def _gaussian_filter(
    input: Any, sigma: Any, order: Any = 0, *, mode: Any = "reflect", cval: Any = 0.0, truncate: float = 4.0,  # noqa: A002
    radius: Any = None, axes: Any = None,
) -> Any:  # fmt: skip
    x = _array(input)
    chosen = axes_of(axes, x.ndim)
    options = (
        _each(option, len(chosen), name) for option, name in ((sigma, "sigma"), (order, "order"), (mode, "mode"), (radius, "radius"))
    )
    for axis, width, derivative, how, reach in zip(chosen, *options, strict=True):
        if plain(width, "scipy.ndimage.gaussian_filter(..., sigma=)", []) > 1e-15:
            x = _gaussian_filter1d(x, width, axis, derivative, mode=how, cval=cval, truncate=truncate, radius=reach)
    return x


def _uniform_filter1d(
    input: Any, size: int, axis: int = -1, *, mode: str = "reflect", cval: Any = 0.0, origin: int = 0  # noqa: A002
) -> Any:  # fmt: skip
    return _correlate1d(input, np.full(int(size), 1.0 / int(size)), axis, mode=mode, cval=cval, origin=origin)


def _uniform_filter(
    input: Any, size: Any = 3, *, mode: Any = "reflect", cval: Any = 0.0, origin: Any = 0, axes: Any = None  # noqa: A002
) -> Any:  # fmt: skip
    x = _array(input)
    chosen = axes_of(axes, x.ndim)
    options = (_each(option, len(chosen), name) for option, name in ((size, "size"), (mode, "mode"), (origin, "origin")))
    for axis, width, how, shift in zip(chosen, *options, strict=True):
        if width > 1:
            x = _uniform_filter1d(x, width, axis, mode=how, cval=cval, origin=shift)
    return x


_COVERED: dict[str, Callable[..., Any]] = {
    "convolve": _convolve, "convolve1d": _convolve1d, "correlate": _correlate, "correlate1d": _correlate1d,
    "gaussian_filter": _gaussian_filter, "gaussian_filter1d": _gaussian_filter1d, "uniform_filter": _uniform_filter,
    "uniform_filter1d": _uniform_filter1d,
}  # fmt: skip

GIVEN = {name: covering(getattr(ndimage, name), covered, f"scipy.ndimage.{name}") for name, covered in _COVERED.items()}
"""The names that understand Tensors only here."""

__getattr__, __dir__, __all__ = module("scipy.ndimage", GIVEN)
