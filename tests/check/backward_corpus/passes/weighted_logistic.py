"""Logistic regression with a weight for each sample: 1-D vectors, a loss on logits, an L2 penalty, means by the sum of weights."""

import numpy as np


def forward(X, t, sample_weight, w, b, alpha):
    logits = np.dot(X, w) + b
    nll = np.logaddexp(0, logits) - t * logits
    total = np.sum(sample_weight)
    objective = np.sum(sample_weight * nll) / total + 0.5 * alpha * np.dot(w, w)
    return objective


def backward(X, t, sample_weight, w, logits, total, alpha):
    p = 1 / (1 + np.exp(-logits))
    grad_logits = sample_weight * (p - t) / total
    grad_w = np.dot(X.T, grad_logits)
    grad_w = grad_w + alpha * w
    grad_b = grad_logits.sum()
    return grad_w, grad_b


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    return {
        "X": rng.normal(size=(6, 6)),
        "t": rng.integers(0, 2, size=6).astype(float),
        "sample_weight": rng.uniform(0.5, 3.0, size=6),
        "w": rng.normal(size=6),
        "b": 0.3,
        "alpha": 0.25,
    }


GRADIENTS = {"grad_w": "w", "grad_b": "b"}

# ruff: noqa: E501
# fmt: off
MUTANTS = {
    "no-weight": ("sample_weight * (p - t) / total", "(p - t) / total", "missing-factor", "the sample weights are forgotten"),
    "weight-twice": ("sample_weight * (p - t)", "sample_weight**2 * (p - t)", "extra-factor", "the sample weights count twice"),
    "no-total": ("(p - t) / total", "(p - t)", "scale", "1/Σweights is missing"),
    "n-for-total": ("(p - t) / total", "(p - t) / len(t)", "scale", "1/n for 1/Σweights"),
    "sign": ("(p - t)", "(t - p)", "sign", "reversed residual"),
    "squared-loss": ("(p - t)", "(p - t) * p * (1 - p)", "extra-factor", "σ' belongs to the squared error"),
    "logits-for-p": ("(p - t)", "(logits - t)", "wrong-point", "logits for probabilities"),
    "p-sign": ("np.exp(-logits)", "np.exp(logits)", "wrong-point sign", "1 - p for p", "grad_logits ="),
    "untransposed": ("np.dot(X.T, grad_logits)", "np.dot(X, grad_logits)", "transpose", "X for X.T (square)"),
    "no-penalty": ("    grad_w = grad_w + alpha * w\n", "", "missing-term", "the penalty is forgotten", "grad_w = np.dot"),
    "penalty-twice": ("grad_w + alpha * w", "grad_w + 2 * alpha * w", "double-count extra-term scale", "the loss has a half"),
    "penalty-overwrites": ("grad_w = grad_w + alpha * w", "grad_w = alpha * w", "missing-term", "the penalty replaces the gradient"),
    "penalty-bias": ("grad_logits.sum()", "grad_logits.sum() + alpha", "extra-term", "the intercept has no penalty"),
    "bias-mean": ("grad_logits.sum()", "grad_logits.mean()", "scale wrong-reduction", "mean for sum"),
    "divided-by-labels": ("(p - t)", "(p - t) * p * (1 - p) / (t * (1 - t))", "not-finite wrong-point extra-factor", "t(1 - t) for p(1 - p): division by zero"),
}

DOUBLES = [("no-weight", "no-penalty"), ("untransposed", "bias-mean"), ("squared-loss", "penalty-twice"), ("no-total", "penalty-bias")]
# fmt: on
