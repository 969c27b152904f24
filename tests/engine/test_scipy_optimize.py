"""scipy.optimize takes the derivatives of functions of nested parameters, by `ag.ravel`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_np as ag

optimize = pytest.importorskip("scipy.optimize")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3))
Y = np.tanh(X @ np.array([0.5, -1.0, 0.3])) * 2 + 0.7
START = {"layer": [(RNG.normal(size=(3, 2)) / 2, np.zeros(2))], "out": {"w": RNG.normal(size=2), "b": 0.0}}


def loss(p: Any) -> Any:
    ((W, b),) = p["layer"]
    residual = np.tanh(X @ W + b) @ p["out"]["w"] + p["out"]["b"] - Y
    return np.mean(residual**2) + 1e-3 * np.sum(W**2)


VECTOR, UNRAVEL = ag.ravel(START)


def of_vector(v: Any) -> Any:
    return loss(UNRAVEL(v))


WAYS = {
    "BFGS": {"jac": True},
    "L-BFGS-B": {"jac": True, "bounds": [(-10, 10)] * VECTOR.size},
    "CG": {"jac": True},
    "Newton-CG": {"jac": True, "hessp": lambda v, t: ag.hvp(of_vector, v, t)},
    "trust-exact": {"jac": True, "hess": ag.hessian(of_vector)},
}


@pytest.mark.parametrize("method", WAYS)
def test_minimize_takes_value_and_gradient(method: str) -> None:
    found = optimize.minimize(ag.value_and_grad(of_vector), VECTOR, method=method, **WAYS[method])
    p = UNRAVEL(found.x)
    assert np.linalg.norm(found.jac) < 1e-3
    assert loss(p) == found.fun < 0.02 < 0.2 < loss(START)
    assert p["layer"][0][0].shape == (3, 2)
    assert p["out"]["b"].shape == ()


def test_the_arguments_of_minimize_are_handed_on() -> None:
    found = optimize.minimize(ag.value_and_grad(lambda x, a, b: np.sum((x - a) ** 4) + b), np.zeros(2), args=(np.ones(2), 2.0), jac=True)
    assert found.fun == pytest.approx(2.0)


def test_least_squares_and_roots_take_jacobians() -> None:
    def residuals(v: Any) -> Any:
        p = UNRAVEL(v)
        return np.tanh(X @ p["layer"][0][0] + p["layer"][0][1]) @ p["out"]["w"] + p["out"]["b"] - Y

    assert optimize.least_squares(residuals, VECTOR, jac=ag.jacobian(residuals)).cost < 0.02
    f = lambda x: np.stack([x[0] ** 2 + x[1] - 3, x[0] - x[1] ** 2 + 1])  # noqa: E731
    found = optimize.root(f, np.ones(2), jac=ag.jacobian(f))
    assert found.success
    np.testing.assert_allclose(f(found.x), 0, atol=1e-8)
