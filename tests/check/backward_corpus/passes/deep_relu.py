"""A ReLU network of any depth: lists of weights, a loop down the layers, a linear last layer, mean squared error."""

import numpy as np


def relu(z):
    return np.maximum(z, 0.0)


def forward(x, weights, biases):
    activations = [x]
    zs = []
    a = x
    for i in range(len(weights)):
        z = np.dot(a, weights[i]) + biases[i]
        zs.append(z)
        a = relu(z) if i < len(weights) - 1 else z
        activations.append(a)
    return a, zs, activations


def loss(a, target):
    return 0.5 * np.mean(np.sum((a - target) ** 2, axis=1))


def backward(weights, zs, activations, target):
    batch = target.shape[0]
    dweights = [None] * len(weights)
    dbiases = [None] * len(weights)
    delta = (activations[-1] - target) / batch
    for i in reversed(range(len(weights))):
        if i < len(weights) - 1:
            delta = delta * (zs[i] > 0)
        dweights[i] = np.dot(activations[i].T, delta)
        dbiases[i] = delta.sum(axis=0)
        delta = np.dot(delta, weights[i].T)
    return dweights, dbiases


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    sizes = [3, 5, 5, 2]
    return {
        "x": rng.normal(size=(4, 3)),
        "weights": [rng.normal(size=(n, k)) for n, k in zip(sizes, sizes[1:], strict=False)],
        "biases": [rng.normal(size=k) for k in sizes[1:]],
        "target": rng.normal(size=(4, 2)),
    }


GRADIENTS = {"dweights": "weights", "dbiases": "biases"}

# ruff: noqa: E501, RUF007
# fmt: off
MUTANTS = {
    "no-batch": (" / batch", "", "scale", "1/batch is missing"),
    "seed-sign": ("(activations[-1] - target)", "(target - activations[-1])", "sign", "reversed residual"),
    "seed-two": ("(activations[-1] - target) / batch", "2 * (activations[-1] - target) / batch", "scale", "the loss has a half"),
    "all-elements": ("/ batch", "/ target.size", "scale", "divides by the number of elements"),
    "no-mask": ("delta = delta * (zs[i] > 0)", "delta = delta * 1.0", "missing-factor", "ReLU' is missing"),
    "mask-of-next": ("if i < len(weights) - 1:\n            delta = delta * (zs[i] > 0)", "if 0 < i < len(weights) - 1:\n            delta = delta * (zs[i] > 0)", "missing-factor", "the first layer is not masked", "delta = delta * (zs[i] > 0)"),
    "shifted-activation": ("activations[i].T, delta", "zs[i - 1].T if i else activations[0].T, delta", "wrong-point", "pre-activations for activations"),
    "no-bias-sum": ("delta.sum(axis=0)", "delta.mean(axis=0)", "scale wrong-reduction", "mean for sum"),
    "bias-keepdims": ("delta.sum(axis=0)", "delta.sum(axis=0, keepdims=True)", "shape wrong-reduction", "(1, n) for (n,)"),
    "weights-untransposed": ("weights[i].T)", "(weights[i] if weights[i].shape[0] == weights[i].shape[1] else weights[i].T))", "transpose", "the square weight is not transposed"),
    "pushed-twice": ("delta = np.dot(delta, weights[i].T)", "delta = np.dot(delta, weights[i].T) * 2", "scale double-count extra-factor", "each layer doubles the delta"),
    "batch-again": ("np.dot(activations[i].T, delta)", "np.dot(activations[i].T, delta) / batch", "scale", "1/batch twice"),
    "stale-weights": ("        delta = np.dot(delta, weights[i].T)", "        weights[i] = weights[i] - 0.1 * dweights[i]\n        delta = np.dot(delta, weights[i].T)", "stale-value", "the step is taken in the same loop, in the caller's list", "delta = np.dot(delta"),
}

DOUBLES = [("no-batch", "bias-keepdims"), ("no-mask", "no-bias-sum"), ("seed-sign", "batch-again")]
# fmt: on
