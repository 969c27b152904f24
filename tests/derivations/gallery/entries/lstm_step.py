"""A step of an LSTM, its gates side by side in one matrix."""

import numpy as np

WRT = ("x", "prev_h", "prev_c", "Wx", "Wh", "b")


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def forward(x, prev_h, prev_c, Wx, Wh, b):
    H = prev_h.shape[1]
    a = x @ Wx + prev_h @ Wh + b
    i = sigmoid(a[:, :H])
    f = sigmoid(a[:, H : 2 * H])
    o = sigmoid(a[:, 2 * H : 3 * H])
    g = np.tanh(a[:, 3 * H :])
    next_c = f * prev_c + i * g
    tanh_c = np.tanh(next_c)
    next_h = o * tanh_c
    return next_h


def backward(dnext_h, x, prev_h, prev_c, Wx, Wh, i, f, o, g, tanh_c):
    dnext_c = dnext_h * o * (1 - tanh_c**2)
    di = dnext_c * g * i * (1 - i)
    df = dnext_c * prev_c * f * (1 - f)
    do = dnext_h * tanh_c * o * (1 - o)
    dg = dnext_c * i * (1 - g**2)
    da = np.hstack((di, df, do, dg))
    dx = da @ Wx.T
    dprev_h = da @ Wh.T
    dprev_c = dnext_c * f
    dWx = x.T @ da
    dWh = prev_h.T @ da
    db = np.sum(da, axis=0)
    return {"dx": dx, "dprev_h": dprev_h, "dprev_c": dprev_c, "dWx": dWx, "dWh": dWh, "db": db}


def inputs(rng, n, d):
    shapes = {"x": (n, 5), "prev_h": (n, d), "prev_c": (n, d), "Wx": (5, 4 * d), "Wh": (d, 4 * d), "b": (4 * d,)}
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}
