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


def test_a_float_that_becomes_an_int_under_one_name() -> None:
    def convolution(x: Any, w: Any, b: Any) -> Any:
        k = w.shape[0]
        out = (x.shape[1] - k) / 1 + 1
        out = int(out)
        y = np.stack([np.sum(x[:, i : i + k, :k] * w, axis=(1, 2)) + b for i in range(out)])
        return np.mean(y**2)

    source = agrees(convolution, N(2, 5, 5), N(3, 3), N())
    assert ":out" not in source

    def half(x: Any, w: Any, mask: Any) -> Any:
        p = 0.5
        h = x @ w * mask / (1 - p)
        p = int(x.shape[1] * p)
        return np.sum(h[:, :p] ** 2)

    agrees(half, N(4, 6), N(6, 6), np.ones((4, 6)), at=(N(3, 8), N(8, 8), np.ones((3, 8))))


def test_constants_without_names() -> None:
    def f(x: Any) -> Any:
        a = np.sum(np.exp(-0.3333 * x)) * 1.2345
        b = np.sum((x - 0.0171) ** 2) * 0.7071
        c = np.sum(np.sin(2.71828 * x + 0.5772)) / 3.14159
        return a + b + 1.61803 * c

    body = agrees(f, N(4), at=(N(7),)).split("def backward")[1]
    assert "00000" not in body  # no quotients of large numbers


def test_a_variable_that_becomes_what_another_is() -> None:
    def f(x: Any) -> Any:
        b = np.sqrt(1 + x**2)
        a = np.arctan(b)
        d = np.abs(a)
        v = a * (d > 0)
        d = np.sqrt(1 + x**2)
        return np.sum(np.where(a > d, 1.5, 0.5) * v)

    def g(x: Any) -> Any:
        b = np.sin(x)
        d = np.abs(b)
        v = b * d
        d = b
        return np.sum(np.where(v > d, 1.5, 0.5) * v)

    for function in (f, g):
        agrees(function, N(4), at=(N(6),))


def test_a_place_is_written_alone() -> None:
    def f(y: Any) -> Any:
        k = np.stack([1.5 * y[0] - y[0] * y[1], y[0] * y[1] - 3.0 * y[1]])
        return np.sum(np.tanh(k) ** 2)

    assert ",]" not in agrees(f, N(2))


def test_loops_that_nobody_would_read_are_refused() -> None:
    def f(x: Any, w: Any) -> Any:
        out = np.zeros((6, 6))
        for i in range(6):
            for j in range(6):
                for u in range(3):
                    for v in range(3):
                        out[i, j] += x[i + u, j + v] * w[u, v]
        return np.sum(out**2)

    with pytest.raises(ag.errors.DifferentiationError, match=r"1,\d\d\d operations.*np\.einsum"):
        ag.derive(f, N(8, 8), N(3, 3))


def test_many_matrices_of_one_width() -> None:
    def attention(x: Any, w_query: Any, w_key: Any, w_value: Any, w_out: Any) -> Any:
        n, width = x.shape
        heads = 2
        each = width // heads
        q, k, v = ((x @ w).reshape(n, heads, each).transpose(1, 0, 2) for w in (w_query, w_key, w_value))
        scores = q @ k.transpose(0, 2, 1) / np.sqrt(each)
        e = np.exp(scores - scores.max(axis=-1, keepdims=True))
        out = (e / e.sum(axis=-1, keepdims=True) @ v).transpose(1, 0, 2).reshape(n, width) @ w_out
        return np.sum(out**2)

    agrees(attention, N(3, 4), *(N(4, 4) for _ in range(4)), at=(N(5, 6), *(N(6, 6) for _ in range(4))))


def test_covariances_stay_regular_at_other_sizes() -> None:
    def likelihood(m: Any, A: Any, C: Any, Q: Any, R: Any, y: Any) -> Any:
        v = y - C @ (A @ m)
        S = C @ A @ A.T @ C.T + C @ Q @ C.T + R
        _, logdet = np.linalg.slogdet(S)
        return 0.5 * (v @ np.linalg.solve(S, v) + logdet + len(y) * np.log(2 * np.pi))

    def inputs(n: int, k: int) -> tuple[Any, ...]:
        return N(n), N(n, n), N(k, n), np.eye(n), np.eye(k), N(k)

    source = agrees(likelihood, *inputs(3, 2), at=inputs(4, 3))
    assert "np.linalg.inv(S).T" in source
    assert "np.linalg.solve(S.T, 0.5 * v)" in source
    assert "+ len(y) * np.log(2 * np.pi))" in source


def decorated(_inputs: Any) -> Any:
    return lambda f: f


@decorated(lambda: np.zeros(3))
def with_a_lambda_in_its_decorator(x: Any) -> Any:
    squared = lambda z: z**2  # noqa: E731
    return np.sum(squared(x)) + 3 * np.log(2 * np.pi)


def test_what_another_function_returns_is_not_returned_here() -> None:
    assert "np.zeros(3)" not in agrees(with_a_lambda_in_its_decorator, N(4), at=(N(6),))


def test_places_that_are_read_one_by_one_stay_places() -> None:
    def score(scores: Any, moves: Any, y: Any) -> Any:
        total = scores[0, y[0]]
        for t in range(1, 3):
            total = total + moves[y[t - 1], y[t]] ** 2 + scores[t, y[t]]
        return total

    scores, moves = N(3, 4), N(4, 4)
    source = ag.derive(score, scores, moves, np.array([0, 2, 1])).to_numpy()
    y = np.array([3, 3, 3])
    _, gradients = executed(source)["value_and_grad"](scores, moves, y)
    expected = ag.grad(score, argnums=(0, 1))(scores, moves, y)
    for found, wanted in zip(gradients.values(), expected, strict=True):
        np.testing.assert_allclose(found, wanted)
