"""Edits of calls: the operands of `dot`, the axes of a sum, sum for mean, a function too many."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator

from autograd_np.check.explain.edits.edit import Edit, Place, number, text_of, transposed

__all__ = ["call_edits"]

_AXES = (None, 0, 1, 2, -1, (0, 1), (0, 2), (1, 2), (0, 1, 2), (0, 2, 3), (0, 1, 3), (1, 2, 3))


def call_edits(at: Place) -> Iterator[Edit]:
    """Yield the edits of a call."""
    node = at.node
    if not isinstance(node, ast.Call):
        return
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name in ("dot", "matmul") and len(node.args) == 2:
        yield from _of_dot(at, node)
    if name in ("sum", "mean") and isinstance(node.func, ast.Attribute):
        other = "mean" if name == "sum" else "sum"
        swapped = copy.deepcopy(node)
        swapped.func = ast.Attribute(value=copy.deepcopy(node.func.value), attr=other, ctx=ast.Load())
        yield at.edit(6, "wrong-reduction", f"`{at.target}` takes the {name} where it should take the {other}", swapped)
        yield from _of_axes(at, node)
    if len(node.args) == 1 and name not in ("sum", "mean", "zeros_like", "len", "range"):
        words = f"`{name}` does not belong around `{text_of(node.args[0])}` in `{at.target}`"
        yield at.edit(9, "extra-factor", words, node.args[0])


def _of_dot(at: Place, node: ast.Call) -> Iterator[Edit]:
    a, b = node.args
    for args, words in (
        ([transposed(a), b], f"`{text_of(a)}` should be transposed"),
        ([a, transposed(b)], f"`{text_of(b)}` should be transposed"),
        ([b, a], "the operands are in the wrong order"),
        ([transposed(b), transposed(a)], f"`{text_of(node)}` should be transposed"),
    ):
        new = copy.deepcopy(node)
        new.args = [copy.deepcopy(x) for x in args]
        yield at.edit(7, "transpose", f"in `{at.target}`, {words}", new)


def _of_axes(at: Place, node: ast.Call) -> Iterator[Edit]:
    """Yield edits of the axes of a sum or mean."""
    for i, keyword in enumerate(node.keywords):
        if keyword.arg == "axis":
            was = text_of(keyword.value)
            for axis in _AXES:
                if was != repr(axis):
                    new = copy.deepcopy(node)
                    new.keywords[i].value = ast.parse(repr(axis), mode="eval").body
                    yield at.edit(6, "wrong-reduction", f"`{at.target}` reduces over axis {was}; it needs axis {axis}", new)
        if keyword.arg == "keepdims":
            new = copy.deepcopy(node)
            del new.keywords[i]
            yield at.edit(6, "wrong-reduction", f"`{at.target}` should not keep the reduced axis (keepdims)", new)
    if any(k.arg == "axis" for k in node.keywords):
        return
    operands = 1 if _is_module_call(node) else 0
    for axis in (0, 1, -1):
        for keep in (False, True):
            new = copy.deepcopy(node)
            new.args = new.args[:operands]
            new.keywords = [ast.keyword(arg="axis", value=number(axis)), ast.keyword(arg="keepdims", value=ast.Constant(value=keep))]
            words = f"`{at.target}` needs the sum over axis {axis}{', keepdims=True' if keep else ''}"
            yield at.edit(6, "wrong-reduction", words, new)


def _is_module_call(node: ast.Call) -> bool:
    """Whether a call is ``np.sum(x)``, not ``x.sum()``."""
    return isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name) and node.func.value.id in ("np", "numpy")
