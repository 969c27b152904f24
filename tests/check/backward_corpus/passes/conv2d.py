"""A 2-D convolution with padding and stride, naive loops over (n, f, i, j), cache and upstream gradient."""

import numpy as np


def forward(x, w, b, conv_param):
    stride, pad = conv_param["stride"], conv_param["pad"]
    N, C, H, W = x.shape
    F, _, HH, WW = w.shape
    H_out = 1 + (H + 2 * pad - HH) // stride
    W_out = 1 + (W + 2 * pad - WW) // stride
    x_pad = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)), mode="constant")
    out = np.zeros((N, F, H_out, W_out))
    for n in range(N):
        for f in range(F):
            for i in range(H_out):
                for j in range(W_out):
                    r, c = i * stride, j * stride
                    out[n, f, i, j] = np.sum(x_pad[n, :, r : r + HH, c : c + WW] * w[f]) + b[f]
    cache = (x, w, b, conv_param)
    return out, cache


def backward(dout, cache):
    x, w, b, conv_param = cache
    stride, pad = conv_param["stride"], conv_param["pad"]
    N, C, H, W = x.shape
    F, _, HH, WW = w.shape
    _, _, H_out, W_out = dout.shape
    x_pad = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)), mode="constant")
    dx_pad = np.zeros_like(x_pad)
    dw = np.zeros_like(w)
    db = np.zeros_like(b)
    for n in range(N):
        for f in range(F):
            db[f] += dout[n, f].sum()
            for i in range(H_out):
                for j in range(W_out):
                    r, c = i * stride, j * stride
                    dw[f] += x_pad[n, :, r : r + HH, c : c + WW] * dout[n, f, i, j]
                    dx_pad[n, :, r : r + HH, c : c + WW] += w[f] * dout[n, f, i, j]
    dx = dx_pad[:, :, pad : pad + H, pad : pad + W]
    return dx, dw, db


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    return {
        "x": rng.normal(size=(2, 1, 4, 4)),
        "w": rng.normal(size=(2, 1, 3, 3)),
        "b": rng.normal(size=2),
        "conv_param": {"stride": 1, "pad": 1},
    }


UPSTREAM = {"dout": 0}
GRADIENTS = {"dx": "x", "dw": "w", "db": "b"}

# ruff: noqa: E501, RUF059
# fmt: off
MUTANTS = {
    "db-assigned": ("db[f] += dout", "db[f] = dout", "missing-term", "only the last sample counts"),
    "db-mean": ("dout[n, f].sum()", "dout[n, f].mean()", "scale wrong-reduction", "mean for sum"),
    "db-inner": ("db[f] += dout[n, f].sum()", "db[f] += dout[n].sum()", "wrong-reduction extra-term", "sums over the filters too"),
    "dw-assigned": ("dw[f] += x_pad", "dw[f] = x_pad", "missing-term", "only the last position counts"),
    "dw-minus": ("dw[f] += x_pad", "dw[f] -= x_pad", "sign", "subtracts"),
    "dw-exchanged": ("dout[n, f, i, j]\n                    dx_pad", "dout[n, f, j, i]\n                    dx_pad", "transpose wrong-point", "i and j exchanged", "dw[f] +="),
    "dx-assigned": ("c : c + WW] += w[f]", "c : c + WW] = w[f]", "missing-term", "overlaps overwrite each other"),
    "dx-rotated": ("+= w[f] * dout", "+= w[f, :, ::-1, ::-1] * dout", "wrong-point transpose", "the kernel is rotated"),
    "dx-transposed": ("+= w[f] * dout", "+= w[f].transpose(0, 2, 1) * dout", "transpose", "the kernel is transposed"),
    "dx-crop": ("dx_pad[:, :, pad : pad + H, pad : pad + W]", "dx_pad[:, :, :H, :W]", "wrong-point", "the padding is cut at one end"),
    "dx-uncropped": ("dx = dx_pad[:, :, pad : pad + H, pad : pad + W]", "dx = dx_pad", "shape", "the padding is not cut off"),
}

DOUBLES = [("db-mean", "dx-rotated"), ("dw-assigned", "dx-crop"), ("db-inner", "dx-assigned")]
# fmt: on
