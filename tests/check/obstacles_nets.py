"""The nets that several obstacles have in common, and inputs for them."""

from __future__ import annotations

import numpy as np

__all__ = ["bce", "net", "small", "two_layer"]

rng = np.random.default_rng(0)
N = rng.normal


def bce(W, X, Y):
    Z = W @ X
    A = 1 / (1 + np.exp(-Z))
    return -np.mean(Y * np.log(A) + (1 - Y) * np.log(1 - A))


small = {"W": N(size=(1, 3)), "X": N(size=(3, 6)), "Y": rng.integers(0, 2, (1, 6)) + 0.0}


def two_layer(W1, b1, W2, b2, X, Y):
    Z1 = W1 @ X + b1
    A1 = np.tanh(Z1)
    Z2 = W2 @ A1 + b2
    A2 = 1 / (1 + np.exp(-Z2))
    return -np.mean(Y * np.log(A2) + (1 - Y) * np.log(1 - A2))


net = {
    "W1": N(size=(3, 2)),
    "b1": N(size=(3, 1)),
    "W2": N(size=(1, 3)),
    "b2": N(size=(1, 1)),
    "X": N(size=(2, 25)),
    "Y": rng.integers(0, 2, (1, 25)) + 0.0,
}
