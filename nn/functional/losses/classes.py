"""Losses of scores for classes."""

from __future__ import annotations

import numpy as np

import autograd_np as ag
from nn.errors import ShapeMismatchError
from nn.functional.arguments import Array, Reduction, array, concrete, floats, reduced, target_of

__all__ = ["cross_entropy", "multi_margin_loss", "nll_loss"]


def cross_entropy(
    input: Array,  # noqa: A002
    target: Array,
    weight: Array | None = None,
    *,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
    label_smoothing: float = 0.0,
) -> Array:
    """Return minus the log-probability that softmax gives to the target class.

    Parameters
    ----------
    input : array or Tensor, shape (samples, classes), (classes,) or (samples, classes, ...)
        Logits.
    target : array
        Either class numbers, integers of the shape of `input` without its class axis, or a probability for
        each class, floats of the shape of `input`.
    weight : array, shape (classes,), optional
        What the terms of each class are multiplied by.
    ignore_index : int
        A class number whose samples do not count.
    reduction : {"mean", "sum", "none"}
        Over the samples (and the further axes). The mean over class numbers is divided by the sum of their weights.
    label_smoothing : float within [0, 1]
        The share of the target that is spread over all classes evenly: Szegedy et al. (2016), https://arxiv.org/abs/1512.00567.

    Raises
    ------
    ShapeMismatchError
        If the target has neither shape, or the weight is not one number a class.
    ValueError
        If a class number is neither in 0 ... classes - 1 nor `ignore_index`, or `label_smoothing` is outside [0, 1].

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> logits = np.array([[0.0, 0.0], [1000.0, 0.0]])
    >>> nn.functional.cross_entropy(logits, np.array([1, 1]), reduction="none")
    array([6.93147181e-01, 1.00000000e+03])
    """
    if not 0 <= label_smoothing <= 1:
        raise ValueError(f"label_smoothing={label_smoothing} must be within [0, 1]")
    input, target = floats(input), array(target)  # noqa: A001
    axis = _class_axis(input)
    weight = _class_weight(input, axis, weight)
    log_p = ag.log_softmax(input, axis=axis)
    if target.dtype.kind != "f":
        return _of_numbers(log_p, target, axis, weight, ignore_index, reduction, label_smoothing)
    if target.shape != input.shape:
        raise ShapeMismatchError(
            f"cross_entropy got logits of shape {input.shape} and a floating target of shape {target.shape}; expected a probability for "
            f"each class, of shape {input.shape}, or integer class numbers of shape {_without(input.shape, axis)}"
        )
    if ignore_index >= 0:
        raise ValueError(f"ignore_index={ignore_index} is a class number, and the target has probabilities; give samples none")
    share = target_of(input, target, "cross_entropy")
    if label_smoothing:
        share = share * (1 - label_smoothing) + label_smoothing / input.shape[axis]
    if weight is not None:
        share = share * _along(weight, input, axis)
    return reduced(-(share * log_p).sum(axis=axis), reduction)


def nll_loss(
    input: Array,  # noqa: A002
    target: Array,
    weight: Array | None = None,
    *,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
) -> Array:
    """Return minus the log-probability of the target class; takes the output of `log_softmax`.

    Parameters
    ----------
    input : array or Tensor, shape (samples, classes), (classes,) or (samples, classes, ...)
        Log-probabilities.
    target : array of integers
        Class numbers, of the shape of `input` without its class axis.
    weight, ignore_index, reduction
        As for `cross_entropy`.

    Raises
    ------
    ShapeMismatchError, TypeError, ValueError
        If the target has another shape, is not of integers, or a class number is neither in 0 ... classes - 1 nor `ignore_index`.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.functional.nll_loss(np.array([[-0.1, -2.0]]), np.array([1]))
    np.float64(2.0)
    """
    input, target = floats(input), array(target)  # noqa: A001
    axis = _class_axis(input)
    return _of_numbers(input, target, axis, _class_weight(input, axis, weight), ignore_index, reduction)


def _of_numbers(
    log_p: Array, target: Array, axis: int, weight: Array | None, ignore_index: int, reduction: str, smoothing: float = 0.0
) -> Array:
    """Return the loss where the target has class numbers."""
    target, kept = _numbers(log_p, target, axis, ignore_index)
    loss = -_picked(log_p, target, axis)
    factor = None if weight is None else _picked(np.broadcast_to(_along(weight, log_p, axis), log_p.shape), target, axis)
    if weight is not None:
        loss = loss * factor
    if smoothing:
        spread = log_p if weight is None else log_p * _along(weight, log_p, axis)
        loss = (1 - smoothing) * loss - (smoothing / log_p.shape[axis]) * spread.sum(axis=axis)
    if kept is not None:
        loss = np.where(kept, loss, 0)
        factor = (kept if factor is None else np.where(kept, factor, 0)).astype(log_p.dtype)
    if reduction == "mean" and factor is not None:
        return loss.sum() / factor.sum()
    return reduced(loss, reduction)


def _numbers(input: Array, target: Array, axis: int, ignore_index: int | None = None) -> tuple[Array, Array | None]:  # noqa: A002
    """Return class numbers that are there, and which of them count; None for all."""
    classes = input.shape[axis]
    if target.dtype.kind not in "iu":
        raise TypeError(f"class numbers must be integers, got {target.dtype}; convert with .astype(int)")
    if target.shape != _without(input.shape, axis):
        raise ShapeMismatchError(
            f"a loss of {classes} classes got an input of shape {input.shape} and class numbers of shape {target.shape}; expected shape "
            f"{_without(input.shape, axis)}"
        )
    plain = concrete(target)
    target = ag.stop_gradient(target) if plain is None else plain
    kept = None
    if ignore_index is not None:
        kept = target != ignore_index
        if plain is not None and np.all(kept):
            kept = None
        else:
            target = np.where(kept, target, 0)
    counted = concrete(target)
    if counted is not None and counted.size and not (counted.min() >= 0 and counted.max() < classes):
        raise ValueError(f"class numbers must be in 0 ... {classes - 1}, got {counted.min()} ... {counted.max()}")
    return target, kept


def multi_margin_loss(
    input: Array,  # noqa: A002
    target: Array,
    p: int = 1,
    margin: float = 1.0,
    weight: Array | None = None,
    *,
    reduction: Reduction = "mean",
) -> Array:
    """Return, summed over the other classes and divided by the number of all, how much their scores come within a margin of the target's.

    For the scores x of a sample of class y: sum over j != y of max(0, margin - x[y] + x[j])^p / classes, times the weight of y.

    Parameters
    ----------
    input : array or Tensor, shape (samples, classes) or (classes,)
        Scores.
    target : array of integers, shape (samples,) or ()
        Class numbers.
    p : {1, 2}
    margin : float
    weight : array, shape (classes,), optional
    reduction : {"mean", "sum", "none"}
        Over the samples.

    Raises
    ------
    ShapeMismatchError, TypeError, ValueError
        If shapes do not belong together, the target is not of integers in 0 ... classes - 1, or `p` is neither 1 nor 2.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.functional.multi_margin_loss(np.array([[0.1, 0.2, 0.4, 0.8]]), np.array([3])).round(4)
    np.float64(0.325)
    """
    if p not in (1, 2):
        raise ValueError(f"multi_margin_loss needs p to be 1 or 2, got {p!r}")
    input, target = floats(input), array(target)  # noqa: A001
    axis = _class_axis(input)
    if input.ndim > 2:
        raise ShapeMismatchError(f"multi_margin_loss needs scores of shape (samples, classes) or (classes,), got {input.shape}")
    weight = _class_weight(input, axis, weight)
    target, _ = _numbers(input, target, axis)
    own = np.expand_dims(target, axis)
    above = ag.relu(margin - np.expand_dims(_picked(input, target, axis), axis) + input)
    others = np.arange(input.shape[axis]) != own
    each = np.where(others, above if p == 1 else np.square(above), 0).sum(axis=axis) / input.shape[axis]
    return reduced(each if weight is None else each * _picked(np.broadcast_to(weight, input.shape), target, axis), reduction)


def _picked(x: Array, target: Array, axis: int) -> Array:
    """Return the element of the target class, in the place of the class axis."""
    return np.squeeze(np.take_along_axis(x, np.expand_dims(target, axis), axis=axis), axis=axis)


def _class_axis(input: Array) -> int:  # noqa: A002
    if input.ndim == 0:
        raise ShapeMismatchError("a loss over classes needs an input of shape (samples, classes), got shape ()")
    return 0 if input.ndim == 1 else 1


def _class_weight(input: Array, axis: int, weight: Array | None) -> Array | None:  # noqa: A002
    if weight is None:
        return None
    if isinstance(weight, str):
        raise TypeError(f"a loss over classes got the weight {weight!r}; the reduction is a keyword: reduction={weight!r}")
    weight = array(weight)
    if weight.shape != (input.shape[axis],):
        raise ShapeMismatchError(f"a loss of {input.shape[axis]} classes needs as many weights, got the shape {weight.shape}")
    plain = concrete(weight)
    if plain is not None and not np.all(plain >= 0):
        raise ValueError(f"weights of classes must be at least 0, got {plain}")
    return weight if weight.dtype == input.dtype else weight.astype(input.dtype)


def _along(weight: Array, input: Array, axis: int) -> Array:  # noqa: A002
    return np.reshape(weight, (-1,) + (1,) * (input.ndim - 1 - axis))


def _without(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    return shape[:axis] + shape[axis + 1 :]
