"""Rules of indexing: reading, writing and adding at places, which may be the same for all examples or not.

Places are numbers of elements, which NumPy itself finds: an index is applied to an array of these numbers, and what it means, with
masks, repeated, separated and negative indices, is never worked out here.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd_np.batching.call import Call, NoRule, Rule, padded
from autograd_np.memory import axis_order
from autograd_np.op import Batched, batched_in
from autograd_np.ops.indexing import add_along_axis, arranged, assigned, is_basic, take, take_along_axis
from autograd_np.ops.indexing import getitem as read
from autograd_np.ops.indexing import scatter_add as add_at
from autograd_np.ops.indexing import setitem as write
from autograd_np.ops.selection import where
from autograd_np.typing import Array, Shape

__all__ = ["PICKING", "add_along", "getitem", "scatter_add", "setitem"]


def _parts(index: Any) -> tuple[Any, ...]:
    return index if isinstance(index, tuple) else (index,)


def _numbers(shape: Shape) -> Array:
    return np.arange(math.prod(shape)).reshape(shape)


def _places(shape: Shape, index: Any, c: Call) -> tuple[Array, bool]:
    """Return the numbers of the elements that an index names, and whether each example has its own."""
    mine: list[Any] = [p for p in _parts(index) if c.is_mine(p)]
    if not mine:
        return read(_numbers(shape), index=index), False
    if any(not isinstance(p, Batched) or p.dtype.kind not in "iu" for p in mine):
        raise NoRule  # a mask picks another number of elements from each example
    if not all(p is None or p is Ellipsis or isinstance(p, (slice, int, np.integer, Batched)) or _is_integers(p) for p in _parts(index)):
        raise NoRule
    parts = _spelled_out(_parts(index), len(shape))
    chosen = [i for i, p in enumerate(parts) if p is not None and not isinstance(p, slice)]
    ndim = max(np.ndim(parts[i]) for i in chosen)
    at = list(parts)
    for i in chosen:
        p = parts[i]
        if isinstance(p, Batched) and p.order == c.order:
            missing = ndim - p.ndim
            at[i] = np.reshape(p.whole, (c.size, *(1,) * missing, *p.shape))
    found = read(_numbers(shape), index=tuple(at))
    together = chosen[-1] - chosen[0] + 1 == len(chosen)
    return np.moveaxis(found, chosen[0] if together else 0, 0), True  # before the first are slices and new axes, which keep one each


def _is_integers(p: Any) -> bool:
    return isinstance(p, (list, np.ndarray)) and np.asarray(p).dtype.kind in "iu"


def _spelled_out(parts: tuple[Any, ...], ndim: int) -> list[Any]:
    """Return an index with slices in the place of the ellipsis; at its end it needs none."""
    count = sum(p is not None and p is not Ellipsis for p in parts)
    found: list[Any] = []
    for p in parts:
        found += [slice(None)] * (ndim - count) if p is Ellipsis else [p]
    return found


def getitem(c: Call) -> Any:
    """Read at an index."""
    index = c.attrs["index"]
    if is_basic(index) and c.flags[0]:
        found = c.run(c.xs[0], index=(slice(None), *_parts(index)))
        number = np.ndim(found) == 1 and Ellipsis not in _parts(index)
        return np.copy(found) if number else found  # which is no view
    places, differ = _places(c.shape(), index, c)
    if not differ:
        found = take(c.flat(), places, axis=1)  # np.take would ask the array alone, not the places
        one = c.one()
        if not isinstance(one, np.ndarray) or one.flags.c_contiguous or not one.size:
            return found
        return arranged(found, order=(0, *(i + 1 for i in axis_order(one[index]))))  # what is a view of it depends on that
    return _picked(c, places)


def _rows(places: Array) -> Array:
    """Return the places of each example along one axis; a -1 could not be worked out where there are no examples."""
    shape = np.shape(places)
    return np.reshape(places, (shape[0], math.prod(shape[1:])))


def _picked(c: Call, places: Array) -> Array:
    if not c.flags[0]:
        return take(np.reshape(c.xs[0], -1), places)
    shape = np.shape(places)
    return np.reshape(np.take_along_axis(c.flat(), _rows(places), axis=1), shape)


def _lined_up(v: Any, flag: bool, picked: Shape, size: int) -> Array:
    """Return what is written for each example, spread over the elements that are written."""
    if not flag:
        return np.broadcast_to(assigned(v, picked), (size, *picked))
    shape = np.shape(v)[1:]
    extra = max(len(shape) - len(picked), 0)
    if shape[:extra] != (1,) * extra:
        raise NoRule
    missing = (1,) * (len(picked) - len(shape))
    return np.broadcast_to(np.reshape(v, (size, *missing, *shape[extra:])), (size, *picked))


def _own_mask(index: Any, shape: Shape, c: Call) -> Any:
    """Return the masks of all examples where the index is one mask, which differs; otherwise ``None``."""
    parts = [p for p in _parts(index) if p is not Ellipsis]
    if len(parts) != 1 or not isinstance(parts[0], Batched) or parts[0].order != c.order or parts[0].dtype.kind != "b":
        return None
    mask = parts[0]
    leads = not isinstance(index, tuple) or index[0] is mask or mask.ndim == len(shape)
    return mask.whole if leads and mask.ndim and mask.shape == shape[: mask.ndim] else None


def _masked(c: Call, mask: Any) -> Any:
    """Write under a mask what does not depend on how many elements it picks: a number, or one value for all of them."""
    shape, written = c.shape(0), c.shape(1)
    rest = len(shape) - (np.ndim(mask) - 1)
    extra = max(len(written) - rest, 0)
    if written[:extra] != (1,) * extra:
        raise NoRule  # an element for each one that is picked
    if np.result_type(c.xs[0].dtype, v if isinstance(v := c.xs[1], (int, float, complex)) else v.dtype) != c.xs[0].dtype:
        raise NoRule  # assignment converts what it writes, a choice between the two would not
    under = np.reshape(mask, (*np.shape(mask), *(1,) * rest))
    value = np.reshape(c.xs[1], (*(c.size,) * c.flags[1], *written[extra:])) if extra else c.xs[1]
    return where(under, padded(value, len(shape)) if c.flags[1] else value, c.all(0))


def setitem(c: Call) -> Any:
    """Return a copy with the elements at an index written."""
    index = c.attrs["index"]
    shape = c.shape(0)
    if not batched_in(index) and is_basic(index):
        picked = np.shape(_numbers(shape)[index])
        return c.run(c.all(0), _lined_up(c.xs[1], c.flags[1], picked, c.size), index=(slice(None), *_parts(index)))
    mask = _own_mask(index, shape, c)
    if mask is not None:
        return _masked(c, mask)
    places, differ = _places(shape, index, c)
    picked = np.shape(places)[1:] if differ else np.shape(places)
    values = np.reshape(_lined_up(c.xs[1], c.flags[1], picked, c.size), (c.size, math.prod(picked)))
    at = (np.arange(c.size)[:, None], _rows(places)) if differ else (slice(None), np.reshape(places, -1))
    return np.reshape(write(c.flat(0), values, index=at), (c.size, *shape))


def scatter_add(c: Call) -> Any:
    """Add into zeros at an index."""
    index, shape = c.attrs["index"], c.attrs["shape"]
    size = math.prod(shape)
    if not batched_in(index) and is_basic(index):
        return c.run(c.all(0), shape=(c.size, *shape), index=(slice(None), *_parts(index)))
    places, differ = _places(shape, index, c)
    values = c.flat(0)
    at = (np.arange(c.size)[:, None], _rows(places)) if differ else (slice(None), np.reshape(places, -1))
    return np.reshape(add_at(values, shape=(c.size, size), index=at), (c.size, *shape))


# --- along one axis -------------------------------------------------------------------------------


def _take(c: Call) -> Any:
    axis = c.attrs.get("axis")
    if not c.flags[1]:
        return c.run(c.flat(0), c.xs[1], axis=1) if axis is None else c.run(c.xs[0], c.xs[1], axis=c.axis())
    shape, picked = c.shape(0), c.shape(1)
    if not shape:
        raise NoRule
    if not c.flags[0]:
        if axis is None:
            return c.run(np.reshape(c.xs[0], -1), c.xs[1], axis=0)
        return np.moveaxis(c.run(c.xs[0], c.xs[1]), c.axis() - 1, 0)
    numbers = _numbers(shape)
    if axis is None:
        places = take(np.reshape(numbers, -1), c.xs[1], axis=0, mode=c.attrs.get("mode", "raise"))
    else:
        places = np.moveaxis(take(numbers, c.xs[1], axis=c.axis() - 1, mode=c.attrs.get("mode", "raise")), c.axis() - 1, 0)
    found = np.take_along_axis(c.flat(0), _rows(places), axis=1)
    rest = picked if axis is None else (*shape[: c.axis() - 1], *picked, *shape[c.axis() :])
    return np.reshape(found, (c.size, *rest))


def _take_along(c: Call) -> Any:
    if c.attrs.get("axis", -1) is None:
        return c.run(c.flat(0), c.all(1), axis=1)
    if c.ndim(0) != c.ndim(1):
        raise NoRule
    return c.run(c.all(0), c.all(1), axis=c.axis(default=-1))


def add_along(c: Call) -> Any:
    """Add into zeros along an axis."""
    if batched_in(c.attrs["shape"]) or batched_in(c.attrs["axis"]):
        raise NoRule
    return c.run(c.all(0), c.all(1), shape=(c.size, *c.attrs["shape"]), axis=c.axis(ndim=len(c.attrs["shape"])))


PICKING: dict[Any, Rule] = {
    read: getitem, write: setitem, add_at: scatter_add, take: _take, take_along_axis: _take_along, add_along_axis: add_along,
}  # fmt: skip
