"""Ridge regression with an intercept that is not penalised: vectors, `@`, everything in one expression."""

import numpy as np


def forward(X, y, theta, b, lam):
    n = X.shape[0]
    pred = X @ theta + b
    r = pred - y
    J = (r @ r) / n + lam * np.sum(theta**2)
    return J


def backward(X, r, theta, lam):
    n = len(r)
    dJ_dtheta = 2 * X.T @ r / n + 2 * lam * theta
    dJ_db = 2 * np.mean(r)
    return dJ_dtheta, dJ_db


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(9, 9)) * 3
    return {"X": X, "y": rng.normal(size=9) * 10, "theta": rng.normal(size=9), "b": rng.normal(), "lam": 0.7}


GRADIENTS = {"dJ_dtheta": "theta", "dJ_db": "b"}

# ruff: noqa: E501
# fmt: off
MUTANTS = {
    "no-two": ("2 * X.T @ r / n", "X.T @ r / n", "scale missing-term", "2 of the square is missing in the data term"),
    "no-n": ("2 * X.T @ r / n", "2 * X.T @ r", "scale extra-term", "1/n is missing in the data term"),
    "untransposed": ("X.T @ r", "X @ r", "transpose", "X for X.T (square)"),
    "no-penalty": (" + 2 * lam * theta", "", "missing-term", "the penalty is forgotten"),
    "penalty-sign": ("+ 2 * lam * theta", "- 2 * lam * theta", "sign extra-term", "the penalty is subtracted"),
    "penalty-no-two": ("+ 2 * lam * theta", "+ lam * theta", "missing-term scale", "half the penalty"),
    "penalty-over-n": ("2 * lam * theta", "2 * lam * theta / n", "scale missing-term", "the penalty divided by n"),
    "penalty-sign-of": ("2 * lam * theta", "lam * np.sign(theta)", "wrong-point extra-factor missing-factor", "the subgradient of an L1 penalty"),
    "negative": ("dJ_dtheta = 2 * X.T @ r / n", "dJ_dtheta = -2 * X.T @ r / n", "sign", "the residual was y - pred in the textbook"),
    "intercept-sum": ("np.mean(r)", "np.sum(r)", "wrong-reduction scale", "sum for mean"),
    "intercept-penalised": ("2 * np.mean(r)", "2 * np.mean(r) + 2 * lam", "extra-term", "the intercept has no penalty"),
    "intercept-no-two": ("2 * np.mean(r)", "np.mean(r)", "scale", "2 of the square is missing"),
}

DOUBLES = [("untransposed", "intercept-sum"), ("no-penalty", "intercept-no-two"), ("penalty-sign", "intercept-penalised")]
# fmt: on
