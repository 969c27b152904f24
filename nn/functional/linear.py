"""Affine maps."""

from __future__ import annotations

import numpy as np

from nn.functional.arguments import Array

__all__ = ["linear"]


def linear(input: Array, weight: Array, bias: Array | None = None) -> Array:  # noqa: A002
    """Return ``input @ weight.T + bias``.

    Parameters
    ----------
    input : (..., in_features)
    weight : (out_features, in_features)
    bias : (out_features,), optional

    Returns
    -------
    (..., out_features)

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.functional.linear(np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]]), np.array([0.5]))
    array([[11.5]])
    """
    y = np.matmul(input, weight.T)
    return y if bias is None else y + bias
