"""Which code runs while a function is traced: what has not run cannot make a difference in later calls."""

from __future__ import annotations

import concurrent
import inspect
import queue
import sys
import threading
from collections.abc import Callable, Iterator
from types import CodeType, FrameType
from typing import Any

from autograd_np.callers import is_own_file

__all__ = ["Executed"]

LOOKS_INTO_FUNCTIONS = frozenset(("__code__", "__closure__", "__defaults__", "__kwdefaults__", "__globals__", "f_code", "gc", "threads"))
"""Names by which code reads of a function without running it, or has it run in another thread, of which nothing is noted."""
OF_THREADS = (threading.__file__, queue.__file__)
FUTURES = concurrent.__file__.removesuffix("__init__.py")


class Executed:
    """Calls functions, and notes which code runs meanwhile.

    Attributes
    ----------
    code : set of code or None
        Of all that has run; ``None`` where that is not known: under a profiler, with threads, or where some of it looks into functions.
    """

    def __init__(self) -> None:
        self._looks: dict[int, tuple[CodeType, bool]] = {}
        self._is_whole = True

    def call(self, f: Callable[..., Any], *args: Any) -> Any:
        """Call a function; what runs is noted the first time, since other numbers let the same code run."""
        if self._looks or sys.getprofile() is not None:
            self._is_whole = self._is_whole and bool(self._looks)
            return f(*args)
        looks = self._looks

        def look(frame: FrameType, event: str, _arg: Any) -> None:
            if event == "call":
                code = frame.f_code
                known = looks.get(id(code))
                if known is None:
                    known = looks[id(code)] = code, not LOOKS_INTO_FUNCTIONS.isdisjoint(_names_of(code))
                if known[1] and not _is_asked_by_the_engine(frame):
                    self._is_whole = False

        sys.setprofile(look)
        try:
            return f(*args)
        finally:
            self._is_whole = self._is_whole and sys.getprofile() is look
            sys.setprofile(None)

    @property
    def code(self) -> set[CodeType] | None:
        """What has run."""
        return {code for code, _ in self._looks.values()} if self._is_whole else None


def _names_of(code: CodeType) -> Iterator[str]:
    """Yield the names in some code, and its texts, which may be names; none of the engine's own, nor of NumPy's."""
    if code.co_filename in OF_THREADS or code.co_filename.startswith(FUTURES):
        yield "threads"
    if not is_own_file(code.co_filename):
        yield from code.co_names
        yield from (x for x in code.co_consts if type(x) is str)


def _is_asked_by_the_engine(frame: FrameType | None) -> bool:
    """Whether the engine has asked for the signature of a function, which it is going to run."""
    while frame is not None and frame.f_code.co_filename == inspect.__file__:
        frame = frame.f_back
    return frame is not None and is_own_file(frame.f_code.co_filename)
