"""Reading parts of an array: slices, single elements, and elements that arrays of numbers name; and writing slices."""

from __future__ import annotations

from typing import Any

import numpy as np

from nn.errors import ExportError
from nn.interchange.following import Counted, Dim, Repeated, Size, Unknown
from nn.interchange.operations.shaping import FIRST, LAST, sliced, transposed
from nn.interchange.operations.table import axes_of, exports
from nn.interchange.recording import Step
from nn.interchange.writer import Writer

__all__: list[str] = []

ARRAYS = (Step, Repeated, Counted, Unknown, np.ndarray, list)


BOOLEANS = "an index of booleans has a result of a size that nobody knows before; use np.where"


def _parts(index: Any, ndim: int) -> list[Any]:
    """Return an index as one part for each axis, and ``None`` for each new one."""
    parts = list(index) if isinstance(index, tuple) else [index]
    here = next((i for i, p in enumerate(parts) if p is Ellipsis), len(parts))
    rest = ndim - sum(p is not None and p is not Ellipsis for p in parts)
    return [*parts[:here], *[slice(None)] * rest, *parts[here + 1 :]]


@exports("getitem")
def _getitem(w: Writer, step: Step) -> str:
    (index,) = step.options(index=None)
    (x,) = step.operands
    parts = _parts(index, x.ndim)
    if any(isinstance(p, bool) for p in parts):
        raise ExportError(BOOLEANS)
    if x in w.parts:
        return _of_part(w, x, parts)
    name = w.operand(x)
    found = read(w, name, parts)
    return found if found != name else w.add("Identity", name)


def _of_part(w: Writer, x: Step, parts: list[Any]) -> str:
    """Read from a result of which there are parts alone."""
    steps, size = x.shape[0], x.shape[-1]
    if isinstance(size, int) and len(parts) == x.ndim and isinstance(parts[-1], slice) and not any(isinstance(p, ARRAYS) for p in parts):
        start, stop, by = parts[-1].indices(size)
        for part in w.parts[x]:
            if part.start <= start and stop <= part.stop and (not part.of_last or (isinstance(steps, int) and parts[0] in (-1, steps - 1))):
                return read(w, part.name, [*parts[part.of_last : -1], slice(start - part.start, stop - part.start, by)])
    raise ExportError(f"of the result of {x.kind.removeprefix('nn.')}, ONNX returns another part than is read")


def read(w: Writer, name: str, parts: list[Any]) -> str:
    """Return what an index names, given as one part for each axis, and ``None`` for each new one."""
    new = [i for i, p in enumerate(parts) if p is None]
    if new:
        name = w.add("Unsqueeze", name, w.ints(new))
        parts = [slice(None) if p is None else p for p in parts]
    name = _sliced(w, name, parts)
    if any(isinstance(p, ARRAYS) for p in parts):
        return _gathered(w, name, parts)
    for axis, p in reversed(list(enumerate(parts))):
        if not isinstance(p, slice):
            number = w.number(p) if isinstance(p, int) else w.operand(p)
            name = w.add("Gather", name, number, axis=axis)
    return name


def _sliced(w: Writer, name: str, parts: list[Any]) -> str:
    """Apply all slices that leave something out, at once."""
    cuts: list[tuple[int, Dim, Dim, int]] = []
    for axis, p in enumerate(parts):
        if isinstance(p, slice) and p != slice(None):
            if any(isinstance(v, Unknown) for v in (p.start, p.stop, p.step)):
                raise ExportError("the index has a slice whose end no formula of the batch's size gives")
            by = p.step or 1
            start, stop = (0, LAST) if by > 0 else (LAST, FIRST)
            cuts.append((axis, start if p.start is None else p.start, stop if p.stop is None else p.stop, by))
    if not cuts:
        return name
    axes, starts, stops, steps = (list(column) for column in zip(*cuts, strict=True))
    return w.add("Slice", name, w.ints(starts), w.ints(stops), w.ints(axes), w.ints(steps))


def _gathered(w: Writer, name: str, parts: list[Any]) -> str:
    """Read the elements that arrays name; single numbers beside them are arrays, too, as in NumPy."""
    parts = [np.asarray(p) if isinstance(p, list) else p for p in parts]
    at = [i for i, p in enumerate(parts) if not isinstance(p, slice)]
    arrays = [np.asarray(parts[i]) if isinstance(parts[i], int) else parts[i] for i in at]
    for a in arrays:
        if isinstance(a, Unknown):
            raise ExportError(f"the index {a.reason}")
        if not isinstance(a, Size) and a.dtype.kind == "b":
            raise ExportError(BOOLEANS)
    if len(at) == 1:
        return w.add("Gather", name, w.operand(arrays[0]), axis=at[0])
    shapes = [() if isinstance(a, Size) else a.shape for a in arrays]
    shape = _broadcast(shapes)
    columns = [
        w.add("Expand", w.operand(a, np.int64), w.ints(shape)) if s != shape else w.operand(a, np.int64)
        for a, s in zip(arrays, shapes, strict=True)
    ]
    places = w.add("Concat", *(w.add("Unsqueeze", c, w.ints([len(shape)])) for c in columns), axis=len(shape))
    rest = [i for i in range(len(parts)) if i not in at]
    found = w.add("GatherND", transposed(w, name, at + rest), places)
    if at != list(range(at[0], at[0] + len(at))):
        return found  # arrays apart from one another: their axes come first
    k = len(shape)
    return transposed(w, found, [*range(k, k + at[0]), *range(k), *range(k + at[0], k + len(rest))])


def _broadcast(shapes: list[tuple[Dim, ...]]) -> tuple[Dim, ...]:
    ndim = max(map(len, shapes))
    columns = zip(*((1,) * (ndim - len(s)) + tuple(s) for s in shapes), strict=True)
    return tuple(next((n for n in column if n != 1), 1) for column in columns)


@exports("take")
def _take(w: Writer, step: Step) -> str:
    axis, mode = step.options(axis=None, mode="raise")
    if mode != "raise":
        raise ExportError(f"mode={mode!r} is not covered")
    x, indices = step.operands
    name = w.operand(x)
    if axis is None:
        name, axis = w.reshape(name, [-1]), 0
    return w.add("Gather", name, w.operand(indices, np.int64), axis=axes_of(axis, x.ndim)[0])


@exports("take_along_axis")
def _take_along_axis(w: Writer, step: Step) -> str:
    (axis,) = step.options(axis=-1)
    x, indices = step.operands
    shape = tuple(n if i == axis % x.ndim else m for i, (n, m) in enumerate(zip(x.shape, indices.shape, strict=True)))
    name = w.operand(x) if shape == tuple(x.shape) else w.add("Expand", w.operand(x), w.ints(shape))
    return w.add("GatherElements", name, w.operand(indices, np.int64), axis=int(axis))


# --- writing --------------------------------------------------------------------------------------


@exports("setitem")
def _setitem(w: Writer, step: Step) -> str:
    """Write what is left of, within and right of the place that is written, joined again along one axis after the other."""
    (index,) = step.options(index=None)
    x, v = step.operands
    parts = _parts(index, step.ndim)
    ranges = [] if None in parts else [r for p, n in zip(parts, step.shape, strict=True) if (r := _range(p, n))]
    if len(ranges) < len(parts):
        raise ExportError("writing is covered for slices in steps of 1 and single numbers; along the batch for all of it, or the first")
    name, value = w.operand(x, step.dtype), w.operand(v, step.dtype)
    whole = [p == slice(None) for p in parts]
    place = [n if all_ else stop - start for all_, n, (start, stop) in zip(whole, step.shape, ranges, strict=True)]
    if 0 in place:
        return w.add("Identity", name)
    kept = [n for p, n in zip(parts, place, strict=True) if isinstance(p, slice)]
    extra = max(len(getattr(v, "shape", ())) - len(kept), 0)  # axes of one, which NumPy leaves out
    value = w.reshape(value, v.shape[extra:]) if extra else value
    value = w.add("Expand", value, w.ints(kept))
    dropped = [i for i, p in enumerate(parts) if not isinstance(p, slice)]
    value = w.add("Unsqueeze", value, w.ints(dropped)) if dropped else value
    return _with_part(w, name, value, [None if all_ else r for all_, r in zip(whole, ranges, strict=True)])


def _range(part: Any, n: Dim) -> tuple[int, int] | None:
    """Return where a part of an index starts and stops, or None if it is not covered."""
    if isinstance(part, slice):
        if isinstance(n, Size):
            return (0, 0) if part == slice(None) else None
        start, stop, by = part.indices(n) if not any(isinstance(v, Size) for v in (part.start, part.stop)) else (0, 0, 0)
        return (start, max(start, stop)) if by == 1 else None
    if not isinstance(part, int) or isinstance(part, bool) or (part and isinstance(n, Size)):
        return None  # a batch may be of one sample
    start = part + n if part < 0 and not isinstance(n, Size) else part
    return start, start + 1


def _with_part(w: Writer, name: str, value: str, ranges: list[Any], axis: int = 0) -> str:
    """Return an array with `value` within the ranges, None for whole axes."""
    if axis == len(ranges):
        return value
    if ranges[axis] is None:
        return _with_part(w, name, value, ranges, axis + 1)
    start, stop = ranges[axis]
    inner = _with_part(w, sliced(w, name, axis, start, stop), value, ranges, axis + 1)
    before = [sliced(w, name, axis, 0, start)] if start else []
    return w.add("Concat", *before, inner, sliced(w, name, axis, stop, LAST), axis=axis)
