"""Calling the user's functions: parameters are filled by name, methods get a copy of their object."""

from __future__ import annotations

import copy
import inspect
import sys
import types
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from types import FrameType
from typing import Any

import numpy as np

from autograd_np import errors
from autograd_np.check.watch.spelling import near_misses
from autograd_np.trace import code_of

__all__ = ["arguments", "bound_to", "flat_names", "fresh", "leaf_names", "loss_arguments", "plain_forward"]


def bound_to(f: Callable[..., Any], owners: dict[int, Any]) -> Callable[..., Any]:
    """Bind a method to a copy of its object, one copy for all methods of the same object."""
    if not isinstance(f, types.MethodType):
        return f
    if id(f.__self__) not in owners:
        try:
            owners[id(f.__self__)] = copy.deepcopy(f.__self__)
        except Exception:  # noqa: BLE001 (an object may hold what cannot be copied, such as a file)
            owners[id(f.__self__)] = copy.copy(f.__self__)
    return types.MethodType(f.__func__, owners[id(f.__self__)])


def arguments(f: Callable[..., Any], available: Mapping[str, Any], role: str, guess: Callable[[str], Any] | None = None) -> dict[str, Any]:
    """Fill the parameters of `f` by name.

    Raises
    ------
    CheckSetupError
        Naming the parameter nobody supplies, with near misses.
    """
    filled: dict[str, Any] = {}
    for p in inspect.signature(f).parameters.values():
        if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD):
            continue
        if p.name in available:
            filled[p.name] = available[p.name]
            continue
        found = guess(p.name) if guess else None
        if found is not None:
            filled[p.name] = found
        elif p.default is p.empty:
            near = ", ".join(near_misses(p.name, available))
            raise errors.CheckSetupError(
                f"{role} {getattr(f, '__name__', 'function')} has a parameter {p.name!r} that nothing supplies; "
                f"add it to inputs{f' (or did you mean {near}?)' if near else ''}. There are: {', '.join(available) or 'none'}"
            )
    return filled


def flat_names(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the inputs and what their nested dicts hold, by name: ``{'parameters': {'W1': …}}`` gives both."""
    found = dict(inputs)
    for value in inputs.values():
        if isinstance(value, dict):
            found |= {k: v for k, v in flat_names(value).items() if isinstance(k, str) and k not in found}
    return found


def leaf_names(inputs: Mapping[str, Any]) -> dict[tuple[Any, ...], str]:
    """Name every leaf of nested inputs: by its last key where that is unique, else by its whole path."""

    def inside(value: Any, path: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
        if isinstance(value, dict):
            for k, v in value.items():
                yield from inside(v, (*path, k))
        elif type(value) in (list, tuple):
            for i, v in enumerate(value):
                yield from inside(v, (*path, i))
        else:
            yield path

    def whole(path: tuple[Any, ...]) -> str:
        return str(path[0]) + "".join(f"[{k!r}]" for k in path[1:])

    def short(path: tuple[Any, ...]) -> str:
        last = max(i for i, k in enumerate(path) if isinstance(k, str))
        return whole(path[last:])

    paths = [path for name, value in inputs.items() for path in inside(value, (name,))]
    count = Counter(short(p) for p in paths)
    return {p: short(p) if count[short(p)] == 1 else whole(p) for p in paths}


def call_and_watch(f: Callable[..., Any], kwargs: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Call `f`; return its result and its local variables when it returned."""
    code = code_of(f)
    final: dict[str, Any] = {}

    def in_frame(frame: FrameType, event: str, _: Any) -> Any:
        if event == "return":
            final.clear()
            final.update(frame.f_locals)
        return in_frame

    def on_call(frame: FrameType, _event: str, _argument: Any) -> Any:
        if frame.f_code is code:
            frame.f_trace_lines = False
            return in_frame
        return None

    before = sys.gettrace()
    sys.settrace(on_call)
    try:
        result = f(**kwargs)
    finally:
        sys.settrace(before)
    return result, final


def plain_forward(
    forward: Callable[..., Any], loss: Callable[..., Any] | None, inputs: Mapping[str, Any]
) -> tuple[Any, dict[str, Any], Any]:
    """Run forward (and loss) on arrays; return forward's result, all local variables, and the loss or ``None``."""
    result, variables = call_and_watch(forward, arguments(forward, flat_names(inputs), "forward"))
    total = None
    if loss is not None:
        total, more = call_and_watch(loss, loss_arguments(loss, inputs, variables, result))
        variables = {**more, **variables}
    return result, variables, total


def loss_arguments(loss: Callable[..., Any], inputs: Mapping[str, Any], variables: Mapping[str, Any], result: Any) -> dict[str, Any]:
    """Fill the parameters of the loss: by name, and what is left with forward's results in turn."""
    outputs = iter(result if isinstance(result, tuple) else (result,))
    return arguments(loss, {**variables, **flat_names(inputs)}, "loss", lambda _: next(outputs, None))


def fresh(value: Any, memo: dict[int, Any] | None = None) -> Any:
    """Return a deep copy that keeps what is the same array the same; quick for arrays in plain containers."""
    memo = {} if memo is None else memo
    if isinstance(value, (float, int, str, bytes, type(None), np.generic)):
        return value
    if id(value) in memo:
        return memo[id(value)]
    new: Any
    if type(value) is np.ndarray:
        new = value.copy()
    elif type(value) is dict:
        new = {k: fresh(v, memo) for k, v in value.items()}
    elif type(value) is list:
        new = [fresh(v, memo) for v in value]
    elif type(value) is tuple:
        new = tuple(fresh(v, memo) for v in value)
    else:
        new = copy.deepcopy(value, memo)
    memo[id(value)] = new
    return new
