"""Gradients that are shaped, or called, only almost like their variables are judged all the same."""

from __future__ import annotations

import numpy as np
import pytest

import autograd_np as ag

RNG = np.random.default_rng(0)


def _affine(x, w, b):
    out = x @ w + b
    return out, (x, w)


def _rowwise(dout, cache):
    x, w = cache
    db = np.sum(dout, axis=0)
    return dout @ w.T, x.T @ dout, db


def test_a_gradient_that_lacks_a_leading_axis_of_length_one_is_right_and_that_is_said():
    inputs = {"x": RNG.normal(size=(4, 3)), "w": RNG.normal(size=(3, 5)), "b": RNG.normal(size=(1, 5))}
    report = ag.check_backward(_affine, _rowwise, inputs)
    assert report.ok, report
    assert report.gradients["b"].ok
    assert any("`db` lacks an axis of length one that `b` has" in line for line in report.readings)


def test_a_gradient_that_would_spread_over_its_variable_is_wrong():
    def forward(w, x, b):
        out = w @ x + b
        return out, (w, x)

    def backward(dout, cache):
        w, x = cache
        return dout @ x.T, w.T @ dout, np.sum(dout, axis=1)

    inputs = {"w": RNG.normal(size=(3, 2)), "x": RNG.normal(size=(2, 5)), "b": RNG.normal(size=(3, 1))}
    report = ag.check_backward(forward, backward, inputs)
    assert not report.ok
    assert [f.kind for f in report.findings] == ["shape"]


def test_a_wrong_gradient_that_lacks_an_axis_is_wrong_for_its_numbers():
    def backward(dout, cache):
        x, w = cache
        db = np.mean(dout, axis=0)
        return dout @ w.T, x.T @ dout, db

    inputs = {"x": RNG.normal(size=(4, 3)), "w": RNG.normal(size=(3, 5)), "b": RNG.normal(size=(1, 5))}
    report = ag.check_backward(_affine, backward, inputs)
    assert [(f.variable, f.fix.strip()) for f in report.findings] == [("db", "db = np.sum(dout, axis=0)")]


def _kl(y, t_mean, t_log_var):
    return np.sum(y * t_mean) - 0.5 * np.sum(1 + t_log_var - t_mean**2 - np.exp(t_log_var))


@pytest.mark.parametrize("factor", [0.5, 1.0])
def test_a_gradient_whose_name_is_the_end_of_an_arguments_name_is_its_gradient(factor):
    def grad(y, t_mean, t_log_var):
        dLogVar = -factor * (1 - np.exp(t_log_var))
        dMean = y + t_mean
        return dLogVar, dMean

    inputs = {"y": RNG.normal(size=(4, 2)), "t_mean": RNG.normal(size=(4, 2)), "t_log_var": RNG.normal(size=(4, 2))}
    report = ag.check_backward(_kl, grad, inputs)
    assert report.gradients.keys() == {"t_mean", "t_log_var"}
    assert report.ok == (factor == 0.5)
