"""Binary cross-entropy, of probabilities and of logits."""

from __future__ import annotations

import numpy as np

import autograd_np as ag
from nn.functional.arguments import Array, Reduction, floats, labels, reduced, weights, within_unit

__all__ = ["binary_cross_entropy", "binary_cross_entropy_with_logits"]


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


def binary_cross_entropy_with_logits(
    input: Array,  # noqa: A002
    target: Array,
    weight: Array | None = None,
    *,
    reduction: Reduction = "mean",
    pos_weight: Array | None = None,
) -> Array:
    """Return -y log s(z) - (1 - y) log(1 - s(z)), stable for every logit z; its derivative is s(z) - y.

    Parameters
    ----------
    input : array or Tensor
        Logits z.
    target : array or Tensor
        Labels y within [0, 1], of the shape of `input`; cast to its dtype.
    weight : array, optional
        What each element is multiplied by, before the reduction.
    reduction : {"mean", "sum", "none"}
        Over all elements.
    pos_weight : array, optional
        What the first term is multiplied by, more than 1 where positive labels are few.

    Raises
    ------
    ShapeMismatchError
        If the shapes differ, or a weight cannot be broadcast.
    ValueError
        If a label is outside [0, 1].

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.functional.binary_cross_entropy_with_logits(np.array([0.0, 1000.0]), np.array([1.0, 0.0]), reduction="none")
    array([6.93147181e-01, 1.00000000e+03])
    """
    input = floats(input)  # noqa: A001
    target = labels(input, target, "binary_cross_entropy_with_logits")
    weight = weights(input, weight, "binary_cross_entropy_with_logits")
    positive = weights(input, pos_weight, "binary_cross_entropy_with_logits")
    if positive is None:
        loss = _BCE_WITH_LOGITS(input, target)
    else:
        loss = positive * target * ag.softplus(-input) + (1 - target) * ag.softplus(input)
    return reduced(loss if weight is None else loss * weight, reduction)


def binary_cross_entropy(
    input: Array,  # noqa: A002
    target: Array,
    weight: Array | None = None,
    *,
    reduction: Reduction = "mean",
) -> Array:
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
    weight : array, optional
        What each element is multiplied by, before the reduction.
    reduction : {"mean", "sum", "none"}
        Over all elements.

    Raises
    ------
    ShapeMismatchError
        If the shapes differ, or the weight cannot be broadcast.
    ValueError
        If a probability or a label is outside [0, 1].

    Examples
    --------
    >>> import autograd_np as ag
    >>> import nn
    >>> z = ag.Tensor([-1000.0, 0.0], requires_grad=True)
    >>> nn.functional.binary_cross_entropy(ag.sigmoid(z), [1.0, 1.0], reduction="sum").backward()
    >>> z.grad
    array([-1. , -0.5])
    """
    input = floats(input)  # noqa: A001
    target = labels(input, target, "binary_cross_entropy")
    weight = weights(input, weight, "binary_cross_entropy")
    z = _logit(input) if isinstance(input, ag.Tensor) else None
    if z is None and not within_unit(input):
        raise ValueError(
            "binary_cross_entropy got a probability outside [0, 1], or NaN; put a sigmoid before it, "
            "or pass logits to binary_cross_entropy_with_logits"
        )
    loss = _BCE(input, target) if z is None else _BCE_WITH_LOGITS(z, target)
    return reduced(loss if weight is None else loss * weight, reduction)


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
