"""A multilayer perceptron tells two spirals apart.

Parameters are a list of pairs, as NumPy code has them; the gradient has the same form.

Run it: ``python examples/mlp.py``.
"""

import itertools

import numpy as np

import autograd_np as ag


def spirals(n, rng):
    """Return n points of the plane (n, 2), and which of two spirals each is on."""
    turn = rng.uniform(0.3, 2, n) * np.pi
    label = rng.integers(0, 2, n)
    angle = turn + np.pi * label
    x = np.stack([turn * np.cos(angle), turn * np.sin(angle)], axis=1) / 3
    return x + rng.normal(scale=0.03, size=x.shape), label


def initialize(sizes, rng):
    """Return weights and biases of layers of the given sizes."""
    return [(rng.normal(size=(m, n)) * np.sqrt(2 / m), np.zeros(n)) for m, n in itertools.pairwise(sizes)]


def forward(params, x):
    """Return the scores of both classes."""
    for W, b in params[:-1]:
        x = np.maximum(0, x @ W + b)
    W, b = params[-1]
    return x @ W + b


def loss(params, x, label):
    """Return the mean cross-entropy."""
    scores = forward(params, x)
    scores = scores - np.max(scores, axis=1, keepdims=True)
    log_p = scores - np.log(np.sum(np.exp(scores), axis=1, keepdims=True))
    return -np.mean(log_p[np.arange(len(label)), label])


def main(steps=400, lr=0.2, momentum=0.9):
    """Train on 300 points, print the loss on the way and the accuracy on 300 others."""
    rng = np.random.default_rng(0)
    x, label = spirals(300, rng)
    x_test, label_test = spirals(300, rng)
    params = initialize([2, 32, 32, 2], rng)
    velocity = [(0 * W, 0 * b) for W, b in params]
    losses = []
    for step in range(steps):
        value, gradient = ag.value_and_grad(loss)(params, x, label)
        velocity = [(momentum * vW - lr * dW, momentum * vb - lr * db) for (vW, vb), (dW, db) in zip(velocity, gradient, strict=True)]
        params = [(W + vW, b + vb) for (W, b), (vW, vb) in zip(params, velocity, strict=True)]
        losses.append(value)
        if step % 100 == 0 or step == steps - 1:
            print(f"step {step:3}, loss {value:.4f}")
    accuracy = np.mean(np.argmax(forward(params, x_test), axis=1) == label_test)
    print(f"accuracy on other points {accuracy:.1%}")
    return losses, accuracy


if __name__ == "__main__":
    main()
