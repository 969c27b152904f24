"""What the source of forward tells about the lines of backward."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from autograd_np.check.explain.edits.edit import Hints

__all__ = ["hints_of"]


def hints_of(*functions: ast.AST | None) -> Hints:
    """Return what the syntax trees of forward and its helpers tell: the functions they call, terms, indices they read at, numbers."""
    nodes = [n for tree in functions if tree is not None for n in ast.walk(tree)]
    calls = [ast.unparse(n.func) for n in nodes if isinstance(n, ast.Call) and _is_function(n.func)]
    if any(isinstance(n, ast.BinOp) and isinstance(n.op, ast.Pow) for n in nodes):
        calls.append("np.square")
    indices = [ast.unparse(n.slice).strip("()") for n in nodes if isinstance(n, ast.Subscript) and _is_lookup(n)]
    numbers = [n.value for n in nodes if isinstance(n, ast.Constant)]
    constants = [v for v in numbers if isinstance(v, (int, float)) and v not in (0, 1)]
    terms = [
        t
        for n in nodes
        if isinstance(n, ast.BinOp) and isinstance(n.op, (ast.Add, ast.Sub))
        for side in (n.left, n.right)
        for t in _penalties(side)
    ]
    terms += [
        t for n in nodes if isinstance(n, (ast.AugAssign, ast.Assign)) and isinstance(n.value, ast.BinOp) for t in _penalties(n.value)
    ]
    unique = dict.fromkeys
    return Hints(tuple(unique(calls)), tuple(unique(terms)), tuple(unique(indices)), tuple(unique(constants)))


def _is_function(func: ast.expr) -> bool:
    """Whether a function is named, not a method of a value."""
    while isinstance(func, ast.Attribute):
        func = func.value
    return isinstance(func, ast.Name)


def _is_lookup(node: ast.Subscript) -> bool:
    """Whether an array is read at elements that other arrays name."""
    parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    return (
        isinstance(node.ctx, ast.Load)
        and not any(isinstance(p, ast.Slice) for p in parts)
        and any(isinstance(p, (ast.Call, ast.Name, ast.Subscript)) for p in parts)
    )


def _penalties(node: ast.expr) -> Iterator[str]:
    """Yield ``lam * W`` for ``0.5 * lam * np.sum(W**2)``, and ``lam * W / m`` where that is divided."""
    factors = list(_factors(node))
    squares = [s for _, f in factors for s in _squares(f)]
    scalars = [(op, f) for op, f in factors if not list(_squares(f)) and isinstance(f, (ast.Name, ast.Attribute, ast.Subscript))]
    for square in squares:
        times = [ast.unparse(f) for op, f in scalars if op == "*"]
        over = "".join(f" / {ast.unparse(f)}" for op, f in scalars if op == "/")
        yield " * ".join([*times, square]) + over


def _factors(node: ast.expr, op: str = "*") -> Iterator[tuple[str, ast.expr]]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mult, ast.Div)):
        inverse = {"*": "/", "/": "*"}[op]
        yield from _factors(node.left, op)
        yield from _factors(node.right, op if isinstance(node.op, ast.Mult) else inverse)
    else:
        yield op, node


def _squares(node: ast.expr) -> Iterator[str]:
    """Yield what is squared and summed in an expression."""
    match node:
        case ast.Call(func=ast.Attribute(attr="sum" | "mean"), args=[inner, *_]):
            yield from _squares(inner)
        case ast.Call(func=ast.Attribute(attr="sum" | "mean", value=inner), args=[]):
            yield from _squares(inner)
        case ast.Call(func=ast.Attribute(attr="square" | "power"), args=[inner, *_]):
            yield ast.unparse(inner)
        case ast.BinOp(left=left, op=ast.Pow()):
            yield ast.unparse(left)
        case ast.BinOp(left=left, op=ast.Mult(), right=right) if ast.unparse(left) == ast.unparse(right):
            yield ast.unparse(left)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            yield from _squares(left)
            yield from _squares(right)
