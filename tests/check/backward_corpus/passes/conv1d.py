"""A 1-D convolution (valid, several channels, a stride) with plain loops, then a tanh, then the mean of squares."""

import numpy as np


def forward(x, w, b, stride):
    n_in, length = x.shape
    n_out, _, size = w.shape
    n_pos = (length - size) // stride + 1
    z = np.zeros((n_out, n_pos))
    for o in range(n_out):
        for p in range(n_pos):
            start = p * stride
            z[o, p] = np.sum(x[:, start : start + size] * w[o]) + b[o]
    h = np.tanh(z)
    cost = np.mean(h**2)
    return cost


def backward(x, w, z, h, stride):
    n_out, _, size = w.shape
    n_pos = h.shape[1]

    g_h = 2 * h / h.size
    g_z = g_h * (1 - np.tanh(z) ** 2)
    g_x = np.zeros_like(x)
    g_w = np.zeros_like(w)
    g_b = np.zeros(n_out)
    for o in range(n_out):
        for p in range(n_pos):
            start = p * stride
            g_w[o] += g_z[o, p] * x[:, start : start + size]
            g_x[:, start : start + size] += g_z[o, p] * w[o]
            g_b[o] += g_z[o, p]
    return g_x, g_w, g_b


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    return {"x": rng.normal(size=(2, 8)), "w": rng.normal(size=(2, 2, 3)), "b": rng.normal(size=2), "stride": 2}


GRADIENTS = {"g_x": "x", "g_w": "w", "g_b": "b"}

# ruff: noqa: E501, RUF059
# fmt: off
MUTANTS = {
    "no-two": ("2 * h / h.size", "h / h.size", "scale", "2 of the square is missing"),
    "no-mean": ("2 * h / h.size", "2 * h", "scale wrong-reduction", "1/n of the mean is missing"),
    "mean-over-positions": ("/ h.size", "/ n_pos", "scale wrong-reduction", "1/n of one axis only"),
    "tanh-at-h": ("np.tanh(z) ** 2", "np.tanh(h) ** 2", "wrong-point", "tanh' at h"),
    "no-tanh-prime": ("g_z = g_h * (1 - np.tanh(z) ** 2)", "g_z = g_h", "missing-factor", "tanh' is missing"),
    "tanh-sign": ("(1 - np.tanh(z) ** 2)", "(1 + np.tanh(z) ** 2)", "wrong-point sign extra-factor missing-factor", "1 + tanh²"),
    "w-assigned": ("g_w[o] += g_z", "g_w[o] = g_z", "missing-term", "only the last position counts"),
    "w-no-stride": ("g_z[o, p] * x[:, start : start + size]", "g_z[o, p] * x[:, p : p + size]", "wrong-point", "the stride is forgotten"),
    "x-assigned": ("g_x[:, start : start + size] += g_z", "g_x[:, start : start + size] = g_z", "missing-term", "overlaps overwrite each other"),
    "x-flipped": ("g_z[o, p] * w[o]", "g_z[o, p] * w[o, :, ::-1]", "wrong-point transpose", "the kernel is flipped"),
    "x-from-first-kernel": ("g_z[o, p] * w[o]", "g_z[o, p] * w[0]", "wrong-point", "the first kernel for each output"),
    "b-mean": ("g_b[o] += g_z[o, p]", "g_b[o] += g_z[o, p] / n_pos", "scale wrong-reduction", "mean for sum"),
    "b-from-h": ("g_b[o] += g_z[o, p]", "g_b[o] += g_h[o, p]", "missing-factor wrong-point", "before tanh'"),
}

DOUBLES = [("no-tanh-prime", "x-assigned"), ("w-assigned", "b-mean"), ("mean-over-positions", "x-flipped")]
# fmt: on
