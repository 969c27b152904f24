"""Memory that several Tensors show: its value now, and views of it that follow.

What earlier operations recorded stays true, since a write gives the Storage a new value and changes no array. The Tensors that
show the memory are marked, by a class of their own (`Stale`), and are made anew from the Storage when they are read: a program
without views pays nothing, and one with many views pays for those that it reads after a write. Which Tensors share memory, and
what each shows of it, is what NumPy says of their arrays (`memory`).

Only who shares memory is known here. What a write computes, and whether it may, is decided by the floor above.
"""

from __future__ import annotations

import copy
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_np import ops
from autograd_np.memory import Layout, layout_of, owner, part, place_of, same_layout
from autograd_np.modes import current_mode
from autograd_np.ndarray_methods import attach
from autograd_np.node import Node
from autograd_np.op import Op
from autograd_np.tensor import Tensor, handle, sign, value_of
from autograd_np.typing import Array

__all__ = ["Storage", "alive", "is_variable", "linked", "set_value", "storage_of"]


def is_variable(node: Node | None) -> bool:
    """Whether a Node is a leaf whose gradient is wanted."""
    return node is not None and node.op is None and node.needs


def set_value(t: Tensor, data: Array, node: Node | None) -> None:
    """Give a Tensor new values; a variable keeps its Node."""
    t.data = data
    if is_variable(t._node):
        t._node.out = data  # type: ignore[union-attr]
    else:
        t._node = node


class Storage:
    """Memory that several Tensors show.

    Attributes
    ----------
    data, node
        Its value now, and the Node that says where that came from.
    fresh : list of weak references
        The Tensors that show the value now; those that show an older one are `Stale`.
    variables : list of weak references
        Tensors made of this memory that a gradient is wanted of: while one is in use the memory may not be written.
    arrays : list of weak references
        Arrays of NumPy's own that show the memory, which cannot follow a write.
    """

    __slots__ = ("__weakref__", "arrays", "data", "fresh", "limit", "node", "values", "variables")

    def __init__(self, data: Array, node: Node | None) -> None:
        self.data = data
        self.node = node
        self.fresh: list[weakref.ref[Tensor]] = []
        self.limit = 64
        self.values: Values | None = None
        self.variables: list[weakref.ref[Tensor]] = []
        self.arrays: list[weakref.ref[Array]] = []

    def join(self, t: Tensor) -> None:
        """Count a Tensor among those that show the value now."""
        t._storage = self.values if self.is_cut(t) else self
        if len(self.fresh) >= self.limit:
            self.fresh[:] = [r for r in self.fresh if r() is not None]
            self.limit = 2 * len(self.fresh) + 64
        self.fresh.append(weakref.ref(t))

    def is_cut(self, t: Tensor) -> bool:
        """Whether a view was made without its gradient, under `no_grad`."""
        return self.values is not None and getattr(t, "_cut", False)

    def show(self, layout: Layout, t: Tensor) -> tuple[Array, Node | None]:
        """Return the data and the Node of a Tensor that shows a part of the memory."""
        root = value_of(self.data)
        data, node = (root, None) if self.is_cut(t) else (self.data, self.node)
        if layout.offset == 0 and same_layout(root, layout) and layout.writeable == root.flags.writeable:
            return data, node
        single = layout.unstretched()
        index = place_of(root, single)
        data, node = _read(data, node, ops.GETITEM, {"index": index}, lambda a: part(a, single, index))
        if single is not layout:
            data, node = _read(data, node, ops.BROADCAST, {"shape": layout.shape}, lambda a: np.broadcast_to(a, layout.shape))
        return data, node

    def move(self, new: Tensor, writer: Tensor) -> None:
        """Take a new value; the Tensors that show the memory, but for the one that was written to, follow when they are read."""
        before, shown = value_of(self.data), self.fresh[:]
        self.fresh.clear()
        self.data = new.data
        if self.values is not None:
            self.values.data = value_of(new)
        if is_variable(self.node):
            self.node.out = new.data  # type: ignore[union-attr]
        else:
            self.node = new._node
        for reference in shown:
            t = reference()
            if t is None or t is writer or linked(t) is not self:
                continue
            layout = layout_of(value_of(t.data), before)
            if is_variable(t._node) or type(t) is not Tensor:  # a leaf stays what it is, with new values
                set_value(t, *self.show(layout, t))
                self.join(t)
            else:
                t._node = None
                t.data = layout
                t.__class__ = Stale


class Values:
    """What views without a gradient keep of their Storage: the values, not the graph."""

    __slots__ = ("_alone", "_storage", "_who", "data")

    def __init__(self, storage: Storage) -> None:
        self.data = value_of(storage.data)
        self._storage = weakref.ref(storage)
        self._who = storage.fresh, storage.variables, storage.arrays
        self._alone: Storage | None = None

    def storage(self) -> Storage:
        """Return the Storage; one of constants when no Tensor with a gradient shows the memory any more."""
        storage = self._storage() or self._alone
        if storage is None:
            storage = self._alone = Storage(self.data, None)
            storage.fresh, storage.variables, storage.arrays = self._who
        return storage


def alive(references: list[weakref.ref[Any]]) -> list[Any]:
    """Return what weak references refer to, as far as it exists."""
    return [t for r in references if (t := r()) is not None]


def _read(data: Any, node: Node | None, op: Op, attrs: dict[str, Any], view: Callable[[Array], Array]) -> tuple[Array, Node | None]:
    """Return a view of a value and its Node, the record of `op`, at every level; modes do not matter, since memory was shared before."""
    shown = handle(*_read(data.data, data._node, op, attrs, view)) if isinstance(data, Tensor) else view(data)
    if node is None:
        return shown, None
    new = Node(op, (node,), (data,), attrs, shown, node.needs, node.level)
    if node.level.sites or current_mode().anomaly:
        sign(new)
    return shown, new


_layout_kept = Tensor.__dict__["data"].__get__


def _refresh(t: Tensor) -> None:
    storage: Any = linked(t)
    data, node = storage.show(_layout_kept(t), t)
    t.__class__ = Tensor
    t.data, t._node = data, node
    storage.join(t)


def _refreshed(name: str) -> Any:
    def get(t: Tensor) -> Any:
        _refresh(t)
        return getattr(t, name)

    def put(t: Tensor, value: Any) -> None:
        _refresh(t)
        setattr(t, name, value)

    return property(get, put)


class Stale(Tensor):
    """A Tensor whose memory has been written through another: made anew, and a Tensor again, when it is read."""

    __slots__ = ()
    data = _refreshed("data")
    _node = _refreshed("_node")

    def __reduce_ex__(self, protocol: Any) -> Any:
        _refresh(self)
        return self.__reduce_ex__(protocol)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        _refresh(self)
        return copy.deepcopy(self, memo)


def _note_view(self: Tensor, args: tuple[Any, ...]) -> None:
    """Remember that this Tensor shows memory of one of the operands it was computed from."""
    array = value_of(self)
    if not isinstance(array, np.ndarray) or not array.size:
        return
    memory = owner(array)
    for a in args:
        if isinstance(a, Tensor) and owner(value_of(a)) is memory:
            storage = _shared(a)
            if self._node is None and ((a._node is not None and a._node.needs) or storage.is_cut(a)):
                self._cut = True
                storage.values = storage.values or Values(storage)
            storage.join(self)
            return


def _lend(self: Tensor, variable: Tensor) -> None:
    """Remember that a gradient is wanted of a Tensor made of this memory."""
    if isinstance(value_of(self.data), np.ndarray):
        storage = _shared(self)
        storage.variables[:] = [weakref.ref(t) for t in (*alive(storage.variables), variable)]


def _hand_out(self: Tensor, array: Any) -> Any:
    """Return a view of an array of this Tensor's for NumPy, and remember that the memory is seen there."""
    view = array.view()
    storage = _shared(self)
    storage.arrays[:] = [weakref.ref(a) for a in (*alive(storage.arrays), view)]
    return view


def linked(t: Tensor) -> Storage | None:
    """Return the Storage that a Tensor was last known to show."""
    storage: Any = t._storage
    return storage.storage() if storage.__class__ is Values else storage


def _shared(t: Tensor) -> Storage:
    storage = storage_of(t)
    if storage is None:
        storage = Storage(t.data, t._node)
        storage.join(t)
    return storage


def storage_of(t: Tensor) -> Storage | None:
    """Return the Storage that a Tensor shows, if any other may show it too."""
    storage = linked(t)
    if storage is None:
        return None
    if t.data is storage.data:
        if not storage.is_cut(t):
            storage.node = t._node  # may have become a variable
    elif owner(value_of(t.data)) is not owner(value_of(storage.data)):  # the user gave `t.data` another array
        storage = t._storage = None
    return storage


attach(_note_view, _lend, _hand_out)
