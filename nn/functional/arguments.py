"""What the functions share: arguments made arrays, targets and labels compared with what they belong to, reductions."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

import autograd_np as ag
from nn.errors import ShapeMismatchError
from nn.state import held

__all__ = [
    "Array",
    "Reduction",
    "array",
    "at_least_zero",
    "concrete",
    "floats",
    "labels",
    "reduced",
    "same_shape",
    "signs",
    "target_of",
    "weights",
    "within_unit",
]

Array = Any
Reduction = Literal["mean", "sum", "none"]


def array(x: Array) -> Array:
    """Return what is an array, of whatever kind, as it is, and anything else as NumPy's."""
    return x if hasattr(x, "__array_function__") else np.asarray(x)


def floats(x: Array) -> Array:
    """Return an array of floats: integers and booleans as float64, for those of 8 bits wrap around when they are added or squared."""
    x = array(x)
    return x.astype(np.float64) if x.dtype.kind in "biu" else x


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


def weights(input: Array, weight: Array | None, where: str) -> Array | None:  # noqa: A002
    """Return weights in the dtype of the input, or raise where they cannot be broadcast to it."""
    if weight is None:
        return None
    if isinstance(weight, str):
        raise TypeError(f"{where} got the weight {weight!r}; the reduction is a keyword: reduction={weight!r}")
    weight = array(weight)
    try:
        fits = np.broadcast_shapes(weight.shape, input.shape) == input.shape
    except ValueError:
        fits = False
    if not fits:
        raise ShapeMismatchError(f"{where} got a weight of shape {weight.shape}, which cannot be broadcast to the input's {input.shape}")
    return weight if weight.dtype == input.dtype or input.dtype.kind != "f" else weight.astype(input.dtype)


def signs(input: Array, target: Array, where: str) -> Array:  # noqa: A002
    """Return the target as `target_of` does, or raise ValueError where a label is neither 1 nor -1."""
    target = target_of(input, target, where)
    plain = concrete(target)
    if plain is not None and not np.all(np.abs(plain) == 1):
        raise ValueError(f"{where} needs labels 1 and -1, got {plain[np.abs(plain) != 1].flat[0]}; of labels 0 and 1 they are 2 * y - 1")
    return target


def same_shape(where: str, **inputs: Array) -> None:
    """Raise ShapeMismatchError where inputs that belong together have other shapes."""
    shapes = {name: x.shape for name, x in inputs.items()}
    if len(set(shapes.values())) > 1:
        told = ", ".join(f"{name} of shape {shape}" for name, shape in shapes.items())
        raise ShapeMismatchError(f"{where} needs inputs of one shape, got {told}")


def at_least_zero(x: Array) -> Array:
    """Return max(x, 0) with the slope 1 at 0, as PyTorch's losses have it."""
    return np.clip(x, 0, None)


def concrete(x: Array) -> np.ndarray | None:
    """Return the values of what can be looked at now; None of lazy arrays, of many examples at once, and of data that is being compiled."""
    try:
        x = held(ag.stop_gradient(x) if isinstance(x, ag.Tensor) else x)
    except ag.LeavesNumPyError:
        return None
    return np.asarray(x) if isinstance(x, (np.ndarray, np.generic)) else None


def within_unit(x: Array) -> bool:
    """Whether all elements are within [0, 1]; lazy arrays, which cannot tell yet, pass."""
    x = concrete(x)
    if x is None or x.size == 0:
        return True
    return bool(x.item(x.argmin()) >= 0 and x.item(x.argmax()) <= 1)  # a NaN is found by both; np.min takes three times as long


def reduced(loss: Array, reduction: str) -> Array:
    """Return the mean or the sum of a loss's elements, or all of them."""
    if reduction == "mean":
        return loss.mean()
    if reduction == "sum":
        return loss.sum()
    if reduction == "none":
        return loss
    raise ValueError(f"reduction={reduction!r} is not known; expected 'mean', 'sum' or 'none'")
