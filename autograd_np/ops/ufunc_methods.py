"""What ``np.add.reduce``, ``np.multiply.outer`` and a ufunc's keywords mean in terms of the table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_np import errors
from autograd_np.callers import name_of
from autograd_np.op import Batched, Recordable
from autograd_np.ops.indexing import scatter_add
from autograd_np.ops.shaping import cast_to
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
        For an `out` that is no Tensor, for ``where=`` without `out` (which leaves elements undefined), and for ``.at``
        with repeated indices where it is neither a sum nor a difference.
    NoRowError
        For a method with no counterpart in the table.
    """
    name = name_of(ufunc)
    out = kwargs.get("out")
    if out is not None and any(o is not None for o in out):
        for o in out:
            if not isinstance(o, Recordable):
                raise errors.InPlaceError(
                    f"{name}(..., out=) or array {_symbol(ufunc)}= Tensor would write over an array and lose the graph; "
                    f"take the result instead: x = {name}(...)"
                )
        where = kwargs.get("where", True)
        rest = {k: v for k, v in kwargs.items() if k not in ("out", "where" if method == "__call__" else "out")}
        result = ufunc_method(apply, ufunc, method, inputs, rest)
        if where is not True and method == "__call__":
            result = np.where(where, result, out[0])
        return write_out(ufunc, out if len(out) > 1 else out[0], result, rest.get("casting", "same_kind"))
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
        return _at(ufunc, *inputs)
    raise errors.NoRowError(f"{name}.{method} has no row in autograd_np's table; write it with {name} and slices")


def write_out(fn: Any, out: Any, result: Any, casting: Any = "same_kind") -> Any:
    """Write the result of a call into the `out` it was given, and return that, as NumPy does."""
    if isinstance(out, tuple):
        return tuple(r if o is None else write_out(fn, o, r, casting) for o, r in zip(out, result, strict=True))
    name = getattr(fn, "__name__", str(fn))
    if not isinstance(out, Recordable):
        raise errors.InPlaceError(
            f"{name}(..., out=) would write over an array and lose the graph; take the result instead: x = {name}(...)"
        )
    target: Any = out
    if np.shape(result) != target.shape and (not isinstance(fn, np.ufunc) or np.ndim(result) > target.ndim):
        raise ValueError(f"{name}(..., out=): the result has shape {np.shape(result)}, out has {target.shape}")
    if not np.can_cast(result.dtype, target.dtype, casting):
        raise TypeError(f"{name}(..., out=): cannot write {result.dtype} into a Tensor of {target.dtype}; convert with .astype first")
    target[...] = result
    return out


def _at(ufunc: np.ufunc, a: Any, index: Any, *operand: Any) -> None:
    """Do what ``ufunc.at`` does: as ``a[index] = ufunc(a[index], b)``, but once for each time an element is named."""
    if not isinstance(a, (Recordable, Batched)):
        raise errors.InPlaceError(
            f"np.{ufunc.__name__}.at of a Tensor would write over an array and lose the graph; make a Tensor of that first"
        )
    target: Any = a
    picked = target[index]
    if ufunc in (np.add, np.subtract):
        moved = ufunc(np.zeros_like(picked), operand[0])
        if np.shape(moved) != np.shape(picked):
            raise ValueError(f"np.{ufunc.__name__}.at: shape {np.shape(operand[0])} does not fit the picked elements, {np.shape(picked)}")
        target[...] = target + scatter_add(moved, shape=target.shape, index=index)
        return
    places = np.arange(target.size).reshape(target.shape)[index]
    if np.unique(places).size != places.size:
        raise errors.InPlaceError(f"np.{ufunc.__name__}.at names an element twice; apply np.{ufunc.__name__} once for each of its turns")
    target[index] = ufunc(picked, *operand)


def _symbol(ufunc: np.ufunc) -> str:
    symbols: dict[np.ufunc, str] = {np.add: "+", np.subtract: "-", np.multiply: "*", np.divide: "/"}
    return symbols.get(ufunc, "op")


def _call(apply: Callable[..., Any], ufunc: np.ufunc, inputs: tuple[Any, ...], kwargs: dict[str, Any], name: str) -> Any:
    where = kwargs.pop("where", True)
    if where is not True:
        raise errors.InPlaceError(f"{name}(..., where=) leaves the other elements undefined; write np.where(mask, {name}(...), value)")
    dtype, casting = kwargs.pop("dtype", None), kwargs.pop("casting", "same_kind")
    kwargs.pop("order", None), kwargs.pop("subok", None)
    if kwargs and ufunc.signature is None:  # ufuncs with a signature (vecdot) have rows that take axis=
        raise errors.NoRowError(f"the row of {name} does not cover {', '.join(kwargs)}")
    if dtype is not None:
        inputs = tuple(x if hasattr(x, "dtype") else np.asarray(x) for x in inputs)
        given = (*(x.dtype for x in inputs), *(None,) * ufunc.nout)
        used = ufunc.resolve_dtypes(
            given, signature=(*(None,) * ufunc.nin, *(dtype,) * ufunc.nout), casting=casting
        )  # or NumPy's TypeError
        inputs = tuple(cast_to(x, t) for x, t in zip(inputs, used, strict=False))
    return apply(ufunc, inputs, kwargs)
