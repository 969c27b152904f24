"""A stand-in for CuPy where there is no GPU: an array that speaks NumPy's protocols, has a device, and mixes with no other array.

It does what CuPy's `ndarray` is documented to do, https://docs.cupy.dev/en/stable/user_guide/difference.html: NumPy's functions
dispatch on it; Python's and NumPy's numbers are taken as operands and NumPy's arrays are not; nothing converts it implicitly;
what NumPy reduces to a number stays an array without axes; and indices may be NumPy's.
"""

from __future__ import annotations

import numbers
from typing import Any

import numpy as np

CREATING = (np.asarray, np.array, np.full, np.zeros, np.ones, np.empty, np.arange, np.eye)
"""What takes NumPy's arrays to the device of `like=`."""


class DeviceArray(np.lib.mixins.NDArrayOperatorsMixin):
    """Numbers on a device."""

    __slots__ = ("_numbers", "device")

    def __init__(self, array: Any, device: str = "gpu:0") -> None:
        self._numbers = np.asarray(array)
        self.device = device

    def get(self) -> np.ndarray:
        """Copy to the host, which is never done implicitly."""
        return self._numbers.copy()

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("implicit conversion to a NumPy array is not allowed; use .get()")

    # --- the protocols

    def _in(self, x: Any) -> Any:
        if isinstance(x, DeviceArray):
            if x.device != self.device:
                raise ValueError(f"arrays of {self.device} and {x.device} cannot be mixed")
            return x._numbers
        if isinstance(x, np.ndarray):
            raise TypeError(f"unsupported type {type(x)}")
        if isinstance(x, (list, tuple)):
            return type(x)(map(self._in, x))
        return x

    def _out(self, x: Any) -> Any:
        if isinstance(x, (np.ndarray, np.generic)):
            return DeviceArray(x, self.device)
        if isinstance(x, tuple) and hasattr(x, "_fields"):
            return type(x)(*map(self._out, x))
        return type(x)(map(self._out, x)) if isinstance(x, (list, tuple)) else x

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        for x in inputs:
            if not isinstance(x, (DeviceArray, numbers.Number, np.generic)) and not (method in ("at", "reduceat") and x is inputs[1]):
                return NotImplemented
        taken = [_plain(x) if method in ("at", "reduceat") and i == 1 else self._in(x) for i, x in enumerate(inputs)]
        return self._out(getattr(ufunc, method)(*taken, **{k: self._in(v) for k, v in kwargs.items()}))

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        if not all(issubclass(t, (DeviceArray, np.ndarray)) for t in types):
            return NotImplemented
        if func in CREATING:
            return self._out(func(*args, **kwargs))
        return self._out(func(*map(self._in, args), **{k: self._in(v) for k, v in kwargs.items()}))

    # --- what an array has

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or not hasattr(np.ndarray, name):
            raise AttributeError(name)
        found = getattr(self._numbers, name)
        if callable(found):
            return lambda *args, **kwargs: self._out(found(*map(self._in, args), **{k: self._in(v) for k, v in kwargs.items()}))
        return self._out(found) if isinstance(found, np.ndarray) else found

    base = None

    def __getitem__(self, index: Any) -> Any:
        return self._out(self._numbers[_plain(index)])

    def __setitem__(self, index: Any, value: Any) -> None:
        self._numbers[_plain(index)] = self._in(value)

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Any:
        return map(self._out, self._numbers)

    def __bool__(self) -> bool:
        return bool(self._numbers)

    def __float__(self) -> float:
        return float(self._numbers)

    def __int__(self) -> int:
        return int(self._numbers)

    def __complex__(self) -> complex:
        return complex(self._numbers)

    def __repr__(self) -> str:
        return f"DeviceArray({self._numbers!r}, {self.device})"


def _plain(index: Any) -> Any:
    if isinstance(index, tuple):
        return tuple(map(_plain, index))
    return index._numbers if isinstance(index, DeviceArray) else index


def host(x: Any) -> Any:
    """Return a result as NumPy has it."""
    return x.get() if isinstance(x, DeviceArray) else x
