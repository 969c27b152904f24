"""A highway layer over another, layer objects without a common base, called by hand; a soft gate carries the input."""

import numpy as np


class Highway:
    def __init__(self, n, rng):
        self.W_h, self.W_t = rng.normal(size=(n, n)), rng.normal(size=(n, n))
        self.b_h, self.b_t = rng.normal(size=n), rng.normal(size=n) - 1

    def __call__(self, x):
        self.x = x
        self.h = np.tanh(x @ self.W_h + self.b_h)
        self.t = 1 / (1 + np.exp(-(x @ self.W_t + self.b_t)))
        return self.t * self.h + (1 - self.t) * x

    def grad(self, delta):
        d_h = delta * self.t
        d_t = delta * (self.h - self.x)
        a_h = d_h * (1 - self.h**2)
        a_t = d_t * self.t * (1 - self.t)
        self.W_h_grad = self.x.T @ a_h
        self.W_t_grad = self.x.T @ a_t
        self.b_h_grad, self.b_t_grad = a_h.sum(0), a_t.sum(0)
        return delta * (1 - self.t) + a_h @ self.W_h.T + a_t @ self.W_t.T


class Model:
    def __init__(self, rng):
        self.first, self.second = Highway(3, rng), Highway(3, rng)

    def loss(self, x, y):
        out = self.second(self.first(x))
        self.residual = out - y
        return np.sum(np.abs(self.residual) ** 3) / (3 * len(x))

    def backward(self):
        n = len(self.residual)
        delta = np.sign(self.residual) * self.residual**2 / n
        delta = self.second.grad(delta)
        delta = self.first.grad(delta)
        return delta


def build(seed=0):
    model = Model(np.random.default_rng(90 + seed))
    return model.loss, model.backward


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    return {"x": rng.normal(size=(4, 3)), "y": rng.normal(size=(4, 3))}


GRADIENTS = "x"
LEFT = {f"{layer}.{name}_grad": f"{layer}.{name}" for layer in ("first", "second") for name in ("W_h", "W_t", "b_h", "b_t")}

# ruff: noqa: E501
# fmt: off
MUTANTS = {
    "no-sign": ("np.sign(self.residual) * self.residual**2", "self.residual**2", "missing-factor sign", "the sign is missing"),
    "power": ("self.residual**2 / n", "self.residual / n", "missing-factor wrong-point", "not squared"),
    "no-n": ("self.residual**2 / n", "self.residual**2", "scale missing-factor", "1/n is missing"),
    "n-units": ("n = len(self.residual)", "n = self.residual.shape[1]", "scale", "the number of units", "delta = np.sign"),
    "three": ("self.residual**2 / n", "3 * self.residual**2 / n", "scale extra-factor", "the loss has 1/3"),
    "second-skipped": ("delta = self.second.grad(delta)", "self.second.grad(delta)", "missing-factor stale-value wrong-point", "what it returns is not used"),
    "not-returned": ("        return delta\n", "", "not-returned", "the gradient of x is not returned", "delta = self.first.grad"),
    "h-no-gate": ("d_h = delta * self.t", "d_h = delta", "missing-factor", "the gate is missing"),
    "h-carry": ("d_h = delta * self.t", "d_h = delta * (1 - self.t)", "wrong-point", "the carry for the gate"),
    "t-no-x": ("(self.h - self.x)", "self.h", "missing-term", "the carried input is forgotten"),
    "t-sign": ("(self.h - self.x)", "(self.x - self.h)", "sign", "reversed"),
    "t-plus": ("(self.h - self.x)", "(self.h + self.x)", "sign", "+ for -"),
    "a_h-none": ("a_h = d_h * (1 - self.h**2)", "a_h = d_h", "missing-factor", "tanh' is missing"),
    "a_h-of-t": ("(1 - self.h**2)", "(1 - self.t**2)", "wrong-point", "t for h"),
    "a_t-half": ("d_t * self.t * (1 - self.t)", "d_t * (1 - self.t)", "missing-factor", "a factor of σ' is missing"),
    "W_h-transposed": ("self.x.T @ a_h", "a_h.T @ self.x", "transpose", "transposed (square)"),
    "W_t-from-h": ("self.x.T @ a_t", "self.h.T @ a_t", "wrong-point", "h for x"),
    "b-exchanged": ("a_h.sum(0), a_t.sum(0)", "a_t.sum(0), a_h.sum(0)", "wrong-point", "exchanged"),
    "b-mean": ("a_h.sum(0), a_t.sum(0)", "a_h.sum(0), a_t.mean(0)", "scale wrong-reduction", "mean for sum"),
    "no-carry": ("delta * (1 - self.t) + a_h", "a_h", "missing-term", "the carried path is forgotten"),
    "carry-t": ("delta * (1 - self.t) + a_h", "delta * self.t + a_h", "wrong-point", "t for 1 - t"),
    "x-untransposed": ("a_t @ self.W_t.T", "a_t @ self.W_t", "transpose", "not transposed (square)"),
    "x-one-weight": ("a_t @ self.W_t.T", "a_t @ self.W_h.T", "wrong-point", "W_h for W_t"),
    "attribute": ("d_h = delta * self.t", "d_h = delta * self.gate", "raises", "an attribute that does not exist"),
    "stale": ("        return delta * (1 - self.t)", "        self.W_h = self.W_h - 0.1 * self.W_h_grad\n        return delta * (1 - self.t)", "stale-value", "W_h was updated before it is used", "return delta *"),
}

INSIDE = dict.fromkeys(
    ["h-no-gate", "h-carry", "t-no-x", "t-sign", "t-plus", "a_h-none", "a_h-of-t", "a_t-half", "W_h-transposed", "W_t-from-h", "b-exchanged", "b-mean", "no-carry", "carry-t", "x-untransposed", "x-one-weight", "attribute", "stale"],
    "Highway.grad",
)

DOUBLES = [("no-n", "t-no-x"), ("no-sign", "b-mean"), ("a_h-none", "x-untransposed"), ("t-sign", "W_h-transposed"), ("three", "carry-t"), ("W_t-from-h", "a_t-half")]
# fmt: on
