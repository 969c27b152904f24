"""Losses as functions; they take arrays as well as Tensors."""

from __future__ import annotations

import numpy as np

import autograd_np as ag
from nn.errors import ShapeMismatchError
from nn.functional.arguments import Array, Reduction, array, labels, reduced, target_of, within_unit

__all__ = ["binary_cross_entropy", "binary_cross_entropy_with_logits", "cross_entropy", "mse_loss", "nll_loss"]

# --- binary classification ------------------------------------------------------------------------


def _bce_of_logit(z: Array, y: Array) -> Array:
    """-y log s(z) - (1 - y) log(1 - s(z)) for the sigmoid s, without overflow or cancellation."""
    return np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z)))


def _log(p: Array) -> Array:
    with np.errstate(divide="ignore"):
        return np.maximum(np.log(p), -100)


def _bce_of_probability(p: Array, y: Array) -> Array:
    return (y - 1) * _log(1 - p) - y * _log(p)


_BCE_WITH_LOGITS = ag.define(
    _bce_of_logit,
    partials=[lambda _, z, y: ag.sigmoid(z) - y, lambda _, z, _y: -z],
    name="bce_with_logits",
    tex=r"\log(1 + e^{#1}) - #1 #2",
)
_BCE = ag.define(
    _bce_of_probability,
    partials=[lambda _, p, y: (p - y) / np.maximum(p * (1 - p), 1e-12), lambda _, p, _y: _log(1 - p) - _log(p)],
    name="bce",
    tex=r"-#2 \log #1 - (1 - #2) \log(1 - #1)",
)


def binary_cross_entropy_with_logits(input: Array, target: Array, reduction: Reduction = "mean") -> Array:  # noqa: A002
    """Return -y log s(z) - (1 - y) log(1 - s(z)), stable for every logit z; its derivative is s(z) - y.

    Parameters
    ----------
    input : array or Tensor
        Logits z.
    target : array or Tensor
        Labels y within [0, 1], of the shape of `input`; cast to its dtype.
    reduction : {"mean", "sum", "none"}
        Over all elements.

    Raises
    ------
    ShapeMismatchError
        If the shapes differ.
    ValueError
        If a label is outside [0, 1].

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.functional.binary_cross_entropy_with_logits(np.array([0.0, 1000.0]), np.array([1.0, 0.0]), "none")
    array([6.93147181e-01, 1.00000000e+03])
    """
    input = array(input)  # noqa: A001
    return reduced(_BCE_WITH_LOGITS(input, labels(input, target, "binary_cross_entropy_with_logits")), reduction)


def binary_cross_entropy(input: Array, target: Array, reduction: Reduction = "mean") -> Array:  # noqa: A002
    """Return -y log p - (1 - y) log(1 - p).

    Where `input` was recorded as the sigmoid of a logit, by `ag.sigmoid` or written out as ``1 / (1 + np.exp(-z))``
    (and then perhaps transposed, reshaped or indexed), the loss is computed from the logit, so value and gradient
    s(z) - y are right even where the sigmoid has saturated to 0 or 1.

    Other probabilities are treated as PyTorch treats them: the logarithms are at least -100, and the derivative is
    (p - y) / max(p (1 - p), 1e-12).

    Parameters
    ----------
    input : array or Tensor
        Probabilities p within [0, 1].
    target : array or Tensor
        Labels y within [0, 1], of the shape of `input`; cast to its dtype.
    reduction : {"mean", "sum", "none"}
        Over all elements.

    Raises
    ------
    ShapeMismatchError
        If the shapes differ.
    ValueError
        If a probability or a label is outside [0, 1].

    Examples
    --------
    >>> import autograd_np as ag
    >>> import nn
    >>> z = ag.Tensor([-1000.0, 0.0], requires_grad=True)
    >>> nn.functional.binary_cross_entropy(ag.sigmoid(z), [1.0, 1.0], "sum").backward()
    >>> z.grad
    array([-1. , -0.5])
    """
    input = array(input)  # noqa: A001
    target = labels(input, target, "binary_cross_entropy")
    z = _logit(input) if isinstance(input, ag.Tensor) else None
    if z is not None:
        return reduced(_BCE_WITH_LOGITS(z, target), reduction)
    if not within_unit(input):
        raise ValueError(
            "binary_cross_entropy got a probability outside [0, 1], or NaN; put a sigmoid before it, "
            "or pass logits to binary_cross_entropy_with_logits"
        )
    return reduced(_BCE(input, target), reduction)


_MOVES = frozenset({"transpose", "reshape", "squeeze", "expand_dims", "swapaxes", "moveaxis", "getitem", "ravel"})


def _logit(t: Array) -> Array | None:
    """Return z if the Tensor `t` was recorded as the sigmoid of z, in any of the usual forms."""
    made = ag.operation(t) if isinstance(t, ag.Tensor) else None
    if made is None:
        return None
    fn, operands = made.op.fn, made.operands
    if made.op is ag.sigmoid.op:
        return operands[0]
    if made.op.kind == "linear" and made.op.name in _MOVES:
        z = _logit(operands[0])
        return None if z is None else fn(z, **made.attrs)
    below = None
    if fn is np.divide and _is_one(operands[0]):
        below = operands[1]
    elif fn is np.reciprocal or (fn in (np.power, np.float_power) and _is_one(operands[1], -1)):
        below = operands[0]
    z = _minus_exponent(below)
    return z if z is not None and z.shape == t.shape else None


def _minus_exponent(t: Array) -> Array | None:
    """Return z if the Tensor `t` was recorded as 1 + exp(-z)."""
    total = ag.operation(t) if isinstance(t, ag.Tensor) else None
    if total is None or total.op.fn is not np.add:
        return None
    one, exponential = total.operands if _is_one(total.operands[0]) else total.operands[::-1]
    made = ag.operation(exponential) if isinstance(exponential, ag.Tensor) else None
    if made is None or made.op.fn is not np.exp or not _is_one(one):
        return None
    exponent = made.operands[0]
    negated = ag.operation(exponent) if isinstance(exponent, ag.Tensor) else None
    return negated.operands[0] if negated is not None and negated.op.fn is np.negative else -exponent


def _is_one(x: Array, one: int = 1) -> bool:
    return isinstance(x, (int, float, np.generic, np.ndarray)) and bool(np.all(x == one))


# --- regression and classification ----------------------------------------------------------------


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
    input = array(input)  # noqa: A001
    return reduced(np.square(input - target_of(input, target, "mse_loss")), reduction)


def cross_entropy(input: Array, target: Array, reduction: Reduction = "mean") -> Array:  # noqa: A002
    """Return minus the log-probability that softmax gives to the target class.

    Parameters
    ----------
    input : array or Tensor, shape (samples, classes), (classes,) or (samples, classes, ...)
        Logits.
    target : array
        Either class numbers, integers of the shape of `input` without its class axis, or a probability for
        each class, floats of the shape of `input`.
    reduction : {"mean", "sum", "none"}
        Over the samples (and the further axes).

    Raises
    ------
    ShapeMismatchError
        If the target has neither shape.
    ValueError
        If a class number is not in 0 ... classes - 1.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> logits = np.array([[0.0, 0.0], [1000.0, 0.0]])
    >>> nn.functional.cross_entropy(logits, np.array([1, 1]), "none")
    array([6.93147181e-01, 1.00000000e+03])
    """
    input = array(input)  # noqa: A001
    target = array(target)
    axis = _class_axis(input)
    log_p = ag.log_softmax(input, axis=axis)
    if target.dtype.kind != "f":
        return nll_loss(log_p, target, reduction)
    if target.shape != input.shape:
        raise ShapeMismatchError(
            f"cross_entropy got logits of shape {input.shape} and a floating target of shape {target.shape}; expected a probability for "
            f"each class, of shape {input.shape}, or integer class numbers of shape {_without(input.shape, axis)}"
        )
    return reduced(-(target_of(input, target, "cross_entropy") * log_p).sum(axis=axis), reduction)


def nll_loss(input: Array, target: Array, reduction: Reduction = "mean") -> Array:  # noqa: A002
    """Return minus the log-probability of the target class; takes the output of `log_softmax`.

    Parameters
    ----------
    input : array or Tensor, shape (samples, classes), (classes,) or (samples, classes, ...)
        Log-probabilities.
    target : array of integers
        Class numbers, of the shape of `input` without its class axis.
    reduction : {"mean", "sum", "none"}
        Over the samples (and the further axes).

    Raises
    ------
    ShapeMismatchError, TypeError, ValueError
        If the target has another shape, is not of integers, or a class number is not in 0 ... classes - 1.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.functional.nll_loss(np.array([[-0.1, -2.0]]), np.array([1]))
    np.float64(2.0)
    """
    input, target = array(input), array(target)  # noqa: A001
    axis = _class_axis(input)
    classes = input.shape[axis]
    if target.dtype.kind not in "iu":
        raise TypeError(f"class numbers must be integers, got {target.dtype}; convert with .astype(int)")
    if target.shape != _without(input.shape, axis):
        raise ShapeMismatchError(
            f"a loss of {classes} classes got an input of shape {input.shape} and class numbers of shape {target.shape}; expected shape "
            f"{_without(input.shape, axis)}"
        )
    target = ag.stop_gradient(target)
    plain = target.numpy() if isinstance(target, ag.Tensor) else target
    if isinstance(plain, np.ndarray) and plain.size and not (plain.min() >= 0 and plain.max() < classes):
        raise ValueError(f"class numbers must be in 0 ... {classes - 1}, got {plain.min()} ... {plain.max()}")
    picked = np.take_along_axis(input, np.expand_dims(plain, axis), axis=axis)
    return reduced(-np.squeeze(picked, axis=axis), reduction)


def _class_axis(input: Array) -> int:  # noqa: A002
    if input.ndim == 0:
        raise ShapeMismatchError("a loss over classes needs an input of shape (samples, classes), got shape ()")
    return 0 if input.ndim == 1 else 1


def _without(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    return shape[:axis] + shape[axis + 1 :]
