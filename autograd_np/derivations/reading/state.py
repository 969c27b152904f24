"""The arrays of an object, as further arguments of its method: the weights of a layer, the state of a cell."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograd_np.callers import is_users_file

__all__ = ["with_state"]

DEEPEST = 4


def with_state(f: Callable[..., Any]) -> tuple[Callable[..., Any], dict[str, Any]]:
    """Return a method as a function of its arguments and of the floating arrays of its object, and these by name.

    A function of nothing but its arguments comes back as it is.
    """
    owner = getattr(inspect.unwrap(f), "__self__", None)
    if owner is None or isinstance(owner, type) or not _is_users(owner):
        return f, {}
    places: dict[str, list[tuple[Any, Any]]] = {}  # an array that a dict of parameters and a layer hold has two
    names: dict[int, str] = {}
    for name, holder, key in _places(owner, "", set(), 0):
        array = id(holder[key])
        if array not in names:
            names[array] = name if name not in places else next(n for i in range(2, 10**4) if (n := f"{name}_{i}") not in places)
        places.setdefault(names[array], []).append((holder, key))
    if not places:
        return f, {}

    @functools.wraps(f)
    def call(*args: Any) -> Any:
        count = len(args) - len(places)
        for held, value in zip(places.values(), args[count:], strict=True):
            for holder, key in held:
                holder[key] = value
        return f(*args[:count])

    return call, {name: holder[key] for name, ((holder, key), *_) in places.items()}


def _places(x: Any, name: str, seen: set[int], depth: int) -> Iterator[tuple[str, Any, Any]]:
    """Yield a name, the dict or list, and the key or place of each floating array that an object holds, wherever it holds it."""
    if id(x) in seen or depth > DEEPEST:
        return
    seen.add(id(x))
    holder = x if isinstance(x, (dict, list)) else vars(x) if _is_users(x) else None
    if holder is None:
        return
    for key, v in list(holder.items() if isinstance(holder, dict) else enumerate(holder)):
        own = key if isinstance(key, str) else f"{name}_{key + 1 if isinstance(holder, list) else key}"
        if isinstance(v, np.ndarray) and v.dtype.kind == "f":
            yield own, holder, key
        elif not isinstance(v, np.ndarray):
            yield from _places(v, own, seen, depth + 1)


def _is_users(x: Any) -> bool:
    """Whether an object is of a class of the user's."""
    if not hasattr(x, "__dict__") or isinstance(x, type) or inspect.ismodule(x) or inspect.isroutine(x):
        return False
    try:
        return is_users_file(inspect.getfile(type(x)))
    except (TypeError, OSError):
        return type(x).__module__ == "__main__"
