"""What went wrong in the user's code, as the page tells it: the message, and the line it happened at."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

from autograd_np.callers import is_users_file
from autograd_np.text import shorten, visible

__all__ = ["problem_of"]


def problem_of(error: BaseException) -> dict[str, Any]:
    """Return what the page tells of an error: ``what``, and where it is known ``file``, ``line``, ``code`` and ``function``."""
    cause = error.__cause__
    if cause is None:
        what = f"{type(error).__name__}: {error}"
        found = _place(error)
    else:  # a sentence about it
        found = _place(cause)
        what = f"{type(cause).__name__}: {cause.msg if isinstance(cause, SyntaxError) else cause}" if found else str(error)
    if isinstance(error, SyntaxError):
        what = f"{type(error).__name__}: {error.msg}"
    return {"what": shorten(visible(what.strip().removesuffix(":"), "\n"), 2_000), **found}


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
