"""The table of what is written otherwise: one row a known pair, NumPy on both sides.

What stands on the right has the same value where the left is finite, in the same shape and dtype; where the left overflows or cancels
on finite input, the right is what it should have been. A NaN on the left is one on the right.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_np.derivations.expression import Expression
from autograd_np.derivations.simplifying.patterns import Rewriting, unknown, unknown_attribute
from autograd_np.ops import special

__all__ = ["FORWARD", "KINKS", "REWRITINGS"]

x: Any = unknown("x")
c: Any = unknown("c")
axis: Any = unknown_attribute("axis")
kept: Any = unknown_attribute("kept")
sigmoid, softplus, log_sigmoid, relu = special.sigmoid, special.softplus, special.log_sigmoid, special.relu
softmax, log_softmax, logsumexp = special.softmax, special.log_softmax, special.logsumexp


def exp(z: Any) -> Any:
    """Return e^z; of an unknown, the pattern."""
    return np.exp(z)


def total(z: Any, axis: Any, keepdims: Any = True) -> Any:
    """Return the sum along an axis that is kept."""
    return np.sum(z, axis=axis, keepdims=keepdims)


def highest(z: Any, axis: Any) -> Any:
    """Return the maximum along an axis that is kept."""
    return np.max(z, axis=axis, keepdims=True)


def is_float(e: Expression) -> bool:
    """Whether the value is an array of floating numbers."""
    return not e.is_weak and e.dtype.kind == "f"


def _is_zero(e: Expression) -> bool:
    return e.number is not None and e.number == 0


def _one_axis(axis: Any, z: Expression) -> bool:
    return isinstance(axis, int) or z.ndim == 1


def _long_axis(x: Any) -> int | None:
    """Return the axis of a column, a row or a vector."""
    shapes = getattr(x, "shapes", None) or (np.shape(x),)  # of all points, or of what is being recorded
    long = [i for i in range(x.ndim) if any(s[i] != 1 for s in shapes)]
    return -1 if x.ndim == 1 else long[0] if len(long) == 1 else None


def _last_or(axis: Any) -> int:
    return axis if isinstance(axis, int) else -1


# fmt: off

FORWARD: list[Rewriting] = [
    # the logistic function          written                                         is
    Rewriting("sigmoid",             1 / (1 + exp(-x)),                              lambda x: sigmoid(x), lambda x: is_float(x)),
    Rewriting("sigmoid",             np.reciprocal(1 + exp(-x)),                     lambda x: sigmoid(x), lambda x: is_float(x)),
    Rewriting("sigmoid",             (1 + exp(-x)) ** -1,                            lambda x: sigmoid(x), lambda x: is_float(x)),
    Rewriting("sigmoid",             exp(x) / (1 + exp(x)),                          lambda x: sigmoid(x), lambda x: is_float(x)),
    Rewriting("log of sigmoid",      np.log(sigmoid(x)),                             lambda x: log_sigmoid(x)),
    Rewriting("log of 1 - sigmoid",  np.log(1 - sigmoid(x)),                         lambda x: log_sigmoid(-x)),
    Rewriting("log of 1 - sigmoid",  np.log1p(-sigmoid(x)),                          lambda x: log_sigmoid(-x)),
    Rewriting("softplus",            np.log(1 + exp(x)),                             lambda x: softplus(x), lambda x: is_float(x)),
    Rewriting("softplus",            np.log1p(exp(x)),                               lambda x: softplus(x), lambda x: is_float(x)),
    Rewriting("softplus",            np.logaddexp(0, x),                             lambda x: softplus(x), lambda x: is_float(x)),
    Rewriting("log of sigmoid",      -softplus(-x),                                  lambda x: log_sigmoid(x)),
    Rewriting("log1p",               np.log(1 + x),                                  lambda x: np.log1p(x), lambda x: is_float(x)),
    Rewriting("expm1",               exp(x) - 1,                                     lambda x: np.expm1(x), lambda x: is_float(x)),

    # the soft maximum
    Rewriting("softmax",             exp(x) / total(exp(x), axis),                   lambda x, axis: softmax(x, axis=_last_or(axis)), lambda x, axis: is_float(x) and _one_axis(axis, x)),
    Rewriting("softmax",             exp(x) / np.sum(exp(x), axis=axis),             lambda x, axis: softmax(x, axis=-1),                lambda x, axis: is_float(x) and x.ndim == 1),
    Rewriting("softmax",             exp(x) / np.sum(exp(x)),                        lambda x: softmax(x, axis=_long_axis(x)),           lambda x: is_float(x) and _long_axis(x) is not None),
    Rewriting("softmax shifted",     softmax(x - highest(x, axis), axis=axis),       lambda x, axis: softmax(x, axis=axis)),
    Rewriting("softmax shifted",     softmax(x - np.max(x), axis=axis),              lambda x, axis: softmax(x, axis=axis)),
    Rewriting("log of softmax",      np.log(softmax(x, axis=axis)),                  lambda x, axis: log_softmax(x, axis=axis)),
    Rewriting("softmax of log",      exp(log_softmax(x, axis=axis)),                 lambda x, axis: softmax(x, axis=axis)),
    Rewriting("logsumexp",           np.log(total(exp(x), axis)),                    lambda x, axis: logsumexp(x, axis=axis, keepdims=True), lambda x, axis: is_float(x)),
    Rewriting("logsumexp",           np.log(np.sum(exp(x), axis=axis)),              lambda x, axis: logsumexp(x, axis=axis),                lambda x, axis: is_float(x)),
    Rewriting("logsumexp",           np.log(np.sum(exp(x))),                         lambda x: logsumexp(x),                                 lambda x: is_float(x)),
    Rewriting("log of softmax",      x - logsumexp(x, axis=axis, keepdims=True),     lambda x, axis: log_softmax(x, axis=_last_or(axis)), lambda x, axis: _one_axis(axis, x)),
    Rewriting("log of softmax",      x - logsumexp(x, axis=axis),                    lambda x, axis: log_softmax(x, axis=-1),                lambda x, axis: x.ndim == 1),
    Rewriting("log of softmax",      x - logsumexp(x),                               lambda x: log_softmax(x, axis=-1),                      lambda x: x.ndim == 1),
    Rewriting("log softmax shifted", log_softmax(x - highest(x, axis), axis=axis),   lambda x, axis: log_softmax(x, axis=axis)),
    Rewriting("log softmax shifted", log_softmax(x - np.max(x), axis=axis),          lambda x, axis: log_softmax(x, axis=axis)),

    # norms, in the shape of which their gradient needs no division
    Rewriting("norm squared",        np.linalg.norm(x, axis=axis, keepdims=kept) ** 2, lambda x, axis, kept: np.sum(x**2, axis=axis, keepdims=bool(kept))),

    # inverse pairs
    Rewriting("log of exp",          np.log(exp(x)),                                 lambda x: np.positive(x), lambda x: is_float(x)),
    Rewriting("negative twice",      np.negative(-x),                                lambda x: x),
]
"""What is looked for in a function before it is differentiated: the same slopes, at kinks, too."""

KINKS: list[Rewriting] = [
    Rewriting("relu",                np.maximum(x, c),                               lambda x, c: relu(x), lambda x, c: _is_zero(c) and is_float(x)),
]
"""What has another slope at its kink: np.maximum one half, relu none."""

REWRITINGS: list[Rewriting] = [
    *FORWARD,
    *KINKS,
    Rewriting("1 - sigmoid",         sigmoid(-x),                                    lambda x: 1 - sigmoid(x)),
    Rewriting("transpose twice",     np.transpose(np.transpose(x)),                  lambda x: x),
]
"""What is looked for everywhere."""
# fmt: on
