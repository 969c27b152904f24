"""Rewritings that depend on shapes and places, a function a row: what it returns takes the place of an expression."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_np.derivations.expression import Expression, realised
from autograd_np.derivations.simplifying.patterns import told
from autograd_np.ops import special
from autograd_np.ops.indexing import axes_of, getitem, is_basic, scatter_add, setitem
from autograd_np.ops.shaping import reshape, spread, to_float

__all__ = ["STRUCTURE"]

FULL = slice(None)
TURNED = slice(None, None, -1)


def _index_of(e: Expression) -> tuple[Any, ...]:
    index = e.attribute("index")
    return index if isinstance(index, tuple) else (index,)


def _axis_put_back(e: Expression) -> Expression | None:
    """Write ``np.sum(x, axis=1)[:, None]`` as ``np.sum(x, axis=1, keepdims=True)``."""
    if not e.is_call(getitem, reshape, np.expand_dims) or not e.args[0].is_call(np.sum, np.max, np.min, np.mean, special.logsumexp):
        return None
    inner = e.args[0]
    how = dict(inner.attrs)
    if how.get("keepdims") or e.ndim != inner.args[0].ndim or how.get("axis") is None:
        return None
    return e.sheet.apply(inner.op, inner.args, {**how, "keepdims": True})  # type: ignore[arg-type]


def _log_of_picked(e: Expression) -> Expression | None:
    """Write ``np.log(softmax(x)[i])`` as ``log_softmax(x)[i]``."""
    if e.is_call(np.log) and e.args[0].is_call(getitem) and e.args[0].args[0].is_call(special.softmax):
        picked = e.args[0]
        inner = e.sheet.call(special.log_softmax, *picked.args[0].args, **dict(picked.args[0].attrs))
        return e.sheet.apply(picked.op, [inner], dict(picked.attrs))  # type: ignore[arg-type]
    return None


def _product_with_a_column(e: Expression) -> Expression | None:
    """Write ``(A @ v[:, None])[..., 0]`` as ``A @ v``, and the solution for a column as that for a vector."""
    if e.is_call(getitem) and _index_of(e) == (Ellipsis, 0) and e.args[0].is_call(np.matmul, np.linalg.solve):
        a, b = e.args[0].args
        if b.is_call(np.expand_dims) and b.attribute("axis") == -1 and b.args[0].ndim == 1:
            return e.sheet.apply(e.args[0].op, [a, b.args[0]], dict(e.args[0].attrs))  # type: ignore[arg-type]
    return None


def _square_transposed(e: Expression) -> Expression | None:
    """Leave out a transpose that changes nothing, and that of a transpose."""
    axes = e.attribute("axes")
    if e.is_call(np.transpose) and axes is not None and tuple(axes) == tuple(range(e.ndim)):
        return e.args[0]
    if e.is_call(np.transpose) and (e.ndim < 2 or (e.args[0].is_call(np.transpose) and not told(e.attrs) and not told(e.args[0].attrs))):
        return e.args[0].args[0] if e.ndim >= 2 else e.args[0]
    if e.is_call(np.transpose) and axes is not None and tuple(axes) == (*range(e.ndim - 2), e.ndim - 1, e.ndim - 2):
        return e.sheet.call(np.swapaxes, e.args[0], axis1=-1, axis2=-2) if e.ndim > 2 else e.sheet.call(np.transpose, e.args[0])
    if _is_turned(e) and _is_turned(e.args[0]):
        return e.args[0].args[0]
    if e.is_call(np.swapaxes) and e.ndim == 2:
        return e.sheet.call(np.transpose, e.args[0])
    return None


def _transposed_product(e: Expression) -> Expression | None:
    """Write ``(A.T @ B).T`` as ``B.T @ A``."""
    if _is_turned(e) and e.args[0].is_call(np.matmul):
        a, b = e.args[0].args
        if a.ndim == b.ndim == e.ndim and (_is_turned(a) or _is_turned(b)):
            return e.sheet.call(np.matmul, _turned(b), _turned(a))
    return None


def _is_turned(e: Expression) -> bool:
    """Whether the last two axes of what is below are exchanged."""
    if e.is_call(np.transpose):
        return e.ndim == 2 and not told(e.attrs)
    return e.is_call(np.swapaxes) and {e.attribute("axis1"), e.attribute("axis2")} == {-1, -2}


def _turned(e: Expression) -> Expression:
    if _is_turned(e):
        return e.args[0]
    return e.sheet.call(np.transpose, e) if e.ndim == 2 else e.sheet.call(np.swapaxes, e, axis1=-1, axis2=-2)


def _new_axes(e: Expression) -> Expression | None:
    """Write a reshape that puts in or takes away axes of length one as ``np.expand_dims`` or as a sum that does not keep them."""
    if not e.is_call(reshape) or told(e.attrs).keys() - {"shape"}:
        return None
    x = e.args[0]
    if e.ndim > x.ndim:
        for axes in itertools.combinations(reversed(range(e.ndim)), e.ndim - x.ndim):
            if all(
                s == tuple(n for i, n in enumerate(t) if i not in axes) and all(t[i] == 1 for i in axes)
                for s, t in zip(x.shapes, e.shapes, strict=True)
            ):
                return e.sheet.call(np.expand_dims, x, axis=axes[0] if len(axes) == 1 else tuple(sorted(axes)))
    if e.ndim < x.ndim and x.is_call(np.sum) and x.attribute("keepdims"):
        axis = x.attribute("axis")
        if axis is not None and len(axes_of(axis, x.ndim)) == x.ndim - e.ndim:
            return e.sheet.call(np.sum, x.args[0], axis=axis)
    return None


def _scattered_whole(e: Expression) -> Expression | None:
    """Write the transpose of ``x[:, None]`` as a reshape, and that of ``x[::-1]`` as itself."""
    if not e.is_call(scatter_add) or not all(i is None or i is Ellipsis or i in (FULL, TURNED) for i in _index_of(e)):
        return None
    if TURNED not in _index_of(e):
        return e.sheet.call(reshape, e.args[0], shape=e.attribute("shape"))
    if e.args[0].shapes != e.shapes or None in _index_of(e):
        return None
    return (
        e.args[0]
        if e.args[0].is_call(spread) and not e.args[0].args[0].ndim
        else e.sheet.call(getitem, e.args[0], index=e.attribute("index"))
    )


def _sum_of_sum(e: Expression) -> Expression | None:
    """Write the sum of a sum as one over all of the axes."""
    if not (e.is_call(np.sum) and e.args[0].is_call(np.sum)) or not {"axis"} >= told(e.attrs).keys() | told(e.args[0].attrs).keys():
        return None
    x = e.args[0].args[0]
    inner, outer = e.args[0].attribute("axis"), e.attribute("axis")
    if inner is None:
        return None
    if outer is None:
        return e.sheet.call(np.sum, x)
    first = set(axes_of(inner, x.ndim))
    left = [i for i in range(x.ndim) if i not in first]
    axes = tuple(sorted(first | {left[i] for i in axes_of(outer, len(left))}))
    return e.sheet.call(np.sum, x, axis=axes) if len(axes) < x.ndim else e.sheet.call(np.sum, x)


def _dot_of_matrices(e: Expression) -> Expression | None:
    """Write ``np.dot`` of matrices as ``@``."""
    return e.sheet.call(np.matmul, *e.args) if e.is_call(np.dot) and all(a.ndim in (1, 2) for a in e.args) else None


def _shape_that_is_there(e: Expression) -> Expression | None:
    """Leave out what spreads or reshapes to the shape that is there."""
    if e.is_call(spread, np.broadcast_to, reshape, np.positive, to_float) and e.shapes == e.args[0].shapes and e.dtype == e.args[0].dtype:
        return e.args[0]
    if e.is_call(reshape) and e.args[0].is_call(reshape, np.ravel, np.expand_dims, np.squeeze) and not {"order"} & set(told(e.attrs)):
        if {"order"} & set(told(e.args[0].attrs)):
            return None
        return e.sheet.apply(e.op, e.args[0].args, dict(e.attrs))  # type: ignore[arg-type]
    return None


def _spread_anyway(e: Expression) -> Expression | None:
    """Leave out what spreads an argument of ``np.where`` that the condition spreads too."""
    if e.op is not None and e.op.name == "where":
        args = [a.args[0] if a.is_call(spread) and a.shapes == e.args[0].shapes and a.args[0].ndim == 0 else a for a in e.args]
        if any(a is not b for a, b in zip(args, e.args, strict=True)):
            return e.sheet.apply(e.op, args, {})
    return None


def _chosen_everywhere(e: Expression) -> Expression | None:
    """Leave out ``np.where`` of a condition that holds everywhere."""
    if e.op is not None and e.op.name == "where" and e.args[0].op is None and all(map(np.all, e.args[0].values)):
        return e.args[1] if e.args[0].kind == "array" else None
    return None


def _place_in_one(e: Expression) -> Expression | None:
    """Write an index that is 0 along an axis of length one, and its transpose, as a reshape."""
    if not e.is_call(getitem, scatter_add):
        return None
    index = _index_of(e)
    whole = e.args[0] if e.is_call(getitem) else e
    if (
        Ellipsis in [i for i in index if not isinstance(i, Expression)]
        or any(i is None for i in index)
        or not any(type(i) is int for i in index)
    ):
        return None
    for axis, i in enumerate(index):
        is_one = type(i) is int and i in (0, -1) and all(s[axis] == 1 for s in whole.shapes)
        if not (is_one or (isinstance(i, slice) and i == FULL)):
            return None
    return e.sheet.call(reshape, e.args[0], shape=tuple(map(e.sheet.size, zip(*e.shapes, strict=True))))


def _place_alone(e: Expression) -> Expression | None:
    """Write ``x[1,]`` as ``x[1]``."""
    index = e.attribute("index")
    if e.is_call(getitem, scatter_add) and isinstance(index, tuple) and len(index) == 1 and type(index[0]) is not tuple:
        return e.sheet.apply(e.op, e.args, {**dict(e.attrs), "index": index[0]})  # type: ignore[arg-type]
    return None


def _axis_alone(e: Expression) -> Expression | None:
    """Write ``axis=(1,)`` as ``axis=1``."""
    axis = e.attribute("axis")
    if e.is_call(np.expand_dims, np.sum, np.mean, np.max, np.min) and isinstance(axis, tuple) and len(axis) == 1:
        return e.sheet.apply(e.op, e.args, {**dict(e.attrs), "axis": axis[0]})  # type: ignore[arg-type]
    return None


def _read_beside_written(e: Expression) -> Expression | None:
    """Read what was there before something was written into other places."""
    if not (e.is_call(getitem) and e.args[0].is_call(setitem)):
        return None
    written = e.args[0]
    i, j = written.attribute("index"), e.attribute("index")
    if not is_basic(realised(i, 0)) or not is_basic(realised(j, 0)):
        return None
    for k, shape in enumerate(written.shapes):
        mask = np.zeros(shape, bool)
        mask[realised(i, k)] = True
        if np.any(mask[realised(j, k)]):
            return None
    return e.sheet.apply(e.op, [written.args[0]], dict(e.attrs))  # type: ignore[arg-type]


def variance_spelled_out(e: Expression) -> Expression | None:
    """Write ``np.var(x)`` as the mean of the squares of what the mean was taken off from."""
    how = told(e.attrs)
    if not e.is_call(np.var) or not {"axis", "keepdims"} >= how.keys() or e.dtype != e.args[0].dtype:
        return None
    x = e.args[0]
    over = {"axis": how["axis"]} if "axis" in how else {}
    return e.sheet.call(np.mean, (x - e.sheet.call(np.mean, x, **over, keepdims=True)) ** 2, **{k: v for k, v in e.attrs if v is not None})


STRUCTURE: tuple[Callable[[Expression], Expression | None], ...] = (
    _axis_put_back,
    _log_of_picked,
    _product_with_a_column,
    _square_transposed,
    _transposed_product,
    _new_axes,
    _scattered_whole,
    _spread_anyway,
    _chosen_everywhere,
    _place_in_one,
    _axis_alone,
    _place_alone,
    _sum_of_sum,
    _read_beside_written,
    _dot_of_matrices,
    _shape_that_is_there,
)
