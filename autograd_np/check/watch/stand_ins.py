"""Stand-ins for NumPy in the user's forward function: what it creates is a Tensor, so that results can be written into it."""

from __future__ import annotations

import copy
import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from autograd_np.tensor import Tensor

__all__ = ["with_tensor_numpy"]


def _made(real: Callable[..., Any]) -> Callable[..., Any]:
    def make(*args: Any, **kwargs: Any) -> Any:
        if any(isinstance(a, Tensor) for a in args):
            new = real(*args, **kwargs)
            return new if isinstance(new, Tensor) else Tensor(new) if np.asarray(new).dtype.kind == "f" else new
        new = real(*args, **kwargs)
        return Tensor(new) if new.dtype.kind == "f" else new

    return make


def _array(x: Any, *args: Any, **kwargs: Any) -> Any:
    if isinstance(x, Tensor):
        return x.copy()
    if isinstance(x, (list, tuple)) and any(isinstance(v, Tensor) for v in _deep(x)):
        return np.stack([_array(v) if isinstance(v, (list, tuple, Tensor)) else np.asarray(v, float) for v in x])
    return np.array(x, *args, **kwargs)


def _deep(x: Any) -> Iterator[Any]:
    for v in x:
        if isinstance(v, (list, tuple)):
            yield from _deep(v)
        else:
            yield v


def _asarray(x: Any, *args: Any, **kwargs: Any) -> Any:
    return x if isinstance(x, Tensor) else _array(x, *args, **kwargs)


CREATION = {name: _made(getattr(np, name)) for name in ("zeros", "ones", "full", "zeros_like", "ones_like", "full_like")} | {
    "empty": _made(np.zeros),
    "empty_like": _made(np.zeros_like),
    "array": _array,
    "asarray": _asarray,
    "asanyarray": _asarray,
    "ascontiguousarray": _asarray,
}


class _TensorNumPy(types.ModuleType):
    """NumPy, except that what it creates is a Tensor, so that results can be written into it in place."""

    def __init__(self, real: types.ModuleType, make: Mapping[str, Callable[..., Any]]) -> None:
        super().__init__(real.__name__)
        self.__dict__.update(make)
        self._real = real

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def with_tensor_numpy(f: Callable[..., Any], make: Mapping[str, Callable[..., Any]] = CREATION) -> Callable[..., Any]:
    """Return a copy of `f`, and of the functions of its module that it calls, that creates arrays through `make`.

    Parameters
    ----------
    f : callable
        A Python function or bound method; anything else is returned as it is.
    make : mapping
        NumPy names (``zeros``, ``array``, ...) -> replacements.
    """
    proxy = _TensorNumPy(np, make)
    scopes: dict[int, dict[str, Any]] = {}

    def scope_of(g: types.FunctionType) -> dict[str, Any]:
        key = id(g.__globals__)
        if key not in scopes:
            scopes[key] = new = dict(g.__globals__)
            for name, value in g.__globals__.items():
                if value is np:
                    new[name] = proxy
                elif isinstance(value, types.FunctionType) and value.__globals__ is g.__globals__:
                    new[name] = copied(value)
                elif callable(value) and name in make and value is getattr(np, name, None):
                    new[name] = make[name]
        return scopes[key]

    def copied(g: types.FunctionType) -> types.FunctionType:
        new = types.FunctionType(g.__code__, scopes[id(g.__globals__)], g.__name__, g.__defaults__, _cells(g))
        new.__kwdefaults__ = g.__kwdefaults__
        return new

    def _cells(g: types.FunctionType) -> tuple[types.CellType, ...] | None:
        if g.__closure__ is None:
            return None
        cells = []
        for cell in g.__closure__:
            try:
                content = cell.cell_contents
            except ValueError:
                cells.append(cell)
                continue
            if content is np:
                cells.append(types.CellType(proxy))
            elif isinstance(content, types.FunctionType) and content is not g:
                scope_of(content)
                cells.append(types.CellType(copied(content)))
            else:
                cells.append(cell)
        return tuple(cells)

    if isinstance(f, types.MethodType) and isinstance(f.__func__, types.FunctionType):
        scope_of(f.__func__)
        return types.MethodType(copied(f.__func__), copy.copy(f.__self__))
    if isinstance(f, types.FunctionType):
        scope_of(f)
        return copied(f)
    return f
