"""Batch normalisation, the paper's formulas: few long lines, keepdims everywhere, the biased variance."""

import numpy as np

EPS = 1e-8


def forward(X, gamma, beta):
    mu = X.mean(axis=0, keepdims=True)
    var = X.var(axis=0, keepdims=True)
    std_inv = (var + EPS) ** -0.5
    X_norm = (X - mu) * std_inv
    return gamma * X_norm + beta


def backward(dout, X, X_norm, mu, var, std_inv, gamma):
    N = X.shape[0]
    X_mu = X - mu

    dX_norm = dout * gamma
    dvar = np.sum(dX_norm * X_mu, axis=0, keepdims=True) * -0.5 * std_inv**3
    dmu = np.sum(dX_norm * -std_inv, axis=0, keepdims=True) + dvar * np.mean(-2.0 * X_mu, axis=0, keepdims=True)

    dX = (dX_norm * std_inv) + (dvar * 2 * X_mu / N) + (dmu / N)
    dgamma = np.sum(dout * X_norm, axis=0, keepdims=True)
    dbeta = np.sum(dout, axis=0, keepdims=True)
    return dX, dgamma, dbeta


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    return {"X": rng.normal(3.0, 2.0, size=(5, 3)), "gamma": rng.normal(size=(1, 3)), "beta": rng.normal(size=(1, 3))}


UPSTREAM = {"dout": None}
GRADIENTS = {"dX": "X", "dgamma": "gamma", "dbeta": "beta"}

# ruff: noqa: E501
# fmt: off
MUTANTS = {
    "dvar-power": ("std_inv**3", "std_inv**2", "missing-factor wrong-point", "the power is -3/2"),
    "dvar-sign": ("* -0.5 *", "* 0.5 *", "sign", "the minus of the power is missing"),
    "dvar-no-half": ("* -0.5 *", "* -1.0 *", "scale", "the half of the power is missing"),
    "dvar-from-norm": ("dX_norm * X_mu", "dX_norm * X_norm", "wrong-point extra-factor", "X_norm for X - mu"),
    "dvar-from-dout": ("np.sum(dX_norm * X_mu, axis=0, keepdims=True) * -0.5", "np.sum(dout * X_mu, axis=0, keepdims=True) * -0.5", "missing-factor wrong-point", "dout for dX_norm: gamma is missing"),
    "dmu-sign": ("dX_norm * -std_inv", "dX_norm * std_inv", "sign", "the minus of X - mu is missing"),
    "no-std-in-dX": ("(dX_norm * std_inv)", "dX_norm", "missing-factor", "1/std is missing in the direct path"),
    "no-N-var": ("(dvar * 2 * X_mu / N)", "(dvar * 2 * X_mu)", "scale extra-term", "1/N is missing in the variance path"),
    "no-two-var": ("(dvar * 2 * X_mu / N)", "(dvar * X_mu / N)", "scale missing-term", "2 is missing in the variance path"),
    "no-N-mean": ("(dmu / N)", "dmu", "scale extra-term", "1/N is missing in the mean path"),
    "no-mean-path": (" + (dmu / N)", "", "missing-term", "the contribution through the mean is missing"),
    "no-var-path": (" + (dvar * 2 * X_mu / N)", "", "missing-term", "the contribution through the variance is missing"),
    "dgamma-from-X": ("dout * X_norm", "dout * X", "wrong-point", "X for X_norm"),
    "dbeta-axis": ("dbeta = np.sum(dout, axis=0, keepdims=True)", "dbeta = np.sum(dout, axis=1, keepdims=True)", "wrong-reduction shape", "sums over the features"),
}

DOUBLES = [("dvar-power", "dgamma-from-X"), ("dmu-sign", "dbeta-axis"), ("no-mean-path", "dvar-no-half")]
# fmt: on
