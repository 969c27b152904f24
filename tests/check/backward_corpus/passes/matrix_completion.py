"""Ratings of users for items with biases: stochastic indices, np.add.at, a regulariser on what was met."""

import numpy as np


def forward(P, Q, bu, bi, users, items, ratings, lam):
    p = P[users]
    q = Q[items]
    pred = np.sum(p * q, axis=1) + bu[users] + bi[items]
    err = pred - ratings
    fit = np.sum(err**2) / len(users)
    penalty = lam * (np.sum(p**2) + np.sum(q**2))
    return fit + penalty


def backward(P, Q, bu, bi, users, items, p, q, err, lam):
    n = len(users)
    derr = 2 * err / n
    d_p = derr[:, None] * q + 2 * lam * p
    d_q = derr[:, None] * p + 2 * lam * q
    d_P = np.zeros_like(P)
    d_Q = np.zeros_like(Q)
    d_bu = np.zeros_like(bu)
    d_bi = np.zeros_like(bi)
    np.add.at(d_P, users, d_p)
    np.add.at(d_Q, items, d_q)
    np.add.at(d_bu, users, derr)
    np.add.at(d_bi, items, derr)
    return d_P, d_Q, d_bu, d_bi


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    return {
        "P": rng.normal(size=(4, 3)),
        "Q": rng.normal(size=(4, 3)),
        "bu": rng.normal(size=4),
        "bi": rng.normal(size=4),
        "users": np.array([0, 1, 1, 3, 2, 0]),
        "items": np.array([2, 0, 3, 1, 1, 2]),
        "ratings": rng.normal(size=6),
        "lam": 0.1,
    }


GRADIENTS = {"d_P": "P", "d_Q": "Q", "d_bu": "bu", "d_bi": "bi"}

# ruff: noqa: E501
# fmt: off
MUTANTS = {
    "no-two": ("derr = 2 * err / n", "derr = err / n", "scale missing-factor", "the 2 is missing"),
    "no-n": ("derr = 2 * err / n", "derr = 2 * err", "scale missing-factor", "1/n is missing"),
    "n-users": ("n = len(users)", "n = len(P)", "scale", "the number of users", "derr ="),
    "negated": ("derr = 2 * err / n", "derr = -2 * err / n", "sign", "minus"),
    "p-from-p": ("derr[:, None] * q + 2 * lam * p", "derr[:, None] * p + 2 * lam * p", "wrong-point", "p for q"),
    "p-no-reg": (" + 2 * lam * p", "", "missing-term", "the regulariser is forgotten"),
    "p-reg-half": ("+ 2 * lam * p", "+ lam * p", "scale missing-factor missing-term", "the 2 is missing"),
    "q-reg-sign": ("+ 2 * lam * q", "- 2 * lam * q", "sign", "the regulariser is subtracted"),
    "q-reg-p": ("+ 2 * lam * q", "+ 2 * lam * p", "wrong-point", "p for q in the regulariser"),
    "q-no-err": ("derr[:, None] * p + 2 * lam * q", "p + 2 * lam * q", "missing-factor", "the error is missing"),
    "P-items": ("np.add.at(d_P, users, d_p)", "np.add.at(d_P, items, d_p)", "wrong-point", "added to the rows of the items"),
    "P-buffered": ("np.add.at(d_P, users, d_p)", "d_P[users] += d_p", "missing-term double-count", "repeated users count once"),
    "Q-assigned": ("np.add.at(d_Q, items, d_q)", "d_Q[items] = d_q", "missing-term", "assigned: repeated items count once"),
    "Q-from-p": ("np.add.at(d_Q, items, d_q)", "np.add.at(d_Q, items, d_p)", "wrong-point", "d_p for d_q"),
    "bu-err": ("np.add.at(d_bu, users, derr)", "np.add.at(d_bu, users, err)", "scale missing-factor wrong-point", "err for derr"),
    "bi-users": ("np.add.at(d_bi, items, derr)", "np.add.at(d_bi, users, derr)", "wrong-point", "added to the users"),
    "bi-buffered": ("np.add.at(d_bi, items, derr)", "d_bi[items] += derr", "missing-term double-count", "repeated items count once"),
    "bi-not-returned": ("return d_P, d_Q, d_bu, d_bi", "return d_P, d_Q, d_bu", "not-returned", "the last gradient is not returned", "np.add.at(d_bi"),
    "p-shape": ("derr[:, None] * q + 2", "derr * q + 2", "raises shape", "derr does not broadcast"),
    "bu-regularised": ("np.add.at(d_bu, users, derr)", "np.add.at(d_bu, users, derr + 2 * lam * bu[users])", "extra-term", "the biases are regularised too"),
}

DOUBLES = [("no-two", "p-no-reg"), ("negated", "Q-assigned"), ("p-from-p", "bi-users"), ("q-reg-sign", "P-buffered"), ("no-n", "bu-err")]
# fmt: on
