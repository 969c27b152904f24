"""The code people have: classes, helpers of their own, and what must not break the check."""

# ruff: noqa: RUF059  what people leave unused they leave unused

from __future__ import annotations

import numpy as np
from obstacles import Cases
from obstacles_nets import net, small, two_layer

__all__ = ["CASES"]

rng = np.random.default_rng(0)
N = rng.normal
CASES = Cases()
case = CASES.add


# --- classes ---------------------------------------------------------------------------------------


class Affine:
    def __init__(self, W, b, wrong=1.0):
        self.W, self.b, self.wrong = W, b, wrong

    def forward(self, x):
        self.x = x
        out = np.zeros((len(x), self.W.shape[1]))
        out[:] = x @ self.W + self.b
        return out

    def backward(self, dout):
        dx = dout @ self.W.T
        self.dW = self.wrong * (self.x.T @ dout)
        self.db = dout.sum(axis=0)
        return dx


right, wrong = Affine(N(size=(3, 2)), N(size=2)), Affine(N(size=(3, 2)), N(size=2), 7.0)
case("a class, its gradients in self", right.forward, right.backward, {"x": N(size=(4, 3))}, "pass", says=r"(?s)(W.*b|3 gradients)")
case("a class, self.dW wrong", wrong.forward, wrong.backward, {"x": N(size=(4, 3))}, "fail", at="self.dW")


class Network:
    def __init__(self):
        self.params = {"W1": N(size=(3, 4)), "W2": N(size=(4, 1))}
        self.grads = {}

    def loss(self, X, y):
        self.X, self.h = X, np.maximum(0, X @ self.params["W1"])
        self.out = self.h @ self.params["W2"]
        self.y = y
        return np.mean((self.out - y) ** 2)

    def backward(self):
        d = 2 * (self.out - self.y) / self.y.size
        self.grads["W2"] = self.h.T @ d
        dh = d @ self.params["W2"].T
        self.grads["W1"] = self.X.T @ dh


network = Network()
case(
    "a model, its parameters and gradients in dicts",
    network.loss,
    network.backward,
    {"X": N(size=(5, 3)), "y": N(size=(5, 1))},
    "fail",
    kinds={"missing-factor"},
)

# --- helpers of the user's -------------------------------------------------------------------------


def linear_forward(A, W, b):
    return W @ A + b, (A, W)


def deep(X, W1, b1, W2, b2, Y):
    Z1, c1 = linear_forward(X, W1, b1)
    A1 = np.tanh(Z1)
    Z2, c2 = linear_forward(A1, W2, b2)
    return np.mean((Z2 - Y) ** 2)


def linear_backward(dZ, cache):
    A, W = cache
    dW = dZ @ A.T
    db = dZ.mean(axis=1, keepdims=True)
    dA = W.T @ dZ
    return dA, dW, db


def deep_backward(X, Y, A1, Z2, c1, c2):
    dZ2 = 2 * (Z2 - Y) / Y.size
    dA1, dW2, db2 = linear_backward(dZ2, c2)
    dZ1 = dA1 * (1 - A1**2)
    dX, dW1, db1 = linear_backward(dZ1, c1)
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}


case(
    "a mistake inside a helper that is called twice",
    deep,
    deep_backward,
    {"X": N(size=(2, 7)), "W1": N(size=(3, 2)), "b1": N(size=(3, 1)), "W2": N(size=(2, 3)), "b2": N(size=(2, 1)), "Y": N(size=(2, 7))},
    "fail",
    at="db = dZ.mean",
    kinds={"wrong-reduction", "scale"},
)

# --- nothing breaks --------------------------------------------------------------------------------


def rebound(x, w):
    d = 2 * x.reshape(4, -1) @ w
    dw = x.reshape(4, -1).T @ d
    dx = 3 * d @ w.T
    dx = dx.reshape(x.shape)
    return dx, dw


case(
    "a wrong gradient that is reshaped",
    lambda x, w: np.sum((x.reshape(4, -1) @ w) ** 2),
    rebound,
    {"x": N(size=(4, 2, 3)), "w": N(size=(6, 2))},
    "fail",
    at="3 *",
)


def ragged(weights, x):
    for W in weights:
        x = np.tanh(W @ x)
    return np.sum(x**2)


def ragged_backward(weights, x):
    a1 = np.tanh(weights[0] @ x)
    a2 = np.tanh(weights[1] @ a1)
    d2 = 2 * a2 * (1 - a2**2)
    d1 = weights[1].T @ d2 * (1 - a1)
    return {"weights": [d1 @ x.T, d2 @ a1.T]}


case(
    "a ragged list of weights",
    ragged,
    ragged_backward,
    {"weights": [N(size=(4, 3)), N(size=(2, 4))], "x": N(size=(3, 1))},
    "fail",
    at="1 - a1",
)


def clipped(W, x):
    y = np.tanh(W @ x)
    loss = np.sum(y**2)
    dW = 2 * y * (1 - y * y) @ x.T
    np.clip(dW, -5, 5, out=dW)
    return loss, dW


case("np.clip(d, -5, 5, out=d)", clipped, clipped, {"W": 0.1 * N(size=(2, 3)), "x": N(size=(3, 1))}, "pass", says="clip")


def two_at_once(W, X, b):
    def grads():
        return {"dW": 4 * (W @ X + b) @ X.T, "db": 8 * (W @ X + b).sum(axis=1, keepdims=True)}

    both_wrong = grads()
    return both_wrong


case(
    "two mistakes in one call",
    lambda W, X, b: np.sum((W @ X + b) ** 2),
    two_at_once,
    {"W": small["W"], "X": small["X"], "b": N(size=(1, 1))},
    "fail",
    says=r"(?s)dW.*db",
)


def raises(W2, X, Y, A1, A2):
    m = X.shape[1]
    dZ2 = (A2 - Y) / m
    dW2 = dZ2 @ A1.T
    dZ1 = W2.T @ dZ2 * (1 - A1**2)
    dW1 = dZ1 @ X
    return dW1, dW2


case("a backward that raises is judged up to its line", two_layer, raises, net, "fail", at="dZ1 @ X", says=r"X\.T")
case(
    "windows",
    lambda x: np.sum(np.lib.stride_tricks.sliding_window_view(x, 2) ** 2),
    lambda x: {"dx": 2 * (np.r_[0, x[1:]] + np.r_[x[:-1], 0])},
    {"x": N(size=5)},
    "pass",
)
case(
    "np.sum of a list",
    lambda x, y: np.sum([np.sum(x * x), np.sum(y)]),
    lambda x, y: {"dx": 2 * x},
    {"x": N(size=5), "y": N(size=5)},
    "pass",
    wrt=["x"],
)
case(
    "np.array of a list of results",
    lambda x: np.sum(np.array([x[0] * x[1], x[1]]) ** 2),
    lambda x: {"dx": np.array([2 * x[0] * x[1] ** 2, 2 * x[0] ** 2 * x[1] + 2 * x[1]])},
    {"x": N(size=2)},
    "pass",
)
