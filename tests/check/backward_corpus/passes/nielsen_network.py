"""One column vector through a net of lists of weights; nabla lists filled from the end with negative indices."""

import numpy as np


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def sigmoid_prime(z):
    return sigmoid(z) * (1 - sigmoid(z))


def forward(x, y, weights, biases):
    activation = x
    activations = [x]
    zs = []
    for b, w in zip(biases, weights, strict=True):
        z = np.dot(w, activation) + b
        zs.append(z)
        activation = sigmoid(z)
        activations.append(activation)
    cost = 0.5 * np.linalg.norm(activation - y) ** 2
    return cost, activations, zs


def cost_derivative(output_activations, y):
    return output_activations - y


def backward(y, weights, biases, activations, zs):
    nabla_b = [np.zeros(b.shape) for b in biases]
    nabla_w = [np.zeros(w.shape) for w in weights]
    delta = cost_derivative(activations[-1], y) * sigmoid_prime(zs[-1])
    nabla_b[-1] = delta
    nabla_w[-1] = np.dot(delta, activations[-2].transpose())
    for l in range(2, len(weights) + 1):  # noqa: E741
        z = zs[-l]
        sp = sigmoid_prime(z)
        delta = np.dot(weights[-l + 1].transpose(), delta) * sp
        nabla_b[-l] = delta
        nabla_w[-l] = np.dot(delta, activations[-l - 1].transpose())
    return nabla_b, nabla_w


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    sizes = [4, 4, 4, 3]
    return {
        "x": rng.normal(size=(4, 1)),
        "y": rng.uniform(size=(3, 1)),
        "weights": [rng.normal(size=(k, n)) for n, k in zip(sizes, sizes[1:], strict=False)],
        "biases": [rng.normal(size=(k, 1)) for k in sizes[1:]],
    }


GRADIENTS = {"nabla_b": "biases", "nabla_w": "weights"}

# ruff: noqa: E501, RUF007
# fmt: off
MUTANTS = {
    "cost-sign": ("return output_activations - y", "return y - output_activations", "sign", "the residual is reversed"),
    "cost-two": ("return output_activations - y", "return 2 * (output_activations - y)", "scale extra-factor", "the cost has a half"),
    "prime-half": ("return sigmoid(z) * (1 - sigmoid(z))", "return 1 - sigmoid(z)", "missing-factor", "a factor of σ' is missing"),
    "prime-of-activation": ("return sigmoid(z) * (1 - sigmoid(z))", "return z * (1 - z)", "wrong-point", "z for σ(z)"),
    "delta-cross-entropy": (" * sigmoid_prime(zs[-1])", "", "missing-factor", "the delta of cross-entropy"),
    "delta-at-activation": ("sigmoid_prime(zs[-1])", "sigmoid_prime(activations[-1])", "wrong-point", "at the activation for z"),
    "nabla_w-z": ("np.dot(delta, activations[-2].transpose())", "np.dot(delta, zs[-2].transpose())", "wrong-point", "z for the activation"),
    "nabla_w-first": ("activations[-2].transpose()", "activations[0].transpose()", "wrong-point", "the input for the last hidden layer"),
    "nabla_b-mean": ("nabla_b[-1] = delta", "nabla_b[-1] = np.mean(delta) + 0 * delta", "wrong-reduction wrong-point", "the mean for each"),
    "hidden-z": ("z = zs[-l]", "z = zs[-l + 1] if l > 2 else zs[-l]", "wrong-point", "z of the layer above", "delta = np.dot(weights", "sp ="),
    "hidden-untransposed": ("weights[-l + 1].transpose()", "(weights[-l + 1] if l > 2 else weights[-l + 1].transpose())", "transpose", "not transposed (square)"),
    "hidden-no-prime": (" * sp", "", "missing-factor", "σ' is missing"),
    "hidden-b-prime": ("nabla_b[-l] = delta", "nabla_b[-l] = delta * sp", "extra-factor double-count", "σ' twice"),
    "hidden-w-index": ("activations[-l - 1].transpose()", "activations[-l].transpose()", "wrong-point", "the activation of the layer itself"),
    "hidden-w-transposed": ("np.dot(delta, activations[-l - 1].transpose())", "np.dot(activations[-l - 1], delta.transpose())", "transpose", "transposed (square)"),
    "short-loop": ("range(2, len(weights) + 1)", "range(2, len(weights))", "missing-term not-returned", "the first layer is left out", "nabla_b = [", "nabla_w = [", "nabla_b[-l]", "nabla_w[-l]", "return nabla_b"),
    "index-written": ("nabla_w[-l] = np.dot", "nabla_w[-2] = np.dot", "wrong-point missing-term", "always written to the last but one"),
}

INSIDE = {"cost-sign": "cost_derivative", "cost-two": "cost_derivative", "prime-half": "sigmoid_prime", "prime-of-activation": "sigmoid_prime"}

DOUBLES = [("cost-sign", "hidden-no-prime"), ("cost-two", "hidden-w-transposed"), ("delta-cross-entropy", "hidden-w-index"), ("nabla_w-z", "hidden-b-prime")]
# fmt: on
