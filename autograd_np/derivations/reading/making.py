"""Running a user's function with `autograd_np.numpy` in the place of NumPy, so that what it makes can be written into."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from autograd_np import numpy as understanding
from autograd_np.callers import is_users_file

__all__ = ["understanding_arrays"]


@contextmanager
def understanding_arrays(f: Callable[..., Any]) -> Iterator[None]:
    """Let the names of NumPy in the modules of `f`, and of the user's functions it can call, mean `autograd_np.numpy`."""
    changed = []
    for namespace in _namespaces(f):
        for name, value in list(namespace.items()):
            if value is np:
                namespace[name] = understanding
                changed.append((namespace, name))
    try:
        yield
    finally:
        for namespace, name in changed:
            namespace[name] = np


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
