"""What a statement writes and reads: variables, attributes, and elements of them."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator

__all__ = ["COMPOUND", "KEPT", "is_numpy", "names_read_by", "roots_written_by", "values_read_by", "written_in_place"]

COMPOUND = (ast.For, ast.While, ast.If, ast.With, ast.Try)

KEPT = 1 << 14
"""So many answers are kept: a text is asked the same at every step of every run, and does not change."""

_FORM = frozenset(["shape", "ndim", "size", "dtype"])
"""Attributes that say nothing of the numbers in an array."""

_OF_FORM = frozenset(["len", "shape", "ndim", "size", "zeros_like", "ones_like", "empty_like", "full_like", "isinstance", "type"])
"""Functions that read nothing of their first argument but its form."""


def is_numpy(node: ast.AST) -> bool:
    """Whether an expression is NumPy itself, by the names that it goes by."""
    return isinstance(node, ast.Name) and node.id in ("np", "numpy")


def _root(node: ast.expr) -> str | None:
    """Return the variable or attribute that a target is an element of: ``self.grads`` of ``self.grads['W'][0]``."""
    while isinstance(node, (ast.Subscript, ast.Starred)):
        node = node.value
    inner = node
    while isinstance(inner, ast.Attribute):
        inner = inner.value
    if isinstance(inner, ast.Name):
        return ast.unparse(node)
    if isinstance(inner, ast.Subscript):  # layers[i].dW
        return ast.unparse(node)
    return None


def _targets_in(target: ast.expr) -> Iterator[ast.expr]:
    if isinstance(target, (ast.Tuple, ast.List)):
        for t in target.elts:
            yield from _targets_in(t)
    elif isinstance(target, ast.Starred):
        yield from _targets_in(target.value)
    else:
        yield target


def _assigned(statement: ast.stmt | None) -> list[ast.expr]:
    match statement:
        case ast.Assign():
            targets = statement.targets
        case ast.AugAssign() | ast.AnnAssign() | ast.For():
            targets = [statement.target]
        case ast.With():
            targets = [i.optional_vars for i in statement.items if i.optional_vars is not None]
        case ast.Delete():
            targets = statement.targets
        case _:
            return []
    return [x for t in targets for x in _targets_in(t)]


@functools.lru_cache(KEPT)
def roots_written_by(statement: ast.stmt | None) -> tuple[str, ...]:
    """Return the variables and attributes a statement binds or may write into: its targets, or what a bare call is given."""
    if isinstance(statement, ast.Expr):
        nodes: list[ast.expr] = []
        for n in ast.walk(statement.value):
            if isinstance(n, ast.Call):
                nodes += [*n.args, *(k.value for k in n.keywords)]
                if isinstance(n.func, ast.Attribute):
                    nodes.append(n.func.value)
        return tuple(dict.fromkeys(r for n in nodes if (r := _root(n)) is not None))
    found = [r for t in _assigned(statement) if (r := _root(t)) is not None]
    if isinstance(statement, (ast.Assign, ast.AnnAssign, ast.AugAssign)) and statement.value is not None:
        for n in ast.walk(statement.value):
            if isinstance(n, ast.keyword) and n.arg == "out" and (r := _root(n.value)) is not None:
                found.append(r)
    return tuple(dict.fromkeys(found))


def written_in_place(statement: ast.stmt) -> list[str]:
    """Return what a statement writes into, and does not bind."""
    plain = {ast.unparse(t) for t in _assigned(statement)} if not isinstance(statement, ast.AugAssign) else set()
    return [r for r in roots_written_by(statement) if r not in plain]


@functools.lru_cache(KEPT)
def names_read_by(node: ast.AST | None) -> frozenset[str]:
    """Return the variables that a statement reads (``+=`` reads its target), attributes of ``self`` as ``self.x``."""
    if node is None:
        return frozenset()
    parts = _header_parts(node) if isinstance(node, COMPOUND) else ast.walk(node)
    found: set[str] = set()
    for n in parts:
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load):
            found.add(n.id)
        elif isinstance(n, ast.Attribute) and isinstance(n.value, ast.Name):
            found.add(ast.unparse(n))
    if isinstance(node, ast.AugAssign):
        found |= {n.id for n in ast.walk(node.target) if isinstance(n, ast.Name)} | {r for r in [_root(node.target)] if r}
    return frozenset(found)


@functools.lru_cache(KEPT)
def values_read_by(node: ast.AST | None) -> tuple[ast.expr, ...]:
    """Return the variables, attributes and elements whose values a statement reads, as they are written: ``layers[i].dW``.

    What is asked for its form alone (``len(x)``, ``x.shape``, ``np.zeros_like(x)``) is none of them, nor is what ``+=`` adds to.

    Examples
    --------
    >>> statement = ast.parse("s += np.zeros_like(a) + layers[i].dW[: x.shape[0]] * len(b) * c.T").body[0]
    >>> [ast.unparse(e) for e in values_read_by(statement)]
    ['layers[i].dW[:x.shape[0]]', 'i', 'c.T']
    """
    return tuple(_values_read_by(node))


def _values_read_by(node: ast.AST | None) -> Iterator[ast.expr]:
    match node:
        case None:
            return
        case ast.Attribute(attr=attr) if attr in _FORM:
            return
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(value=ast.Name(id="np" | "numpy"), attr=name)) if name in _OF_FORM:
            parts: list[ast.AST] = [*node.args[1:], *(k.value for k in node.keywords)]
        case ast.Name(ctx=ast.Load()):
            yield node
            return
        case ast.Attribute(ctx=ast.Load()) | ast.Subscript(ctx=ast.Load()) if _is_chain(node):
            yield node
            parts = [n.slice for n in ast.walk(node) if isinstance(n, ast.Subscript)]
        case ast.AugAssign():
            parts = [node.value, *(n.slice for n in ast.walk(node.target) if isinstance(n, ast.Subscript))]
        case ast.stmt() if isinstance(node, COMPOUND):
            found = [getattr(node, name, None) for name in ("test", "iter", "target", "items")]
            parts = [p for f in found for p in (f if isinstance(f, list) else [f]) if isinstance(p, ast.AST)]
        case _:
            parts = list(ast.iter_child_nodes(node))
    for part in parts:
        yield from _values_read_by(part)


def _is_chain(node: ast.expr) -> bool:
    """Whether an expression is an attribute or an element of a variable, or of such a one, and no form."""
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        if isinstance(node, ast.Attribute) and node.attr in _FORM:
            return False
        node = node.value
    return isinstance(node, ast.Name)


def _header_parts(statement: ast.AST) -> Iterator[ast.AST]:
    yield statement
    for name, value in ast.iter_fields(statement):
        if name in ("test", "iter", "target", "items"):
            for item in value if isinstance(value, list) else [value]:
                yield from ast.walk(item)
