"""Rules of functions of each element alone: the operands' axes are lined up as broadcasting lines up those of one example."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_np.batching.call import Call, NoRule, Rule, padded
from autograd_np.op import TABLE, Op
from autograd_np.ops.complex import imag, real, sign
from autograd_np.ops.decompositions import frozen, tell_gauge
from autograd_np.ops.selection import clip, where
from autograd_np.ops.shaping import copy, to_float, to_other
from autograd_np.ops.signal import bessel_i

__all__ = ["ELEMENTS", "elementwise"]


def elementwise(c: Call) -> Any:
    """Line the operands up from the last axis; those without examples broadcast as they are."""
    c.only_numbers()
    ndim = max(c.ndim(i) for i in range(len(c.xs)))
    return c.run(*(padded(x, ndim) if flag else _shared(x, ndim) for x, flag in zip(c.xs, c.flags, strict=True)))


def _shared(x: Any, ndim: int) -> Any:
    """Make a row of a vector that all examples share: beside a number for each, a column, it would look like a mistake."""
    return np.expand_dims(x, 0) if ndim == 1 and np.ndim(x) == 1 else x


def _like(c: Call) -> Any:
    shape = c.attrs.get("shape")
    if shape is None:
        return c.run(c.xs[0])
    return c.run(c.xs[0], shape=(c.size, *(shape if np.iterable(shape) else (shape,))))


def _among(c: Call) -> Any:
    """Look elements up in an array that is the same for all examples."""
    if c.flags != [True, False]:
        raise NoRule
    return c.run(*c.xs)


def _searchsorted(c: Call) -> Any:
    if c.flags != [False, True]:
        raise NoRule
    return c.run(*c.xs)


def _told(c: Call) -> Any:
    """Look at each example by itself: what is nothing beside one may be much beside another."""
    for i in range(c.size):
        c.run(*(x[i] if flag else x for x, flag in zip(c.xs, c.flags, strict=True)))
    return np.zeros(c.size)


_SAME = (
    np.isclose,
    np.isposinf,
    np.isneginf,
    np.isreal,
    np.iscomplex,
    where,
    clip,
    to_float,
    to_other,
    copy,
    real,
    imag,
    sign,
    frozen,
    bessel_i,
)

ELEMENTS: dict[Any, Rule] = {
    **{fn: elementwise for fn, row in TABLE.items() if isinstance(row, Op) and isinstance(fn, np.ufunc) and fn.signature is None},
    **dict.fromkeys(_SAME, elementwise),
    np.zeros_like: _like, np.ones_like: _like,
    np.isin: _among, np.digitize: _among, np.searchsorted: _searchsorted, tell_gauge: _told,
}  # fmt: skip
