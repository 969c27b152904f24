"""Running a user's function without a trace of it: its object, and NumPy's random numbers, are afterwards as they were."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

__all__ = ["untouched"]


@contextmanager
def untouched(f: Callable[..., Any]) -> Iterator[None]:
    """Put back, at the end, what running `f` changed in the object it is a method of, and in what that holds."""
    owner = getattr(inspect.unwrap(f), "__self__", None)
    kept = list(_contents(owner, set())) if owner is not None and not inspect.ismodule(owner) else []
    drawn = np.random.get_state()  # noqa: NPY002 (the user's code may draw from it)
    try:
        yield
    finally:
        np.random.set_state(drawn)  # noqa: NPY002
        for holder, before in reversed(kept):
            if isinstance(holder, np.ndarray):
                if holder.flags.writeable and not np.array_equal(holder, before, equal_nan=holder.dtype.kind in "fc"):
                    holder[...] = before
            elif isinstance(holder, dict):
                holder.clear()
                holder.update(before)
            else:
                holder[:] = before


def _contents(x: Any, seen: set[int]) -> Iterator[tuple[Any, Any]]:
    """Yield what can change, arrays, dicts and lists, and a copy of each."""
    if id(x) in seen:
        return
    seen.add(id(x))
    if isinstance(x, np.ndarray):
        yield x, x.copy()
    elif isinstance(x, (dict, list)):
        yield x, x.copy()
        for v in x.values() if isinstance(x, dict) else x:
            yield from _contents(v, seen)
    elif isinstance(x, tuple):
        for v in x:
            yield from _contents(v, seen)
    elif (hasattr(x, "__dict__") and not isinstance(x, type) and not callable(x)) or (hasattr(x, "forward") and hasattr(x, "__dict__")):
        yield from _contents(vars(x), seen)
