"""What operations compute, as a line of Unicode: one operation, or all of those that a line of code is made of."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import numpy as np

from autograd_np.explorer.arrays import label
from autograd_np.explorer.labels import ATOM, Text, fitted
from autograd_np.explorer.words import words_for
from autograd_np.graph import reading
from autograd_np.node import Node
from autograd_np.text import shorten

__all__ = ["Formulas", "times"]

COMPARED, SUM, BIG, MATRIX, PRODUCT, SIGN, POWER = range(1, 8)
TIGHT: dict[str, tuple[int, tuple[int, ...]]] = {
    "add": (SUM, (SUM, SUM)),
    "subtract": (SUM, (SUM, BIG)),
    "multiply": (PRODUCT, (PRODUCT, PRODUCT)),
    "matmul": (MATRIX, (SIGN, SIGN)),
    "dot": (MATRIX, (SIGN, SIGN)),
    "divide": (PRODUCT, (PRODUCT, POWER)),
    "negative": (SIGN, (POWER,)),
    "reciprocal": (PRODUCT, (POWER,)),
    "power": (POWER, (ATOM, ATOM)),
    "square": (POWER, (ATOM,)),
    "sqrt": (POWER, (ATOM,)),
    "transpose": (ATOM, (ATOM,)),
    "sum": (BIG, (POWER,)),  # in a product it has brackets: what follows it would be taken for summed
    "prod": (BIG, (POWER,)),
    "expm1": (SUM, ()),
    "log_sigmoid": (BIG, ()),
    "log_softmax": (BIG, ()),
    "logsumexp": (BIG, ()),
    "getitem": (ATOM, (ATOM,)),
    "result": (ATOM, (ATOM,)),
    **dict.fromkeys(("greater", "greater_equal", "less", "less_equal", "equal", "not_equal"), (COMPARED, (SUM, SUM))),
}
"""How tightly what an operation writes holds together, and how tightly each operand has to."""
ASIDE = frozenset({"keepdims", "optimize", "dtype"})
"""Attributes that do not change the numbers of a result: they are told beside the formula."""


class Formulas:
    """Writes operations of a graph.

    Parameters
    ----------
    operands : callable
        Returns what the operands of a Node are called.
    attributes : callable
        Returns the attributes of a Node as text.
    """

    def __init__(self, operands: Callable[[Node], Sequence[Text]], attributes: Callable[[Node], dict[str, str]]) -> None:
        self._operands, self._attributes = operands, attributes

    def __call__(self, node: Node, operands: Sequence[Text] | None = None) -> str:
        """Write one operation."""
        return self.written(node, self._operands(node) if operands is None else operands).text

    def written(self, node: Node, operands: Sequence[Text]) -> Text:
        """Write one operation of these operands, with brackets where these hold together less tightly than it."""
        assert node.op is not None
        attributes = self._attributes(node)
        told = {k: v for k, v in attributes.items() if k not in ASIDE and node.attrs[k] is not None}
        words = words_for(node)
        called = bool(told) and node.op.name not in ("getitem", "result", "step")
        level, wanted = (ATOM, ()) if called else TIGHT.get(node.op.name, (ATOM, ()))
        names = []
        for i, piece in enumerate(operands):
            least = wanted[i] if i < len(wanted) else 0
            first = level == MATRIX and i == 0 and piece.level == MATRIX  # products are read from the left
            signed = i > 0 and len(wanted) > i and piece.text.startswith("−")
            names.append(f"({piece.text})" if signed and not first else piece.text if first else fitted(piece, least))
        if names and (read := label(reading(node, names[0], attributes))):
            return Text(read)
        if called:
            inside = ", ".join([*names, *(label(shorten(text, 60)) for text in told.values())])
            return Text(f"{_function(words.notation) or label(node.op.name)}({inside})")
        return Text(words.notation.format(*names, all=", ".join(names), x=times(node)), level)

    def of_line(self, node: Node, inside: Collection[Node]) -> str:
        """Write what computes a Node, with the operations `inside` the line in the place of their results."""
        written: dict[Node, Text] = {}
        for n in sorted(inside, key=lambda n: n.index):
            if n.op is None:
                continue
            pieces = list(self._operands(n))
            for i, parent in enumerate(n.parents[: len(n.values)]):
                if parent in written and parent is not None:
                    pieces[i] = written[parent]
            written[n] = self.written(n, pieces)
        return written[node].text


def _function(notation: str) -> str:
    """Return the function of a notation that is a plain call of the operands, as in ``mean({0})``."""
    name, _, rest = notation.partition("(")
    return name if rest in ("{0})", "{all})", "{0}, {1})", "{0}, {1}, {2})") and name.isidentifier() else ""


def times(node: Node) -> str:
    """Return the sign of a product."""
    return "⊙" if np.ndim(node.out) else "·"
