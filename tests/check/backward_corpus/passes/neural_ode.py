"""Euler steps of a small vector field and the adjoint walked back through them."""

import numpy as np


def field(h, A, B, c):
    u = np.tanh(h @ A + c)
    return u @ B, u


def forward(h0, A, B, c, target, dt=0.25, steps=4):
    traj = [h0]
    us = []
    h = h0
    for _ in range(steps):
        f, u = field(h, A, B, c)
        h = h + dt * f
        traj.append(h)
        us.append(u)
    energy = 0.5 * np.sum((h - target) ** 2)
    return energy, traj, us


def backward(traj, us, A, B, c, target, dt=0.25, steps=4):
    adj = traj[-1] - target
    dA, dB, dc = np.zeros_like(A), np.zeros_like(B), np.zeros_like(c)
    for k in range(steps - 1, -1, -1):
        df = dt * adj
        dB += us[k].T @ df
        du = df @ B.T
        dpre = du * (1 - us[k] ** 2)
        dA += traj[k].T @ dpre
        dc += dpre.sum(0)
        adj = adj + dpre @ A.T
    return adj, dA, dB, dc


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    return {
        "h0": rng.normal(size=(2, 3)),
        "A": rng.normal(size=(3, 3)),
        "B": rng.normal(size=(3, 3)),
        "c": rng.normal(size=3),
        "target": rng.normal(size=(2, 3)),
    }


GRADIENTS = {"adj": "h0", "dA": "A", "dB": "B", "dc": "c"}

# ruff: noqa: E501
# fmt: off
MUTANTS = {
    "adj-sign": ("adj = traj[-1] - target", "adj = target - traj[-1]", "sign", "the residual is reversed"),
    "adj-first": ("adj = traj[-1] - target", "adj = traj[0] - target", "wrong-point", "the first state for the last"),
    "no-dt": ("df = dt * adj", "df = adj", "scale missing-factor", "dt is missing"),
    "dB-no-dt": ("us[k].T @ df", "us[k].T @ adj", "scale missing-factor wrong-point", "adj for df"),
    "dB-state": ("us[k].T @ df", "traj[k].T @ df", "wrong-point", "the state for u"),
    "dB-assigned": ("dB += us[k]", "dB = us[k]", "missing-term", "= for +="),
    "du-untransposed": ("df @ B.T", "df @ B", "transpose", "B for B.T (square)"),
    "no-tanh": ("dpre = du * (1 - us[k] ** 2)", "dpre = du", "missing-factor", "tanh' is missing"),
    "tanh-state": ("(1 - us[k] ** 2)", "(1 - traj[k] ** 2)", "wrong-point", "tanh' at the state"),
    "tanh-next": ("(1 - us[k] ** 2)", "(1 - us[k - 1] ** 2)", "wrong-point", "tanh' of another step"),
    "dA-next": ("traj[k].T @ dpre", "traj[k + 1].T @ dpre", "wrong-point", "the state after the step"),
    "dA-transposed": ("traj[k].T @ dpre", "dpre.T @ traj[k]", "transpose", "the product transposed (square)"),
    "dc-du": ("dc += dpre.sum(0)", "dc += du.sum(0)", "missing-factor wrong-point", "du for dpre"),
    "dc-mean": ("dc += dpre.sum(0)", "dc += dpre.mean(0)", "scale wrong-reduction", "mean for sum"),
    "adj-no-identity": ("adj = adj + dpre @ A.T", "adj = dpre @ A.T", "missing-term", "the identity of the Euler step is forgotten"),
    "adj-dt-twice": ("adj + dpre @ A.T", "adj + dt * dpre @ A.T", "scale extra-factor double-count", "dt once more"),
    "adj-untransposed": ("dpre @ A.T", "dpre @ A", "transpose", "A for A.T (square)"),
    "adj-minus": ("adj + dpre @ A.T", "adj - dpre @ A.T", "sign", "- as in the continuous adjoint run forwards"),
    "short": ("range(steps - 1, -1, -1)", "range(steps - 1, 0, -1)", "missing-term", "the first step is left out", "return adj", "dB +=", "dA +=", "dc +=", "adj = adj +"),
    "order": ("range(steps - 1, -1, -1)", "range(steps)", "wrong-point", "in the order of the forward pass", "dpre =", "dA +=", "dB +="),
    "stale-B": ("        du = df @ B.T", "        B = B - 0.1 * dB\n        du = df @ B.T", "stale-value", "B is updated in the loop", "du ="),
    "adj-residual": ("adj = adj + dpre @ A.T", "adj = adj + dpre @ A.T + traj[k] - target", "extra-term", "a running cost that the energy has not"),
}

DOUBLES = [("adj-sign", "dA-next"), ("no-tanh", "dB-state"), ("adj-no-identity", "dc-mean"), ("dA-transposed", "du-untransposed"), ("dB-assigned", "dc-du")]
# fmt: on
