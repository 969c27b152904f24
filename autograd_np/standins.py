"""Tensors that are something else to one thread: captured data while a function is traced, and variables that a function closes over.

They stand in globals, attributes and lists, where other threads look, too. To those they are what was there: a Parameter is the Parameter,
with its numbers, and an array is a Tensor that records nothing and holds it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from autograd_np import errors
from autograd_np.node import Node
from autograd_np.tensor import Tensor, handle
from autograd_np.trees import flatten

__all__ = ["TRACING", "begin", "end", "in_place_of", "is_for_another", "settled", "standing_in"]

TRACING = threading.RLock()
"""Held by the thread that traces, and while what a function reads is looked for: one at a time."""
_FIELDS = ("data", "_node", "_storage")
_LOCK = threading.Lock()


class _Part:
    """What a Tensor is to one thread, and the part that this one covers: a variable may stand for what already stands in a trace."""

    __slots__ = ("covered", "kind", "own", "tensor")

    def __init__(self, tensor: Tensor, data: Any, node: Node | None, covered: _Part | None) -> None:
        self.tensor = tensor
        self.kind = _KINDS.get(type(tensor), type(tensor))
        self.covered = covered
        self.own = {"data": data, "_node": node, "_storage": None}


_PARTS: dict[tuple[int, int], _Part] = {}
"""By the ``id`` of the Tensor, and the thread."""


def _part_of(tensor: Any) -> _Part | None:
    return _PARTS.get((id(tensor), threading.get_ident()))


def _field(name: str) -> property:
    slot = Tensor.__dict__[name]

    def get(self: Tensor) -> Any:
        part = _part_of(self)
        return part.own[name] if part is not None else slot.__get__(self)

    def put(self: Tensor, value: Any) -> None:
        part = _part_of(self)
        if part is not None:
            part.own[name] = value
        else:
            slot.__set__(self, value)

    return property(get, put)


_TWOFOLD: dict[Any, type] = {}
_KINDS: dict[type, Any] = {}


def _twofold(kind: type) -> type:
    """Return a class of Tensors that are something else to the thread that traces; they can become so, and be what they were again."""
    if kind not in _TWOFOLD:
        about = {"__slots__": (), "__module__": kind.__module__, "__doc__": kind.__doc__, **{name: _field(name) for name in _FIELDS}}
        _TWOFOLD[kind] = type(kind.__name__, (kind,), about)
        _KINDS[_TWOFOLD[kind]] = kind
    return _TWOFOLD[kind]


def begin(tensor: Tensor, data: Any, node: Node | None) -> None:
    """Make a Tensor another one, to this thread, until `end`."""
    with _LOCK:
        part = _Part(tensor, data, node, _part_of(tensor))
        _PARTS[id(tensor), threading.get_ident()] = part
        tensor.__class__ = _twofold(part.kind)


def in_place_of(array: Any, data: Any, node: Node) -> Tensor:
    """Return what stands in the place of an array: to this thread a Tensor of the trace."""
    stand = handle(array, None)
    begin(stand, data, node)
    return stand


def end(tensor: Tensor) -> None:
    """Let a Tensor be what it was before the last `begin` of this thread."""
    with _LOCK:
        part = _PARTS.pop((id(tensor), threading.get_ident()), None)
        if part is None:
            return
        if part.covered is not None:
            _PARTS[id(tensor), threading.get_ident()] = part.covered
        elif not any(other.tensor is tensor for other in list(_PARTS.values())):
            tensor.__class__ = part.kind


@contextmanager
def standing_in(tensors: Sequence[Tensor], others: Sequence[Tensor]) -> Iterator[None]:
    """Let Tensors be others meanwhile, to this thread.

    Raises
    ------
    InPlaceError
        If one of them is written meanwhile, which would be forgotten.
    """
    begun: list[tuple[Tensor, Tensor]] = []
    try:
        for tensor, other in zip(tensors, others, strict=True):
            begin(tensor, other.data, other._node)
            begun.append((tensor, other))
        yield
        for tensor, other in begun:
            if tensor._node is not other._node or tensor.data is not other.data:
                raise errors.InPlaceError(
                    f"a Tensor{tensor._called()} by which a function is differentiated was written into by that function; compute a new one"
                )
    finally:
        for tensor, _ in begun:
            end(tensor)


def settled(tree: Any) -> Any:
    """Return a result with Tensors that stay those of the trace in the place of those that do not."""
    leaves, unflatten = flatten(tree)
    return unflatten([handle(x.data, x._node) if isinstance(x, Tensor) and _part_of(x) is not None else x for x in leaves])


def is_for_another() -> bool:
    """Whether another thread traces."""
    return any(thread != threading.get_ident() for _, thread in list(_PARTS))
