"""An exponential scan with a learned decay, an input gate and a squashed read-out; the adjoint is carried backwards."""

import numpy as np


def forward(x, decay, gate, w, target):
    a = 1 / (1 + np.exp(-decay))
    g = np.tanh(x * gate)
    state = np.zeros_like(decay)
    states, costs = [], []
    for t in range(len(x)):
        state = a * state + (1 - a) * g[t]
        states.append(state)
        costs.append((np.sin(state @ w) - target[t]) ** 2)
    S = np.stack(states)
    return np.sum(np.stack(costs))


def backward(x, decay, gate, w, target, a, g, S):
    T, D = S.shape
    lam = np.zeros(D)
    da, dw, dgate = np.zeros(D), np.zeros(D), np.zeros(D)
    dx = np.zeros_like(x)
    for t in range(T)[::-1]:
        u = S[t] @ w
        du = 2 * (np.sin(u) - target[t]) * np.cos(u)
        dw += du * S[t]
        lam = lam + du * w
        before = S[t - 1] if t > 0 else np.zeros(D)
        da += lam * (before - g[t])
        dg = lam * (1 - a) * (1 - g[t] ** 2)
        dgate += dg * x[t]
        dx[t] = dg * gate
        lam = lam * a
    ddecay = da * a * (1 - a)
    return dx, ddecay, dgate, dw


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    return {
        "x": rng.normal(size=(5, 3)),
        "decay": rng.normal(size=3),
        "gate": rng.normal(size=3),
        "w": rng.normal(size=3),
        "target": rng.normal(size=5),
    }


GRADIENTS = {"dx": "x", "ddecay": "decay", "dgate": "gate", "dw": "w"}

# ruff: noqa: E501, F841
# fmt: off
MUTANTS = {
    "u-no-two": ("du = 2 * (np.sin", "du = (np.sin", "scale missing-factor", "the 2 is missing"),
    "u-no-cos": (" * np.cos(u)", "", "missing-factor", "sin' is missing"),
    "u-minus-cos": ("* np.cos(u)", "* -np.cos(u)", "sign", "the derivative of cos"),
    "u-sin": ("* np.cos(u)", "* np.sin(u)", "wrong-point", "sin for cos"),
    "u-linear": ("(np.sin(u) - target[t])", "(u - target[t])", "wrong-point missing-factor", "sin is forgotten"),
    "w-assigned": ("dw += du * S[t]", "dw = du * S[t]", "missing-term", "= for +="),
    "w-before": ("dw += du * S[t]", "dw += du * S[t - 1]", "wrong-point", "the state before"),
    "lam-assigned": ("lam = lam + du * w", "lam = du * w", "missing-term", "the carried adjoint is lost"),
    "lam-minus": ("lam = lam + du * w", "lam = lam - du * w", "sign", "- for +"),
    "lam-state": ("lam = lam + du * w", "lam = lam + du * S[t]", "wrong-point", "the state for w"),
    "before-now": ("S[t - 1] if t > 0", "S[t] if t > 0", "wrong-point", "this state for the one before", "da +="),
    "before-wraps": ("S[t - 1] if t > 0 else np.zeros(D)", "S[t - 1]", "wrong-point extra-term", "S[-1] at the first step", "da +="),
    "da-no-g": ("(before - g[t])", "before", "missing-term", "1 - a is taken for a constant"),
    "da-sign": ("(before - g[t])", "(before + g[t])", "sign", "+ for -"),
    "dg-no-tanh": ("lam * (1 - a) * (1 - g[t] ** 2)", "lam * (1 - a)", "missing-factor", "tanh' is missing"),
    "dg-a": ("lam * (1 - a) * (1 - g[t] ** 2)", "lam * a * (1 - g[t] ** 2)", "wrong-point", "a for 1 - a"),
    "dgate-gate": ("dgate += dg * x[t]", "dgate += dg * gate", "wrong-point", "the gate for x"),
    "dx-x": ("dx[t] = dg * gate", "dx[t] = dg * x[t]", "wrong-point", "x for the gate"),
    "carry-no-a": ("        lam = lam * a\n", "", "missing-factor", "the decay of the adjoint is forgotten", "lam = lam + du"),
    "carry-one-minus": ("lam = lam * a", "lam = lam * (1 - a)", "wrong-point", "1 - a for a"),
    "decay-half": ("da * a * (1 - a)", "da * (1 - a)", "missing-factor", "a factor of σ' is missing"),
    "decay-none": ("ddecay = da * a * (1 - a)", "ddecay = da", "missing-factor", "σ' is missing"),
    "short": ("range(T)[::-1]", "range(T - 1)[::-1]", "missing-term", "the last step is left out", "dw +=", "dx[t] =", "lam = lam + du", "da +=", "dgate +=", "return dx"),
    "order": ("range(T)[::-1]", "range(T)", "wrong-point", "in the order of the forward pass", "lam = lam + du", "lam = lam * a"),
}

DOUBLES = [("u-no-cos", "dx-x"), ("w-before", "carry-one-minus"), ("lam-minus", "decay-half"), ("da-no-g", "dgate-gate"), ("w-assigned", "dg-a"), ("da-sign", "dg-no-tanh")]
# fmt: on
