"""Settings that hold while a ``with`` block runs, and surely end with it.

A setting is a variable of the context, so threads and asyncio tasks have their own. A block may end elsewhere than it began
(a generator that another task closes), be interrupted while it begins or ends, or be dropped without an end. Its entry then
stays behind in the context it was made in, without a block that runs, and the next one who asks takes it out.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import io
import warnings
import weakref
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any, Generic, TypeVar

__all__ = ["Block", "Setting"]

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


class Entry(Generic[T]):
    """What a block has set, the entry it stands on, what holds with both, and a reference to the block.

    The reference is ``None`` for what holds without a block, and ``_none_yet`` until the block has begun.
    """

    __slots__ = ("block", "outer", "own", "value")

    def __init__(self, own: T, outer: Entry[T] | None, value: T, block: Callable[[], Block | None] | None) -> None:
        self.own = own
        self.outer = outer
        self.value = value
        self.block = block

    def holds(self) -> bool:
        """Whether the block runs; one that was dropped does not."""
        if self.block is None:
            return True
        block = self.block()
        return block is not None and not block.closed


def _none_yet() -> None:
    pass


class Setting(Generic[T]):
    """A variable of the context that only blocks set.

    Parameters
    ----------
    name : str
    default : object
        The value where no block runs; merged with another, it makes no difference.
    merge : callable
        Takes the value outside a block and what the block sets; returns the value inside.

    Attributes
    ----------
    default : Entry
        What `entry` returns where no block runs.
    entry : callable
        Returns the entry of the running context as it is found, which may be over: for whoever has no time for `get`.
    """

    def __init__(self, name: str, default: T, merge: Callable[[T, T], T]) -> None:
        self.merge = merge
        self.default: Entry[T] = Entry(default, None, default, None)
        self.variable: ContextVar[Entry[T]] = ContextVar(name, default=self.default)
        self.entry = self.variable.get

    def get(self) -> T:
        """Return the value that holds in the running context."""
        return self.running().value

    def running(self) -> Entry[T]:
        """Return the innermost entry that holds, after taking out those that do not."""
        found = entry = self.entry()
        while entry.outer is not None:
            if entry.block is not None and ((block := entry.block()) is None or block.closed):
                return self._mended(found)  # Entry.holds, spelled out: every operation in a block asks
            entry = entry.outer
        return found

    def _mended(self, found: Entry[T]) -> Entry[T]:
        held = [entry for entry in _stack(found) if entry.holds()]
        for outer, entry in zip(held[:0:-1], held[-2::-1], strict=True):
            entry.outer, entry.value = outer, self.merge(outer.value, entry.own)
        self.variable.set(held[0])
        return held[0]

    def block(self, name: str, sets: Callable[[], T]) -> Block:
        """Return a block that sets, when it begins, what `sets` returns."""
        return Block(self, name, sets)


class Block(contextlib.ContextDecorator, io.IOBase):
    """A ``with`` block, or a decorator, in which a setting holds.

    It ends as a file does: ``with`` closes it in C code, which no KeyboardInterrupt can come before or between, and which marks it
    as closed even where `flush`, which is called first, is interrupted. Python code in an ``__exit__`` could not promise that.
    """

    def __init__(self, setting: Setting[Any], name: str, sets: Callable[[], Any]) -> None:
        self._setting = setting
        self._name = name
        self._sets = sets
        self._entry: Entry[Any] | None = None

    def __enter__(self) -> None:  # type: ignore[override]
        if self._entry is not None:
            raise RuntimeError(f"this {self._name} block has begun already; write {self._name}() anew for each with statement")
        outer, own = self._setting.running(), self._sets()
        value = own if outer.outer is None else self._setting.merge(outer.value, own)
        self._entry = entry = Entry(own, outer, value, _none_yet)
        itself = weakref.ref(self)
        self._token = self._setting.variable.set(entry)
        entry.block = itself  # last, so that what is interrupted before it has not begun

    def flush(self) -> None:
        """Set the variable back, before the block is closed, if it ends in the context and the order it began in."""
        if self._entry is None or self._entry.block is _none_yet:
            return
        top = self._setting.running()
        if top is self._entry:
            try:
                self._setting.variable.reset(self._token)
            except ValueError:  # begun in another context
                return
            self._entry.block = None  # contexts copied inside the block, those of tasks, keep it
        elif self._entry in _stack(top):
            warnings.warn(
                f"{self._name} ended before a block that was begun inside it, which goes on; end blocks in the reverse order",
                RuntimeWarning,
                stacklevel=2,
            )

    def _recreate_cm(self) -> Block:
        return Block(self._setting, self._name, self._sets)

    def __call__(self, f: F) -> F:
        """Decorate a function: the block is begun at each call, of a generator at each step."""
        if inspect.isasyncgenfunction(f):
            raise TypeError(f"{self._name}() cannot decorate an asynchronous generator; write `with {self._name}():` inside it")
        if inspect.iscoroutinefunction(f):
            return self._of_coroutine(f)  # type: ignore[return-value]
        return self._of_generator(f) if inspect.isgeneratorfunction(f) else super().__call__(f)  # type: ignore[return-value]

    def _of_coroutine(self, f: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(f)
        async def inside(*args: Any, **kwargs: Any) -> Any:
            with self._recreate_cm():
                return await f(*args, **kwargs)

        return inside

    def _of_generator(self, f: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(f)
        def inside(*args: Any, **kwargs: Any) -> Any:
            steps = f(*args, **kwargs)
            step: Callable[..., Any] = steps.send
            given: Any = None
            while True:
                try:
                    with self._recreate_cm():
                        found = step(given)
                except StopIteration as stop:
                    return stop.value
                try:
                    step, given = steps.send, (yield found)
                except GeneratorExit:
                    steps.close()
                    raise
                except BaseException as error:  # noqa: BLE001 (thrown into the generator, which decides)
                    step, given = steps.throw, error

        return inside


def _stack(entry: Entry[Any] | None) -> Iterator[Entry[Any]]:
    while entry is not None:
        yield entry
        entry = entry.outer
