"""A tanh network with inverted dropout by a given mask, L1 and L2 penalties, gradients as a nested dict like the parameters."""

import numpy as np


def predict(params, x, mask, keep):
    hidden = np.tanh(x @ params["hidden"]["w"] + params["hidden"]["b"])
    dropped = hidden * mask / keep
    return hidden, dropped, dropped @ params["output"]["w"] + params["output"]["b"]


def forward(params, x, y, mask, keep, l1, l2):
    hidden, dropped, out = predict(params, x, mask, keep)
    err = out - y
    mse = np.mean(np.square(err))
    penalty = l1 * np.sum(np.abs(params["hidden"]["w"])) + l2 * np.sum(np.square(params["output"]["w"]))
    return mse + penalty


def backward(params, x, mask, keep, l1, l2, hidden, dropped, err):
    g_out = 2 * err / err.size
    g_output_w = dropped.T @ g_out + 2 * l2 * params["output"]["w"]
    g_output_b = g_out.sum(0)
    g_dropped = g_out @ params["output"]["w"].T
    g_hidden = g_dropped * mask / keep
    g_pre = g_hidden * (1 - hidden**2)
    g_hidden_w = x.T @ g_pre
    g_hidden_w += l1 * np.sign(params["hidden"]["w"])
    g_hidden_b = g_pre.sum(0)
    return {"hidden": {"w": g_hidden_w, "b": g_hidden_b}, "output": {"w": g_output_w, "b": g_output_b}}


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    params = {
        "hidden": {"w": rng.normal(size=(5, 5)), "b": rng.normal(size=5)},
        "output": {"w": rng.normal(size=(5, 2)), "b": rng.normal(size=2)},
    }
    return {
        "params": params,
        "x": rng.normal(size=(5, 5)),
        "y": rng.normal(size=(5, 2)),
        "mask": (np.arange(25).reshape(5, 5) % 3 > 0).astype(float),
        "keep": 0.6,
        "l1": 0.1,
        "l2": 0.2,
    }


GRADIENTS = "params"

# ruff: noqa: E501, RUF059
# fmt: off
MUTANTS = {
    "no-two": ("2 * err / err.size", "err / err.size", "scale", "2 of the square is missing"),
    "n-for-size": ("2 * err / err.size", "2 * err / len(err)", "scale wrong-reduction", "the mean is over all elements"),
    "w-from-hidden": ("dropped.T @ g_out", "hidden.T @ g_out", "wrong-point missing-factor", "before dropout"),
    "l2-once": ("2 * l2 * params", "l2 * params", "missing-term scale", "2 of the L2 penalty is missing"),
    "no-l2": (' + 2 * l2 * params["output"]["w"]', "", "missing-term", "the L2 penalty is forgotten"),
    "b-axis": ("g_out.sum(0)", "g_out.sum(0, keepdims=True)", "shape wrong-reduction", "(1, 2) for (2,)"),
    "no-mask": ("g_dropped * mask / keep", "g_dropped / keep", "missing-factor", "the mask is forgotten"),
    "no-keep": ("g_dropped * mask / keep", "g_dropped * mask", "scale missing-factor", "1/keep is missing"),
    "keep-twice": ("g_dropped * mask / keep", "g_dropped * mask / keep**2", "scale extra-factor", "1/keep twice"),
    "tanh-of-dropped": ("(1 - hidden**2)", "(1 - dropped**2)", "wrong-point", "after dropout"),
    "tanh-power": ("(1 - hidden**2)", "(1 - hidden)", "missing-factor wrong-point", "1 - h for 1 - h²"),
    "untransposed": ("x.T @ g_pre", "x @ g_pre", "transpose", "x for x.T (square)"),
    "w-from-g_hidden": ("x.T @ g_pre", "x.T @ g_hidden", "missing-factor wrong-point", "before tanh'"),
    "l1-abs": ('np.sign(params["hidden"]["w"])', 'np.abs(params["hidden"]["w"])', "wrong-point extra-factor", "|w| for sign(w)"),
    "l1-overwrites": ("g_hidden_w += l1", "g_hidden_w = l1", "missing-term", "= for +="),
    "l1-l2-exchanged": ("g_hidden_w += l1 *", "g_hidden_w += l2 *", "wrong-point scale double-count extra-term", "the other coefficient"),
    "bias-of-output": ("g_pre.sum(0)", "g_pre.sum(1)", "wrong-reduction", "sums over the units: same shape here"),
    "hidden-from-dropped": ("(1 - hidden**2)", "(1 - (dropped * keep / mask) ** 2)", "not-finite", "dropout undone: 0/0 where the mask is zero"),
}

DOUBLES = [("n-for-size", "no-mask"), ("no-l2", "untransposed"), ("w-from-hidden", "bias-of-output"), ("l2-once", "tanh-of-dropped")]
# fmt: on
