"""ag.sparse_jacobian: against the dense Jacobian, in as few products as there are colours; patterns that are too small."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_np as ag

sparse = pytest.importorskip("scipy.sparse")

X = np.linspace(-1, 1, 12)


def band(n: int, width: int = 1) -> np.ndarray:
    return np.abs(np.subtract.outer(np.arange(n), np.arange(n))) <= width


def diffusion(x: Any, rate: Any = 1.0) -> Any:
    inner = np.sin(x[1:-1]) * (x[2:] - 2 * x[1:-1] + x[:-2]) * rate
    return np.concatenate([x[:1], inner, x[-1:]])


def test_a_banded_jacobian() -> None:
    j = ag.sparse_jacobian(diffusion, band(12))(X)
    assert sparse.issparse(j)
    assert j.format == "csr"
    np.testing.assert_allclose(j.toarray(), ag.jacobian(diffusion)(X), rtol=1e-13)
    scaled = ag.sparse_jacobian(diffusion, sparse.csr_matrix(band(12)), argnames="x")(x=X, rate=3.0)
    np.testing.assert_allclose(scaled.toarray(), ag.jacobian(diffusion)(X, 3.0), rtol=1e-13)


@pytest.mark.parametrize("chunk_size", [None, 1, 2, 5])
@pytest.mark.parametrize(
    ("f", "x", "pattern"),
    [
        (diffusion, X, band(12)),
        (lambda x: np.stack([np.sum(x**2), x[0]]), X, np.array([[True] * 12, [True] + [False] * 11])),  # rows are fewer
        (lambda x: np.outer(x, x) * np.eye(3), X[:3], np.eye(9)[:, ::4] != 0),
        (lambda x: x**2, X.reshape(3, 4), np.eye(12)),
        (lambda x: x.astype(np.float32) ** 2, X.astype(np.float32), np.eye(12)),
        (lambda x: x * 0, X, np.zeros((12, 12))),
        (lambda x: x[:0], X, np.zeros((0, 12))),
        (np.sin, 0.5, [[1]]),
    ],
    ids=["band", "wide", "diagonal", "matrix", "single precision", "zero", "empty", "number"],
)
def test_against_the_dense_jacobian(f: Any, x: Any, pattern: Any, chunk_size: int | None) -> None:
    found = ag.sparse_jacobian(f, pattern, chunk_size=chunk_size)(x)
    expected = ag.jacobian(f)(x)
    assert found.shape == (np.size(f(x)), np.size(x))
    np.testing.assert_allclose(found.toarray(), expected.reshape(found.shape), rtol=1e-6)
    if expected.size:
        assert found.dtype == expected.dtype


def test_products_are_as_many_as_colours() -> None:
    sweeps = []

    @ag.custom_gradient
    def counted(x: Any) -> Any:
        def pullback(g: Any) -> Any:
            sweeps.append(1)
            return g

        return x * 1, pullback

    n = 300
    x = np.linspace(0, 1, n)
    f = lambda x: diffusion(counted(x))  # noqa: E731
    j = ag.sparse_jacobian(f, band(n))(x)
    assert len(sweeps) == 3 + 1  # three colours, and the check
    np.testing.assert_allclose(j.toarray(), ag.jacobian(diffusion)(x), rtol=1e-12)
    arrow = np.eye(n, dtype=bool)
    arrow[0] = True  # a full row: columns need n colours, rows two
    sweeps.clear()
    g = lambda x: np.concatenate([[1.0] * 0, np.reshape(np.sum(counted(x)), 1), counted(x)[1:] ** 2])  # noqa: E731
    j = ag.sparse_jacobian(g, arrow)(x)
    assert len(sweeps) <= 2 * (2 + 1)
    np.testing.assert_allclose(j.toarray(), ag.jacobian(g)(x), rtol=1e-12)


def test_a_pattern_that_is_too_small_is_refused() -> None:
    with pytest.raises(ag.DifferentiationError, match=r"leaves out entries.*in 10 rows, the first of them 1"):
        ag.sparse_jacobian(diffusion, np.eye(12))(X)
    pattern = band(12)
    pattern[7, 6] = False
    with pytest.raises(ag.DifferentiationError, match="leaves out entries"):
        ag.sparse_jacobian(diffusion, pattern)(X)
    wide = np.zeros((1, 12), bool)
    wide[0, 3] = True
    with pytest.raises(ag.DifferentiationError, match="leaves out entries"):
        ag.sparse_jacobian(lambda x: np.reshape(np.sum(x**2), 1), wide)(X)
    assert ag.sparse_jacobian(diffusion, band(12, 3))(X).nnz > ag.sparse_jacobian(diffusion, band(12))(X).nnz  # a larger one is none


def test_what_is_refused() -> None:
    with pytest.raises(ag.DifferentiationError, match=r"pattern of shape \(3, 3\) for a Jacobian of shape \(12, 12\)"):
        ag.sparse_jacobian(diffusion, band(3))(X)
    with pytest.raises(ag.DifferentiationError, match="single array as an argument, got dict"):
        ag.sparse_jacobian(lambda p: p["x"], band(12))({"x": X})
    with pytest.raises(ag.DifferentiationError, match="single array as a result, got tuple"):
        ag.sparse_jacobian(lambda x: (x, x), band(12))(X)
    with pytest.raises(ag.DifferentiationError, match="inside another transform"):
        ag.grad(lambda w: np.sum(ag.sparse_jacobian(lambda x: x * w, np.eye(12))(X).toarray()))(1.0)
    with pytest.raises(ag.DifferentiationError, match="complex"):
        ag.sparse_jacobian(np.exp, np.eye(12))(X * 1j)
    with pytest.raises(ValueError, match="chunk_size=0"):
        ag.sparse_jacobian(np.exp, np.eye(12), chunk_size=0)


@given(st.integers(0, 2**31), st.integers(1, 8), st.integers(1, 8), st.floats(0, 0.7))
def test_random_patterns(seed: int, m: int, n: int, density: float) -> None:
    rng = np.random.default_rng(seed)
    pattern = rng.random((m, n)) < density
    a = np.where(pattern, rng.normal(size=(m, n)), 0)
    x = rng.normal(size=n)
    found = ag.sparse_jacobian(lambda x: a @ np.sin(x), pattern, chunk_size=2)(x)
    np.testing.assert_allclose(found.toarray(), a * np.cos(x), rtol=1e-10)
    assert found.nnz == pattern.sum()
