"""Edits of operators: signs and terms of sums, factors of products, transposes of matrix products, powers, masks."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator

from autograd_np.check.explain.edits.edit import Edit, Place, is_scalar, text_of, transposed
from autograd_np.check.watch.spelling import wanted_names

__all__ = ["operator_edits"]


def operator_edits(at: Place) -> Iterator[Edit]:
    """Yield the edits of an operator; arithmetic on an index has its own."""
    if "slice" in at.path:
        return
    match at.node:
        case ast.BinOp(op=ast.Add() | ast.Sub()):
            yield from _of_sum(at, at.node)
        case ast.BinOp(op=ast.Mult() | ast.Div()):
            yield from _of_product(at, at.node)
        case ast.BinOp(op=ast.MatMult()):
            yield from _of_matrix_product(at, at.node)
        case ast.BinOp(op=ast.Pow(), left=left, right=right):
            words = f"the power `{text_of(right)}` of `{text_of(left)}` does not belong in `{at.target}`"
            yield at.edit(7, "wrong-point", words, left)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            yield at.edit(5, "sign", f"the minus of `{text_of(at.node)}` in `{at.target}` is wrong", operand)
        case ast.Compare(ops=[op]) if type(op) in _OPPOSITE:
            new = copy.deepcopy(at.node)
            new.ops = [_OPPOSITE[type(op)]()]
            yield at.edit(7, "wrong-point", f"the mask `{text_of(at.node)}` in `{at.target}` selects the wrong elements", new)
        case ast.Attribute(attr="T", value=value):
            yield at.edit(7, "transpose", f"`{text_of(at.node)}` in `{at.target}` should not be transposed", value)


_OPPOSITE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Gt: ast.Lt, ast.Lt: ast.Gt, ast.GtE: ast.LtE, ast.LtE: ast.GtE, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
}  # fmt: skip


def _of_sum(at: Place, node: ast.BinOp) -> Iterator[Edit]:
    left, right = text_of(node.left), text_of(node.right)
    added = isinstance(node.op, ast.Add)
    flipped = ast.BinOp(left=node.left, op=ast.Sub() if added else ast.Add(), right=node.right)
    yield at.edit(5, "sign", f"the sign of `{right}` in `{at.target}` is wrong", flipped)
    minus_left = ast.BinOp(left=ast.UnaryOp(op=ast.USub(), operand=node.left), op=node.op, right=node.right)
    yield at.edit(5, "sign", f"the sign of `{left}` in `{at.target}` is wrong", minus_left)
    if isinstance(node.left, ast.Name) and any(left in wanted_names(n.id) for n in ast.walk(node.right) if isinstance(n, ast.Name)):
        words = f"`{at.target}` uses an updated `{left}`; the gradient needs the value forward had"
        yield at.edit(5, "stale-value", words, node.left)
    yield at.edit(6, "extra-term", f"`{right}` does not belong in `{at.target}`", node.left)
    rest = node.right if added else ast.UnaryOp(op=ast.USub(), operand=node.right)
    yield at.edit(6, "extra-term", f"`{left}` does not belong in `{at.target}`", rest)


def _of_product(at: Place, node: ast.BinOp) -> Iterator[Edit]:
    right = text_of(node.right)
    times = isinstance(node.op, ast.Mult)
    for kept, dropped in ((node.left, node.right), (node.right, node.left))[: 2 if times else 1]:
        scalar = is_scalar(dropped, at.env)
        what = f"{'the factor' if times else 'the division by'} `{text_of(dropped)}`"
        yield at.edit(6, "scale" if scalar else "extra-factor", f"{what} does not belong in `{at.target}`", kept)
        if scalar and times:
            words = f"`{at.target}` is multiplied by `{text_of(dropped)}` where it should be divided"
            yield at.edit(6, "scale", words, ast.BinOp(left=kept, op=ast.Div(), right=dropped))
    scalar = is_scalar(node.right, at.env)
    if not times:
        product = ast.BinOp(left=node.left, op=ast.Mult(), right=node.right)
        words = f"`{at.target}` divides by `{right}` where it should multiply"
        yield at.edit(6, "scale" if scalar else "wrong-point", words, product)
    if not scalar:
        squared = ast.BinOp(left=copy.deepcopy(node), op=node.op, right=node.right)
        yield at.edit(8, "missing-factor", f"`{at.target}` lacks a second factor `{right}`", squared)


def _of_matrix_product(at: Place, node: ast.BinOp) -> Iterator[Edit]:
    a, b = node.left, node.right
    left, right = text_of(a), text_of(b)
    for first, second, words in (
        (transposed(a), b, f"`{left}` should be transposed"),
        (a, transposed(b), f"`{right}` should be transposed"),
        (b, a, f"the operands of `{left} @ {right}` are in the wrong order"),
        (transposed(b), transposed(a), f"`{left} @ {right}` should be transposed"),
    ):
        yield at.edit(7, "transpose", f"in `{at.target}`, {words}", ast.BinOp(left=first, op=node.op, right=second))
    words = f"`{at.target}` multiplies matrices where the product is elementwise"
    yield at.edit(8, "wrong-reduction", words, ast.BinOp(left=a, op=ast.Mult(), right=b))
