"""Factors of matrices where they are a matter of choice, of every shape, and what the table's samples cannot ask."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from oracles import directional, numeric_gradient
from table import adjoint, pair

import autograd_np as ag

RNG = np.random.default_rng(3)


def draw(*shape: int, of_complex: bool = False) -> np.ndarray:
    x = RNG.normal(size=shape)
    return x + 1j * RNG.normal(size=shape) if of_complex else x


def hermitian(a: Any) -> Any:
    return (a + adjoint(a)) / 2


def unitary(n: int, of_complex: bool) -> np.ndarray:
    return np.linalg.qr(draw(n, n, of_complex=of_complex))[0]


def with_values(values: Any, of_complex: bool) -> np.ndarray:
    """Return a Hermitian matrix with these eigenvalues, equal to rounding."""
    v = unitary(len(values), of_complex)
    return hermitian((v * np.array(values)) @ adjoint(v))


def check(f: Callable[[Any], Any], x: Any, *, second: bool = True, rtol: float = 1e-6) -> None:
    """Demand of a real loss both modes against differences, and the second order against differences of the first."""
    g = ag.grad(f)(x)
    np.testing.assert_allclose(g, numeric_gradient(f, x), rtol=rtol, atol=1e-7)
    t = draw(*x.shape, of_complex=np.iscomplexobj(x))
    np.testing.assert_allclose(ag.jvp(f, (x,), (t,))[1], pair(g, t), rtol=1e-8, atol=1e-9)
    if second:
        u = draw(*x.shape, of_complex=np.iscomplexobj(x))
        product = ag.hvp(f, x, t)
        expected, error = directional(lambda s: float(pair(ag.grad(f)(x + s * t), u)))
        assert abs(pair(product, u) - expected) <= 1e-5 * max(1, abs(expected)) + 10 * error
        along = ag.grad(lambda z: pair(t, ag.grad(f)(z)))(x)
        np.testing.assert_allclose(along, product, rtol=1e-6, atol=1e-7)


# --- equal values ---------------------------------------------------------------------------------

C = [False, True]


@pytest.mark.parametrize("of_complex", C, ids=["real", "complex"])
@pytest.mark.parametrize("values", [(1.0, 1.0, 2.0), (2.0, 2.0, 2.0), (-1.0, 3.0, 3.0, 3.0), (0.0, 0.0, 1.0)], ids=str)
def test_eigenvalues_that_are_equal_and_weighed_equally(values: Any, of_complex: bool) -> None:
    """Nothing here depends on the choice of a basis: finite, right, and without a warning."""
    a = with_values(values, of_complex)
    n = len(values)
    weights = hermitian(draw(n, n, of_complex=of_complex))
    for x in (a, np.diag(values).astype(a.dtype)):
        for of_values in (lambda m: np.sum(np.exp(m)), lambda m: np.sum(m * m) ** 2):
            check(lambda m, f=of_values: f(np.linalg.eigvalsh(hermitian(m))), x, second=False)
            check(lambda m, f=of_values: f(np.linalg.eigh(hermitian(m)).eigenvalues), x, second=False)
        distinct = np.unique(np.round(values, 6))
        if len(distinct) > 1:
            count = int(np.sum(np.isclose(values, distinct[0])))

            def projector(m: Any, k: int = count) -> Any:
                v = np.linalg.eigh(hermitian(m)).eigenvectors[..., :k]
                return np.sum(np.real(v @ adjoint(v) * weights)) ** 2

            check(projector, x)


@pytest.mark.parametrize("of_complex", C, ids=["real", "complex"])
def test_what_depends_on_the_choice_of_eigenvectors_warns(of_complex: bool) -> None:
    a = with_values((1.0, 1.0, 2.0), of_complex)
    losses: dict[str, Callable[[Any], Any]] = {
        "weighs equal eigenvalues differently": lambda m: np.linalg.eigvalsh(m)[0],
        "the vectors of equal eigenvalues": lambda m: np.sum(np.abs(np.linalg.eigh(m)[1][0, :1]) ** 2),
    }
    for what, loss in losses.items():
        with pytest.warns(ag.GaugeWarning, match=what) as caught:
            g = ag.grad(loss)(a)
        assert np.isfinite(g).all()
        assert caught[0].filename == __file__
    if of_complex:
        with pytest.warns(ag.GaugeWarning, match="phases"):
            ag.grad(lambda m: np.real((1 + 2j) * np.linalg.eigh(m)[1][0, 0]))(with_values((1.0, 2.0), of_complex))


@pytest.mark.parametrize("of_complex", C, ids=["real", "complex"])
@pytest.mark.parametrize("values", [(2.0, 2.0, 1.0), (1.0, 1.0, 1.0)], ids=str)
@pytest.mark.parametrize("shape", [(3, 3), (3, 4), (5, 3)], ids=str)
def test_singular_values_that_are_equal_and_weighed_equally(values: Any, shape: tuple[int, int], of_complex: bool) -> None:
    u, v = (unitary(n, of_complex)[:, :3] for n in shape)
    a = (u * np.array(values)) @ adjoint(v)
    check(lambda m: np.sum(np.linalg.svd(m, compute_uv=False) ** 3), a, second=False)
    check(lambda m: np.sum(np.linalg.svdvals(m) ** 3), a, second=False)
    check(lambda m: np.sum(np.linalg.svd(m).S ** 3), a, second=False)
    weights = draw(*shape, of_complex=of_complex)

    def polar(m: Any) -> Any:
        u, _, vh = np.linalg.svd(m, full_matrices=False)
        return np.sum(np.real(np.conjugate(weights) * (u @ vh))) ** 2

    check(polar, a)
    check(lambda m: np.sum(np.linalg.svdvals(m)), a)
    with pytest.warns(ag.GaugeWarning, match="equal singular values do not determine a second derivative"):
        ag.hvp(lambda m: np.sum(np.linalg.svdvals(m) ** 3), a, a)


@pytest.mark.parametrize("of_complex", C, ids=["real", "complex"])
@pytest.mark.parametrize("shape", [(2, 2), (2, 4), (4, 2), (1, 3), (3, 1)], ids=str)
def test_singular_vectors_that_fill_up_a_matrix(shape: tuple[int, int], of_complex: bool) -> None:
    """The space that they span has a derivative; each of them has none."""
    a = draw(*shape, of_complex=of_complex)
    k = min(shape)
    weights = [hermitian(draw(n, n, of_complex=of_complex)) for n in shape]

    def spaces(m: Any) -> Any:
        u, s, vh = np.linalg.svd(m)
        u0, v0 = u[:, k:], adjoint(vh)[:, k:]
        left, right = (np.sum(np.real(w * (q @ adjoint(q)))) for w, q in zip(weights, (u0, v0), strict=True))
        return left * left + 3 * right * np.sum(s) + np.sum(np.real((u[:, :k] * s) @ vh[:k] * a))

    check(spaces, a)
    if shape[0] > shape[1] + 1:
        with pytest.warns(ag.GaugeWarning, match="fill up an orthogonal matrix"):
            ag.grad(lambda m: np.real(np.linalg.svd(m)[0][0, k]))(a)
    if shape[0] > shape[1]:

        def of_q(m: Any) -> Any:
            q0 = np.linalg.qr(m, mode="complete").Q[:, k:]
            return np.sum(np.real(weights[0] * (q0 @ adjoint(q0)))) ** 2

        check(of_q, a)


@pytest.mark.parametrize("of_complex", C, ids=["real", "complex"])
def test_a_matrix_is_what_its_factors_make(of_complex: bool) -> None:
    """The gradient through any factors and back is that of the matrix itself, also of one that is singular."""
    square, weights = draw(4, 4, of_complex=of_complex), draw(4, 4, of_complex=of_complex)
    low = draw(4, 2, of_complex=of_complex) @ draw(2, 4, of_complex=of_complex)
    low[:, 0] += 0.5
    positive = square @ adjoint(square) + np.eye(4)

    def loss(m: Any) -> Any:
        return np.sum(np.real(np.conjugate(weights) * m)) + np.sum(np.abs(m) ** 2) / 2

    def of_svd(m: Any) -> Any:
        u, s, vh = np.linalg.svd(m, full_matrices=False)
        return loss((u * s) @ vh)

    def of_eig(m: Any) -> Any:
        w, v = np.linalg.eig(m)
        return loss(np.real(v @ (w[:, None] * np.linalg.inv(v)))) if not of_complex else loss((v * w) @ np.linalg.inv(v))

    def of_eigh(m: Any) -> Any:
        w, v = np.linalg.eigh(hermitian(m))
        return loss((v * w) @ adjoint(v))

    for f, x in (
        (of_svd, square), (of_svd, square[:2]), (of_svd, square[:, :3]), (lambda m: loss(np.matmul(*np.linalg.qr(m))), square),
        (of_eig, square), (of_eigh, positive), (lambda m: loss(np.linalg.inv(np.linalg.inv(m))), square),
        (lambda m: loss(np.linalg.cholesky(hermitian(m)) @ adjoint(np.linalg.cholesky(hermitian(m)))), positive),
        (lambda m: loss(adjoint(np.linalg.cholesky(hermitian(m), upper=True)) @ np.linalg.cholesky(hermitian(m), upper=True)), positive),
    ):  # fmt: skip
        w = weights[: x.shape[0], : x.shape[1]]
        if f is of_svd:
            keep, weights = weights, w
        expected = w + x
        if x is positive:
            expected = hermitian(expected)
        np.testing.assert_allclose(ag.grad(f)(x), expected, rtol=1e-8, atol=1e-8)
        if f is of_svd:
            weights = keep
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ag.GaugeWarning)
        for f in (np.linalg.det, lambda m: np.linalg.norm(m, "nuc")):
            assert np.isfinite(ag.grad(lambda m, f=f: np.real(f(m)))(low)).all()


# --- eigenvalues of any matrix --------------------------------------------------------------------


def test_eigenvalues_of_a_real_matrix_are_complex_always() -> None:
    a = ag.Tensor(np.array([[2.0, 1.0], [1.0, 3.0]]), requires_grad=True)
    found = np.linalg.eig(a)
    assert type(found) is type(np.linalg.eig(np.eye(2)))
    assert (found.eigenvalues.dtype, found.eigenvectors.dtype, np.linalg.eigvals(a).dtype) == (complex, complex, complex)
    np.sum(np.real(found.eigenvalues) ** 2).backward()
    np.testing.assert_allclose(a.grad, 2 * a.data.T)
    assert a.grad.dtype == float
    assert np.linalg.eigvals(ag.Tensor(np.eye(2, dtype=np.float32), requires_grad=True)).dtype == np.complex64


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_symmetric_functions_of_eigenvalues(n: int) -> None:
    a = draw(n, n) + np.eye(n)
    check(lambda m: np.sum(np.abs(np.linalg.eigvals(m)) ** 2), a)
    check(lambda m: np.abs(np.prod(np.linalg.eigvals(m))), a)
    check(lambda m: np.sum(np.real(np.exp(np.linalg.eigvals(m)))), a + 1j * draw(n, n))


# --- triangles ------------------------------------------------------------------------------------


@pytest.mark.parametrize("of_complex", C, ids=["real", "complex"])
@pytest.mark.parametrize("UPLO", ["L", "U"])
def test_a_gradient_by_a_triangle_is_hermitian(UPLO: str, of_complex: bool) -> None:
    a = with_values((1.0, 2.0, 4.0), of_complex)
    other = np.triu(draw(3, 3), 1) if UPLO == "L" else np.tril(draw(3, 3), -1)
    fs: list[Callable[[Any], Any]] = [
        lambda m: np.sum(np.linalg.eigvalsh(m, UPLO) ** 2),
        lambda m: np.sum(np.abs(np.linalg.eigh(m, UPLO).eigenvectors) ** 4),
        lambda m: np.sum(np.abs(np.linalg.cholesky(m, upper=UPLO == "U")) ** 4),
    ]
    for f in fs:
        g = ag.grad(f)(a)
        np.testing.assert_allclose(g, adjoint(g), rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(ag.grad(f)(a + other), g, rtol=1e-10, atol=1e-12, err_msg="the other triangle was read")


# --- shapes ---------------------------------------------------------------------------------------

EMPTY: dict[str, tuple[Callable[[Any], Any], tuple[int, ...]]] = {
    "cholesky": (np.linalg.cholesky, (0, 0)),
    "batch of none": (np.linalg.cholesky, (0, 2, 2)),
    "qr": (lambda a: np.linalg.qr(a)[0], (3, 0)),
    "r": (lambda a: np.linalg.qr(a, mode="r"), (0, 2)),
    "eigh": (lambda a: np.linalg.eigh(a)[1], (0, 0)),
    "eigvalsh": (np.linalg.eigvalsh, (0, 3, 3)),
    "eig": (lambda a: np.linalg.eig(a)[1], (0, 0)),
    "svd": (lambda a: np.linalg.svd(a)[0], (2, 0, 0)),
    "svdvals": (np.linalg.svdvals, (0, 2)),
    "det": (np.linalg.det, (0, 0)),
    "slogdet": (lambda a: np.linalg.slogdet(a)[1], (0, 0)),
    "inv": (np.linalg.inv, (0, 0)),
    "pinv": (np.linalg.pinv, (0, 2)),
    "lstsq": (lambda a: np.linalg.lstsq(a, np.zeros(0))[0], (0, 2)),
}


@pytest.mark.parametrize("name", EMPTY)
def test_matrices_without_elements(name: str) -> None:
    f, shape = EMPTY[name]
    x = np.zeros(shape)
    out, pullback = ag.vjp(f, x)
    np.testing.assert_array_equal(out, f(x))
    assert pullback(np.zeros_like(out))[0].shape == shape
    assert np.shape(ag.jvp(f, (x,), (x,))[1]) == np.shape(out)
    assert ag.grad(lambda z: np.sum(np.abs(f(z)) ** 2))(x).shape == shape


def test_options_that_are_made_of_others() -> None:
    a, b = draw(3, 3) + 3 * np.eye(3), draw(4, 2)
    for p in (None, 2, -2, 1, -1, np.inf, -np.inf, "fro", "nuc"):
        check(lambda m, p=p: np.linalg.cond(m, p), a, rtol=1e-5)
        np.testing.assert_allclose(np.linalg.cond(ag.Tensor(a, requires_grad=True), p).data, np.linalg.cond(a, p), rtol=1e-13)
    check(np.linalg.cond, b)
    check(lambda m: np.sum(np.linalg.cond(np.stack([m, 2 * m + np.eye(3)]), 1)), a)
    singular = ag.Tensor(np.ones((2, 2)), requires_grad=True)
    for p in (1, "fro"):
        assert np.linalg.cond(singular, p).data == np.inf
    symmetric = hermitian(a)
    check(lambda m: np.sum(np.linalg.svd(hermitian(m), hermitian=True).S ** 3), symmetric)
    check(lambda m: np.sum(np.linalg.svd(hermitian(m), compute_uv=False, hermitian=True)[:2] ** 2), symmetric)
    for found, expected in zip(np.linalg.svd(ag.Tensor(symmetric), hermitian=True), np.linalg.svd(symmetric, hermitian=True), strict=True):
        np.testing.assert_allclose(found.data, expected, rtol=1e-12)
    check(lambda m: np.sum(np.linalg.pinv(hermitian(m), hermitian=True) ** 2), symmetric)
    low_rank = np.outer([1.0, 2.0, 3.0], [1.0, -1.0])

    def scaled(t: Any) -> Any:  # stays of rank one
        return np.sum(np.linalg.pinv(np.exp(t) * low_rank, rcond=1e-8) ** 2)

    np.testing.assert_allclose(ag.grad(scaled)(0.3), numeric_gradient(scaled, 0.3), rtol=1e-8)
    assert np.linalg.matrix_rank(ag.Tensor(low_rank, requires_grad=True)) == 1


@pytest.mark.parametrize("rcond", [None, -1, 0.5])
def test_least_squares(rcond: Any) -> None:
    for a, b in ((draw(5, 3), draw(5)), (draw(5, 3), draw(5, 2)), (draw(2, 4), draw(2)), (draw(3, 3) + 2 * np.eye(3), draw(3, 2))):

        def loss(a: Any, b: Any) -> Any:
            x, residuals, _, s = np.linalg.lstsq(a, b, rcond)
            return np.sum(x * x * x) + np.sum(residuals * residuals) + np.sum(s * s * s)

        if rcond == 0.5 and np.linalg.svdvals(a)[-1] < 0.55 * np.linalg.svdvals(a)[0]:
            continue
        for n, g in enumerate(ag.grad(loss, (0, 1))(a, b)):
            np.testing.assert_allclose(g, numeric_gradient(loss, a, b, wrt=n), rtol=1e-6, atol=1e-8)
    found = np.linalg.lstsq(ag.Tensor(draw(4, 2), requires_grad=True), draw(4))
    assert int(found[2].data) == 2
    assert not found[2].requires_grad


def test_singular_values_of_zero() -> None:
    """A singular value alone has a kink at zero; with its vectors it has a sign, and no kink."""
    low = np.outer([1.0, 2.0], [2.0, 1.0])
    np.testing.assert_allclose(ag.grad(lambda m: np.sum(np.linalg.svdvals(m)))(low), low / 5)

    def rebuilt(m: Any) -> Any:
        u, s, vh = np.linalg.svd(m)
        return np.sum((u * s) @ vh * np.array([[1.0, -2.0], [0.5, 3.0]]))

    np.testing.assert_allclose(ag.grad(rebuilt)(low), [[1.0, -2.0], [0.5, 3.0]], atol=1e-12)
    tall = np.outer([1.0, 2.0, 3.0], [2.0, 1.0])

    def of_tall(m: Any, power: int, weights: Any = tall) -> Any:
        u, s, vh = np.linalg.svd(m, full_matrices=False)
        return np.sum((u * s**power) @ vh * weights)

    with pytest.warns(ag.GaugeWarning, match="singular values that are 0"):
        ag.grad(of_tall)(tall, 1, np.arange(6.0).reshape(3, 2) ** 2)
    np.testing.assert_allclose(ag.grad(of_tall)(tall, 3), 3 * tall * np.sum(tall**2), rtol=1e-12)
    for shape in ((2, 2), (3, 2), (2, 3)):
        np.testing.assert_array_equal(ag.grad(lambda m: np.sum(np.linalg.svd(m)[1] ** 2))(np.zeros(shape)), np.zeros(shape))
        np.testing.assert_array_equal(ag.grad(lambda m: np.sum(np.linalg.svd(m)[1]))(np.zeros(shape)), np.zeros(shape))


def test_what_is_singular_has_a_gradient_of_nan_and_raises_nothing() -> None:
    with np.errstate(all="ignore"):
        assert np.isnan(ag.grad(lambda m: np.sum(np.linalg.qr(m)[1]))(np.array([[0.0, 1.0], [0.0, 2.0]]))).any()


def test_matrix_norms_of_complex_matrices() -> None:
    a = draw(3, 2, of_complex=True)
    for order in ("fro", "nuc", 2, -2, 1, -1, np.inf, -np.inf):
        check(lambda m, o=order: np.linalg.norm(m, o), a)
        check(lambda m, o=order: np.sum(np.linalg.matrix_norm(np.stack([m, 2 * m]), ord=o)), a)
    for order in (None, 2, 1, 3, 1.5, -1, np.inf, -np.inf, 0):
        check(lambda m, o=order: np.sum(np.linalg.norm(m, o, axis=0)), a)
    np.testing.assert_array_equal(ag.grad(np.linalg.norm)(np.zeros(3, complex)), np.zeros(3))
