"""The two-layer network as a textbook has it: its cost and its hand-derived gradients, in plain NumPy.

Shapes are the textbook's: arrays are (features, samples). `hand_derived` uses nothing of the engine, so it is an
independent opinion on the gradients.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np

import autograd_np as ag

__all__ = ["TOLERANCE", "backward", "compare", "cost_of", "forward", "hand_derived"]

Array: TypeAlias = Any
"""An ndarray, or a Tensor where the engine follows the code."""

TOLERANCE = 1e-10
"""Gradients agree when they differ by at most this share of the terms that are summed in them, in float64."""


def cost_of(X: Array, Y: Array) -> Callable[[Array, Array, Array, Array], Array]:
    """Return the network's cost on some samples, as a function of its parameters.

    Parameters
    ----------
    X : array of shape (features, samples)
    Y : array of shape (1, samples)
        0.0 or 1.0.

    Returns
    -------
    callable
        ``cost(W1, b1, W2, b2)``: the mean cross-entropy, a scalar.
    """

    def cost(W1: Array, b1: Array, W2: Array, b2: Array) -> Array:
        Z1 = np.dot(W1, X) + b1
        A1 = ag.sigmoid(Z1)
        Z2 = np.dot(W2, A1) + b2
        A2 = ag.sigmoid(Z2)
        cost = -np.mean(Y * np.log(A2) + (1 - Y) * np.log(1 - A2))
        return cost

    return cost


def hand_derived(W1: Array, b1: Array, W2: Array, b2: Array, X: Array, Y: Array) -> dict[str, Array]:
    """Return the gradients of the cost as derived by hand.

    Parameters
    ----------
    W1, b1, W2, b2 : arrays of shape (hidden, features), (hidden, 1), (1, hidden), (1, 1)
    X, Y : arrays of shape (features, samples), (1, samples)

    Returns
    -------
    dict
        ``W1``, ``b1``, ``W2``, ``b2``: the gradients, of the shapes of the parameters.

    Examples
    --------
    >>> gradients = hand_derived(*map(np.zeros, [(3, 2), (3, 1), (1, 3), (1, 1)]), np.ones((2, 4)), np.ones((1, 4)))
    >>> print(gradients["b2"], gradients["W1"].shape)
    [[-0.5]] (3, 2)
    """
    A1, A2 = _activations(W1, b1, W2, b2, X)
    return backward(W2, X, Y, A1, A2)


def compare(parameters: Mapping[str, Array], engine: Mapping[str, Array], X: Array, Y: Array) -> dict[str, float]:
    """Compare the engine's gradients with the hand-derived ones.

    Parameters
    ----------
    parameters, engine : mapping
        ``W1``, ``b1``, ``W2``, ``b2`` and the engine's gradient of each, of the shapes of `hand_derived`.
    X, Y : arrays of shape (features, samples), (1, samples)

    Returns
    -------
    dict
        For each parameter the largest difference between the two gradients, relative to the size of the terms that
        are summed in that gradient: where the terms cancel, a difference relative to the result would say nothing.
    """
    A1, A2 = _activations(**parameters, X=X)
    hand = backward(parameters["W2"], X, Y, A1, A2)
    sizes = backward(abs(parameters["W2"]), abs(X), -Y, A1, A2)  # every term positive
    if hasattr(X, "__dask_graph__"):
        import dask

        hand, sizes = dask.compute(hand, sizes)  # type: ignore[attr-defined, no-untyped-call]
    tiny = np.finfo(np.float64).tiny
    return {name: float(np.max(abs(engine[name] - hand[name]) / np.maximum(sizes[name], tiny))) for name in hand}


def _activations(W1: Array, b1: Array, W2: Array, b2: Array, X: Array) -> tuple[Array, Array]:
    with np.errstate(over="ignore"):  # exp(-z) = inf gives the right limit, 0
        A1 = 1 / (1 + np.exp(-(np.dot(W1, X) + b1)))
        A2 = 1 / (1 + np.exp(-(np.dot(W2, A1) + b2)))
    return A1, A2


def forward(W1: Array, b1: Array, W2: Array, b2: Array, X: Array, Y: Array) -> Array:
    """Return the network's cost, written so that it stays finite where predictions are exactly 0 or 1.

    The arguments are those of `hand_derived`. `autograd_np.check_backward` checks `backward` against it.
    """
    Z1 = np.dot(W1, X) + b1
    A1 = ag.sigmoid(Z1)
    Z2 = np.dot(W2, A1) + b2
    A2 = ag.sigmoid(Z2)  # noqa: F841 (backward uses it)
    cost: Array = np.mean(np.logaddexp(0, Z2) - Y * Z2)
    return cost


def backward(W2: Array, X: Array, Y: Array, A1: Array, A2: Array) -> dict[str, Array]:
    """Return the gradients of the cost from the activations: the backward pass of the textbook.

    The arguments are those of `hand_derived`, and the activations of shapes (hidden, samples) and (1, samples).
    """
    m = X.shape[1]
    dZ2 = A2 - Y
    dW2 = np.dot(dZ2, A1.T) / m
    db2 = np.sum(dZ2, axis=1, keepdims=True) / m
    dZ1 = np.dot(W2.T, dZ2) * A1 * (1 - A1)
    dW1 = np.dot(dZ1, X.T) / m
    db1 = np.sum(dZ1, axis=1, keepdims=True) / m
    return {"W1": dW1, "b1": db1, "W2": dW2, "b2": db2}
