"""Products that sum over shared axes, and the diagonals and triangles of matrices.

Every product is linear in each operand, so a row gives the vjp by each of them; its tangent is the function
itself. The rules leave broadcast axes in: the engine sums them out.
"""

from __future__ import annotations

import functools
import string
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_np import errors
from autograd_np.op import Primitive, beside, case, derived, is_numpys, linear, multilinear, primitive
from autograd_np.ops.adjoint import conj
from autograd_np.ops.indexing import along
from autograd_np.typing import Array, Shape


def _ndim(a: Any) -> int:
    """Return the number of axes; operands may be Python scalars."""
    return getattr(a, "ndim", 0)


def _from_end(axis: int, ndim: int) -> int:
    """Count an axis from the end, where broadcasting aligns shapes."""
    return axis - ndim if axis >= 0 else axis


def _column(a: Array) -> Array:
    return np.expand_dims(a, -1)


def _row(a: Array) -> Array:
    return np.expand_dims(a, -2)


def _swap(a: Array) -> Array:
    return np.swapaxes(a, -1, -2)


# --- matmul ---------------------------------------------------------------------------------------


def _matmul_by_a(g: Array, y: Array, a: Array, b: Array) -> Array:
    if a.ndim == 2 == b.ndim:
        return np.dot(g, b.T)
    if b.ndim == 1:
        return _column(g) * b
    if a.ndim == 1:
        return np.matmul(b, _column(g))[..., 0]
    if a.ndim == 2:  # one matrix for the whole batch of b: sum over the batch inside the product
        summed = [*range(b.ndim - 2), b.ndim - 1]
        return np.tensordot(g, b, axes=(summed, summed))
    return np.matmul(g, _swap(b))


def _matmul_by_b(g: Array, y: Array, a: Array, b: Array) -> Array:
    if a.ndim == 2 == b.ndim:
        return np.dot(a.T, g)
    if a.ndim == 1:
        return _column(a) * _row(g) if b.ndim > 1 else g * a
    if b.ndim == 1:
        return np.matmul(_swap(a), _column(g))[..., 0]
    if b.ndim == 2:
        batch = list(range(a.ndim - 1))
        return np.tensordot(a, g, axes=(batch, batch))
    return np.matmul(_swap(a), g)


# --- dot, inner, tensordot ------------------------------------------------------------------------


def _dot_by_a(g: Array, y: Array, a: Array, b: Array) -> Array:
    if a.ndim == 2 == _ndim(b):
        return np.dot(g, b.T)
    if a.ndim == 0 or _ndim(b) == 0:
        return g * b
    if b.ndim == 1:
        return _column(g) * b
    return np.tensordot(g, b, axes=([*range(a.ndim - 1, g.ndim)], [*range(b.ndim - 2), b.ndim - 1]))


def _dot_by_b(g: Array, y: Array, a: Array, b: Array) -> Array:
    if b.ndim == 2 == _ndim(a):
        return np.dot(a.T, g)
    if b.ndim == 0 or _ndim(a) == 0:
        return g * a
    shared = list(range(a.ndim - 1))
    product = np.tensordot(a, g, axes=(shared, shared))
    return product if b.ndim == 1 else np.moveaxis(product, 0, -2)


@primitive
def inner(a: Array, b: Array) -> Array:
    """Return the sums of products over the last axes."""
    if is_numpys(a, b):
        return np.inner(a, b)
    return np.multiply(a, b) if _ndim(a) == 0 or _ndim(b) == 0 else np.tensordot(a, b, axes=([a.ndim - 1], [b.ndim - 1]))


def _inner_by_a(g: Array, y: Array, a: Array, b: Array) -> Array:
    if a.ndim == 0 or _ndim(b) == 0:
        return g * b
    return np.tensordot(g, b, axes=([*range(a.ndim - 1, g.ndim)], [*range(b.ndim - 1)]))


def _inner_by_b(g: Array, y: Array, a: Array, b: Array) -> Array:
    if b.ndim == 0 or _ndim(a) == 0:
        return g * a
    shared = list(range(a.ndim - 1))
    return np.tensordot(g, a, axes=(shared, shared))


def paired(a: Array, b: Array, axes: Any) -> tuple[list[int], list[int], list[int], list[int]]:
    """Return the axes that tensordot sums, of `a` and of `b`, then those it keeps, of `a` and of `b`."""
    na, nb = _ndim(a), _ndim(b)
    if np.ndim(axes):
        of_a, of_b = (
            [int(x) % n for x in (part if hasattr(part, "__iter__") else (part,))] for part, n in zip(axes, (na, nb), strict=True)
        )
    else:
        of_a, of_b = list(range(na - int(axes), na)), list(range(int(axes)))
    return of_a, of_b, [i for i in range(na) if i not in of_a], [i for i in range(nb) if i not in of_b]


def _in_order(a: Array, positions: list[int]) -> Array:
    """Transpose `a`, whose axes belong at `positions`, into order."""
    return np.transpose(a, sorted(range(len(positions)), key=positions.__getitem__))


def _tensordot_by_a(g: Array, y: Array, a: Array, b: Array, axes: Any = 2) -> Array:
    of_a, of_b, kept_a, kept_b = paired(a, b, axes)
    product = np.tensordot(g, b, axes=(list(range(len(kept_a), _ndim(g))), kept_b))
    return _in_order(product, [*kept_a, *(i for _, i in sorted(zip(of_b, of_a, strict=True)))])


def _tensordot_by_b(g: Array, y: Array, a: Array, b: Array, axes: Any = 2) -> Array:
    of_a, of_b, kept_a, kept_b = paired(a, b, axes)
    product = np.tensordot(a, g, axes=(kept_a, list(range(len(kept_a)))))
    return _in_order(product, [*(i for _, i in sorted(zip(of_a, of_b, strict=True))), *kept_b])


# --- products of vectors --------------------------------------------------------------------------


def _vecdot_by_a(g: Array, y: Array, a: Array, b: Array, axis: int = -1) -> Array:
    """Conjugate, since the first argument is: Re(g conj(t) b) = Re(conj(g b) t)."""
    return conj(_spread_along(g, b, axis, a.ndim))


def _vecdot_by_b(g: Array, y: Array, a: Array, b: Array, axis: int = -1) -> Array:
    return _spread_along(g, conj(a), axis, b.ndim)


def _spread_along(g: Array, b: Array, axis: int, ndim: int) -> Array:
    return np.moveaxis(_column(g) * np.moveaxis(b, axis, -1), -1, _from_end(axis, ndim))


@primitive
def cross(a: Array, b: Array, axisa: int = -1, axisb: int = -1, axisc: int = -1) -> Array:
    """Return the cross product of 3-vectors."""
    if is_numpys(a, b):
        return np.cross(a, b, axisa=axisa, axisb=axisb, axisc=axisc)
    a0, a1, a2 = (a[along(axisa, i, a.ndim)] for i in range(3))
    b0, b1, b2 = (b[along(axisb, i, b.ndim)] for i in range(3))
    return np.stack([a1 * b2 - a2 * b1, a2 * b0 - a0 * b2, a0 * b1 - a1 * b0], axis=axisc)


@derived(np.cross)
def _cross(a: Array, b: Array, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Array:
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = _array(a), _array(b)
    for x, at in ((a, axisa), (b, axisb)):
        if x.ndim and x.shape[at] == 2:
            raise errors.NoRowError(
                f"np.cross of 2-vectors (got shapes {a.shape} and {b.shape}) is deprecated in NumPy and has no row; "
                f"write a[0] * b[1] - a[1] * b[0]"
            )
    return cross(a, b, axisa=axisa, axisb=axisb, axisc=axisc)


def _cross_by_a(g: Array, y: Array, a: Array, b: Array, axisa: int = -1, axisb: int = -1, axisc: int = -1) -> Array:
    return cross(b, g, axisa=axisb, axisb=axisc, axisc=_from_end(axisa, a.ndim))


def _cross_by_b(g: Array, y: Array, a: Array, b: Array, axisa: int = -1, axisb: int = -1, axisc: int = -1) -> Array:
    return cross(g, a, axisa=axisc, axisb=axisa, axisc=_from_end(axisb, b.ndim))


# --- diagonals ------------------------------------------------------------------------------------


def on_diagonal(g: Array, shape: Shape, k: int) -> Array:
    """Return zero matrices of `shape` with the last axis of `g` on their k-th diagonal."""
    n, m = shape
    if not g.shape[-1]:
        return np.zeros_like(g, shape=(*g.shape[:-1], n, m))
    above = min(max(-k, 0), n)
    by_row = np.pad(g, [(0, 0)] * (g.ndim - 1) + [(above, n - above - g.shape[-1])])
    return np.where(beside(np.eye(n, m, k, dtype=bool), g), _column(by_row), 0)


def _diag_transpose(g: Array, y: Array, v: Array, k: int = 0) -> Array:
    return np.diagonal(g, k) if v.ndim == 1 else on_diagonal(g, v.shape, k)


def _diagonal_transpose(g: Array, y: Array, a: Array, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Array:
    return np.moveaxis(on_diagonal(g, (a.shape[axis1], a.shape[axis2]), offset), (-2, -1), (axis1, axis2))


def _trace_transpose(g: Array, y: Array, a: Array, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Array:
    eye = beside(np.eye(a.shape[axis1], a.shape[axis2], offset, dtype=bool), g)
    return np.moveaxis(np.where(eye, np.expand_dims(g, (-2, -1)), 0), (-2, -1), (axis1, axis2))


# --- the table ------------------------------------------------------------------------------------

PRODUCTS = [case((), (3,)), case((2, 3), ()), case((3,), (3,)), case((2, 3), (3,)), case((2, 4, 3), (3,))]
MATRICES = [case((2, 3), (3, 4)), case((3,), (3, 4)), case((3,), (2, 3, 4)), case((2, 3), (5, 3, 4)), case((5, 2, 3), (3, 4))]
BATCHES = [case((5, 2, 3), (5, 3, 4)), case((5, 1, 2, 3), (6, 3, 4))]
DOT = PRODUCTS + MATRICES[:3] + BATCHES[:1]
MATMUL = PRODUCTS[2:] + MATRICES + BATCHES
INNER = [*PRODUCTS[:3], case((2, 3), (3,)), case((2, 3), (4, 3)), case((3,), (2, 4, 3))]
TENSORDOT = [
    case((3, 4, 2), (4, 2, 5)), case((3, 4), (2, 5), axes=0), case((3, 4, 5), (4, 3, 2), axes=([1, 0], [0, 1])),
    case((3, 4, 5), (5, 2, 3), axes=((0, 2), (-1, 0))), case((2, 3), (4, 3), axes=(-1, 1)),
]  # fmt: skip
CROSS = [case((3,), (3,)), case((4, 3), (3,)), case((3, 4), (4, 3), axisa=0, axisc=0), case((3,), (2, 3, 4), axisa=0, axisb=1, axisc=0)]
VECDOT = [case((3,), (3,)), case((2, 3), (4, 1, 3)), case((3, 2), (3,), axis=0)]
INNER_TEX = r"\langle #1, #2 \rangle"
DIAG = [case((3,)), case((3,), k=1), case((2, 4), k=-1), case((3, 3))]
DIAGONALS = [
    case((3, 3)),
    case((2, 4), offset=1),
    case((4, 2), offset=-1),
    case((2, 3, 4), axis1=-1, axis2=0, offset=2),
    case((2, 3), offset=5),
]
TRIANGLES = [case((3, 3)), case((2, 3, 4), k=1), case((4, 3), k=-1), case((3,))]

# fmt: off
multilinear(np.dot,       _dot_by_a,       _dot_by_b,       cases=DOT,       signature="a b",      tex="#1 #2", direct=np.ndarray.dot)
multilinear(np.matmul,    _matmul_by_a,    _matmul_by_b,    cases=MATMUL,    signature="a b",      tex="#1 #2")
multilinear(inner,        _inner_by_a,     _inner_by_b,     cases=INNER,     also=(np.inner,),    tex=INNER_TEX)
multilinear(np.tensordot, _tensordot_by_a, _tensordot_by_b, cases=TENSORDOT, signature="a b axes")
multilinear(cross,        _cross_by_a,     _cross_by_b,     cases=CROSS,     tex=r"#1 \times #2")
multilinear(np.vecdot,    _vecdot_by_a,    _vecdot_by_b,    cases=VECDOT,    signature="a b axis", tex=r"#1 \cdot #2")
if hasattr(np, "matvec"):  # NumPy 2.2
    multilinear(np.matvec, lambda g, y, a, b: _column(g) * _row(b), lambda g, y, a, b: (_row(g) @ a)[..., 0, :],
                cases=[case((2, 3), (3,)), case((2, 3), (5, 3)), case((5, 2, 3), (4, 1, 3))], signature="a b", tex="#1 #2")
    multilinear(np.vecmat, lambda g, y, a, b: conj((b @ _column(g))[..., 0]), lambda g, y, a, b: _column(conj(a)) * _row(g),
                cases=[case((3,), (3, 2)), case((5, 3), (3, 2)), case((4, 1, 3), (5, 3, 2))], signature="a b", tex=r"#1^\top #2")

linear(np.trace,    _trace_transpose,    *DIAGONALS,                 signature="a offset axis1 axis2", tex=r"\operatorname{tr} #1")
linear(np.diagonal, _diagonal_transpose, *DIAGONALS,                 signature="a offset axis1 axis2")
linear(np.diag,     _diag_transpose,     *DIAG,                      signature="v k")
linear(np.tril,     lambda g, y, m, k=0: np.tril(g, k), *TRIANGLES,  signature="m k")
linear(np.triu,     lambda g, y, m, k=0: np.triu(g, k), *TRIANGLES,  signature="m k")
# fmt: on


# --- einsum: a row for each number of operands ----------------------------------------------------


def spelled_out(subscripts: str, operands: Sequence[Array]) -> tuple[list[str], str]:
    """Return the labels of each operand and of the output, with no ellipsis left and nothing implied."""
    inputs, arrow, output = subscripts.replace(" ", "").partition("->")
    terms = inputs.split(",")
    if not arrow:
        once = sorted(c for c in set(inputs) if c.isalpha() and inputs.count(c) == 1)
        output = ("..." if "..." in inputs else "") + "".join(once)
    hidden = [_ndim(x) - len(t.replace("...", "")) if "..." in t else 0 for t, x in zip(terms, operands, strict=True)]
    spare = "".join(c for c in string.ascii_letters if c not in subscripts)[: max(hidden)]
    terms = [t.replace("...", spare[len(spare) - n :]) for t, n in zip(terms, hidden, strict=True)]
    return terms, output.replace("...", spare)


def _einsum_vjp(i: int, g: Array, y: Array, *operands: Array, subscripts: str, optimize: Any = False) -> Array:
    """Pull back to operand `i`: an einsum with the operand replaced by `g`, and operand and output swapped.

    An index that only operand `i` has was summed out: a vector of ones repeats the cotangent along it. An index
    that operand `i` repeats reads a diagonal: an identity matrix puts the cotangent there.
    """
    terms, output = spelled_out(subscripts, operands)
    mine, shape = terms[i], operands[i].shape
    factors = [(output, g), *((t, x) for j, (t, x) in enumerate(zip(terms, operands, strict=True)) if j != i)]
    known: dict[str, int] = {}
    for term, x in factors:
        for label, n in zip(term, getattr(x, "shape", ()), strict=True):
            known[label] = n if known.get(label, 1) == 1 else known[label]
    used = set("".join(terms))
    spare = iter([c for c in string.ascii_letters if c not in used])
    result = ""
    for label, n in zip(mine, shape, strict=True):
        place = next(spare) if label in result else label
        if place != label:
            factors.append((label + place, beside(np.eye(n, dtype=g.dtype), g)))
        elif label not in known or n not in (1, known[label]):
            factors.append((label, beside(np.ones(n, dtype=g.dtype), g)))
        result += place
    swapped = f"{','.join(term for term, _ in factors)}->{result}"
    optimize = optimize if isinstance(optimize, (bool, str)) else True  # a path that the user computed fits the forward product only
    return einsum_of(len(factors))(*(x for _, x in factors), subscripts=swapped, optimize=optimize)


@functools.cache
def einsum_of(count: int) -> Primitive:
    """Return einsum of `count` operands, with its row: it is linear in each of them."""

    def einsum(*operands: Array, subscripts: str, optimize: Any = False) -> Array:
        """Return ``np.einsum(subscripts, *operands)``."""
        return np.einsum(subscripts, *operands, optimize=optimize)

    function = primitive(einsum)
    names = " ".join(f"x{i + 1}" for i in range(count))
    rules = [functools.partial(_einsum_vjp, i) for i in range(count)]
    multilinear(function, *rules, cases=EINSUM.get(count, ()), signature=f"{names} subscripts optimize")
    return function


EINSUM = {
    1: [
        case((3, 3), subscripts="ii->"), case((3, 3), subscripts="ii->i"), case((3, 3), subscripts="ii"),
        case((3, 3, 4), subscripts="iij->ij"),
        case((3, 3, 3), subscripts="iii->i"), case((2, 3), subscripts="ij->i"),
        case((2, 3, 4), subscripts="...i->i..."), case((2, 3), subscripts="ba"),
    ],
    2: [
        case((2, 3), (3, 4), subscripts="ij,jk->ik"), case((2, 3), (3, 4), subscripts="ij,jk"),
    case((2, 3), (4, 5), subscripts="ij,kl->il"),
        case((5, 2, 3), (1, 3, 4), subscripts="...ij,...jk->...ik"), case((3, 3), (3, 2), subscripts="ii,ij->j", optimize=True),
        case((), (2, 3), subscripts=",ij->j"), case((1, 3), (4, 3), subscripts="ei,ei->i"), case((3, 3), (3,), subscripts="...i,...i->..."),
    ],
    3: [
        case((2, 3), (3, 4), (4, 2), subscripts="ij,jk,kl->il"), case((2, 3), (3,), (2, 4), subscripts="ij,j,ik->k", optimize=True),
    ],
}  # fmt: skip
for _count in EINSUM:
    einsum_of(_count)


@derived(np.einsum)
def _einsum(*operands: Any, out: Any = None, optimize: Any = False, **kwargs: Any) -> Array:
    if out is not None:
        raise errors.InPlaceError("einsum(..., out=) would write over an array that the backward pass may need; take the result instead")
    if kwargs:
        raise errors.NoRowError(f"the row of einsum does not cover the argument {', '.join(kwargs)}; it covers optimize")
    if not operands or (len(operands) == 1 and isinstance(operands[0], str)):
        raise ValueError("einsum needs subscripts and at least one operand")
    subscripts, arrays = (operands[0], operands[1:]) if isinstance(operands[0], str) else _from_sublists(operands)
    arrays = tuple(_array(a) for a in arrays)
    return einsum_of(len(arrays))(*arrays, subscripts=subscripts, optimize=optimize)


def _from_sublists(operands: tuple[Any, ...]) -> tuple[str, tuple[Any, ...]]:
    """Turn ``einsum(a, [0, 1], b, [1, 2], [0, 2])`` into subscripts and arrays."""
    letters = string.ascii_uppercase + string.ascii_lowercase  # in the order that implicit outputs sort by

    def text(sublist: Any) -> str:
        return "".join("..." if label is Ellipsis else letters[label] for label in sublist)

    pairs = len(operands) // 2
    inputs = ",".join(text(s) for s in operands[1 : 2 * pairs : 2])
    return (f"{inputs}->{text(operands[-1])}" if len(operands) % 2 else inputs), operands[: 2 * pairs : 2]


# --- products made of others ----------------------------------------------------------------------


def _array(a: Any) -> Array:
    return a if hasattr(a, "ndim") else np.asarray(a)


@derived(np.outer)
def _outer(a: Array, b: Array) -> Array:
    return np.multiply(np.reshape(a, (-1, 1)), np.reshape(b, (1, -1)))


@derived(np.vdot)
def _vdot(a: Array, b: Array) -> Array:
    return np.dot(conj(np.ravel(a)), np.ravel(b))


@derived(np.kron)
def _kron(a: Array, b: Array) -> Array:
    a, b = _array(a), _array(b)
    ndim = max(a.ndim, b.ndim)
    shape_a, shape_b = ((1,) * (ndim - x.ndim) + x.shape for x in (a, b))
    blocks = [n for pair in zip(shape_a, (1,) * ndim, strict=True) for n in pair]
    inside = [n for pair in zip((1,) * ndim, shape_b, strict=True) for n in pair]
    product = np.reshape(a, tuple(blocks)) * np.reshape(b, tuple(inside))
    return np.reshape(product, tuple(n * m for n, m in zip(shape_a, shape_b, strict=True)))
