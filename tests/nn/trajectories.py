"""A small problem whose gradient is written down, so that two optimisers can be compared step by step."""

from __future__ import annotations

import numpy as np

import nn

START = [np.array([[1.0, -2.0, 0.3], [0.5, 3.0, -0.7]]), np.array([0.1, -0.2]), np.array(0.4)]


def gradients(values, t):
    """Of a loss that changes from step to step."""
    return [np.cos(1.3 * v + 0.1 * t) * (1 + 0.2 * np.sin(t)) + 0.1 * v for v in values]


def parameters(dtype=np.float64):
    return [nn.Parameter(v.astype(dtype)) for v in START]


def run(optimizer, params, steps, after=lambda t: None):
    """Return the values after each step."""
    path = []
    for t in steps:
        for p, g in zip(params, gradients([p.data for p in params], t), strict=True):
            p.grad = np.asarray(g, p.dtype)
        optimizer.step()
        after(t)
        path.append(np.concatenate([np.ravel(p.data) for p in params]))
    return np.array(path)


def run_torch(torch, optimizer, params, steps, after=lambda t: None):
    path = []
    for t in steps:
        for p, g in zip(params, gradients([p.detach().numpy() for p in params], t), strict=True):
            p.grad = torch.tensor(g, dtype=p.dtype)
        optimizer.step()
        after(t)
        path.append(np.concatenate([p.detach().numpy().ravel() for p in params]))
    return np.array(path)
