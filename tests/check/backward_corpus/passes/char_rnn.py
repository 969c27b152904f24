"""A character-level recurrent network in one page: dicts by time step, column vectors, sums over time with +=."""

import numpy as np


def forward(ids, targets, hprev, Wxh, Whh, Why, bh, by):
    xs, hs, ys, ps = {}, {}, {}, {}
    hs[-1] = np.copy(hprev)
    loss = 0
    for t in range(len(ids)):
        xs[t] = np.zeros((Wxh.shape[1], 1))
        xs[t][ids[t]] = 1
        hs[t] = np.tanh(np.dot(Wxh, xs[t]) + np.dot(Whh, hs[t - 1]) + bh)
        ys[t] = np.dot(Why, hs[t]) + by
        ps[t] = np.exp(ys[t]) / np.sum(np.exp(ys[t]))
        loss += -np.log(ps[t][targets[t], 0])
    return loss, xs, hs, ps


def backward(ids, targets, xs, hs, ps, Wxh, Whh, Why, bh, by):
    dWxh, dWhh, dWhy = np.zeros_like(Wxh), np.zeros_like(Whh), np.zeros_like(Why)
    dbh, dby = np.zeros_like(bh), np.zeros_like(by)
    dhnext = np.zeros_like(hs[0])
    for t in reversed(range(len(ids))):
        dy = np.copy(ps[t])
        dy[targets[t]] -= 1
        dWhy += np.dot(dy, hs[t].T)
        dby += dy
        dh = np.dot(Why.T, dy) + dhnext
        dhraw = (1 - hs[t] * hs[t]) * dh
        dbh += dhraw
        dWxh += np.dot(dhraw, xs[t].T)
        dWhh += np.dot(dhraw, hs[t - 1].T)
        dhnext = np.dot(Whh.T, dhraw)
    return dWxh, dWhh, dWhy, dbh, dby


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    H, V = 3, 4
    return {
        "ids": [0, 2, 1, 2],
        "targets": [2, 1, 2, 3],
        "hprev": rng.normal(size=(H, 1)),
        "Wxh": rng.normal(size=(H, V)),
        "Whh": rng.normal(size=(H, H)),
        "Why": rng.normal(size=(V, H)),
        "bh": rng.normal(size=(H, 1)),
        "by": rng.normal(size=(V, 1)),
    }


GRADIENTS = {"dWxh": "Wxh", "dWhh": "Whh", "dWhy": "Why", "dbh": "bh", "dby": "by"}

# ruff: noqa: E501
# fmt: off
MUTANTS = {
    "no-minus-one": ("        dy[targets[t]] -= 1\n", "", "missing-term", "the one-hot target is not subtracted", "dy = np.copy(ps[t])"),
    "wrong-target": ("dy[targets[t]] -= 1", "dy[ids[t]] -= 1", "wrong-point", "the input character for the target"),
    "dWhy-assigned": ("dWhy += np.dot", "dWhy = np.dot", "missing-term", "= for +=: only one time step counts"),
    "dWhy-previous-h": ("np.dot(dy, hs[t].T)", "np.dot(dy, hs[t - 1].T)", "wrong-point", "h of the step before"),
    "no-dhnext": (" + dhnext", "", "missing-term", "the contribution through time is forgotten"),
    "dhnext-minus": (" + dhnext", " - dhnext", "sign extra-term", "the contribution through time is subtracted"),
    "tanh-power": ("(1 - hs[t] * hs[t])", "(1 - hs[t])", "missing-factor wrong-point", "1 - h for 1 - h²"),
    "no-tanh-prime": ("dhraw = (1 - hs[t] * hs[t]) * dh", "dhraw = dh", "missing-factor", "tanh' is missing"),
    "tanh-previous": ("(1 - hs[t] * hs[t])", "(1 - hs[t - 1] * hs[t - 1])", "wrong-point", "tanh' at the step before"),
    "dbh-from-dh": ("dbh += dhraw", "dbh += dh", "missing-factor wrong-point", "dh for dhraw"),
    "dbh-twice": ("dbh += dhraw", "dbh += 2 * dhraw", "double-count scale", "each step counts twice"),
    "dWhh-this-h": ("np.dot(dhraw, hs[t - 1].T)", "np.dot(dhraw, hs[t].T)", "wrong-point", "h of this step for the step before"),
    "dWhh-transposed": ("np.dot(dhraw, hs[t - 1].T)", "np.dot(hs[t - 1], dhraw.T)", "transpose", "the outer product transposed (square)"),
    "dhnext-untransposed": ("np.dot(Whh.T, dhraw)", "np.dot(Whh, dhraw)", "transpose", "Whh for Whh.T (square)"),
    "dhnext-from-dh": ("np.dot(Whh.T, dhraw)", "np.dot(Whh.T, dh)", "missing-factor wrong-point", "dh for dhraw"),
    "dhnext-accumulated": ("dhnext = np.dot(Whh.T, dhraw)", "dhnext += np.dot(Whh.T, dhraw)", "extra-term double-count", "+= for =: later steps are kept"),
}

DOUBLES = [("dWhy-assigned", "no-dhnext"), ("tanh-power", "dWhh-this-h"), ("dWhy-previous-h", "dhnext-untransposed"), ("dbh-twice", "dWhh-transposed")]
# fmt: on
