"""What operations compute, as a line of Unicode: one operation, or all of those that a line of code is made of."""

from __future__ import annotations

from collections.abc import Callable, Collection

import numpy as np

from autograd_np.explorer.arrays import label
from autograd_np.explorer.words import words_for
from autograd_np.graph import Graph, reading
from autograd_np.node import Node

__all__ = ["Formulas", "times"]

SUM, PRODUCT, SIGN, POWER, ATOM = range(5)
TIGHT: dict[str, tuple[int, tuple[int, ...]]] = {
    "add": (SUM, (SUM, SUM)),
    "subtract": (SUM, (SUM, PRODUCT)),
    "multiply": (PRODUCT, (PRODUCT, PRODUCT)),
    "matmul": (PRODUCT, (PRODUCT, PRODUCT)),
    "dot": (PRODUCT, (PRODUCT, PRODUCT)),
    "divide": (PRODUCT, (PRODUCT, POWER)),
    "negative": (SIGN, (POWER,)),
    "reciprocal": (PRODUCT, (POWER,)),
    "power": (POWER, (ATOM, ATOM)),
    "square": (POWER, (ATOM,)),
    "sqrt": (POWER, (ATOM,)),
    "transpose": (ATOM, (ATOM,)),
    "sum": (SIGN, (POWER,)),
}
"""How tightly what an operation writes holds together, and how tightly each operand has to."""


class Formulas:
    """Writes operations of a graph.

    Parameters
    ----------
    graph : Graph
    names : callable
        Returns what the operands of a Node are called.
    """

    def __init__(self, graph: Graph, names: Callable[[Node], list[str]]) -> None:
        self.graph, self.names = graph, names

    def __call__(self, node: Node, names: list[str] | None = None) -> str:
        """Write one operation."""
        names = self.names(node) if names is None else names
        read = label(reading(node, names[0], self.graph.attributes(node))) if names else ""
        return read or words_for(node).notation.format(*names, all=", ".join(names), x=times(node))

    def of_line(self, node: Node, inside: Collection[Node]) -> str:
        """Write what computes a Node, with the operations `inside` the line in the place of their results."""
        written: dict[Node, tuple[str, int]] = {}
        for n in sorted(inside, key=lambda n: n.index):
            if n.op is None:
                continue
            level, wanted = TIGHT.get(n.op.name, (ATOM, ()))
            names = list(self.names(n))
            for i, parent in enumerate(n.parents[: len(n.values)]):
                if parent in written and parent is not None:
                    text, own = written[parent]
                    names[i] = f"({text})" if own < (wanted[i] if i < len(wanted) else SUM) else text
            written[n] = self(n, names), level
        return written[node][0]


def times(node: Node) -> str:
    """Return the sign of a product."""
    return "⊙" if np.ndim(node.out) else "·"
