"""Running a user's function with `autograd_np.numpy` in the place of NumPy, so that what it makes can be written into, and is recorded."""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from autograd_np import numpy as understanding
from autograd_np.callers import is_users_file
from autograd_np.node import OPEN, Level
from autograd_np.tensor import Tensor, leaf
from autograd_np.trees import flatten

__all__ = ["understanding_arrays"]


def understanding_arrays(f: Callable[..., Any], kinds: str) -> Callable[..., Any]:
    """Return `f` so that, where it is recorded, the arrays it makes are: in its modules, and those of the user's functions it can call.

    Called with plain arrays it is `f`.

    Parameters
    ----------
    f : callable
    kinds : str
        The kinds of dtypes, as in ``dtype.kind``, of the arrays that are recorded.
    """

    @functools.wraps(f)
    def call(*args: Any) -> Any:
        level = next((x._node.level for x in flatten(args)[0] if isinstance(x, Tensor) and x._node is not None), None)
        if level is None:
            return f(*args)
        with _instead_of_numpy(f, _Recorded(level, kinds)):
            return f(*args)

    return call


class _Recorded(types.ModuleType):
    """`autograd_np.numpy`, of which the arrays that it makes of no Tensors are leaves of a level."""

    def __init__(self, level: Level, kinds: str) -> None:
        super().__init__("numpy")
        self._level = level
        self._kinds = kinds

    def __getattr__(self, name: str) -> Any:
        name = {"empty": "zeros", "empty_like": "zeros_like"}.get(name, name)  # what is there before it is written is nobody's value
        found = getattr(understanding, name)
        if found is getattr(np, name, None) or not isinstance(found, types.FunctionType):
            return found

        @functools.wraps(found)
        def make(*args: Any, **kwargs: Any) -> Any:
            new = found(*args, **kwargs)
            data = new.data if isinstance(new, Tensor) and new._node is None else new
            if type(data) is not np.ndarray or data.dtype.kind not in self._kinds or max(OPEN, default=0) != self._level.order:
                return new
            return leaf(data, self._level, needs=False)

        return make


@contextmanager
def _instead_of_numpy(f: Callable[..., Any], module: types.ModuleType) -> Iterator[None]:
    """Let the names of NumPy mean another module."""
    changed = []
    for namespace in _namespaces(f):
        for name, value in list(namespace.items()):
            if value is np or value is understanding:
                namespace[name] = module
                changed.append((namespace, name, value))
    try:
        yield
    finally:
        for namespace, name, value in changed:
            namespace[name] = value


def _namespaces(f: Callable[..., Any]) -> list[dict[str, Any]]:
    found: dict[int, dict[str, Any]] = {}
    seen: set[int] = set()
    todo: list[Any] = [f, getattr(inspect.unwrap(f), "__self__", None)]
    while todo:
        x = todo.pop()
        x = inspect.unwrap(x) if callable(x) else x
        function = getattr(x, "__func__", x)
        if id(function) in seen:
            continue
        seen.add(id(function))
        if isinstance(function, types.FunctionType):
            if is_users_file(function.__code__.co_filename):
                found[id(function.__globals__)] = function.__globals__
                todo += [v for n in function.__code__.co_names if (v := function.__globals__.get(n)) is not None]
                todo += [cell.cell_contents for cell in function.__closure__ or () if _is_filled(cell)]
        elif isinstance(function, type):
            todo += [v for kind in function.__mro__ if kind is not object for v in vars(kind).values()]
        elif isinstance(function, types.ModuleType):
            if is_users_file(getattr(function, "__file__", None) or "<none>"):
                todo += [v for v in vars(function).values() if isinstance(v, (types.FunctionType, type))]
        elif hasattr(function, "__dict__"):
            todo += [type(function), *vars(function).values()]
        elif isinstance(function, (list, tuple)):
            todo += function
        elif isinstance(function, dict):
            todo += function.values()
    return list(found.values())


def _is_filled(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return False
    return True
