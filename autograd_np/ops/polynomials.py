"""Polynomials by their coefficients, highest power first: NumPy's older functions, which are its main namespace.

Evaluation, arithmetic, calculus, roots and least squares, in terms of rows of other files.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_np import errors
from autograd_np.op import case, derived
from autograd_np.ops.adjoint import conj
from autograd_np.ops.shaping import astype
from autograd_np.samples import Domain
from autograd_np.typing import Array


def _array(a: Any) -> Array:
    return a if hasattr(a, "ndim") else np.asarray(a)


def _row(a: Any) -> Array:
    return np.atleast_1d(_array(a))


@derived(np.polyval, cases=(case((4,), (3,)), case((3,), ()), case((2,), (2, 3)), case((1,), (3,))))
def _polyval(p: Any, x: Any) -> Array:
    x = _array(x)
    y = np.zeros_like(x)
    for coefficient in _array(p):
        y = y * x + coefficient
    return y


def _aligned(a1: Any, a2: Any) -> tuple[Array, Array]:
    """Return two rows of coefficients with zeros in front of the shorter."""
    a, b = _row(a1), _row(a2)
    n = max(len(a), len(b))
    return tuple(x if len(x) == n else np.concatenate([np.zeros_like(x, shape=(n - len(x),)), x]) for x in (a, b))  # type: ignore[return-value]


@derived(np.polyadd, cases=(case((4,), (2,)), case((2,), (3,))))
def _polyadd(a1: Any, a2: Any) -> Array:
    a, b = _aligned(a1, a2)
    return a + b


@derived(np.polysub, cases=(case((4,), (2,)), case((2,), (3,))))
def _polysub(a1: Any, a2: Any) -> Array:
    a, b = _aligned(a1, a2)
    return a - b


@derived(np.polymul, cases=(case((4,), (2,)), case((2,), (3,))))
def _polymul(a1: Any, a2: Any) -> Array:
    return np.convolve(_row(a1), _row(a2))


@derived(np.polydiv)
def _polydiv(u: Any, v: Any) -> tuple[Array, Array]:
    u, v = _row(u), _row(v)
    u, v = u + np.zeros_like(v[0]), v + np.zeros_like(u[0])
    steps = len(u) - len(v) + 1
    remainder, quotient = u, []
    for k in range(max(steps, 0)):
        factor = remainder[k] / v[0]
        quotient.append(factor)
        zeros = [np.zeros_like(v, shape=(n,)) for n in (k, steps - 1 - k)]
        remainder = remainder - np.concatenate([zeros[0], factor * v, zeros[1]])
    leading = 0
    while leading < len(remainder) - 1 and np.isclose(remainder[leading], 0, rtol=1e-14):
        leading += 1
    return (np.stack(quotient) if quotient else np.zeros_like(u, shape=(1,))), remainder[leading:]


@derived(np.polyder, cases=(case((4,)), case((5,), m=2), case((3,), m=0)))
def _polyder(p: Any, m: int = 1) -> Array:
    p = _array(p)
    if m < 0:
        raise ValueError(f"np.polyder needs a positive order of the derivative, got {m}; see np.polyint")
    for _ in range(int(m)):
        p = p[:-1] * np.arange(len(p) - 1, 0, -1)
    return p


@derived(np.polyint, cases=(case((4,)), case((3,), m=2, k=[1.0, 2.0]), case((2,), m=2, k=3.0)))
def _polyint(p: Any, m: int = 1, k: Any = None) -> Array:
    p = _array(p)
    if m < 0:
        raise ValueError(f"np.polyint needs a positive order of the integral, got {m}; see np.polyder")
    constants = _row(0.0 if k is None else k)
    if len(constants) == 1 and m > 1:
        constants = np.broadcast_to(constants, (m,))
    if len(constants) < m:
        raise ValueError(f"np.polyint needs {m} constants of integration, or one for all; got {len(constants)}")
    for i in range(int(m)):
        dtype = np.result_type(p.dtype, np.float64 if p.dtype.kind in "biu" else p.dtype)
        p = np.concatenate([p / np.arange(len(p), 0, -1).astype(dtype), constants[i : i + 1]])
    return p


@derived(np.vander, cases=(case((3,)), case((3,), N=2), case((4,), N=3, increasing=True), case(np.array([0.0, 2.0]), N=4)))
def _vander(x: Any, N: Any = None, increasing: bool = False) -> Array:
    x = _array(x)
    if x.ndim != 1:
        raise ValueError(f"np.vander needs an array of one axis, got shape {x.shape}")
    x = astype(x, np.promote_types(x.dtype, int)) if x.dtype.kind in "fc" else x
    count = len(x) if N is None else N
    columns = [np.ones_like(x)]
    while len(columns) < count:
        columns.append(columns[-1] * x)  # never a power of 0, whose slope is none
    columns = columns[:count] if increasing else columns[:count][::-1]
    return np.stack(columns, axis=1) if count else np.zeros_like(x, shape=(len(x), 0))


@derived(np.polyfit, cases=(
    case((6,), (6,), deg=2), case((5,), (5, 2), deg=1), case((5,), (5,), deg=1, w=np.array([1.0, 2.0, 0.5, 1.0, 3.0]))), on=Domain(0.2, 3.0))  # fmt: skip
def _polyfit(x: Any, y: Any, deg: Any, rcond: Any = None, full: bool = False, w: Any = None, cov: Any = False) -> Any:
    x, y = _array(x), _array(y)
    if np.ndim(deg) or deg < 0:
        raise errors.NoRowError(f"np.polyfit of Tensors needs one degree >= 0, got {deg!r}")
    if x.ndim != 1 or len(x) != len(y) or not len(x):
        raise ValueError(f"np.polyfit needs points along one axis and as many values, got shapes {x.shape} and {y.shape}")
    rcond = len(x) * np.finfo(np.result_type(x.dtype, np.float32)).eps if rcond is None else rcond
    matrix, values = _vander(x + 0.0, int(deg) + 1), y + 0.0
    if w is not None:
        w = _array(w)
        matrix = matrix * w[:, None]
        values = values * (w if y.ndim == 1 else w[:, None])
    scale = np.sqrt(np.sum(matrix * matrix, axis=0))
    found, residuals, rank, singular = np.linalg.lstsq(matrix / scale, values, rcond)
    coefficients = (found.T / scale).T
    if full:
        return coefficients, residuals, rank, singular, rcond
    if not cov:
        return coefficients
    base = np.linalg.inv((matrix / scale).T @ (matrix / scale)) / np.outer(scale, scale)
    if isinstance(cov, str) and cov == "unscaled":
        factor = np.ones_like(base, shape=())
    elif len(x) <= deg + 1:
        raise ValueError(f"np.polyfit needs more than {deg + 1} points for cov=True, got {len(x)}")
    else:
        factor = residuals / (len(x) - (int(deg) + 1))
    return coefficients, base * factor if y.ndim == 1 else base[:, :, None] * factor


@derived(np.roots)
def _roots(p: Any) -> Array:
    p = _row(p)
    places = [i for i, c in enumerate(p) if c != 0]
    if p.ndim != 1:
        raise ValueError(f"np.roots needs coefficients along one axis, got shape {p.shape}")
    if not places:
        return np.zeros_like(p, shape=(0,))
    at_zero, p = len(p) - places[-1] - 1, p[places[0] : places[-1] + 1]
    p = astype(p, np.result_type(p.dtype, np.float64)) if p.dtype.kind not in "fc" else p
    n = len(p) - 1
    found = np.zeros_like(p, shape=(0,))
    if n:
        below = np.eye(n - 1, n, dtype=p.dtype)
        found = np.linalg.eigvals(np.concatenate([(-p[1:] / p[0])[None], below]))
    return np.concatenate([found, np.zeros_like(found, shape=(at_zero,))])


@derived(np.poly, cases=(case((3,)), case((1,)), case(np.array([[0.2, 1.1], [0.9, -0.4]]))))
def _poly(seq_of_zeros: Any) -> Array:
    zeros = _row(seq_of_zeros)
    if zeros.ndim == 2 and zeros.shape[0] == zeros.shape[1] and zeros.shape[0]:
        values = np.linalg.eigvals(zeros)
        return _poly_of(values, zeros.dtype.kind != "c")
    if zeros.ndim != 1:
        raise ValueError(f"np.poly needs zeros along one axis or a square matrix, got shape {zeros.shape}")
    return _poly_of(zeros, zeros.dtype.kind == "c" and _in_pairs(zeros))


def _poly_of(zeros: Sequence[Any] | Array, real: bool) -> Array:
    found = np.ones_like(zeros, shape=(1,))
    for zero in zeros:
        found = np.convolve(found, np.stack([np.ones_like(zero), -zero]))
    return np.real(found) if real else found


def _in_pairs(zeros: Array) -> bool:
    """Whether each zero has its conjugate among them, so that the polynomial is real."""
    return bool(np.all(np.sort(zeros) == np.sort(conj(zeros))))
