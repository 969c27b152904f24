"""Layers that change the shape alone, or nothing."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from nn.errors import ShapeMismatchError
from nn.module import Module

__all__ = ["Flatten", "Identity", "Unflatten"]


class Identity(Module):
    """The input itself; arguments are ignored, so that it can stand in the place of any layer."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def forward(self, x: Any) -> Any:
        """Return the input."""
        return x


class Flatten(Module):
    """The axes from `start_dim` to `end_dim` made one.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.Flatten()(np.ones((5, 3, 2, 2))).shape
    (5, 12)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, x: Any) -> Any:
        """Return the same elements with fewer axes."""
        x = x if hasattr(x, "shape") else np.asarray(x)
        first, last = (i + x.ndim if i < 0 else i for i in (self.start_dim, self.end_dim))
        if not 0 <= first <= last < x.ndim:
            raise ShapeMismatchError(
                f"Flatten(start_dim={self.start_dim}, end_dim={self.end_dim}) got an input of shape {x.shape}, which has no such axes"
            )
        return np.reshape(x, (*x.shape[:first], math.prod(x.shape[first : last + 1]), *x.shape[last + 1 :]))

    def extra_repr(self) -> str:
        """Return the axes."""
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """The axis `dim` taken apart into axes of the sizes `unflattened_size`, of which one may be -1.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.Unflatten(1, (3, -1))(np.ones((5, 12))).shape
    (5, 3, 4)
    """

    def __init__(self, dim: int, unflattened_size: Any) -> None:
        if not isinstance(dim, int):
            raise TypeError(f"Unflatten takes the number of an axis, got {dim!r}; axes have no names here")
        self.dim, self.unflattened_size = dim, tuple(unflattened_size)

    def forward(self, x: Any) -> Any:
        """Return the same elements with more axes."""
        x = x if hasattr(x, "shape") else np.asarray(x)
        axis = self.dim + x.ndim if self.dim < 0 else self.dim
        known = -math.prod(self.unflattened_size) if self.unflattened_size.count(-1) == 1 else math.prod(self.unflattened_size)
        fits = 0 <= axis < x.ndim and (
            x.shape[axis] == known if -1 not in self.unflattened_size else known > 0 and x.shape[axis] % known == 0
        )
        if not fits:
            raise ShapeMismatchError(
                f"Unflatten(dim={self.dim}, unflattened_size={self.unflattened_size}) got an input of shape {x.shape}; "
                f"the sizes must multiply to that of the axis"
            )
        sizes = tuple(x.shape[axis] // known if n == -1 else n for n in self.unflattened_size)
        return np.reshape(x, (*x.shape[:axis], *sizes, *x.shape[axis + 1 :]))

    def extra_repr(self) -> str:
        """Return the axis and the sizes."""
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
