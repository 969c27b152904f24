"""Running the user's backward function as it is, statement by statement, with the functions of the user's that it calls.

Nothing is instrumented. The functions run under Python's trace hook, which sees their local variables after every
statement and may put another value in a variable's place, as a debugger does.
"""

from __future__ import annotations

import ast
import copy
import functools
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import Any

import numpy as np

from autograd_np.check.watch.interpret import CannotEvaluate, evaluate, parsed
from autograd_np.check.watch.reads import roots_written_by
from autograd_np.check.watch.source import Function, Functions, Place
from autograd_np.check.watch.state import is_users_object
from autograd_np.trace import code_of

__all__ = ["Call", "Event", "Recording", "Step", "StopRunError", "is_number", "leaves_of", "record"]

_COMPREHENSIONS = ("<listcomp>", "<dictcomp>", "<setcomp>", "<genexpr>")


@dataclass(eq=False)
class Call:
    """One call of a user's function.

    Attributes
    ----------
    number : int
        In the order of the calls; backward itself is 0.
    function : Function
    by : Step or None
        The statement that made the call; ``None`` for backward itself.
    last : mapping
        The variables when it returned.
    result : object
        What it returned.
    """

    number: int
    function: Function
    by: Step | None
    last: Mapping[str, Any] = field(default_factory=dict)
    result: Any = None
    visits: Counter[int] = field(default_factory=Counter)


@dataclass(eq=False)
class Step:
    """One execution of a statement.

    Attributes
    ----------
    number : int
        In the order of execution.
    place : Place
    call : Call
    visit : int
        How often this call had executed the statement before.
    before : mapping
        The variables before it.
    events : list of Event
        The arrays it gave, calls it made excluded.
    calls : list of Call
        The calls of user's functions that it made.
    """

    number: int
    place: Place
    call: Call
    visit: int
    before: Mapping[str, Any]
    events: list[Event] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)


@dataclass(eq=False)
class Event:
    """One array variable as a statement left it.

    Attributes
    ----------
    number : int
        Order of execution.
    step : Step
    path : str
        The variable: ``dW``, ``grads['dW']``, ``dhs[2]``, ``self.dW``.
    name : str
        What is paired by convention: ``dW`` for all but the third of these.
    value : ndarray
        A copy of the value after the statement (and after a substitution, if there was one).
    computed : ndarray
        A copy of what the statement computed.
    """

    number: int
    step: Step
    path: str
    name: str
    value: Any
    computed: Any

    @property
    def place(self) -> Place:
        """The statement."""
        return self.step.place

    @property
    def call(self) -> Call:
        """The call in which it ran."""
        return self.step.call

    @property
    def line(self) -> int:
        """The line of the file at which the statement begins."""
        return self.step.place.line

    @property
    def before(self) -> Mapping[str, Any]:
        """The variables before the statement."""
        return self.step.before

    @property
    def key(self) -> tuple[int, Place, str, int]:
        """What it is known by from one run to the next."""
        return self.step.call.number, self.step.place, self.path, self.step.visit


@dataclass(eq=False)
class Recording:
    """What a run did.

    Attributes
    ----------
    result : object
        What the function returned.
    events, steps, calls : lists
        In the order of execution.
    error : Exception or None
        What it raised instead of returning.
    raised : Step or None
        The innermost statement of the user's that raised it.
    """

    result: Any = None
    events: list[Event] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    error: Exception | None = None
    raised: Step | None = None


def is_number(x: Any) -> bool:
    """Whether `x` is a floating array or scalar: what can be a gradient."""
    if isinstance(x, (np.ndarray, np.generic)):
        return x.dtype.kind == "f"
    return type(x) is float


def leaves_of(variables: Mapping[str, Any], depth: int = 3) -> Iterator[tuple[str, str, Any]]:
    """Yield (path, name, array) for every floating array in variables and the containers among them."""

    def inside(value: Any, path: str, name: str, level: int) -> Iterator[tuple[str, str, Any]]:
        if is_number(value):
            yield path, name, value
        elif level and isinstance(value, dict):
            for key, item in list(value.items()):
                yield from inside(item, f"{path}[{key!r}]", key if isinstance(key, str) else name, level - 1)
        elif level and isinstance(value, (list, tuple)) and len(value) < 1000:
            for i, item in enumerate(value):
                yield from inside(item, f"{path}[{i}]", name, level - 1)

    for root, value in variables.items():
        if not root.startswith(".") and root != "self":
            yield from inside(value, root, root.rpartition(".")[2], depth)


class StopRunError(Exception):
    """Raised by an override that has seen enough."""


Override = Callable[[Event], Any]


def record(f: Callable[..., Any], kwargs: dict[str, Any], functions: Functions, override: Override | None = None) -> Recording:
    """Run `f` under watch. What it raises is kept in the recording.

    Parameters
    ----------
    override : callable, optional
        Called with each event; a value other than ``None`` takes the variable's place.
    """
    watcher = _Watcher(functions, code_of(f), override)
    outer = sys.gettrace()
    sys.settrace(watcher.on_call)
    try:
        watcher.out.result = f(**kwargs)
    except StopRunError:
        raise
    except Exception as error:  # noqa: BLE001 (whatever the user's code raises)
        watcher.out.error = error
    finally:
        sys.settrace(outer)
        watcher.frames.clear()
    return watcher.out


class _Watcher:
    """The trace hook: one `_Frame` for each call of a user's function."""

    def __init__(self, functions: Functions, code: CodeType | None, override: Override | None) -> None:
        self.functions, self.code, self.override = functions, code, override
        self.out = Recording()
        self.frames: dict[int, _Frame] = {}
        self.exception: Any = None

    def on_call(self, frame: FrameType, _event: str, _argument: Any) -> Any:
        code = frame.f_code
        if code.co_name in _COMPREHENSIONS or code.co_flags & 0x20:  # a generator runs in pieces
            return None
        caller = self._caller(frame)
        if caller is None and (self.out.calls or (self.code is not None and code is not self.code)):
            return None
        function = self.functions.of(code)
        if function is None or code.co_name == "<module>":
            return None
        by = caller.running if caller is not None else None
        self.functions.called.add(id(function))
        call = Call(len(self.out.calls), function, by)
        self.out.calls.append(call)
        if by is not None:
            by.calls.append(call)
        watched = _Frame(self, call)
        self.frames[id(frame)] = watched
        frame.f_trace_opcodes = function.crowded
        return watched.on_event

    def note_exception(self, error: Any, step: Step | None) -> None:
        """Keep the innermost statement that an exception passed through."""
        if error is not self.exception:
            self.exception, self.out.raised = error, step

    def _caller(self, frame: FrameType) -> _Frame | None:
        outer = frame.f_back
        while outer is not None:
            if id(outer) in self.frames:
                return self.frames[id(outer)]
            outer = outer.f_back
        return None


class _Frame:
    """Sees one call: finishes a statement when another begins."""

    def __init__(self, watcher: _Watcher, call: Call) -> None:
        self.watcher, self.call = watcher, call
        self.running: Step | None = None
        self.copies: dict[str, Any] = {}

    def on_event(self, frame: FrameType, event: str, argument: Any) -> Any:
        if event == "exception":
            self.watcher.note_exception(argument[1], self.running)
            self.running = None  # it gave nothing
            return self.on_event
        column = None
        if event == "opcode":
            column = _column(frame)
            if column is None:
                return self.on_event
        place = self.call.function.place_at(frame.f_lineno, column)
        ended = event == "return"
        if not ended and event == "line" and column is None and self.call.function.crowded:
            column = _column(frame)
            place = self.call.function.place_at(frame.f_lineno, column)
        going = self.running is not None and not ended and place == self.running.place and not self._begins_again(event, place)
        if going:
            return self.on_event
        scope = frame.f_locals  # read once: on Python 3.12 and older every read starts afresh from the real variables
        if self.running is not None:
            self._finish(scope)
        if ended:
            self.call.last, self.call.result = dict(scope), argument
            self.watcher.frames.pop(id(frame), None)
        else:
            self._begin(scope, place)
        return self.on_event

    def _begins_again(self, event: str, place: Place) -> bool:
        """Whether a line event at the statement that runs begins it anew: it fits on a line, so nothing else leads there."""
        return event == "line" and (place.statement is None or place.line == place.end_line) and not self.call.function.crowded

    def _begin(self, scope: Mapping[str, Any], place: Place) -> None:
        visit = self.call.visits[place.number]
        self.call.visits[place.number] += 1
        written = self._written(place, scope)
        self.copies = {path: np.array(value) for path, _, value in leaves_of(written)}
        before = _as_it_was(scope, self.copies, self.call.function.changed_in_place)
        self.running = Step(len(self.watcher.out.steps), place, self.call, visit, before)
        self.watcher.out.steps.append(self.running)

    def _finish(self, scope: Any) -> None:
        step, out = self.running, self.watcher.out
        assert step is not None
        self.running = None
        statement = step.place.statement
        assigns = isinstance(statement, (ast.Assign, ast.AugAssign, ast.AnnAssign))
        for path, name, value in list(leaves_of(self._written(step.place, scope))):
            old = self.copies.get(path)
            if old is None or ("[" not in path and assigns) or not _same(old, value):
                this = Event(len(out.events), step, path, name, np.array(value), np.array(value))
                new = self.watcher.override(this) if self.watcher.override is not None else None
                if new is not None:
                    _put(scope, path, new, value, in_place=not isinstance(statement, ast.Assign))
                    this.value = np.array(new)
                out.events.append(this)
                step.events.append(this)

    def _written(self, place: Place, scope: Mapping[str, Any]) -> dict[str, Any]:
        """Return the variables and attributes that a statement may change; all variables without source."""
        statement = place.statement
        if statement is None:
            return dict(scope)
        if isinstance(statement, (ast.For, ast.With)):
            return {}
        found: dict[str, Any] = {}
        for root in roots_written_by(statement):
            if root in scope:
                found[root] = scope[root]
            elif "." in root:
                try:
                    found[root] = evaluate(parsed(root), scope)
                except CannotEvaluate:
                    continue
        return found


@functools.lru_cache(256)
def _positions(code: CodeType) -> list[tuple[int | None, int | None, int | None, int | None]]:
    return list(code.co_positions())


def _column(frame: FrameType) -> int | None:
    """Return the column of the instruction that runs next."""
    positions = _positions(frame.f_code)
    index = frame.f_lasti // 2
    line, _, column, _ = positions[index] if 0 <= index < len(positions) else (None, None, None, None)
    return column if line == frame.f_lineno else None


def _same(a: Any, b: Any) -> bool:
    b = np.asarray(b)
    return bool(a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes())


def _as_it_was(scope: Mapping[str, Any], copies: Mapping[str, Any], changing: frozenset[str]) -> dict[str, Any]:
    """Return the variables before a statement, with what may change in place replaced by copies."""
    result = dict(scope)
    for name in {path.partition("[")[0] for path in copies} | (changing & result.keys()):
        value: Any = scope.get(name)
        if name in copies:
            result[name] = copies[name]
        elif isinstance(value, np.ndarray):
            result[name] = value.copy()
        elif type(value) is dict:
            result[name] = {k: copies.get(f"{name}[{k!r}]", v) for k, v in value.items()}
        elif type(value) in (list, tuple):
            result[name] = type(value)(copies.get(f"{name}[{i}]", v) for i, v in enumerate(value))
    attributes = {path: value for path, value in copies.items() if path.startswith("self.")}
    owner = scope.get("self")
    if is_users_object(owner):
        own = {path: vars(owner).get(path.removeprefix("self.")) for path in changing if path.startswith("self.")}
        attributes = {path: value.copy() for path, value in own.items() if isinstance(value, np.ndarray)} | attributes
    if attributes:
        result["self"] = _with_attributes(owner, attributes)
    return result


def _with_attributes(owner: Any, values: Mapping[str, Any]) -> Any:
    """Return a shallow copy of an object that holds earlier values of some of its attributes."""
    try:
        new = copy.copy(owner)
        for path, value in values.items():
            name, bracket, _ = path.removeprefix("self.").partition("[")
            if not bracket:
                setattr(new, name, value)
            else:
                _put({"self": new}, path, value, value, in_place=False, copied=True)
    except Exception:  # noqa: BLE001 (an object may refuse to be copied)
        return owner
    return new


def _put(scope: Any, path: str, new: Any, old: Any, *, in_place: bool, copied: bool = False) -> None:
    """Put `new` at `path`: into the array that is there if the statement changed it, else in its place."""
    if in_place and isinstance(old, np.ndarray) and old.shape == np.shape(new) and old.flags.writeable:
        old[...] = new
        return
    new = np.array(new, dtype=getattr(old, "dtype", float))
    if type(old) is float:
        new = float(new)
    tree: Any = parsed(path)
    if isinstance(tree, ast.Name):
        scope[tree.id] = new
        return
    container = evaluate(tree.value, scope)
    if isinstance(tree, ast.Attribute):
        setattr(container, tree.attr, new)
        return
    if copied:
        container = copy.copy(container)
        setattr(scope["self"], path.removeprefix("self.").partition("[")[0], container)
    if not isinstance(container, tuple):
        container[evaluate(tree.slice, scope)] = new
