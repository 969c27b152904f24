"""`ag.compile`: systems with a Cholesky factor by its inverse, and products with diagonals and of vectors, as what they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_np as ag
from autograd_np.compiling.factors import inverse_of_lower
from autograd_np.compiling.ways import has_numba

BACKENDS = ["numpy", *(["numba"] if has_numba() else [])]


def _rng() -> np.random.Generator:
    return np.random.default_rng(0)


def _covariance(n: int, noise: float, x: Any = None) -> Any:
    x = np.linspace(0, 1, n) if x is None else x
    return np.exp(-20 * (x[:, None] - x) ** 2) + noise * np.eye(n)


def _likelihood(K: Any, y: Any) -> Any:
    L = np.linalg.cholesky(K)
    v = np.linalg.solve(L, y)
    return 0.5 * np.sum(v * v) + np.sum(np.log(np.diag(L)))


def _by_both(K: Any, y: Any) -> Any:
    L = np.linalg.cholesky(K)
    return np.sum(np.linalg.solve(L.T, np.linalg.solve(L, y)) * y)


@pytest.mark.parametrize("n", [1, 2, 31, 32, 33, 70, 150])
def test_a_lower_triangular_matrix_is_inverted_by_halves(n: int) -> None:
    L = np.tril(_rng().normal(size=(n, n))) + 2 * np.sqrt(n) * np.eye(n)
    found = inverse_of_lower(L)
    np.testing.assert_allclose(found @ L, np.eye(n), atol=1e-12)
    np.testing.assert_allclose(found, np.linalg.inv(L), atol=1e-13)
    assert inverse_of_lower(L.astype(np.float32)).dtype == np.float32


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("columns", [(), (1,), (3,)])
@pytest.mark.parametrize("n", [5, 40])
@pytest.mark.parametrize("loss", [_likelihood, _by_both])
def test_systems_with_a_factor_are_solved_by_its_inverse(loss: Callable[..., Any], n: int, columns: tuple[int, ...], backend: str) -> None:
    f = ag.value_and_grad(loss, (0, 1))
    K, y = _covariance(n, 0.1), _rng().normal(size=(n, *columns))
    compiled = ag.compile(f, backend=backend)
    for _ in range(2):
        for got, wanted in zip(ag.ravel(compiled(K, y))[0], ag.ravel(f(K, y))[0], strict=True):
            np.testing.assert_allclose(got, wanted, 1e-9, 1e-9)
    source = compiled._last.code.source
    assert source.count("inverse_of_lower(") == 1
    assert "solve(" not in source


def test_second_derivatives_and_float32() -> None:
    x, y = np.linspace(0, 1, 20), _rng().normal(size=20)
    f = lambda s: _likelihood(s[0] * _covariance(20, 0.05, x) + s[1] * np.eye(20), y)  # noqa: E731
    compiled = ag.compile(ag.hessian(f), backend="numpy")
    s = np.array([1.0, 0.3])
    np.testing.assert_allclose(compiled(s), ag.hessian(f)(s), 1e-8)
    g = ag.value_and_grad(_likelihood)
    K = _covariance(20, 0.5).astype(np.float32)
    got, wanted = ag.compile(g, backend="numpy")(K, y.astype(np.float32)), g(K.astype(float), y)
    assert got[1].dtype == np.float32
    np.testing.assert_allclose(got[1], wanted[1], 1e-3, 1e-4)


@pytest.mark.parametrize("noise", [1e-4, 1e-8, 1e-11])
def test_no_more_is_lost_than_the_condition_of_the_matrix_loses(noise: float) -> None:
    K, y = _covariance(60, noise), _rng().normal(size=60)
    f = ag.value_and_grad(_likelihood)
    loss, gradient = ag.compile(f, backend="numpy")(K, y)
    L = np.linalg.cholesky(K.astype(float))
    K_of_longer = (L.astype(np.longdouble) @ L.T.astype(np.longdouble)).astype(float)  # the same factor, and another rounding
    moved = abs(f(K_of_longer, y)[0] - f(K, y)[0])
    condition = np.linalg.cond(K)
    assert abs(loss - f(K, y)[0]) <= 4 * max(moved, condition * 1e-16 * abs(loss))
    error = np.max(np.abs(gradient - f(K, y)[1])) / np.max(np.abs(gradient))
    assert error < 10 * condition * np.finfo(float).eps


def test_what_is_no_pair_of_systems_is_solved_as_it_stands() -> None:
    K, y = _covariance(40, 0.1), _rng().normal(size=40)
    once = ag.compile(lambda K, y: np.linalg.solve(np.linalg.cholesky(K), y), backend="numpy")
    np.testing.assert_array_equal(once(K, y), np.linalg.solve(np.linalg.cholesky(K), y))
    stacked = np.stack([K, 2 * K])
    several = ag.value_and_grad(lambda K: np.sum(np.linalg.solve(np.linalg.cholesky(K), K)))
    compiled = ag.compile(several, backend="numpy")
    np.testing.assert_allclose(compiled(stacked)[1], several(stacked)[1], 1e-8, 1e-8)
    upper = ag.value_and_grad(lambda K: np.sum(np.linalg.solve(np.linalg.cholesky(K, upper=True), y) ** 2))
    by_upper = ag.compile(upper, backend="numpy")
    np.testing.assert_allclose(by_upper(K)[1], upper(K)[1], 1e-8, 1e-8)
    general = ag.value_and_grad(lambda K: np.sum(np.linalg.solve(K, y) ** 2))
    by_general = ag.compile(general, backend="numpy")
    np.testing.assert_allclose(by_general(K)[1], general(K)[1], 1e-12, 1e-12)
    for c in (once, compiled, by_general):
        assert "inverse_of_lower" not in c.source


def test_a_matrix_that_is_not_positive_is_refused_as_ever_and_a_nan_stays() -> None:
    f = ag.value_and_grad(_likelihood)
    compiled = ag.compile(f, backend="numpy")
    K, y = _covariance(40, 0.1), _rng().normal(size=40)
    compiled(K, y)
    with pytest.raises(np.linalg.LinAlgError):
        compiled(-K, y)
    y[3] = np.nan
    assert np.isnan(compiled(K, y)[0])
    assert np.isnan(f(K, y)[0])


def _diagonal_times(a: Any, d: Any, u: Any, v: Any) -> Any:
    return a @ np.diag(d), np.diag(d) @ a, a @ (u[:, None] * v), (u[:, None] * v) @ a, a.T @ (np.diag(d) - u[:, None] * v)


@pytest.mark.parametrize("n", [3, 30])
def test_products_with_diagonals_and_of_vectors(n: int) -> None:
    a = _rng().normal(size=(n, n))
    d, u, v = _rng().normal(size=(3, n))
    compiled = ag.compile(_diagonal_times, backend="numpy")
    for _ in range(2):
        for got, wanted in zip(compiled(a, d, u, v), _diagonal_times(a, d, u, v), strict=True):
            np.testing.assert_allclose(got, wanted, 1e-12, 1e-12)
    d[0], a[0] = np.inf, 0.0
    with np.errstate(all="ignore"):
        for got, wanted in zip(compiled(a, d, u, v), _diagonal_times(a, d, u, v), strict=True):
            np.testing.assert_allclose(got, wanted, 1e-12, 1e-12)


def test_triangles_and_padding_by_nothing() -> None:
    def f(x: Any) -> Any:
        return np.tril(x), np.tril(x, 1), np.triu(x), np.triu(x, -2), np.pad(np.exp(x), 0), np.pad(np.exp(x), [(0, 0), (1, 0)])

    x = _rng().normal(size=(4, 6))
    compiled = ag.compile(f, backend="numpy")
    for given in (x, np.where(x > 1, np.nan, np.where(x < -1, np.inf, x))):
        with np.errstate(all="ignore"):
            for got, wanted in zip(compiled(given), f(given), strict=True):
                np.testing.assert_array_equal(got, wanted)
    assert not np.may_share_memory(compiled(x)[4], x)
