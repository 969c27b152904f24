"""A bank of causal filters over a series, a leaky output, slices that are shifted against each other."""

import numpy as np

# ruff: noqa: E702
# fmt: off


def forward(u, taps, gain, bias, desired):
    T = len(u)
    M, L = taps.shape
    acc = np.zeros((T, M))
    for l in range(L):  # noqa: E741
        acc[l:] += u[: T - l, None] * taps[:, l]
    pre = acc + bias
    act = np.where(pre > 0, pre, 0.2 * pre)
    y = act @ gain
    e = y - desired
    return 0.5 * np.sum(e * e)


def backward(u, taps, gain, pre, act, e):
    T, (M, L) = len(u), taps.shape
    d_gain = act.T @ e
    d_act = np.outer(e, gain)
    slope = np.where(pre > 0, 1.0, 0.2)
    d_pre = d_act * slope
    d_bias = d_pre.sum(axis=0)
    d_taps = np.zeros((M, L)); d_u = np.zeros(T)
    for l in range(L):  # noqa: E741
        d_taps[:, l] = u[: T - l] @ d_pre[l:]
        d_u[: T - l] += d_pre[l:] @ taps[:, l]
    return d_u, d_taps, d_gain, d_bias


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    return {
        "u": rng.normal(size=8),
        "taps": rng.normal(size=(3, 3)),
        "gain": rng.normal(size=3),
        "bias": rng.normal(size=3),
        "desired": rng.normal(size=8),
    }


GRADIENTS = {"d_u": "u", "d_taps": "taps", "d_gain": "gain", "d_bias": "bias"}

# ruff: noqa: E501
MUTANTS = {
    "gain-pre": ("act.T @ e", "pre.T @ e", "wrong-point", "before the activation"),
    "gain-half": ("act.T @ e", "0.5 * act.T @ e", "scale extra-factor", "a half too much"),
    "act-sign": ("np.outer(e, gain)", "-np.outer(e, gain)", "sign", "minus"),
    "act-raises": ("np.outer(e, gain)", "np.outer(gain, e)", "raises transpose shape", "the outer product transposed"),
    "act-ones": ("np.outer(e, gain)", "np.outer(e, np.ones_like(gain))", "missing-factor", "the gain is missing"),
    "slope-inverted": ("np.where(pre > 0, 1.0, 0.2)", "np.where(pre < 0, 1.0, 0.2)", "wrong-point", "the mask is inverted", "d_pre ="),
    "slope-relu": ("np.where(pre > 0, 1.0, 0.2)", "np.where(pre > 0, 1.0, 0.0)", "wrong-point missing-factor scale missing-term", "ReLU' for leaky ReLU'", "d_pre ="),
    "slope-at-gradient": ("np.where(pre > 0, 1.0, 0.2)", "np.where(d_act > 0, 1.0, 0.2)", "wrong-point", "the sign of the gradient", "d_pre ="),
    "no-slope": ("d_pre = d_act * slope", "d_pre = d_act", "missing-factor", "the slope is missing"),
    "slope-added": ("d_pre = d_act * slope", "d_pre = d_act + slope", "wrong-point missing-factor extra-term", "+ for *"),
    "bias-act": ("d_pre.sum(axis=0)", "d_act.sum(axis=0)", "missing-factor wrong-point", "d_act for d_pre"),
    "bias-mean": ("d_pre.sum(axis=0)", "d_pre.mean(axis=0)", "scale wrong-reduction", "mean for sum"),
    "taps-shift": ("u[: T - l] @ d_pre[l:]", "u[l:] @ d_pre[: T - l]", "wrong-point", "shifted the other way"),
    "taps-no-shift": ("u[: T - l] @ d_pre[l:]", "u @ d_pre", "wrong-point", "not shifted"),
    "taps-index": ("d_taps[:, l] = u", "d_taps[:, L - 1 - l] = u", "wrong-point", "written in reversed order"),
    "taps-row": ("d_taps[:, l] = u", "d_taps[l] = u", "transpose wrong-point", "written to rows (square)"),
    "u-assigned": ("d_u[: T - l] += d_pre", "d_u[: T - l] = d_pre", "missing-term", "= for +="),
    "u-shift": ("d_u[: T - l] += d_pre", "d_u[l:] += d_pre", "wrong-point", "not shifted back"),
    "u-row": ("@ taps[:, l]", "@ taps[l]", "transpose wrong-point", "rows for columns (square)"),
    "u-act": ("+= d_pre[l:] @", "+= d_act[l:] @", "missing-factor wrong-point", "d_act for d_pre"),
    "short": ("for l in range(L):", "for l in range(L - 1):", "missing-term", "the last tap is left out", "d_taps[:, l] =", "d_u[: T - l] +=", "return d_u", "d_taps = np.zeros"),
    "stale-gain": ("    d_act = np.outer", "    gain = gain - 0.1 * d_gain\n    d_act = np.outer", "stale-value", "the gain was updated before it is used", "d_act ="),
}

DOUBLES = [("gain-pre", "taps-shift"), ("act-sign", "u-assigned"), ("no-slope", "gain-half"), ("bias-mean", "taps-row"), ("slope-inverted", "u-row")]
# fmt: on
