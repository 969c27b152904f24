"""A bag of words: embedding rows looked up by repeated indices, averaged, a linear classifier, softmax cross-entropy."""

import numpy as np


def forward(tokens, labels, E, W, b):
    B, T = tokens.shape
    emb = E[tokens]
    mean = emb.mean(axis=1)
    logits = mean @ W.T + b
    z = logits - logits.max(axis=1, keepdims=True)
    logp = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    nll = -logp[np.arange(B), labels].mean()
    return nll


def backward(tokens, labels, E, W, mean, logp):
    B, T = tokens.shape
    onehot = np.eye(W.shape[0])[labels]
    dlogits = (np.exp(logp) - onehot) / B
    dW = dlogits.T @ mean
    db = dlogits.sum(axis=0)
    dmean = dlogits @ W
    demb = np.repeat(dmean[:, None, :], T, axis=1) / T
    dE = np.zeros_like(E)
    np.add.at(dE, tokens, demb)
    return dE, dW, db


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    tokens = np.array([[0, 1, 1, 4], [2, 0, 0, 0], [3, 1, 2, 2]])
    return {
        "tokens": tokens,
        "labels": rng.integers(0, 3, 3),
        "E": rng.normal(size=(5, 3)),
        "W": rng.normal(size=(3, 3)),
        "b": rng.normal(size=3),
    }


GRADIENTS = {"dE": "E", "dW": "W", "db": "b"}

# ruff: noqa: E501, RUF059
# fmt: off
MUTANTS = {
    "fancy-plus": ("np.add.at(dE, tokens, demb)", "dE[tokens] += demb", "missing-term", "repeated indices count once"),
    "fancy-assigned": ("np.add.at(dE, tokens, demb)", "dE[tokens] = demb", "missing-term", "repeated indices overwrite each other"),
    "subtract-at": ("np.add.at(", "np.subtract.at(", "sign", "subtracts"),
    "added-twice": ("np.add.at(dE, tokens, demb)", "np.add.at(dE, tokens, 2 * demb)", "double-count scale", "counts twice"),
    "first-token": ("np.add.at(dE, tokens, demb)", "np.add.at(dE, tokens[:, 0], demb[:, 0])", "missing-term", "only the first token of each bag"),
    "no-T": ("np.repeat(dmean[:, None, :], T, axis=1) / T", "np.repeat(dmean[:, None, :], T, axis=1)", "scale", "1/T of the mean is missing"),
    "no-B": ("(np.exp(logp) - onehot) / B", "np.exp(logp) - onehot", "scale", "1/B is missing"),
    "logp-for-p": ("np.exp(logp)", "logp", "wrong-point", "log p for p"),
    "no-onehot": ("(np.exp(logp) - onehot)", "np.exp(logp)", "missing-term", "the labels are not subtracted"),
    "onehot-added": ("(np.exp(logp) - onehot)", "(np.exp(logp) + onehot)", "sign extra-term", "the labels are added"),
    "dW-transposed": ("dlogits.T @ mean", "mean.T @ dlogits", "transpose", "the product transposed (square)"),
    "db-axis": ("db = dlogits.sum(axis=0)", "db = dlogits.sum(axis=1)", "wrong-reduction", "sums over the classes: same shape here"),
    "dmean-untransposed": ("dmean = dlogits @ W", "dmean = dlogits @ W.T", "transpose", "W.T for W (square)"),
}

DOUBLES = [("fancy-plus", "no-T"), ("dW-transposed", "dmean-untransposed"), ("no-B", "first-token"), ("db-axis", "fancy-assigned")]
# fmt: on
