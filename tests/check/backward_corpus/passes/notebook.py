"""The 2-3-1 network of a course notebook: samples in columns, a dict of parameters, a cache."""

import numpy as np


def sigmoid(Z):
    return 1 / (1 + np.exp(-Z))


def forward(X, parameters):
    W1 = parameters["W1"]
    b1 = parameters["b1"]
    W2 = parameters["W2"]
    b2 = parameters["b2"]

    Z1 = np.dot(W1, X) + b1
    A1 = np.tanh(Z1)
    Z2 = np.dot(W2, A1) + b2
    A2 = sigmoid(Z2)

    cache = {"Z1": Z1, "A1": A1, "Z2": Z2, "A2": A2}
    return A2, cache


def loss(A2, Y):
    m = Y.shape[1]
    logprobs = np.multiply(np.log(A2), Y) + np.multiply(np.log(1 - A2), 1 - Y)
    return -np.sum(logprobs) / m


def backward(parameters, cache, X, Y):
    m = X.shape[1]

    W2 = parameters["W2"]
    Z1 = cache["Z1"]  # noqa: F841
    A1 = cache["A1"]
    A2 = cache["A2"]

    dZ2 = A2 - Y
    dW2 = np.dot(dZ2, A1.T) / m
    db2 = np.sum(dZ2, axis=1, keepdims=True) / m
    dA1 = np.dot(W2.T, dZ2)
    dZ1 = dA1 * (1 - np.power(A1, 2))
    dW1 = np.dot(dZ1, X.T) / m
    db1 = np.sum(dZ1, axis=1, keepdims=True) / m

    grads = {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}
    return grads


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    parameters = {
        "W1": rng.normal(size=(3, 2)),
        "b1": rng.normal(size=(3, 1)),
        "W2": rng.normal(size=(1, 3)),
        "b2": rng.normal(size=(1, 1)),
    }
    return {"X": rng.normal(size=(2, 7)), "Y": rng.integers(0, 2, size=(1, 7)), "parameters": parameters}


GRADIENTS = {"dW1": ("parameters", "W1"), "db1": ("parameters", "b1"), "dW2": ("parameters", "W2"), "db2": ("parameters", "b2")}

# ruff: noqa: E501
# fmt: off
MUTANTS = {
    "residual-reversed": ("dZ2 = A2 - Y", "dZ2 = Y - A2", "sign", "the residual is taken the wrong way round"),
    "dW2-no-m": ("dW2 = np.dot(dZ2, A1.T) / m", "dW2 = np.dot(dZ2, A1.T)", "scale", "1/m is missing"),
    "dW1-no-m": ("dW1 = np.dot(dZ1, X.T) / m", "dW1 = np.dot(dZ1, X.T)", "scale", "1/m is missing"),
    "db2-times-m": ("db2 = np.sum(dZ2, axis=1, keepdims=True) / m", "db2 = np.sum(dZ2, axis=1, keepdims=True) * m", "scale", "times m for divided by m"),
    "db2-axis": ("np.sum(dZ2, axis=1, keepdims=True)", "np.sum(dZ2, axis=0, keepdims=True)", "wrong-reduction shape", "sums over the units"),
    "db1-keepdims": ("np.sum(dZ1, axis=1, keepdims=True)", "np.sum(dZ1, axis=1)", "shape wrong-reduction", "(3,) for (3, 1)"),
    "db1-sum-all": ("np.sum(dZ1, axis=1, keepdims=True)", "np.sum(dZ1)", "wrong-reduction shape", "sums over everything"),
    "no-tanh-prime": ("dZ1 = dA1 * (1 - np.power(A1, 2))", "dZ1 = dA1", "missing-factor", "tanh' is missing"),
    "tanh-prime-at-Z1": ("np.power(A1, 2)", "np.power(Z1, 2)", "wrong-point", "1 - Z1² for 1 - A1²"),
    "tanh-prime-power": ("np.power(A1, 2)", "A1", "missing-factor wrong-point", "1 - A1 for 1 - A1²"),
    "tanh-as-sigmoid": ("(1 - np.power(A1, 2))", "A1 * (1 - A1)", "wrong-point missing-factor extra-factor", "the derivative of a sigmoid"),
    "dW1-from-A1": ("np.dot(dZ1, X.T)", "np.dot(dZ1, A1.T)", "wrong-point shape", "A1 for X"),
    "stale-W2": ("    dA1 = np.dot(W2.T, dZ2)", "    W2 = W2 - 0.5 * dW2\n    dA1 = np.dot(W2.T, dZ2)", "stale-value", "W2 was updated before it is used", "dA1 ="),
}

DOUBLES = [
    ("residual-reversed", "dW1-no-m"),
    ("dW2-no-m", "no-tanh-prime"),
    ("tanh-prime-at-Z1", "db2-axis"),
    ("db1-sum-all", "db2-times-m"),
]
# fmt: on
