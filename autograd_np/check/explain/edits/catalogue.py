"""The catalogue of mistakes: each edit of a line undoes one, so the edit that makes the line right names the mistake.

An edit is a changed copy of the user's statement, to be executed by `source.execute`. Edits are ordered by
`rank`: the simplest explanation is tried first.
"""

from __future__ import annotations

import ast
import copy
import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from autograd_np.check.explain.edits.calls import call_edits
from autograd_np.check.explain.edits.edit import Edit, is_array, number, places_in, replace, text_of, value_of
from autograd_np.check.explain.edits.operands import constant_edits, counters, factor_edits, operand_edits
from autograd_np.check.explain.edits.operators import operator_edits
from autograd_np.check.explain.edits.shapes import arrangement_edits, forgotten_edits

__all__ = ["Edit", "edits_of"]


def edits_of(
    statement: ast.stmt, target: str, env: Mapping[str, Any], candidates: Mapping[str, Any], sizes: Mapping[str, float]
) -> list[Edit]:
    """Return the edits of one statement, simplest first.

    Parameters
    ----------
    statement : ast.stmt
        As the user wrote it.
    target : str
        The variable it sets, for messages.
    env : mapping
        The variables it was executed with.
    candidates : mapping
        The arrays it might have meant: forward's variables, inputs, and backward's own.
    sizes : mapping
        Numbers a scale may be made of: ``{"m": 7, "2": 2, "reg": 0.1}``.
    """
    candidates = {**candidates, **_elements(statement, env)}
    found = [*_of_whole(statement, target, sizes), *_of_assignment(statement, target, env)]
    if isinstance(statement, ast.AugAssign):
        found += _of_update(statement, target, env)
    for place in places_in(statement, target, env, candidates):
        for edits in (operator_edits, operand_edits, call_edits, arrangement_edits, forgotten_edits, factor_edits, constant_edits):
            found += edits(place)
    return sorted(found, key=lambda e: e.rank)


def _elements(statement: ast.stmt, env: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arrays at the indices a statement uses, in every container in sight: ``r[t]`` where it reads ``h[t]``."""
    slices = {
        text_of(n.slice): n.slice
        for n in ast.walk(statement)
        if isinstance(n, ast.Subscript) and isinstance(n.slice, (ast.Name, ast.BinOp))
    }
    found: dict[str, Any] = {}
    for text, index in slices.items():
        for name, container in env.items():
            if isinstance(container, (dict, list, tuple)) and len(found) < 40 and not name.startswith("_"):
                value = value_of(ast.Subscript(value=ast.Name(id=name, ctx=ast.Load()), slice=index, ctx=ast.Load()), env)
                if is_array(value):
                    found[f"{name}[{text}]"] = value
    return found


def _of_whole(statement: ast.stmt, target: str, sizes: Mapping[str, float]) -> Iterator[Edit]:
    """Yield edits of the whole right-hand side: its sign and its scale."""
    value = getattr(statement, "value", None)
    if value is None or isinstance(statement, ast.Expr):
        return

    def whole(make: Callable[[ast.expr], ast.expr]) -> Callable[[], ast.stmt]:
        return functools.partial(replace, statement, ("value",), make(copy.deepcopy(value)))

    negated = whole(lambda v: ast.UnaryOp(op=ast.USub(), operand=v))
    yield Edit(1, "sign", f"the sign of `{target}` is wrong: it should be `-({text_of(value)})`", negated)
    for name, size in sizes.items():
        what = "" if name[0].isdigit() else f" ({name} = {size:g})"
        for words, c in ((f"1/{name} is missing", 1 / size), (f"the factor {name} is missing", size)):
            if c != 1:
                scaled = whole(functools.partial(_times, c))
                large = f"{1 / c:.4g} × too large" if c < 1 else f"{c:.4g} × too small"
                yield Edit(2, "scale", f"`{target}` is {large}: {words}{what}", scaled, 1 / c)


def _times(c: float, value: ast.expr) -> ast.expr:
    return ast.BinOp(left=value, op=ast.Mult(), right=number(c))


def _of_assignment(statement: ast.stmt, target: str, env: Mapping[str, Any]) -> Iterator[Edit]:
    """Yield ``+=`` for an ``=`` that overwrites what was there."""
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], (ast.Name, ast.Subscript)) and target in env:
        added = ast.AugAssign(target=copy.deepcopy(statement.targets[0]), op=ast.Add(), value=copy.deepcopy(statement.value))
        yield Edit(4, "missing-term", f"`{target}` is overwritten here: use `+=` to add to what it had", _at(statement, added))
        if isinstance(statement.targets[0], ast.Subscript):
            yield from _scattered(statement, statement.targets[0], statement.value)


def _scattered(statement: ast.stmt, place: ast.Subscript, value: ast.expr) -> Iterator[Edit]:
    """Yield ``np.add.at``: an index may name an element more than once."""
    if any(isinstance(n, ast.Slice) for n in ast.walk(place)):
        return
    base, index = text_of(place.value), text_of(place.slice)
    call = ast.parse(f"np.add.at({base}, ({index}), None)", mode="eval").body
    assert isinstance(call, ast.Call)
    call.args[2] = copy.deepcopy(value)
    words = f"an index that `{base}[{index}]` names twice counts once: use `np.add.at({base}, {index}, ...)`"
    yield Edit(4, "missing-term", words, _at(statement, ast.Expr(value=call)))


def _of_update(statement: ast.AugAssign, target: str, env: Mapping[str, Any]) -> Iterator[Edit]:
    """Yield the edits of ``+=`` and the like: a scatter that adds, ``=``, another operator."""
    place, op = statement.target, statement.op
    if isinstance(place, ast.Subscript) and isinstance(op, ast.Add):
        yield from _scattered(statement, place, statement.value)
    if isinstance(place, ast.Subscript) and isinstance(place.slice, ast.Name):
        for name in counters(env, place.slice.id):
            moved = copy.deepcopy(statement)
            assert isinstance(moved.target, ast.Subscript)
            moved.target.slice = ast.Name(id=name, ctx=ast.Load())
            yield Edit(6.5, "wrong-point", f"`{text_of(place)}` is added to, should be `{text_of(moved.target)}`", _at(statement, moved))
    plain = ast.Assign(targets=[copy.deepcopy(place)], value=copy.deepcopy(statement.value))
    words = f"`{target}` adds to a value that already holds this term: use `=`"
    yield Edit(6, "double-count", words, _at(statement, plain))
    for pair, rank, kind, words in (
        ((ast.Add, ast.Sub), 1, "sign", f"the sign of the term added to `{target}` is wrong"),
        ((ast.Mult, ast.Div), 7, "scale", f"`{target}` is multiplied where it should be divided, or the reverse"),
    ):
        if isinstance(op, pair):
            flipped = copy.deepcopy(statement)
            flipped.op = pair[1]() if isinstance(op, pair[0]) else pair[0]()
            yield Edit(rank, kind, words, flipped)


def _at(statement: ast.stmt, new: ast.stmt) -> ast.stmt:
    """Return a new statement in the place of another."""
    return ast.copy_location(ast.fix_missing_locations(new), statement)
