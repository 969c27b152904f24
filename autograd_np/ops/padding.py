"""``np.pad`` in the modes that are no choice of elements: ramps, statistics of the edge, reflections about its value."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_np import errors
from autograd_np.op import case, derived
from autograd_np.ops.indexing import along
from autograd_np.ops.shaping import pad
from autograd_np.typing import Array

_CHOSEN = ("constant", "edge", "wrap", "reflect", "symmetric")
_STATISTICS: dict[str, Any] = {"maximum": np.max, "minimum": np.min, "mean": np.mean, "median": np.median}


def _pairs(value: Any, ndim: int) -> list[Any]:
    """Return a setting before and after each axis; NumPy takes numbers, pairs, and pairs for each axis."""
    if isinstance(value, dict):
        found = [(0, 0)] * ndim
        for axis, width in value.items():
            found[axis] = tuple(np.broadcast_to(width, 2).tolist())
        return found
    return [(None, None)] * ndim if value is None else np.broadcast_to(value, (ndim, 2)).tolist()


@derived(np.pad, cases=(
    case((4,), pad_width=2, mode="linear_ramp", end_values=(1.0, -2.0)), case((3, 4), pad_width=((2, 1), (0, 3)), mode="linear_ramp"),
    case((3, 4), pad_width=2, mode="maximum"), case((3, 4), pad_width=((0, 2), (1, 1)), mode="minimum", stat_length=2),
    case((3, 4), pad_width=2, mode="mean", stat_length=3), case((5,), pad_width=2, mode="median"), case((5,), pad_width=2, mode="mean"),
    case((4,), pad_width=2, mode="reflect", reflect_type="odd"), case((3, 3), pad_width=4, mode="symmetric", reflect_type="odd"),
    case((3, 4), pad_width={1: (2, 0)})))  # fmt: skip
def _pad(array: Any, pad_width: Any, mode: Any = "constant", **how: Any) -> Array:
    array = array if hasattr(array, "ndim") else np.asarray(array)
    if callable(mode):
        raise errors.NoRowError("np.pad with a function writes into an array of its own; build the border with np.concatenate")
    widths = _pairs(pad_width, array.ndim)
    odd = how.get("reflect_type", "even") == "odd" and mode in ("reflect", "symmetric")
    if mode in _CHOSEN and not odd:
        return pad(array, widths if isinstance(pad_width, dict) else pad_width, mode=mode, **how)
    if mode == "empty":
        return pad(array, widths)  # what NumPy leaves undefined
    lengths = _pairs(how.get("stat_length"), array.ndim)
    ends = _pairs(how.get("end_values", 0), array.ndim)
    for axis, (before, after) in enumerate(widths):
        if mode in _STATISTICS:
            array = _with_statistics(array, axis, before, after, _STATISTICS[mode], lengths[axis])
        elif odd:
            array = _reflected(array, axis, before, after, mode)
        elif mode == "linear_ramp":
            array = _with_ramps(array, axis, before, after, ends[axis])
        else:
            raise ValueError(f"np.pad has no mode {mode!r}")
    return array


def _with_statistics(x: Array, axis: int, before: int, after: int, statistic: Any, lengths: Any) -> Array:
    n = x.shape[axis]
    first, last = (n if k is None else min(k, n) for k in lengths)
    parts = []
    for width, part in ((before, slice(0, first)), (after, slice(n - last, n))):
        found = statistic(x[along(axis, part, x.ndim)], axis=axis, keepdims=True)
        parts.append(np.broadcast_to(found, tuple(width if i == axis else k for i, k in enumerate(x.shape))))
    return np.concatenate([parts[0], x, parts[1]], axis=axis)


def _with_ramps(x: Array, axis: int, before: int, after: int, ends: Any) -> Array:
    parts = []
    for width, end, edge in ((before, ends[0], slice(0, 1)), (after, ends[1], slice(-1, None))):
        steps = np.arange(width) / max(width, 1)
        steps = np.flip(steps) if edge.stop is None else steps
        steps = np.reshape(steps, tuple(width if i == axis else 1 for i in range(x.ndim))).astype(x.dtype)
        parts.append(end + steps * (x[along(axis, edge, x.ndim)] - end))
    return np.concatenate([parts[0], x, parts[1]], axis=axis)


def _reflected(x: Array, axis: int, before: int, after: int, mode: str) -> Array:
    """Reflect about the value of the edge, as often as it takes: the border is linear in x, and NumPy says how for unit vectors."""
    n = x.shape[axis]
    linear = np.pad(np.eye(n), ((before, after), (0, 0)), mode, reflect_type="odd").astype(x.dtype)  # type: ignore[call-overload]
    border = np.tensordot(np.concatenate([linear[:before], linear[before + n :]]), x, axes=(1, axis))
    border = np.moveaxis(border, 0, axis)
    parts = (border[along(axis, slice(0, before), x.ndim)], x, border[along(axis, slice(before, None), x.ndim)])
    return np.concatenate(parts, axis=axis)
