"""Two bilinear forms with tanh and a logistic loss on pairs, as a model with lists of what belongs together; einsum, np.outer in a loop."""

import numpy as np


class Matcher:
    def __init__(self, rng):
        self.M = rng.normal(size=(2, 3, 3))
        self.v = rng.normal(size=2)
        self.u = rng.normal(size=(2, 3))

    def forward(self, a, b):
        self.a, self.b = a, b
        self.form = np.einsum("ni,kij,nj->nk", a, self.M, b)
        self.lin = (a - b) @ self.u.T
        self.act = np.tanh(self.form + self.lin)
        self.score = self.act @ self.v
        return self.score

    def loss(self, a, b, label):
        s = self.forward(a, b)
        self.label = label
        return np.mean(np.log(1 + np.exp(-label * s)))

    def backward(self):
        a, b, label = self.a, self.b, self.label
        ds = -label / (1 + np.exp(label * self.score)) / len(label)
        self.grad_v = self.act.T @ ds
        dact = np.outer(ds, self.v)
        dsum = dact * (1 - self.act**2)
        self.grad_u = dsum.T @ (a - b)
        self.grad_M = np.zeros_like(self.M)
        for n in range(len(a)):
            for k in range(len(self.v)):
                self.grad_M[k] += dsum[n, k] * np.outer(a[n], b[n])
        da = np.einsum("nk,kij,nj->ni", dsum, self.M, b) + dsum @ self.u
        db = np.einsum("nk,kij,ni->nj", dsum, self.M, a) - dsum @ self.u
        return da, db


def build(seed=0):
    model = Matcher(np.random.default_rng(110 + seed))
    return model.loss, model.backward


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    return {"a": rng.normal(size=(5, 3)), "b": rng.normal(size=(5, 3)), "label": np.array([1.0, -1.0, 1.0, 1.0, -1.0])}


GRADIENTS = {"da": "a", "db": "b"}
LEFT = {"grad_v": "v", "grad_u": "u", "grad_M": "M"}

# ruff: noqa: E501
# fmt: off
MUTANTS = {
    "ds-sign": ("ds = -label /", "ds = label /", "sign", "the minus is missing"),
    "ds-no-label": ("ds = -label / (1", "ds = -1 / (1", "missing-factor sign", "the label is missing"),
    "ds-exponent": ("np.exp(label * self.score)", "np.exp(-label * self.score)", "sign wrong-point", "the sign of the exponent"),
    "ds-no-n": (" / len(label)", "", "scale missing-factor", "1/n is missing"),
    "v-lin": ("self.act.T @ ds", "self.lin.T @ ds", "wrong-point", "before the activation"),
    "v-local": ("self.grad_v = self.act", "grad_v = self.act", "not-returned", "a local variable for an attribute"),
    "act-u": ("np.outer(ds, self.v)", "np.outer(ds, self.grad_v)", "wrong-point", "the gradient for v"),
    "act-ones": ("np.outer(ds, self.v)", "ds[:, None] * np.ones(2)", "missing-factor", "v is missing"),
    "sum-none": ("dsum = dact * (1 - self.act**2)", "dsum = dact", "missing-factor", "tanh' is missing"),
    "sum-form": ("(1 - self.act**2)", "(1 - self.form**2)", "wrong-point", "before the activation"),
    "u-plus": ("dsum.T @ (a - b)", "dsum.T @ (a + b)", "sign", "+ for -"),
    "u-act": ("dsum.T @ (a - b)", "dact.T @ (a - b)", "missing-factor wrong-point", "dact for dsum"),
    "u-a-only": ("dsum.T @ (a - b)", "dsum.T @ a", "missing-term", "b is forgotten"),
    "M-assigned": ("self.grad_M[k] += dsum", "self.grad_M[k] = dsum", "missing-term", "= for +=: the last sample only"),
    "M-transposed": ("np.outer(a[n], b[n])", "np.outer(b[n], a[n])", "transpose", "transposed (square)"),
    "M-index": ("self.grad_M[k] += dsum", "self.grad_M[0] += dsum", "wrong-point missing-term", "always written to the first form"),
    "M-bound": ("for k in range(len(self.v))", "for k in range(len(self.v) - 1)", "missing-term", "the last form is left out", "self.grad_M[k] +=", "self.grad_M = np"),
    "a-subscripts": ("\"nk,kij,nj->ni\"", "\"nk,kji,nj->ni\"", "transpose", "subscripts of M exchanged"),
    "a-no-lin": (" + dsum @ self.u", "", "missing-term", "the linear path is forgotten"),
    "b-sign": ("a) - dsum @ self.u", "a) + dsum @ self.u", "sign", "+ for -"),
    "b-from-b": ("dsum, self.M, a)", "dsum, self.M, b)", "wrong-point", "b for a"),
    "b-subscripts": ("\"nk,kij,ni->nj\"", "\"nk,kij,nj->ni\"", "transpose", "as for a"),
    "exchanged": ("return da, db", "return db, da", "wrong-point", "exchanged", "da = np", "db = np"),
    "subscript-raises": ("\"nk,kij,nj->ni\"", "\"nk,kij,nj->nl\"", "raises wrong-point", "a subscript that does not exist"),
    "stale-v": ("        dact = np.outer", "        self.v = self.v - 0.1 * self.grad_v\n        dact = np.outer", "stale-value", "v was updated before it is used", "dact ="),
    "M-twice": ("self.grad_M[k] += dsum[n, k]", "self.grad_M[k] += 2 * dsum[n, k]", "scale double-count extra-factor", "each pair counts twice"),
}

DOUBLES = [("ds-sign", "M-transposed"), ("ds-no-n", "u-plus"), ("sum-none", "b-sign"), ("v-lin", "a-no-lin"), ("M-assigned", "b-from-b"), ("u-act", "a-subscripts")]
# fmt: on
