"""Minus the logarithm of a density, and the divergence of two."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

import autograd_np as ag
from nn.errors import ShapeMismatchError
from nn.functional.arguments import Array, Reduction, concrete, floats, reduced, target_of

__all__ = ["gaussian_nll_loss", "kl_div", "poisson_nll_loss"]


def _times_log(t: Array) -> Array:
    return t * np.log(np.where(t > 0, t, 1))


_TIMES_LOG = ag.define(_times_log, partials=[lambda _, t: np.log(t) + 1], name="t_log_t", tex=r"#1 \log #1")


def kl_div(
    input: Array,  # noqa: A002
    target: Array,
    reduction: Reduction | Literal["batchmean"] = "mean",
    log_target: bool = False,
) -> Array:
    """Return t (log t - input), whose sum over a distribution is its Kullback-Leibler divergence from another.

    Parameters
    ----------
    input : array or Tensor
        Log-probabilities of the other, as `log_softmax` gives.
    target : array or Tensor
        Probabilities t, of the shape of `input`; 0 log 0 is 0.
    reduction : {"mean", "batchmean", "sum", "none"}
        Over all elements; "batchmean", which is the divergence, divides the sum by the length of the first axis.
    log_target : bool
        Whether the target has log-probabilities too.

    Raises
    ------
    ShapeMismatchError
        If the shapes differ.
    ValueError
        If a probability is negative or NaN.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.functional.kl_div(np.log([[0.5, 0.5]]), np.array([[0.0, 1.0]]), reduction="batchmean").round(6)
    np.float64(0.693147)
    """
    input = floats(input)  # noqa: A001
    target = target_of(input, target, "kl_div")
    if log_target:
        loss = np.exp(target) * (target - input)
    else:
        _demand_not_negative(target, "kl_div got a negative probability, or NaN; for log-probabilities pass log_target=True")
        loss = _TIMES_LOG(target) - target * input
    if reduction == "batchmean":
        return loss.sum() / (loss.shape[0] if loss.ndim else 1)
    return reduced(loss, reduction)


def poisson_nll_loss(
    input: Array,  # noqa: A002
    target: Array,
    log_input: bool = True,
    full: bool = False,
    eps: float = 1e-8,
    *,
    reduction: Reduction = "mean",
) -> Array:
    """Return minus the log-probability of counts under Poisson distributions, without the terms that are constant.

    Parameters
    ----------
    input : array or Tensor
        The logarithm z of the mean, and the loss exp(z) - t z; or the mean m, and the loss m - t log(m + eps).
    target : array or Tensor
        Counts t, of the shape of `input`.
    log_input : bool
        Which of the two `input` is.
    full : bool
        Add Stirling's t log t - t + log(2 pi t) / 2 where t > 1.
    eps : float
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
    >>> nn.functional.poisson_nll_loss(np.array([0.0, 1.0]), np.array([2.0, 0.0]), reduction="none").round(4)
    array([1.    , 2.7183])
    """
    input = floats(input)  # noqa: A001
    target = target_of(input, target, "poisson_nll_loss")
    loss = np.exp(input) - target * input if log_input else input - target * np.log(input + eps)
    if full:
        many = np.where(target > 1, target, 1)
        loss = loss + np.where(target > 1, many * np.log(many) - many + 0.5 * np.log(2 * math.pi * many), 0)
    return reduced(loss, reduction)


def gaussian_nll_loss(
    input: Array,  # noqa: A002
    target: Array,
    var: Array,
    full: bool = False,
    eps: float = 1e-6,
    *,
    reduction: Reduction = "mean",
) -> Array:
    """Return (log v + (input - target)^2 / v) / 2, minus the log-density of a normal distribution with the variance v = max(var, eps).

    Parameters
    ----------
    input : array or Tensor
        Means.
    target : array or Tensor
        Of the shape of `input`.
    var : array or Tensor
        Variances: of the shape of `input`, or one for each sample, of its shape without the last axis, or with 1 in its place, or one.
        Where one is below `eps`, the gradient is that at `eps`.
    full : bool
        Add log(2 pi) / 2.
    eps : float
    reduction : {"mean", "sum", "none"}
        Over all elements.

    Raises
    ------
    ShapeMismatchError
        If shapes do not belong together.
    ValueError
        If a variance is negative or NaN, or `eps` not positive.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.functional.gaussian_nll_loss(np.array([1.0, 2.0]), np.array([1.0, 4.0]), np.array([1.0, 4.0]), reduction="none").round(4)
    array([0.    , 1.1931])
    """
    if not eps > 0:
        raise ValueError(f"gaussian_nll_loss needs eps > 0, got {eps}")
    input = floats(input)  # noqa: A001
    target = target_of(input, target, "gaussian_nll_loss")
    var = floats(var)
    var = var if var.dtype == input.dtype or input.dtype.kind != "f" else var.astype(input.dtype)
    if var.ndim and var.shape == input.shape[:-1] and var.shape != input.shape:
        var = np.expand_dims(var, -1)
    if var.shape not in (input.shape, (*input.shape[:-1], 1), ()):
        raise ShapeMismatchError(f"gaussian_nll_loss got means of shape {input.shape} and variances of shape {var.shape}")
    _demand_not_negative(var, "gaussian_nll_loss got a negative variance, or NaN; let the model give its logarithm, and pass np.exp of it")
    v = np.where(var < eps, eps + (var - ag.stop_gradient(var)), var)
    loss = (np.log(v) + np.square(input - target) / v) / 2
    return reduced(loss + 0.5 * math.log(2 * math.pi) if full else loss, reduction)


def _demand_not_negative(x: Array, message: str) -> None:
    plain = concrete(x)
    if plain is not None and not np.all(plain >= 0):
        raise ValueError(message)
