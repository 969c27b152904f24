"""Metrics are right on cases that can be counted by hand, and agree with scikit-learn in every form of prediction."""

from __future__ import annotations

import numpy as np
import pytest

import autograd_np as ag
import nn
from nn import metrics


def test_accuracy_in_every_form():
    scores = np.array([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7]])
    assert metrics.accuracy(scores, np.array([1, 0, 0])) == pytest.approx(2 / 3)
    assert metrics.accuracy(ag.Tensor(scores), [1, 0, 1]) == 1.0
    assert metrics.accuracy(np.array([0.5, 0.49]), np.array([1.0, 1.0])) == 0.5
    assert metrics.accuracy(np.array([3, 1]), np.array([3, 2])) == 0.5
    images = np.zeros((2, 3, 4, 4))
    images[:, 2] = 1
    assert metrics.accuracy(images, np.full((2, 4, 4), 2)) == 1.0


def test_r2_is_that_of_its_formula(rng):
    y, p = rng.normal(size=(2, 30, 2))
    expected = 1 - ((y - p) ** 2).sum(0) / ((y - y.mean(0)) ** 2).sum(0)
    assert metrics.r2(p, y) == pytest.approx(expected.mean())
    assert np.isnan(metrics.r2(np.zeros(3), np.ones(3)))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: metrics.accuracy(np.zeros((3, 2)), np.zeros((3, 1), int)),
            nn.ShapeMismatchError,
            r"\(3, 2\) and a target of shape \(3, 1\)",
        ),
        (lambda: metrics.accuracy(np.zeros(2), np.array([0.0, 0.3])), ValueError, r"the target 0.3, which is no class.*r2"),
        (lambda: metrics.r2(np.zeros(3), np.zeros((3, 1))), nn.ShapeMismatchError, "expected one shape"),
    ],
)
def test_what_does_not_belong_together_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


@pytest.mark.parametrize("name", ["precision", "recall", "f1", "roc_auc", "confusion_matrix"])
def test_without_scikit_learn_the_extra_is_named(monkeypatch, name):
    monkeypatch.setitem(__import__("sys").modules, "sklearn.metrics", None)
    with pytest.raises(nn.MissingExtraError, match=rf"nn\.metrics\.{name} .*autograd-np\[sklearn\]"):
        getattr(metrics, name)(np.array([0.2, 0.7]), np.array([0, 1]))


def test_counted_by_hand():
    pytest.importorskip("sklearn")
    p, y = np.array([0.9, 0.8, 0.7, 0.4, 0.2]), np.array([1, 0, 1, 1, 0])  # predicted: 1 1 1 0 0
    assert metrics.precision(p, y) == pytest.approx(2 / 3)
    assert metrics.recall(p[:, None], y[:, None].astype(float)) == pytest.approx(2 / 3)
    assert metrics.f1(p, y, average="macro") == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert metrics.roc_auc(p, y) == pytest.approx(4 / 6)
    assert metrics.confusion_matrix(p, y).tolist() == [[1, 1], [1, 2]]
    with pytest.raises(ValueError, match="two classes"):
        metrics.roc_auc(p, np.ones(5))


def test_several_classes_are_averaged(rng):
    sk = pytest.importorskip("sklearn.metrics")
    p = rng.dirichlet(np.ones(4), 60)
    y = rng.integers(0, 4, 60)
    y[y == 3] = 0
    y[0] = 3
    for name in ("precision", "recall", "f1"):
        expected = getattr(sk, f"{name}_score")(y, p.argmax(1), average="macro", zero_division=0)
        assert getattr(metrics, name)(p, y) == pytest.approx(expected)
    assert metrics.roc_auc(p, y) == pytest.approx(sk.roc_auc_score(y, p, multi_class="ovr"))
    assert metrics.confusion_matrix(p[:5], y[:5]).shape == (4, 4)


# --- evaluate -------------------------------------------------------------------------------------


class Fixed(nn.Module):
    """Returns its input: what it is given are its outputs."""

    def forward(self, x):
        return x


def test_metrics_get_probabilities_where_the_loss_takes_logits():
    logits, y = np.array([[0.4], [-3.0], [0.2]]), np.array([[1.0], [0.0], [1.0]])
    got = []

    def keeps(prediction, target):
        got.append(prediction)
        return 0.0

    for loss in (nn.BCEWithLogitsLoss(), nn.functional.binary_cross_entropy_with_logits):
        found = nn.evaluate(Fixed(), (logits, y), loss, [keeps, metrics.accuracy], batch_size=2)
        np.testing.assert_allclose(got[-1], 1 / (1 + np.exp(-logits)))
        assert found["accuracy"] == 1.0
        assert found["loss"] == pytest.approx(np.mean(np.log1p(np.exp(-np.abs(logits)))))
    scores, c = np.array([[1.0, 2.0, 0.0]] * 3), np.array([1, 1, 0])
    nn.evaluate(Fixed(), (scores, c), nn.CrossEntropyLoss(), {"kept": keeps})
    np.testing.assert_allclose(got[-1], (np.exp(scores).T / np.exp(scores).sum(1)).T)
    nn.evaluate(Fixed(), (np.log(got[-1]), c), nn.NLLLoss(), {"kept": keeps})
    np.testing.assert_allclose(got[-1], got[-2])
    nn.evaluate(Fixed(), (scores, scores), nn.MSELoss(), {"kept": keeps}, prediction=lambda output: output[:, :1])
    assert np.array_equal(got[-1], scores[:, :1])


@pytest.mark.parametrize(
    ("metrics", "error", "message"),
    [
        (nn.metrics.r2, TypeError, r"pass metrics=\[\.\.\.\]"),
        ([lambda p, t: 0.0, lambda p, t: 1.0], ValueError, "two metrics have the name '<lambda>'"),
    ],
)
def test_metrics_that_would_be_lost_are_refused(metrics, error, message):
    with pytest.raises(error, match=message):
        nn.evaluate(Fixed(), (np.ones(2), np.ones(2)), metrics=metrics)


def test_every_sample_has_the_same_weight(rng):
    x, y = rng.normal(size=(2, 7, 2))
    for size in (1, 3, 7):
        assert nn.evaluate(Fixed(), (x, y), nn.MSELoss(), batch_size=size)["loss"] == pytest.approx(np.mean((x - y) ** 2))


def test_modes_are_put_back_and_errors_are_told():
    model = nn.Sequential(Fixed(), Fixed())
    model[1].eval()
    nn.evaluate(model, (np.ones(2), np.ones(2)), nn.MSELoss())
    assert [m.training for m in model.modules()] == [True, True, False]
    with pytest.raises(ValueError, match="no sample"):
        nn.evaluate(model, (np.ones(0), np.ones(0)), nn.MSELoss())

    class Two(nn.Module):
        def forward(self, x):
            return x, x

    with pytest.raises(TypeError, match="returned a tuple; pass prediction="):
        nn.evaluate(Two(), (np.ones(2), np.ones(2)), metrics=[metrics.r2])
