"""Dropout: elements, or whole channels, set to zero at random."""

from __future__ import annotations

from typing import Any

import numpy as np

from nn.errors import ShapeMismatchError
from nn.functional.arguments import Array, array

__all__ = ["dropout", "dropout1d", "dropout2d"]


def _probability(p: float, where: str) -> float:
    if not 0 <= p <= 1:
        raise ValueError(f"{where} needs a probability p within [0, 1], got {p!r}")
    return float(p)


def _dropped(x: Array, shape: tuple[int, ...], p: float, rng: Any) -> Array:
    if p == 0:
        return x
    kept = np.random.default_rng(rng).random(shape, np.float32) >= p
    dtype = x.dtype if x.dtype.kind == "f" else np.dtype(float)
    return x * (kept * dtype.type(1 / (1 - p)) if p < 1 else np.zeros(shape, dtype))


def dropout(input: Array, p: float = 0.5, training: bool = True, *, rng: Any = None) -> Array:  # noqa: A002
    """Set each element to 0 with the probability `p`, and divide the others by 1 - p: Srivastava et al. (2014).

    Parameters
    ----------
    input : array or Tensor
        Any shape.
    p : float
        Within [0, 1].
    training : bool, default True
        Whether anything happens at all.
    rng : Generator, int or None
        Where the random numbers come from.

    Raises
    ------
    ValueError
        If `p` is no probability.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.functional.dropout(np.ones(6), 0.5, rng=0)
    array([2., 2., 2., 0., 0., 0.])
    """
    x, p = array(input), _probability(p, "dropout")
    return _dropped(x, x.shape, p, rng) if training else x


def _dropout_channels(x: Array, p: float, training: bool, rng: Any, dims: int) -> Array:
    x, p = array(x), _probability(p, f"dropout{dims}d")
    if dims == 2 and x.ndim == 3:
        raise ShapeMismatchError(
            f"dropout2d got an input of shape {x.shape}, which PyTorch takes for (samples, channels, length); use dropout1d for that, or "
            f"x[None] for one image"
        )
    if x.ndim not in (dims + 1, dims + 2):
        axes = "length" if dims == 1 else "height, width"
        raise ShapeMismatchError(f"dropout{dims}d drops whole channels: it expected (samples, channels, {axes}), got shape {x.shape}")
    return _dropped(x, (*x.shape[:-dims], *(1,) * dims), p, rng) if training else x


def dropout1d(input: Array, p: float = 0.5, training: bool = True, *, rng: Any = None) -> Array:  # noqa: A002
    """Set each channel of a signal to 0 with the probability `p`, and divide the others by 1 - p; parameters as for `dropout`."""
    return _dropout_channels(input, p, training, rng, 1)


def dropout2d(input: Array, p: float = 0.5, training: bool = True, *, rng: Any = None) -> Array:  # noqa: A002
    """Set each channel of an image to 0 with the probability `p`, and divide the others by 1 - p; parameters as for `dropout`."""
    return _dropout_channels(input, p, training, rng, 2)
