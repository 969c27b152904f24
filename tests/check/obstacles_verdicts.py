"""The verdict is never wrong: what rounding, saturation and the point itself could hide."""

# ruff: noqa: F841  what people leave unused they leave unused

from __future__ import annotations

import numpy as np
from obstacles import Cases
from obstacles_nets import bce, net, two_layer

__all__ = ["CASES"]

rng = np.random.default_rng(0)
N = rng.normal
CASES = Cases()
case = CASES.add

# --- the verdict -----------------------------------------------------------------------------------


def softmax_loss(W, X, y):
    Z = X @ W
    Z = Z - Z.max(axis=1, keepdims=True)
    P = np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True)
    return -np.mean(np.log(P[np.arange(len(y)), y]))


def softmax_wrong(W, X, y, P):
    dZ = P.copy()
    dZ[np.arange(len(y)), y] += 1
    dW = X.T @ dZ / len(y)
    return dW


def softmax_right(W, X, y, P):
    dZ = P.copy()
    dZ[np.arange(len(y)), y] -= 1
    dW = X.T @ dZ / len(y)
    return dW


for size in (4, 30, 200):
    wide = {"W": N(size=(size, 10)), "X": N(size=(50, size)), "y": rng.integers(0, 10, 50)}
    case(f"saturated softmax of {size} features, wrong", softmax_loss, softmax_wrong, wide, "fail", at="+= 1")
    case(f"saturated softmax of {size} features, right", softmax_loss, softmax_right, wide, "pass")
    case(f"saturated softmax of {size} features, wrong, no draws", softmax_loss, softmax_wrong, wide, "fail", draws=0)


def bce_scale(X, Y, A):
    dZ = A - Y
    dW = 20 * np.dot(dZ, X.T)
    return dW


for spread in (1.0, 8.0, 100.0):
    case(
        f"sigmoid and BCE, X of spread {spread:g}, a factor wrong",
        bce,
        bce_scale,
        {"W": N(size=(1, 3)), "X": spread * N(size=(3, 40)), "Y": rng.integers(0, 2, (1, 40)) + 0.0},
        "fail",
        at="20 *",
    )


def forgets_b2(W2, X, Y, A1, A2):
    m = X.shape[1]
    dZ2 = A2 - Y
    dW2 = dZ2 @ A1.T / m
    db2 = dZ2.sum(axis=1, keepdims=True) / m
    dZ1 = W2.T @ dZ2 * (1 - A1**2)
    dW1 = dZ1 @ X.T / m
    db1 = dZ1.sum(axis=1, keepdims=True) / m
    return {"dW1": dW1, "db1": db1, "dW2": dW2}


case(
    "db2 is computed and not returned",
    two_layer,
    forgets_b2,
    net,
    "fail",
    says=r"b2.*not returned|not returned.*b2|returns? no gradient (of|for) `?b2",
)


def m_is_wrong(W2, X, Y, A1, A2):
    m = X.shape[0]
    dZ2 = A2 - Y
    dW2 = dZ2 @ A1.T / m
    db2 = dZ2.sum(axis=1, keepdims=True) / m
    dZ1 = W2.T @ dZ2 * (1 - A1**2)
    dW1 = dZ1 @ X.T / m
    db1 = dZ1.sum(axis=1, keepdims=True) / m
    return dW1, db1, dW2, db2


case("m is the number of features", two_layer, m_is_wrong, net, "fail", at="m = X.shape[0]", says=r"X\.shape\[1\]")


def mask_inverted(W, V, X, h):
    dout = 2 * (V @ h)
    dV = dout @ h.T
    dh = V.T @ dout
    dh[h > 0] = 0
    dW = dh @ X.T
    return dW, dV


def relu_net(W, V, X):
    h = np.maximum(0, W @ X)
    return np.sum((V @ h) ** 2)


case(
    "the mask is inverted",
    relu_net,
    mask_inverted,
    {"W": N(size=(4, 3)), "V": N(size=(2, 4)), "X": N(size=(3, 5))},
    "fail",
    at="dh[h > 0] = 0",
)


def ridge(W, X, T, lam):
    return np.sum((W @ X - T) ** 2) + 0.5 * lam * np.sum(W**2)


def ridge_forgets(W, X, T, lam):
    dW = 2 * (W @ X - T) @ X.T
    return dW


case(
    "the regulariser is forgotten",
    ridge,
    ridge_forgets,
    {"W": N(size=(2, 3)), "X": N(size=(3, 6)), "T": N(size=(2, 6)), "lam": 0.1},
    "fail",
    kinds={"missing-term"},
    says=r"lam \* W",
)
