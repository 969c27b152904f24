"""A linear support vector machine: hinge loss with L2."""

import numpy as np

WRT = ("w", "b")


def loss(w, b, X, y, lam):
    n = X.shape[0]
    slack = np.maximum(0, 1 - y * (X @ w - b))
    return lam * np.dot(w, w) + np.sum(slack) / n


def backward(w, X, y, lam, slack):
    dmargins = y * (slack > 0) / len(y)
    dw = 2 * lam * w - X.T @ dmargins
    db = np.sum(dmargins)
    return {"dw": dw, "db": db}


def inputs(rng, n, d):
    return {"w": rng.normal(size=d), "b": rng.normal(), "X": rng.normal(size=(n, d)), "y": rng.choice([-1.0, 1.0], n), "lam": 0.01}
