"""Derivatives as people write them, where the rule of the row is careful about what a person passes over.

Kinks: the engine shares a gradient among ties and lets a NaN win; a person writes ``(z > 0)`` and ``(x == np.max(x))``, which is the same
wherever the derivative exists. Determinants: where the logarithm is infinite, the engine's gradient is NaN and a person's inverse an
error. Windows: a person adds them back in a loop over the places in the window.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, cast

import numpy as np

from autograd_np.derivations.expression import row_of
from autograd_np.op import Op, primitive
from autograd_np.ops.indexing import axes_of
from autograd_np.ops.reductions import kept
from autograd_np.ops.signal import windows
from autograd_np.typing import Array, Shape

__all__ = ["PARTIALS", "VJPS", "add_windows"]


@primitive
def add_windows(g: Array, *, shape: Shape, window_shape: Any, axis: Any = None) -> Array:
    """Return zeros of `shape` with every window added at its place: the transpose of ``sliding_window_view``."""
    out = np.zeros(shape, g.dtype)
    sizes = window_shape if isinstance(window_shape, tuple) else (window_shape,)
    axes = axes_of(axis, len(shape))
    for place in itertools.product(*map(range, sizes)):
        start = [0] * len(shape)
        for a, i in zip(axes, place, strict=True):
            start[a] += i  # an axis may have several windows
        out[tuple(slice(i, i + n) for i, n in zip(start, g.shape, strict=False))] += g[(..., *place)]
    return out


add_windows.op = Op(
    "add_windows",
    add_windows,
    "linear",
    (lambda g, _y, _x, shape, window_shape, axis: windows(g, window_shape, axis),),  # noqa: ARG005
    params=("g", "shape", "window_shape", "axis"),
)


def _of_windows(g: Array, _y: Array, x: Array, window_shape: Any, axis: Any = None, **_how: Any) -> Array:
    return add_windows(g, shape=x.shape, window_shape=window_shape, axis=axis)


def _of_extreme(g: Array, y: Array, x: Array, axis: Any = None, keepdims: bool = False) -> Array:  # noqa: ARG001
    return kept(g, x, axis) * (x == kept(y, x, axis))


def _product_by_a(g: Array, y: Array, a: Array, b: Array) -> Array:
    if not {a.ndim, b.ndim} <= {1, 2}:
        return cast("Array", row_of(np.matmul).rules[0](g, y, a, b))
    if b.ndim == 1:
        return g * b if a.ndim == 1 else np.expand_dims(g, -1) * b
    return np.matmul(b, g) if a.ndim == 1 else np.matmul(g, np.transpose(b))


def _product_by_b(g: Array, y: Array, a: Array, b: Array) -> Array:
    if not {a.ndim, b.ndim} <= {1, 2}:
        return cast("Array", row_of(np.matmul).rules[1](g, y, a, b))
    if a.ndim == 1:
        return g * a if b.ndim == 1 else np.expand_dims(a, -1) * g
    return np.matmul(np.transpose(a), g)


def _of_diagonal(g: Array, _y: Array, x: Array, k: int = 0) -> Array:
    is_square = x.ndim == 2 and x.shape[0] == x.shape[1] and k == 0
    return np.diag(g) if is_square else cast("Array", row_of(np.diag).rules[0](g, _y, x, k))


def _of_log_determinant(g: Any, y: Any, x: Array) -> Array:
    by_sign, by_log = g
    if by_sign is not None or by_log is None or x.dtype.kind == "c":
        return cast("Array", row_of(np.linalg.slogdet).rules[0](g, y, x))
    if x.ndim == 2:
        return by_log * np.transpose(np.linalg.inv(x))
    return np.expand_dims(by_log, (-2, -1)) * np.swapaxes(np.linalg.inv(x), -1, -2)


PARTIALS: dict[Op, tuple[Callable[..., Any], ...]] = {
    row_of(np.maximum): (lambda _y, a, b: a > b, lambda _y, a, b: a <= b),
    row_of(np.minimum): (lambda _y, a, b: a < b, lambda _y, a, b: a >= b),
}
"""Instead of the partial derivatives of a row."""

VJPS: dict[Op, tuple[Callable[..., Any], ...]] = {
    row_of(np.max): (_of_extreme,),
    row_of(np.min): (_of_extreme,),
    row_of(np.diag): (_of_diagonal,),
    row_of(np.matmul): (_product_by_a, _product_by_b),
    row_of(windows): (_of_windows,),
    row_of(np.linalg.slogdet): (_of_log_determinant,),
}
"""Instead of the vjps of a row, for the attributes they take."""
