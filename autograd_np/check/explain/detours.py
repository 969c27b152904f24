"""Changes around a call of a helper of the user's: what they make up for may be the helper's own mistake."""

from __future__ import annotations

import ast
from collections.abc import Collection, Sequence

import numpy as np

from autograd_np.check.explain.case import Case
from autograd_np.check.explain.edits.edit import Edit
from autograd_np.check.explain.edits.syntax import Path, at, name_called
from autograd_np.check.judge.outcome import Outcome
from autograd_np.check.watch.reads import names_read_by
from autograd_np.check.watch.run import Call, Step
from autograd_np.check.watch.source import Function

__all__ = ["AROUND_CALLS", "Detours"]

AROUND_CALLS = 3.0
"""How much less simple a change is around a call of the user's function, which may itself be mistaken."""


class Detours:
    """How much less simple changes of a statement are because of the helpers that it calls.

    Parameters
    ----------
    case : Case
    steps : sequence of Step
        The executions of the statement.
    trusted : collection of Function
        What is known to be right: what forward calls too, and helpers that right results came out of.
    out : Outcome
        The run that they are of.
    """

    def __init__(self, case: Case, steps: Sequence[Step], trusted: Collection[Function], out: Outcome) -> None:
        calls = [call for step in steps for call in step.calls if call.function not in trusted]
        self._doubtful, self._signed = (
            {c.function.name for c in calls} if not all(case.given(c, signed=signed) for c in calls) else set() for signed in (False, True)
        )
        self._signed = self._signed | {name for step in steps for name in _handed_back(step, trusted, out)}

    def of(self, edit: Edit, statement: ast.stmt | None) -> float:
        """Return how much less simple an edit is: if the same change could be made inside a helper that may be mistaken."""
        helpers = self._signed if edit.kind == "sign" else self._doubtful
        if not helpers or statement is None or edit.less:
            return 0.0
        if _of_arguments(edit):
            turned = edit.kind == "transpose" and any(_is_handed(statement, path, helpers) for path, _ in edit.changes)
            return AROUND_CALLS if turned else 0.0
        if edit.changes and not any(_factors_called(_product(statement, path), helpers) for path, _ in edit.changes):
            return 0.0
        return AROUND_CALLS


def _handed_back(step: Step, trusted: Collection[Function], out: Outcome) -> set[str]:
    """Return the variables a step reads that hold, of several things a helper gave, what that was handed: its sign may be the helper's."""
    unpacked = _unpacked(out)
    found = set()
    for name in names_read_by(step.place.statement) if unpacked else ():
        last = next((call for number, call in reversed(unpacked.get((step.call.number, name), ())) if number < step.number), None)
        value = step.before.get(name)
        if last is not None and last.function not in trusted and isinstance(value, np.ndarray):
            handed = (last.last.get(p) for p in last.function.parameters)
            found |= {name} if any(isinstance(x, np.ndarray) and np.array_equal(x, value) for x in handed) else set()
    return found


def _unpacked(out: Outcome) -> dict[tuple[int, str], list[tuple[int, Call]]]:
    """Return by which steps, and from which helpers, variables were unpacked."""
    if "unpacked" not in out.worked_out:
        made: dict[tuple[int, str], list[tuple[int, Call]]] = {}
        for step in out.recording.steps:
            match step.place.statement:
                case ast.Assign(targets=[ast.Tuple(elts=elts)], value=ast.Call()) if step.calls:
                    for name in (e.id for e in elts if isinstance(e, ast.Name)):
                        made.setdefault((step.call.number, name), []).append((step.number, step.calls[-1]))
        out.worked_out["unpacked"] = made
    found: dict[tuple[int, str], list[tuple[int, Call]]] = out.worked_out["unpacked"]
    return found


def _of_arguments(edit: Edit) -> bool:
    """Whether an edit changes only what calls are given; a sign that is wrong there is wrong inside as well, if the function is odd."""
    return edit.kind != "sign" and bool(edit.changes) and all("args" in path or "keywords" in path for path, _ in edit.changes)


def _is_handed(statement: ast.stmt, path: Path, helpers: Collection[str]) -> bool:
    """Whether an expression is what a helper is given, as it is: a matrix that is turned there may have to be turned inside."""
    calls = (at(statement, path[:i]) for i in range(len(path)) if path[i] in ("args", "keywords"))
    return any(isinstance(node, ast.Call) and name_called(node) in helpers for node in calls)


def _product(statement: ast.stmt, path: Path) -> ast.AST:
    """Return the largest product that an expression is a factor of: what multiplies it multiplies all of that; of a target, the value."""
    if path[0] in ("target", "targets"):
        path = ("value",)
    while len(path) > 1:
        above = path[:-1]
        parent = at(statement, above)
        while isinstance(parent, list):
            above = above[:-1]
            parent = at(statement, above)
        if not isinstance(parent, ast.expr) or (isinstance(parent, ast.BinOp) and not isinstance(parent.op, _MULTIPLYING)):
            break
        path = above
    found: ast.AST = at(statement, path)
    return found


_MULTIPLYING = (ast.Mult, ast.Div, ast.MatMult)


def _factors_called(node: ast.AST, helpers: Collection[str]) -> bool:
    """Whether a factor of an expression is what a helper returned: of a sum, each of its terms must have one."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub)):
        return _factors_called(node.left, helpers) and _factors_called(node.right, helpers)
    if isinstance(node, ast.Name) and node.id in helpers:
        return True
    if isinstance(node, ast.Call) and name_called(node) in helpers:
        return True
    return any(_factors_called(child, helpers) for child in ast.iter_child_nodes(node))
