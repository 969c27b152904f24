"""However a function is written, what is printed computes the same: names bound again, loops, containers, objects, outer variables."""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

import numpy as np
import pytest
from executed import agrees, executed

import autograd_np as ag

RNG = np.random.default_rng(0)


def N(*shape: int) -> Any:  # noqa: N802
    return RNG.normal(size=shape)


# --- functions of arrays: also right at other sizes


def rebound(x, w):
    e = x @ w
    e = e**2
    return e.mean() + np.abs(w).sum()


def rebound_often(x, y):
    d = x - y
    d = d**2
    d = d.sum(axis=1)
    x = d.mean()
    return np.sqrt(x)


def input_rebound_in_a_loop(x, w):
    for _ in range(3):
        x = x + np.tanh(x @ w @ w.T)
    return np.mean(x**2)


def augmented(x, w):
    z = x @ w
    z *= 2
    z -= z.mean(axis=0)
    return np.sum(np.tanh(z))


def loss_augmented(x, w):
    loss = np.sum(np.tanh(x @ w))
    loss += 0.1 * np.sum(w * w)
    return loss


def swapped(x, w):
    a, b = x @ w, np.sum(x, axis=1)
    a, b = np.tanh(a), np.exp(-(b**2))
    return np.sum(a.T @ b)


def cached(x, w):
    cache = {}
    cache["z"] = x @ w
    cache["a"] = np.maximum(cache["z"], 0)
    return np.sum(cache["a"] ** 2)


def named_inside(x, w):
    return np.sum((h := np.tanh(x @ w)) ** 2) + np.mean(h)


def with_functions_inside(x, w):
    def model(x):
        z = x @ w
        return 1 / (1 + np.exp(-z))

    def cross_entropy(z):
        return -np.mean(np.log(z) + np.log(1 - z))

    return cross_entropy(model(x)) + 0.01 * np.sum(w * w)


def shadowed(x, w):
    def square(x):
        return x * x

    z = square(x) + 1
    z = np.log(z)
    return np.sum(z @ w)


def branching(x, w, squared=True):
    e = x @ w
    r = e**2 if squared else np.abs(e)
    return r.mean()


def branch_on_shape(x, w):
    if x.ndim == 1:
        x = x[None]
    return np.sum((x @ w) ** 2)


def sizes_of_products(x, w):
    k = np.exp(-((x[:, None] - x[None]) ** 2).sum(axis=-1))
    return k.mean() + np.mean(np.diff(x @ w, axis=0) ** 2)


def masked(x, w):
    z = x @ w
    positive = z > 0
    return np.sum(z[positive] ** 2) - np.sum(np.exp(z[~positive]))


FUNCTIONS = [
    rebound,
    input_rebound_in_a_loop,
    sizes_of_products,
    augmented,
    loss_augmented,
    swapped,
    cached,
    named_inside,
    with_functions_inside,
    shadowed,
    branching,
    branch_on_shape,
    masked,
]


@pytest.mark.parametrize("f", FUNCTIONS, ids=lambda f: f.__name__)
def test_functions(f: Any) -> None:
    agrees(f, N(5, 3), N(3, 2), at=(N(4, 2), N(2, 6)))


def test_a_name_bound_to_other_shapes() -> None:
    agrees(rebound_often, N(5, 3), N(5, 3), at=(N(2, 4), N(2, 4)))


# --- containers


@dataclasses.dataclass
class Parameters:
    w: Any
    b: float


class Pair(NamedTuple):
    w: Any
    b: Any


def linear(p, X, y):
    e = X @ p.w + p.b - y
    return np.mean(e**2)


@pytest.mark.parametrize("p", [Parameters(N(3), 0.5), Pair(N(3), N(1))], ids=["dataclass", "namedtuple"])
def test_containers(p: Any) -> None:
    X, y = N(5, 3), N(5)
    run = executed(ag.derive(linear, p, X, y, wrt=["w", "b"]).to_numpy())["value_and_grad"]
    value, gradients = run(w=p.w, b=p.b, X=X, y=y)
    e = X @ p.w + p.b - y
    np.testing.assert_allclose(value, np.mean(e**2))
    np.testing.assert_allclose(gradients["dw"], 2 * X.T @ e / 5)
    np.testing.assert_allclose(gradients["db"], np.full(np.shape(p.b), 2 * np.mean(e)))


# --- objects and outer variables


class Classifier:
    def __init__(self) -> None:
        self.params = {"W": N(4, 3), "b": N(3)}
        self.reg = 0.1

    def loss(self, X, y):
        self.X = X
        self.scores = X @ self.params["W"] + self.params["b"]
        shifted = self.scores - self.scores.max(axis=1, keepdims=True)
        P = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
        reg = 0.5 * self.reg * np.sum(self.params["W"] ** 2)
        return -np.log(P[np.arange(len(y)), y]).mean() + reg


def test_the_parameters_of_an_object() -> None:
    net, X, y = Classifier(), N(5, 4), np.array([0, 2, 1, 1, 0])
    source = ag.derive(net.loss, X, y, wrt=["W", "b"]).to_numpy()
    value, gradients = executed(source)["value_and_grad"](X=X, y=y, **net.params)
    np.testing.assert_allclose(value, net.loss(X, y))

    def loss(W, b):
        net.params = {"W": W, "b": b}
        return net.loss(X, y)

    W, b = net.params["W"], net.params["b"]
    wanted = ag.grad(loss, argnums=(0, 1))(W, b)
    np.testing.assert_allclose(gradients["dW"], wanted[0])
    np.testing.assert_allclose(gradients["db"], wanted[1])


def test_an_object_keeps_no_tensors() -> None:
    net, X, y = Classifier(), N(5, 4), np.array([0, 2, 1, 1, 0])
    ag.derive(net.loss, X, y, wrt=["W", "b"])
    assert not any(isinstance(v, ag.Tensor) for v in vars(net).values())
    net.loss(X, y)
