"""Logistic regression, labels -1 and 1, with L2."""

import numpy as np

WRT = ("w",)


def loss(w, X, y, C):
    margins = y * (X @ w)
    return C * np.sum(np.log(1 + np.exp(-margins))) + 0.5 * w @ w


def backward(w, X, y, C, margins):
    dw = w - C * (X.T @ (y / (1 + np.exp(margins))))
    return {"dw": dw}


def inputs(rng, n, d):
    return {"w": rng.normal(size=d), "X": rng.normal(size=(n, d)), "y": rng.choice([-1.0, 1.0], n), "C": 2.0}
