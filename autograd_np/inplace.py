"""Writing in place: a write is a functional update of the memory that a Tensor shows, or a refusal.

A write gives a new value to the Tensor, or to the Storage that it shares with others, at the place that it shows there; what was
recorded before keeps the Nodes and arrays that it has. NumPy's functions that write are here too.

Only what writes may live here; who shares memory is the floor below.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_np import errors, ops
from autograd_np.calls import plain
from autograd_np.memory import duplicate, layout_of, place_of, same_layout
from autograd_np.modes import current_mode, recording
from autograd_np.ndarray_methods import OPERATORS, attach
from autograd_np.node import Node
from autograd_np.op import Batched, bare, batched_in, constant_of, derived
from autograd_np.overriding import gathered
from autograd_np.storage import Storage, alive, is_variable, linked, set_value, storage_of
from autograd_np.tensor import Tensor, apply, handle, record, stop_gradient, value_of
from autograd_np.typing import Array

__all__: list[str] = []

_WHOLE = object()


def _write(t: Tensor, value: Any, how: str, index: Any = _WHOLE, sources: Any = ()) -> None:
    """Write into a Tensor, and so into the memory that it shares with others."""
    for batched in (*batched_in(t), *batched_in(value), *batched_in(index)):
        batched.leave("writing into a Tensor in place")
    storage = storage_of(t)
    root, into, layout = t, index, None
    if storage is not None and (t.data is not storage.data or storage.is_cut(t)):
        root, mine, whole = handle(storage.data, storage.node), value_of(t.data), value_of(storage.data)
        layout = layout_of(mine, whole)
        if layout.offset or not same_layout(whole, layout):
            if index is not _WHOLE and not ops.is_basic(index):
                value, index = _updated(t, value, index, sources), _WHOLE
            into = place_of(whole, layout if index is _WHOLE else layout_of(_part_of(mine, index), whole))
    new = _updated(root, value, into, sources)
    _permit(t, storage, root._node, value, new, how)
    if storage is None:
        set_value(t, new.data, new._node)
        return
    storage.move(new, t)
    data, node = storage.show(layout, t) if layout is not None else (storage.data, storage.node)
    if index is _WHOLE and data is not storage.data:
        node = value._node  # as good as reading it back, and shorter
    set_value(t, data, node)
    storage.join(t)


def _check_writeable(t: Tensor, how: str) -> None:
    array = value_of(t)
    if isinstance(array, np.ndarray) and not array.flags.writeable and not is_variable(t._node):
        raise ValueError(f"{how}: this Tensor is a read-only view in NumPy (np.diagonal, np.broadcast_to); take a copy first: y = x.copy()")


def _part_of(array: Array, index: Any) -> Array:
    """Return a view, where ``array[index]`` may be a number."""
    parts = index if isinstance(index, tuple) else (index,)
    return array[index if Ellipsis in parts else (*parts, Ellipsis)]


def _updated(root: Tensor, value: Any, index: Any, sources: Any) -> Tensor:
    """Return what the memory of `root` holds after the write."""
    if index is _WHOLE:
        return _laid_out(value, value_of(root))
    floor = current_mode().floor
    kept = root._node is not None and root._node.needs and root._node.op is not None and root._node.level.order <= floor
    if kept and not (isinstance(value, Tensor) and value._node is not None and value._node.level.order > floor):
        with recording():  # what no_grad writes is a constant; what it leaves as it was keeps its graph
            return record(ops.SETITEM, (root, stop_gradient(value)), {"index": index}, sources)  # type: ignore[no-any-return]
    return record(ops.SETITEM, (root, value), {"index": index}, sources)  # type: ignore[no-any-return]


def _laid_out(value: Tensor, like: Any) -> Tensor:
    """Return a value in the memory layout of what it takes the place of, as NumPy would have it."""
    array = value_of(value)
    if isinstance(like, np.ndarray) and isinstance(array, np.generic):
        return handle(_boxed(value.data), value._node)
    if not isinstance(like, np.ndarray) or not isinstance(array, np.ndarray) or same_layout(array, like):
        return value
    return record(ops.SETITEM, (duplicate(like), value), {"index": Ellipsis})  # type: ignore[no-any-return]


def _boxed(number: Any) -> Array:
    """Return a number as an array of no axes, which can be written where a number cannot."""
    return handle(_boxed(number.data), number._node) if isinstance(number, Tensor) else np.asarray(number)


def _permit(t: Tensor, storage: Storage | None, node: Node | None, value: Any, new: Tensor, how: str) -> None:
    """Refuse a write that would lose the variable of a gradient, or that nothing outside could follow."""
    wanted = [node] if storage is None else [node, t._node, *(v._node for v in alive(storage.variables))]
    for variable in wanted:
        if (
            variable is not None
            and variable.op is None
            and variable.needs
            and variable.level.order > current_mode().floor
            and not variable.level.closed
        ):
            raise errors.InPlaceError(
                f"{how} on {'the leaf' if t._node is variable else 'memory of the leaf'}{t._called()} would lose the variable its gradient "
                f"belongs to. Write y = x.copy() and change y, or update parameters under ag.no_grad()"
            )
    if storage is not None and alive(storage.arrays):
        raise errors.InPlaceError(
            f"{how} on a Tensor that np.asarray made an array of: the array would not follow; take a copy, np.array(x)"
        )
    if new._node is None:
        return
    if storage is not None and storage.is_cut(t) and isinstance(value, Tensor) and value.requires_grad:
        raise errors.InPlaceError(f"{how} on a view that was made under no_grad would lose the gradient; take the view outside of no_grad")
    level = new._node.level
    if node is not None and node.level is not level and (is_variable(node) or node.index < level.start):
        raise errors.InPlaceError(f"{how} on a Tensor from outside the function being differentiated; write y = x + ... instead")


def _is_number(t: Tensor) -> bool:
    """Whether NumPy would have a number here, such as ``x[0]`` or ``np.sum(x)``: no write reaches anything else."""
    return isinstance(value_of(t.data), np.generic) and not is_variable(t._node)


def __setitem__(self: Tensor, index: Any, value: Any) -> None:  # noqa: N807 (attached below)
    sources: list[Tensor] = []
    index = plain(index, "x[...] = v", sources)
    if _is_number(self):
        raise errors.NoRowError(
            f"a number of {self.dtype} cannot be written: NumPy's scalars, such as x[0] and np.sum(x), are no arrays; "
            f"make one with np.copy(x), and write into that"
        )
    _check_writeable(self, "x[i] = v")
    value = gathered(value)
    if isinstance(value, Tensor):
        if _there_already(self, index, value):
            return
        if self.dtype.kind not in "fc" and value.requires_grad:
            value = ops.astype(value, self.dtype)
    _write(self, value, "x[i] = v", index, sources)


def _there_already(t: Tensor, index: Any, value: Tensor) -> bool:
    """Whether memory is written into itself, as in the second half of ``x[i] += v``, whose first half wrote through the view."""
    storage = linked(value)
    if value is not t and value.size and (storage is None or storage is not linked(t) or storage.is_cut(value)):
        return False  # nothing at all has no storage, but it has an address, by which NumPy goes
    if not ops.is_basic(index):
        return False
    target, array = value_of(t.data)[index], value_of(value.data)
    if not isinstance(target, np.ndarray) or not isinstance(array, np.ndarray):
        return False
    return same_layout(target, array) and layout_of(target, array).offset == 0


def _assign(t: Tensor, new: Tensor, how: str) -> Tensor:
    """Write a result into the whole of a Tensor: what NumPy's in-place operators do."""
    old, data = t.data, new.data
    if data.shape != old.shape:
        raise ValueError(f"{how}: the result has shape {data.shape}, it cannot be written into shape {old.shape}")
    if data.dtype is not old.dtype and data.dtype != old.dtype:
        if not np.can_cast(data.dtype, old.dtype, "same_kind"):
            raise TypeError(f"{how}: cannot write {data.dtype} into a Tensor of {old.dtype}; convert with .astype first")
        new = new.astype(old.dtype)
    _check_writeable(t, how)
    _write(t, new, how)
    return t


def sort(self: Tensor, axis: int = -1, **kwargs: Any) -> None:
    """Sort in place, as ``ndarray.sort`` does; ``np.sort(x)`` returns a sorted copy."""
    _assign(self, apply(np.sort, (self,), {"axis": axis, **kwargs}), "x.sort()")


def partition(self: Tensor, kth: Any, axis: int = -1, **kwargs: Any) -> None:
    """Partition in place, as ``ndarray.partition`` does; ``np.partition(x, kth)`` returns a copy."""
    _assign(self, apply(np.partition, (self, kth), {"axis": axis, **kwargs}), "x.partition()")


def fill(self: Tensor, value: Any) -> None:
    """Write a number into every element, as ``ndarray.fill`` does."""
    self[...] = value


def put(self: Tensor, ind: Any, v: Any, mode: str = "raise") -> None:
    """Write values at positions of the flattened Tensor, as ``ndarray.put`` does."""
    apply(np.put, (self, ind, v), {"mode": mode})


def _in_place(symbol: str, ufunc: np.ufunc) -> Callable[..., Any]:
    how = f"x {symbol}= y"

    def method(self: Tensor, other: Any) -> Any:
        new = apply(ufunc, (self, other), {})
        if new is NotImplemented or (self.data.__class__ is not np.ndarray and _is_number(self)):
            return new
        return _assign(self, new, how)

    return method


attach(__setitem__, sort, partition, fill, put)
for _symbol, _stem, _ufunc in OPERATORS:
    setattr(Tensor, f"__i{_stem}__", _in_place(_symbol, _ufunc))


# --- NumPy's functions that write -----------------------------------------------------------------


def _written(a: Any, name: str) -> Tensor:
    if isinstance(a, Batched):
        array = bare(a)
        if isinstance(array, np.ndarray) and not array.flags.writeable and name != "copyto":
            a.leave(f"np.{name} into what is read-only")
        return a  # type: ignore[return-value]  # it is written as a Tensor is
    if not isinstance(a, Tensor):
        raise errors.InPlaceError(
            f"np.{name} of a Tensor into an ndarray would lose its gradient; make a Tensor of the array first, ag.Tensor(a), or "
            f"{errors.IMPORT_LINE}, whose arrays can be written"
        )
    if name != "copyto":  # which copies memory to itself although it is read-only
        _check_writeable(a, f"np.{name}")
    return a


def _constant(x: Any, where: str) -> Any:
    """Return positions or a mask without their gradient, which there is none through; a Tensor in a function that is being compiled."""
    sources: list[Any] = []
    found = plain(x, where, sources)
    return constant_of(x) if sources else found


def _put_flat(a: Tensor, places: Any, values: Any, turns: Any) -> None:
    """Write ``values[turns]``, counted around, at places of the flattened Tensor."""
    values = np.ravel(values if isinstance(values, Tensor | Batched) else np.asarray(values))  # type: ignore[arg-type]
    if len(places) and values.size:
        index = np.unravel_index(places, a.shape) if a.ndim else (np.zeros(len(places), int),)
        chosen = values[turns % values.size]
        a[index if a.ndim else Ellipsis] = chosen if a.ndim else chosen[-1]


def _demand_safe(a: Tensor, values: Any, name: str) -> None:
    """Refuse an array that does not fit into the dtype of `a`, as NumPy does here alone; numbers are taken as they are."""
    if isinstance(values, (Tensor, np.ndarray)) and not np.can_cast(values.dtype, a.dtype, "safe"):
        raise TypeError(f"np.{name}: cannot write {values.dtype} into a Tensor of {a.dtype} safely; convert with .astype first")


@derived(np.copyto)
def _copyto(dst: Any, src: Any, casting: Any = "same_kind", where: Any = True) -> None:
    dst = _written(dst, "copyto")
    src = src if isinstance(src, (Tensor, Batched)) else np.asarray(src)
    if not np.can_cast(src.dtype, dst.dtype, casting):
        raise TypeError(f"np.copyto: cannot write {src.dtype} into a Tensor of {dst.dtype} under the rule casting={casting!r}")
    if not (isinstance(src, Tensor) and _there_already(dst, Ellipsis, src)):
        dst[...] = src if where is True else np.where(where, src, dst)


@derived(np.put)
def _put(a: Any, ind: Any, v: Any, mode: str = "raise") -> None:
    a = _written(a, "put")
    places = np.ravel(np.asarray(_constant(ind, "np.put")))
    if mode == "raise" and len(places) and not (-a.size <= places.min() and places.max() < a.size):
        raise IndexError(f"np.put: an index is out of bounds for {a.size} elements")
    places = np.clip(places, 0, a.size - 1) if mode == "clip" else places % max(a.size, 1)
    _put_flat(a, places, v, np.arange(len(places)))


@derived(np.putmask)
def _putmask(a: Any, mask: Any, values: Any) -> None:
    mask = _constant(mask, "np.putmask")
    a = _written(a, "putmask")
    _demand_safe(a, values, "putmask")
    if isinstance(mask, Tensor) and np.shape(mask) == a.shape:
        a[...] = np.where(mask, np.resize(values, a.shape), a)
        return
    places = np.flatnonzero(mask)
    _put_flat(a, places, values, places)


@derived(np.place)
def _place(arr: Any, mask: Any, vals: Any) -> None:
    places = np.flatnonzero(_constant(mask, "np.place"))
    arr = _written(arr, "place")
    if isinstance(vals, Tensor) and np.may_share_memory(value_of(arr), value_of(vals)):
        raise errors.InPlaceError("np.place from memory that it writes: NumPy reads some elements after writing them; take vals.copy()")
    _demand_safe(arr, vals, "place")
    _put_flat(arr, places, vals, np.arange(len(places)))


@derived(np.fill_diagonal)
def _fill_diagonal(a: Any, val: Any, wrap: bool = False) -> None:
    mark = np.zeros(np.shape(a), bool)
    np.fill_diagonal(mark, True, wrap)
    places = np.flatnonzero(mark)
    _put_flat(_written(a, "fill_diagonal"), places, val, np.arange(len(places)))


@derived(np.put_along_axis)
def _put_along_axis(arr: Any, indices: Any, values: Any, axis: Any) -> None:
    arr = _written(arr, "put_along_axis")
    indices = np.asarray(_constant(indices, "np.put_along_axis"))
    numbers = np.arange(arr.size).reshape(arr.shape)
    places = np.take_along_axis(numbers, indices, axis)
    arr[np.unravel_index(places, arr.shape)] = values
