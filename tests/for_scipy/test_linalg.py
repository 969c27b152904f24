"""`autograd_np.scipy.linalg` against SciPy: values, both modes, second order, options, real and complex."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from agreement import agrees

import autograd_np as ag

pytest.importorskip("scipy")
from scipy import linalg as real

from autograd_np.scipy import linalg

_rng = np.random.default_rng(3)
A = _rng.normal(size=(3, 3)) + 2 * np.eye(3)
B = _rng.normal(size=(3, 2))
V = _rng.normal(size=3)
S = A @ A.T + np.eye(3)
T = _rng.normal(size=(3, 3)) * 0.3 + np.eye(3)
WIDE, TALL = _rng.normal(size=(3, 5)), _rng.normal(size=(5, 3))
STACK, STACK_B = np.stack([A, T]), _rng.normal(size=(2, 3, 2))
I3 = 1j * _rng.normal(size=(3, 3)) * 0.3
BAND, A4 = _rng.normal(size=(4, 4)) + np.array([[0.0], [3.0], [0.0], [0.0]]), _rng.normal(size=(4, 4))
CA, CB = A + I3, B + 1j * _rng.normal(size=(3, 2))

Maker = Callable[[Any], Callable[..., Any]]


def sym(x: Any) -> Any:
    return (x + np.conjugate(np.swapaxes(x, -1, -2))) / 2


def whatever_sign(values: Any, vectors: Any) -> tuple[Any, Any]:
    """Return the vectors squared: LAPACK chooses a sign, and another one for the same matrix with its last digits changed."""
    return values, vectors * vectors


CASES: dict[str, tuple[Maker, tuple[Any, ...]]] = {
    "inv": (lambda m: m.inv, (A,)),
    "det": (lambda m: m.det, (A,)),
    "solve": (lambda m: m.solve, (A, B)),
    "solve a vector": (lambda m: m.solve, (A, V)),
    "solve stacks": (lambda m: m.solve, (STACK, STACK_B)),
    "solve transposed": (lambda m: lambda a, b: m.solve(a, b, transposed=True), (A, B)),
    "solve pos": (lambda m: lambda a, b: m.solve(sym(a), b, assume_a="pos"), (S, B)),
    "solve sym": (lambda m: lambda a, b: m.solve(sym(a), b, assume_a="sym", lower=True), (S, B)),
    "solve her": (lambda m: lambda a, b: m.solve(sym(a), b, assume_a="her"), (S, V)),
    "solve upper triangular": (lambda m: lambda a, b: m.solve(np.triu(a), b, assume_a="upper triangular"), (A, B)),
    "solve lower triangular": (lambda m: lambda a, b: m.solve(np.tril(a), b, assume_a="lower triangular"), (A, B)),
    "solve tridiagonal": (lambda m: lambda a, b: m.solve(np.triu(np.tril(a, 1), -1), b, assume_a="tridiagonal"), (A, B)),
    "solve diagonal": (lambda m: lambda a, b: m.solve(np.diag(np.diagonal(a)), b, assume_a="diagonal"), (A, B)),
    "solve complex": (lambda m: m.solve, (CA, CB)),
    **{
        f"solve_triangular {trans} {lower} {unit}": (
            lambda m, o={"trans": trans, "lower": lower, "unit_diagonal": unit}: lambda a, b: m.solve_triangular(a, b, **o), (A, B),
        ) for trans in (0, 1, 2) for lower in (True, False) for unit in (True, False)
    },
    **{
        f"solve_triangular complex {trans}": (lambda m, trans=trans: lambda a, b: m.solve_triangular(a, b, trans), (CA, CB))
        for trans in (0, 1, 2, "C")
    },
    "solve_triangular a vector": (lambda m: m.solve_triangular, (A, V)),
    "cholesky": (lambda m: lambda a: m.cholesky(sym(a)), (S,)),
    "cholesky lower": (lambda m: lambda a: m.cholesky(sym(a), lower=True), (S,)),
    "cholesky complex": (lambda m: lambda a: m.cholesky(sym(a @ np.conjugate(a.T)), True), (CA,)),
    "cho_factor": (lambda m: lambda a: m.cho_factor(sym(a))[0], (S,)),
    "cho_solve": (lambda m: lambda a, b: m.cho_solve(m.cho_factor(sym(a)), b), (S, B)),
    "cho_solve lower": (lambda m: lambda a, b: m.cho_solve(m.cho_factor(sym(a), lower=True), b), (S, V)),
    "cho_solve complex": (lambda m: lambda a, b: m.cho_solve(m.cho_factor(sym(a @ np.conjugate(a.T))), b), (CA, CB)),
    "lu": (lambda m: m.lu, (A,)),
    "lu wide": (lambda m: m.lu, (WIDE,)),
    "lu tall": (lambda m: lambda a: m.lu(a, permute_l=True), (TALL,)),
    "lu indices": (lambda m: lambda a: m.lu(a, p_indices=True), (CA,)),
    "lu_factor": (lambda m: lambda a: m.lu_factor(a)[0], (A,)),
    **{f"lu_solve {t}": (lambda m, t=t: lambda a, b: m.lu_solve(m.lu_factor(a), b, trans=t), (CA, CB)) for t in (0, 1, 2)},
    "qr": (lambda m: m.qr, (A,)),
    "qr economic": (lambda m: lambda a: m.qr(a, mode="economic"), (TALL,)),
    "qr r": (lambda m: lambda a: m.qr(a, mode="r"), (WIDE,)),
    "qr pivoting": (lambda m: lambda a: m.qr(a, pivoting=True), (A,)),
    "svd": (lambda m: lambda a: m.svd(a)[1], (TALL,)),
    "svd values": (lambda m: lambda a: m.svd(a, compute_uv=False), (WIDE,)),
    "svdvals": (lambda m: m.svdvals, (A,)),
    "eigvalsh": (lambda m: lambda a: m.eigvalsh(sym(a)), (S,)),
    "eigh": (lambda m: lambda a: whatever_sign(*m.eigh(sym(a))), (S,)),
    "eigh subset": (lambda m: lambda a: whatever_sign(*m.eigh(sym(a), subset_by_index=[1, 2])), (S,)),
    "eigh by value": (lambda m: lambda a: m.eigvalsh(sym(a), subset_by_value=[0.0, 4.0]), (S,)),
    "eigh generalised": (lambda m: lambda a, b: whatever_sign(*m.eigh(sym(a), sym(b))), (A, S)),
    "eigh generalised upper": (lambda m: lambda a, b: m.eigh(sym(a), sym(b), lower=False, eigvals_only=True), (A, S)),
    "eigh generalised complex": (lambda m: lambda a, b: m.eigvalsh(sym(a), b @ np.conjugate(b.T)), (CA, CA + np.eye(3))),
    "eigvals": (lambda m: m.eigvals, (A,)),
    "expm": (lambda m: m.expm, (A,)),
    "expm stacks": (lambda m: m.expm, (STACK,)),
    "expm complex": (lambda m: m.expm, (CA,)),
    "expm_frechet": (lambda m: lambda a, e: m.expm_frechet(a, e, compute_expm=False), (A, T)),
    "logm": (lambda m: m.logm, (T,)),
    "logm stacks": (lambda m: m.logm, (np.stack([T, T.T]),)),
    "logm complex": (lambda m: m.logm, (T + I3,)),
    "sqrtm": (lambda m: m.sqrtm, (T,)),
    "sqrtm stacks": (lambda m: m.sqrtm, (np.stack([T, T.T]),)),
    "sqrtm complex": (lambda m: m.sqrtm, (T + I3,)),
    "solve_banded": (lambda m: lambda ab, b: m.solve_banded((2, 1), ab, b), (BAND, A4)),
    "solve_banded complex": (lambda m: lambda ab, b: m.solve_banded((2, 1), ab, b), (BAND + 0.3j, A4[0] - 1j * A4[1])),
    "solve_sylvester": (lambda m: m.solve_sylvester, (A, T[:2, :2] + np.eye(2), B)),
    "solve_continuous_lyapunov": (lambda m: m.solve_continuous_lyapunov, (A, S)),
    "solve_continuous_lyapunov complex": (lambda m: m.solve_continuous_lyapunov, (CA, S + I3)),
    "solve_discrete_lyapunov": (lambda m: m.solve_discrete_lyapunov, (0.3 * A, S)),
    "solve_discrete_lyapunov bilinear": (lambda m: lambda a, q: m.solve_discrete_lyapunov(a, q, method="bilinear"), (0.2 * CA, S + I3)),
    "block_diag": (lambda m: lambda a, b, v: m.block_diag(a, b, v, 2.0), (A, B, V)),
    "toeplitz": (lambda m: m.toeplitz, (V, np.array([9.0, 1.0, 2.0, 3.0]))),
    "toeplitz hermitian": (lambda m: m.toeplitz, (V + 1j * V[::-1],)),
    "hankel": (lambda m: m.hankel, (V, np.array([9.0, 1.0, 2.0, 3.0]))),
    "hankel zeros": (lambda m: m.hankel, (V,)),
    "circulant": (lambda m: m.circulant, (V,)),
    "norm": (lambda m: m.norm, (A,)),
    "norm nuc": (lambda m: lambda a: m.norm(a, "nuc"), (A,)),
    "norm axis": (lambda m: lambda a: m.norm(a, 3, axis=0, keepdims=True), (A,)),
    "pinv": (lambda m: m.pinv, (TALL,)),
    "pinv rank": (lambda m: lambda a: m.pinv(a, atol=1e-3, return_rank=True), (WIDE,)),
    "lstsq": (lambda m: lambda a, b: m.lstsq(a, b)[:2], (TALL, np.arange(5.0))),
    "lstsq wide": (lambda m: lambda a, b: m.lstsq(a, b)[0], (WIDE, B)),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_agrees_with_scipy(name: str) -> None:
    make, arrays = CASES[name]
    agrees(make(linalg), make(real), *arrays)


def test_a_triangle_is_read_and_only_that_has_a_gradient() -> None:
    spoiled = np.where(np.tri(3, k=-1), np.nan, A)
    g = ag.grad(lambda a: np.sum(linalg.solve_triangular(a, B, check_finite=False)))(spoiled)
    np.testing.assert_array_equal(g[np.tri(3, k=-1, dtype=bool)], 0)
    assert np.all(np.isfinite(g))
    spoiled = np.array([[np.nan, 0.3, 0.2], [2.0, 1.5, 3.0], [0.4, 0.5, np.inf]])
    g = ag.grad(lambda ab: np.sum(linalg.solve_banded((1, 1), ab, V, check_finite=False)))(spoiled)
    assert np.all(np.isfinite(g))
    assert g[0, 0] == g[2, 2] == 0
    spoiled = np.where(np.tri(3, k=0), A, np.nan)
    g = ag.grad(lambda a: np.sum(linalg.cho_solve((a, True), B, check_finite=False)))(spoiled)
    assert np.all(np.isfinite(g))
    g = ag.grad(lambda a: np.sum(linalg.solve(a, B, assume_a="pos", lower=True)))(np.where(np.tri(3, k=0), S, 7.0))
    np.testing.assert_allclose(g, g.T)


def test_what_is_not_covered_is_refused_by_name() -> None:
    t: Any = ag.Tensor(S, requires_grad=True)
    with pytest.raises(ag.NoRowError, match=r"scipy\.linalg\.svd does not cover the argument lapack_driver='gesvd'"):
        linalg.svd(t, lapack_driver="gesvd")
    with pytest.raises(ag.NoRowError, match=r"scipy\.linalg\.eig does not cover the argument left=True"):
        linalg.eig(t, left=True)
    with pytest.raises(ag.NoRowError, match=r"scipy\.linalg\.eig does not cover the argument b="):
        linalg.eig(t, t)
    with pytest.raises(ag.NoRowError, match="type=1"):
        linalg.eigh(t, t, type=2)
    with pytest.raises(ag.NoRowError, match="mode='full'"):
        linalg.qr(t, mode="raw")
    with pytest.raises(ag.LeavesNumPyError, match=r"scipy\.linalg\.hessenberg"):
        linalg.hessenberg(t)
    with pytest.raises(ag.LeavesNumPyError, match=r"from autograd_np\.scipy\.linalg import cho_factor"):
        real.cho_factor(t)
    with pytest.raises(ag.NoRowError, match="computes in double precision"):
        linalg.expm(ag.Tensor(S.astype(np.longdouble)))


def test_lists_that_hold_tensors() -> None:
    assert ag.grad(lambda x: linalg.expm([[0.0, x], [x, 0.0]])[0, 0])(1.0) == pytest.approx(np.sinh(1.0))
    assert ag.grad(lambda x: np.sum(linalg.block_diag(x, [[x, 2.0]])))(3.0) == 2.0
    assert ag.grad(lambda x: np.linalg.det(linalg.toeplitz([x, 1.0])))(3.0) == pytest.approx(6.0)


def test_options_that_change_nothing_are_taken() -> None:
    t: Any = ag.Tensor(S, requires_grad=True)
    for f in (
        lambda: linalg.solve(t, B, False, True, False, check_finite=False),
        lambda: linalg.inv(t, True),
        lambda: linalg.cho_factor(t, False, True, False)[0],
        lambda: linalg.qr(t, False, None, "economic")[1],
        lambda: linalg.lstsq(t, B, None, False, False, True)[0],
    ):
        assert f().requires_grad
    np.testing.assert_array_equal(t.data, S)


def test_single_precision_is_kept() -> None:
    single = {name: tuple(x.astype(np.complex64 if x.dtype.kind == "c" else np.float32) for x in xs) for name, (_, xs) in CASES.items()}
    for name, (make, _) in CASES.items():
        outs = make(linalg)(*(ag.Tensor(x, requires_grad=True) for x in single[name]))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # logm holds single precision to the bound of double
            expected = make(real)(*single[name])
        for a, b in zip(
            outs if isinstance(outs, tuple) else (outs,), expected if isinstance(expected, tuple) else (expected,), strict=True
        ):
            if isinstance(a, ag.Tensor) and a.dtype.kind == b.dtype.kind:
                assert a.dtype == b.dtype or name.split()[0] in ("expm_frechet", "logm", "solve_discrete_lyapunov"), (
                    name
                )  # SciPy's answers in double precision


def test_against_frechet_derivatives_of_scipys() -> None:
    g = _rng.normal(size=(3, 3))
    (found,) = ag.vjp(linalg.expm, A)[1](g)
    np.testing.assert_allclose(found, real.expm_frechet(A.T, g, compute_expm=False), rtol=1e-12)
    for scale in (1e-300, 1e-12, 1e12, 1e200):  # the direction's size does not count
        (again,) = ag.vjp(linalg.expm, A)[1](g * scale)
        np.testing.assert_allclose(again / scale, found, rtol=1e-12)


@pytest.mark.parametrize("name", ["cho_factor", "cholesky", "det", "eigh", "eigvals", "inv", "lu", "pinv", "qr", "svdvals"])
def test_what_is_not_finite_is_refused_as_by_scipy(name: str) -> None:
    for bad in (np.nan, np.inf):
        a = np.diag([2.0, bad, 1.0])
        with pytest.raises(ValueError, match="must not contain infs or NaNs"):
            getattr(real, name)(a)
        for t in (ag.Tensor(a, requires_grad=True), ag.Tensor(a)):
            with pytest.raises(ValueError, match="must not contain infs or NaNs"):
                getattr(linalg, name)(t)
    found = linalg.inv(ag.Tensor(np.full((2, 2, 2), np.nan)), check_finite=False)
    assert np.all(np.isnan(found.data))
    with pytest.raises(ValueError, match="must not contain infs or NaNs"):
        ag.vmap(lambda a: linalg.inv(a))(np.stack([np.eye(2), np.full((2, 2), np.inf)]))
