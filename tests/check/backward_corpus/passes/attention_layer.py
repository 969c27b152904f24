"""Causal attention with one head as an object with four matrices; softmax by rows and its backward as a static method."""

import numpy as np


class Attention:
    def __init__(self, d, rng):
        self.Wq, self.Wk, self.Wv, self.Wo = (rng.normal(size=(d, d)) for _ in range(4))

    def forward(self, x):
        n, d = x.shape
        self.x = x
        self.q, self.k, self.v = x @ self.Wq, x @ self.Wk, x @ self.Wv
        s = self.q @ self.k.T / np.sqrt(d)
        s = np.where(np.tri(n, dtype=bool), s, -1e9)
        e = np.exp(s - s.max(axis=-1, keepdims=True))
        self.p = e / e.sum(axis=-1, keepdims=True)
        self.ctx = self.p @ self.v
        return self.ctx @ self.Wo

    @staticmethod
    def softmax_backward(dp, p):
        inner = np.sum(dp * p, axis=-1, keepdims=True)
        return p * (dp - inner)

    def backward(self, error):
        d = self.x.shape[1]
        self.dWo = self.ctx.T @ error
        dctx = error @ self.Wo.T
        dp = dctx @ self.v.T
        dv = self.p.T @ dctx
        ds = self.softmax_backward(dp, self.p) / np.sqrt(d)
        dq, dk = ds @ self.k, ds.T @ self.q
        self.dWq, self.dWk, self.dWv = self.x.T @ dq, self.x.T @ dk, self.x.T @ dv
        dx = dq @ self.Wq.T
        dx += dk @ self.Wk.T
        dx += dv @ self.Wv.T
        return dx


def build(seed=0):
    layer = Attention(3, np.random.default_rng(70 + seed))
    return layer.forward, layer.backward


def inputs(seed=0):
    return {"x": np.random.default_rng(seed).normal(size=(4, 3))}


UPSTREAM = {"error": None}
GRADIENTS = "x"
LEFT = {"dWq": "Wq", "dWk": "Wk", "dWv": "Wv", "dWo": "Wo"}

# ruff: noqa: E501
# fmt: off
MUTANTS = {
    "Wo-v": ("self.ctx.T @ error", "self.v.T @ error", "wrong-point missing-factor", "v for the context"),
    "Wo-transposed": ("self.ctx.T @ error", "error.T @ self.ctx", "transpose", "transposed (square)"),
    "ctx-untransposed": ("error @ self.Wo.T", "error @ self.Wo", "transpose", "Wo for Wo.T (square)"),
    "ctx-Wv": ("error @ self.Wo.T", "error @ self.Wv.T", "wrong-point", "Wv for Wo"),
    "p-error": ("dp = dctx @ self.v.T", "dp = error @ self.v.T", "missing-factor wrong-point", "error for dctx"),
    "p-k": ("dp = dctx @ self.v.T", "dp = dctx @ self.k.T", "wrong-point", "k for v"),
    "v-untransposed": ("dv = self.p.T @ dctx", "dv = self.p @ dctx", "transpose", "p for p.T (square)"),
    "no-sqrt": (" / np.sqrt(d)", "", "scale missing-factor", "1/√d is missing"),
    "sqrt-n": ("d = self.x.shape[1]", "d = self.x.shape[0]", "scale", "the length for the dimension", "ds ="),
    "by-d": ("/ np.sqrt(d)", "/ d", "scale", "d for √d"),
    "q-q": ("ds @ self.k, ds.T @ self.q", "ds @ self.q, ds.T @ self.q", "wrong-point", "q for k"),
    "k-untransposed": ("ds.T @ self.q", "ds @ self.q", "transpose", "ds for ds.T (square)"),
    "Wk-from-dq": ("self.x.T @ dk,", "self.x.T @ dq,", "wrong-point", "dq for dk"),
    "Wv-not-left": ("self.dWq, self.dWk, self.dWv =", "self.dWq, self.dWk, dWv =", "not-returned", "not left in the object"),
    "x-assigned": ("dx += dk @ self.Wk.T", "dx = dk @ self.Wk.T", "missing-term", "= for +=: the path through q is lost"),
    "x-no-v": ("        dx += dv @ self.Wv.T\n", "", "missing-term", "the path through v is forgotten", "return dx", "dx = dq", "dx += dk"),
    "x-Wq-twice": ("dx += dk @ self.Wk.T", "dx += dk @ self.Wq.T", "wrong-point", "Wq for Wk"),
    "softmax-no-inner": ("p * (dp - inner)", "p * dp", "missing-term", "the sum is forgotten"),
    "softmax-axis": ("np.sum(dp * p, axis=-1, keepdims=True)", "np.sum(dp * p, axis=0, keepdims=True)", "wrong-reduction", "sums over the rows", "return p *"),
    "softmax-sigmoid": ("p * (dp - inner)", "dp * p * (1 - p)", "missing-term wrong-point", "the diagonal only"),
    "softmax-no-p": ("inner = np.sum(dp * p,", "inner = np.sum(dp,", "missing-factor", "p is missing", "return p *"),
}

INSIDE = dict.fromkeys(("softmax-no-inner", "softmax-axis", "softmax-sigmoid", "softmax-no-p"), "Attention.softmax_backward")

DOUBLES = [("Wo-transposed", "softmax-no-inner"), ("v-untransposed", "no-sqrt"), ("ctx-Wv", "x-assigned"), ("Wo-v", "q-q"), ("by-d", "x-Wq-twice")]
# fmt: on
