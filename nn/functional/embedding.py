"""Rows of a table, by number."""

from __future__ import annotations

import numpy as np

import autograd_np as ag
from nn.errors import ShapeMismatchError
from nn.functional.arguments import Array, array

__all__ = ["embedding"]


def embedding(input: Array, weight: Array, padding_idx: int | None = None) -> Array:  # noqa: A002
    """Return the rows of `weight` that `input` numbers.

    Parameters
    ----------
    input : array of integers
        Any shape; from 0 to the number of rows, exclusive.
    weight : (rows, features)
    padding_idx : int, optional
        The row that gets no gradient.

    Returns
    -------
    (*input.shape, features)

    Raises
    ------
    TypeError, ValueError
        If numbers are no integers, or not those of rows.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.functional.embedding(np.array([2, 0]), np.arange(6.0).reshape(3, 2))
    array([[4., 5.],
           [0., 1.]])
    """
    index, weight = array(input), array(weight)
    if weight.ndim != 2:
        raise ShapeMismatchError(f"embedding needs a weight of shape (rows, features), got {weight.shape}")
    rows = weight.shape[0]
    if index.dtype.kind not in "iu":
        raise TypeError(f"embedding needs integers that number rows, got {index.dtype}; convert with .astype(int)")
    plain = index.data if isinstance(index, ag.Tensor) else index
    if isinstance(plain, np.ndarray) and plain.size and not (plain.min() >= 0 and plain.max() < rows):
        raise ValueError(f"embedding has rows 0 ... {rows - 1}, got numbers {plain.min()} ... {plain.max()}")
    y = np.take(weight, index, axis=0)
    if padding_idx is None:
        return y
    if not -rows <= padding_idx < rows:
        raise ValueError(f"embedding got padding_idx={padding_idx}, which is none of the {rows} rows")
    return np.where(np.expand_dims(index == padding_idx % rows, -1), ag.stop_gradient(weight)[padding_idx], y)
