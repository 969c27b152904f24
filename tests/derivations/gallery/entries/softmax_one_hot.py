"""A softmax classifier with L2: one-hot labels, samples in columns."""

import numpy as np

WRT = ("W", "b")


def softmax(Z):
    E = np.exp(Z - np.max(Z, axis=0, keepdims=True))
    return E / np.sum(E, axis=0, keepdims=True)


def loss(W, b, X, Y, lam):
    m = X.shape[1]
    Z = W @ X + b
    A = softmax(Z)
    return -np.sum(Y * np.log(A)) / m + lam / (2 * m) * np.sum(W**2)


def backward(W, X, Y, lam, A):
    m = X.shape[1]
    dZ = (np.sum(Y, axis=0) * A - Y) / m
    dW = dZ @ X.T + lam / m * W
    db = np.sum(dZ, axis=1, keepdims=True)
    return {"dW": dW, "db": db}


def inputs(rng, n, d):
    W, b, X = rng.normal(size=(d, 4)), rng.normal(size=(d, 1)), rng.normal(size=(4, n))
    return {"W": W, "b": b, "X": X, "Y": np.eye(d)[:, rng.integers(0, d, n)], "lam": 0.1}
