"""Affine maps."""

from __future__ import annotations

import numpy as np

from nn.errors import ShapeMismatchError
from nn.functional.arguments import Array, array

__all__ = ["bilinear", "linear"]


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

    Raises
    ------
    ShapeMismatchError
        If shapes do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.functional.linear(np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]]), np.array([0.5]))
    array([[11.5]])
    """
    x, weight, bias = array(input), array(weight), None if bias is None else array(bias)
    if weight.ndim != 2 or x.shape[-1:] != weight.shape[1:] or (bias is not None and bias.shape != weight.shape[:1]):
        raise ShapeMismatchError(
            f"linear got an input of shape {x.shape}, a weight of shape {weight.shape}"
            + ("" if bias is None else f" and a bias of shape {bias.shape}")
            + "; expected (..., in_features), (out_features, in_features) and (out_features,)"
        )
    flat = x.ndim > 2 and x.size  # one product of matrices instead of many
    y = np.matmul(np.reshape(x, (-1, x.shape[-1])) if flat else x, weight.T)
    y = y if bias is None else y + bias
    return np.reshape(y, (*x.shape[:-1], weight.shape[0])) if flat else y


def bilinear(input1: Array, input2: Array, weight: Array, bias: Array | None = None) -> Array:
    """Return ``input1 @ weight[k] @ input2``, for each k, plus `bias`.

    Parameters
    ----------
    input1 : (..., in1_features)
    input2 : (..., in2_features)
    weight : (out_features, in1_features, in2_features)
    bias : (out_features,), optional

    Returns
    -------
    (..., out_features)

    Raises
    ------
    ShapeMismatchError
        If the inputs differ in their leading axes, or do not fit the weight.
    """
    a, b, weight = array(input1), array(input2), array(weight)
    if weight.ndim != 3 or a.shape[:-1] != b.shape[:-1] or (a.shape[-1:], b.shape[-1:]) != (weight.shape[1:2], weight.shape[2:]):
        raise ShapeMismatchError(
            f"bilinear got inputs of shapes {a.shape} and {b.shape} and a weight of shape {weight.shape}; expected (..., in1), (..., in2) "
            f"and (out, in1, in2)"
        )
    out, n, m = weight.shape
    rows = np.matmul(a, np.reshape(np.transpose(weight, (1, 0, 2)), (n, out * m)))
    y = np.matmul(np.reshape(rows, (*a.shape[:-1], out, m)), np.expand_dims(b, -1))[..., 0]
    return y if bias is None else y + bias
