"""Functions that make arrays and write into them: forward is printed as it was written, and asks for nothing that it makes itself."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
from executed import agrees, check, executed

import autograd_np as ag
import autograd_np.numpy as anp  # with which eager understands writing a Tensor into an array; deriving needs no more than NumPy

RNG = np.random.default_rng(0)


def N(*shape: int) -> Any:  # noqa: N802
    return RNG.normal(size=shape)


def row_after_row(x):
    h = anp.zeros_like(x)
    c = 0.0
    for t in range(3):
        c = np.tanh(c + x[t])
        h[t] = c
    return np.sum(h**2)


def padded(x):
    n, d = x.shape
    out = anp.zeros((n, d + 2))
    out[:, 1:-1] = x
    return np.sum((out[:, :-2] + out[:, 2:]) * x)


def what_was_there_before(x):
    y = 2 * x
    old = y.copy()
    y[1] = x[0] ** 2
    y[2] = y[1] * x[0]
    return np.sum(y * old)


def view_read_after_a_write(x):
    out = anp.zeros(len(x) + 1)
    out[1:] = x
    v = out[1:]
    w = v * 2
    out[0] = np.sum(w)
    return np.sum(out * out) + np.sum(v**3)


def transposed_copy(x):
    y = x.T.copy()
    y[0] = 3 * x[1, :1]
    return np.sum(y.T * x)


def masked(x):
    y = np.sin(x) + x
    y[y > 1] = 0
    return np.sum(y * x)


def filled(x):
    out = anp.empty((2, len(x)))
    out[0] = x**2
    out[1] = np.exp(x)
    return np.sum(out[0] * out[1])


@pytest.mark.parametrize(
    ("f", "sizes"),
    [
        (row_after_row, [(5,), (4,)]),
        (padded, [(4, 5), (6, 3)]),
        (what_was_there_before, [(4,), (6,)]),
        (view_read_after_a_write, [(4,), (6,)]),
        (transposed_copy, [(3, 4), (5, 6)]),
        (masked, [(5,), (7,)]),
        (filled, [(4,), (6,)]),
    ],
    ids=lambda x: getattr(x, "__name__", ""),
)
def test_what_is_written_in_place_is_printed_so(f, sizes):
    x, other = (N(*s) for s in sizes)
    before = x.copy()
    source = agrees(f, x, at=(other,))
    program = executed(source)
    assert list(inspect.signature(program["forward"]).parameters) == ["x"]
    program["value_and_grad"](x)
    assert np.array_equal(x, before)  # no line writes into what it was given


def one_hot(labels, k):
    Y = np.zeros((labels.size, k))
    Y[np.arange(labels.size), labels] = 1
    return Y


def classifier(W, X, labels):
    Y = one_hot(labels, W.shape[1])
    Z = X @ W
    P = np.exp(Z) / np.sum(np.exp(Z), axis=1, keepdims=True)
    return -np.sum(Y * np.log(P)) / len(labels)


def test_labels_written_into_places_are_no_argument_and_each_row_has_one():
    W, X, labels = N(3, 4), N(6, 3), RNG.integers(0, 4, 6)
    source = ag.derive(classifier, W, X, labels, wrt="W").to_numpy()
    assert "def forward(W, X, labels):" in source
    assert "Y[np.arange(X.shape[0]), labels] = 1" in source
    assert "P - Y)" in source


def patches(x_shape, size):
    n, _ = x_shape
    rows = np.repeat(np.arange(size), size).reshape(-1, 1) + np.arange(n - size + 1).reshape(1, -1)
    columns = np.tile(np.arange(size), size).reshape(-1, 1) + np.arange(n - size + 1).reshape(1, -1)
    return rows, columns


def convolved(x, w):
    i, j = patches(x.shape, 2)
    return np.sum(np.tanh(w @ x[i, j]) ** 2)


def test_indices_computed_from_sizes_are_printed_as_they_were_computed():
    source = agrees(convolved, N(5, 5), N(3, 4), at=(N(7, 7), N(3, 4)))
    assert "def forward(x, w):" in source
    assert "np.repeat(np.arange(2), " in source


class Shared:
    """A network whose layer holds the same array as its dict of parameters."""

    def __init__(self, w):
        self.params = {"W1": w}
        self.layers = [{"W": w}]

    def loss(self, x):
        return np.sum(np.tanh(x @ self.layers[0]["W"])) + 0.1 * np.sum(self.params["W1"] ** 2)


def test_an_array_that_an_object_holds_twice_is_one_variable():
    net, x = Shared(N(3, 2)), N(4, 3)
    source = ag.derive(net.loss, x).to_numpy()
    check(source, lambda x, w: np.sum(np.tanh(x @ w)) + 0.1 * np.sum(w**2), (x, net.params["W1"]))


def test_a_line_that_would_take_the_name_of_an_array_is_not_copied():
    def f(x, W):
        n = W.shape[0]
        y = np.zeros((1, n)) + x @ W.T
        n, W = x.shape  # now a number, as in `N, C, H, W = x.shape`
        return np.sum(y**2) / (n * W)

    agrees(f, N(4, 3), N(5, 3), at=(N(6, 2), N(7, 2)))
