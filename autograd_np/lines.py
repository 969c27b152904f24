"""Which line of the user's was running when a Node was recorded."""

from __future__ import annotations

from bisect import bisect_right
from types import CodeType, FrameType
from typing import NamedTuple

from autograd_np.node import Node, next_index

__all__ = ["Lines", "Running"]


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
            running = Running(len(self.all), frame.f_code, frame.f_lineno, call, caller)
            self.all.append(running)
            self._frames[id(frame)] = frame, running
            self._from_now(running)
        elif event == "return":
            self._frames.pop(id(frame), None)
            self._from_now(self._caller(frame))

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
