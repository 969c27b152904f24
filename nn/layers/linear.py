"""Affine layers: inputs are (samples, features), a Linear's weight is (out, in)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from nn import functional as F  # noqa: N812
from nn import init as initialisers
from nn.errors import ShapeMismatchError
from nn.layers.settings import positive
from nn.module import Module
from nn.parameter import Parameter

__all__ = ["Bilinear", "Linear"]

Initialiser = Callable[..., Any]


class Linear(Module):
    """x @ weight.T + bias.

    Parameters
    ----------
    in_features, out_features : int
        The lengths of the last axis of the input and of the output.
    bias : bool, default True
        Whether there is a bias.
    init, bias_init : callable, optional
        ``init(parameter, rng=rng)`` fills the weight, or the bias: a function of `nn.init` or your own. By default both
        are uniform within 1 / sqrt(in_features), as in PyTorch.
    rng : Generator, int or None
        Where the numbers come from; the weight is drawn first.
    dtype : floating dtype, default float64
        Of both Parameters.

    Attributes
    ----------
    weight : Parameter, shape (out_features, in_features)
    bias : Parameter of shape (out_features,), or None

    Raises
    ------
    ShapeMismatchError
        When called with an input whose last axis is not `in_features` long.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> layer = nn.Linear(2, 3, init=nn.init.normal_, bias_init=nn.init.zeros_, rng=0)
    >>> layer
    Linear(in_features=2, out_features=3, bias=True)
    >>> layer(np.ones((5, 2))).shape
    (5, 3)
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        init: Initialiser | None = None,
        bias_init: Initialiser | None = None,
        rng: initialisers.RNG = None,
        dtype: Any = np.float64,
    ) -> None:
        positive(self, in_features=in_features, out_features=out_features)
        generator = np.random.default_rng(rng)
        bound = 1 / math.sqrt(in_features)
        self.in_features, self.out_features = int(in_features), int(out_features)
        self.weight = Parameter(np.zeros((out_features, in_features), dtype))
        self.bias = Parameter(np.zeros(out_features, dtype)) if bias else None
        for p, fill in ((self.weight, init), (self.bias, bias_init)):
            if p is not None and fill is not None:
                fill(p, rng=generator)
            elif p is not None:
                initialisers.uniform_(p, -bound, bound, rng=generator)

    def forward(self, x: Any) -> Any:
        """Return (..., out_features) for an input (..., in_features)."""
        x = x if hasattr(x, "shape") else np.asarray(x)
        shape = x.shape
        if not shape or shape[-1] != self.in_features:
            raise ShapeMismatchError(
                f"Linear(in_features={self.in_features}, out_features={self.out_features}) got an input of shape {shape}; "
                f"its last axis must hold the {self.in_features} features: (samples, features)"
            )
        return F.linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Return the sizes."""
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class Bilinear(Module):
    """x1 @ weight[k] @ x2 + bias[k]: `nn.functional.bilinear`.

    Parameters
    ----------
    in1_features, in2_features, out_features : int
        The lengths of the last axes of the inputs and of the output.
    bias : bool, default True
        Whether there is a bias.
    rng : Generator, int or None
        Where the numbers come from, uniform within 1 / sqrt(in1_features).
    dtype : floating dtype, default float64
        Of both Parameters.

    Attributes
    ----------
    weight : Parameter, shape (out_features, in1_features, in2_features)
    bias : Parameter of shape (out_features,), or None
    """

    def __init__(
        self,
        in1_features: int,
        in2_features: int,
        out_features: int,
        bias: bool = True,
        *,
        rng: initialisers.RNG = None,
        dtype: Any = np.float64,
    ) -> None:
        positive(self, in1_features=in1_features, in2_features=in2_features, out_features=out_features)
        self.in1_features, self.in2_features, self.out_features = int(in1_features), int(in2_features), int(out_features)
        generator = np.random.default_rng(rng)
        bound = 1 / math.sqrt(in1_features)
        weight = Parameter(np.zeros((out_features, in1_features, in2_features), dtype))
        self.weight = initialisers.uniform_(weight, -bound, bound, rng=generator)
        self.bias = initialisers.uniform_(Parameter(np.zeros(out_features, dtype)), -bound, bound, rng=generator) if bias else None

    def forward(self, x1: Any, x2: Any) -> Any:
        """Return (..., out_features) for inputs (..., in1_features) and (..., in2_features)."""
        return F.bilinear(x1, x2, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Return the sizes."""
        sizes = f"in1_features={self.in1_features}, in2_features={self.in2_features}, out_features={self.out_features}"
        return f"{sizes}, bias={self.bias is not None}"
