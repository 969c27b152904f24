"""The negative log-likelihood of independent Gaussians."""

import numpy as np

WRT = ("mu", "log_sigma")


def loss(mu, log_sigma, x):
    sigma = np.exp(log_sigma)
    z = (x - mu) / sigma
    return np.sum(0.5 * z**2 + log_sigma + 0.5 * np.log(2 * np.pi))


def backward(sigma, z):
    dmu = -np.sum(z, axis=0) / sigma
    dlog_sigma = np.sum(1 - z**2, axis=0)
    return {"dmu": dmu, "dlog_sigma": dlog_sigma}


def inputs(rng, n, d):
    return {"mu": rng.normal(size=d), "log_sigma": rng.normal(size=d), "x": rng.normal(size=(n, d))}
