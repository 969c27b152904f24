"""Losses that want one thing to be farther than another, by a margin."""

from __future__ import annotations

import numpy as np

import autograd_np as ag
from nn.errors import ShapeMismatchError
from nn.functional.arguments import Array, Reduction, at_least_zero, floats, reduced, same_shape, signs
from nn.functional.distances import cosine_similarity, pairwise_distance

__all__ = ["cosine_embedding_loss", "hinge_embedding_loss", "margin_ranking_loss", "soft_margin_loss", "triplet_margin_loss"]


def cosine_embedding_loss(input1: Array, input2: Array, target: Array, margin: float = 0.0, *, reduction: Reduction = "mean") -> Array:
    """Return 1 - cos for pairs that are alike, and max(0, cos - margin) for others.

    Parameters
    ----------
    input1, input2 : array or Tensor, shape (samples, features) or (features,)
    target : array, shape (samples,) or ()
        1 where the pair is alike, -1 where not.
    margin : float
        A cosine below which others do not count.
    reduction : {"mean", "sum", "none"}
        Over the samples.

    Raises
    ------
    ShapeMismatchError
        If shapes do not belong together.
    ValueError
        If a label is neither 1 nor -1.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> a, b = np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([[1.0, 0.0], [1.0, 1.0]])
    >>> nn.functional.cosine_embedding_loss(a, b, np.array([1, -1]), reduction="none").round(4)
    array([0.    , 0.7071])
    """
    input1, input2 = floats(input1), floats(input2)
    same_shape("cosine_embedding_loss", input1=input1, input2=input2)
    if input1.ndim not in (1, 2):
        raise ShapeMismatchError(f"cosine_embedding_loss needs inputs of shape (samples, features) or (features,), got {input1.shape}")
    cosine = cosine_similarity(input1, input2, dim=-1)
    y = _strictly(cosine, target, "cosine_embedding_loss")
    return reduced(np.where(y > 0, 1 - cosine, at_least_zero(cosine - margin)), reduction)


def hinge_embedding_loss(input: Array, target: Array, margin: float = 1.0, *, reduction: Reduction = "mean") -> Array:  # noqa: A002
    """Return a distance for pairs that are alike, and max(0, margin - distance) for others.

    Parameters
    ----------
    input : array or Tensor
        Distances.
    target : array
        1 where the pair is alike, -1 where not; of the shape of `input`.
    margin : float
    reduction : {"mean", "sum", "none"}
        Over all elements.

    Raises
    ------
    ShapeMismatchError
        If the shapes differ.
    ValueError
        If a label is neither 1 nor -1.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.functional.hinge_embedding_loss(np.array([0.25, 0.25]), np.array([1, -1]), reduction="none")
    array([0.25, 0.75])
    """
    input = floats(input)  # noqa: A001
    y = signs(input, target, "hinge_embedding_loss")
    return reduced(np.where(y > 0, input, at_least_zero(margin - input)), reduction)


def margin_ranking_loss(input1: Array, input2: Array, target: Array, margin: float = 0.0, *, reduction: Reduction = "mean") -> Array:
    """Return max(0, margin - y (input1 - input2)).

    Parameters
    ----------
    input1, input2 : array or Tensor
        Scores, of one shape.
    target : array
        y: 1 where the first should be higher, -1 where the second.
    margin : float
    reduction : {"mean", "sum", "none"}
        Over all elements.

    Raises
    ------
    ShapeMismatchError
        If shapes differ.
    ValueError
        If a label is neither 1 nor -1.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.functional.margin_ranking_loss(np.array([1.0, 1.0]), np.array([3.0, 3.0]), np.array([1, -1]), reduction="none")
    array([2., 0.])
    """
    input1, input2 = floats(input1), floats(input2)
    same_shape("margin_ranking_loss", input1=input1, input2=input2)
    y = signs(input1, target, "margin_ranking_loss")
    return reduced(at_least_zero(margin - y * (input1 - input2)), reduction)


def soft_margin_loss(input: Array, target: Array, reduction: Reduction = "mean") -> Array:  # noqa: A002
    """Return log(1 + exp(-y input)), stable for every input.

    Parameters
    ----------
    input : array or Tensor
        Scores.
    target : array
        y: 1 or -1; of the shape of `input`.
    reduction : {"mean", "sum", "none"}
        Over all elements.

    Raises
    ------
    ShapeMismatchError
        If the shapes differ.
    ValueError
        If a label is neither 1 nor -1.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.functional.soft_margin_loss(np.array([0.0, -20.0]), np.array([1, 1]), "none").round(4)
    array([ 0.6931, 20.    ])
    """
    input = floats(input)  # noqa: A001
    return reduced(ag.softplus(-signs(input, target, "soft_margin_loss") * input), reduction)


def triplet_margin_loss(
    anchor: Array,
    positive: Array,
    negative: Array,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    *,
    reduction: Reduction = "mean",
) -> Array:
    """Return max(0, margin + d(anchor, positive) - d(anchor, negative)), with the distance of `pairwise_distance`.

    Parameters
    ----------
    anchor, positive, negative : array or Tensor, shape (samples, features) or (features,)
        The positive is to be nearer than the negative.
    margin, p, eps : float
    swap : bool
        Take the negative's distance from the positive where that is less: Balntas et al. (2016), https://doi.org/10.5244/C.30.119.
    reduction : {"mean", "sum", "none"}
        Over the samples.

    Raises
    ------
    ShapeMismatchError
        If shapes differ.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> a, near, far = np.array([[0.0, 0.0]]), np.array([[0.0, 1.0]]), np.array([[0.0, 1.5]])
    >>> nn.functional.triplet_margin_loss(a, near, far).round(4)
    np.float64(0.5)
    """
    anchor, positive, negative = floats(anchor), floats(positive), floats(negative)
    same_shape("triplet_margin_loss", anchor=anchor, positive=positive, negative=negative)
    if anchor.ndim == 0:
        raise ShapeMismatchError("triplet_margin_loss needs vectors, of shape (samples, features), got shape ()")
    near = pairwise_distance(anchor, positive, p, eps)
    far = pairwise_distance(anchor, negative, p, eps)
    if swap:
        far = np.minimum(far, pairwise_distance(positive, negative, p, eps))
    return reduced(at_least_zero(margin + near - far), reduction)


def _strictly(of: Array, target: Array, where: str) -> Array:
    """Return labels 1 and -1, of exactly the shape of what they belong to."""
    y = signs(of, target, where)
    if y.shape != of.shape:
        raise ShapeMismatchError(f"{where} needs a label for each pair, of shape {of.shape}, got shape {y.shape}")
    return y
