"""A dense layer with weight normalisation, v and g, in layer style with an upstream gradient called dLdy."""

import numpy as np


def wn_forward(x, v, g, b):
    norm = np.sqrt(np.sum(v**2, axis=0))
    unit = v / norm
    w = g * unit
    y = np.tanh(x @ w + b)
    return y, (x, v, g, norm, unit, w, y)


def wn_backward(dLdy, cache):
    x, v, g, norm, unit, w, y = cache
    dLda = dLdy * (1 - y * y)
    dLdx = dLda @ w.T
    dLdw = x.T @ dLda
    dLdb = dLda.sum(axis=0)
    dLdg = np.sum(dLdw * unit, axis=0)
    dLdv = g / norm * (dLdw - dLdg * unit)
    return dLdx, dLdv, dLdg, dLdb


forward, backward = wn_forward, wn_backward


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    return {"x": rng.normal(size=(5, 4)), "v": rng.normal(size=(4, 4)), "g": rng.uniform(0.5, 2, size=4), "b": rng.normal(size=4)}


UPSTREAM = {"dLdy": 0}
GRADIENTS = {"dLdx": "x", "dLdv": "v", "dLdg": "g", "dLdb": "b"}

# ruff: noqa: E501, RUF059
# fmt: off
MUTANTS = {
    "no-tanh": ("dLda = dLdy * (1 - y * y)", "dLda = dLdy", "missing-factor", "tanh' is missing"),
    "tanh-sigmoid": ("(1 - y * y)", "y * (1 - y)", "wrong-point missing-factor extra-factor", "σ' for tanh'"),
    "tanh-at-x": ("(1 - y * y)", "(1 - np.tanh(y) ** 2)", "wrong-point", "tanh once more"),
    "tanh-sign": ("(1 - y * y)", "(y * y - 1)", "sign", "reversed"),
    "x-unit": ("dLda @ w.T", "dLda @ unit.T", "missing-factor wrong-point", "without g"),
    "x-v": ("dLda @ w.T", "dLda @ v.T", "wrong-point", "v for w"),
    "x-untransposed": ("dLda @ w.T", "dLda @ w", "transpose", "w for w.T (square)"),
    "w-transposed": ("dLdw = x.T @ dLda", "dLdw = dLda.T @ x", "transpose", "transposed (square)", "dLdg =", "dLdv ="),
    "w-mean": ("dLdw = x.T @ dLda", "dLdw = x.T @ dLda / len(x)", "scale extra-factor", "1/n too much", "dLdg =", "dLdv ="),
    "w-from-y": ("dLdw = x.T @ dLda", "dLdw = x.T @ dLdy", "missing-factor wrong-point", "dLdy for dLda", "dLdg =", "dLdv ="),
    "b-axis": ("dLda.sum(axis=0)", "dLda.sum(axis=1)", "wrong-reduction shape", "sums over the units"),
    "g-axis": ("np.sum(dLdw * unit, axis=0)", "np.sum(dLdw * unit, axis=1)", "wrong-reduction", "sums over the columns (square)"),
    "g-v": ("np.sum(dLdw * unit, axis=0)", "np.sum(dLdw * v, axis=0)", "wrong-point extra-factor", "v for the unit vector"),
    "g-no-unit": ("np.sum(dLdw * unit, axis=0)", "np.sum(dLdw, axis=0)", "missing-factor", "the unit vector is missing"),
    "v-no-projection": ("(dLdw - dLdg * unit)", "dLdw", "missing-term", "the norm is taken for a constant"),
    "v-projection-sign": ("(dLdw - dLdg * unit)", "(dLdw + dLdg * unit)", "sign", "+ for -"),
    "v-no-norm": ("g / norm * (dLdw", "g * (dLdw", "missing-factor extra-factor", "1/norm is missing"),
    "v-no-g": ("g / norm * (dLdw", "1 / norm * (dLdw", "missing-factor", "g is missing"),
    "v-norm-squared": ("g / norm * (dLdw", "g / norm**2 * (dLdw", "extra-factor missing-factor wrong-point", "1/norm twice"),
    "v-g-not-unit": ("(dLdw - dLdg * unit)", "(dLdw - dLdg * v)", "wrong-point extra-factor missing-factor", "v for the unit vector"),
}

DOUBLES = [("no-tanh", "g-axis"), ("x-unit", "v-projection-sign"), ("w-mean", "b-axis"), ("x-untransposed", "v-no-norm"), ("g-no-unit", "x-v")]
# fmt: on
