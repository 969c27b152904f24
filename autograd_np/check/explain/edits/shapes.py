"""Edits of arrangement: arguments, indices and subscripts exchanged, an array read backwards, a step of arithmetic forgotten."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator

import numpy as np

from autograd_np.check.explain.edits.edit import Edit, Place, is_array, number, text_of, value_of

__all__ = ["arrangement_edits", "forgotten_edits"]


def arrangement_edits(at: Place) -> Iterator[Edit]:
    """Yield exchanges of two arguments, two indices, two variables, the output letters of an einsum."""
    node, text = at.node, text_of(at.node)
    name = getattr(node.func, "attr", getattr(node.func, "id", "")) if isinstance(node, ast.Call) else ""
    if isinstance(node, ast.Call) and len(node.args) == 2 and name not in ("dot", "matmul", "sum", "mean", "einsum"):
        swapped = copy.deepcopy(node)
        swapped.args = [copy.deepcopy(node.args[1]), copy.deepcopy(node.args[0])]
        yield at.edit(6.5, "wrong-point", f"the arguments of `{text}` in `{at.target}` are exchanged", swapped)
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple):
        for i in range(len(node.slice.elts) - 1):
            moved = copy.deepcopy(node)
            assert isinstance(moved.slice, ast.Tuple)
            moved.slice.elts[i : i + 2] = reversed(moved.slice.elts[i : i + 2])
            yield at.edit(6.5, "wrong-point", f"two indices of `{text}` in `{at.target}` are exchanged", moved)
    if isinstance(node, ast.Subscript) and any(isinstance(n, ast.Slice) and n.step is not None for n in ast.walk(node.slice)):
        yield at.edit(6.5, "wrong-point", f"`{text}` in `{at.target}` reads the array in another order than forward", node.value)
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and "->" in node.value:
        yield from _einsum_edits(at, node.value)
    if at.path == ("value",):
        yield from _crossed(at)


def _einsum_edits(at: Place, subscripts: str) -> Iterator[Edit]:
    operands, _, result = subscripts.partition("->")
    for i in range(len(result) - 1):
        new = f"{operands}->{result[:i]}{result[i + 1]}{result[i]}{result[i + 2 :]}"
        yield at.edit(6.5, "transpose", f"`{subscripts}` in `{at.target}` should be `{new}`", ast.Constant(value=new))
    parts = operands.split(",")
    for k, letters in enumerate(parts):
        for i in range(len(letters) - 1):
            changed = letters[:i] + letters[i + 1] + letters[i] + letters[i + 2 :]
            new = f"{','.join([*parts[:k], changed, *parts[k + 1 :]])}->{result}"
            yield at.edit(6.5, "transpose", f"`{subscripts}` in `{at.target}` should be `{new}`", ast.Constant(value=new))


def _crossed(at: Place) -> Iterator[Edit]:
    """Yield the statement with two of its variables of one shape exchanged."""
    names = list(dict.fromkeys(n.id for n in ast.walk(at.node) if isinstance(n, ast.Name) and is_array(at.env.get(n.id))))[:8]
    for i, a in enumerate(names):
        for b in names[i + 1 :]:
            if np.shape(at.env[a]) == np.shape(at.env[b]):
                crossed = copy.deepcopy(at.node)
                for n in ast.walk(crossed):
                    if isinstance(n, ast.Name) and n.id in (a, b):
                        n.id = b if n.id == a else a
                yield at.edit(6.8, "wrong-point", f"`{a}` and `{b}` are exchanged in `{at.target}`", crossed)


def forgotten_edits(at: Place) -> Iterator[Edit]:
    """Yield a square, a root, a minus or a one that an operand may lack."""
    node, text = at.node, text_of(at.node)
    if not isinstance(node, (ast.Name, ast.Subscript, ast.BinOp, ast.Call)) or "slice" in at.path:
        return
    value = value_of(node, at.env)
    if not is_array(value) or value.dtype.kind != "f":
        return
    squared = ast.BinOp(left=copy.deepcopy(node), op=ast.Pow(), right=number(2))
    yield at.edit(7, "missing-factor", f"`{text}` in `{at.target}` should be squared", squared)
    parent = at.parent
    if isinstance(parent, ast.Call) and at.path[-1:] != ("func",):
        negative = ast.UnaryOp(op=ast.USub(), operand=copy.deepcopy(node))
        yield at.edit(5, "sign", f"the sign of `{text}` in `{at.target}` is wrong", negative)
    for op, sign in ((ast.Sub(), "-"), (ast.Add(), "+")):
        shifted = ast.BinOp(left=copy.deepcopy(node), op=op, right=number(1))
        yield at.edit(8.6, "missing-term", f"`{text}` in `{at.target}` lacks a `{sign} 1`", shifted)
    less = ast.BinOp(left=number(1), op=ast.Sub(), right=copy.deepcopy(node))
    yield at.edit(8.2, "wrong-point", f"`{text}` in `{at.target}` should be `1 - {text}`", less)
    if isinstance(parent, ast.BinOp) and isinstance(parent.op, ast.Div) and at.path[-1] == "right":
        root = ast.Call(
            func=ast.Attribute(value=ast.Name(id="np", ctx=ast.Load()), attr="sqrt", ctx=ast.Load()),
            args=[copy.deepcopy(node)],
            keywords=[],
        )
        yield at.edit(7, "extra-factor", f"`{at.target}` divides by `{text}`, should be by its square root", root)
        yield at.edit(7, "missing-factor", f"`{at.target}` divides by `{text}`, should be by its square", squared)
