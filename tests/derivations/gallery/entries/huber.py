"""Robust regression: the Huber loss."""

import numpy as np

WRT = ("w", "b")


def loss(w, b, X, y, delta):
    r = X @ w + b - y
    small = np.abs(r) <= delta
    return np.mean(np.where(small, 0.5 * r**2, delta * (np.abs(r) - 0.5 * delta)))


def backward(X, delta, r, small):
    dr = np.where(small, r, delta * np.sign(r)) / r.size
    dw = X.T @ dr
    db = np.sum(dr)
    return {"dw": dw, "db": db}


def inputs(rng, n, d):
    return {"w": rng.normal(size=d), "b": rng.normal(), "X": rng.normal(size=(n, d)), "y": rng.normal(size=n), "delta": 1.0}
