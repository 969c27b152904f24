"""Nadaraya-Watson regression with learned prototypes, heights and bandwidth: broadcasting, einsum, quotients by hand."""

import numpy as np


def forward(X, y, centres, heights, log_bw):
    gamma = np.exp(-2 * log_bw)
    delta = X[:, None] - centres[None]
    dist = np.einsum("ijk,ijk->ij", delta, delta)
    K = np.exp(-0.5 * gamma * dist)
    total = K.sum(1)
    pred = K @ heights / total
    resid = pred - y
    return np.mean(resid**2)


def backward(X, heights, gamma, delta, dist, K, total, pred, resid):
    n = X.shape[0]
    gpred = 2 * resid / n
    gheights = K.T @ (gpred / total)
    gK = gpred[:, None] * (heights[None] - pred[:, None]) / total[:, None]
    garg = gK * K
    ggamma = -0.5 * np.sum(garg * dist)
    gdist = -0.5 * gamma * garg
    gcentres = -2 * np.einsum("ij,ijk->jk", gdist, delta)
    gX = 2 * np.einsum("ij,ijk->ik", gdist, delta)
    glog_bw = -2 * gamma * ggamma
    return gX, gcentres, gheights, glog_bw


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    return {
        "X": rng.normal(size=(6, 3)),
        "y": rng.normal(size=6),
        "centres": rng.normal(size=(4, 3)),
        "heights": rng.normal(size=4),
        "log_bw": 0.3,
    }


NAMES = {"gX": "X", "gcentres": "centres", "gheights": "heights", "glog_bw": "log_bw"}
GRADIENTS = NAMES

# ruff: noqa: E501
# fmt: off
MUTANTS = {
    "no-two": ("gpred = 2 * resid / n", "gpred = resid / n", "scale missing-factor", "the 2 is missing"),
    "no-n": ("gpred = 2 * resid / n", "gpred = 2 * resid", "scale missing-factor", "1/n is missing"),
    "negated": ("gpred = 2 * resid / n", "gpred = -2 * resid / n", "sign", "minus"),
    "n-dims": ("n = X.shape[0]", "n = X.shape[1]", "scale", "the number of features", "gpred ="),
    "heights-no-total": ("K.T @ (gpred / total)", "K.T @ gpred", "missing-factor extra-factor", "1/total is missing"),
    "heights-total-axis": ("K.T @ (gpred / total)", "(K.T @ gpred) / K.sum(0)", "wrong-reduction wrong-point", "the column sums for the row sums"),
    "K-no-pred": ("(heights[None] - pred[:, None])", "heights[None]", "missing-term", "the denominator is taken for a constant"),
    "K-sign": ("(heights[None] - pred[:, None])", "(heights[None] + pred[:, None])", "sign", "+ for -"),
    "K-total-squared": ("/ total[:, None]", "/ total[:, None] ** 2", "extra-factor missing-factor wrong-point", "1/total twice"),
    "arg-no-K": ("garg = gK * K", "garg = gK", "missing-factor", "exp' is missing"),
    "gamma-no-half": ("ggamma = -0.5 * np.sum", "ggamma = -np.sum", "scale missing-factor", "the half is missing", "glog_bw ="),
    "gamma-mean": ("np.sum(garg * dist)", "np.mean(garg * dist)", "scale wrong-reduction", "mean for sum", "glog_bw ="),
    "dist-no-gamma": ("-0.5 * gamma * garg", "-0.5 * garg", "missing-factor scale", "gamma is missing"),
    "dist-sign": ("gdist = -0.5", "gdist = 0.5", "sign", "the minus is missing"),
    "centres-sign": ("gcentres = -2 *", "gcentres = 2 *", "sign", "the sign of the inner derivative"),
    "centres-no-two": ("gcentres = -2 *", "gcentres = -1 *", "scale missing-factor", "the 2 is missing"),
    "centres-subscripts": ("\"ij,ijk->jk\", gdist", "\"il,ijk->jk\", gdist", "wrong-reduction", "subscripts: summed over all centres"),
    "X-subscripts": ("\"ij,ijk->ik\", gdist, delta", "\"ij,ilk->ik\", gdist, delta", "wrong-reduction", "subscripts: products of sums"),
    "bw-no-gamma": ("-2 * gamma * ggamma", "-2 * ggamma", "missing-factor scale", "gamma is missing"),
    "bw-one": ("-2 * gamma * ggamma", "-gamma * ggamma", "scale missing-factor", "the 2 is missing"),
    "X-shape": ("\"ij,ijk->ik\"", "\"ij,ijk->ki\"", "transpose shape", "transposed"),
    "heights-ridge": ("K.T @ (gpred / total)", "K.T @ (gpred / total) + 0.1 * heights", "extra-term", "a ridge that the loss has not"),
}

DOUBLES = [("no-two", "arg-no-K"), ("negated", "centres-subscripts"), ("K-no-pred", "bw-one"), ("heights-no-total", "dist-sign"), ("no-n", "X-subscripts")]
# fmt: on
