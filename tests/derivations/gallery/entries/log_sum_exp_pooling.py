"""Pooling by a soft maximum over time."""

import numpy as np

WRT = ("x",)


def forward(x, r):
    top = np.max(x, axis=1, keepdims=True)
    pooled = np.log(np.mean(np.exp(r * (x - top)), axis=1)) / r + top[:, 0]
    return pooled


def backward(dpooled, x, r, pooled):
    dx = dpooled[:, None] * np.exp(r * (x - pooled[:, None])) / x.shape[1]
    return {"dx": dx}


def inputs(rng, n, d):
    return {"x": rng.normal(size=(n, 5, d)), "r": 2.0}
