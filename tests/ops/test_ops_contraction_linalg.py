"""Products, diagonals and numpy.linalg: both modes, second order and dtypes, against central differences."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_np as ag

RNG = np.random.default_rng(7)
INF = np.inf


def draw(*shape: int) -> np.ndarray:
    """Samples away from zero, so that no absolute value has its kink within a difference step."""
    return RNG.uniform(0.2, 2.0, shape) * RNG.choice([-1.0, 1.0], shape)


def matrix(*batch: int, n: int = 3) -> np.ndarray:
    return draw(*batch, n, n) + 4 * np.eye(n)


def slope(f: Callable[..., Any], xs: list[np.ndarray], directions: list[np.ndarray], h: float = 1e-5) -> Any:
    """Central difference of `f` along `directions`, of fourth order in the step."""

    def at(s: float) -> Any:
        return np.asarray(f(*(x + s * d for x, d in zip(xs, directions, strict=True))))

    return (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)


def dot(left: Any, right: Any) -> float:
    return sum(float(np.sum(a * b)) for a, b in zip(left, right, strict=True))


def check(f: Callable[..., Any], *xs: np.ndarray, second: bool = True, single: bool = True) -> None:
    """Demand value, vjp, jvp, second order and float32 of `f` at `xs`."""
    args = [np.array(x, float) for x in xs]
    every = tuple(range(len(args)))
    before = [x.copy() for x in args]
    y, pullback = ag.vjp(f, *args)
    np.testing.assert_array_equal(y, f(*args))
    g = draw(*np.shape(y))
    directions = [draw(*x.shape) for x in args]
    numeric = slope(f, args, directions)
    pulled = pullback(g)
    assert [p.shape for p in pulled] == [x.shape for x in args]
    np.testing.assert_allclose(dot(pulled, directions), np.sum(g * numeric), rtol=1e-7, atol=1e-8)
    tangent = ag.jvp(f, tuple(args), tuple(directions))[1]
    np.testing.assert_allclose(tangent, numeric, rtol=1e-7, atol=1e-8)
    for x, old in zip(args, before, strict=True):
        np.testing.assert_array_equal(x, old)

    if second:

        def along(*zs: Any) -> Any:
            gradients = ag.grad(lambda *ws: np.sum(f(*ws) * g), every)(*zs)
            return sum(np.sum(p * d) for p, d in zip(gradients, directions, strict=True))

        others = [draw(*x.shape) for x in args]
        hessian_product = ag.grad(along, every)(*args)
        np.testing.assert_allclose(dot(hessian_product, others), slope(along, args, others), rtol=1e-6, atol=1e-7)

    if single:
        y32, pullback32 = ag.vjp(f, *(x.astype(np.float32) for x in args))
        assert y32.dtype == np.float32
        for narrow, wide in zip(pullback32(g.astype(np.float32)), pulled, strict=True):
            assert narrow.dtype == np.float32
            np.testing.assert_allclose(narrow, wide, rtol=2e-3, atol=2e-3)


# --- products -------------------------------------------------------------------------------------

DOT = [
    ((), ()), ((), (3,)), ((2, 3), ()), ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((2, 3), (3, 4)), ((5, 2, 3), (3,)),
    ((3,), (5, 3, 2)),
    ((5, 2, 3), (3, 4)), ((2, 3), (5, 3, 4)), ((5, 2, 3), (4, 6, 3, 2)), ((2, 0), (0, 3)), ((0, 2), (2, 3)),
]  # fmt: skip


@pytest.mark.parametrize(("a", "b"), DOT)
def test_dot(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    check(np.dot, draw(*a), draw(*b))


MATMUL = [
    ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((2, 3), (3, 4)), ((5, 2, 3), (3,)), ((3,), (5, 3, 2)), ((5, 2, 3), (3, 4)),
    ((2, 3), (5, 3, 4)),
    ((5, 2, 3), (5, 3, 4)), ((5, 1, 2, 3), (6, 3, 4)), ((1, 2, 3), (5, 3, 4)), ((6, 5, 2, 3), (3, 4)), ((2, 3), (6, 5, 3, 4)),
    ((0, 2, 3), (3, 4)),
]  # fmt: skip


@pytest.mark.parametrize(("a", "b"), MATMUL)
def test_matmul(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    check(np.matmul, draw(*a), draw(*b))
    check(np.linalg.matmul, draw(*a), draw(*b)) if min(len(a), len(b)) > 1 else None


def test_matmul_operator_with_an_ndarray_on_either_side() -> None:
    a, b = draw(2, 3), draw(3, 4)
    left, right = ag.Tensor(a, requires_grad=True), ag.Tensor(b, requires_grad=True)
    for y in (left @ b, a @ right):
        assert isinstance(y, ag.Tensor)
        np.testing.assert_array_equal(y.data, a @ b)
        y.sum().backward()
    np.testing.assert_allclose(left.grad, np.ones((2, 4)) @ b.T)
    np.testing.assert_allclose(right.grad, a.T @ np.ones((2, 4)))


def test_products_refuse_what_numpy_refuses() -> None:
    x = ag.Tensor(draw(2, 3), requires_grad=True)
    with pytest.raises(ValueError, match="mismatch"):
        x @ draw(2, 3)
    with pytest.raises(ValueError, match="matmul"):
        x @ 2.0
    with pytest.raises(ag.InPlaceError, match="out"):
        np.dot(x, draw(3, 2), out=np.empty((2, 2)))


@pytest.mark.parametrize(("a", "b"), [((), (2, 3)), ((3,), (3,)), ((2, 3), (3,)), ((3,), (2, 4, 3)), ((2, 3), (4, 3)), ((2, 5, 3), (4, 3))])
def test_inner(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    check(np.inner, draw(*a), draw(*b))


@pytest.mark.parametrize(("a", "b"), [((), (2,)), ((3,), (4,)), ((2, 3), (2, 2))])
def test_outer_and_kron(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    check(np.outer, draw(*a), draw(*b))
    check(np.kron, draw(*a), draw(*b))
    check(np.kron, draw(*b), draw(*a))


def test_kron_of_different_ndim_and_vdot() -> None:
    check(np.kron, draw(2, 3, 2), draw(2, 2))
    check(np.vdot, draw(2, 3), draw(2, 3))
    check(np.linalg.outer, draw(2), draw(3))
    with pytest.raises(ValueError, match="one-dimensional"):
        ag.grad(lambda x: np.sum(np.linalg.outer(x, x)))(draw(2, 2))


TENSORDOT = [
    ((3, 4, 2), (4, 2, 5), 2), ((2, 3), (4,), 0), ((), (2, 3), 0), ((2, 3), (3, 4), 1), ((3, 4, 5), (4, 3, 2), ([1, 0], [0, 1])),
    ((2, 3), (4, 3), (-1, 1)),
    ((3, 4, 5), (5, 2, 3), ((0, 2), (-1, 0))), ((2, 3, 4, 5), (6, 5, 3, 2), ((3, 0, 1), (1, 3, 2))), ((2, 3), (3, 2), ((0, 1), (1, 0))),
]  # fmt: skip


@pytest.mark.parametrize(("a", "b", "axes"), TENSORDOT)
def test_tensordot(a: tuple[int, ...], b: tuple[int, ...], axes: Any) -> None:
    check(lambda x, y: np.tensordot(x, y, axes=axes), draw(*a), draw(*b))
    check(lambda x, y: np.linalg.tensordot(x, y, axes=axes), draw(*a), draw(*b), second=False)


CROSS = [
    ((3,), (3,), {}),
    ((4, 3), (3,), {}),
    ((3,), (5, 4, 3), {}),
    ((3, 4), (4, 3), {"axisa": 0, "axisc": 0}),
    ((3, 4), (3, 4), {"axis": 0}),
    ((3, 1), (2, 3, 4), {"axisa": 0, "axisb": 1}),
]


@pytest.mark.parametrize(("a", "b", "options"), CROSS)
def test_cross(a: tuple[int, ...], b: tuple[int, ...], options: dict[str, int]) -> None:
    check(lambda x, y: np.cross(x, y, **options), draw(*a), draw(*b))


def test_cross_by_its_other_name_and_of_two_vectors() -> None:
    check(lambda x, y: np.linalg.cross(x, y, axis=0), draw(3, 2), draw(3, 2))
    with pytest.raises(ag.NoRowError, match=r"2-vectors.*a\[0\] \* b\[1\]"):
        ag.grad(lambda x: np.cross(x, [1.0, 2.0]))(draw(2))


def test_vecdot_matvec_vecmat() -> None:
    check(np.vecdot, draw(2, 3), draw(4, 1, 3))
    check(lambda a, b: np.vecdot(a, b, axis=0), draw(3, 2), draw(3))
    check(lambda a, b: np.linalg.vecdot(a, b, axis=-2), draw(3, 2), draw(4, 3, 2))
    if hasattr(np, "matvec"):
        check(np.matvec, draw(5, 2, 3), draw(4, 1, 3))
        check(np.vecmat, draw(4, 1, 3), draw(5, 3, 2))


@pytest.mark.parametrize("sizes", [(2, 3), (2, 3, 4), (4, 2, 5, 1, 3), (2, 1, 5, 2, 6, 2)])
def test_multi_dot(sizes: tuple[int, ...]) -> None:
    chain = [draw(n, m) for n, m in itertools.pairwise(sizes)] + [draw(sizes[-1])]
    y, pullback = ag.vjp(lambda *xs: np.linalg.multi_dot(xs), *chain)
    np.testing.assert_allclose(y, np.linalg.multi_dot(chain), rtol=1e-12)
    g = draw(*y.shape)
    for i, gradient in enumerate(pullback(g)):
        directions = [draw(*x.shape) if i == j else np.zeros_like(x) for j, x in enumerate(chain)]
        numeric = slope(lambda *xs: np.linalg.multi_dot(xs), chain, directions)
        np.testing.assert_allclose(np.sum(gradient * directions[i]), np.sum(g * numeric), rtol=1e-7, atol=1e-8)


def test_multi_dot_takes_the_cheap_order() -> None:
    x = ag.Tensor(draw(50, 1), requires_grad=True)
    y = np.linalg.multi_dot([draw(1, 50), x, draw(1, 50)])
    assert "(1, 1)" in str(ag.graph(y)), "the inner product first: no (50, 50) matrix"
    with pytest.raises(ValueError, match="vectors at the ends"):
        np.linalg.multi_dot([x, draw(1), draw(1, 50)])


# --- einsum ---------------------------------------------------------------------------------------

EINSUM = [
    ("ii->", [(3, 3)]), ("ii->i", [(3, 3)]), ("ii", [(3, 3)]), ("iij->ij", [(3, 3, 2)]), ("iji->j", [(3, 2, 3)]), ("iii->i", [(3, 3, 3)]),
    ("iijj->ij", [(2, 2, 3, 3)]),
    ("ij->i", [(2, 3)]), ("ij->", [(2, 3)]), ("ba", [(2, 3)]), ("ij -> ji", [(2, 3)]), ("...i->i...", [(2, 4, 3)]),
    ("...ii->...", [(4, 3, 3)]), ("...", [(2, 3)]),
    ("i...->...", [(2, 3)]), ("->", [()]),
    ("ij,jk->ik", [(2, 3), (3, 4)]), ("ij,jk", [(2, 3), (3, 4)]), ("ij,kl->il", [(2, 3), (4, 5)]), ("ij,ij->", [(2, 3), (2, 3)]),
    ("i,i", [(3,), (3,)]),
    ("i,j->ij", [(2,), (3,)]), (",ij->j", [(), (2, 3)]), ("...ij,...jk->...ik", [(5, 2, 3), (1, 3, 4)]),
    ("...ij,...jk", [(2, 3), (5, 3, 4)]),
    ("...i,i...->...", [(4, 3), (3, 2, 1)]), ("ii,ij->j", [(3, 3), (3, 2)]), ("ei,ei->i", [(1, 3), (4, 3)]),
    ("ei,ei->e", [(4, 1), (4, 3)]), ("...i,...i->...", [(3, 3), (3,)]),
    ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 2)]), ("ij,j,ik->k", [(2, 3), (3,), (2, 4)]), ("ii,jj,ij->", [(3, 3), (2, 2), (3, 2)]),
    ("a,b,c,d->dbca", [(1,), (2,), (3,), (2,)]),
]  # fmt: skip


@pytest.mark.parametrize("optimize", [False, True])
@pytest.mark.parametrize(("subscripts", "shapes"), EINSUM)
def test_einsum(subscripts: str, shapes: list[tuple[int, ...]], optimize: bool) -> None:
    check(lambda *xs: np.einsum(subscripts, *xs, optimize=optimize), *(draw(*s) for s in shapes), second=not optimize)


def test_einsum_with_sublists_and_a_path() -> None:
    check(lambda a, b: np.einsum(a, [0, 1], b, [1, 2], [0, 2]), draw(2, 3), draw(3, 4))
    check(lambda a, b: np.einsum(a, [Ellipsis, 30], b, [30, 2]), draw(5, 2, 3), draw(3, 4))
    path = ["einsum_path", (1, 2), (0, 1)]
    check(lambda *xs: np.einsum("ij,jk,kl->il", *xs, optimize=path), draw(2, 3), draw(3, 4), draw(4, 2))


def test_einsum_of_one_operand_twice_and_empty() -> None:
    check(lambda x: np.einsum("ij,kj->ik", x, x), draw(3, 2))
    check(lambda x: np.einsum("ij->i", x), draw(2, 0))
    check(lambda x, y: np.einsum("ij,jk->ik", x, y), draw(2, 0), draw(0, 3))


def test_einsum_pulls_back_only_what_needs_a_gradient() -> None:
    x = ag.Tensor(draw(2, 3), requires_grad=True)
    y = np.einsum("ij,jk->ik", draw(4, 2), x)
    assert [p is None for p in ag.graph(y).outputs[0].parents] == [True, False]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x: np.einsum("ij,jk->ik", x), ValueError, "more operands"),
        (lambda x: np.einsum("ij->i", x, dtype=float), ag.NoRowError, "dtype"),
        (lambda x: np.einsum("ij->i", x, out=np.empty(2)), ag.InPlaceError, "out="),
        (lambda x: np.einsum("ijk->i", x), ValueError, "einstein"),
        (lambda x: np.einsum("...j->j", x), ValueError, "ellipsis|\\.\\.\\."),
    ],
)
def test_einsum_errors(call: Callable[..., Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        call(ag.Tensor(draw(2, 3), requires_grad=True))


# --- diagonals ------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(3, 3), (2, 4), (4, 2), (2, 0)])
@pytest.mark.parametrize("k", [0, 1, -1, 3, -7])
def test_diagonals_and_triangles(shape: tuple[int, ...], k: int) -> None:
    for fn in (np.diag, np.diagonal, np.trace, np.tril, np.triu):
        check(lambda x, fn=fn: fn(x, k), draw(*shape))
    check(lambda x: np.diag(x, k), draw(3))


@pytest.mark.parametrize("axes", [(0, 1), (-1, 0), (1, 2), (2, 1)])
def test_diagonal_and_trace_axes(axes: tuple[int, int]) -> None:
    for fn in (np.diagonal, np.trace):
        check(lambda x, fn=fn: fn(x, offset=1, axis1=axes[0], axis2=axes[1]), draw(2, 3, 4))


def test_diagonals_by_their_other_names() -> None:
    x = draw(2, 3, 4)
    check(lambda x: np.linalg.trace(x, offset=1), x)
    check(lambda x: np.linalg.diagonal(x, offset=-1), x)
    check(np.linalg.matrix_transpose, x)
    check(np.matrix_transpose, x)
    check(lambda x: x.trace(1) + x.diagonal().sum(), x[0])
    check(np.tril, draw(3))
    check(lambda x: np.triu(x, 1), x)


# --- norms ----------------------------------------------------------------------------------------

VECTOR = [None, 2, 1, 3, 1.5, 0.5, -1, -2, INF, -INF, 0]
MATRIX = [None, "fro", "nuc", 1, -1, 2, -2, INF, -INF]


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("order", VECTOR)
def test_vector_norms(order: Any, keepdims: bool) -> None:
    check(lambda x: np.linalg.norm(x, order, keepdims=keepdims), draw(4))
    for axis in (0, -1, (1,)):
        check(lambda x, axis=axis: np.linalg.norm(x, order, axis, keepdims), draw(3, 4, 2))
    if order is not None:
        for axis in (None, 1, (0, 2), (0, 1, 2)):
            check(lambda x, axis=axis: np.linalg.vector_norm(x, ord=order, axis=axis, keepdims=keepdims), draw(3, 2, 2))


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("order", MATRIX)
def test_matrix_norms(order: Any, keepdims: bool) -> None:
    for shape in ((3, 3), (2, 4), (4, 2)):
        check(lambda x: np.linalg.norm(x, order, keepdims=keepdims), draw(*shape))
    for axis in ((0, 1), (2, 0), (-1, -2)):
        check(lambda x, axis=axis: np.linalg.norm(x, order, axis, keepdims), draw(3, 2, 4))
    if order is not None:
        check(lambda x: np.linalg.matrix_norm(x, ord=order, keepdims=keepdims), draw(2, 3, 4))


def test_norm_of_everything() -> None:
    check(np.linalg.norm, draw(2, 3, 4))
    check(np.linalg.norm, draw())


@pytest.mark.parametrize("order", VECTOR)
def test_a_vector_norm_at_zero_has_gradient_zero(order: Any) -> None:
    with np.errstate(divide="ignore"):  # NumPy's own value of a negative order at zero divides by zero
        for f in (lambda x: np.linalg.norm(x, order), lambda x: np.sum(np.linalg.norm(np.stack([x, x]), order, axis=-1))):
            np.testing.assert_array_equal(ag.grad(f)(np.zeros(3)), np.zeros(3))
            np.testing.assert_array_equal(ag.hessian(f)(np.zeros(3)), np.zeros((3, 3)))


@pytest.mark.parametrize("order", MATRIX)
def test_a_matrix_norm_at_zero_has_gradient_zero(order: Any) -> None:
    for shape in ((2, 2), (2, 3)):
        np.testing.assert_array_equal(ag.grad(lambda x: np.linalg.norm(x, order))(np.zeros(shape)), np.zeros(shape))


@pytest.mark.parametrize("order", [2, 3, 1, 1.5, INF])
def test_one_zero_element_or_row_does_not_disturb_the_others(order: Any) -> None:
    f = lambda x: np.sum(np.linalg.norm(x, order, axis=1))  # noqa: E731
    x = np.array([[0.0, 0.0], [3.0, 0.0], [1.0, -2.0]])
    gradient = ag.grad(f)(x)
    np.testing.assert_allclose(gradient[:2], [[0, 0], [1, 0]], rtol=1e-15, atol=0)
    np.testing.assert_allclose(gradient[2], ag.grad(lambda v: np.linalg.norm(v, order))(x[2]))
    assert np.all(np.isfinite(ag.hessian(f)(x)))


def test_ties_share_equally() -> None:
    grad = ag.grad
    np.testing.assert_allclose(grad(lambda x: np.linalg.norm(x, INF))(np.array([2.0, -2.0, 1.0])), [0.5, -0.5, 0])
    np.testing.assert_allclose(grad(lambda x: np.linalg.norm(x, 1))(np.array([[1.0, -3.0], [-3.0, 1.0]])), [[0.5, -0.5], [-0.5, 0.5]])
    np.testing.assert_allclose(grad(lambda x: np.linalg.norm(x, 2))(2 * np.eye(2)), np.eye(2) / 2)


@pytest.mark.parametrize(("order", "values"), [(2, [3.0, 1, 1]), (-2, [3.0, 3, 1]), ("nuc", [2.0, 2, 1]), ("nuc", [1.0, 1, 1])])
def test_second_order_of_spectral_norms_at_equal_singular_values(order: Any, values: list[float]) -> None:
    q = np.linalg.qr(draw(3, 3))[0]
    for x in (np.diag(values), q * values):  # exactly equal, and equal to rounding
        f = lambda a: np.linalg.norm(a, order)  # noqa: E731
        gradient = ag.grad(f)
        numeric = np.stack([slope(gradient, [x], [e.reshape(3, 3)]) for e in np.eye(9)], axis=-1).reshape(3, 3, 3, 3)
        np.testing.assert_allclose(ag.hessian(f)(x), numeric, rtol=1e-6, atol=1e-7)


def test_third_order_of_det_and_of_the_nuclear_norm() -> None:
    a, u, v, w = matrix(), draw(3, 3), draw(3, 3), draw(3, 3)
    for f in (np.linalg.det, lambda x: np.linalg.norm(x, "nuc")):
        second = lambda x, f=f: ag.jvp(lambda z: ag.jvp(f, (z,), (u,))[1], (x,), (v,))[1]  # noqa: E731
        np.testing.assert_allclose(np.sum(ag.grad(second)(a) * w), slope(second, [a], [w]), rtol=1e-6, atol=1e-8)


def test_nuclear_norm_where_singular_values_are_equal_or_vanish() -> None:
    f = lambda x: np.linalg.norm(x, "nuc")  # noqa: E731
    rotation = np.array([[0.0, -2.0], [2.0, 0.0]])
    check(f, rotation)
    low_rank = np.outer([1.0, 2.0], [2.0, 1.0])
    np.testing.assert_allclose(ag.grad(f)(low_rank), low_rank / 5)


# --- inverses, systems, determinants --------------------------------------------------------------


def test_inv() -> None:
    check(np.linalg.inv, matrix())
    check(np.linalg.inv, matrix(2, 1))


SOLVE = [
    ((), (3,)),
    ((), (3, 2)),
    ((4,), (3,)),
    ((4,), (3, 2)),
    ((), (4, 3, 2)),
    ((4,), (4, 3, 1)),
    ((4,), (5, 1, 3, 2)),
    ((5, 1), (4, 3, 2)),
    ((1,), (4, 3, 2)),
]


@pytest.mark.parametrize(("batch", "b"), SOLVE)
def test_solve(batch: tuple[int, ...], b: tuple[int, ...]) -> None:
    check(np.linalg.solve, matrix(*batch), draw(*b))


def test_det_and_slogdet() -> None:
    for batch in ((), (2,), (2, 1)):
        check(np.linalg.det, matrix(*batch))
        check(lambda a: np.linalg.slogdet(a)[1], matrix(*batch))
    check(np.linalg.det, matrix(n=1))
    check(np.linalg.det, draw(2, 2))
    check(np.linalg.det, matrix(n=6) / 4)


@pytest.mark.parametrize("rank", [0, 1, 2, 3])
def test_det_of_singular_matrices(rank: int) -> None:
    check(np.linalg.det, draw(4, rank) @ draw(rank, 4), single=False)
    check(np.linalg.det, np.diag([1.0] * rank + [0.0] * (4 - rank)), single=False)


def test_slogdet_is_the_named_tuple_with_a_constant_sign() -> None:
    a = ag.Tensor(np.array([[0.0, 2.0], [3.0, 1.0]]), requires_grad=True)
    result = np.linalg.slogdet(a)
    assert type(result) is type(np.linalg.slogdet(np.eye(2)))
    assert result.sign == -1
    assert not result.sign.requires_grad
    np.testing.assert_allclose(result.logabsdet.data, np.log(6))
    (result.sign * np.exp(result.logabsdet)).backward()
    np.testing.assert_allclose(a.grad, [[1, -3], [-2, 0]], atol=1e-12)


def test_singular_systems_are_an_error() -> None:
    with pytest.raises(np.linalg.LinAlgError):
        ag.grad(lambda a: np.sum(np.linalg.inv(a)))(np.zeros((2, 2)))


@pytest.mark.parametrize("power", [-3, -1, 0, 1, 2, 5])
def test_matrix_power(power: int) -> None:
    a = matrix(2) / 4
    y, pullback = ag.vjp(lambda x: np.linalg.matrix_power(x, power), a)
    np.testing.assert_allclose(y, np.linalg.matrix_power(a, power), rtol=1e-10)
    g, direction = draw(*y.shape), draw(*a.shape)
    numeric = slope(lambda x: np.linalg.matrix_power(x, power), [a], [direction])
    np.testing.assert_allclose(np.sum(pullback(g)[0] * direction), np.sum(g * numeric), rtol=1e-6, atol=1e-8)


def test_what_has_no_row_is_named() -> None:
    with pytest.raises(ag.NoRowError, match=r"qr covers mode='reduced', 'complete' and 'r', got 'raw'"):
        np.linalg.qr(ag.Tensor(matrix(), requires_grad=True), mode="raw")


def test_hessian_of_a_quadratic_form() -> None:
    a, x = matrix(), draw(3)
    np.testing.assert_allclose(ag.hessian(lambda v: v @ a @ v)(x), a + a.T)
    np.testing.assert_allclose(ag.hessian(lambda v: np.dot(v, np.dot(a, v)))(x), a + a.T)
    np.testing.assert_allclose(ag.hessian(lambda v: np.einsum("i,ij,j->", v, a, v))(x), a + a.T)
    np.testing.assert_allclose(ag.hessian(lambda v: v @ np.linalg.solve(a, v))(x), np.linalg.inv(a) + np.linalg.inv(a).T)
