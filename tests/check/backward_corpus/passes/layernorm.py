"""Layer normalisation over the last axis of a (batch, time, features) array, as the author of a kernel writes it."""

import numpy as np


def forward(x, w, b):
    eps = 1e-5
    mean = x.mean(-1, keepdims=True)
    xc = x - mean
    rstd = 1.0 / np.sqrt((xc * xc).mean(-1, keepdims=True) + eps)
    norm = xc * rstd
    out = norm * w + b
    return out, (norm, rstd, w)


def backward(dout, cache):
    norm, rstd, w = cache
    db = dout.sum((0, 1))
    dw = (dout * norm).sum((0, 1))
    dnorm = dout * w
    dx = dnorm - dnorm.mean(-1, keepdims=True) - norm * (dnorm * norm).mean(-1, keepdims=True)
    dx *= rstd
    return dx, dw, db


def inputs(seed=0):
    g = np.random.default_rng(seed)
    return {"x": g.normal(size=(2, 3, 4)), "w": g.normal(size=4), "b": g.normal(size=4)}


UPSTREAM = {"dout": 0}
GRADIENTS = {"dx": "x", "dw": "w", "db": "b"}

# ruff: noqa: E501
# fmt: off
MUTANTS = {
    "db-one-axis": ("db = dout.sum((0, 1))", "db = dout.sum(0)", "wrong-reduction shape", "sums over one axis of two"),
    "db-mean": ("db = dout.sum((0, 1))", "db = dout.mean((0, 1))", "scale wrong-reduction", "mean for sum"),
    "dw-no-norm": ("(dout * norm).sum((0, 1))", "dout.sum((0, 1))", "missing-factor", "norm is missing"),
    "dnorm-no-w": ("dnorm = dout * w", "dnorm = dout", "missing-factor", "w is missing"),
    "no-mean-term": (" - dnorm.mean(-1, keepdims=True)", "", "missing-term", "the contribution through the mean is missing"),
    "no-rstd-term": (" - norm * (dnorm * norm).mean(-1, keepdims=True)", "", "missing-term", "the contribution through rstd is missing"),
    "rstd-term-sign": ("- norm * (dnorm * norm)", "+ norm * (dnorm * norm)", "sign extra-term", "the contribution through rstd is added"),
    "rstd-term-sum": ("(dnorm * norm).mean(-1, keepdims=True)", "(dnorm * norm).sum(-1, keepdims=True)", "scale wrong-reduction extra-term", "sum for mean"),
    "rstd-term-factor": ("- norm * (dnorm * norm)", "- (dnorm * norm)", "missing-factor", "norm is missing in the contribution through rstd"),
    "batch-axis": ("dnorm.mean(-1, keepdims=True)", "dnorm.mean(0, keepdims=True)", "wrong-reduction", "mean over the batch"),
    "no-rstd": ("    dx *= rstd\n", "", "missing-factor", "1/std is missing", "dx = dnorm"),
    "divided-by-rstd": ("dx *= rstd", "dx /= rstd", "wrong-point extra-factor missing-factor", "divided by 1/std"),
    "stale-w": ("    dnorm = dout * w", "    w = w - 0.05 * dw\n    dnorm = dout * w", "stale-value", "w was updated before it is used", "dnorm ="),
}

DOUBLES = [("db-one-axis", "no-rstd-term"), ("dw-no-norm", "divided-by-rstd"), ("dnorm-no-w", "db-mean")]
# fmt: on
