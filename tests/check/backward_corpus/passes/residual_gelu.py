"""A residual block with a pre-scale and the tanh form of GELU; the input reaches the result along two paths."""

import numpy as np

C = np.sqrt(2.0 / np.pi)


def forward(x, params):
    u = x * params["g"]
    pre = u @ params["W_in"] + params["b_in"]
    inner = C * (pre + 0.044715 * pre**3)
    t = np.tanh(inner)
    act = 0.5 * pre * (1 + t)
    branch = act @ params["W_out"] + params["b_out"]
    y = x + branch
    return y, {"x": x, "u": u, "pre": pre, "t": t, "act": act}


def backward(dy, saved, params):
    x, u, pre, t, act = saved["x"], saved["u"], saved["pre"], saved["t"], saved["act"]
    grads = {}
    dbranch = dy
    grads["b_out"] = dbranch.sum(axis=0)
    grads["W_out"] = act.T @ dbranch
    dact = dbranch @ params["W_out"].T

    dt = dact * 0.5 * pre
    dinner = dt * (1 - t**2)
    dpre = dact * 0.5 * (1 + t) + dinner * C * (1 + 3 * 0.044715 * pre**2)

    grads["b_in"] = dpre.sum(axis=0)
    grads["W_in"] = u.T @ dpre
    du = dpre @ params["W_in"].T
    grads["g"] = (du * x).sum(axis=0)
    dx = dy + du * params["g"]
    return dx, grads


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    params = {
        "g": rng.normal(size=3),
        "W_in": rng.normal(size=(3, 3)),
        "b_in": rng.normal(size=3),
        "W_out": rng.normal(size=(3, 3)),
        "b_out": rng.normal(size=3),
    }
    return {"x": rng.normal(size=(4, 3)), "params": params}


UPSTREAM = {"dy": 0}
GRADIENTS = {"dx": "x", "grads": "params"}

# ruff: noqa: E501
# fmt: off
MUTANTS = {
    "b_out-mean": ("dbranch.sum(axis=0)", "dbranch.mean(axis=0)", "scale wrong-reduction", "mean for sum"),
    "W_out-transposed": ("act.T @ dbranch", "dbranch.T @ act", "transpose", "the product transposed"),
    "W_out-from-pre": ("act.T @ dbranch", "pre.T @ dbranch", "wrong-point", "before GELU"),
    "dact-untransposed": ('params["W_out"].T', 'params["W_out"]', "transpose", "W_out for its transpose"),
    "dt-no-half": ("dact * 0.5 * pre", "dact * pre", "scale", "the half is missing"),
    "dt-no-pre": ("dact * 0.5 * pre", "dact * 0.5", "missing-factor", "pre is missing"),
    "tanh-power": ("(1 - t**2)", "(1 - t)", "missing-factor wrong-point", "1 - t for 1 - t²"),
    "tanh-at-pre": ("(1 - t**2)", "(1 - pre**2)", "wrong-point", "tanh' at pre"),
    "dpre-one-path": ("dact * 0.5 * (1 + t) + dinner", "dinner", "missing-term", "the direct path is forgotten"),
    "dpre-no-inner": (" + dinner * C * (1 + 3 * 0.044715 * pre**2)", "", "missing-term", "the path through tanh is forgotten"),
    "dpre-three": ("(1 + 3 * 0.044715 * pre**2)", "(1 + 0.044715 * pre**2)", "missing-term scale missing-factor wrong-point", "3 of the cube is missing"),
    "dpre-cube": ("(1 + 3 * 0.044715 * pre**2)", "(1 + 3 * 0.044715 * pre**3)", "extra-factor wrong-point extra-term", "the power is 2"),
    "dpre-no-C": ("dinner * C * (1", "dinner * (1", "scale missing-factor missing-term", "√(2/π) is missing"),
    "W_in-from-x": ("u.T @ dpre", "x.T @ dpre", "wrong-point missing-factor", "x for u"),
    "g-no-x": ("(du * x).sum(axis=0)", "du.sum(axis=0)", "missing-factor", "x is missing"),
    "g-from-u": ("(du * x)", "(du * u)", "wrong-point extra-factor", "u for x"),
    "no-skip": ("dx = dy + du", "dx = du", "missing-term", "the skip connection is forgotten"),
    "skip-twice": ("dx = dy + du", "dx = 2 * dy + du", "double-count extra-term", "the skip connection counts twice"),
    "dx-no-g": ('du * params["g"]', "du", "missing-factor extra-term missing-term", "g is missing in the branch"),
}

DOUBLES = [("W_out-from-pre", "no-skip"), ("dt-no-half", "g-no-x"), ("dact-untransposed", "dx-no-g"), ("dpre-one-path", "W_in-from-x")]
# fmt: on
