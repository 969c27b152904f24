"""What raises in a later call of a compiled function: the function itself raises it, or goes on in its own way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_np as ag
from autograd_np.compiling.ways import has_numba

BACKENDS = ["numpy", *(["numba"] if has_numba() else [])]
GOOD, SINGULAR = np.array([[2.0, 1.0], [1.0, 3.0]]), np.ones((2, 2))


def _inverse(m: Any) -> Any:
    try:
        return np.linalg.inv(m) * 2
    except np.linalg.LinAlgError:
        return np.zeros_like(m)


def _factor(m: Any) -> Any:
    for jitter in (0.0, 1e-3, 10.0):
        try:
            return np.linalg.cholesky(m + jitter * np.eye(2))
        except np.linalg.LinAlgError:
            continue
    return m


def _element(m: Any, i: Any) -> Any:
    try:
        return m[i]
    except IndexError:
        return m[:1] * 0


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(
    ("f", "calls"),
    [
        (_inverse, [(GOOD,), (SINGULAR,), (GOOD * 2,)]),
        (_inverse, [(GOOD,), (GOOD * 2,), (SINGULAR,), (SINGULAR,)]),
        (_factor, [(GOOD,), (-np.eye(2),), (GOOD,)]),
        (_element, [(GOOD, np.array([1])), (GOOD, np.array([7])), (GOOD, np.array([0]))]),
    ],
)
def test_what_a_function_does_in_its_except_it_does_in_later_calls(f: Any, calls: Any, backend: str) -> None:
    compiled = ag.compile(f, backend=backend)
    for call in calls:
        np.testing.assert_allclose(compiled(*call), f(*call))


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_a_function_does_not_catch_it_raises(backend: str) -> None:
    f = ag.compile(lambda m, b: np.linalg.solve(m, b), backend=backend)
    np.testing.assert_allclose(f(GOOD, np.ones(2)), np.linalg.solve(GOOD, np.ones(2)))
    with pytest.raises(np.linalg.LinAlgError, match="Singular") as raised:
        f(SINGULAR, np.ones(2))
    assert raised.value.__context__ is None
    np.testing.assert_allclose(f(GOOD, np.ones(2)), np.linalg.solve(GOOD, np.ones(2)))


@pytest.mark.parametrize("backend", BACKENDS)
def test_what_writes_goes_on_in_its_except_with_what_was_there(backend: str) -> None:
    def step(p: Any, m: Any) -> None:
        p *= 2
        try:
            p += np.linalg.solve(m, p)
        except np.linalg.LinAlgError:
            p -= 100

    f = ag.compile(step, in_place=True, backend=backend)
    p, q = np.arange(2.0), np.arange(2.0)
    for m in (GOOD, SINGULAR, GOOD):
        f(p, m)
        step(q, m)
        np.testing.assert_allclose(p, q)

    raising = ag.compile(lambda p, m: np.add(p, np.linalg.inv(m), out=p), in_place=True, backend=backend)
    raising(p := np.zeros((2, 2)), np.eye(2))
    with pytest.raises(np.linalg.LinAlgError):
        raising(p, SINGULAR)
    np.testing.assert_array_equal(p, np.eye(2))


def _or_itself(x: Any, c: float) -> Any:
    try:
        return x * (1 / c)
    except ZeroDivisionError:
        return x


DIVISIONS: list[Callable[..., Any]] = [
    lambda x, c: x * (1 / c),
    lambda x, c: x * (3.0 / (c * 2)),
    lambda x, c: np.sum(x) * c**-1,
    lambda x, c: x * (5.0 // c),
    lambda x, c: x + 5.0 % c,
    lambda x, c: np.exp(x * (1 / c)) * (2 / c),
    lambda x, c: x * (0.1 / (1 - 0.9**c)),
]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("f", [_or_itself, *DIVISIONS])
def test_floats_are_divided_as_python_does_it(f: Any, dtype: str, backend: str) -> None:
    compiled = ag.compile(f, backend=backend)
    x = np.array([0.5, -1.0], dtype)
    for c in (2.0, 3.0, 0.0, -4.0):
        try:
            expected = f(x, c)
        except ZeroDivisionError:
            with pytest.raises(ZeroDivisionError):
                compiled(x, c)
            continue
        found = compiled(x, c)
        assert found.dtype == expected.dtype == np.dtype(dtype)
        np.testing.assert_allclose(found, expected, rtol=1e-6 if dtype == "float32" else 1e-14)


@pytest.mark.parametrize(
    "f",
    [
        lambda x, c: x * c**0.5,
        lambda x, c: x * c**2,
        lambda x, c: x * (-2.0) ** c,
        lambda x, c: x * (c - 1) ** -2,
        lambda x, c: x * (-c) ** 2,
        lambda x, c: x * (-7.0 // c),
        lambda x, c: x * (c % -2.0),
        lambda x, c: x * (1 / (1 + c)),
    ],
)
def test_floats_stay_numbers_of_pythons_in_arithmetic(f: Any) -> None:
    for x in (np.array([0.5, -1.0], "float32"), np.array([0.5, -1.0])):
        compiled = ag.compile(f)
        for c in (2.0, 3.0, 4.0):
            found, expected = compiled(x, c), f(x, c)
            assert found.dtype == expected.dtype
            np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_an_overflow_of_pythons_raises_and_a_root_of_a_negative_number_is_complex() -> None:
    f = ag.compile(lambda x, c: x * c**2)
    f(np.ones(2), 3.0)
    with pytest.raises(OverflowError):
        f(np.ones(2), 1e200)
    g = ag.compile(lambda x, c: x * c**0.5)
    g(np.ones(2), 4.0)
    np.testing.assert_allclose(g(np.ones(2), -4.0), np.ones(2) * (-4.0) ** 0.5)


def test_a_first_call_may_be_the_one_that_raises() -> None:
    f = ag.compile(_or_itself)
    np.testing.assert_array_equal(f(np.ones(2), 0.0), np.ones(2))
    np.testing.assert_array_equal(f(np.ones(2), 2.0), np.full(2, 0.5))
    g = ag.compile(DIVISIONS[0])
    with pytest.raises(ZeroDivisionError):
        g(np.ones(2), 0.0)
    np.testing.assert_array_equal(g(np.ones(2), 2.0), np.full(2, 0.5))


def test_raising_is_left_to_the_function_under_errstate() -> None:
    def f(x: Any) -> Any:
        try:
            return 1 / x
        except FloatingPointError:
            return x * 0

    compiled = ag.compile(f)
    compiled(np.ones(2))
    with np.errstate(all="raise"):
        np.testing.assert_array_equal(compiled(np.zeros(2)), np.zeros(2))
        np.testing.assert_array_equal(compiled(np.full(2, 4.0)), np.full(2, 0.25))


def test_gradients_of_floats_are_of_the_types_that_they_are_of_without() -> None:
    loss = lambda p: np.sum(p["w"] ** 2) * p["c"] ** 2  # noqa: E731 (one line, used twice)
    compiled = ag.compile(ag.grad(loss))
    for c in (2.0, 3.0):
        found, expected = (g({"w": np.ones(2), "c": c}) for g in (compiled, ag.grad(loss)))
        assert type(found["c"]) is type(expected["c"])
        np.testing.assert_allclose(found["c"], expected["c"])
