"""Convolution, average pooling with overlap and a linear read-out by naive loops; helpers of the layers; several outputs of one call."""

import numpy as np


def conv(x, k):
    H, W = x.shape[1] - k.shape[1] + 1, x.shape[2] - k.shape[2] + 1
    out = np.zeros((len(x), len(k), H, W))
    for n in range(len(x)):
        for c in range(len(k)):
            for i in range(H):
                for j in range(W):
                    out[n, c, i, j] = np.sum(x[n, i : i + k.shape[1], j : j + k.shape[2]] * k[c])
    return out


def pool(a, size):
    N, C, H, W = a.shape
    out = np.zeros((N, C, H - size + 1, W - size + 1))
    for i in range(out.shape[2]):
        for j in range(out.shape[3]):
            out[:, :, i, j] = a[:, :, i : i + size, j : j + size].mean(axis=(2, 3))
    return out


def forward(x, k, V, t, size=2):
    z = conv(x, k)
    a = np.maximum(z, 0)
    p = pool(a, size)
    flat = p.reshape(len(x), -1)
    scores = flat @ V
    return 0.5 * np.sum((scores - t) ** 2)


def pool_back(dp, shape, size):
    da = np.zeros(shape)
    for i in range(dp.shape[2]):
        for j in range(dp.shape[3]):
            da[:, :, i : i + size, j : j + size] += dp[:, :, i, j][:, :, None, None] / size**2
    return da


def conv_back(dz, x, k):
    dk, dx = np.zeros_like(k), np.zeros_like(x)
    kh, kw = k.shape[1:]
    for n in range(dz.shape[0]):
        for c in range(dz.shape[1]):
            for i in range(dz.shape[2]):
                for j in range(dz.shape[3]):
                    dk[c] += dz[n, c, i, j] * x[n, i : i + kh, j : j + kw]
                    dx[n, i : i + kh, j : j + kw] += dz[n, c, i, j] * k[c]
    return dx, dk


def backward(x, k, V, t, z, p, flat, scores, size=2):
    dscores = scores - t
    dV = flat.T @ dscores
    dp = (dscores @ V.T).reshape(p.shape)
    dz = pool_back(dp, z.shape, size)
    dz[z < 0] = 0
    dx, dk = conv_back(dz, x, k)
    return dx, dk, dV


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    return {"x": rng.normal(size=(2, 4, 4)), "k": rng.normal(size=(2, 2, 2)), "V": rng.normal(size=(8, 2)), "t": rng.normal(size=(2, 2))}


GRADIENTS = {"dx": "x", "dk": "k", "dV": "V"}

# ruff: noqa: E501
# fmt: off
MUTANTS = {
    "reversed": ("scores - t", "t - scores", "sign", "reversed"),
    "mean": ("dscores = scores - t", "dscores = (scores - t) / len(x)", "scale extra-factor", "1/n too much"),
    "V-p": ("flat.T @ dscores", "flat.T @ scores", "wrong-point missing-term", "scores for dscores"),
    "reshape": (".reshape(p.shape)", ".reshape(p.shape[::-1]).T", "transpose wrong-point", "reshaped in another order"),
    "mask-inverted": ("dz[z < 0] = 0", "dz[z > 0] = 0", "wrong-point", "the mask is inverted"),
    "no-mask": ("    dz[z < 0] = 0\n", "", "missing-factor", "the mask is missing", "dz = pool_back", "dx, dk ="),
    "mask-gradient": ("dz[z < 0] = 0", "dz[dz < 0] = 0", "wrong-point", "masked by the gradient itself"),
    "pool-no-area": (" / size**2", "", "scale missing-factor", "1/area is missing"),
    "pool-side": ("/ size**2", "/ size", "scale", "the side for the area"),
    "pool-assigned": ("] += dp[:, :, i, j]", "] = dp[:, :, i, j]", "missing-term", "= for +=: windows overlap"),
    "pool-corner": ("da[:, :, i : i + size, j : j + size]", "da[:, :, i : i + 1, j : j + size]", "missing-term wrong-point", "the first row of the window only"),
    "pool-bound": ("for j in range(dp.shape[3])", "for j in range(dp.shape[3] - 1)", "missing-term", "the last column is left out", "da[:, :, i", "return da"),
    "dk-assigned": ("dk[c] += dz", "dk[c] = dz", "missing-term", "= for +="),
    "dk-flipped": ("x[n, i : i + kh, j : j + kw]\n", "x[n, i : i + kh, j : j + kw][::-1, ::-1]\n", "wrong-point", "the patch is flipped"),
    "dk-transposed": ("x[n, i : i + kh, j : j + kw]\n", "x[n, i : i + kh, j : j + kw].T\n", "transpose", "the patch is transposed"),
    "dk-index": ("dk[c] += dz", "dk[n] += dz", "wrong-point", "the index of the sample (equal sizes)"),
    "dx-flipped": ("* k[c]\n", "* k[c][::-1, ::-1]\n", "wrong-point", "the kernel is flipped once too often"),
    "dx-gradient": ("* k[c]\n", "* dk[c]\n", "wrong-point", "dk for k"),
    "dx-shift": ("dx[n, i : i + kh, j : j + kw] +=", "dx[n, j : j + kh, i : i + kw] +=", "wrong-point transpose", "row and column exchanged"),
    "dx-kernel": ("* k[c]\n", "* k[n]\n", "wrong-point", "the kernel of another channel (equal sizes)"),
    "channels-bound": ("for c in range(dz.shape[1])", "for c in range(dz.shape[1] - 1)", "missing-term", "the last channel is left out", "dk[c] +=", "dx[n, i", "return dx"),
}

INSIDE = {
    **dict.fromkeys(("pool-no-area", "pool-side", "pool-assigned", "pool-corner", "pool-bound"), "pool_back"),
    **dict.fromkeys(("dk-assigned", "dk-flipped", "dk-transposed", "dk-index", "dx-flipped", "dx-gradient", "dx-shift", "dx-kernel", "channels-bound"), "conv_back"),
}

DOUBLES = [("reversed", "pool-side"), ("no-mask", "dk-flipped"), ("pool-assigned", "dx-flipped"), ("V-p", "pool-no-area"), ("dk-index", "dx-kernel")]
# fmt: on
