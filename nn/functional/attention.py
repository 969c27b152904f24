"""Attention: each query takes a mean of the values, weighted by how well its key fits."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import autograd_np as ag
from nn.errors import ShapeMismatchError
from nn.functional.arguments import Array, array
from nn.functional.dropout import dropout

__all__ = ["attended", "scaled_dot_product_attention"]


def attended(
    query: Array, key: Array, value: Array, mask: Array | None, dropout_p: float, scale: float | None, rng: Any
) -> tuple[Array, Array]:
    """Return the weighted means, and the weights; the mask is one of numbers to add, or of what takes part.

    A query without keys gets weights of zero. Its scores are those without the mask meanwhile, so that no NaN comes up, which would go
    from there into all gradients.
    """
    scale = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    scores = np.matmul(query * scale, np.swapaxes(key, -1, -2))
    some = None
    if mask is not None:
        boolean = mask.dtype.kind == "b"
        some = np.any(mask if boolean else mask > -np.inf, axis=-1, keepdims=True)
        if isinstance(some, np.ndarray) and some.all():
            some = None
        else:
            mask = np.logical_or(mask, np.logical_not(some)) if boolean else np.where(some, mask, mask.dtype.type(0))
        scores = np.where(mask, scores, scores.dtype.type(-np.inf)) if boolean else scores + mask
    weights = ag.softmax(scores)
    weights = weights if some is None else np.where(some, weights, weights.dtype.type(0))
    weights = dropout(weights, dropout_p, rng=rng)
    return np.matmul(weights, value), weights


def scaled_dot_product_attention(
    query: Array,
    key: Array,
    value: Array,
    attn_mask: Array | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
    *,
    rng: Any = None,
) -> Array:
    """Return softmax(query key^T scale + mask) value: Vaswani et al. (2017), https://arxiv.org/abs/1706.03762, equation 1.

    Parameters
    ----------
    query : (..., queries, features)
    key : (..., keys, features)
    value : (..., keys, features of values)
    attn_mask : (..., queries, keys), optional
        Booleans, True where a key takes part, or numbers to add to the scores. A query for which no key does gets zeros.
    dropout_p : float
        The probability with which a weight is dropped; always, so pass 0 outside training.
    is_causal : bool
        Whether query i sees keys 0 ... i alone.
    scale : float, optional
        By default 1 / sqrt(features).
    enable_gqa : False
        Not covered.
    rng : Generator, int or None
        Where the random numbers of dropout come from.

    Returns
    -------
    (..., queries, features of values)

    Raises
    ------
    ShapeMismatchError
        If shapes do not fit.
    ValueError
        If there are a mask and `is_causal`.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> keys, values = np.array([[5.0, 0.0], [0.0, 5.0]]), np.array([[1.0], [2.0]])
    >>> nn.functional.scaled_dot_product_attention(np.array([[9.0, 0.0]]), keys, values).round(3)
    array([[1.]])
    """
    query, key, value = array(query), array(key), array(value)
    if enable_gqa:
        raise ValueError("scaled_dot_product_attention(enable_gqa=True) is not covered; repeat the heads of key and value: np.repeat")
    if min(query.ndim, key.ndim, value.ndim) < 2 or query.shape[-1] != key.shape[-1] or key.shape[-2] != value.shape[-2]:
        raise ShapeMismatchError(
            f"scaled_dot_product_attention got query {query.shape}, key {key.shape} and value {value.shape}; expected (..., queries, "
            f"features), (..., keys, features) and (..., keys, features of values)"
        )
    if is_causal and attn_mask is not None:
        raise ValueError("scaled_dot_product_attention takes attn_mask or is_causal=True, not both")
    mask: Any = np.tri(query.shape[-2], key.shape[-2], dtype=bool) if is_causal else None if attn_mask is None else array(attn_mask)
    if mask is not None and mask.shape[-2:] != (query.shape[-2], key.shape[-2]) and mask.size != 1:
        wide = np.broadcast_shapes(mask.shape[-2:], (1, 1))
        if any(n not in (1, m) for n, m in zip(wide, (query.shape[-2], key.shape[-2]), strict=True)):
            raise ShapeMismatchError(
                f"scaled_dot_product_attention got a mask of shape {mask.shape}; expected (..., {query.shape[-2]}, {key.shape[-2]})"
            )
    return attended(query, key, value, mask, dropout_p, scale, rng)[0]
