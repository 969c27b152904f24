"""Nodes of several runs, read side by side into one expression."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_np.derivations.expression import Expression, Sheet
from autograd_np.node import Node
from autograd_np.op import value_of
from autograd_np.ops.shaping import spread
from autograd_np.results import Results
from autograd_np.sweeps import topological
from autograd_np.tensor import Tensor

__all__ = ["Lockstep", "NotAlikeError"]


class NotAlikeError(Exception):
    """The runs did different things: what depends on a size cannot be written for all sizes."""


class Lockstep:
    """Reads Nodes that were recorded at each point of a sheet.

    Attributes
    ----------
    of_node : list of dict
        For each point, the expression of each Node that was read.
    of_array : list of dict
        For each point, ``id(array)`` -> the expression that an array which no Node made is known to be.
    """

    def __init__(self, sheet: Sheet, name_of: Callable[[Any], str | None] = lambda _: None) -> None:
        self.sheet = sheet
        self.of_node: list[dict[Node, Expression]] = [{} for _ in range(sheet.points)]
        self.of_array: list[dict[int, Expression]] = [{} for _ in range(sheet.points)]
        self._name_of = name_of

    def know(self, nodes: Sequence[Node], e: Expression) -> None:
        """Say which expression Nodes are."""
        for of_node, n in zip(self.of_node, nodes, strict=True):
            of_node[n] = e

    def know_array(self, e: Expression) -> None:
        """Say that arrays which are the values of an expression are that expression, wherever they are met."""
        for of_array, v in zip(self.of_array, e.values, strict=True):
            if isinstance(v, (np.ndarray, np.generic)):
                of_array[id(v)] = e

    def read(self, results: Sequence[Any]) -> Expression:
        """Return the expression of what the runs returned: Tensors, arrays or numbers."""
        if not all(isinstance(r, Tensor) and r._node is not None for r in results):
            return self.operand(results)
        roots = [r._node for r in results]
        orders = [[n for n in reversed(topological([root])) if n not in of_node] for root, of_node in zip(roots, self.of_node, strict=True)]
        if len({len(order) for order in orders}) > 1:
            raise NotAlikeError
        for nodes in zip(*orders, strict=True):
            self.add(nodes)
        return self.of_node[0][roots[0]]

    def add(self, nodes: Sequence[Node]) -> Expression:
        """Read one operation."""
        node = nodes[0]
        if any(n.op is not node.op or len(n.values) != len(node.values) or n.attrs.keys() != node.attrs.keys() for n in nodes[1:]):
            raise NotAlikeError
        if node.op is None:
            e = self.operand([n.out for n in nodes])
            self.know(nodes, e)
            return e
        count = len(node.values)
        args = []
        for i in range(count):
            parents = [n.parents[i] for n in nodes]
            if parents[0] is None:
                args.append(self.operand([n.values[i] for n in nodes]))
            else:
                found = [of_node.get(p) for of_node, p in zip(self.of_node, parents, strict=True)]  # type: ignore[arg-type]
                if found[0] is None or any(f is not found[0] for f in found):
                    raise NotAlikeError
                args.append(found[0])
        read = [{id(value_of(p.out)): self.of_node[k][p] for p in n.parents[count:] if p is not None} for k, n in enumerate(nodes)]
        e = self.sheet.apply(node.op, args, {key: self._attribute([n.attrs[key] for n in nodes], read) for key in node.attrs})
        self.know(nodes, e)
        return e

    def operand(self, values: Sequence[Any]) -> Expression:
        """Return the expression of arrays or numbers that no Node made."""
        values = [value_of(v) for v in values]
        first = values[0]
        if isinstance(first, Results):
            raise NotAlikeError
        if not isinstance(first, np.ndarray | np.generic) or (first.ndim == 0 and id(first) not in self.of_array[0]):
            return self.sheet.number(*(v[()] if isinstance(v, np.ndarray) else v for v in values))
        found = [of_array.get(id(v)) for of_array, v in zip(self.of_array, values, strict=True)]
        if found[0] is not None and all(f is found[0] for f in found):
            return found[0]
        if all(v.size > 1 and v.dtype.kind == "f" and np.all(v == v.flat[0]) for v in values) and self._name_of(first) is None:
            sizes = map(self.sheet.size, zip(*(v.shape for v in values), strict=True))
            return self.sheet.call(spread, self.sheet.number(*(v.flat[0] for v in values)), shape=tuple(sizes))
        e = self.sheet.array(values)
        e.name = e.name or self._name_of(first)
        return e

    def _attribute(self, values: Sequence[Any], read: list[dict[int, Expression]]) -> Any:
        first = values[0]
        if id(first) in read[0]:
            return read[0][id(first)]
        if isinstance(first, np.generic) and id(first) in self.of_array[0]:  # a place that was read out of labels
            return self.operand(values)
        if any(type(v) is not type(first) for v in values):
            raise NotAlikeError
        if type(first) in (tuple, list):
            if any(len(v) != len(first) for v in values):
                raise NotAlikeError
            return type(first)(self._attribute(parts, read) for parts in zip(*values, strict=True))
        if type(first) is slice:
            return slice(*(self._attribute([getattr(v, end) for v in values], read) for end in ("start", "stop", "step")))
        if isinstance(first, range):
            return self.operand([np.arange(v.start, v.stop, v.step) for v in values])
        if isinstance(first, Tensor):
            return self.read(values) if first._node is not None else self.operand(values)
        if isinstance(first, np.ndarray):
            return self.operand(values)
        if isinstance(first, (int, float, np.number)) and any(v != first for v in values):
            return self.sheet.number(*(v.item() if isinstance(v, np.number) else v for v in values))
        return first.item() if isinstance(first, np.integer) else first
