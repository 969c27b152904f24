"""Activations: functions of each element, or of all along an axis.

Where a slope jumps, the derivative at the jump is PyTorch's.
"""

from __future__ import annotations

import math

import numpy as np

import autograd_np as ag
from nn.errors import ShapeMismatchError
from nn.functional.arguments import Array, floats
from nn.functional.gaussian import normal_cdf

__all__ = [
    "celu",
    "elu",
    "gelu",
    "glu",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "leaky_relu",
    "log_softmax",
    "logsigmoid",
    "mish",
    "prelu",
    "relu",
    "relu6",
    "selu",
    "sigmoid",
    "silu",
    "softmax",
    "softmin",
    "softplus",
    "softshrink",
    "softsign",
    "tanh",
    "tanhshrink",
    "threshold",
]

sigmoid = ag.sigmoid
logsigmoid = ag.log_sigmoid
relu = ag.relu
tanh = np.tanh


# --- one row each ---------------------------------------------------------------------------------


def _mish(x: Array) -> Array:
    return x * np.tanh(np.logaddexp(x, 0))


def _mish_slope(_: Array, x: Array) -> Array:
    t = np.tanh(ag.softplus(x))
    return t + x * (1 - t * t) * ag.sigmoid(x)


def _silu_slope(y: Array, x: Array) -> Array:
    s = ag.sigmoid(x)
    return s + y * (1 - s)


def _celu_by_alpha(_: Array, x: Array, alpha: Array) -> Array:
    z = np.minimum(x, 0) / alpha
    return np.expm1(z) - z * np.exp(z)


_LEAKY_RELU = ag.define(
    lambda x, slope: np.where(x > 0, x, slope * x),
    partials=[lambda _, x, slope: np.where(x > 0, x.dtype.type(1), slope), lambda _, x, _slope: np.minimum(x, 0)],
    name="leaky_relu",
)
_ELU = ag.define(
    lambda x, alpha: np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0))),
    partials=[
        lambda _, x, alpha: np.where(x > 0, 1, alpha * np.exp(np.minimum(x, 0))),
        lambda _, x, _alpha: np.expm1(np.minimum(x, 0)),
    ],
    name="elu",
)
_CELU = ag.define(
    lambda x, alpha: np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0) / alpha)),
    partials=[lambda _, x, alpha: np.exp(np.minimum(x, 0) / alpha), _celu_by_alpha],
    name="celu",
)
_SILU = ag.define(lambda x: x * ag.sigmoid(x), partials=[_silu_slope], name="silu", tex=r"#1 \, \sigma(#1)")
_MISH = ag.define(_mish, partials=[_mish_slope], name="mish", tex=r"#1 \tanh \log(1 + e^{#1})")
_HARDTANH = ag.define(
    lambda x, low, high: np.clip(x, low, high),
    partials=[lambda _, x, low, high: (x > low) & (x < high), lambda _, x, low, _high: x <= low, lambda _, x, _low, high: x >= high],
    name="hardtanh",
)


def leaky_relu(input: Array, negative_slope: float = 0.01) -> Array:  # noqa: A002
    """Return x where it is positive, and `negative_slope` x elsewhere."""
    return _LEAKY_RELU(floats(input), negative_slope)


def prelu(input: Array, weight: Array) -> Array:  # noqa: A002
    """Return x where it is positive, and `weight` x elsewhere.

    Parameters
    ----------
    input : (samples, channels, ...), or any shape for one weight
    weight : (channels,) or (1,)

    Raises
    ------
    ShapeMismatchError
        If there are neither one weight nor as many as channels.
    """
    input, weight = floats(input), floats(weight)  # noqa: A001
    channels = input.shape[1] if input.ndim > 1 else 1
    if weight.ndim != 1 or weight.shape[0] not in (1, channels):
        raise ShapeMismatchError(
            f"prelu got an input of shape {input.shape} and a weight of shape {weight.shape}; expected one weight, (1,), or one for each "
            f"of the {channels} channels, which are axis 1: ({channels},)"
        )
    return _LEAKY_RELU(input, weight.reshape(-1, *(1,) * (input.ndim - 2)) if input.ndim > 1 else weight)


def elu(input: Array, alpha: float = 1.0) -> Array:  # noqa: A002
    """Return x where it is positive, and alpha (exp(x) - 1) elsewhere."""
    return _ELU(floats(input), alpha)


def celu(input: Array, alpha: float = 1.0) -> Array:  # noqa: A002
    """Return x where it is positive, and alpha (exp(x / alpha) - 1) elsewhere."""
    return _CELU(floats(input), alpha)


def silu(input: Array) -> Array:  # noqa: A002
    """Return x sigmoid(x)."""
    return _SILU(floats(input))


def mish(input: Array) -> Array:  # noqa: A002
    """Return x tanh(softplus(x))."""
    return _MISH(floats(input))


def hardtanh(input: Array, min_val: float = -1.0, max_val: float = 1.0) -> Array:  # noqa: A002
    """Return x, or the bound that it is beyond; the slope at a bound is 0.

    Raises
    ------
    ValueError
        If the bounds are in the wrong order.
    """
    if isinstance(min_val, (int, float)) and isinstance(max_val, (int, float)) and min_val > max_val:
        raise ValueError(f"hardtanh needs min_val <= max_val, got {min_val} and {max_val}")
    return _HARDTANH(floats(input), min_val, max_val)


# --- made of rows ---------------------------------------------------------------------------------

_ALPHA, _SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946


def selu(input: Array) -> Array:  # noqa: A002
    """Return scale elu(x, alpha), with the constants of Klambauer et al. (2017), https://arxiv.org/abs/1706.02515."""
    return _ELU(floats(input), _ALPHA) * _SCALE


def gelu(input: Array, approximate: str = "none") -> Array:  # noqa: A002
    """Return x times the probability that a normal number is less than x.

    Parameters
    ----------
    input : array or Tensor
        Any shape.
    approximate : {"none", "tanh"}
        "tanh" takes 0.5 x (1 + tanh(√(2/π) (x + 0.044715 x³))): Hendrycks and Gimpel (2016), https://arxiv.org/abs/1606.08415.

    Raises
    ------
    ValueError
        If `approximate` is neither.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.functional.gelu(np.array([-1.0, 0.0, 1.0])).round(6)
    array([-0.158655,  0.      ,  0.841345])
    """
    x = floats(input)
    if approximate == "none":
        return x * normal_cdf(x)
    if approximate == "tanh":
        return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    raise ValueError(f"approximate={approximate!r} is not known; expected 'none' or 'tanh'")


def relu6(input: Array) -> Array:  # noqa: A002
    """Return min(max(x, 0), 6)."""
    return _HARDTANH(floats(input), 0.0, 6.0)


def hardsigmoid(input: Array) -> Array:  # noqa: A002
    """Return relu6(x + 3) / 6."""
    return relu6(floats(input) + 3) / 6


def hardswish(input: Array) -> Array:  # noqa: A002
    """Return x hardsigmoid(x)."""
    return floats(input) * hardsigmoid(input)


def softplus(input: Array, beta: float = 1.0, threshold: float = 20.0) -> Array:  # noqa: A002
    """Return log(1 + exp(beta x)) / beta, and x itself where beta x is more than `threshold`."""
    x = floats(input)
    return np.where(x * beta > threshold, x, ag.softplus(x * beta) / beta)


def softsign(input: Array) -> Array:  # noqa: A002
    """Return x / (1 + abs(x))."""
    x = floats(input)
    return x / (1 + np.abs(x))


def tanhshrink(input: Array) -> Array:  # noqa: A002
    """Return x - tanh(x)."""
    x = floats(input)
    return x - np.tanh(x)


def softshrink(input: Array, lambd: float = 0.5) -> Array:  # noqa: A002
    """Return x moved by `lambd` towards 0, which it does not pass.

    Raises
    ------
    ValueError
        If `lambd` is negative.
    """
    if lambd < 0:
        raise ValueError(f"softshrink needs lambd >= 0, got {lambd}")
    x = floats(input)
    return np.where(x > lambd, x - lambd, np.where(x < -lambd, x + lambd, 0 * x))


def hardshrink(input: Array, lambd: float = 0.5) -> Array:  # noqa: A002
    """Return x where it is beyond -lambd or `lambd`, and 0 elsewhere."""
    x = floats(input)
    return np.where((x > lambd) | (x < -lambd), x, 0 * x)


def threshold(input: Array, threshold: float, value: float) -> Array:  # noqa: A002
    """Return x where it is more than `threshold`, and `value` elsewhere."""
    x = floats(input)
    return np.where(x > threshold, x, np.full((), value, x.dtype))


# --- along an axis --------------------------------------------------------------------------------


def softmax(input: Array, dim: int = -1) -> Array:  # noqa: A002
    """Return exp(input), normalised to sum to one along `dim`."""
    return ag.softmax(input, axis=dim)


def log_softmax(input: Array, dim: int = -1) -> Array:  # noqa: A002
    """Return the logarithm of `softmax`, finite where that has underflowed."""
    return ag.log_softmax(input, axis=dim)


def softmin(input: Array, dim: int = -1) -> Array:  # noqa: A002
    """Return the softmax of -x: the smallest element has the largest share."""
    return ag.softmax(-floats(input), axis=dim)


def glu(input: Array, dim: int = -1) -> Array:  # noqa: A002
    """Return the first half of the elements along `dim`, times the sigmoid of the second: Dauphin et al. (2017).

    Raises
    ------
    ShapeMismatchError
        If there is no such axis, or it cannot be halved.
    """
    x = floats(input)
    if not -x.ndim <= dim < x.ndim or x.shape[dim] % 2:
        raise ShapeMismatchError(f"glu halves axis {dim}, which must exist and have an even length; got an input of shape {x.shape}")
    a, b = np.split(x, 2, axis=dim)
    return a * ag.sigmoid(b)
