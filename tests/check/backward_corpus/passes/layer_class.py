"""A layer as an object: forward keeps what backward needs in self.cache; softplus units with a gain."""

import numpy as np


class GatedDense:
    def __init__(self):
        self.cache = None

    def forward(self, x, W, V, c):
        gate = 1 / (1 + np.exp(-(x @ V)))
        lin = x @ W + c
        soft = np.log(1 + np.exp(lin))
        out = gate * soft
        self.cache = (x, W, V, gate, lin, soft)
        return out

    def backward(self, grad_out):
        x, W, V, gate, lin, soft = self.cache
        grad_gate = grad_out * soft
        grad_soft = grad_out * gate
        grad_lin = grad_soft / (1 + np.exp(-lin))
        grad_pre = grad_gate * gate * (1 - gate)
        grad_W = x.T @ grad_lin
        grad_V = x.T @ grad_pre
        grad_c = grad_lin.sum(axis=0)
        grad_x = grad_lin @ W.T
        grad_x += grad_pre @ V.T
        return grad_x, grad_W, grad_V, grad_c


layer = GatedDense()
forward = layer.forward
backward = layer.backward


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    return {"x": rng.normal(size=(3, 4)), "W": rng.normal(size=(4, 4)), "V": rng.normal(size=(4, 4)), "c": rng.normal(size=4)}


UPSTREAM = {"grad_out": None}
GRADIENTS = {"grad_x": "x", "grad_W": "W", "grad_V": "V", "grad_c": "c"}

# ruff: noqa: E501
# fmt: off
MUTANTS = {
    "gate-from-lin": ("grad_out * soft", "grad_out * lin", "wrong-point", "before the softplus"),
    "soft-no-gate": ("grad_soft = grad_out * gate", "grad_soft = grad_out", "missing-factor", "the gate is missing"),
    "paths-exchanged": ("grad_gate = grad_out * soft", "grad_gate = grad_out * gate", "wrong-point", "gate for soft"),
    "softplus-sign": ("np.exp(-lin)", "np.exp(lin)", "wrong-point sign", "σ(-z) for σ(z)"),
    "softplus-at-soft": ("np.exp(-lin)", "np.exp(-soft)", "wrong-point", "σ at the softplus"),
    "no-softplus-prime": ("grad_soft / (1 + np.exp(-lin))", "grad_soft", "missing-factor", "softplus' is missing"),
    "gate-no-prime": ("grad_gate * gate * (1 - gate)", "grad_gate", "missing-factor", "σ' is missing"),
    "gate-half-prime": ("gate * (1 - gate)", "(1 - gate)", "missing-factor", "a factor of σ' is missing"),
    "W-transposed": ("x.T @ grad_lin", "grad_lin.T @ x", "transpose", "the product transposed (square)"),
    "V-from-lin": ("x.T @ grad_pre", "x.T @ grad_lin", "wrong-point", "grad_lin for grad_pre"),
    "c-mean": ("grad_lin.sum(axis=0)", "grad_lin.mean(axis=0)", "scale wrong-reduction", "mean for sum"),
    "x-untransposed": ("grad_lin @ W.T", "grad_lin @ W", "transpose", "W for W.T (square)"),
    "x-assigned": ("grad_x += grad_pre @ V.T", "grad_x = grad_pre @ V.T", "missing-term", "= for +=: the linear path is lost"),
    "x-one-path": ("        grad_x += grad_pre @ V.T\n", "", "missing-term", "the contribution through V is missing", "grad_x = grad_lin"),
    "x-minus": ("grad_x += grad_pre @ V.T", "grad_x -= grad_pre @ V.T", "sign extra-term", "the contribution through V is subtracted"),
}

DOUBLES = [("soft-no-gate", "V-from-lin"), ("no-softplus-prime", "x-assigned"), ("gate-half-prime", "x-untransposed"), ("W-transposed", "c-mean")]
# fmt: on
