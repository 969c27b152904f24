"""Forward as expressions at the points of a check, and the gradients of its variables, written in the names that a statement can read."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd_np.check.judge.compare import constant_ratio
from autograd_np.check.judge.session import Session
from autograd_np.check.watch.forward import trace_point
from autograd_np.check.watch.point import Point, Traced
from autograd_np.check.watch.run import Event, Step
from autograd_np.check.watch.state import leaves_in, spelled
from autograd_np.derivations.expression import Expression, Sheet, walked
from autograd_np.derivations.reading.lockstep import Lockstep
from autograd_np.derivations.reading.points import isomorphic
from autograd_np.derivations.reading.recording import Number, Recording
from autograd_np.errors import AutogradError
from autograd_np.graph import Graph
from autograd_np.node import Node

__all__ = ["NEAR", "Formulas", "Sight", "is_short"]

MOST_NODES, MOST_NUMBERS = 400, 200_000
"""A forward of more operations, or of more numbers in all their results, is not derived: what it takes grows with them."""

MOST_POINTS = 3

NEAR = 1e-9
"""To this, relatively, an array that a statement can read is one that forward computed."""


def is_short(point: Point) -> bool:
    """Whether what forward computes is little enough to be derived."""
    nodes = point.graph.nodes
    return len(nodes) <= MOST_NODES and sum(np.size(n.out) for n in nodes) <= MOST_NUMBERS


class Formulas:
    """What forward computes, as expressions whose values are those at several points.

    Attributes
    ----------
    points : list of Point
        Those at which forward does the same operations as at the first.
    rows : list of (Expression, tuple of Node)
        The inputs and operations, and the Nodes that they are at the points.
    loss : Expression
        What is differentiated.
    recording : Recording
    """

    def __init__(self, session: Session, points: Sequence[Point]) -> None:
        main = points[0]
        self.session = session
        self.points = [p for p in points if p is main or isomorphic(main.graph, p.graph)][:MOST_POINTS]
        self.sheet = Sheet(len(self.points))
        self.recording = Recording(session.program.forward, self.sheet)
        self.upstream: list[Expression] = []
        self.rows: list[tuple[Expression, tuple[Node, ...]]] = []
        self._read()

    def _read(self) -> None:
        seen = [_seen_anew(self.session, p) for p in self.points]
        together = Lockstep(self.sheet)
        own = [[n for n in p.graph.nodes if n.op is not None] for p in self.points]
        for name in self.points[0].leaves:
            nodes = tuple(p.leaves[name] for p in self.points)
            e = self.sheet.variable(f"{name} of forward", [np.asarray(n.out) for n in nodes])
            together.know([s.leaves[name] for s in seen], e)
            self.recording.inputs[e.name or name] = e
            self.rows.append((e, nodes))
        for name in seen[0].leaves:  # what the loss does not depend on
            if name not in self.points[0].leaves:
                together.know([s.leaves[name] for s in seen], self.sheet.array([np.asarray(s.leaves[name].out) for s in seen]))
        numbers = itertools.count()
        for nodes in zip(*(s.nodes for s in seen), strict=True):
            if nodes[0] in together.of_node[0]:
                continue
            e = together.add(nodes)
            if nodes[0].op is None:
                continue
            self.recording.steps.append(e)
            if nodes[0] in seen[0].flowing:
                i = next(numbers)
                self.rows.append((e, tuple(nodes_of[i] for nodes_of in own)))
        terms = [self._term(position, together.of_node[0][root]) for position, root in seen[0].roots.items()]
        self.loss = terms[0]
        for term in terms[1:]:
            self.loss = self.sheet.call(np.add, self.loss, term)
        self.recording.outputs = [self.loss]

    def _term(self, position: int | str, e: Expression) -> Expression:
        """Return the share of an output in what is differentiated."""
        seeds = [p.cotangents[position] for p in self.points]
        if all(np.all(s == 1) for s in seeds) and all(np.size(v) == 1 for v in e.values):
            return e if e.ndim == 0 else self.sheet.call(np.sum, e)
        given = self.sheet.variable(f"gradient at {position}", seeds, flows=True)
        self.upstream.append(given)
        product = self.sheet.call(np.multiply, e, given)
        return product if e.ndim == 0 else self.sheet.call(np.sum, product)

    def of(self, node: Node) -> Expression | None:
        """Return what a Node of the first point is."""
        return next((e for e, nodes in self.rows if nodes[0] is node), None)

    def exact(self, c: float, point: Point) -> float:
        """Return the number of the user's that a multiple is, or one over it; the multiple itself if it is none."""
        sizes = self.session.numbers(point)
        return next((n for n in (1.0, *sizes, *(1 / n for n in sizes)) if abs(c - n) < 1e-6 * n), c)

    def gradients(self) -> Iterator[tuple[Expression, list[Any]]]:
        """Yield the expressions and their gradients at the points."""
        for e, nodes in self.rows:
            if all(n in p.gradients for p, n in zip(self.points, nodes, strict=True)):
                yield e, [p.truth(n) for p, n in zip(self.points, nodes, strict=True)]


class _Seen(NamedTuple):
    """A run of forward: its Nodes in order, the operations that gradients go through, the inputs, and what is differentiated."""

    nodes: list[Node]
    flowing: dict[Node, None]
    leaves: dict[str, Node]
    roots: dict[int | str, Node]


def _seen_anew(session: Session, point: Point) -> _Seen:
    """Record forward once more, with what needs no gradient, such as masks; as it was recorded before, where that is refused."""
    try:
        traced = trace_point(session.program, point.inputs, point.traced.instead, keeps_all=True)
        found = _seen(traced, point)
        if [n.op for n in found.flowing] == [n.op for n in point.graph.nodes if n.op is not None]:
            return found
    except (AutogradError, KeyError):
        pass
    return _seen(point.traced, point)


def _seen(traced: Traced, point: Point) -> _Seen:
    outputs = [*traced.outputs, *([traced.scalar] if traced.scalar is not None else [])]
    roots = {o.position: o.node for o in outputs if o.position in point.cotangents}
    nodes = list(Graph(list(roots.values())).nodes)
    flowing = set(roots.values())
    for n in reversed(nodes):
        if n in flowing:
            flowing.update(p for p in n.parents if p is not None and p.needs)
    return _Seen(nodes, dict.fromkeys(n for n in nodes if n in flowing and n.op is not None), dict(traced.leaves), roots)


class Sight:
    """What a statement can read, where it stands, at each of the points.

    Parameters
    ----------
    formulas : Formulas
    steps : sequence of Step
        Its execution at each point.
    events : sequence of (sequence of Event)
        All that happened at each point.
    """

    def __init__(self, formulas: Formulas, steps: Sequence[Step], events: Sequence[Sequence[Event]]) -> None:
        self.formulas = formulas
        self.step = steps[0]
        seen = [_readable(formulas.session, s, e) for s, e in zip(steps, events, strict=True)]
        own = ast.unparse(self.step.place.statement) if self.step.place.statement is not None else ""
        texts = [t for t in seen[0] if all(t in others for others in seen[1:])]
        texts.sort(key=lambda t: (t not in own, not t.isidentifier(), len(t)))
        self.values = {t: [others[t] for others in seen] for t in texts}
        self.numbers = [Number(t, tuple(v), None) for t, v in self.values.items() if all(type(x) in (int, float) for x in v)]
        self.names: dict[Expression, str] = {}
        self.given: dict[Expression, Expression] = {}
        self._find()

    def _find(self) -> None:
        """Find what forward computed, and the gradients, among what can be read."""
        by_shape: dict[tuple[int, ...], list[Expression]] = {}
        every = walked([self.formulas.loss, *(e for e, _ in self.formulas.rows)])
        upstream = set(self.formulas.upstream)
        for e in [*every, *self.formulas.upstream]:
            if e.kind != "number" and not isinstance(e.values[0], tuple) and hasattr(e.values[0], "shape"):
                by_shape.setdefault(e.shape, []).append(e)
        gradients: dict[tuple[int, ...], list[tuple[Expression, list[Any]]]] = {}
        for e, truth in self.formulas.gradients():
            gradients.setdefault(np.shape(truth[0]), []).append((e, truth))
        for text, values in self.values.items():
            if any(type(v) in (int, bool) for v in values):
                continue
            shape = np.shape(values[0])
            found = [e for e in by_shape.get(shape, ()) if all(map(_equal, values, e.values))]
            for e in found:
                self.names.setdefault(e, text)
            if not upstream.issuperset(found) or any(np.asarray(v).dtype.kind != "f" for v in values):
                continue
            for e, truth in gradients.get(shape, ()):
                multiples = self._multiples(values, truth) if e not in self.given else None
                if multiples is not None:
                    self.given[e] = self._leaf(text, values, multiples)

    def _multiples(self, values: Sequence[Any], truth: Sequence[Any]) -> list[float] | None:
        """Return which multiple of a gradient an array is at each point, if those are numbers that a line can have."""
        found = []
        for value, t, point in zip(values, truth, self.formulas.points, strict=True):
            c = constant_ratio(np.asarray(value), t, self.formulas.session.tolerance)
            if c is None or (np.ndim(t) == 0 and abs(c - 1) > NEAR):
                return None
            found.append(self.formulas.exact(c, point))
        usual = len(found) == 1 or all(abs(c - found[0]) < 1e-9 for c in found) or tuple(found) in self._counts()
        return found if usual else None

    def _counts(self) -> set[tuple[float, ...]]:
        named = {tuple(map(float, n.values)) for n in self.numbers}
        arrays = [v for v in self.values.values() if all(isinstance(x, np.ndarray) for x in v)]
        lengths = {tuple(map(float, n)) for v in arrays for n in zip(*(x.shape for x in v), strict=False)}
        lengths |= {tuple(float(x.size) for x in v) for v in arrays}
        return named | lengths | {tuple(1 / n if n else 0.0 for n in some) for some in named | lengths}

    def _leaf(self, text: str, values: Sequence[Any], multiples: Sequence[float]) -> Expression:
        sheet = self.formulas.sheet
        leaf = sheet.variable(text, [np.asarray(v) for v in values], flows=True)
        return leaf if all(c == 1 for c in multiples) else sheet.call(np.divide, leaf, sheet.number(*multiples))


def _equal(a: Any, b: Any) -> bool:
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape or (a.dtype.kind == "f") != (b.dtype.kind == "f"):
        return False
    return bool(np.allclose(a, b, rtol=NEAR, atol=0.0)) if a.dtype.kind == "f" else bool(np.array_equal(a, b))


def _readable(session: Session, step: Step, events: Sequence[Event]) -> dict[str, Any]:
    """Return the arrays and numbers that a statement can read, by how they are written."""
    found: dict[str, Any] = {}
    for holder in session.program.functions.holders(step.call.function)[:1]:
        names = step.call.function.code.co_names
        found |= {n: x for n in names if type(x := holder.__globals__.get(n)) in (int, float)}
    places = _loop_variables(step)
    for name, value in step.before.items():
        if name.startswith("."):
            continue
        for path, x in leaves_in(value, (name,), set()):
            if isinstance(x, (np.ndarray, np.generic, float)) or type(x) is int:
                text = _with_variables(path, places)
                found[text] = x
                if isinstance(x, np.ndarray) and x.ndim > 1:
                    for variable, i in places.items():
                        found |= {f"{text}[{':, ' * axis}{variable}]": x[(slice(None),) * axis + (i,)] for axis in _axes(x, i)}
    mine = [e for e in events if e.call.number == step.call.number and ("[" in e.path or "." in e.path)]
    for e in mine:  # a container is the same object before and after
        if e.step.number >= step.number:
            found.pop(e.path, None)
    return found | {e.path: e.value for e in mine if e.step.number < step.number and e.path in found}


def _axes(x: Any, i: int) -> list[int]:
    return [axis for axis in range(x.ndim) if 0 <= i < x.shape[axis]]


def _loop_variables(step: Step) -> dict[str, int]:
    """Return the counters of the loops that a statement stands in."""
    here = step.place.statement
    if here is None:
        return {}
    loops = [s for s in step.call.function.statements if isinstance(s, ast.For) and any(n is here for n in ast.walk(s))]
    names = [n.id for s in loops for n in ast.walk(s.target) if isinstance(n, ast.Name)]
    return {n: step.before[n] for n in names if type(step.before.get(n)) is int}


def _with_variables(path: tuple[Any, ...], places: Mapping[str, int]) -> str:
    """Spell a path, with the counter of a loop in the place of a number next to it."""
    text = spelled(path)
    for key in path[1:]:
        for name, i in places.items():
            if type(key) is int and abs(key - i) <= 1:
                by = "" if key == i else " - 1" if key < i else " + 1"
                return text.replace(f"[{key}]", f"[{name}{by}]", 1)
    return text
