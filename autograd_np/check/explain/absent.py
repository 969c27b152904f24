"""A gradient that is not there though its siblings are: the loop that stops too early, the statement that is missing."""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from autograd_np.check.explain.case import Budget, Case
from autograd_np.check.explain.detective import find_mistakes, finished
from autograd_np.check.explain.diagnose import Diagnosis, diagnosis_of
from autograd_np.check.explain.edits.edit import Edit
from autograd_np.check.explain.edits.syntax import Change, replaced, statements
from autograd_np.check.explain.whole import Mistake, single_change
from autograd_np.check.judge.handed import respelled
from autograd_np.check.judge.outcome import Absent, Fix, Wrong
from autograd_np.check.judge.session import Session
from autograd_np.check.watch.point import Point
from autograd_np.check.watch.run import Recording, Step
from autograd_np.check.watch.source import Place
from autograd_np.check.watch.state import leaves_in

__all__ = ["find_absent"]

MOST_OF_RETURN = 7.0
"""Up to this rank changes of a return statement are tried where something stands in a gradient's place."""


def find_absent(
    session: Session, points: Sequence[Point], wrong_points: Sequence[Point], lacking: Sequence[Absent], budget: Budget
) -> list[Mistake]:
    """Return the mistakes where gradients are missing: one that explains all, or those of wrong values and those of missing ones.

    Parameters
    ----------
    session : Session
    points, wrong_points : sequence of Point
        Where backward was run, and where what it gives is wrong.
    lacking : sequence of Absent
    budget : Budget
    """
    found: list[Mistake] = []
    if wrong_points:
        case = Case(session, wrong_points, budget)
        with session.expecting(lacking, points[0]):
            single = single_change(case) if _have_places(lacking) else None
            if single is not None:
                return finished(case, [single])
        found = find_mistakes(session, wrong_points, budget)
    case = Case(session, points, budget)
    case.fixes = [m.cure for m in found if m.cure is not None]
    with session.expecting(lacking, points[0]):
        return [*found, *_missing(case, lacking)]


def _missing(case: Case, lacking: Sequence[Absent]) -> list[Mistake]:
    """Return one change that gives all that is missing, or the statements beside which it would stand."""
    told = _have_places(lacking)
    if told and case.cures_all():
        return []
    recording = case.session.run(case.main, fixes=case.fixes).recording
    wrong = [_as_wrong(a, case.main) for a in lacking]
    for place, edit in case.budget.within(_changes(case, recording, lacking) if told else ()):
        fix = Fix(place, wrong[0].name, edit.body)
        if case.cures_all(fix):
            return finished(case, [Mistake(wrong[0], place, diagnosis_of(edit), fix)])
    said = [_said(a) for a in lacking]
    return [Mistake(w, w.place, Diagnosis(0, "not-returned", s)) for w, s in zip(wrong, said, strict=True)]


def _have_places(lacking: Sequence[Absent]) -> bool:
    """Whether it is known where all would stand; else no run can show that nothing is missing."""
    return all(a.where is not None for a in lacking)


def _said(a: Absent) -> str:
    if _stands_there(a):
        return f"`{a.path}`, the gradient of `{_whole(a)}`, is computed and not returned; `{a.beside.path}` is"
    return f"`{a.forward_name}` gets no gradient, though `{a.beside.forward_name}` beside it does"


def _stands_there(a: Absent) -> bool:
    """Whether what is named beside a missing gradient stands in its place, or in that of the whole list it belongs to."""
    return a.where is not None and a.where[: len(a.beside.where)] == a.beside.where


def _whole(a: Absent) -> str:
    """Return what the variable in whose place something stands is the gradient of: the parameter, or the list it belongs to."""
    return a.forward_name if a.where == a.beside.where else a.forward_name.rpartition("[")[0]


def _as_wrong(a: Absent, point: Point) -> Wrong:
    assert a.beside.place is not None
    nothing = np.zeros(0)
    return Wrong((0, a.path, 0), a.beside.place, a.path, a.forward_name, point.leaves[a.forward_name], nothing, nothing, None, 1.0, True)


def _changes(case: Case, recording: Recording, lacking: Sequence[Absent]) -> Iterator[tuple[Place, Edit]]:
    """Yield what may give the gradients: a missing statement where one place would store all, then other bounds of a loop."""
    steps = {s.place: s for s in reversed(recording.steps)}
    first = lacking[0]
    if _stands_there(first):
        handing = (s for s in steps.values() if s.call.number == 0 and isinstance(s.place.statement, ast.Return))
        whole = list(_instead(first, list(steps.values()))) if first.path.isidentifier() else []
        yield from _put_instead(first, list(steps.values()))
        yield from (found for found in whole if found[1].changes[0][0] != ("value",))
        yield from ((s.place, edit) for s in handing for edit in case.edits(s.place, s, "") if edit.rank < MOST_OF_RETURN)
        yield from whole
    elif len({a.beside.place for a in lacking}) == 1:
        yield from _stored(case, recording, first)
    for place, step in steps.items():
        if isinstance(place.statement, (ast.For, ast.While)):
            yield from ((place, edit) for edit in case.edits(place, step, ""))


def _stored(case: Case, recording: Recording, a: Absent) -> Iterator[tuple[Place, Edit]]:
    """Yield the statements of the call that stores the gradient beside the missing one, with an array of its shape stored as well."""
    storing = next((e for e in reversed(recording.events) if e.place == a.beside.place and np.array_equal(e.value, a.beside.value)), None)
    call = storing.call if storing is not None else recording.calls[0]
    beside = storing.path if storing is not None else a.beside.path
    path = _alike(beside, a.beside.path, a.path)
    steps = list({s.place: s for s in recording.steps if s.call is call and s.place.statement is not None}.values())
    steps.sort(key=lambda s: all(e.path != beside for e in s.events))  # behind what is stored beside it, if that is late enough
    yield from _under_another_key(steps, path, a.forward_name)
    *_, old = a.beside.where
    *_, new = a.where or ("",)
    for name in _fitting(call.last, np.shape(case.main.leaves[a.forward_name].out)):
        handed = "returned" if a.beside.where[:1] == ("returned",) else "stored"
        message = f"`{name}`, the gradient of `{a.forward_name}`, is computed and not {handed}: {{}} is missing"
        yield from _under_another_name(steps, name, path, message)
        yield from _in_another_place(steps, name, path, message)
        for step in steps:
            statement = step.place.statement
            assert statement is not None
            if not path.isidentifier() and any(e.path in (beside, name) for e in step.events):
                text = f"{path} = {name}"
                yield step.place, Edit(1, "not-returned", message.format(f"`{text}`"), partial(statements, statement, [statement, text]))
            elif (held := _with_entry(statement, old, new, name)) is not None:
                entry = name if isinstance(new, int) else f"{new!r}: {name}"
                yield step.place, Edit(1, "not-returned", message.format(f"`{entry}`"), held)


def _under_another_name(steps: Sequence[Step], name: str, path: str, message: str) -> Iterator[tuple[Place, Edit]]:
    """Yield the statement that sets a variable nobody reads, setting what should be stored instead."""
    read = {
        n.id for s in steps for n in ast.walk(s.place.statement or ast.Pass()) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)
    }
    for step in steps if name not in read and not path.isidentifier() else ():
        match step.place.statement:
            case ast.Assign(targets=[ast.Name(id=target)], value=value) as statement if target == name:
                text = f"{path} = {ast.unparse(value)}"
                words = message.replace("{} is missing", f"it should be `{path}`")
                yield step.place, Edit(1, "not-returned", words, partial(statements, statement, [text]))


def _under_another_key(steps: Sequence[Step], path: str, of: str) -> Iterator[tuple[Place, Edit]]:
    """Yield the statements that set another entry of a container, or attribute of an object, setting the one that is missing."""
    wanted = ast.parse(path, mode="eval").body
    if not isinstance(wanted, (ast.Subscript, ast.Attribute)):
        return
    for step in steps:
        match step.place.statement:
            case ast.Assign(targets=[ast.Subscript() | ast.Attribute() as target], value=value) as statement:
                if ast.unparse(target.value) == ast.unparse(wanted.value) and ast.unparse(target) != path:
                    words = f"the gradient of `{of}` is stored as `{ast.unparse(target)}`, should be as `{path}`"
                    text = f"{path} = {ast.unparse(value)}"
                    yield step.place, Edit(1, "not-returned", words, partial(statements, statement, [text]))


def _in_another_place(steps: Sequence[Step], name: str, path: str, message: str) -> Iterator[tuple[Place, Edit]]:
    """Yield the statement that stores a gradient, storing it where it should be."""
    for step in steps if not path.isidentifier() else ():
        match step.place.statement:
            case ast.Assign(targets=[ast.Attribute() | ast.Subscript() as target], value=ast.Name(id=value)) as statement if value == name:
                words = message.replace("{} is missing", f"`{ast.unparse(target)}` should be `{path}`")
                yield step.place, Edit(1, "not-returned", words, partial(statements, statement, [f"{path} = {name}"]))


def _fitting(variables: Mapping[str, Any], shape: tuple[int, ...]) -> list[str]:
    """Return the local arrays of a shape, the latest first."""
    return [n for n, v in reversed(list(variables.items())) if n.isidentifier() and isinstance(v, np.ndarray) and v.shape == shape]


def _alike(path: str, beside: str, missing: str) -> str:
    """Write what is missing as `path` is written, which in the function is called as `beside` is from outside."""
    last = re.compile(r"\w+(?=\W*$)")
    (old, new) = (m.group() if (m := last.search(text)) else text for text in (beside, missing))
    return respelled(path, old, new) if old in path else missing


def _instead(a: Absent, steps: Sequence[Step]) -> Iterator[tuple[Place, Edit]]:
    """Yield the return statement with a gradient in the place where another stands."""
    for step in steps:
        value = getattr(step.place.statement, "value", None)
        if step.call.number != 0 or not isinstance(step.place.statement, ast.Return) or value is None:
            continue
        path: tuple[Any, ...] = ("value",)
        for at in a.beside.where[1:]:
            value = value.elts[at] if isinstance(value, (ast.Tuple, ast.List)) and at < len(value.elts) else None
            path = (*path, "elts", at)
        if value is not None:
            words = f"`{ast.unparse(value)}` is returned where `{a.path}`, the gradient of `{_whole(a)}`, belongs"
            yield step.place, _with(step.place.statement, words, (path, a.path))


def _put_instead(a: Absent, steps: Sequence[Step]) -> Iterator[tuple[Place, Edit]]:
    """Yield the statement that put what stands in a gradient's place into a list, with the gradient, or this into another list."""
    for step in steps:
        match step.place.statement:
            case ast.Expr(value=ast.Call(func=ast.Attribute(attr="append", value=holder), args=[ast.Name(id=name)])) if (
                step.call.number == 0
            ):
                held = [v for _, v in leaves_in(step.before.get(name), ())]
                if any(np.array_equal(v, a.beside.value) for v in held):
                    words = f"`{name}` is appended where `{a.path}`, the gradient of `{_whole(a)}`, belongs"
                    yield step.place, _with(step.place.statement, words, (("value", "args", 0), a.path))
                for other in (n for n, v in step.before.items() if type(v) is list and n != ast.unparse(holder) and name == a.path):
                    words = f"`{name}` is appended to `{ast.unparse(holder)}`, should be to `{other}`"
                    yield step.place, _with(step.place.statement, words, (("value", "func", "value"), other))


def _with(statement: ast.stmt | None, words: str, change: Change) -> Edit:
    assert statement is not None
    return Edit(1, "wrong-point", words, partial(replaced, statement, [change]), None, (change,))


def _with_entry(statement: ast.stmt, old: Any, new: Any, name: str) -> ast.stmt | None:
    """Return a statement that writes down a dict with an entry `old`, with an entry `new` behind it; or a tuple with one more."""
    made = copy.deepcopy(statement)
    if isinstance(made, ast.Return) and isinstance(made.value, ast.Tuple) and new == len(made.value.elts):
        made.value.elts.append(ast.Name(name, ast.Load()))
        return ast.fix_missing_locations(made)
    for node in ast.walk(made):
        if isinstance(node, ast.Dict):
            keys = [k.value if isinstance(k, ast.Constant) else None for k in node.keys]
            if old in keys:
                i = keys.index(old) + 1
                node.keys.insert(i, ast.Constant(new))
                node.values.insert(i, ast.Name(name, ast.Load()))
                return ast.fix_missing_locations(made)
    return None
