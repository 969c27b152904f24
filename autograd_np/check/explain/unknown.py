"""The statements whose values nothing of forward's accounts for, though all that they read is accounted for.

Whatever the variables are called, most of what a right backward computes is a gradient of something in forward, a term of
one, or a local derivative. Where values stop being so is where a mistake is likely made, and a change with which the value
is one of these again is likely what undoes it: both are told by running one statement, not the whole pass.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from autograd_np.check.explain.case import Case
from autograd_np.check.explain.ordered import Candidate, Changes, Ordered
from autograd_np.check.judge.outcome import Outcome
from autograd_np.check.watch.interpret import CannotEvaluate, execute, read
from autograd_np.check.watch.reads import names_read_by
from autograd_np.check.watch.run import Event, leaves_of
from autograd_np.check.watch.source import Place
from autograd_np.typing import Array

__all__ = ["made_known"]

MOST_EVENTS, MOST_OF_ONE = 2000, 6
"""So many values are looked at, in the order of execution, and so many of one statement."""

MOST_PLACES = 6
"""Of so many statements changes are tried."""

FOLLOWS = 1.5
"""How much less simple a change is of a statement that reads what is unaccountable already."""

LATER = 0.5
"""And for each statement that comes before it."""

SHARE = 0.35
"""At most this share of the time for explanations is spent."""


class _Unknown(NamedTuple):
    """An execution of a statement that gives what nothing accounts for, or a part of what others need.

    Attributes
    ----------
    event : Event
    target : str
        What it sets, or adds to.
    follows : bool
        Whether it reads what nothing accounts for.
    least : float
        What its value must be, as `Case.known_from_forward` says.
    locally : bool
        Whether it reads no gradient, and may give a local derivative.
    """

    event: Event
    target: str
    follows: bool = False
    least: float = 0.5
    locally: bool = True


def made_known(case: Case, out: Outcome, multiples: Sequence[float]) -> list[Candidate]:
    """Return the changes of statements of unaccountable values with which these are accounted for, simplest first.

    Parameters
    ----------
    case : Case
    out : Outcome
        A plain run.
    multiples : sequence of float
        What gradients are multiplied by, by convention.
    """
    budget = case.budget.part(SHARE)
    unknown = _first_unknown(case, out, multiples)
    of = {u.event.place: u for u in unknown}
    found: list[Candidate] = []
    for c in Ordered((_changes(case, u, LATER * number) for number, u in enumerate(unknown)), out):
        if budget.late():
            break
        u = of[c.place]
        value = _given(case, u.event, u.target, c.edit.body) if c.edit.body else None
        if value is not None and _known(case, value, multiples, u.locally) >= u.least:
            found.append(c)
    return found


def _changes(case: Case, u: _Unknown, later: float) -> Changes:
    place, path = u.event.place, u.event.path
    edits = (Candidate(edit.rank, edit, place, path, None) for edit in case.edits(place, u.event.step, path))
    return Changes(place, 0.0, edits, later + FOLLOWS * u.follows)


def _first_unknown(case: Case, out: Outcome, multiples: Sequence[float]) -> list[_Unknown]:
    """Return, of each statement, the first execution that gives what is unknown; those that read nothing unknown come first."""
    fixed = {f.place for f in case.fixes if f.body is not None}
    unknown: set[bytes] = set()
    parts: dict[bytes, _Unknown] = {}
    first: dict[Place, _Unknown] = {}
    seen: Counter[tuple[Place, str]] = Counter()
    truth = case.session.program.defines_truth
    for event in out.recording.events[:MOST_EVENTS]:
        statement = event.place.statement
        seen[event.place, event.path] += 1
        if truth(event.place.function) or statement is None or seen[event.place, event.path] > MOST_OF_ONE:
            continue
        target = _target(statement, event.path)
        value = event.computed if target == event.path and not _adds(statement) else _given(case, event, target, [statement])
        if value is None or _is_nothing(value) or case.main.value_nodes(value):
            continue
        arrays = list(_arrays_read(event))
        locally = not any(_known(case, x, multiples, False) for x in arrays if not case.main.value_nodes(x))
        known = _known(case, value, multiples, locally)
        if known:
            if known < 1 and event.place not in fixed:
                parts.setdefault(value.tobytes(), _Unknown(event, target, least=1.0, locally=False))
            continue
        read_here = [x.tobytes() for x in arrays]
        follows = value.tobytes() in unknown or any(x in unknown for x in read_here)
        unknown |= {x.tobytes() for x in (value, event.computed, event.value)}
        before = first.get(event.place)
        if event.place not in fixed and (before is None or before.follows > follows):
            first[event.place] = _Unknown(event, target, follows, locally=locally)
        for part in [] if follows else [parts[x] for x in read_here if x in parts]:
            first.setdefault(part.event.place, part)
    return sorted(first.values(), key=lambda u: (u.follows, u.event.number))[:MOST_PLACES]


def _target(statement: ast.stmt, path: str) -> str:
    """Write the part of a variable that a statement sets: ``dW[:, t]`` where the variable is ``dW``."""
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    texts = [ast.unparse(t) for t in targets if isinstance(t, ast.expr)]
    return next((t for t in texts if t == path), None) or next((t for t in texts if t.startswith(f"{path}[")), path)


def _adds(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.AugAssign) and isinstance(statement.op, (ast.Add, ast.Sub))


def _given(case: Case, event: Event, target: str, body: Sequence[ast.stmt]) -> Array | None:
    """Return what statements in the place of the one of an event set a target to, or add to it."""
    scope = case.session.scope(event.step, case.main)
    try:
        with np.errstate(all="ignore"):
            value = np.asarray(execute(body, scope, target), float)
            return value - np.asarray(read(scope, target), float) if _adds(body[-1]) else value
    except (CannotEvaluate, ValueError, TypeError):
        return None


def _is_nothing(value: Array) -> bool:
    """Whether an array says nothing: a number, or the same one everywhere."""
    return value.size < 2 or not np.ptp(value) > 0


def _known(case: Case, value: Array, multiples: Sequence[float], locally: bool) -> float:
    """Say whether an array is a gradient of something in forward (1), a term of one or a local derivative (0.5), or neither (0)."""
    if _is_nothing(value) or not np.all(np.isfinite(value)):
        return 0.0
    return max(case.known_from_forward(value / m, locally=locally) for m in multiples)


def _arrays_read(event: Event) -> Iterator[Array]:
    for name in names_read_by(event.place.statement):
        try:
            found = read(event.before, name)
        except CannotEvaluate:
            continue
        yield from (np.asarray(v) for _, _, v in leaves_of({"": found}) if np.size(v) > 1)
