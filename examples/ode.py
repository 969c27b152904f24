"""Gravity and friction of a pendulum, found from noisy observations of its swing.

The equation is solved by Runge-Kutta's method, with `np.array([speed, -g * np.sin(angle) - ...])` for the right-hand side and a path that
is written row by row. Both are arrays made of Tensors, so that `autograd_np.numpy` is imported; nothing else of the program changes.

Run it: ``python examples/ode.py``. Needs SciPy.
"""

from scipy.optimize import minimize

import autograd_np as ag
import autograd_np.numpy as np


def rhs(state, p):
    """Return the derivatives of angle and speed."""
    angle, speed = state
    g, friction = p
    return np.array([speed, -g * np.sin(angle) - friction * speed])


def simulate(p, n=60, h=0.05):
    """Return n states (n, 2), h apart, from a start at rest."""
    state = np.array([1.0, 0.0])
    path = np.zeros((n, 2))
    for i in range(n):
        path[i] = state
        k1 = rhs(state, p)
        k2 = rhs(state + h / 2 * k1, p)
        k3 = rhs(state + h / 2 * k2, p)
        k4 = rhs(state + h * k3, p)
        state = state + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return path


def loss(p, observed):
    """Return the mean squared difference of simulated and observed angles."""
    return np.mean((simulate(p)[:, 0] - observed) ** 2)


def main():
    """Estimate both from 60 observations; print them beside the truth."""
    truth = np.array([9.81, 0.5])
    observed = simulate(truth)[:, 0] + 0.02 * np.random.default_rng(0).normal(size=60)
    start = np.array([6.0, 0.1])
    found = minimize(ag.value_and_grad(loss), start, args=(observed,), jac=True, method="L-BFGS-B")
    print(f"loss {loss(start, observed):.4f} -> {found.fun:.6f} after {found.nfev} evaluations (the noise: {0.02**2:.6f})")
    print(f"gravity {found.x[0]:.2f} (true 9.81), friction {found.x[1]:.3f} (true 0.500)")
    return found, truth


if __name__ == "__main__":
    main()
