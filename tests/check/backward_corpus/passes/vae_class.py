"""A variational autoencoder as one object; backward in two methods that share what they found through self."""

import numpy as np


class VAE:
    def __init__(self, d, h, z, rng):
        self.weights = {
            "enc": rng.normal(size=(d, h)),
            "mu": rng.normal(size=(h, z)),
            "logvar": 0.3 * rng.normal(size=(h, z)),
            "dec": rng.normal(size=(z, d)),
        }
        self.gradients = dict.fromkeys(self.weights)

    def forward(self, x, eps):
        w = self.weights
        self.x, self.eps = x, eps
        self.h = np.tanh(x @ w["enc"])
        self.mu = self.h @ w["mu"]
        self.logvar = self.h @ w["logvar"]
        self.std = np.exp(0.5 * self.logvar)
        self.z = self.mu + self.std * eps
        self.out = self.z @ w["dec"]
        recon = 0.5 * np.sum((self.out - x) ** 2) / len(x)
        kl = -0.5 * np.sum(1 + self.logvar - self.mu**2 - np.exp(self.logvar)) / len(x)
        return recon + kl

    def backward_decoder(self):
        d_out = (self.out - self.x) / len(self.x)
        self.gradients["dec"] = self.z.T @ d_out
        self.d_z = d_out @ self.weights["dec"].T

    def backward_encoder(self):
        m = len(self.x)
        d_mu = self.d_z + self.mu / m
        d_logvar = 0.5 * self.d_z * self.eps * self.std
        d_logvar += 0.5 * (np.exp(self.logvar) - 1) / m
        self.gradients["mu"] = self.h.T @ d_mu
        self.gradients["logvar"] = self.h.T @ d_logvar
        d_h = d_mu @ self.weights["mu"].T + d_logvar @ self.weights["logvar"].T
        d_h *= 1 - self.h**2
        self.gradients["enc"] = self.x.T @ d_h

    def backward(self):
        self.backward_decoder()
        self.backward_encoder()
        return self.gradients


def build(seed=0):
    vae = VAE(4, 4, 2, np.random.default_rng(80 + seed))
    return vae.forward, vae.backward


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    return {"x": rng.normal(size=(5, 4)), "eps": rng.normal(size=(5, 2))}


GRADIENTS = {name: ("self", "weights", name) for name in ("enc", "mu", "logvar", "dec")}

# ruff: noqa: E501
# fmt: off
MUTANTS = {
    "out-sign": ("d_out = (self.out - self.x)", "d_out = (self.x - self.out)", "sign", "reversed"),
    "out-no-mean": ("(self.out - self.x) / len(self.x)", "(self.out - self.x)", "scale missing-factor", "1/n is missing"),
    "out-all": ("(self.out - self.x) / len(self.x)", "(self.out - self.x) / self.x.size", "scale", "divided by the number of elements"),
    "dec-mu": ("self.z.T @ d_out", "self.mu.T @ d_out", "wrong-point missing-term", "mu for the sample"),
    "z-gradient": ("d_out @ self.weights[\"dec\"].T", "d_out @ self.gradients[\"dec\"].T", "wrong-point", "the gradient for the weights"),
    "m-latent": ("m = len(self.x)", "m = self.mu.shape[1]", "scale", "the size of the code", "d_mu =", "d_logvar +="),
    "mu-no-kl": ("self.d_z + self.mu / m", "self.d_z", "missing-term", "the KL term is forgotten"),
    "mu-kl-two": ("self.d_z + self.mu / m", "self.d_z + 2 * self.mu / m", "scale extra-factor double-count", "the KL has a half"),
    "mu-kl-sign": ("self.d_z + self.mu / m", "self.d_z - self.mu / m", "sign", "- for +"),
    "logvar-no-half": ("d_logvar = 0.5 * self.d_z", "d_logvar = self.d_z", "scale missing-factor", "the half of std = exp(logvar / 2)"),
    "logvar-no-eps": ("self.d_z * self.eps * self.std", "self.d_z * self.std", "missing-factor", "eps is missing"),
    "logvar-no-std": ("self.d_z * self.eps * self.std", "self.d_z * self.eps", "missing-factor", "the standard deviation is missing"),
    "logvar-kl-assigned": ("d_logvar += 0.5 *", "d_logvar = 0.5 *", "missing-term", "= for +="),
    "logvar-kl-sign": ("(np.exp(self.logvar) - 1)", "(1 - np.exp(self.logvar))", "sign", "reversed"),
    "logvar-kl-one": ("(np.exp(self.logvar) - 1)", "np.exp(self.logvar)", "missing-term", "the 1 is forgotten"),
    "W-logvar-mu": ("self.h.T @ d_logvar", "self.h.T @ d_mu", "wrong-point", "d_mu for d_logvar"),
    "h-one-path": (" + d_logvar @ self.weights[\"logvar\"].T", "", "missing-term", "the path through logvar is forgotten"),
    "h-no-tanh": ("        d_h *= 1 - self.h**2\n", "", "missing-factor", "tanh' is missing", "d_h = d_mu", "self.gradients[\"enc\"]"),
    "h-assigned": ("d_h *= 1 - self.h**2", "d_h = 1 - self.h**2", "missing-factor", "= for *="),
    "enc-transposed": ("self.x.T @ d_h", "d_h.T @ self.x", "transpose", "transposed (square)"),
    "encoder-not-run": ("        self.backward_encoder()\n", "", "not-returned missing-term", "the encoder is forgotten", "return self.gradients"),
    "dec-decay": ("self.z.T @ d_out", "self.z.T @ d_out + 0.1 * self.weights[\"dec\"]", "extra-term", "a weight decay that the loss has not"),
}

INSIDE = {
    **dict.fromkeys(("out-sign", "out-no-mean", "out-all", "dec-mu", "z-gradient", "dec-decay"), "VAE.backward_decoder"),
    **dict.fromkeys(
        ("m-latent", "mu-no-kl", "mu-kl-two", "mu-kl-sign", "logvar-no-half", "logvar-no-eps", "logvar-no-std", "logvar-kl-assigned", "logvar-kl-sign"),
        "VAE.backward_encoder",
    ),
    **dict.fromkeys(("logvar-kl-one", "W-logvar-mu", "h-one-path", "h-no-tanh", "h-assigned", "enc-transposed"), "VAE.backward_encoder"),
}

DOUBLES = [("out-sign", "mu-kl-two"), ("dec-mu", "logvar-no-eps"), ("out-no-mean", "h-one-path"), ("mu-no-kl", "logvar-kl-sign"), ("logvar-no-half", "enc-transposed")]
# fmt: on
