"""Is the test point able to tell? Lines that are right are made wrong, to see which mistakes the user's own inputs hide."""

from __future__ import annotations

import ast
import time
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from autograd_np.check.judge.compare import close
from autograd_np.check.watch.interpret import CannotEvaluate, evaluate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

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
VISITS = 20


def blind_spots(session: Session, points: Sequence[Point], edits_of: Callable[..., Iterable[Change]]) -> list[str]:
    """Return, line by line, which mistakes the first point cannot show and a generic one can.

    Every line that sets a gradient is replaced by each of its edits (a sign, a factor, an axis, an operand); an edit that changes
    the value at a generic point but not at the first one is a mistake that the first point hides. `edits_of` is given a statement, the
    variable it sets, its scope, the arrays it might have meant and the sizes in sight, and returns its edits, simplest first.
    """
    own = points[0]
    generic = points[1] if len(points) > 1 else None
    here = {key: visits for key, visits in _events(session, own).items() if visits[0].place.statement is not None}
    there = _events(session, generic) if generic is not None else {}
    found: list[str] = []
    told_apart: list[tuple[list[Event], Event]] = []
    for key, visits in here.items():
        event = visits[0]
        found += _unit_divisions(session, event.place.statement, event, own)
        if key in there and not any(np.any(e.value) for e in visits) and np.any(there[key][0].value):
            found.append(f"line {event.line}: `{event.path}` is zero at your inputs, so no mistake in it would show")
        elif key in there:
            told_apart.append((visits[:VISITS], there[key][0]))
    if generic is not None:
        found += _hidden_edits(session, told_apart, (own, generic), edits_of)
    return list(dict.fromkeys(found))[:SHOWN]


def _hidden_edits(
    session: Session, pairs: list[tuple[list[Event], Event]], points: tuple[Point, Point], edits_of: Callable[..., Iterable[Change]]
) -> list[str]:
    """Say which edits of a statement the first point does not tell from what is there, at no visit, and the other one does."""
    own, generic = points
    found: list[str] = []
    until = time.thread_time() + SECONDS
    for visits, theirs in pairs:
        mine = visits[0]
        if time.thread_time() > until:
            break
        hidden: dict[str, str] = {}
        candidates = session.candidates(mine.step, own)
        for edit in edits_of(mine.place.statement, mine.path, session.scope(mine.step, own), candidates, {}):
            if edit.rank > SIMPLE or time.thread_time() > until:
                break
            if edit.kind in (*hidden, "missing-factor"):  # nobody invents a factor
                continue
            shown = session.rerun(edit.body, theirs, generic)
            if shown is None or close(shown, theirs.value, session.tolerance):
                continue
            edited = ((session.rerun(edit.body, e, own), e) for e in visits)
            if all(value is not None and close(value, e.value, session.tolerance) for value, e in edited):
                hidden[edit.kind] = "; ".join(map(ast.unparse, edit.body))
        found += [f"line {mine.line}: your inputs cannot tell it from `{text}` ({kind})" for kind, text in list(hidden.items())[:2]]
    return found


def _events(session: Session, point: Point) -> dict[tuple[Place, str], list[Event]]:
    """Return, of each statement that sets a gradient, all visits."""
    found: dict[tuple[Place, str], list[Event]] = {}
    for e in session.run(point).recording.events:
        if session.pairing.meaning(e, point) is not None:
            found.setdefault((e.place, e.path), []).append(e)
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
