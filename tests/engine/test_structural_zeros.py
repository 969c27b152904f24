"""0 * inf: zero wins where a selection left something out, and nowhere else; in both modes and at every order."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import autograd_np as ag

SINGULAR = {  # functions that are finite at 0 and have an infinite slope there
    "sqrt": np.sqrt, "cbrt": np.cbrt, "power": lambda x: x**0.5, "float_power": lambda x: np.float_power(x, 0.5),
    "arccosh": lambda x: np.arccosh(1 + x), "arcsin": lambda x: np.arcsin(1 - x), "arccos": lambda x: np.arccos(1 - x),
}  # fmt: skip
CUTS = {  # two values -> one that holds nothing of the first
    "where": lambda a, b: np.where(np.array(False), a, b),
    "select": lambda a, b: np.select([np.array(False), np.array(True)], [a, b]),
    "maximum": lambda a, b: np.maximum(a, b + 5),
    "minimum": lambda a, b: np.minimum(a + 2, b + 1),
    "fmax": lambda a, b: np.fmax(a, b + 5),
    "fmin": lambda a, b: np.fmin(a + 2, b + 1),
    "clip": lambda a, b: np.clip(a, 5.0, 6.0) + b,
    "relu": lambda a, b: ag.relu(a - 3) + b,
    "mask": lambda a, b: a * np.array(False) + b,
    "float mask": lambda a, b: a * 0.0 + b,
    "own mask": lambda a, b: a * (b > 5) + b,
    "index": lambda a, b: np.stack([a, b])[1],
    "fancy index": lambda a, b: np.stack([a, b])[np.array([1, 1])].sum() / 2,
    "boolean index": lambda a, b: np.stack([a, b])[np.array([False, True])][0],
    "take": lambda a, b: np.take(np.stack([a, b]), 1),
    "take_along_axis": lambda a, b: np.take_along_axis(np.stack([a, b]), np.array([1]), 0)[0],
    "compress": lambda a, b: np.compress([False, True], np.stack([a, b]))[0],
    "max": lambda a, b: np.max(np.stack([a, b + 5])),
    "min": lambda a, b: np.min(np.stack([a + 3, b])),
    "sort": lambda a, b: np.sort(np.stack([a + 3, b]))[0],
    "sum where": lambda a, b: np.sum(np.stack([a, b]), where=np.array([False, True])),
    "mean where": lambda a, b: np.mean(np.stack([a, b]), where=np.array([False, True])),
    "prod where": lambda a, b: np.prod(np.stack([a, b]), where=np.array([False, True])),
    "dot": lambda a, b: np.dot(np.array([0.0, 1.0]), np.stack([a, b])),
    "matmul": lambda a, b: (np.array([[0.0, 1.0]]) @ np.stack([a, b]))[0],
    "einsum": lambda a, b: np.einsum("i,i->", np.array([0.0, 1.0]), np.stack([a, b])),
    "tensordot": lambda a, b: np.tensordot(np.array([0.0, 1.0]), np.stack([a, b]), axes=1),
    "split": lambda a, b: np.split(np.stack([a, b]), 2)[1][0],
    "delete": lambda a, b: np.delete(np.stack([a, b]), 0)[0],
    "tril": lambda a, b: np.sum(np.tril(np.reshape(np.stack([b, a, b, b]), (2, 2)))) / 3,
    "diag": lambda a, b: np.trace(np.reshape(np.stack([b, a, a, b]), (2, 2))) / 2,
    "nan_to_num": lambda a, b: np.where(np.isnan(a), a, b),
    "written over": lambda a, b: _overwritten(a, b),
    "softmax of the rest": lambda a, b: np.sum(ag.softmax(np.reshape(np.stack([a, a, b, 2 * b]), (2, 2)), axis=-1)[1] * np.arange(2)),
    "norm of the rest": lambda a, b: np.linalg.norm(np.reshape(np.stack([a, a, b + 1, b]), (2, 2)), axis=1)[1],
}


def _overwritten(a: Any, b: Any) -> Any:
    y = np.stack([a, b])
    y[0] = 0.0
    return np.sum(y)


def derivatives(f: Any, x: float) -> dict[str, float]:
    """Return the first and second derivatives in every combination of modes."""

    def forward(g: Any) -> Any:
        return lambda z: ag.jvp(g, (z,), (1.0,))[1]

    with np.errstate(all="ignore"):
        first = {"reverse": ag.grad(f)(x), "forward": forward(f)(x), "jacobian": ag.jacobian(f)(x)}
        second = {f"{a} over {b}": A(B(f))(x) for (a, A), (b, B) in itertools.product((("grad", ag.grad), ("jvp", forward)), repeat=2)}
        found = {**first, **second, "hessian": ag.hessian(f)(x)}
    return {k: float(v) for k, v in found.items()}


@pytest.mark.parametrize("cut", CUTS)
def test_zero_wins_where_something_was_left_out(cut: str) -> None:
    """The derivatives are those of the branch taken, as if the other were not there."""
    for name, singular in SINGULAR.items():

        def f(x: Any, singular: Any = singular) -> Any:
            return CUTS[cut](singular(x), np.sin(x) + x * x)

        without = derivatives(lambda x: CUTS[cut](np.sin(3 * x), np.sin(x) + x * x), 0.0)
        found = derivatives(f, 0.0)
        for way, value in found.items():
            np.testing.assert_allclose(value, without[way], rtol=1e-10, atol=1e-12, err_msg=f"{way} of {cut} of {name}")


VALUES = {  # the derivative at 0 is the comment's; a zero slope met an infinite one on the way
    "sqrt(x)**2": lambda x: np.sqrt(x) ** 2,  # 1
    "square(sqrt(x))": lambda x: np.square(np.sqrt(x)),  # 1
    "sqrt(x)*sqrt(x)": lambda x: np.sqrt(x) * np.sqrt(x),  # 1
    "exp(log x)": lambda x: np.exp(np.log(x)),  # 1
    "sqrt(x*x)": lambda x: np.sqrt(x * x),  # a kink
    "sqrt(x**2)": lambda x: np.sqrt(x**2),
    "cbrt(x)**3": lambda x: np.cbrt(x) ** 3,  # 1
    "norm of roots": lambda x: np.linalg.norm(np.stack([np.sqrt(x), np.sqrt(x)])),  # infinite
    "hypot of roots": lambda x: np.hypot(np.sqrt(x), np.sqrt(x)),  # infinite
    "abs of a root": lambda x: np.abs(np.sqrt(x)),  # infinite
    "cos of a root": lambda x: np.cos(np.sqrt(x)),  # -1/2
    "root of a sum of squares": lambda x: np.sqrt(np.sum(np.stack([x, x]) ** 2)),
    "prod of roots": lambda x: np.prod(np.stack([np.sqrt(x), np.sqrt(x)])),  # 1
    "dot of roots": lambda x: np.dot(np.stack([np.sqrt(x)]), np.stack([np.sqrt(x)])),  # 1
    "var of roots": lambda x: np.var(np.stack([np.sqrt(x), -np.sqrt(x)])),  # 1
    "times a sign": lambda x: np.sqrt(x) * np.sign(x),  # infinite
    "sinc of a root": lambda x: np.sinc(np.sqrt(x)),
    "1/(1/x)": lambda x: 1 / (1 / x),  # 1
    "power of zero": lambda x: np.sqrt(x) ** 2.0,
    "branch taken": lambda x: np.where(x >= 0, np.sqrt(x) ** 2, 0.0),
    "sum with others": lambda x: np.sum(np.stack([np.sqrt(x) ** 2, x])),
}


@pytest.mark.parametrize("name", VALUES)
def test_a_zero_that_is_a_value_hides_no_infinity(name: str) -> None:
    for way, value in derivatives(VALUES[name], 0.0).items():
        assert not np.isfinite(value), f"{way} of {name} is {value}"


def test_one_element_of_many() -> None:
    """The careful sweep leaves every other element as it was."""
    x = np.array([4.0, 0.0, 9.0, 0.0])
    mask = np.array([True, False, True, True])

    def f(x: Any) -> Any:
        return np.sum(np.where(mask, np.sqrt(x), 0.0) * np.arange(4)) + np.sum(np.sqrt(x[2:3]) ** 2)

    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(ag.grad(f)(x), [0.0, 0.0, 2 / 6 + 1, np.inf])
        np.testing.assert_array_equal(ag.jacobian(lambda x: np.where(mask, np.sqrt(x), 0.0))(x)[1], [0, 0, 0, 0])
        whole = ag.jacobian(np.sqrt)(x)
        np.testing.assert_array_equal(whole, np.diag([0.25, np.inf, 1 / 6, np.inf]))
        rows = [ag.vjp(np.sqrt, x)[1](e)[0] for e in np.eye(4)]
        np.testing.assert_array_equal(rows, whole)
        columns = [ag.jvp(np.sqrt, (x,), (e,))[1] for e in np.eye(4)]
        np.testing.assert_array_equal(np.transpose(columns), whole)


def test_broadcast_masks_and_sums_over_them() -> None:
    x = np.array([[0.0], [4.0]])
    keep = np.array([[False, False, False], [True, False, True]])
    with np.errstate(all="ignore"):
        for f in (
            lambda x: np.sum(np.sqrt(x) * keep),
            lambda x: np.sum(np.where(keep, np.sqrt(x), 7.0)),
            lambda x: np.sum(np.sqrt(x) * keep.astype(float)),
        ):
            np.testing.assert_allclose(ag.grad(f)(x), [[0.0], [0.5]])
            np.testing.assert_allclose(ag.jvp(f, (x,), (np.ones_like(x),))[1], 0.5)


def test_a_matrix_of_constants_leaves_out_what_it_multiplies_by_zero() -> None:
    """Inside a sum of products the terms that count are told from those that do not."""
    weights = np.array([[0.0, 2.0], [0.0, 3.0]])
    x = np.array([0.0, 4.0])
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(ag.jacobian(lambda x: weights @ np.sqrt(x))(x), [[0.0, 0.5], [0.0, 0.75]])
        np.testing.assert_allclose(ag.grad(lambda x: np.sum(weights @ np.sqrt(x)))(x), [0.0, 1.25])
        np.testing.assert_array_equal(ag.grad(lambda x: np.sum((weights + np.eye(2)) @ np.sqrt(x)))(x), [np.inf, 1.5])
        np.testing.assert_allclose(ag.hessian(lambda x: np.sum(weights @ np.sqrt(x)))(x), [[0, 0], [0, -5 / 32]], atol=1e-15)


def test_a_loss_over_a_masked_power_has_its_hessian() -> None:
    """Only the second derivative is infinite, behind a cotangent that depends on x and is structurally zero."""
    x, y = np.array([4.0, 0.0]), np.array([1.0, 2.0])
    with np.errstate(all="ignore"):
        h = ag.hessian(lambda x: np.sum((np.where(x > 0, x**1.5, 0.0) - y) ** 2))(x)
    np.testing.assert_allclose(h, [[2 * (3.0**2 + (8 - 1) * 0.375), 0], [0, 0]])


def test_a_saturated_sigmoid_has_the_slope_zero() -> None:
    """The overflow of the exponential and the division by it: zero is the limit."""
    z = np.array([-800.0, 0.0, 800.0])
    for f in (lambda z: 1 / (1 + np.exp(-z)), lambda z: np.reciprocal(1 + np.exp(-z)), lambda z: 1 / (1 + np.exp2(-2 * z))):
        for found in derivatives(lambda t, f=f: np.sum(f(t * z)), 1.0).values():
            assert np.isfinite(found)
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(ag.grad(lambda z: np.sum(1 / (1 + np.exp(-z))))(z), [0, 0.25, 0])
        assert not np.isfinite(ag.grad(lambda z: np.log1p(np.exp(z)))(800.0))


def test_what_came_out_as_nan_left_nothing_out() -> None:
    with np.errstate(all="ignore"):
        assert np.isnan(ag.grad(lambda x: np.log(x) * 0.0)(0.0))
        assert np.isnan(ag.jvp(lambda x: np.log(x) * 0.0, (0.0,), (1.0,))[1])


def test_the_rule_of_a_user_may_not_bear_nan() -> None:
    """It is asked with NaN for what depends on what; if it refuses, everything does."""

    def rule(g: Any, y: Any, x: Any) -> Any:
        if np.isnan(g).any():
            raise ValueError("no NaN here")
        return 2 * g

    double = ag.define(lambda x: 2 * x, vjp=rule)
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(ag.grad(lambda x: np.sum(np.where(x > 0, np.sqrt(double(x)), 0.0)))(np.array([2.0, 0.0])), [0.5, 0.0])
        found = ag.grad(lambda x: np.sum(np.where(x > 0, double(np.sqrt(x)), 0.0)))(np.array([4.0, 0.0]))
    np.testing.assert_array_equal(found, [0.5, np.nan])


def test_anomalies_are_none_where_zero_wins() -> None:
    with np.errstate(all="ignore"), ag.detect_anomaly():
        np.testing.assert_allclose(ag.grad(lambda x: np.sum(np.where(x > 0, np.log(x), 0.0)))(np.array([2.0, 0.0])), [0.5, 0.0])
        with pytest.raises(ag.AnomalyError, match="sqrt"):
            ag.grad(lambda x: np.sqrt(x) ** 2)(0.0)
