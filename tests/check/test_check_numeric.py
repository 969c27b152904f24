"""The numeric third opinion: precise at every scale, and it knows how wrong it may be."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd_np.check import numeric

CURVES: dict[str, tuple[Any, Any, Any]] = {  # function, derivative, where it is defined
    "sin": (np.sin, np.cos, lambda x: True),
    "log": (np.log, lambda x: 1 / x, lambda x: x > 0),
    "square": (np.square, lambda x: 2 * x, lambda x: True),
    "cube": (lambda x: x**3, lambda x: 3 * x**2, lambda x: True),
    "sqrt": (np.sqrt, lambda x: 0.5 / np.sqrt(x), lambda x: x > 0),
    "reciprocal": (lambda x: 1 / x, lambda x: -1 / x**2, lambda x: x != 0),
    "sigmoid": (lambda x: 1 / (1 + np.exp(-x)), lambda x: np.exp(-x) / (1 + np.exp(-x)) ** 2, lambda x: abs(x) < 30),
}


@pytest.mark.parametrize("name", CURVES)
@pytest.mark.parametrize("x", [1e9, 12345.6, 1.0, 0.3, 1e-4, 1e-9, -0.7, -1e9])
def test_precise_at_every_scale(name: str, x: float) -> None:
    f, slope, defined = CURVES[name]
    if not defined(x):
        pytest.skip("outside the domain")
    value, error = numeric.derivative(f, x, 1.0)
    true = float(slope(np.float64(x)))
    assert abs(value - true) <= max(error, 1e-15 * abs(true))
    assert error <= 1e-8 * abs(true)


@given(st.sampled_from(sorted(CURVES)), st.floats(-25, 25).filter(lambda x: abs(x) > 1e-8))
def test_the_error_covers_the_deviation(name: str, x: float) -> None:
    f, slope, defined = CURVES[name]
    if not defined(x):
        x = abs(x)
    value, error = numeric.derivative(f, x, 1.0)
    true = float(slope(np.float64(x)))
    assert abs(value - true) <= 4 * error + 4e-16 * abs(true)


@pytest.mark.parametrize(
    ("f", "x"),
    [
        (np.abs, 0.0),
        (lambda x: np.maximum(x, 0), 0.0),
        (lambda x: np.maximum(x, 3.0), 3.0),
        (lambda x: np.abs(np.sin(x) - np.sin(1e3)), 1e3),
        (lambda x: np.sqrt(np.abs(x)), 0.0),
        (np.sqrt, 0.0),
        (lambda x: np.abs(x) + 1e6 * x, 0.0),
    ],
)
def test_a_kink_is_inconclusive(f: Any, x: float) -> None:
    assert math.isinf(numeric.derivative(f, x, 1.0)[1])


@pytest.mark.parametrize(
    ("f", "x", "true"),
    [
        (np.abs, 1e-7, 1.0),
        (np.abs, -1e-3, -1.0),
        (lambda x: np.maximum(3 * x - 3, 0), 1 - 1e-5, 0.0),
        (lambda x: np.maximum(3 * x - 3, 0), 1 + 1e-4, 3.0),
        (lambda x: np.abs(x) ** 3, 0.0, 0.0),
        (lambda x: x**2, 0.0, 0.0),
        (lambda x: np.sin(1e5 * x), 0.3, 1e5 * math.cos(3e4)),
        (lambda x: (x + 1e9) - 1e9, 0.3, 1.0),
        (lambda x: 1 + np.sin(x), 1e-9, 1.0),
        (np.log, 1e-300, 1e300),
        (np.tan, 1.57, 1 + math.tan(1.57) ** 2),
    ],
)
def test_next_to_a_kink_and_in_noise(f: Any, x: float, true: float) -> None:
    value, error = numeric.derivative(f, x, 1.0)
    assert abs(value - true) <= max(error, 1e-15 * abs(true))
    assert error <= max(1e-6 * abs(true), 1e-9)


@pytest.mark.parametrize("x", [30.0, 32.0, 34.0])
def test_lost_digits_are_admitted(x: float) -> None:
    """1 - sigmoid(x) is a multiple of 1e-16: log of it is a staircase, flat for short steps, and its slope is 1 all the same."""
    value, error = numeric.derivative(lambda x: -np.log(1 - 1 / (1 + np.exp(-x))), x, 1.0)
    assert abs(value - 1) <= 4 * error
    assert error > 1e-4


def test_arrays_and_directions(rng: np.random.Generator) -> None:
    x, v = rng.normal(size=(2, 3, 4))
    value, error = numeric.derivative(lambda x: np.tanh(x), x, v)
    assert value.shape == error.shape == (3, 4)
    np.testing.assert_allclose(value, (1 - np.tanh(x) ** 2) * v, rtol=1e-8, atol=1e-11)
    value, error = numeric.derivative(lambda x: np.sum(np.tanh(x)), x, v)
    assert isinstance(value, float)
    assert abs(value - np.sum((1 - np.tanh(x) ** 2) * v)) <= 4 * error < 1e-8
    with pytest.raises(ValueError, match=r"direction of shape \(2,\), expected the shape of the point, \(3, 4\)"):
        numeric.derivative(np.sum, x, np.ones(2))


def test_gradient_by_each_argument(rng: np.random.Generator) -> None:
    W, x, b = rng.normal(size=(3, 4)), rng.normal(size=(4, 5)), rng.normal(size=(3, 1))

    def f(W: Any, x: Any, b: Any) -> Any:
        return np.sum(np.tanh(W @ x + b) ** 2)

    t = np.tanh(W @ x + b)
    g = 2 * t * (1 - t**2)
    for n, true in enumerate((g @ x.T, W.T @ g, g.sum(1, keepdims=True))):
        values, errors = numeric.gradient(f, [W, x, b], n)
        assert values.shape == errors.shape == true.shape
        np.testing.assert_allclose(values, true, rtol=1e-12, atol=1e-13)
        assert np.all(abs(values - true) <= 4 * errors + 1e-14)
    values, errors = numeric.gradient(f, [W, x, b], 0, [(2, 3), (0, 0)])
    np.testing.assert_allclose(values, [(g @ x.T)[2, 3], (g @ x.T)[0, 0]], rtol=1e-12)
    with pytest.raises(ValueError, match="returns a scalar, got 15 elements"):
        numeric.gradient(lambda W, x, b: W @ x + b, [W, x, b], 0)


def test_one_large_output_does_not_drown_a_small_one() -> None:
    found = numeric.elementwise(np.square, [np.array([1e9, 1e-9])], 0, [(0,), (1,)], np.array([1.0, 3.0]))
    np.testing.assert_allclose(found.value, [2e9, 6e-9], rtol=1e-12)
    assert np.all(found.error <= 1e-9 * found.value)


def test_the_complex_step_is_used_where_analytic_and_dropped_where_not() -> None:
    saturated = np.array([-40.0, 1.0])
    smooth = numeric.elementwise(lambda x: 1 + 1e-30 * np.exp(x), [saturated], 0, [(1,)])
    assert smooth.value[0] == pytest.approx(1e-30 * math.e, rel=1e-3) or smooth.error[0] > 1e-20
    analytic = numeric.elementwise(np.exp, [saturated], 0, [(0,), (1,)])
    np.testing.assert_allclose(analytic.value, np.exp(saturated), rtol=3e-16)
    for f in (
        lambda x: np.abs(x) * x,
        lambda x: np.real(x) ** 2,
        lambda x: x * np.conj(x),
        lambda x: np.zeros(2) + np.asarray(x, float) ** 2,
    ):
        found = numeric.elementwise(f, [np.array([-1.5, 2.0])], 0, [(0,), (1,)])
        true = np.array([3.0, 4.0]) if f([-1.5, 2.0])[0] < 0 else np.array([-3.0, 4.0])
        np.testing.assert_allclose(found.value, true, rtol=1e-9)


def test_nothing_of_the_callers_is_changed_and_everything_is_float64() -> None:
    W, x = np.ones((2, 2), "f"), np.array([1, 2])
    seen = set()

    def f(W: Any, x: Any) -> Any:
        seen.add((type(W), W.dtype.kind, x.dtype))
        y = np.sum(W * x * W)
        W *= 0
        x += 1
        return y

    values, _ = numeric.gradient(f, [W, x], 0)
    np.testing.assert_allclose(values, [[2, 4], [2, 4]], rtol=1e-12)
    assert (W == 1).all()
    assert x.tolist() == [1, 2]
    assert {(t, d) for t, _, d in seen} == {(np.ndarray, x.dtype)}


def test_a_function_that_raises_outside_its_domain() -> None:
    value, error = numeric.derivative(lambda x: math.log(float(x)), 1e-9, 1.0)
    assert abs(value - 1e9) <= error < 1
