"""Node, the record of one operation, and Level, the transform it was recorded for.

The graph is made of Nodes alone, and a Node refers only to older ones. Transforms nest by levels: each `grad`, `vjp`, ...
opens a new Level and wraps its arguments in Tensors of that level; the wrapped data may itself be Tensors of an outer
level. What a Tensor is, and when a Node is recorded, may not be known here.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable
from contextvars import ContextVar
from types import CodeType, TracebackType
from typing import Any

import numpy as np

from autograd_np import errors
from autograd_np.callers import raised_in
from autograd_np.modes import orders
from autograd_np.op import DATA, Op
from autograd_np.text import shown
from autograd_np.typing import Array, Name

__all__ = ["EAGER", "NO_ATTRS", "OPEN", "REWRITES", "VARIABLES", "Level", "Node", "WatchedNode", "leaf_node", "next_index"]

NO_ATTRS: dict[str, Any] = {}
next_index = itertools.count(1).__next__

OPEN: set[int] = set()
"""The orders of the levels that are open, but for `EAGER`, and of the calls of `vmap` that run."""

REWRITES: ContextVar[Callable[..., Any] | None] = ContextVar("REWRITES", default=None)
"""Finds a better form of an operation as it is recorded, in the levels that open meanwhile: a Tensor, or ``None``."""

VARIABLES: set[weakref.ref[Any]] = set()
"""The leaves outside transforms that require a gradient and are alive. Where both are empty, nothing can be recorded."""


class Level:
    """One transform's world: Tensors of a level are variables to it, older ones are constants.

    A level that keeps all (`trace`) records what needs no gradient too, and makes leaves of older Tensors it meets. One that takes in
    (`checkpoint`) makes variables of them, so that nothing is recorded for the older level. One of `data` (`compile`) keeps all, whatever
    is switched off, and what Python would read of its values is refused, also through Tensors of newer levels.
    """

    __slots__ = ("closed", "data", "keeps_all", "lifted", "order", "quick", "refused", "rewrites", "sites", "start", "takes_in")

    def __init__(self, *, keeps_all: bool = False, sites: bool = False, data: bool = False) -> None:
        self.order = next(orders)
        self.start = next_index()  # what was recorded before this level opened has a smaller index
        self.data = data
        self.keeps_all = keeps_all or data
        self.sites = sites or self.keeps_all
        self.takes_in = False
        self.lifted: dict[Node, Node] = {}
        self.closed = False
        self.refused: tuple[CodeType, str] | None = None
        self.rewrites = REWRITES.get()
        self.quick = not self.sites and self.rewrites is None
        OPEN.add(self.order)
        if data:
            DATA.add(self.order)

    def lift(self, older: Any) -> Node:
        """Return the leaf of this level that stands for a Tensor of an older one."""
        node = older._node
        assert node is not None
        if node not in self.lifted:
            leaf = self.lifted[node] = leaf_node(older, self, needs=node.needs, name=node.given_name)
            leaf.index = node.index
        return self.lifted[node]

    def __enter__(self) -> Level:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
        if self.refused is not None and isinstance(error, Exception) and not isinstance(error, errors.AutogradError):
            asking, message = self.refused
            if raised_in(trace, asking):
                raise errors.LeavesNumPyError(message) from error

    def refusing(self, asking: CodeType | None, message: str) -> errors.LeavesNumPyError:
        """Return what to raise where a Tensor of this level would lose its gradient.

        A library that asked for it may catch the error, or print it (MINPACK), and raise one of its own, which says nothing of Tensors:
        then the transform raises this one again.
        """
        if asking is not None:
            self.refused = asking, message
        return errors.LeavesNumPyError(message)

    def close(self) -> None:
        """End the level: a Tensor of it that is still used has escaped."""
        self.closed = True
        self.quick = False
        OPEN.discard(self.order)
        DATA.discard(self.order)

    def __del__(self, forget: Any = OPEN.discard) -> None:  # OPEN itself is gone when the interpreter ends
        forget(self.order)


EAGER = Level()
OPEN.discard(EAGER.order)
"""The level of Tensors that a user makes; the oldest of all."""


class Node:
    """The record of one operation, or a leaf.

    Attributes
    ----------
    op : Op or None
        The row of the table; ``None`` for a leaf.
    parents : tuple of (Node or None)
        Where each operand came from; ``None`` for a constant. Under `trace`, any more than there are `values` are
        where attributes (an index) came from.
    values : tuple
        What each operand held.
    attrs : dict
        Keyword attributes of the call (axis, keepdims, ...).
    out : array
        The result.
    index : int
        Grows with each record, so sorting by it is a topological order.
    needs : bool
        A gradient flows to this node.
    level : Level
        The transform that recorded it.
    grad : array or None
        The gradient accumulated in a leaf.
    name, site : str or None
        The user's name for it, and the file and line that recorded it (anomaly mode and `trace`). A name that was given as a function
        is asked for when it is read.
    scope : str
        The `scope` it was recorded in; set by `trace` only.
    """

    __slots__ = ("attrs", "given_name", "grad", "index", "level", "needs", "op", "out", "parents", "scope", "site", "values")
    scope: str

    def __init__(
        self,
        op: Op | None,
        parents: tuple[Node | None, ...],
        values: tuple[Any, ...],
        attrs: dict[str, Any],
        out: Array,
        needs: bool,
        level: Level,
    ) -> None:
        self.op = op
        self.parents = parents
        self.values = values
        self.attrs = attrs
        self.out = out
        self.needs = needs
        self.level = level
        self.index = next_index()
        self.grad: Any = None
        self.given_name: Name = None
        self.site: str | None = None

    @property
    def name(self) -> str | None:
        """What it is called in drawings and messages."""
        return self.given_name() if callable(self.given_name) else self.given_name

    @name.setter
    def name(self, value: Name) -> None:
        self.given_name = value

    def __repr__(self) -> str:
        what = self.op.name if self.op else "leaf"
        return f"<Node {shown(self.name or what)}: {what} {np.shape(self.out)}>"

    def __reduce_ex__(self, protocol: Any) -> Any:
        raise errors.DifferentiationError(
            "a recorded graph stays in the process that recorded it; pickle or copy leaves and x.detach(), and draw or print the graph here"
        )


class WatchedNode(Node):
    """A Node recorded under `detect_anomaly`: it has itself with copies of the arrays in `kept`."""

    __slots__ = ("kept",)
    kept: Node


class _Variable(Node):
    """A leaf outside transforms whose gradient is wanted."""

    __slots__ = ("__weakref__",)


def leaf_node(data: Array, level: Level, *, needs: bool, name: Name = None) -> Node:
    """Make the Node of a variable."""
    kind = data.dtype.kind
    if needs and kind not in "fc":
        raise errors.DifferentiationError(
            f"only floating and complex dtypes can require a gradient, got {data.dtype}; convert it first: x.astype(float)"
        )
    if needs and level is EAGER:
        node: Node = _Variable(None, (), (), NO_ATTRS, data, needs, level)
        VARIABLES.add(weakref.ref(node, VARIABLES.discard))
    else:
        node = Node(None, (), (), NO_ATTRS, data, needs, level)
    node.given_name = name
    return node
