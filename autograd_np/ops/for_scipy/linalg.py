"""`scipy.linalg`: triangular and banded systems, LU, eigenvalues, Sylvester's equation, functions of matrices; real and complex.

Sources: M. B. Giles, "Collected matrix derivative results for forward and reverse mode algorithmic differentiation" (2008);
N. J. Higham, "Functions of Matrices: Theory and Computation" (2008): the derivative of f at A in the direction E stands in the corner
of f([[A, E], [0, A]]) (theorem 3.6), that of the square root solves Sylvester's equation (section 6.1).

What NumPy has as well is differentiated by NumPy's row, in the mirror.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.linalg

from autograd_np import errors
from autograd_np.op import Primitive, case, eager, general, several
from autograd_np.ops.adjoint import adjoint, hermitian_part, of_gradients, transposed
from autograd_np.ops.decompositions import EQUAL, MATRICES, READS_A_TRIANGLE, SHAPES, _eigh_gradient, frozen, hermitian
from autograd_np.typing import Array

__all__ = ["completed", "eigh", "expm", "frechet", "logm", "lu", "solve_banded", "solve_sylvester", "solve_triangular", "sqrtm"]


def in_lapack(implementation: Callable[..., Any]) -> Primitive:
    """Make a primitive for arrays of NumPy's, in precisions that LAPACK has: others SciPy would compute in double precision."""

    @functools.wraps(implementation)
    def in_its_precisions(*arrays: Any, **attrs: Any) -> Any:
        for a in arrays:
            if np.result_type(a, np.complex128) != np.complex128:
                raise errors.NoRowError(
                    f"scipy.linalg.{implementation.__name__} computes in double precision at most, got {a.dtype}; write x.astype(float)"
                )
        return implementation(*arrays, **attrs)

    return eager(in_its_precisions, host=True)


# --- matrices of which a part is read -------------------------------------------------------------


@in_lapack
def solve_triangular(a: Array, b: Array, lower: bool = False, unit_diagonal: bool = False) -> Array:
    """Solve a triangular system; the other triangle is not read, nor is a diagonal of ones."""
    found: Array = scipy.linalg.solve_triangular(a, b, lower=lower, unit_diagonal=unit_diagonal, check_finite=False)
    return found


def _with_transposed(a: Array, b: Array, g: Array, lower: bool, unit_diagonal: bool) -> Array:
    """Solve with the transposed matrix, for right-hand sides that are stacked vectors if `b` is one vector."""
    g = np.expand_dims(g, -1) if b.ndim == 1 else g
    found = solve_triangular(transposed(a), g, lower=not lower, unit_diagonal=unit_diagonal)
    return found[..., 0] if b.ndim == 1 else found


def _triangular_by_a(g: Array, y: Array, a: Array, b: Array, lower: bool = False, unit_diagonal: bool = False) -> Array:
    gb = _with_transposed(a, b, g, lower, unit_diagonal)
    gb, y = (np.expand_dims(x, -1) if b.ndim == 1 else x for x in (gb, y))
    k = int(unit_diagonal)
    return np.tril(-(gb @ transposed(y)), -k) if lower else np.triu(-(gb @ transposed(y)), k)


def _triangular_by_b(g: Array, y: Array, a: Array, b: Array, lower: bool = False, unit_diagonal: bool = False) -> Array:
    return _with_transposed(a, b, g, lower, unit_diagonal)


@in_lapack
def solve_banded(ab: Array, b: Array, lower: int, upper: int) -> Array:
    """Solve a system whose matrix is given by its diagonals, ``ab[upper + i - j, j] = a[i, j]``, of which `lower` are below the main one."""
    found: Array = scipy.linalg.solve_banded((lower, upper), ab, b, check_finite=False)
    return found


def _band(ab: Array, lower: int, upper: int) -> tuple[Array, Array]:
    """Return the row i of the matrix that each entry of its diagonals is from, and whether there is such a row."""
    i = np.arange(ab.shape[-2])[:, None] - upper + np.arange(ab.shape[-1])
    return i, (i >= 0) & (i < ab.shape[-1])


def _banded_by_b(g: Array, y: Array, ab: Array, b: Array, lower: int, upper: int) -> Array:
    """Solve with the transposed matrix, whose diagonals come in the opposite order, each moved by its distance from the main one."""
    i, inside = _band(ab, upper, lower)
    turned = ab[..., ::-1, :][..., np.arange(ab.shape[-2])[:, None], np.where(inside, i, 0)]
    return solve_banded(np.where(inside, turned, 0), g, lower=upper, upper=lower)


def _banded_by_ab(g: Array, y: Array, ab: Array, b: Array, lower: int, upper: int) -> Array:
    gb, y = (np.expand_dims(x, -1) if b.ndim == ab.ndim - 1 else x for x in (_banded_by_b(g, y, ab, b, lower, upper), y))
    i, inside = _band(ab, lower, upper)
    return np.where(inside, -np.sum(gb[..., np.where(inside, i, 0), :] * np.expand_dims(y, -3), axis=-1), 0)


@eager
def completed(a: Array, lower: bool = False, conjugate: bool = True) -> Array:
    """Return the Hermitian (symmetric) matrix of which `a` holds a triangle."""
    triangle, rest = (np.tril(a), np.tril(a, -1)) if lower else (np.triu(a), np.triu(a, 1))
    return triangle + (adjoint(rest) if conjugate else transposed(rest))


def _completed_vjp(g: Array, y: Array, a: Array, lower: bool = False, conjugate: bool = True) -> Array:
    return hermitian_part(g) if conjugate else (g + transposed(g)) / 2


# --- LU -------------------------------------------------------------------------------------------


@in_lapack
def lu(a: Array) -> Any:
    """Return P, L and U."""
    return scipy.linalg.lu(a)


def _lu_gradient(g: Any, y: Any, a: Array) -> Array:
    """Follow the square block; what is below or beside it follows from L = A U⁻¹ and U = L⁻¹ A, and rows change places by a constant P."""
    (_, gl, gu), (p, lower, upper) = g, y
    gl, gu = (np.zeros_like(x) if gx is None else gx for gx, x in ((gl, lower), (gu, upper)))
    k = min(a.shape[-2:])
    l1, u1, gl1, gu1 = lower[..., :k, :], upper[..., :, :k], gl[..., :k, :], gu[..., :, :k]
    below = adjoint(solve_triangular(u1, adjoint(gl[..., k:, :])))
    beside = solve_triangular(adjoint(l1), gu[..., :, k:], lower=False, unit_diagonal=True)
    gu1 = gu1 - adjoint(lower[..., k:, :]) @ below
    gl1 = gl1 - beside @ adjoint(upper[..., :, k:])
    inner = np.tril(adjoint(l1) @ gl1, -1) + np.triu(gu1 @ adjoint(u1))
    square = solve_triangular(adjoint(l1), adjoint(solve_triangular(u1, adjoint(inner))), unit_diagonal=True)
    rows = np.concatenate([square, below], axis=-2) if below.shape[-2] else square
    return p @ (np.concatenate([rows, beside], axis=-1) if beside.shape[-1] else rows)


# --- eigenvalues ----------------------------------------------------------------------------------


@in_lapack
def eigh(a: Array, lower: bool = True) -> Any:
    """Return eigenvalues and eigenvectors of a Hermitian matrix of which a triangle is read, as SciPy chooses their phases."""
    return scipy.linalg.eigh(a, lower=lower)


def _eigh_by_triangle(g: Any, y: Any, a: Array, lower: bool = True) -> Array:
    return _eigh_gradient(g, y, a, UPLO="L" if lower else "U")


# --- equations for a matrix -----------------------------------------------------------------------


@in_lapack
def solve_sylvester(a: Array, b: Array, q: Array) -> Array:
    """Return the X with A X + X B = Q.

    All in one dtype: SciPy's answer is wrong where of A and B one is complex and the other real with complex eigenvalues.
    """
    dtype = np.result_type(a, b, q)
    found: Array = scipy.linalg.solve_sylvester(*(np.asarray(x, dtype) for x in (a, b, q)))
    return found


def _sylvester_by_a(g: Array, y: Array, a: Array, b: Array, q: Array) -> Array:
    return -(solve_sylvester(transposed(a), transposed(b), g) @ transposed(y))


def _sylvester_by_b(g: Array, y: Array, a: Array, b: Array, q: Array) -> Array:
    return -(transposed(y) @ solve_sylvester(transposed(a), transposed(b), g))


def _sylvester_by_q(g: Array, y: Array, a: Array, b: Array, q: Array) -> Array:
    return solve_sylvester(transposed(a), transposed(b), g)


# --- functions of matrices ------------------------------------------------------------------------


def _of_a_matrix(f: Any, a: Array) -> Array:
    if np.ndim(a) < 2:  # SciPy makes a matrix of a number
        raise np.linalg.LinAlgError(f"{f.__name__} takes square matrices, got shape {np.shape(a)}")
    found: Array = f(a)
    return found


@in_lapack
def expm(a: Array) -> Array:
    """Return the exponential of a matrix."""
    return _of_a_matrix(scipy.linalg.expm, a)


@in_lapack
def logm(a: Array) -> Array:
    """Return the principal logarithm of a matrix; in double precision, since SciPy holds single precision to the same bound, and warns."""
    found: Array = scipy.linalg.logm(a.astype(np.result_type(a, np.float64)))
    return found.astype(np.result_type(a, np.complex64 if found.dtype.kind == "c" else a))


@in_lapack
def sqrtm(a: Array) -> Array:
    """Return the principal square root of a matrix."""
    return _of_a_matrix(scipy.linalg.sqrtm, a)


def frechet(f: Callable[[Array], Array], a: Array, e: Array) -> Array:
    """Return the derivative of a function of matrices at A in the direction E, which is scaled to the size of A on the way."""
    n = a.shape[-1]
    largest = np.max(abs(e), axis=(-2, -1), keepdims=True, initial=0)
    size = np.max(abs(a), axis=(-2, -1), keepdims=True, initial=0)
    scale = frozen(np.where(largest > 0, np.where(size > 0, size, 1) / np.where(largest > 0, largest, 1), 1))
    top = np.concatenate([a + np.zeros_like(e), e * scale], axis=-1)
    bottom = np.concatenate([np.zeros_like(e), a + np.zeros_like(e)], axis=-1)
    return f(np.concatenate([top, bottom], axis=-2))[..., :n, n:] / scale


def _of_matrices(f: Callable[[Array], Array]) -> tuple[Callable[..., Array], Callable[..., Array]]:
    """Return the vjp and the jvp of a function of matrices: the transpose of its derivative at A is that at Aᵀ."""

    def vjp(g: Array, y: Array, a: Array) -> Array:
        return frechet(f, transposed(a), g)

    def jvp(t: Any, y: Array, a: Array) -> Array:
        return frechet(f, a, t[0])

    return vjp, jvp


_expm_vjp, _expm_jvp = _of_matrices(expm)
_logm_vjp, _logm_jvp = _of_matrices(logm)


def _sqrtm_vjp(g: Array, y: Array, a: Array) -> Array:
    return solve_sylvester(transposed(y), transposed(y), g)


# --- the table ------------------------------------------------------------------------------------

UPPER = np.array([[1.4, -0.3, 0.8], [0.0, -1.1, 0.5], [0.0, 0.0, 0.9]]) + np.tril(np.full((3, 3), 7.0), -1)
TRIANGLES = (
    case(UPPER, (3,)), case(UPPER, (3, 2)), case(UPPER.T, (3, 2), lower=True), case(UPPER, (3,), unit_diagonal=True),
    case(np.stack([UPPER, UPPER - 0.3]), (2, 3, 2)), case(UPPER.T, (3, 1), lower=True, unit_diagonal=True),
)  # fmt: skip
BAND = np.array([[7.0, 0.4, -0.3, 0.2], [2.1, -1.9, 1.6, 2.3], [0.5, 0.3, -0.6, 7.0], [0.2, -0.4, 7.0, 7.0]])
BANDS = (
    case(BAND, (4,), lower=2, upper=1), case(BAND, (4, 2), lower=2, upper=1), case(BAND[:3], (4, 1), lower=1, upper=1),
    case(BAND[1:2], (4,), lower=0, upper=0), case(BAND[:2], (4, 2), lower=0, upper=1), case(BAND[1:3, :1], (1,), lower=1, upper=0),
)  # fmt: skip
NEAR_ONE = np.array([[1.3, 0.2, -0.1], [0.1, 0.9, 0.3], [-0.2, 0.1, 1.6]])
AB = (np.array([[1.2, 0.3], [-0.4, 0.9]]), np.array([[0.7, -0.2, 0.1], [0.3, 1.1, 0.2], [0.0, 0.4, 0.8]]))

# fmt: off
general(solve_triangular, _triangular_by_a, _triangular_by_b, cases=TRIANGLES, note="one triangle is read, and has a gradient")
general(solve_banded,     _banded_by_ab, _banded_by_b, cases=BANDS, note="entries of the band that are outside the matrix are not read, and have no gradient")
general(completed,        _completed_vjp, cases=(case((3, 3)), case((2, 3, 3), lower=True), case((3, 3), lower=True)), on=hermitian, note=READS_A_TRIANGLE)
several(lu,               of_gradients(_lu_gradient), cases=SHAPES, steps=(0,), note="where no two pivots are equal")
several(eigh,             of_gradients(_eigh_by_triangle), cases=(*MATRICES, case((3, 3), lower=False)), on=hermitian, note=f"{READS_A_TRIANGLE}; {EQUAL}")
general(solve_sylvester,  _sylvester_by_a, _sylvester_by_b, _sylvester_by_q, cases=(case(*AB, (2, 3)), case(AB[0], AB[0].T, (2, 2))), note="A and -B have no eigenvalue in common")
general(expm,             _expm_vjp, jvp=_expm_jvp, cases=(case((3, 3)), case((2, 2, 2)), case((1, 1))), tex=r"\operatorname{expm} #1")
general(logm,             _logm_vjp, jvp=_logm_jvp, cases=(case(NEAR_ONE),), tex=r"\operatorname{logm} #1", note="of matrices without eigenvalues on the negative real axis")
general(sqrtm,            _sqrtm_vjp, jvp=lambda t, y, a: solve_sylvester(y, y, t[0]), cases=(case(NEAR_ONE), case(np.stack([NEAR_ONE, NEAR_ONE.T + 0.1]))), tex=r"#1^{1/2}", note="of matrices without eigenvalues on the negative real axis")
# fmt: on
