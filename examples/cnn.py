"""A convolutional network tells squares, crosses and diamonds in noise apart.

The convolution is written with `sliding_window_view` and `einsum`, the pooling with a reshape.

Run it: ``python examples/cnn.py``.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

import autograd_np as ag


def images(n, rng):
    """Return n images of 12 x 12 pixels, each with one of three shapes somewhere, and which one it is."""
    rows, columns = np.mgrid[0:12, 0:12]
    label = rng.integers(0, 3, n)
    x = np.zeros((n, 12, 12))
    for i in range(n):
        row, column = rng.integers(3, 9, 2)
        down, across = abs(rows - row), abs(columns - column)
        square = np.maximum(down, across) == 2
        cross = (np.minimum(down, across) == 0) & (np.maximum(down, across) <= 3)
        diamond = down + across <= 2
        x[i] = (square, cross, diamond)[label[i]]
    return x + rng.normal(scale=0.3, size=x.shape), label


def conv(x, kernels, bias):
    """Return the convolution of images (n, channels, h, w) with kernels (k, channels, 3, 3)."""
    windows = sliding_window_view(x, kernels.shape[2:], axis=(2, 3))
    return np.einsum("nchwij,kcij->nkhw", windows, kernels, optimize=True) + bias[:, None, None]


def max_pool(x):
    """Return the largest of each 2 x 2 pixels."""
    n, c, h, w = x.shape
    return x.reshape(n, c, h // 2, 2, w // 2, 2).max(axis=(3, 5))


def forward(p, x):
    """Return the scores of the three classes."""
    x = max_pool(np.maximum(0, conv(x[:, None], p["K1"], p["b1"])))
    x = np.maximum(0, conv(x, p["K2"], p["b2"])).max(axis=(2, 3))
    return x @ p["W"] + p["b"]


def loss(p, x, label):
    """Return the mean cross-entropy."""
    z = forward(p, x)
    m = z.max(axis=1, keepdims=True)
    return np.mean(np.log(np.exp(z - m).sum(axis=1)) + m[:, 0] - z[np.arange(len(z)), label])


def initialize(rng):
    """Return two layers of kernels, and a dense one."""
    return {
        "K1": rng.normal(size=(6, 1, 3, 3)) / 3, "b1": np.zeros(6),
        "K2": rng.normal(size=(8, 6, 3, 3)) / 7, "b2": np.zeros(8),
        "W": rng.normal(size=(8, 3)) / 3, "b": np.zeros(3),
    }  # fmt: skip


def main(epochs=8, lr=0.1, momentum=0.9):
    """Train in batches of 50, print the loss of each epoch and the accuracy on other images."""
    rng = np.random.default_rng(0)
    x, label = images(500, rng)
    x_test, label_test = images(300, rng)
    p = initialize(rng)
    velocity = {k: np.zeros_like(v) for k, v in p.items()}
    losses = []
    for epoch in range(epochs):
        order = rng.permutation(len(x)).reshape(-1, 50)
        values = []
        for batch in order:
            value, g = ag.value_and_grad(loss)(p, x[batch], label[batch])
            for k in p:
                velocity[k] = momentum * velocity[k] - lr * g[k]
                p[k] = p[k] + velocity[k]
            values.append(value)
        losses.append(np.mean(values))
        print(f"epoch {epoch}, loss {losses[-1]:.4f}")
    accuracy = np.mean(np.argmax(forward(p, x_test), axis=1) == label_test)
    print(f"accuracy on other images {accuracy:.1%}")
    return losses, accuracy


if __name__ == "__main__":
    main()
