"""The containers that a function is given: dicts, lists and dataclasses that it may not write into, since later calls would not."""

from __future__ import annotations

import contextlib
import dataclasses
import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

from autograd_np import errors
from autograd_np.callers import is_users_file

__all__ = ["raised_by_itself", "unchanging"]


def unchanging(f: Callable[..., Any], name: str) -> Callable[..., Any]:
    """Return a function that refuses, with the line, to put something else into a container among its arguments."""

    def call(*args: Any, **kwargs: Any) -> Any:
        before = [(x, _content(x)) for x in _containers((args, kwargs))]
        found = f(*args, **kwargs)
        for x, was in before:
            if _differs(x, was):
                where = _line(lambda: f(*args, **kwargs), before)
                raise errors.CompileError(
                    f"{name} puts something else into the {type(x).__name__} that it was given{f', at {where}' if where else ''}, which "
                    f"later calls would not do: return what it makes, or write into an array that is there (x[...] = new) with "
                    f"ag.compile(f, in_place=True)"
                )
        return found

    return call


def _containers(tree: Any) -> Iterator[Any]:
    if isinstance(tree, dict):
        yield tree
        for x in list(tree.values()):
            yield from _containers(x)
    elif isinstance(tree, (list, tuple)):
        if isinstance(tree, list):
            yield tree
        for x in tree:
            yield from _containers(x)
    elif dataclasses.is_dataclass(tree) and not isinstance(tree, type) and hasattr(tree, "__dict__"):
        yield tree
        yield from _containers(list(vars(tree).values()))


def _content(x: Any) -> list[Any]:
    """Return what is in a container: the objects themselves, with their keys."""
    return list(x) if isinstance(x, list) else list((x if isinstance(x, dict) else vars(x)).items())


def _differs(x: Any, was: list[Any]) -> bool:
    now = _content(x)
    if isinstance(x, list):
        return len(now) != len(was) or any(a is not b for a, b in zip(now, was, strict=True))
    return len(now) != len(was) or any(k is not j or a is not b for (k, a), (j, b) in zip(now, was, strict=True))


def _put_back(x: Any, was: list[Any]) -> None:
    if isinstance(x, list):
        x[:] = was
    else:
        inside = x if isinstance(x, dict) else vars(x)
        inside.clear()
        inside.update(was)


def _line(call: Callable[[], Any], before: list[tuple[Any, list[Any]]]) -> str:
    """Return the line of the user's that changes a container: the function runs again, and is looked at after each of its lines."""
    for x, was in before:
        _put_back(x, was)
    last = found = ""

    def look(frame: FrameType, event: str, _arg: Any) -> Any:
        nonlocal last, found
        if not is_users_file(frame.f_code.co_filename):
            return None
        if not found and any(_differs(x, was) for x, was in before):
            found = last
        if event == "line":
            last = f"{frame.f_code.co_filename}:{frame.f_lineno}"
        return look

    tracer = sys.gettrace()
    sys.settrace(look)
    try:
        with contextlib.suppress(Exception):
            call()
    finally:
        sys.settrace(tracer)
    return found


def raised_by_itself(error: Exception, name: str, where: str) -> errors.AutogradError:
    """Return what to raise of an error that a function raises while it is traced, and not on arrays."""
    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, errors.AutogradError):  # which NumPy caught, and raised one of its own that says nothing of it
            return type(inner)(f"{inner}\n{name} cannot be compiled because of {where}")
        inner = inner.__cause__ or inner.__context__
    return errors.CompileError(
        f"{name} cannot be compiled because of {where}: where Tensors stand for its arrays and floats, it raises {type(error).__name__}: "
        f"{error}. Use NumPy's functions on them, or compute that outside, and hand it in as an argument"
    )
