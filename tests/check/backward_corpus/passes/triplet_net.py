"""A shared embedding of anchor, positive and negative with a margin loss; the three branches add up in one gradient."""

import numpy as np


def embed(x, W, b):
    return np.tanh(x @ W + b)


def forward(anchor, positive, negative, W, b, margin=0.5):
    ea = embed(anchor, W, b)
    ep = embed(positive, W, b)
    en = embed(negative, W, b)
    d_pos = np.sum((ea - ep) ** 2, axis=1)
    d_neg = np.sum((ea - en) ** 2, axis=1)
    violation = d_pos - d_neg + margin
    hinge = np.maximum(violation, 0)
    return hinge.mean()


def embed_backward(x, e, delta, grads):
    raw = delta * (1 - e**2)
    grads["W"] += x.T @ raw
    grads["b"] += raw.sum(axis=0)


def backward(anchor, positive, negative, W, b, ea, ep, en, violation):
    grads = {"W": np.zeros_like(W), "b": np.zeros_like(b)}
    active = (violation > 0).astype(float)[:, None] / len(violation)
    delta_a = 2 * active * (en - ep)
    delta_p = -2 * active * (ea - ep)
    delta_n = 2 * active * (ea - en)
    embed_backward(anchor, ea, delta_a, grads)
    embed_backward(positive, ep, delta_p, grads)
    embed_backward(negative, en, delta_n, grads)
    return grads


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    return {
        "anchor": rng.normal(size=(6, 3)),
        "positive": rng.normal(size=(6, 3)),
        "negative": rng.normal(size=(6, 3)),
        "W": rng.normal(size=(3, 3)),
        "b": rng.normal(size=3),
    }


GRADIENTS = {"W": "W", "b": "b"}

# ruff: noqa: E501
# fmt: off
MUTANTS = {
    "no-mean": ("[:, None] / len(violation)", "[:, None]", "scale missing-factor", "1/n is missing"),
    "mask-inverted": ("(violation > 0)", "(violation < 0)", "wrong-point", "the mask is inverted"),
    "no-mask": ("(violation > 0).astype(float)[:, None]", "np.ones_like(violation)[:, None]", "missing-factor wrong-point", "inactive triplets count"),
    "weighted": ("(violation > 0).astype(float)[:, None]", "np.maximum(violation, 0)[:, None]", "wrong-point extra-factor", "the hinge for its derivative"),
    "a-reversed": ("active * (en - ep)", "active * (ep - en)", "sign", "the difference is reversed"),
    "a-no-two": ("delta_a = 2 * active", "delta_a = active", "scale missing-factor", "the 2 is missing"),
    "a-positive-only": ("active * (en - ep)", "active * (ea - ep)", "missing-term wrong-point", "the negative is forgotten"),
    "p-sign": ("delta_p = -2 * active", "delta_p = 2 * active", "sign", "the minus is missing"),
    "p-from-n": ("-2 * active * (ea - ep)", "-2 * active * (ea - en)", "wrong-point", "en for ep"),
    "n-sign": ("delta_n = 2 * active", "delta_n = -2 * active", "sign", "minus"),
    "n-no-mask": ("delta_n = 2 * active", "delta_n = 2 / len(violation)", "missing-factor", "inactive triplets count"),
    "branch-forgotten": ("    embed_backward(negative, en, delta_n, grads)\n", "", "missing-term", "the branch of the negative is forgotten", "return grads", "embed_backward(positive", "delta_n ="),
    "branch-twice": ("embed_backward(positive, ep, delta_p, grads)", "embed_backward(anchor, ep, delta_p, grads)", "wrong-point", "the input of another branch"),
    "branch-delta": ("embed_backward(negative, en, delta_n, grads)", "embed_backward(negative, en, delta_p, grads)", "wrong-point", "the delta of another branch"),
    "no-tanh": ("raw = delta * (1 - e**2)", "raw = delta", "missing-factor", "tanh' is missing"),
    "tanh-power": ("(1 - e**2)", "(1 - e)", "wrong-point missing-factor", "1 - e for 1 - e²"),
    "W-assigned": ("grads[\"W\"] += x.T @ raw", "grads[\"W\"] = x.T @ raw", "missing-term", "= for +=: only the last branch counts"),
    "W-transposed": ("x.T @ raw", "raw.T @ x", "transpose", "the product transposed (square)"),
    "b-delta": ("raw.sum(axis=0)", "delta.sum(axis=0)", "missing-factor wrong-point", "delta for raw"),
    "b-assigned": ("grads[\"b\"] += raw", "grads[\"b\"] = raw", "missing-term", "= for +="),
}

INSIDE = dict.fromkeys(("no-tanh", "tanh-power", "W-assigned", "W-transposed", "b-delta", "b-assigned"), "embed_backward")

DOUBLES = [("no-mean", "W-transposed"), ("a-reversed", "n-sign"), ("p-sign", "no-tanh"), ("a-no-two", "b-assigned"), ("p-from-n", "W-assigned")]
# fmt: on
