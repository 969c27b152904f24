"""What several recordings have in one place, made one: the same, or how it follows the size of the batch.

Where recordings differ, a number is a line in the size of the batch, an array a repetition or a count of that length, or what
differs is `Unknown`, and refused by whoever needs it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import autograd_np as ag
from nn.errors import ExportError

__all__ = ["Counted", "Dim", "Repeated", "Size", "Unknown", "bare", "merged", "product"]


@dataclass(frozen=True)
class Size:
    """A number that follows the batch: `each` times its size, and `more`."""

    each: int
    more: int = 0

    def __mul__(self, n: int) -> Size:
        return Size(self.each * n, self.more * n)


Dim = int | Size


def product(sizes: Sequence[Dim]) -> Dim:
    """Return the product of sizes, of which at most one follows the batch."""
    fixed = math.prod(n for n in sizes if not isinstance(n, Size))
    moving = [n for n in sizes if isinstance(n, Size)]
    if len(moving) > 1:
        raise ExportError("a product of two sizes that both follow the batch is needed")
    return moving[0] * fixed if moving else fixed


@dataclass(frozen=True)
class Repeated:
    """A constant array that is the same along the axes that follow the batch: `one`, spread over `shape`."""

    one: Any
    shape: tuple[Dim, ...]

    @property
    def dtype(self) -> Any:
        """What its elements are."""
        return self.one.dtype


@dataclass(frozen=True)
class Counted:
    """Numbers from `start` in steps of `step`, as many as the batch asks for."""

    start: int
    step: int
    shape: tuple[Dim, ...]
    dtype: Any


@dataclass(frozen=True)
class Unknown:
    """What differs from recording to recording in a way that no formula of the batch's size gives."""

    reason: str


def bare(x: Any) -> Any:
    """Return the array that a Tensor holds."""
    while isinstance(x, ag.Tensor):
        x = x.data
    return x


def _line(values: Sequence[Any], batches: Sequence[int]) -> Any:
    """Return numbers as a Size, if they are whole and on a line."""
    run = batches[1] - batches[0]
    if run:
        each = round((values[1] - values[0]) / run)
        more = round(values[0] - each * batches[0])
        if all(each * n + more == v for n, v in zip(batches, values, strict=True)):
            return Size(each, more)
    return Unknown(f"has the values {', '.join(map(str, values))} for batches of {', '.join(map(str, batches))}")


def _of_arrays(arrays: Sequence[Any], batches: Sequence[int]) -> Any:
    first = arrays[0]
    depends = Unknown(
        f"is an array of shape {first.shape} that depends on the batch, but was computed beside the graph "
        f"(ag.stop_gradient, np.asarray, a random number)"
    )
    if any(a.ndim != first.ndim or a.dtype != first.dtype for a in arrays):
        return depends
    if all(a.shape == first.shape for a in arrays):
        same = all(a is first or np.array_equal(a, first, equal_nan=first.dtype.kind in "fc") for a in arrays)
        return first if same else depends
    shape = merged([a.shape for a in arrays], batches)
    if any(isinstance(n, Unknown) for n in shape):
        return depends
    one = first[tuple(slice(0, 1) if isinstance(n, Size) else slice(None) for n in shape)]
    if all(np.array_equal(np.broadcast_to(one, a.shape), a, equal_nan=first.dtype.kind in "fc") for a in arrays):
        return Repeated(one, shape)
    if first.dtype.kind in "iu" and first.size > 1:
        start, step = int(first.flat[0]), int(first.flat[1]) - int(first.flat[0])
        if all(np.array_equal(a.ravel(), start + step * np.arange(a.size)) for a in arrays):
            return Counted(start, step, shape, first.dtype)
    return depends


def merged(values: Sequence[Any], batches: Sequence[int]) -> Any:
    """Return what several recordings have in one place: the same, or how it follows the batch."""
    first = bare(values[0])
    values = [first, *(bare(v) for v in values[1:])]
    if isinstance(first, np.generic):
        values = [v.item() if isinstance(v, np.generic) and v.dtype.kind in "iu" else np.asarray(v) for v in values]
        first = values[0]
    if any(type(v) is not type(first) for v in values):
        return Unknown("is not of the same type for every batch")
    if isinstance(first, np.ndarray):
        return _of_arrays(values, batches)
    if isinstance(first, (tuple, list)):
        if len({len(v) for v in values}) > 1:
            return Unknown("is not of the same length for every batch")
        return type(first)(merged(part, batches) for part in zip(*values, strict=True))
    if isinstance(first, slice):
        return slice(*(merged([getattr(v, part) for v in values], batches) for part in ("start", "stop", "step")))
    if all(v is first or v == first or v != v for v in values):
        return first
    return _line(values, batches) if type(first) in (int, float) else Unknown("is not the same for every batch")
