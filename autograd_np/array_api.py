"""The Array API standard (2024.12), for Tensors: what ``x.__array_namespace__()`` of a Tensor returns.

Code that is written for the standard (scikit-learn, SciPy, a user's own) asks its arrays for their namespace and makes new arrays with
it, so that such code is differentiable as it stands. Every name is a function of NumPy's, which record Tensors, or its like with the
standard's signature. There is one array type: what this namespace makes is a Tensor always, of integers and booleans too, where
`autograd_np.numpy` makes Tensors only where something can be written into them that carries a gradient. They are constants: only what a
transform, or ``requires_grad``, made a variable has a gradient.

Names that are not in the standard are not here, so that code that runs with it runs with every other library. No derivative may live
here, and nothing that NumPy or `creating` has already.

Examples
--------
>>> import autograd_np as ag
>>> import autograd_np.array_api as xp
>>> def standardized(x):
...     xp = x.__array_namespace__()
...     return (x - xp.mean(x)) / xp.std(x)
>>> ag.grad(lambda x: standardized(x)[0])(xp.asarray([1.0, 2.0, 4.0]))
array([ 0.22908106, -0.3436216 ,  0.11454053])
>>> xp.argmax(xp.asarray([1.0, 3.0, 2.0]))
Tensor(np.int64(1))
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from autograd_np.calls import refuse_other_meanings
from autograd_np.creating import changed, gathered
from autograd_np.op import is_numpys
from autograd_np.ops import astype as _astype
from autograd_np.tensor import Tensor, handle, value_of

__array_api_version__ = "2024.12"

# --- making arrays --------------------------------------------------------------------------------


def _tensor(x: Any) -> Any:
    return x if isinstance(x, Tensor) else handle(x, None)


def _making(name: str) -> Callable[..., Any]:
    make = changed(name, getattr(np, name))

    @functools.wraps(make)
    def call(*args: Any, **kwargs: Any) -> Any:
        return _tensor(make(*args, **kwargs))

    call.__module__, call.__doc__ = __name__, f"Make a Tensor, a constant, as ``np.{name}`` makes an array."
    return call


def asarray(obj: Any, /, *, dtype: Any = None, device: Any = None, copy: bool | None = None) -> Any:
    """Return a Tensor of a number, nested sequence, array or Tensor.

    Parameters
    ----------
    obj : array_like
        Sequences may hold Tensors, whose gradients flow. An array's memory is shared, unless `copy` says otherwise; a Tensor is
        returned itself.
    dtype : dtype, optional
        Recorded while it is a floating or complex one.
    device : optional
        Where NumPy's arrays are: ``"cpu"``.
    copy : bool, optional
        ``True`` copies always, ``False`` never, ``None`` where it must.

    Returns
    -------
    Tensor

    Raises
    ------
    ValueError
        If `copy` is ``False`` and a copy is needed, or there is no such device.
    TypeError
        If there are no numbers in it.

    Examples
    --------
    >>> import autograd_np as ag
    >>> import autograd_np.array_api as xp
    >>> ag.grad(lambda t: xp.sum(xp.asarray([t, 2 * t]) ** 2))(3.0)
    array(30.)
    """
    found = gathered(obj)
    if isinstance(found, Tensor):
        np.empty(0, device=device)  # refuses other devices in NumPy's words
        is_new = found is not obj
    elif is_numpys(obj) or not hasattr(obj, "__array_function__"):
        array = np.asarray(refuse_other_meanings(obj), dtype=dtype, device=device, copy=copy)
        if array.dtype.kind not in "biufc":
            raise TypeError(f"asarray needs numbers, got an array of dtype {array.dtype}")
        return handle(array, None)
    else:
        found, is_new = handle(obj, None), False  # a lazy array stays what it is
    if dtype is not None and np.dtype(dtype) != found.dtype:
        found, is_new = _astype(found, dtype), True
    if isinstance(value_of(found), np.generic) and copy is not False:  # a number, which NumPy makes an array
        found, is_new = np.copy(found), True
    if is_new and copy is False:
        raise ValueError("copy=False, but this list or dtype needs a copy; leave copy= out")
    return found.copy() if copy and not is_new else found


def from_dlpack(x: Any, /, *, device: Any = None, copy: bool | None = None) -> Any:
    """Return a Tensor of another library's array, in shared memory where that is possible; a Tensor keeps its gradient."""
    if isinstance(x, Tensor):
        return asarray(x, device=device, copy=copy)
    options = {"device": device, "copy": copy}  # which NumPy 2.0 does not know
    return handle(np.from_dlpack(x, **{k: v for k, v in options.items() if v is not None}), None)


# --- where the standard's signature is not NumPy's ------------------------------------------------


def clip(x: Any, /, min: Any = None, max: Any = None) -> Any:  # noqa: A002 (the standard's names)
    """Return `x` with values below `min` and above `max` replaced by these; see ``np.clip``."""
    return np.clip(x, min, max)


def sort(x: Any, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Any:
    """Return the values in ascending or `descending` order along an axis; see ``np.sort``."""
    values = np.sort(x, axis=axis, stable=stable)
    return np.flip(values, axis=axis) if descending else values


def argsort(x: Any, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Any:
    """Return the indices that sort along an axis; equal values keep their order if `stable`, in descending order too."""
    if not descending:
        return np.argsort(x, axis=axis, stable=stable)
    return x.shape[axis] - 1 - np.flip(np.argsort(np.flip(x, axis=axis), axis=axis, stable=stable), axis=axis)


def meshgrid(*arrays: Any, indexing: str = "xy") -> list[Any]:
    """Return the coordinates of a grid, as a list; see ``np.meshgrid``."""
    return list(np.meshgrid(*arrays, indexing=indexing))  # type: ignore[call-overload]


def broadcast_arrays(*arrays: Any) -> list[Any]:
    """Return the arrays broadcast against one another, as a list; see ``np.broadcast_arrays``."""
    return list(np.broadcast_arrays(*arrays))


def _dtype(x: Any) -> Any:
    return x.dtype if isinstance(x, (Tensor, np.ndarray, np.generic)) else x


class FloatInfo(NamedTuple):
    """What `finfo` returns: the limits of a floating dtype, as Python numbers."""

    bits: int
    eps: float
    max: float
    min: float
    smallest_normal: float
    dtype: Any


def finfo(type: Any, /) -> FloatInfo:  # noqa: A002 (the standard's name)
    """Return the limits of a floating or complex dtype, or of an array's."""
    info = np.finfo(_dtype(type))
    return FloatInfo(info.bits, float(info.eps), float(info.max), float(info.min), float(info.smallest_normal), info.dtype)


def iinfo(type: Any, /) -> Any:  # noqa: A002 (the standard's name)
    """Return the limits of an integer dtype, or of an array's."""
    return np.iinfo(_dtype(type))


def _frequencies(name: str) -> Callable[..., Any]:
    make = getattr(np.fft, name)

    def frequencies(n: int, /, *, d: float = 1.0, dtype: Any = None, device: Any = None) -> Any:
        return handle(np.asarray(make(n, d), dtype=dtype, device=device), None)

    frequencies.__name__ = frequencies.__qualname__ = name
    frequencies.__doc__ = f"Return the frequencies of a discrete Fourier transform; see ``np.fft.{name}``."
    return frequencies


def _of_places(name: str) -> Callable[..., Any]:
    find = getattr(np, name)

    @functools.wraps(find)
    def unique(x: Any, /) -> Any:
        found = find(x)
        return type(found)(*map(_tensor, found))

    unique.__module__, unique.__doc__ = __name__, f"Return Tensors for the arrays of ``np.{name}``."
    return unique


def unique_values(x: Any, /) -> Any:
    """Return the distinct values, sorted: the standard leaves the order open, ``np.unique_values`` does not sort, and code relies on it."""
    return np.sort(np.unique_values(x))


# --- the names ------------------------------------------------------------------------------------

_MAKING = "arange empty empty_like eye full full_like linspace ones ones_like zeros zeros_like"
_OURS = (asarray, from_dlpack, clip, sort, argsort, meshgrid, broadcast_arrays, finfo, iinfo, unique_values)
_PLACES = "unique_all unique_counts unique_inverse"
_NUMPYS = """
    e inf nan newaxis pi
    bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float32 float64 complex64 complex128
    astype can_cast isdtype result_type tril triu
    abs acos acosh add asin asinh atan atan2 atanh bitwise_and bitwise_invert bitwise_left_shift bitwise_or bitwise_right_shift
    bitwise_xor ceil conj copysign cos cosh divide equal exp expm1 floor floor_divide greater greater_equal hypot imag isfinite isinf
    isnan less less_equal log log10 log1p log2 logaddexp logical_and logical_not logical_or logical_xor maximum minimum multiply
    negative nextafter not_equal positive pow real reciprocal remainder round sign signbit sin sinh sqrt square subtract tan tanh trunc
    take take_along_axis
    matmul matrix_transpose tensordot vecdot
    broadcast_to concat expand_dims flip moveaxis permute_dims repeat reshape roll squeeze stack tile unstack
    argmax argmin count_nonzero nonzero searchsorted where
    cumulative_prod cumulative_sum max mean min prod std sum var
    all any diff
    __array_namespace_info__"""
_LINALG = """
    cholesky cross det diagonal eigh eigvalsh inv matmul matrix_norm matrix_power matrix_rank matrix_transpose outer pinv qr slogdet
    solve svd svdvals tensordot trace vecdot vector_norm"""
_FFT = "fft ifft fftn ifftn rfft irfft rfftn irfftn hfft ihfft fftshift ifftshift"


def _extension(name: str, numpys: str, **ours: Any) -> types.ModuleType:
    module = types.ModuleType(f"{__name__}.{name}", f"The extension `{name}` of the Array API standard, for Tensors.")
    real = getattr(np, name)
    module.__dict__.update({n: getattr(real, n) for n in numpys.split()} | ours)
    return module


def _names() -> dict[str, Any]:
    found = {name: getattr(np, name) for name in _NUMPYS.split() if hasattr(np, name)}  # some came with NumPy 2.1
    found |= {name: _making(name) for name in _MAKING.split()} | {name: _of_places(name) for name in _PLACES.split()}
    found |= {f.__name__: f for f in _OURS}
    found["linalg"] = _extension("linalg", _LINALG)
    found["fft"] = _extension("fft", _FFT, **{name: _frequencies(name) for name in ("fftfreq", "rfftfreq")})
    return found


def __getattr__(name: str) -> Any:
    """Say what is here, and where the rest of NumPy is."""
    if name in _NUMPYS.split():
        raise AttributeError(f"{name} of the Array API came with a later NumPy than {np.__version__}; 2.1 has all")
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    raise AttributeError(f"{name} is no name of the Array API standard {__array_api_version__}; NumPy's names are in autograd_np.numpy")


_ALL = _names()
globals().update(_ALL)
__all__ = sorted(_ALL)
