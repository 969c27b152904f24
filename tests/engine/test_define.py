"""A user's own operations: recorded like the built-in ones, and checked where they are wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from oracles import numeric_gradient

import autograd_np as ag

X = np.array([[0.4, -1.2, 0.9], [1.7, 0.3, -0.6]])

cube = ag.define(lambda x: x**3, partials=[lambda y, x: 3 * x**2], name="cube")
scaled = ag.define(lambda a, b: a * b, partials=[lambda y, a, b: b, lambda y, a, b: a], name="scaled")
centred = ag.define(lambda x: x - np.mean(x), vjp=lambda g, y, x: g - np.mean(g), name="centred")


def _power(x: Any, *, n: int = 2) -> Any:
    return x**n


power = ag.define(_power, vjp=lambda g, y, x, n=2: g * n * x ** (n - 1))


@pytest.mark.parametrize("op", [cube, centred, power, lambda x: power(x, n=3)])
def test_an_operation_in_both_modes_and_twice(op: Any) -> None:
    def f(x: Any) -> Any:
        return np.sum(np.sin(op(x)))

    g = ag.grad(f)(X)
    np.testing.assert_allclose(g, numeric_gradient(f, X), rtol=1e-7, atol=1e-9)
    moved = ag.jvp(f, (X,), (X,))[1]
    np.testing.assert_allclose(moved, np.sum(g * X), rtol=1e-10)
    twice = ag.hvp(f, X, X)
    step = 1e-5
    np.testing.assert_allclose(twice, (ag.grad(f)(X + step * X) - ag.grad(f)(X - step * X)) / (2 * step), rtol=1e-6, atol=1e-8)
    t = ag.Tensor(X, requires_grad=True)
    f(t).backward()
    np.testing.assert_allclose(t.grad, g)


def test_a_rule_an_argument_is_called_for_those_that_are_asked_for() -> None:
    called = []

    def by(name: str) -> Any:
        def rule(g: Any, y: Any, a: Any, b: Any, *, k: float = 1.0) -> Any:
            called.append(name)
            return k * g * {"a": b, "b": a}[name]

        return rule

    def product(a: Any, b: Any, *, k: float = 1.0) -> Any:
        return k * a * b

    op = ag.define(product, vjp=[by("a"), by("b")])
    np.testing.assert_allclose(ag.grad(lambda b: np.sum(op(X, b, k=2.0)))(X), 2 * X)
    assert called == ["b"]
    np.testing.assert_allclose(ag.grad(lambda x: np.sum(op(x, x, k=2.0)))(X), 4 * X)
    np.testing.assert_allclose(ag.jvp(lambda x: op(x, x), (X,), (X,))[1], 2 * X * X)
    np.testing.assert_allclose(ag.hvp(lambda x: np.sum(op(x, x)), X, X), 2 * X)
    first = ag.define(product, vjp=[by("a"), None])
    np.testing.assert_allclose(ag.grad(lambda x: np.sum(first(x, x)))(X), X)
    with pytest.raises(ag.CustomRuleError, match=r"takes 2 arrays \(a, b\) but got 1 rules"):
        ag.define(product, vjp=[by("a")])


def test_a_rule_for_many_examples_takes_the_place_of_a_loop() -> None:
    seen = []

    def many(size: int, batched: Any, a: Any, b: Any, *, k: float = 1.0) -> Any:
        seen.append((size, batched))
        return op(a, b, k=k) if all(batched) else NotImplemented

    def product(a: Any, b: Any, *, k: float = 1.0) -> Any:
        return k * a * b

    op = ag.define(product, vjp=[lambda g, y, a, b, k=1.0: k * g * b, lambda g, y, a, b, k=1.0: k * g * a], vmap=many)
    np.testing.assert_allclose(ag.vmap(lambda a, b: op(a, b, k=2.0))(X, X), 2 * X * X)
    assert seen == [(2, (True, True))]
    g = ag.vmap(ag.grad(lambda a: np.sum(op(a, a, k=2.0))))(X)
    np.testing.assert_allclose(g, 4 * X)
    np.testing.assert_allclose(ag.grad(lambda x: np.sum(ag.vmap(lambda a: op(a, a))(x)))(X), 2 * X)
    with pytest.warns(ag.LoopWarning, match="product"):
        np.testing.assert_allclose(ag.vmap(lambda a: op(a, X[0]))(X), X * X[0])
    wrong = ag.define(lambda a: a, vjp=lambda g, y, a: g, vmap=lambda size, batched, a: np.sum(a), name="wrong")
    with pytest.raises(ag.CustomRuleError, match="vmap= of wrong"):
        ag.vmap(wrong)(X)


def test_plain_arguments_give_plain_results() -> None:
    assert cube(2.0) == 8.0
    assert type(cube(X)) is np.ndarray
    assert cube.__name__ == "cube"
    assert "cube" in repr(cube)


def test_elementwise_operations_broadcast() -> None:
    a, b = ag.Tensor(X, requires_grad=True), ag.Tensor(X[0], requires_grad=True)
    np.sum(scaled(a, b)).backward()
    np.testing.assert_allclose(b.grad, X.sum(axis=0))
    np.testing.assert_allclose(a.grad, np.broadcast_to(X[0], (2, 3)))
    assert scaled(2.0, a).requires_grad


def test_partials_that_are_constants() -> None:
    op = ag.define(lambda a, b, c: a - b + 0 * c, partials=[1, -1, 0], name="op")
    ga, gb, gc = ag.grad(lambda *xs: np.sum(op(*xs)), (0, 1, 2))(X, X, X)
    np.testing.assert_array_equal(ga, 1)
    np.testing.assert_array_equal(gb, -1)
    np.testing.assert_array_equal(gc, 0)


def test_none_means_no_gradient() -> None:
    op = ag.define(lambda a, b: a * b, vjp=lambda g, y, a, b: (g * b, None), name="half")
    ga, gb = ag.grad(lambda a, b: np.sum(op(a, b)), (0, 1))(X, X)
    np.testing.assert_array_equal(ga, X)
    np.testing.assert_array_equal(gb, 0)


def test_a_given_tangent_rule_is_used() -> None:
    calls: list[Any] = []

    def tangent(tangents: Any, y: Any, x: Any) -> Any:
        calls.append(tangents)
        return tangents[0] * 2

    op = ag.define(lambda x: x * 2, vjp=lambda g, y, x: g * 2, jvp=tangent, name="double")
    assert ag.jvp(op, (3.0,), (1.0,))[1] == 2.0
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("vjp", "message"),
    [
        (lambda g, y, x: g[:1], r"bad returned shape \(1, 3\) for argument 0.*\(2, 3\)"),
        (lambda g, y, x: np.sum(g), r"shape \(\).*\(2, 3\)"),
        (lambda g, y, x: g.astype(np.float16), "dtype float16.*float64"),
        (lambda g, y, x: g * 1j, "complex"),
        (lambda g, y, x: (g, g), "must return 1 cotangents.*2 values"),
    ],
)
def test_a_rule_that_returns_the_wrong_thing_is_refused(vjp: Any, message: str) -> None:
    op = ag.define(lambda x: x * 1, vjp=vjp, name="bad")
    with pytest.raises(ag.AutogradError, match=message):
        ag.grad(lambda x: np.sum(op(x)))(X)
    with pytest.raises(ag.CustomRuleError):
        ag.grad(lambda x: np.sum(op(x)))(X)


def test_a_rule_of_two_arguments_that_returns_one_is_refused() -> None:
    op = ag.define(lambda a, b: a * b, vjp=lambda g, y, a, b: g * b, name="short")
    with pytest.raises(ag.CustomRuleError, match=r"2 cotangents, one an argument; got ndarray"):
        ag.grad(lambda a: np.sum(op(a, X)))(X)


def test_a_rule_in_double_precision_on_float32_is_refused() -> None:
    op = ag.define(lambda x: x * 1, vjp=lambda g, y, x: g * np.float64(2) * np.ones(g.shape), name="wide")
    with pytest.raises(ag.CustomRuleError, match=r"dtype float64.*float32"):
        ag.grad(lambda x: np.sum(op(x)))(X.astype(np.float32))


def test_the_definition_is_checked() -> None:
    with pytest.raises(ag.CustomRuleError, match="disagrees with central differences for argument 0"):
        ag.define(lambda x: x**3, partials=[lambda y, x: 2 * x**2], name="wrong", check=[X])
    with pytest.raises(ag.CustomRuleError, match="argument 1"):
        ag.define(lambda a, b: a * b, vjp=lambda g, y, a, b: (g * b, g * b), name="wrong", check=[X, X + 1])
    ag.define(lambda a, b: a * b, vjp=lambda g, y, a, b: (g * b, g * a), name="right", check=[X, X + 1])
    ag.define(lambda x: x**3, partials=[lambda y, x: 3 * x**2], check=[2.0])


def test_what_define_refuses() -> None:
    with pytest.raises(ag.CustomRuleError, match="one of partials"):
        ag.define(lambda x: x)
    with pytest.raises(ag.CustomRuleError, match="one of partials"):
        ag.define(lambda x: x, partials=[1], vjp=lambda g, y, x: g)
    with pytest.raises(ag.CustomRuleError, match=r"takes 2 arrays \(a, b\) but got 1"):
        ag.define(lambda a, b: a, partials=[1])


def test_attributes_must_be_known() -> None:
    with pytest.raises((TypeError, ag.NoRowError), match="nonsense"):
        power(ag.Tensor(X, requires_grad=True), nonsense=3)


def test_operations_appear_in_the_graph_by_name() -> None:
    assert "cube(x)" in str(ag.trace(lambda x: np.sum(cube(x)), X))


# --- custom_gradient ------------------------------------------------------------------------------


@ag.custom_gradient
def clipped(x: Any) -> Any:
    return x * 1, lambda g: np.clip(g, -1.0, 1.0)


def test_custom_gradient_replaces_the_derivative() -> None:
    assert ag.grad(lambda x: 5 * clipped(x))(2.0) == 1.0
    np.testing.assert_array_equal(ag.grad(lambda x: np.sum(clipped(x) * 0.5))(X), 0.5)
    assert clipped(2.0) == 2.0
    assert clipped.__name__ == "clipped"
    t = ag.Tensor(X, requires_grad=True)
    np.sum(clipped(t) * 7).backward()
    np.testing.assert_array_equal(t.grad, 1)


def test_custom_gradient_with_residuals_and_several_calls() -> None:
    @ag.custom_gradient
    def product(a: Any, b: Any) -> Any:
        return a * b, lambda g: (g * b, g * a)

    def f(a: Any, b: Any) -> Any:
        return np.sum(product(product(a, b), b) + product(b, b))

    ga, gb = ag.grad(f, (0, 1))(X, X + 1)
    np.testing.assert_allclose(ga, (X + 1) ** 2)
    np.testing.assert_allclose(gb, 2 * X * (X + 1) + 2 * (X + 1))


def test_custom_gradient_under_nested_transforms() -> None:
    @ag.custom_gradient
    def cubed(x: Any) -> Any:
        return x**3, lambda g: g * 3 * x**2

    assert ag.grad(ag.grad(cubed))(2.0) == 12.0
    assert ag.jvp(ag.grad(cubed), (2.0,), (1.0,))[1] == 12.0
    assert ag.jvp(cubed, (2.0,), (1.0,))[1] == 12.0
    assert ag.hessian(lambda x: np.sum(cubed(x)))(X[0])[0, 0] == pytest.approx(6 * X[0, 0])


def test_custom_gradient_of_a_wrong_shape_is_refused() -> None:
    @ag.custom_gradient
    def wrong(x: Any) -> Any:
        return x * 1, lambda g: g[:1]

    with pytest.raises(ag.CustomRuleError, match="wrong returned shape"):
        ag.grad(lambda x: np.sum(wrong(x)))(X)


def test_a_rule_may_use_a_transform_without_hiding_an_infinity_from_the_sweep() -> None:
    """The inner sweep is healthy; that must not make the outer one forget that it met 0 * inf."""
    op = ag.define(lambda x: x**2, vjp=lambda g, y, x: g * ag.grad(lambda z: np.sum(z**2))(x), name="square")

    with np.errstate(all="ignore"):
        got = ag.grad(lambda x: np.sum(op(np.where(x > 0, np.log(x), 0.0))))(np.array([2.0, 0.0]))
        np.testing.assert_allclose(got, [np.log(2.0), 0.0], atol=1e-14)
        np.testing.assert_allclose(
            ag.grad(lambda x: np.sum(np.where(op(x) > 0, np.log(op(x)), 0.0)))(np.array([2.0, 0.0])), [1.0, 0.0], atol=1e-14
        )


def test_a_ufunc_as_forward_takes_its_operands_alone() -> None:
    sine = ag.define(np.sin, partials=[lambda y, x: np.cos(x)], name="sine")
    np.testing.assert_allclose(ag.grad(sine)(0.3), np.cos(0.3))


def test_importing_reads_no_signature_of_a_rule() -> None:
    import subprocess
    import sys

    code = "import autograd_np; from autograd_np.op import Op, TABLE; assert not any(o._attrs for o in TABLE.values() if isinstance(o, Op))"
    subprocess.run([sys.executable, "-c", code], check=True)
