"""A step of a recurrent net."""

import numpy as np

WRT = ("x", "prev_h", "Wx", "Wh", "b")


def forward(x, prev_h, Wx, Wh, b):
    next_h = np.tanh(x @ Wx + prev_h @ Wh + b)
    return next_h


def backward(dnext_h, x, prev_h, Wx, Wh, next_h):
    da = dnext_h * (1 - next_h**2)
    dx = da @ Wx.T
    dprev_h = da @ Wh.T
    dWx = x.T @ da
    dWh = prev_h.T @ da
    db = np.sum(da, axis=0)
    return {"dx": dx, "dprev_h": dprev_h, "dWx": dWx, "dWh": dWh, "db": db}


def inputs(rng, n, d):
    shapes = {"x": (n, 4), "prev_h": (n, d), "Wx": (4, d), "Wh": (d, d), "b": (d,)}
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}
