"""The syntax trees of statements and their parts, and changed copies of them."""

from __future__ import annotations

import ast
import copy
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

__all__ = [
    "Change",
    "Path",
    "apart",
    "around",
    "at",
    "differing",
    "expressions",
    "indexes",
    "name_called",
    "negated",
    "neighbours",
    "parsed",
    "parts",
    "plain",
    "replaced",
    "statements",
]

Path = tuple[str | int, ...]
"""Fields and indices that lead from a statement to an expression in it."""

Change = tuple[Path, str]
"""An expression of a statement, and the text that takes its place."""


def at(tree: Any, path: Path) -> Any:
    """Return the part of a tree that a path leads to."""
    for step in path:
        tree = tree[step] if isinstance(step, int) else getattr(tree, step)
    return tree


def parts(statement: ast.stmt) -> list[tuple[Path, ast.expr, bool]]:
    """Return the expressions of a statement without the statements in it: (path, expression, whether it is written into)."""
    match statement:
        case ast.Assign():
            return [(("value",), statement.value, False), *((("targets", i), t, True) for i, t in enumerate(statement.targets))]
        case ast.AugAssign() | ast.AnnAssign():
            value = [] if statement.value is None else [(("value",), statement.value, False)]
            return [*value, (("target",), statement.target, True)]
        case ast.Expr() | ast.Return():
            return [] if statement.value is None else [(("value",), statement.value, False)]
        case ast.For():
            return [(("iter",), statement.iter, False)]
        case ast.While() | ast.If() | ast.Assert():
            return [(("test",), statement.test, False)]
        case ast.With():
            return [(("items", i, "context_expr"), item.context_expr, False) for i, item in enumerate(statement.items)]
    return []


def indexes(path: Path, start: Path) -> bool:
    """Whether an expression of a target stands in an index of it, so that it is read."""
    return "slice" in path[len(start) :]


def expressions(node: Any, path: Path) -> Iterator[tuple[Path, ast.expr]]:
    """Yield (path, expression) for an expression and all those in it; the function of a call is none, but what a method is of."""
    if isinstance(node, ast.expr):
        yield path, node
    for name, value in ast.iter_fields(node):
        if name == "func":
            if isinstance(value, ast.Attribute):
                yield from expressions(value.value, (*path, "func", "value"))
        elif isinstance(node, ast.comprehension) and name == "target":
            continue  # it is set, not read
        elif isinstance(value, ast.AST) and name != "ctx":
            yield from expressions(value, (*path, name))
        elif isinstance(value, list):
            for i, item in enumerate(value):
                if isinstance(item, ast.AST):
                    yield from expressions(item, (*path, name, i))


def name_called(node: ast.Call) -> str:
    """Return the name of what is called, of a method its own: ``sum`` of ``np.sum(x)`` and of ``x.sum()``."""
    return node.func.attr if isinstance(node.func, ast.Attribute) else str(getattr(node.func, "id", ""))


def around(x: str, y: str) -> tuple[str, str]:
    """Return how two names begin and end alike."""
    start = _beginning(x, y)
    return start, _beginning(x[len(start) :][::-1], y[len(start) :][::-1])[::-1]


def _beginning(x: str, y: str) -> str:
    """Return the letters with which two words begin."""
    pairs = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(x, y, strict=False))
    return "".join(a for a, _ in pairs)


def differing(x: str, y: str) -> tuple[str, str]:
    """Return what two names differ in.

    Examples
    --------
    >>> around("x_query", "x_key"), differing("x_query", "x_key")
    (('x_', 'y'), ('quer', 'ke'))
    """
    start, end = around(x, y)
    return x[len(start) : len(x) - len(end)], y[len(start) : len(y) - len(end)]


def plain(text: str) -> str:
    """Return an expression as Python would write it, without brackets that say nothing."""
    return ast.unparse(ast.parse(text, mode="eval"))


def parsed(text: str) -> ast.expr:
    """Return the syntax tree of an expression, or of what may stand in an index."""
    try:
        return ast.parse(text, mode="eval").body
    except SyntaxError:
        tree = ast.parse(f"_[{text}]", mode="eval").body
        assert isinstance(tree, ast.Subscript)
        return tree.slice


def replaced(statement: ast.stmt, changes: Sequence[Change]) -> ast.stmt:
    """Return a statement with expressions replaced; what is not replaced is shared with it."""
    for path, text in changes:
        old = at(statement, path)
        new = parsed(text)
        _put_at(new, old)
        if isinstance(getattr(old, "ctx", None), ast.Store):
            _written_into(new)
        statement = _with(statement, path, new)
    return statement


def _put_at(tree: Any, place: Any) -> None:
    """Give all of a tree the place of another in the source."""
    if hasattr(tree, "lineno"):
        tree.lineno, tree.end_lineno = place.lineno, place.end_lineno
        tree.col_offset, tree.end_col_offset = place.col_offset, place.end_col_offset
    for part in ast.iter_child_nodes(tree):
        _put_at(part, place)


def _written_into(target: Any) -> None:
    """Make an expression, and the parts it is unpacked to, the target of an assignment."""
    target.ctx = ast.Store()
    for part in getattr(target, "elts", ()):
        _written_into(part)


def _with(tree: Any, path: Path, new: Any) -> Any:
    """Return a tree with another at `path`: those on the way are copied."""
    if not path:
        return new
    step, rest = path[0], path[1:]
    if isinstance(step, int):
        return [*tree[:step], _with(tree[step], rest, new), *tree[step + 1 :]]
    result = copy.copy(tree)
    setattr(result, step, _with(getattr(tree, step), rest, new))
    return result


def statements(at: ast.stmt, others: Sequence[str | ast.stmt]) -> list[ast.stmt]:
    """Return statements in the place of another: their texts, parsed."""
    found: list[ast.stmt] = []
    for s in others:
        if isinstance(s, str):
            for new in ast.parse(s).body:
                _put_at(new, at)
                found.append(new)
        else:
            found.append(s)
    return found


def apart(a: Sequence[Change], b: Sequence[Change]) -> bool:
    """Whether no expression that one edit changes holds one of the other's."""
    return not any(p[: len(q)] == q or q[: len(p)] == p for p, _ in a for q, _ in b)


def negated(node: ast.expr, text: Callable[[ast.AST], str] = ast.unparse) -> str:
    """Write minus an expression as a person would: ``b - a`` for ``a - b``."""
    match node:
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return text(operand)
        case ast.BinOp(left=left, op=ast.Sub(), right=right):
            return f"{text(right)} - ({text(left)})"
        case ast.BinOp(left=left, op=ast.Mult() | ast.Div() as op, right=right):
            return f"({negated(left, text)}) {'*' if isinstance(op, ast.Mult) else '/'} ({text(right)})"
    return f"-({text(node)})"


def neighbours(text: str, node: ast.expr) -> list[str]:
    """Write the integers before and after one: ``t`` for ``t - 1``, ``t + 2`` for ``t + 1``."""
    match node:
        case ast.Constant(value=int() as v):
            return [str(v - 1), str(v + 1)]
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() as v)):
            return [str(-v - 1), str(-v + 1)]
        case ast.UnaryOp(op=ast.USub()):
            return [f"{text} - 1", f"{text} + 1"]
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as op, right=ast.Constant(value=int() as v)):
            off = v if isinstance(op, ast.Add) else -v
            base = ast.unparse(left)
            return [base if x == 0 else f"{base} {'+' if x > 0 else '-'} {abs(x)}" for x in (off - 1, off + 1, 0) if x != off]
    text = text if isinstance(node, (ast.Name, ast.Attribute, ast.Subscript, ast.Call)) else f"({text})"
    return [f"{text} - 1", f"{text} + 1"]
