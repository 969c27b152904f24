"""What the functions share: arguments made arrays, targets and labels compared with what they belong to, reductions."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

import autograd_np as ag
from nn.errors import ShapeMismatchError

__all__ = ["Array", "Reduction", "array", "labels", "reduced", "target_of", "within_unit"]

Array = Any
Reduction = Literal["mean", "sum", "none"]


def array(x: Array) -> Array:
    """Return what is an array, of whatever kind, as it is, and anything else as NumPy's."""
    return x if hasattr(x, "__array_function__") else np.asarray(x)


def target_of(input: Array, target: Array, where: str) -> Array:  # noqa: A002
    """Return the target in the dtype of the input, so that integer labels do not widen float32."""
    target = array(target)
    if target.shape != input.shape and target.ndim:
        raise ShapeMismatchError(
            f"{where} got an input of shape {input.shape} and a target of shape {target.shape}; reshape one of them: they would broadcast "
            f"or not fit, and the loss would be wrong"
        )
    return target if target.dtype == input.dtype or input.dtype.kind != "f" else target.astype(input.dtype)


def labels(input: Array, target: Array, where: str) -> Array:  # noqa: A002
    """Return the target as `target_of` does, or raise ValueError where a label is outside [0, 1]."""
    target = target_of(input, target, where)
    if not within_unit(target):
        raise ValueError(f"{where} got a label outside [0, 1], or NaN; labels are 0, 1 or a probability between them")
    return target


def within_unit(x: Array) -> bool:
    """Whether all elements are within [0, 1]; lazy arrays, which cannot tell yet, pass."""
    x = ag.stop_gradient(x).numpy() if isinstance(x, ag.Tensor) else x
    return not isinstance(x, np.ndarray) or x.size == 0 or bool(np.minimum.reduce(x, None) >= 0 and np.maximum.reduce(x, None) <= 1)


def reduced(loss: Array, reduction: str) -> Array:
    """Return the mean or the sum of a loss's elements, or all of them."""
    if reduction == "mean":
        return loss.mean()
    if reduction == "sum":
        return loss.sum()
    if reduction == "none":
        return loss
    raise ValueError(f"reduction={reduction!r} is not known; expected 'mean', 'sum' or 'none'")
