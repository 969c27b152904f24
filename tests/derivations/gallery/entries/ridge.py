"""Linear regression with ridge."""

import numpy as np

WRT = ("theta", "bias")


def loss(theta, bias, X, y, alpha):
    n = len(y)
    residuals = X @ theta + bias - y
    return (residuals @ residuals + alpha * theta @ theta) / (2 * n)


def backward(theta, X, y, alpha, residuals):
    n = len(y)
    dtheta = (X.T @ residuals + alpha * theta) / n
    dbias = np.mean(residuals)
    return {"dtheta": dtheta, "dbias": dbias}


def inputs(rng, n, d):
    return {"theta": rng.normal(size=d), "bias": rng.normal(), "X": rng.normal(size=(n, d)), "y": rng.normal(size=n), "alpha": 0.5}
