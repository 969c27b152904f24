"""Which elements of which results a statement moves: one run with a value of it a little larger tells, whatever lies between.

A mistake shows in what its statement moves and nowhere else. That it moves results that are right as well speaks for the
statement, unless what is wrong about it makes no difference there.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from autograd_np.check.explain.case import Case
from autograd_np.check.judge.compare import which_off
from autograd_np.check.judge.outcome import Fix, Outcome, Returned
from autograd_np.check.watch.interpret import CannotEvaluate
from autograd_np.check.watch.run import Step
from autograd_np.check.watch.source import Place
from autograd_np.typing import Array

__all__ = ["Influence", "influences"]

LARGER = 1 + 2.0**-10
"""A value is made so much larger."""

LEAST = 1e-8
"""What moves by less of the largest element of its result moves by rounding."""

HARMLESS, BESIDE, UNMOVED = 2.5, 0.5, 2.0
"""How much less simple a change is of what moves results that are right, elements that are, or not all that is wrong."""

MOST = 80
"""So many statements are run so."""


class Influence(NamedTuple):
    """What a statement moves.

    Attributes
    ----------
    wrong : float
        The share of the wrong elements.
    every : bool
        Whether it moves some wrong element of every wrong result.
    right : float
        The share of what is not zero in the results that are right, of the one of which it is most.
    beside : float
        The share of the right elements of results that are wrong.
    """

    wrong: float
    every: bool
    right: float
    beside: float

    @property
    def against(self) -> float:
        """How much less simple it makes a change that the statement moves what is right, and does not move all that is wrong."""
        return HARMLESS * self.right + BESIDE * self.beside + UNMOVED * (not self.every)


def influences(case: Case, out: Outcome, places: Iterable[Place]) -> dict[Place, Influence]:
    """Return what each of some statements moves; nothing for those of which that cannot be said.

    These are such as compute no floating numbers, those whose value something else shares, and those that move nothing.
    """
    before = _results(case)
    if before is None or not case.session.targets:
        return {}
    off = [_which_off(case, r) for r in before]
    if not any(map(np.any, off)):
        return {}
    steps: dict[Place, list[Step]] = {}
    for step in out.recording.steps:
        steps.setdefault(step.place, []).append(step)
    found: dict[Place, Influence] = {}
    fixed = {f.place for f in case.fixes if f.body is not None}
    for place in list(dict.fromkeys(p for p in places if p not in fixed))[:MOST]:
        if case.late():
            break
        for bodies in (_larger(place, steps.get(place, [])), _larger_sum(place)):
            each = []
            for body in bodies:
                after = _results(case, Fix(place, "", body))
                each.append(_influence(before, after, off) if after is not None and len(after) == len(before) else None)
            told = [i for i in each if i is not None]
            if told and len(told) == len(each):
                found[place] = min(told, key=lambda i: i.against)  # one of several values may be wrong
                break
    return found


def _results(case: Case, *more: Fix) -> list[Returned] | None:
    session = case.session
    try:
        codes = session.codes([f for f in (*case.fixes, *more) if f.body is not None])
    except CannotEvaluate:
        return None
    results = session.quick(case.main, codes)
    return [r for r in session.paired(case.main, results) if r.decides] if results is not None else None


def _which_off(case: Case, r: Returned) -> Array:
    if case.session.is_right(r, case.main):
        return np.zeros(r.value.shape, bool)
    truth = case.main.truth(r.node)
    if r.value.shape != truth.shape:
        return np.ones(r.value.shape, bool)
    off = which_off(r.value, truth, case.session.tolerance, case.main.slack(r.node))
    return off if np.any(off) else np.ones(r.value.shape, bool)


def _influence(before: Sequence[Returned], after: Sequence[Returned], off: Sequence[Array]) -> Influence | None:
    touched = wrong = beside = all_beside = 0
    every, right = True, 0.0
    largest = max((float(np.max(np.abs(r.value), initial=0.0)) for r in before), default=0.0)
    for old, new, bad in zip(before, after, off, strict=True):
        if old.value.shape != new.value.shape:
            return None
        least = LEAST * max(float(np.max(np.abs(old.value), initial=0.0)), LEAST * largest)
        with np.errstate(invalid="ignore"):
            moved = np.abs(new.value - old.value) > least
        if not np.any(bad):
            there = np.abs(old.value) > LEAST * largest
            right = max(right, float(np.sum(moved & there)) / max(int(np.sum(there)), 1))
            continue
        touched, wrong = touched + int(np.sum(moved & bad)), wrong + int(np.sum(bad))
        beside, all_beside = beside + int(np.sum(moved & ~bad)), all_beside + int(np.sum(~bad))
        every = every and bool(np.any(moved & bad))
    if not touched and not beside and not right:
        return None  # it is scaled away, or makes a choice
    return Influence(touched / max(wrong, 1), every, right, beside / max(all_beside, 1))


# --- a statement with a value a little larger


def _larger(place: Place, steps: Sequence[Step]) -> Iterator[list[ast.stmt]]:
    """Yield a statement with its values a little larger, all and each; not with one that something else shares and changes."""
    results = [s.call.result for s in steps]
    match place.statement:
        case ast.Assign(targets=[ast.Tuple(elts=elts)]) as statement:
            floats = {e.path for s in steps for e in s.events}
            later = [_scaled_later(t) for t in elts if isinstance(t, ast.Name) and t.id in floats]
            for some in (later, *([one] for one in later)) if len(later) > 1 else [later] * len(later):
                yield [statement, *some]
        case ast.Assign(value=value) | ast.AugAssign(value=value) as statement:
            if any(s.events for s in steps) and not (isinstance(statement, ast.Assign) and _shares(place, statement, steps)):
                yield from _with(statement, value)
        case ast.Return(value=ast.Tuple(elts=elts) as value) as statement:
            told = [r for r in results if isinstance(r, tuple) and len(r) == len(elts)]
            floating = [i for i in range(len(elts)) if told and all(_is_float(r[i]) for r in told)]
            for which in (floating, *([i] for i in floating)) if len(floating) > 1 else [floating] * len(floating):
                new = copy.copy(value)
                new.elts = [_scaled(part) if i in which else part for i, part in enumerate(elts)]
                yield [ast.copy_location(ast.Return(value=new), statement)]
        case ast.Return(value=ast.expr() as value) as statement if steps and all(map(_is_float, results)):
            yield from _with(statement, value)


def _larger_sum(place: Place) -> Iterator[list[ast.stmt]]:
    """Yield a statement that adds to a variable, with the variable a little larger afterwards: it may add nothing."""
    match place.statement:
        case ast.AugAssign(target=target, op=ast.Add() | ast.Sub()) as statement:
            larger = ast.AugAssign(target, ast.Mult(), ast.copy_location(ast.Constant(LARGER), target))
            yield [statement, ast.copy_location(larger, statement)]


def _with(statement: ast.Assign | ast.AugAssign | ast.Return, value: ast.expr) -> Iterator[list[ast.stmt]]:
    new = copy.copy(statement)
    new.value = _scaled(value)
    yield [new]


def _is_float(value: object) -> bool:
    return type(value) is float or (isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind == "f")


def _shares(place: Place, statement: ast.Assign, steps: Sequence[Step]) -> bool:
    """Whether the array of an assignment is another one's, and changed later: a larger copy would not be.

    Where a dict changes, the arrays in it may stay as they are.
    """
    value: ast.expr = statement.value
    while isinstance(value, (ast.Attribute, ast.Subscript)):
        value = value.value
    named = [n.id for t in statement.targets for n in ast.walk(t) if isinstance(n, ast.Name)]
    if not isinstance(value, ast.Name):
        return False
    taken = value is not statement.value and any(type(s.before.get(value.id)) is dict for s in steps)
    return bool(place.function.changed_in_place & {*named, *([] if taken else [value.id])})


def _scaled(value: ast.expr) -> ast.expr:
    return ast.copy_location(ast.BinOp(value, ast.Mult(), ast.copy_location(ast.Constant(LARGER), value)), value)


def _scaled_later(name: ast.Name) -> ast.stmt:
    read, written = (ast.copy_location(ast.Name(name.id, context), name) for context in (ast.Load(), ast.Store()))
    return ast.copy_location(ast.Assign(targets=[written], value=_scaled(read)), name)
