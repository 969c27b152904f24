"""Lines that pair with nothing but feed a wrong variable, where the mistake may be."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from autograd_np.check.calling import flat_names
from autograd_np.check.case import Case, Verdict, sample_of
from autograd_np.check.chains import names_in_text, names_read
from autograd_np.check.compare import close, constant_ratio
from autograd_np.check.diagnose import Diagnosis, diagnosis_of, explain
from autograd_np.check.forward import Point
from autograd_np.check.outcome import Fix, Outcome, Wrong
from autograd_np.check.run import Event
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
        Whether its value is some gradient of the graph, or what forward had under that name.
    events : list of Event
    """

    line: int
    path: str
    looks_right: bool
    events: list[Event]


def edited_elsewhere(case: Case, w: Wrong, suspects: Sequence[Suspect], before: int) -> Verdict | None:
    """Look for an edit of an unpaired line that cures the wrong one."""
    for s in suspects:
        statement = case.session.source.statement(s.line)
        if statement is None or s.looks_right:
            continue
        for edit in case.session.edits(statement, s.events[0], case.main):
            if case.late():
                return None
            fix = Fix(s.line, s.path, edit.statement)
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
    nearest = list(reversed(found[:10]))
    events = {s: [e for e in out.events if (e.line, e.path) == s] for s in nearest}
    return [Suspect(line, path, _looks_right(case, path, seen, off), seen) for (line, path), seen in events.items()]


def _looks_right(case: Case, path: str, events: Sequence[Event], off: float | None) -> bool:
    """Whether a line gave a gradient of the graph, or what forward had under that name."""
    point = case.main
    original = {**point.variables, **flat_names(point.inputs)}.get(path)
    if original is not None and all(close(e.computed, original, 1e-12) for e in events if np.shape(original) == e.computed.shape):
        return True
    return all(_gradient_like(case, e.computed, off) for e in events)


def _gradient_like(case: Case, value: Array, off: float | None) -> bool:
    """Whether a value is a multiple of some gradient, but not the multiple by which the wrong variable is off."""
    point = case.main
    if not np.any(value):
        return True
    return any(
        np.shape(node.out) == np.shape(value) and case.close(value, c * point.truth(node), point)
        for node in point.gradients
        for c in {1.0, *(n for n in case.session.sizes(point).values() if n > 1)}
        if off is None or c == 1.0 or abs(c - off) > 1e-6
    )


def stale(case: Case, w: Wrong, suspects: Sequence[Suspect]) -> Verdict | None:
    """Look for a forward variable that backward changed before using it."""
    for line, path, _, events in suspects:
        per_point = []
        for point in case.points:
            original = {**point.variables, **flat_names(point.inputs)}.get(path)
            if not isinstance(original, (np.ndarray, np.generic)):
                break
            fix = Fix(line, path, None, {e.visit: np.asarray(original, float) for e in events})
            if not case.right_with(fix, w, point):
                break
            per_point.append(fix)
        if len(per_point) == len(case.points):
            message = f"`{path}` is changed here before `{w.name}` uses it: the gradient needs the value forward had"
            return Verdict(line, Diagnosis(3, "stale-value", message), per_point[0])
    return None


def meant_as_gradient(case: Case, w: Wrong, suspects: Sequence[Suspect], before: int) -> Verdict | None:
    """Try the gradients of the graph in the place of each unpaired variable; take what cures most."""
    best: tuple[int, Suspect, list[int], float] | None = None
    for c, s in itertools.product(dict.fromkeys([1.0, w.constant, *case.session.sizes(case.main).values()]), suspects):
        if c not in (1.0, w.constant) and len(s.events) > 1:
            continue
        for positions in _families(case.main, s.events):
            if case.late() or (best is not None and best[0] == 0):
                break
            values = _gradients_at(case.main, s.events, positions, c)
            if all(case.close(e.computed, values[e.visit], case.main) for e in s.events):
                continue
            left = case.left_with(Fix(s.line, s.path, None, values), w, case.main)
            if left is not None and left < before and (best is None or left < best[0]):
                best = (left, s, positions, c)
    if best is None:
        return None
    _, s, positions, c = best
    per_point = []
    for point in case.points:
        if max(positions) >= len(point.graph.nodes):
            return None
        values = _gradients_at(point, s.events, positions, c)
        left = case.left_with(Fix(s.line, s.path, None, values), w, point)
        if left is None or left >= before:
            return None
        per_point.append(values)
    return Verdict(s.line, _why_not_gradient(case, s, per_point, positions), Fix(s.line, s.path, None, per_point[0]))


def _gradients_at(point: Point, events: Sequence[Event], positions: Sequence[int], c: float) -> dict[int, Array]:
    """Return, for each visit of a line, c times the gradient at the Node it may stand for."""
    return {e.visit: c * point.truth(point.graph.nodes[i]) for e, i in zip(events, positions, strict=True)}


def _why_not_gradient(case: Case, s: Suspect, per_point: Sequence[dict[int, Array]], positions: Sequence[int]) -> Diagnosis:
    """Explain why a line does not give the gradients at some positions, which cure what comes after it."""
    session = case.session
    samples = []
    seen: list[Event] = []
    for point, values in zip(case.points, per_point, strict=True):
        events = [e for e in case.scan(point).events if (e.line, e.path) == (s.line, s.path)]
        seen = seen or events
        node = point.graph.nodes[positions[0]]
        for e in events[:1]:
            samples.append(sample_of(session, point, node, e.computed, values[e.visit], session.candidates(e, point)))
    own = explain(samples, s.path, session.tolerance)
    statement = session.source.statement(s.line)
    if statement is not None and (own is None or own.rank > 5):
        for edit in session.edits(statement, seen[0], case.main):
            if own is not None and edit.rank >= own.rank:
                break
            new = session.rerun(edit.statement, seen[0], case.main)
            if new is not None and case.close(new, per_point[0][seen[0].visit], case.main):
                return diagnosis_of(edit)
    label = case.points[-1].label(case.points[-1].graph.nodes[positions[0]])
    return own or Diagnosis(
        99, "unknown", f"`{s.path}` is not the gradient that goes into `{label}`, and no single known mistake explains the difference"
    )


def _families(point: Point, events: list[Event]) -> list[list[int]]:
    """Return, for the visits of a line, the positions of Nodes whose gradients they may be, most likely first."""
    shapes = [np.shape(e.computed) for e in events]
    groups: dict[tuple[str, str], list[int]] = {}
    place = {node: i for i, node in enumerate(point.graph.nodes) if node in point.gradients}
    for base in dict.fromkeys(name.partition("[")[0] for name in point.versions):
        groups["variable", base] = [place[n] for n in point.nodes_of(base) if n in place]
    for node, i in place.items():
        groups.setdefault((node.op.name if node.op else "", node.site or ""), []).append(i)
    found: list[list[int]] = []
    for positions in groups.values():
        for start in range(len(positions) - len(events) + 1):
            window = positions[start : start + len(events)]
            for order in (window[::-1], window):
                if [np.shape(point.graph.nodes[i].out) for i in order] == shapes and order not in found:
                    found.append(order)
    return found[:80]
