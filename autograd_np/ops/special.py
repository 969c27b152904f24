"""The stable primitives that NumPy lacks, and the arithmetic that losses are made of."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_np.op import case, elementwise, general, primitive
from autograd_np.ops.shaping import is_half, wide
from autograd_np.typing import Array


def _floats(x: Array) -> Array:
    """Return an array, integers and booleans as float64: those of 8 bits would wrap around, and NumPy's exp of them is float16."""
    x = x if hasattr(x, "__array_function__") else np.asarray(x)
    return x.astype(np.float64) if x.dtype.kind in "biu" else x


@primitive
@np.errstate(over="ignore")  # exp(-x) = inf is harmless: 1 / inf is the right answer
def sigmoid(x: Array) -> Array:
    """Return the logistic function 1 / (1 + exp(-x)).

    Parameters
    ----------
    x : array or Tensor
        Any shape; integers count as float64.

    Returns
    -------
    array or Tensor
        Same shape and dtype, within [0, 1]; nothing overflows.

    Examples
    --------
    >>> import autograd_np as ag
    >>> ag.sigmoid([-1000.0, 0.0, 1000.0])
    array([0. , 0.5, 1. ])
    """
    return 1 / (1 + np.exp(np.negative(_floats(x))))


@primitive
def relu(x: Array) -> Array:
    """Return max(x, 0); its derivative at 0 is 0.

    Examples
    --------
    >>> import autograd_np as ag
    >>> ag.relu([-1.0, 2.0])
    array([0., 2.])
    """
    return np.maximum(x, 0)


@primitive
def softplus(x: Array) -> Array:
    """Return log(1 + exp(x)), which stays finite for large x and keeps its small values for negative x.

    Examples
    --------
    >>> import autograd_np as ag
    >>> ag.softplus([0.0, 1000.0])
    array([6.93147181e-01, 1.00000000e+03])
    """
    return np.logaddexp(_floats(x), 0)


@primitive
def log_sigmoid(x: Array) -> Array:
    """Return log(sigmoid(x)), finite where sigmoid(x) has underflowed to 0.

    Examples
    --------
    >>> import autograd_np as ag
    >>> ag.log_sigmoid([0.0, -1000.0])
    array([-6.93147181e-01, -1.00000000e+03])
    """
    return -np.logaddexp(np.negative(_floats(x)), 0)


def _shifted_exp(x: Array, axis: Any) -> tuple[Array, Array]:
    """Return (m, exp(x - m)) with m the maximum along `axis`, or 0 where that is infinite."""
    of_nothing: Any = {} if x.size else {"initial": -np.inf}
    top = np.max(x, axis=axis, keepdims=True, **of_nothing)
    top = np.where(np.isfinite(top), top, 0)
    return top, np.exp(x - top)


def _total(a: Array, axis: Any) -> Array:
    if not is_half(a.dtype):
        return np.sum(a, axis=axis, keepdims=True)
    return np.sum(a, axis=axis, keepdims=True, dtype=wide(a.dtype))


def _as(y: Array, like: Array) -> Array:
    return y if y.dtype == like.dtype else y.astype(like.dtype)


@primitive
def logsumexp(x: Array, axis: Any = None, keepdims: bool = False) -> Array:
    """Return log(sum(exp(x))) along `axis` (all axes by default).

    Examples
    --------
    >>> import autograd_np as ag
    >>> ag.logsumexp([1000.0, 1000.0])
    np.float64(1000.6931471805599)
    """
    x = _floats(x)
    top, e = _shifted_exp(x, axis)
    with np.errstate(divide="ignore"):  # an empty or all -inf slice sums to 0, and its log is -inf
        y = _as(np.log(_total(e, axis)) + top, e)
    return y if keepdims else np.squeeze(y, axis=tuple(range(x.ndim)) if axis is None else axis)[()]


@primitive
def softmax(x: Array, axis: Any = -1) -> Array:
    """Return exp(x) / sum(exp(x)) along `axis`.

    Examples
    --------
    >>> import autograd_np as ag
    >>> ag.softmax([1000.0, 1000.0])
    array([0.5, 0.5])
    """
    x = _floats(x)
    e = _shifted_exp(x, axis)[1]
    return _as(e / _total(e, axis), e)


@primitive
def log_softmax(x: Array, axis: Any = -1) -> Array:
    """Return log(softmax(x)) along `axis`, finite where softmax has underflowed to 0.

    Examples
    --------
    >>> import autograd_np as ag
    >>> ag.log_softmax([0.0, 1000.0])
    array([-1000.,     0.])
    """
    x = _floats(x)
    top, e = _shifted_exp(x, axis)
    return _as(x - top - np.log(_total(e, axis)), e)


def _kept(a: Array, x: Array, axis: Any, keepdims: bool) -> Array:
    """Give `a`, reduced along `axis`, the axes that `x` has."""
    if keepdims or x.ndim == 0:
        return a
    return np.expand_dims(a, tuple(range(x.ndim)) if axis is None else axis)


def _logsumexp_vjp(g: Array, y: Array, x: Array, axis: Any = None, keepdims: bool = False) -> Array:
    return _kept(g, x, axis, keepdims) * softmax(x, axis=axis)


AXES = (case((3, 4)), case((3, 4), axis=0), case((2, 3, 4), axis=(0, 2)), case((4,), axis=-1))

# fmt: off
elementwise(sigmoid,     lambda y, x: y * (1 - y),                              tex=r"\sigma(#1)")
elementwise(relu,        lambda y, x: x > 0,                                    tex=r"\max(#1, 0)",         note="0 at 0", gates=True)
elementwise(softplus,    lambda y, x: sigmoid(x),                               tex=r"\log(1 + e^{#1})")
elementwise(log_sigmoid, lambda y, x: sigmoid(-x),                              tex=r"\log \sigma(#1)")
general(logsumexp,       _logsumexp_vjp,                                                          cases=AXES)
general(softmax,         lambda g, y, x, axis=-1: y * (g - _total(g * y, axis)),                        cases=AXES[1:])
general(log_softmax,     lambda g, y, x, axis=-1: g - np.exp(y) * _total(g, axis),                      cases=AXES[1:])
# fmt: on
