"""Arrays in another shape or order, joined and repeated."""

from __future__ import annotations

import numpy as np

from nn.errors import ExportError
from nn.interchange.following import Dim, Size
from nn.interchange.operations.table import axes_of, exports
from nn.interchange.recording import Step
from nn.interchange.writer import Writer

__all__ = ["FIRST", "LAST", "sliced", "transposed"]

FIRST, LAST = np.iinfo(np.int64).min, np.iinfo(np.int64).max
"""Ends of slices that are left open."""


def transposed(w: Writer, name: str, order: list[int]) -> str:
    """Return axes in another order."""
    return name if order == sorted(order) else w.add("Transpose", name, perm=order)


def sliced(w: Writer, name: str, axis: int, start: Dim, stop: Dim, step: int = 1) -> str:
    """Return a part of an axis."""
    return w.add("Slice", name, w.ints([start]), w.ints([stop]), w.ints([axis]), w.ints([step]))


@exports("reshape", "ravel")
def _reshape(w: Writer, step: Step) -> str:
    _, order, _ = step.options(shape=None, order="C", copy=None)
    if order not in ("C", None):
        raise ExportError(f"order={order!r} is not covered")
    return w.reshape(w.operand(step.operands[0], step.dtype), step.shape)


@exports("expand_dims", "squeeze")
def _axes_of_one(w: Writer, step: Step) -> str:
    (axis,) = step.options(axis=None)
    (x,) = step.operands
    if step.kind == "squeeze":
        axes = axes_of(axis, x.ndim) if axis is not None else [i for i, n in enumerate(x.shape) if n == 1]
        return w.add("Squeeze", w.operand(x), w.ints(axes)) if axes else w.add("Identity", w.operand(x))
    return w.add("Unsqueeze", w.operand(x), w.ints(axes_of(axis, step.ndim)))


@exports("transpose")
def _transpose(w: Writer, step: Step) -> str:
    (axes,) = step.options(axes=None)
    ndim = step.ndim
    return transposed(w, w.operand(step.operands[0]), list(range(ndim))[::-1] if axes is None else axes_of(tuple(axes), ndim))


@exports("swapaxes")
def _swapaxes(w: Writer, step: Step) -> str:
    a, b = axes_of(tuple(step.options(axis1=0, axis2=1)), step.ndim)
    order = list(range(step.ndim))
    order[a], order[b] = b, a
    return transposed(w, w.operand(step.operands[0]), order)


@exports("moveaxis")
def _moveaxis(w: Writer, step: Step) -> str:
    source, destination = (axes_of(axis, step.ndim) for axis in step.options(source=0, destination=0))
    order = [i for i in range(step.ndim) if i not in source]
    for to, axis in sorted(zip(destination, source, strict=True)):
        order.insert(to, axis)
    return transposed(w, w.operand(step.operands[0]), order)


@exports("broadcast_to")
def _broadcast_to(w: Writer, step: Step) -> str:
    step.options(shape=None)
    return w.add("Expand", w.operand(step.operands[0], step.dtype), w.ints(step.shape))


@exports("concatenate")
def _concatenate(w: Writer, step: Step) -> str:
    axis, _ = step.options(axis=0, dtype=None)
    parts = [w.operand(x, step.dtype) for x in step.operands]
    if axis is None:
        parts, axis = [w.reshape(name, [-1]) for name in parts], 0
    return w.add("Concat", *parts, axis=int(axis))


@exports("stack")
def _stack(w: Writer, step: Step) -> str:
    (axis,) = step.options(axis=0)
    at = axes_of(axis, step.ndim)
    return w.add("Concat", *(w.add("Unsqueeze", w.operand(x, step.dtype), w.ints(at)) for x in step.operands), axis=at[0])


@exports("flip")
def _flip(w: Writer, step: Step) -> str:
    (axis,) = step.options(axis=None)
    name = w.operand(step.operands[0])
    for i in axes_of(axis, step.ndim):
        name = sliced(w, name, i, -1, FIRST, -1)
    return name


@exports("roll")
def _roll(w: Writer, step: Step) -> str:
    shift, axis = step.options(shift=0, axis=None)
    n = step.shape[axis] if isinstance(axis, int) else Size(1)
    if not isinstance(shift, int) or isinstance(n, Size):
        raise ExportError("np.roll is covered by one number along one axis, which must not be the batch's")
    name = w.operand(step.operands[0])
    shift = shift % n if n else 0
    return w.add("Concat", sliced(w, name, axis, n - shift, LAST), sliced(w, name, axis, 0, n - shift), axis=axis)


@exports("tile")
def _tile(w: Writer, step: Step) -> str:
    (reps,) = step.options(reps=1)
    reps = list(reps) if isinstance(reps, (tuple, list)) else [reps]
    (x,) = step.operands
    name = w.operand(x)
    if len(reps) > x.ndim:
        name = w.add("Unsqueeze", name, w.ints(list(range(len(reps) - x.ndim))))
    return w.add("Tile", name, w.ints([*[1] * (step.ndim - len(reps)), *reps]))


@exports("repeat")
def _repeat(w: Writer, step: Step) -> str:
    repeats, axis = step.options(repeats=1, axis=None)
    (x,) = step.operands
    if not isinstance(repeats, (int, Size)) or axis is None:
        raise ExportError("np.repeat is covered by one number along an axis")
    (at,) = axes_of(axis, x.ndim)
    spread = (*x.shape[: at + 1], repeats, *x.shape[at + 1 :])
    return w.reshape(w.add("Expand", w.add("Unsqueeze", w.operand(x), w.ints([at + 1])), w.ints(spread)), step.shape)


@exports("tril", "triu")
def _triangle(w: Writer, step: Step) -> str:
    (k,) = step.options(k=0)
    return w.add("Trilu", w.operand(step.operands[0]), w.number(k), upper=int(step.kind == "triu"))


@exports("zeros_like", "ones_like")
def _filled(w: Writer, step: Step) -> str:
    step.options(shape=None, dtype=None)
    return w.add("Expand", w.operand(float(step.kind == "ones_like"), step.dtype), w.ints(step.shape))


@exports("pad")
def _pad(w: Writer, step: Step) -> str:
    width, mode, value = step.options(pad_width=0, mode="constant", constant_values=0)
    (x,) = step.operands
    pairs = np.broadcast_to(np.asarray(width), (x.ndim, 2)).tolist()
    name = w.operand(x)
    if mode == "wrap":
        return _wrapped(w, name, x, pairs)
    modes = {"constant": "constant", "edge": "edge", "reflect": "reflect"}
    if mode not in modes or not isinstance(value, (int, float)):
        raise ExportError(f"np.pad(mode={mode!r}, constant_values={value!r:.40}) is not covered")
    pads = w.ints([low for low, _ in pairs] + [high for _, high in pairs])
    return w.add("Pad", name, pads, *([w.operand(value, step.dtype)] if mode == "constant" else []), mode=modes[mode])


def _wrapped(w: Writer, name: str, x: Step, pairs: list[list[int]]) -> str:
    for axis, (low, high) in enumerate(pairs):
        n = x.shape[axis]
        if not (low or high):
            continue
        if isinstance(n, Size) or max(low, high) > n:
            raise ExportError("np.pad(mode='wrap') is covered for less than the length of the axis, which must not be the batch's")
        parts = [sliced(w, name, axis, n - low, LAST)] if low else []
        parts += [name, *([sliced(w, name, axis, 0, high)] if high else [])]
        name = w.add("Concat", *parts, axis=axis)
    return name
