"""Solutions of SciPy's solvers, differentiated through the implicit function theorem: `autograd_np.scipy.optimize`."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
from oracles import directional

import autograd_np as ag

pytest.importorskip("scipy")
from scipy import optimize as real

from autograd_np.scipy import optimize

A = np.array([1.3, 0.4])


def rosen(x: Any, a: Any, b: Any) -> Any:
    return (a - x[0]) ** 2 + b * (x[1] - x[0] ** 2) ** 2


def curve(x: Any, a: Any) -> Any:
    return np.stack([x[0] ** 3 + x[1] - a[0], np.exp(x[0]) * x[1] - a[1]])


def check(f: Any, *points: float, rtol: float = 1e-6, second: bool = True) -> None:
    """Hold the first two derivatives of a function of a number to differences of SciPy's solutions."""
    for t in points:
        found = ag.grad(f)(t)
        expected, error = directional(lambda h, t=t: float(f(t + h)), step=0.05)
        assert abs(found - expected) < rtol * max(1, abs(expected)) + 20 * error, f"{found} against {expected} ± {error}"
        np.testing.assert_allclose(ag.jvp(f, (t,), (1.0,))[1], found, rtol=1e-9)
        if second:
            found = ag.grad(ag.grad(f))(t)
            expected, error = directional(lambda h, t=t: float(ag.grad(f)(t + h)), step=0.05)
            assert abs(found - expected) < 10 * rtol * max(1, abs(expected)) + 20 * error, f"{found} against {expected} ± {error}"


@pytest.mark.parametrize("method", ["hybr", "lm", "krylov"])
def test_root(method: str) -> None:
    def f(t: Any) -> Any:
        found = optimize.root(curve, [1.0, 1.0], args=(np.stack([t, t]),), method=method, tol=1e-10)
        return np.sum(found.x * np.array([1.0, 2.0]))

    check(f, 1.4, rtol=1e-5)
    found = optimize.root(curve, [1.0, 1.0], args=(A,), method=method)
    expected = real.root(curve, [1.0, 1.0], args=(A,), method=method)
    np.testing.assert_array_equal(found.x, expected.x)
    assert isinstance(found.x, np.ndarray)


def test_root_with_a_jacobian_and_closed_over() -> None:
    def f(t: Any) -> Any:
        return optimize.root(lambda x: (x**3 - t, np.diag(3 * x**2)), np.array([1.0, 2.0]), jac=True).x[1]

    check(f, 2.0)
    t = ag.Tensor(8.0, requires_grad=True)
    found = optimize.root(lambda x: x**3 - t, [1.0])
    found.x[0].backward()
    assert t.grad == pytest.approx(1 / 12)
    assert found.success


@pytest.mark.parametrize("name", ["brentq", "brenth", "bisect", "ridder", "toms748"])
def test_brackets(name: str) -> None:
    def f(t: Any) -> Any:
        return getattr(optimize, name)(lambda x, t: np.cos(x) - t * x, 0.0, 2.0, (t,), xtol=1e-13)

    check(f, 0.8, rtol=1e-5)
    root, info = getattr(optimize, name)(lambda x, t: x**2 - t, 0.0, 2.0, args=ag.Tensor(2.0, requires_grad=True), full_output=True)
    assert root.requires_grad
    assert info.converged
    assert getattr(optimize, name)(lambda x: x**2 - 2, 0, 2) == getattr(real, name)(lambda x: x**2 - 2, 0, 2)


def test_scalars() -> None:
    for how in ({"bracket": [0.0, 2.0]}, {"x0": 1.0, "x1": 1.2, "method": "secant"}, {"x0": 1.0, "fprime": lambda x, t: -np.sin(x) - t}):
        check(lambda t, how=how: optimize.root_scalar(lambda x, t: np.cos(x) - t * x, args=(t,), xtol=1e-13, **how).root, 0.8, rtol=1e-5)
    check(lambda t: optimize.root_scalar(lambda x: (x**2 - t, 2 * x), x0=1.0, fprime=True, xtol=1e-13).root, 2.0)
    check(lambda t: optimize.newton(lambda x, t: x**3 - t, 1.0, args=(t,), tol=1e-13), 2.0)
    check(lambda t: np.sum(optimize.newton(lambda x, a, t: x**3 - t * a, np.ones(2), None, (A, t), 1e-13)), 2.0)
    check(lambda t: np.sum(optimize.fixed_point(lambda x, t: np.cos(t * x), np.array([0.7]), args=(t,), xtol=1e-13)), 0.9, rtol=1e-5)
    check(lambda t: np.sum(optimize.fsolve(curve, [1.0, 1.0], (np.stack([t, t]),), xtol=1e-12)), 1.4, rtol=1e-5)


@pytest.mark.parametrize("method", [None, "BFGS", "Nelder-Mead", "L-BFGS-B", "Newton-CG", "trust-exact"])
def test_minimize(method: Any) -> None:
    options: Any = {"jac": ag.grad(rosen)} if method in ("L-BFGS-B", "Newton-CG", "trust-exact", "BFGS") else {}
    if method == "trust-exact":
        options["hess"] = ag.hessian(rosen)
    tol = 1e-12 if method in ("Nelder-Mead", "Newton-CG") else 1e-9

    def f(t: Any) -> Any:
        found = optimize.minimize(rosen, [0.5, 0.5], args=(t, 5 * t), method=method, tol=tol, **options)
        return found.x[0] * found.x[1] ** 2

    assert ag.grad(f)(1.1) == pytest.approx(5 * 1.1**4, rel=1e-3)
    assert ag.grad(ag.grad(f))(1.1) == pytest.approx(20 * 1.1**3, rel=1e-2)


def test_minimize_hyperparameters_and_the_minimum() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(20, 3)), rng.normal(size=20)

    def closed(s: Any) -> Any:
        w = np.linalg.solve(x.T @ x + s * np.eye(3), x.T @ y)
        return w, 0.5 * np.sum((x @ w - y) ** 2) + 0.5 * s * np.sum(w**2)

    def found(s: Any, **how: Any) -> Any:
        loss: Any = lambda w: 0.5 * np.sum((x @ w - y) ** 2) + 0.5 * s * np.sum(w**2)  # noqa: E731
        return optimize.minimize(ag.value_and_grad(loss) if how else loss, np.zeros(3), **how)

    for how in ({}, {"jac": True, "method": "L-BFGS-B", "tol": 1e-14}):
        for f, g in (
            (lambda s, how=how: np.sum(found(s, **how).x ** 3), lambda s: np.sum(closed(s)[0] ** 3)),
            (lambda s, how=how: found(s, **how).fun, lambda s: closed(s)[1]),
        ):
            for k in range(3):
                assert float(f(0.7)) == pytest.approx(float(g(0.7)), rel=1e-4, abs=1e-6), k
                f, g = ag.grad(f), ag.grad(g)


def test_bounds() -> None:
    def f(t: Any, low: Any = 0.0) -> Any:
        found = optimize.minimize(
            lambda x: np.sum((x - t * np.array([1.0, -1.0])) ** 2) + x[0] * x[1], [0.5, 0.5], bounds=[(low, None), (low, 5)]
        )
        return np.sum(found.x * np.array([2.0, 3.0]))

    check(f, 1.5, rtol=1e-3, second=False)
    assert ag.grad(f, 1)(1.5, 0.1) == pytest.approx(3 - 2 * 0.5, rel=1e-5)
    bounds = real.Bounds([0, 0], [1, 1])
    assert ag.grad(lambda t: optimize.minimize(lambda x: np.sum((x - t) ** 2 * np.array([1, 0.1])), [0.5, 0.5], bounds=bounds).x[0])(
        0.4
    ) == pytest.approx(1, rel=1e-4)


def test_scalar_minima_and_least_squares() -> None:
    check(lambda t: optimize.minimize_scalar(lambda x: (x - t**2) ** 2 + 0.1 * x**4).x, 1.1, rtol=1e-4, second=False)
    for how in ({}, {"bounds": ([-5, -5], [5, 5])}, {"method": "lm"}):

        def f(t: Any, how: Any = how) -> Any:
            return np.sum(
                optimize.least_squares(
                    lambda x, t: np.stack([x[0] - t, x[1] * x[0] - 1.0, 0.1 * x[1]]), [1.0, 1.0], args=(t,), xtol=1e-14, **how
                ).x
            )

        check(f, 1.2, rtol=1e-4, second=False)


def test_what_does_not_depend_on_tensors_is_scipys() -> None:
    t = ag.Tensor(1.0, requires_grad=True)  # something could be recorded
    import math

    found = optimize.minimize(lambda x: math.cosh(x[0] - 1), [0.0])  # no NumPy: the engine does not look at it
    assert isinstance(found.x, np.ndarray)
    assert isinstance(optimize.brentq(math.cos, 0, 3), float)
    assert isinstance(optimize.root(lambda x: x**2 - 2, [1.0]).x, np.ndarray)
    assert t.grad is None


def test_what_is_not_covered_is_refused() -> None:
    t = ag.Tensor(1.0, requires_grad=True)
    with pytest.raises(ag.NoRowError, match="constraints"):
        optimize.minimize(lambda x: np.sum((x - t) ** 2), [0.0], constraints={"type": "eq", "fun": lambda x: x[0] - 1})
    with pytest.raises(ag.NoRowError, match="loss='linear'"):
        optimize.least_squares(lambda x: x - t, [0.0], loss="huber")
    with pytest.raises(ag.DifferentiationError, match="does not hold"):
        optimize.minimize(lambda x: np.sum((x - t) ** 4 + (x - t) ** 2), [30.0], options={"maxiter": 1})
    with pytest.raises(ag.DifferentiationError, match="singular"):
        optimize.minimize(lambda x: np.sum((x[0] - t) ** 2), [0.0, 0.0])
    with pytest.raises(ag.LeavesNumPyError, match=r"from autograd_np\.scipy\.optimize import brentq"):
        ag.grad(lambda t: real.brentq(lambda x: x**2 - t, 0, 2))(2.0)


@pytest.mark.parametrize(
    ("name", "instead", "rest"),
    [
        ("brent", "minimize_scalar", ()), ("bracket", "minimize_scalar", ()), ("golden", "minimize_scalar", ()), ("fmin", "minimize", ([0.0],)),
        ("fmin_bfgs", "minimize", ([0.0],)), ("leastsq", "least_squares", ([0.0],)), ("broyden1", "root", ([0.0],)),
        ("differential_evolution", "minimize", ([(0, 2)],)), ("basinhopping", "minimize", ([0.0],)), ("direct", "minimize", ([(0, 2)],)),
    ],
)  # fmt: skip
def test_other_searches_are_refused_by_name_where_they_depend_on_tensors(name: str, instead: str, rest: Any) -> None:
    search = getattr(optimize, name)
    first = next(iter(inspect.signature(getattr(real, name)).parameters))
    for call in (lambda f: search(f, *rest), lambda f: search(**{first: f}, **dict(zip(KEYWORDS[name], rest, strict=True)))):
        with pytest.raises(ag.NoRowError, match=rf"scipy\.optimize\.{name} is not differentiable.*write {instead} of"):
            ag.grad(lambda t, call=call: np.sum(call(lambda x: np.sum((x - t) ** 2) if instead != "least_squares" else x - t)[0]))(1.0)
    assert search is not getattr(real, name)
    ag.grad(lambda t: t * np.sum(optimize.golden(lambda x: (x - 1.0) ** 2)))(2.0)  # which does not depend on t


KEYWORDS = {
    "brent": (), "bracket": (), "golden": (), "fmin": ("x0",), "fmin_bfgs": ("x0",), "leastsq": ("x0",), "broyden1": ("xin",),
    "differential_evolution": ("bounds",), "basinhopping": ("x0",), "direct": ("bounds",),
}  # fmt: skip


def test_a_fit_of_tensors_is_refused_by_name() -> None:
    x = np.linspace(0.0, 1.0, 5)
    with pytest.raises(ag.NoRowError, match=r"scipy\.optimize\.curve_fit.*write least_squares"):
        ag.grad(lambda y: optimize.curve_fit(lambda x, a: a * x, x, y)[0][0])(x)
    np.testing.assert_allclose(ag.grad(lambda t: t * optimize.curve_fit(lambda x, a: a * x, x, 3 * x)[0][0])(2.0), 3)


@pytest.mark.parametrize("name", ["minimize", "root", "fsolve"])
def test_scipys_own_is_refused_by_name_although_scipy_raises_something_else(name: str) -> None:
    # `minimize` catches the refusal, MINPACK prints it, and both raise errors of their own
    def f(x: Any, t: Any) -> Any:
        return np.sum((x - t) ** 2) if name == "minimize" else x - t

    found = getattr(real, name)
    for transform in (ag.grad, lambda f: lambda x: ag.jvp(f, (x,), (1.0,)), ag.hessian):
        with pytest.raises(ag.LeavesNumPyError, match=rf"from autograd_np\.scipy\.optimize import {name}"):
            transform(lambda t: np.sum(getattr(solution := found(lambda x: f(x, t), [0.0]), "x", solution)))(1.0)


def test_an_error_that_is_not_of_the_refusal_is_left_as_it_is() -> None:
    def f(t: Any) -> Any:
        try:
            real.brentq(lambda x: x - t, 0, 3)
        except TypeError:
            raise KeyError("mine") from None

    with pytest.raises(KeyError, match="mine"):
        ag.grad(f)(1.0)
