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
from autograd_np.check.watch.interpret import CannotEvaluate, evaluate, execute, read
from autograd_np.check.watch.reads import names_read_by
from autograd_np.check.watch.run import Step, leaves_of
from autograd_np.check.watch.source import Place
from autograd_np.typing import Array

__all__ = ["made_known"]

MOST_EVENTS, MOST_OF_ONE = 2000, 6
"""So many values are looked at, in the order of execution, and so many of one statement."""

MOST_PLACES = 6
"""Of so many statements changes are tried."""

LATER = 0.5
"""How much less simple a change is for each statement that is more likely mistaken."""

SHARE = 0.8
"""At most this share of the time that is left is spent."""


class _Given(NamedTuple):
    """What a step set a variable to, when; or what it returned, which has no path."""

    order: float
    step: Step
    path: str
    value: Array


class _Unknown(NamedTuple):
    """An execution of a statement that gives what nothing accounts for, or what others need something else for.

    Attributes
    ----------
    given : _Given
    target : str
        What it sets, or adds to.
    known : float
        What its value is, as `Case.known_from_forward` says.
    locally : bool
        Whether it reads no gradient, and may give a local derivative.
    as_gradient : float
        What its value is, if it is to be none.
    """

    given: _Given
    target: str
    known: float
    locally: bool
    as_gradient: float


def made_known(case: Case, out: Outcome, multiples: Sequence[float]) -> Iterator[Candidate]:
    """Yield the changes of statements of unaccountable values with which these are accounted for, simplest first, as they are found.

    Parameters
    ----------
    case : Case
    out : Outcome
        A plain run.
    multiples : sequence of float
        What gradients are multiplied by, by convention.
    """
    budget = case.budget.part(SHARE)
    unknown = {u.given.step.place: u for u in _first_unknown(case, out, multiples)}
    for c in Ordered((_changes(case, u, LATER * number) for number, u in enumerate(unknown.values())), out):
        if budget.late():
            break
        u = unknown[c.place]
        value = _value(case, u.given.step, u.target, c.edit.body) if c.edit.body else None
        known = _known(case, value, multiples, u.locally) if value is not None else 0.0
        if known > u.known or known == 1 or (u.as_gradient < known == u.known and _known(case, value, multiples, False) == known):
            yield c


def _changes(case: Case, u: _Unknown, later: float) -> Changes:
    place, path = u.given.step.place, u.given.path
    edits = (Candidate(edit.rank, edit, place, path, None) for edit in case.edits(place, u.given.step, path))
    return Changes(place, 0.0, edits, later)


def _first_unknown(case: Case, out: Outcome, multiples: Sequence[float]) -> list[_Unknown]:
    """Return, of each statement, the first execution that gives what is unknown; those that read nothing unknown come first.

    What gave such a one what it reads comes with it: a term in the place of a gradient before it, another gradient behind it.
    """
    fixed = {f.place for f in case.fixes if f.body is not None}
    unknown: set[bytes] = set()
    makers: dict[bytes, _Unknown] = {}
    first: dict[Place, tuple[bool, float, _Unknown]] = {}
    seen: Counter[tuple[Place, str]] = Counter()
    truth = case.session.program.is_truth
    for given in _all_given(out):
        place, statement = given.step.place, given.step.place.statement
        seen[place, given.path] += 1
        if place in fixed or statement is None or truth(place) or seen[place, given.path] > MOST_OF_ONE:
            continue
        target = _target(statement, given.path)
        value = given.value if target == given.path and not _adds(statement) else _value(case, given.step, target, [statement])
        if value is None or _is_nothing(value) or case.main.value_nodes(value) or value.tobytes() in makers:
            continue  # a copy is what it was where it was made
        arrays = list(_arrays_read(given.step))
        locally = not any(_known(case, x, multiples, False) for x in arrays if not case.main.value_nodes(x))
        known = _known(case, value, multiples, locally)
        as_gradient = _known(case, value, multiples, False) if known and locally else known
        maker = _Unknown(given, target, known, locally, as_gradient)
        makers |= {value.tobytes(): maker, given.value.tobytes(): maker._replace(known=known if not _adds(statement) else 0.5)}
        if known:
            continue
        read_here = [x.tobytes() for x in arrays]
        follows = any(x in unknown for x in read_here)
        unknown |= {value.tobytes(), given.value.tobytes()}
        if place not in first or first[place][0] > follows:
            first[place] = follows, given.order, maker
        for part in [] if follows else [makers[x] for x in read_here if x in makers]:
            order = part.given.order if part.known < 1 else given.order + 0.1
            first.setdefault(part.given.step.place, (False, order, part))
    return [u for _, _, u in sorted(first.values(), key=lambda found: found[:2])][:MOST_PLACES]


def _all_given(out: Outcome) -> list[_Given]:
    """Return the arrays that steps set variables to, and that helpers returned, in the order in which they were there."""
    recording = out.recording
    found = [_Given(e.number, e.step, e.path, e.computed) for e in recording.events[:MOST_EVENTS]]
    ends = {s.call.number: s for s in recording.steps if isinstance(s.place.statement, ast.Return)}
    for call in recording.calls[1:MOST_EVENTS]:
        end = ends.get(call.number)
        if end is not None and isinstance(call.result, np.ndarray) and call.by is not None and call.by.events:
            found.append(_Given(call.by.events[0].number - 0.5, end, "", call.result))
    return sorted(found, key=lambda g: g.order)


def _target(statement: ast.stmt, path: str) -> str:
    """Write the part of a variable that a statement sets: ``dW[:, t]`` where the variable is ``dW``; of several, the plain variable."""
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    if len(targets) > 1 and any(isinstance(t, ast.Name) for t in targets):
        return next(t.id for t in targets if isinstance(t, ast.Name))
    texts = [ast.unparse(t) for t in targets if isinstance(t, ast.expr)]
    return next((t for t in texts if t == path), None) or next((t for t in texts if t.startswith(f"{path}[")), path)


def _adds(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.AugAssign) and isinstance(statement.op, (ast.Add, ast.Sub))


def _value(case: Case, step: Step, target: str, body: Sequence[ast.stmt]) -> Array | None:
    """Return what statements in the place of a step's set a target to, add to it, or return."""
    scope, last = case.session.scope(step, case.main), body[-1]
    try:
        with np.errstate(all="ignore"):
            if isinstance(last, ast.Return):
                return np.asarray(evaluate(last.value, scope), float) if last.value is not None else None
            value = np.asarray(execute(body, scope, target), float)
            return value - np.asarray(read(scope, target), float) if _adds(last) else value
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


def _arrays_read(step: Step) -> Iterator[Array]:
    for name in names_read_by(step.place.statement):
        try:
            found = read(step.before, name)
        except CannotEvaluate:
            continue
        yield from (np.asarray(v) for _, _, v in leaves_of({"": found}) if np.size(v) > 1)
