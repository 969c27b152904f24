"""Batch normalisation, the long way: one line of backward for each line of forward."""

import numpy as np


def forward(x, gamma, beta, eps=1e-5):
    N, D = x.shape
    mu = 1.0 / N * np.sum(x, axis=0)
    xmu = x - mu
    sq = xmu**2
    var = 1.0 / N * np.sum(sq, axis=0)
    sqrtvar = np.sqrt(var + eps)
    ivar = 1.0 / sqrtvar
    xhat = xmu * ivar
    gammax = gamma * xhat
    out = gammax + beta
    cache = (xhat, gamma, xmu, ivar, sqrtvar, var, eps)
    return out, cache


def backward(dout, cache):
    xhat, gamma, xmu, ivar, sqrtvar, var, eps = cache
    N, D = dout.shape

    dbeta = np.sum(dout, axis=0)
    dgammax = dout
    dgamma = np.sum(dgammax * xhat, axis=0)
    dxhat = dgammax * gamma

    divar = np.sum(dxhat * xmu, axis=0)
    dxmu1 = dxhat * ivar
    dsqrtvar = -1.0 / (sqrtvar**2) * divar
    dvar = 0.5 * 1.0 / np.sqrt(var + eps) * dsqrtvar
    dsq = 1.0 / N * np.ones((N, D)) * dvar
    dxmu2 = 2 * xmu * dsq
    dx1 = dxmu1 + dxmu2
    dmu = -1 * np.sum(dxmu1 + dxmu2, axis=0)
    dx2 = 1.0 / N * np.ones((N, D)) * dmu
    dx = dx1 + dx2
    return dx, dgamma, dbeta


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    return {"x": 2 * rng.standard_normal((6, 4)) + 1, "gamma": rng.standard_normal(4), "beta": rng.standard_normal(4)}


UPSTREAM = {"dout": 0}
GRADIENTS = {"dx": "x", "dgamma": "gamma", "dbeta": "beta"}

# ruff: noqa: E501, RUF059
# fmt: off
MUTANTS = {
    "dbeta-mean": ("dbeta = np.sum(dout, axis=0)", "dbeta = np.mean(dout, axis=0)", "scale wrong-reduction", "mean for sum"),
    "dgamma-from-xmu": ("dgammax * xhat", "dgammax * xmu", "wrong-point missing-factor", "xmu for xhat"),
    "dgamma-no-factor": ("np.sum(dgammax * xhat, axis=0)", "np.sum(dgammax, axis=0)", "missing-factor", "xhat is missing"),
    "no-gamma": ("dxhat = dgammax * gamma", "dxhat = dgammax", "missing-factor", "gamma is missing"),
    "divar-axis": ("divar = np.sum(dxhat * xmu, axis=0)", "divar = np.sum(dxhat * xmu, axis=1).mean() * np.ones(D)", "wrong-reduction", "sums over the wrong axis"),
    "divar-from-xhat": ("dxhat * xmu", "dxhat * xhat", "wrong-point extra-factor", "xhat for xmu"),
    "dxmu1-by-sqrtvar": ("dxmu1 = dxhat * ivar", "dxmu1 = dxhat * sqrtvar", "wrong-point extra-factor", "times the deviation instead of divided"),
    "dsqrtvar-sign": ("-1.0 / (sqrtvar**2)", "1.0 / (sqrtvar**2)", "sign", "the minus of 1/x is missing"),
    "dsqrtvar-power": ("(sqrtvar**2)", "sqrtvar", "missing-factor wrong-point", "1/s for 1/s²"),
    "dvar-no-half": ("0.5 * 1.0 / np.sqrt(var + eps)", "1.0 / np.sqrt(var + eps)", "scale", "the half of the root is missing"),
    "dvar-no-root": ("np.sqrt(var + eps)", "(var + eps)", "extra-factor wrong-point", "1/v for 1/√v"),
    "dsq-no-N": ("dsq = 1.0 / N * np.ones((N, D)) * dvar", "dsq = np.ones((N, D)) * dvar", "scale", "1/N is missing"),
    "dxmu2-no-two": ("dxmu2 = 2 * xmu * dsq", "dxmu2 = xmu * dsq", "scale", "2 of the square is missing"),
    "dx1-no-variance": ("dx1 = dxmu1 + dxmu2", "dx1 = dxmu1", "missing-term", "the contribution through the variance is missing"),
    "dmu-one-path": ("np.sum(dxmu1 + dxmu2, axis=0)", "np.sum(dxmu1, axis=0) + 0.5", "extra-term", "a stray constant in the gradient of the mean"),
    "dmu-sign": ("dmu = -1 * np.sum", "dmu = np.sum", "sign", "the minus of x - mu is missing"),
    "dx2-no-N": ("dx2 = 1.0 / N * np.ones((N, D)) * dmu", "dx2 = np.ones((N, D)) * dmu", "scale", "1/N is missing"),
    "dx-no-mean": ("dx = dx1 + dx2", "dx = dx1", "missing-term", "the contribution through the mean is missing"),
    "dx-minus": ("dx = dx1 + dx2", "dx = dx1 - dx2", "sign extra-term", "the contribution through the mean is subtracted"),
}

DOUBLES = [("dsqrtvar-sign", "dx2-no-N"), ("dgamma-from-xmu", "dxmu2-no-two"), ("no-gamma", "dx-no-mean"), ("dbeta-mean", "dvar-no-half")]
# A constant in dmu is a mistake nobody makes for long; it is here because no other mutant adds a term that is no part of the derivation.
# fmt: on
