"""The negative log-likelihood of a mixture of spherical Gaussians, by responsibilities; logits for the weights."""

import numpy as np


def forward(X, logits, mu, log_sigma):
    d = X.shape[1]
    pi = np.exp(logits - logits.max())
    pi = pi / pi.sum()
    diff = X[:, None, :] - mu[None, :, :]
    sq = (diff**2).sum(axis=2)
    var = np.exp(2 * log_sigma)
    logp = np.log(pi) - 0.5 * sq / var - d * log_sigma
    top = logp.max(axis=1, keepdims=True)
    lse = top + np.log(np.exp(logp - top).sum(axis=1, keepdims=True))
    nll = -np.sum(lse)
    return nll


def backward(X, pi, diff, sq, var, logp, lse):
    n, d = X.shape
    resp = np.exp(logp - lse)
    Nk = resp.sum(axis=0)
    dlogits = n * pi - Nk
    dmu = -np.einsum("nk,nkd->kd", resp, diff) / var[:, None]
    dlog_sigma = d * Nk - (resp * sq).sum(axis=0) / var
    dX = np.einsum("nk,nkd->nd", resp / var, diff)
    return {"dX": dX, "dlogits": dlogits, "dmu": dmu, "dlog_sigma": dlog_sigma}


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    return {
        "X": rng.normal(size=(6, 2)),
        "logits": rng.normal(size=3),
        "mu": rng.normal(size=(3, 2)),
        "log_sigma": 0.3 * rng.normal(size=3),
    }


GRADIENTS = {"dX": "X", "dlogits": "logits", "dmu": "mu", "dlog_sigma": "log_sigma"}

# ruff: noqa: E501
# fmt: off
MUTANTS = {
    "resp-unnormalised": ("np.exp(logp - lse)", "np.exp(logp)", "missing-factor extra-factor wrong-point scale", "not divided by the likelihood", "dlogits =", "dmu =", "Nk ="),
    "resp-reversed": ("np.exp(logp - lse)", "np.exp(lse - logp)", "sign wrong-point", "the exponent is reversed", "dmu =", "Nk ="),
    "Nk-axis": ("Nk = resp.sum(axis=0)", "Nk = resp.sum(axis=1)[:3]", "wrong-reduction", "sums over the components", "dlogits =", "dlog_sigma ="),
    "logits-sign": ("n * pi - Nk", "Nk - n * pi", "sign", "the gradient of the likelihood, not of its negative"),
    "logits-no-n": ("n * pi - Nk", "pi - Nk", "missing-factor scale missing-term", "n is missing"),
    "logits-only-Nk": ("n * pi - Nk", "-Nk", "missing-term", "the normalisation is forgotten"),
    "logits-d": ("n * pi - Nk", "d * pi - Nk", "scale wrong-point", "the dimension for the number of samples"),
    "mu-sign": ("dmu = -np.einsum", "dmu = np.einsum", "sign", "the minus is missing"),
    "mu-no-var": (" / var[:, None]", "", "missing-factor extra-factor", "1/σ² is missing"),
    "mu-axis": ("\"nk,nkd->kd\", resp, diff", "\"nk,nld->kd\", resp, diff", "wrong-reduction", "subscripts: summed over all components"),
    "mu-sigma": ("var[:, None]", "np.sqrt(var)[:, None]", "wrong-point missing-factor", "σ for σ²"),
    "sigma-no-sq": (" - (resp * sq).sum(axis=0) / var", "", "missing-term", "the quadratic term is forgotten"),
    "sigma-no-d": ("d * Nk - (resp", "Nk - (resp", "missing-factor scale missing-term", "d is missing"),
    "sigma-half": ("(resp * sq).sum(axis=0) / var", "0.5 * (resp * sq).sum(axis=0) / var", "scale extra-factor", "the half, although var = exp(2 log σ)"),
    "sigma-plus": ("d * Nk - (resp", "d * Nk + (resp", "sign", "+ for -"),
    "X-sum": ("resp / var, diff", "resp, diff", "missing-factor extra-factor", "1/σ² is missing"),
    "X-uniform": ("\"nk,nkd->nd\", resp / var, diff", "\"nk,nkd->nd\", pi / var + 0 * resp, diff", "wrong-point", "the prior for the responsibilities"),
    "X-not-returned": ("{\"dX\": dX, ", "{", "not-returned", "the gradient of X is computed and not returned", "dX = np"),
    "undefined": ("Nk = resp.sum(axis=0)", "Nk = r.sum(axis=0)", "raises", "a name that is not defined"),
}

DOUBLES = [("logits-sign", "mu-no-var"), ("mu-sign", "sigma-half"), ("logits-no-n", "X-sum"), ("mu-axis", "sigma-plus"), ("sigma-no-d", "X-uniform")]
# fmt: on
