"""A recurrent net whose step backward is a nested function that is called in a loop and adds to the gradients around it."""

import numpy as np


def forward(xs, targets, h0, Wx, Wh, Wo, b):
    hs = [h0]
    outs = []
    cost = 0.0
    for x, t in zip(xs, targets, strict=True):
        h = np.tanh(Wx @ x + Wh @ hs[-1] + b)
        o = Wo @ h
        cost = cost + 0.5 * np.sum((o - t) ** 2)
        hs.append(h)
        outs.append(o)
    return cost, hs, outs


def backward(xs, targets, hs, outs, Wx, Wh, Wo):
    gWx, gWh, gWo = np.zeros_like(Wx), np.zeros_like(Wh), np.zeros_like(Wo)
    gb = np.zeros(len(Wh))

    def step(t, carry):
        nonlocal gb
        err = outs[t] - targets[t]
        gWo[...] += np.outer(err, hs[t + 1])
        total = Wo.T @ err + carry
        raw = total * (1 - hs[t + 1] ** 2)
        gWx[...] += np.outer(raw, xs[t])
        gWh[...] += np.outer(raw, hs[t])
        gb = gb + raw
        return Wh.T @ raw

    carry = np.zeros(len(Wh))
    for t in range(len(xs) - 1, -1, -1):
        carry = step(t, carry)
    return {"Wx": gWx, "Wh": gWh, "Wo": gWo, "b": gb, "h0": carry}


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    return {
        "xs": rng.normal(size=(4, 3)),
        "targets": rng.normal(size=(4, 2)),
        "h0": rng.normal(size=3),
        "Wx": rng.normal(size=(3, 3)),
        "Wh": rng.normal(size=(3, 3)),
        "Wo": rng.normal(size=(2, 3)),
        "b": rng.normal(size=3),
    }


GRADIENTS = {"Wx": "Wx", "Wh": "Wh", "Wo": "Wo", "b": "b", "h0": "h0"}

# ruff: noqa: E501
# fmt: off
MUTANTS = {
    "err-sign": ("err = outs[t] - targets[t]", "err = targets[t] - outs[t]", "sign", "the residual is reversed"),
    "err-twice": ("err = outs[t] - targets[t]", "err = 2 * (outs[t] - targets[t])", "scale extra-factor double-count", "the loss has a half"),
    "gWo-before": ("np.outer(err, hs[t + 1])", "np.outer(err, hs[t])", "wrong-point", "h of the step before"),
    "gWo-assigned": ("gWo[...] += np.outer", "gWo[...] = np.outer", "missing-term", "= for +=: only the first step counts"),
    "no-carry": ("total = Wo.T @ err + carry", "total = Wo.T @ err", "missing-term", "the contribution through time is forgotten"),
    "carry-only": ("total = Wo.T @ err + carry", "total = Wo.T @ err - carry", "sign", "the contribution through time is subtracted"),
    "tanh-at-before": ("(1 - hs[t + 1] ** 2)", "(1 - hs[t] ** 2)", "wrong-point", "tanh' at the step before"),
    "no-tanh": ("raw = total * (1 - hs[t + 1] ** 2)", "raw = total", "missing-factor", "tanh' is missing"),
    "tanh-sigmoid": ("(1 - hs[t + 1] ** 2)", "hs[t + 1] * (1 - hs[t + 1])", "wrong-point missing-factor extra-factor", "σ' for tanh'"),
    "gWx-outer": ("np.outer(raw, xs[t])", "np.outer(xs[t], raw)", "transpose", "the outer product transposed (square)"),
    "gWh-after": ("np.outer(raw, hs[t])", "np.outer(raw, hs[t + 1])", "wrong-point", "h of this step"),
    "gWh-total": ("np.outer(raw, hs[t])", "np.outer(total, hs[t])", "missing-factor wrong-point", "total for raw"),
    "gb-total": ("gb = gb + raw", "gb = gb + total", "missing-factor wrong-point", "total for raw"),
    "gb-assigned": ("gb = gb + raw", "gb = raw", "missing-term", "only the first step counts"),
    "carry-untransposed": ("return Wh.T @ raw", "return Wh @ raw", "transpose", "Wh for Wh.T (square)"),
    "carry-total": ("return Wh.T @ raw", "return Wh.T @ total", "missing-factor wrong-point", "total for raw"),
    "short-loop": ("range(len(xs) - 1, -1, -1)", "range(len(xs) - 1, 0, -1)", "missing-term", "the first step is left out", "carry = step", "return {", "gWo[...] +=", "gWx[...] +=", "gWh[...] +=", "gb = gb"),
    "h0-forgotten": (", \"h0\": carry}", ", \"h0\": np.zeros(len(Wh))}", "not-returned missing-term wrong-point missing-factor", "zeros for the gradient of h0"),
}

INSIDE = dict.fromkeys(("err-sign", "err-twice", "gWo-before", "gWo-assigned", "no-carry", "carry-only", "tanh-at-before", "no-tanh", "tanh-sigmoid", "gWx-outer", "gWh-after", "gWh-total", "gb-total", "gb-assigned", "carry-untransposed", "carry-total"), "backward.step")  # fmt: skip

DOUBLES = [("err-sign", "gWh-after"), ("no-tanh", "gWo-before"), ("gWx-outer", "carry-untransposed"), ("gb-assigned", "gWo-assigned"), ("no-carry", "gb-total")]
# fmt: on
