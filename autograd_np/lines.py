"""Which line of the user's was running when a Node was recorded, and which calls of functions."""

from __future__ import annotations

from bisect import bisect_right
from types import CodeType, FrameType
from typing import NamedTuple

from autograd_np.modes import current_scope
from autograd_np.node import Node, next_index

__all__ = ["Call", "Lines", "Running", "called"]


class Call(NamedTuple):
    """A call of one of the user's functions by one that is traced.

    Attributes
    ----------
    name, site : str
        What the function is called in names, and the ``file:line`` that called it.
    scope : str
        The `autograd_np.scope` it was called in.
    method : bool
        It is the ``forward`` or ``__call__`` of an object.
    start, end : int
        The Nodes it recorded have an `index` between these.
    """

    name: str
    site: str
    scope: str
    method: bool
    start: int
    end: int


def called(code: CodeType) -> str:
    """Return what a function is called in names: ``dense``, or the class of a ``forward``."""
    return code.co_qualname.split(".")[-2:][0] if _is_method(code) else code.co_name


def _is_method(code: CodeType) -> bool:
    return code.co_name in ("forward", "__call__")


class Running(NamedTuple):
    """One time that a line of a function was run.

    Attributes
    ----------
    number : int
        In the order in which they began.
    code : CodeType
        The function.
    line : int
        Of its file.
    call : int
        Which call of the function it was.
    caller : Running or None
        What ran in the function of the user's that called it; ``None`` for what was traced.
    """

    number: int
    code: CodeType
    line: int
    call: int
    caller: Running | None


class Lines:
    """Notes, while functions of the user's run under Python's trace hook, which line runs; afterwards it tells that of a Node.

    A line that a loop runs again is another `Running`. A statement of several lines is several: Python goes to and fro between them.

    Attributes
    ----------
    all : list of Running
        In the order in which they began.
    """

    def __init__(self) -> None:
        self._since: list[int] = []
        self._running: list[Running | None] = []
        self._frames: dict[int, tuple[FrameType, Running]] = {}
        self._begun: dict[int, tuple[str, int]] = {}
        self._ended: list[Call] = []
        self._calls = 0
        self.all: list[Running] = []

    def note(self, frame: FrameType, event: str) -> None:
        """Take in what Python's trace hook was called with."""
        if event == "line":
            if id(frame) in self._frames:
                before = self._frames[id(frame)][1]
                call, caller = before.call, before.caller
            else:
                call, caller = self._calls, self._caller(frame)
                self._calls += 1
                self._begun[id(frame)] = current_scope(), next_index()
            running = Running(len(self.all), frame.f_code, frame.f_lineno, call, caller)
            self.all.append(running)
            self._frames[id(frame)] = frame, running
            self._from_now(running)
        elif event == "return":
            caller = self._caller(frame)
            if self._frames.pop(id(frame), None) is not None:
                self._note_call(frame, caller)
            self._from_now(caller)

    def _note_call(self, frame: FrameType, caller: Running | None) -> None:
        scope, start = self._begun.pop(id(frame))
        code, back = frame.f_code, frame.f_back
        if caller is not None and back is not None and not code.co_name.startswith("<"):
            site = f"{back.f_code.co_filename}:{back.f_lineno}"
            self._ended.append(Call(called(code), site, scope, _is_method(code), start, next_index()))

    @property
    def calls(self) -> tuple[Call, ...]:
        """The calls by what was traced, in the order in which they began."""
        return tuple(sorted(self._ended, key=lambda call: call.start))

    def of(self, node: Node) -> Running | None:
        """Return what was running when a Node was recorded; ``None`` for what was there before, and outside of the functions noted."""
        i = bisect_right(self._since, node.index)
        return self._running[i - 1] if i and node.op is not None else None

    def _caller(self, frame: FrameType) -> Running | None:
        outer = frame.f_back
        while outer is not None:
            if id(outer) in self._frames:
                return self._frames[id(outer)][1]
            outer = outer.f_back
        return None

    def _from_now(self, running: Running | None) -> None:
        self._since.append(next_index())
        self._running.append(running)
