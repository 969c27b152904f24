"""ag.vmap where sizes coincide and indices are of every kind: what would be wrong in silence if axes were mistaken for one another."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_np as ag
import autograd_np.numpy as anp

RNG = np.random.default_rng(0)
Q, v = RNG.normal(size=(3, 3)), RNG.normal(size=3)  # as many examples as everything else has elements
X = RNG.normal(size=(4, 3))


def agrees(f: Any, *columns: Any, gradient: bool = True) -> None:
    expected = np.stack([f(*row) for row in zip(*columns, strict=True)])
    found = ag.vmap(f)(*columns)
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)
    if gradient:
        agrees(ag.grad(lambda *row: np.sum(np.sin(f(*row)) ** 2)), *columns, gradient=False)


OF_VECTORS = {
    "sum with a vector": lambda x: x + v,
    "number and vector": lambda x: v - x[0],
    "matrix and number": lambda x: Q[0] * x[1] + Q,
    "where": lambda x: np.where(x > 0, v, x[0]),
    "where on a number": lambda x: np.where(x[0] > 0, v, -v),
    "where on what is shared": lambda x: np.where(v > 0, x[0], -x),
    "maximum of a column": lambda x: np.maximum(v[:, None], x[None]),
    "clip": lambda x: np.clip(v, -abs(x[0]), abs(x[0])),
    "matrix from the left": lambda x: Q @ x,
    "matrix from the right": lambda x: x @ Q,
    "dot": lambda x: np.dot(Q, x[0]) + np.dot(x, v),
    "dot with a number": lambda x: np.dot(x[0], v) + np.inner(v, x[1]),
    "solve": lambda x: np.linalg.solve(Q, x),
    "solve for one": lambda x: np.linalg.solve(Q + np.diag(x) * 9, v),
    "inner": lambda x: np.inner(Q, x),
    "tensordot": lambda x: np.tensordot(Q, x, 1) + np.tensordot(x, Q, 1),
    "einsum": lambda x: np.einsum("i,ij", x, Q),
    "cross": lambda x: np.cross(x, v),
    "outer": lambda x: np.outer(x, v) @ Q,
    "kron": lambda x: np.kron(x, v),
    "concatenate": lambda x: np.concatenate([v, x[:1], x]),
    "stack": lambda x: np.stack([v[0], x[0], x[1]]),
    "vstack": lambda x: np.vstack([x, v]),
    "hstack": lambda x: np.hstack([x, v]),
    "column_stack": lambda x: np.column_stack([x, v]),
    "sum of a product": lambda x: np.sum(Q * x, axis=-1),
    "max of a sum": lambda x: np.max(Q + x, axis=0),
    "average": lambda x: np.average(Q, axis=0, weights=abs(x)),
    "new axes": lambda x: x[None] + Q[:, None],
    "insert": lambda x: np.insert(x, 1, 9.0),
    "delete": lambda x: np.delete(x, 1),
    "append": lambda x: np.append(x, v),
    "meshgrid": lambda x: np.meshgrid(x, v)[0],
    "select": lambda x: np.select([x > 0, x < -1], [x, v], 0.0),
    "cov": lambda x: np.cov(np.stack([x, v])),
    "polyval": lambda x: np.polyval(x, 2.0) + np.polyval(v, x),
    "gradient": lambda x: np.gradient(x),
    "median": lambda x: np.median(x),
    "norms": lambda x: np.linalg.norm(Q * x) + np.linalg.norm(Q * x, axis=0) + np.linalg.norm(Q * x, "nuc"),
    "matrix_power": lambda x: np.linalg.matrix_power(np.outer(x, v), 2),
    "sort of all": lambda x: np.sort(Q * x, axis=None)[:4],
    "reversed": lambda x: np.reshape(np.outer(x, v), (9,), order="F")[::2],
    "bincount": lambda x: np.bincount(np.array([0, 1, 0]), x),
    "eigvalsh": lambda x: np.linalg.eigvalsh(np.outer(x, x) + np.diag([1.0, 2.0, 4.0])),
    "two halves": lambda x: np.split(x, 3)[1] * v,
}


@pytest.mark.parametrize("f", OF_VECTORS.values(), ids=OF_VECTORS)
def test_as_many_examples_as_elements(f: Any) -> None:
    agrees(f, Q)


C, PICK = RNG.normal(size=(5, 4, 3, 2)), np.array([0, 2, 1])
ROWS, PLACES = np.array([[0, 3], [1, 1], [2, 0], [3, 3], [0, 0]]), np.array([0, 1, 2, 0, 1])
SHARED = {
    "x[i,:,1]": lambda x: x[PICK, :, 1],
    "x[:,i]": lambda x: x[:, PICK],
    "x[i,1]": lambda x: x[PICK, 1],
    "x[1,:,j]": lambda x: x[1, :, np.array([0, 1])],
    "x[pairs]": lambda x: x[np.array([[0, 1], [2, 3]])],
    "x[...,None,0]": lambda x: x[..., None, 0],
    "lists": lambda x: x[[0, 0, 3], [1, 1, 2]],
    "mask of all": lambda x: x[np.tri(4, 3, dtype=bool)],
    "mask of an axis": lambda x: x[:, np.array([True, False, True])],
    "True": lambda x: x[True],
    "x[i,None,1:]": lambda x: x[PICK, None, 1:],
    "backwards": lambda x: x[-1, ..., ::-1],
    "take": lambda x: np.take(x, PICK, axis=-2),
    "take of all": lambda x: np.take(x, [0, -1]),
}
OWN = {
    "x[j]": lambda x, j, k: x[j],
    "x[j,k]": lambda x, j, k: x[j, k],
    "x[:,k]": lambda x, j, k: x[:, k],
    "x[j,:,0]": lambda x, j, k: x[j, :, 0],
    "x[k,1,:]": lambda x, j, k: x[k, 1, :],
    "x[None,j]": lambda x, j, k: x[None, j],
    "grid": lambda x, j, k: x[j[:, None], np.array([0, 2])],
    "x[0,k]": lambda x, j, k: x[0, k],
    "x[...,k-1]": lambda x, j, k: x[..., k - 1],
    "apart": lambda x, j, k: x[j, :, k - 1],
    "x[1:,k,None]": lambda x, j, k: x[1:, k, None],
    "x[-j]": lambda x, j, k: x[-j],
    "x[j,...,1]": lambda x, j, k: x[j, ..., 1],
    "after a slice": lambda x, j, k: x[:2, j[0] % 3, j % 2],
}


@pytest.mark.parametrize("f", SHARED.values(), ids=SHARED)
def test_an_index_that_all_examples_share(f: Any) -> None:
    agrees(f, C)


@pytest.mark.parametrize("f", OWN.values(), ids=OWN)
def test_an_index_of_each_examples_own(f: Any) -> None:
    agrees(f, C, ROWS, PLACES)
    writing = ag.vmap(
        lambda x, j, k: ag.grad(lambda z: np.sum(f(z, j, k) * np.cos(np.arange(2.0))[0]))(x)
    )  # adds where an element is named twice
    expected = [ag.grad(lambda z, j=j, k=k: np.sum(f(z, j, k)))(x) for x, j, k in zip(C, ROWS, PLACES, strict=True)]
    np.testing.assert_allclose(writing(C, ROWS, PLACES), expected)


def test_complex_numbers_and_single_precision() -> None:
    z = X + 1j * X[::-1]
    agrees(lambda z: np.abs(np.vdot(z, z)) + np.real(np.sum(np.exp(z))), z, gradient=False)
    agrees(ag.grad(lambda z: np.abs(np.sum(np.exp(z) * z))), z, gradient=False)
    agrees(lambda x: np.abs(np.fft.fft(x)) + np.fft.irfft(np.fft.rfft(x), 3), X)
    single = X.astype(np.float32)
    for f in (lambda x: np.tanh(x) * 2 + np.mean(x), ag.grad(lambda x: np.sum(np.tanh(x)) * 2.0)):
        found = ag.vmap(f)(single)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, np.stack([f(x) for x in single]), rtol=1e-6)


def test_examples_that_are_numbers() -> None:
    for f in (
        lambda a: a * 2 + np.float32(1),
        np.sin,
        lambda a: np.stack([a, a * a]),
        lambda a: a * np.arange(3.0),
        lambda a: np.outer(np.arange(2.0), a),
    ):
        agrees(f, v)
    agrees(ag.grad(ag.grad(lambda a: np.exp(-a * a))), v)


def test_arrays_made_of_examples() -> None:
    def oscillator(state: Any, k: Any) -> Any:
        x, u = state
        return anp.array([u, -k * x, 1.0])

    agrees(oscillator, X[:, :2], X[:, 2])
    made = ag.vmap(lambda x: (anp.zeros(2), anp.array([x, x]).sum()))(v)
    assert type(made[0]) is np.ndarray
    np.testing.assert_allclose(made[1], 2 * v)

    def filled(x: Any) -> Any:
        o = anp.zeros(3)
        o[1:] = x[:2]
        return o

    with pytest.warns(ag.LoopWarning, match="in place"):
        np.testing.assert_allclose(ag.vmap(filled)(X), np.pad(X[:, :2], ((0, 0), (1, 0))))
