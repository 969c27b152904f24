"""Reading and writing parts of an array, and putting it in order; the transpose of reading is adding into zeros."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from autograd_np import errors
from autograd_np.elsewhere import is_lazy
from autograd_np.memory import axis_order, duplicate
from autograd_np.op import (
    Op,
    Recordable,
    beside,
    case,
    constant,
    constant_of,
    derived,
    eager,
    general,
    is_numpys,
    linear,
    primitive,
    value_of,
)
from autograd_np.typing import Array, Shape


def is_basic(index: Any) -> bool:
    """Whether an index selects each element at most once: slices, integers, ellipsis, newaxis."""
    parts = index if isinstance(index, tuple) else (index,)
    return all(p is None or p is Ellipsis or (isinstance(p, (slice, int, np.integer)) and not isinstance(p, bool)) for p in parts)


def axis_of(axis: Any, ndim: int) -> int:
    """Return one axis as a number from 0; refuse one that is not there. Some functions take a sequence of one."""
    axis = axis[0] if np.shape(axis) == (1,) else axis
    return int(normalize_axis_index(operator.index(axis), ndim))


def axes_of(axis: Any, ndim: int) -> tuple[int, ...]:
    """Return axes as numbers from 0: all of them for ``None``; NumPy takes numbers, tuples, lists and arrays."""
    if axis is None:
        return tuple(range(ndim))
    return tuple(axis_of(i, ndim) for i in axis) if np.ndim(axis) else (axis_of(axis, ndim),)


def reduced_axes(axis: Any, ndim: int) -> tuple[int, ...]:
    """Return the axes that a reduction takes away; NumPy reduces a 0-d array along 0 and -1, too."""
    return axes_of(axis, ndim) if ndim or axis is None else axes_of(axis, 1)[:0]


def along(axis: Any, part: Any, ndim: int) -> tuple[Any, ...]:
    """Return the index that takes `part` of one axis and all of the others."""
    return (slice(None),) * axis_of(axis, ndim) + (part,)


def constant_value(x: Any, where: str) -> Any:
    """Take the data out of a Tensor in a place that carries no gradient; refuse one whose gradient would be lost there."""
    inner = x
    while isinstance(inner, Recordable):
        tensor: Any = inner
        if tensor.requires_grad and not tensor._node.level.data:
            raise errors.NoRowError(
                f"{where} got a Tensor that requires a gradient, and there is none through this argument; pass x.detach() if that is meant"
            )
        inner = tensor.data
    return constant_of(x)


@primitive
def getitem(a: Array, *, index: Any) -> Array:
    """Return ``a[index]``."""
    return _picked(a, index) if is_lazy(a) and not is_basic(index) else a[index]


def _places(shape: Shape, index: Any) -> Array:
    """Return the number in C order of each element that an index names."""
    parts = index if isinstance(index, tuple) else (index,)
    for part in parts:
        if not (part is None or part is Ellipsis or isinstance(part, slice) or is_numpys(part)):
            raise errors.NoRowError(
                f"an index of type {type(part).__module__}.{type(part).__qualname__} is not known before it is computed; pass a NumPy array"
            )
    return np.asarray(np.arange(math.prod(shape)).reshape(shape)[index])


def _picked(a: Array, index: Any) -> Array:
    """Return ``a[index]`` of an array whose library may not index with arrays as NumPy does."""
    if not is_lazy(a):
        return a[index]
    places = _places(a.shape, index)
    return flat(flat(a, -1)[places.reshape(-1)], places.shape)


def flat(a: Array, shape: Any) -> Array:
    """Reshape an array of another library: Dask, for one, refuses what would split blocks, unless it is a row of elements first."""
    return a.reshape(-1).reshape(shape)


def _scattered(g: Array, shape: Shape, index: Any) -> Array:
    """Do what `scatter_add` does without writing: gather, for each element of the result, what is added to it."""
    places = _places(shape, index).reshape(-1)
    order = np.argsort(places, kind="stable")
    found = places[order]
    turn = np.arange(len(found)) - np.searchsorted(found, found)  # how often its place came before
    sources = np.full((math.prod(shape), int(turn.max(initial=0)) + 1), -1)
    sources[found, turn] = order
    if not places.size:
        return np.zeros_like(g, shape=shape)
    gathered = flat(flat(g, -1)[np.maximum(sources, 0).reshape(-1)], sources.shape)
    return flat(np.sum(np.where(sources >= 0, gathered, 0), axis=1), shape)


@primitive
def scatter_add(g: Array, *, shape: Shape, index: Any) -> Array:
    """Return zeros of `shape` with `g` added at `index`, once for each time an element is named."""
    if is_lazy(g):
        return _scattered(g, shape, index)
    size = math.prod(shape)
    if not is_basic(index) and isinstance(g, np.ndarray) and g.size > size and g.dtype.char in "efd":
        place = np.arange(size).reshape(shape)[index]  # with many repetitions bincount is several times faster than np.add.at
        return np.bincount(place.ravel(), g.ravel(), size).reshape(shape).astype(g.dtype, copy=False)
    out = np.zeros_like(g, shape=shape)
    if is_basic(index):
        out[index] = g
    else:
        np.add.at(out, index, g)
    return out


@primitive
def setitem(a: Array, v: Array, *, index: Any) -> Array:
    """Return a copy of `a`, of the same layout, with ``a[index] = v`` done."""
    if is_lazy(a) or is_lazy(v):
        return _overwritten(a, v, index)
    out = duplicate(a) if isinstance(a, (np.ndarray, np.generic)) else a.copy()
    out[index] = v
    return out


def assigned(v: Any, shape: Shape) -> Array:
    """Return `v` as assignment spreads it over `shape`: broadcast, without leading axes of length one that are too many."""
    extra = max(np.ndim(v) - len(shape), 0)
    if np.shape(v)[:extra] != (1,) * extra:
        raise ValueError(f"could not broadcast values of shape {np.shape(v)} into shape {shape}")
    return np.broadcast_to(np.reshape(v, np.shape(v)[extra:]) if extra else v, shape)


def _overwritten(a: Array, v: Array, index: Any) -> Array:
    """Do what `setitem` does without writing: choose, for each element, the last that was written or what was there."""
    picked = _places(a.shape, index)
    sources = np.full(a.shape, -1)
    sources[index] = np.arange(picked.size).reshape(picked.shape)
    written = assigned(v, picked.shape)
    if not picked.size:
        return a.copy()
    return np.where(sources >= 0, _picked(written, np.unravel_index(np.maximum(sources, 0), picked.shape)) if picked.ndim else written, a)


def _written(g: Array, v: Any, shape: Shape, index: Any) -> Array:
    """Return the cotangent of what was written: of repeated indices only the last write counts."""
    picked = getitem(g, index=index)
    if not is_basic(index):
        order = np.arange(math.prod(np.shape(picked))).reshape(np.shape(picked))
        last = np.full(shape, -1)
        last[index] = order
        picked = np.where(beside(last[index] == order, picked), picked, 0)
    extra = np.ndim(v) - picked.ndim  # NumPy lets v have more axes, of length one
    return picked.reshape((1,) * extra + picked.shape) if extra > 0 else picked


def _set_jvp(tangents: Any, y: Array, a: Array, v: Any, index: Any) -> Array:
    into, written = tangents
    return setitem(np.zeros_like(y) if into is None else into, 0.0 if written is None else written, index=index)


# --- layout ---------------------------------------------------------------------------------------


@primitive
def arranged(a: Array, *, order: tuple[int, ...]) -> Array:
    """Return a copy whose axes lie in memory in this order, the one with the longest steps first."""
    if not is_numpys(a):
        return a
    return np.transpose(np.transpose(a, order).copy("C"), np.argsort(order).tolist())


def laid(a: Array, order: Any) -> Array:
    """Return `a` in the layout "C" or "F", or in that of another array; what a view shows, and so what is written, depends on it."""
    array, like = value_of(a), value_of(order)
    if not isinstance(array, np.ndarray) or array.ndim < 2 or not isinstance(like, (str, np.ndarray)):
        return a
    axes = range(array.ndim)
    wanted = axis_order(like) if isinstance(like, np.ndarray) else tuple(axes if like == "C" else reversed(axes))
    steps = [abs(array.strides[i]) for i in wanted if array.shape[i] > 1]
    return a if steps == sorted(steps, reverse=True) else arranged(a, order=wanted)


def order_of(a: Any) -> str:
    """Return "F" or "C", whichever NumPy's functions that fill an empty array take for theirs."""
    array = value_of(a)
    return "F" if isinstance(array, np.ndarray) and array.flags.fnc else "C"


# --- an array of indices along one axis -----------------------------------------------------------


@primitive
def take(a: Array, indices: Any, axis: Any = None, out: None = None, mode: Any = "raise") -> Array:
    """Return the elements at `indices` along `axis`."""
    if is_numpys(a) or not (is_lazy(a) or is_numpys(indices)):
        return np.take(a, indices, axis, None, mode)
    n = a.size if axis is None else a.shape[axis]
    where = np.take(np.arange(n), indices, mode=mode)
    return _picked(flat(a, -1) if axis is None else a, where if axis is None else along(axis, where, a.ndim))


def _untake(g: Array, y: Array, a: Array, indices: Any, axis: Any = None, mode: str = "raise") -> Array:
    shape, axis = ((a.size,), 0) if axis is None else (a.shape, axis)
    n = shape[axis] if shape else 1
    indices = np.asarray(indices, int) if is_numpys(indices) else indices.astype(int)  # True is 1, no mask
    indices = indices % n if mode == "wrap" else np.clip(indices, 0, n - 1) if mode == "clip" else indices
    return scatter_add(g, shape=shape or (1,), index=along(axis, indices, len(shape) or 1)).reshape(a.shape)


def _take_jvp(tangents: Any, y: Array, a: Array, indices: Any, **how: Any) -> Array:
    return take(tangents[0], indices, **how)


@primitive
def take_along_axis(arr: Array, indices: Array, axis: Any = -1) -> Array:
    """Return the elements at `indices` along `axis`, for each of the other axes."""
    if not is_lazy(arr):
        return np.take_along_axis(arr, indices, axis)
    arr, axis = (flat(arr, -1), 0) if axis is None else (arr, axis)
    return _picked(arr, _grid(indices, arr.shape, axis))


def _grid(indices: Array, shape: Shape, axis: int) -> tuple[Array, ...]:
    """Return the index that takes `indices` along `axis` and each place of the other axes."""
    grid = [np.arange(n).reshape([-1 if j == i else 1 for j in range(len(shape))]) for i, n in enumerate(shape)]
    grid[axis] = indices
    return tuple(grid)


@primitive
def add_along_axis(g: Array, indices: Array, *, shape: Shape, axis: int) -> Array:
    """Return zeros of `shape` with `g` added at `indices` along `axis`: the transpose of ``take_along_axis``."""
    return scatter_add(g, shape=shape, index=_grid(indices, shape, axis))


def _untake_along(g: Array, y: Array, arr: Array, indices: Array, axis: Any = -1) -> Array:
    shape, axis = ((arr.size,), 0) if axis is None else (arr.shape, axis)
    return add_along_axis(g, indices, shape=shape, axis=axis).reshape(arr.shape)


def _take_along_jvp(tangents: Any, y: Array, arr: Array, indices: Array, axis: Any = -1) -> Array:
    return take_along_axis(tangents[0], indices, axis=axis)


def _add_along_jvp(tangents: Any, y: Array, g: Array, indices: Array, shape: Shape, axis: int) -> Array:
    return add_along_axis(tangents[0], indices, shape=shape, axis=axis)


# --- order ----------------------------------------------------------------------------------------


def _order(a: Array, axis: Any) -> Array:
    return np.argsort(a, axis=axis, kind="stable")


def _partitioned(a: Array, kth: Any, axis: Any, kind: Any) -> Array:
    """Return which element of `a` is at each place of its partition: ``np.argpartition`` leaves them in another order."""
    axis = None if axis is None else axis_of(axis, a.ndim)
    places = _order(np.partition(a, kth, axis=axis, kind=kind), -1 if axis is None else axis)
    found = np.empty_like(places, shape=places.shape)
    np.put_along_axis(found, places, _order(a, axis), axis=-1 if axis is None else axis)
    return found


@eager
def partitioning(a: Array, kth: Any, axis: Any = -1, kind: Any = "introselect") -> Array:
    """Return which element of `a` is at each place of ``np.partition``."""
    return _partitioned(a, kth, axis, kind)


def _unpartition(g: Array, y: Array, a: Array, kth: Any, axis: Any = -1, kind: Any = "introselect") -> Array:
    axis = None if axis is None else axis_of(axis, a.ndim)
    return _untake_along(g, y, a, partitioning(a, kth=kth, axis=axis, kind=kind), axis)


def _partition_jvp(tangents: Any, y: Array, a: Array, kth: Any, axis: Any = -1, kind: Any = "introselect") -> Array:
    axis = None if axis is None else axis_of(axis, a.ndim)
    return take_along_axis(tangents[0], partitioning(a, kth=kth, axis=axis, kind=kind), axis=axis)


def _unsort(g: Array, y: Array, a: Array, axis: Any = -1, kind: Any = None, stable: Any = None) -> Array:
    axis = None if axis is None else axis_of(axis, a.ndim)
    along_axis = 0 if axis is None else axis
    rank = np.argsort(_order(a, axis), axis=along_axis)
    return np.take_along_axis(g, rank, axis=along_axis).reshape(a.shape)


def _sort_jvp(tangents: Any, y: Array, a: Array, axis: Any = -1, kind: Any = None, stable: Any = None) -> Array:
    axis = None if axis is None else axis_of(axis, a.ndim)
    return np.take_along_axis(tangents[0], _order(a, axis), axis=axis)


# --- the table ------------------------------------------------------------------------------------

_MASK = np.array([[True, False, True], [False, True, True]])
_PICK = np.array([[2, 0], [1, 1], [0, 2]])

# fmt: off
GETITEM: Op = linear(
    getitem, lambda g, y, a, index: scatter_add(g, shape=a.shape, index=index),
    case((4, 3), index=1), case((4, 3), index=slice(None, None, -2)), case((4, 3), index=(Ellipsis, None, 1)), case((4, 3), index=[0, 0, 2]),
    case((2, 3), index=_MASK), case((4, 3), index=(np.array([0, 1, 1]), np.array([2, 2, 2]))), case((4, 3), index=(slice(1, 3), np.array([0, 0]))),
    signature="a index", tex="#1_{#index}")
linear(
    arranged, lambda g, y, a, order: g, case((2, 3, 4), order=(1, 2, 0)), case((3, 4), order=(1, 0)), tex="#1")
linear(
    scatter_add, lambda g, y, a, shape, index: getitem(g, index=index),
    case((3,), shape=(4,), index=np.array([0, 0, 2])), case((2, 3), shape=(4, 3), index=slice(0, 2)),
    signature="g shape index")
SETITEM: Op = general(
    setitem, lambda g, y, a, v, index: setitem(g, 0.0, index=index), lambda g, y, a, v, index: _written(g, v, a.shape, index), jvp=_set_jvp,
    cases=(case((4, 3), (3,), index=1), case((4, 3), (), index=slice(0, 2)), case((4,), (3,), index=np.array([0, 0, 2])), case((2, 3), (4,), index=_MASK)),
    signature="a v index", note="repeated indices: the last write counts")

general(
    take, _untake, None, jvp=_take_jvp,
    cases=(case((4, 3), np.array([0, -1, 0]), axis=0), case((4, 3), _PICK, axis=1), case((4, 3), np.array([11, 0])), case((4, 3), np.array([7, -9]), axis=0, mode="wrap"),
           case((4, 3), np.array([7, -9]), axis=0, mode="clip"), case((4, 3), np.array(2), axis=-1)),
    also=(np.take,))
general(
    take_along_axis, _untake_along, None, jvp=_take_along_jvp,
    cases=(case((3, 4), _PICK, axis=1), case((4, 2), _PICK, axis=0), case((3, 4), np.array([5, 5, 0]), axis=None), case((3, 4), np.array([[1, 1]]), axis=-1)),
    also=(np.take_along_axis,))
general(
    add_along_axis, lambda g, y, a, indices, shape, axis: take_along_axis(g, indices, axis=axis), None, jvp=_add_along_jvp,
    cases=(case((3, 2), _PICK, shape=(3, 4), axis=1),), signature="g indices shape axis")
general(
    eager(np.sort), _unsort, jvp=_sort_jvp, also=(np.sort,), cases=(case((5,)), case((3, 4)), case((3, 4), axis=0), case((2, 3, 4), axis=1, kind="stable"), case((3, 4), axis=None)),
    note="ties keep their order")

general(
    eager(np.partition), _unpartition, jvp=_partition_jvp, also=(np.partition,),
    cases=(case((5,), kth=2), case((3, 4), kth=1, axis=0), case((3, 4), kth=[0, 7], axis=None)))

constant(eager(np.argsort), also=(np.argsort,), cases=(case((3, 4)), case((3, 4), axis=0, kind="stable")))
constant(eager(np.argpartition), also=(np.argpartition,), cases=(case((5,), kth=2),))
constant(partitioning, cases=(case((5,), kth=2), case((3, 4), kth=1, axis=0)))
constant(np.argwhere, np.flatnonzero, cases=(case((3, 4)),))
constant(np.searchsorted, arrays=2, cases=(case(np.array([0.0, 1.0, 2.0]), (4,)),))
constant(eager(np.digitize), arrays=2, also=(np.digitize,), cases=(case((4,), np.array([0.0, 1.0])),))
constant(np.isin, arrays=2, cases=(case((4,), np.array([0.0, 1.0])),))
# fmt: on


# --- in terms of the rows above -------------------------------------------------------------------


@derived(np.nonzero)
def _nonzero(a: Array) -> tuple[Array, ...]:
    if not a.ndim:
        raise ValueError("np.nonzero of a 0-d array is not defined; use np.atleast_1d(x)")
    places = np.argwhere(a)
    return tuple(places[:, i] for i in range(a.ndim))


@derived(np.compress)
def _compress(condition: Any, a: Array, axis: Any = None) -> Array:
    return np.take(a, np.flatnonzero(condition), axis=axis)


@derived(np.extract)
def _extract(condition: Any, arr: Array) -> Array:
    return np.take(arr, np.flatnonzero(condition))


@derived(np.delete)
def _delete(arr: Array, obj: Any, axis: Any = None) -> Array:
    _refuse_tensor(obj, "np.delete")
    order = order_of(arr)
    arr, axis = (np.ravel(arr), 0) if axis is None else (arr, axis_of(axis, arr.ndim))
    kept = np.delete(np.arange(arr.shape[axis]), obj)
    if isinstance(obj, slice) or (np.size(obj) == 1 and np.asarray(obj).dtype.kind in "iu"):
        return laid(np.take(arr, kept, axis=axis), order)
    return arr[along(axis, kept, arr.ndim)]


@derived(np.insert)
def _insert(arr: Any, obj: Any, values: Any, axis: Any = None) -> Array:
    _refuse_tensor(obj, "np.insert")
    layout = order_of(arr)
    arr, axis = (np.ravel(arr), 0) if axis is None else (arr, axis_of(axis, arr.ndim))
    values = np.reshape(values, (1,) * (np.ndim(arr) - np.ndim(values)) + np.shape(values))
    if np.ndim(obj) == 0 and not isinstance(obj, slice):
        values = np.moveaxis(values, 0, axis)
    old = np.arange(arr.shape[axis])
    count = values.shape[axis] if np.size(obj) == 1 and not isinstance(obj, slice) else len(np.insert(old, obj, -1)) - len(old)
    new = assigned(values, (*arr.shape[:axis], count, *arr.shape[axis + 1 :]))
    order = np.insert(old, obj, np.arange(len(old), len(old) + count))  # where each element of arr and then of values goes
    return laid(np.take(np.concatenate([arr, new.astype(arr.dtype)], axis), order, axis=axis), layout)


def _refuse_tensor(obj: Any, name: str) -> None:
    if isinstance(obj, Recordable):
        raise errors.NoRowError(f"{name} got its positions as a Tensor; positions carry no gradient: pass an array, x.data")


@derived(np.meshgrid)
def _meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> tuple[Array, ...]:
    if indexing not in ("xy", "ij"):
        raise ValueError(f"indexing must be 'xy' or 'ij', got {indexing!r}")
    places: Sequence[int] = list(range(len(xi)))
    if indexing == "xy" and len(xi) > 1:
        places = [1, 0, *range(2, len(xi))]
    grids = [np.reshape(x, tuple(-1 if i == place else 1 for i in range(len(xi)))) for x, place in zip(xi, places, strict=True)]
    shape = np.broadcast_shapes(*(x.shape for x in grids))
    if not sparse:
        grids = [np.broadcast_to(x, shape) for x in grids]
    return tuple(np.copy(x, order="C") for x in grids) if copy else tuple(grids)


@derived(np.diagflat)
def _diagflat(v: Array, k: int = 0) -> Array:
    return np.diag(np.ravel(v), k)
