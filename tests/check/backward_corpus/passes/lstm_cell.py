"""One step of an LSTM: four gates in one product, sliced; two upstream gradients."""

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def forward(x, prev_h, prev_c, Wx, Wh, b):
    H = prev_h.shape[1]
    a = x.dot(Wx) + prev_h.dot(Wh) + b
    i = sigmoid(a[:, :H])
    f = sigmoid(a[:, H : 2 * H])
    o = sigmoid(a[:, 2 * H : 3 * H])
    g = np.tanh(a[:, 3 * H :])
    next_c = f * prev_c + i * g
    tc = np.tanh(next_c)
    next_h = o * tc
    cache = (x, prev_h, prev_c, Wx, Wh, i, f, o, g, tc)
    return next_h, next_c, cache


def backward(dnext_h, dnext_c, cache):
    x, prev_h, prev_c, Wx, Wh, i, f, o, g, tc = cache
    do = dnext_h * tc
    dc = dnext_c + dnext_h * o * (1 - tc**2)
    df = dc * prev_c
    dprev_c = dc * f
    di = dc * g
    dg = dc * i

    dai = di * i * (1 - i)
    daf = df * f * (1 - f)
    dao = do * o * (1 - o)
    dag = dg * (1 - g**2)
    da = np.hstack((dai, daf, dao, dag))

    dx = da.dot(Wx.T)
    dprev_h = da.dot(Wh.T)
    dWx = x.T.dot(da)
    dWh = prev_h.T.dot(da)
    db = da.sum(axis=0)
    return dx, dprev_h, dprev_c, dWx, dWh, db


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    N, D, H = 3, 2, 2
    return {
        "x": rng.normal(size=(N, D)),
        "prev_h": rng.normal(size=(N, H)),
        "prev_c": rng.normal(size=(N, H)),
        "Wx": rng.normal(size=(D, 4 * H)),
        "Wh": rng.normal(size=(H, 4 * H)),
        "b": rng.normal(size=4 * H),
    }


UPSTREAM = {"dnext_h": 0, "dnext_c": 1}
NAMES = {"dc": "next_c"}
GRADIENTS = {"dx": "x", "dprev_h": "prev_h", "dprev_c": "prev_c", "dWx": "Wx", "dWh": "Wh", "db": "b"}

# ruff: noqa: E501
# fmt: off
MUTANTS = {
    "do-from-c": ("do = dnext_h * tc", "do = dnext_h * prev_c", "wrong-point", "prev_c for tanh(c)"),
    "dc-no-upstream": ("dc = dnext_c + dnext_h * o", "dc = dnext_h * o", "missing-term", "the upstream gradient of the cell is forgotten"),
    "dc-no-o": ("dnext_h * o * (1 - tc**2)", "dnext_h * (1 - tc**2)", "missing-factor missing-term extra-term", "the output gate is missing"),
    "dc-no-tanh-prime": ("dnext_h * o * (1 - tc**2)", "dnext_h * o", "missing-factor missing-term extra-term", "tanh' is missing"),
    "dc-power": ("(1 - tc**2)", "(1 - tc)", "missing-factor wrong-point", "1 - tanh for 1 - tanh²"),
    "dc-minus": ("dnext_c + dnext_h * o", "dnext_c - dnext_h * o", "sign extra-term", "the contribution of h is subtracted"),
    "df-next-c": ("df = dc * prev_c", "df = dc * tc", "wrong-point", "tanh(c) for prev_c"),
    "dprev_c-i": ("dprev_c = dc * f", "dprev_c = dc * i", "wrong-point", "the input gate for the forget gate"),
    "dprev_c-upstream": ("dprev_c = dc * f", "dprev_c = dnext_c * f", "missing-term wrong-point", "dnext_c for dc"),
    "di-i": ("di = dc * g", "di = dc * i", "wrong-point", "i for g"),
    "dg-f": ("dg = dc * i", "dg = dc * f", "wrong-point", "f for i"),
    "dai-no-one-minus": ("dai = di * i * (1 - i)", "dai = di * i", "missing-factor", "1 - i is missing"),
    "daf-of-i": ("daf = df * f * (1 - f)", "daf = df * i * (1 - i)", "wrong-point", "the derivative of another gate"),
    "dao-tanh": ("dao = do * o * (1 - o)", "dao = do * (1 - o**2)", "wrong-point missing-factor extra-factor", "tanh' for σ'"),
    "dag-sigmoid": ("dag = dg * (1 - g**2)", "dag = dg * g * (1 - g)", "wrong-point missing-factor extra-factor", "σ' for tanh'"),
    "gates-permuted": ("(dai, daf, dao, dag)", "(dai, dao, daf, dag)", "wrong-point", "f and o exchanged"),
    "g-first": ("(dai, daf, dao, dag)", "(dag, dai, daf, dao)", "wrong-point", "the order of another textbook"),
    "dWh-from-x": ("dWh = prev_h.T.dot(da)", "dWh = x.T.dot(da)", "wrong-point", "x for prev_h, same shape"),
    "dx-through-Wh": ("dx = da.dot(Wx.T)", "dx = da.dot(Wh.T)", "wrong-point", "Wh for Wx, same shape"),
    "db-axis": ("da.sum(axis=0)", "da.sum(axis=0, keepdims=True)", "shape wrong-reduction", "(1, 4H) for (4H,)"),
}

DOUBLES = [("dc-no-upstream", "dWh-from-x"), ("dai-no-one-minus", "dprev_c-i"), ("do-from-c", "db-axis"), ("dag-sigmoid", "dx-through-Wh"), ("df-next-c", "dg-f")]
# fmt: on
