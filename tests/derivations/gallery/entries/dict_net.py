"""A net with two layers whose parameters are in a dict, after a course."""

import numpy as np

WRT = ("W1", "b1", "W2", "b2")


def loss(params, X, y, reg):
    W1, b1 = params["W1"], params["b1"]
    W2, b2 = params["W2"], params["b2"]
    N = X.shape[0]
    hidden = np.maximum(0, X.dot(W1) + b1)
    scores = hidden.dot(W2) + b2
    shifted = scores - np.max(scores, axis=1, keepdims=True)
    log_probs = shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))
    data_loss = -np.mean(log_probs[np.arange(N), y])
    return data_loss + reg * (np.sum(W1 * W1) + np.sum(W2 * W2))


def backward(W1, W2, X, y, reg, hidden, log_probs):
    N = X.shape[0]
    dscores = np.exp(log_probs)
    dscores[np.arange(N), y] -= 1
    dscores /= N
    dW2 = hidden.T @ dscores + 2 * reg * W2
    db2 = np.sum(dscores, axis=0)
    dhidden = dscores @ W2.T * (hidden > 0)
    dW1 = X.T @ dhidden + 2 * reg * W1
    db1 = np.sum(dhidden, axis=0)
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}


def inputs(rng, n, d):
    shapes = {"W1": (4, 2 * d), "b1": (2 * d,), "W2": (2 * d, d), "b2": (d,)}
    params = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    return {"params": params, "X": rng.normal(size=(n, 4)), "y": rng.integers(0, d, n), "reg": 0.05}
