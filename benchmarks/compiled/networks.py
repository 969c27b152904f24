"""Networks: the notebook's, a perceptron, a recurrent one and a block of a transformer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks import notebook_step
from benchmarks.compiled.case import Arrays, Case, Problem

__all__ = ["CASES"]


# --- the notebook's -------------------------------------------------------------------------------


def notebook_problem(m: int, rng: np.random.Generator) -> Problem:
    """Return the parameters of the 2-3-1 network, and m samples."""
    X, Y, parameters = notebook_step.problem(m, int(rng.integers(1 << 30)))
    return Problem(parameters, (X, Y))


def notebook_loss(np: Any, parameters: Any, X: Any, Y: Any) -> Any:
    """Return the cross-entropy as the notebook spells it out."""
    return notebook_step.cost(np, X, Y, *parameters)


def notebook_tuned(parameters: Arrays, X: np.ndarray, Y: np.ndarray) -> tuple[Callable[[], Any], Arrays]:
    """Return the cost and the gradients by hand, in arrays that are made once."""
    W1, b1, W2, b2 = parameters
    m = X.shape[1]
    A1, dZ1, T1 = np.empty((3, 3, m))
    A2, dZ2, T2 = np.empty((3, 1, m))
    dW1, db1, dW2, db2 = gradients = tuple(map(np.empty_like, parameters))
    rest = 1 - Y

    def call() -> Any:
        for W, A, b, Z in ((W1, X, b1, A1), (W2, A1, b2, A2)):
            np.dot(W, A, out=Z)
            np.add(Z, b, out=Z)
            np.negative(Z, out=Z)
            np.exp(Z, out=Z)
            np.add(Z, 1, out=Z)
            np.reciprocal(Z, out=Z)
        np.log(A2, out=dZ2)
        cost = np.vdot(Y, dZ2)
        np.subtract(1, A2, out=T2)
        np.log(T2, out=T2)
        cost += np.vdot(rest, T2)
        np.subtract(A2, Y, out=dZ2)
        np.divide(dZ2, m, out=dZ2)
        np.dot(dZ2, A1.T, out=dW2)
        np.add.reduce(dZ2, axis=1, keepdims=True, out=db2)
        np.dot(W2.T, dZ2, out=dZ1)
        np.multiply(dZ1, A1, out=dZ1)
        np.subtract(1, A1, out=T1)
        np.multiply(dZ1, T1, out=dZ1)
        np.dot(dZ1, X.T, out=dW1)
        np.add.reduce(dZ1, axis=1, keepdims=True, out=db1)
        return -cost / m

    return call, gradients


# --- a perceptron ---------------------------------------------------------------------------------


def perceptron_problem(batch: int, rng: np.random.Generator) -> Problem:
    """Return the parameters of a 784-128-10 perceptron, and a batch of images and their classes, one in ten."""
    X = rng.random((batch, 784), np.float32)
    Y = np.eye(10, dtype=np.float32)[rng.integers(0, 10, batch)]
    W1 = (rng.standard_normal((784, 128)) * np.sqrt(2 / 784)).astype(np.float32)
    W2 = (rng.standard_normal((128, 10)) * np.sqrt(2 / 128)).astype(np.float32)
    return Problem((W1, np.zeros(128, np.float32), W2, np.zeros(10, np.float32)), (X, Y))


def perceptron_loss(np: Any, parameters: Any, X: Any, Y: Any) -> Any:
    """Return the cross-entropy of a softmax."""
    W1, b1, W2, b2 = parameters
    A1 = np.relu(X @ W1 + b1)
    return -np.sum(Y * np.log_softmax(A1 @ W2 + b2)) / X.shape[0]


def perceptron_by_hand(parameters: Arrays, X: np.ndarray, Y: np.ndarray) -> tuple[Any, Arrays]:
    """Return the loss and the gradients that were derived on paper."""
    W1, b1, W2, b2 = parameters
    m = X.shape[0]
    A1 = np.maximum(X @ W1 + b1, 0)
    Z2 = A1 @ W2 + b2
    S = Z2 - np.max(Z2, axis=1, keepdims=True)
    E = np.exp(S)
    total = np.sum(E, axis=1, keepdims=True)
    loss = -np.sum(Y * (S - np.log(total))) / m
    dZ2 = (E / total - Y) / m
    dZ1 = (dZ2 @ W2.T) * (A1 > 0)
    return loss, (X.T @ dZ1, np.sum(dZ1, axis=0), A1.T @ dZ2, np.sum(dZ2, axis=0))


def perceptron_tuned(parameters: Arrays, X: np.ndarray, Y: np.ndarray) -> tuple[Callable[[], Any], Arrays]:
    """Return the same in arrays that are made once."""
    W1, b1, W2, b2 = parameters
    m = X.shape[0]
    A1, dZ1 = np.empty((2, m, 128), np.float32)
    mask = np.empty((m, 128), bool)
    S, E = np.empty((2, m, 10), np.float32)
    top, total = np.empty((2, m, 1), np.float32)
    dW1, db1, dW2, db2 = gradients = tuple(map(np.empty_like, parameters))

    def call() -> Any:
        np.matmul(X, W1, out=A1)
        np.add(A1, b1, out=A1)
        np.maximum(A1, 0, out=A1)
        np.matmul(A1, W2, out=S)
        np.add(S, b2, out=S)
        np.max(S, axis=1, keepdims=True, out=top)
        np.subtract(S, top, out=S)
        np.exp(S, out=E)
        np.add.reduce(E, axis=1, keepdims=True, out=total)
        np.divide(E, total, out=E)
        np.subtract(E, Y, out=E)
        np.divide(E, m, out=E)
        np.log(total, out=total)
        np.subtract(S, total, out=S)
        loss = -np.vdot(Y, S) / m
        np.matmul(E, W2.T, out=dZ1)
        np.greater(A1, 0, out=mask)
        np.multiply(dZ1, mask, out=dZ1)
        np.matmul(X.T, dZ1, out=dW1)
        np.add.reduce(dZ1, axis=0, out=db1)
        np.matmul(A1.T, E, out=dW2)
        np.add.reduce(E, axis=0, out=db2)
        return loss

    return call, gradients


# --- a recurrent network --------------------------------------------------------------------------


def recurrent_problem(steps: int, rng: np.random.Generator) -> Problem:
    """Return the parameters of 32 units that read 16 inputs, and 8 sequences, a step first."""
    shapes = {"Wx": (16, 32), "Wh": (32, 32), "b": (32,), "Wo": (32, 1)}
    parameters = tuple(rng.standard_normal(shape) / np.sqrt(shape[0]) for shape in shapes.values())
    return Problem(parameters, (rng.standard_normal((steps, 8, 16)), rng.standard_normal((8, 1))))


def recurrent_loss(np: Any, parameters: Any, x: Any, y: Any) -> Any:
    """Return the squared error of what the last state says."""
    Wx, Wh, b, Wo = parameters
    h = np.tanh(x[0] @ Wx + b)
    for t in range(1, x.shape[0]):
        h = np.tanh(x[t] @ Wx + h @ Wh + b)
    return np.mean((h @ Wo - y) ** 2)


def recurrent_by_hand(parameters: Arrays, x: np.ndarray, y: np.ndarray) -> tuple[Any, Arrays]:
    """Return the loss, and the gradients by backpropagation through time."""
    Wx, Wh, b, Wo = parameters
    states = [np.tanh(x[0] @ Wx + b)]
    for t in range(1, len(x)):
        states.append(np.tanh(x[t] @ Wx + states[-1] @ Wh + b))
    error = states[-1] @ Wo - y
    loss = np.mean(error**2)
    d = 2 * error / error.size
    dWo = states[-1].T @ d
    dh = d @ Wo.T
    dWx, dWh, db = np.zeros_like(Wx), np.zeros_like(Wh), np.zeros_like(b)
    for t in reversed(range(len(x))):
        dz = dh * (1 - states[t] ** 2)
        dWx += x[t].T @ dz
        db += np.sum(dz, axis=0)
        if t:
            dWh += states[t - 1].T @ dz
            dh = dz @ Wh.T
    return loss, (dWx, dWh, db, dWo)


def recurrent_tuned(parameters: Arrays, x: np.ndarray, y: np.ndarray) -> tuple[Callable[[], Any], Arrays]:
    """Return the same with one product for all inputs, and one for each gradient."""
    Wx, Wh, b, Wo = parameters
    steps, batch, features = x.shape
    units = len(b)
    H, dZ, T = np.empty((3, steps, batch, units))
    flat = x.reshape(-1, features)
    dWx, dWh, db, dWo = gradients = tuple(map(np.empty_like, parameters))
    product, error = np.empty((batch, units)), np.empty_like(y)

    def call() -> Any:
        np.dot(flat, Wx, out=H.reshape(-1, units))
        np.add(H, b, out=H)
        for t in range(steps):
            if t:
                np.dot(H[t - 1], Wh, out=product)
                np.add(H[t], product, out=H[t])
            np.tanh(H[t], out=H[t])
        np.dot(H[-1], Wo, out=error)
        np.subtract(error, y, out=error)
        loss = np.vdot(error, error) / error.size
        np.multiply(error, 2 / error.size, out=error)
        np.dot(H[-1].T, error, out=dWo)
        np.multiply(H, H, out=T)
        np.subtract(1, T, out=T)
        np.dot(error, Wo.T, out=dZ[-1])
        for t in range(steps - 1, -1, -1):
            np.multiply(dZ[t], T[t], out=dZ[t])
            if t:
                np.dot(dZ[t], Wh.T, out=dZ[t - 1])
        np.dot(flat.T, dZ.reshape(-1, units), out=dWx)
        np.dot(H[:-1].reshape(-1, units).T, dZ[1:].reshape(-1, units), out=dWh)
        np.add.reduce(dZ, axis=(0, 1), out=db)
        return loss

    return call, gradients


# --- a block of a transformer ---------------------------------------------------------------------

HEADS, FEATURES, HIDDEN = 4, 64, 256


def transformer_problem(length: int, rng: np.random.Generator) -> Problem:
    """Return the parameters of a block of 64 features and 4 heads, and 8 sequences with what it should make of them."""

    def weights(*shape: int) -> np.ndarray:
        return (rng.standard_normal(shape) / np.sqrt(shape[0])).astype(np.float32)

    ones, zeros = np.ones(FEATURES, np.float32), np.zeros(FEATURES, np.float32)
    attention = [weights(FEATURES, FEATURES) for _ in range(4)]
    b1 = np.zeros(HIDDEN, np.float32)
    parameters = (ones, zeros, *attention, ones, zeros, weights(FEATURES, HIDDEN), b1, weights(HIDDEN, FEATURES), zeros)
    x, y = rng.standard_normal((2, 8, length, FEATURES)).astype(np.float32)
    return Problem(parameters, (x, y))


def _norm(np: Any, x: Any, scale: Any, shift: Any) -> Any:
    d = x - np.mean(x, axis=-1, keepdims=True)
    return d / np.sqrt(np.mean(d * d, axis=-1, keepdims=True) + 1e-5) * scale + shift


def _heads(np: Any, x: Any) -> Any:
    return np.swapaxes(np.reshape(x, (x.shape[0], x.shape[1], HEADS, FEATURES // HEADS)), 1, 2)


def transformer_loss(np: Any, parameters: Any, x: Any, y: Any) -> Any:
    """Return the mean squared error of attention and a perceptron, each around a norm and a way past it."""
    g1, s1, Wq, Wk, Wv, Wo, g2, s2, W1, b1, W2, b2 = parameters
    h = _norm(np, x, g1, s1)
    q, k, v = _heads(np, h @ Wq), _heads(np, h @ Wk), _heads(np, h @ Wv)
    weights = np.softmax(q @ np.swapaxes(k, 2, 3) / (FEATURES // HEADS) ** 0.5)
    x = x + np.reshape(np.swapaxes(weights @ v, 1, 2), x.shape) @ Wo
    x = x + np.relu(_norm(np, x, g2, s2) @ W1 + b1) @ W2 + b2
    return np.mean((x - y) ** 2)


def transformer_by_hand(parameters: Arrays, x: np.ndarray, y: np.ndarray) -> tuple[Any, Arrays]:
    """Return the loss and the gradients that were derived on paper."""
    g1, s1, Wq, Wk, Wv, Wo, g2, s2, W1, b1, W2, b2 = parameters
    scale = (FEATURES // HEADS) ** -0.5

    def norm(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        d = x - np.mean(x, axis=-1, keepdims=True)
        inverse = 1 / np.sqrt(np.mean(d * d, axis=-1, keepdims=True) + np.float32(1e-5))
        return d * inverse, inverse

    def norm_backward(d: np.ndarray, n: np.ndarray, inverse: np.ndarray) -> np.ndarray:
        return inverse * (d - np.mean(d, axis=-1, keepdims=True) - n * np.mean(d * n, axis=-1, keepdims=True))

    def joined(x: np.ndarray) -> np.ndarray:
        return x.swapaxes(1, 2).reshape(y.shape)

    def by_weights(x: np.ndarray, d: np.ndarray) -> np.ndarray:
        return x.reshape(-1, x.shape[-1]).T @ d.reshape(-1, d.shape[-1])

    def by_shift(d: np.ndarray) -> np.ndarray:
        return np.sum(d, axis=(0, 1))

    n1, _ = norm(x)
    h1 = n1 * g1 + s1
    q, k, v = _heads(np, h1 @ Wq), _heads(np, h1 @ Wk), _heads(np, h1 @ Wv)
    scores = q @ k.swapaxes(2, 3) * scale
    E = np.exp(scores - np.max(scores, axis=-1, keepdims=True))
    P = E / np.sum(E, axis=-1, keepdims=True)
    a = joined(P @ v)
    x = x + a @ Wo
    n2, i2 = norm(x)
    h2 = n2 * g2 + s2
    r = np.maximum(h2 @ W1 + b1, 0)
    error = x + r @ W2 + b2 - y
    loss = np.mean(error**2)

    d = 2 / error.size * error
    dr = (d @ W2.T) * (r > 0)
    dh2 = dr @ W1.T
    dx = d + norm_backward(dh2 * g2, n2, i2)
    da = _heads(np, dx @ Wo.T)
    dP = da @ v.swapaxes(2, 3)
    dS = P * (dP - np.sum(dP * P, axis=-1, keepdims=True)) * scale
    dq, dk, dv = joined(dS @ k), joined(dS.swapaxes(2, 3) @ q), joined(P.swapaxes(2, 3) @ da)
    dh1 = dq @ Wq.T + dk @ Wk.T + dv @ Wv.T
    return loss, (
        by_shift(dh1 * n1), by_shift(dh1), by_weights(h1, dq), by_weights(h1, dk), by_weights(h1, dv), by_weights(a, dx),
        by_shift(dh2 * n2), by_shift(dh2), by_weights(h2, dr), by_shift(dr), by_weights(r, d), by_shift(d),
    )  # fmt: skip


CASES = {
    "notebook": Case(
        "Training step of the notebook's 2-3-1 network", "m", (4, 100, 1_000, 10_000, 100_000), 2,
        notebook_problem, notebook_loss, notebook_step.gradients_by_hand, notebook_tuned, rate=0.01,
    ),
    "perceptron": Case(
        "Training step of a 784-128-10 perceptron, float32", "batch", (32, 128, 1_024), 4,
        perceptron_problem, perceptron_loss, perceptron_by_hand, perceptron_tuned, rate=0.1, tolerance=1e-3, in_place=True,
    ),
    "recurrent": Case(
        "Training step of a recurrent network of 32 units", "T", (50,), 3,
        recurrent_problem, recurrent_loss, recurrent_by_hand, recurrent_tuned, rate=0.001,
    ),
    "transformer": Case(
        "Training step of a block of a transformer, float32", "length", (64,), 4,
        transformer_problem, transformer_loss, transformer_by_hand, rate=0.01, tolerance=1e-3, in_place=True,
    ),
}  # fmt: skip
