"""`autograd_np.scipy.integrate`: differential equations by the adjoint method, integrals of functions and of samples."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from agreement import agrees
from oracles import numeric_gradient

import autograd_np as ag

pytest.importorskip("scipy")
from scipy import integrate as real

from autograd_np.scipy import integrate

TIMES = np.array([0.0, 0.4, 1.0, 1.7])
START = np.array([1.2, 0.7])
TIGHT: dict[str, Any] = {"rtol": 1e-10, "atol": 1e-10}


def predators(t: Any, y: Any, p: Any) -> Any:
    return [p["a"] * y[0] - p["b"] * y[0] * y[1] + 0.1 * np.sin(t), p["c"] * y[0] * y[1] - y[1]]


def solved(module: Any, p: Any, y0: Any, t: Any, method: str = "odeint") -> Any:
    if method == "odeint":
        return module.odeint(predators, y0, t, args=(p,), tfirst=True, **TIGHT)
    return module.solve_ivp(predators, (t[0], t[-1]), y0, method, t_eval=t, args=(p,), **TIGHT).y.T


W = np.random.default_rng(0).normal(size=(4, 2))
P = {"a": 1.1, "b": np.array(0.6), "c": 0.9}


@pytest.mark.parametrize("method", ["odeint", "RK45", "DOP853", "Radau", "BDF", "LSODA"])
def test_gradients_by_parameters_start_and_times(method: str) -> None:
    def loss(a: Any, y0: Any, t: Any, module: Any = integrate) -> Any:
        return np.sum(W * np.sin(solved(module, {**P, "a": a}, y0, t, method)))

    points = (np.array(1.1), START, TIMES)
    assert loss(*points) == loss(*points, module=real)
    found = ag.grad(loss, (0, 1, 2))(*points)
    for n, g in enumerate(found):
        expected = numeric_gradient(lambda *p: loss(*p, module=real), *points, wrt=n, step=0.02)
        np.testing.assert_allclose(g, expected, rtol=2e-6, atol=2e-6 if method != "BDF" else 2e-4)
    moves = (np.array(0.3), np.array([0.5, -1.0]), np.array([0.2, -0.1, 0.4, 0.3]))
    along = sum(np.sum(g * m) for g, m in zip(found, moves, strict=True))
    np.testing.assert_allclose(ag.jvp(loss, points, moves)[1], along, rtol=1e-6 if method != "BDF" else 1e-4)


@pytest.mark.parametrize("method", ["odeint", "DOP853"])
def test_second_order(method: str) -> None:
    def loss(a: Any, y0: Any, t: Any) -> Any:
        return np.sum(W[:3] * np.sin(solved(integrate, {**P, "a": a}, y0, t, method)))

    points = (np.array(1.1), START, TIMES[:3])
    moves = (np.array(0.3), np.array([0.5, -1.0]), np.array([0.2, -0.1, 0.4]))

    def slope(*p: Any) -> Any:
        return sum(np.sum(g * m) for g, m in zip(ag.grad(loss, (0, 1, 2))(*p), moves, strict=True))

    curved = ag.grad(slope, (0, 1, 2))(*points)
    others = (np.array(-0.4), np.array([1.0, 0.3]), np.array([0.1, 0.3, -0.2]))
    along = sum(np.sum(g * m) for g, m in zip(curved, others, strict=True))
    expected = numeric_gradient(lambda t: slope(*(x + t * m for x, m in zip(points, others, strict=True))), np.array(0.0), step=0.02)
    np.testing.assert_allclose(along, expected, rtol=1e-4)
    for a, b in zip(ag.jvp(ag.grad(loss, (0, 1, 2)), points, moves)[1], curved, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4)


def test_what_the_function_closes_over_is_found() -> None:
    def final(k: Any, module: Any = integrate) -> Any:
        params = {"k": [k, 2.0]}

        def rate(y: Any) -> Any:
            return -params["k"][0] * y * params["k"][1]

        def f(y: Any, t: Any) -> Any:
            return rate(y) + np.cos(t) * k

        return module.odeint(f, [1.0], [0.0, 0.5, 1.0], **TIGHT)[-1, 0]

    for k in (0.7, 1.3):
        assert ag.grad(final)(k) == pytest.approx(float(numeric_gradient(lambda k: final(k, real), k)), rel=1e-6)
        assert ag.grad(ag.grad(final))(k) == pytest.approx(float(numeric_gradient(ag.grad(final), k)), rel=1e-5)


def test_what_is_elsewhere_is_refused() -> None:
    class Model:
        def __call__(self, y: Any, t: Any) -> Any:
            return -self.k * y

    def final(k: Any) -> Any:
        model = Model()
        model.k = k  # type: ignore[attr-defined]
        return integrate.odeint(model, [1.0], [0.0, 1.0])[-1, 0]

    with pytest.raises(ag.DifferentiationError, match="pass them in args="):
        ag.grad(final)(1.0)

    def late(k: Any, solve: Any) -> Any:
        held = Model()
        held.k = k  # type: ignore[attr-defined]
        return solve(lambda t, y: -y if t < 0.5 else held(y, t))

    for solve in (
        lambda f: integrate.solve_ivp(f, (0, 1), [1.0]).y[0, -1],
        lambda f: integrate.odeint(f, [1.0], [0.0, 1.0], tfirst=True)[-1, 0],
    ):
        with pytest.raises(ag.DifferentiationError, match="pass them in args="):
            ag.grad(late)(1.0, solve)
    for options in ({"events": lambda t, y: y[0]}, {"dense_output": True}):
        with pytest.raises(ag.NoRowError, match=f"does not cover the argument {next(iter(options))}="):
            ag.grad(lambda k, o=options: integrate.solve_ivp(lambda t, y: -k * y, (0, 1), [1.0], **o).y[0, -1])(1.0)
    with pytest.raises(ag.LeavesNumPyError, match=r"from autograd_np\.scipy\.integrate import odeint"):
        ag.grad(lambda y0: real.odeint(lambda y, t: -y, y0, [0.0, 1.0])[-1, 0])(np.array([1.0]))


def test_without_tensors_it_is_scipys() -> None:
    t = ag.Tensor(1.0, requires_grad=True)  # something could be recorded
    found = integrate.solve_ivp(lambda t, y: -y, (0, 1), [1.0], dense_output=True, events=lambda t, y: y[0] - 0.5)
    assert found.sol(0.5).shape == (1,)
    assert len(found.t_events[0]) == 1
    assert isinstance(integrate.odeint(lambda y, t: -y, [1.0], [0, 1]), np.ndarray)
    assert isinstance(integrate.quad(np.sin, 0, 1)[0], float)
    assert t.grad is None


def test_the_solvers_own_times_and_the_span() -> None:
    def final(span: Any, k: Any, module: Any = integrate) -> Any:
        return module.solve_ivp(lambda t, y: -k * y * np.cos(t), (span[0], span[1]), [1.0, 2.0], **TIGHT).y[1, -1]

    points = (np.array([0.2, 1.5]), np.array(0.8))
    for n, g in enumerate(ag.grad(final, (0, 1))(*points)):
        np.testing.assert_allclose(g, numeric_gradient(lambda *p: final(*p, module=real), *points, wrt=n), rtol=1e-6)


def test_backwards_in_time_repeated_times_and_vectorized() -> None:
    def f(k: Any, module: Any = integrate) -> Any:
        back = module.solve_ivp(lambda t, y: -k * y, (1.0, 0.0), [1.0], t_eval=[1.0, 0.5, 0.0], **TIGHT).y
        flat = module.solve_ivp(lambda t, y: -k * y, (0.0, 1.0), [1.0, 2.0], t_eval=[0.0, 1.0], vectorized=True, method="Radau", **TIGHT).y
        same = module.odeint(lambda y, t: -k * y, 1.0, [0.0, 0.0, 1.0, 1.0, 2.0], **TIGHT)
        return np.sum(back**2) + flat[0, 1] + np.sum(same**2)

    assert ag.grad(f)(0.7) == pytest.approx(float(numeric_gradient(lambda k: f(k, real), 0.7)), rel=1e-6)
    y, info = integrate.odeint(lambda y, t: -y, ag.Tensor([1.0], requires_grad=True), [0.0, 1.0], full_output=True)
    assert y.requires_grad
    assert "nfe" in info


def test_complex_states() -> None:
    def f(h: Any, y0: Any, module: Any = integrate) -> Any:
        y = module.solve_ivp(lambda t, y: -1j * (h @ y), (0, 1.0), y0, t_eval=[0.3, 1.0], **TIGHT).y
        return np.sum(np.abs(y[0]) ** 2 * np.array([1.0, 2.0])) + np.sum(np.real(y[1]))

    points = (np.array([[1.0, 0.4], [0.4, -0.5]]), np.array([1.0 + 0.2j, 0.5j]))
    for n, g in enumerate(ag.grad(f, (0, 1))(*points)):
        np.testing.assert_allclose(g, numeric_gradient(lambda *p: f(*p, module=real), *points, wrt=n), rtol=1e-6, atol=1e-8)


def test_stiff_equations() -> None:
    def robertson(t: Any, y: Any, k: Any) -> Any:
        a, b = k[0] * y[0], k[2] * y[1] * y[2]
        return np.stack([-a + b, a - b - k[1] * y[1] ** 2, k[1] * y[1] ** 2])

    def loss(k: Any, method: str, module: Any = integrate) -> Any:
        how: dict[str, Any] = {"rtol": 1e-9, "atol": 1e-12}
        if method == "odeint":
            return module.odeint(robertson, [1.0, 0.0, 0.0], [0.0, 1.0, 100.0], args=(k,), tfirst=True, **how)[-1, 2]
        return module.solve_ivp(robertson, (0, 100.0), [1.0, 0.0, 0.0], method, t_eval=[1.0, 100.0], args=(k,), **how).y[2, -1]

    k, move = np.array([0.04, 3e7, 1e4]), np.array([1.0, -0.5, 0.7])
    for method in ("odeint", "Radau"):
        g = ag.grad(lambda s, method=method: loss(k * (1 + s * move), method))(0.0)
        expected = numeric_gradient(lambda s, method=method: loss(k * (1 + s * move), method, real), np.array(0.0), step=0.05)
        np.testing.assert_allclose(g, expected, rtol=1e-5)

    def pulled(rate: Any) -> Any:
        return integrate.odeint(lambda y, t: -rate * (y - np.cos(t)), [0.0], [0.0, 2.0])[-1, 0]

    assert ag.grad(pulled)(1e4) == pytest.approx(float(np.sin(2.0)) / 1e8 * -1, rel=1e-2)
    with pytest.raises(ag.DifferentiationError, match=r"comes back|could not be solved"):
        ag.grad(ag.grad(pulled))(1e4)


def test_the_size_of_the_loss_does_not_matter() -> None:
    def final(k: Any) -> Any:
        return integrate.solve_ivp(lambda t, y: -k * y, (0, 1), [1.0], **TIGHT).y[0, -1]

    g = ag.grad(final)(1.0)
    for scale in (1e-30, 1e30):
        assert ag.grad(lambda k, scale=scale: scale * final(k))(1.0) / scale == pytest.approx(float(g), rel=1e-10)


# --- integrals ------------------------------------------------------------------------------------

QUADS: dict[str, Any] = {
    "finite": lambda m, t: m.quad(lambda x, t: np.exp(-t * x) * np.sin(x), 0.0, 2.0, args=(t,)),
    "limits": lambda m, t: m.quad(lambda x: np.sqrt(1 + x * x), t, t**2),
    "reversed": lambda m, t: m.quad(lambda x, t: np.cos(t * x), 2.0, 0.5, t),
    "infinite": lambda m, t: m.quad(lambda x, t: np.exp(-t * x * x), -np.inf, np.inf, args=(t,)),
    "half": lambda m, t: m.quad(lambda x, t: x * np.exp(-t * x), t, np.inf, args=(t,)),
    "other half": lambda m, t: m.quad(lambda x, t: np.exp(t * x), -np.inf, t, args=(t,)),
    "reversed half": lambda m, t: m.quad(lambda x, t: np.exp(-t * x), np.inf, 0.5, args=(t,)),
    "peak": lambda m, t: m.quad(lambda x: 1e-3 / ((x - t) ** 2 + 1e-6), -3, 3),
}


@pytest.mark.parametrize("name", QUADS)
def test_quad(name: str) -> None:
    f = QUADS[name]
    agrees(lambda t: f(integrate, t)[0], lambda t: f(real, t)[0], np.array(1.3), rtol=1e-6)
    assert f(integrate, 1.3) == f(real, 1.3)


def test_quad_finds_what_matters_in_a_part_of_the_range() -> None:
    g = ag.grad(lambda t: integrate.quad(lambda x: x if x < 0.9 else t * x, 0.0, 1.0, limit=100)[0])(2.0)
    assert g == pytest.approx((1 - 0.81) / 2, abs=1e-6)


def test_quad_refuses_what_it_cannot() -> None:
    t: Any = ag.Tensor(1.3, requires_grad=True)
    with pytest.raises(ag.DifferentiationError, match="singular"):
        integrate.quad(lambda x: t * np.log(x), 0.0, 1.0)
    with pytest.warns(real.IntegrationWarning), pytest.raises(ag.DifferentiationError, match="singular"):
        integrate.quad(lambda x: t / np.abs(x - 0.123) ** 0.9, 0.0, 1.0)
    with pytest.raises(ag.NoRowError, match="points="):
        integrate.quad(lambda x: t * x, 0, 1, points=[0.5])


Y, X = np.random.default_rng(1).normal(size=(3, 6)), np.arange(6) + np.random.default_rng(2).uniform(0, 0.5, size=6)


@pytest.mark.parametrize("n", [2, 3, 4, 5, 6])
def test_samples(n: int) -> None:
    for name in ("trapezoid", "simpson", "cumulative_trapezoid"):
        agrees(*(lambda y, x, m=m, name=name: getattr(m, name)(y, x=x) for m in (integrate, real)), Y[:, :n], X[:n])
        agrees(*(lambda y, m=m, name=name: getattr(m, name)(y, dx=0.3, axis=0) for m in (integrate, real)), Y[:, :n].T)
        agrees(
            *(lambda y, x, m=m, name=name: getattr(m, name)(y, x=x, axis=0) for m in (integrate, real)),
            Y[:, :n].T,
            np.cumsum(Y[:, :n].T ** 2 + 0.5, axis=0),
        )
    agrees(*(lambda y, m=m: m.cumulative_trapezoid(y, dx=0.2, initial=0) for m in (integrate, real)), Y[:, :n])


def test_the_adjoint_goes_on_where_no_gradient_arrives() -> None:
    calls = 0

    def end(k: Any, at: Any = (-1,)) -> Any:
        def slope(t: Any, y: Any, k: Any) -> Any:
            nonlocal calls
            calls += 1
            return -k * y + np.cos(t)

        found = integrate.solve_ivp(slope, (0.0, 2.0), [1.0, 0.5], method="Radau", rtol=1e-9, atol=1e-11, args=(k,))
        return sum(np.sum(found.y[:, i]) for i in at)

    end(3.0)
    forwards, calls = calls, 0
    slope = ag.grad(end)(3.0)
    assert calls < 8 * forwards  # and not a new start at each step that was taken forwards
    h = 1e-4
    np.testing.assert_allclose(slope, (end(3.0 + h) - end(3.0 - h)) / (2 * h), rtol=1e-6)
    first = ag.grad(lambda k: end(k, (0,)))(3.0)  # no gradient arrives later than at the start
    assert first == 0
