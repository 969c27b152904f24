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


SECONDS = 0.15
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
    found: list[str] = []
    until = time.thread_time() + SECONDS
    here = _first_events(session, own)
    there = _first_events(session, generic) if generic is not None else {}
    for key, event in here.items():
        statement = event.place.statement
        if statement is None or time.thread_time() > until:
            continue
        found += _unit_divisions(session, statement, event, own)
        if key not in there or generic is None:
            continue
        if not np.any(event.value) and np.any(there[key].value):
            found.append(f"line {event.line}: `{event.path}` is zero at your inputs, so no mistake in it would show")
            continue
        hidden: dict[str, str] = {}
        candidates = session.candidates(event.step, own)
        for edit in edits_of(statement, event.path, session.scope(event.step, own), candidates, {}):
            if edit.rank > SIMPLE:
                break
            if edit.kind in (*hidden, "missing-factor") or time.thread_time() > until:  # nobody invents a factor
                continue
            mine, theirs = session.rerun(edit.body, event, own), session.rerun(edit.body, there[key], generic)
            if mine is None or theirs is None:
                continue
            if close(mine, event.value, session.tolerance) and not close(theirs, there[key].value, session.tolerance):
                hidden[edit.kind] = "; ".join(map(ast.unparse, edit.body))
        found += [f"line {event.line}: your inputs cannot tell it from `{text}` ({kind})" for kind, text in list(hidden.items())[:2]]
    return list(dict.fromkeys(found))[:SHOWN]


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
