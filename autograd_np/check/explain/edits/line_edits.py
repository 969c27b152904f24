"""Changes of the text of a wrong line: the one that makes it right is the mistake undone."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd_np.check.explain.case import Case, Verdict
from autograd_np.check.explain.diagnose import diagnosis_of
from autograd_np.check.explain.edits.catalogue import Edit, edits_of
from autograd_np.check.judge.chains import is_fresh
from autograd_np.check.judge.outcome import Fix, Outcome, Wrong
from autograd_np.check.watch.forward import Point
from autograd_np.check.watch.interpret import CannotEvaluate, execute
from autograd_np.check.watch.run import Event
from autograd_np.typing import Array

__all__ = ["edited_line"]


def edited_line(case: Case, w: Wrong, lines: list[int], out: Outcome, limit: float) -> Verdict | None:
    """Return the simplest edit of one of the lines that build a wrong value which cures it, if it is simpler than `limit`."""
    best: tuple[int, Edit] | None = None
    for line in lines:
        statement = case.session.source.statement(line)
        events = [e for e in out.events if e.line == line and e.path == w.name]
        if w.event is None and isinstance(statement, ast.Return):
            found = _edit_return(case, w, statement)
            if found is not None and found.rank < limit:
                best = (line, found)
            continue
        if statement is None or not events:
            continue
        alone = len(lines) == 1 and w.event is not None and is_fresh(statement, w.name)
        e = w.event if alone and w.event is not None else events[0]
        for edit in case.edits(statement, e):
            if edit.rank >= limit or (best is not None and edit.rank >= best[1].rank) or case.late():
                break
            if _cures(case, edit, line, w, e, alone=alone):
                best = (line, edit)
                break
    return None if best is None else Verdict(best[0], diagnosis_of(best[1]))


def _edit_return(case: Case, w: Wrong, statement: ast.Return) -> Edit | None:
    """Edit an expression in the return statement, as if it were assigned first."""
    node = _returned_expression(statement.value, w.name)
    if node is None:
        return None
    assign = ast.fix_missing_locations(
        ast.copy_location(ast.Assign(targets=[ast.Name(id="returned_value", ctx=ast.Store())], value=node), statement)
    )
    scopes = []
    for point in case.points:
        x = case.matching(w, point)
        events = case.scan(point).events
        if x is None or not events:
            continue
        last = events[-1]
        after = dict(last.before)
        for e in events:
            if "[" not in e.path:
                after[e.path] = e.value
        scopes.append((point, {**case.session.globals, **case.session.candidates(last, point), **after}, x.expected))
    if not scopes:
        return None
    candidates = {k: v for k, v in scopes[0][1].items() if isinstance(v, (np.ndarray, np.generic))}
    for edit in edits_of(assign, ast.unparse(node), scopes[0][1], candidates, case.sizes(case.main)):
        if all(_gives(edit, scope, expected, case, point) for point, scope, expected in scopes):
            return edit
    return None


def _returned_expression(value: ast.expr | None, name: str) -> ast.expr | None:
    """Return the part of a returned expression that is called `name`: its text, or ``['key']`` in a dict."""
    if isinstance(value, ast.Dict):
        named = {f"[{k.value!r}]": v for k, v in zip(value.keys, value.values, strict=True) if isinstance(k, ast.Constant)}
        elements = value.values
    else:
        named = {}
        elements = value.elts if isinstance(value, (ast.Tuple, ast.List)) else [value] if value is not None else []
    return next((x for x in elements if ast.unparse(x) == name), named.get(name))


def _gives(edit: Edit, scope: Mapping[str, Any], expected: Array, case: Case, point: Point) -> bool:
    try:
        return case.close(execute(edit.body, scope, "returned_value"), expected, point)
    except CannotEvaluate:
        return False


def _cures(case: Case, edit: Edit, line: int, w: Wrong, e: Event, *, alone: bool) -> bool:
    """Whether an edit makes the variable right on every point; where one line builds it, running that line tells at the first."""
    if alone:
        new = case.session.rerun(edit.body, e, case.main)
        if new is None or not case.close(new, w.expected, case.main):
            return False
    fix = Fix(line, w.name, edit.body)
    return all(case.right_with(fix, w, point) for point in case.points[1 if alone else 0 :])
