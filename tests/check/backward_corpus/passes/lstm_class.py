"""An LSTM as an object: lists of caches by step, a method for one step back, gradients left in a dict."""

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


class LSTM:
    def __init__(self, D, H, rng):
        self.H = H
        self.params = {"W": rng.normal(size=(D + H, 4 * H)), "b": rng.normal(size=4 * H)}
        self.grads = {}

    def forward(self, X):
        n, T, _ = X.shape
        h, c = np.zeros((n, self.H)), np.zeros((n, self.H))
        self.caches, out = [], []
        for t in range(T):
            z = np.concatenate([X[:, t], h], axis=1)
            a = z @ self.params["W"] + self.params["b"]
            ai, af, ao, ag = np.split(a, 4, axis=1)
            i, f, o, g = sigmoid(ai), sigmoid(af), sigmoid(ao), np.tanh(ag)
            c_prev = c
            c = f * c_prev + i * g
            h = o * np.tanh(c)
            self.caches.append((z, i, f, o, g, c_prev, c))
            out.append(h)
        return np.stack(out, axis=1)

    def step_back(self, dh, dc, cache):
        z, i, f, o, g, c_prev, c = cache
        tc = np.tanh(c)
        dc = dc + dh * o * (1 - tc * tc)
        da = np.concatenate([dc * g * i * (1 - i), dc * c_prev * f * (1 - f), dh * tc * o * (1 - o), dc * i * (1 - g * g)], axis=1)
        self.grads["W"] += z.T @ da
        self.grads["b"] += da.sum(axis=0)
        dz = da @ self.params["W"].T
        return dz, dc * f

    def backward(self, accum_grad):
        n, T, H = accum_grad.shape
        for name, value in self.params.items():
            self.grads[name] = np.zeros_like(value)
        D = self.params["W"].shape[0] - H
        dX = np.zeros((n, T, D))
        dh_next, dc_next = np.zeros((n, H)), np.zeros((n, H))
        for t in reversed(range(T)):
            dz, dc_next = self.step_back(accum_grad[:, t] + dh_next, dc_next, self.caches[t])
            dX[:, t], dh_next = dz[:, :D], dz[:, D:]
        return dX


def build(seed=0):
    lstm = LSTM(2, 2, np.random.default_rng(60 + seed))
    return lstm.forward, lstm.backward


def inputs(seed=0):
    return {"X": np.random.default_rng(seed).normal(size=(3, 3, 2))}


UPSTREAM = {"accum_grad": None}
GRADIENTS = "X"
LEFT = {"grads.W": "params.W", "grads.b": "params.b"}

# ruff: noqa: E501
# fmt: off
MUTANTS = {
    "no-dh-next": ("accum_grad[:, t] + dh_next", "accum_grad[:, t]", "missing-term", "the contribution through time is forgotten"),
    "dc-zero": ("dh_next, dc_next, self.caches[t]", "dh_next, 0 * dc_next, self.caches[t]", "missing-term missing-factor", "the contribution through the cell is dropped"),
    "cache-shifted": ("self.caches[t])", "self.caches[t - 1])", "wrong-point", "the cache of the step before"),
    "slices-exchanged": ("dz[:, :D], dz[:, D:]", "dz[:, D:], dz[:, :D]", "wrong-point", "the gradients of x and h exchanged"),
    "dX-same": ("dX[:, t], dh_next = dz[:, :D]", "dX[:, T - 1], dh_next = dz[:, :D]", "wrong-point missing-term", "always written to the last step"),
    "short-loop": ("reversed(range(T))", "reversed(range(1, T))", "missing-term", "the first step is left out", "dX[:, t], dh_next", "self.grads[name]", "dz, dc_next ="),
    "dc-no-carry": ("dc = dc + dh * o", "dc = dh * o", "missing-term", "the carried gradient of the cell is forgotten"),
    "dc-no-o": ("dh * o * (1 - tc * tc)", "dh * (1 - tc * tc)", "missing-factor missing-term", "the output gate is missing"),
    "dc-no-prime": ("dh * o * (1 - tc * tc)", "dh * o", "missing-factor missing-term", "tanh' is missing"),
    "tc-of-prev": ("tc = np.tanh(c)", "tc = np.tanh(c_prev)", "wrong-point", "the cell before", "dc = dc + dh", "da = np.conc"),
    "tc-no-tanh": ("tc = np.tanh(c)", "tc = c", "wrong-point missing-factor", "tanh is missing", "dc = dc + dh", "da = np.conc"),
    "i-half": ("dc * g * i * (1 - i)", "dc * g * (1 - i)", "missing-factor wrong-point", "a factor of σ' is missing"),
    "f-with-c": ("dc * c_prev * f", "dc * c * f", "wrong-point", "this cell for the one before"),
    "gates-order": ("[dc * g * i * (1 - i), dc * c_prev * f * (1 - f), ", "[dc * c_prev * f * (1 - f), dc * g * i * (1 - i), ", "wrong-point", "input and forget gates exchanged"),
    "g-sigmoid": ("dc * i * (1 - g * g)", "dc * i * g * (1 - g)", "wrong-point missing-factor extra-factor", "σ' for tanh'"),
    "W-assigned": ("self.grads[\"W\"] += z", "self.grads[\"W\"] = z", "missing-term", "= for +="),
    "b-assigned": ("self.grads[\"b\"] += da", "self.grads[\"b\"] = da", "missing-term", "= for +="),
    "b-mean": ("da.sum(axis=0)", "da.mean(axis=0)", "scale wrong-reduction", "mean for sum"),
    "dc-no-f": ("return dz, dc * f", "return dz, dc", "missing-factor", "the forget gate is missing"),
    "dc-i": ("return dz, dc * f", "return dz, dc * i", "wrong-point", "the input gate for the forget gate"),
}

INSIDE = dict.fromkeys(("dc-no-carry", "dc-no-o", "dc-no-prime", "tc-of-prev", "tc-no-tanh", "i-half", "f-with-c", "gates-order", "g-sigmoid", "W-assigned", "b-assigned", "b-mean", "dc-no-f", "dc-i"), "LSTM.step_back")  # fmt: skip

DOUBLES = [("no-dh-next", "b-mean"), ("dc-no-o", "W-assigned"), ("f-with-c", "dc-i"), ("slices-exchanged", "g-sigmoid"), ("dc-zero", "b-assigned")]
# fmt: on
