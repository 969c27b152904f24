"""Poisson regression with an offset, an L1 penalty that is smoothed, and an intercept: `grad_` names, np.where, np.clip."""

import numpy as np


def objective(beta, intercept, X, counts, exposure, lam):
    n = len(counts)
    eta = X @ beta + intercept + np.log(exposure)
    rate = np.exp(np.clip(eta, -20, 20))
    nll = np.sum(rate - counts * eta) / n
    smooth = np.where(np.abs(beta) < 0.5, beta**2, np.abs(beta) - 0.25)
    return nll + lam * np.sum(smooth), eta, rate


def gradient(beta, X, counts, exposure, rate, lam):
    n = X.shape[0]
    grad_eta = (rate - counts) / n
    grad_beta = X.T @ grad_eta
    grad_intercept = np.sum(grad_eta)
    grad_exposure = grad_eta / exposure
    small = np.abs(beta) < 0.5
    grad_smooth = np.sign(beta)
    grad_smooth[small] = 2 * beta[small]
    grad_beta += lam * grad_smooth
    return grad_beta, grad_intercept, grad_exposure


forward = objective
backward = gradient


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    return {
        "beta": np.array([0.3, -0.9, 0.2, 1.1]) + 0.1 * rng.uniform(size=4),
        "intercept": 0.4,
        "X": rng.normal(size=(6, 4)),
        "counts": rng.poisson(2.0, size=6) + 0.0,
        "exposure": rng.uniform(0.5, 2.0, size=6),
        "lam": 0.3,
    }


GRADIENTS = {"grad_beta": "beta", "grad_intercept": "intercept", "grad_exposure": "exposure"}

# ruff: noqa: E501
# fmt: off
MUTANTS = {
    "eta-sign": ("(rate - counts) / n", "(counts - rate) / n", "sign", "reversed"),
    "eta-no-n": ("(rate - counts) / n", "(rate - counts)", "scale missing-factor", "1/n is missing"),
    "eta-ratio": ("(rate - counts) / n", "(1 - counts / rate) / n", "missing-factor wrong-point", "the derivative by the rate"),
    "eta-no-counts": ("(rate - counts) / n", "rate / n", "missing-term", "the counts are forgotten"),
    "n-features": ("n = X.shape[0]", "n = X.shape[1]", "scale", "the number of features", "grad_eta ="),
    "beta-scaled": ("X.T @ grad_eta", "X.T @ grad_eta / n", "scale extra-factor double-count", "1/n twice"),
    "beta-rate": ("X.T @ grad_eta", "X.T @ rate / n", "missing-term wrong-point", "the rate for its residual"),
    "beta-raises": ("X.T @ grad_eta", "X @ grad_eta", "raises transpose shape", "X for X.T"),
    "intercept-mean": ("np.sum(grad_eta)", "np.mean(grad_eta)", "scale wrong-reduction", "mean for sum"),
    "intercept-shape": ("np.sum(grad_eta)", "np.sum(grad_eta, axis=0, keepdims=True)", "shape wrong-reduction", "(1,) for a number"),
    "exposure-times": ("grad_eta / exposure", "grad_eta * exposure", "wrong-point extra-factor scale", "multiplied for divided"),
    "exposure-log": ("grad_eta / exposure", "grad_eta / np.log(exposure)", "wrong-point extra-factor", "the logarithm for its derivative"),
    "exposure-none": ("grad_exposure = grad_eta / exposure", "grad_exposure = grad_eta", "missing-factor extra-factor", "1/exposure is missing"),
    "small-inverted": ("small = np.abs(beta) < 0.5", "small = np.abs(beta) > 0.5", "wrong-point", "the mask is inverted", "grad_smooth[small]", "grad_smooth ="),
    "small-signed": ("small = np.abs(beta) < 0.5", "small = beta < 0.5", "wrong-point missing-factor", "without the absolute value", "grad_smooth[small]", "grad_smooth ="),
    "smooth-two": ("2 * beta[small]", "beta[small]", "scale missing-factor", "the 2 is missing"),
    "smooth-not-written": ("    grad_smooth[small] = 2 * beta[small]\n", "", "missing-factor wrong-point missing-term", "the quadratic part is forgotten", "grad_smooth = np", "grad_beta += lam"),
    "smooth-abs": ("np.sign(beta)", "np.abs(beta)", "wrong-point", "the absolute value for the sign"),
    "penalty-forgotten": ("    grad_beta += lam * grad_smooth\n", "", "missing-term", "the penalty is forgotten", "grad_beta = X", "return grad_beta"),
    "penalty-no-lam": ("grad_beta += lam * grad_smooth", "grad_beta += grad_smooth", "scale missing-factor", "lam is missing"),
    "penalty-assigned": ("grad_beta += lam * grad_smooth", "grad_beta = lam * grad_smooth", "missing-term", "= for +="),
}

DOUBLES = [("eta-sign", "smooth-two"), ("eta-no-n", "penalty-no-lam"), ("intercept-mean", "penalty-assigned"), ("beta-scaled", "exposure-none")]
# fmt: on
