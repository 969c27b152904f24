"""Normalisation: elements get mean 0 and variance 1, over the batch or over what belongs to a sample."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import autograd_np as ag
from nn.errors import ShapeMismatchError
from nn.functional.arguments import Array, array, floats
from nn.functional.examples import every
from nn.state import held

__all__ = ["batch_norm", "by_batch", "by_instance", "followed", "group_norm", "instance_norm", "layer_norm", "rms_norm"]

Axes = tuple[int, ...]


# --- three operations -----------------------------------------------------------------------------


def _averaged(x: Array, axes: Axes) -> Array:
    """Return the mean over axes, which keep their places; the first one first, so that the rest of the array is added as a whole."""
    for part in (axes[:1], axes[1:]):
        x = np.mean(x, axis=part, keepdims=True) if part else x
    return x


def _moments(x: Array, axes: Axes) -> tuple[Array, Array]:
    """Return mean and variance over axes, which keep their places."""
    mean = _averaged(x, axes)
    return mean, _averaged(np.square(x - mean), axes)


def _standardize(x: Array, mean: Array, var: Array, *, axes: Axes, eps: float) -> Array:  # noqa: ARG001 (the axes are for the rule)
    return (x - mean) * (1 / np.sqrt(var + eps))


def _standardize_itself(x: Array, *, axes: Axes, eps: float) -> Array:
    return _standardize(x, *_moments(x, axes), axes=axes, eps=eps)


def _pulled(g: Array, y: Array, x: Array, axes: Axes, eps: float) -> Array:
    """Mean and variance are functions of x: they are computed anew, so that the rule can be differentiated."""
    scale = 1 / np.sqrt(_moments(x, axes)[1] + eps)
    return scale * (g - _averaged(g, axes) - y * _averaged(g * y, axes))


def _pushed(t: Any, y: Array, x: Array, *_: Array, axes: Axes, eps: float) -> Array:
    return _pulled(t[0], y, x, axes, eps)  # the matrix of derivatives is symmetric


def _of_examples(operation: Callable[[], Callable[..., Array]]) -> Callable[..., Array]:
    def many(count: int, batched: Sequence[bool], /, *arrays: Array, axes: Axes, eps: float) -> Array:
        return operation()(*every(count, batched, arrays), axes=tuple(i + 1 for i in axes), eps=eps)

    return many


_TEX = r"\frac{#1 - \overline{#1}}{\sqrt{\operatorname{Var}(#1) + #eps}}"

_STANDARDIZE: Callable[..., Array] = ag.define(
    _standardize,
    vjp=[lambda g, y, x, _mean, _var, axes, eps: _pulled(g, y, x, axes, eps), None, None],
    jvp=_pushed,
    vmap=_of_examples(lambda: _STANDARDIZE),
    name="standardize",
    tex=_TEX,
)

_STANDARDIZE_ITSELF: Callable[..., Array] = ag.define(
    _standardize_itself,
    vjp=_pulled,
    jvp=_pushed,
    vmap=_of_examples(lambda: _STANDARDIZE_ITSELF),
    name="standardize",
    tex=_TEX,
)


def standardized(x: Array, axes: Axes, eps: float) -> Array:
    """Return (x - mean) / sqrt(var + eps), with the mean and the variance over `axes`."""
    values = ag.stop_gradient(x)
    if isinstance(values, ag.Tensor) and not values.is_leaf:  # `compile` records these, too: the rule then finds both moments computed
        return standardized_and_moments(x, axes, eps)[0]
    return _STANDARDIZE_ITSELF(x, axes=axes, eps=float(eps))


def standardized_and_moments(x: Array, axes: Axes, eps: float) -> tuple[Array, Array, Array]:
    """Return the same, and mean and variance as constants; these are computed once."""
    mean, var = _moments(ag.stop_gradient(x), axes)
    return _STANDARDIZE(x, mean, var, axes=axes, eps=float(eps)), mean, var


def _root(x: Array, axes: Axes, eps: float) -> Array:
    return 1 / np.sqrt(np.mean(x * x, axis=axes, keepdims=True) + eps)


def _by_root(x: Array, *, axes: Axes, eps: float) -> Array:
    return x * _root(x, axes, eps)


def _by_root_vjp(g: Array, y: Array, x: Array, axes: Axes, eps: float) -> Array:
    return _root(x, axes, eps) * (g - y * np.mean(g * y, axis=axes, keepdims=True))


_BY_ROOT: Callable[..., Array] = ag.define(
    _by_root,
    vjp=_by_root_vjp,
    jvp=lambda t, y, x, axes, eps: _by_root_vjp(t[0], y, x, axes, eps),
    vmap=_of_examples(lambda: _BY_ROOT),
    name="rms_normalize",
)


# --- what the functions share ---------------------------------------------------------------------


def _affine(y: Array, weight: Array | None, bias: Array | None) -> Array:
    y = y if weight is None else y * weight
    return y if bias is None else y + bias


def of_each_channel(a: Array | None, x: Array, where: str, what: str = "weight") -> Any:
    """Return an array of one number a channel, axis 1 of x, so that it broadcasts; refuse another shape."""
    if a is None:
        return None
    a = array(a)
    if a.shape != (x.shape[1],):
        raise ShapeMismatchError(
            f"{where} got an input of shape {x.shape} and a {what} of shape {a.shape}; expected one number for each of the {x.shape[1]} "
            f"channels, which are axis 1"
        )
    return np.reshape(a, (-1, *(1,) * (x.ndim - 2)))


def _channels(x: Array, where: str) -> Array:
    x = floats(x)
    if x.ndim < 2:
        raise ShapeMismatchError(f"{where} got an input of shape {x.shape}; expected (samples, channels, ...)")
    if x.dtype.kind == "c":
        raise TypeError(f"{where} works on real numbers, got {x.dtype}")
    return x


def _trailing(x: Array, shape: Any, weight: Array | None, bias: Array | None, where: str) -> Axes:
    """Return the axes that `shape` names, the last ones."""
    shape = tuple(shape) if isinstance(shape, (tuple, list)) else (int(shape),)
    if not shape or x.shape[-len(shape) :] != shape:
        raise ShapeMismatchError(f"{where} got an input of shape {x.shape}; its last axes must be normalized_shape, {shape}")
    for what, a in (("weight", weight), ("bias", bias)):
        if a is not None and np.shape(a) != shape:
            raise ShapeMismatchError(f"{where} got a {what} of shape {np.shape(a)}; expected normalized_shape, {shape}")
    if x.dtype.kind == "c":
        raise TypeError(f"{where} works on real numbers, got {x.dtype}")
    return tuple(range(x.ndim - len(shape), x.ndim))


def _move(running: Array | None, new: Array, momentum: float) -> None:
    """Let a running statistic, an array of the caller's, follow."""
    if running is not None:
        running[...] = followed(running, held(new), momentum)


def followed(running: Array, new: Array, momentum: float) -> Array:
    """Return a running statistic, moved by a share towards that of a batch."""
    return (1 - momentum) * ag.stop_gradient(running) + momentum * new


def by_batch(x: Array, weight: Array | None, bias: Array | None, eps: float) -> tuple[Array, Array, Array]:
    """Return what `batch_norm` does in training, and the mean and the unbiased variance of each channel."""
    x = _channels(x, "batch_norm")
    weight, bias = of_each_channel(weight, x, "batch_norm"), of_each_channel(bias, x, "batch_norm", "bias")
    axes = (0, *range(2, x.ndim))
    count = math.prod(x.shape[i] for i in axes)
    if count < 2:
        raise ShapeMismatchError(f"batch_norm needs more than one number a channel for a variance, got an input of shape {x.shape}")
    y, mean, var = standardized_and_moments(x, axes, eps)
    return _affine(y, weight, bias), np.reshape(mean, -1), np.reshape(var, -1) * (count / (count - 1))


def by_instance(x: Array, weight: Array | None, bias: Array | None, eps: float) -> tuple[Array, Array, Array]:
    """Return what `instance_norm` does, and the mean and the unbiased variance of each channel, on average over samples."""
    x = _channels(x, "instance_norm")
    weight, bias = of_each_channel(weight, x, "instance_norm"), of_each_channel(bias, x, "instance_norm", "bias")
    count = math.prod(x.shape[2:])
    if count < 2 or not x.shape[0]:
        raise ShapeMismatchError(f"instance_norm needs samples, and more than one number a channel, got an input of shape {x.shape}")
    y, mean, var = standardized_and_moments(x, tuple(range(2, x.ndim)), eps)
    mean, var = (np.reshape(np.mean(a, axis=0), -1) for a in (mean, var))
    return _affine(y, weight, bias), mean, var * (count / (count - 1))


# --- PyTorch's functions --------------------------------------------------------------------------


def batch_norm(
    input: Array,  # noqa: A002
    running_mean: Array | None,
    running_var: Array | None,
    weight: Array | None = None,
    bias: Array | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Array:
    """Return each channel with mean 0 and variance 1 over the samples, times `weight`, plus `bias`: Ioffe and Szegedy (2015).

    Parameters
    ----------
    input : (samples, channels, ...)
    running_mean, running_var : (channels,), or None
        Arrays. With `training` they are moved, in place, by the share `momentum` towards the mean and the (unbiased) variance of
        this batch; without, they take their place.
    weight, bias : (channels,), optional
    training : bool
        Whether to normalise by this batch.
    eps : float
        Added to the variance.

    Raises
    ------
    ShapeMismatchError
        If shapes do not fit, or there is a single number a channel to take a variance of.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.functional.batch_norm(np.array([[1.0, 5.0], [3.0, 5.0]]), None, None, training=True).round(3)
    array([[-1.,  0.],
           [ 1.,  0.]])
    """
    x = _channels(input, "batch_norm")
    if not training:
        weight, bias = of_each_channel(weight, x, "batch_norm"), of_each_channel(bias, x, "batch_norm", "bias")
        if running_mean is None or running_var is None:
            raise ValueError("batch_norm without training needs running_mean and running_var")
        mean, var = of_each_channel(running_mean, x, "batch_norm", "mean"), of_each_channel(running_var, x, "batch_norm", "variance")
        return _affine((x - mean) * (1 / np.sqrt(var + eps)), weight, bias)
    y, mean, var = by_batch(x, weight, bias, eps)
    _move(running_mean, mean, momentum)
    _move(running_var, var, momentum)
    return y


def instance_norm(
    input: Array,  # noqa: A002
    running_mean: Array | None = None,
    running_var: Array | None = None,
    weight: Array | None = None,
    bias: Array | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Array:
    """Return each channel of each sample with mean 0 and variance 1, times `weight`, plus `bias`.

    Parameters are those of `batch_norm`; `use_input_stats` is what `training` is there, and running statistics follow the mean of
    those of the samples.
    """
    x = _channels(input, "instance_norm")
    if not use_input_stats:
        return batch_norm(x, running_mean, running_var, weight, bias, False, momentum, eps)
    y, mean, var = by_instance(x, weight, bias, eps)
    _move(running_mean, mean, momentum)
    _move(running_var, var, momentum)
    return y


def group_norm(input: Array, num_groups: int, weight: Array | None = None, bias: Array | None = None, eps: float = 1e-5) -> Array:  # noqa: A002
    """Return each group of channels of each sample with mean 0 and variance 1: Wu and He (2018).

    Parameters
    ----------
    input : (samples, channels, ...)
    num_groups : int
        Must divide the number of channels.
    weight, bias : (channels,), optional
    eps : float
        Added to the variance.

    Raises
    ------
    ShapeMismatchError
        If the groups do not divide the channels, or shapes do not fit.
    """
    x = _channels(input, "group_norm")
    if num_groups < 1 or x.shape[1] % num_groups:
        raise ShapeMismatchError(f"group_norm got num_groups={num_groups}, which does not divide the {x.shape[1]} channels of {x.shape}")
    weight, bias = of_each_channel(weight, x, "group_norm"), of_each_channel(bias, x, "group_norm", "bias")
    grouped = np.reshape(x, (x.shape[0], num_groups, math.prod(x.shape[1:]) // num_groups))
    return _affine(np.reshape(standardized(grouped, (2,), eps), x.shape), weight, bias)


def layer_norm(
    input: Array,  # noqa: A002
    normalized_shape: Any,
    weight: Array | None = None,
    bias: Array | None = None,
    eps: float = 1e-5,
) -> Array:
    """Return the last axes with mean 0 and variance 1, times `weight`, plus `bias`: Ba et al. (2016), https://arxiv.org/abs/1607.06450.

    Parameters
    ----------
    input : (..., *normalized_shape)
    normalized_shape : int or sequence of int
        The axes to normalise over.
    weight, bias : of shape normalized_shape, optional
    eps : float
        Added to the variance.

    Raises
    ------
    ShapeMismatchError
        If the last axes are not `normalized_shape`.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.functional.layer_norm(np.array([[1.0, 3.0], [5.0, 9.0]]), 2).round(3)
    array([[-1.,  1.],
           [-1.,  1.]])
    """
    x = floats(input)
    return _affine(standardized(x, _trailing(x, normalized_shape, weight, bias, "layer_norm"), eps), weight, bias)


def rms_norm(input: Array, normalized_shape: Any, weight: Array | None = None, eps: float | None = None) -> Array:  # noqa: A002
    """Return x / sqrt(mean(x²) + eps) over the last axes, times `weight`: Zhang and Sennrich (2019), https://arxiv.org/abs/1910.07467.

    Parameters
    ----------
    input, normalized_shape, weight
        As for `layer_norm`.
    eps : float, optional
        By default the spacing of the dtype at 1.

    Raises
    ------
    ShapeMismatchError
        If the last axes are not `normalized_shape`.
    """
    x = floats(input)
    axes = _trailing(x, normalized_shape, weight, None, "rms_norm")
    if eps is None:
        eps = float(np.finfo(x.dtype if x.dtype.kind == "f" else np.float64).eps)
    return _affine(_BY_ROOT(x, axes=axes, eps=float(eps)), weight, None)
