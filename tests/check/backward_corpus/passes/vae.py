"""A variational autoencoder: reparametrisation with a given noise, Bernoulli reconstruction, KL to the standard normal."""

import numpy as np


def forward(x, eps, W_mu, b_mu, W_lv, b_lv, W_dec, b_dec):
    n = x.shape[0]
    mu = x @ W_mu + b_mu
    logvar = x @ W_lv + b_lv
    sigma = np.exp(0.5 * logvar)
    z = mu + sigma * eps
    l = z @ W_dec + b_dec  # noqa: E741
    recon = np.sum(np.maximum(l, 0) - l * x + np.log1p(np.exp(-np.abs(l)))) / n
    kl = -0.5 * np.sum(1 + logvar - mu**2 - np.exp(logvar)) / n
    elbo_loss = recon + kl
    return elbo_loss, recon, kl


def backward(x, eps, W_dec, mu, logvar, sigma, z, l):  # noqa: E741
    n = x.shape[0]
    x_hat = 1 / (1 + np.exp(-l))

    dl = (x_hat - x) / n
    dW_dec = z.T @ dl
    db_dec = dl.sum(0)
    dz = dl @ W_dec.T

    dmu = dz + mu / n
    dsigma = dz * eps
    dlogvar = 0.5 * dsigma * sigma
    dlogvar += 0.5 * (np.exp(logvar) - 1) / n

    dW_mu, db_mu = x.T @ dmu, dmu.sum(0)
    dW_lv, db_lv = x.T @ dlogvar, dlogvar.sum(0)
    return dict(W_mu=dW_mu, b_mu=db_mu, W_lv=dW_lv, b_lv=db_lv, W_dec=dW_dec, b_dec=db_dec)  # noqa: C408


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    n, d, k = 4, 3, 2
    return {
        "x": rng.uniform(size=(n, d)),
        "eps": rng.normal(size=(n, k)),
        "W_mu": rng.normal(size=(d, k)),
        "b_mu": rng.normal(size=k),
        "W_lv": rng.normal(size=(d, k)),
        "b_lv": rng.normal(size=k),
        "W_dec": rng.normal(size=(k, d)),
        "b_dec": rng.normal(size=d),
    }


GRADIENTS = {"W_mu": "W_mu", "b_mu": "b_mu", "W_lv": "W_lv", "b_lv": "b_lv", "W_dec": "W_dec", "b_dec": "b_dec"}

# ruff: noqa: E501
# fmt: off
MUTANTS = {
    "recon-no-n": ("(x_hat - x) / n", "x_hat - x", "scale", "1/n is missing in the reconstruction"),
    "recon-sign": ("(x_hat - x)", "(x - x_hat)", "sign", "reversed residual"),
    "recon-of-l": ("(x_hat - x)", "(l - x)", "wrong-point", "logits for probabilities"),
    "dW_dec-from-mu": ("z.T @ dl", "mu.T @ dl", "wrong-point", "mu for z"),
    "no-kl-mu": ("dmu = dz + mu / n", "dmu = dz", "missing-term", "the KL is forgotten in mu"),
    "kl-mu-no-n": ("dmu = dz + mu / n", "dmu = dz + mu", "scale extra-term", "1/n is missing in the KL"),
    "kl-mu-two": ("dz + mu / n", "dz + 2 * mu / n", "double-count scale extra-term", "2 of mu² without the half"),
    "dsigma-no-eps": ("dsigma = dz * eps", "dsigma = dz", "missing-factor", "the noise is missing"),
    "dsigma-z": ("dsigma = dz * eps", "dsigma = dz * z", "wrong-point", "z for eps"),
    "dlogvar-no-half": ("dlogvar = 0.5 * dsigma * sigma", "dlogvar = dsigma * sigma", "scale", "the half of the exponent is missing"),
    "dlogvar-no-sigma": ("0.5 * dsigma * sigma", "0.5 * dsigma", "missing-factor", "sigma of the exponential is missing"),
    "dlogvar-variance": ("0.5 * dsigma * sigma", "0.5 * dsigma * np.exp(logvar)", "extra-factor wrong-point", "sigma² for sigma"),
    "no-kl-logvar": ("    dlogvar += 0.5 * (np.exp(logvar) - 1) / n\n", "", "missing-term", "the KL is forgotten in logvar", "dlogvar = 0.5"),
    "kl-logvar-sign": ("dlogvar += 0.5 *", "dlogvar -= 0.5 *", "sign extra-term", "the KL is subtracted"),
    "kl-logvar-overwrites": ("dlogvar += 0.5 *", "dlogvar = 0.5 *", "missing-term", "= for +=: the reconstruction is lost"),
    "kl-logvar-no-one": ("(np.exp(logvar) - 1)", "np.exp(logvar)", "missing-term extra-term", "the 1 of the KL is forgotten"),
    "b_lv-from-mu": ("dlogvar.sum(0)", "dmu.sum(0)", "wrong-point", "dmu for dlogvar, same shape"),
}

DOUBLES = [("recon-no-n", "no-kl-mu"), ("dW_dec-from-mu", "kl-logvar-overwrites"), ("dsigma-no-eps", "b_lv-from-mu"), ("kl-mu-two", "dlogvar-no-half")]
# fmt: on
