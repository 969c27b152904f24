"""Is the test point able to tell? Lines that are right are made wrong, to see which mistakes the user's own inputs hide."""

from __future__ import annotations

import ast
import time
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from autograd_np.check.judge.compare import close
from autograd_np.check.watch.interpret import CannotEvaluate, evaluate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from autograd_np.check.judge.session import Session
    from autograd_np.check.watch.point import Point
    from autograd_np.check.watch.run import Event
    from autograd_np.check.watch.source import Place

__all__ = ["blind_spots"]


class Change(Protocol):
    """What is needed of an edit: the kind of mistake it undoes, and the statements without it."""

    @property
    def rank(self) -> float: ...

    @property
    def kind(self) -> str: ...

    @property
    def body(self) -> list[ast.stmt]: ...


SECONDS = 0.5
SIMPLE = 5.0
SHOWN = 8


def blind_spots(session: Session, points: Sequence[Point], edits_of: Callable[..., Sequence[Change]]) -> list[str]:
    """Return, line by line, which mistakes the first point cannot show and a generic one can.

    Every line that sets a gradient is replaced by each of its edits (a sign, a factor, an axis, an operand); an edit that changes
    the value at a generic point but not at the first one is a mistake that the first point hides. `edits_of` is given a statement, the
    variable it sets, its scope, the arrays it might have meant and the sizes in sight, and returns its edits, simplest first.
    """
    own = points[0]
    generic = points[1] if len(points) > 1 else None
    here = {key: event for key, event in _first_events(session, own).items() if event.place.statement is not None}
    there = _first_events(session, generic) if generic is not None else {}
    found: list[str] = []
    told_apart: list[tuple[Event, Event]] = []
    for key, event in here.items():
        found += _unit_divisions(session, event.place.statement, event, own)
        if key in there and not np.any(event.value) and np.any(there[key].value):
            found.append(f"line {event.line}: `{event.path}` is zero at your inputs, so no mistake in it would show")
        elif key in there:
            told_apart.append((event, there[key]))
    if generic is not None:
        found += _hidden_edits(session, told_apart, (own, generic), edits_of)
    return list(dict.fromkeys(found))[:SHOWN]


def _hidden_edits(
    session: Session, pairs: list[tuple[Event, Event]], points: tuple[Point, Point], edits_of: Callable[..., Sequence[Change]]
) -> list[str]:
    """Say of each pair of events, one at either point, which edits of its statement the first point does not tell from what is there."""
    own, generic = points
    found: list[str] = []
    until = time.thread_time() + SECONDS
    for mine, theirs in pairs:
        if time.thread_time() > until:
            break
        hidden: dict[str, str] = {}
        candidates = session.candidates(mine.step, own)
        for edit in edits_of(mine.place.statement, mine.path, session.scope(mine.step, own), candidates, {}):
            if edit.rank > SIMPLE or time.thread_time() > until:
                break
            if edit.kind in (*hidden, "missing-factor"):  # nobody invents a factor
                continue
            edited = session.rerun(edit.body, mine, own), session.rerun(edit.body, theirs, generic)
            if edited[0] is None or edited[1] is None:
                continue
            if close(edited[0], mine.value, session.tolerance) and not close(edited[1], theirs.value, session.tolerance):
                hidden[edit.kind] = "; ".join(map(ast.unparse, edit.body))
        found += [f"line {mine.line}: your inputs cannot tell it from `{text}` ({kind})" for kind, text in list(hidden.items())[:2]]
    return found


def _first_events(session: Session, point: Point) -> dict[tuple[Place, str], Event]:
    found: dict[tuple[Place, str], Event] = {}
    for e in session.run(point).recording.events:
        if session.pairing.meaning(e, point) is not None:
            found.setdefault((e.place, e.path), e)
    return found


def _unit_divisions(session: Session, statement: Any, event: Event, point: Point) -> list[str]:
    """Divisions and products by a number that happens to be one: a batch of one sample."""
    found = []
    for node in ast.walk(statement):
        if not (isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Div, ast.Mult)) and not isinstance(node.right, ast.Constant)):
            continue
        try:
            value = evaluate(node.right, session.scope(event.step, point))
        except CannotEvaluate:
            continue
        if isinstance(value, (int, float, np.integer)) and value == 1:
            text = ast.unparse(node.right)
            found.append(f"line {event.line}: {text} = 1 at your inputs, so a forgotten {text} would not show; check a larger batch")
    return found
