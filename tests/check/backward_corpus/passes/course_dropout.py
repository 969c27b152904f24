"""The notebook's net with dropout from a seeded generator and an L2 cost: parameters and caches as tuples, np.multiply."""

import numpy as np

# ruff: noqa: NPY002


def relu(Z):
    return np.maximum(Z, 0)


def sigmoid(Z):
    return 1 / (1 + np.exp(-Z))


def forward(X, Y, W1, b1, W2, b2, W3, b3, lambd=0.4, keep_prob=0.7):
    np.random.seed(1)
    Z1 = np.dot(W1, X) + b1
    A1 = relu(Z1)
    D1 = np.random.rand(A1.shape[0], A1.shape[1]) < keep_prob
    A1 = np.multiply(A1, D1) / keep_prob
    Z2 = np.dot(W2, A1) + b2
    A2 = np.tanh(Z2)
    Z3 = np.dot(W3, A2) + b3
    A3 = sigmoid(Z3)
    cache = (Z1, D1, A1, W1, b1, Z2, A2, W2, b2, Z3, A3, W3, b3)
    m = Y.shape[1]
    cost = np.sum(np.multiply(-np.log(A3), Y) + np.multiply(-np.log(1 - A3), 1 - Y)) / m
    cost = cost + lambd / (2 * m) * (np.sum(np.square(W1)) + np.sum(np.square(W2)) + np.sum(np.square(W3)))
    return cost, cache


def backward(X, Y, cache, lambd=0.4, keep_prob=0.7):
    m = X.shape[1]
    (Z1, D1, A1, W1, b1, Z2, A2, W2, b2, Z3, A3, W3, b3) = cache
    dZ3 = A3 - Y
    dW3 = 1.0 / m * np.dot(dZ3, A2.T) + lambd / m * W3
    db3 = 1.0 / m * np.sum(dZ3, axis=1, keepdims=True)
    dA2 = np.dot(W3.T, dZ3)
    dZ2 = np.multiply(dA2, 1 - np.power(A2, 2))
    dW2 = 1.0 / m * np.dot(dZ2, A1.T) + lambd / m * W2
    db2 = 1.0 / m * np.sum(dZ2, axis=1, keepdims=True)
    dA1 = np.dot(W2.T, dZ2)
    dA1 = np.multiply(dA1, D1) / keep_prob
    dZ1 = np.multiply(dA1, np.int64(Z1 > 0))
    dW1 = 1.0 / m * np.dot(dZ1, X.T) + lambd / m * W1
    db1 = 1.0 / m * np.sum(dZ1, axis=1, keepdims=True)
    gradients = {"dZ3": dZ3, "dW3": dW3, "db3": db3, "dA2": dA2, "dW2": dW2, "db2": db2, "dW1": dW1, "db1": db1}
    return gradients


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    found = {"X": rng.normal(size=(3, 7)), "Y": rng.integers(0, 2, size=(1, 7)) + 0.0}
    for i, (n, k) in enumerate(((3, 4), (4, 4), (4, 1)), start=1):
        found[f"W{i}"] = rng.normal(size=(k, n))
        found[f"b{i}"] = rng.normal(size=(k, 1))
    return found


GRADIENTS = {f"d{letter}{n}": f"{letter}{n}" for n in (1, 2, 3) for letter in "Wb"}

# ruff: noqa: E501, RUF059
# fmt: off
MUTANTS = {
    "reversed": ("dZ3 = A3 - Y", "dZ3 = Y - A3", "sign", "reversed"),
    "W3-no-reg": (" + lambd / m * W3", "", "missing-term", "the regulariser is forgotten"),
    "W3-reg-half": ("lambd / m * W3", "lambd / (2 * m) * W3", "scale extra-factor", "a half too much"),
    "W3-Z2": ("np.dot(dZ3, A2.T)", "np.dot(dZ3, Z2.T)", "wrong-point", "Z2 for A2"),
    "b3-axis": ("np.sum(dZ3, axis=1, keepdims=True)", "np.sum(dZ3, axis=0, keepdims=True)", "wrong-reduction shape", "sums over the units"),
    "A2-m": ("dA2 = np.dot(W3.T, dZ3)", "dA2 = np.dot(W3.T, dZ3) / m", "scale extra-factor", "1/m too early"),
    "Z2-relu": ("1 - np.power(A2, 2)", "np.int64(A2 > 0)", "wrong-point missing-factor", "ReLU' for tanh'"),
    "Z2-at-Z": ("np.power(A2, 2)", "np.power(Z2, 2)", "wrong-point", "Z2 for A2"),
    "W2-no-m": ("dW2 = 1.0 / m * np", "dW2 = 1.0 * np", "scale missing-factor", "1/m is missing"),
    "W2-reg-W1": ("lambd / m * W2", "lambd * W2", "scale missing-factor", "1/m of the regulariser is missing"),
    "b2-keepdims": ("np.sum(dZ2, axis=1, keepdims=True)", "np.sum(dZ2, axis=1)", "shape wrong-reduction", "(n,) for (n, 1)"),
    "A1-untransposed": ("np.dot(W2.T, dZ2)", "np.dot(W2, dZ2)", "transpose", "W2 for W2.T (square)"),
    "no-mask": ("np.multiply(dA1, D1) / keep_prob", "dA1 / keep_prob", "missing-factor", "the dropout mask is missing"),
    "no-keep": ("np.multiply(dA1, D1) / keep_prob", "np.multiply(dA1, D1)", "scale missing-factor", "1/keep_prob is missing"),
    "no-dropout": ("    dA1 = np.multiply(dA1, D1) / keep_prob\n", "", "missing-factor scale", "the dropout is forgotten", "dA1 = np.dot", "dZ1 ="),
    "mask-inverted": ("np.multiply(dA1, D1)", "np.multiply(dA1, ~D1)", "wrong-point missing-factor", "the mask is inverted"),
    "no-relu": ("np.multiply(dA1, np.int64(Z1 > 0))", "np.multiply(dA1, A1)", "wrong-point extra-factor", "A1 for its sign"),
    "W1-A1": ("np.dot(dZ1, X.T)", "np.dot(dA1, X.T)", "missing-factor wrong-point", "dA1 for dZ1"),
    "m-rows": ("m = X.shape[1]", "m = X.shape[0]", "scale", "the number of features", "dW3 =", "db3 =", "dW2 =", "db2 =", "dW1 =", "db1 ="),
    "b1-not-returned": (", \"db1\": db1}", "}", "not-returned", "db1 is computed and not returned", "db1 ="),
    "b1-b2": ("\"db1\": db1}", "\"db1\": db2}", "wrong-point not-returned", "db2 under the name of db1", "db1 ="),
}

DOUBLES = [("W3-Z2", "no-keep"), ("reversed", "W2-no-m"), ("W3-no-reg", "A1-untransposed"), ("A2-m", "b2-keepdims"), ("Z2-relu", "W1-A1"), ("b3-axis", "mask-inverted")]
# fmt: on
