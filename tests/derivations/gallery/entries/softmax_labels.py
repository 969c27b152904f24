"""A softmax classifier with L2: integer labels, scores shifted by their maximum."""

import numpy as np

WRT = ("W", "b")


def loss(W, b, X, y, reg):
    num_train = X.shape[0]
    scores = X @ W + b
    scores = scores - np.max(scores, axis=1, keepdims=True)
    exp_scores = np.exp(scores)
    probs = exp_scores / np.sum(exp_scores, axis=1, keepdims=True)
    data_loss = -np.sum(np.log(probs[np.arange(num_train), y])) / num_train
    reg_loss = 0.5 * reg * np.sum(W * W)
    return data_loss + reg_loss


def backward(W, X, y, reg, probs):
    num_train = X.shape[0]
    dscores = probs.copy()
    dscores[np.arange(num_train), y] -= 1
    dscores /= num_train
    dW = X.T @ dscores + reg * W
    db = np.sum(dscores, axis=0)
    return {"dW": dW, "db": db}


def inputs(rng, n, d):
    W, b, X = rng.normal(size=(4, d)), rng.normal(size=d), rng.normal(size=(n, 4))
    return {"W": W, "b": b, "X": X, "y": rng.integers(0, d, n), "reg": 0.1}
