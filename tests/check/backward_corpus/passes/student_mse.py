"""A student's two layers with a squared error: samples in rows, flat arguments, deltas, a helper for the derivative."""

import numpy as np


def f(z):
    return 1.0 / (1.0 + np.exp(-z))


def f_deriv(z):
    return f(z) * (1 - f(z))


def forward(x, y, w1, b1, w2, b2):
    z2 = x.dot(w1) + b1
    a2 = f(z2)
    z3 = a2.dot(w2) + b2
    a3 = f(z3)
    cost = np.sum((a3 - y) ** 2) / (2 * len(x))
    return cost


def backward(x, y, w2, z2, a2, z3, a3):
    n = x.shape[0]
    delta3 = (a3 - y) * f_deriv(z3)
    delta2 = delta3.dot(w2.T) * f_deriv(z2)

    w2_grad = a2.T.dot(delta3) / n
    b2_grad = delta3.sum(axis=0) / n
    w1_grad = x.T.dot(delta2) / n
    b1_grad = np.mean(delta2, axis=0)
    return w1_grad, b1_grad, w2_grad, b2_grad


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    return {
        "x": rng.standard_normal((6, 4)),
        "y": rng.uniform(size=(6, 2)),
        "w1": rng.standard_normal((4, 4)),
        "b1": rng.standard_normal(4),
        "w2": rng.standard_normal((4, 2)),
        "b2": rng.standard_normal(2),
    }


NAMES = {"delta3": "z3", "delta2": "z2"}

GRADIENTS = {"w1_grad": "w1", "b1_grad": "b1", "w2_grad": "w2", "b2_grad": "b2"}

# ruff: noqa: E501
# fmt: off
MUTANTS = {
    "delta3-no-prime": ("delta3 = (a3 - y) * f_deriv(z3)", "delta3 = a3 - y", "missing-factor", "f' is missing: the delta of cross-entropy"),
    "delta3-prime-at-a3": ("f_deriv(z3)", "f_deriv(a3)", "wrong-point", "f'(a3) for f'(z3)"),
    "delta3-sign": ("(a3 - y)", "(y - a3)", "sign", "the residual is reversed"),
    "delta3-twice": ("(a3 - y)", "2 * (a3 - y)", "scale", "the loss has 1/(2n), so no 2"),
    "delta3-squared": ("(a3 - y)", "(a3 - y) ** 2", "extra-factor wrong-point", "the square is not differentiated"),
    "delta2-no-prime": (" * f_deriv(z2)", "", "missing-factor", "f' is missing"),
    "delta2-prime-at-a2": ("f_deriv(z2)", "f_deriv(a2)", "wrong-point", "f'(a2) for f'(z2)"),
    "delta2-value-for-prime": ("f_deriv(z2)", "f(z2)", "missing-factor wrong-point", "f for f'"),
    "w2-no-n": ("a2.T.dot(delta3) / n", "a2.T.dot(delta3)", "scale", "1/n is missing"),
    "w2-from-z2": ("a2.T.dot(delta3)", "z2.T.dot(delta3)", "wrong-point", "z2 for a2"),
    "w1-untransposed": ("w1_grad = x.T.dot(delta2)", "w1_grad = delta2.T.dot(x)", "transpose", "the gradient of w1 transposed (square)"),
    "w1-from-a2": ("x.T.dot(delta2)", "a2.T.dot(delta2)", "wrong-point", "a2 for x, same shape"),
    "b1-mean-over-n": ("np.mean(delta2, axis=0)", "np.mean(delta2, axis=0) / n", "scale", "mean and 1/n"),
    "b1-mean-of-all": ("np.mean(delta2, axis=0)", "np.mean(delta2)", "wrong-reduction shape", "a scalar for (4,)"),
    "b2-keepdims": ("delta3.sum(axis=0)", "delta3.sum(axis=0, keepdims=True)", "shape wrong-reduction", "(1, 2) for (2,)"),
    "helper": ("return f(z) * (1 - f(z))", "return z * (1 - z)", "wrong-point", "the helper expects f(z) and gets z", "delta3 =", "delta2 ="),
    "stale-w2": ("    delta2 = delta3", "    w2 = w2 - 0.1 * a2.T.dot(delta3) / n\n    delta2 = delta3", "stale-value", "w2 was updated before it is used", "delta2 ="),
}

INSIDE = {"helper": "f_deriv"}

DOUBLES = [
    ("delta3-no-prime", "w1-untransposed"),
    ("delta2-prime-at-a2", "w2-no-n"),
    ("delta3-sign", "delta2-no-prime"),
    ("b1-mean-over-n", "w2-from-z2"),
]
# fmt: on
