"""The promises of the engine, one section each; every test fails when its promise is broken."""

from __future__ import annotations

import asyncio
import math
import re
import threading
import warnings
from typing import Any

import numpy as np
import pytest
from oracles import complex_step, numeric_gradient

import autograd_np as ag

THIS_FILE = re.escape(__file__)


def leaf(x: Any, dtype: Any = float) -> ag.Tensor:
    return ag.Tensor(np.asarray(x, dtype), requires_grad=True)


# --- reverse topological order, iterative ---------------------------------------------------------


def test_a_long_chain_needs_no_recursion() -> None:
    x = ag.Tensor(1.0, requires_grad=True)
    y = x
    for _ in range(200_000):
        y = y + 1.0
    y.backward()
    assert x.grad == 1.0
    assert y.item() == 200_001.0
    del y  # and is freed without recursion


def test_a_long_chain_pushes_forward_and_transforms_without_recursion() -> None:
    def f(x: Any) -> Any:
        for _ in range(20_000):
            x = x * 1.0001
        return x

    assert ag.jvp(f, (1.0,), (1.0,))[1] == pytest.approx(1.0001**20_000)
    assert ag.grad(f)(1.0) == pytest.approx(1.0001**20_000)


def test_a_chain_of_doubling_is_linear_not_exponential() -> None:
    x = leaf(1.0)
    y = x
    for _ in range(60):  # 2**60 paths
        y = y + y
    y.backward()
    assert x.grad == 2.0**60


@pytest.mark.parametrize("k", [1, 2, 3, 7])
def test_a_node_used_k_times_contributes_k_times(k: int) -> None:
    x = leaf([0.5, -1.5])
    h = np.tanh(x)
    total = h
    for _ in range(k - 1):
        total = total + h
    np.sum(total).backward()
    np.testing.assert_allclose(x.grad, k * (1 - np.tanh(x.data) ** 2), rtol=1e-14)


def test_an_operand_that_occurs_twice_in_one_operation() -> None:
    x = leaf([[2.0, 1.0], [0.5, 3.0]])
    np.sum(x * x + x @ x + np.maximum(x, x) + x**x + (x - x) + x / x).backward()
    expected = complex_step(lambda z: np.sum(z * z + z @ z + z + np.exp(z * np.log(z))), x.data)
    np.testing.assert_allclose(x.grad, expected, rtol=1e-12)


def test_the_order_of_use_does_not_matter() -> None:
    """A late use of an early node: a sweep in depth-first discovery order would pull it back too soon."""
    x = leaf(0.7)
    early = np.sin(x)
    late = np.exp(np.exp(early) * early) + early * x
    late.backward()
    np.testing.assert_allclose(x.grad, complex_step(lambda z: np.exp(np.exp(np.sin(z)) * np.sin(z)) + np.sin(z) * z, x.data), rtol=1e-13)


# --- accumulation ---------------------------------------------------------------------------------


def test_a_second_backward_adds_exactly_once_more() -> None:
    x = leaf([1.0, 2.0])
    loss = np.sum(x**3)
    loss.backward()
    first = x.grad.copy()
    held = x.grad
    for k in (2, 3):
        loss.backward()
        np.testing.assert_array_equal(x.grad, k * first)
    np.testing.assert_array_equal(held, first, err_msg="accumulation wrote into an array the user already held")
    x.grad = None
    loss.backward()
    np.testing.assert_array_equal(x.grad, first)


def test_only_leaves_that_require_one_get_a_gradient() -> None:
    x, c = leaf([1.0, 2.0]), ag.Tensor([3.0, 4.0])
    mid = x * c
    unused = leaf([1.0])
    np.sum(mid * 2).backward()
    np.testing.assert_array_equal(x.grad, [6.0, 8.0])
    assert mid.grad is None
    assert c.grad is None
    assert unused.grad is None


def test_two_losses_on_a_shared_subgraph() -> None:
    x = leaf(0.3)
    h = np.exp(x)
    (h * 2).backward()
    (h * h).backward()
    np.testing.assert_allclose(x.grad, 2 * np.exp(0.3) + 2 * np.exp(0.6), rtol=1e-14)


def test_backward_of_a_leaf_and_of_its_copy() -> None:
    x = leaf(2.0)
    x.backward()
    assert x.grad == 1.0
    assert isinstance(x.grad, np.ndarray)
    y = leaf([1.0, 2.0])
    seed = np.array([3.0, 4.0])
    y.backward(seed)
    np.testing.assert_array_equal(y.grad, seed)
    assert not np.shares_memory(y.grad, seed)


def test_one_seed_reaching_two_leaves_gives_two_arrays() -> None:
    a, b = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    (a + b).backward(np.ones(2))
    a.grad += 10
    np.testing.assert_array_equal(b.grad, [1.0, 1.0])


# --- dtype and shape ------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
def test_a_gradient_has_its_inputs_dtype_and_shape(dtype: Any) -> None:
    for shape in ((), (1,), (3,), (2, 1, 3), (0, 2)):
        x = leaf(np.ones(shape), dtype)
        np.sum(np.exp(x * 0.5 + 1) / 3 - 2**x + x**2).backward()
        assert x.grad.dtype == dtype
        assert x.grad.shape == shape
        assert isinstance(x.grad, np.ndarray)


def test_mixed_precision_gives_each_input_its_own() -> None:
    a, b = leaf([1.0, 2.0], np.float32), leaf([[3.0], [4.0]], np.float64)
    y = a * b
    assert y.dtype == np.float64
    np.sum(y).backward()
    assert (a.grad.dtype, a.grad.shape) == (np.float32, (2,))
    assert (b.grad.dtype, b.grad.shape) == (np.float64, (2, 1))
    np.testing.assert_array_equal(a.grad, [7, 7])


@pytest.mark.parametrize(
    "f",
    [
        lambda x: 1 / (1 + np.exp(-x)), lambda x: x**2, lambda x: x**0.5, lambda x: 2**x, lambda x: np.where(x > 0, x, 0.1 * x),
        lambda x: np.mean(x), lambda x: np.var(x), lambda x: np.std(x), lambda x: np.maximum(x, 0), lambda x: np.clip(x, 0.1, 0.9),
        lambda x: x - np.pi, lambda x: 3.0 - x, lambda x: x / 7, lambda x: np.sum(x * x) ** 0.5, lambda x: ag.sigmoid(x), lambda x: ag.softmax(x),  # noqa: E501
        lambda x: ag.logsumexp(x), lambda x: np.linalg.norm(x), lambda x: np.logaddexp(0, x), lambda x: np.hypot(x, 1), lambda x: abs(x),
        lambda x: np.arctan2(x, 2.0), lambda x: np.sinc(x), lambda x: np.max(x), lambda x: np.prod(x), lambda x: x[1:] * x[:-1],
    ],
)  # fmt: skip
def test_python_scalars_are_weak_in_both_orders_and_both_modes(f: Any) -> None:
    x = np.array([0.3, 0.5, 0.8], np.float32)
    out, pullback = ag.vjp(f, x)
    assert out.dtype == np.float32
    (g,) = pullback(np.ones_like(out))
    assert g.dtype == np.float32
    moved = ag.jvp(f, (x,), (np.ones_like(x),))[1]
    assert moved.dtype == np.float32
    second = ag.grad(lambda z: np.sum(ag.grad(lambda v: np.sum(f(v)))(z) ** 2))(x)
    assert second.dtype == np.float32
    tape = leaf(x, np.float32)
    assert f(tape).dtype == np.float32


@pytest.mark.parametrize("data", [3, True, [1, 2], np.array([True]), np.uint8(3)])
def test_integers_and_bools_cannot_require_a_gradient(data: Any) -> None:
    with pytest.raises(ag.DifferentiationError, match=r"only floating and complex dtypes.*got (int|bool|uint).*astype"):
        ag.Tensor(data, requires_grad=True)
    t = ag.Tensor(data)
    with pytest.raises(ag.DifferentiationError):
        t.requires_grad = True


def test_python_integers_given_to_transforms_are_refused_and_floats_taken() -> None:
    with pytest.raises(ag.DifferentiationError, match="got int"):
        ag.grad(lambda x: x * 2)(3)
    with pytest.raises(ag.DifferentiationError, match="got int"):
        ag.grad(lambda x: np.sum(x))(np.arange(3))
    assert ag.grad(lambda x: x * 2)(3.0) == 2.0


def test_integer_operands_take_part_without_a_gradient() -> None:
    n = ag.Tensor([1, 2, 3])
    x = leaf([1.0, 1.0, 1.0])
    np.sum(x * n + x ** np.array([1, 2, 3])).backward()
    np.testing.assert_array_equal(x.grad, [2.0, 4.0, 6.0])
    assert n.grad is None


def test_complex_numbers_where_they_mean_nothing_are_refused() -> None:
    x = leaf([1.0, 2.0])
    with pytest.raises(ag.DifferentiationError, match=r"complex128.*for what is real"):
        np.sum(x).backward(np.asarray(1j))
    with pytest.raises(ag.DifferentiationError, match=r"real loss, got complex128; take np\.real\(loss\)"):
        np.sum(x * 1j).backward()


# --- conventions ----------------------------------------------------------------------------------


def gradient(f: Any, *args: Any) -> Any:
    """Return the gradient by the first argument, in reverse mode, after checking that forward mode agrees."""
    x = np.asarray(args[0], float)
    g = ag.grad(lambda z: np.sum(f(z, *args[1:])))(x)
    for i in np.ndindex(*x.shape):
        unit = np.zeros_like(x)
        unit[i] = 1.0
        moved = ag.jvp(lambda z: np.sum(f(z, *args[1:])), (x,), (unit,))[1]
        np.testing.assert_allclose(moved, g[i], rtol=1e-12, atol=1e-14, err_msg="forward and reverse mode disagree")
    return g


@pytest.mark.parametrize(
    ("f", "x", "expected"),
    [
        pytest.param(np.abs, [-1.0, 0.0, 2.0], [-1, 0, 1], id="abs"),
        pytest.param(ag.relu, [-1.0, 0.0, 2.0], [0, 0, 1], id="relu"),
        pytest.param(lambda x: np.maximum(x, 0), [-1.0, 0.0, 2.0], [0, 0.5, 1], id="maximum-tie"),
        pytest.param(lambda x: np.minimum(x, 0), [-1.0, 0.0, 2.0], [1, 0.5, 0], id="minimum-tie"),
        pytest.param(lambda x: np.maximum(x, x), [1.0, -2.0], [1, 1], id="maximum-of-itself"),
        pytest.param(np.max, [3.0, 1.0, 3.0, 2.0], [0.5, 0, 0.5, 0], id="max-ties"),
        pytest.param(np.min, [3.0, 1.0, 1.0, 1.0], [0, 1 / 3, 1 / 3, 1 / 3], id="min-ties"),
        pytest.param(np.max, [np.inf, 1.0, np.inf], [0.5, 0, 0.5], id="max-of-infinities"),
        pytest.param(np.linalg.norm, [0.0, 0.0, 0.0], [0, 0, 0], id="norm-at-0"),
        pytest.param(np.linalg.norm, [3.0, 4.0], [0.6, 0.8], id="norm"),
        pytest.param(lambda x: np.hypot(x, 0.0), [0.0, 2.0], [0, 1], id="hypot-at-0"),
        pytest.param(np.std, [2.0, 2.0, 2.0], [0, 0, 0], id="std-of-constant"),
        pytest.param(np.var, [2.0, 2.0, 2.0], [0, 0, 0], id="var-of-constant"),
        pytest.param(np.prod, [0.0, 2.0, 3.0], [6, 0, 0], id="prod-one-zero"),
        pytest.param(np.prod, [0.0, 2.0, 0.0], [0, 0, 0], id="prod-two-zeros"),
        pytest.param(np.sinc, [0.0], [0], id="sinc-at-0"),
        pytest.param(np.sign, [-1.0, 0.0, 2.0], [0, 0, 0], id="sign"),
        pytest.param(lambda x: x**2, [0.0, -3.0], [0, -6], id="x**2"),
        pytest.param(lambda x: x**0, [0.0, 2.0], [0, 0], id="x**0"),
        pytest.param(lambda x: x**1, [0.0, -2.0], [1, 1], id="x**1"),
        pytest.param(lambda x: x**3.0, [0.0, -2.0], [0, 12], id="x**3.0"),
        pytest.param(lambda x: x ** np.array([0.0, 1.0, 2.0, 3.0]), [0.0, 0.0, 0.0, -2.0], [0, 1, 0, 12], id="x**array"),
        pytest.param(lambda x: 0.0**x, [1.0, 2.0], [0, 0], id="0**x"),
        pytest.param(lambda x: np.arctan2(x, 0.0), [0.0], [0], id="arctan2-at-origin"),
        pytest.param(lambda x: np.where(x > 0, x, 0), [-1.0, 0.0, 1.0], [0, 0, 1], id="where"),
        pytest.param(lambda x: np.clip(x, -1, 1), [-2.0, 0.5, 2.0], [0, 1, 0], id="clip"),
        pytest.param(lambda x: np.median(x), [3.0, 1.0, 2.0], [0, 0, 1], id="median-odd"),
        pytest.param(np.ptp, [3.0, 1.0, 2.0], [1, -1, 0], id="ptp"),
    ],
)
def test_conventions(f: Any, x: Any, expected: Any) -> None:
    np.testing.assert_allclose(gradient(f, x), expected, rtol=1e-12, atol=1e-14)


def test_a_negative_base_of_a_real_power() -> None:
    """By the base the gradient exists at whole exponents; by the exponent it does not exist, and says NaN."""
    with np.errstate(invalid="ignore"):
        a, b = leaf([-2.0, -1.5]), leaf([2.0, 3.0])
        np.sum(a**b).backward()
        np.testing.assert_allclose(a.grad, [-4.0, 6.75], rtol=1e-14)
        assert np.isnan(b.grad).all()


def test_a_power_that_overflows_or_is_infinite_is_not_made_finite() -> None:
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        assert np.isinf(ag.grad(lambda x: x**0.5)(0.0))
        assert np.isinf(ag.grad(np.sqrt)(0.0))
        assert np.isinf(ag.grad(np.log)(0.0))
        assert np.isinf(ag.jvp(np.log, (0.0,), (1.0,))[1])


# --- NaN does not leak ----------------------------------------------------------------------------

LEAKS = [
    pytest.param(lambda x: np.where(x > 0, np.log(np.abs(x) * (x > 0)), 0.0), [2.0, 0.0], [0.5, 0], id="log"),
    pytest.param(lambda x: np.where(x > 0, np.sqrt(x), 0.0), [4.0, 0.0], [0.25, 0], id="sqrt"),
    pytest.param(lambda x: np.where(x > 0, 1 / x, 0.0), [2.0, 0.0], [-0.25, 0], id="reciprocal"),
    pytest.param(lambda x: np.where(x > 0, x * np.log(x), 0.0), [1.0, 0.0], [1, 0], id="xlogx"),
    pytest.param(lambda x: np.where(x > 0, np.log(x), 0.0), [2.0, -1.0, 0.0], [0.5, 0, 0], id="log-of-negative"),
    pytest.param(lambda x: np.where(x < 100, x, np.exp(x)), [1.0, 5.0], [1, 1], id="exp"),
    pytest.param(lambda x: np.where(x > 700, x, np.exp(x)), [0.0, 1000.0], [1, 1], id="exp-overflows"),
    pytest.param(lambda x: np.where(np.abs(x) < 1, np.arcsin(x), 0.0), [0.0, 2.0], [1, 0], id="arcsin-outside"),
    pytest.param(lambda x: np.where(x > 0, x**0.5, 0.0), [4.0, 0.0], [0.25, 0], id="power"),
    pytest.param(lambda x: np.where(x > 0, x / np.linalg.norm(x), 0.0), [0.0, 0.0], [0, 0], id="norm"),
]  # fmt: skip


@pytest.mark.parametrize(("f", "x", "expected"), LEAKS)
def test_where_does_not_leak_nan_from_the_branch_not_taken(f: Any, x: Any, expected: Any) -> None:
    with np.errstate(all="ignore"):
        x = np.asarray(x, float)
        np.testing.assert_allclose(ag.grad(lambda z: np.sum(f(z)))(x), expected, atol=1e-14)
        tape = leaf(x)
        np.sum(f(tape)).backward()
        np.testing.assert_allclose(tape.grad, expected, atol=1e-14)
        for i in range(x.size):
            unit = np.eye(x.size)[i]
            np.testing.assert_allclose(ag.jvp(lambda z: np.sum(f(z)), (x,), (unit,))[1], expected[i], atol=1e-14)


@pytest.mark.parametrize(
    ("f", "x", "expected"),
    [
        pytest.param(lambda x: np.where(x > 0, np.log(x), 0.0), [2.0, 0.0], [-0.25, 0], id="log"),
        pytest.param(lambda x: np.where(x > 0, np.sqrt(x), 0.0), [4.0, 0.0], [-1 / 32, 0], id="sqrt"),
        pytest.param(lambda x: np.where(x > 0, x * np.log(x), 0.0), [2.0, 0.0], [0.5, 0], id="xlogx"),
        pytest.param(lambda x: np.where(x > 0, 1 / x, 0.0), [2.0, 0.0], [0.25, 0], id="reciprocal"),
        pytest.param(lambda x: np.where(x > 0, x**1.5, 0.0), [4.0, 0.0], [0.375, 0], id="only-the-second-derivative-is-infinite"),
        pytest.param(lambda x: np.where(x > 0, np.sqrt(x) * x, 0.0), [4.0, -1.0], [0.375, 0], id="nan-in-the-branch"),
    ],
)
def test_where_does_not_leak_nan_in_the_second_order(f: Any, x: Any, expected: Any) -> None:
    x = np.asarray(x, float)
    with np.errstate(all="ignore"):
        second = ag.grad(lambda z: np.sum(ag.grad(lambda v: np.sum(f(v)))(z)))(x)
        np.testing.assert_allclose(second, expected, atol=1e-14, err_msg="reverse over reverse")
        forward = ag.jvp(ag.grad(lambda v: np.sum(f(v))), (x,), (np.ones_like(x),))[1]
        np.testing.assert_allclose(forward, expected, atol=1e-14, err_msg="forward over reverse")
        np.testing.assert_allclose(ag.hessian(lambda v: np.sum(f(v)))(x), np.diag(expected), atol=1e-14, err_msg="hessian")


def test_a_real_nan_still_comes_out() -> None:
    """Absorbing 0 * inf must not hide a NaN that is there."""
    with np.errstate(all="ignore"):
        assert np.isnan(ag.grad(lambda x: x * np.nan)(1.0))
        assert np.isnan(ag.grad(np.log)(np.nan))
        g = ag.grad(lambda x: np.sum(x * np.array([1.0, np.nan])))(np.ones(2))
        np.testing.assert_array_equal(g, [1.0, np.nan])
        assert np.isnan(ag.jvp(lambda x: x * np.nan, (1.0,), (1.0,))[1])
        # inf - inf in a sum of cotangents is no product with zero
        assert np.isnan(ag.grad(lambda x: np.sqrt(x) - np.sqrt(x))(0.0))


def test_a_sweep_that_meets_zero_times_infinity_stays_right_elsewhere() -> None:
    """One absorbed product must not disturb what else is pulled back, or how it accumulates."""
    x, w = leaf([2.0, 0.0]), leaf([[1.0, 2.0], [3.0, 4.0]])
    with np.errstate(all="ignore"):
        loss = np.sum(np.where(x > 0, np.log(x), 0.0)) + np.sum(w @ x)
    loss.backward()
    np.testing.assert_allclose(x.grad, [4.5, 6.0])
    np.testing.assert_allclose(w.grad, [[2.0, 0.0], [2.0, 0.0]])
    loss.backward()
    np.testing.assert_allclose(x.grad, [9.0, 12.0])


def test_backward_changes_no_floating_point_setting_and_raises_no_warning() -> None:
    x = leaf([1.0, 0.0])
    with np.errstate(all="ignore"):
        loss = np.sum(np.where(x > 0, np.log(x), 0.0))
    with np.errstate(all="raise"):
        before = np.geterr(), np.geterrcall()
        loss.backward()
        assert (np.geterr(), np.geterrcall()) == before


# --- nothing wrong in silence ---------------------------------------------------------------------


def test_becoming_an_ndarray_is_refused() -> None:
    x = leaf([1.0, 2.0])
    for convert in (
        np.asarray,
        np.array,
        lambda t: np.asarray(t, dtype=np.float32),
        lambda t: np.asarray([t, t]),
        lambda t: np.array([t[0], t[1]]),
    ):
        with pytest.raises(ag.LeavesNumPyError, match=r"lose its gradient.*np\.stack.*x\.data"):
            convert(x)
    np.testing.assert_array_equal(np.asarray(x.detach()), [1.0, 2.0])
    np.testing.assert_array_equal(np.asarray(ag.Tensor([1, 2])), [1, 2])


def test_becoming_an_ndarray_is_refused_inside_transforms_and_trace() -> None:
    for run in (
        ag.grad(lambda x: np.sum(np.asarray(x))),
        lambda x: ag.trace(lambda z: np.sum(np.asarray(z)), x),
        lambda x: ag.jvp(np.asarray, (x,), (x,)),
    ):
        with pytest.raises(ag.LeavesNumPyError, match="lose its gradient"):
            run(np.ones(2))


def test_an_array_as_out_is_refused() -> None:
    x, out = leaf([1.0, 2.0]), np.zeros(2)
    for call in (
        lambda: np.add(x, 1, out=out),
        lambda: np.exp(x, out=out),
        lambda: np.sum(x, out=np.zeros(())),
    ):
        with pytest.raises(ag.InPlaceError, match="out="):
            call()
    np.testing.assert_array_equal(out, 0)
    np.testing.assert_array_equal(x.data, [1.0, 2.0])


def test_an_ndarray_written_with_a_tensor_is_refused() -> None:
    x, a = leaf([1.0, 2.0]), np.zeros(2)
    with pytest.raises(ag.InPlaceError, match=r"array \+= Tensor"):
        a += x
    with pytest.raises(ag.InPlaceError):
        a *= x
    with pytest.raises((ag.LeavesNumPyError, ValueError)) as caught:  # NumPy turns the error of float(tensor) into its own
        a[0] = x[0]
    assert isinstance(caught.value, ag.LeavesNumPyError) or isinstance(caught.value.__cause__, ag.LeavesNumPyError)
    with pytest.raises(ag.LeavesNumPyError):
        a[:] = x
    np.testing.assert_array_equal(a, 0)

    def fills(x: Any) -> Any:
        buffer = np.zeros(2)
        buffer[0] = x[0]
        return np.sum(buffer)

    with pytest.raises((ag.LeavesNumPyError, ValueError)):
        ag.grad(fills)(np.ones(2))


def test_number_conversions_lose_no_gradient_under_transforms() -> None:
    for convert in (float, int, math.exp, math.sqrt):
        with pytest.raises(ag.LeavesNumPyError, match="lose its gradient"):
            ag.grad(lambda x, c=convert: x * c(x))(2.0)
        with pytest.raises(ag.LeavesNumPyError, match="lose its gradient"):
            ag.trace(lambda x, c=convert: x * c(x), 2.0)
    assert float(leaf(2.5)) == 2.5  # reading a loss is not differentiating it
    assert ag.grad(lambda x: x * ag.stop_gradient(x).item())(3.0) == 3.0


def test_a_branch_under_trace_is_refused_and_under_grad_is_taken() -> None:
    def f(x: Any) -> Any:
        return np.sum(x) if np.all(x > 0) else -np.sum(x)

    with pytest.raises(ag.LeavesNumPyError, match=r"bool\(\).*trace.*np\.where"):
        ag.trace(f, np.ones(2))
    np.testing.assert_array_equal(ag.grad(f)(np.ones(2)), 1)
    np.testing.assert_array_equal(ag.grad(f)(-np.ones(2)), -1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda x: (x * 2).backward(), r"needs a scalar, got shape \(2,\)"),
        (lambda x: np.sum(x).backward(np.ones(2)), r"shape \(2,\), expected .*\(\)"),
        (lambda x: (x * 2).backward(np.ones(3)), r"shape \(3,\), expected .*\(2,\)"),
        (lambda x: (x * 2).backward(1.0), r"shape \(\), expected .*\(2,\)"),
        (lambda x: np.sum(x.detach()).backward(), "no graph.*requires_grad=True"),
        (lambda x: ag.Tensor(1.0).backward(), "no graph"),
        (lambda x: (x > 1).backward(np.ones(2)), "no graph"),
        (lambda x: ag.grad(lambda z: z)(x.data), r"scalar, got shape \(2,\)"),
        (lambda x: ag.grad(lambda z: "text")(x.data), "scalar, got str"),
        (lambda x: ag.vjp(lambda z: z * 2, x.data)[1](np.ones(5)), r"\(5,\), expected .*\(2,\)"),
        (lambda x: ag.jvp(lambda z: z * 2, (x.data,), (np.ones(5),)), r"\(5,\), expected .*\(2,\)"),
        (lambda x: ag.jvp(lambda z: z * 2, (x.data,), (x.data, x.data)), "2 tangents for 1 primals"),
        (lambda x: ag.grad(np.sum)("text"), "arrays of floats, got str"),
        (lambda x: ag.grad(np.sum)(None), "scalar, got NoneType"),
        (lambda x: setattr(x, "grad", np.ones(5)), r"\(5,\).*\(2,\)"),
        (lambda x: ag.Tensor(x), "cut the graph"),
    ],
)
def test_gradients_that_do_not_exist_are_refused(make: Any, message: str) -> None:
    with pytest.raises(ag.DifferentiationError, match=message):
        make(leaf([1.0, 2.0]))


def test_every_error_is_also_the_builtin_one_a_caller_would_catch() -> None:
    pairs = {
        ag.NoRowError: TypeError, ag.DifferentiationError: ValueError, ag.InPlaceError: ValueError, ag.LeavesNumPyError: TypeError,
        ag.CustomRuleError: ValueError, ag.AnomalyError: ArithmeticError, ag.ShapeWarning: UserWarning,
    }  # fmt: skip
    for mine, builtin in pairs.items():
        assert issubclass(mine, builtin)
        assert mine is ag.ShapeWarning or issubclass(mine, ag.AutogradError)


def test_attributes_that_require_a_gradient_are_refused() -> None:
    x, n = leaf([1.0, 2.0]), leaf(1.0)
    with pytest.raises((ag.DifferentiationError, TypeError, IndexError)):
        x[n]
    with pytest.raises((ag.DifferentiationError, TypeError)):
        np.sum(x, axis=n)


def test_a_column_against_a_row_warns() -> None:
    prediction, target = leaf(np.ones((3, 1))), np.array([1.0, 0.0, 1.0])
    loss = np.mean((prediction - target) ** 2)
    with pytest.warns(ag.ShapeWarning, match=r"\(3, 1\).*\(3,\).*\(3, 3\).*reshape"):
        loss.backward()
    other = leaf(np.ones(3))
    with pytest.warns(ag.ShapeWarning):
        ag.grad(lambda p: np.mean((p - target[:, None]) ** 2))(other.data)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.mean((leaf(np.ones((3, 1))) - target[:, None]) ** 2).backward()
        np.mean((leaf(np.ones(3)) - target) ** 2).backward()
        np.sum(leaf(np.ones((3, 1))) + leaf(np.ones(3))).backward()  # both vary: pairwise, meant
        np.sum(leaf(np.ones((4, 1))) - target).backward()  # (4, 1) against (3,): no target of that prediction


# --- anomaly mode ---------------------------------------------------------------------------------


def test_anomaly_mode_names_the_line_forward() -> None:
    x = leaf([1.0, -1.0])
    with np.errstate(all="ignore"), ag.detect_anomaly():
        y = x * 2
        with pytest.raises(ag.AnomalyError) as caught:
            np.log(y)
    line = caught.traceback[0].lineno + 1
    assert re.search(rf"log on operands of shape \(2,\) produced a NaN.*{THIS_FILE}:{line}", str(caught.value))


def test_anomaly_mode_names_the_line_backward() -> None:
    def risky(x: Any) -> Any:
        return np.sqrt(x) - np.sqrt(x)  # inf - inf at 0, on the way back only

    x = leaf([1.0, 0.0])
    with ag.detect_anomaly(), pytest.raises(ag.AnomalyError) as caught:
        np.sum(risky(x)).backward()
    line = risky.__code__.co_firstlineno + 1
    assert re.search(rf"gradient of sqrt .*NaN.*{THIS_FILE}:{line}", str(caught.value))


def test_anomaly_mode_is_silent_about_healthy_code_and_ends_with_its_block() -> None:
    x = leaf([1.0, 2.0])
    with ag.detect_anomaly():
        np.sum(np.log(x)).backward()
    np.testing.assert_allclose(x.grad, [1.0, 0.5])
    with np.errstate(all="ignore"):
        assert np.isnan(np.log(-x).data).all()


def test_anomaly_mode_does_not_blame_the_operation_that_only_passed_the_nan_on() -> None:
    with ag.detect_anomaly():
        y = leaf([np.nan]) * 2
        assert np.isnan(y.data).all()


def test_anomaly_mode_inside_transforms() -> None:
    with np.errstate(all="ignore"), ag.detect_anomaly(), pytest.raises(ag.AnomalyError, match=rf"log.*{THIS_FILE}:"):
        ag.grad(lambda x: np.log(x))(-1.0)


# --- what is not recorded -------------------------------------------------------------------------


def test_no_grad_detach_and_stop_gradient() -> None:
    x = leaf([1.0, 2.0])
    with ag.no_grad():
        y = x * 2
    assert not y.requires_grad
    assert (x * 2).requires_grad
    assert not x.detach().requires_grad
    assert not ag.stop_gradient(x * 2).requires_grad
    assert np.shares_memory(x.detach().data, x.data)
    np.sum(x * x.detach() + x * ag.stop_gradient(x)).backward()
    np.testing.assert_array_equal(x.grad, [2.0, 4.0])


def test_no_grad_ends_when_the_block_raises() -> None:
    x = leaf(1.0)
    with pytest.raises(RuntimeError), ag.no_grad():
        raise RuntimeError
    assert (x * 2).requires_grad
    with ag.no_grad(), ag.no_grad():
        assert not (x * 2).requires_grad
    assert (x * 2).requires_grad


def test_no_grad_as_a_decorator() -> None:
    x = leaf(1.0)

    @ag.no_grad()
    def predict() -> Any:
        return x * 2

    assert not predict().requires_grad
    assert not predict().requires_grad
    assert (x * 2).requires_grad


def test_stop_gradient_is_a_constant_to_every_transform() -> None:
    assert ag.grad(lambda x: x * ag.stop_gradient(x))(3.0) == 3.0
    assert ag.jvp(lambda x: x * ag.stop_gradient(x), (3.0,), (1.0,))[1] == 3.0
    assert ag.grad(lambda x: ag.grad(lambda y: y * ag.stop_gradient(x * y))(x))(3.0) == 0.0
    assert ag.grad(ag.grad(lambda x: ag.stop_gradient(x) ** 2 * x))(3.0) == 0.0
    assert ag.stop_gradient(3.0) == 3.0


def test_no_grad_belongs_to_its_thread() -> None:
    x = leaf(1.0)
    inside, seen = threading.Event(), []
    leave = threading.Event()

    def other() -> None:
        with ag.no_grad(), ag.detect_anomaly():
            seen.append((x * 2).requires_grad)
            inside.set()
            leave.wait(10)

    thread = threading.Thread(target=other)
    thread.start()
    try:
        assert inside.wait(10)
        assert (x * 2).requires_grad
        with np.errstate(all="ignore"):
            np.log(-x)
    finally:
        leave.set()
        thread.join()
    assert seen == [False]


def test_no_grad_belongs_to_its_asyncio_task() -> None:
    x = leaf(1.0)

    async def quiet(started: asyncio.Event, finish: asyncio.Event) -> bool:
        with ag.no_grad():
            started.set()
            await finish.wait()
            return (x * 2).requires_grad

    async def main() -> tuple[bool, bool]:
        started, finish = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(quiet(started, finish))
        await started.wait()
        mine = (x * 2).requires_grad
        finish.set()
        return mine, await task

    assert asyncio.run(main()) == (True, False)


def test_threads_record_their_own_graphs() -> None:
    grads: dict[int, Any] = {}

    def work(k: int) -> None:
        x = leaf(np.full(5, float(k)))
        for _ in range(50):
            x.grad = None
            np.sum(x**2 * k).backward()
        grads[k] = (x.grad, ag.hvp(lambda z: np.sum(z**3), x.data, np.ones(5)))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(1, 5)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for k in range(1, 5):
        np.testing.assert_allclose(grads[k][0], 2 * k * k)
        np.testing.assert_allclose(grads[k][1], 6 * k)


# --- as in NumPy ----------------------------------------------------------------------------------

ARRAY = np.array([[1.5, -0.5, 2.0], [0.5, 3.0, -1.0]])


@pytest.mark.parametrize(
    "other",
    [2, 2.0, np.float64(2), np.float32(2), np.int64(2), True, np.array(2.0), np.array([1.0, 2.0, 3.0]), np.ones((2, 1)), [1.0, 2.0, 3.0]],
    ids=repr,
)
@pytest.mark.parametrize("symbol", ["+", "-", "*", "/", "**", "//", "%", "<", ">=", "==", "!="])
def test_operators_with_either_side_plain(symbol: str, other: Any) -> None:
    import operator as o

    op = {
        "+": o.add,
        "-": o.sub,
        "*": o.mul,
        "/": o.truediv,
        "**": o.pow,
        "//": o.floordiv,
        "%": o.mod,
        "<": o.lt,
        ">=": o.ge,
        "==": o.eq,
        "!=": o.ne,
    }[symbol]
    base = np.abs(ARRAY)
    for dtype in (np.float64, np.float32):
        x = base.astype(dtype)
        for f in (lambda v: op(v, other), lambda v: op(other, v)):
            out, expected = f(leaf(x, dtype)), f(x)
            assert isinstance(out, ag.Tensor)
            assert out.dtype == expected.dtype
            np.testing.assert_array_equal(out.data, expected)
            if out.dtype.kind == "f":
                t = leaf(x, dtype)
                np.sum(f(t)).backward()
                if dtype is np.float64:
                    g = np.zeros_like(x) if t.grad is None else t.grad
                    at_kink = symbol in ("//", "%")
                    if not at_kink:
                        np.testing.assert_allclose(g, numeric_gradient(lambda v, f=f: np.sum(f(v)), x), rtol=1e-7, atol=1e-9)


def test_matmul_with_either_side_plain() -> None:
    x = leaf(ARRAY)
    for f in (lambda v: v @ ARRAY.T, lambda v: ARRAY.T @ v, lambda v: v @ np.ones(3), lambda v: np.ones(2) @ v):
        out = f(x)
        assert isinstance(out, ag.Tensor)
        np.testing.assert_allclose(out.data, f(ARRAY))


def test_an_operator_with_a_stranger_is_a_type_error() -> None:
    x = leaf([1.0])
    for call in (lambda: x + "a", lambda: "a" + x, lambda: x * object(), lambda: x @ None, lambda: x - {}):
        with pytest.raises(TypeError):
            call()
    assert x is not None
    assert x != "a"


def test_zero_dimensional_and_size_one_results_backpropagate() -> None:
    for shape in ((), (1,), (1, 1)):
        x = leaf(np.full(shape, 2.0))
        (x * x).backward()
        np.testing.assert_array_equal(x.grad, np.full(shape, 4.0))
        assert x.grad.shape == shape


def test_methods_and_attributes_are_the_arrays() -> None:
    x = leaf(ARRAY)
    assert (x.shape, x.ndim, x.size, x.dtype, len(x), x.nbytes, x.itemsize) == ((2, 3), 2, 6, np.float64, 2, 48, 8)
    for name, args in (
        ("sum", ()), ("sum", (0,)), ("mean", (1,)), ("prod", ()), ("max", (0,)), ("min", ()), ("std", ()), ("var", (0,)), ("cumsum", (0,)), ("any", ()),  # noqa: E501
        ("argmax", (1,)), ("argsort", ()), ("ptp", ()) if hasattr(np.ndarray, "ptp") else ("max", ()), ("dot", (np.ones(3),)), ("ravel", ()), ("flatten", ()),  # noqa: E501
        ("swapaxes", (0, 1)), ("squeeze", ()), ("repeat", (2,)), ("diagonal", ()), ("trace", ()), ("take", ([0, 2],)), ("clip", (0, 1)), ("round", ()),  # noqa: E501
        ("reshape", (3, 2)), ("reshape", ((6,),)), ("reshape", (-1,)), ("transpose", ()), ("transpose", (1, 0)), ("astype", (np.float32,)), ("copy", ()),  # noqa: E501
        ("tolist", ()),
    ):  # fmt: skip
        got, expected = getattr(x, name)(*args), getattr(ARRAY, name)(*args)
        np.testing.assert_allclose(got.data if isinstance(got, ag.Tensor) else got, expected, err_msg=name)
    np.testing.assert_array_equal(x.T.data, ARRAY.T)
    np.testing.assert_array_equal([row.data for row in x], ARRAY)
    with pytest.raises(TypeError, match="0-d"):
        iter(leaf(1.0)).__next__()
    assert 3.0 in x
    assert 9.0 not in x


def test_the_data_of_a_tensor_is_a_copy_of_the_array_given() -> None:
    a = np.ones(3)
    x = ag.Tensor(a, requires_grad=True)
    a[:] = 5
    np.testing.assert_array_equal(x.data, 1)


def test_repr_str_and_format() -> None:
    x = ag.Tensor([1.0, 2.0], requires_grad=True, name="w")
    assert repr(x) == "Tensor([1., 2.], requires_grad=True, name='w')"
    assert f"{leaf(1.23456):.2f}" == "1.23"
    assert f"{x}" == str(x)
    assert f"{x:.2f}" == "[1.00, 2.00]"
    assert f"{ag.Tensor([[1, 2], [3, 4]]):03d}" == "[[001, 002],\n [003, 004]]"
    assert f"{leaf([0.5]):>6.1%}" == "[ 50.0%]"
    assert f"{leaf(np.zeros(0))}{leaf(np.zeros(0)):.2f}" == "Tensor([], requires_grad=True)[]"
    assert len(f"{leaf(np.ones(100_000)):.3f}") < 100
    with pytest.raises(ValueError, match="format"):
        f"{x:wrong}"
    assert repr(leaf(2.0) * 3).startswith("Tensor(")
    seen = []
    ag.grad(lambda z: (seen.append(repr(z)), z * 2)[1])(1.0)
    assert seen[0].startswith("Tensor(")


def test_deepcopy_and_identity() -> None:
    import copy

    x = leaf([1.0])
    y = copy.deepcopy(x)
    assert y.requires_grad
    assert y is not x
    assert not np.shares_memory(x.data, y.data)
    assert len({x, y, x}) == 2
    with pytest.raises(ag.DifferentiationError):
        copy.deepcopy(x * 2)


def test_astype_keeps_the_graph() -> None:
    x = leaf([1.5, 2.5])
    y = x.astype(np.float32)
    assert y.dtype == np.float32
    np.sum(y * y).backward()
    np.testing.assert_array_equal(x.grad, [3.0, 5.0])
    assert x.grad.dtype == np.float64
    assert not x.astype(int).requires_grad


def test_ufunc_methods_and_keywords() -> None:
    x = leaf([1.0, 2.0, 4.0])
    np.add.reduce(x).backward()
    np.testing.assert_array_equal(x.grad, 1)
    x.grad = None
    np.sum(np.multiply.outer(x, np.ones(2))).backward()
    np.testing.assert_array_equal(x.grad, 2)
    with pytest.raises(ag.NoRowError, match=r"np\.subtract\.accumulate"):
        np.subtract.accumulate(x)
    with pytest.raises(ag.InPlaceError, match=r"np\.add\.at"):
        np.add.at(np.zeros(3), [0], x[:1])
    with pytest.raises(ag.InPlaceError, match="where="):
        np.log(x, where=np.array([True, False, True]))
    assert np.add(x, 1, dtype=np.float32).dtype == np.float32
