"""Where a line stands, as its author knows it: ``net.py:12``, or ``cell 3, line 12`` in a notebook."""

from __future__ import annotations

import linecache
import os
import re
import sys
from pathlib import Path
from typing import Any

__all__ = ["file_shown", "in_repository", "parted", "place", "relative", "shortened"]

_PROMPT = re.compile(r"<ipython-input-(\d+)-")
_KERNEL = re.compile(r"[\\/]ipykernel_\d+[\\/]\d+\.py$")
_CALL = re.compile(r"(.+?):(\d+)(?=: |$)")


def file_shown(file: str) -> str:
    """Return a file's path as short as it is clear: relative to the working folder, or the cell of a notebook."""
    if not file:
        return "?"
    cell = _cell(file)
    return cell or relative(file, Path.cwd()) or file


def place(file: str, line: int) -> str:
    """Return ``net.py:12``, or ``cell 3, line 12``."""
    shown = file_shown(file)
    return f"{shown}, line {line}" if _cell(file) else f"{shown}:{line}"


def shortened(call: str) -> str:
    """Return a call, ``/home/me/net.py:12: dW = f(dZ)``, with its place as `place` writes it."""
    found = parted(call)
    return place(found[0], found[1]) + found[2] if found else call


def parted(call: str) -> tuple[str, int, str] | None:
    """Return the file and the line of a call, and the rest of it."""
    found = _CALL.match(call)
    return (found[1], int(found[2]), call[found.end() :]) if found else None


def relative(file: str, folder: Path) -> str | None:
    """Return the path of a file below a folder with ``/`` in it; ``None`` if it is elsewhere."""
    for this, base in ((Path(file), folder), (Path(os.path.realpath(file)), Path(os.path.realpath(folder)))):
        if this.is_relative_to(base):
            return this.relative_to(base).as_posix()
    return None


def in_repository(file: str) -> str:
    """Return a file as CI names it: below the repository that is checked out, or else below the working folder."""
    return _cell(file) or relative(file, Path(os.environ.get("GITHUB_WORKSPACE") or Path.cwd())) or Path(file).absolute().as_posix()


def _cell(file: str) -> str:
    """Return ``cell 3`` for the code of a notebook's cell, ``cell`` if its number is not known, nothing for a file."""
    prompt = _PROMPT.search(file)
    if prompt:
        return f"cell {prompt[1]}"
    if not _KERNEL.search(file):
        return ""
    shell = _shell()
    number = _number_by_name(shell, file) or _number_by_text(shell, file)
    return f"cell {number}" if number else "cell"


def _shell() -> Any:
    """Return the running IPython, if there is one; it is not imported for that."""
    get = getattr(sys.modules.get("IPython"), "get_ipython", None)
    return get() if get else None


def _number_by_name(shell: Any, file: str) -> int | None:
    named = getattr(getattr(shell, "compile", None), "format_code_name", None)
    found = re.search(r"\d+", str(named(file) or "")) if named else None  # ("Cell", "In[3]")
    return int(found[0]) if found else None


def _number_by_text(shell: Any, file: str) -> int | None:
    """Return the number of the last cell that holds the file's text; cells stand under ``In`` by their number."""
    text = "".join(linecache.getlines(file)).strip()
    cells = getattr(shell, "user_ns", {}).get("In", ()) if shell is not None else ()
    return next((n for n in range(len(cells) - 1, 0, -1) if text and str(cells[n]).strip() == text), None)
