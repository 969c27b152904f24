"""Gradients kept within bounds before a step."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

import autograd_np as ag

__all__ = ["clip_grad_norm_", "clip_grad_value_"]


def _demand_limit(name: str, value: float) -> None:
    """Raise where a limit is no limit: gradients would be turned round by a negative one, and all be NaN by NaN."""
    if not value >= 0:
        raise ValueError(f"{name}={value} must be at least 0")


def _with_gradients(parameters: ag.Tensor | Iterable[ag.Tensor]) -> list[ag.Tensor]:
    given = [parameters] if isinstance(parameters, ag.Tensor) else list(parameters)
    return [p for p in given if p.grad is not None]


def clip_grad_norm_(
    parameters: ag.Tensor | Iterable[ag.Tensor], max_norm: float, norm_type: float = 2.0, error_if_nonfinite: bool = False
) -> float:
    """Scale the gradients of all parameters by one factor, so that their norm, as one vector, is at most `max_norm`.

    Parameters
    ----------
    parameters : Tensor, or iterable of Tensor
        Those without a gradient are passed over.
    max_norm : float
    norm_type : float
        The p of the norm; ``math.inf`` for the largest element.
    error_if_nonfinite : bool, default False
        Raise where the norm is infinite or NaN, rather than make all gradients NaN or zero.

    Returns
    -------
    float
        The norm before.

    Raises
    ------
    autograd_np.DifferentiationError
        If the norm is not finite, and that is an error.
    ValueError
        If `max_norm` is negative.

    Examples
    --------
    >>> import nn
    >>> p = nn.Parameter([3.0, 4.0])
    >>> (p @ p / 2).backward()
    >>> nn.clip_grad_norm_([p], max_norm=1.0)
    5.0
    >>> p.grad.round(4)
    array([0.6, 0.8])
    """
    _demand_limit("max_norm", max_norm)
    params = _with_gradients(parameters)
    norms = [_norm(np.ravel(p.grad), float(norm_type)) for p in params]
    total = _norm(np.array(norms), float(norm_type)) if norms else 0.0
    if error_if_nonfinite and not math.isfinite(total):
        raise ag.DifferentiationError(f"the gradients have the norm {total}; find where it comes from under ag.detect_anomaly()")
    factor = max_norm / (total + 1e-6)
    if not factor >= 1:
        for p in params:
            p.grad = p.grad * factor
    return total


def _norm(g: np.ndarray, p: float) -> float:
    """Return a norm of a vector whose powers may be beyond the range of its dtype."""
    if not g.size:
        return 0.0
    largest = float(np.max(np.abs(g)))
    if math.isinf(p) or largest == 0 or not math.isfinite(largest):
        return largest
    scaled = g / largest
    return largest * float(np.sqrt(np.dot(scaled, scaled)) if p == 2 else np.sum(np.abs(scaled) ** p) ** (1 / p))


def clip_grad_value_(parameters: ag.Tensor | Iterable[ag.Tensor], clip_value: float) -> None:
    """Clip every element of the gradients of parameters to ``[-clip_value, clip_value]``.

    Parameters
    ----------
    parameters : Tensor, or iterable of Tensor
        Those without a gradient are passed over.
    clip_value : float

    Raises
    ------
    ValueError
        If it is negative.

    Examples
    --------
    >>> import nn
    >>> p = nn.Parameter([3.0, 0.1])
    >>> (p @ p / 2).backward()
    >>> nn.clip_grad_value_([p], 1.0)
    >>> p.grad
    array([1. , 0.1])
    """
    _demand_limit("clip_value", clip_value)
    for p in _with_gradients(parameters):
        p.grad = np.clip(p.grad, -clip_value, clip_value)
