"""What things are called where they are read: a variable by its name, a result that has none by the expression that computes it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, NamedTuple

from autograd_np.explorer.arrays import label
from autograd_np.graph import Constant, Graph
from autograd_np.node import Node
from autograd_np.render.frames import as_written
from autograd_np.tensor import value_of

__all__ = ["ATOM", "LONGEST", "Labels", "Text", "fitted"]

ATOM = 8
"""How tightly a name holds together, and a call: nothing holds tighter."""
LONGEST = 30
"""Letters of an expression that is still read as a name."""
CUT = "…"
SUBSCRIPT = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


class Text(NamedTuple):
    """A piece of a formula, and how tightly it holds together."""

    text: str
    level: int = ATOM


def fitted(piece: Text, least: int) -> str:
    """Return a piece with brackets around it, if it holds together less tightly than its place asks."""
    return piece.text if piece.level >= least else f"({piece.text})"


class Labels:
    """The labels of a graph's nodes, of which no two are the same.

    A name is as Python reads it, ``layers[0].weight``. A result without a name is called by the expression that computes it; where that is
    long, what it is made of is cut; and where that is still long, or is another's label, by its operation and its number, ``tanh₁₂``.

    Parameters
    ----------
    graph : Graph
    number : callable
        Writes an operand that is a number, and returns ``None`` for an array.
    """

    def __init__(self, graph: Graph, number: Callable[[Any], str | None]) -> None:
        self._graph, self._number = graph, number
        self._texts: dict[Node, Text] = {}
        self._short: dict[Node, Text] = {}  # of expressions: with what they are made of left out
        self._constants: dict[int, str] = {}
        self._taken: set[str] = set()
        for node in graph:
            if node.name or node.op is None:
                self._texts[node] = Text(self._named(node.name or graph.id_of(node), graph.id_of(node)))
        self._name_constants()

    def express(self, write: Callable[[Node, Sequence[Text]], Text]) -> None:
        """Find what results without a name are called; `write` writes an operation, from a Node and the texts of its operands."""
        self._write = write
        for node in self._graph:
            if node not in self._texts:
                self._express(node)

    def __getitem__(self, node: Node) -> str:
        """Return the label of a node."""
        return self._texts[node].text

    def within(self, node: Node, least: int = ATOM) -> str:
        """Return the label as it stands in a formula, in brackets where it has to hold together more tightly."""
        return fitted(self._texts[node], least)

    def text(self, node: Node) -> Text:
        """Return the label and how tightly it holds together."""
        return self._texts[node]

    def constant(self, value: Any) -> str:
        """Return the label of an array that no node made."""
        return self._constants[id(value_of(value))]

    def is_expression(self, node: Node) -> bool:
        """Whether the label says how the node is computed."""
        return node in self._short

    def _named(self, name: str, number: str) -> str:
        """Return a name as the code would have it; or as it is, or with a number, if others are called so."""
        return self._first_free(chain((as_written(name), name), _numbered(name, number)))

    def _first_free(self, ways: Iterable[str]) -> str:
        text = next(way for way in map(label, ways) if way not in self._taken)
        self._taken.add(text)
        return text

    def _name_constants(self) -> None:
        for node in self._graph:
            for operand in self._graph.operands(node) if node.op is not None else ():
                if not isinstance(operand, Constant) or self._number(operand.out) is not None:
                    continue
                value = value_of(operand.out)
                if id(value) not in self._constants:
                    own = f"c{len(self._constants)}"
                    self._constants[id(value)] = self._named(operand.name or own, own)

    def _express(self, node: Node) -> None:
        written = self.cut(node, lambda n: self[n])
        if len(written.text) <= LONGEST and written.text not in self._taken:
            self._taken.add(written.text)
            self._texts[node], self._short[node] = written, self._written(node, lambda n: self[n], [0] * len(node.values))
        else:
            assert node.op is not None
            self._texts[node] = Text(self._first_free(_numbered(node.op.name, self._graph.id_of(node))))

    def cut(self, node: Node, name: Callable[[Node], str]) -> Text:
        """Write an operation of what has a `name` and of expressions; of these as much is left out as makes it short, if that can be.

        Returns
        -------
        Text
        """
        left = [2 if p in self._short else 0 for p in node.parents[: len(node.values)]]
        written = self._written(node, name, left)
        if len(written.text) > LONGEST and len(self._written(node, name, [0] * len(left)).text) > LONGEST:
            return written  # nor would it be short
        while len(written.text) > LONGEST and any(left):
            longest = max((i for i, k in enumerate(left) if k), key=lambda i: len(self._operand(node, i, name, left[i]).text))
            left[longest] -= 1
            written = self._written(node, name, left)
        return written

    def _written(self, node: Node, name: Callable[[Node], str], whole: Sequence[int]) -> Text:
        return self._write(node, [self._operand(node, i, name, k) for i, k in enumerate(whole)])

    def _operand(self, node: Node, i: int, name: Callable[[Node], str], whole: int) -> Text:
        """Return an operand: of an expression all, its last operation, or nothing."""
        parent = node.parents[i]
        if parent is None:
            return Text(self._number(node.values[i]) or self.constant(node.values[i]))
        if parent not in self._short:
            return Text(name(parent))
        return (Text(CUT), self._short[parent], self._texts[parent])[whole]


def _numbered(name: str, number: str) -> Iterator[str]:
    """Yield a name with a number that no variable can have: the subscript of the id of a node."""
    while True:
        name += number.lstrip("nc").translate(SUBSCRIPT)
        yield name
