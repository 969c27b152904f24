"""Products with sparse matrices of SciPy's as they stand, and solutions of sparse systems through the mirror."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from agreement import agrees

import autograd_np as ag

pytest.importorskip("scipy")
from scipy import sparse
from scipy.sparse import linalg as real

from autograd_np.scipy.sparse import linalg

FORMATS = ("csr", "csc", "coo", "dia", "bsr", "lil", "dok")
A = sparse.random(4, 3, density=0.5, format="csr", random_state=0)
SQUARE = sparse.csc_array(np.array([[3.0, 0.0, 1.0], [0.0, -2.0, 0.5], [1.0, 0.0, 2.0]]))
rng = np.random.default_rng(0)
X, X2, Y, Y2 = rng.normal(size=3), rng.normal(size=(3, 2)), rng.normal(size=4), rng.normal(size=(2, 4))


@pytest.mark.parametrize("name", [f"{form}_{kind}" for form in FORMATS for kind in ("array", "matrix")])
def test_products_with_every_format(name: str) -> None:
    m = getattr(sparse, name)(A)
    for f, x in ((lambda x: m @ x, X), (lambda x: m @ x, X2), (lambda x: m @ x, X[:, None]), (lambda x: x @ m, Y), (lambda x: x @ m, Y2),
                 (lambda x: m.T @ x, Y), (lambda x: m.conj().T @ x, Y + 1j * Y[::-1])):  # fmt: skip
        agrees(f, f, x)
    if name.endswith("matrix"):
        agrees(lambda x: m * x, lambda x: m * x, X2)
        agrees(lambda x: x * m, lambda x: x * m, Y)
    if not name.startswith("coo"):
        agrees(m.dot, m.dot, X)
    assert isinstance(m @ X, np.ndarray)
    assert type(m @ ag.Tensor(X)) in (np.ndarray, ag.Tensor)


def test_complex_matrices_and_single_precision() -> None:
    m = sparse.csr_array(A.toarray() + 0.5j * (A.toarray() > 0))
    agrees(lambda x: m @ x, lambda x: m @ x, X)
    agrees(lambda x: x @ m, lambda x: x @ m, Y + 1j)
    single = A.astype(np.float32)
    t = ag.Tensor(X.astype(np.float32), requires_grad=True)
    out = single @ t
    assert out.dtype == np.float32
    np.sum(out).backward()
    assert t.grad.dtype == np.float32


def test_what_would_be_sparse_is_refused() -> None:
    t: Any = ag.Tensor(X, requires_grad=True)
    for m in (sparse.csr_array(A), sparse.csr_matrix(A)):
        with pytest.raises(ag.LeavesNumPyError, match=r"scipy\.sparse\.csr_(array|matrix)\.multiply"):
            m.multiply(t)
        with pytest.raises(ValueError, match="unrecognized csr_array"):
            sparse.csr_array(ag.Tensor(A.toarray(), requires_grad=True))
        with pytest.raises(ag.LeavesNumPyError, match=r"scipy\.sparse.* at .*of a Tensor"):
            ag.grad(lambda a, make=m.__class__: make(a).sum())(A.toarray())
    with pytest.raises(ag.NoRowError, match=r"np\.add of a scipy\.sparse\.csr_matrix.*A\.toarray\(\)"):
        sparse.csr_matrix(A) + ag.Tensor(A.toarray(), requires_grad=True)
    with pytest.raises(ag.NoRowError, match=r"np\.subtract of a scipy\.sparse\.csr_array"):
        ag.Tensor(2.0, requires_grad=True) - sparse.csr_array(A)
    with pytest.raises(ag.LeavesNumPyError, match=r"scipy\.sparse\.csr_array\.__mul__"):
        sparse.csr_array(A) * t
    with pytest.raises(ag.NoRowError, match=r"elementwise.*A\.toarray\(\) \* t"):
        t * sparse.csr_array(A)
    with pytest.raises(ag.NoRowError, match=r"t \* \(A @ x\)"):
        ag.Tensor(2.0, requires_grad=True) * sparse.csr_matrix(A)
    with pytest.raises(ValueError, match="mismatch"):
        A @ ag.Tensor(Y, requires_grad=True)


@pytest.mark.parametrize("name", ["csr", "csc", "coo", "dia"])
def test_sums_with_a_sparse_array_are_dense(name: str) -> None:
    m, x = sparse.csr_array(A).asformat(name), np.cos(A.toarray())
    for f in (lambda x: m + x, lambda x: x + m, lambda x: m - x, lambda x: x - m):
        found, pullback = ag.vjp(lambda x, f=f: f(x) ** 2, x)
        np.testing.assert_allclose(found, f(x) ** 2, rtol=1e-15)
        np.testing.assert_allclose(pullback(np.ones(x.shape))[0], 2 * f(x) * (f(x + 1) - f(x)), rtol=1e-12)


def test_nested_transforms_and_tracing() -> None:
    m = sparse.csr_array(A)
    expected = 2 * (A.T @ A).toarray()
    np.testing.assert_allclose(ag.hessian(lambda x: np.sum((m @ x) ** 2))(X), expected, atol=1e-12)
    assert "sparse_product" in str(ag.trace(lambda x: np.sum(m @ x), X))


@pytest.mark.parametrize("complex_b", [False, True])
def test_sparse_systems(complex_b: bool) -> None:
    for m in (SQUARE, SQUARE + 0.5j * SQUARE.T):
        m = sparse.csc_array(m)
        for b in (X, X2, X[:, None]):
            b = b + 1j * b[::-1] if complex_b else b
            agrees(lambda b, m=m: linalg.spsolve(m, b), lambda b, m=m: real.spsolve(m, b), b)
            if b.dtype.kind == m.dtype.kind:
                for trans in "NTH":
                    agrees(lambda b, m=m, t=trans: linalg.splu(m).solve(b, t), lambda b, m=m, t=trans: real.splu(m).solve(b, t), b)
                agrees(lambda b, m=m: linalg.factorized(m)(b), lambda b, m=m: real.factorized(m)(b), b)
    assert linalg.splu(SQUARE).shape == (3, 3)


def test_single_precision_and_formats() -> None:
    for m in (SQUARE.astype(np.float32), sparse.csr_matrix(SQUARE), SQUARE.astype(np.float32).tocoo()):
        b = X.astype(np.float32)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", sparse.SparseEfficiencyWarning)
            expected = real.spsolve(m, b)
        found = linalg.spsolve(m, ag.Tensor(b, requires_grad=True))
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(found.data, expected, rtol=1e-5)


def test_the_matrix_is_constant() -> None:
    with pytest.raises(ValueError, match="unrecognized csc_array"):
        linalg.spsolve(ag.Tensor(SQUARE.toarray(), requires_grad=True), X)
    with pytest.raises(ag.LeavesNumPyError, match=r"from autograd_np\.scipy\.sparse\.linalg import spsolve"):
        real.spsolve(SQUARE, ag.Tensor(X, requires_grad=True))
