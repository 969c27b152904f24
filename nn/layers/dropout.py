"""Dropout layers: they do nothing after `eval()`."""

from __future__ import annotations

from typing import Any

import numpy as np

from nn import functional as F  # noqa: N812
from nn.init import RNG
from nn.layers.settings import not_in_place
from nn.module import Module

__all__ = ["Dropout", "Dropout1d", "Dropout2d"]


class Dropout(Module):
    """Each element set to 0 with the probability `p` in training, the others divided by 1 - p: `nn.functional.dropout`.

    Parameters
    ----------
    p : float
        Within [0, 1].
    inplace : False
        Not covered.
    rng : Generator, int or None
        Where the random numbers come from.

    Attributes
    ----------
    generator : numpy.random.Generator
        Draws at each call; `functional_call` and copies share it.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> layer = nn.Dropout(0.5, rng=0)
    >>> layer(np.ones(6))
    array([2., 2., 2., 0., 0., 0.])
    >>> layer.eval()(np.ones(6))
    array([1., 1., 1., 1., 1., 1.])
    """

    def __init__(self, p: float = 0.5, inplace: bool = False, *, rng: RNG = None) -> None:
        not_in_place(self, inplace)
        if not 0 <= p <= 1:
            raise ValueError(f"{type(self).__name__} needs a probability p within [0, 1], got {p!r}")
        self.p = p
        self.generator = np.random.default_rng(rng)

    def forward(self, x: Any) -> Any:
        """Return what is left."""
        return F.dropout(x, self.p, self.training, rng=self.generator)

    def extra_repr(self) -> str:
        """Return the probability."""
        return f"p={self.p}"


class Dropout1d(Dropout):
    """As `Dropout`, but whole channels of signals (samples, channels, length)."""

    def forward(self, x: Any) -> Any:
        """Return what is left."""
        return F.dropout1d(x, self.p, self.training, rng=self.generator)


class Dropout2d(Dropout):
    """As `Dropout`, but whole channels of images (samples, channels, height, width)."""

    def forward(self, x: Any) -> Any:
        """Return what is left."""
        return F.dropout2d(x, self.p, self.training, rng=self.generator)
