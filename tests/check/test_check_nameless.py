"""Results without names, in a tuple: what nothing but a shape pairs is not judged, and what stands in its place is."""

from __future__ import annotations

import numpy as np
import pytest

import autograd_np as ag

rng = np.random.default_rng(4)
GIVEN = {"x": rng.normal(size=(4, 4)), "w": rng.normal(size=(4, 4)), "y": rng.normal(size=(4, 4))}


def forward(x, w, y):
    h = np.tanh(x @ w)
    return np.mean((h - y) ** 2)


def with_an_error(x, w, y, h):
    e = 2 * (h - y) / y.size
    return x.T @ (e * (1 - h**2)), np.abs(h - y)


def with_an_intermediate(x, w, y, h):
    e = 2 * (h - y) / y.size
    return x.T @ (e * (1 - h**2)), e


def with_a_norm(x, w, y, h):
    e = 2 * (h - y) / y.size * (1 - h**2)
    return e @ w.T, x.T @ e, np.abs(x.T @ e)


@pytest.mark.parametrize("backward", [with_an_error, with_an_intermediate, with_a_norm])
def test_what_only_a_shape_pairs_with_a_sample_or_a_label_is_not_judged(backward):
    report = ag.check_backward(forward, backward, GIVEN)
    assert report.ok
    assert len(report.unjudged) == 1
    assert "not judged" in report.headline()


def in_the_place_of_the_samples(x, w, y, h):
    e = 2 * (h - y) / y.size * (1 - h**2)
    return e @ w, x.T @ e


def two_layers(x, w1, w2, y):
    h = np.tanh(x @ w1)
    p = h @ w2
    return np.mean((p - y) ** 2)


def in_reverse(x, w1, w2, y, h, p):
    e = 2 * (p - y) / y.size
    return h.T @ e, x.T @ (e @ w2.T * (1 - h))


def test_what_stands_in_its_place_or_belongs_to_a_parameter_is_judged():
    (finding,) = ag.check_backward(forward, in_the_place_of_the_samples, GIVEN).findings
    assert finding.fix.strip() == "return e @ w.T, x.T @ e"
    layers = {"x": GIVEN["x"], "w1": GIVEN["w"], "w2": rng.normal(size=(4, 4)), "y": GIVEN["y"]}
    (finding,) = ag.check_backward(two_layers, in_reverse, layers).findings
    assert finding.fix.strip() == "return h.T @ e, x.T @ (e @ w2.T * (1 - h**2))"
