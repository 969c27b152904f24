"""Edits of comparisons and conditions: turned round, strict or not, inverted, missing."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import numpy as np

from autograd_np.check.explain.edits.edit import Edit, Place

__all__ = ["mask_edits"]

OF_EXTREMES = 4.8
"""From this rank on a mask is one of the largest elements, if forward takes these."""

_SYMBOLS: dict[type[ast.cmpop], str] = {ast.Gt: ">", ast.Lt: "<", ast.GtE: ">=", ast.LtE: "<=", ast.Eq: "==", ast.NotEq: "!="}
_OTHERS = {
    ">": (">=", "<", "<="), "<": ("<=", ">", ">="), ">=": (">", "<=", "<"), "<=": ("<", ">=", ">"), "==": ("!=", ">=", "<="), "!=": ("==",),
}  # fmt: skip
"""What is written for a comparison: strict or not, then the other way round."""


def mask_edits(at: Place) -> Iterator[Edit]:
    """Yield the edits of a comparison, a mask or a condition."""
    node, text, line = at.node, at.text, at.line
    what = "condition" if at.path[0] == "test" else "mask"
    kind = _kind(at) if what == "condition" else "wrong-point"
    match node:
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _SYMBOLS:
            symbol = _SYMBOLS[type(op)]
            for other in _OTHERS[symbol]:
                new = f"{line.text(left)} {other} {line.text(right)}"
                yield at.edit(
                    4,
                    kind,
                    f"the {what} `{text}` in `{at.target}` should be `{new}`",
                    f"({line.text(left)}) {other} ({line.text(right)})",
                )
            yield from _of_extremes(at, left)
        case ast.Compare(ops=[_, _, *_]):
            yield from _of_chain(at, node, kind)
        case ast.BoolOp(op=op, values=values):
            word = " or " if isinstance(op, ast.And) else " and "
            yield at.edit(5, kind, f"the {what} `{text}` should join with `{word.strip()}`", word.join(f"({line.text(v)})" for v in values))
            for i, value in enumerate(values):
                left_out = [v for j, v in enumerate(values) if j != i]
                new = (" and " if isinstance(op, ast.And) else " or ").join(f"({line.text(v)})" for v in left_out)
                yield at.edit(5.5, kind, f"`{line.text(value)}` does not belong in the {what} `{text}`", new)
        case ast.UnaryOp(op=ast.Not() | ast.Invert(), operand=operand):
            yield at.edit(4, kind, f"the {what} `{text}` in `{at.target}` should not be inverted", line.text(operand))
            return
    value = at.value
    if at.path == ("value",) and what == "mask":
        yield from _counting(at)
    if what == "condition" and at.path == ("test",):
        yield at.edit(4.2, kind, f"the condition `{text}` is the wrong way round", f"not ({text})")
        for name in ("True", "False"):
            yield at.edit(6.5, kind, f"the condition `{text}` should be {'always' if name == 'True' else 'never'} met", name)
    elif isinstance(value, np.ndarray) and value.dtype.kind == "b":
        yield at.edit(4.5, kind, f"the mask `{text}` in `{at.target}` should be inverted", f"~({text})")
    elif (
        isinstance(value, np.ndarray)
        and value.ndim
        and set(np.unique(value)) == {0, 1}
        and isinstance(node, (ast.Name, ast.Subscript, ast.Attribute))
    ):
        yield at.edit(4.5, kind, f"the mask `{text}` in `{at.target}` should be inverted: `1 - {text}`", f"1 - ({text})")


def _counting(at: Place) -> Iterator[Edit]:
    """Yield ones where an array, of which only what is positive was kept, is so: what a hinge counts."""
    value = at.value
    if isinstance(value, np.ndarray) and value.dtype.kind == "f" and value.ndim and np.min(value, initial=0) == 0 and np.any(value > 0):
        inner = at.node
        if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Attribute) and inner.func.attr == "copy" and not inner.args:
            inner = inner.func.value
        new = f"({at.line.text(inner)} > 0).astype(float)"
        yield at.edit(5.9, "wrong-point", f"`{at.target}` takes the values of `{at.text}`, should count them: `{new}`", new)


def _of_chain(at: Place, node: ast.Compare, kind: str) -> Iterator[Edit]:
    """Yield ``a < b < c`` with another comparison, and without one of its ends."""
    symbols = [_SYMBOLS.get(type(op), "") for op in node.ops]
    texts = [f"({at.line.text(x)})" for x in (node.left, *node.comparators)]
    if "" in symbols:
        return

    def put(rank: float, words: list[str], by: list[str]) -> Iterator[Edit]:
        new = words[0] + "".join(f" {s} {t}" for s, t in zip(by, words[1:], strict=True))
        yield at.edit(rank, kind, f"the condition `{at.text}` in `{at.target}` should be `{ast.unparse(ast.parse(new))}`", new)

    for i, symbol in enumerate(symbols):
        for other in _OTHERS[symbol]:
            yield from put(4, texts, [*symbols[:i], other, *symbols[i + 1 :]])
    yield from put(5, texts[1:], symbols[1:])
    yield from put(5, texts[:-1], symbols[:-1])


def _of_extremes(at: Place, left: ast.expr) -> Iterator[Edit]:
    """Yield the mask of the largest elements, and of the smallest, where forward takes these."""
    text, value = at.line.text(left), at.line.value(left)
    for function in at.line.hints.calls if isinstance(value, np.ndarray) and value.ndim else ():
        if function.rpartition(".")[2] in ("max", "amax", "min", "amin"):
            new = f"{text} == {function}({text})"
            if new != at.text:
                yield at.edit(OF_EXTREMES, "wrong-point", f"the mask `{at.text}` in `{at.target}` should be `{new}`", new)


def _kind(at: Place) -> str:
    """Return what a wrong condition of an ``if`` leaves out or does in vain: what the statement under it does."""
    body = getattr(at.line.statement, "body", [])
    met = at.line.value(at.line.statement.test) if isinstance(at.line.statement, ast.If) else None
    if len(body) != 1 or not isinstance(met, (bool, np.bool_)):
        return "wrong-point"
    done = "extra" if met else "missing"
    match body[0]:
        case ast.AugAssign(op=ast.Add() | ast.Sub()):
            return f"{done}-term"
        case ast.AugAssign(op=ast.Mult() | ast.Div()):
            return f"{done}-factor"
        case ast.Assign(targets=[target], value=ast.BinOp(left=left, op=op)) if ast.unparse(target) == ast.unparse(left):
            return f"{done}-term" if isinstance(op, (ast.Add, ast.Sub)) else f"{done}-factor"
    return "wrong-point"
