"""Statements that pair with nothing but feed a wrong variable: what they may have been meant to give."""

from __future__ import annotations

import ast
import dataclasses
import functools
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from autograd_np.check.explain.case import Case, Verdict, named_terms, sample_of
from autograd_np.check.explain.diagnose import Diagnosis, diagnosis_of, explain
from autograd_np.check.explain.feeders import Suspect, is_primal
from autograd_np.check.judge.compare import constant_ratio
from autograd_np.check.judge.outcome import Fix, Wrong
from autograd_np.check.watch.calling import flat_names
from autograd_np.check.watch.point import Point
from autograd_np.check.watch.reads import names_read_by
from autograd_np.check.watch.run import Event
from autograd_np.typing import Array

__all__ = ["meant_as_gradient", "stale"]

MOST_TRIALS, MOST_MEANT = 400, 120
"""So many substitutions are tried, and so many of one line."""


Visit = tuple[int, int]
"""The number of a call, and how often it had executed the statement before."""


def _visit(e: Event) -> Visit:
    return e.call.number, e.step.visit


def stale(case: Case, w: Wrong, suspects: Sequence[Suspect]) -> Verdict | None:
    """Look for a forward variable that backward changed before using it."""
    for s in case.budget.within(suspects):
        if len(s.events) != 1 or not _updates(s.place.statement, s.path):
            continue
        fix = Fix(s.place, s.path, None, functools.partial(_as_in_forward, s.path, s.events))
        if all(fix.values and fix.values(point) and case.right_with(fix, w, point) for point in case.points):
            message = f"`{s.path}` is changed here before `{w.name}` uses it: the gradient needs the value forward had"
            return Verdict(s.place, Diagnosis(3, "stale-value", message), fix)
    return None


def _as_in_forward(path: str, events: Sequence[Event], point: Point) -> dict[Visit, Array]:
    """Return what forward had under a variable's name, for each visit; nothing if it had no array."""
    original = {**point.variables, **flat_names(point.inputs)}.get(path)
    if original is None and point.leaf(path.removeprefix("self.")) is not None:
        original = np.asarray(point.leaves[point.traced.program.aliases.get(path.removeprefix("self."), path.removeprefix("self."))].out)
    return {_visit(e): np.asarray(original, float) for e in events} if isinstance(original, (np.ndarray, np.generic)) else {}


def _updates(statement: ast.stmt | None, path: str) -> bool:
    """Whether a statement makes a variable anew out of itself, as an update of weights does."""
    return isinstance(statement, ast.AugAssign) or (statement is not None and path.partition("[")[0] in names_read_by(statement))


def meant_as_gradient(case: Case, w: Wrong, suspects: Sequence[Suspect], before: int, *, explained: bool) -> Verdict | None:
    """Try the gradients of the graph, and their terms, in the place of each unpaired variable; take what cures most.

    Where the wrong line explains itself, a line that looks right is only to blame if it cures more than that one.
    """
    best: tuple[int, Suspect, Meant, float] | None = None
    constants = dict.fromkeys([1.0, w.constant, *case.sizes(case.main).values()])
    off = constant_ratio(w.computed, w.expected, case.session.tolerance)
    blameable = [s for s in suspects if s.events and not is_primal(case, s.events)]
    trials = 0
    families: dict[int, list[Meant]] = {}
    for c, (number, s) in case.budget.within(itertools.product(constants, enumerate(blameable))):
        if c not in (1.0, w.constant) and len(s.events) > 1:
            continue
        if number not in families:
            families[number] = _families(case.main, s.events)
        modest = before - (explained and (s.is_whole or not case.only_adds(w)))
        for meant in case.budget.within(families[number]):
            if trials >= MOST_TRIALS or (best is not None and best[0] == 0):
                break
            values = meant.at(case.main, s.events, c)
            if all(case.close(e.computed, values[_visit(e)]) for e in s.events if _visit(e) in values):
                continue
            trials += 1
            limit = before if off is not None and _off_by(s.events, values, off, case) else modest
            left = case.left_with(_substituted(s, meant, c), w, case.main)
            if left is not None and left < limit and (best is None or left < best[0]):
                best = (left, s, meant, c)
    if best is None:
        return None
    _, s, meant, c = best
    per_point = []
    for point in case.points:
        if not meant.fits(point):
            return None
        remaining = case.left_with(_substituted(s, meant, c), w, point)
        if remaining is None or remaining >= before:
            return None
        per_point.append(meant.at(point, s.events, c))
    return Verdict(s.place, _why_not_gradient(case, w, s, per_point, meant), _substituted(s, meant, c))


def _substituted(s: Suspect, meant: Meant, c: float) -> Fix:
    """Return the fix that puts what was meant in the place of what a line gave."""
    return Fix(s.place, s.path, None, lambda point: meant.at(point, s.events, c))


def _off_by(events: Sequence[Event], values: Mapping[Visit, Array], off: float, case: Case) -> bool:
    """Whether a line is off by the very factor that the wrong variable is off by."""
    ratios = (constant_ratio(e.computed, values[_visit(e)], case.session.tolerance) for e in events if _visit(e) in values)
    return abs(off - 1) > 1e-6 and all(r is not None and abs(r - off) < 1e-6 * abs(off) for r in ratios)


class Meant(NamedTuple):
    """What a line may have been meant to give: the gradients at Nodes, or one term of each.

    Attributes
    ----------
    positions : tuple of int
        A Node for each visit of the line; visits beyond them are left alone.
    term : int or None
        Which term; ``None`` for the whole gradient.
    """

    positions: tuple[int, ...]
    term: int | None

    def fits(self, point: Point) -> bool:
        """Whether a point's graph has these Nodes and terms."""
        nodes = point.graph.nodes
        return max(self.positions) < len(nodes) and (
            self.term is None or all(self.term < len(named_terms(point, nodes[i])) for i in self.positions)
        )

    def at(self, point: Point, events: Sequence[Event], c: float) -> dict[Visit, Array]:
        """Return, for each visit, c times what was meant."""
        nodes = [point.graph.nodes[i] for i in self.positions]
        whole = [point.truth(n) if self.term is None else named_terms(point, n)[self.term][1] for n in nodes]
        return {_visit(e): c * value for e, value in zip(events, whole, strict=False)}


def _why_not_gradient(case: Case, w: Wrong, s: Suspect, per_point: Sequence[dict[Visit, Array]], meant: Meant) -> Diagnosis:
    """Explain why a line does not give the gradients at some positions, which cure what comes after it."""
    session = case.session
    statement = s.place.statement
    samples = []
    seen: list[Event] = []
    for point, values in zip(case.points, per_point, strict=True):
        events = [e for e in case.scan(point).events if (e.place, e.path) == (s.place, s.path)]
        seen = seen or events
        node = point.graph.nodes[meant.positions[0]]
        wrong = [e for e in events if _visit(e) in values and not case.close(e.computed, values[_visit(e)])]
        for e in wrong[:1]:
            variables = session.candidates(e.step, point)
            sample = sample_of(point, node, e.computed, values[_visit(e)], variables, case.sizes(point), 1.0, statement)
            samples.append(sample if meant.term is None else dataclasses.replace(sample, terms=[], others={}))
    own = explain(samples, s.path, session.tolerance) if samples else None
    if statement is not None and seen and (own is None or own.rank > 4):
        meant_first = per_point[0]
        first = next((e for e in seen if _visit(e) in meant_first and not case.close(e.computed, meant_first[_visit(e)])), seen[0])
        for edit in case.edits(s.place, first.step, first.path):
            if (own is not None and edit.rank >= own.rank) or case.late():
                break
            new = session.rerun(edit.body, first, case.main)
            if new is None or _visit(first) not in meant_first or not case.close(new, meant_first[_visit(first)]):
                continue
            if all(case.right_with(Fix(s.place, s.path, edit.body), w, point) for point in case.points):
                return diagnosis_of(edit)
    label = case.points[-1].label(case.points[-1].graph.nodes[meant.positions[0]])
    return own or Diagnosis(
        99, "unknown", f"`{s.path}` is not the gradient that goes into `{label}`, and no single known mistake explains the difference"
    )


def _families(point: Point, events: list[Event]) -> list[Meant]:
    """Return what the visits of a line may have been meant to give, most likely first."""
    wanted = [np.shape(e.computed) for e in events]
    nodes = point.graph.nodes
    shapes = [np.shape(n.out) for n in nodes]
    place = {node: i for i, node in enumerate(nodes) if node in point.gradients}
    variables = [
        [place[n] for n in point.nodes_of(base) if n in place] for base in dict.fromkeys(n.partition("[")[0] for n in point.versions)
    ]
    lines: dict[tuple[str, str], list[int]] = {}
    for node, i in place.items():
        lines.setdefault((node.op.name if node.op else "", node.site or ""), []).append(i)

    def windows(positions: list[int], count: int) -> Iterator[tuple[int, ...]]:
        if not {shapes[i] for i in positions} >= {*wanted[:count]}:
            return
        for stride in range(1, max(len(positions) // count, 1) + 1):
            for start in range(len(positions) - (count - 1) * stride):
                window = range(start, start + (count - 1) * stride + 1, stride)
                for order in (window[::-1], window):
                    if all(shapes[positions[k]] == shape for k, shape in zip(order, wanted, strict=False)):
                        yield tuple(positions[k] for k in order)

    def likely() -> Iterator[Meant]:
        for groups in (variables, list(lines.values())):
            for positions in groups:
                yield from (Meant(w, None) for w in windows(positions, len(events)))
        for count in dict.fromkeys((len(events), max(len(events) - 1, 1))):  # the last step of a loop often leads nowhere
            for positions in variables:
                for window in windows(positions, count):
                    terms = min(len(named_terms(point, nodes[i])) for i in window)
                    yield from (Meant(window, j) for j in range(terms))
                    if count < len(events):
                        yield Meant(window, None)

    found: dict[Meant, None] = {}
    for meant in likely():
        found[meant] = None
        if len(found) >= MOST_MEANT:
            break
    return list(found)
