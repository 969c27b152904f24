"""Functions of functions, which are applied to slices or to chosen elements: their results are put together from rows.

Also where values leave without a gradient by nature: text made of arrays, files that they are written to, indices, counts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_np.op import Recordable, derived, known_of
from autograd_np.ops.indexing import axes_of, axis_of, setitem
from autograd_np.ops.shaping import astype
from autograd_np.typing import Array


def _array(a: Any) -> Array:
    return a if hasattr(a, "ndim") else np.asarray(a)


def _plain(a: Any) -> Any:
    if type(a) in (list, tuple):
        return type(a)(map(_plain, a))
    return known_of(a)


@derived(np.ix_)
def _ix(*args: Any) -> tuple[Array, ...]:
    arrays = [_array(a) for a in args]
    if any(a.ndim != 1 for a in arrays):
        raise ValueError(f"np.ix_ needs arrays of one axis, got shapes {', '.join(str(a.shape) for a in arrays)}")
    arrays = [np.flatnonzero(a) if a.dtype == bool else a for a in arrays]
    return tuple(np.reshape(a, (1,) * k + (-1,) + (1,) * (len(arrays) - 1 - k)) for k, a in enumerate(arrays))


@derived(np.apply_along_axis)
def _apply_along_axis(func1d: Callable[..., Any], axis: Any, arr: Any, *args: Any, **kwargs: Any) -> Array:
    arr = _array(arr)
    axis = axis_of(axis, arr.ndim)
    moved = np.moveaxis(arr, axis, -1)
    outer = moved.shape[:-1]
    if 0 in outer:
        raise ValueError("np.apply_along_axis needs at least one slice to apply the function to")
    found = [_array(func1d(moved[place], *args, **kwargs)) for place in np.ndindex(*outer)]
    joined = np.stack(found).reshape((*outer, *found[0].shape))
    count = found[0].ndim
    return np.moveaxis(joined, tuple(range(len(outer), len(outer) + count)), tuple(range(axis, axis + count))) if count else joined


@derived(np.apply_over_axes)
def _apply_over_axes(func: Callable[..., Any], a: Any, axes: Any) -> Array:
    a = _array(a)
    for axis in axes_of(axes, a.ndim):
        found = func(a, axis)
        a = found if found.ndim == a.ndim else np.expand_dims(found, axis)
    return a


@derived(np.piecewise)
def _piecewise(x: Any, condlist: Any, funclist: Any, *args: Any, **kw: Any) -> Array:
    x = _array(x)
    condlist = _plain(condlist)
    if np.isscalar(condlist) or (not isinstance(condlist[0], (list, np.ndarray, Recordable)) and x.ndim):
        condlist = [condlist]
    conditions = [np.asarray(_plain(c), bool) for c in condlist]
    if len(funclist) == len(conditions) + 1:
        conditions.append(~np.any(conditions, axis=0))
    elif len(funclist) != len(conditions):
        raise ValueError(f"np.piecewise got {len(funclist)} functions for {len(conditions)} conditions; one each, or one more for the rest")
    y = np.zeros_like(x)
    for condition, function in zip(conditions, funclist, strict=True):
        value = function
        if callable(function):
            chosen = x[condition]
            if not chosen.size:
                continue
            value = function(chosen, *args, **kw)
        y = setitem(y, astype(_array(value), y.dtype), index=condition)
    return y


def _leaving(fn: Callable[..., Any]) -> None:
    """Add a function that makes text, indices or counts of arrays, or writes them to a file: it gets their values."""

    @derived(fn)
    def leave(*args: Any, **kwargs: Any) -> Any:
        return fn(*map(_plain, args), **{k: _plain(v) for k, v in kwargs.items()})


# fmt: off
for _fn in (
    np.array2string, np.array_repr, np.array_str, np.save, np.savez, np.savez_compressed, np.savetxt, np.shares_memory, np.may_share_memory,
    np.unravel_index, np.ravel_multi_index, np.packbits, np.unpackbits, np.tril_indices_from, np.triu_indices_from, np.diag_indices_from,
    np.einsum_path, np.common_type, np.min_scalar_type,
):
    _leaving(_fn)
# fmt: on
