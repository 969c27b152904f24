"""Any number of layers with parameters W1, b1, … in a dict; helpers for a linear and for an activated layer; samples in columns."""

import numpy as np


def linear_activation_forward(A_prev, W, b, activation):
    Z = W @ A_prev + b
    A = np.maximum(0, Z) if activation == "relu" else 1 / (1 + np.exp(-Z))
    return A, ((A_prev, W, b), Z)


def forward(X, parameters):
    caches = []
    A = X
    L = len(parameters) // 2
    for l in range(1, L):  # noqa: E741
        A, cache = linear_activation_forward(A, parameters[f"W{l}"], parameters[f"b{l}"], "relu")
        caches.append(cache)
    AL, cache = linear_activation_forward(A, parameters[f"W{L}"], parameters[f"b{L}"], "sigmoid")
    caches.append(cache)
    return AL, caches


def loss(AL, Y):
    m = Y.shape[1]
    return -np.sum(Y * np.log(AL) + (1 - Y) * np.log(1 - AL)) / m


def relu_backward(dA, Z):
    dZ = np.array(dA, copy=True)
    dZ[Z <= 0] = 0
    return dZ


def sigmoid_backward(dA, Z):
    s = 1 / (1 + np.exp(-Z))
    return dA * s * (1 - s)


def linear_backward(dZ, cache):
    A_prev, W, _ = cache
    m = A_prev.shape[1]
    dW = dZ @ A_prev.T / m
    db = np.sum(dZ, axis=1, keepdims=True) / m
    dA_prev = W.T @ dZ
    return dA_prev, dW, db


def backward(AL, Y, caches):
    grads = {}
    L = len(caches)
    dAL = -(np.divide(Y, AL) - np.divide(1 - Y, 1 - AL))
    linear_cache, Z = caches[L - 1]
    grads[f"dA{L - 1}"], grads[f"dW{L}"], grads[f"db{L}"] = linear_backward(sigmoid_backward(dAL, Z), linear_cache)
    for l in reversed(range(L - 1)):  # noqa: E741
        linear_cache, Z = caches[l]
        dZ = relu_backward(grads[f"dA{l + 1}"], Z)
        grads[f"dA{l}"], grads[f"dW{l + 1}"], grads[f"db{l + 1}"] = linear_backward(dZ, linear_cache)
    return grads


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    sizes = [3, 4, 4, 1]
    parameters = {}
    for i in range(1, 4):
        parameters[f"W{i}"] = rng.normal(size=(sizes[i], sizes[i - 1]))
        parameters[f"b{i}"] = rng.normal(size=(sizes[i], 1))
    return {"X": rng.normal(size=(3, 6)), "Y": rng.integers(0, 2, size=(1, 6)) + 0.0, "parameters": parameters}


GRADIENTS = {f"d{letter}{n}": ("parameters", f"{letter}{n}") for n in (1, 2, 3) for letter in "Wb"}

# ruff: noqa: E501
# fmt: off
MUTANTS = {
    "dAL-sign": ("dAL = -(np.divide(Y, AL)", "dAL = (np.divide(Y, AL)", "sign", "the minus is missing"),
    "dAL-inner-sign": ("np.divide(Y, AL) - np.divide", "np.divide(Y, AL) + np.divide", "sign", "+ for -"),
    "dAL-one-class": (" - np.divide(1 - Y, 1 - AL)", "", "missing-term", "the negatives are forgotten"),
    "dA-index": ("grads[f\"dA{l + 1}\"], Z", "grads[f\"dA{L - 1}\"], Z", "wrong-point stale-value", "always the gradient of the last hidden layer"),
    "no-relu": ("dZ = relu_backward(grads[f\"dA{l + 1}\"], Z)", "dZ = grads[f\"dA{l + 1}\"]", "missing-factor", "the ReLU is skipped"),
    "sigmoid-in-hidden": ("dZ = relu_backward(", "dZ = sigmoid_backward(", "wrong-point extra-factor missing-factor", "σ' for ReLU'"),
    "loop-skips-first": ("reversed(range(L - 1))", "reversed(range(1, L - 1))", "not-returned", "the first layer gets no gradients", "return grads"),
    "relu-inverted": ("dZ[Z <= 0] = 0", "dZ[Z > 0] = 0", "wrong-point missing-factor extra-factor", "the mask is inverted"),
    "relu-of-gradient": ("dZ[Z <= 0] = 0", "dZ[dA <= 0] = 0", "wrong-point", "masked by the gradient"),
    "relu-no-mask": ("    dZ[Z <= 0] = 0\n", "", "missing-factor", "the mask is missing", "dZ = np.array(dA", "dZ = relu_backward"),
    "sigmoid-half": ("dA * s * (1 - s)", "dA * (1 - s)", "missing-factor", "a factor of σ' is missing"),
    "sigmoid-at-dA": ("np.exp(-Z)", "np.exp(-dA)", "wrong-point", "σ of the gradient", "return dA * s"),
    "m-rows": ("m = A_prev.shape[1]", "m = A_prev.shape[0]", "scale", "the number of units", "dW = dZ", "db = np.sum"),
    "dW-no-m": ("dW = dZ @ A_prev.T / m", "dW = dZ @ A_prev.T", "scale missing-factor", "1/m is missing"),
    "db-no-m": ("keepdims=True) / m", "keepdims=True)", "scale missing-factor", "1/m is missing"),
    "db-flat": ("np.sum(dZ, axis=1, keepdims=True)", "np.sum(dZ, axis=1)", "shape wrong-reduction", "(n,) for (n, 1)"),
    "db-axis": ("np.sum(dZ, axis=1, keepdims=True)", "np.sum(dZ, axis=0, keepdims=True)", "shape wrong-reduction", "sums over the units"),
    "dA-gradient": ("dA_prev = W.T @ dZ", "dA_prev = dW.T @ dZ", "wrong-point", "dW for W"),
    "dA-m": ("dA_prev = W.T @ dZ", "dA_prev = W.T @ dZ / m", "scale extra-factor", "1/m once too often"),
    "dAL-zero": ("np.divide(1 - Y, 1 - AL)", "np.divide(1 - Y, 1 - Y)", "not-finite wrong-point", "divided by 1 - Y for 1 - AL"),
    "stale-W": ("    dA_prev = W.T @ dZ", "    W = W - 0.1 * dW\n    dA_prev = W.T @ dZ", "stale-value", "W was updated before it is used", "dA_prev ="),
}

INSIDE = {
    "stale-W": "linear_backward", "relu-inverted": "relu_backward", "relu-of-gradient": "relu_backward", "relu-no-mask": "relu_backward",
    "sigmoid-half": "sigmoid_backward", "sigmoid-at-dA": "sigmoid_backward", "m-rows": "linear_backward", "dW-no-m": "linear_backward",
    "db-no-m": "linear_backward", "db-flat": "linear_backward", "db-axis": "linear_backward", "dA-gradient": "linear_backward", "dA-m": "linear_backward",
}  # fmt: skip

DOUBLES = [("dAL-sign", "dW-no-m"), ("no-relu", "db-no-m"), ("relu-inverted", "sigmoid-half"), ("dAL-one-class", "dA-m"), ("sigmoid-in-hidden", "db-flat")]
# fmt: on
