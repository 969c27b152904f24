"""Running the user's backward function as it is, line by line.

Nothing is instrumented. The backward function runs under Python's trace hook, which sees its local variables
after every line and may put another value in a variable's place, as a debugger does.
"""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import FrameType
from typing import Any

import numpy as np

from autograd_np.check.watch.source import Source
from autograd_np.trace import code_of

__all__ = ["Event", "StopRunError", "leaves_of", "record_events"]


@dataclass
class Event:
    """One execution of a line that changed one array variable of the backward function.

    Attributes
    ----------
    number : int
        Order of execution.
    line : int
        First line of the statement.
    path : str
        The variable: ``dW``, ``grads['dW']``, ``dhs[2]``.
    name : str
        What is paired by convention: ``dW`` for both of the first two.
    value : ndarray
        A copy of the value after the line (and after a substitution, if there was one).
    computed : ndarray
        A copy of what the line computed.
    before : mapping
        The variables before the line ran.
    """

    number: int
    line: int
    path: str
    name: str
    value: Any
    computed: Any
    before: Mapping[str, Any]
    visit: int = 0


def is_number(x: Any) -> bool:
    """Whether `x` is a floating array or scalar: what can be a gradient."""
    if isinstance(x, (np.ndarray, np.generic)):
        return x.dtype.kind == "f"
    return type(x) is float


def leaves_of(variables: Mapping[str, Any], depth: int = 3) -> Iterator[tuple[str, str, Any]]:
    """Yield (path, name, array) for every floating array in local variables and the containers among them."""

    def inside(value: Any, path: str, name: str, level: int) -> Iterator[tuple[str, str, Any]]:
        if is_number(value):
            yield path, name, value
        elif level and isinstance(value, dict):
            for key, item in list(value.items()):
                yield from inside(item, f"{path}[{key!r}]", key if isinstance(key, str) else name, level - 1)
        elif level and isinstance(value, (list, tuple)) and len(value) < 1000:
            for i, item in enumerate(value):
                yield from inside(item, f"{path}[{i}]", name, level - 1)

    for name, value in variables.items():
        if not name.startswith(".") and name != "self":
            yield from inside(value, name, name, depth)


class StopRunError(Exception):
    """Raised by an override that has seen enough."""


Override = Callable[[Event], Any]


def record_events(
    f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], source: Source, override: Override | None = None
) -> tuple[Any, list[Event], dict[str, Any]]:
    """Run `f` and return its result, its events, and its local variables when it returned.

    Parameters
    ----------
    override : callable, optional
        Called with each event; a value other than ``None`` takes the variable's place.
    """
    code = code_of(f)
    events: list[Event] = []
    final: dict[str, Any] = {}
    entered: list[FrameType] = []
    visits: Counter[tuple[int, str]] = Counter()
    running: tuple[int, dict[str, Any], dict[str, Any]] | None = None

    def in_frame(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal running
        scope = frame.f_locals  # read once: on Python 3.12 and older every read starts afresh from the real variables
        line = source.first_line(frame.f_lineno)
        if running is not None and (event != "line" or line != running[0] or source.restarts(frame.f_lineno)):
            done, before, copies = running
            for path, name, value in list(leaves_of(source.written_by(done, scope))):
                old = copies.get(path)
                if old is None or ("[" not in path and source.assigns(done)) or not _same(old, value):
                    this = Event(len(events), done, path, name, np.array(value), np.array(value), before, visits[done, path])
                    visits[done, path] += 1
                    new = override(this) if override is not None else None
                    if new is not None:
                        _put(scope, path, new, value)
                        this.value = np.array(new)
                    events.append(this)
            running = None
        if event == "line" and running is None:
            copies = {path: np.array(value) for path, _, value in leaves_of(source.written_by(line, scope))}
            running = (line, _as_it_was(scope, copies), copies)
        elif event == "return":
            final.update(scope)
        return in_frame

    def on_call(frame: FrameType, _event: str, _argument: Any) -> Any:
        if frame.f_code is code and not entered:
            entered.append(frame)
            return in_frame
        return None

    outer = sys.gettrace()
    sys.settrace(on_call)
    try:
        result = f(*args, **kwargs)
    finally:
        sys.settrace(outer)
        entered.clear()
    return result, events, final


def _same(a: Any, b: Any) -> bool:
    b = np.asarray(b)
    return bool(a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes())


def _as_it_was(scope: Mapping[str, Any], copies: Mapping[str, Any]) -> dict[str, Any]:
    """Return the variables before a line, with what it may change in place replaced by copies."""
    result = dict(scope)
    for name in {path.partition("[")[0] for path in copies}:
        value = scope[name]
        if name in copies:
            result[name] = copies[name]
        elif isinstance(value, dict):
            result[name] = {k: copies.get(f"{name}[{k!r}]", v) for k, v in value.items()}
        elif type(value) in (list, tuple):
            result[name] = type(value)(copies.get(f"{name}[{i}]", v) for i, v in enumerate(value))
    return result


def _put(scope: Any, path: str, new: Any, old: Any) -> None:
    """Put `new` at `path`; an array of the same shape is replaced in its container, not written into."""
    new = np.array(new, dtype=getattr(old, "dtype", float))
    if type(old) is float:
        new = float(new)
    tree: Any = ast.parse(path, mode="eval").body
    if isinstance(tree, ast.Name):
        scope[tree.id] = new
        return
    keys = []
    while isinstance(tree, ast.Subscript):
        keys.append(ast.literal_eval(tree.slice))
        tree = tree.value
    container = scope[tree.id]
    for key in reversed(keys[1:]):
        container = container[key]
    if isinstance(container, tuple):
        return
    container[keys[0]] = new
