"""Logistic regression, labels 0 and 1."""

import numpy as np

WRT = ("w", "b")


def loss(w, b, X, y):
    z = X @ w + b
    p = 1 / (1 + np.exp(-z))
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))


def backward(X, y, p):
    dz = (p - y) / len(y)
    dw = X.T @ dz
    db = np.sum(dz)
    return {"dw": dw, "db": db}


def inputs(rng, n, d):
    return {"w": rng.normal(size=d), "b": rng.normal(), "X": rng.normal(size=(n, d)), "y": rng.integers(0, 2, n) + 0.0}
