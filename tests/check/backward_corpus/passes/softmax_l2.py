"""Two-layer ReLU network with softmax cross-entropy and L2, in the manner of a course assignment: samples in rows, dict results."""

import numpy as np


def forward(X, y, W1, b1, W2, b2, reg):
    N = X.shape[0]
    a1 = X.dot(W1) + b1
    h1 = np.maximum(0, a1)
    scores = h1.dot(W2) + b2

    shifted = scores - np.max(scores, axis=1, keepdims=True)
    exp_scores = np.exp(shifted)
    probs = exp_scores / np.sum(exp_scores, axis=1, keepdims=True)
    data_loss = -np.sum(np.log(probs[np.arange(N), y])) / N
    reg_loss = 0.5 * reg * (np.sum(W1 * W1) + np.sum(W2 * W2))
    return data_loss + reg_loss


def backward(X, y, W1, W2, a1, h1, probs, reg):
    N = X.shape[0]
    grads = {}

    dscores = probs.copy()
    dscores[np.arange(N), y] -= 1
    dscores /= N

    grads["W2"] = h1.T.dot(dscores)
    grads["b2"] = np.sum(dscores, axis=0)

    dh1 = dscores.dot(W2.T)
    da1 = dh1 * (a1 > 0)
    grads["W1"] = X.T.dot(da1)
    grads["b1"] = np.sum(da1, axis=0)

    grads["W2"] += reg * W2
    grads["W1"] += reg * W1
    return grads


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    return {
        "X": rng.normal(size=(5, 4)),
        "y": rng.integers(0, 3, size=5),
        "W1": rng.normal(size=(4, 6)),
        "b1": rng.normal(size=6),
        "W2": rng.normal(size=(6, 3)),
        "b2": rng.normal(size=3),
        "reg": 0.3,
    }


GRADIENTS = {"W1": "W1", "b1": "b1", "W2": "W2", "b2": "b2"}

# ruff: noqa: E501
# fmt: off
MUTANTS = {
    "no-minus-one": ("    dscores[np.arange(N), y] -= 1\n", "", "missing-term", "the one-hot labels are not subtracted", "dscores = probs.copy()", "dscores /= N"),
    "plus-one": ("dscores[np.arange(N), y] -= 1", "dscores[np.arange(N), y] += 1", "sign extra-term", "adds the labels"),
    "minus-two": ("dscores[np.arange(N), y] -= 1", "dscores[np.arange(N), y] -= 2", "double-count extra-term scale", "subtracts the labels twice"),
    "minus-one-everywhere": ("dscores[np.arange(N), y] -= 1", "dscores[:, y] -= 1", "wrong-point extra-term double-count", "every row of the columns y"),
    "no-N": ("    dscores /= N\n", "", "scale", "1/N is missing", "dscores = probs.copy()", "dscores[np.arange(N), y] -= 1", 'grads["W2"] = h1'),
    "N-is-classes": ("dscores /= N", "dscores /= dscores.shape[1]", "scale", "divides by the number of classes"),
    "no-mask": ("da1 = dh1 * (a1 > 0)", "da1 = dh1", "missing-factor", "ReLU' is missing"),
    "mask-by-gradient": ("(a1 > 0)", "(dh1 > 0)", "wrong-point", "masks by the sign of the gradient"),
    "mask-reversed": ("(a1 > 0)", "(a1 < 0)", "wrong-point sign", "passes where the unit is off"),
    "value-for-mask": ("(a1 > 0)", "h1", "wrong-point extra-factor", "ReLU for ReLU'"),
    "W2-from-a1": ("h1.T.dot(dscores)", "a1.T.dot(dscores)", "wrong-point", "a1 for h1"),
    "W1-from-dh1": ("X.T.dot(da1)", "X.T.dot(dh1)", "wrong-point missing-factor", "dh1 for da1"),
    "b1-from-dh1": ("np.sum(da1, axis=0)", "np.sum(dh1, axis=0)", "wrong-point missing-factor", "dh1 for da1"),
    "no-reg-W2": ('    grads["W2"] += reg * W2\n', "", "missing-term", "the L2 term of W2 is forgotten", 'grads["W2"] = h1'),
    "reg-twice": ('grads["W1"] += reg * W1', 'grads["W1"] += 2 * reg * W1', "double-count extra-term scale", "the loss has 0.5 reg"),
    "reg-half": ('grads["W2"] += reg * W2', 'grads["W2"] += 0.5 * reg * W2', "missing-term scale", "half the L2 term"),
    "reg-sign": ('grads["W1"] += reg * W1', 'grads["W1"] -= reg * W1', "sign extra-term", "the L2 term is subtracted"),
    "reg-not-times-W": ('grads["W1"] += reg * W1', 'grads["W1"] += reg', "missing-factor wrong-point", "adds reg alone"),
    "stale-W2": ("    dh1 = dscores", "    W2 = W2 - 0.1 * grads[\"W2\"]\n    dh1 = dscores", "stale-value", "W2 was updated before it is used", "dh1 =", 'grads["W2"] += '),
}

DOUBLES = [
    ("no-mask", "reg-twice"),
    ("no-reg-W2", "b1-from-dh1"),
    ("no-N", "mask-by-gradient"),
    ("W2-from-a1", "reg-sign"),
    ("reg-half", "reg-not-times-W"),
]
# fmt: on
