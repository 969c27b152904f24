"""Edits of what stands in a call or an index together with leaving that out, and of what a call only arranges: orders, axes, bodies."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator

import numpy as np

from autograd_np.check.explain.edits.edit import Edit, Place, is_array, is_float_array, shape_of
from autograd_np.check.explain.edits.reductions import reduction_edits, reduction_of
from autograd_np.check.explain.edits.syntax import name_called

__all__ = ["arranging_edits", "body_edits", "wrapped_edits"]

MORE = 1.5
"""How much less simple a change is that leaves out an index too."""

_WITH_AXIS = (
    "concatenate", "stack", "flip", "roll", "repeat", "cumsum", "cumprod", "expand_dims", "squeeze", "argmax", "argmin", "softmax", "sort",
    "take", "diff", "split", "norm", "logsumexp",
)  # fmt: skip


def wrapped_edits(at: Place) -> Iterator[Edit]:
    """Yield other reductions without the index behind them, and products of matrices instead of those with a diagonal."""
    if at.index or at.setting or at.header:
        return
    node, text = at.node, at.line.text
    match node:
        case ast.Subscript(value=ast.Call() as call):
            inner = Place(at.line, (*at.path, "value"), call)
            for edit in reduction_edits(inner) if reduction_of(inner) is not None else ():
                if len(edit.changes) == 1 and edit.changes[0][0] == inner.path:
                    words = f"{edit.message}; and the index `[{text(node.slice)}]` does not belong there"
                    yield at.edit(edit.rank + MORE, edit.kind, words, edit.changes[0][1])
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            for other, matrix in ((left, _matrix_of(at, right)), (right, _matrix_of(at, left))):
                if matrix is not None:
                    words = f"`{at.target}` takes the diagonal where it needs the product of matrices"
                    a, b = text(other), text(matrix)
                    for x, y in ((a, b), (b, a), (a, f"({b}).T"), (f"({b}).T", a)):
                        yield at.edit(6, "wrong-reduction", words, at.line.product(x, y))


def _matrix_of(at: Place, node: ast.expr) -> ast.expr | None:
    """Return the matrix that an expression takes the diagonal of."""
    match node:
        case ast.Call(func=ast.Attribute(attr="diag" | "diagonal"), args=[inner]):
            pass
        case ast.Call(func=ast.Attribute(attr="diagonal", value=inner), args=[]):
            pass
        case _:
            return None
    return inner if is_float_array(at.line.value(inner)) and np.ndim(at.line.value(inner)) == 2 else None


# --- what only arranges


def arranging_edits(at: Place) -> Iterator[Edit]:
    """Yield reshapes in another order of the elements, transposes instead of them and before them, and other axes of a call."""
    node = at.node
    if at.index or at.setting or at.header or not isinstance(node, ast.Call):
        return
    name = name_called(node)
    if name in ("reshape", "ravel", "flatten"):
        yield from _in_order(at, node)
    if name == "reshape" and isinstance(node.func, ast.Attribute):
        yield from _transposed(at, node, node.func)
    if name in _WITH_AXIS:
        yield from _along(at, node)


def _in_order(at: Place, node: ast.Call) -> Iterator[Edit]:
    """Yield a reshape with an order of the elements, and without one."""
    written = [i for i, k in enumerate(node.keywords) if k.arg == "order"]
    rest = [at.line.text(k) for i, k in enumerate(node.keywords) if i not in written]
    base, args = at.line.text(node.func), [*map(at.line.text, node.args), *rest]
    if written:
        words = f"`{at.text}` in `{at.target}` should be in NumPy's own order, without `{at.line.text(node.keywords[written[0]])}`"
        yield at.edit(5, "transpose", words, f"{base}({', '.join(args)})")
    else:
        words = f"`{at.text}` in `{at.target}` should take the elements in the order of columns: `order='F'`"
        yield at.edit(5.9, "transpose", words, f"{base}({', '.join([*args, 'order=' + repr('F')])})")


def _transposed(at: Place, node: ast.Call, func: ast.Attribute) -> Iterator[Edit]:
    """Yield a transpose in the place of a reshape that gives the shape of one, and transposes before it."""
    module = at.line.value(func.value) is np
    array = node.args[0] if module and node.args else func.value
    value = at.line.value(array)
    if not is_array(value) or not 2 <= value.ndim <= 4:
        return
    text = at.line.text(array)
    for axes in itertools.permutations(range(value.ndim)):
        if list(axes) == sorted(axes):
            continue
        turned = f"({text}).T" if value.ndim == 2 else f"({text}).transpose({', '.join(map(str, axes))})"
        if tuple(value.shape[i] for i in axes) == shape_of(at.value):
            words = f"`{at.text}` in `{at.target}` should be a transpose, which moves elements: `{turned}`"
            yield at.edit(4.9, "transpose", words, turned)
        words = f"`{text}` in `{at.target}` should be transposed before it is reshaped"
        rest = [at.line.text(a) for a in node.args[module:]]
        rest += [at.line.text(k) for k in node.keywords]
        yield at.edit(6.2, "transpose", words, f"{turned}.reshape({', '.join(rest)})")


def _along(at: Place, node: ast.Call) -> Iterator[Edit]:
    """Yield a call along another axis."""
    for i, keyword in enumerate(node.keywords):
        axis = at.line.value(keyword.value)
        ndim = np.ndim(at.value) if is_array(at.value) else 2
        if keyword.arg == "axis" and isinstance(axis, int):
            for other in (*range(ndim), -1):
                if other != axis:
                    words = f"`{at.text}` in `{at.target}` works along axis {axis}, should along axis {other}"
                    yield at.line.edit(4.6, "wrong-reduction", words, ((*at.path, "keywords", i, "value"), str(other)))


# --- bodies of comprehensions


def body_edits(at: Place) -> Iterator[Edit]:
    """Yield a comprehension that leaves one element as it is, or out, and one that does so no longer."""
    node = at.node
    if not isinstance(node, (ast.ListComp, ast.GeneratorExp)) or len(node.generators) != 1:
        return
    (loop,) = node.generators
    text, names = at.line.text, [n.id for n in ast.walk(loop.target) if isinstance(n, ast.Name)]
    body = text(node.elt)
    path = (*at.path, "elt")
    if isinstance(node.elt, ast.IfExp):
        return
    counters = [c for c in at.line.counters if c not in names]
    for c, n in itertools.product(names[:2], counters[:6]):
        for kept in [*(k for k in names if k != c), "0", "1"]:
            if kept != body:
                words = f"`{body}` in `{at.target}` should be `{kept}` where `{c}` is `{n}`"
                yield at.line.edit(6.2, "extra-factor", words, (path, f"({body}) if {c} != {n} else {kept}"))
    for i, condition in enumerate(loop.ifs):
        words = f"the condition `{text(condition)}` in `{at.target}` is the wrong way round"
        yield at.line.edit(4.5, "wrong-point", words, ((*at.path, "generators", 0, "ifs", i), f"not ({text(condition)})"))
        words = f"the condition `{text(condition)}` in `{at.target}` leaves something out"
        yield at.line.edit(5.5, "missing-term", words, ((*at.path, "generators", 0, "ifs", i), "True"))
