"""A recurrent layer over a whole minibatch: h of shape (N, T, H) written step by step, an upstream gradient for every step."""

import numpy as np


def forward(x, h0, Wx, Wh, b):
    N, T, D = x.shape
    H = h0.shape[1]
    h = np.zeros((N, T, H))
    prev_h = h0
    for t in range(T):
        h[:, t] = np.tanh(x[:, t].dot(Wx) + prev_h.dot(Wh) + b)
        prev_h = h[:, t]
    return h, (x, h0, Wx, Wh, h)


def backward(dh, cache):
    x, h0, Wx, Wh, h = cache
    N, T, H = dh.shape
    dx = np.zeros_like(x)
    dWx = np.zeros_like(Wx)
    dWh = np.zeros_like(Wh)
    db = np.zeros(H)
    dprev_h = np.zeros((N, H))
    for t in range(T - 1, -1, -1):
        prev_h = h0 if t == 0 else h[:, t - 1, :]
        dnext_h = dh[:, t, :] + dprev_h
        dscore = dnext_h * (1 - h[:, t, :] ** 2)
        dx[:, t, :] = dscore.dot(Wx.T)
        dprev_h = dscore.dot(Wh.T)
        dWx += x[:, t, :].T.dot(dscore)
        dWh += prev_h.T.dot(dscore)
        db += dscore.sum(axis=0)
    dh0 = dprev_h
    return dx, dh0, dWx, dWh, db


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    N, T, D, H = 2, 3, 3, 3
    return {
        "x": rng.normal(size=(N, T, D)),
        "h0": rng.normal(size=(N, H)),
        "Wx": rng.normal(size=(D, H)),
        "Wh": rng.normal(size=(H, H)),
        "b": rng.normal(size=H),
    }


UPSTREAM = {"dh": 0}
GRADIENTS = {"dx": "x", "dh0": "h0", "dWx": "Wx", "dWh": "Wh", "db": "b"}

# ruff: noqa: E501, RUF059
# fmt: off
MUTANTS = {
    "no-time": (" + dprev_h", "", "missing-term", "the contribution of the next step is forgotten"),
    "last-step-only": ("dh[:, t, :] + dprev_h", "dh[:, T - 1, :] + dprev_h", "wrong-point", "the upstream gradient of the last step at every step"),
    "no-tanh-prime": (" * (1 - h[:, t, :] ** 2)", "", "missing-factor", "tanh' is missing"),
    "tanh-power": ("h[:, t, :] ** 2", "h[:, t, :]", "missing-factor wrong-point", "1 - h for 1 - h²"),
    "tanh-at-prev": ("(1 - h[:, t, :] ** 2)", "(1 - prev_h ** 2)", "wrong-point", "tanh' at the step before"),
    "dx-Wx-untransposed": ("dscore.dot(Wx.T)", "dscore.dot(Wx)", "transpose", "Wx for Wx.T (square)"),
    "dx-through-Wh": ("dscore.dot(Wx.T)", "dscore.dot(Wh.T)", "wrong-point", "Wh for Wx"),
    "dx-from-dnext": ("dscore.dot(Wx.T)", "dnext_h.dot(Wx.T)", "missing-factor wrong-point", "before tanh'"),
    "dx-first-step": ("dx[:, t, :] = dscore.dot(Wx.T)", "dx[:, t - 1, :] = dscore.dot(Wx.T)", "wrong-point", "off by one in time"),
    "dprev-untransposed": ("dscore.dot(Wh.T)", "dscore.dot(Wh)", "transpose", "Wh for Wh.T"),
    "dWx-assigned": ("dWx += x", "dWx = x", "missing-term", "= for +="),
    "dWx-x0": ("x[:, t, :].T.dot(dscore)", "x[:, 0, :].T.dot(dscore)", "wrong-point", "the first input at every step"),
    "dWh-this-h": ("prev_h.T.dot(dscore)", "h[:, t, :].T.dot(dscore)", "wrong-point", "h of this step for the step before"),
    "dWh-transposed": ("prev_h.T.dot(dscore)", "dscore.T.dot(prev_h)", "transpose", "the product transposed"),
    "db-minus": ("db += dscore.sum(axis=0)", "db -= dscore.sum(axis=0)", "sign", "subtracts"),
    "db-mean": ("dscore.sum(axis=0)", "dscore.mean(axis=0)", "scale wrong-reduction", "mean for sum"),
    "dh0-zero": ("dh0 = dprev_h", "dh0 = dnext_h", "wrong-point missing-factor missing-term", "not pushed through the first step"),
}

DOUBLES = [("no-time", "dWx-assigned"), ("dWh-this-h", "db-mean"), ("dx-Wx-untransposed", "dprev-untransposed"), ("tanh-power", "dh0-zero")]
# fmt: on
