"""Functions whose derivations the tests of formulas look at, and what a formula in LaTeX may not be."""

from __future__ import annotations

import re
from typing import Any

import numpy as np


def notebook(W1: Any, b1: Any, W2: Any, b2: Any, X: Any, Y: Any) -> Any:
    m = X.shape[1]
    Z1 = W1 @ X + b1
    A1 = np.tanh(Z1)
    Z2 = W2 @ A1 + b2
    A2 = 1 / (1 + np.exp(-Z2))
    return -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / m


def softmax_classifier(W: Any, b: Any, X: Any, y: Any, lam: float = 0.1) -> Any:
    n = X.shape[0]
    logits = X @ W + b
    shifted = logits - np.max(logits, axis=1, keepdims=True)
    p = np.exp(shifted) / np.sum(np.exp(shifted), axis=1, keepdims=True)
    return -np.mean(np.log(p[np.arange(n), y])) + 0.5 * lam * np.sum(W**2)


def layer_norm(x: Any, gamma: Any, beta: Any) -> Any:
    mu = np.mean(x, axis=-1, keepdims=True)
    var = np.mean((x - mu) ** 2, axis=-1, keepdims=True)
    x_hat = (x - mu) / np.sqrt(var + 1e-5)
    return gamma * x_hat + beta


def rnn_step(Wx: Any, Wh: Any, b: Any, x: Any, h: Any, y: Any) -> Any:
    h_next = np.tanh(x @ Wx + h @ Wh + b)
    return np.mean((h_next - y) ** 2)


def k_means(C: Any, X: Any) -> Any:
    D = np.sum((X[:, None, :] - C[None, :, :]) ** 2, axis=2)
    return np.sum(np.min(D, axis=1))


def gaussian(mu: Any, log_sigma: Any, x: Any) -> Any:
    sigma = np.exp(log_sigma)
    return np.sum(0.5 * ((x - mu) / sigma) ** 2 + log_sigma + 0.5 * np.log(2 * np.pi))


def of_dict(params: Any, x: Any) -> Any:
    return np.tanh(x @ params["W"] + params["b"])


def of_list(Ws: Any, x: Any) -> Any:
    for W in Ws:
        x = np.tanh(x @ W)
    return np.mean(x)


def differences(x: Any) -> Any:
    return np.sum((x[1:] - x[:-1]) ** 2)


def embedding(E: Any, places: Any) -> Any:
    V = E[places]
    return np.sum(V**3)


def weighted(w: Any, X: Any) -> Any:
    return np.sum(w[:, None] * X**2) / np.sum(w)


def contracted(A: Any, B: Any) -> Any:
    return np.sum(np.einsum("ij,jk->ik", A, B) ** 2)


def piecewise(X: Any) -> Any:
    return np.sum(np.where(X > 0, X**2, -X))


def of_nothing(X: Any) -> Any:
    return np.sum(2 * X)


def of_a_number(x: Any) -> Any:
    return x * np.sin(x) + x**3


def itself(x: Any) -> Any:
    return x


def examples() -> dict[str, tuple[Any, tuple[Any, ...]]]:
    """Return functions by name, with example arguments."""
    N = np.random.default_rng(0).standard_normal
    labels = np.random.default_rng(0).integers(0, 5, 6)
    found = [
        (notebook, N((4, 3)), np.zeros((4, 1)), N((1, 4)), np.zeros((1, 1)), N((3, 8)), (N((1, 8)) > 0) * 1.0),
        (softmax_classifier, N((3, 5)), np.zeros(5), N((6, 3)), labels),
        (layer_norm, N((4, 3)), np.ones(3), np.zeros(3)),
        (rnn_step, N((3, 5)), N((5, 5)), np.zeros(5), N((6, 3)), N((6, 5)), N((6, 5))),
        (k_means, N((3, 2)), N((7, 2))),
        (gaussian, 0.3, 1.2, N(7)),
        (of_dict, {"W": N((3, 4)), "b": N(4)}, N((6, 3))),
        (of_list, [N((3, 4)), N((4, 2))], N((6, 3))),
        (differences, N(8)),
        (embedding, N((10, 3)), np.array([1, 2, 2, 5])),
        (weighted, abs(N(5)), N((5, 4))),
        (contracted, N((4, 3)), N((3, 5))),
        (piecewise, N((4, 3))),
        (of_nothing, np.zeros((0, 3))),
        (of_a_number, 2.0),
        (itself, N(5)),
    ]
    return {f.__name__: (f, tuple(arguments)) for f, *arguments in found}


def defects(source: str) -> list[str]:
    """Return what is wrong with LaTeX: braces or environments that do not match, places that were not filled."""
    found = []
    depth = 0
    for piece in re.findall(r"\\.|[{}]", source, re.DOTALL):
        depth += {"{": 1, "}": -1}.get(piece, 0)
        if depth < 0:
            found.append("a brace is closed that was not opened")
            break
    if depth > 0:
        found.append("a brace is not closed")
    if source.count(r"\left") - source.count(r"\leftarrow") != source.count(r"\right") - source.count(r"\rightarrow"):
        found.append(r"\left without \right")
    begun, ended = (sorted(re.findall(rf"\\{word}\{{(.*?)\}}", source)) for word in ("begin", "end"))
    if begun != ended:
        found.append("an environment is not ended")
    if re.search(r"(?<!\\)#", source):
        found.append("a place was not filled")
    return found
