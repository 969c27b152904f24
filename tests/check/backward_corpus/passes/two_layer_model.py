"""A whole model: parameters and gradients in dicts of the object, a method for the loss and one for the gradients."""

import numpy as np


class TwoLayerNet:
    def __init__(self, sizes, reg, rng):
        n_in, n_hidden, n_out = sizes
        self.reg = reg
        self.params = {}
        self.params["W1"] = rng.normal(size=(n_in, n_hidden))
        self.params["b1"] = rng.normal(size=n_hidden)
        self.params["W2"] = rng.normal(size=(n_hidden, n_out))
        self.params["b2"] = rng.normal(size=n_out)
        self.grads = {}

    def loss(self, X, y):
        p = self.params
        self.X, self.y = X, y
        self.hidden = np.maximum(X @ p["W1"] + p["b1"], 0)
        scores = self.hidden @ p["W2"] + p["b2"]
        scores = scores - scores.max(axis=1, keepdims=True)
        e = np.exp(scores)
        self.probs = e / e.sum(axis=1, keepdims=True)
        data_loss = -np.log(self.probs[np.arange(len(y)), y]).mean()
        return data_loss + 0.5 * self.reg * (np.sum(p["W1"] ** 2) + np.sum(p["W2"] ** 2))

    def backward(self):
        p = self.params
        N = self.X.shape[0]
        dscores = self.probs.copy()
        dscores[np.arange(N), self.y] -= 1
        dscores /= N
        self.grads["W2"] = self.hidden.T @ dscores + self.reg * p["W2"]
        self.grads["b2"] = dscores.sum(axis=0)
        dhidden = dscores @ p["W2"].T
        dhidden[self.hidden <= 0] = 0
        self.grads["W1"] = self.X.T @ dhidden + self.reg * p["W1"]
        self.grads["b1"] = dhidden.sum(axis=0)


def build(seed=0):
    net = TwoLayerNet((3, 5, 4), 0.1, np.random.default_rng(50 + seed))
    return net.loss, net.backward


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    return {"X": rng.normal(size=(6, 3)), "y": rng.integers(0, 4, size=6)}


GRADIENTS = None
LEFT = {"grads.W1": "params.W1", "grads.b1": "params.b1", "grads.W2": "params.W2", "grads.b2": "params.b2"}

# ruff: noqa: E501
# fmt: off
MUTANTS = {
    "plus-one": ("dscores[np.arange(N), self.y] -= 1", "dscores[np.arange(N), self.y] += 1", "sign extra-term", "+= for -="),
    "no-target": ("        dscores[np.arange(N), self.y] -= 1\n", "", "missing-term", "the target is not subtracted", "dscores = self.probs.copy()", "dscores /= N"),
    "all-rows": ("dscores[np.arange(N), self.y] -= 1", "dscores[:, self.y] -= 1", "wrong-point extra-term", "every row for the row of the sample"),
    "no-mean": ("        dscores /= N\n", "", "scale missing-factor", "1/N is missing", "dscores = self.probs.copy()", "dscores[np.arange(N), self.y] -= 1"),
    "wrong-N": ("N = self.X.shape[0]", "N = self.X.size", "scale raises", "the number of elements", "dscores /= N", "dscores[np.arange(N)"),
    "W2-no-reg": (" + self.reg * p[\"W2\"]", "", "missing-term", "the regulariser is forgotten"),
    "W2-reg-of-W1": ("self.reg * p[\"W2\"]", "self.reg * p[\"W1\"].sum()", "wrong-point wrong-reduction", "the sum of W1"),
    "W1-reg-twice": ("self.reg * p[\"W1\"]", "2 * self.reg * p[\"W1\"]", "scale double-count extra-factor", "the loss has a half"),
    "W1-no-reg": (" + self.reg * p[\"W1\"]", "", "missing-term", "the regulariser is forgotten"),
    "b2-mean": ("self.grads[\"b2\"] = dscores.sum(axis=0)", "self.grads[\"b2\"] = dscores.mean(axis=0)", "scale wrong-reduction", "mean for sum"),
    "b2-axis": ("self.grads[\"b2\"] = dscores.sum(axis=0)", "self.grads[\"b2\"] = dscores.sum(axis=1)", "wrong-reduction shape", "sums over the classes"),
    "mask-inverted": ("self.hidden <= 0", "self.hidden > 0", "wrong-point missing-factor extra-factor", "the mask is inverted"),
    "no-mask": ("        dhidden[self.hidden <= 0] = 0\n", "", "missing-factor", "ReLU' is missing", "dhidden = dscores"),
    "W1-from-hidden": ("self.X.T @ dhidden", "self.X.T @ self.hidden", "wrong-point missing-factor", "hidden for dhidden"),
    "b1-from-hidden": ("dhidden.sum(axis=0)", "self.hidden.sum(axis=0)", "wrong-point", "hidden for dhidden"),
    "b1-not-left": ("self.grads[\"b1\"] = dhidden", "db1 = dhidden", "not-returned", "computed, but not put into grads"),
    "W1-key": ("self.grads[\"W1\"] = self.X.T", "self.grads[\"w1\"] = self.X.T", "not-returned", "under a key of another case"),
    "dhidden-untransposed": ("dscores @ p[\"W2\"].T", "dscores @ p[\"W2\"]", "raises transpose shape", "W2 for W2.T does not fit"),
    "stale-W2": ("        dhidden = dscores @", "        p[\"W2\"] = p[\"W2\"] - 0.1 * self.grads[\"W2\"]\n        dhidden = dscores @", "stale-value", "W2 was updated before it is used", "dhidden ="),
}

DOUBLES = [("plus-one", "W1-no-reg"), ("no-mean", "b1-from-hidden"), ("mask-inverted", "b2-mean"), ("W2-no-reg", "no-mask"), ("b2-axis", "W1-reg-twice")]
# fmt: on
