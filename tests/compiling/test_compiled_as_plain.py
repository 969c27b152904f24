"""Compiled functions give what the plain ones give: numbers of NumPy's, what a module has now, what checkpoints leave out."""

from __future__ import annotations

import functools
import json
import sys
import types
import weakref
from typing import Any

import numpy as np
import pytest

import autograd_np as ag


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.log(np.sum(np.exp(x))),
        lambda x: np.interp(1.5, np.arange(3.0), x),
        lambda x: {"loss": np.log(np.sum(np.exp(x))), "x": x * 2},
        lambda x: (np.sum(x), np.log(np.sum(np.exp(x))), x.reshape(3, 1)),
        lambda x: np.sum(x).reshape(()),
        lambda x: x[0],
        lambda x: np.linalg.norm(x),
    ],
)
def test_numbers_are_of_the_types_that_the_function_gives(f: Any) -> None:
    compiled = ag.compile(f)
    for x in (np.arange(3.0), np.array([3.0, 1.0, 2.0])):
        found, wanted = compiled(x), f(x)
        values = [v.values() if isinstance(v, dict) else v if isinstance(v, tuple) else (v,) for v in (found, wanted)]
        assert [type(v) for v in values[0]] == [type(v) for v in values[1]]
    loss = ag.compile(lambda x: np.log(np.sum(np.exp(x))))
    assert [json.dumps(round(loss(np.zeros(2) + i), 3)) for i in range(2)] == ["0.693", "1.693"]


def test_a_module_that_is_imported_inside_is_the_one_that_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def module(rate: float) -> types.ModuleType:
        made = types.ModuleType("rates_of_a_test")
        made.rate = rate  # type: ignore[attr-defined]
        return made

    monkeypatch.setitem(sys.modules, "rates_of_a_test", module(2.0))

    def f(x: Any) -> Any:
        import rates_of_a_test

        return x * rates_of_a_test.rate

    compiled = ag.compile(f)
    found = [compiled(np.ones(1))[0]]
    sys.modules["rates_of_a_test"].rate = 3.0  # type: ignore[attr-defined]
    found.append(compiled(np.ones(1))[0])
    monkeypatch.setitem(sys.modules, "rates_of_a_test", module(7.0))
    found.append(compiled(np.ones(1))[0])
    assert found == [2.0, 3.0, 7.0]


def test_what_a_weak_dict_holds_is_compared() -> None:
    class Rate:
        def __init__(self, value: float) -> None:
            self.value = value

    rate, other = Rate(2.0), Rate(5.0)
    known = weakref.WeakValueDictionary(a=rate)
    f = ag.compile(lambda x: x * known["a"].value)
    found = [f(np.ones(1))[0]]
    rate.value = 3.0
    found.append(f(np.ones(1))[0])
    known["a"] = other
    found.append(f(np.ones(1))[0])
    assert found == [2.0, 3.0, 5.0]


def test_caches_of_python_may_grow() -> None:
    @functools.singledispatch
    def twice(x: Any) -> Any:
        return x * 2

    class Held:
        pass

    cache: Any = weakref.WeakValueDictionary()

    def f(x: Any) -> Any:
        if "held" not in cache:
            cache["held"] = held
        return twice(x) + len(cache)

    held = Held()
    compiled = ag.compile(f)
    assert [compiled(np.full(1, i))[0] for i in (1.0, 2.0)] == [3.0, 5.0]


def test_a_float_that_becomes_a_number_of_numpys_beside_float32_is_told() -> None:
    with pytest.raises(ag.errors.CompileError, match=r"by abs\(\), divmod\(\) or round\(\): compute that outside"):
        ag.compile(lambda x, c: x * abs(c))(np.ones(2, "float32"), -2.0)


def test_a_checkpoint_is_computed_as_the_function_that_it_is_of() -> None:
    layer = ag.checkpoint(lambda w, x: np.tanh(w * x) ** 2)

    def loss(w: Any, x: Any) -> Any:
        for _ in range(3):
            x = layer(w, x) + ag.checkpoint(np.sin)(x)
        return np.sum(x)

    f = ag.compile(ag.value_and_grad(loss))
    for w in (np.array([0.5, 1.0]), np.array([-0.3, 2.0])):
        value, gradient = f(w, np.ones(2))
        expected, wanted = ag.value_and_grad(loss)(w, np.ones(2))
        np.testing.assert_allclose(value, expected)
        np.testing.assert_allclose(gradient, wanted)


@pytest.mark.parametrize("f", [lambda x: (v for v in [x, x]), lambda x: map(np.sin, [x]), lambda x: {"a": iter([x])}])
def test_what_computes_when_it_is_read_is_refused_by_name(f: Any) -> None:
    with pytest.raises(ag.errors.CompileError, match="which computes when it is read: return a list or a tuple"):
        ag.compile(f)(np.ones(2))


def test_a_function_that_holds_what_was_computed_is_refused_by_name() -> None:
    def f(x: Any) -> Any:
        y = x * 2
        return lambda z: y + z

    with pytest.raises(ag.errors.CompileError, match="returns a function that it makes, and that holds what was computed"):
        ag.compile(f)(np.ones(2))


def test_what_is_real_by_its_values_alone_is_told() -> None:
    with pytest.raises(ag.errors.CompileError, match=r"x\.real or x\.astype\(complex\)"):
        ag.compile(np.linalg.eigvals)(np.diag([1.0, 2.0]))
    f = ag.compile(lambda m: np.sort(np.linalg.eigvals(m).real))
    np.testing.assert_allclose(f(np.diag([2.0, 1.0])), [1.0, 2.0])
    np.testing.assert_allclose(f(np.array([[0.0, -1.0], [1.0, 0.0]])), [0.0, 0.0], atol=1e-15)


def test_the_advice_of_a_refusal_is_one_for_plain_arrays() -> None:
    with pytest.raises(ag.errors.DifferentiationError, match="an int, and what it reads from a closure or an attribute, is part of the"):
        ag.compile(lambda x, c: np.pad(x, 1, constant_values=c))(np.ones(2), 2.0)
    with pytest.raises(ag.errors.NoRowError, match="compute that outside, and hand in what comes of it"):
        ag.compile(lambda x: np.emath.sqrt(x))(np.ones(2))
