"""grad, vjp, jvp, jacobian, hessian, hvp: structures, argument numbers, and nesting without confusion."""

from __future__ import annotations

from collections import namedtuple
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import complex_step, numeric_gradient

import autograd_np as ag

Pair = namedtuple("Pair", "first second")
V = np.array([0.4, -1.2, 0.9])
M = np.array([[0.4, -1.2, 0.9], [1.7, 0.3, -0.6]])


def loss(p: Any, x: Any) -> Any:
    return np.sum(np.tanh(p["w"] @ x + p["b"][0]) ** 2) * p["b"][1][0]


PARAMS = {"w": M, "b": [np.array([0.1, -0.2]), (np.array(1.5),)]}


# --- structure ------------------------------------------------------------------------------------


def test_nested_arguments_come_back_in_their_own_structure() -> None:
    value, g = ag.value_and_grad(loss)(PARAMS, V)
    assert not isinstance(value, ag.Tensor)
    assert value == loss(PARAMS, V)
    assert set(g) == {"w", "b"}
    assert isinstance(g["b"], list)
    assert isinstance(g["b"][1], tuple)
    np.testing.assert_allclose(g["w"], complex_step(lambda w: loss({**PARAMS, "w": w}, V), M), rtol=1e-12)
    np.testing.assert_allclose(g["b"][0], complex_step(lambda b: loss({"w": M, "b": [b, (1.5,)]}, V), PARAMS["b"][0]), rtol=1e-12)
    assert g["b"][1][0].shape == ()
    np.testing.assert_allclose(g["b"][1][0], value / 1.5)


def test_named_tuples_and_empty_containers() -> None:
    g = ag.grad(lambda p: np.sum(p.first * p.second[0]))(Pair(V, [V, {}]))
    assert type(g) is Pair
    np.testing.assert_array_equal(g.first, V)
    assert g.second[1] == {}


def test_argument_numbers() -> None:
    def f(a: Any, b: Any, c: Any, *, k: float = 1.0) -> Any:
        return np.sum(a * b**2) * k + np.sum(c)

    ga = ag.grad(f)(V, V + 1, V)
    np.testing.assert_allclose(ga, (V + 1) ** 2)
    np.testing.assert_allclose(ag.grad(f, 1)(V, V + 1, V, k=3.0), 6 * V * (V + 1))
    np.testing.assert_allclose(ag.grad(f, -1)(V, V, V), 1)
    both = ag.grad(f, (2, 0))(V, V + 1, V)
    assert isinstance(both, tuple)
    np.testing.assert_array_equal(both[0], 1)
    np.testing.assert_array_equal(both[1], ga)
    assert isinstance(ag.grad(f, (0,))(V, V, V), tuple)
    with pytest.raises(TypeError, match=r"argnums=5.*3 positional"):
        ag.grad(f, 5)(V, V, V)


def test_arguments_that_are_not_differentiated_are_passed_as_they_are() -> None:
    seen = []

    def f(x: Any, flag: Any, n: Any) -> Any:
        seen.append((flag, n))
        return np.sum(x * n)

    marker = object()
    ag.grad(f)(V, marker, np.arange(3))
    assert seen[0][0] is marker
    assert isinstance(seen[0][1], np.ndarray)


def test_results_are_plain_arrays_of_the_input_dtype() -> None:
    for dtype in (np.float32, np.float64):
        x = V.astype(dtype)
        out, pullback = ag.vjp(lambda z: {"y": z * 2, "s": [np.sum(z)]}, x)
        assert set(out) == {"y", "s"}
        assert isinstance(out["y"], np.ndarray)
        pulled = pullback({"y": np.ones_like(x), "s": [np.ones((), dtype)]})
        assert isinstance(pulled, tuple)
        assert type(pulled[0]) is np.ndarray
        assert pulled[0].dtype == dtype
        np.testing.assert_array_equal(pulled[0], 3)
        for result in (
            ag.grad(np.sum)(x),
            ag.jvp(np.sin, (x,), (x,))[1],
            ag.jacobian(np.sin)(x),
            ag.hessian(lambda z: np.sum(z**3))(x),
            ag.hvp(np.sum, x, x),
        ):
            assert type(result) is np.ndarray
            assert result.dtype == dtype


def test_gradients_alias_neither_arguments_nor_each_other() -> None:
    seed = np.ones(3)
    _, pullback = ag.vjp(lambda a, b: a + b, V, V)
    ga, gb = pullback(seed)
    for x, y in ((ga, gb), (ga, V), (ga, seed), (gb, seed)):
        assert not np.shares_memory(x, y)
    out, _ = ag.vjp(lambda a: a, V)
    t = ag.jvp(lambda a: a, (V,), (seed,))[1]
    np.testing.assert_array_equal(out, V)
    np.testing.assert_array_equal(t, seed)


@pytest.mark.parametrize(
    "f",
    [
        lambda v: v,
        lambda v: v[1:],
        lambda v: v.reshape(3, 1),
        lambda v: v.T,
        lambda v: np.broadcast_to(v, (2, 3)),
        lambda v: [v, v[:1]],
        np.positive,
    ],
    ids=["itself", "part", "reshaped", "transposed", "broadcast", "several", "copied"],
)
def test_what_a_transform_returns_is_memory_of_its_own(f: Any) -> None:
    x, t = V.copy(), np.ones(3)
    leaves = lambda tree: tree if isinstance(tree, list) else [tree]  # noqa: E731
    out, tangent = ag.jvp(f, (x,), (t,))
    value, pullback = ag.vjp(f, x)
    seed = [np.ones(np.shape(a)) for a in leaves(value)]
    (g,) = pullback(seed if isinstance(value, list) else seed[0])
    for a in (*leaves(out), *leaves(tangent), *leaves(value), g):
        assert not any(np.shares_memory(a, b) for b in (x, t, *seed))
        assert a.flags.writeable


def test_the_pullback_can_be_called_again() -> None:
    _, pullback = ag.vjp(lambda x: np.exp(x) * x, V)
    (first,) = pullback(np.ones(3))
    (second,) = pullback(2 * np.ones(3))
    (third,) = pullback(np.ones(3))
    np.testing.assert_array_equal(second, 2 * first)
    np.testing.assert_array_equal(third, first)
    assert not np.shares_memory(first, third)


def test_outputs_that_do_not_depend_on_the_input() -> None:
    assert ag.grad(lambda x: 3.0)(1.0) == 0
    np.testing.assert_array_equal(ag.grad(lambda x: np.sum(V))(V), 0)
    np.testing.assert_array_equal(ag.jacobian(lambda x: V)(V), np.zeros((3, 3)))
    _, t = ag.jvp(lambda x: (x * 2, V), (V,), (V,))
    np.testing.assert_array_equal(t[1], 0)
    np.testing.assert_array_equal(t[0], 2 * V)
    np.testing.assert_array_equal(ag.vjp(lambda x: (x, V), V)[1]((V, V))[0], V)
    np.testing.assert_array_equal(ag.grad(lambda x: np.sum(np.floor(x)))(V), 0)
    np.testing.assert_array_equal(ag.hessian(lambda x: np.sum(x * V))(V), np.zeros((3, 3)))


def test_the_same_array_as_two_arguments_has_two_gradients() -> None:
    ga, gb = ag.grad(lambda a, b: np.sum(a * b**2), (0, 1))(V, V)
    np.testing.assert_allclose(ga, V**2)
    np.testing.assert_allclose(gb, 2 * V * V)


def test_one_result_twice_in_the_output() -> None:
    def f(x: Any) -> Any:
        y = x * 2
        return y, y

    (g,) = ag.vjp(f, V)[1]((np.ones(3), 10 * np.ones(3)))
    np.testing.assert_array_equal(g, 22)


# --- linearize ------------------------------------------------------------------------------------


def test_linearize_runs_the_function_once() -> None:
    runs = []

    def f(p: Any, x: Any, *, power: int) -> Any:
        runs.append(1)
        return {"y": np.tanh(p["w"] @ x) ** power, "s": [np.sum(x)]}

    p, x = {"w": M}, V
    out, push = ag.linearize(f, p, x, power=2)
    rng = np.random.default_rng(0)
    for _ in range(3):
        t = ({"w": rng.normal(size=M.shape)}, rng.normal(size=3))
        expected_out, expected = ag.jvp(lambda p, x: f(p, x, power=2), (p, x), t)
        moved = push(*t)
        np.testing.assert_array_equal(out["y"], expected_out["y"])
        np.testing.assert_allclose(moved["y"], expected["y"], rtol=1e-14)
        np.testing.assert_allclose(moved["s"][0], expected["s"][0], rtol=1e-14)
        assert not isinstance(moved["y"], ag.Tensor)
    assert len(runs) == 4  # linearize ran it once, each jvp once


def test_linearize_transposes_vjp_and_nests() -> None:
    _, push = ag.linearize(np.outer, V, V)
    _, pullback = ag.vjp(np.outer, V, V)
    w = np.arange(9.0).reshape(3, 3)
    left = np.sum(w * push(V, M[0]))
    np.testing.assert_allclose(left, np.sum(pullback(w)[0] * V) + np.sum(pullback(w)[1] * M[0]))
    second = ag.jacobian(lambda x: ag.linearize(lambda z: np.sum(z**3), x)[1](V))(M[0])
    np.testing.assert_allclose(second, 6 * M[0] * V)
    along = ag.grad(lambda t: ag.linearize(np.sin, 0.5)[1](t) ** 2)(3.0)
    assert along == pytest.approx(6 * np.cos(0.5) ** 2)


def test_linearize_refuses_other_tangents() -> None:
    _, push = ag.linearize(lambda p: p["a"] * p["b"], {"a": V, "b": V})
    with pytest.raises(ag.DifferentiationError, match="2 tangents for 1 primals"):
        push({"a": V, "b": V}, V)
    with pytest.raises(ag.DifferentiationError, match="1 tangent arrays for 2"):
        push({"a": V})
    with pytest.raises(ag.DifferentiationError, match=r"linearize\(<lambda>\).*shape \(2,\)"):
        push({"a": V, "b": V[:2]})
    with pytest.raises(ag.DifferentiationError, match=r"linearize\(sin\) needs floats, got int"):
        ag.linearize(np.sin, np.arange(3))


# --- Jacobians and Hessians -----------------------------------------------------------------------


def wide(x: Any) -> Any:
    return np.stack([np.sum(x**2), np.prod(x)])


def tall(x: Any) -> Any:
    return np.concatenate([x, x * x, np.sin(x)])


@pytest.mark.parametrize(
    "f", [wide, tall, lambda x: np.outer(x, x), lambda x: np.sum(x), lambda x: x[1]], ids=["wide", "tall", "outer", "scalar", "element"]
)
def test_jacobian_by_rows_and_by_columns(f: Any) -> None:
    j = ag.jacobian(f)(V)
    assert j.shape == (*np.shape(f(V)), 3)
    for i in np.ndindex(*np.shape(f(V))):
        np.testing.assert_allclose(j[i], numeric_gradient(lambda z, i=i: f(z)[i], V), rtol=1e-8, atol=1e-10)


def test_jacobian_of_structures() -> None:
    j = ag.jacobian(lambda p: {"a": p["x"] * p["s"], "b": np.sum(p["x"])})({"x": V, "s": np.array(2.0)})
    np.testing.assert_allclose(j["a"]["x"], 2 * np.eye(3))
    np.testing.assert_allclose(j["a"]["s"], V)
    np.testing.assert_allclose(j["b"]["x"], 1)
    assert j["b"]["s"].shape == ()
    two = ag.jacobian(lambda a, b: np.outer(a, b), (0, 1))(V, M[0])
    assert isinstance(two, tuple)
    assert two[0].shape == (3, 3, 3)


def test_jacobian_of_matrices_and_empty_arrays() -> None:
    j = ag.jacobian(lambda x: x.T)(M)
    np.testing.assert_array_equal(np.einsum("ijkl,kl->ij", j, M), M.T)
    assert ag.jacobian(lambda x: x * 2)(np.zeros((0, 2))).shape == (0, 2, 0, 2)
    assert ag.jacobian(lambda x: np.sum(x))(np.zeros(0)).shape == (0,)
    assert ag.jacobian(lambda x: x[:0])(V).shape == (0, 3)


def test_hessian_against_numeric_and_symmetry() -> None:
    def f(x: Any) -> Any:
        return np.sum(np.exp(x) * np.sin(x[::-1])) + np.prod(x)

    h = ag.hessian(f)(V)
    np.testing.assert_allclose(h, h.T, rtol=1e-12)
    for i in range(3):
        np.testing.assert_allclose(h[i], numeric_gradient(lambda z, i=i: ag.grad(f)(z)[i], V), rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(ag.hvp(f, V, V), h @ V, rtol=1e-12)
    np.testing.assert_allclose(ag.hvp(f, (V,), (V,))[0], h @ V, rtol=1e-12)


def test_hessian_blocks_of_structures() -> None:
    h = ag.hessian(lambda p: np.sum(p["a"] ** 2) * p["b"])({"a": V, "b": np.array(2.0)})
    np.testing.assert_allclose(h["a"]["a"], 4 * np.eye(3))
    np.testing.assert_allclose(h["a"]["b"], 2 * V)
    np.testing.assert_allclose(h["b"]["a"], 2 * V)
    assert h["b"]["b"] == 0
    blocks = ag.hessian(lambda a, b: np.sum(a * b), (0, 1))(V, V)
    np.testing.assert_array_equal(blocks[0][1], np.eye(3))
    np.testing.assert_array_equal(blocks[0][0], 0)


def test_hvp_of_several_arguments_and_structures() -> None:
    def f(p: Any, x: Any) -> Any:
        return np.sum(np.tanh(p["w"] @ x)) ** 2

    v = ({"w": np.ones_like(M)}, V)
    got = ag.hvp(f, ({"w": M}, V), v)

    def slope(t: float) -> Any:
        return ag.grad(f, (0, 1))({"w": M + t * v[0]["w"]}, V + t * V)

    step = 1e-5
    ahead, behind = slope(step), slope(-step)
    np.testing.assert_allclose(got[0]["w"], (ahead[0]["w"] - behind[0]["w"]) / (2 * step), rtol=1e-6)
    np.testing.assert_allclose(got[1], (ahead[1] - behind[1]) / (2 * step), rtol=1e-6)


# --- nesting --------------------------------------------------------------------------------------


def test_perturbation_confusion_classics() -> None:
    d = ag.grad
    assert d(lambda x: x * d(lambda y: x + y)(1.0))(1.0) == 1.0
    assert d(lambda x: x * d(lambda y: x * y)(2.0))(3.0) == 6.0
    assert d(lambda x: d(lambda y: d(lambda z: x * y * z)(1.0))(1.0))(1.0) == 1.0
    assert d(lambda x: x * d(lambda y: y * d(lambda z: x * y * z)(3.0))(2.0))(5.0) == pytest.approx(2 * 5 * 2 * 2)


def _jvp1(f: Any) -> Any:
    return lambda x: ag.jvp(f, (x,), (np.ones_like(x),))[1]


@pytest.mark.parametrize("outer", [ag.grad, _jvp1], ids=["reverse", "forward"])
@pytest.mark.parametrize("inner", [ag.grad, _jvp1], ids=["reverse", "forward"])
def test_perturbation_confusion_in_every_mixture_of_modes(outer: Any, inner: Any) -> None:
    one = np.array(1.0)
    assert outer(lambda x: x * inner(lambda y: x + y)(one))(one) == 1.0
    assert outer(lambda x: x * inner(lambda y: x * y * y)(x))(np.array(2.0)) == pytest.approx(6 * 4)  # x * 2x^2
    assert inner(outer(np.sin))(np.array(0.5)) == pytest.approx(-np.sin(0.5))
    assert outer(lambda x: inner(lambda y: np.exp(x * y))(x))(np.array(0.7)) == pytest.approx(
        np.exp(0.49) * (1 + 2 * 0.49), rel=1e-12
    )  # d/dx x exp(x^2)


@pytest.mark.parametrize("order", range(1, 6))
def test_high_orders(order: int) -> None:
    f: Any = np.sin
    for _ in range(order):
        f = ag.grad(f)
    expected = [np.sin, np.cos, lambda x: -np.sin(x), lambda x: -np.cos(x)][order % 4](0.3)
    assert f(0.3) == pytest.approx(expected, rel=1e-12)
    g: Any = lambda x: 1 / x  # noqa: E731
    for _ in range(order):
        g = _jvp1(g)
    assert g(np.array(2.0)) == pytest.approx((-1) ** order * np.prod(np.arange(1, order + 1)) / 2 ** (order + 1))


def test_a_closure_over_an_outer_tensor_stays_differentiable() -> None:
    w = ag.Tensor([1.0, 2.0, 3.0], requires_grad=True)
    inner = ag.grad(lambda x: np.sum(w * x**2))(V)
    assert isinstance(inner, ag.Tensor)
    np.testing.assert_allclose(inner.data, 2 * w.data * V)
    np.sum(inner**2).backward()
    np.testing.assert_allclose(w.grad, 8 * w.data * V**2)


@pytest.mark.parametrize("kind", ["value_and_grad", "vjp", "jvp", "jacobian", "hessian", "hvp"])
def test_every_transform_over_an_outer_tensor(kind: str) -> None:
    w = ag.Tensor(2.0, requires_grad=True)

    def f(x: Any) -> Any:
        return np.sum(w**2 * x**3)

    x = np.array([1.0, 2.0])
    result = {
        "value_and_grad": lambda: np.sum(ag.value_and_grad(f)(x)[1]) + 0 * ag.value_and_grad(f)(x)[0],
        "vjp": lambda: np.sum(ag.vjp(f, x)[1](np.array(1.0))[0]),
        "jvp": lambda: ag.jvp(f, (x,), (np.ones(2),))[1],
        "jacobian": lambda: np.sum(ag.jacobian(f)(x)),
        "hessian": lambda: np.sum(ag.hessian(f)(x)),
        "hvp": lambda: np.sum(ag.hvp(f, x, np.ones(2))),
    }[kind]()
    assert isinstance(result, ag.Tensor)
    result.backward()
    total = np.sum(6 * x) if kind in ("hessian", "hvp") else np.sum(3 * x**2)
    assert w.grad == pytest.approx(2 * 2.0 * total)


def test_transforming_at_a_tensor_keeps_its_graph() -> None:
    x = ag.Tensor([0.5, 1.5], requires_grad=True)
    g = ag.grad(lambda z: np.sum(z**3))(x)
    assert isinstance(g, ag.Tensor)
    np.sum(g).backward()
    np.testing.assert_allclose(x.grad, 6 * x.data)
    x.grad = None
    t = ag.jvp(lambda z: z**3, (np.array([1.0, 2.0]),), (x,))[1]
    np.sum(t).backward()
    np.testing.assert_allclose(x.grad, [3.0, 12.0])


def test_a_cotangent_that_is_a_tensor() -> None:
    g = ag.Tensor([1.0, 2.0], requires_grad=True)
    (pulled,) = ag.vjp(np.sin, np.array([0.1, 0.2]))[1](g)
    np.sum(pulled).backward()
    np.testing.assert_allclose(g.grad, np.cos([0.1, 0.2]))


def test_grad_inside_no_grad_still_works() -> None:
    with ag.no_grad():
        assert ag.grad(lambda x: x**2)(3.0) == 6.0
        assert ag.hessian(lambda x: x**3)(2.0) == 12.0
        assert ag.grad(lambda x: ag.grad(lambda y: x * y**2)(3.0))(5.0) == 6.0
        assert ag.jvp(np.sin, (0.0,), (1.0,))[1] == 1.0


def test_no_grad_inside_grad_cuts() -> None:
    def f(x: Any) -> Any:
        with ag.no_grad():
            c = x * 2
        return c * x

    assert ag.grad(f)(3.0) == 6.0
    assert ag.jvp(f, (3.0,), (1.0,))[1] == 6.0
    assert ag.grad(lambda x: ag.grad(f)(x))(3.0) == 0.0  # grad f is c, a constant


def test_a_closure_over_a_tensor_inside_no_grad_is_a_constant() -> None:
    w = ag.Tensor(2.0, requires_grad=True)
    with ag.no_grad():
        g = ag.grad(lambda x: w * x**2)(3.0)
    assert not getattr(g, "requires_grad", False)
    assert float(g if not isinstance(g, ag.Tensor) else g.data) == 12.0


def test_backward_inside_a_transform() -> None:
    """An eager graph made inside a transformed function belongs to itself."""

    def f(x: Any) -> Any:
        w = ag.Tensor(3.0, requires_grad=True)
        (w * w).backward()
        return x * w.grad

    assert ag.grad(f)(2.0) == 6.0


def test_an_escaped_tensor_is_refused() -> None:
    kept: list[Any] = []

    def f(x: Any) -> Any:
        kept.append(x * 2)
        return np.sum(x)

    ag.grad(f)(V)
    with pytest.raises(ag.DifferentiationError, match="escaped"):
        kept[0] * 2
    with pytest.raises(ag.DifferentiationError, match="escaped"):
        np.sum(kept[0])


def test_an_escaped_tensor_does_not_enter_another_transform() -> None:
    kept: list[Any] = []

    def f(x: Any) -> Any:
        if kept:
            return np.sum(x * kept[0])
        kept.append(x)
        return np.sum(x)

    g = ag.grad(f)
    g(V)
    with pytest.raises(ag.DifferentiationError, match="escaped"):
        g(V)


def test_a_function_that_raises_leaves_no_trace() -> None:
    def f(x: Any) -> Any:
        raise RuntimeError("mine")

    for transform in (ag.grad(f), lambda x: ag.vjp(f, x), lambda x: ag.jvp(f, (x,), (x,)), ag.jacobian(f), lambda x: ag.trace(f, x)):
        with pytest.raises(RuntimeError, match="mine"):
            transform(V)
    assert ag.grad(lambda x: x * x)(3.0) == 6.0


def test_transforms_of_numpys_own_functions_and_of_callables() -> None:
    class Model:
        def __call__(self, x: Any) -> Any:
            return np.sum(x**2)

    np.testing.assert_array_equal(ag.grad(Model())(V), 2 * V)
    np.testing.assert_array_equal(ag.grad(np.sum)(V), 1)
    assert ag.grad(max)(2.0, 1.0) == 1.0
    with pytest.raises(ag.DifferentiationError, match="Model"):
        ag.grad(type("Model", (), {"__call__": lambda self, x: x})())(V)


def test_python_control_flow_is_followed() -> None:
    def f(x: Any) -> Any:
        y = x
        while y < 100:
            y = y * x
        return y if y > 0 else -y

    assert ag.grad(f)(3.0) == 5 * 3.0**4
    assert ag.grad(ag.grad(f))(3.0) == 20 * 3.0**3


def test_newton_inside_a_gradient() -> None:
    """An implicit computation: the square root by Newton's method, differentiated through its steps."""

    def root(a: Any) -> Any:
        x = np.ones_like(a)
        for _ in range(20):
            x = x - (x * x - a) / ag.grad(lambda z: np.sum(z * z))(x)
        return x

    assert ag.grad(root)(np.array(2.0)) == pytest.approx(0.5 / np.sqrt(2), rel=1e-12)
    assert ag.grad(ag.grad(root))(np.array(2.0)) == pytest.approx(-0.25 * 2**-1.5, rel=1e-9)


@given(st.lists(st.floats(-2, 2), min_size=1, max_size=4), st.integers(0, 3))
def test_reverse_equals_forward_equals_complex_step(values: list[float], which: int) -> None:
    x = np.array(values)
    f = [
        lambda z: np.sum(np.sin(z) * np.exp(-z * z)),
        lambda z: np.prod(z + 3) / np.sum(z * z + 1),
        lambda z: np.mean((z - np.mean(z)) ** 2) + np.sum(np.outer(z, z)),
        lambda z: np.sum(np.cumsum(z) ** 3 @ np.ones(len(values))),
    ][which]
    g = ag.grad(f)(x)
    np.testing.assert_allclose(g, complex_step(f, x), rtol=1e-11, atol=1e-11)
    forward = [ag.jvp(f, (x,), (unit,))[1] for unit in np.eye(len(values))]
    np.testing.assert_allclose(forward, g, rtol=1e-11, atol=1e-11)


def test_numpy_scalars_of_any_float_type_are_arguments() -> None:
    for kind in (np.float32, np.float64, np.float16):
        value, g = ag.value_and_grad(lambda x: x * x)(kind(3))
        assert (value, g, g.dtype) == (9, 6, np.dtype(kind))
    with pytest.raises(ag.DifferentiationError, match="needs floats, got int32"):
        ag.grad(lambda x: x * x)(np.int32(3))


# --- ownership ------------------------------------------------------------------------------------

PASSES_ON = {
    "the argument": lambda x: x, "a view": lambda x: x[1:], "reshaped": lambda x: np.reshape(x, (3, 1)), "transposed": lambda x: x.T,
    "broadcast": lambda x: np.broadcast_to(x, (2, 3)), "squeezed": np.squeeze,
    "plus a constant": lambda x: x + 1.0, "positive": np.positive,
    "twice": lambda x: (x, x), "ravelled": np.ravel, "real": np.real, "raised": np.atleast_2d, "split": lambda x: np.split(x, 3),
    "where": lambda x: np.where(True, x, 0),
}  # fmt: skip


@pytest.mark.parametrize("f", PASSES_ON.values(), ids=PASSES_ON)
def test_what_a_transform_returns_shares_no_memory_with_what_it_was_given(f: Any) -> None:
    x, t = np.ones(3), np.ones(3)

    def arrays(out: Any) -> list[Any]:
        return [a for part in out for a in arrays(part)] if isinstance(out, list | tuple) else [out]

    out, tangent = ag.jvp(f, (x,), (t,))
    value, pullback = ag.vjp(f, x)
    seed = [np.ones_like(v) for v in value] if isinstance(value, list | tuple) else np.ones_like(value)
    pulled = pullback(type(value)(seed) if isinstance(seed, list) else seed)

    def loss(x: Any) -> Any:
        return sum(np.sum(a) for a in arrays(f(x)))

    given = [x, t, *arrays(seed)]
    for got in arrays(
        [out, tangent, value, pulled, ag.jacobian(f)(x), ag.value_and_grad(loss)(x), ag.hvp(loss, (x,), (t,)), ag.hessian(loss)(x)]
    ):
        assert isinstance(got, np.ndarray | np.generic)
        assert not any(np.shares_memory(got, a) for a in given)
        assert isinstance(got, np.generic) or got.flags.writeable
    one = np.ones((1,))[0:1].reshape(())
    assert not np.shares_memory(ag.value_and_grad(lambda v: v.reshape(()))(one)[0], one)


def test_parameters_may_be_changed_before_the_pullback_is_called() -> None:
    params = {"b": np.ones(2), "a": np.ones(2)}
    _, pullback = ag.vjp(lambda p: np.sum(p["a"] * p["b"] ** 2), params)
    params.pop("a")
    params["c"] = np.zeros(1)
    (g,) = pullback(np.float64(1.0))
    assert list(g) == ["b", "a"]
    np.testing.assert_array_equal(g["b"], [2.0, 2.0])
