"""Losses of the difference of a prediction and a target."""

from __future__ import annotations

import math

import numpy as np

import autograd_np as ag
from nn.functional.arguments import Array, Reduction, floats, reduced, target_of

__all__ = ["huber_loss", "l1_loss", "mse_loss", "smooth_l1_loss"]


def _huber(d: Array, delta: float) -> Array:
    """d^2 / 2 near zero and delta (|d| - delta / 2) elsewhere, without a square that overflows."""
    near = np.minimum(np.abs(d), delta)
    return near * (np.abs(d) - near / 2)


_HUBER = ag.define(_huber, partials=[lambda _, d, delta: np.clip(d, -delta, delta), 0], name="huber")


def mse_loss(input: Array, target: Array, reduction: Reduction = "mean") -> Array:  # noqa: A002
    """Return (input - target)^2.

    Parameters
    ----------
    input, target : array or Tensor
        Of one shape; the target is cast to the dtype of the input.
    reduction : {"mean", "sum", "none"}
        Over all elements.

    Raises
    ------
    ShapeMismatchError
        If the shapes differ: (n,) against (n, 1) would broadcast to (n, n).

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.functional.mse_loss(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
    np.float64(2.0)
    """
    input = floats(input)  # noqa: A001
    return reduced(np.square(input - target_of(input, target, "mse_loss")), reduction)


def l1_loss(input: Array, target: Array, reduction: Reduction = "mean") -> Array:  # noqa: A002
    """Return the absolute value of input - target, with derivative 0 where they are equal.

    Parameters
    ----------
    input, target : array or Tensor
        Of one shape; the target is cast to the dtype of the input.
    reduction : {"mean", "sum", "none"}
        Over all elements.

    Raises
    ------
    ShapeMismatchError
        If the shapes differ.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.functional.l1_loss(np.array([1.0, 2.0]), np.array([1.0, 4.0]))
    np.float64(1.0)
    """
    input = floats(input)  # noqa: A001
    return reduced(np.abs(input - target_of(input, target, "l1_loss")), reduction)


def huber_loss(input: Array, target: Array, reduction: Reduction = "mean", delta: float = 1.0) -> Array:  # noqa: A002
    """Return d^2 / 2 where abs(d) < delta for d = input - target, and delta (abs(d) - delta / 2) elsewhere.

    Huber (1964), Robust estimation of a location parameter.

    Parameters
    ----------
    input, target : array or Tensor
        Of one shape; the target is cast to the dtype of the input.
    reduction : {"mean", "sum", "none"}
        Over all elements.
    delta : float
        Where the square ends.

    Raises
    ------
    ShapeMismatchError
        If the shapes differ.
    ValueError
        If `delta` is not positive.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.functional.huber_loss(np.array([0.5, 3.0]), np.zeros(2), reduction="none")
    array([0.125, 2.5  ])
    """
    if not (delta > 0 and math.isfinite(delta)):
        raise ValueError(f"huber_loss needs delta > 0, got {delta}")
    input = floats(input)  # noqa: A001
    return reduced(_HUBER(input - target_of(input, target, "huber_loss"), float(delta)), reduction)


def smooth_l1_loss(input: Array, target: Array, reduction: Reduction = "mean", beta: float = 1.0) -> Array:  # noqa: A002
    """Return d^2 / (2 beta) where abs(d) < beta for d = input - target, and abs(d) - beta / 2 elsewhere.

    It is `huber_loss` over beta, and `l1_loss` for beta = 0.

    Parameters
    ----------
    input, target : array or Tensor
        Of one shape; the target is cast to the dtype of the input.
    reduction : {"mean", "sum", "none"}
        Over all elements.
    beta : float
        Where the square ends.

    Raises
    ------
    ShapeMismatchError
        If the shapes differ.
    ValueError
        If `beta` is negative.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.functional.smooth_l1_loss(np.array([0.5, 3.0]), np.zeros(2), reduction="none", beta=2.0)
    array([0.0625, 2.    ])
    """
    if not (beta >= 0 and math.isfinite(beta)):
        raise ValueError(f"smooth_l1_loss needs beta of at least 0, got {beta}")
    input = floats(input)  # noqa: A001
    d = input - target_of(input, target, "smooth_l1_loss")
    return reduced(np.abs(d) if beta == 0 else _HUBER(d, float(beta)) / beta, reduction)
