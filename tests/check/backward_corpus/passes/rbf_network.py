"""Radial units with widths of their own and a linear read-out; a local derivative is called dphi, gradients have an underline."""

import numpy as np


def radial(x, centre, s):
    diff = x[:, None, :] - centre
    r2 = np.sum(diff * diff, axis=-1)
    return np.exp(-r2 * s**2), diff, r2


def forward(x, centre, s, w, bias, y):
    phi, diff, r2 = radial(x, centre, s)
    out = phi @ w + bias
    residual = out - y
    huber = np.where(np.abs(residual) < 1, 0.5 * residual**2, np.abs(residual) - 0.5)
    return huber.sum() / len(y)


def huber_slope(r):
    slope = r.copy()
    np.clip(slope, -1, 1, out=slope)
    return slope


def backward(x, centre, s, w, phi, diff, r2, residual):
    d_out = huber_slope(residual) / residual.shape[0]
    d_w, d_bias = phi.T @ d_out, d_out.sum(0)
    dphi = -phi
    pull = (d_out @ w.T) * dphi
    d_r2 = pull * s**2
    d_s = np.sum(pull * r2, axis=0) * 2 * s
    d_diff = 2 * d_r2[:, :, None] * diff
    d_x = d_diff.sum(axis=1)
    d_centre = -d_diff.sum(axis=0)
    return {"x": d_x, "centre": d_centre, "s": d_s, "w": d_w, "bias": d_bias}


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    return {
        "x": rng.normal(size=(5, 3)),
        "centre": rng.normal(size=(4, 3)),
        "s": rng.uniform(0.4, 0.9, size=4),
        "w": rng.normal(size=(4, 2)),
        "bias": rng.normal(size=2),
        "y": rng.normal(size=(5, 2)),
    }


GRADIENTS = {name: name for name in ("x", "centre", "s", "w", "bias")}

# ruff: noqa: E501, RUF059
# fmt: off
MUTANTS = {
    "slope-unclipped": ("    np.clip(slope, -1, 1, out=slope)\n", "", "missing-factor wrong-point extra-factor missing-term", "not clipped: the slope of the square", "slope = r.copy()", "return slope", "d_out ="),
    "slope-bounds": ("np.clip(slope, -1, 1, out=slope)", "np.clip(slope, 0, 1, out=slope)", "wrong-point missing-factor sign", "clipped at 0", "slope = r.copy()"),
    "slope-wide": ("np.clip(slope, -1, 1, out=slope)", "np.clip(slope, -0.5, 0.5, out=slope)", "wrong-point scale", "clipped at a half", "slope = r.copy()"),
    "slope-sign": ("return slope", "return -slope", "sign", "minus"),
    "slope-lost": ("np.clip(slope, -1, 1, out=slope)", "np.clip(slope, -1, 1)", "missing-factor wrong-point extra-factor missing-term stale-value", "the clipped array is dropped", "return slope", "slope = r.copy()", "d_out ="),
    "n-outputs": ("residual.shape[0]", "residual.shape[1]", "scale", "the number of outputs"),
    "no-n": (" / residual.shape[0]", "", "scale missing-factor", "1/n is missing"),
    "out-residual": ("huber_slope(residual)", "residual", "missing-factor extra-factor wrong-point", "the slope of the square"),
    "bias-all": ("d_out.sum(0)", "d_out.sum()", "wrong-reduction shape", "sums over everything"),
    "bias-mean": ("d_out.sum(0)", "d_out.mean(0)", "scale wrong-reduction", "mean for sum"),
    "w-r2": ("phi.T @ d_out", "r2.T @ d_out", "wrong-point", "r² for phi"),
    "dphi-sign": ("dphi = -phi", "dphi = phi", "sign", "the minus is missing", "pull ="),
    "dphi-r2": ("dphi = -phi", "dphi = -r2", "wrong-point", "r² for phi", "pull ="),
    "dphi-square": ("dphi = -phi", "dphi = -(phi**2)", "extra-factor wrong-point", "squared", "pull ="),
    "pull-no-dphi": ("(d_out @ w.T) * dphi", "d_out @ w.T", "missing-factor sign", "exp' is missing"),
    "r2-s": ("pull * s**2", "pull * s", "missing-factor wrong-point", "s for s²", "d_diff ="),
    "s-no-two": (" * 2 * s", " * s", "scale missing-factor", "the 2 is missing"),
    "s-no-s": (" * 2 * s", " * 2", "missing-factor", "s is missing"),
    "s-axis": ("np.sum(pull * r2, axis=0)", "np.sum(pull * r2)", "wrong-reduction", "sums over the units too"),
    "diff-no-two": ("d_diff = 2 * d_r2", "d_diff = d_r2", "scale missing-factor", "the 2 is missing"),
    "diff-none": ("d_r2[:, :, None] * diff", "d_r2[:, :, None] * np.sign(diff)", "wrong-point missing-factor", "the sign for the difference"),
    "x-axis": ("d_x = d_diff.sum(axis=1)", "d_x = d_diff.sum(axis=0)", "wrong-reduction shape", "sums over the samples"),
    "centre-sign": ("d_centre = -d_diff", "d_centre = d_diff", "sign", "the minus is missing"),
    "centre-shape": ("d_centre = -d_diff.sum(axis=0)", "d_centre = -d_diff.sum(axis=0, keepdims=True)", "shape wrong-reduction", "(1, 4, 3) for (4, 3)"),
    "raises": ("(d_out @ w.T) * dphi", "(d_out @ w) * dphi", "raises transpose shape", "w for w.T"),
    "stale-w": ("    pull = (d_out", "    w = w - 0.1 * d_w\n    pull = (d_out", "stale-value", "w was updated before it is used", "pull ="),
    "w-ridge": ("phi.T @ d_out, d_out", "phi.T @ d_out + 0.1 * w, d_out", "extra-term", "a ridge that the loss has not"),
    "pull-root": ("d_r2 = pull * s**2", "d_r2 = np.sqrt(pull) * s**2", "not-finite wrong-point", "the root of negative numbers", "d_diff ="),
}

INSIDE = dict.fromkeys(("slope-unclipped", "slope-bounds", "slope-wide", "slope-sign", "slope-lost"), "huber_slope")

DOUBLES = [("slope-sign", "s-no-two"), ("no-n", "dphi-square"), ("w-r2", "centre-sign"), ("pull-no-dphi", "bias-mean"), ("r2-s", "s-no-s"), ("diff-no-two", "bias-all")]
# fmt: on
