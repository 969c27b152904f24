"""``numpy.linalg``: norms, products of several matrices, and the array API's names.

The second derivative of a norm of singular values follows J. Townsend, "Differentiating the singular value decomposition" (2016).
Conventions: a norm at zero has gradient 0, ties share equally.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_np import errors
from autograd_np.elsewhere import is_lazy
from autograd_np.op import Domain, case, derived, eager, general, is_numpys, primitive
from autograd_np.ops.adjoint import adjoint, of_gradients, transposed
from autograd_np.ops.decompositions import svd_or_nan
from autograd_np.ops.elementwise import over
from autograd_np.ops.indexing import axes_of, flat
from autograd_np.ops.shaping import wide
from autograd_np.typing import Array

# --- singular values ------------------------------------------------------------------------------


def _weights(s: Array, a: Array, which: str) -> Array:
    """Return the derivative by each singular value of their "sum", "largest" or "smallest"; 0 for those that vanish."""
    rounding = max(a.shape[-2:]) * float(np.finfo(a.dtype).eps)
    kept = s > np.max(s, axis=-1, keepdims=True) * rounding
    if which == "sum":
        return kept.astype(s.dtype)
    best = (np.max if which == "largest" else np.min)(s, axis=-1, keepdims=True)
    return np.where(kept, _share(s, -1, best), 0)


@eager
def spectral(a: Array, which: str) -> Array:
    """Return U diag(w) Vᵀ, the gradient of the sum (w = 1) or of the largest or smallest singular value (w = 1 there)."""
    u, s, vh = svd_or_nan(a)
    return ((u * _weights(s, a, which)[..., None, :]) @ vh).astype(a.dtype)


def _outside(q: Array, x: Array) -> Array:
    """Return the part of the columns of `x` orthogonal to those of `q`."""
    return x - q @ (adjoint(q) @ x)


def _spectral_gradient(g: Array, y: Array, a: Array, which: str) -> Array:
    """Apply a second derivative, so a map that is its own adjoint; equal singular values of equal weight do no harm."""
    m, n = a.shape[-2:]
    u, values, vh = svd_or_nan(a)
    v, s = adjoint(vh), np.expand_dims(values, -2)
    w = _weights(s, a, which)
    k = adjoint(u) @ g @ v
    turned = over(w - transposed(w), s - transposed(s)) * (k + adjoint(k)) + over(w + transposed(w), s + transposed(s)) * (k - adjoint(k))
    result = u @ (turned / 2) @ vh
    if m > n:
        result = result + _outside(u, g @ v * over(w, s)) @ vh
    if n > m:
        result = result + u @ adjoint(_outside(v, adjoint(g) @ u * over(w, s)))
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
    if order in ("nuc", 2, -2) and is_lazy(x):
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
    """Return the gradient of a norm."""
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


def _norm_of_gradient(g: Array, y: Array, x: Array, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Array:  # noqa: A002
    axes = _reduced(x, axis)
    is_matrix = len(axes) == 2 and not (axis is None and ord is None)
    gradient = _matrix_norm_gradient if is_matrix else _vector_norm_gradient
    return _spread(g, axes, keepdims) * gradient(_spread(y, axes, keepdims), x, ord, axes)


def _vector_norm_of_gradient(g: Array, y: Array, x: Array, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Array:  # noqa: A002
    axes = _reduced(x, axis)
    return _spread(g, axes, keepdims) * _vector_norm_gradient(_spread(y, axes, keepdims), x, ord, axes)


def _matrix_norm_of_gradient(g: Array, y: Array, x: Array, keepdims: bool = False, ord: Any = "fro") -> Array:  # noqa: A002
    return _spread(g, (-2, -1), keepdims) * _matrix_norm_gradient(_spread(y, (-2, -1), keepdims), x, ord, (-2, -1))


# --- the table ------------------------------------------------------------------------------------

VECTOR_ORDERS = (None, 2, 1, 3, 1.5, -1, np.inf, -np.inf, 0)
MATRIX_ORDERS = ("fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf)
NORMS = (
    case((3, 4)), case((2, 3, 4)), case((3, 4), ord=2, keepdims=True), case((2, 3, 4), axis=(0, 2)),
    *(case((2, 4), ord=o, axis=-1) for o in VECTOR_ORDERS), *(case((4,), ord=o) for o in VECTOR_ORDERS),
    *(case((3, 4), ord=o) for o in MATRIX_ORDERS), *(case((3, 2, 4), ord=o, axis=(2, 0)) for o in MATRIX_ORDERS),
)  # fmt: skip
away_from_zero = Domain(-2.0, 2.0, away_from=(0.0,))

NORM_OPTIONS: Any = {"on": away_from_zero, "tex": r"\lVert #1 \rVert", "note": "0 at zero; ties share"}
VECTOR_NORMS = (case((2, 3, 4)), case((2, 3, 4), axis=(0, 1, 2), ord=3), case((2, 3), axis=0, ord=np.inf, keepdims=True))
MATRIX_NORMS = (case((2, 3, 4)), case((2, 3, 4), ord="nuc"), case((2, 3), ord=2, keepdims=True))
SPECTRA = [case(shape, which=which) for shape in ((3, 3), (2, 4), (4, 2)) for which in ("sum", "largest", "smallest")]

# fmt: off
general(norm,        of_gradients(_norm_of_gradient),        cases=NORMS,        also=(np.linalg.norm,),        **NORM_OPTIONS)
general(vector_norm, of_gradients(_vector_norm_of_gradient), cases=VECTOR_NORMS, also=(np.linalg.vector_norm,), **NORM_OPTIONS)
general(matrix_norm, of_gradients(_matrix_norm_of_gradient), cases=MATRIX_NORMS, also=(np.linalg.matrix_norm,), **NORM_OPTIONS)
general(spectral,    of_gradients(_spectral_gradient),       cases=SPECTRA, note="singular values that are 0 stay 0")
# fmt: on


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
