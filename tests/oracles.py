"""Derivatives found without the engine: the second opinion of the tests.

Nothing here imports autograd_np. `numeric_gradient` and `directional` extrapolate central differences (Richardson's
and Ridders' tableaux); `complex_step` is exact to rounding where a function is analytic and NumPy computes it on
complex numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Scalar = Callable[..., Any]


def directional(f: Callable[[float], float], step: float = 0.02, ratio: float = 1.6, rows: int = 7) -> tuple[float, float]:
    """Return the derivative of f(t) at t = 0 and an estimate of its error, by Ridders' method.

    Central differences with steps that shrink by `ratio` are extrapolated to step 0; the entry of the tableau that
    differs least from its neighbours wins, so neither truncation nor rounding has to be guessed beforehand.
    """
    tableau = np.empty((rows, rows))
    best, error = np.nan, np.inf
    for i in range(rows):
        tableau[i, 0] = (float(f(step)) - float(f(-step))) / (2 * step)
        step /= ratio
        factor = ratio * ratio
        for j in range(1, i + 1):
            tableau[i, j] = (factor * tableau[i, j - 1] - tableau[i - 1, j - 1]) / (factor - 1)
            factor *= ratio * ratio
            estimate = max(abs(tableau[i, j] - tableau[i, j - 1]), abs(tableau[i, j] - tableau[i - 1, j - 1]))
            if estimate <= error:
                best, error = tableau[i, j], estimate
    return float(best), float(error)


def numeric_gradient(f: Scalar, *args: Any, wrt: int = 0, step: float = 1e-3) -> np.ndarray:
    """Return the gradient of the scalar f(*args) by argument `wrt`: central differences, two Richardson steps (error of order step**6).

    By a complex argument it is the derivative by the real part plus i times that by the imaginary part.
    """
    x = np.array(args[wrt], dtype=complex if np.iscomplexobj(args[wrt]) else float)
    if x.dtype.kind == "c":
        rest = lambda move: lambda t: f(*args[:wrt], x + move * t, *args[wrt + 1 :])  # noqa: E731
        zero = np.zeros(x.shape)
        return numeric_gradient(rest(1), zero, step=step) + 1j * numeric_gradient(rest(1j), zero, step=step)
    gradient = np.empty(x.shape)
    for i in np.ndindex(*x.shape):

        def along(t: float, i: tuple[int, ...] = i) -> float:
            moved = x.copy()
            moved[i] += t
            return float(f(*args[:wrt], moved, *args[wrt + 1 :]))

        d = [(along(h) - along(-h)) / (2 * h) for h in (step, step / 2, step / 4)]
        once = [(4 * d[1] - d[0]) / 3, (4 * d[2] - d[1]) / 3]
        gradient[i] = (16 * once[1] - once[0]) / 15
    return gradient


def complex_step(f: Scalar, *args: Any, wrt: int = 0) -> np.ndarray:
    """Return the gradient of the analytic scalar f(*args) by argument `wrt`, exact to rounding: Im f(x + ih) / h."""
    x = np.array(args[wrt], dtype=complex)
    gradient = np.empty(x.shape)
    for i in np.ndindex(*x.shape):
        moved = x.copy()
        moved[i] += 1e-30j
        gradient[i] = np.imag(f(*args[:wrt], moved, *args[wrt + 1 :])) / 1e-30
    return gradient


def numeric_jvp(f: Callable[..., Any], primals: Any, tangents: Any, step: float = 1e-3) -> np.ndarray:
    """Return the directional derivative of the array-valued f, extrapolated as in `numeric_gradient`."""

    def along(t: float) -> np.ndarray:
        return np.asarray(f(*(p + t * v for p, v in zip(primals, tangents, strict=True))))

    d = [(along(h) - along(-h)) / (2 * h) for h in (step, step / 2, step / 4)]
    once = [(4 * d[1] - d[0]) / 3, (4 * d[2] - d[1]) / 3]
    return np.asarray((16 * once[1] - once[0]) / 15)
