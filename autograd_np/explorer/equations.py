"""The equations of the derivation beside the steps: what a line computes, and what its gradient is, as MathML."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator
from typing import Any

import numpy as np

from autograd_np import errors
from autograd_np.derivations.derivation import Derived
from autograd_np.derivations.expression import Expression
from autograd_np.derivations.mathematics.lesson import Lesson, Line
from autograd_np.derivations.mathematics.mathml import mathml
from autograd_np.derivations.mathematics.pages import equation_in_mathml
from autograd_np.derivations.reading.recording import Recording, record, recorded
from autograd_np.graph import Graph
from autograd_np.node import Node
from autograd_np.render.frames import as_written

__all__ = ["Equations"]

MOST = 1_200
"""Deriving a graph of more nodes takes longer than a reader waits."""
SIMPLIFIED = 300
"""In graphs of more nodes, equations are left as the chain rule gives them."""
ROOM = 34.0
"""How many letters of an equation there is room for beside each other."""
WIDEST = 60
"""An equation of more operations is not read by anybody."""
LONGEST = 200
"""A longer name is no symbol that anybody reads."""


class Equations:
    """The lesson of a graph, by its Nodes.

    Parameters
    ----------
    graph : Graph
    """

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._of: dict[Node, Expression] = {}
        self._plain: Lesson | None = None  # as it is written: every variable that a gradient passes has its chain rule
        self._simplified: Lesson | None = None
        self._written: dict[tuple[Expression, bool], dict[str, Any]] = {}
        if len(graph) > MOST or any(len(node.name or "") > LONGEST for node in graph):
            return
        if len(graph) > SIMPLIFIED and not any(node.name for node in graph if node.op is not None):
            return  # equations are of variables
        for recording in _readings(graph):
            if [n.op for n, _ in recording.nodes] != [n.op for n in graph]:
                continue
            self._of = dict(zip(graph, (e for _, e in recording.nodes), strict=True))
            places = _places(recording)
            self._plain = _lesson(recording, places, plain=True)
            self._simplified = _lesson(recording, places, plain=False) if len(graph) <= SIMPLIFIED else None
            if self:
                return

    def again(self, graph: Graph) -> Equations:
        """Return those of the same function with other numbers: equations know no numbers, only sizes."""
        same = graph.made_by is not None and self._graph.made_by is not None and graph.made_by[0] is self._graph.made_by[0]
        if not same or [(n.op, np.shape(n.out)) for n in graph] != [(n.op, np.shape(n.out)) for n in self._graph]:
            return Equations(graph)
        found = copy.copy(self)
        found._graph = graph
        found._of = {new: self._of[old] for new, old in zip(graph, self._graph, strict=True) if old in self._of}
        return found

    def __bool__(self) -> bool:
        return self._lesson is not None

    @property
    def _lesson(self) -> Lesson | None:
        return self._simplified or self._plain

    def left_out(self) -> str:
        """Say what is not there because the graph is large, and how it is got; nothing if all is there."""
        size = len(self._graph)
        if size > MOST:
            there, why = "There are no equations on this page", f"the graph has {size:,} nodes, more than {MOST:,}"
        elif self and size > SIMPLIFIED:
            there, why = "Equations are not simplified on this page", f"the graph has {size:,} nodes, more than {SIMPLIFIED:,}"
        else:
            return ""
        return f"{there}: {why}. To have them, explore a part of it, such as one layer; or call ag.derive, which takes its time."

    def sizes(self) -> list[tuple[str, str]]:
        """Return the letters for sizes in the equations, and what each is in the code."""
        told = self._lesson.sizes.explained() if self._lesson is not None else []
        return [(_braced(f"<math>{mathml(letter)}</math>"), text) for letter, text in told]

    def has(self, node: Node) -> bool:
        """Whether a node is a variable of the derivation that forward computes."""
        e = self._of.get(node)
        return e is not None and e.op is not None and self._lesson is not None and e in self._lesson.forward_names

    def forward(self, node: Node) -> dict[str, Any]:
        """Return the equation that computes a variable, ``math``, as JSON can hold it; nothing if there is none."""
        return self._once(self._of[node], False) if self.has(node) else {}

    def gradient(self, node: Node) -> dict[str, Any]:
        """Return the chain rule for the gradient at a variable, ``math``, and what it simplifies to where that is another, ``simpler``."""
        e = self._of.get(node)
        return {} if e is None else self._once(e, True)

    def _once(self, e: Expression, gradient: bool) -> dict[str, Any]:
        """Write an equation when it is first asked for."""
        if (e, gradient) not in self._written:
            self._written[e, gradient] = self._gradient(e) if gradient else self._forward(e)
        return self._written[e, gradient]

    def _forward(self, e: Expression) -> dict[str, Any]:
        lesson = self._lesson
        return {"math": _tree(lesson.computation_of(e))} if lesson is not None and not lesson.is_long(e, WIDEST) else {}

    def _gradient(self, e: Expression) -> dict[str, Any]:
        plain, simplified = (
            lesson.gradient_of(e) if lesson is not None and not lesson.is_long(e, WIDEST) else None
            for lesson in (self._plain, self._simplified)
        )
        if plain is None or simplified is None:
            line = plain or simplified
            return {} if line is None else {"math": _tree(line)}
        short = simplified._replace(right=simplified.right[-1:])
        same = mathml(short.right[0]) in {mathml(side) for side in plain.right} or simplified == plain
        return {"math": _tree(plain)} | ({} if same else {"simpler": _tree(short)})


_FAILURES = (errors.AutogradError, ValueError, TypeError, ArithmeticError, LookupError)
"""What a function that draws, or runs at one size only, makes of being run again: then there are no equations."""


def _readings(graph: Graph) -> Iterator[Recording]:
    """Yield the function as it was recorded with other sizes, which then have letters, and the graph as it is."""
    if graph.made_by is not None:
        with contextlib.suppress(*_FAILURES):
            yield record(*graph.made_by)
    with contextlib.suppress(*_FAILURES):
        yield recorded(graph)


def _places(recording: Recording) -> dict[str, tuple[str, str]]:
    """Return, for the parameters of modules, what they are called there and where that is, without what all have in common."""
    paths = {e.name: n.name.rpartition(".") for n, e in recording.nodes if n.op is None and n.name and e.name and "." in n.name}
    modules = [module.split(".") for module, _, name in paths.values() if name.isidentifier()]
    common = 0
    while modules and all(len(words) > common + 1 and words[common] == modules[0][common] for words in modules):
        common += 1
    common = 0 if modules and modules[0][common].isdecimal() else common
    return {
        variable: (name, as_written(".".join(module.split(".")[common:])))
        for variable, (module, _, name) in paths.items()
        if name.isidentifier()
    }


def _lesson(recording: Recording, places: dict[str, tuple[str, str]], *, plain: bool) -> Lesson | None:
    """Return the lesson of the simplified derivation, or of one that leaves everything as it is written and so passes every variable."""
    try:
        return Lesson(Derived(recording, plain=plain, lines=False), places=places)
    except _FAILURES:
        return None


def _tree(line: Line) -> str:
    return _braced(equation_in_mathml(line, ROOM))


def _braced(element: str) -> str:
    """Return MathML as the page reads it: with braces in the place of its brackets, which JSON in a page would have to write out.

    There are a hundred thousand elements in a page: as lists of lists they took longer to make and to read than all else.
    """
    return element.replace("{", "&#123;").replace("}", "&#125;").replace("<", "{").replace(">", "}")
