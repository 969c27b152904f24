"""A smoothed edit distance: a soft minimum over a table, and the expected alignment by the table backwards."""

import numpy as np


def softmin3(a, b, c, gamma):
    v = np.array([a, b, c]) / -gamma
    top = np.max(v)
    return -gamma * (top + np.log(np.sum(np.exp(v - top))))


def forward(x, y, gamma=0.8):
    n, m = len(x), len(y)
    D = 0.5 * (x[:, None] - y[None, :]) ** 2
    R = np.full((n + 2, m + 2), 1e6)
    R[0, 0] = 0.0
    for i in range(1, n + 1):
        for j in range(1, m + 1):
            R[i, j] = D[i - 1, j - 1] + softmin3(R[i - 1, j - 1], R[i - 1, j], R[i, j - 1], gamma)
    return R[n, m], R, D


def backward(x, y, R, D, gamma=0.8):
    n, m = D.shape
    cost = np.zeros((n + 2, m + 2))
    cost[1 : n + 1, 1 : m + 1] = D
    E = np.zeros((n + 2, m + 2))
    E[n, m] = 1.0
    for i in range(n, 0, -1):
        for j in range(m, 0, -1):
            if i < n:
                E[i, j] += E[i + 1, j] * np.exp((R[i + 1, j] - R[i, j] - cost[i + 1, j]) / gamma)
            if j < m:
                E[i, j] += E[i, j + 1] * np.exp((R[i, j + 1] - R[i, j] - cost[i, j + 1]) / gamma)
            if i < n and j < m:
                E[i, j] += E[i + 1, j + 1] * np.exp((R[i + 1, j + 1] - R[i, j] - cost[i + 1, j + 1]) / gamma)
    dD = E[1 : n + 1, 1 : m + 1]
    diff = x[:, None] - y[None, :]
    dx = np.sum(dD * diff, axis=1)
    dy = -np.sum(dD * diff, axis=0)
    return dx, dy


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    return {"x": rng.normal(size=4), "y": rng.normal(size=3)}


GRADIENTS = {"dx": "x", "dy": "y"}

# ruff: noqa: E501
# fmt: off
MUTANTS = {
    "seed": ("E[n, m] = 1.0", "E[n, m] = 0.5", "scale", "the seed of the table", "dD ="),
    "seed-place": ("E[n, m] = 1.0", "E[n - 1, m - 1] = 1.0", "wrong-point", "the seed is in the wrong cell", "dD ="),
    "no-diagonal": ("            if i < n and j < m:\n                E[i, j] += E[i + 1, j + 1] * np.exp((R[i + 1, j + 1] - R[i, j] - cost[i + 1, j + 1]) / gamma)\n", "", "missing-term", "the diagonal is forgotten", "E[i, j] += E[i, j + 1]", "dD =", "E[i, j] += E[i + 1, j] "),
    "down-gamma": ("(R[i + 1, j] - R[i, j] - cost[i + 1, j]) / gamma", "(R[i + 1, j] - R[i, j] - cost[i + 1, j])", "scale missing-factor", "gamma is missing"),
    "down-sign": ("np.exp((R[i + 1, j] - R[i, j]", "np.exp((R[i, j] - R[i + 1, j]", "sign wrong-point", "the difference is reversed"),
    "down-no-cost": (" - cost[i + 1, j])", ")", "missing-term missing-factor", "the cost of the cell is forgotten"),
    "down-subtracted": ("E[i, j] += E[i + 1, j] *", "E[i, j] -= E[i + 1, j] *", "sign", "-= for +="),
    "right-assigned": ("E[i, j] += E[i, j + 1] *", "E[i, j] = E[i, j + 1] *", "missing-term", "= for +="),
    "right-cost": ("- cost[i, j + 1])", "- cost[i, j])", "wrong-point", "the cost of this cell"),
    "right-R": ("(R[i, j + 1] - R[i, j]", "(R[i, j + 1] - R[i, j - 1]", "wrong-point", "another cell of the table"),
    "right-one": ("E[i, j] += E[i, j + 1] *", "E[i, j] += 1.0 *", "missing-factor", "the carried gradient is missing"),
    "diagonal-plus-cost": ("R[i, j] - cost[i + 1, j + 1]", "R[i, j] + cost[i + 1, j + 1]", "sign", "+ for -"),
    "rows-bound": ("range(n, 0, -1)", "range(n, 1, -1)", "missing-term", "the first row is left out", "dD =", "E[i, j] += E[i + 1, j] ", "E[i, j] += E[i, j + 1]", "E[i, j] += E[i + 1, j + 1]"),
    "dD-shifted": ("dD = E[1 : n + 1, 1 : m + 1]", "dD = E[:n, :m]", "wrong-point", "with the border"),
    "dx-abs": ("dx = np.sum(dD * diff, axis=1)", "dx = np.sum(dD * np.abs(diff), axis=1)", "sign wrong-point", "the absolute difference"),
    "dx-square": ("dx = np.sum(dD * diff, axis=1)", "dx = np.sum(dD * D, axis=1)", "wrong-point", "the cost for its derivative"),
    "dx-mean": ("dx = np.sum(dD * diff, axis=1)", "dx = np.mean(dD * diff, axis=1)", "scale wrong-reduction", "mean for sum"),
    "dy-sign": ("dy = -np.sum", "dy = np.sum", "sign", "the minus is missing"),
    "dy-no-alignment": ("dy = -np.sum(dD * diff, axis=0)", "dy = -np.sum(diff, axis=0)", "missing-factor", "the alignment is missing"),
    "dy-axis": ("dy = -np.sum(dD * diff, axis=0)", "dy = -np.sum(dD * diff, axis=1)", "wrong-reduction shape", "the wrong axis"),
}

DOUBLES = [("seed", "dx-abs"), ("right-cost", "dy-sign"), ("down-no-cost", "dx-mean"), ("dx-square", "dy-no-alignment")]
# fmt: on
