"""Causal multi-head attention with einsum, gradients named W_grad, results in a dict; a squared loss in forward."""

import numpy as np


def forward(x, w_qkv, w_out, mask, y):
    b, t, c = x.shape
    n_head = 2
    qkv = np.einsum("btc,ckhd->kbhtd", x, w_qkv)
    q, k, v = qkv[0], qkv[1], qkv[2]
    scale = q.shape[-1] ** -0.5
    logits = scale * np.einsum("bhtd,bhsd->bhts", q, k) + mask
    logits = logits - np.max(logits, axis=-1, keepdims=True)
    weights = np.exp(logits)
    att = weights / np.sum(weights, axis=-1, keepdims=True)
    ctx = np.einsum("bhts,bhsd->bthd", att, v)
    pred = np.einsum("bthd,hdc->btc", ctx, w_out)
    diff = pred - y
    return np.sum(diff * diff) / (b * t * n_head)


def backward(x, w_qkv, w_out, q, k, v, att, ctx, diff):
    b, t, _ = x.shape
    h = q.shape[1]
    scale = q.shape[-1] ** -0.5

    pred_grad = 2.0 * diff / (b * t * h)
    w_out_grad = np.einsum("bthd,btc->hdc", ctx, pred_grad)
    ctx_grad = np.einsum("btc,hdc->bthd", pred_grad, w_out)
    att_grad = np.einsum("bthd,bhsd->bhts", ctx_grad, v)
    v_grad = np.einsum("bhts,bthd->bhsd", att, ctx_grad)
    logits_grad = att * (att_grad - np.einsum("bhts,bhts->bht", att, att_grad)[..., None])
    q_grad = scale * np.einsum("bhts,bhsd->bhtd", logits_grad, k)
    k_grad = scale * np.einsum("bhts,bhtd->bhsd", logits_grad, q)
    qkv_grad = np.stack([q_grad, k_grad, v_grad])
    w_qkv_grad = np.einsum("btc,kbhtd->ckhd", x, qkv_grad)
    x_grad = np.einsum("kbhtd,ckhd->btc", qkv_grad, w_qkv)
    return {"x": x_grad, "w_qkv": w_qkv_grad, "w_out": w_out_grad}


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    b, t, h, d = 2, 3, 2, 2
    c = h * d
    return {
        "x": rng.normal(size=(b, t, c)),
        "w_qkv": rng.normal(size=(c, 3, h, d)),
        "w_out": rng.normal(size=(h, d, c)),
        "mask": np.triu(np.full((t, t), -1e9), 1),
        "y": rng.normal(size=(b, t, c)),
    }


GRADIENTS = {"x": "x", "w_qkv": "w_qkv", "w_out": "w_out"}

# ruff: noqa: E501, RUF059
# fmt: off
MUTANTS = {
    "no-two": ("2.0 * diff", "diff", "scale", "2 of the square is missing"),
    "no-heads": ("(b * t * h)", "(b * t)", "scale", "1/h is missing"),
    "diff-squared": ("2.0 * diff /", "2.0 * diff**2 /", "extra-factor wrong-point", "the square is kept"),
    "w_out-from-v": ('"bthd,btc->hdc", ctx,', '"bhtd,btc->hdc", v,', "wrong-point missing-factor", "v for the context"),
    "v-untransposed": ('"bhts,bthd->bhsd", att', '"bhst,bthd->bhsd", att', "transpose", "the attention matrix untransposed"),
    "softmax-sum-axis": ('"bhts,bhts->bht", att, att_grad)[..., None]', '"bhts,bhts->bhs", att, att_grad)[..., None, :]', "wrong-reduction", "sums over the queries"),
    "softmax-no-sum": (' - np.einsum("bhts,bhts->bht", att, att_grad)[..., None]', "", "missing-term", "the sum of the softmax is forgotten"),
    "softmax-no-factor": ("att * (att_grad -", "(att_grad -", "missing-factor", "the attention weight is missing"),
    "q-no-scale": ("q_grad = scale * np", "q_grad = np", "scale missing-factor", "1/√d is missing"),
    "k-scale-inverse": ("k_grad = scale * np", "k_grad = np", "scale missing-factor", "1/√d is missing"),
    "k-transposed": ('"bhts,bhtd->bhsd", logits_grad, q', '"bhst,bhtd->bhsd", logits_grad, q', "transpose", "logits_grad untransposed"),
    "stack-order": ("[q_grad, k_grad, v_grad]", "[k_grad, q_grad, v_grad]", "wrong-point", "q and k exchanged"),
    "v-forgotten": ("[q_grad, k_grad, v_grad]", "[q_grad, k_grad, 0 * v_grad]", "missing-term missing-factor", "the values are forgotten"),
    "x-first-only": ('np.einsum("kbhtd,ckhd->btc", qkv_grad, w_qkv)', 'np.einsum("kbhtd,ckhd->btc", qkv_grad[:2], w_qkv[:, :2])', "missing-term", "the values are left out of x"),
}

DOUBLES = [("v-untransposed", "q-no-scale"), ("w_out-from-v", "x-first-only"), ("no-heads", "softmax-no-sum")]
# fmt: on
