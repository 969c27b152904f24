"""Pairs of simple edits of one line: two transposes, a factor and an axis, a sign or a scale and any of them."""

from __future__ import annotations

import ast
import functools
import itertools
from collections.abc import Callable, Iterator, Sequence

from autograd_np.check.explain.edits.edit import Edit, Line
from autograd_np.check.explain.edits.syntax import apart, negated, replaced

__all__ = ["pair_edits"]

MOST = 900
"""So many pairs are made of one line's edits."""

_SIMPLE = {
    "sign": 6, "scale": 8, "transpose": 10, "extra-factor": 6, "wrong-reduction": 8, "shape": 6, "wrong-point": 24, "missing-factor": 8,
    "missing-term": 4,
}  # fmt: skip
"""So many of the simplest edits of each kind take part."""


def pair_edits(line: Line, edits: Sequence[Edit]) -> Iterator[Edit]:
    """Yield pairs of the simplest edits of each kind whose expressions do not hold one another; each ranks above its parts."""
    left = dict(_SIMPLE)
    parts: list[Edit] = []
    for edit in edits:
        if len(edit.changes) == 1 and edit.changes[0][0] != ("value",) and left.get(edit.kind, 0) > 0 and edit.rank < 7:
            left[edit.kind] -= 1
            parts.append(edit)
    pairs = ((a, b) for a, b in itertools.combinations(parts, 2) if apart(a.changes, b.changes))
    for a, b in sorted(itertools.islice(pairs, 3 * MOST), key=lambda pair: pair[0].rank + pair[1].rank)[:MOST]:
        first, second = sorted((a, b), key=lambda e: e.rank)
        factor = a.factor * b.factor if a.factor and b.factor else None
        yield line.edit(_rank(a, b.rank), second.kind, f"{first.message}; and {second.message}", *a.changes, *b.changes, factor=factor)
    if isinstance(getattr(line.statement, "value", None), ast.expr) and not isinstance(line.statement, ast.Expr):
        yield from _of_whole(line, [e for e in edits if e.changes and e.rank < 5.5 and e.kind not in ("sign", "scale")][:40])


def _rank(edit: Edit, other: float) -> float:
    return 9 + (edit.rank + other) / 20


def _of_whole(line: Line, edits: Sequence[Edit]) -> Iterator[Edit]:
    """Yield edits of an expression together with the sign or the scale of the whole value."""
    sizes = [name for name in line.sizes if name in line.env and float(line.sizes[name]).is_integer()][:2]
    for edit in edits:
        words = f"the sign of `{line.target}` is wrong; and {edit.message}"
        yield Edit(_rank(edit, 1), edit.kind, words, functools.partial(_whole, edit, negated))
        for name in sizes:
            words = f"`{line.target}` should be divided by {name}; and {edit.message}"
            yield Edit(_rank(edit, 2), edit.kind, words, functools.partial(_whole, edit, functools.partial(_divided, name)))


def _divided(name: str, value: ast.expr) -> str:
    return f"({ast.unparse(value)}) / {name}"


def _whole(edit: Edit, written: Callable[[ast.expr], str]) -> ast.stmt:
    """Return the statement that an edit makes with its whole value written anew."""
    statement = edit.body[0]
    return replaced(statement, [(("value",), written(statement.value))])  # type: ignore[attr-defined]
