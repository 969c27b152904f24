"""The changes of the text that may cure, simplest first: whose, and how plausible each is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

import numpy as np

from autograd_np.check.explain.case import Case
from autograd_np.check.explain.detours import Detours
from autograd_np.check.explain.edits.edit import Edit
from autograd_np.check.explain.feeders import Suspect, is_primal, trusted
from autograd_np.check.explain.ordered import Candidate, Changes, Ordered
from autograd_np.check.explain.telling import telling
from autograd_np.check.judge.chains import is_fresh, is_zeros
from autograd_np.check.judge.names import is_gradients_name
from autograd_np.check.judge.outcome import Fix, Outcome, Wrong
from autograd_np.check.watch.reads import names_read_by
from autograd_np.check.watch.run import Step
from autograd_np.check.watch.source import Place

__all__ = ["candidates_of", "changes_of", "fix_of", "own_changes"]

INNOCENT = 1.5
"""How much less simple a change is of a statement whose value may well be meant: some gradient, or a term of one."""

RECOMPUTED, TAKEN, MISTAKEN = 3.0, 1.0, 4.5
"""How much less simple a change is of a statement that makes again, or takes, what forward had; up to this rank it took another."""

OF_SIGNS = 2.2
"""How much less simple a sign is where a value has no sign by name: where it is used, it may have one as well."""

OF_COUNTS = 1.5
"""How much less simple a sign is where a number is computed from numbers alone: counts have none."""

OF_STARTS = 2.0
"""How much less simple a change is of the zeros that a sum starts from: what is missing is missing where it is added up."""

OF_RESULTS = 3.5
"""How much less simple a factor or a sign is that all of a helper's result lacks: its caller may have left it out."""

COPIED = 1.25
"""How much simpler a change is of a statement that only copies: something was meant to be made of it."""

REPEATED = 2.5
"""How much simpler a change is of a statement that another branch has too: then there need be no branches."""

IDLE = 3.0
"""How much simpler a change is of a statement that does nothing as it is written."""

OF_NUMBERS, OF_SCALED_NUMBERS = 1.0, 4.0
"""How much less simple a change is where a number is computed that only sizes arrays; and one that makes it a multiple of itself."""


_LENGTH = re.compile(r"[\w.]+\.shape\[-?\d\]")

_INSERTED = ("missing-term", "missing-factor")

PAIRS = 9
"""From this rank on changes are made of two."""


def candidates_of(case: Case, w: Wrong, places: Sequence[Place], suspects: Sequence[Suspect], out: Outcome) -> Ordered:
    """Return the changes that may cure a wrong variable, simplest first; not of what was changed before."""
    fixed = {f.place for f in case.fixes if f.body is not None}
    changes = [*own_changes(case, w, places, out), *changes_of(case, suspects, out)]
    return Ordered([c for c in changes if c.place not in fixed], out)


def own_changes(case: Case, w: Wrong, places: Sequence[Place], out: Outcome) -> list[Changes]:
    """Return the changes of the statements that build a wrong variable."""
    true = trusted(case, out) if places else set()

    def of(place: Place) -> Iterator[Candidate]:
        mine = [
            e for e in out.events if e.place == place and e.path == w.name and (w.event is None or e.call.number == w.event.call.number)
        ]
        step: Step | None = mine[0].step if mine else next((s for s in reversed(out.recording.steps) if s.place == place), None)
        if step is None:
            return
        alone = (
            len(case.chain_places(w, out)) == 1
            and w.event is not None
            and is_fresh(place.statement, w.name)
            and len(w.event.step.events) == 1
            and not isinstance(place.statement, ast.Return)
        )
        event = w.event if alone else None
        if event is not None:
            step = event.step
        detours = Detours(case, [s for s in out.recording.steps if s.place == place], true, out)
        begins = bool(mine) and all(map(is_zeros, mine))
        simpler = _simpler(place)
        for edit in case.edits(place, telling(out, step), w.name):
            more = detours.of(edit, place.statement) - simpler
            more += OF_STARTS if begins and edit.kind in _INSERTED else 0
            yield Candidate(edit.rank + more, edit, place, w.name, event, w)

    return [Changes(place, _simpler(place), of(place)) for place in places]


def changes_of(case: Case, suspects: Sequence[Suspect], out: Outcome) -> list[Changes]:
    """Return the changes of statements that feed something wrong."""
    true = trusted(case, out) if suspects else set()
    kept = {e.place for e in out.events if any((e.call.number, e.path) == key[:2] for key, c in out.kept.items() if abs(c - 1) > 1e-9)}
    recomputed = {
        s.place for s in suspects if s.events and not is_gradients_name(s.path) and is_primal(case, s.events) and not _is_in_vain(s)
    }
    innocent = {s.place for s in suspects if s.looks_right and s.path and s.place not in kept}

    def of(s: Suspect) -> Iterator[Candidate]:
        again_named = isinstance(getattr(s.place.statement, "value", None), ast.Name)  # something was to be made of what has two names now
        again = TAKEN if _is_taken(s.place) else RECOMPUTED
        doubt = again if s.place in recomputed else INNOCENT if s.place in innocent else 0.0
        path = s.path or (_first_target(s.place) or "")
        detours = Detours(case, [s.step], true, out)
        doubt -= _simpler(s.place)
        begins = bool(s.events) and all(map(is_zeros, s.events))
        counts, elements = _counts(s), _sets_elements(s, path)
        returned = _returned(s)
        taken = doubt == INNOCENT and _is_taken(s.place)
        innocence = [INNOCENT if returned and case.given(s.step.call, signed=signed) else 0.0 for signed in (False, True)]
        for edit in case.edits(s.place, telling(out, s.step), path):
            if s.right and not edit.follows:
                continue
            if s.place in recomputed and not again_named and not edit.less and (edit.kind != "wrong-point" or edit.rank >= MISTAKEN):
                continue
            if s.events or returned or _hands_on(s):
                anew = isinstance(s.place.statement, ast.Assign) and not is_gradients_name(path)
                turned = (OF_SIGNS if anew else OF_COUNTS if counts else 0.0) if edit.kind == "sign" else 0.0
                turned += OF_STARTS if begins and edit.kind in _INSERTED else 0.0
                turned += OF_RESULTS if returned and _is_around(edit, returned) else 0.0
                turned += innocence[edit.kind == "sign"] + detours.of(edit, s.place.statement)
                turned = 0.0 if edit.less else turned
                turned -= doubt if taken and _of_index(edit) else 0.0  # whichever element is taken is some gradient
                yield Candidate(edit.rank + doubt + turned, edit, s.place, path, None, None, s.place in kept)
            elif (edit.kind != "sign" or elements) and edit.rank < PAIRS:  # a count is seldom mistaken, and never by its sign
                scaled = edit.factor is not None and not _is_of_another_axis(edit)
                doubt = 0.0 if elements else OF_SCALED_NUMBERS if scaled else OF_NUMBERS
                yield Candidate(edit.rank + doubt, edit, s.place, path, None, None, False)

    return [Changes(s.place, _simpler(s.place), of(s)) for s in {s.place: s for s in reversed(suspects)}.values()]


def _simpler(place: Place) -> float:
    """Return by how much changes of a statement are simpler for what it does."""
    repeated = id(place.statement) in place.function.same_in_branches
    return IDLE if _is_idle(place.statement) else COPIED if _copies(place) else REPEATED if repeated else 0.0


def _is_taken(place: Place) -> bool:
    """Whether a statement computes nothing: it takes an entry, an attribute, an element, or one of two as a step demands."""
    value = getattr(place.statement, "value", None)
    return any(map(_takes, (value.body, value.orelse) if isinstance(value, ast.IfExp) else (value,)))


def _takes(value: ast.expr | None) -> bool:
    while isinstance(value, (ast.Subscript, ast.Attribute)):
        value = value.value
    return isinstance(value, ast.Name)


def _of_index(edit: Edit) -> bool:
    return bool(edit.changes) and all("slice" in path for path, _ in edit.changes)


def _counts(s: Suspect) -> bool:
    """Whether a statement computes a number from numbers, or from the sizes of arrays."""
    statement = s.place.statement
    if not isinstance(statement, ast.Assign) or any(np.ndim(e.computed) for e in s.events):
        return False
    return all(type(s.step.before.get(name)) in (int, float) for name in names_read_by(statement.value))


def _is_of_another_axis(edit: Edit) -> bool:
    """Whether an edit only asks for the length of another axis."""
    return bool(edit.changes) and all(_LENGTH.fullmatch(text) for _, text in edit.changes)


def _is_in_vain(s: Suspect) -> bool:
    """Whether a statement changes an array in place and leaves it as it was, or copies one to change the copy."""
    value = getattr(s.place.statement, "value", None)
    if isinstance(value, ast.Call) and ast.unparse(value.func).rpartition(".")[2] == "copy":
        return True
    values = [(e.before.get(e.path.partition("[")[0]), e.value) for e in s.events if "[" not in e.path]
    changes = isinstance(s.place.statement, ast.AugAssign) or (
        isinstance(s.place.statement, ast.Assign) and isinstance(s.place.statement.targets[0], ast.Subscript)
    )
    return changes and bool(values) and all(np.array_equal(old, new) for old, new in values if old is not None)


def _sets_elements(s: Suspect, path: str) -> bool:
    """Whether a statement without floating results sets a mask, or an array of whole numbers that gradients are counted in."""
    value = s.step.call.last.get(path.partition("[")[0])
    return isinstance(value, np.ndarray) and value.ndim > 0


def _returned(s: Suspect) -> str:
    """Write the array that a statement returns; nothing if it returns none."""
    match s.place.statement:
        case ast.Return(value=ast.expr() as value) if isinstance(s.step.call.result, np.ndarray):
            return ast.unparse(value)
    return ""


def _hands_on(s: Suspect) -> bool:
    """Whether a statement hands arrays on that it does not set: one that only calls, or returns several."""
    several = isinstance(s.place.statement, ast.Return) and isinstance(s.step.call.result, tuple)
    return isinstance(s.place.statement, ast.Expr) or (several and any(isinstance(x, np.ndarray) for x in s.step.call.result))


def _is_around(edit: Edit, written: str) -> bool:
    """Whether an edit multiplies all of a value, whatever that is, by a number or a sign."""
    return edit.kind in ("scale", "sign") and any(written in text for _, text in edit.changes)


def _is_idle(statement: ast.stmt | None) -> bool:
    """Whether a statement leaves a variable as it was: ``dx *= 1.0``, ``dx = dx + 0``, ``dx = dx``."""
    match statement:
        case ast.AugAssign(op=ast.Mult() | ast.Div() | ast.Pow(), value=ast.Constant(value=1)):
            return True
        case ast.AugAssign(op=ast.Add() | ast.Sub(), value=ast.Constant(value=0)):
            return True
        case ast.Assign(targets=[target], value=value):
            written = ast.unparse(target)
            match value:
                case ast.BinOp(left=left, op=ast.Mult() | ast.Div(), right=ast.Constant(value=1)):
                    return ast.unparse(left) == written
                case ast.BinOp(left=left, op=ast.Add() | ast.Sub(), right=ast.Constant(value=0)):
                    return ast.unparse(left) == written
                case ast.BinOp(left=ast.Constant(value=1), op=ast.Mult(), right=right):
                    return ast.unparse(right) == written
            return ast.unparse(value) == written
    return False


def _copies(place: Place) -> bool:
    """Whether a statement only gives a value another name."""
    match place.statement:
        case ast.Assign(targets=[ast.Name() | ast.Attribute()], value=ast.Name() | ast.Attribute() as value):
            return all(part.isidentifier() for part in ast.unparse(value).split(".")) and getattr(value, "attr", "") != "T"
    return False


def _first_target(place: Place) -> str | None:
    statement = place.statement
    target = statement.targets[0] if isinstance(statement, ast.Assign) else getattr(statement, "target", None)
    return ast.unparse(target) if isinstance(target, ast.expr) else None


def fix_of(candidate: Candidate) -> Fix:
    """Return what runs a change."""
    return Fix(candidate.place, candidate.path, candidate.edit.body)
