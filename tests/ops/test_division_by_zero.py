"""Dividing by Python's 0 is infinite, as it is in NumPy, and no error of Python's: of values, gradients and second derivatives."""

from __future__ import annotations

import numpy as np
import pytest

import autograd_np as ag

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


@pytest.mark.parametrize("zero", [0, 0.0, np.float64(0), np.zeros(3)], ids=["int", "float", "NumPy's", "array"])
def test_the_gradient_of_a_quotient_by_zero_is_infinite(zero: object) -> None:
    x = np.array([1.0, -2.0, 3.0])
    np.testing.assert_array_equal(ag.grad(lambda x: np.sum(x / zero))(x), [np.inf] * 3)
    np.testing.assert_array_equal(ag.grad(lambda x: np.sum(np.true_divide(-x, zero)))(x), [-np.inf] * 3)


def test_second_derivatives_of_a_mean_over_nothing() -> None:
    nothing = np.zeros(0)
    inner = ag.grad(lambda y: np.mean(y**2))
    assert ag.grad(lambda x: np.sum(inner(x)))(nothing).shape == (0,)
    assert ag.hessian(lambda x: np.mean(x**2))(nothing).shape == (0, 0)


def test_second_derivatives_of_a_quotient_by_zero() -> None:
    x = np.ones(3)
    np.testing.assert_array_equal(ag.grad(lambda x: np.sum(ag.grad(lambda y: np.sum(y / 0))(x)))(x), np.zeros(3))
    assert not np.any(np.isfinite(ag.grad(lambda x: np.sum(ag.grad(lambda y: np.sum(y**2 / 0))(x)))(x)))


def test_the_printed_pass_divides_by_zero_as_numpy_does() -> None:
    source = ag.derive(lambda x: np.sum(x / 0.0), np.ones(3)).to_numpy()
    assert "def backward" in source
