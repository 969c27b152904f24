"""What went wrong in the user's code, as the page tells it: the message, and the line it happened at."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

from autograd_np.callers import is_users_file
from autograd_np.text import shorten, visible

__all__ = ["in_a_line", "problem_of"]


def problem_of(error: BaseException) -> dict[str, Any]:
    """Return what the page tells of an error: ``what``, and where it is known ``file``, ``line``, ``code`` and ``function``."""
    source = error.__cause__ or error  # a sentence about an error of the user's code has it for its cause
    place = _place(source)
    said = source.msg if isinstance(source, SyntaxError) else str(source)
    what = f"{type(source).__name__}: {said}" if place else str(error)
    return {"what": shorten(visible(what.strip().removesuffix(":"), "\n"), 2_000), **place}


def in_a_line(problem: dict[str, Any]) -> str:
    """Write a problem for a terminal."""
    place = f"{problem['file']}:{problem['line']}: " if problem.get("file") else ""
    return place + " ".join(problem["what"].split())


def _place(error: BaseException) -> dict[str, Any]:
    if isinstance(error, SyntaxError) and error.lineno is not None:
        return _told(error.filename or "", error.lineno, error.text or "", "")
    frames = [f for f in traceback.extract_tb(error.__traceback__) if is_users_file(f.filename)]
    if not frames:
        return {}
    last = frames[-1]
    return _told(last.filename, last.lineno or 0, last.line or "", "" if last.name == "<module>" else last.name)


def _told(file: str, line: int, code: str, function: str) -> dict[str, Any]:
    return {"file": visible(Path(file).name), "line": line, "code": visible(code.strip()), "function": visible(function)}
