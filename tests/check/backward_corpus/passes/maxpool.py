"""2 × 2 max pooling by reshape, the routing mask recomputed in backward, then a dense layer with a log-likelihood."""

import numpy as np


def forward(images, W, bias, onehot):
    n, h, w = images.shape
    windows = images.reshape(n, h // 2, 2, w // 2, 2)
    pooled = windows.max(axis=(2, 4))
    features = pooled.reshape(n, -1)
    scores = np.matmul(features, W) + bias
    exps = np.exp(scores - scores.max(axis=1, keepdims=True))
    soft = exps / exps.sum(axis=1, keepdims=True)
    return -np.mean(np.sum(onehot * np.log(soft), axis=1))


def backward(images, W, onehot, windows, pooled, features, soft):
    n, h, w = images.shape
    dL_dscores = (soft - onehot) / n
    dL_dW = np.matmul(np.transpose(features), dL_dscores)
    dL_dbias = np.sum(dL_dscores, axis=0)
    dL_dfeatures = np.matmul(dL_dscores, np.transpose(W))
    dL_dpooled = dL_dfeatures.reshape(pooled.shape)
    mask = windows == pooled[:, :, None, :, None]
    dL_dwindows = mask * dL_dpooled[:, :, None, :, None]
    dL_dimages = dL_dwindows.reshape(n, h, w)
    return dL_dimages, dL_dW, dL_dbias


def inputs(seed=0):
    rng = np.random.default_rng(seed)
    n, classes = 4, 4
    return {
        "images": rng.normal(size=(n, 4, 4)),
        "W": rng.normal(size=(4, classes)),
        "bias": rng.normal(size=classes),
        "onehot": np.eye(classes)[rng.integers(0, classes, n)],
    }


GRADIENTS = {"dL_dimages": "images", "dL_dW": "W", "dL_dbias": "bias"}

# ruff: noqa: E501
# fmt: off
MUTANTS = {
    "no-n": ("(soft - onehot) / n", "soft - onehot", "scale", "1/n is missing"),
    "by-size": ("(soft - onehot) / n", "(soft - onehot) / soft.size", "scale", "divides by the number of elements"),
    "sign": ("(soft - onehot)", "(onehot - soft)", "sign", "reversed residual"),
    "squared-error": ("(soft - onehot)", "(soft - onehot) * soft * (1 - soft)", "extra-factor", "σ' belongs to another loss"),
    "W-untransposed": ("np.matmul(np.transpose(features), dL_dscores)", "np.matmul(features, dL_dscores)", "transpose", "features untransposed (square)"),
    "bias-axis": ("np.sum(dL_dscores, axis=0)", "np.sum(dL_dscores, axis=1)", "wrong-reduction", "sums over the classes: same shape here"),
    "features-untransposed": ("np.transpose(W)", "W", "transpose", "W untransposed (square)"),
    "no-mask": ("mask * dL_dpooled[:, :, None, :, None]", "np.ones(windows.shape) * dL_dpooled[:, :, None, :, None]", "missing-factor", "every element of a window gets the gradient"),
    "mean-pool": ("mask * dL_dpooled", "0.25 * np.ones(windows.shape) * dL_dpooled", "missing-factor wrong-point", "the gradient of mean pooling"),
    "positive-mask": ("windows == pooled[:, :, None, :, None]", "windows > 0", "wrong-point", "the mask of a ReLU", "dL_dwindows ="),
    "swapped-pool": ("dL_dfeatures.reshape(pooled.shape)", "dL_dfeatures.reshape(pooled.shape).transpose(0, 2, 1)", "transpose", "rows and columns exchanged"),
    "reshaped-early": ("dL_dwindows.reshape(n, h, w)", "dL_dwindows.transpose(0, 1, 3, 2, 4).reshape(n, h, w)", "transpose wrong-point", "the axes of the windows are permuted"),
}

DOUBLES = [("no-n", "no-mask"), ("W-untransposed", "positive-mask"), ("bias-axis", "features-untransposed"), ("squared-error", "swapped-pool")]
# fmt: on
