"""Stand-ins for NumPy in the user's modules, for one run on Tensors: what it creates is a Tensor, so that results can be written into it.

NumPy itself is left alone. In each of the user's modules the names that stand for NumPy, SciPy, `math` and `isinstance` mean
something else while the run lasts; `float(x)`, `x.item()` and `array.dot(x)`, which would leave the graph, call a name that does not.
"""

from __future__ import annotations

import ast
import builtins
import copy
import importlib
import inspect
import math
import sys
import types
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any, ClassVar

import numpy as np

from autograd_np.check.watch.reads import is_numpy
from autograd_np.check.watch.source import Function, Functions, is_users
from autograd_np.mirrored import MIRRORED
from autograd_np.tensor import Tensor, value_of

__all__ = ["exchanged", "in_place_of_numpy", "tensor_numpy"]

_SEQUENCES = frozenset(
    [
        "concatenate",
        "stack",
        "hstack",
        "vstack",
        "dstack",
        "column_stack",
        "block",
        "einsum",
        "meshgrid",
        "broadcast_arrays",
        "ix_",
        "linalg",
        "multi_dot",
        "append",
        "array_split",
    ]
)


def _is_float(x: Any) -> bool:
    return np.asarray(value_of(x)).dtype.kind == "f"


def _deep(x: Any) -> Iterator[Any]:
    for v in x:
        if isinstance(v, (list, tuple)):
            yield from _deep(v)
        else:
            yield v


def _holds_tensor(x: Any) -> bool:
    return isinstance(x, (list, tuple)) and any(isinstance(v, Tensor) for v in _deep(x))


def _stacked(x: Any) -> Any:
    """Return nested lists of Tensors and numbers as one Tensor."""
    if isinstance(x, (list, tuple)):
        return np.stack([_stacked(v) for v in x])
    return x if isinstance(x, Tensor) else np.asarray(x, float)


def _made(real: Callable[..., Any]) -> Callable[..., Any]:
    def make(*args: Any, **kwargs: Any) -> Any:
        if _holds_tensor(args):
            new = real(*(_stacked(a) if _holds_tensor(a) else a for a in args), **kwargs)
            return new if isinstance(new, Tensor) else Tensor(new) if _is_float(new) else new
        new = real(*args, **kwargs)
        return Tensor(new) if new.dtype.kind == "f" else new

    return make


def _array(x: Any, *args: Any, **kwargs: Any) -> Any:
    dtype = kwargs.get("dtype", args[0] if args else None)
    if isinstance(x, Tensor):
        return x.copy() if dtype is None or np.dtype(dtype).kind == "f" else np.array(x.detach().data, dtype)
    if _holds_tensor(x):
        return _stacked(x)
    return np.array(x, *args, **kwargs)


def _asarray(x: Any, *args: Any, **kwargs: Any) -> Any:
    return x if isinstance(x, Tensor) else _array(x, *args, **kwargs)


def _sliding_window_view(x: Any, window_shape: Any, axis: Any = None, **_: Any) -> Any:
    """Gather the windows by index, which has a derivative."""
    windows = window_shape if isinstance(window_shape, (tuple, list)) else (window_shape,)
    axes = range(x.ndim) if axis is None else axis if isinstance(axis, (tuple, list)) else (axis,)
    for n, a in zip(windows, axes, strict=True):
        a %= x.ndim
        index = np.arange(x.shape[a] - n + 1)[:, None] + np.arange(n)
        x = np.moveaxis(x[(slice(None),) * a + (index,)], a + 1, -1)
    return x


def _as_strided(x: Any, shape: Any = None, strides: Any = None, **more: Any) -> Any:
    """Gather by index what the strides lead to."""
    if not isinstance(x, Tensor):
        return np.lib.stride_tricks.as_strided(x, shape, strides, **more)
    data = np.asarray(value_of(x))
    index = np.empty_like(data, dtype=np.int64)
    index[...] = np.arange(data.size).reshape(data.shape)
    return x.reshape(-1)[np.lib.stride_tricks.as_strided(index, shape, strides).copy()]


def _float(x: Any = 0.0) -> Any:
    return x.reshape(()) if isinstance(x, Tensor) else float(x)


def _item(x: Any, *index: Any) -> Any:
    if not isinstance(x, Tensor):
        return x.item(*index)
    return x.reshape(-1)[index[0]] if index else x.reshape(())


def _dot(x: Any, *args: Any, **kwargs: Any) -> Any:
    """Let an array be multiplied by a Tensor: its own method would make an array of that."""
    if isinstance(x, np.ndarray) and any(isinstance(a, Tensor) for a in args):
        return np.dot(x, *args, **kwargs)
    return x.dot(*args, **kwargs)


def _isinstance(x: Any, kinds: Any) -> bool:
    if isinstance(x, Tensor):
        return isinstance(x, kinds) or isinstance(x.detach().data[()], kinds) or (x.ndim > 0 and isinstance(x.detach().data, kinds))
    return isinstance(x, kinds)


_CREATION: dict[str, Callable[..., Any]] = {
    name: _made(getattr(np, name)) for name in ("zeros", "ones", "full", "zeros_like", "ones_like", "full_like")
} | {
    "empty": _made(np.zeros),
    "empty_like": _made(np.zeros_like),
    "array": _array,
    "asarray": _asarray,
    "asanyarray": _asarray,
    "ascontiguousarray": _asarray,
    "asfortranarray": _asarray,
}


_WINDOWS = {"sliding_window_view": _sliding_window_view, "as_strided": _as_strided}


def _position_of_out(f: Any) -> int:
    """Return where a function takes `out` by position; -2 if nowhere."""
    if isinstance(f, np.ufunc):
        return f.nin
    try:
        names = list(inspect.signature(f).parameters)
    except (TypeError, ValueError):
        return -2
    return names.index("out") if "out" in names else -2


def _wrapped(f: Any) -> Any:
    """Return a function of NumPy's that takes lists of Tensors and writes results into Tensors."""
    if not callable(f) or isinstance(f, type) or getattr(f, "__name__", "") in _SEQUENCES:
        return f
    at = _position_of_out(f)

    def call(*args: Any, **kwargs: Any) -> Any:
        if len(args) == at + 1:
            args, kwargs = args[:at], {**kwargs, "out": args[at]}
        out = kwargs.get("out")
        if any(map(_holds_tensor, args)):
            args = tuple(_stacked(a) if _holds_tensor(a) else a for a in args)
        if isinstance(out, Tensor) or (out is not None and any(isinstance(a, Tensor) for a in args)):
            out[...] = f(*args, **{k: v for k, v in kwargs.items() if k != "out"})
            return out
        return f(*args, **kwargs)

    return call


class _Stand(types.ModuleType):
    """A module, except for some names; functions take lists of Tensors."""

    def __init__(self, real: types.ModuleType, instead: Mapping[str, Any]) -> None:
        super().__init__(real.__name__)
        self.__dict__.update(instead)
        self._real = real

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._real, name)
        if isinstance(value, types.ModuleType):
            value = _Stand(value, _WINDOWS if name in ("lib", "stride_tricks") else {})
        elif value is np.c_ or value is np.r_:
            value = _Concatenator(value)
        elif isinstance(value, np.ufunc):
            value = _UfuncStand(value)
        elif self._real is np.random:
            value = _outside(value)
        else:
            value = _wrapped(value)
        self.__dict__[name] = value
        return value


class _UfuncStand:
    """A ufunc that takes lists of Tensors; its methods are its own."""

    def __init__(self, real: np.ufunc) -> None:
        self._real, self._call = real, _wrapped(real)
        self.__name__ = real.__name__

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        plain = not kwargs and len(args) <= self._real.nin and not any(isinstance(a, (list, tuple)) for a in args)
        return self._real(*args) if plain else self._call(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


class _MathStand(types.ModuleType):
    """`math` on Tensors: NumPy's function of the same meaning."""

    _NAMES: ClassVar = {"pow": "power", "fabs": "abs", "asin": "arcsin", "acos": "arccos", "atan": "arctan"}

    def __getattr__(self, name: str) -> Any:
        real = getattr(math, name)
        if not callable(real):
            return real

        def call(*args: Any) -> Any:
            return getattr(np, self._NAMES.get(name, name))(*args) if any(isinstance(a, Tensor) for a in args) else real(*args)

        return call


class _Concatenator:
    """``np.c_`` and ``np.r_`` of Tensors and arrays."""

    def __init__(self, real: Any) -> None:
        self._real = real

    def __getitem__(self, key: Any) -> Any:
        parts = key if isinstance(key, tuple) else (key,)
        if not any(isinstance(p, Tensor) or _holds_tensor(p) for p in parts):
            return self._real[key]
        parts = tuple(_stacked(p) for p in parts)
        if self._real is np.c_:
            return np.column_stack(parts)
        return np.concatenate([p if p.ndim else p.reshape(1) for p in parts])


def _outside(f: Any) -> Any:
    """Return a function that draws random numbers, given the values of Tensors."""
    if not callable(f) or isinstance(f, type):
        return f

    def call(*args: Any, **kwargs: Any) -> Any:
        plain = [value_of(a) if isinstance(a, Tensor) else a for a in args]
        return f(*plain, **{k: value_of(v) if isinstance(v, Tensor) else v for k, v in kwargs.items()})

    return call


def _reshaped(x: Any, shape: Any) -> Any:
    if isinstance(x, Tensor):
        return x.reshape(shape)
    x.shape = shape
    return x


_LEAVING = {"float": "_float_or_tensor", "item": "_item_or_tensor", "dot": "_dot_of_tensors", "shape": "_reshaped_tensor"}


class _Staying(ast.NodeTransformer):
    """Turns ``float(x)``, ``np.float64(x)``, ``x.item()``, ``x.dot(y)`` and ``x.shape = s`` into calls of stand-ins."""

    def __init__(self) -> None:
        self.changed = False

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        match node.func:
            case ast.Name(id="float") if len(node.args) == 1:
                name, args = _LEAVING["float"], node.args
            case ast.Attribute(attr="float64" | "float32", value=ast.Name(id="np" | "numpy")) if len(node.args) == 1:
                name, args = _LEAVING["float"], node.args
            case ast.Attribute(attr="item", value=value):
                name, args = _LEAVING["item"], [value, *node.args]
            case ast.Attribute(attr="dot", value=value) if not is_numpy(value):
                name, args = _LEAVING["dot"], [value, *node.args]
            case _:
                return node
        self.changed = True
        return ast.Call(func=ast.Name(id=name, ctx=ast.Load()), args=args, keywords=node.keywords)

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        self.generic_visit(node)
        match node.targets:
            case [ast.Attribute(attr="shape", value=ast.Name(id=name))]:
                self.changed = True
                args: list[ast.expr] = [ast.Name(id=name, ctx=ast.Load()), node.value]
                call = ast.Call(func=ast.Name(id=_LEAVING["shape"], ctx=ast.Load()), args=args, keywords=[])
                return ast.Assign(targets=[ast.Name(id=name, ctx=ast.Store())], value=call)
        return node


_ON_TENSORS: weakref.WeakKeyDictionary[Function, types.CodeType | None] = weakref.WeakKeyDictionary()
"""The code of functions on Tensors, where it is another: every run of forward needs it."""


def _on_tensors(function: Function) -> types.CodeType | None:
    """Return what a function runs on Tensors, if that is not its own code."""
    if function not in _ON_TENSORS:
        changes = _changes(function)
        _ON_TENSORS[function] = function.edited(changes) if changes else None
    return _ON_TENSORS[function]


def _changes(function: Function) -> dict[Any, list[ast.stmt]]:
    found = {}
    for place in function.places:
        statement = place.statement
        if statement is None:
            continue
        staying = _Staying()
        new = staying.visit(copy.deepcopy(statement))
        if staying.changed:
            found[place] = [new]
    return found


@contextmanager
def exchanged(codes: Mapping[types.FunctionType, types.CodeType]) -> Iterator[None]:
    """Let functions run other code while this lasts."""
    before = {f: f.__code__ for f in codes}
    try:
        for f, code in codes.items():
            f.__code__ = code
        yield
    finally:
        for f, code in before.items():
            f.__code__ = code


def _of_scipy() -> dict[int, tuple[str, str]]:
    """Return where `autograd_np.scipy` has what stands for each of SciPy's modules and functions, as far as these are imported."""
    found: dict[int, tuple[str, str]] = {}
    for where, names in {"scipy": "", **MIRRORED}.items():
        real = sys.modules.get(where)
        if real is not None:
            found |= {id(getattr(real, name)): (where, name) for name in names.split() if hasattr(real, name)}
            found[id(real)] = where, ""
    return found


def _on_tensors_of_scipy(where: str, name: str) -> Any:
    """Import what stands for a module of SciPy's, or for a function of it: SciPy's own on plain arrays."""
    module = importlib.import_module(f"autograd_np.{where}")
    return getattr(module, name) if name else module


class _Instead(dict[int, Any]):
    """What takes the place of an object, by its identity; what stands for SciPy's is imported where it is asked for."""

    def __init__(self, known: Mapping[int, Any]) -> None:
        super().__init__(known)
        self._scipy = _of_scipy()

    def __contains__(self, identity: object) -> bool:
        return super().__contains__(identity) or identity in self._scipy

    def __missing__(self, identity: int) -> Any:
        self[identity] = _on_tensors_of_scipy(*self._scipy[identity])
        return self[identity]


def in_place_of_numpy() -> dict[int, Any]:
    """Return what takes the place of NumPy, of its functions that make arrays, and of what SciPy and `math` have, by identity."""
    stand, mathematics = _Stand(np, _CREATION), _MathStand("math")
    instead: dict[int, Any] = {id(np): stand, id(sys.modules.get("autograd_np.numpy", np)): stand, id(math): mathematics}
    instead |= {id(getattr(np, name)): new for name, new in _CREATION.items() if hasattr(np, name)}
    instead |= {id(getattr(np.lib.stride_tricks, name)): new for name, new in _WINDOWS.items()}
    instead[id(np.lib.stride_tricks)] = _Stand(np.lib.stride_tricks, _WINDOWS)
    return _Instead(instead)


@contextmanager
def tensor_numpy(reachable: Iterable[types.FunctionType], functions: Functions) -> Iterator[None]:
    """Let NumPy mean the stand-in in the modules of some functions and in every other module of the user's, while this lasts."""
    reachable = list(reachable)
    scopes = {id(f.__globals__): f.__globals__ for f in reachable}
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if file and isinstance(module, types.ModuleType) and is_users(file):
            scopes.setdefault(id(vars(module)), vars(module))
    instead = in_place_of_numpy()
    codes = {}
    for f in reachable:
        function = functions.of(f.__code__)
        code = _on_tensors(function) if function is not None else None
        if code is not None and function is not None:
            functions.note(code, function)
            codes[f] = code
    with ExitStack() as stack:
        for scope in scopes.values():
            _exchange_in(scope, instead, stack)
        for f in reachable:
            _exchange_captured(f, instead, stack)
        stack.enter_context(exchanged(codes))
        yield


def _exchange_in(scope: dict[str, Any], instead: Mapping[int, Any], stack: ExitStack) -> None:
    """Let the names of a module, and of its classes, mean what stands for NumPy, until the stack is left."""
    absent = object()
    for name, value in list(scope.items()):
        if name.startswith("__"):
            continue
        if id(value) in instead:
            stack.callback(scope.__setitem__, name, value)
            scope[name] = instead[id(value)]
        elif isinstance(value, type) and value.__module__ == scope.get("__name__"):
            for key, attribute in list(vars(value).items()):
                if id(attribute) in instead:
                    stack.callback(setattr, value, key, attribute)
                    setattr(value, key, instead[id(attribute)])
    for name, new in (
        ("isinstance", _isinstance),
        (_LEAVING["float"], _float),
        (_LEAVING["item"], _item),
        (_LEAVING["dot"], _dot),
        (_LEAVING["shape"], _reshaped),
    ):
        before = scope.get(name, absent)
        if before is absent:
            stack.callback(scope.pop, name, None)
        elif before is getattr(builtins, name, absent):
            stack.callback(scope.__setitem__, name, before)
        else:
            continue
        scope[name] = new


def _exchange_captured(f: types.FunctionType, instead: Mapping[int, Any], stack: ExitStack) -> None:
    """Let what a function captured, or has as a default, mean what stands for NumPy, until the stack is left."""
    for cell in f.__closure__ or ():
        try:
            content = cell.cell_contents
        except ValueError:
            continue
        if id(content) in instead:
            stack.callback(setattr, cell, "cell_contents", content)
            cell.cell_contents = instead[id(content)]

    def standing_for(value: Any) -> Any:
        if id(value) in instead:  # what is missing there is imported
            return instead[id(value)]
        return value

    by_place, by_name = f.__defaults__, f.__kwdefaults__
    if any(id(v) in instead for v in (*(by_place or ()), *(by_name or {}).values())):
        stack.callback(setattr, f, "__defaults__", by_place)
        stack.callback(setattr, f, "__kwdefaults__", by_name)
        f.__defaults__ = by_place and tuple(map(standing_for, by_place))
        f.__kwdefaults__ = by_name and {k: standing_for(v) for k, v in by_name.items()}
