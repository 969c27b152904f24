"""One vector of parameters, unpacked and packed again, as an optimiser wants it: cost and gradient together."""

import numpy as np


def unpack(theta, n, h, k):
    T1 = theta[: h * (n + 1)].reshape(h, n + 1)
    T2 = theta[h * (n + 1) :].reshape(k, h + 1)
    return T1, T2


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def sigmoid_gradient(z):
    g = sigmoid(z)
    return g * (1 - g)


def cost_function(theta, X, Y, lam):
    m, n = X.shape
    k = Y.shape[1]
    h = 4
    T1, T2 = unpack(theta, n, h, k)
    a1 = np.hstack([np.ones((m, 1)), X])
    z2 = a1 @ T1.T
    a2 = np.hstack([np.ones((m, 1)), sigmoid(z2)])
    z3 = a2 @ T2.T
    a3 = sigmoid(z3)
    J = -np.sum(Y * np.log(a3) + (1 - Y) * np.log(1 - a3)) / m
    J = J + lam / (2 * m) * (np.sum(T1[:, 1:] ** 2) + np.sum(T2[:, 1:] ** 2))

    delta3 = a3 - Y
    delta2 = (delta3 @ T2)[:, 1:] * sigmoid_gradient(z2)
    T1_grad = delta2.T @ a1 / m
    T2_grad = delta3.T @ a2 / m
    T1_grad[:, 1:] += lam / m * T1[:, 1:]
    T2_grad[:, 1:] += lam / m * T2[:, 1:]
    grad = np.concatenate([T1_grad.ravel(), T2_grad.ravel()])
    return J, grad


forward = backward = cost_function


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    return {
        "theta": rng.normal(size=4 * 4 + 2 * 5),
        "X": rng.normal(size=(7, 3)),
        "Y": rng.integers(0, 2, size=(7, 2)) + 0.0,
        "lam": 0.5,
    }


GRADIENTS = {"J": None, "grad": "theta"}

# ruff: noqa: E501
# fmt: off
MUTANTS = {
    "reversed": ("delta3 = a3 - Y", "delta3 = Y - a3", "sign", "the residual is reversed"),
    "delta3-prime": ("delta3 = a3 - Y", "delta3 = (a3 - Y) * sigmoid_gradient(z3)", "extra-factor", "σ' as for the squared error"),
    "delta2-no-prime": (" * sigmoid_gradient(z2)", "", "missing-factor", "σ' is missing"),
    "delta2-at-a2": ("sigmoid_gradient(z2)", "sigmoid_gradient(a2[:, 1:])", "wrong-point", "at a2 for z2"),
    "delta2-bias": ("(delta3 @ T2)[:, 1:]", "(delta3 @ T2)[:, :-1]", "wrong-point", "the last unit is dropped, not the bias"),
    "T1-no-m": ("delta2.T @ a1 / m", "delta2.T @ a1", "scale missing-factor", "1/m is missing"),
    "T2-no-m": ("delta3.T @ a2 / m", "delta3.T @ a2", "scale missing-factor", "1/m is missing"),
    "T2-by-k": ("delta3.T @ a2 / m", "delta3.T @ a2 / k", "scale", "divides by the number of classes"),
    "T1-bias-regularised": ("T1_grad[:, 1:] += lam / m * T1[:, 1:]", "T1_grad += lam / m * T1", "extra-term wrong-point", "the bias is regularised too"),
    "T2-no-reg": ("    T2_grad[:, 1:] += lam / m * T2[:, 1:]\n", "", "missing-term", "the regulariser is forgotten", "T2_grad = delta3", "grad = np"),
    "T1-reg-lam": ("lam / m * T1[:, 1:]", "lam * T1[:, 1:]", "scale missing-factor", "1/m of the regulariser is missing"),
    "T2-reg-assigned": ("T2_grad[:, 1:] += lam", "T2_grad[:, 1:] = lam", "missing-term", "= for +="),
    "order": ("[T1_grad.ravel(), T2_grad.ravel()]", "[T2_grad.ravel(), T1_grad.ravel()]", "wrong-point", "packed in the wrong order"),
    "ravel-F": ("T2_grad.ravel()]", "T2_grad.T.ravel()]", "transpose wrong-point", "raveled by columns"),
    "prime-half": ("return g * (1 - g)", "return 1 - g", "missing-factor wrong-point", "a factor of σ' is missing"),
    "prime-no-sigmoid": ("return g * (1 - g)", "return z * (1 - z)", "wrong-point", "z for σ(z)"),
    "T1-from-X": ("delta2.T @ a1 / m", "delta2.T @ X / m", "raises wrong-point shape", "without the column of ones", "T1_grad[:, 1:] +="),
    "T2-reg-twice": ("T2_grad[:, 1:] += lam / m", "T2_grad[:, 1:] += 2 * lam / m", "scale double-count extra-factor", "the cost has a half"),
}

INSIDE = {"prime-half": "sigmoid_gradient", "prime-no-sigmoid": "sigmoid_gradient"}

DOUBLES = [("reversed", "T1-reg-lam"), ("delta2-no-prime", "T2-no-m"), ("T1-no-m", "T2-reg-assigned"), ("prime-half", "T2-by-k"), ("delta2-bias", "T2-no-reg")]
# fmt: on
