"""A one-dimensional convolution with PReLU in layer style: the backward gets the cache and one parameter object."""

import numpy as np


def prelu(z, alpha):
    return np.where(z > 0, z, alpha[None, :, None] * z)


def conv_layer(x, p):
    n, c, length = x.shape
    f, _, k = p["w"].shape
    cols = np.stack([x[:, :, i : i + k] for i in range(length - k + 1)], axis=2)
    z = np.einsum("nclk,fck->nfl", cols, p["w"]) + p["b"][:, None]
    return prelu(z, p["alpha"]), (cols, z, x.shape)


def prelu_grads(dout, z, alpha):
    neg = z <= 0
    dz = dout.copy()
    dz[neg] = (dout * alpha[None, :, None])[neg]
    dalpha = np.sum(dout * z * neg, axis=(0, 2))
    return dz, dalpha


def conv_grads(dout, cache, p):
    cols, z, shape = cache
    k = p["w"].shape[2]
    d = {}
    dz, d["alpha"] = prelu_grads(dout, z, p["alpha"])
    d["b"] = dz.sum(axis=(0, 2))
    d["w"] = np.einsum("nfl,nclk->fck", dz, cols)
    dcols = np.einsum("nfl,fck->nclk", dz, p["w"])
    dx = np.zeros(shape)
    for i in range(dcols.shape[2]):
        dx[:, :, i : i + k] += dcols[:, :, i]
    return dx, d


forward, backward = conv_layer, conv_grads


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    return {
        "x": rng.normal(size=(2, 3, 6)),
        "p": {"w": rng.normal(size=(3, 3, 3)), "b": rng.normal(size=3), "alpha": rng.uniform(0.1, 0.4, size=3)},
    }


UPSTREAM = {"dout": 0}
GRADIENTS = {"dx": "x", "d": {"w": ("p", "w"), "b": ("p", "b"), "alpha": ("p", "alpha")}}

# ruff: noqa: E501, RUF059
# fmt: off
MUTANTS = {
    "neg-inverted": ("neg = z <= 0", "neg = z > 0", "wrong-point", "the mask is inverted", "dz[neg] =", "dalpha ="),
    "neg-gradient": ("neg = z <= 0", "neg = dout <= 0", "wrong-point", "the sign of the gradient", "dz[neg] =", "dalpha ="),
    "relu": ("(dout * alpha[None, :, None])[neg]", "0", "missing-factor missing-term wrong-point", "ReLU' for PReLU'"),
    "no-dout": ("(dout * alpha[None, :, None])[neg]", "(0 * dout + alpha[None, :, None])[neg]", "missing-factor", "dout is missing"),
    "alpha-axis": ("alpha[None, :, None])[neg]", "alpha.mean())[neg]", "wrong-reduction wrong-point", "the mean slope for each"),
    "no-slope": ("    dz[neg] = (dout * alpha[None, :, None])[neg]\n", "", "missing-factor", "the slope is missing", "dz = dout.copy()", "return dz"),
    "alpha-no-mask": ("dout * z * neg", "dout * z", "missing-factor", "the mask is missing"),
    "alpha-no-z": ("dout * z * neg", "dout * neg", "missing-factor", "z is missing"),
    "alpha-dz": ("dout * z * neg", "dz * z * neg", "extra-factor wrong-point", "dz for dout"),
    "alpha-sum": ("neg, axis=(0, 2))", "neg, axis=(0, 1, 2))", "wrong-reduction shape", "sums over the channels"),
    "b-dout": ("d[\"b\"] = dz.sum(axis=(0, 2))", "d[\"b\"] = dout.sum(axis=(0, 2))", "missing-factor wrong-point", "dout for dz"),
    "b-mean": ("dz.sum(axis=(0, 2))", "dz.mean(axis=(0, 2))", "scale wrong-reduction", "mean for sum"),
    "b-axis": ("dz.sum(axis=(0, 2))", "dz.sum(axis=(1, 2))", "wrong-reduction shape", "sums over the channels"),
    "w-exchanged": ("\"nfl,nclk->fck\"", "\"nfl,nclk->cfk\"", "transpose", "channels exchanged (square)"),
    "w-batch": ("dz, cols)", "dz, cols) / len(dz)", "scale extra-factor", "1/n too much"),
    "w-missing": ("d[\"w\"] = np.einsum", "dw = np.einsum", "not-returned", "computed, but not put into the dict"),
    "cols-exchanged": ("\"nfl,fck->nclk\"", "\"nfl,cfk->nclk\"", "transpose", "channels exchanged (square)"),
    "cols-dout": ("\"nfl,fck->nclk\", dz", "\"nfl,fck->nclk\", dout", "missing-factor wrong-point", "dout for dz"),
    "x-assigned": ("] += dcols", "] = dcols", "missing-term", "= for +="),
    "x-reversed": ("dcols[:, :, i]", "dcols[:, :, i, ::-1]", "wrong-point", "the taps are reversed"),
    "x-bound": ("range(dcols.shape[2])", "range(dcols.shape[2] - 1)", "missing-term", "the last window is left out", "dx[:, :, i", "return dx"),
    "x-shape": ("dx[:, :, i : i + k] +=", "dx[:, :, i : i + k - 1] +=", "raises shape", "the window is one too short"),
}

INSIDE = dict.fromkeys(
    ["neg-inverted", "neg-gradient", "relu", "no-dout", "alpha-axis", "no-slope", "alpha-no-mask", "alpha-no-z", "alpha-dz", "alpha-sum"], "prelu_grads"
)

DOUBLES = [("relu", "b-mean"), ("alpha-no-mask", "x-assigned"), ("w-exchanged", "cols-exchanged"), ("no-dout", "w-batch"), ("alpha-no-z", "b-dout")]
# fmt: on
