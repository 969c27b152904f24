"""Rules of functions that move elements: shapes, orders of axes, joining, repeating, diagonals."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd_np.batching.call import Call, NoRule, Rule, padded
from autograd_np.ops.contraction import on_diagonal
from autograd_np.ops.indexing import arranged, axes_of, axis_of
from autograd_np.ops.shaping import pad, ravel, repeat, reshape, spread
from autograd_np.typing import Shape

__all__ = ["MOVING"]


def _shape_of(wanted: Any, size: int) -> Shape:
    """Return a shape with its -1 worked out."""
    shape: Shape = tuple(int(n) for n in wanted) if np.iterable(wanted) else (int(wanted),)
    if shape.count(-1) == 1:
        known = -math.prod(shape)
        if not known or size % known:
            raise NoRule  # whose error is NumPy's
        shape = tuple(size // known if n == -1 else n for n in shape)
    if math.prod(shape) != size or any(n < 0 for n in shape):
        raise NoRule
    return shape


def _backwards(x: Any) -> Any:
    """Reverse the axes of each example."""
    return np.transpose(x, (0, *range(np.ndim(x) - 1, 0, -1)))


def _reshape(c: Call) -> Any:
    shape = c.attrs.get("shape")
    shape = _shape_of(c.attrs.get("newshape") if shape is None else shape, math.prod(c.shape()))
    how = {"copy": c.attrs["copy"]} if c.attrs.get("copy") is not None else {}
    if c.attrs.get("order", "C") == "C":
        return c.fn(c.xs[0], shape=(c.size, *shape), **how)
    if c.attrs["order"] != "F" or how.get("copy") is False:
        raise NoRule
    return _backwards(np.reshape(_backwards(c.xs[0]), (c.size, *shape[::-1])))  # a view where that of one example is


def _ravel(c: Call) -> Any:
    order = c.attrs.get("order", "C")
    if order not in ("C", "F"):
        raise NoRule
    x = c.xs[0] if order == "C" else _backwards(c.xs[0])
    flags = getattr(c.one(), "flags", None)
    flat = np.reshape(x, (c.size, math.prod(c.shape())))
    return flat if flags is None or flags[f"{order}_CONTIGUOUS"] else np.copy(flat)  # as NumPy does, even if it need not


def _squeeze(c: Call) -> Any:
    axis = c.attrs.get("axis")
    axes = tuple(i for i, n in enumerate(c.shape()) if n == 1) if axis is None else axes_of(axis, c.ndim())
    return c.run(c.xs[0], axis=tuple(i + 1 for i in axes))


def _expand_dims(c: Call) -> Any:
    axis = c.attrs["axis"]
    ndim = c.ndim() + (len(axis) if np.ndim(axis) else 1)
    return c.run(c.xs[0], axis=tuple(i + 1 for i in axes_of(axis, ndim)))


def _transpose(c: Call) -> Any:
    axes = c.attrs.get("axes")
    order = range(c.ndim())[::-1] if axes is None else [axis_of(i, c.ndim()) for i in (axes if np.ndim(axes) else (axes,))]
    if sorted(order) != list(range(c.ndim())):
        raise NoRule
    return np.transpose(c.xs[0], (0, *(i + 1 for i in order)))


def _swapaxes(c: Call) -> Any:
    return c.run(c.xs[0], axis1=c.axis("axis1"), axis2=c.axis("axis2"))


def _moveaxis(c: Call) -> Any:
    return c.run(c.xs[0], source=c.axes("source"), destination=c.axes("destination"))


def _arranged(c: Call) -> Any:
    return c.run(c.xs[0], order=(0, *(i + 1 for i in c.attrs["order"])))


def _broadcast(c: Call) -> Any:
    shape = c.attrs["shape"]
    shape = tuple(shape) if np.iterable(shape) else (shape,)
    if len(shape) < c.ndim():
        raise NoRule
    return c.run(padded(c.xs[0], len(shape)), shape=(c.size, *shape))


def _concatenate(c: Call) -> Any:
    if c.attrs.get("axis", 0) is None:
        return c.run(*(c.flat(i) for i in range(len(c.xs))), axis=1)
    return c.run(*(c.all(i) for i in range(len(c.xs))), axis=c.axis(default=0))


def _stack(c: Call) -> Any:
    return c.run(*(c.all(i) for i in range(len(c.xs))), axis=c.axis(default=0, ndim=c.ndim() + 1))


def _tile(c: Call) -> Any:
    reps = c.attrs["reps"]
    reps = tuple(reps) if np.iterable(reps) else (reps,)
    ndim = max(len(reps), c.ndim())
    return c.run(padded(c.xs[0], ndim), reps=(1,) * (ndim - len(reps) + 1) + reps)


def _repeat(c: Call) -> Any:
    if c.attrs.get("axis") is None or not c.ndim():
        return c.run(c.flat(), axis=1)
    return c.run(c.xs[0], axis=c.axis())


def _pad(c: Call) -> Any:
    width, ndim, values = c.attrs["pad_width"], c.ndim(), c.attrs.get("constant_values", 0)
    if isinstance(width, dict):
        raise NoRule
    widths = [(0, 0), *np.broadcast_to(width, (ndim, 2)).tolist()]
    if "constant_values" not in c.attrs:
        return c.run(c.xs[0], pad_width=widths)
    pairs = np.broadcast_to(values, (ndim, 2))
    return c.run(c.xs[0], pad_width=widths, constant_values=np.concatenate([np.zeros((1, 2), pairs.dtype), pairs]))


# --- diagonals ------------------------------------------------------------------------------------


def _diag(c: Call) -> Any:
    k, ndim = c.attrs.get("k", 0), c.ndim()
    if ndim == 2:
        return np.diagonal(c.xs[0], k, 1, 2)
    if ndim != 1:
        raise NoRule
    n = c.shape()[0] + abs(k)
    return on_diagonal(c.xs[0], (n, n), k)


def _diagonal(c: Call) -> Any:
    axis1, axis2 = c.axis("axis1", 0), c.axis("axis2", 1)
    return c.run(c.xs[0], axis1=axis1, axis2=axis2)


def _triangle(c: Call) -> Any:
    if c.ndim() < 2:
        raise NoRule
    return c.run(c.xs[0])


MOVING: dict[Any, Rule] = {
    reshape: _reshape, ravel: _ravel, np.squeeze: _squeeze, np.expand_dims: _expand_dims,
    np.transpose: _transpose, np.swapaxes: _swapaxes, np.moveaxis: _moveaxis, arranged: _arranged,
    np.broadcast_to: _broadcast, spread: _broadcast,
    np.concatenate: _concatenate, np.stack: _stack, np.tile: _tile, repeat: _repeat, pad: _pad,
    np.diag: _diag, np.diagonal: _diagonal, np.trace: _diagonal, np.tril: _triangle, np.triu: _triangle,
}  # fmt: skip
