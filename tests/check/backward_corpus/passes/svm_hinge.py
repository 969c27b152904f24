"""A linear classifier with a hinge loss by naive loops: loss and gradient come out of one function."""

import numpy as np


def svm_loss(W, X, y, reg):
    dW = np.zeros(W.shape)
    n = X.shape[0]
    k = W.shape[1]
    loss = 0.0
    for i in range(n):
        scores = X[i].dot(W)
        for j in range(k):
            if j == y[i]:
                continue
            margin = scores[j] - scores[y[i]] + 1.0
            if margin > 0:
                loss += margin
                dW[:, j] += X[i]
                dW[:, y[i]] -= X[i]
    loss = loss / n + reg * np.sum(W * W)
    dW /= n
    dW += 2 * reg * W
    return loss, dW


forward = backward = svm_loss


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    return {"W": rng.normal(size=(4, 3)), "X": rng.normal(size=(6, 4)), "y": rng.integers(0, 3, size=6), "reg": 0.2}


GRADIENTS = {"loss": None, "dW": "W"}

# ruff: noqa: E501
# fmt: off
MUTANTS = {
    "right-class-forgotten": ("                dW[:, y[i]] -= X[i]\n", "", "missing-term", "the right class gets no gradient", "dW[:, j] += X[i]", "dW /= n"),
    "wrong-class-forgotten": ("                dW[:, j] += X[i]\n", "", "missing-term", "the other classes get no gradient", "dW[:, y[i]] -= X[i]", "dW /= n"),
    "right-class-added": ("dW[:, y[i]] -= X[i]", "dW[:, y[i]] += X[i]", "sign", "+= for -="),
    "other-index": ("dW[:, y[i]] -= X[i]", "dW[:, j] -= X[i]", "wrong-point missing-term extra-term", "written to the column of the other class"),
    "margin-weighted": ("dW[:, j] += X[i]", "dW[:, j] += margin * X[i]", "extra-factor scale wrong-point", "times the margin: a squared hinge"),
    "assigned": ("dW[:, j] += X[i]", "dW[:, j] = X[i]", "missing-term", "= for +=: earlier samples are lost"),
    "no-mean": ("    dW /= n\n", "", "scale missing-factor", "1/n is missing", "dW += 2 * reg * W", "dW[:, j] += X[i]", "dW[:, y[i]] -= X[i]"),
    "mean-over-classes": ("dW /= n", "dW /= k", "scale", "divides by the number of classes"),
    "no-regulariser": ("    dW += 2 * reg * W\n", "", "missing-term", "the regulariser is forgotten", "dW /= n", "return loss, dW"),
    "half-regulariser": ("2 * reg * W", "reg * W", "scale missing-factor", "the loss has no half"),
    "regulariser-assigned": ("dW += 2 * reg * W", "dW = 2 * reg * W", "missing-term", "= for +=: the data term is lost"),
    "regulariser-subtracted": ("dW += 2 * reg * W", "dW -= 2 * reg * W", "sign", "-= for +="),
    "regulariser-squared": ("2 * reg * W", "2 * reg * W * W", "extra-factor wrong-point", "W² for W"),
    "regulariser-norm": ("2 * reg * W", "2 * reg * np.sum(W)", "wrong-reduction wrong-point", "the sum of W for W"),
    "undefined": ("dW /= n", "dW /= num_train", "raises scale", "a name that is not defined"),
    "counted-twice": ("dW[:, y[i]] -= X[i]", "dW[:, y[i]] -= 2 * X[i]", "scale double-count extra-factor extra-term", "the right class counts twice"),
    "margin-in": ("dW[:, j] += X[i]", "dW[:, j] += X[i] + W[:, j]", "extra-term", "the weights are added for each violation"),
}

DOUBLES = [("right-class-added", "half-regulariser"), ("mean-over-classes", "regulariser-subtracted"), ("margin-weighted", "regulariser-squared"), ("no-mean", "margin-weighted")]
# fmt: on
