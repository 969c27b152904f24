"""Where arrays lie in memory: which part of an array a view shows, as an index, and the same part of another array.

NumPy is asked, nothing is assumed: a view is what its shape, strides and address say, whatever made it. Tensors are unknown here.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from autograd_np.typing import Array

__all__ = ["Layout", "axis_order", "duplicate", "layout_of", "owner", "part", "place_of", "same_layout"]


class Layout(NamedTuple):
    """Where a view lies in the memory of an array: in bytes, from the array's first element."""

    shape: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int
    writeable: bool

    def unstretched(self) -> Layout:
        """Return the layout before broadcasting: axes that show one element many times have length one."""
        if all(self.strides) or not any(n > 1 and not s for n, s in zip(self.shape, self.strides, strict=True)):
            return self
        return self._replace(shape=tuple(n if s else 1 for n, s in zip(self.shape, self.strides, strict=True)))


def owner(a: Any) -> Any:
    """Return what owns the memory of an array; two arrays that share memory have one owner."""
    try:
        while a.base is not None:
            a = a.base
    except AttributeError:  # bytes, a memory map: what is no array
        pass
    return a


def _address(a: Array) -> int:
    return int(a.__array_interface__["data"][0])


def layout_of(view: Array, root: Array) -> Layout:
    """Return where `view` lies in the memory of `root`."""
    return Layout(view.shape, view.strides, _address(view) - _address(root), view.flags.writeable)


def same_layout(a: Array, b: Any) -> bool:
    """Whether two arrays, or an array and a Layout, step through their memory alike."""
    if a.shape != b.shape:
        return False
    return a.strides == b.strides or all(s == t for n, s, t in zip(a.shape, a.strides, b.strides, strict=True) if n > 1)


def axis_order(a: Array) -> tuple[int, ...]:
    """Return the axes from the one with the longest steps to the one with the shortest: what NumPy calls the layout K."""
    if a.flags.c_contiguous:
        return tuple(range(a.ndim))
    return tuple(sorted(range(a.ndim), key=lambda i: -abs(a.strides[i])))


def duplicate(a: Array) -> Array:
    """Return a copy that has the strides of `a` too, so that a place in one is the same place in the other.

    An array that shows one element many times is spread out instead, so that each can be written.
    """
    copy = np.array(a, order="K")
    if copy.strides == a.strides or any(n > 1 and not s for n, s in zip(a.shape, a.strides, strict=True)):
        return copy
    low, high = np.lib.array_utils.byte_bounds(a)
    copy = np.ndarray(a.shape, a.dtype, np.empty(high - low, np.uint8), _address(a) - low, a.strides)
    copy[...] = a
    return copy


def place_of(root: Array, layout: Layout) -> Any:
    """Return the index of `root` that picks what a view shows, of the shape of the view.

    Integers, slices and new axes where these are enough, otherwise an array of indices for each axis.
    """
    index = _basic(root, layout)
    if index is not None:
        found = layout_of(root[index], root)
        if found.offset == layout.offset and same_layout(root[index], layout):
            return index
    return _gathered(root, layout)


def part(root: Array, layout: Layout, index: Any) -> Array:
    """Return the view of `root` with this layout, whose place is `index`."""
    if isinstance(index, tuple) and any(isinstance(i, np.ndarray) for i in index):
        first = tuple(int(i.flat[0]) for i in index)
        view = np.lib.stride_tricks.as_strided(root[(*first, Ellipsis)], layout.shape, layout.strides)
    else:
        view = root[index]
    if not layout.writeable:
        view.flags.writeable = False
    return view


def _coordinates(root: Array, offset: int) -> list[int] | None:
    """Return the indices of the element that lies `offset` bytes after the first one, if there is one."""
    backward = [n > 1 and s < 0 for n, s in zip(root.shape, root.strides, strict=True)]
    offset -= sum((n - 1) * s for n, s, b in zip(root.shape, root.strides, backward, strict=True) if b)
    found = [0] * root.ndim
    for axis in sorted(range(root.ndim), key=lambda i: -abs(root.strides[i])):
        n, step = root.shape[axis], abs(root.strides[axis])
        if n > 1 and step:
            found[axis], offset = divmod(offset, step)
            if not 0 <= found[axis] < n:
                return None
    return None if offset else [n - 1 - i if b else i for n, i, b in zip(root.shape, found, backward, strict=True)]


def _basic(root: Array, layout: Layout) -> Any:
    """Return an index of integers, slices and new axes that may be the place of a view, or None."""
    first = _coordinates(root, layout.offset)
    if first is None:
        return None
    index: list[Any] = []
    axis = 0
    for n, stride in zip(layout.shape, layout.strides, strict=True):
        if n == 1:
            index.append(None)
            continue
        second = _coordinates(root, layout.offset + stride)
        moved = [i for i in range(root.ndim) if second is not None and second[i] != first[i]]
        if second is None or len(moved) != 1 or moved[0] < axis:
            return None
        along = moved[0]
        start, step, size = first[along], second[along] - first[along], root.shape[along]
        stop = start + n * step
        whole_to_end = stop < 0 if step < 0 else stop >= size
        index += first[axis:along]
        index.append(slice(start or None, None if whole_to_end else stop, None if step == 1 else step))
        axis = along + 1
    index += first[axis:]
    while index and index[-1] == slice(None):
        index.pop()
    if all(isinstance(i, int) for i in index) and len(index) == root.ndim:
        index.append(Ellipsis)  # a view of one element, not a number
    return index[0] if len(index) == 1 and index[0] is not None else tuple(index)


def _gathered(root: Array, layout: Layout) -> tuple[Array, ...]:
    """Return the place of any view: number the elements of `root`, and read the numbers as the view reads the elements."""
    unit = math.gcd(root.itemsize, layout.offset, *root.strides, *layout.strides)
    low = sum((n - 1) * s for n, s in zip(root.shape, root.strides, strict=True) if s < 0)
    high = sum((n - 1) * s for n, s in zip(root.shape, root.strides, strict=True) if s > 0) + root.itemsize
    numbers = np.zeros((high - low) // unit, np.intp)
    scale = numbers.itemsize

    def laid_out(shape: tuple[int, ...], strides: tuple[int, ...], offset: int) -> Array:
        return np.ndarray(shape, np.intp, numbers, (offset - low) // unit * scale, tuple(s // unit * scale for s in strides))

    laid_out(root.shape, root.strides, 0)[...] = np.arange(root.size).reshape(root.shape)
    return np.unravel_index(laid_out(layout.shape, layout.strides, layout.offset), root.shape)
