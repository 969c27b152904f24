"""Linear algebra in another order: triangular factors are inverted once, and products with diagonals and of vectors stay cheap.

Rules hold for matrices, not for stacks of them. Each keeps shape and dtype, and the value up to rounding.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from autograd_np.compiling.lowering import Writer, is_real, rewritten, told
from autograd_np.compiling.program import Program, Value
from autograd_np.ops.selection import where
from autograd_np.ops.shaping import pad, reshape
from autograd_np.typing import Array

__all__ = ["factored", "inverse_of_lower"]

SMALLEST = 16
"""Products with smaller matrices are done as they stand."""
BLOCK = 32
"""Triangular matrices of no more rows are inverted by LAPACK, which does not know that they are triangular."""


def inverse_of_lower(a: Array) -> Array:
    """Return the inverse of a lower triangular matrix, by halves: most of it is products."""
    n = len(a)
    if n <= BLOCK:
        return np.linalg.inv(a)
    k = n // 2
    out = np.zeros_like(a)
    out[:k, :k] = inverse_of_lower(a[:k, :k])
    out[k:, k:] = inverse_of_lower(a[k:, k:])
    np.negative(out[k:, k:].dot(a[k:, :k]).dot(out[:k, :k]), out=out[k:, :k])
    return out


def factored(program: Program) -> Program:
    """Return a program that solves with the same Cholesky factor by its inverse, and multiplies what is sparse as such.

    By its inverse one solves worse than by substitution, but not beyond what is lost anyway: the error is that of a factor whose
    matrix was rounded, since the condition of the matrix is that of the factor, squared.
    """
    count = Counter(f for v in program.values() if (f := _factor(v)) is not None)

    def rule(write: Writer, v: Value, args: tuple[Value, ...], attrs: dict[str, Any]) -> Value | None:
        if (f := _factor(v)) is not None and count[f] > 1:
            return _solved(write, v, *args)
        return _product(write, v, args) or _simpler(write, v, args, attrs)

    return rewritten(program, rule)


def _factor(v: Value) -> Value | None:
    """Return the Cholesky factor with which, or with the transpose of which, a system is solved."""
    if not _is_numpys(v, np.linalg.solve) or v.is_several or not _is_matrix(v.args[0]) or not 1 <= v.args[1].ndim <= 2:
        return None
    factor, b = _unturned(v.args[0])[0], v.args[1]
    is_lower = _is_numpys(factor, np.linalg.cholesky) and not told(factor)
    return factor if is_lower and all(is_real(x) and x.dtype == v.dtype for x in (v, b, factor)) and b.size else None


def _is_numpys(v: Value, f: Any) -> bool:
    """Whether this is a call of a function of NumPy's, or of the row of the table that stands for it."""
    return v.kind == "call" and (v.fn is f or getattr(getattr(v.fn, "implementation", None), "__wrapped__", None) is f)


def _solved(write: Writer, v: Value, a: Value, b: Value) -> Value:
    factor, is_turned = _unturned(a)
    inverse = write.program.call(inverse_of_lower, (factor,), {}, factor.shape, factor.dtype, site=v.site)
    return _dot(write, v, _turn(write, inverse) if is_turned else inverse, b)


def _is_matrix(v: Value) -> bool:
    return not v.is_several and v.ndim == 2 and is_real(v)


def _unturned(v: Value) -> tuple[Value, bool]:
    """Return a matrix without the transposes around it, and whether these leave its transpose."""
    turned = False
    while _is_turned(v):
        v, turned = v.args[0], not turned
    return v, turned


def _is_turned(v: Value) -> bool:
    """Whether a matrix is the transpose of another."""
    if not v.is_call(np.transpose, np.swapaxes, np.matrix_transpose) or v.ndim != 2:
        return False
    how = tuple(told(v).values())
    return not how if not v.is_call(np.swapaxes) else len(how) == 2 and {x % 2 for x in how if type(x) is int} == {0, 1}


def _turn(write: Writer, x: Value) -> Value:
    return write.program.call(np.transpose, (x,), {}, x.shape[::-1], x.dtype, shares=True, site=x.site)


def _dot(write: Writer, like: Value, a: Value, b: Value) -> Value:
    shape = (*a.shape[:-1], *b.shape[1:])
    return write.program.call(np.dot, (a, b), {}, shape, like.dtype, site=like.site)


# --- products -----------------------------------------------------------------------------------------


def _product(write: Writer, v: Value, args: tuple[Value, ...]) -> Value | None:
    """Multiply with a diagonal matrix, with the product of two vectors, and with sums of these."""
    if not v.is_call(np.dot, np.matmul) or told(v) or not all(map(_is_matrix, (v, *args))) or any(x.dtype != v.dtype for x in args):
        return None
    a, b = args
    if min(*a.shape, *b.shape) < SMALLEST:
        return None
    return _times(write, v, a, b) or _times(write, v, b, a, turned=True)


def _times(write: Writer, v: Value, a: Value, b: Value, *, turned: bool = False) -> Value | None:
    """Return ``a @ b``, or ``b @ a``, where `b` has one of these forms."""
    along = _on_diagonal(b)
    if along is not None:
        n = b.shape[0]
        return write.ufunc(np.multiply, a, _as(write, along, (n, 1) if turned else (1, n)), like=v)
    pair = _of_vectors(b)
    if pair is not None:
        column, row = pair
        product = (column, _dot(write, v, row, a)) if turned else (_dot(write, v, a, column), row)
        return write.ufunc(np.multiply, *product, like=v)
    if b.is_call(np.negative):
        found = _times(write, v, a, b.args[0], turned=turned)
        return None if found is None else write.ufunc(np.negative, found, like=v)
    if b.is_call(np.add, np.subtract) and all(x.shape == b.shape for x in b.args):
        x, y = (_times(write, v, a, part, turned=turned) for part in b.args)
        return None if x is None or y is None else write.ufunc(b.fn, x, y, like=v)  # type: ignore[arg-type]
    return None


def _on_diagonal(b: Value) -> Value | None:
    """Return what stands on the diagonal of a matrix that is zero elsewhere."""
    if not b.is_call(where) or b.args[0].kind != "constant" or b.args[2].number != 0 or b.shape[0] != b.shape[1]:
        return None
    chosen, along, n = np.asarray(b.args[0].const), b.args[1], b.shape[0]
    is_diagonal = chosen.shape == b.shape and chosen.dtype == bool and np.array_equal(chosen, np.eye(n, dtype=bool))
    return along if is_diagonal and along.kind == "call" and along.shape in ((n, 1), (1, n)) and along.dtype == b.dtype else None


def _of_vectors(b: Value) -> tuple[Value, Value] | None:
    """Return the column and the row that a matrix is the product of."""
    if not b.is_call(np.multiply) or any(x.ndim != 2 or x.dtype != b.dtype for x in b.args):
        return None
    n, m = b.shape
    x, y = b.args if b.args[0].shape == (n, 1) else b.args[::-1]
    return (x, y) if x.shape == (n, 1) and y.shape == (1, m) else None


def _as(write: Writer, x: Value, shape: tuple[int, ...]) -> Value:
    return x if x.shape == shape else write.program.call(reshape, (x,), {"shape": shape}, shape, x.dtype, shares=True, site=x.site)


# --- triangles ----------------------------------------------------------------------------------------


def _simpler(write: Writer, v: Value, args: tuple[Value, ...], attrs: dict[str, Any]) -> Value | None:
    """Choose a triangle by a mask that is made once; leave out padding by nothing."""
    if v.is_call(np.tril, np.triu) and _is_matrix(v) and type(k := attrs.get("k", 0)) is int:
        mask = np.tri(v.shape[0], v.shape[1], k=k if v.fn is np.tril else k - 1, dtype=bool)
        chosen = write.program.constant(mask if v.fn is np.tril else ~mask)
        return write.program.call(where, (chosen, args[0], write.program.constant(0)), {}, v.shape, v.dtype, site=v.site)
    if v.is_call(pad) and args[0].kind == "call" and args[0].shape == v.shape and args[0].dtype == v.dtype:
        return args[0]
    return None
