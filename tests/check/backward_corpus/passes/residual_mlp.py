"""Residual blocks with a scaled branch and a helper for one block; a comprehension collects the gradients; softplus units."""

import numpy as np


def softplus(a):
    return np.log1p(np.exp(a))


def block(x, W, V):
    s = softplus(x @ W)
    return x + 0.5 * s @ V, s


def forward(x, blocks, head, y):
    h, states = x, []
    for W, V in blocks:
        states.append(h)
        h, s = block(h, W, V)
        states.append(s)
    out = h @ head
    r = out - y
    return np.mean(r * r), states, h, r


def block_back(dh, h, s, W, V):
    ds = 0.5 * dh @ V.T
    dV = 0.5 * s.T @ dh
    da = ds * (1 - np.exp(-s))
    dW = h.T @ da
    return dh + da @ W.T, [dW, dV]


def backward(blocks, head, states, h, r):
    dout = 2 * r / r.size
    dhead = h.T @ dout
    dh = dout @ head.T
    collected = []
    for i in reversed(range(len(blocks))):
        dh, pair = block_back(dh, states[2 * i], states[2 * i + 1], *blocks[i])
        collected.append(pair)
    return {"x": dh, "blocks": [pair for pair in reversed(collected)], "head": dhead}


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    return {
        "x": rng.normal(size=(4, 3)),
        "blocks": [[rng.normal(size=(3, 3)), rng.normal(size=(3, 3))] for _ in range(2)],
        "head": rng.normal(size=(3, 2)),
        "y": rng.normal(size=(4, 2)),
    }


GRADIENTS = {"x": "x", "blocks": "blocks", "head": "head"}

# ruff: noqa: E501, C416
# fmt: off
MUTANTS = {
    "out-by-n": ("2 * r / r.size", "2 * r / len(r)", "scale", "the number of samples for that of elements"),
    "out-no-two": ("2 * r / r.size", "r / r.size", "scale missing-factor", "the 2 is missing"),
    "out-negated": ("dout = 2 * r", "dout = -2 * r", "sign", "minus"),
    "head-first": ("dhead = h.T @ dout", "dhead = states[-2].T @ dout", "wrong-point", "the state before the last block"),
    "head-r": ("dhead = h.T @ dout", "dhead = h.T @ r", "scale missing-factor wrong-point", "r for dout"),
    "dh-order": ("for i in reversed(range(len(blocks)))", "for i in range(len(blocks))", "wrong-point", "in the order of the forward pass", "dh, pair ="),
    "states-index": ("states[2 * i], states[2 * i + 1]", "states[i], states[2 * i + 1]", "wrong-point", "the index of the states"),
    "not-reversed": ("for pair in reversed(collected)", "for pair in collected", "wrong-point", "the blocks in reversed order"),
    "ds-no-half": ("ds = 0.5 * dh @ V.T", "ds = dh @ V.T", "scale missing-factor", "the half is missing"),
    "ds-untransposed": ("dh @ V.T", "dh @ V", "transpose", "V for V.T (square)"),
    "dV-no-half": ("dV = 0.5 * s.T @ dh", "dV = s.T @ dh", "scale missing-factor", "the half is missing"),
    "dV-h": ("0.5 * s.T @ dh", "0.5 * h.T @ dh", "wrong-point", "h for s"),
    "dV-transposed": ("0.5 * s.T @ dh", "0.5 * dh.T @ s", "transpose", "transposed (square)"),
    "da-none": ("da = ds * (1 - np.exp(-s))", "da = ds", "missing-factor", "softplus' is missing"),
    "da-sigmoid": ("(1 - np.exp(-s))", "1 / (1 + np.exp(-s))", "wrong-point", "σ at the softplus"),
    "da-sign": ("(1 - np.exp(-s))", "(1 - np.exp(s))", "sign wrong-point", "the exponent's sign"),
    "dW-ds": ("dW = h.T @ da", "dW = h.T @ ds", "missing-factor wrong-point", "ds for da"),
    "dW-s": ("dW = h.T @ da", "dW = s.T @ da", "wrong-point", "s for h"),
    "no-skip": ("return dh + da @ W.T", "return da @ W.T", "missing-term", "the skip connection is forgotten"),
    "skip-only": ("return dh + da @ W.T", "return dh", "missing-term", "the branch is forgotten"),
    "pair-exchanged": ("[dW, dV]", "[dV, dW]", "wrong-point", "exchanged"),
    "stale-head": ("    dh = dout @ head.T", "    head = head - 0.1 * dhead\n    dh = dout @ head.T", "stale-value", "the head was updated before it is used", "dh = dout"),
    "skip-twice": ("return dh + da @ W.T", "return 2 * dh + da @ W.T", "double-count scale extra-factor extra-term", "the skip connection counts twice"),
    "branch-extra": ("return dh + da @ W.T", "return dh + da @ W.T + ds", "extra-term", "a path that does not exist"),
}

INSIDE = dict.fromkeys(
    ["ds-no-half", "ds-untransposed", "dV-no-half", "dV-h", "dV-transposed", "da-none", "da-sigmoid", "da-sign", "dW-ds", "dW-s", "no-skip", "skip-only", "pair-exchanged", "skip-twice", "branch-extra"],
    "block_back",
)

DOUBLES = [("out-no-two", "da-none"), ("out-negated", "dV-h"), ("head-first", "ds-untransposed"), ("dV-no-half", "no-skip"), ("head-r", "dW-s")]
# fmt: on
