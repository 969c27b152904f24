"""A regression net with ReLU and inverted dropout, the mask drawn before."""

import numpy as np

WRT = ("W1", "b1", "W2", "b2")


def loss(W1, b1, W2, b2, X, y, mask, keep_prob):
    z1 = X @ W1 + b1
    h1 = np.maximum(0, z1)
    h1_drop = h1 * mask / keep_prob
    pred = h1_drop @ W2 + b2
    return 0.5 * np.mean((pred - y) ** 2)


def backward(W2, X, y, mask, keep_prob, z1, h1_drop, pred):
    dpred = (pred - y) / pred.size
    dW2 = h1_drop.T @ dpred
    db2 = np.sum(dpred, axis=0)
    dz1 = dpred @ W2.T * mask / keep_prob * (z1 > 0)
    dW1 = X.T @ dz1
    db1 = np.sum(dz1, axis=0)
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}


def inputs(rng, n, d):
    shapes = {"W1": (4, 2 * d), "b1": (2 * d,), "W2": (2 * d, d), "b2": (d,), "X": (n, 4), "y": (n, d)}
    return {name: rng.normal(size=shape) for name, shape in shapes.items()} | {"mask": rng.random((n, 2 * d)) < 0.8, "keep_prob": 0.8}
