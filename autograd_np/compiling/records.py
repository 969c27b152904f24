"""What is read of a record once a function has run: shapes in the place of arrays, so that their memory is free for the next run."""

from __future__ import annotations

import functools
from collections.abc import Collection
from typing import Any

import numpy as np

from autograd_np.attributes import mapped
from autograd_np.memory import owner
from autograd_np.node import Node
from autograd_np.results import Results
from autograd_np.tensor import value_of

__all__ = ["Shape", "emptied"]


class Shape:
    """An array that was computed, without its elements.

    Attributes
    ----------
    shape, dtype
        Those of the array; of several, those of all of them.
    size : float
        The largest finite number in it.
    eps : float
        The rounding of its dtype.
    shares : bool
        It showed memory of an operand.
    """

    __slots__ = ("dtype", "eps", "shape", "shares", "size")
    base = None

    def __init__(self, out: Any, shares: bool) -> None:
        several = isinstance(out, Results)
        array = out if several or hasattr(out, "dtype") else np.asarray(out)
        self.shape = array.shape
        self.dtype = array.dtype
        self.shares = shares
        real = not several and self.dtype.kind in "fc"
        self.eps = float(np.finfo(self.dtype).eps) if real else 0.0
        self.size = _largest(value_of(array)) if real else 0.0


def _largest(x: Any) -> float:
    x = np.asarray(x)
    if x.dtype.kind == "f" and x.size:
        largest = max(float(np.max(x)), -float(np.min(x)))  # without further arrays, while all of the record is there
        if np.isfinite(largest):
            return largest
    x = np.abs(x)
    return float(np.max(x, where=np.isfinite(x), initial=0.0))


def emptied(nodes: Collection[Node]) -> None:
    """Put shapes in the place of what was computed, and in attributes the Node in the place of the array that it made.

    Constants stay as they are.
    """
    made = [Shape(node.out, _shares(node)) for node in nodes]
    for node in nodes:
        count = len(node.values)
        sources = {id(value_of(p.out)): p for p in node.parents[count:] if p is not None}
        if sources:
            node.attrs = {k: mapped(v, functools.partial(_source, sources)) for k, v in node.attrs.items()}
    for node, shape in zip(nodes, made, strict=True):
        node.values = tuple(v if p is None else p for p, v in zip(node.parents, node.values, strict=False))
        node.out = shape


def _source(sources: dict[int, Node], part: Any) -> Any:
    return sources.get(id(part), part)


def _shares(node: Node) -> bool:
    if isinstance(node.out, Results):
        return False
    mine = owner(node.out)
    return isinstance(mine, np.ndarray) and any(owner(value_of(v)) is mine for v in node.values)
