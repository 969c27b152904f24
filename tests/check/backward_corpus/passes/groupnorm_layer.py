"""Group normalisation of images as an object with gamma and beta; the statistics of each group and sample."""

import numpy as np


class GroupNorm:
    def __init__(self, channels, groups, eps, rng):
        self.gamma = rng.normal(size=(1, channels, 1, 1))
        self.beta = rng.normal(size=(1, channels, 1, 1))
        self.G = groups
        self.eps = eps

    def forward(self, x):
        N, C, H, W = x.shape
        xg = x.reshape(N, self.G, -1)
        mean = xg.mean(axis=2, keepdims=True)
        var = xg.var(axis=2, keepdims=True)
        self.inv_std = 1 / np.sqrt(var + self.eps)
        self.x_hat = (xg - mean) * self.inv_std
        return self.x_hat.reshape(N, C, H, W) * self.gamma + self.beta

    def backward(self, top_diff):
        shape = top_diff.shape
        x_hat = self.x_hat.reshape(shape)
        self.beta_grad = top_diff.sum(axis=(0, 2, 3), keepdims=True)
        self.gamma_grad = np.sum(top_diff * x_hat, axis=(0, 2, 3), keepdims=True)
        hat_diff = (top_diff * self.gamma).reshape(self.x_hat.shape)
        m = hat_diff.shape[2]
        s1 = hat_diff.sum(axis=2, keepdims=True)
        s2 = (hat_diff * self.x_hat).sum(axis=2, keepdims=True)
        bottom_diff = self.inv_std * (hat_diff - s1 / m - self.x_hat * s2 / m)
        return bottom_diff.reshape(shape)


def build(seed=0):
    layer = GroupNorm(4, 2, 1e-5, np.random.default_rng(30 + seed))
    return layer.forward, layer.backward


def inputs(seed=0):
    return {"x": np.random.default_rng(seed).normal(size=(3, 4, 2, 3))}


UPSTREAM = {"top_diff": None}
GRADIENTS = "x"
LEFT = {"beta_grad": "beta", "gamma_grad": "gamma"}

# ruff: noqa: E501
# fmt: off
MUTANTS = {
    "beta-axis": ("top_diff.sum(axis=(0, 2, 3), keepdims=True)", "top_diff.sum(axis=(0, 2), keepdims=True)", "wrong-reduction shape", "not summed over the width"),
    "beta-keepdims": ("top_diff.sum(axis=(0, 2, 3), keepdims=True)", "top_diff.sum(axis=(0, 2, 3))", "shape wrong-reduction", "(C,) for (1, C, 1, 1)"),
    "beta-mean": ("top_diff.sum(axis=(0, 2, 3), keepdims=True)", "top_diff.mean(axis=(0, 2, 3), keepdims=True)", "scale wrong-reduction", "mean for sum"),
    "gamma-no-hat": ("np.sum(top_diff * x_hat, axis", "np.sum(top_diff, axis", "missing-factor", "x_hat is missing"),
    "gamma-gamma": ("np.sum(top_diff * x_hat, axis", "np.sum(top_diff * self.gamma * x_hat, axis", "extra-factor", "gamma too much"),
    "gamma-local": ("self.gamma_grad = np.sum", "gamma_grad = np.sum", "not-returned", "a local variable for an attribute"),
    "hat-no-gamma": ("(top_diff * self.gamma).reshape", "top_diff.reshape", "missing-factor", "gamma is missing"),
    "hat-beta": ("(top_diff * self.gamma)", "(top_diff * self.beta)", "wrong-point", "beta for gamma"),
    "m-channels": ("m = hat_diff.shape[2]", "m = hat_diff.shape[1]", "scale", "the number of groups", "bottom_diff ="),
    "m-height": ("m = hat_diff.shape[2]", "m = shape[2] * shape[3]", "scale", "a channel, not a group", "bottom_diff ="),
    "s1-axis": ("s1 = hat_diff.sum(axis=2, keepdims=True)", "s1 = hat_diff.sum(axis=1, keepdims=True)", "wrong-reduction", "sums over the groups", "bottom_diff ="),
    "s2-no-hat": ("(hat_diff * self.x_hat).sum", "hat_diff.sum", "missing-factor wrong-point", "x_hat is missing", "bottom_diff ="),
    "s2-no-gamma": ("(hat_diff * self.x_hat).sum", "(top_diff.reshape(self.x_hat.shape) * self.x_hat).sum", "missing-factor wrong-point", "without gamma", "bottom_diff ="),
    "no-mean-path": (" - s1 / m", "", "missing-term", "the path through the mean is forgotten"),
    "no-var-path": (" - self.x_hat * s2 / m", "", "missing-term", "the path through the variance is forgotten"),
    "var-sign": ("- self.x_hat * s2 / m", "+ self.x_hat * s2 / m", "sign", "+ for -"),
    "var-no-hat": ("- self.x_hat * s2 / m", "- s2 / m", "missing-factor wrong-point", "x_hat is missing"),
    "no-inv-std": ("self.inv_std * (hat_diff", "(hat_diff", "missing-factor", "1/σ is missing"),
    "inv-std-divided": ("self.inv_std * (hat_diff", "1 / self.inv_std * (hat_diff", "wrong-point extra-factor", "divided for multiplied"),
    "not-finite": ("self.x_hat * s2 / m)", "self.x_hat * s2 / (m - m))", "not-finite scale", "division by zero"),
}

DOUBLES = [("beta-mean", "hat-no-gamma"), ("gamma-no-hat", "no-mean-path"), ("hat-beta", "var-sign"), ("beta-axis", "no-inv-std"), ("gamma-gamma", "no-var-path")]
# fmt: on
