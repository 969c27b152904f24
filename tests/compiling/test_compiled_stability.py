"""What is compiled does not depend on the numbers of the first call: infinities, zeros and saturation on it change nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd_np as ag
from autograd_np.compiling.ways import has_numba

BACKENDS = ["numpy", *(["numba"] if has_numba() else [])]

FORMS: dict[str, Callable[..., Any]] = {
    "mean": lambda y, a: -np.mean(y * np.log(a) + (1 - y) * np.log(1 - a)),
    "sum by m": lambda y, a: -np.sum(y * np.log(a) + (1 - y) * np.log(1 - a)) / y.shape[1],
    "1 by m": lambda y, a: -(1 / y.shape[1]) * np.sum(np.multiply(y, np.log(a)) + np.multiply(1 - y, np.log(1 - a))),
    "log1p": lambda y, a: -np.mean(y * np.log(a) + (1 - y) * np.log1p(-a)),
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [1, 10, 16, 30, 35.5, 88, 100, 700, 710, 745, 1e3, 1e6])
def test_a_naive_cross_entropy_is_right_wherever_it_saturates(dtype: Any, size: float) -> None:
    rng = np.random.default_rng(int(size))
    for form in FORMS.values():
        for m in (1, 4, 50):
            y = (rng.random((1, m)) > 0.5).astype(dtype)
            z = (rng.choice([-1, 1], size=(1, m)) * size * rng.uniform(0.9, 1.1, size=(1, m))).astype(dtype)
            compiled = ag.compile(ag.value_and_grad(lambda z, y, form=form: form(y, 1 / (1 + np.exp(-z)))), backend="numpy")
            loss, gradient = compiled(z, y)
            zl, yl = z.astype(np.longdouble), y.astype(np.longdouble)
            tail = np.exp(-np.abs(zl))
            expected = np.mean((np.maximum(zl, 0) - yl * zl) + np.log1p(tail))
            slope = (np.where(zl > 0, 1, tail) / (1 + tail) - yl) / m
            eps = float(np.finfo(dtype).eps)
            assert abs(loss - expected) <= 16 * eps * expected + np.finfo(dtype).tiny
            assert np.all(np.abs(gradient - slope) <= 8 * eps / m)
            assert (loss.dtype, gradient.dtype) == (dtype, dtype)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_network_that_is_saturated_at_the_first_call(dtype: Any, backend: str) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 20)).astype(dtype), (rng.random((1, 20)) > 0.5).astype(dtype)
    w1, w2 = rng.normal(size=(3, 2)).astype(dtype), (1000 * rng.normal(size=(1, 3))).astype(dtype)

    def naive(w1: Any, w2: Any) -> Any:
        a2 = 1 / (1 + np.exp(-(w2 @ np.tanh(w1 @ x))))
        return -np.mean(y * np.log(a2) + (1 - y) * np.log(1 - a2))

    def stable(w1: Any, w2: Any) -> Any:
        z2 = w2 @ np.tanh(w1 @ x)
        return np.mean(ag.softplus(z2) - y * z2)

    found, gradients = ag.compile(ag.value_and_grad(naive, (0, 1)), backend=backend)(w1, w2)
    expected, slopes = ag.value_and_grad(stable, (0, 1))(w1, w2)
    near = 1e-5 if dtype == np.float32 else 1e-13
    np.testing.assert_allclose(found, expected, rtol=near)
    for g, slope in zip(gradients, slopes, strict=True):
        np.testing.assert_allclose(g, slope, atol=near * np.max(np.abs(slope)))


ZEROS: dict[str, Callable[[Any], Any]] = {
    "x log x": lambda x: np.sum(x * np.log(x)),
    "where": lambda x: np.sum(np.where(x > 0, x * np.log(x), 0.0)),
    "mask": lambda x: np.sum((x > 0) * np.log(x)),
    "root": lambda x: np.sum(np.sqrt(x) * x),
    "norm": lambda x: np.sqrt(np.sum((x - np.array([0.0, 1.0, 2.0])) ** 2)),
    "one of them": lambda x: np.log(x)[1],
    "constant": lambda x: -np.sum(np.array([0.0, 1.0, 0.5]) * np.log(x)),
    "quotient": lambda x: np.sum(np.where(x != 0, np.sin(x) / x, 1.0)),
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", ZEROS)
def test_a_zero_that_meets_infinity_at_the_first_call(name: str, backend: str) -> None:
    f = ZEROS[name]
    transforms: list[Callable[[Any], Any]] = [ag.value_and_grad(f), lambda x: ag.jvp(f, (x,), (np.ones_like(x),))]
    for g in transforms:
        compiled = ag.compile(g, backend=backend)
        for x in (np.array([0.0, 1.0, 2.0]), np.array([0.5, 1.0, 2.0]), np.array([1.0, 0.0, 0.0])):
            for a, b in zip(compiled(x), g(x), strict=True):
                np.testing.assert_allclose(a, b)
        assert compiled.signatures == 1


def test_a_wrong_form_is_told_from_rounding(monkeypatch: pytest.MonkeyPatch) -> None:
    from autograd_np.compiling import lowering
    from autograd_np.ops import special

    monkeypatch.setitem(lowering.FORMS, special.softplus, lambda write, v, x: write.ufunc(np.maximum, x, 0.001, like=v))
    monkeypatch.setattr(lowering, "_summed", lambda *_: None)
    with pytest.raises(ag.errors.CompileError, match="off by"):
        ag.compile(lambda z: np.sum(np.log(1 + np.exp(z))), backend="numpy")(np.array([-1.0, 0.5]))


@pytest.mark.parametrize("shape", [(1, 4), (4, 1), (4,), (1, 1), (3, 4)])
@pytest.mark.parametrize("axis", [None, -1, 0])
def test_soft_maxima_of_every_axis(shape: tuple[int, ...], axis: int | None) -> None:
    x, c = np.random.default_rng(0).normal(size=(2, *shape))
    for f in (
        lambda x: np.sum(np.exp(x) / np.sum(np.exp(x)) * c),
        lambda x: np.sum(np.log(ag.softmax(x, axis=axis)) * c),
        lambda x: np.sum((x - ag.logsumexp(x, axis=axis, keepdims=True)) * c),
        lambda x: np.sum(np.exp(x) / np.sum(np.exp(x), axis=axis, keepdims=True) * c),
    ):
        found, gradient = ag.compile(ag.value_and_grad(f), backend="numpy")(x)
        expected, slope = ag.value_and_grad(f)(x)
        np.testing.assert_allclose(found, expected, rtol=1e-12)
        np.testing.assert_allclose(gradient, slope, rtol=1e-10, atol=1e-12)


def test_a_factor_is_not_moved_into_a_product_twice() -> None:
    def f(x: Any) -> Any:
        return np.mean(np.sqrt(1 + (x**2) ** 2))

    g = ag.grad(lambda x: np.sum(np.sin(ag.grad(f)(x))))
    x = np.array([0.7, -1.1, 0.3])
    np.testing.assert_allclose(ag.compile(g, check=False, backend="numpy")(x), g(x), rtol=1e-12)


@pytest.mark.parametrize("shape", [(0,), (0, 3), (), (3,)])
def test_softplus_beside_something_in_every_shape(shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).normal(size=shape)
    for f in (
        lambda x: np.logaddexp(0, x) + 0.5 * x,
        lambda x: 0.5 * x - ag.softplus(x),
        lambda x: ag.log_sigmoid(x) - np.cos(x),
        lambda x: np.cos(x) + ag.log_sigmoid(x),
    ):
        np.testing.assert_allclose(ag.compile(f, backend="numpy")(x), f(x), rtol=1e-12)


@pytest.mark.parametrize(
    ("f", "may"),
    [
        (lambda x: np.sum(1 / (1 + x * x)), False),
        (lambda x: np.sum(np.sqrt(1 + x**2)), False),
        (lambda x: np.sum(ag.softmax(x)), False),
        (lambda x: np.sum(1 / (1 + x * np.flip(x))), True),
        (lambda x: np.sum(1 / np.exp(x)), True),
        (lambda x: np.sum(np.log(x)), True),
    ],
)
def test_what_may_divide_by_zero_is_known(f: Any, may: bool) -> None:
    compiled = ag.compile(ag.value_and_grad(f), backend="numpy")
    compiled(np.array([0.5, 1.0, 2.0]))
    assert compiled._of_last().may_meet is may


def test_factors_of_quotients_are_multiplied_once() -> None:
    f = ag.value_and_grad(lambda x, y: np.mean(np.sqrt(1 + (x - y) ** 2) + 3 / (2 + np.cos(x)) - (x + x) * y))
    x, y = np.random.default_rng(0).normal(size=(2, 5))
    compiled = ag.compile(f, backend="numpy")
    for found, expected in zip(compiled(x, y), f(x, y), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    simple = ag.compile(ag.grad(lambda r: np.mean(np.sqrt(1 + r * r))), backend="numpy")
    simple(x)
    assert compiled.source.count("multiply(") < 12
    assert sum(simple.source.count(f"{name}(") for name in ("multiply", "divide", "add", "sqrt", "reciprocal")) == 5


def test_a_result_in_float64_of_float32_is_judged_as_float32() -> None:
    def f(x: Any) -> Any:
        return np.sum(np.where(x > 0, 1.5, 0.5) * np.tanh(x + 1 / (1 + np.exp(-x))) / (1.5 + x * x))  # np.where gives float64

    rng = np.random.default_rng(0)
    for _ in range(40):
        x = rng.normal(size=(1, 40)).astype(np.float32)
        assert ag.compile(f, backend="numpy")(x).dtype == np.float64
