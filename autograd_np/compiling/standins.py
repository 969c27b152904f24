"""What stands in the place of captured data while a function is traced: Tensors of the trace, to the thread that traces alone.

They stand in globals, attributes and lists, where other threads look, too. To those they are what was there: a Parameter is the Parameter,
with its numbers, and an array is a Tensor that records nothing and holds it.
"""

from __future__ import annotations

import threading
from typing import Any

from autograd_np.node import Node
from autograd_np.tensor import Tensor, handle
from autograd_np.trees import flatten

__all__ = ["TRACING", "begin", "end", "in_place_of", "is_for_another", "settled"]

TRACING = threading.RLock()
"""Held by the thread that traces, and while what a function reads is looked for: one at a time."""
_FIELDS = ("data", "_node", "_storage")


class _Part:
    """What a Tensor is to the thread that traces."""

    __slots__ = ("kind", "own", "tensor", "thread")

    def __init__(self, tensor: Tensor, data: Any, node: Node | None) -> None:
        self.tensor = tensor
        self.kind = type(tensor)
        self.thread = threading.get_ident()
        self.own = {"data": data, "_node": node, "_storage": None}


_PARTS: dict[int, _Part] = {}


def _field(name: str) -> property:
    slot = Tensor.__dict__[name]

    def get(self: Tensor) -> Any:
        part = _PARTS.get(id(self))
        return part.own[name] if part is not None and part.thread == threading.get_ident() else slot.__get__(self)

    def put(self: Tensor, value: Any) -> None:
        part = _PARTS.get(id(self))
        if part is not None and part.thread == threading.get_ident():
            part.own[name] = value
        else:
            slot.__set__(self, value)

    return property(get, put)


_TWOFOLD: dict[Any, type] = {}


def _twofold(kind: type) -> type:
    """Return a class of Tensors that are something else to the thread that traces; they can become so, and be what they were again."""
    if kind not in _TWOFOLD:
        about = {"__slots__": (), "__module__": kind.__module__, "__doc__": kind.__doc__, **{name: _field(name) for name in _FIELDS}}
        _TWOFOLD[kind] = type(kind.__name__, (kind,), about)
    return _TWOFOLD[kind]


def begin(tensor: Tensor, data: Any, node: Node | None) -> None:
    """Make a Tensor one of the trace, to this thread."""
    _PARTS[id(tensor)] = _Part(tensor, data, node)
    tensor.__class__ = _twofold(type(tensor))


def in_place_of(array: Any, data: Any, node: Node) -> Tensor:
    """Return what stands in the place of an array: to this thread a Tensor of the trace."""
    stand = handle(array, None)
    begin(stand, data, node)
    return stand


def end(tensor: Tensor) -> None:
    """Let a Tensor be what it was."""
    part = _PARTS.pop(id(tensor), None)
    if part is not None:
        tensor.__class__ = part.kind


def settled(tree: Any) -> Any:
    """Return a result with Tensors that stay those of the trace in the place of those that do not."""
    leaves, unflatten = flatten(tree)
    return unflatten([handle(x.data, x._node) if isinstance(x, Tensor) and id(x) in _PARTS else x for x in leaves])


def is_for_another() -> bool:
    """Whether another thread traces."""
    return any(part.thread != threading.get_ident() for part in list(_PARTS.values()))
