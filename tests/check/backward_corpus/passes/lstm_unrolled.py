"""An LSTM over a sequence, column vectors, [h; x] stacked, lists of gates by time step, a squared error at the end of each step."""

import numpy as np


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def forward(xs, targets, W_f, W_i, W_c, W_o, W_y):
    n = W_f.shape[0]
    hs, cs = [np.zeros((n, 1))], [np.zeros((n, 1))]
    zs, fs, is_, gs, os_, ys = [], [], [], [], [], []
    total = 0.0
    for t in range(len(xs)):
        z = np.concatenate((hs[-1], xs[t]), axis=0)
        f = sigmoid(W_f @ z)
        i = sigmoid(W_i @ z)
        g = np.tanh(W_c @ z)
        c = f * cs[-1] + i * g
        o = sigmoid(W_o @ z)
        h = o * np.tanh(c)
        y = W_y @ h
        total = total + 0.5 * np.sum((y - targets[t]) ** 2)
        zs.append(z)
        fs.append(f)
        is_.append(i)
        gs.append(g)
        os_.append(o)
        cs.append(c)
        hs.append(h)
        ys.append(y)
    return total


def backward(xs, targets, zs, fs, is_, gs, os_, cs, hs, ys, W_f, W_i, W_c, W_o, W_y):
    n = W_f.shape[0]
    dW_f, dW_i, dW_c = np.zeros_like(W_f), np.zeros_like(W_i), np.zeros_like(W_c)
    dW_o, dW_y = np.zeros_like(W_o), np.zeros_like(W_y)
    dh_next, dc_next = np.zeros((n, 1)), np.zeros((n, 1))
    for t in range(len(xs) - 1, -1, -1):
        f, i, g, o, c, c_old = fs[t], is_[t], gs[t], os_[t], cs[t + 1], cs[t]
        e = ys[t] - targets[t]
        dW_y += e @ hs[t + 1].T
        dh = W_y.T @ e + dh_next

        tanh_c = np.tanh(c)
        pre_o = dh * tanh_c * o * (1 - o)
        dc = dh * o * (1 - tanh_c**2) + dc_next
        pre_f = dc * c_old * f * (1 - f)
        pre_i = dc * g * i * (1 - i)
        pre_g = dc * i * (1 - g**2)

        dW_f += pre_f @ zs[t].T
        dW_i += pre_i @ zs[t].T
        dW_c += pre_g @ zs[t].T
        dW_o += pre_o @ zs[t].T

        dz = W_f.T @ pre_f + W_i.T @ pre_i + W_c.T @ pre_g + W_o.T @ pre_o
        dh_next = dz[:n]
        dc_next = f * dc
    return {"dW_f": dW_f, "dW_i": dW_i, "dW_c": dW_c, "dW_o": dW_o, "dW_y": dW_y}


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    n, d, k, steps = 2, 2, 2, 3
    weights = {name: rng.normal(size=(n, n + d)) for name in ("W_f", "W_i", "W_c", "W_o")}
    return {
        "xs": [rng.normal(size=(d, 1)) for _ in range(steps)],
        "targets": [rng.normal(size=(k, 1)) for _ in range(steps)],
        **weights,
        "W_y": rng.normal(size=(k, n)),
    }


GRADIENTS = {"dW_f": "W_f", "dW_i": "W_i", "dW_c": "W_c", "dW_o": "W_o", "dW_y": "W_y"}

# ruff: noqa: E501
# fmt: off
MUTANTS = {
    "residual-sign": ("e = ys[t] - targets[t]", "e = targets[t] - ys[t]", "sign", "the residual is reversed", "dW_y +=", "dh = W_y.T"),
    "dW_y-old-h": ("e @ hs[t + 1].T", "e @ hs[t].T", "wrong-point", "hs is offset by one"),
    "no-dh_next": (" + dh_next", "", "missing-term", "the hidden contribution through time is forgotten"),
    "no-dc_next": (" + dc_next", "", "missing-term", "the cell contribution through time is forgotten"),
    "dh-untransposed": ("W_y.T @ e", "W_y @ e", "transpose", "W_y for W_y.T (square)"),
    "c-offset": ("cs[t + 1], cs[t]\n", "cs[t], cs[t]\n", "wrong-point", "cs is offset by one", "tanh_c =", "pre_o =", "dc ="),
    "c_old-offset": ("cs[t + 1], cs[t]\n", "cs[t + 1], cs[t + 1]\n", "wrong-point", "the cell of this step for the step before", "pre_f =", "dW_f +="),
    "o-no-prime": ("dh * tanh_c * o * (1 - o)", "dh * tanh_c", "missing-factor", "σ' is missing", "dW_o +="),
    "dc-no-tanh-prime": ("dh * o * (1 - tanh_c**2)", "dh * o", "missing-factor missing-term extra-term", "tanh' is missing"),
    "f-of-c": ("dc * c_old * f * (1 - f)", "dc * c * f * (1 - f)", "wrong-point", "c for c_old", "dW_f +="),
    "i-of-i": ("dc * g * i * (1 - i)", "dc * i * i * (1 - i)", "wrong-point", "i for g", "dW_i +="),
    "g-sigmoid": ("dc * i * (1 - g**2)", "dc * i * g * (1 - g)", "wrong-point missing-factor extra-factor", "σ' for tanh'", "dW_c +="),
    "dW_i-assigned": ("dW_i += pre_i", "dW_i = pre_i", "missing-term", "= for +="),
    "dW_c-next-z": ("dW_c += pre_g @ zs[t].T", "dW_c += pre_g @ zs[t - 1].T", "wrong-point", "the stacked input of another step"),
    "dW_o-from-f": ("dW_o += pre_o", "dW_o += pre_f", "wrong-point", "the delta of another gate"),
    "dz-no-gate": (" + W_c.T @ pre_g", "", "missing-term", "the contribution through the candidate is forgotten"),
    "dz-gate-twice": ("W_i.T @ pre_i + ", "W_i.T @ pre_i + W_i.T @ pre_i + ", "double-count extra-term", "the input gate counts twice"),
    "dz-slice": ("dz[:n]", "dz[n:]", "wrong-point", "the part of x for the part of h"),
    "dc_next-i": ("dc_next = f * dc", "dc_next = i * dc", "wrong-point", "i for f"),
    "dc_next-no-f": ("dc_next = f * dc", "dc_next = dc", "missing-factor", "f is missing"),
}

DOUBLES = [("no-dc_next", "dW_y-old-h"), ("dz-slice", "dW_i-assigned"), ("dW_o-from-f", "dc_next-i"), ("no-dh_next", "dW_c-next-z")]
# fmt: on
