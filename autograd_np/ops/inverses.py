"""Inverses, systems of equations and determinants; batched, real and complex.

Derivatives are those of M. B. Giles, "Collected matrix derivative results for forward and reverse mode algorithmic differentiation"
(2008), and for the pseudoinverse, at constant rank, those of G. H. Golub and V. Pereyra, "The differentiation of pseudo-inverses and
nonlinear least squares problems whose variables separate" (1973).
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_np.op import beside, case, constant, derived, eager, general, several
from autograd_np.ops.adjoint import adjoint, conj, diagonal_of, hermitian_part, of_gradients, transposed
from autograd_np.ops.decompositions import SQUARE, STACK, TALL, svd_or_nan
from autograd_np.ops.indexing import laid
from autograd_np.typing import Array

# --- inverses and systems -------------------------------------------------------------------------


def _inv_vjp(g: Array, y: Array, a: Array) -> Array:
    t = transposed(y)
    return -(t @ g @ t)


def _solved(a: Array, b: Array, g: Array) -> Array:
    """Solve with the transposed matrix, for a right-hand side that is stacked vectors if `b` is one vector."""
    if b.ndim == 1:
        return np.linalg.solve(transposed(a), np.expand_dims(g, -1))[..., 0]
    return np.linalg.solve(transposed(a), g)


def _solve_by_a(g: Array, y: Array, a: Array, b: Array) -> Array:
    gb = _solved(a, b, g)
    if b.ndim == 1:
        return -(np.expand_dims(gb, -1) * np.expand_dims(y, -2))
    return -(gb @ transposed(y))


def _solve_by_b(g: Array, y: Array, a: Array, b: Array) -> Array:
    return _solved(a, b, g)


def _pinv_gradient(g: Array, p: Array, a: Array, rcond: Any = None, hermitian: bool = False, rtol: Any = None) -> Array:
    """Follow Golub and Pereyra: dP = -P dA P + P Pᴴ dAᴴ (1 - A P) + (1 - P A) dAᴴ Pᴴ P."""
    ph, gh = adjoint(p), adjoint(g)
    result = (gh - a @ (p @ gh)) @ (p @ ph) + (ph @ p) @ (gh - (gh @ p) @ a) - ph @ g @ ph
    return hermitian_part(result) if hermitian else result


def _column(b: Array) -> Array:
    return np.expand_dims(b, -1) if b.ndim == 1 else b


def _lstsq_gradient(g: Any, y: Any, a: Array, b: Array, rcond: Any = None) -> tuple[Array, Array]:
    """Follow the solution, A⁺ b; at it the residuals are orthogonal to what A reaches, so that only they themselves count."""
    (gx, gr, _, gs), (x, residuals, _, _) = g, y
    rcond = float(np.finfo(x.dtype).eps) * (max(a.shape) if rcond is None else 1) if rcond is None or rcond == -1 else rcond
    x, rhs = _column(x), _column(b)
    by_a, by_b = np.zeros_like(a), np.zeros_like(b)
    if gx is not None:
        p = np.linalg.pinv(a, rcond)
        gx = _column(gx)
        by_a = by_a + _pinv_gradient(gx @ adjoint(rhs), p, a)
        by_b = by_b + np.reshape(adjoint(p) @ gx, b.shape)
    if gr is not None and residuals.size:
        off = 2 * (rhs - a @ x) * gr
        by_a, by_b = by_a - off @ adjoint(x), by_b + np.reshape(off, b.shape)
    if gs is not None:
        u, _, vh = np.linalg.svd(a, full_matrices=False)
        by_a = by_a + (u * gs) @ vh
    return by_a, by_b


# --- determinants ---------------------------------------------------------------------------------


def _per_matrix(g: Array) -> Array:
    return np.expand_dims(g, (-2, -1))


def _orientation(u: Array, vh: Array) -> Array:
    """Return the determinant of U Vᴴ, a sign or a phase."""
    return _per_matrix(np.sign(np.linalg.det(u @ vh)))


@eager
def cofactors(a: Array) -> Array:
    """Return the matrix of cofactors, the gradient of the determinant; finite for singular matrices too.

    The cofactors of a product are the product of the cofactors, those of a unitary matrix are its conjugate times its determinant, and
    those of a diagonal matrix are products of its other entries, so a = U diag(s) Vᴴ gives them without dividing.
    """
    u, s, vh = svd_or_nan(a)
    others = np.prod(np.where(beside(~np.eye(s.shape[-1], dtype=bool), s), s[..., None, :], 1), axis=-1)
    return (_orientation(u, vh) * conj((u * others[..., None, :]) @ vh)).astype(a.dtype)


def _cofactors_vjp(g: Array, y: Array, a: Array) -> Array:
    """Apply the second derivative of the determinant, which is its own transpose."""
    n = a.shape[-1]
    u, s, vh = svd_or_nan(a)
    k = adjoint(u) @ g @ adjoint(vh)
    same = beside(np.eye(n, dtype=bool), s)
    left_out = same[:, None, :] | same[None, :, :]
    products = np.prod(np.where(left_out, 1, np.expand_dims(s, (-3, -2))), axis=-1)  # [i, j]: of all s but the i-th and j-th
    products = np.where(same, 0, products)
    by_diagonal = np.sum(products * np.expand_dims(diagonal_of(k), -2), axis=-1, keepdims=True)
    inner = np.where(same, by_diagonal, 0) - transposed(k) * products
    return _orientation(u, vh) * (conj(u) @ inner @ conj(vh))


def _inverse_or_nan(a: Array) -> Array:
    """Return the inverse of each matrix, or NaN for one that has none, where LAPACK raises an error."""
    singular = _per_matrix(np.linalg.slogdet(a)[0] == 0)
    return np.where(singular, np.nan, np.linalg.inv(np.where(singular, beside(np.eye(a.shape[-1], dtype=a.dtype), a), a)))


def _slogdet_gradient(g: Any, y: Any, a: Array) -> Array:
    """Move the logarithm by the real part of tr(A⁻¹ dA), turn the sign by its imaginary part."""
    (gs, gl), (sign, _) = g, y
    weight = 0 if gl is None else gl
    if gs is not None and a.dtype.kind == "c":
        weight = weight - 1j * np.imag(conj(gs) * sign)
    return _per_matrix(weight) * adjoint(_inverse_or_nan(a))


# --- the table ------------------------------------------------------------------------------------

SQUARES = (case(SQUARE), case(STACK))
SINGULAR = np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [1.0, 0.0, -1.0]])
SYSTEMS = (
    case(SQUARE, (3,)),
    case(SQUARE, (3, 2)),
    case(STACK, (3,)),
    case(STACK, (3, 2)),
    case(SQUARE, (2, 3, 1)),
    case(STACK, (4, 1, 3, 2)),
)
SHAPES = (*SQUARES, case(TALL), case(TALL.T), case(np.stack([TALL, TALL[::-1]])))
FITS = (case(TALL, (3,)), case(TALL, (3, 2)), case(TALL.T, (2,)), case(TALL.T, (2, 3)), case(SQUARE, (3,)))

# fmt: off
general(eager(np.linalg.inv),    _inv_vjp, jvp=lambda t, y, a: -(y @ t[0] @ y),        cases=SQUARES, also=(np.linalg.inv,),   tex="#1^{-1}")
general(eager(np.linalg.solve),  _solve_by_a, _solve_by_b,                             cases=SYSTEMS, also=(np.linalg.solve,), tex="#1^{-1} #2")
general(eager(np.linalg.pinv),   of_gradients(_pinv_gradient),                         cases=(*SHAPES, case(SQUARE, rcond=1e-3)), also=(np.linalg.pinv,), tex="#1^{+}", note="at constant rank")
several(eager(np.linalg.lstsq),  of_gradients(_lstsq_gradient), None, joint=True,      cases=FITS, also=(np.linalg.lstsq,), note="at constant rank")
general(eager(np.linalg.det),    lambda g, y, a: _per_matrix(g) * cofactors(a),        cases=(*SQUARES, case(SINGULAR)), also=(np.linalg.det,),
        tex=r"\det #1", note="right for singular matrices too")
several(eager(np.linalg.slogdet), of_gradients(_slogdet_gradient),                     cases=SQUARES, also=(np.linalg.slogdet,), steps=(0,))
general(cofactors,               _cofactors_vjp,                                       cases=(case(SQUARE), case(STACK), case(SINGULAR)), tex=r"\operatorname{cof} #1")
constant(eager(np.linalg.matrix_rank), also=(np.linalg.matrix_rank,),                  cases=(*SHAPES, case(SINGULAR)))
# fmt: on


# --- in terms of the rows above -------------------------------------------------------------------


@derived(np.linalg.matrix_power)
def _matrix_power(a: Array, n: int) -> Array:
    """Multiply by squaring: about log2(n) products."""
    n = operator.index(n)
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise np.linalg.LinAlgError(f"matrix_power needs square matrices, got shape {a.shape}")
    if n == 0:
        return laid(np.zeros_like(a) + beside(np.eye(a.shape[-1], dtype=a.dtype), a), a)
    if n < 0:
        a, n = np.linalg.inv(a), -n
    result = None
    while n:
        if n % 2:
            result = a if result is None else result @ a
        n //= 2
        a = a @ a if n else a
    return result


@derived(np.linalg.cond)
def _cond(x: Array, p: Any = None) -> Array:
    if not x.size:
        raise np.linalg.LinAlgError(f"cond is not defined on empty arrays, got shape {x.shape}")
    if p is None or p in (2, -2):
        s = np.linalg.svdvals(x)
        top, bottom = (s[..., -1], s[..., 0]) if p == -2 else (s[..., 0], s[..., -1])
        with np.errstate(all="ignore"):
            r = top / bottom
    else:
        if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
            raise np.linalg.LinAlgError(f"cond with p={p!r} needs square matrices, got shape {x.shape}")
        with np.errstate(all="ignore"):
            r = np.linalg.norm(x, p, axis=(-2, -1)) * np.linalg.norm(_inverse_or_nan(x), p, axis=(-2, -1))
    return np.where(np.isnan(r) & ~np.any(np.isnan(x), axis=(-2, -1)), np.inf, r)


@derived(np.linalg.tensorinv)
def _tensorinv(a: Array, ind: int = 2) -> Array:
    if ind <= 0:
        raise ValueError(f"tensorinv needs a positive number of axes, got ind={ind}")
    columns = a.shape[ind:]
    return np.reshape(np.linalg.inv(np.reshape(a, (math.prod(columns), -1))), columns + a.shape[:ind])


@derived(np.linalg.tensorsolve)
def _tensorsolve(a: Array, b: Array, axes: Sequence[int] | None = None) -> Array:
    a, b = (x if hasattr(x, "ndim") else np.asarray(x) for x in (a, b))
    if axes is not None:
        axes = [i % a.ndim for i in axes]
        a = np.transpose(a, [i for i in range(a.ndim) if i not in axes] + axes)
    shape = a.shape[-(a.ndim - b.ndim) :] if a.ndim > b.ndim else ()
    size = math.prod(shape)
    if math.prod(a.shape) != size**2:
        raise np.linalg.LinAlgError(
            f"tensorsolve got arrays of shapes {a.shape} and {b.shape}; the equations must be as many as the unknowns"
        )
    return np.reshape(np.linalg.solve(np.reshape(a, (size, size)), np.ravel(b)), shape)
