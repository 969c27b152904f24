"""A linear-chain CRF: the log of the partition function by the forward recursion, marginals by the backward one."""

import numpy as np


def lse(v, axis):
    top = v.max(axis=axis, keepdims=True)
    return np.squeeze(top, axis=axis) + np.log(np.sum(np.exp(v - top), axis=axis))


def forward(emit, trans, tags):
    T = len(emit)
    alpha = emit[0]
    alphas = [alpha]
    for t in range(1, T):
        alpha = lse(alpha[:, None] + trans, 0) + emit[t]
        alphas.append(alpha)
    logZ = lse(alpha, 0)
    score = emit[0, tags[0]]
    for t in range(1, T):
        score = score + emit[t, tags[t]] + trans[tags[t - 1], tags[t]]
    return logZ - score, alphas, logZ


def backward(emit, trans, tags, alphas, logZ):
    T, K = emit.shape
    d_emit, d_trans = np.zeros((T, K)), np.zeros((K, K))
    beta = np.zeros(K)
    for t in range(T - 1, -1, -1):
        d_emit[t] = np.exp(alphas[t] + beta - logZ)
        d_emit[t, tags[t]] -= 1
        if t > 0:
            message = emit[t] + beta
            pair = np.exp(alphas[t - 1][:, None] + trans + message[None, :] - logZ)
            d_trans += pair
            d_trans[tags[t - 1], tags[t]] -= 1
            beta = lse(trans + message[None, :], 1)
    return d_emit, d_trans


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    return {"emit": rng.normal(size=(5, 3)), "trans": rng.normal(size=(3, 3)), "tags": np.array([0, 2, 1, 1, 2])}


GRADIENTS = {"d_emit": "emit", "d_trans": "trans"}

# ruff: noqa: E501
# fmt: off
MUTANTS = {
    "no-beta": ("np.exp(alphas[t] + beta - logZ)", "np.exp(alphas[t] - logZ)", "missing-term missing-factor wrong-point", "beta is forgotten"),
    "no-logZ": ("np.exp(alphas[t] + beta - logZ)", "np.exp(alphas[t] + beta)", "missing-term scale missing-factor", "not normalised"),
    "emit-added": ("d_emit[t, tags[t]] -= 1", "d_emit[t, tags[t]] += 1", "sign extra-term", "+= for -="),
    "emit-no-tag": ("        d_emit[t, tags[t]] -= 1\n", "", "missing-term", "the score of the tags is forgotten", "d_emit[t] ="),
    "emit-index": ("d_emit[t, tags[t]] -= 1", "d_emit[t, tags[t - 1]] -= 1", "wrong-point", "the tag before"),
    "message-no-emit": ("message = emit[t] + beta", "message = beta", "missing-term", "the emission is forgotten", "beta = lse", "pair ="),
    "message-emit-before": ("message = emit[t] + beta", "message = emit[t - 1] + beta", "wrong-point", "the emission of the step before", "beta = lse", "pair ="),
    "pair-alpha": ("alphas[t - 1][:, None]", "alphas[t][:, None]", "wrong-point", "alpha of this step", "d_trans += pair"),
    "pair-transposed": ("trans + message[None, :] - logZ", "trans.T + message[None, :] - logZ", "transpose", "trans.T for trans", "d_trans += pair"),
    "pair-no-trans": ("[:, None] + trans + message", "[:, None] + message", "missing-term missing-factor", "trans is forgotten", "d_trans += pair"),
    "trans-assigned": ("d_trans += pair", "d_trans = pair", "missing-term", "= for +="),
    "trans-transposed": ("d_trans += pair", "d_trans += pair.T", "transpose", "transposed"),
    "trans-no-tag": ("            d_trans[tags[t - 1], tags[t]] -= 1\n", "", "missing-term", "the score of the tags is forgotten", "d_trans += pair"),
    "trans-index": ("d_trans[tags[t - 1], tags[t]]", "d_trans[tags[t], tags[t - 1]]", "wrong-point transpose", "row and column exchanged"),
    "beta-axis": ("beta = lse(trans + message[None, :], 1)", "beta = lse(trans + message[None, :], 0)", "wrong-reduction", "over the rows", "d_emit[t] =", "pair ="),
    "beta-stale": ("            beta = lse(trans + message[None, :], 1)\n", "", "missing-term stale-value missing-factor", "beta is never updated", "d_emit[t] =", "message =", "pair ="),
    "loop": ("range(T - 1, -1, -1)", "range(T - 1, 0, -1)", "missing-term", "the first step is left out", "d_emit[t] =", "return d_emit", "d_emit[t, tags[t]] -= 1"),
    "undefined": ("pair = np.exp(alphas[t - 1]", "pair = np.exp(alpha[t - 1]", "raises", "a name that is not defined"),
    "pair-twice": ("d_trans += pair", "d_trans += 2 * pair", "scale double-count extra-factor", "each pair counts twice"),
}

DOUBLES = [("emit-added", "trans-transposed"), ("emit-no-tag", "trans-index"), ("no-logZ", "trans-no-tag"), ("emit-index", "pair-no-trans")]
# fmt: on
