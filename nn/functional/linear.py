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

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.functional.linear(np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]]), np.array([0.5]))
    array([[11.5]])
    """
    leading = input.shape[:-1]
    one = len(leading) > 1  # as one product of matrices instead of many
    y = np.matmul(np.reshape(input, (-1, input.shape[-1])) if one and input.size else input, weight.T)
    y = y if bias is None else y + bias
    return np.reshape(y, (*leading, weight.shape[0])) if one and input.size else y


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
