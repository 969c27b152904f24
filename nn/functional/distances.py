"""Lengths, angles and distances of vectors."""

from __future__ import annotations

import numpy as np

import autograd_np as ag
from nn.functional.arguments import Array, floats

__all__ = ["cosine_similarity", "normalize", "pairwise_distance"]


def _length(x: Array, p: float, axis: int) -> Array:
    """Return the p-norm along an axis, which is kept; powers of large and small elements leave no range."""
    scale = ag.stop_gradient(np.max(np.abs(x), axis=axis, keepdims=True))
    scale = np.where((scale > 0) & np.isfinite(scale), scale, 1).astype(x.dtype)
    return scale * np.linalg.norm(x / scale, ord=p, axis=axis, keepdims=True)


def normalize(input: Array, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Array:  # noqa: A002
    """Return vectors divided by their length, or by `eps` where that is larger.

    Parameters
    ----------
    input : array or Tensor of floats
    p : float
        Of the norm.
    dim : int
        The axis along which the vectors lie.
    eps : float

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.functional.normalize(np.array([[3.0, 4.0], [0.0, 0.0]]))
    array([[0.6, 0.8],
           [0. , 0. ]])
    """
    input = floats(input)  # noqa: A001
    return input / np.maximum(_length(input, p, dim), eps)


def cosine_similarity(x1: Array, x2: Array, dim: int = 1, eps: float = 1e-8) -> Array:
    """Return the cosine of the angle between vectors; lengths below `eps` count as `eps`.

    Parameters
    ----------
    x1, x2 : array or Tensor of floats
        Of shapes that broadcast.
    dim : int
        The axis along which the vectors lie, in the broadcast shape.
    eps : float

    Returns
    -------
    array or Tensor
        Without that axis.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.functional.cosine_similarity(np.array([[1.0, 0.0]]), np.array([[2.0, 2.0]])).round(4)
    array([0.7071])
    """
    x1, x2 = floats(x1), floats(x2)
    axis = dim - max(x1.ndim, x2.ndim) if dim >= 0 else dim  # counted from the end, where shapes are aligned
    return (normalize(x1, 2.0, axis, eps) * normalize(x2, 2.0, axis, eps)).sum(axis=axis)


def pairwise_distance(x1: Array, x2: Array, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Array:
    """Return the p-norm of x1 - x2 + eps along the last axis.

    Parameters
    ----------
    x1, x2 : array or Tensor of floats
        Of shapes that broadcast.
    p : float
    eps : float
        Keeps the distance of equal vectors off zero, where its gradient has no direction.
    keepdim : bool
        Keep the last axis, with length 1.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.functional.pairwise_distance(np.array([[0.0, 0.0]]), np.array([[3.0, 4.0]])).round(4)
    array([5.])
    """
    length = _length(floats(x1) - floats(x2) + eps, p, -1)
    return length if keepdim else np.squeeze(length, axis=-1)
