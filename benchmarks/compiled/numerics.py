"""Other than networks: a loss of elements, a regression, a Hessian and a Gaussian process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.compiled.case import Arrays, Case, Problem

__all__ = ["CASES"]


# --- a loss of elements ---------------------------------------------------------------------------


def elements_problem(n: int, rng: np.random.Generator) -> Problem:
    """Return n numbers, and n others that they should be."""
    x, y = rng.standard_normal((2, n))
    return Problem((x,), (y,))


def elements_loss(np: Any, parameters: Any, y: Any) -> Any:
    """Return a smooth absolute error, and a penalty that saturates."""
    (x,) = parameters
    r = x - y
    return np.mean(np.sqrt(1 + r * r) - 1 + 0.1 * np.tanh(x) ** 2)


def elements_by_hand(parameters: Arrays, y: np.ndarray) -> tuple[Any, Arrays]:
    """Return the loss and its gradient."""
    (x,) = parameters
    r = x - y
    s = np.sqrt(1 + r * r)
    t = np.tanh(x)
    loss = np.mean(s - 1 + 0.1 * t**2)
    return loss, ((r / s + 0.2 * t * (1 - t**2)) / x.size,)


def elements_tuned(parameters: Arrays, y: np.ndarray) -> tuple[Callable[[], Any], Arrays]:
    """Return the same in arrays that are made once."""
    (x,) = parameters
    r, s, t, q = np.empty((4, x.size))

    def call() -> Any:
        np.subtract(x, y, out=r)
        np.multiply(r, r, out=s)
        np.add(s, 1, out=s)
        np.sqrt(s, out=s)
        np.tanh(x, out=t)
        loss = (np.add.reduce(s) + 0.1 * np.vdot(t, t)) / x.size - 1
        np.divide(r, s, out=r)
        np.multiply(t, t, out=q)
        np.subtract(1, q, out=q)
        np.multiply(q, t, out=q)
        np.multiply(q, 0.2, out=q)
        np.add(r, q, out=r)
        np.divide(r, x.size, out=r)
        return loss

    return call, (r,)


# --- logistic regression --------------------------------------------------------------------------


def logistic_problem(n: int, rng: np.random.Generator) -> Problem:
    """Return 50 weights and a bias, n samples and their classes."""
    X = rng.standard_normal((n, 50))
    y = (X @ rng.standard_normal(50) + rng.standard_normal(n) > 0).astype(float)
    return Problem((0.1 * rng.standard_normal(50), np.zeros(())), (X, y))


def logistic_loss(np: Any, parameters: Any, X: Any, y: Any) -> Any:
    """Return the mean of the negative log likelihoods."""
    w, b = parameters
    z = X @ w + b
    return np.mean(np.softplus(z) - y * z)


def logistic_by_hand(parameters: Arrays, X: np.ndarray, y: np.ndarray) -> tuple[Any, Arrays]:
    """Return the loss and its gradients."""
    w, b = parameters
    z = X @ w + b
    loss = np.mean(np.logaddexp(0, z) - y * z)
    d = (1 / (1 + np.exp(-z)) - y) / len(y)
    return loss, (X.T @ d, np.sum(d))


def logistic_tuned(parameters: Arrays, X: np.ndarray, y: np.ndarray) -> tuple[Callable[[], Any], Arrays]:
    """Return the same in arrays that are made once, with one exponential."""
    w, b = parameters
    z, e, s, t = np.empty((4, len(y)))
    dw, db = gradients = (np.empty_like(w), np.empty_like(b))

    def call() -> Any:
        np.dot(X, w, out=z)
        np.add(z, b, out=z)
        loss = -np.vdot(y, z)
        np.abs(z, out=e)
        np.negative(e, out=e)
        np.exp(e, out=e)
        np.log1p(e, out=s)
        loss += np.add.reduce(s)
        np.maximum(z, 0, out=s)
        loss += np.add.reduce(s)
        np.add(e, 1, out=t)  # the sigmoid is 1 / t where z is positive, and e / t elsewhere
        np.copyto(e, 1, where=s > 0)
        np.divide(e, t, out=e)
        np.subtract(e, y, out=e)
        np.divide(e, len(y), out=e)
        np.dot(e, X, out=dw)
        np.add.reduce(e, out=db)
        return loss / len(y)

    return call, gradients


# --- the Hessian of Rosenbrock's function ---------------------------------------------------------


def rosenbrock_problem(n: int, rng: np.random.Generator) -> Problem:
    """Return a point."""
    return Problem((rng.standard_normal(n),), ())


def rosenbrock(np: Any, parameters: Any) -> Any:  # noqa: ARG001 (every loss is given the words)
    """Return Rosenbrock's function, as SciPy's documentation writes it."""
    (x,) = parameters
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


def rosenbrock_by_hand(parameters: Arrays) -> tuple[Any, Arrays]:
    """Return the function and its Hessian, in closed form."""
    (x,) = parameters
    diagonal = np.zeros_like(x)
    diagonal[:-1] = 1200 * x[:-1] ** 2 - 400 * x[1:] + 2
    diagonal[1:] += 200
    H = np.diag(diagonal) + np.diag(-400 * x[:-1], 1) + np.diag(-400 * x[:-1], -1)
    return rosenbrock(np, parameters), (H,)


def rosenbrock_tuned(parameters: Arrays) -> tuple[Callable[[], Any], Arrays]:
    """Return the same, writing the three diagonals only."""
    (x,) = parameters
    n = x.size
    H = np.zeros((n, n))
    diagonal, above, below = H.reshape(-1)[:: n + 1], H.reshape(-1)[1 :: n + 1], H.reshape(-1)[n :: n + 1]
    left, right = x[:-1], x[1:]
    a, r, q = np.empty((3, n - 1))

    def call() -> Any:
        np.multiply(left, left, out=a)
        np.subtract(right, a, out=r)
        np.subtract(1, left, out=q)
        value = 100 * np.vdot(r, r) + np.vdot(q, q)
        np.multiply(left, -400, out=above)
        below[:] = above
        np.multiply(a, 1200, out=a)
        np.multiply(right, -400, out=r)
        np.add(a, r, out=a)
        np.add(a, 2, out=diagonal[:-1])
        diagonal[-1] = 0
        diagonal[1:] += 200
        return value

    return call, (H,)


# --- a Gaussian process ---------------------------------------------------------------------------


def process_problem(n: int, rng: np.random.Generator) -> Problem:
    """Return the logarithms of length, height and noise, squared distances of n points, what was seen there, and the identity."""
    X = rng.standard_normal((n, 3))
    y = np.sin(X).sum(axis=1) + 0.1 * rng.standard_normal(n)
    squares = ((X[:, None] - X) ** 2).sum(axis=-1)
    return Problem((np.asarray(0.1), np.asarray(0.2), np.asarray(-1.0)), (squares, y, np.eye(n)))


def process_loss(np: Any, parameters: Any, squares: Any, y: Any, identity: Any) -> Any:
    """Return the negative log marginal likelihood, without its constant."""
    length, height, noise = parameters
    K = np.exp(2 * height) * np.exp(-0.5 * np.exp(-2 * length) * squares) + np.exp(2 * noise) * identity
    L = np.linalg.cholesky(K)
    v = np.linalg.solve(L, y)
    return 0.5 * np.sum(v * v) + np.sum(np.log(np.diag(L)))


def process_by_hand(parameters: Arrays, squares: np.ndarray, y: np.ndarray, identity: np.ndarray) -> tuple[Any, Arrays]:
    """Return the likelihood and its gradients by the inverse, as in Rasmussen and Williams."""
    length, height, noise = parameters
    R = np.exp(2 * height) * np.exp(-0.5 * np.exp(-2 * length) * squares)
    K = R + np.exp(2 * noise) * identity
    L = np.linalg.cholesky(K)
    v = np.linalg.solve(L, y)
    loss = 0.5 * np.sum(v * v) + np.sum(np.log(np.diag(L)))
    inverse = np.linalg.inv(K)
    a = inverse @ y
    W = inverse - np.outer(a, a)
    return loss, (0.5 * np.sum(W * R * squares) * np.exp(-2 * length), np.sum(W * R), np.exp(2 * noise) * np.trace(W))


CASES = {
    "elements": Case(
        "Loss of elements, and its gradient", "n", (1_000, 10_000, 100_000, 1_000_000, 10_000_000), 10,
        elements_problem, elements_loss, elements_by_hand, elements_tuned,
    ),
    "logistic": Case(
        "Logistic regression by 50 features, loss and gradients", "samples", (1_000, 10_000, 100_000), 20,
        logistic_problem, logistic_loss, logistic_by_hand, logistic_tuned,
    ),
    "hessian": Case(
        "Hessian of Rosenbrock's function", "n", (50,), 4,
        rosenbrock_problem, rosenbrock, rosenbrock_by_hand, rosenbrock_tuned, hessian=True, needs=frozenset({"hessian"}),
    ),
    "process": Case(
        "Training step of a Gaussian process", "n", (50, 200), 5,
        process_problem, process_loss, process_by_hand, rate=1e-4, needs=frozenset({"cholesky"}), tolerance=1e-7,
    ),
}  # fmt: skip
