"""``numpy.linalg``: norms, inverses, determinants, systems of equations.

Derivatives are those of M. B. Giles, "Collected matrix derivative results for forward and reverse mode
algorithmic differentiation" (2008), and for singular values of J. Townsend, "Differentiating the singular
value decomposition" (2016). Conventions: a norm at zero has gradient 0, ties share equally.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from autograd_np import errors
from autograd_np.op import Domain, case, constant, derived, eager, general, is_numpys, primitive
from autograd_np.ops.elementwise import over
from autograd_np.ops.indexing import axes_of, flat, laid
from autograd_np.ops.shaping import wide
from autograd_np.typing import Array


def _swap(a: Array) -> Array:
    return np.swapaxes(a, -1, -2)


# --- singular values ------------------------------------------------------------------------------


def _svd(a: Array) -> tuple[Array, Array, Array]:
    """Return U, s and Vᵀ of the reduced decomposition; NaN for matrices that are not finite, where LAPACK raises an error."""
    broken = ~np.isfinite(a).all(axis=(-2, -1), keepdims=True)
    u, s, vh = np.linalg.svd(np.where(broken, 0, a), full_matrices=False)
    return np.where(broken, np.nan, u).astype(a.dtype), np.where(broken[..., 0], np.nan, s).astype(a.dtype), vh


@eager
def thin_svd(a: Array) -> Array:
    """Return U, s and V of the reduced decomposition a = U diag(s) Vᵀ, one below the other: (..., m + 1 + n, min(m, n))."""
    u, s, vh = _svd(a)
    return np.concatenate([u, s[..., None, :], np.swapaxes(vh, -1, -2)], axis=-2)


def _parts(packed: Array, m: int) -> tuple[Array, Array, Array]:
    """Split what `thin_svd` returns: U, s as a row, V."""
    return packed[..., :m, :], packed[..., m : m + 1, :], packed[..., m + 1 :, :]


def _outside(q: Array, x: Array) -> Array:
    """Return the part of the columns of `x` orthogonal to those of `q`."""
    return x - q @ (_swap(q) @ x)


def _thin_svd_vjp(g: Array, y: Array, a: Array) -> Array:
    m, n = a.shape[-2:]
    u, s, v = _parts(y, m)
    gu, gs, gv = _parts(g, m)
    column = _swap(s)
    same = np.eye(s.shape[-1], dtype=bool)
    by_gap = np.where(same, 0, 1 / np.where(same, 1, (s - column) * (s + column)))
    ku, kv = _swap(u) @ gu, _swap(v) @ gv
    inner = (ku - _swap(ku)) * by_gap * s + column * by_gap * (kv - _swap(kv)) + np.where(same, gs, 0)
    result = u @ inner @ _swap(v)
    if m > n:
        result = result + _outside(u, gu / s) @ _swap(v)
    if n > m:
        result = result + u @ _swap(_outside(v, gv / s))
    return result


def _weights(s: Array, a: Array, which: str) -> Array:
    """Return the derivative by each singular value of their "sum", "largest" or "smallest"; 0 for those that vanish."""
    rounding = max(a.shape[-2:]) * float(np.finfo(a.dtype).eps)
    kept = s > np.max(s, axis=-1, keepdims=True) * rounding
    if which == "sum":
        return kept.astype(a.dtype)
    best = (np.max if which == "largest" else np.min)(s, axis=-1, keepdims=True)
    return np.where(kept, _share(s, -1, best), 0)


@eager
def spectral(a: Array, which: str) -> Array:
    """Return U diag(w) Vᵀ, the gradient of the sum (w = 1) or of the largest or smallest singular value (w = 1 there)."""
    u, s, vh = _svd(a)
    return (u * _weights(s, a, which)[..., None, :]) @ vh


def _spectral_vjp(g: Array, y: Array, a: Array, which: str) -> Array:
    """Apply a second derivative, so a map that is its own transpose; equal singular values of equal weight do no harm."""
    m, n = a.shape[-2:]
    u, s, v = _parts(thin_svd(a), m)
    w = _weights(s, a, which)
    k = _swap(u) @ g @ v
    turned = over(w - _swap(w), s - _swap(s)) * (k + _swap(k)) + over(w + _swap(w), s + _swap(s)) * (k - _swap(k))
    result = u @ (turned / 2) @ _swap(v)
    if m > n:
        result = result + _outside(u, g @ v * over(w, s)) @ _swap(v)
    if n > m:
        result = result + u @ _swap(_outside(v, _swap(g) @ u * over(w, s)))
    return result


# --- norms ----------------------------------------------------------------------------------------


@primitive
def norm(x: Array, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Array:  # noqa: A002
    """Return ``np.linalg.norm``."""
    if len(_reduced(x, axis)) == 2:
        _refuse_spectral(x, ord, "norm")
    result: Array = np.linalg.norm(x, ord, axis, keepdims)
    return result


@primitive
def vector_norm(x: Array, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Array:  # noqa: A002
    """Return ``np.linalg.vector_norm``."""
    if is_numpys(x):
        return np.linalg.vector_norm(x, axis=axis, keepdims=keepdims, ord=ord)
    axes = _reduced(x, axis)
    rest = [i for i in range(x.ndim) if i not in {j % x.ndim for j in axes}]
    row = flat(np.transpose(x, (*rest, *axes)), (*(x.shape[i] for i in rest), -1))
    result = norm(row, ord, -1)
    return np.expand_dims(result, axes) if keepdims else result


@primitive
def matrix_norm(x: Array, keepdims: bool = False, ord: Any = "fro") -> Array:  # noqa: A002
    """Return ``np.linalg.matrix_norm``."""
    _refuse_spectral(x, ord, "matrix_norm")
    return np.linalg.matrix_norm(x, keepdims=keepdims, ord=ord) if is_numpys(x) else norm(x, ord, (-2, -1), keepdims)


def _refuse_spectral(x: Array, order: Any, name: str) -> None:
    if order in ("nuc", 2, -2) and not is_numpys(x):
        raise errors.NoRowError(
            f"np.linalg.{name}(ord={order!r}) of matrices works on NumPy's arrays only, got a {type(x)}; compute it first"
        )


def _reduced(x: Array, axis: Any) -> tuple[int, ...]:
    """Return the axes of a norm, where NumPy takes anything that ``int`` does, ``1.0`` and ``"1"`` too, but no list."""
    return axes_of(axis if axis is None or isinstance(axis, tuple) else int(axis), x.ndim)


def _share(score: Array, axis: Any, best: Array) -> Array:
    """1 where `score` attains its `best` along `axis`; where several do, an equal share each."""
    hit = score == best
    return (hit / np.sum(hit, axis=axis, keepdims=True, dtype=wide(score.dtype))).astype(score.dtype)


def _vector_norm_gradient(y: Array, x: Array, order: Any, axes: tuple[int, ...]) -> Array:
    if order is None or order == 2:
        return over(x, y)
    if order == 0:
        return np.zeros_like(x)
    if order == 1:
        return np.sign(x)
    if abs(order) == np.inf:
        return _share(abs(x), axes, y) * np.sign(x)
    power = np.where(x == 0, 1, abs(over(x, y))) ** (order - 1)
    return np.where(x == 0, 0, power) * np.sign(x)


def _matrix_norm_gradient(y: Array, x: Array, order: Any, axes: tuple[int, ...]) -> Array:
    if order is None or order == "fro":
        return over(x, y)
    if order in (1, -1, np.inf, -np.inf):
        summed, chosen = axes if abs(order) == 1 else axes[::-1]
        sums = np.sum(abs(x), axis=summed, keepdims=True)
        best = (np.max if order > 0 else np.min)(sums, axis=chosen, keepdims=True)
        return _share(sums, chosen, best) * np.sign(x)
    which = {"nuc": "sum", 2: "largest", -2: "smallest"}[order]
    return np.moveaxis(spectral(np.moveaxis(x, axes, (-2, -1)), which=which), (-2, -1), axes)


def _spread(a: Array, axes: tuple[int, ...], keepdims: bool) -> Array:
    return a if keepdims else np.expand_dims(a, axes)


def _norm_vjp(g: Array, y: Array, x: Array, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Array:  # noqa: A002
    axes = _reduced(x, axis)
    is_matrix = len(axes) == 2 and not (axis is None and ord is None)
    gradient = _matrix_norm_gradient if is_matrix else _vector_norm_gradient
    return _spread(g, axes, keepdims) * gradient(_spread(y, axes, keepdims), x, ord, axes)


def _vector_norm_vjp(g: Array, y: Array, x: Array, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Array:  # noqa: A002
    axes = _reduced(x, axis)
    return _spread(g, axes, keepdims) * _vector_norm_gradient(_spread(y, axes, keepdims), x, ord, axes)


def _matrix_norm_vjp(g: Array, y: Array, x: Array, keepdims: bool = False, ord: Any = "fro") -> Array:  # noqa: A002
    return _spread(g, (-2, -1), keepdims) * _matrix_norm_gradient(_spread(y, (-2, -1), keepdims), x, ord, (-2, -1))


# --- inverses, systems, determinants --------------------------------------------------------------


def _inv_vjp(g: Array, y: Array, a: Array) -> Array:
    t = _swap(y)
    return -(t @ g @ t)


def _solved(a: Array, b: Array, g: Array) -> Array:
    """Solve with the transposed matrix, for a right-hand side that is stacked vectors if `b` is one vector."""
    if b.ndim == 1:
        return np.linalg.solve(_swap(a), np.expand_dims(g, -1))[..., 0]
    return np.linalg.solve(_swap(a), g)


def _solve_by_a(g: Array, y: Array, a: Array, b: Array) -> Array:
    gb = _solved(a, b, g)
    if b.ndim == 1:
        return -(np.expand_dims(gb, -1) * np.expand_dims(y, -2))
    return -(gb @ _swap(y))


@eager
def cofactors(a: Array) -> Array:
    """Return the matrix of cofactors, the gradient of the determinant; finite for singular matrices too.

    The cofactors of a product are the product of the cofactors, those of an orthogonal matrix Q are det(Q) Q, and
    those of a diagonal matrix are products of its other entries, so a = U diag(s) Vᵀ gives them without dividing.
    """
    u, s, vh = _svd(a)
    others = np.prod(np.where(~np.eye(s.shape[-1], dtype=bool), s[..., None, :], 1), axis=-1)
    return (np.sign(np.linalg.det(u @ vh))[..., None, None] * ((u * others[..., None, :]) @ vh)).astype(a.dtype)


def _cofactors_vjp(g: Array, y: Array, a: Array) -> Array:
    """Apply the second derivative of the determinant, which is its own transpose."""
    n = a.shape[-1]
    u, s, v = _parts(thin_svd(a), n)
    k = _swap(u) @ g @ v
    same = np.eye(n, dtype=bool)
    left_out = same[:, None, :] | same[None, :, :]
    products = np.prod(np.where(left_out, 1, np.expand_dims(s, -2)), axis=-1)  # [i, j]: of all s but the i-th and j-th
    products = np.where(same, 0, products)
    on_diagonal = np.sum(products * np.expand_dims(np.diagonal(k, 0, -2, -1), -2), axis=-1, keepdims=True)
    inner = np.where(same, on_diagonal, 0) - _swap(k) * products
    orientation = np.expand_dims(np.sign(np.linalg.det(u @ _swap(v))), (-2, -1))
    return orientation * (u @ inner @ _swap(v))


@eager
def log_abs_det(a: Array) -> Array:
    """Return the logarithm of the absolute value of the determinant."""
    return np.linalg.slogdet(a)[1]


@eager
def sign_of_det(a: Array) -> Array:
    """Return the sign of the determinant."""
    return np.linalg.slogdet(a)[0]


def _per_matrix(g: Array) -> Array:
    return np.expand_dims(g, (-2, -1))


def _inverse_or_nan(a: Array) -> Array:
    """Return the inverse of each matrix, or NaN for one that has none, where LAPACK raises an error."""
    singular = _per_matrix(sign_of_det(a) == 0)
    return np.where(singular, np.nan, np.linalg.inv(np.where(singular, np.eye(a.shape[-1], dtype=a.dtype), a)))


def _solve_by_b(g: Array, y: Array, a: Array, b: Array) -> Array:
    return _solved(a, b, g)


# --- the table ------------------------------------------------------------------------------------

VECTOR_ORDERS = (None, 2, 1, 3, 1.5, -1, np.inf, -np.inf, 0)
MATRIX_ORDERS = ("fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf)
NORMS = (
    case((3, 4)), case((2, 3, 4)), case((3, 4), ord=2, keepdims=True), case((2, 3, 4), axis=(0, 2)),
    *(case((2, 4), ord=o, axis=-1) for o in VECTOR_ORDERS), *(case((4,), ord=o) for o in VECTOR_ORDERS),
    *(case((3, 4), ord=o) for o in MATRIX_ORDERS), *(case((3, 2, 4), ord=o, axis=(2, 0)) for o in MATRIX_ORDERS),
)  # fmt: skip
WELL = np.array([[2.0, 0.3, -0.5], [0.1, -1.5, 0.4], [0.2, 0.6, 1.8]])
STACK = np.stack([WELL, WELL.T + np.eye(3)])
SQUARE = (case(WELL), case(STACK))
SINGULAR = np.array([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [1.0, 0.0, -1.0]])
SYSTEMS = (case(WELL, (3,)), case(WELL, (3, 2)), case(STACK, (3,)), case(STACK, (3, 2)), case(WELL, (2, 3, 1)), case(STACK, (4, 1, 3, 2)))
away_from_zero = Domain(-2.0, 2.0, away_from=(0.0,))

NORM_OPTIONS: Any = {"on": away_from_zero, "tex": r"\lVert #1 \rVert", "note": "0 at zero; ties share"}
VECTOR_NORMS = (case((2, 3, 4)), case((2, 3, 4), axis=(0, 1, 2), ord=3), case((2, 3), axis=0, ord=np.inf, keepdims=True))
MATRIX_NORMS = (case((2, 3, 4)), case((2, 3, 4), ord="nuc"), case((2, 3), ord=2, keepdims=True))
SPECTRA = [case(shape, which=which) for shape in ((3, 3), (2, 4), (4, 2)) for which in ("sum", "largest", "smallest")]
THIN = (case(WELL), case(STACK), case(WELL[:2]), case(WELL[:, :2]))
AT_TIES = "not finite where singular values are equal"

# fmt: off
general(norm,                  _norm_vjp,        cases=NORMS,        also=(np.linalg.norm,),        **NORM_OPTIONS)
general(vector_norm,           _vector_norm_vjp, cases=VECTOR_NORMS, also=(np.linalg.vector_norm,), **NORM_OPTIONS)
general(matrix_norm,           _matrix_norm_vjp, cases=MATRIX_NORMS, also=(np.linalg.matrix_norm,), **NORM_OPTIONS)
general(eager(np.linalg.inv),   _inv_vjp, jvp=lambda t, y, a: -(y @ t[0] @ y),        cases=SQUARE,  also=(np.linalg.inv,),   tex="#1^{-1}")
general(eager(np.linalg.solve), _solve_by_a, _solve_by_b,                             cases=SYSTEMS, also=(np.linalg.solve,), tex="#1^{-1} #2")
general(eager(np.linalg.det),   lambda g, y, a: _per_matrix(g) * cofactors(a),        cases=(*SQUARE, case(SINGULAR)), also=(np.linalg.det,),
        tex=r"\det #1", note=f"right for singular matrices too; the third derivative is {AT_TIES}")
general(log_abs_det,     lambda g, y, a: _per_matrix(g) * _swap(_inverse_or_nan(a)), cases=SQUARE, tex=r"\log \lvert \det #1 \rvert")
general(cofactors,       _cofactors_vjp,  cases=(case(WELL), case(SINGULAR)), tex=r"\operatorname{cof} #1")
general(spectral,        _spectral_vjp,   cases=SPECTRA, note="singular values that are 0 stay 0")
general(thin_svd,        _thin_svd_vjp,   cases=THIN,    note=AT_TIES)
constant(sign_of_det, cases=SQUARE)
# fmt: on


_SlogdetResult: Any = type(np.linalg.slogdet(np.eye(1)))


@derived(np.linalg.slogdet)
def _slogdet(a: Array) -> Any:
    return _SlogdetResult(sign_of_det(a), log_abs_det(a))


@derived(np.linalg.multi_dot)
def _multi_dot(arrays: Any, *, out: Any = None) -> Array:
    """Multiply a chain of matrices in the order that costs least."""
    if out is not None:
        raise errors.InPlaceError("multi_dot(..., out=) would write over an array and lose the graph; take the result instead")
    arrays = [a if hasattr(a, "ndim") else np.asarray(a) for a in arrays]
    if len(arrays) < 2:
        raise ValueError(f"multi_dot expects at least two arrays, got {len(arrays)}")
    first, last = arrays[0], arrays[-1]
    if {first.ndim, last.ndim} - {1, 2} or any(a.ndim != 2 for a in arrays[1:-1]):
        raise np.linalg.LinAlgError(
            f"multi_dot takes matrices, with vectors at the ends at most; got shapes {', '.join(str(a.shape) for a in arrays)}"
        )
    sizes = [1 if first.ndim == 1 else first.shape[0], *(a.shape[0] for a in arrays[1:]), 1 if last.ndim == 1 else last.shape[-1]]
    best: dict[tuple[int, int], tuple[int, int]] = {(i, i + 1): (0, i) for i in range(len(arrays))}
    for length in range(2, len(arrays) + 1):
        for i in range(len(arrays) - length + 1):
            j = i + length
            best[i, j] = min((best[i, k][0] + best[k, j][0] + sizes[i] * sizes[k] * sizes[j], k) for k in range(i + 1, j))

    def product(i: int, j: int) -> Array:
        k = best[i, j][1]
        return arrays[i] if j == i + 1 else np.dot(product(i, k), product(k, j))

    return product(0, len(arrays))


@derived(np.linalg.matrix_power)
def _matrix_power(a: Array, n: int) -> Array:
    """Multiply by squaring: about log2(n) products."""
    n = operator.index(n)
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise np.linalg.LinAlgError(f"matrix_power needs square matrices, got shape {a.shape}")
    if n == 0:
        return laid(np.zeros_like(a) + np.eye(a.shape[-1], dtype=a.dtype), a)
    if n < 0:
        a, n = np.linalg.inv(a), -n
    result = None
    while n:
        if n % 2:
            result = a if result is None else result @ a
        n //= 2
        a = a @ a if n else a
    return result


# --- the array API's names for functions that NumPy has elsewhere ---------------------------------


@derived(np.matrix_transpose, np.linalg.matrix_transpose)
def _matrix_transpose(x: Array) -> Array:
    return np.swapaxes(x, -1, -2)


@derived(np.linalg.matmul)
def _matmul(x1: Array, x2: Array) -> Array:
    return np.matmul(x1, x2)


@derived(np.linalg.vecdot)
def _vecdot(x1: Array, x2: Array, *, axis: int = -1) -> Array:
    return np.vecdot(np.moveaxis(x1, axis, -1), np.moveaxis(x2, axis, -1))


@derived(np.linalg.tensordot)
def _tensordot(x1: Array, x2: Array, *, axes: Any = 2) -> Array:
    return np.tensordot(x1, x2, axes=axes)


@derived(np.linalg.outer)
def _outer(x1: Array, x2: Array) -> Array:
    if np.ndim(x1) != 1 or np.ndim(x2) != 1:
        raise ValueError("np.linalg.outer takes one-dimensional arrays; np.outer flattens others")
    return np.outer(x1, x2)


@derived(np.linalg.cross)
def _cross(x1: Array, x2: Array, *, axis: int = -1) -> Array:
    return np.cross(x1, x2, axis=axis)


@derived(np.linalg.trace)
def _trace(x: Array, *, offset: int = 0, dtype: Any = None) -> Array:
    result = np.trace(x, offset=offset, axis1=-2, axis2=-1)
    return result if dtype is None else result.astype(dtype)


@derived(np.linalg.diagonal)
def _diagonal(x: Array, *, offset: int = 0) -> Array:
    return np.diagonal(x, offset=offset, axis1=-2, axis2=-1)
