"""A loss of cosine similarities between two sets of vectors, normalised by rows, with a learned temperature."""

import numpy as np


def normalise(a):
    length = np.sqrt((a * a).sum(axis=1, keepdims=True))
    return a / length, length


def normalise_grad(g, unit, length):
    along = (g * unit).sum(axis=1, keepdims=True)
    return (g - along * unit) / length


def forward(U, V, labels, log_temp):
    u, lu = normalise(U)
    v, lv = normalise(V)
    temp = np.exp(log_temp)
    cos = u @ v.T
    logits = cos * temp
    logits = logits - logits.max(axis=1, keepdims=True)
    P = np.exp(logits)
    P = P / P.sum(axis=1, keepdims=True)
    nce = -np.log(P[np.arange(len(U)), labels]).mean()
    return nce, (u, lu, v, lv, temp, cos, P)


def backward(labels, cache):
    u, lu, v, lv, temp, cos, P = cache
    B = len(labels)
    onehot = np.zeros_like(P)
    onehot[np.arange(B), labels] = 1
    g_logits = (P - onehot) / B
    g_temp = np.sum(g_logits * cos)
    g_cos = g_logits * temp
    g_u, g_v = g_cos @ v, g_cos.T @ u
    return {"U": normalise_grad(g_u, u, lu), "V": normalise_grad(g_v, v, lv), "log_temp": g_temp * temp}


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    return {"U": rng.normal(size=(4, 3)), "V": rng.normal(size=(4, 3)), "labels": np.array([2, 0, 1, 2]), "log_temp": 0.7}


GRADIENTS = {"U": "U", "V": "V", "log_temp": "log_temp"}

# ruff: noqa: E501
# fmt: off
MUTANTS = {
    "reversed": ("(P - onehot) / B", "(onehot - P) / B", "sign", "reversed"),
    "no-B": ("(P - onehot) / B", "(P - onehot)", "scale missing-factor", "1/B is missing"),
    "no-onehot": ("(P - onehot) / B", "P / B", "missing-term", "the target is forgotten"),
    "onehot-transposed": ("onehot[np.arange(B), labels] = 1", "onehot[labels, np.arange(B)] = 1", "transpose wrong-point", "row and column exchanged", "g_logits ="),
    "onehot-diagonal": ("onehot[np.arange(B), labels] = 1", "onehot[np.arange(B), np.arange(B)] = 1", "wrong-point", "the diagonal for the labels", "g_logits ="),
    "temp-no-cos": ("np.sum(g_logits * cos)", "np.sum(np.abs(g_logits))", "wrong-point missing-factor", "cos is missing"),
    "temp-mean": ("np.sum(g_logits * cos)", "np.mean(g_logits * cos)", "scale wrong-reduction", "mean for sum"),
    "temp-no-exp": ("g_temp * temp}", "g_temp}", "missing-factor scale", "exp' is missing"),
    "temp-divided": ("g_temp * temp}", "g_temp / temp}", "wrong-point scale", "divided for multiplied"),
    "cos-no-temp": ("g_cos = g_logits * temp", "g_cos = g_logits", "missing-factor scale", "the temperature is missing"),
    "cos-divided": ("g_cos = g_logits * temp", "g_cos = g_logits / temp", "wrong-point scale", "divided for multiplied"),
    "u-u": ("g_cos @ v, g_cos.T @ u", "g_cos @ u, g_cos.T @ u", "wrong-point", "u for v"),
    "v-untransposed": ("g_cos.T @ u", "g_cos @ u", "transpose", "not transposed (square)"),
    "lengths-exchanged": ("normalise_grad(g_u, u, lu)", "normalise_grad(g_u, u, lv)", "wrong-point", "the lengths of the other set"),
    "V-from-u": ("normalise_grad(g_v, v, lv)", "normalise_grad(g_u, v, lv)", "wrong-point", "g_u for g_v"),
    "no-projection": ("(g - along * unit) / length", "g / length", "missing-term", "the length is taken for a constant"),
    "projection-sign": ("(g - along * unit) / length", "(g + along * unit) / length", "sign", "+ for -"),
    "no-length": ("(g - along * unit) / length", "g - along * unit", "missing-factor extra-factor", "1/length is missing"),
    "along-axis": ("(g * unit).sum(axis=1, keepdims=True)", "(g * unit).sum(axis=0, keepdims=True)", "wrong-reduction", "sums over the samples", "return (g"),
    "along-all": ("(g * unit).sum(axis=1, keepdims=True)", "(g * unit).sum()", "wrong-reduction", "sums over everything", "return (g"),
    "not-finite": ("/ length", "/ (length - length)", "not-finite wrong-point scale missing-factor extra-factor", "division by zero"),
}

INSIDE = dict.fromkeys(("no-projection", "projection-sign", "no-length", "along-axis", "along-all", "not-finite"), "normalise_grad")

DOUBLES = [("reversed", "no-length"), ("no-B", "u-u"), ("temp-mean", "v-untransposed"), ("cos-no-temp", "along-axis"), ("no-onehot", "projection-sign")]
# fmt: on
