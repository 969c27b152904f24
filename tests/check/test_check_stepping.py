"""A layer that returns one gradient and steps along the others, and an upstream gradient with one element that is not zero."""

from __future__ import annotations

import numpy as np
import pytest

import autograd_np as ag
from autograd_np.draws import draw, resized

rng = np.random.default_rng(2)


class Classifier:
    """A softmax of a linear layer, whose backward pass knows that one class alone has a gradient."""

    def __init__(self):
        self.weights, self.biases = rng.normal(size=(3, 4)), rng.normal(size=4)

    def forward(self, x):
        self.x = x
        self.totals = x @ self.weights + self.biases
        e = np.exp(self.totals)
        return e / np.sum(e)

    def backprop(self, d_out, learn_rate):
        for i, gradient in enumerate(d_out):
            if gradient == 0:
                continue
            e = np.exp(self.totals)
            S = np.sum(e)
            d_t = -e[i] * e / S**2
            d_t[i] = e[i] * (S - e[i]) / S**2
            d_totals = gradient * d_t
            d_x = self.weights @ d_totals
            self.weights -= learn_rate * np.outer(self.x, d_totals)
            self.biases -= learn_rate * d_totals
            return d_x
        return None

    def wrong_biases(self, d_out, learn_rate):
        d_totals = self.of(d_out)
        d_x = self.weights @ d_totals
        self.weights -= learn_rate * np.outer(self.x, d_totals)
        self.biases -= learn_rate * d_totals * 2
        return d_x

    def of(self, d_out):
        p = np.exp(self.totals) / np.sum(np.exp(self.totals))
        return p * (d_out - np.sum(d_out * p))


UPSTREAM = np.array([0.0, 0.0, -1.7, 0.0])


def test_what_is_given_with_one_element_that_is_not_zero_has_one_at_every_point():
    layer = Classifier()
    report = ag.check_backward(layer.forward, layer.backprop, {"x": rng.normal(size=3), "d_out": UPSTREAM, "learn_rate": 0.01})
    assert report.ok
    assert set(report.gradients) == {"x", "weights", "biases"}


def test_what_a_layer_steps_along_is_judged_beside_what_it_returns():
    layer = Classifier()
    given = {"x": rng.normal(size=3), "d_out": rng.normal(size=4), "learn_rate": 0.01}
    report = ag.check_backward(layer.forward, layer.wrong_biases, given)
    (finding,) = report.findings
    assert finding.fix.strip() == "self.biases -= learn_rate * d_totals"
    assert report.gradients["weights"].ok


@pytest.mark.parametrize("shape", [(4,), (5, 4), (2, 3, 4)])
def test_draws_keep_one_element_a_row(shape):
    x = np.zeros(shape)
    x[..., 1] = rng.normal(size=shape[:-1])
    again = draw(x, np.random.default_rng(0))
    assert np.all(np.count_nonzero(again, axis=-1) == 1)
    assert not np.array_equal(again, x)
    larger = resized({"x": x}, {((("x",), x.ndim - 1),): 11}, np.random.default_rng(0))["x"]
    assert larger.shape[-1] == 11
    assert np.all(np.count_nonzero(larger, axis=-1) == 1)
