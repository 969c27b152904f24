"""Every rule of `simplify` on random, special and extreme numbers: what eager computes, in its shape and dtype, at least as accurately."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from executed import value_and_grad
from hypothesis import given
from hypothesis import strategies as st

import autograd_np as ag
from autograd_np.derivations.expression import Expression
from autograd_np.derivations.simplifying.known import REWRITINGS
from autograd_np.derivations.simplifying.structure import STRUCTURE

SHAPES = ((), (0,), (3,), (2, 3), (0, 2), (3, 1), (2, 3, 2))


def computed(pattern: Expression, values: dict[str, Any], axis: Any) -> Any:
    """Compute what a pattern says, on Tensors or arrays."""
    if pattern.op is None:
        return values[pattern.name] if pattern.kind == "variable" else pattern.values[0]
    args = [computed(a, values, axis) for a in pattern.args]
    how = {k: axis if type(v).__name__ == "_Unknown" else v for k, v in pattern.attrs}
    return pattern.op.fn(*args, **how)


def traced_and_simplified(f: Any, *inputs: Any) -> tuple[Any, Any, dict[str, int]]:
    with np.errstate(all="ignore"):
        graph = ag.trace(f, *inputs)
        simplified, fired = graph.simplify(explain=True)
    return graph.outputs[0].out, simplified.outputs[0].out, fired


def agree(found: Any, expected: Any, inputs: Any, rtol: float) -> None:
    """Same shape and dtype; NaN where one came in; finite where eager is not only for inputs that are finite."""
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape
    assert found.dtype == expected.dtype
    finite = np.isfinite(expected)
    np.testing.assert_allclose(found[finite], expected[finite], rtol=rtol, atol=rtol * (1 + np.max(np.abs(expected[finite]), initial=0)))
    if any(np.any(np.isnan(x)) for x in inputs) and np.all(np.isnan(expected)) and expected.size:
        assert np.any(np.isnan(found))


def axes_for(shape: tuple[int, ...]) -> list[Any]:
    return [i for i, n in enumerate(shape) if n] or [None]


NEEDS_NUMBER: dict[str, dict[str, Any]] = {"relu": {"c": 0}}
"""Unknowns that stand for a number."""


@pytest.mark.parametrize("row", REWRITINGS, ids=[f"{i}-{r.name}" for i, r in enumerate(REWRITINGS)])
def test_a_known_pair_is_what_eager_computes(row: Any) -> None:
    fired_once = False
    names = sorted({x.name for x in _leaves(row.pattern) if x.kind == "variable" and x.name})
    for dtype in (np.float64, np.float32):
        for seed, shape in enumerate(SHAPES):
            rng = np.random.default_rng(seed)
            values = {n: np.asarray(rng.normal(size=shape), dtype) for n in names if n not in NEEDS_NUMBER.get(row.name, {})}
            fixed = NEEDS_NUMBER.get(row.name, {})
            for axis in axes_for(shape):

                def f(*xs: Any, names: Any = tuple(values), axis: Any = axis, fixed: Any = fixed) -> Any:
                    return computed(row.pattern, {**fixed, **dict(zip(names, xs, strict=True))}, axis)

                try:
                    with np.errstate(all="ignore"):
                        f(*values.values())
                except (ValueError, IndexError, TypeError, np.exceptions.AxisError):
                    continue  # NumPy takes no maximum of nothing, and no axis that is not there
                for special in (None, np.nan, np.inf, -np.inf, 700.0, -700.0):
                    inputs = [x.copy() for x in values.values()]
                    if special is not None and inputs and inputs[0].size:
                        inputs[0].flat[0] = special
                    expected, found, fired = traced_and_simplified(f, *inputs)
                    fired_once = fired_once or bool(fired)
                    agree(found, expected, inputs, 1e-9 if dtype is np.float64 else 1e-3)
    assert fired_once, "no rule fired"


def _leaves(e: Expression) -> list[Expression]:
    return [e] if e.op is None else [x for a in e.args for x in _leaves(a)]


STRUCTURAL: dict[str, Any] = {
    "a sum that gets its axis back": lambda x: np.sum(x, axis=1)[:, None] * 2,
    "a logarithm of what was picked": lambda x: np.log(ag.softmax(x, axis=1)[:, 0]),
    "a transpose of a transpose": lambda x: np.sin(x.T.T),
    "axes that are swapped": lambda x: np.swapaxes(x, 0, 1) @ x,
    "dot of matrices": lambda x: np.dot(x, x.T),
    "a shape that is there": lambda x: np.reshape(x, x.shape) + 0.0 * x,
    "reshapes one after the other": lambda x: np.reshape(np.reshape(x, -1), (x.shape[1], x.shape[0])),
    "terms that cancel": lambda x: x * 3 + np.sin(x) - 2 * x - x,
    "a quotient that cancels": lambda x: x * (2 + x) / (2 + x) * 5,
    "numbers in a product": lambda x: 2 * (3 * x) / 4,
    "powers": lambda x: x * x * x / x,
    "a sum of a multiple": lambda x: np.sum(3 * x) - 2 * np.sum(x),
    "a mean of the same": lambda x: np.mean(np.ones_like(x) * 3.0) * x,
    "a product with a transpose": lambda x: (x.T @ x).T,
    "the variance": lambda x: np.mean((x - np.mean(x, axis=0)) ** 2),
    "a sum over a broadcast": lambda x: np.sum(np.broadcast_to(x[:1], x.shape), axis=0),
    "negations": lambda x: np.negative(-x) - (-(x**2)),
}


@pytest.mark.parametrize("name", STRUCTURAL)
@given(data=st.data())
def test_the_normal_form_is_what_eager_computes(name: str, data: st.DataObject) -> None:
    f = STRUCTURAL[name]
    dtype = data.draw(st.sampled_from([np.float64, np.float32]))
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    x = np.asarray(rng.normal(size=data.draw(st.sampled_from([(3, 4), (2, 2), (1, 3), (4, 1)]))), dtype)
    special = data.draw(st.sampled_from([None, np.nan, 1e-30, 1e15]))
    if special is not None:
        x.flat[0] = special
    expected, found, _ = traced_and_simplified(f, x)
    agree(found, expected, [x], 1e-8 if dtype is np.float64 else 2e-3)
    if special is np.nan:
        np.testing.assert_array_equal(np.isnan(found) | ~np.isnan(expected), True)


def test_every_structural_rule_says_when_it_fired() -> None:
    fired: set[str] = set()
    x = np.random.default_rng(0).normal(size=(3, 4))
    more: list[Any] = [
        lambda x: np.matmul(x, x[0][:, None])[..., 0],
        lambda x: np.transpose(x[0]),
        lambda x: np.log(ag.softmax(x, axis=1)[0, 1]),
    ]
    for f in [*STRUCTURAL.values(), *more]:
        fired |= traced_and_simplified(f, x)[2].keys()
    named = {rule.__name__.strip("_").replace("_", " ") for rule in STRUCTURE}
    assert len(named & fired) >= 4, (named, fired)


def test_explain_names_the_rules_that_fired() -> None:
    x = np.linspace(-2, 2, 5)
    _, fired = ag.trace(lambda x: np.log(1 / (1 + np.exp(-x))), x).simplify(explain=True)
    assert {"sigmoid", "log of sigmoid"} <= set(fired)
    assert all(count >= 1 for count in fired.values())
    assert ag.trace(lambda x: np.sin(x), x).simplify(explain=True)[1] == {}


@pytest.mark.parametrize(
    ("f", "exact"),
    [
        (lambda x: np.log(1 / (1 + np.exp(-x))), lambda m, x: -m.log1p(m.exp(-x))),
        (lambda x: np.log(1 - 1 / (1 + np.exp(-x))), lambda m, x: -x - m.log1p(m.exp(-x))),
        (lambda x: np.log(1 + x), lambda m, x: m.log1p(x)),
        (lambda x: np.exp(x) - 1, lambda m, x: m.expm1(x)),
        (lambda x: np.log(1 + np.exp(x)), lambda m, x: m.log1p(m.exp(x))),
        (lambda x: 1 / (1 + np.exp(-x)), lambda m, x: 1 / (1 + m.exp(-x))),
    ],
    ids=["log sigmoid", "log of 1 - sigmoid", "log1p", "expm1", "softplus", "sigmoid"],
)
def test_a_known_pair_is_at_least_as_accurate(f: Any, exact: Any) -> None:
    mpmath = pytest.importorskip("mpmath")
    with mpmath.workdps(60):
        for value in (1e-18, 1e-9, 3e-5, 0.3, 2.0, 25.0, 40.0):
            x = np.array([value])
            expected, found, _ = traced_and_simplified(f, x)
            true = exact(mpmath, mpmath.mpf(value))
            error = [abs(mpmath.mpf(float(y[0])) - true) if np.isfinite(y[0]) else mpmath.inf for y in (found, expected)]
            assert error[0] <= error[1] + abs(true) * mpmath.mpf(4.5e-16), value


@pytest.mark.parametrize("axis", [(), (None,), (-1,)])
def test_an_axis_that_is_not_said_is_the_functions_own(axis: tuple[Any, ...]) -> None:
    rng = np.random.default_rng(0)
    how = {"axis": axis[0]} if axis else {}

    def f(x: Any, c: Any) -> Any:
        return np.sum(np.log(ag.softmax(x, **how)) * c)

    source = ag.derive(f, rng.normal(size=(1, 4)), rng.normal(size=(1, 4))).to_numpy()
    assert "/ softmax" not in source  # the stable derivative
    inputs = rng.normal(size=(2, 3, 4))
    value, gradients = value_and_grad(source, *inputs)
    expected, slopes = ag.value_and_grad(f, (0, 1))(*inputs)
    for found, wanted in zip((value, *gradients), (expected, *slopes), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-12)
