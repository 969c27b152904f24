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
    indices = [_bare(n.slice) for n in nodes if isinstance(n, ast.Subscript) and _is_lookup(n)]
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
    factors = [t for n in nodes if isinstance(n, (ast.BinOp, ast.Call)) for t in _accompanying(n)]
    applied = [
        (ast.unparse(n.args[0]), ast.unparse(n)) for n in nodes if isinstance(n, ast.Call) and _is_function(n.func) and len(n.args) == 1
    ]
    unique = dict.fromkeys
    return Hints(
        tuple(unique(calls)),
        tuple(unique(terms)),
        tuple(unique(indices)),
        tuple(unique(constants)),
        tuple(unique(factors)),
        tuple(unique(applied)),
    )


def _bare(index: ast.expr) -> str:
    """Write an index without brackets around it."""
    return ", ".join(map(ast.unparse, index.elts)) if isinstance(index, ast.Tuple) else ast.unparse(index)


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


def _accompanying(node: ast.expr) -> Iterator[str]:
    """Yield what one variable of a product is multiplied by: ``mask / keep`` of ``A * mask / keep``, ``1 - t`` of ``(1 - t) * x``."""
    factors = list(_factors(node))
    for i, (op, factor) in enumerate(factors):
        others = [*factors[:i], *factors[i + 1 :]]
        if op == "*" and others and isinstance(factor, (ast.Name, ast.Attribute, ast.Subscript)):
            first = next((f for o, f in others if o == "*"), None)
            rest = [(o, f) for o, f in others if f is not first]
            yield (_bracketed(first) if first is not None else "1") + "".join(f" {o} {_bracketed(f)}" for o, f in rest)


def _bracketed(node: ast.expr) -> str:
    return f"({ast.unparse(node)})" if isinstance(node, (ast.BinOp, ast.UnaryOp, ast.Compare)) else ast.unparse(node)


def _factors(node: ast.expr, op: str = "*") -> Iterator[tuple[str, ast.expr]]:
    inverse = {"*": "/", "/": "*"}[op]
    match node:
        case ast.BinOp(left=left, op=ast.Mult() | ast.Div() as how, right=right):
            yield from _factors(left, op)
            yield from _factors(right, op if isinstance(how, ast.Mult) else inverse)
        case ast.Call(func=ast.Attribute(attr="multiply" | "divide" | "true_divide" as called), args=[left, right]):
            yield from _factors(left, op)
            yield from _factors(right, op if called == "multiply" else inverse)
        case _:
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
