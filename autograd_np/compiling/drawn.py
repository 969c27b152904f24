"""At which line a function draws random numbers: where the state of a generator changes while it runs."""

from __future__ import annotations

import contextlib
import linecache
import sys
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

from autograd_np.callers import is_users_file
from autograd_np.generators import same_state, states

__all__ = ["line_that_draws"]


def line_that_draws(run: Callable[[], Any], generators: Sequence[Any]) -> str:
    """Run a function again, and return the first line of the user's in which a generator moves, with its file; "" if none does.

    Parameters
    ----------
    run : callable
        Whatever it raises is of no interest here.
    generators : sequence
        Those to look at beside the global ones.
    """
    before = states(generators)
    now, found = ("", 0), ("", 0)

    def look(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal now, found
        if not is_users_file(frame.f_code.co_filename):
            return None
        if not found[0] and now[0] and not same_state(before, states(generators)):
            found = now
        at = frame.f_back if event == "return" else frame
        now = (at.f_code.co_filename, at.f_lineno) if at is not None and is_users_file(at.f_code.co_filename) else ("", 0)
        return look

    tracer = sys.gettrace()
    sys.settrace(look)
    try:
        with contextlib.suppress(Exception):  # it has run before, and said what is wrong
            run()
    finally:
        sys.settrace(tracer)
    return f"{found[0]}:{found[1]}: {linecache.getline(*found).strip()}" if found[0] else ""
