"""The body of a training loop in a function: predictions, cost, and gradients on one line each, several on a line."""

import numpy as np

# ruff: noqa: E702
# fmt: off


def step(w, b, X, y, lr=0.1, l2=0.05):
    z = X @ w + b
    p = 1 / (1 + np.exp(-z))
    cost = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)) + l2 * np.dot(w, w)

    error = p - y; N = len(y)
    dw = X.T @ error / N; db = error.sum() / N
    dw += 2 * l2 * w

    w_new = w - lr * dw; b_new = b - lr * db
    return cost, dw, db, w_new, b_new


forward = backward = step


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    return {"w": rng.normal(size=3), "b": 0.2, "X": rng.normal(size=(8, 3)), "y": rng.integers(0, 2, size=8) + 0.0}


GRADIENTS = {"cost": None, "dw": "w", "db": "b"}

# ruff: noqa: E501
MUTANTS = {
    "error-sign": ("error = p - y", "error = y - p", "sign", "the error is reversed"),
    "error-prime": ("error = p - y", "error = (p - y) * p * (1 - p)", "extra-factor", "σ' as for the squared error"),
    "error-at-z": ("error = p - y", "error = z - y", "wrong-point", "z for p"),
    "N-features": ("N = len(y)", "N = X.shape[1]", "scale", "the number of features", "dw = X.T @ error / N"),
    "dw-no-N": ("X.T @ error / N", "X.T @ error", "scale missing-factor", "1/N is missing"),
    "dw-mean": ("X.T @ error / N", "X.T @ error.mean(keepdims=True).repeat(N) / N", "wrong-reduction wrong-point", "the mean error for each"),
    "db-no-N": ("error.sum() / N", "error.sum()", "scale missing-factor", "1/N is missing"),
    "db-mean-N": ("error.sum() / N", "error.mean() / N", "scale extra-factor double-count", "1/N twice"),
    "db-first": ("error.sum() / N", "error[0] / N", "wrong-reduction missing-term", "the first sample only"),
    "reg-half": ("2 * l2 * w", "l2 * w", "scale missing-factor", "the 2 is missing"),
    "reg-forgotten": ("    dw += 2 * l2 * w\n", "", "missing-term", "the regulariser is forgotten", "dw = X.T @"),
    "reg-lr": ("2 * l2 * w", "2 * lr * w", "wrong-point scale", "the step size for l2"),
    "reg-sign": ("dw += 2 * l2 * w", "dw -= 2 * l2 * w", "sign", "-= for +="),
    "reg-assigned": ("dw += 2 * l2 * w", "dw = 2 * l2 * w", "missing-term", "= for +="),
    "undefined": ("db = error.sum() / N", "db = err.sum() / N", "raises", "a name that is not defined"),
    "bias-regularised": ("dw += 2 * l2 * w", "dw += 2 * l2 * w; db += 2 * l2 * b", "extra-term", "the bias is regularised too"),
}

DOUBLES = [("error-sign", "reg-half"), ("dw-no-N", "reg-lr"), ("error-prime", "db-no-N"), ("db-first", "reg-sign")]
# fmt: on
