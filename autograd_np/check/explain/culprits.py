"""Lines that pair with nothing but feed a wrong variable, where the mistake may be."""

from __future__ import annotations

import ast
import dataclasses
import functools
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from autograd_np.check.explain.case import Case, Verdict, sample_of
from autograd_np.check.explain.diagnose import Diagnosis, diagnosis_of, explain
from autograd_np.check.judge.chains import names_in_text, names_read, names_read_by
from autograd_np.check.judge.compare import close, constant_ratio
from autograd_np.check.judge.outcome import Fix, Outcome, Wrong
from autograd_np.check.watch.calling import flat_names
from autograd_np.check.watch.forward import Point
from autograd_np.check.watch.run import Event
from autograd_np.node import Node
from autograd_np.typing import Array

__all__ = ["Suspect", "edited_elsewhere", "meant_as_gradient", "stale", "suspects_of"]


class Suspect(NamedTuple):
    """An unpaired line that feeds a wrong variable.

    Attributes
    ----------
    line : int
    path : str
        The variable it sets.
    looks_right : bool
        Whether its value is some gradient of the graph or a term of one, or what forward had.
    is_whole : bool
        Whether its value is a whole gradient.
    events : list of Event
    """

    line: int
    path: str
    looks_right: bool
    is_whole: bool
    events: list[Event]


def edited_elsewhere(case: Case, w: Wrong, suspects: Sequence[Suspect], before: int, limit: float = 99) -> Verdict | None:
    """Look for an edit of an unpaired line, simpler than `limit`, that cures the wrong one."""
    tried = []
    for s in suspects:
        statement = case.session.source.statement(s.line)
        if statement is not None and not s.looks_right:
            tried += [(edit, s) for edit in case.edits(statement, s.events[0])]
    for edit, s in sorted(tried, key=lambda pair: pair[0].rank):
        if case.late() or edit.rank >= limit:
            return None
        fix = Fix(s.line, s.path, edit.body)
        if case.helps(fix, w, before):
            return Verdict(s.line, diagnosis_of(edit), fix)
    return None


def suspects_of(case: Case, w: Wrong, out: Outcome) -> list[Suspect]:
    """Return the unpaired lines that feed the wrong variable, in execution order."""
    session, point = case.session, case.main
    wanted = names_read(session.source, case.chain_lines(w, out)) if w.event is not None else names_in_text(w.name, session.source, w.line)
    found: list[tuple[int, str]] = []
    last = w.event.number if w.event is not None else len(out.events)
    for e in reversed([e for e in out.events if e.number < last]):
        base = e.path.partition("[")[0]
        if base not in wanted:
            continue
        paired = session.pairing.of_event(e, point)
        if paired is not None and point.nodes_of(paired):
            if any(path == e.path for path, _ in out.kept):
                wanted |= names_read(session.source, [e.line])
            continue
        wanted |= names_read(session.source, [e.line])
        if (e.line, e.path) not in found:
            found.append((e.line, e.path))
    off = constant_ratio(w.computed, w.expected, session.tolerance, point.scale)
    events = {s: [e for e in out.events if (e.line, e.path) == s] for s in found[:10]}
    events = dict(sorted(events.items(), key=lambda item: item[1][0].number))
    return [_suspect(case, line, path, seen, off) for (line, path), seen in events.items()]


def _suspect(case: Case, line: int, path: str, events: list[Event], off: float | None) -> Suspect:
    is_whole = all(_is_gradient(case, e.computed, off) for e in events)
    looks_right = is_whole or _is_primal(case.main, events) or all(_is_term(case, e.computed) for e in events)
    return Suspect(line, path, looks_right, is_whole, events)


def _is_primal(point: Point, events: Sequence[Event]) -> bool:
    """Whether a line only recomputes what forward had, under whatever name."""
    forward = {**point.variables, **flat_names(point.inputs)}
    primals = [v for v in forward.values() if isinstance(v, (np.ndarray, np.generic)) and np.size(v) > 1]
    return any(all(close(e.computed, v, 1e-12) for e in events) for v in primals)


def _is_term(case: Case, value: Array) -> bool:
    """Whether a value is one of the terms of some gradient."""
    point = case.main
    terms = (t for node in point.gradients if np.shape(node.out) == np.shape(value) for _, t in _named_terms(point, node))
    return not np.any(value) or any(case.close(value, t, point) for t in terms)


def _is_gradient(case: Case, value: Array, off: float | None) -> bool:
    """Whether a value is a multiple of some gradient, but not the multiple by which the wrong variable is off."""
    point = case.main
    return not np.any(value) or any(
        np.shape(node.out) == np.shape(value) and case.close(value, c * point.truth(node), point)
        for node in point.gradients
        for c in {1.0, *(n for n in case.sizes(point).values() if n > 1)}
        if off is None or c == 1.0 or abs(c - off) > 1e-6
    )


def stale(case: Case, w: Wrong, suspects: Sequence[Suspect]) -> Verdict | None:
    """Look for a forward variable that backward changed before using it."""
    for line, path, _, _, events in suspects:
        if len(events) > 1 or not _updates(case.session.source.statement(line), path):
            continue
        fix = Fix(line, path, None, functools.partial(_as_in_forward, path, events))
        if all(fix.values and fix.values(point) and case.right_with(fix, w, point) for point in case.points):
            message = f"`{path}` is changed here before `{w.name}` uses it: the gradient needs the value forward had"
            return Verdict(line, Diagnosis(3, "stale-value", message), fix)
    return None


def _as_in_forward(path: str, events: Sequence[Event], point: Point) -> dict[int, Array]:
    """Return what forward had under a variable's name, for each visit; nothing if it had no array."""
    original = {**point.variables, **flat_names(point.inputs)}.get(path)
    return {e.visit: np.asarray(original, float) for e in events} if isinstance(original, (np.ndarray, np.generic)) else {}


def _updates(statement: ast.stmt | None, path: str) -> bool:
    """Whether a statement makes a variable anew out of itself, as an update of weights does."""
    return isinstance(statement, ast.AugAssign) or (statement is not None and path.partition("[")[0] in names_read_by(statement))


def meant_as_gradient(case: Case, w: Wrong, suspects: Sequence[Suspect], before: int, *, explained: bool) -> Verdict | None:
    """Try the gradients of the graph, and their terms, in the place of each unpaired variable; take what cures most.

    Where the wrong line explains itself, a line that looks right is only to blame if it cures more than that one.
    """
    best: tuple[int, Suspect, Meant, float] | None = None
    constants = dict.fromkeys([1.0, w.constant, *case.sizes(case.main).values()])
    off = constant_ratio(w.computed, w.expected, case.session.tolerance, case.main.scale)
    blameable = [s for s in suspects if not _is_primal(case.main, s.events)]
    for c, s in itertools.product(constants, blameable):
        if c not in (1.0, w.constant) and len(s.events) > 1:
            continue
        modest = before - (explained and (s.is_whole or not case.only_adds(w)))
        for meant in _families(case.main, s.events):
            if case.late() or (best is not None and best[0] == 0):
                break
            values = meant.at(case.main, s.events, c)
            if all(case.close(e.computed, values[e.visit], case.main) for e in s.events if e.visit in values):
                continue
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
    return Verdict(s.line, _why_not_gradient(case, w, s, per_point, meant), _substituted(s, meant, c))


def _substituted(s: Suspect, meant: Meant, c: float) -> Fix:
    """Return the fix that puts what was meant in the place of what a line gave."""
    return Fix(s.line, s.path, None, lambda point: meant.at(point, s.events, c))


def _off_by(events: Sequence[Event], values: Mapping[int, Array], off: float, case: Case) -> bool:
    """Whether a line is off by the very factor that the wrong variable is off by."""
    ratios = (constant_ratio(e.computed, values[e.visit], case.session.tolerance, case.main.scale) for e in events if e.visit in values)
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
            self.term is None or all(self.term < len(_named_terms(point, nodes[i])) for i in self.positions)
        )

    def at(self, point: Point, events: Sequence[Event], c: float) -> dict[int, Array]:
        """Return, for each visit, c times what was meant."""
        nodes = [point.graph.nodes[i] for i in self.positions]
        whole = [point.truth(n) if self.term is None else _named_terms(point, n)[self.term][1] for n in nodes]
        return {e.visit: c * value for e, value in zip(events, whole, strict=False)}


def _named_terms(point: Point, node: Node) -> list[tuple[str, Array]]:
    """Return the terms of a gradient if there are a few; of one term it is the whole."""
    terms = point.terms(node) if node.name is not None else []
    return list(terms) if 2 <= len(terms) <= 5 else []


def _why_not_gradient(case: Case, w: Wrong, s: Suspect, per_point: Sequence[dict[int, Array]], meant: Meant) -> Diagnosis:
    """Explain why a line does not give the gradients at some positions, which cure what comes after it."""
    session = case.session
    statement = session.source.statement(s.line)
    samples = []
    seen: list[Event] = []
    for point, values in zip(case.points, per_point, strict=True):
        events = [e for e in case.scan(point).events if (e.line, e.path) == (s.line, s.path)]
        seen = seen or events
        node = point.graph.nodes[meant.positions[0]]
        wrong = [e for e in events if e.visit in values and not case.close(e.computed, values[e.visit], point)]
        for e in wrong[:1]:
            sample = sample_of(point, node, e.computed, values[e.visit], session.candidates(e, point), case.sizes(point), 1.0, statement)
            samples.append(sample if meant.term is None else dataclasses.replace(sample, terms=[], others={}))
    own = explain(samples, s.path, session.tolerance)
    if statement is not None and (own is None or own.rank > 4):
        meant_first = per_point[0]
        first = next((e for e in seen if e.visit in meant_first and not case.close(e.computed, meant_first[e.visit], case.main)), seen[0])
        for edit in case.edits(statement, first):
            if (own is not None and edit.rank >= own.rank) or case.late():
                break
            new = session.rerun(edit.body, first, case.main)
            if new is None or not case.close(new, meant_first[first.visit], case.main):
                continue
            if all(case.right_with(Fix(s.line, s.path, edit.body), w, point) for point in case.points):
                return diagnosis_of(edit)
    label = case.points[-1].label(case.points[-1].graph.nodes[meant.positions[0]])
    return own or Diagnosis(
        99, "unknown", f"`{s.path}` is not the gradient that goes into `{label}`, and no single known mistake explains the difference"
    )


def _families(point: Point, events: list[Event]) -> list[Meant]:
    """Return what the visits of a line may have been meant to give, most likely first."""
    shapes = [np.shape(e.computed) for e in events]
    nodes = point.graph.nodes
    place = {node: i for i, node in enumerate(nodes) if node in point.gradients}
    variables = [
        [place[n] for n in point.nodes_of(base) if n in place] for base in dict.fromkeys(n.partition("[")[0] for n in point.versions)
    ]
    lines: dict[tuple[str, str], list[int]] = {}
    for node, i in place.items():
        lines.setdefault((node.op.name if node.op else "", node.site or ""), []).append(i)

    def windows(positions: list[int], count: int) -> Iterator[tuple[int, ...]]:
        for stride in range(1, max(len(positions) // count, 1) + 1):
            for start in range(len(positions) - (count - 1) * stride):
                window = positions[start : start + (count - 1) * stride + 1 : stride]
                for order in (window[::-1], window):
                    if [np.shape(nodes[i].out) for i in order] == shapes[:count]:
                        yield tuple(order)

    found: dict[Meant, None] = {}
    for groups in (variables, list(lines.values())):
        for positions in groups:
            found |= dict.fromkeys(Meant(w, None) for w in windows(positions, len(events)))
    for count in dict.fromkeys((len(events), max(len(events) - 1, 1))):  # the last step of a loop often leads nowhere
        for positions in variables:
            for window in windows(positions, count):
                terms = min(len(_named_terms(point, nodes[i])) for i in window)
                found |= dict.fromkeys(Meant(window, j) for j in range(terms))
                if count < len(events):
                    found[Meant(window, None)] = None
    return list(found)[:120]
