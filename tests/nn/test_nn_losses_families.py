"""Every loss against its formula, at every scale, in every transform, and what it refuses; without other libraries."""

from __future__ import annotations

import numpy as np
import pytest

import autograd_np as ag
import nn

F = nn.functional
RNG = np.random.default_rng(0)
X, Y, Z = RNG.normal(size=(3, 5, 4))
P = RNG.uniform(0.1, 0.9, size=(5, 4))
SIGNS, PAIRS = np.where(RNG.normal(size=(5, 4)) > 0, 1.0, -1.0), np.array([1.0, -1, -1, 1, 1])
NUMBERS, WEIGHT = np.array([0, 3, 1, 1, 2]), np.array([0.5, 2.0, 1.0, 0.25])


def log_softmax(x):
    return x - np.log(np.exp(x).sum(1, keepdims=True))


def cos(a, b):
    return (a * b).sum(1) / np.sqrt((a * a).sum(1) * (b * b).sum(1))


def dist(a, b, p=2):
    return (np.abs(a - b + 1e-6) ** p).sum(1) ** (1 / p)


def margin(x, y, p):
    return np.array([sum(max(0, 1 - row[k] + row[j]) ** p for j in range(4) if j != k) / 4 for row, k in zip(x, y, strict=True)])


OWN = -log_softmax(X)[range(5), NUMBERS]
FORMULAS = [
    (nn.MSELoss, {}, (X, Y), (X - Y) ** 2),
    (nn.L1Loss, {}, (X, Y), np.abs(X - Y)),
    (nn.HuberLoss, {"delta": 0.5}, (X, Y), np.where(np.abs(X - Y) < 0.5, (X - Y) ** 2 / 2, 0.5 * (np.abs(X - Y) - 0.25))),
    (nn.SmoothL1Loss, {"beta": 0.5}, (X, Y), np.where(np.abs(X - Y) < 0.5, (X - Y) ** 2, np.abs(X - Y) - 0.25)),
    (nn.BCELoss, {"weight": WEIGHT}, (P, P[::-1]), -WEIGHT * (P[::-1] * np.log(P) + (1 - P[::-1]) * np.log(1 - P))),
    (nn.BCEWithLogitsLoss, {"pos_weight": WEIGHT}, (X, P), WEIGHT * P * np.log(1 + np.exp(-X)) + (1 - P) * np.log(1 + np.exp(X))),
    (nn.CrossEntropyLoss, {}, (X, NUMBERS), OWN),
    (nn.CrossEntropyLoss, {"label_smoothing": 0.4}, (X, NUMBERS), 0.6 * OWN - 0.1 * log_softmax(X).sum(1)),
    (nn.CrossEntropyLoss, {"weight": WEIGHT}, (X, P), -(WEIGHT * P * log_softmax(X)).sum(1)),
    (nn.NLLLoss, {}, (X, NUMBERS), -X[range(5), NUMBERS]),
    (nn.KLDivLoss, {}, (X, P), P * (np.log(P) - X)),
    (nn.KLDivLoss, {"log_target": True}, (X, Y), np.exp(Y) * (Y - X)),
    (nn.PoissonNLLLoss, {}, (X, P), np.exp(X) - P * X),
    (nn.PoissonNLLLoss, {"log_input": False}, (P, 3 * P), P - 3 * P * np.log(P + 1e-8)),
    (nn.GaussianNLLLoss, {"full": True}, (X, Y, P), 0.5 * (np.log(2 * np.pi * P) + (X - Y) ** 2 / P)),
    (nn.CosineEmbeddingLoss, {"margin": 0.2}, (X, Y, PAIRS), np.where(PAIRS > 0, 1 - cos(X, Y), np.maximum(0, cos(X, Y) - 0.2))),
    (nn.HingeEmbeddingLoss, {"margin": 0.4}, (P, SIGNS), np.where(SIGNS > 0, P, np.maximum(0, 0.4 - P))),
    (nn.MarginRankingLoss, {"margin": 0.3}, (X, Y, SIGNS), np.maximum(0, 0.3 - SIGNS * (X - Y))),
    (nn.SoftMarginLoss, {}, (X, SIGNS), np.log(1 + np.exp(-SIGNS * X))),
    (nn.MultiMarginLoss, {"p": 2, "weight": WEIGHT}, (X, NUMBERS), WEIGHT[NUMBERS] * margin(X, NUMBERS, 2)),
    (nn.TripletMarginLoss, {"p": 3.0}, (X, Y, Z), np.maximum(0, 1 + dist(X, Y, 3) - dist(X, Z, 3))),
    (nn.TripletMarginLoss, {"swap": True}, (X, Y, Z), np.maximum(0, 1 + dist(X, Y) - np.minimum(dist(X, Z), dist(Y, Z)))),
]
ALL = pytest.mark.parametrize(("loss", "options", "args", "expected"), FORMULAS, ids=lambda x: getattr(x, "__name__", ""))


@ALL
def test_the_formula(loss, options, args, expected):
    np.testing.assert_allclose(loss(**options, reduction="none")(*args), expected, rtol=1e-12)
    np.testing.assert_allclose(loss(**options, reduction="sum")(*args), expected.sum(), rtol=1e-12)
    np.testing.assert_allclose(loss(**options)(*args), expected.mean(), rtol=1e-12)


@ALL
def test_gradients_are_those_of_differences(loss, options, args, expected):
    made = loss(**options)
    ag.check_gradients(lambda *xs: made(*xs, *args[len(xs) :]), *args[:-1])


@ALL
def test_every_transform(loss, options, args, expected):
    made = loss(**options, reduction="sum")
    x, rest = args[0], args[1:]
    gradient = ag.grad(lambda x: made(x, *rest))(x)
    v = np.linspace(-1, 1, x.size).reshape(x.shape)
    _, slope = ag.jvp(lambda x: made(x, *rest), (x,), (v,))
    np.testing.assert_allclose(slope, np.sum(gradient * v), rtol=1e-10)
    one = ag.vmap(lambda *row: ag.grad(lambda x: made(x, *row[1:]))(row[0]))(*args)
    np.testing.assert_allclose(one, gradient, rtol=1e-10, atol=1e-15)
    hessian = ag.hessian(lambda x: made(x, *rest))(x)
    rows = ag.jacobian(ag.grad(lambda x: made(x, *rest)))(x)
    np.testing.assert_allclose(hessian, rows, rtol=1e-8, atol=1e-12)
    again = ag.grad(ag.checkpoint(lambda x: made(x, *rest)))(x)
    np.testing.assert_allclose(again, gradient, rtol=1e-14)


@ALL
def test_float32_stays(loss, options, args, expected):
    cast = [a.astype(np.float32) if a.dtype.kind == "f" else a for a in args]
    for reduction in ("none", "sum", "mean"):
        x = ag.Tensor(cast[0], requires_grad=True)
        found = loss(**options, reduction=reduction)(x, *cast[1:])
        assert found.dtype == np.float32
        np.sum(found).backward()
        assert x.grad.dtype == np.float32


FAR = np.array([[-1e4, -1e3, -50.0, -1e-4], [1e4, 1e3, 50.0, 1e-4], [1e4, -1e4, 0.0, 30.0]], np.float32)
LABELS = np.array([0, 3, 1])


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("loss", "target"),
    [
        (nn.MSELoss(), 0 * FAR),
        (nn.L1Loss(), FAR[::-1]),
        (nn.HuberLoss(), FAR[::-1]),
        (nn.SmoothL1Loss(beta=1e-3), FAR[::-1]),
        (nn.BCEWithLogitsLoss(pos_weight=[1e3]), (FAR > 0).astype(int)),
        (nn.BCEWithLogitsLoss(), (FAR < 0).astype(int)),
        (nn.CrossEntropyLoss(label_smoothing=0.1), LABELS),
        (nn.CrossEntropyLoss(weight=[1, 2, 3, 4], ignore_index=3), LABELS),
        (nn.MultiMarginLoss(p=2), LABELS),
        (nn.SoftMarginLoss(), np.where(FAR > 0, 1, -1)),
        (nn.HingeEmbeddingLoss(), np.where(FAR > 0, 1, -1)),
        (lambda x, t: nn.KLDivLoss(reduction="batchmean")(F.log_softmax(x, dim=1), t), np.eye(3, 4)),
        (lambda x, t: nn.NLLLoss()(F.log_softmax(x, dim=1), t), LABELS),
        (lambda x, t: nn.GaussianNLLLoss()(x, t, np.full((3, 1), 1e-12)), 0 * FAR),
        (lambda x, t: nn.CosineEmbeddingLoss()(x, x[::-1] * 1e-12, t), np.array([1, -1, 1])),
        (lambda x, t: nn.TripletMarginLoss(p=4)(x * 1e20, t, x * 5e19), FAR),
        (lambda x, t: np.sum(F.normalize(x * 1e25)), None),
        (lambda x, t: np.sum(F.cosine_similarity(x * 1e25, x[::-1] * 1e-25)), None),
    ],
)
def test_values_and_gradients_are_finite_at_every_scale(loss, target, sign):
    x = ag.Tensor(sign * FAR, requires_grad=True)
    found = loss(x, target)
    found.backward()
    assert found.dtype == np.float32
    assert np.isfinite(found.item())
    assert np.all(np.isfinite(x.grad))
    assert np.any(x.grad != 0) or found.item() == 0


def test_ignored_samples_have_no_part_in_anything():
    x = ag.Tensor(np.where(NUMBERS[:, None] == 1, np.nan, X), requires_grad=True)
    found = nn.CrossEntropyLoss(weight=WEIGHT, ignore_index=1)(x, NUMBERS)
    kept = NUMBERS != 1
    np.testing.assert_allclose(found.item(), np.average(OWN[kept], weights=WEIGHT[NUMBERS[kept]]))
    unnamed = nn.NLLLoss(ignore_index=-1)(X, np.array([0, -1, 1, -1, 2]))
    np.testing.assert_allclose(unnamed, -(X[0, 0] + X[2, 1] + X[4, 2]) / 3)


def test_ignoring_goes_through_vmap():
    loss = nn.CrossEntropyLoss(weight=WEIGHT, ignore_index=1, reduction="sum", label_smoothing=0.1)
    whole = nn.CrossEntropyLoss(weight=WEIGHT, ignore_index=1, reduction="none", label_smoothing=0.1)(X, NUMBERS)
    np.testing.assert_allclose(ag.vmap(loss)(X, NUMBERS), whole)


def test_the_kinks_have_the_slopes_of_pytorch():
    for loss, x, slope in [
        (lambda x: nn.L1Loss()(x, [1.0]), 1.0, 0.0),
        (lambda x: nn.HuberLoss()(x, [0.0]), 1.0, 1.0),
        (lambda x: nn.HingeEmbeddingLoss()(x, [-1]), 1.0, -1.0),
        (lambda x: nn.MarginRankingLoss()(x, np.array([2.0]), [1]), 2.0, -1.0),
        (lambda x: nn.MultiMarginLoss()(np.array([1.0, 0.0]) * x, np.array(0)), 1.0, 0.0),
    ]:
        np.testing.assert_array_equal(ag.grad(loss)(np.array([x])), [slope])


def test_a_variance_below_the_least_still_has_a_gradient():
    value, gradient = ag.value_and_grad(lambda v: nn.GaussianNLLLoss(eps=0.5)([[1.0]], [[0.0]], v))(np.array([[0.0]]))
    np.testing.assert_allclose(value, 0.5 * (np.log(0.5) + 2))
    np.testing.assert_allclose(gradient, [[0.5 * (2 - 4)]])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: nn.HuberLoss(delta=0.0)(X, Y), ValueError, "delta > 0"),
        (lambda: nn.SmoothL1Loss(beta=-1.0)(X, Y), ValueError, "beta"),
        (lambda: nn.L1Loss()(X, Y[:, :1]), nn.ShapeMismatchError, "would broadcast"),
        (lambda: nn.CrossEntropyLoss("sum"), TypeError, "reduction='sum'"),
        (lambda: F.cross_entropy(X, NUMBERS, "sum"), TypeError, "reduction='sum'"),
        (lambda: nn.CrossEntropyLoss(weight=[1.0, 2.0, -1.0, 1.0])(X, NUMBERS), ValueError, "at least 0"),
        (lambda: nn.CrossEntropyLoss(weight=[1.0, 2.0])(X, NUMBERS), nn.ShapeMismatchError, "4 classes needs as many weights"),
        (lambda: nn.CrossEntropyLoss(label_smoothing=2.0)(X, NUMBERS), ValueError, "label_smoothing=2.0"),
        (lambda: nn.CrossEntropyLoss(ignore_index=2)(X, P), ValueError, "ignore_index=2 is a class number"),
        (lambda: nn.CrossEntropyLoss()(X, np.array([0, 1, 2, 3, -1])), ValueError, r"0 \.\.\. 3, got -1"),
        (lambda: nn.NLLLoss(ignore_index=9)(X, np.array([0, 1, 2, 3, 4])), ValueError, r"0 \.\.\. 3, got 0 \.\.\. 4"),
        (lambda: nn.BCELoss(weight=np.ones(3))(P, P), nn.ShapeMismatchError, r"weight of shape \(3,\)"),
        (lambda: nn.KLDivLoss()(X, X), ValueError, "negative probability"),
        (lambda: nn.KLDivLoss(reduction="median"), ValueError, "'batchmean'"),
        (lambda: nn.GaussianNLLLoss()(X, Y, -P), ValueError, "negative variance"),
        (lambda: nn.GaussianNLLLoss()(X, Y, P[:2]), nn.ShapeMismatchError, r"variances of shape \(2, 4\)"),
        (lambda: nn.GaussianNLLLoss(eps=0.0)(X, Y, P), ValueError, "eps > 0"),
        (lambda: nn.SoftMarginLoss()(X, (X > 0).astype(int)), ValueError, r"labels 1 and -1, got 0\.0; of labels 0 and 1"),
        (lambda: nn.CosineEmbeddingLoss()(X, Y, np.zeros(5)), ValueError, "labels 1 and -1"),
        (lambda: nn.CosineEmbeddingLoss()(X, Y, np.array(1)), nn.ShapeMismatchError, "a label for each pair"),
        (lambda: nn.CosineEmbeddingLoss()(X, Y[:2], PAIRS), nn.ShapeMismatchError, r"input2 of shape \(2, 4\)"),
        (lambda: nn.TripletMarginLoss()(X, Y, Z[:2]), nn.ShapeMismatchError, r"negative of shape \(2, 4\)"),
        (lambda: nn.MultiMarginLoss(p=3)(X, NUMBERS), ValueError, "p to be 1 or 2"),
        (lambda: nn.MultiMarginLoss()(np.zeros((2, 3, 4)), NUMBERS), nn.ShapeMismatchError, "scores of shape"),
    ],
)
def test_what_does_not_fit_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
