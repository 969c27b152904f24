"""What ``np.add.reduce``, ``np.multiply.outer`` and a ufunc's keywords mean in terms of the table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_np import errors
from autograd_np.callers import name_of
from autograd_np.ops.shaping import astype
from autograd_np.ops.special import logsumexp

_REDUCE: dict[np.ufunc, Any] = {
    np.add: np.sum,
    np.multiply: np.prod,
    np.maximum: np.max,
    np.minimum: np.min,
    np.logaddexp: logsumexp,
    np.logical_and: np.all,
    np.logical_or: np.any,
}
_ACCUMULATE: dict[np.ufunc, Any] = {np.add: np.cumsum, np.multiply: np.cumprod}


def ufunc_method(apply: Callable[..., Any], ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Carry out a ufunc call with keywords, or one of its methods, through `apply`.

    Raises
    ------
    InPlaceError
        For ``out=``, ``where=`` (which leaves the rest of `out` as it was) and ``.at``.
    NoRowError
        For a method with no counterpart in the table.
    """
    name = name_of(ufunc)
    if any(o is not None for o in kwargs.get("out") or ()):
        raise errors.InPlaceError(
            f"{name}(..., out=) or array {_symbol(ufunc)}= Tensor would write over an array and lose the graph; "
            f"take the result instead: x = {name}(...)"
        )
    kwargs = {k: v for k, v in kwargs.items() if k != "out"}
    if method == "__call__":
        return _call(apply, ufunc, inputs, kwargs, name)
    if method == "reduce" and ufunc in _REDUCE:
        kwargs.setdefault("axis", 0)
        return apply(_REDUCE[ufunc], inputs, kwargs)
    if method == "accumulate" and ufunc in _ACCUMULATE:
        kwargs.setdefault("axis", 0)
        return apply(_ACCUMULATE[ufunc], inputs, kwargs)
    if method == "outer" and ufunc.nin == 2 and not kwargs:
        a, b = (x if hasattr(x, "ndim") else np.asarray(x) for x in inputs)
        return ufunc(a.reshape(a.shape + (1,) * b.ndim), b)
    if method == "at":
        raise errors.InPlaceError(
            f"{name}.at writes in place; on a Tensor write x[i] += v (repeated indices once) or a sum over one-hot rows"
        )
    raise errors.NoRowError(f"{name}.{method} has no row in autograd_np's table; write it with {name} and slices")


def _symbol(ufunc: np.ufunc) -> str:
    symbols: dict[np.ufunc, str] = {np.add: "+", np.subtract: "-", np.multiply: "*", np.divide: "/"}
    return symbols.get(ufunc, "op")


def _call(apply: Callable[..., Any], ufunc: np.ufunc, inputs: tuple[Any, ...], kwargs: dict[str, Any], name: str) -> Any:
    where = kwargs.pop("where", True)
    if where is not True:
        raise errors.InPlaceError(f"{name}(..., where=) leaves the other elements undefined; write np.where(mask, {name}(...), value)")
    dtype = kwargs.pop("dtype", None)
    kwargs.pop("casting", None), kwargs.pop("order", None), kwargs.pop("subok", None)
    if kwargs and ufunc.signature is None:  # ufuncs with a signature (vecdot) have rows that take axis=
        raise errors.NoRowError(f"the row of {name} does not cover {', '.join(kwargs)}")
    if dtype is not None:
        inputs = tuple(astype(x if hasattr(x, "ndim") else np.asarray(x), dtype) for x in inputs)
    return apply(ufunc, inputs, kwargs)
