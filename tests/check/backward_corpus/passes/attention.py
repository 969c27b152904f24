"""Single-head self-attention with softmax, row vectors, `@`; x is used three times."""

import numpy as np


def softmax(s):
    e = np.exp(s - s.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def forward(x, Wq, Wk, Wv, Wo):
    d = Wq.shape[1]
    q = x @ Wq
    k = x @ Wk
    v = x @ Wv
    s = q @ k.T / np.sqrt(d)
    a = softmax(s)
    o = a @ v
    y = o @ Wo
    return y


def backward(dy, x, q, k, v, a, o, Wq, Wk, Wv, Wo):
    d = q.shape[1]
    do = dy @ Wo.T
    dWo = o.T @ dy
    da = do @ v.T
    dv = a.T @ do
    ds = a * (da - (da * a).sum(axis=-1, keepdims=True))
    dq = ds @ k / np.sqrt(d)
    dk = ds.T @ q / np.sqrt(d)
    dWq = x.T @ dq
    dWk = x.T @ dk
    dWv = x.T @ dv
    dx = dq @ Wq.T + dk @ Wk.T + dv @ Wv.T
    return dx, dWq, dWk, dWv, dWo


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    n, d = 4, 4
    return {"x": rng.normal(size=(n, d)), **{w: rng.normal(size=(d, d)) for w in ("Wq", "Wk", "Wv", "Wo")}}


UPSTREAM = {"dy": None}
GRADIENTS = {"dx": "x", "dWq": "Wq", "dWk": "Wk", "dWv": "Wv", "dWo": "Wo"}

# ruff: noqa: E501
# fmt: off
MUTANTS = {
    "do-untransposed": ("do = dy @ Wo.T", "do = dy @ Wo", "transpose", "Wo for Wo.T"),
    "dWo-transposed": ("o.T @ dy", "dy.T @ o", "transpose", "the product transposed"),
    "dWo-from-v": ("o.T @ dy", "v.T @ dy", "wrong-point missing-factor", "v for o"),
    "da-from-k": ("da = do @ v.T", "da = do @ k.T", "wrong-point", "k for v"),
    "dv-untransposed": ("dv = a.T @ do", "dv = a @ do", "transpose", "a for a.T"),
    "ds-no-softmax": ("ds = a * (da - (da * a).sum(axis=-1, keepdims=True))", "ds = da", "missing-factor missing-term wrong-point", "the softmax is not differentiated"),
    "ds-diagonal": ("a * (da - (da * a).sum(axis=-1, keepdims=True))", "a * (1 - a) * da", "missing-term wrong-point", "only the diagonal of the Jacobian"),
    "ds-no-sum": (" - (da * a).sum(axis=-1, keepdims=True)", "", "missing-term", "the sum of the softmax is forgotten"),
    "ds-axis": ("(da * a).sum(axis=-1, keepdims=True)", "(da * a).sum(axis=0, keepdims=True)", "wrong-reduction", "sums down the columns"),
    "ds-sum-of-da": ("(da * a).sum(axis=-1", "da.sum(axis=-1", "missing-factor wrong-point", "a is missing in the sum"),
    "ds-sign": ("(da - (da * a)", "(da + (da * a)", "sign extra-term", "adds the sum"),
    "dq-no-scale": ("dq = ds @ k / np.sqrt(d)", "dq = ds @ k", "scale", "1/√d is missing"),
    "dk-scale-d": ("dk = ds.T @ q / np.sqrt(d)", "dk = ds.T @ q / d", "scale", "1/d for 1/√d"),
    "dk-untransposed": ("dk = ds.T @ q", "dk = ds @ q", "transpose", "ds for ds.T"),
    "dk-from-k": ("dk = ds.T @ q", "dk = ds.T @ k", "wrong-point", "k for q"),
    "dWk-from-dq": ("dWk = x.T @ dk", "dWk = x.T @ dq", "wrong-point", "dq for dk"),
    "dx-no-k": (" + dk @ Wk.T", "", "missing-term", "the contribution through Wk is missing"),
    "dx-v-untransposed": ("dv @ Wv.T", "dv @ Wv", "transpose wrong-point", "Wv for Wv.T in one term"),
    "dx-q-twice": ("dk @ Wk.T", "dq @ Wq.T", "double-count missing-term wrong-point extra-term", "Wq counts twice, Wk not at all"),
    "dx-crossed": ("dq @ Wq.T + dk @ Wk.T", "dq @ Wk.T + dk @ Wq.T", "wrong-point", "Wq and Wk exchanged"),
    "stale-Wk": ("    dx = dq", "    Wk = Wk - 0.01 * dWk\n    dx = dq", "stale-value", "Wk was updated before it is used", "dx = dq"),
}

DOUBLES = [("dWo-transposed", "dx-no-k"), ("dv-untransposed", "dq-no-scale"), ("ds-no-sum", "dk-untransposed"), ("do-untransposed", "dWk-from-dq"), ("ds-axis", "dk-scale-d")]
# fmt: on
