"""`ag.implicit`: solutions differentiated through the condition that they fulfil, to any order, whatever found them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from oracles import directional

import autograd_np as ag


def _newton(f: Any, x: Any, *params: Any) -> Any:
    """Solve f(x, *params) = 0 for a vector x, with differences."""
    x = np.array(x, dtype=complex if np.iscomplexobj(x) else float)
    for _ in range(60):
        r = f(x, *params)
        h = 1e-7
        j = np.stack([(f(x + h * e, *params) - r) / h for e in np.eye(len(x))], axis=1)
        x = x - np.linalg.solve(j, r)
    return x


def _curve(x: Any, a: Any, b: Any) -> Any:
    return np.stack([x[0] ** 3 + a * x[1] - b[0], np.exp(x[0]) * x[1] - b[1] + a])


SOLVE = ag.implicit(lambda a, b: _newton(_curve, [1.0, 1.0], a, b), _curve)
POINT = (np.array(0.7), np.array([1.5, 2.5]))


def test_the_gradient_is_that_of_the_solution_to_any_order() -> None:
    def loss(a: Any, b: Any) -> Any:
        x = SOLVE(a, b)
        return np.sum(np.sin(x) * np.array([1.0, 2.0])) + a * b[0]

    f: Any = lambda t: loss(POINT[0] + t, POINT[1] + t * np.array([0.5, -1.0]))  # noqa: E731
    engine = f
    for order in range(4):
        expected, error = directional(lambda t, engine=engine: engine(t))
        engine = ag.grad(engine)
        found = engine(0.0)
        assert abs(found - expected) < 1e-6 * max(1, abs(expected)) + 10 * error, f"order {order + 1}"
    np.testing.assert_allclose(ag.jvp(f, (0.0,), (1.0,))[1], ag.grad(f)(0.0), rtol=1e-10)
    np.testing.assert_allclose(ag.jvp(ag.grad(f), (0.0,), (1.0,))[1], ag.grad(ag.grad(f))(0.0), rtol=1e-10)
    np.testing.assert_allclose(ag.grad(lambda t: ag.jvp(f, (t,), (1.0,))[1])(0.0), ag.grad(ag.grad(f))(0.0), rtol=1e-10)


def test_the_value_is_what_solve_returned() -> None:
    plain = SOLVE(*POINT)
    assert isinstance(plain, np.ndarray)
    found = SOLVE(ag.Tensor(POINT[0], requires_grad=True), POINT[1])
    np.testing.assert_array_equal(found.data, plain)
    rough = ag.implicit(lambda a: 2.0001, lambda x, a: x * x - a)
    value, slope = ag.value_and_grad(rough)(4.0)
    assert value == 2.0001
    assert slope == pytest.approx(1 / (2 * 2.0001))


def test_backward_into_leaves_and_no_grad() -> None:
    a = ag.Tensor(POINT[0], requires_grad=True)
    np.sum(SOLVE(a, POINT[1])).backward()
    np.testing.assert_allclose(a.grad, ag.grad(lambda a: np.sum(SOLVE(a, POINT[1])))(POINT[0]))
    with ag.no_grad():
        assert not isinstance(SOLVE(a, POINT[1]), ag.Tensor)


def test_containers_and_scalars() -> None:
    def solve(p: Any) -> Any:
        return {"x": np.sqrt(p["a"]), "y": [p["a"] * p["b"]]}

    def condition(s: Any, p: Any) -> Any:
        return [s["x"] ** 2 - p["a"], s["y"][0] - p["a"] * p["b"]]

    def loss(p: Any) -> Any:
        s = ag.implicit(solve, condition)(p)
        return np.sum(s["x"]) + np.sum(s["y"][0] ** 2)

    p = {"a": np.array([1.0, 4.0]), "b": 3.0}
    g = ag.grad(loss)(p)
    np.testing.assert_allclose(g["a"], [0.5 + 18, 0.25 + 72])
    np.testing.assert_allclose(g["b"], 2 * 3 * 17)


def test_what_the_condition_closes_over_is_followed() -> None:
    def outer(a: Any) -> Any:
        root = ag.implicit(lambda: np.sqrt(ag.stop_gradient(a)), lambda x: x * x - a)
        return root()

    assert ag.grad(outer)(4.0) == pytest.approx(0.25)
    assert ag.grad(ag.grad(outer))(4.0) == pytest.approx(-1 / 32)


def test_complex_unknowns() -> None:
    def solve(a: Any) -> Any:
        return np.sqrt(a)

    root = ag.implicit(solve, lambda z, a: z * z - a)
    a = np.array([1.0 + 2j, -3.0 + 0.5j])
    for part in (np.real, np.imag):
        expected = ag.grad(lambda a, part=part: np.sum(part(np.sqrt(a)) ** 2))(a)
        np.testing.assert_allclose(ag.grad(lambda a, part=part: np.sum(part(root(a)) ** 2))(a), expected)
    modulus = ag.implicit(lambda a: a / np.sqrt(np.abs(a)), lambda z, a: z * np.abs(z) - a)  # not holomorphic
    w = np.array([1.0, 2.0])
    expected = ag.grad(lambda a: np.sum(w * np.real(a / np.sqrt(np.abs(a)))))(a)
    np.testing.assert_allclose(ag.grad(lambda a: np.sum(w * np.real(modulus(a))))(a), expected)


def test_single_precision_is_kept() -> None:
    root = ag.implicit(np.sqrt, lambda x, a: x * x - a)
    value, g = ag.value_and_grad(lambda a: np.sum(root(a)))(np.array([1.0, 4.0], np.float32))
    assert value.dtype == g.dtype == np.float32
    np.testing.assert_allclose(g, [0.5, 0.25], rtol=1e-5)


def test_without_a_matrix() -> None:
    rng = np.random.default_rng(0)
    n = 30
    k = rng.normal(size=(n, n)) * 0.1

    def condition(x: Any, b: Any) -> Any:
        return x + np.tanh(k @ x) - b

    def solve(b: Any) -> Any:
        x = np.zeros(n)
        for _ in range(200):
            x = b - np.tanh(k @ x)
        return x

    calls = []

    def richardson(matvec: Any, b: Any) -> Any:
        calls.append(1)
        z = np.zeros_like(b)
        for _ in range(200):
            z = z + 0.7 * (b - matvec(z))
        return z

    free, whole = ag.implicit(solve, condition, linear_solve=richardson), ag.implicit(solve, condition)
    b = rng.normal(size=n)
    for f in (lambda b, s: np.sum(s(b) ** 3), lambda b, s: np.sum(ag.grad(lambda b: np.sum(s(b) ** 3))(b) * np.arange(n))):
        np.testing.assert_allclose(ag.grad(lambda b, f=f: f(b, free))(b), ag.grad(lambda b, f=f: f(b, whole))(b), rtol=1e-8)
    assert calls


def test_badly_scaled_equations_are_not_singular() -> None:
    root = ag.implicit(
        lambda a: np.array([a * 1e-12, a * 1e9]), lambda x, a: np.stack([1e15 * (x[0] - a * 1e-12), 1e-20 * (x[1] - a * 1e9)])
    )
    np.testing.assert_allclose(ag.jacobian(root)(2.0), [1e-12, 1e9])


def test_what_has_no_derivative_is_refused() -> None:
    with pytest.raises(ag.DifferentiationError, match="singular there"):
        ag.grad(ag.implicit(lambda a: 0.0 * a, lambda x, a: x * x - a))(0.0)
    with pytest.raises(ag.DifferentiationError, match="does not hold at the solution"):
        ag.grad(ag.implicit(lambda a: 1.0, lambda x, a: x * x - a))(4.0)
    with pytest.raises(ag.DifferentiationError, match="is not finite"):
        ag.grad(ag.implicit(lambda a: np.nan, lambda x, a: x * x - a))(4.0)
    with pytest.raises(ag.DifferentiationError, match="2 real numbers for 1 unknown"):
        ag.grad(ag.implicit(np.sqrt, lambda x, a: np.stack([x * x - a, x])))(4.0)
    with pytest.raises(ag.DifferentiationError, match="floats or complex"):
        ag.grad(ag.implicit(lambda a: 2, lambda x, a: x * x - a))(4.0)
    with pytest.raises(ag.DifferentiationError, match="pass them as arguments"):
        ag.grad(lambda a: ag.implicit(lambda: 2.0, lambda x: x * x - a, linear_solve=lambda f, b: b / 4)())(4.0)
    assert ag.grad(ag.implicit(lambda a: 2.1, lambda x, a: x * x - a, tolerance=0.1))(4.0) == pytest.approx(1 / 4.2)
