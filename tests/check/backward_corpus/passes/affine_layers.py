"""Layers with caches that call each other: affine, leaky ReLU, affine, and one backward that walks back through them."""

import numpy as np


def affine_forward(x, w, b):
    out = x.reshape(x.shape[0], -1).dot(w) + b
    return out, (x, w, b)


def affine_backward(dout, cache):
    x, w, b = cache
    dx = dout.dot(w.T).reshape(x.shape)
    dw = x.reshape(x.shape[0], -1).T.dot(dout)
    db = np.sum(dout, axis=0)
    return dx, dw, db


def leaky_forward(x):
    return np.where(x > 0, x, 0.1 * x), x


def leaky_backward(dout, cache):
    x = cache
    return np.where(x > 0, dout, 0.1 * dout)


def forward(x, w1, b1, w2, b2):
    a1, fc1_cache = affine_forward(x, w1, b1)
    h1, act_cache = leaky_forward(a1)
    out, fc2_cache = affine_forward(h1, w2, b2)
    cache = (fc1_cache, act_cache, fc2_cache)
    return out, cache


def backward(dout, cache):
    fc1_cache, act_cache, fc2_cache = cache
    dh1, dw2, db2 = affine_backward(dout, fc2_cache)
    da1 = leaky_backward(dh1, act_cache)
    dx, dw1, db1 = affine_backward(da1, fc1_cache)
    return dx, dw1, db1, dw2, db2


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    return {
        "x": rng.normal(size=(3, 2, 2)),
        "w1": rng.normal(size=(4, 4)),
        "b1": rng.normal(size=4),
        "w2": rng.normal(size=(4, 4)),
        "b2": rng.normal(size=4),
    }


UPSTREAM = {"dout": 0}
GRADIENTS = {"dx": "x", "dw1": "w1", "db1": "b1", "dw2": "w2", "db2": "b2"}

# ruff: noqa: E501, RUF059
# fmt: off
MUTANTS = {
    "no-activation": ("da1 = leaky_backward(dh1, act_cache)", "da1 = dh1", "missing-factor", "the activation is skipped"),
    "activation-of-dout": ("leaky_backward(dh1, act_cache)", "leaky_backward(dout, act_cache)", "wrong-point missing-factor", "dout for dh1, same shape"),
    "activation-of-h": ("leaky_backward(dh1, act_cache)", "leaky_backward(act_cache, dh1)", "wrong-point", "arguments exchanged"),
    "second-for-first": ("affine_backward(da1, fc1_cache)", "affine_backward(dh1, fc1_cache)", "missing-factor wrong-point", "dh1 for da1"),
    "caches-exchanged": ("dh1, dw2, db2 = affine_backward(dout, fc2_cache)", "dh1, dw2, db2 = affine_backward(dout, (fc2_cache[0], fc1_cache[1], None))", "wrong-point", "the weights of the other layer"),
    "upstream-negated": ("affine_backward(dout, fc2_cache)", "affine_backward(-dout, fc2_cache)", "sign", "minus"),
    "db-keepdims": ("db = np.sum(dout, axis=0)", "db = np.sum(dout, axis=0, keepdims=True)", "shape wrong-reduction", "(1, n) for (n,)", "dh1, dw2, db2 =", "dx, dw1, db1 ="),
    "dx-untransposed": ("dout.dot(w.T)", "dout.dot(w)", "transpose", "w for w.T (square)", "dh1, dw2, db2 =", "dx, dw1, db1 ="),
    "dw-mean": (".T.dot(dout)", ".T.dot(dout) / x.shape[0]", "scale", "1/N too much", "dh1, dw2, db2 =", "dx, dw1, db1 ="),
    "leak-forgotten": ("0.1 * dout)", "0.0 * dout)", "missing-term missing-factor wrong-point scale", "ReLU' for leaky ReLU'", "da1 ="),
    "leak-everywhere": ("np.where(x > 0, dout, 0.1 * dout)", "np.where(dout > 0, dout, 0.1 * dout)", "wrong-point", "masks by the sign of the gradient", "da1 ="),
}

INSIDE = {
    "db-keepdims": "affine_backward",
    "dx-untransposed": "affine_backward",
    "dw-mean": "affine_backward",
    "leak-forgotten": "leaky_backward",
    "leak-everywhere": "leaky_backward",
}

DOUBLES = [("upstream-negated", "no-activation"), ("caches-exchanged", "second-for-first")]
# fmt: on
