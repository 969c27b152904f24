"""Rules of products that sum over shared axes: each becomes a product of stacked matrices, or an einsum with one label more."""

from __future__ import annotations

import math
import string
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_np.batching.call import Call, NoRule, Rule, padded
from autograd_np.batching.elements import elementwise
from autograd_np.ops.contraction import EINSUM, cross, einsum_of, inner, paired, spelled_out
from autograd_np.ops.indexing import axis_of
from autograd_np.typing import Array

__all__ = ["PRODUCTS", "einsum"]


# --- sums over pairs of axes ----------------------------------------------------------------------


def _contracted(c: Call, of_a: Sequence[int], of_b: Sequence[int]) -> Array:
    """Sum over axes of `a` and `b`, numbered in one example, and keep the others, those of `a` first."""
    a, b = (_rows(c, 0, of_a, last=True), _rows(c, 1, of_b, last=False))
    kept_a, kept_b = (tuple(n for j, n in enumerate(c.shape(i)) if j not in axes) for i, axes in ((0, of_a), (1, of_b)))
    if c.flags == [True, False]:  # one product of matrices for all examples
        found = np.matmul(np.reshape(a, (c.size * math.prod(kept_a), a.shape[-1])), b)
    elif c.flags == [False, True] and b.shape[-1] == 1:
        found = np.matmul(b[..., 0], np.transpose(a))
    else:
        found = np.matmul(a, b)
    return np.reshape(found, (c.size, *kept_a, *kept_b))


def _rows(c: Call, i: int, axes: Sequence[int], *, last: bool) -> Array:
    """Return an operand as matrices, with the axes that are summed as their columns, or as their rows."""
    shape, at = c.shape(i), int(c.flags[i])
    kept = [j for j in range(len(shape)) if j not in axes]
    order = [*kept, *axes] if last else [*axes, *kept]
    x = np.transpose(c.xs[i], (*range(at), *(j + at for j in order)))
    sizes = [math.prod(shape[j] for j in group) for group in ((kept, axes) if last else (axes, kept))]
    return np.reshape(x, (*(c.size,) * at, *sizes))


def _tensordot(c: Call) -> Any:
    a, b = (np.broadcast_to(False, c.shape(i)) for i in (0, 1))  # whose axes alone are looked at
    of_a, of_b, _, _ = paired(a, b, c.attrs.get("axes", 2))
    if len(of_a) != len(of_b) or any(c.shape(0)[i] != c.shape(1)[j] for i, j in zip(of_a, of_b, strict=True)):
        raise NoRule
    return _contracted(c, of_a, of_b)


def _dot(c: Call) -> Any:
    a, b = c.ndim(0), c.ndim(1)
    if not a or not b:
        return _multiplied(c)
    at = max(b - 2, 0)
    if c.shape(0)[-1] != c.shape(1)[at]:
        raise NoRule
    return _contracted(c, [a - 1], [at])


def _inner(c: Call) -> Any:
    a, b = c.ndim(0), c.ndim(1)
    if not a or not b:
        return _multiplied(c)
    if c.shape(0)[-1] != c.shape(1)[-1]:
        raise NoRule
    return _contracted(c, [a - 1], [b - 1])


def _multiplied(c: Call) -> Any:
    return elementwise(Call(np.multiply, c.xs, c.flags, {}, c.size, c.order))


# --- stacks ---------------------------------------------------------------------------------------


def _matmul(c: Call) -> Any:
    a, b = c.ndim(0), c.ndim(1)
    if not a or not b:
        raise NoRule
    if c.shape(0)[-1] != c.shape(1)[max(b - 2, 0)]:
        raise NoRule  # NumPy's error names the shapes of one example
    if a <= 2 and b <= 2 and not (a == b == 2 and c.flags != [True, False]):
        return _contracted(c, [a - 1], [max(b - 2, 0)])
    left = np.expand_dims(c.xs[0], -2) if a == 1 else c.xs[0]
    right = np.expand_dims(c.xs[1], -1) if b == 1 else c.xs[1]
    ndim = max(a, b, 2)
    found = np.matmul(*(padded(x, ndim) if flag else x for x, flag in zip((left, right), c.flags, strict=True)))
    return found[..., 0, :] if a == 1 else found[..., 0] if b == 1 else found


def _cores(*cores: int) -> Rule:
    """Make the rule of a ufunc on the last axes: what is before them is lined up as by broadcasting."""

    def rule(c: Call) -> Any:
        if any(c.ndim(i) < n for i, n in enumerate(cores)):
            raise NoRule
        loops = max(c.ndim(i) - n for i, n in enumerate(cores))
        return c.fn(*(padded(x, loops + n) if flag else x for x, flag, n in zip(c.xs, c.flags, cores, strict=True)))

    return rule


def _last(c: Call, i: int, axis: Any) -> Any:
    """Return an operand with one axis moved to the end."""
    return np.moveaxis(c.xs[i], axis_of(axis, c.ndim(i)) + c.flags[i], -1)


def _vecdot(c: Call) -> Any:
    axis = c.attrs.get("axis", -1)
    return _cores(1, 1)(Call(c.fn, [_last(c, i, axis) for i in (0, 1)], c.flags, {}, c.size, c.order))


def _cross(c: Call) -> Any:
    xs = [_last(c, 0, c.attrs.get("axisa", -1)), _last(c, 1, c.attrs.get("axisb", -1))]
    ndim = max(c.ndim(0), c.ndim(1))
    if any(c.shape(i)[axis_of(c.attrs.get(name, -1), c.ndim(i))] != 3 for i, name in enumerate(("axisa", "axisb"))):
        raise NoRule
    found = c.fn(*(padded(x, ndim) if flag else x for x, flag in zip(xs, c.flags, strict=True)))
    return np.moveaxis(found, -1, axis_of(c.attrs.get("axisc", -1), ndim) + 1)


# --- einsum ---------------------------------------------------------------------------------------


def einsum(c: Call) -> Any:
    """Give the examples a label of their own."""
    terms, output = spelled_out(c.attrs["subscripts"], [np.broadcast_to(False, c.shape(i)) for i in range(len(c.xs))])
    if any(len(t) != c.ndim(i) for i, t in enumerate(terms)):
        raise NoRule
    label = next((s for s in string.ascii_letters if s not in "".join(terms) + output), None)
    if label is None:
        raise NoRule
    inputs = ",".join(label * flag + term for flag, term in zip(c.flags, terms, strict=True))
    return c.run(*c.xs, subscripts=f"{inputs}->{label}{output}")


PRODUCTS: dict[Any, Rule] = {
    np.dot: _dot, np.matmul: _matmul, inner: _inner, np.tensordot: _tensordot, np.vecdot: _vecdot, cross: _cross,
    **{einsum_of(count): einsum for count in EINSUM},
    **({np.matvec: _cores(2, 1), np.vecmat: _cores(1, 2)} if hasattr(np, "matvec") else {}),
}  # fmt: skip
