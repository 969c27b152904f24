"""Arrays made after the pattern of another, and questions about an array's form; none depends on its values."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd_np.op import case, constant, derived
from autograd_np.ops.indexing import axes_of
from autograd_np.ops.shaping import astype
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
