"""How rows of SciPy's functions are written: partial derivatives get their operands in the precision of the result.

SciPy computes a narrow operand in the precision of the widest; a partial derivative that is written with NumPy's functions would round
it first (`np.log` of a bool is float16). Arguments without a derivative are refused by name.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_np import errors
from autograd_np.op import Case, Op, Primitive, elementwise, general, primitive
from autograd_np.typing import Array

__all__ = ["by_element", "each", "no_derivative", "of_reals", "with_orders"]


def _widened(a: Any, y: Array) -> Any:
    """Return an operand in the precision of the result; whole numbers of 64 bits, such as orders, as they are."""
    dtype = getattr(a, "dtype", None)
    if dtype is None:
        return int(a) if a.__class__ is bool else a
    if dtype == y.dtype or y.dtype.kind not in "fc" or (dtype.kind in "iu" and dtype.itemsize == 8):
        return a
    precision = np.finfo(y.dtype).dtype
    narrow = dtype.kind in "biu" or np.finfo(dtype).dtype.itemsize < precision.itemsize
    return a.astype(y.dtype if dtype.kind == "c" else precision) if narrow else a


def _of_wide(partial: Any) -> Any:
    if not callable(partial):
        return partial

    @functools.wraps(partial)
    def of_wide(y: Array, *arrays: Any, **orders: Any) -> Any:
        return partial(y, *(_widened(a, y) for a in arrays), **orders)

    return of_wide


def each(fn: Callable[..., Any], *partials: Any, **more: Any) -> Op:
    """Add a row for a function of each element alone, as `elementwise` does."""
    return elementwise(fn, *map(_of_wide, partials), **more)


def with_orders(fn: Callable[..., Any], *partials: Any, cases: Sequence[Case], on: Any, tex: str) -> Op:
    """Add a row for a function of each element alone that has orders of derivatives as attributes: ``partial(y, *arrays, n=1)``."""

    def vjp(partial: Any) -> Any:
        wide = _of_wide(partial)

        @functools.wraps(partial)
        def rule(g: Array, y: Array, *arrays: Any, **orders: Any) -> Array:
            return g * wide(y, *arrays, **orders)

        rule.__dict__.pop("__wrapped__")
        return rule

    return general(fn, *map(vjp, partials), cases=cases, on=on, selects=False, by_element=True, tex=tex)


def by_element(compute: Callable[..., Array]) -> Primitive:
    """Make a primitive of a function of each element alone that is no ufunc: of a Dask array it is one task a block."""

    @functools.wraps(compute)
    def computed(*args: Any, **attrs: Any) -> Array:
        if not any(type(a).__module__.partition(".")[0] == "dask" for a in args):
            return compute(*args, **attrs)
        elemwise: Any = importlib.import_module("dask.array.core").elemwise
        return elemwise(functools.partial(compute, **attrs), *args)

    return primitive(computed)


def no_derivative(name: str, argument: str) -> Callable[..., Any]:
    """Return the partial derivative by an argument that has none here: it is refused by name."""

    def refuse(y: Array, *_arrays: Any) -> Any:
        raise errors.NoRowError(f"{name} has no derivative by its argument {argument} here; pass {argument}.detach() if that is meant")

    refuse.refused = True  # type: ignore[attr-defined]
    return refuse


def of_reals(name: str, partial: Callable[..., Any]) -> Callable[..., Any]:
    """Return a partial derivative that is refused for complex numbers, of which the function is not holomorphic."""

    def partial_of_reals(y: Array, *arrays: Any, **orders: Any) -> Any:
        if y.dtype.kind == "c":
            raise errors.NoRowError(f"{name} of complex numbers has no derivative here, only of real ones")
        return partial(y, *arrays, **orders)

    partial_of_reals.of_reals = True  # type: ignore[attr-defined]
    return partial_of_reals
