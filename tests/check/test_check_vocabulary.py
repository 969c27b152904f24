"""Mistakes of whole passes whose change is known, where it was not looked for: counted hinges, axes, orders, loops in brackets."""

from __future__ import annotations

import numpy as np
import pytest

import autograd_np as ag

rng = np.random.default_rng(0)
N, D, C = 6, 4, 3
DATA = {"W": rng.normal(size=(D, C)), "X": rng.normal(size=(N, D)), "y": np.array([0, 2, 1, 1, 0, 2]), "reg": 0.2}


def fixes(forward, backward, inputs):
    report = ag.check_backward(forward, backward, inputs)
    assert report.verdict == "fail"
    return [(f.fix or "").strip() for f in report.findings]


def hinge(W, X, y, reg):
    scores = X @ W
    margins = np.maximum(0, scores - scores[np.arange(len(y)), y][:, None] + 1)
    margins[np.arange(len(y)), y] = 0
    return margins.sum() / len(y) + reg * np.sum(W**2)


def counted_in_whole_numbers(W, X, y, reg):
    scores = X @ W
    margins = np.maximum(0, scores - scores[np.arange(len(y)), y][:, None] + 1)
    margins[np.arange(len(y)), y] = 0
    counts = (margins > 0).astype(int)
    counts[np.arange(len(y)), y] += counts.sum(axis=1)
    return X.T @ counts / len(y) + 2 * reg * W


def copied(W, X, y, reg):
    scores = X @ W
    margins = np.maximum(0, scores - scores[np.arange(len(y)), y][:, None] + 1)
    margins[np.arange(len(y)), y] = 0
    counts = margins.copy()
    counts[np.arange(len(y)), y] -= np.sum(counts, axis=1)
    return X.T @ counts / len(y) + 2 * reg * W


def left_as_it_was(W, X, y, reg):
    scores = X @ W
    margins = np.maximum(0, scores - scores[np.arange(len(y)), y][:, None] + 1)
    margins[np.arange(len(y)), y] = 0
    margins[margins > 0] *= 1
    margins[np.arange(len(y)), y] -= np.sum(margins, axis=1)
    return X.T @ margins / len(y) + 2 * reg * W


def of_the_wrong_axis(W, X, y, reg):
    scores = X @ W
    margins = np.maximum(0, scores - scores[np.arange(len(y)), y][:, None] + 1)
    margins[np.arange(len(y)), y] = 0
    margins[margins > 0] = 1
    counts = margins.sum(axis=0)[y]
    margins[np.arange(len(y)), y] -= counts
    return X.T @ margins / len(y) + 2 * reg * W


@pytest.mark.parametrize(
    ("backward", "fix"),
    [
        (counted_in_whole_numbers, "counts[np.arange(len(y)), y] -= counts.sum(axis=1)"),
        (copied, "counts = (margins > 0).astype(float)"),
        (left_as_it_was, "margins[margins > 0] = 1"),
        (of_the_wrong_axis, "counts = margins.sum(axis=1)"),
    ],
)
def test_a_hinge_that_is_counted_wrongly_is_explained(backward, fix):
    assert fixes(hinge, backward, DATA) == [fix]


def softmax(Z, Y):
    E = np.exp(Z - Z.max(axis=1, keepdims=True))
    P = E / E.sum(axis=1, keepdims=True)
    return np.sum((P - Y) ** 2)


def by_the_diagonal(Z, Y):
    E = np.exp(Z - Z.max(axis=1, keepdims=True))
    P = E / E.sum(axis=1, keepdims=True)
    rows = []
    for p, t in zip(P, Y, strict=True):
        J = np.diag(p) - np.outer(p, p)
        rows.append(2 * (p - t) * np.diag(J))
    return np.array(rows)


def test_the_diagonal_of_a_jacobian_is_not_the_jacobian():
    (fix,) = fixes(softmax, by_the_diagonal, {"Z": rng.normal(size=(5, 3)), "Y": rng.normal(size=(5, 3))})
    assert fix == "rows.append(2 * (p - t) @ J)" or "@ J" in fix


def product(parts):
    out = np.ones_like(parts[0])
    for p in parts:
        out = out * p
    return np.sum(np.tanh(out))


def product_backward(parts):
    whole = parts[0] * parts[1] * parts[2]
    grads = [1 - np.tanh(whole) ** 2] * 3
    for i, p in enumerate(parts):  # noqa: B007
        grads = [g * p for j, g in enumerate(grads)]
    return grads


def test_one_element_that_a_comprehension_should_leave_alone_is_found():
    fix = fixes(product, product_backward, {"parts": [rng.normal(size=(2, 3)) for _ in range(3)]})
    assert fix == ["grads = [g * p if j != i else g for j, g in enumerate(grads)]"]


def flattened(x, W):
    return np.tanh(x.reshape(len(x), -1, order="F") @ W)


def flattened_backward(dout, x, W):
    flat = x.reshape(len(x), -1, order="F")
    dz = dout * (1 - np.tanh(flat @ W) ** 2)
    dW = flat.T @ dz
    dx = (dz @ W.T).reshape(x.shape)
    return dx, dW


def test_a_reshape_in_another_order_than_forwards_is_found():
    inputs = {"x": rng.normal(size=(2, 3, 4)), "W": rng.normal(size=(12, 5))}
    (fix,) = fixes(flattened, flattened_backward, inputs)
    assert fix == "dx = (dz @ W.T).reshape(x.shape, order='F')"


def turned(x, w):
    return w * np.tanh(x.T)


def turned_backward(dout, x, w):
    t = np.tanh(x.T)
    dw = np.sum(dout * t, axis=0)
    dx = (dout * w * (1 - t**2)).reshape(x.shape)
    return dx, dw


def test_a_reshape_that_should_be_a_transpose_is_found():
    (fix,) = fixes(turned, turned_backward, {"x": rng.normal(size=(4, 3)), "w": rng.normal(size=4)})
    assert fix == "dx = (dout * w * (1 - t**2)).T"
