"""Initialisers with PyTorch's names: each fills a Tensor, outside any graph, and returns it.

Every one takes `rng`, a NumPy Generator, a seed, or ``None`` for fresh entropy. Numbers are drawn in float64 and
then cast, so float32 and float64 models of one seed agree to rounding.
"""

from __future__ import annotations

import math
from typing import Any, Literal, TypeVar

import numpy as np

import autograd_np as ag
from nn.errors import ShapeMismatchError

__all__ = [
    "calculate_gain",
    "constant_",
    "kaiming_normal_",
    "kaiming_uniform_",
    "normal_",
    "ones_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
]

T = TypeVar("T", bound=ag.Tensor)
RNG = int | np.random.Generator | None
Nonlinearity = Literal["linear", "sigmoid", "tanh", "relu", "leaky_relu", "selu"]
Mode = Literal["fan_in", "fan_out"]


def _fill(tensor: T, values: Any) -> T:
    with ag.no_grad():
        tensor[...] = values
    return tensor


def normal_(tensor: T, mean: float = 0.0, std: float = 1.0, *, rng: RNG = None) -> T:
    """Draw from the normal distribution, N(0, 1) by default.

    Examples
    --------
    >>> import nn
    >>> nn.init.normal_(nn.Parameter([0.0, 0.0]), rng=0).data
    array([ 0.12573022, -0.13210486])
    """
    return _fill(tensor, np.random.default_rng(rng).normal(mean, std, tensor.shape))


def uniform_(tensor: T, a: float = 0.0, b: float = 1.0, *, rng: RNG = None) -> T:
    """Draw from the uniform distribution on [a, b)."""
    return _fill(tensor, np.random.default_rng(rng).uniform(a, b, tensor.shape))


def constant_(tensor: T, val: float, *, rng: RNG = None) -> T:  # noqa: ARG001
    """Fill with one value."""
    return _fill(tensor, val)


def zeros_(tensor: T, *, rng: RNG = None) -> T:  # noqa: ARG001
    """Fill with zeros."""
    return _fill(tensor, 0.0)


def ones_(tensor: T, *, rng: RNG = None) -> T:  # noqa: ARG001
    """Fill with ones."""
    return _fill(tensor, 1.0)


def xavier_uniform_(tensor: T, gain: float = 1.0, *, rng: RNG = None) -> T:
    """Draw from U(-a, a), a = gain sqrt(6 / (fan_in + fan_out)): Glorot and Bengio (2010), equation 16.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> w = nn.init.xavier_uniform_(nn.Parameter(np.zeros((3, 2))), rng=0)
    >>> bool(np.max(np.abs(w.data)) < np.sqrt(6 / 5))
    True
    """
    a = gain * math.sqrt(6 / sum(_fans(tensor)))
    return uniform_(tensor, -a, a, rng=rng)


def xavier_normal_(tensor: T, gain: float = 1.0, *, rng: RNG = None) -> T:
    """Draw from N(0, gain^2 2 / (fan_in + fan_out)): Glorot and Bengio (2010), equation 12."""
    return normal_(tensor, 0.0, gain * math.sqrt(2 / sum(_fans(tensor))), rng=rng)


def kaiming_uniform_(tensor: T, a: float = 0.0, mode: Mode = "fan_in", nonlinearity: Nonlinearity = "leaky_relu", *, rng: RNG = None) -> T:
    """Draw from U(-b, b), b = gain sqrt(3 / fan): He et al. (2015), equation 14, as a uniform distribution.

    Parameters
    ----------
    tensor : Tensor
        A weight (out, in, ...).
    a : float
        The slope of a leaky ReLU for negative inputs.
    mode : {"fan_in", "fan_out"}
        Whether the forward or the backward pass keeps its variance.
    nonlinearity : str
        What follows the layer; see `calculate_gain`.
    rng : Generator, int or None
        Where the numbers come from.
    """
    b = math.sqrt(3) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -b, b, rng=rng)


def kaiming_normal_(tensor: T, a: float = 0.0, mode: Mode = "fan_in", nonlinearity: Nonlinearity = "leaky_relu", *, rng: RNG = None) -> T:
    """Draw from N(0, gain^2 / fan): He et al. (2015), equation 14; parameters as for `kaiming_uniform_`."""
    return normal_(tensor, 0.0, _kaiming_std(tensor, a, mode, nonlinearity), rng=rng)


def calculate_gain(nonlinearity: Nonlinearity, param: float = 0.01) -> float:
    """Return the factor that makes up for what a nonlinearity does to the variance; PyTorch's table.

    Examples
    --------
    >>> import nn
    >>> nn.init.calculate_gain("tanh")
    1.6666666666666667
    """
    gains = {
        "linear": 1.0,
        "sigmoid": 1.0,
        "tanh": 5 / 3,
        "relu": math.sqrt(2),
        "leaky_relu": math.sqrt(2 / (1 + param**2)),
        "selu": 3 / 4,
    }
    if nonlinearity not in gains:
        raise ValueError(f"nonlinearity={nonlinearity!r} is not known; expected one of {', '.join(gains)}")
    return gains[nonlinearity]


def _fans(tensor: ag.Tensor) -> tuple[int, int]:
    """Return (fan_in, fan_out) of a weight (out, in, *kernel)."""
    if tensor.ndim < 2:
        raise ShapeMismatchError(f"fan_in and fan_out need a weight of at least two axes (out, in, ...), got shape {tensor.shape}")
    if tensor.size == 0:
        raise ShapeMismatchError(f"fan_in and fan_out need a weight with elements, got shape {tensor.shape}")
    field = math.prod(tensor.shape[2:])
    return tensor.shape[1] * field, tensor.shape[0] * field


def _kaiming_std(tensor: ag.Tensor, a: float, mode: str, nonlinearity: Nonlinearity) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"mode={mode!r} is not known; expected 'fan_in' or 'fan_out'")
    return calculate_gain(nonlinearity, a) / math.sqrt(_fans(tensor)[mode == "fan_out"])
