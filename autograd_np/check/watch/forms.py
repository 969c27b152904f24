"""Many changed forms of one function, compiled together: a statement's changes stand side by side, and a constant chooses.

Compiling takes longer than running a small backward pass. Putting all changes into one program is known from mutation testing as
a mutant schema (Untch, Offutt and Harrold, "Mutation analysis using mutant schemata", ISSTA 1993).
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from types import CodeType

from autograd_np.check.watch.source import Function, Place, placed

__all__ = ["forms_of"]

_CHOICE = "\0the form that runs"
_SIMPLE = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr, ast.Return, ast.Raise, ast.Pass)


def forms_of(
    function: Function, place: Place, bodies: Sequence[Sequence[ast.stmt]], others: Mapping[Place, Sequence[ast.stmt]]
) -> list[CodeType | None]:
    """Compile a function once for each of `bodies` in the place of a statement, with `others` changed as well; ``None`` is no Python.

    Bodies that bind other names than the statement does would change what these names mean to the rest, and are compiled alone.
    """
    statement = place.statement
    names = _bound(statement) if isinstance(statement, _SIMPLE) else None
    together = [i for i, body in enumerate(bodies) if names is not None and _fits(body, names)]
    found: dict[int, CodeType | None] = {}
    if statement is not None and len(together) > 1:
        choices = [_choice(k, bodies[i], statement) for k, i in enumerate(together)]
        whole = function.edited({**others, place: choices})
        if whole is not None and _has_choice(whole):
            found = {i: _chosen(whole, k) for k, i in enumerate(together)}
    return [found[i] if i in found else function.edited({**others, place: body}) for i, body in enumerate(bodies)]


def _fits(body: Sequence[ast.stmt], names: set[str]) -> bool:
    """Whether a change may stand beside others: simple statements that bind no further name."""
    return all(isinstance(s, _SIMPLE) and _bound(s) <= names for s in body)


def _bound(statement: ast.stmt) -> set[str]:
    return {n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and not isinstance(n.ctx, ast.Load)}


def _choice(k: int, body: Sequence[ast.stmt], old: ast.stmt) -> ast.stmt:
    test = ast.Compare(left=ast.Constant(value=_CHOICE), ops=[ast.Eq()], comparators=[ast.Constant(value=k)])
    return ast.If(test=test, body=[placed(s, old) for s in body] or [placed(ast.Pass(), old)], orelse=[])


def _has_choice(code: CodeType) -> bool:
    return any(_has_choice(c) if isinstance(c, CodeType) else c == _CHOICE for c in code.co_consts if isinstance(c, (CodeType, str)))


def _chosen(code: CodeType, k: int) -> CodeType:
    """Return the form of this number: its constant in the place of the choice."""
    consts = tuple(_chosen(c, k) if isinstance(c, CodeType) else k if isinstance(c, str) and c == _CHOICE else c for c in code.co_consts)
    return code.replace(co_consts=consts) if any(a is not b for a, b in zip(consts, code.co_consts, strict=True)) else code
