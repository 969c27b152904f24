"""Edits of operands: another variable, another step of a loop, a factor that is missing inside a sum, another constant."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from autograd_np.check.explain.edits.edit import Edit, Place, is_array, number, text_of, transposed, value_of

__all__ = ["constant_edits", "counters", "factor_edits", "operand_edits"]


def operand_edits(at: Place) -> Iterator[Edit]:
    """Yield the edits of a variable: another one of its shape, its transpose, a neighbouring element."""
    node, text = at.node, text_of(at.node)
    if isinstance(node, (ast.Name, ast.Subscript)):
        value = at.value()
        if is_array(value) and value.dtype.kind in "fb":
            for name, other in at.candidates.items():
                if name != text and np.shape(other) == value.shape and not np.array_equal(other, value):
                    new = ast.parse(name, mode="eval").body
                    yield at.edit(4.8, "wrong-point", f"`{at.target}` uses `{text}`, should be `{name}`", new)
            if value.ndim == 2:
                yield at.edit(8, "transpose", f"`{text}` in `{at.target}` should be transposed", transposed(copy.deepcopy(node)))
    if isinstance(node, ast.Subscript):
        yield from _element_edits(at, node)
    if isinstance(node, ast.Subscript) and isinstance(node.slice, (ast.Name, ast.BinOp)):
        if isinstance(value_of(node.slice, at.env), (tuple, np.ndarray)):
            return
        for step in (-1, 1):
            index = ast.BinOp(left=copy.deepcopy(node.slice), op=ast.Add(), right=number(step))
            words = f"`{text}` in `{at.target}` is one step {'late' if step < 0 else 'early'}"
            yield at.edit(7, "wrong-point", words, ast.Subscript(value=copy.deepcopy(node.value), slice=index, ctx=ast.Load()))


def _element_edits(at: Place, node: ast.Subscript) -> Iterator[Edit]:
    """Yield edits of ``P[i]``: the same element of another array, another loop counter."""
    text = text_of(node)
    base = value_of(node.value, at.env)
    if isinstance(node.value, ast.Name) and is_array(base):
        for name, other in at.candidates.items():
            if name != node.value.id and np.ndim(other) == base.ndim and np.shape(other)[1:] == base.shape[1:]:
                new = ast.Subscript(value=ast.parse(name, mode="eval").body, slice=node.slice, ctx=ast.Load())
                yield at.edit(6.5, "wrong-point", f"`{at.target}` uses `{text}`, should be `{text_of(new)}`", new)
    if isinstance(node.slice, ast.Name):
        for name in counters(at.env, node.slice.id):
            new = ast.Subscript(value=node.value, slice=ast.Name(id=name, ctx=ast.Load()), ctx=ast.Load())
            yield at.edit(6.5, "wrong-point", f"`{at.target}` uses `{text}`, should be `{text_of(new)}`", new)


def counters(env: Mapping[str, Any], used: str) -> list[str]:
    """Return the other variables that hold an integer, as loop counters do."""
    return [
        k for k, v in env.items() if k != used and isinstance(v, (int, np.integer)) and not isinstance(v, bool) and not k.startswith("_")
    ]


_INSERTED = ("{0}", "(1 - {0})", "{0} * (1 - {0})", "(1 - {0}**2)", "({0} > 0)", "1 / {0}")


def factor_edits(at: Place) -> Iterator[Edit]:
    """Yield edits that multiply an operand by a factor it may lack inside a sum or a product of matrices."""
    if not isinstance(at.node, (ast.Name, ast.BinOp, ast.Subscript)) or "slice" in at.path:
        return
    value, text = at.value(), text_of(at.node)
    if not is_array(value) or value.dtype.kind != "f" or value.ndim == 0:
        return
    for name, other in at.candidates.items():
        if np.ndim(other) == 0 or np.asarray(other).dtype.kind not in "fb" or name == text:
            continue
        written = _as_broadcast(name, np.shape(other), value.shape)
        if written is None:
            continue
        for template in _INSERTED if written == name else _INSERTED[:1]:
            factor = template.format(written)
            product = ast.BinOp(left=copy.deepcopy(at.node), op=ast.Mult(), right=ast.parse(factor, mode="eval").body)
            yield at.edit(8, "missing-factor", f"in `{at.target}`, `{text}` lacks the factor `{factor}`", product)


def _as_broadcast(name: str, shape: tuple[int, ...], wanted: tuple[int, ...]) -> str | None:
    """Write a variable so that it broadcasts to a shape, with new axes behind it if need be."""
    for extra in range(max(len(wanted) - len(shape), 0) + 1):
        try:
            if np.broadcast_shapes(shape + (1,) * extra, wanted) == wanted:
                return name if not extra else f"{name}[{', '.join([':'] * len(shape) + ['None'] * extra)}]"
        except ValueError:
            continue
    return None


def constant_edits(at: Place) -> Iterator[Edit]:
    """Yield edits that put another number in the place of one, such as 2 for the 3 of a power rule."""
    match at.node:
        case ast.Constant(value=int() | float() as v) if not isinstance(v, bool) and "slice" not in at.path and "keywords" not in at.path:
            power = isinstance(at.parent, ast.BinOp) and isinstance(at.parent.op, ast.Pow)
            axis = isinstance(at.parent, ast.Call) and isinstance(v, int)
            rank, kind = (6, "wrong-point") if power else (6, "wrong-reduction") if axis else (7, "scale")
            for c in dict.fromkeys((v + 1, v - 1, -v, 2 * v, v / 2, 1, 2, 3, 0.5, 1.5, -0.5, -1.5)):
                if c != v:
                    if power and v > 0 and c > 0:
                        kind = "extra-factor" if c < v else "missing-factor"
                    words = f"the constant {v:g} in `{at.target}` should be {c:g}"
                    yield at.edit(rank, kind, words, number(c), v / c if c and kind == "scale" else None)
