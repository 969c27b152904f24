"""Arrays made after the pattern of another, and questions about an array's form; none depends on its values."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd_np.op import case, constant, derived
from autograd_np.ops.indexing import axes_of
from autograd_np.ops.shaping import astype
from autograd_np.samples import Domain
from autograd_np.typing import Array, Shape

# fmt: off
constant(np.zeros_like, np.ones_like, cases=(case((3, 4)), case((), dtype=np.dtype("float32")), case((3, 4), shape=(2,))))
# fmt: on


@derived(np.empty_like)
def _empty_like(
    prototype: Array, dtype: Any = None, order: str = "K", subok: bool = True, shape: Any = None, *, device: Any = None
) -> Array:
    return np.zeros_like(prototype, dtype=dtype, shape=shape)  # leftovers of memory would make a recorded graph irreproducible


@derived(np.full_like)
def _full_like(
    a: Array, fill_value: Any, dtype: Any = None, order: str = "K", subok: bool = True, shape: Any = None, *, device: Any = None
) -> Array:
    zeros = np.zeros_like(a, dtype=dtype, shape=shape)
    full = astype(np.reshape(zeros + fill_value, zeros.shape), zeros.dtype)
    return full if full.ndim else np.copy(full)  # a sum without axes is a number, which nothing is written into


@derived(
    np.linspace, cases=(case((), (), num=4), case((2,), (), num=3, endpoint=False), case((2,), (3, 1), num=3, axis=-1), case((), (), num=1))
)
def _linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
    *,
    device: Any = None,
) -> Any:
    start, stop = (a if hasattr(a, "ndim") else np.asarray(a) for a in (start, stop))
    if num < 0:
        raise ValueError(f"np.linspace needs num >= 0, got {num}")
    made = np.result_type(start.dtype, stop.dtype, 1.0)
    start, stop = astype(start, made), astype(stop, made)
    intervals = num - 1 if endpoint else num
    step = (stop - start) / intervals if intervals > 0 else (stop - start) * np.nan
    steps = np.reshape(np.arange(num).astype(np.finfo(made).dtype), (-1,) + (1,) * step.ndim)
    found = start + steps * (step if intervals > 0 else stop - start)
    if endpoint and num > 1:
        found = np.concatenate([found[:-1], np.broadcast_to(stop, step.shape)[None]])
    found = np.moveaxis(found, 0, axis) if axis else found
    found = found if dtype is None else astype(found, dtype)
    return (found, step) if retstep else found


@derived(np.logspace, cases=(case((), (), num=4), case((2,), (), num=3, base=2.0, axis=-1)))
def _logspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, base: Any = 10.0, dtype: Any = None, axis: int = 0) -> Array:
    shape = np.broadcast_shapes(np.shape(start), np.shape(stop), np.shape(base))
    start = np.broadcast_to(start, shape) if np.ndim(base) else start
    found = _linspace(start, stop, num, endpoint, axis=axis)
    found = np.power(np.expand_dims(base, axis) if np.ndim(base) else base, found)
    return found if dtype is None else astype(found, dtype)


@derived(np.geomspace, cases=(case((), (), num=4), case((2,), (), num=3, endpoint=False, axis=-1)), on=Domain(0.5, 3.0))
def _geomspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0) -> Array:
    start, stop = (a if hasattr(a, "ndim") else np.asarray(a) for a in (start, stop))
    if np.any(start == 0) or np.any(stop == 0):
        raise ValueError("np.geomspace cannot start or stop at 0")
    made = np.result_type(start.dtype, stop.dtype, np.float64)
    start, stop = astype(start, made), astype(stop, made)
    ratio = np.divide(stop, start)
    if ratio.dtype.kind != "c" and np.any(ratio < 0):
        raise ValueError("np.geomspace needs start and stop of one sign; between others it is complex: pass complex numbers")
    exponents = _linspace(np.zeros_like(ratio), np.ones_like(ratio), num, endpoint, axis=axis)
    found = np.expand_dims(start, axis) * np.power(np.expand_dims(ratio, axis), exponents) if num else exponents
    return found if dtype is None else astype(found, dtype)


@derived(np.shape)
def _shape(a: Array) -> Shape:
    return tuple(a.shape)


@derived(np.ndim)
def _ndim(a: Array) -> int:
    return int(a.ndim)


@derived(np.size)
def _size(a: Array, axis: Any = None) -> int:
    return math.prod(a.shape[i] for i in axes_of(axis, a.ndim))


@derived(np.iscomplexobj)
def _iscomplexobj(x: Array) -> bool:
    return bool(x.dtype.kind == "c")


@derived(np.isrealobj)
def _isrealobj(x: Array) -> bool:
    return bool(x.dtype.kind != "c")


def _dtype_of(x: Any) -> Any:
    return x.dtype if hasattr(x, "dtype") and not isinstance(x, type) else x


@derived(np.result_type)
def _result_type(*arrays_and_dtypes: Any) -> np.dtype[Any]:
    return np.result_type(*map(_dtype_of, arrays_and_dtypes))


@derived(np.can_cast)
def _can_cast(from_: Any, to: Any, casting: Any = "safe") -> bool:
    return np.can_cast(_dtype_of(from_), _dtype_of(to), casting)
