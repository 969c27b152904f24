"""A NumPy array that is written to after it was recorded: an error under detect_anomaly, where it makes a difference."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_np as ag

X = np.array([1.0, 2.0, 3.0])


def looped(step: Callable[[Any, Any], Any], buffer: Any, fill: Callable[[Any, int], None]) -> Callable[[Any], Any]:
    def f(x: Any) -> Any:
        b, s = buffer.copy(), 0.0
        for k in range(3):
            fill(b, k)
            s = s + np.sum(step(x, b))
        return s

    return f


def number(b: Any, k: int) -> None:
    b[:] = k


def rotate(b: Any, k: int) -> None:
    b[:] = np.roll(b, 1)


INTS, BOOLS = np.arange(3), np.array([True, False, False])
CHANGED = [
    ("multiply", lambda x, b: x * b, X, number, "operand 1"),
    ("multiply", lambda x, b: b * x, X, number, "operand 0"),
    ("divide", lambda x, b: x / b, X, rotate, "operand 1"),
    ("matmul", lambda x, b: b @ x, np.eye(3), rotate, "operand 0"),
    ("matmul", lambda x, b: x @ b, X, number, "operand 1"),
    ("getitem", lambda x, b: x[b] * X, INTS, rotate, "the argument index"),
    ("getitem", lambda x, b: x[b, None] * X[:, None], INTS, rotate, "the argument index"),
    ("getitem", lambda x, b: x[b], BOOLS, rotate, "the argument index"),
    ("where", lambda x, b: np.where(b, x, 0), BOOLS, rotate, "operand 0"),
    ("take", lambda x, b: np.take(x, b) * X, INTS, rotate, "argument indices|operand 1"),
    ("sum", lambda x, b: np.sum(x, where=b), BOOLS, rotate, "the argument where"),
    ("power", lambda x, b: x**b, X, number, "operand 1"),
    ("maximum", lambda x, b: np.maximum(x, b), X, number, "operand 1"),
    ("einsum", lambda x, b: np.einsum("i,i->", x, b), X, number, "operand"),
]


@pytest.mark.parametrize(("operation", "step", "buffer", "fill", "what"), CHANGED)
def test_a_buffer_that_changes_is_named_with_its_operation_and_line(operation: str, step: Any, buffer: Any, fill: Any, what: str) -> None:
    f = looped(step, buffer, fill)
    line = inspect.getsourcelines(step)[1]
    message = rf"({what}).* of {operation} was written to after it was recorded at {__file__}:\d+.*buffer\.copy\(\)"
    for run in (lambda: ag.grad(f)(X), lambda: ag.jvp(f, (X,), (X,)), lambda: ag.hvp(f, X, X)):
        with ag.detect_anomaly(), pytest.raises(ag.AnomalyError, match=message) as caught:
            run()
        assert f":{line}," in str(caught.value)
    x = ag.Tensor(X, requires_grad=True)
    with ag.detect_anomaly(), pytest.raises(ag.AnomalyError, match=message):
        f(x).backward()
    with ag.detect_anomaly():  # with copies it is right
        ag.grad(looped(lambda x, b: step(x, b.copy()), buffer, fill))(X)


@pytest.mark.parametrize(
    ("step", "buffer", "fill"),
    [
        (lambda x, b: x + b, X, number),
        (lambda x, b: b - x, X, number),
        (lambda x, b: np.stack([x, b]), X, number),
        (lambda x, b: np.concatenate([b, x]), X, number),
        (lambda x, b: np.where(X > 1, x, b), X, number),
        (lambda x, b: x * (b > 0.5), X, lambda b, k: b.__setitem__(slice(None), 1 + k)),
    ],
)
def test_a_change_that_no_gradient_needs_is_no_anomaly(step: Any, buffer: Any, fill: Any) -> None:
    f = looped(step, buffer, fill)
    expected = ag.grad(looped(lambda x, b: step(x, b.copy()), buffer, fill))(X)
    with ag.detect_anomaly():
        np.testing.assert_array_equal(ag.grad(f)(X), expected)


def test_the_values_of_tensors_count_too() -> None:
    x = ag.Tensor(X, requires_grad=True)
    with ag.detect_anomaly():
        y = np.exp(x)
        z = np.sum(y * y)
        y.data[0] = 0.0
        with pytest.raises(ag.AnomalyError, match=r"the result of exp|of multiply"):
            z.backward()
    with ag.detect_anomaly():
        z = np.sum(x * x)
        with ag.no_grad():
            x -= 1.0  # gives the leaf new values, and leaves the recorded ones alone
        z.backward()
    np.testing.assert_array_equal(x.grad, 2 * X)


def test_what_was_recorded_before_the_block_is_not_known_to_it() -> None:
    x, b = ag.Tensor(X, requires_grad=True), X.copy()
    y = np.sum(x * b)
    b[:] = 0
    with ag.detect_anomaly():
        y.backward()
    np.testing.assert_array_equal(x.grad, 0)


def test_an_index_that_is_out_of_bounds_by_now_is_named_too() -> None:
    def f(x: Any) -> Any:
        i = np.array([0, 1])
        y = x[i] * x[i]
        i[:] = 7
        return np.sum(y)

    with ag.detect_anomaly(), pytest.raises(ag.AnomalyError, match="the argument index of getitem"):
        ag.grad(f)(X)
