"""`scipy.linalg`, whose functions understand Tensors: ``from autograd_np.scipy import linalg`` in place of ``from scipy import linalg``.

Values are SciPy's; where a factor is a matter of choice (phases, pivots), the choice is SciPy's too, as long as LAPACK makes it the
same way. A matrix of which a triangle is read stands for a symmetric one, and has a symmetric gradient, but for `solve_triangular`,
whose gradient is that triangle.

Examples
--------
>>> import numpy as np
>>> import autograd_np as ag
>>> from autograd_np.scipy import linalg
>>> ag.grad(lambda a: np.trace(linalg.expm(a)))(np.array([[0.0, 1.0], [1.0, 0.0]]))
array([[1.54308063, 1.17520119],
       [1.17520119, 1.54308063]])
>>> def log_determinant(a):
...     factor, lower = linalg.cho_factor(a)
...     return 2 * np.sum(np.log(np.diagonal(factor)))
>>> ag.grad(log_determinant)(np.diag([2.0, 4.0]))
array([[0.5 , 0.  ],
       [0.  , 0.25]])
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import linalg

from autograd_np.errors import NoRowError
from autograd_np.op import constant_of
from autograd_np.ops import astype
from autograd_np.ops.adjoint import adjoint, conj, transposed
from autograd_np.ops.for_scipy import linalg as rows
from autograd_np.scipy.mirror import array, covering, module

# --- arguments ------------------------------------------------------------------------------------


def _matrix(x: Any) -> Any:
    """Return an array with two axes at least, as SciPy makes one of a number."""
    return np.atleast_2d(array(x))


# --- systems of equations -------------------------------------------------------------------------


def _solve_triangular(a: Any, b: Any, trans: Any = 0, lower: bool = False, unit_diagonal: bool = False) -> Any:
    trans = {"N": 0, "T": 1, "C": 2}.get(trans, trans)
    if trans not in (0, 1, 2):
        raise ValueError(f"solve_triangular got trans={trans!r}; it is one of 0 ('N'), 1 ('T') and 2 ('C')")
    a, b = array(a), array(b)
    if trans:
        a, lower = (transposed(a) if trans == 1 else adjoint(a)), not lower
    return rows.solve_triangular(a, b, lower=bool(lower), unit_diagonal=bool(unit_diagonal))


def _solve_banded(l_and_u: Any, ab: Any, b: Any) -> Any:
    lower, upper = l_and_u
    ab, b = array(ab), array(b)
    if ab.ndim != 2:
        raise NoRowError(f"scipy.linalg.solve_banded takes one matrix with Tensors, got diagonals of shape {ab.shape}; loop over the stack")
    return rows.solve_banded(ab, b, lower=int(lower), upper=int(upper))


_STRUCTURES = {
    "gen": "general", "sym": "symmetric", "her": "hermitian", "pos": "positive definite",
    "upper": "upper triangular", "lower": "lower triangular",
}  # fmt: skip


def _whole(a: Any, assume_a: Any, lower: bool) -> Any:
    """Return the matrix that `a` stands for; None for a triangle."""
    structure = _STRUCTURES.get(assume_a, assume_a)
    if structure in (None, "general", "banded"):
        return a
    if structure in ("symmetric", "hermitian", "positive definite"):
        return rows.completed(a, lower=bool(lower), conjugate=structure != "symmetric")
    if structure == "tridiagonal":
        return np.triu(np.tril(a, 1), -1)
    if structure == "diagonal":
        return np.where(np.eye(a.shape[-1], dtype=bool), a, 0)
    if structure in ("upper triangular", "lower triangular"):
        return None
    raise NoRowError(f"scipy.linalg does not cover assume_a={assume_a!r} with Tensors")


def _solve(a: Any, b: Any, lower: bool = False, assume_a: Any = None, transposed: bool = False) -> Any:
    a, b = _matrix(a), array(b)
    whole = _whole(a, assume_a, lower)
    if whole is None:
        return _solve_triangular(a, b, int(transposed), _STRUCTURES.get(assume_a, assume_a).startswith("lower"))
    return np.linalg.solve(np.swapaxes(whole, -1, -2) if transposed else whole, b)


def _inv(a: Any, *, assume_a: Any = None, lower: bool = False) -> Any:
    a = _matrix(a)
    whole = _whole(a, assume_a, lower)
    if whole is None:
        is_lower = _STRUCTURES.get(assume_a, assume_a).startswith("lower")
        return rows.solve_triangular(a, np.eye(a.shape[-1], dtype=a.dtype), lower=is_lower)
    return np.linalg.inv(whole)


def _det(a: Any) -> Any:
    a = _matrix(a)
    return np.linalg.det(astype(a, np.result_type(a.dtype, np.float64)))  # as SciPy does


def _pinv(a: Any, *, atol: Any = None, rtol: Any = None, return_rank: bool = False) -> Any:
    a = _matrix(a)
    values = np.linalg.svdvals(constant_of(a))
    largest = float(np.max(values, initial=0))
    absolute = 0.0 if atol is None else atol
    relative = (max(a.shape[-2:]) * float(np.finfo(a.dtype).eps) if atol is None else 0.0) if rtol is None else rtol
    bound = absolute + relative * largest
    found = np.linalg.pinv(a, rcond=bound / largest if largest else 0.0)
    return (found, int(np.sum(values > bound))) if return_rank else found


def _lstsq(a: Any, b: Any, cond: Any = None) -> Any:
    a, b = _matrix(a), array(b)
    if a.ndim != 2:
        raise NoRowError(f"scipy.linalg.lstsq takes one matrix with Tensors, got shape {a.shape}; loop over the stack")
    cond = float(np.finfo(np.result_type(a, b, np.float32)).eps) if cond is None else cond
    x, residuals, rank, s = np.linalg.lstsq(a, b, rcond=cond)
    return x, residuals[0] if b.ndim == 1 and residuals.size else residuals, int(constant_of(rank)), s


# --- factors --------------------------------------------------------------------------------------


def _cholesky(a: Any, lower: bool = False) -> Any:
    return np.linalg.cholesky(_matrix(a), upper=not lower)


def _cho_factor(a: Any, lower: bool = False) -> Any:
    """Return the factor, and what was in the other triangle, as SciPy does."""
    a = _matrix(a)
    rest = np.triu(a, 1) if lower else np.tril(a, -1)
    return np.linalg.cholesky(a, upper=not lower) + rest, lower


def _cho_solve(c_and_lower: Any, b: Any) -> Any:
    c, lower = c_and_lower
    trans = (0, 2) if lower else (2, 0)
    return _solve_triangular(c, _solve_triangular(c, b, trans[0], lower), trans[1], lower)


def _lu(a: Any, permute_l: bool = False, p_indices: bool = False) -> Any:
    p, lower, upper = rows.lu(_matrix(a))
    if permute_l:
        return p @ lower, upper
    return (np.argmax(constant_of(p), axis=-1) if p_indices else constant_of(p)), lower, upper


def _lu_factor(a: Any) -> Any:
    a = _matrix(a)
    pivots = linalg.lu_factor(constant_of(a))[1]
    _, lower, upper = rows.lu(a)
    k = min(a.shape[-2:])
    full_lower = lower if lower.shape[-1] == a.shape[-1] else np.concatenate([lower, np.zeros_like(a[..., :, k:])], axis=-1)
    full_upper = upper if upper.shape[-2] == a.shape[-2] else np.concatenate([upper, np.zeros_like(a[..., k:, :])], axis=-2)
    return np.tril(full_lower, -1) + full_upper, pivots


def _lu_solve(lu_and_piv: Any, b: Any, trans: int = 0) -> Any:
    factors, pivots = lu_and_piv
    factors, b, pivots = array(factors), array(b), constant_of(pivots)
    if factors.ndim != 2:
        raise NoRowError(f"scipy.linalg.lu_solve takes one matrix with Tensors, got shape {factors.shape}; loop over the stack")
    order = np.arange(len(pivots))
    for i, j in enumerate(pivots):
        order[[i, j]] = order[[j, i]]
    if not trans:
        return _solve_triangular(factors, _solve_triangular(factors, b[order], 0, True, True), 0, False)
    found = _solve_triangular(factors, _solve_triangular(factors, b, trans, False), trans, True, True)
    return found[np.argsort(order)]


def _qr(a: Any, mode: str = "full", pivoting: bool = False) -> Any:
    if mode not in ("full", "r", "economic"):
        raise NoRowError(f"scipy.linalg.qr covers mode='full', 'economic' and 'r' with Tensors, got {mode!r}")
    a = _matrix(a)
    pivots: tuple[Any, ...] = ()
    if pivoting:
        order = linalg.qr(constant_of(a), mode="r", pivoting=True)[1]
        a, pivots = np.take_along_axis(a, np.expand_dims(order, -2), axis=-1), (order,)
    q, r = np.linalg.qr(a, "reduced" if mode == "economic" else "complete")
    return (r, *pivots) if mode == "r" else (q, r, *pivots)


def _svd(a: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    a = _matrix(a)
    return tuple(np.linalg.svd(a, full_matrices=full_matrices)) if compute_uv else np.linalg.svdvals(a)


def _generalised(a: Any, b: Any, lower: bool) -> Any:
    """Solve A v = w B v by way of B = L Lᴴ: L⁻¹ A L⁻ᴴ has the same eigenvalues; in SciPy's choice of phases."""
    a = rows.completed(a, lower=lower)
    factor = np.linalg.cholesky(b, upper=not lower)
    factor = factor if lower else adjoint(factor)
    inner = rows.solve_triangular(factor, adjoint(rows.solve_triangular(factor, a, lower=True)), lower=True)
    w, u = rows.eigh(adjoint(inner), lower=True)
    v = rows.solve_triangular(adjoint(factor), u, lower=False)
    scipys = linalg.eigh(constant_of(a), constant_of(rows.completed(b, lower=lower)))[1]
    turned = np.sum(np.conjugate(constant_of(v)) * (constant_of(rows.completed(b, lower=lower)) @ scipys), axis=-2, keepdims=True)
    size = np.abs(turned)
    return w, v * np.where(size > 0.5, turned / np.where(size > 0, size, 1), 1).astype(v.dtype)


def _eigh(
    a: Any, b: Any = None, *, lower: bool = True, eigvals_only: bool = False, type: int = 1,  # noqa: A002
    subset_by_index: Any = None, subset_by_value: Any = None,
) -> Any:  # fmt: skip
    a = _matrix(a)
    if type != 1:
        raise NoRowError(f"scipy.linalg.eigh covers A v = w B v, type=1, with Tensors, got type={type}")
    w, v = rows.eigh(a, lower=bool(lower)) if b is None else _generalised(a, _matrix(b), bool(lower))
    if subset_by_index is not None or subset_by_value is not None:
        if a.ndim != 2:
            raise NoRowError(f"scipy.linalg.eigh takes subsets of one matrix with Tensors, got shape {a.shape}; loop over the stack")
        if subset_by_index is not None:
            first, last = subset_by_index
            kept = np.arange(int(first), int(last) + 1)
        else:
            low, high = subset_by_value
            kept = np.flatnonzero((constant_of(w) > low) & (constant_of(w) <= high))
        w, v = w[kept], v[:, kept]
    return w if eigvals_only else (w, v)


def _eigvalsh(
    a: Any, b: Any = None, *, lower: bool = True, type: int = 1, subset_by_index: Any = None, subset_by_value: Any = None  # noqa: A002
) -> Any:  # fmt: skip
    options = {"lower": lower, "type": type, "subset_by_index": subset_by_index, "subset_by_value": subset_by_value}
    return _eigh(a, b, eigvals_only=True, **options)


def _eig(a: Any) -> Any:
    return tuple(np.linalg.eig(_matrix(a)))


# --- equations for a matrix, functions of matrices ------------------------------------------------


def _solve_sylvester(a: Any, b: Any, q: Any) -> Any:
    return rows.solve_sylvester(array(a), array(b), array(q))


def _solve_continuous_lyapunov(a: Any, q: Any) -> Any:
    a = _matrix(a)
    return rows.solve_sylvester(a, adjoint(a), _matrix(q))


def _solve_discrete_lyapunov(a: Any, q: Any, method: Any = None) -> Any:
    """Solve A X Aᴴ - X + Q = 0, directly as a system for the entries of X, or by the bilinear transform to a continuous equation."""
    a, q = _matrix(a), _matrix(q)
    n = a.shape[-1]
    one = np.eye(n, dtype=a.dtype)
    method = ("bilinear" if n >= 10 else "direct") if method is None else str(method).lower()
    if method == "direct":
        products = np.reshape(np.einsum("...ij,...kl->...ikjl", a, conj(a)), (*a.shape[:-2], n * n, n * n))
        found = np.linalg.solve(np.eye(n * n, dtype=a.dtype) - products, np.reshape(q, (*q.shape[:-2], n * n, 1)))
        return np.reshape(found, (*found.shape[:-2], n, n))
    if method != "bilinear":
        raise ValueError(f"solve_discrete_lyapunov got method={method!r}; it is 'direct' or 'bilinear'")
    inverse = np.linalg.inv(adjoint(a) + one)
    b = (adjoint(a) - one) @ inverse
    return _solve_continuous_lyapunov(adjoint(b), -2 * (np.linalg.inv(a + one) @ q @ inverse))


def _expm(A: Any) -> Any:
    return rows.expm(_matrix(A))


def _logm(A: Any) -> Any:
    return rows.logm(_matrix(A))


def _sqrtm(A: Any) -> Any:
    return rows.sqrtm(_matrix(A))


def _expm_frechet(A: Any, E: Any, *, compute_expm: bool = True) -> Any:
    A, E = array(A), array(E)
    found = rows.frechet(rows.expm, A, E)
    return (rows.expm(A), found) if compute_expm else found


# --- matrices with a structure --------------------------------------------------------------------


def _block_diag(*arrs: Any) -> Any:
    blocks = [_matrix(x) for x in arrs]
    stack = np.broadcast_shapes(*(x.shape[:-2] for x in blocks))
    dtype = np.result_type(*(x.dtype for x in blocks))
    width, before, parts = sum(x.shape[-1] for x in blocks), 0, []
    for x in blocks:
        x = np.broadcast_to(x, stack + x.shape[-2:])
        left, right = (np.zeros((*x.shape[:-1], n), dtype) for n in (before, width - before - x.shape[-1]))
        parts.append(np.concatenate([left, x, right], axis=-1))
        before += x.shape[-1]
    return np.concatenate(parts, axis=-2)


def _of_diagonals(c: Any, r: Any, i: Any, name: str) -> Any:
    """Return the matrix of which `i` numbers the entries in one vector: `c`, and `r` without its first number."""
    c, r = array(c), array(r)
    if c.ndim != 1 or r.ndim != 1:
        raise NoRowError(f"scipy.linalg.{name} takes vectors with Tensors, got shapes {c.shape} and {r.shape}")
    return np.concatenate([c, r[1:]])[i(len(c), len(r))]


def _toeplitz(c: Any, r: Any = None) -> Any:
    c = array(c)

    def places(n: int, m: int) -> Any:
        offset = np.arange(n)[:, None] - np.arange(m)
        return np.where(offset >= 0, offset, n - 1 - offset)

    return _of_diagonals(c, conj(c) if r is None else r, places, "toeplitz")


def _hankel(c: Any, r: Any = None) -> Any:
    c = array(c)
    return _of_diagonals(c, np.zeros_like(c) if r is None else r, lambda n, m: np.arange(n)[:, None] + np.arange(m), "hankel")


def _circulant(c: Any) -> Any:
    c = array(c)
    n = c.shape[-1]
    return c[..., (np.arange(n)[:, None] - np.arange(n)) % n]


_COVERED: dict[str, Callable[..., Any]] = {
    "block_diag": _block_diag, "cho_factor": _cho_factor, "cho_solve": _cho_solve, "cholesky": _cholesky, "circulant": _circulant,
    "det": _det, "eig": _eig, "eigh": _eigh, "eigvals": lambda a: np.linalg.eigvals(_matrix(a)),
    "eigvalsh": _eigvalsh, "expm": _expm, "expm_frechet": _expm_frechet, "hankel": _hankel, "inv": _inv, "logm": _logm,
    "lstsq": _lstsq, "lu": _lu, "lu_factor": _lu_factor, "lu_solve": _lu_solve,
    "norm": lambda a, ord=None, axis=None, keepdims=False: np.linalg.norm(array(a), ord, axis, keepdims),  # noqa: A006
    "pinv": _pinv, "qr": _qr, "solve": _solve, "solve_banded": _solve_banded, "solve_continuous_lyapunov": _solve_continuous_lyapunov,
    "solve_discrete_lyapunov": _solve_discrete_lyapunov, "solve_lyapunov": _solve_continuous_lyapunov, "solve_sylvester": _solve_sylvester,
    "solve_triangular": _solve_triangular, "sqrtm": _sqrtm, "svd": _svd,
    "svdvals": lambda a: np.linalg.svdvals(_matrix(a)), "toeplitz": _toeplitz,
}  # fmt: skip

GIVEN = {
    name: covering(getattr(linalg, name), covered, f"scipy.linalg.{name}") for name, covered in _COVERED.items() if hasattr(linalg, name)
}
"""The names that understand Tensors only here."""

__getattr__, __dir__, __all__ = module("scipy.linalg", GIVEN)
