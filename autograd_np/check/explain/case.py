"""What is known while mistakes are looked for: the points, the lines fixed so far, and whether one more fix cures a variable."""

from __future__ import annotations

import ast
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd_np.check.explain.diagnose import Diagnosis, Sample
from autograd_np.check.explain.edits.catalogue import Edit, edits_of
from autograd_np.check.explain.vocabulary import sizes_of
from autograd_np.check.judge.compare import close
from autograd_np.check.judge.outcome import Fix, Key, Outcome, Wrong
from autograd_np.check.judge.scan import scan
from autograd_np.check.judge.session import Session
from autograd_np.check.watch.calling import flat_names
from autograd_np.check.watch.forward import Point
from autograd_np.check.watch.run import Event
from autograd_np.node import Node
from autograd_np.typing import Array

__all__ = ["Case", "Verdict", "sample_of"]

SECONDS = 3.2
"""How long explanations may be looked for."""


class Verdict(NamedTuple):
    """Where the mistake is, what it is, and how to go on as if it were not there."""

    line: int
    diagnosis: Diagnosis
    fix: Fix | None = None


class Case:
    """The points of a session on which backward is wrong, and what has been found out so far.

    Attributes
    ----------
    fixes : list of Fix
        Mistaken lines that are now run as if they were right.
    corrected : dict
        Which multiple of the gradient an intermediate should be.
    """

    def __init__(self, session: Session, points: Sequence[Point]) -> None:
        self.session = session
        self.points = list(points)
        self.fixes: list[Fix] = []
        self.corrected: Mapping[Key, float] = {}
        self.deadline = time.perf_counter() + SECONDS
        self._sizes: dict[int, dict[str, float]] = {}

    @property
    def main(self) -> Point:
        """The point whose order of execution is reported."""
        return self.points[0]

    def late(self) -> bool:
        """Whether the time for explanations is over."""
        return time.perf_counter() > self.deadline

    def scan(self, point: Point, *more: Fix, corrected: Mapping[Key, float] | None = None) -> Outcome:
        """Scan a point with the fixes so far and `more`."""
        return scan(self.session, point, [*self.fixes, *more], self.corrected if corrected is None else corrected)

    def close(self, a: Any, b: Any, point: Point) -> bool:
        """Whether two arrays are equal to the tolerance of the check."""
        return close(a, b, self.session.tolerance, point.scale)

    def sizes(self, point: Point) -> dict[str, float]:
        """Return the numbers a scale may be made of."""
        if id(point) not in self._sizes:
            self._sizes[id(point)] = sizes_of(self.session, point)
        return self._sizes[id(point)]

    def edits(self, statement: ast.stmt, e: Event) -> list[Edit]:
        """Return the edits of a statement, with the values of an event that it gave at the main point."""
        session, point = self.session, self.main
        return edits_of(statement, e.path, session.scope(e, point), session.candidates(e, point), self.sizes(point))

    def right_with(self, fix: Fix, w: Wrong, point: Point) -> bool:
        """Whether a fix cures a wrong variable."""
        return self.left_with(fix, w, point) is not None

    def left_with(self, fix: Fix, w: Wrong, point: Point) -> int | None:
        """Return how many lines stay wrong with a fix, or ``None`` if the one in question does."""
        out = scan(self.session, point, [*self.fixes, fix], self.corrected, until=w.key)
        return None if out.broken or any(x.key == w.key for x in out.wrong) else len(out.wrong_lines())

    def helps(self, fix: Fix, w: Wrong, before: int) -> bool:
        """Whether a fix cures a variable on every point, and leaves fewer lines wrong than `before`."""
        lefts = (self.left_with(fix, w, point) for point in self.points)
        return all(left is not None and left < before for left in lefts)

    def chain_lines(self, w: Wrong, out: Outcome) -> list[int]:
        """Return the lines that build the wrong value."""
        if w.event is None:
            return [w.line]
        mine: list[int] = []
        ends = self.session.structure(self.main)
        for e in out.events:
            if e.path == w.name:
                mine.append(e.line)
                key = ends.get((e.line, e.path, e.visit))
                if key == w.key:
                    break
                if key is not None:
                    mine = []
        return list(dict.fromkeys(mine)) or [w.line]

    def only_adds(self, w: Wrong) -> bool:
        """Whether a wrong line computes nothing of its own: a sum of variables."""
        statement = self.session.source.statement(w.line)
        value = getattr(statement, "value", None)
        return isinstance(value, (ast.Name, ast.BinOp)) and all(
            isinstance(n, (ast.Name, ast.BinOp, ast.Add, ast.Sub, ast.Load)) for n in ast.walk(value)
        )

    def matching(self, w: Wrong, point: Point) -> Wrong | None:
        """Return the same wrong variable as it is at another point."""
        if point is self.main:
            return w
        return next((other for other in self.scan(point).wrong if other.key == w.key), None)

    def samples(self, w: Wrong) -> list[Sample]:
        """Return a wrong variable's samples on every point where it is wrong."""
        matches = ((self.matching(w, point), point) for point in self.points)
        return [self.sample(x, point, x.computed, x.expected) for x, point in matches if x is not None]

    def sample(self, w: Wrong, point: Point, actual: Array, expected: Array) -> Sample:
        """Return what explanations start from, for (a share of) a wrong variable."""
        e = w.event
        variables = self.session.candidates(e, point) if e is not None else {**point.variables, **flat_names(point.inputs)}
        statement = self.session.source.statement(w.line)
        return sample_of(point, w.node, actual, expected, variables, self.sizes(point), w.constant, statement)


def sample_of(
    point: Point,
    node: Node,
    actual: Array,
    expected: Array,
    variables: Mapping[str, Any],
    sizes: Mapping[str, float],
    constant: float = 1.0,
    statement: ast.stmt | None = None,
) -> Sample:
    """Return what explanations start from, for an array that should be a multiple of the gradient at a Node."""
    terms = [(name, constant * term) for name, term in point.terms(node)]
    return Sample(
        np.asarray(actual, float),
        np.asarray(expected, float),
        terms,
        variables,
        sizes,
        point.scale,
        _neighbours(point, node, constant),
        {n for x in ast.walk(statement) if isinstance(x, ast.BinOp) and isinstance(x.op, ast.Div) for n in names_under(x.right)}
        if statement is not None
        else (),
    )


def names_under(node: ast.AST) -> set[str]:
    """Return the variables an expression or statement names."""
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}


def _neighbours(point: Point, node: Node, constant: float) -> dict[str, Array]:
    """Return the gradients of other named variables of the same shape: "after" is nearer the loss."""
    found: dict[str, Array] = {}
    above = point.ancestors(node)
    for name, nodes in point.versions.items():
        for other in nodes:
            if other is not node and other in point.gradients and np.shape(other.out) == np.shape(node.out):
                side = "before" if other in above else "after" if other.index > node.index and node in point.ancestors(other) else "beside"
                found.setdefault(f"{side} {name}", constant * point.truth(other))
    return found
