"""Loops over tiles: large arrays give what eager computes, whatever the axis, the layout and the rest that the last tile is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_np as ag
from autograd_np.compiling.schedule import Loop

N = 100_021


def network(X: Any, Y: Any, W1: Any, b1: Any, W2: Any, b2: Any) -> Any:
    A1 = np.tanh(np.dot(W1, X) + b1)
    A2 = 1 / (1 + np.exp(-(np.dot(W2, A1) + b2)))
    return -np.mean(Y * np.log(A2) + (1 - Y) * np.log(1 - A2))


def _rng() -> np.random.Generator:
    return np.random.default_rng(0)


def _network_inputs() -> list[Any]:
    rng = _rng()
    return [rng.normal(size=s) for s in ((2, N), (1, N), (3, 2), (3, 1), (1, 3), (1, 1))]


def _of_network(*x: Any) -> Any:
    return ag.value_and_grad(network, (2, 3, 4, 5))(x[0], (x[1] > 0) * 1.0, *x[2:])


def _elementwise(x: Any, y: Any) -> Any:
    return ag.value_and_grad(lambda x: np.sum(np.sin(x) * np.exp(-x * x) + np.cos(x * y)))(x)


def _rows(x: Any, w: Any) -> Any:
    z = ag.log_softmax(x @ w)
    return np.mean(z**2), z, np.sum(np.exp(z), axis=1, keepdims=True), np.max(z, axis=1), np.sum(z, axis=0)


def _normalised(x: Any) -> Any:
    def loss(x: Any) -> Any:
        z = (x - np.mean(x, axis=0)) / np.sqrt(np.var(x, axis=0) + 1e-5)
        return np.sum(np.tanh(z) ** 2)

    return ag.value_and_grad(loss)(x)


def _kept(x: Any) -> Any:
    y = np.exp(x) + 1
    z = y * np.sqrt(y)
    return y, z.T, z / np.sum(z), (y - 1)[::-1]


CASES: dict[str, tuple[Any, Any]] = {
    "network": (_of_network, _network_inputs),
    "elementwise": (_elementwise, lambda: [_rng().normal(size=200_003), _rng().normal(size=200_003)]),
    "rows": (_rows, lambda: [_rng().normal(size=(N, 5)), _rng().normal(size=(5, 4))]),
    "normalised": (_normalised, lambda: [_rng().normal(size=(N, 3))]),
    "kept": (_kept, lambda: [_rng().normal(size=(4, N))]),
    "square": (lambda x: np.sum(np.tanh(x) * np.tanh(x.T + 1), axis=0), lambda: [_rng().normal(size=(600, 600))]),
}


@pytest.mark.parametrize("reuse", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_tiles_compute_what_whole_arrays_do(case: str, reuse: bool) -> None:
    f, inputs = CASES[case]
    compiled = ag.compile(f, reuse_outputs=reuse)
    given = inputs()
    for factor in (1.0, 0.5):
        arrays = [x * factor for x in given]
        for layout in (np.ascontiguousarray, np.asfortranarray):
            got, wanted = compiled(*map(layout, arrays)), f(*arrays)
            a, b = ag.ravel(got)[0], ag.ravel(wanted)[0]
            np.testing.assert_allclose(a, b, 1e-8, 1e-9 * float(np.max(np.abs(b))))
    assert compiled.signatures == 1
    assert any(isinstance(item, Loop) for item in compiled.schedule.items)


def test_products_with_columns_cut_out_of_a_matrix_copy_nothing() -> None:
    X, *rest = _network_inputs()
    compiled = ag.compile(_of_network, backend="numpy")
    wanted = ag.ravel(_of_network(X, *rest))[0]
    wide = np.zeros((2, N + 3))
    wide[:, 1:-2] = X
    for given in (X, np.asfortranarray(X), wide[:, 1:-2], X[:, ::-1][:, ::-1]):
        np.testing.assert_allclose(ag.ravel(compiled(given, *rest))[0], wanted, 1e-9, 1e-12)
    loop = compiled.source[compiled.source.index(" in tiles") :]
    assert loop.count("matmul(") == 2  # W1 @ X and the gradient by W1, for which np.dot would copy tiles of X
    assert "multiply(w" in loop  # W2.T dZ2 has one term


def test_tiles_take_less_memory_than_whole_arrays() -> None:
    compiled = ag.compile(_of_network)
    compiled(*_network_inputs())
    assert compiled.memory < 3 * N * 8  # one hidden layer alone
