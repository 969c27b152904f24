"""A gated recurrent unit over a sequence, rows are samples, dicts by time step; only the last state is scored."""

import numpy as np


def sig(v):
    return 1.0 / (1.0 + np.exp(-v))


def forward(seq, h_init, Uz, Ur, Uh, Vz, Vr, Vh, target):
    T = len(seq)
    h = {-1: h_init}
    z, r, cand = {}, {}, {}
    for t in range(T):
        z[t] = sig(seq[t] @ Uz + h[t - 1] @ Vz)
        r[t] = sig(seq[t] @ Ur + h[t - 1] @ Vr)
        cand[t] = np.tanh(seq[t] @ Uh + (r[t] * h[t - 1]) @ Vh)
        h[t] = (1 - z[t]) * h[t - 1] + z[t] * cand[t]
    last = h[T - 1]
    cost = np.sum(np.square(last - target))
    return cost


def backward(seq, h, z, r, cand, last, target, Uz, Ur, Uh, Vz, Vr, Vh):
    dUz, dUr, dUh = np.zeros_like(Uz), np.zeros_like(Ur), np.zeros_like(Uh)
    dVz, dVr, dVh = np.zeros_like(Vz), np.zeros_like(Vr), np.zeros_like(Vh)
    dseq = np.zeros_like(seq)
    carry = 2 * (last - target)
    for t in range(len(seq) - 1, -1, -1):
        dcand = carry * z[t]
        dz = carry * (cand[t] - h[t - 1])
        dprev = carry * (1 - z[t])

        da_h = dcand * (1 - cand[t] ** 2)
        drh = da_h @ Vh.T
        dr = drh * h[t - 1]
        dprev += drh * r[t]
        da_z = dz * z[t] * (1 - z[t])
        da_r = dr * r[t] * (1 - r[t])
        dprev += da_z @ Vz.T + da_r @ Vr.T

        dUz += seq[t].T @ da_z
        dUr += seq[t].T @ da_r
        dUh += seq[t].T @ da_h
        dVz += h[t - 1].T @ da_z
        dVr += h[t - 1].T @ da_r
        dVh += (r[t] * h[t - 1]).T @ da_h
        dseq[t] = da_z @ Uz.T + da_r @ Ur.T + da_h @ Uh.T
        carry = dprev
    dh_init = carry
    return dseq, dh_init, dUz, dUr, dUh, dVz, dVr, dVh


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    T, n, d = 3, 2, 2
    weights = {name: rng.normal(size=(d, d)) for name in ("Uz", "Ur", "Uh", "Vz", "Vr", "Vh")}
    return {"seq": rng.normal(size=(T, n, d)), "h_init": rng.normal(size=(n, d)), **weights, "target": rng.normal(size=(n, d))}


GRADIENTS = {"dseq": "seq", "dh_init": "h_init", **{"d" + name: name for name in ("Uz", "Ur", "Uh", "Vz", "Vr", "Vh")}}

# ruff: noqa: E501
# fmt: off
MUTANTS = {
    "seed-no-two": ("carry = 2 * (last - target)", "carry = last - target", "scale", "2 of the square is missing", "dcand ="),
    "seed-sign": ("2 * (last - target)", "2 * (target - last)", "sign", "reversed residual", "dcand ="),
    "cand-one-minus": ("dcand = carry * z[t]", "dcand = carry * (1 - z[t])", "wrong-point", "1 - z for z"),
    "z-reversed": ("(cand[t] - h[t - 1])", "(h[t - 1] - cand[t])", "sign", "reversed difference"),
    "z-one-path": ("carry * (cand[t] - h[t - 1])", "carry * cand[t]", "missing-term", "the old state is forgotten"),
    "z-this-h": ("(cand[t] - h[t - 1])", "(cand[t] - h[t])", "wrong-point", "h of this step"),
    "prev-z": ("dprev = carry * (1 - z[t])", "dprev = carry * z[t]", "wrong-point", "z for 1 - z"),
    "cand-tanh-power": ("(1 - cand[t] ** 2)", "(1 - cand[t])", "missing-factor wrong-point", "1 - c for 1 - c²"),
    "rh-untransposed": ("drh = da_h @ Vh.T", "drh = da_h @ Vh", "transpose", "Vh for Vh.T"),
    "r-this-h": ("dr = drh * h[t - 1]", "dr = drh * h[t]", "wrong-point", "h of this step"),
    "prev-no-reset": ("        dprev += drh * r[t]\n", "", "missing-term", "the path through the reset state is forgotten", "dprev = carry", "dprev += da_z"),
    "prev-reset-no-r": ("dprev += drh * r[t]", "dprev += drh", "missing-factor extra-term", "r is missing"),
    "prev-overwritten": ("dprev += da_z", "dprev = da_z", "missing-term", "= for +="),
    "prev-no-z": ("dprev += da_z @ Vz.T + da_r @ Vr.T", "dprev += da_r @ Vr.T", "missing-term", "the path through z is forgotten"),
    "da_z-no-prime": ("da_z = dz * z[t] * (1 - z[t])", "da_z = dz", "missing-factor", "σ' is missing", "dUz +=", "dVz +=", "dprev += da_z"),
    "da_r-of-z": ("r[t] * (1 - r[t])", "z[t] * (1 - z[t])", "wrong-point", "the derivative of another gate", "dUr +=", "dVr +=", "dprev += da_z"),
    "Ur-from-z": ("dUr += seq[t].T @ da_r", "dUr += seq[t].T @ da_z", "wrong-point", "da_z for da_r"),
    "Vh-no-r": ("(r[t] * h[t - 1]).T @ da_h", "h[t - 1].T @ da_h", "missing-factor", "r is missing"),
    "Vz-this-h": ("h[t - 1].T @ da_z", "h[t].T @ da_z", "wrong-point", "h of this step"),
    "Vr-transposed": ("h[t - 1].T @ da_r", "da_r.T @ h[t - 1]", "transpose", "the product transposed"),
    "seq-no-h": (" + da_h @ Uh.T", "", "missing-term", "the path through the candidate is forgotten"),
    "carry-through": ("carry = dprev", "carry = carry + dprev", "extra-term double-count", "the old carry is kept"),
}

DOUBLES = [("z-reversed", "Vh-no-r"), ("prev-no-reset", "Ur-from-z"), ("Vr-transposed", "seq-no-h"), ("rh-untransposed", "Vz-this-h")]
# fmt: on
