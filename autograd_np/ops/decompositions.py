"""Factors of matrices: Cholesky, QR, eigenvalues, singular values; batched, real and complex.

Sources: M. B. Giles, "Collected matrix derivative results for forward and reverse mode algorithmic differentiation" (2008);
S. F. Walter and L. Lehmann, "Algorithmic differentiation of linear algebra functions with application in optimum experimental
design" (2012; 2018 for QR); I. Murray, "Differentiation of the Cholesky decomposition" (2016); J. Townsend, "Differentiating the
singular value decomposition" (2016); M. Seeger et al., "Auto-differentiating linear algebra" (2017); C. Boeddeker et al., "On the
computation of complex-valued gradients with application to statistically optimum beamforming" (2017), for general eigenvalues;
Z.-Q. Wan and S.-X. Zhang, "Automatic differentiation for complex valued SVD" (2019). Their formulas are written for gradients.

A matrix of which only a triangle is read stands for a Hermitian one, and has a Hermitian gradient.

Some factors are a matter of choice: the basis of an eigenspace, the phase of an eigenvector, the columns that fill up an
orthogonal matrix. What the choice cannot change has a derivative, and the terms that would divide by a gap of zero cancel there;
they are left out. Where they would not cancel there is no derivative, and a `GaugeWarning` says so at the user's line.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_np import errors
from autograd_np.callers import warn_caller
from autograd_np.op import Domain, beside, case, constant, derived, eager, general, primitive, several
from autograd_np.ops.adjoint import adjoint, conj, diagonal_of, hermitian_part, of_gradients, on_diagonal, skew_part
from autograd_np.typing import Array

hermitian = Domain(0.5, 2.0, hermitian=True)


# --- what the choice of a basis leaves undecided --------------------------------------------------


CHOICE = "which are a matter of choice, and has no derivative there"


@primitive
def tell_gauge(residual: Array, size: Array, what: str) -> Array:
    """Warn if a loss depends on a choice: if what should be zero is not, to rounding of `size`.

    A sum of much larger terms may have left nothing but rounding in both, so what is nothing beside one is no reason to warn.
    """
    largest, bound = (float(np.max(abs(a), initial=0)) for a in (residual, size))
    eps = float(np.finfo(residual.dtype).eps)
    if largest > max(np.sqrt(eps) * bound, 1000 * eps):
        warn_caller(what, errors.GaugeWarning)
    return np.zeros(())


constant(tell_gauge, arrays=2, signature="residual size what", cases=(case(np.zeros(2), (2,), what=""),))


def _size(*gradients: Array | None) -> Array:
    """Return how large the gradients are by which a loss depends on a decomposition."""
    return np.stack([np.max(abs(g), initial=0) for g in gradients if g is not None])


def _rounding(values: Array, like: Array) -> Array:
    """Return how far apart eigenvalues or singular values may be and yet be equal."""
    eps = float(np.finfo(values.dtype).eps)
    return 8 * max(like.shape[-2:]) * eps * np.max(abs(values), axis=-1, keepdims=True, initial=0)


def _over(a: Array, b: Array, is_zero: Array) -> Array:
    """Divide; 0 where `is_zero`."""
    return np.where(is_zero, 0, a / np.where(is_zero, 1, b))


def _gaps(values: Array) -> Array:
    """Return v_j - v_i in the row i and the column j."""
    return np.expand_dims(values, -2) - np.expand_dims(values, -1)


def _moves(values: Any) -> bool:
    """Whether a rule that reads these values is recorded, and will be differentiated by them."""
    return bool(getattr(values, "requires_grad", False))


def _paired(near: Array) -> Array:
    """Return where two of several values are equal."""
    return near & beside(~np.eye(near.shape[-1], dtype=bool), near)


@primitive
def frozen(values: Array) -> Array:
    """Return values that do not move."""
    return np.positive(values)


constant(frozen, cases=(case((2,)),), tex="#1")


def _parted(values: Array, near: Array, middle: Array) -> tuple[Array, Array]:
    """Return the values that a recorded rule divides by, and what of a cluster of equal ones they leave to say.

    Equal values part, along with their vectors, when the matrix moves, and each by itself tells the diagonal of that only. So they
    stand still, and how they move is told by the `middle` of the matrix, Vᴴ A V; what it has beside them is zero, its derivative not.
    """
    still = np.where(np.any(_paired(near), axis=-1), frozen(values), values)
    return still, np.where(near & np.expand_dims(np.any(_paired(near), axis=-1), -1), middle - on_diagonal(frozen(values)), 0)


def _tell_of_equal(values: Any, weights: Any, turning: Array | None, near: Array, size: Array, what: str) -> None:
    """Warn if equal values are weighed differently, or the basis that belongs to them matters.

    Weights that are recorded depend on the values. They will be differentiated again, and how weights of values that part would
    part too, the values do not tell.
    """
    no_derivative = f"a function weighs equal {what} differently, and has no derivative there"
    tell_gauge(np.where(_paired(near), _gaps(weights), 0), size, what=no_derivative)
    if turning is not None:
        of_vectors = f"a function depends on the vectors of equal {what}, or on their phases, {CHOICE}"
        tell_gauge(np.where(near, turning, 0), size, what=of_vectors)
    if _moves(values) and _moves(weights):
        tell_gauge(
            np.where(_paired(near), 1.0, 0.0),
            beside(np.ones(1), near),
            what=f"equal {what} do not determine a second derivative, which may be wrong",
        )


# --- Cholesky -------------------------------------------------------------------------------------


def svd_or_nan(a: Array) -> tuple[Array, Array, Array]:
    """Return U, s and Vᴴ of the reduced decomposition; for matrices that are not finite NaN, with derivatives that are, not LAPACK's error."""
    broken = np.logical_not(np.all(np.isfinite(a), axis=(-2, -1), keepdims=True))
    spoiled = np.where(broken, np.nan * np.sum(a, axis=(-2, -1), keepdims=True), 1)
    rows, columns = a.shape[-2:]
    instead = beside(np.eye(rows, columns, dtype=a.dtype) * np.arange(1, columns + 1, dtype=a.dtype), a)
    u, s, vh = np.linalg.svd(np.where(broken, instead, a), full_matrices=False)
    return u * spoiled, s * np.real(spoiled[..., 0]), vh


def _half(a: Array) -> Array:
    """Return the lower triangle with half of the diagonal."""
    return np.tril(a) - on_diagonal(diagonal_of(a)) / 2


def _cholesky_gradient(g: Array, y: Array, a: Array, upper: bool = False) -> Array:
    lower, g = (adjoint(y), adjoint(g)) if upper else (y, g)
    inner = hermitian_part(_half(adjoint(lower) @ g))
    return np.linalg.solve(adjoint(lower), adjoint(np.linalg.solve(adjoint(lower), inner)))


# --- QR -------------------------------------------------------------------------------------------


@eager
def qr(a: Array, mode: str = "reduced") -> Any:
    """Return Q and R: ``np.linalg.qr`` in the modes ``"reduced"`` and ``"complete"``."""
    return np.linalg.qr(a, "complete" if mode == "complete" else "reduced")


@eager
def qr_r(a: Array) -> Array:
    """Return R alone."""
    return np.linalg.qr(a, mode="r")


def _over_r(x: Array, r: Array) -> Array:
    """Return X R⁻ᴴ, or NaN where R is singular."""
    singular = np.expand_dims(np.any(diagonal_of(r) == 0, axis=-1), (-2, -1))
    solved = np.linalg.solve(np.where(singular, beside(np.eye(r.shape[-1], dtype=r.dtype), r), r), adjoint(x))
    return np.where(singular, np.nan, adjoint(solved))


def _qr_gradient(g: Any, y: Any, a: Array, mode: str = "reduced") -> Array:
    """Follow Walter and Lehmann; the columns of a wide matrix beside the first square follow from R = Qᴴ A."""
    q, r = y
    gq, gr = (np.zeros_like(x) if gx is None else gx for gx, x in zip(g, y, strict=True))
    k = min(a.shape[-2:])
    q1, q0, gq0 = q[..., :k], q[..., k:], gq[..., k:]
    square, beside = gr[..., :k, :k], gr[..., :k, k:]
    gq1 = gq[..., :k] + a[..., k:] @ adjoint(beside) if a.shape[-1] > k else gq[..., :k]
    if q0.shape[-1]:
        free = adjoint(q0) @ gq0
        tell_gauge(skew_part(free), _size(gq0), what=f"a function depends on the columns that fill up Q, {CHOICE}")
        gq1 = gq1 - q0 @ (adjoint(gq0) @ q1)
    below = _half(r[..., :k, :k] @ adjoint(square) - adjoint(gq1) @ q1)
    result = _over_r(gq1 + q1 @ (below + adjoint(below)), r[..., :k, :k])
    return result if a.shape[-1] == k else np.concatenate([result, q1 @ beside], axis=-1)


def _qr_r_gradient(g: Array, y: Array, a: Array) -> Array:
    q, r = np.linalg.qr(a)
    return _qr_gradient([None, g], [q, r], a)


@derived(np.linalg.qr)
def _qr(a: Array, mode: str = "reduced") -> Any:
    if mode == "r":
        return qr_r(a)
    if mode not in ("reduced", "complete"):
        raise errors.NoRowError(f"the row of qr covers mode='reduced', 'complete' and 'r', got {mode!r}: Householder vectors have no row")
    return qr(a, mode=mode)


# --- eigenvalues of Hermitian matrices ------------------------------------------------------------


def _eigh_gradient(g: Any, y: Any, a: Array, UPLO: Any = "L") -> Array:
    (gw, gv), (w, v) = g, y
    weights = np.zeros_like(w) if gw is None else gw
    near = abs(_gaps(w)) <= np.expand_dims(_rounding(w, a), -1)
    parting = None
    if _moves(w):
        read = np.tril(a) + adjoint(np.tril(a, -1)) if UPLO in ("L", "l") else np.triu(a) + adjoint(np.triu(a, 1))
        w, parting = _parted(w, near, adjoint(v) @ read @ v)
    inner = on_diagonal(weights)
    turning = None if gv is None else skew_part(adjoint(v) @ gv)
    if turning is not None:
        inner = inner + _over(turning, _gaps(w), near)
    _tell_of_equal(w, weights, turning, near, _size(gw, gv), "eigenvalues")
    if parting is not None:
        inner = inner - _over(inner @ parting - parting @ inner, _gaps(w), near)
    return v @ inner @ adjoint(v)


def _eigvalsh_gradient(g: Array, y: Array, a: Array, UPLO: Any = "L") -> Array:
    w, v = np.linalg.eigh(a, UPLO)
    return _eigh_gradient([g, None], [w, v], a)


# --- eigenvalues of any matrices ------------------------------------------------------------------


@eager
def eig(a: Array) -> Any:
    """Return eigenvalues and vectors, complex whatever they are: NumPy's are real if it so happens."""
    found = np.linalg.eig(a)
    kind = np.result_type(found[0].dtype, np.complex64)
    return type(found)(*(part.astype(kind) for part in found))


def _eig_gradient(g: Any, y: Any, a: Array) -> Array:
    """Follow Boeddeker et al.; the length of an eigenvector is one, its phase a matter of choice."""
    (gw, gv), (w, v) = g, y
    vh = adjoint(v)
    gw = np.zeros_like(w) if gw is None else gw
    gap = _gaps(w)
    near = abs(gap) <= np.expand_dims(_rounding(w, a), -1)
    inner, turning = on_diagonal(gw), None
    if gv is not None:
        turning = vh @ gv
        turning = turning - (vh @ v) * np.expand_dims(np.real(diagonal_of(turning)), -2)
        inner = inner + _over(turning, conj(gap), near)
    _tell_of_equal(w, gw, turning, near, _size(gw, gv), "eigenvalues")
    if _moves(w):
        tell_gauge(
            np.where(_paired(near), 1.0, 0.0),
            beside(np.ones(1), near),
            what="equal eigenvalues do not determine a second derivative, which may be wrong",
        )
    return np.linalg.solve(vh, inner @ vh)


@derived(np.linalg.eigvals)
def _eigvals(a: Array) -> Array:
    return eig(a)[0]  # in the order in which the vectors come


# --- singular values ------------------------------------------------------------------------------


GONE = "the vectors of singular values that are 0"


@eager
def svd(a: Array, full_matrices: bool = True) -> Any:
    """Return U, the singular values, and Vᴴ."""
    return np.linalg.svd(a, full_matrices)


@eager
def svdvals(a: Array) -> Array:
    """Return the singular values."""
    return np.linalg.svd(a, compute_uv=False)


def _svd_gradient(g: Any, y: Any, a: Array, full_matrices: bool = True) -> Array:
    """Follow Townsend, with 1 / (t² - s²) taken apart into 1 / (t - s) and 1 / (t + s): equal values leave the second as it is."""
    (gu, gs, gvh), (u, s, vh) = g, y
    v, gv = adjoint(vh), None if gvh is None else adjoint(gvh)
    k = s.shape[-1]
    u1, v1 = u[..., :k], v[..., :k]
    rounding = _rounding(s, a)
    gone = s <= rounding
    near, none = (abs(x) <= np.expand_dims(rounding, -1) for x in (_gaps(s), _gaps(s) + 2 * np.expand_dims(s, -1)))
    parting = None
    if _moves(s):
        s, parting = _parted(s, near, hermitian_part(adjoint(u1) @ a @ v1))
    less, more = _gaps(s), _gaps(s) + 2 * np.expand_dims(s, -1)
    weights = np.zeros_like(s) if gs is None else gs
    if gu is None and gv is None:  # without its vectors a singular value has a kink at 0, as a modulus has
        weights = np.where(gone, 0, weights)
    of_u, of_v = (beside(np.zeros((), s.dtype), s) if g is None else skew_part(adjoint(q) @ g[..., :k]) for q, g in ((u1, gu), (v1, gv)))
    turning = None if gu is None and gv is None else of_u + of_v

    def solved(of_u: Array, of_v: Array) -> Array:
        return on_diagonal(weights) + _over(of_u + of_v, less, near) + _over(of_u - of_v, more, none)

    inner = solved(of_u, of_v)
    if turning is not None:
        tell_gauge(np.where(none, of_u - of_v, 0), _size(gu, gv), what=f"a function depends on {GONE}, {CHOICE}")
        if a.shape[-2] != a.shape[-1]:  # a vector of the one side may turn out of the space that the others span
            tell_gauge(
                np.where(gone, weights, 0), _size(gu, gs, gv), what="a function moves with singular values that are 0: it has a kink there"
            )
    _tell_of_equal(s, weights, turning, near, _size(gu, gs, gv), "singular values")
    if parting is not None:
        inner = solved(of_u - skew_part(inner @ parting), of_v + skew_part(parting @ inner))
    result = u1 @ inner @ adjoint(v1)
    if gu is not None:
        result = result + _outside(u, gu, s, gone, parting) @ adjoint(v1)
    if gv is not None:
        result = result + u1 @ adjoint(_outside(v, gv, s, gone, parting))
    return result


def _outside(u: Array, gu: Array, s: Array, gone: Array, parting: Array | None) -> Array:
    """Return what the columns of U contribute by leaving the space that they span."""
    k = s.shape[-1]
    u1, u0, gu1, gu0 = u[..., :k], u[..., k:], gu[..., :k], gu[..., k:]
    leaving = gu1 - u1 @ (adjoint(u1) @ gu1)
    if u0.shape[-1]:
        free = adjoint(u0) @ gu0
        tell_gauge(skew_part(free), _size(gu0), what=f"a function depends on the columns that fill up an orthogonal matrix, {CHOICE}")
        leaving = leaving - u0 @ (adjoint(gu0) @ u1)
    gone = np.expand_dims(gone, -2)
    tell_gauge(np.where(gone, leaving, 0), _size(gu), what=f"a function depends on {GONE}, {CHOICE}")
    found = _over(leaving, np.expand_dims(s, -2), gone)
    return found if parting is None else found - _over(found @ parting, np.expand_dims(s, -2), gone)


def _svdvals_gradient(g: Array, y: Array, a: Array) -> Array:
    u, s, vh = np.linalg.svd(a, full_matrices=False)
    return _svd_gradient([None, g, None], [u, s, vh], a)


@derived(np.linalg.svd)
def _svd(a: Array, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    if not hermitian:
        return svd(a, full_matrices=full_matrices) if compute_uv else svdvals(a)
    if not compute_uv:
        return np.sort(abs(np.linalg.eigvalsh(a)), axis=-1)[..., ::-1]
    w, u = np.linalg.eigh(a)
    order = np.argsort(abs(w), axis=-1)[..., ::-1]
    w, u = np.take_along_axis(w, order, axis=-1), np.take_along_axis(u, np.expand_dims(order, -2), axis=-1)
    names = type(np.linalg.svd(np.eye(1)))
    return names(u, abs(w), adjoint(u * np.expand_dims(np.sign(w), -2)))


@derived(np.linalg.svdvals)
def _svdvals(x: Array) -> Array:
    return svdvals(x)


# --- the table ------------------------------------------------------------------------------------

TALL = np.array([[1.2, -0.4], [0.3, 0.9], [-0.7, 1.1]])
SQUARE = np.array([[2.0, 0.3, -0.5], [0.1, -1.5, 0.4], [0.2, 0.6, 1.8]])
TURNING = np.array([[0.2, -1.5, 0.3], [1.1, 0.1, -0.4], [0.6, 0.2, 1.4]])  # has a pair of complex eigenvalues
STACK = np.stack([SQUARE, SQUARE.T + np.eye(3)])
SHAPES = (case(SQUARE), case(STACK), case(TALL), case(TALL.T))
MATRICES = (case((3, 3)), case((2, 3, 3)), case((1, 1)))
READS_A_TRIANGLE = "reads a triangle: the gradient is Hermitian"
EQUAL = "equal values: what depends on the choice of their vectors has no derivative, and warns"

# fmt: off
general(eager(np.linalg.cholesky), of_gradients(_cholesky_gradient), cases=(*MATRICES, case((3, 3), upper=True)), also=(np.linalg.cholesky,), on=hermitian, note=READS_A_TRIANGLE)
several(qr,                        of_gradients(_qr_gradient), cases=(*SHAPES, case(SQUARE, mode="complete"), case(TALL, mode="complete")))
general(qr_r,                      of_gradients(_qr_r_gradient), cases=SHAPES)
several(eager(np.linalg.eigh),     of_gradients(_eigh_gradient), cases=(*MATRICES, case((3, 3), UPLO="U")), also=(np.linalg.eigh,),     on=hermitian, note=f"{READS_A_TRIANGLE}; {EQUAL}")
general(eager(np.linalg.eigvalsh), of_gradients(_eigvalsh_gradient), cases=(*MATRICES, case((3, 3), UPLO="U")), also=(np.linalg.eigvalsh,), on=hermitian, note=f"{READS_A_TRIANGLE}; {EQUAL}")
several(eig,                       of_gradients(_eig_gradient), cases=(case(TURNING), case(np.stack([TURNING, TURNING.T]))), also=(np.linalg.eig,), note=f"complex, always; {EQUAL}")
several(svd,                       of_gradients(_svd_gradient), cases=(*SHAPES, *(case(c.arrays[0], full_matrices=False) for c in SHAPES)), note=EQUAL)
general(svdvals,                   of_gradients(_svdvals_gradient), cases=SHAPES, note=f"0 for a singular value of 0; {EQUAL}")
# fmt: on
