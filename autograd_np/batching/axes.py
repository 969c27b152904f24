"""Rules of functions along axes: reductions, accumulations, order, Fourier transforms, linear algebra on the last two axes."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_np.batching.call import Call, NoRule, Rule, padded
from autograd_np.op import Batched
from autograd_np.ops.decompositions import eig, qr, qr_r, svd, svdvals
from autograd_np.ops.indexing import axes_of, partitioning, reduced_axes
from autograd_np.ops.inverses import cofactors
from autograd_np.ops.linalg import matrix_norm, norm, spectral, vector_norm
from autograd_np.ops.signal import windows
from autograd_np.ops.special import log_softmax, logsumexp, softmax

__all__ = ["AXES", "reduction"]


# --- reductions -----------------------------------------------------------------------------------


def reduction(c: Call) -> Any:
    """Reduce the axes of one example; a mask has at most its axes."""
    c.only_numbers("where", "axis")
    mask = c.attrs.get("where", True)
    if np.ndim(mask) > c.ndim() or any(c.is_mine(v) for k, v in c.attrs.items() if k != "where"):
        raise NoRule
    axes = tuple(i + 1 for i in reduced_axes(c.attrs.get("axis"), c.ndim()))
    if c.is_mine(mask):
        return c.run(c.all(), axis=axes, where=padded(mask.whole, c.ndim()))
    return c.run(c.xs[0], axis=axes)


def _one_axis_reduction(c: Call) -> Any:
    """Reduce one axis, or all of them as one."""
    if c.attrs.get("axis") is not None and c.ndim():
        return c.run(c.xs[0], axis=c.axis())
    found = c.run(c.flat(), axis=1, keepdims=False) if "keepdims" in c.attrs else c.run(c.flat(), axis=1)
    return np.reshape(found, (c.size, *(1,) * c.ndim())) if c.attrs.get("keepdims") else found


def _norm(c: Call) -> Any:
    axis, ndim = c.attrs.get("axis"), c.ndim()
    if axis is not None:
        axes = axis if isinstance(axis, tuple) else (int(axis),)
        moved = tuple(i + 1 for i in axes_of(axes, ndim))
        return c.run(c.xs[0], axis=moved if len(moved) > 1 else moved[0])
    if c.attrs.get("ord") is None:
        found = c.run(c.flat(), axis=1, keepdims=False)
        return np.reshape(found, (c.size, *(1,) * ndim)) if c.attrs.get("keepdims") else found
    if ndim not in (1, 2):
        raise NoRule
    return c.run(c.xs[0], axis=(1, 2) if ndim == 2 else 1)


def _vector_norm(c: Call) -> Any:
    if c.attrs.get("axis") is not None:
        return c.run(c.xs[0], axis=c.axes())
    found = c.run(c.flat(), axis=1, keepdims=False)
    return np.reshape(found, (c.size, *(1,) * c.ndim())) if c.attrs.get("keepdims") else found


# --- along one axis -------------------------------------------------------------------------------


def _along(default: Any) -> Rule:
    """Make the rule of functions that keep the axis they work along, and take ``None`` for all elements in one row."""

    def rule(c: Call) -> Any:
        if c.attrs.get("axis", default) is None:
            return c.run(c.flat(), axis=1)
        if not c.ndim():
            raise NoRule
        return c.run(c.xs[0], axis=c.axis(default=default))

    return rule


def _several(default: Any) -> Rule:
    """Make the rule of functions along one axis or several, ``None`` for all."""

    def rule(c: Call) -> Any:
        return c.run(c.xs[0], axis=c.axes(default=default))

    return rule


def _roll(c: Call) -> Any:
    if isinstance(c.attrs["shift"], Batched):
        raise NoRule
    if c.attrs.get("axis") is None:
        return np.reshape(c.run(c.flat(), axis=1), np.shape(c.xs[0]))
    axis = c.axes()
    return c.run(c.xs[0], axis=axis if np.ndim(c.attrs["axis"]) else axis[0])


def _rot90(c: Call) -> Any:
    return c.run(c.xs[0], axes=c.axes("axes", (0, 1)))


def _fft(c: Call) -> Any:
    return c.run(c.xs[0], axis=c.axis(default=-1))


def _fftn(default: Any) -> Rule:
    def rule(c: Call) -> Any:
        axes, s = c.attrs.get("axes", default), c.attrs.get("s")
        if axes is None and s is not None:
            axes = tuple(range(c.ndim() - len(s), c.ndim()))
        moved = tuple(i + 1 for i in axes_of(axes, c.ndim()))
        if not moved or len(set(moved)) < len(moved):
            raise NoRule
        return c.run(c.xs[0], axes=moved)

    return rule


def _sliding(c: Call) -> Any:
    axis = c.attrs.get("axis")
    return c.run(c.xs[0], axis=c.axes() if axis is None or np.ndim(axis) else c.axis())


# --- matrices -------------------------------------------------------------------------------------


def _matrices(c: Call) -> Any:
    """Work on the last two axes of each example; where an option is an array, it may have been meant for more."""
    c.only_numbers()
    if c.ndim() < 2 or c.attrs.get("mode", "reduced") not in ("reduced", "complete"):
        raise NoRule
    return c.run(c.xs[0])


def _solve(c: Call) -> Any:
    a, b = c.ndim(0), c.ndim(1)
    if a < 2 or b < 1:
        raise NoRule
    right = np.expand_dims(c.xs[1], -1) if b == 1 else c.xs[1]
    ndim = max(a, b, 2)
    xs = [padded(x, ndim) if flag else x for x, flag in zip((c.xs[0], right), c.flags, strict=True)]
    if np.ndim(xs[1]) == 1:
        raise NoRule
    found = c.run(*xs)
    return found[..., 0] if b == 1 else found


_MATRICES = (
    np.linalg.inv, np.linalg.det, np.linalg.cholesky, np.linalg.eigh, np.linalg.eigvalsh, np.linalg.slogdet, np.linalg.matrix_rank,
    np.linalg.pinv, qr, qr_r, eig, svd, svdvals, cofactors, spectral, matrix_norm,
)  # fmt: skip
_FFT = (np.fft.fft, np.fft.ifft, np.fft.rfft, np.fft.irfft)

AXES: dict[Any, Rule] = {
    **dict.fromkeys((np.sum, np.mean, np.prod, np.max, np.min, np.var, np.std, np.any, np.all, logsumexp), reduction),
    **dict.fromkeys((np.argmax, np.argmin, np.nanargmax, np.nanargmin), _one_axis_reduction),
    norm: _norm, vector_norm: _vector_norm,
    **dict.fromkeys((np.cumsum, np.cumprod), _along(None)),
    **dict.fromkeys((np.sort, np.partition, np.argsort, np.argpartition, partitioning), _along(-1)),
    softmax: _several(-1), log_softmax: _several(-1), np.flip: _several(None),
    np.roll: _roll, np.rot90: _rot90, windows: _sliding,
    **dict.fromkeys(_FFT, _fft),
    **dict.fromkeys((np.fft.fft2, np.fft.ifft2, np.fft.rfft2, np.fft.irfft2), _fftn((-2, -1))),
    **dict.fromkeys((np.fft.fftn, np.fft.ifftn, np.fft.rfftn, np.fft.irfftn), _fftn(None)),
    **dict.fromkeys(_MATRICES, _matrices), np.linalg.solve: _solve,
}  # fmt: skip
