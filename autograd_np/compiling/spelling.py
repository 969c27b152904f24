"""Calls as methods and indices, which start sooner than the functions that were recorded: as they stand, or in two statements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_np.compiling.lowering import told
from autograd_np.compiling.program import Value
from autograd_np.ops.indexing import add_along_axis, take_along_axis
from autograd_np.ops.selection import where
from autograd_np.ops.shaping import reshape

__all__ = ["added_along", "spelled"]

Bind = Callable[[Any, str], str]


def spelled(v: Value, args: list[str], bind: Bind) -> str | None:
    """Return a call as an expression of its own, or ``None`` where there is none.

    Parameters
    ----------
    v : Value
        A call.
    args : list of str
        The names of its arguments.
    bind : callable
        Gives an object a name.
    """
    if v.is_call(where) and len(args) == 3 and not told(v):
        return f"{bind(np.where, 'where')}({', '.join(args)})"
    if v.is_several or not v.args or v.variadic or not v.args[0].ndim or v.args[0].kind == "constant":
        return None
    how = told(v)
    if v.is_call(np.transpose, np.swapaxes) and v.ndim == 2 and (v.is_call(np.swapaxes) or not how):
        turned = v.is_call(np.transpose) or {x % 2 for x in how.values() if type(x) is int} == {0, 1}
        return f"{args[0]}.T" if turned else None
    if v.is_call(np.expand_dims) and type(how.get("axis")) is int and len(how) == 1:
        axis = how["axis"] % v.ndim
        return f"{args[0]}[{':, ' * axis}None{', :' * (v.ndim - 1 - axis)}]"
    if v.is_call(np.squeeze, reshape) and v.args[0].size == v.size and how.keys() <= {"axis", "shape"}:
        return f"{args[0]}.reshape({v.shape})"
    if v.is_call(np.diag) and not how and v.args[0].ndim == 2:
        return f"{args[0]}.diagonal()"
    if v.is_call(take_along_axis) and how.keys() <= {"axis"} and len(args) == 2:
        index = _grid(v.args[0].shape, v.args[1], v.attrs.get("axis", -1), args[1], bind)
        return None if index is None else f"{args[0]}[{index}]"
    return None


def added_along(v: Value, args: list[str], name: str, bind: Bind) -> list[str] | None:
    """Return the statements that add along an axis, where there is one element for each place of the others: they are put there.

    They are added to 0, so that a negative zero becomes a positive one, as in a sum.
    """
    if not v.is_call(add_along_axis) or v.args[1].ndim != v.ndim or v.args[0].kind == "constant":
        return None
    axis = v.attrs["axis"]
    if type(axis) is not int or v.args[1].shape[axis] != 1 or v.args[0].shape != v.args[1].shape or v.args[0].dtype != v.dtype:
        return None
    index = _grid(v.shape, v.args[1], axis, args[1], bind)
    if index is None:
        return None
    return [f"{name} = {bind(np.zeros, 'zeros')}({v.shape}, {bind(v.dtype, str(v.dtype))})", f"{name}[{index}] = {args[0]} + 0"]


def _grid(shape: tuple[int, ...], indices: Value, axis: Any, name: str, bind: Bind) -> str | None:
    """Return the index of elements along an axis, each at its place of the others."""
    if type(axis) is not int or indices.ndim != len(shape) or indices.dtype.kind not in "iu" or len(shape) < 2:
        return None
    axis %= len(shape)
    if any(n not in (1, m) for i, (n, m) in enumerate(zip(indices.shape, shape, strict=True)) if i != axis):
        return None
    grid = [bind(np.arange(n).reshape([-1 if j == i else 1 for j in range(len(shape))]), f"at{i}_{n}") for i, n in enumerate(shape)]
    grid[axis] = name
    return ", ".join(grid)
