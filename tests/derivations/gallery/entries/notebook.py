"""The 2-3-1 net: sigmoids written by hand, cross-entropy."""

import numpy as np

WRT = ("W1", "b1", "W2", "b2")


def loss(W1, b1, W2, b2, X, Y):
    m = X.shape[1]
    Z1 = np.dot(W1, X) + b1
    A1 = 1 / (1 + np.exp(-Z1))
    Z2 = np.dot(W2, A1) + b2
    A2 = 1 / (1 + np.exp(-Z2))
    cost = -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / m
    return cost


def backward(W2, X, Y, A1, A2):
    m = X.shape[1]
    dZ2 = (A2 - Y) / m
    dW2 = dZ2 @ A1.T
    db2 = np.sum(dZ2, axis=1, keepdims=True)
    dZ1 = W2.T @ dZ2 * A1 * (1 - A1)
    dW1 = dZ1 @ X.T
    db1 = np.sum(dZ1, axis=1, keepdims=True)
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}


def inputs(rng, n, d):
    shapes = {"W1": (d, 2), "b1": (d, 1), "W2": (1, d), "b2": (1, 1), "X": (2, n)}
    return {name: rng.normal(size=shape) for name, shape in shapes.items()} | {"Y": rng.integers(0, 2, (1, n)) + 0.0}
