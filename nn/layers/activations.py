"""Activations as Modules; what they compute is said in `nn.functional`."""

from __future__ import annotations

from typing import Any

import numpy as np

from nn import functional as F  # noqa: N812
from nn.layers.settings import not_in_place
from nn.module import Module
from nn.parameter import Parameter

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "GLU",
    "SELU",
    "Hardshrink",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "LeakyReLU",
    "LogSigmoid",
    "LogSoftmax",
    "Mish",
    "PReLU",
    "ReLU",
    "ReLU6",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softmin",
    "Softplus",
    "Softshrink",
    "Softsign",
    "Tanh",
    "Tanhshrink",
    "Threshold",
]


# --- without settings -----------------------------------------------------------------------------


class Sigmoid(Module):
    """1 / (1 + exp(-x)), stable."""

    def forward(self, x: Any) -> Any:
        """Return the logistic function of each element."""
        return F.sigmoid(x)


class LogSigmoid(Module):
    """log(sigmoid(x)), finite where the sigmoid has underflowed to 0."""

    def forward(self, x: Any) -> Any:
        """Return the logarithm of the logistic function of each element."""
        return F.logsigmoid(x)


class Tanh(Module):
    """The hyperbolic tangent."""

    def forward(self, x: Any) -> Any:
        """Return the hyperbolic tangent of each element."""
        return F.tanh(x)


class Tanhshrink(Module):
    """x - tanh(x)."""

    def forward(self, x: Any) -> Any:
        """Return what the hyperbolic tangent takes away from each element."""
        return F.tanhshrink(x)


class Softsign(Module):
    """x / (1 + abs(x))."""

    def forward(self, x: Any) -> Any:
        """Return each element, squashed into (-1, 1)."""
        return F.softsign(x)


# --- without settings, but for PyTorch's `inplace` ------------------------------------------------


class _InPlace(Module):
    """What PyTorch can compute in place, which is refused."""

    def __init__(self, inplace: bool = False) -> None:
        not_in_place(self, inplace)


class ReLU(_InPlace):
    """max(x, 0)."""

    def forward(self, x: Any) -> Any:
        """Return each element or 0, whichever is larger."""
        return F.relu(x)


class ReLU6(_InPlace):
    """min(max(x, 0), 6)."""

    def forward(self, x: Any) -> Any:
        """Return each element, or the end of [0, 6] that it is beyond."""
        return F.relu6(x)


class SELU(_InPlace):
    """scale elu(x, alpha), which keeps mean 0 and variance 1: `nn.functional.selu`."""

    def forward(self, x: Any) -> Any:
        """Return the function of each element."""
        return F.selu(x)


class SiLU(_InPlace):
    """x sigmoid(x), also called swish."""

    def forward(self, x: Any) -> Any:
        """Return each element times its sigmoid."""
        return F.silu(x)


class Mish(_InPlace):
    """x tanh(softplus(x))."""

    def forward(self, x: Any) -> Any:
        """Return the function of each element."""
        return F.mish(x)


class Hardsigmoid(_InPlace):
    """relu6(x + 3) / 6."""

    def forward(self, x: Any) -> Any:
        """Return the function of each element."""
        return F.hardsigmoid(x)


class Hardswish(_InPlace):
    """x hardsigmoid(x)."""

    def forward(self, x: Any) -> Any:
        """Return the function of each element."""
        return F.hardswish(x)


# --- with settings --------------------------------------------------------------------------------


class LeakyReLU(Module):
    """x where it is positive, `negative_slope` x elsewhere."""

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        not_in_place(self, inplace)
        self.negative_slope = negative_slope

    def forward(self, x: Any) -> Any:
        """Return the function of each element."""
        return F.leaky_relu(x, self.negative_slope)

    def extra_repr(self) -> str:
        """Return the slope."""
        return f"negative_slope={self.negative_slope}"


class PReLU(Module):
    """x where it is positive, `weight` x elsewhere: a leaky ReLU whose slope is learned, one for all or one a channel (axis 1).

    Parameters
    ----------
    num_parameters : int
        1, or the number of channels.
    init : float
        The slope to start from.
    dtype : floating dtype, default float64
        Of the weight.

    Attributes
    ----------
    weight : Parameter, shape (num_parameters,)
    """

    def __init__(self, num_parameters: int = 1, init: float = 0.25, *, dtype: Any = np.float64) -> None:
        self.num_parameters = num_parameters
        self.weight = Parameter(np.full(num_parameters, init, dtype))

    def forward(self, x: Any) -> Any:
        """Return the function of each element."""
        return F.prelu(x, self.weight)

    def extra_repr(self) -> str:
        """Return the number of slopes."""
        return f"num_parameters={self.num_parameters}"


class ELU(Module):
    """x where it is positive, alpha (exp(x) - 1) elsewhere."""

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        not_in_place(self, inplace)
        self.alpha = alpha

    def forward(self, x: Any) -> Any:
        """Return the function of each element."""
        return F.elu(x, self.alpha)

    def extra_repr(self) -> str:
        """Return the value that is approached."""
        return f"alpha={self.alpha}"


class CELU(Module):
    """x where it is positive, alpha (exp(x / alpha) - 1) elsewhere."""

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        not_in_place(self, inplace)
        self.alpha = alpha

    def forward(self, x: Any) -> Any:
        """Return the function of each element."""
        return F.celu(x, self.alpha)

    def extra_repr(self) -> str:
        """Return the value that is approached."""
        return f"alpha={self.alpha}"


class GELU(Module):
    """x times the probability that a normal number is less than x: `nn.functional.gelu`."""

    def __init__(self, approximate: str = "none") -> None:
        if approximate not in ("none", "tanh"):
            raise ValueError(f"approximate={approximate!r} is not known; expected 'none' or 'tanh'")
        self.approximate = approximate

    def forward(self, x: Any) -> Any:
        """Return the function of each element."""
        return F.gelu(x, self.approximate)

    def extra_repr(self) -> str:
        """Return how it is computed."""
        return f"approximate={self.approximate!r}"


class Softplus(Module):
    """log(1 + exp(beta x)) / beta, and x where beta x is more than `threshold`."""

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        self.beta, self.threshold = beta, threshold

    def forward(self, x: Any) -> Any:
        """Return the function of each element."""
        return F.softplus(x, self.beta, self.threshold)

    def extra_repr(self) -> str:
        """Return the settings."""
        return f"beta={self.beta}, threshold={self.threshold}"


class Hardtanh(Module):
    """x, or the bound that it is beyond."""

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> None:
        not_in_place(self, inplace)
        if min_val > max_val:
            raise ValueError(f"Hardtanh needs min_val <= max_val, got {min_val} and {max_val}")
        self.min_val, self.max_val = min_val, max_val

    def forward(self, x: Any) -> Any:
        """Return the function of each element."""
        return F.hardtanh(x, self.min_val, self.max_val)

    def extra_repr(self) -> str:
        """Return the bounds."""
        return f"min_val={self.min_val}, max_val={self.max_val}"


class Softshrink(Module):
    """x moved by `lambd` towards 0, which it does not pass."""

    def __init__(self, lambd: float = 0.5) -> None:
        self.lambd = lambd

    def forward(self, x: Any) -> Any:
        """Return the function of each element."""
        return F.softshrink(x, self.lambd)

    def extra_repr(self) -> str:
        """Return by how much."""
        return f"lambd={self.lambd}"


class Hardshrink(Module):
    """x where it is beyond -lambd or `lambd`, 0 elsewhere."""

    def __init__(self, lambd: float = 0.5) -> None:
        self.lambd = lambd

    def forward(self, x: Any) -> Any:
        """Return the function of each element."""
        return F.hardshrink(x, self.lambd)

    def extra_repr(self) -> str:
        """Return the bound."""
        return f"lambd={self.lambd}"


class Threshold(Module):
    """x where it is more than `threshold`, `value` elsewhere."""

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        not_in_place(self, inplace)
        self.threshold, self.value = threshold, value

    def forward(self, x: Any) -> Any:
        """Return the function of each element."""
        return F.threshold(x, self.threshold, self.value)

    def extra_repr(self) -> str:
        """Return the settings."""
        return f"threshold={self.threshold}, value={self.value}"


# --- along an axis --------------------------------------------------------------------------------


class _AlongAxis(Module):
    """A function of all elements along `dim`, which PyTorch guesses from the number of axes where it is not given."""

    def __init__(self, dim: int) -> None:
        self.dim = dim

    def extra_repr(self) -> str:
        """Return the axis."""
        return f"dim={self.dim}"


class Softmax(_AlongAxis):
    """exp(x), normalised to sum to one along `dim`."""

    def forward(self, x: Any) -> Any:
        """Return the shares."""
        return F.softmax(x, self.dim)


class LogSoftmax(_AlongAxis):
    """The logarithm of the softmax along `dim`, finite where that has underflowed."""

    def forward(self, x: Any) -> Any:
        """Return the logarithms of the shares."""
        return F.log_softmax(x, self.dim)


class Softmin(_AlongAxis):
    """The softmax of -x along `dim`."""

    def forward(self, x: Any) -> Any:
        """Return the shares."""
        return F.softmin(x, self.dim)


class GLU(_AlongAxis):
    """The first half of the elements along `dim`, times the sigmoid of the second."""

    def __init__(self, dim: int = -1) -> None:
        super().__init__(dim)

    def forward(self, x: Any) -> Any:
        """Return half as many elements."""
        return F.glu(x, self.dim)
