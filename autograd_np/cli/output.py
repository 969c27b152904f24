"""What every command writes with: the console, plain lines, and one line on stderr where it refuses.

All of it goes through `visible`, since names, cells and file names are other people's text.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any, TextIO

from rich.console import Console
from rich.segment import Segment

from autograd_np.text import visible

__all__ = ["RefusedError", "complain", "console", "refuse", "say", "to_json"]

_LONGEST = 1_000_000


class _Console(Console):
    """Prints texts as they are, but for what would command the terminal."""

    def render(self, renderable: Any, options: Any = None) -> Iterator[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=visible(segment.text, "\n\t"))


def console() -> Console:
    """Return a console that prints text as it is."""
    return _Console(highlight=False, markup=False, emoji=False)


def say(text: str, file: TextIO | None = None, *, end: str = "\n") -> None:
    """Print a text of one line or more."""
    print(visible(text, "\n\t", _LONGEST), file=file, end=end, flush=True)


def to_json(x: Any) -> str:
    """Write as JSON, with what cannot be seen escaped as JSON does."""
    text = json.dumps(x, indent=2, ensure_ascii=False)
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)


class RefusedError(Exception):
    """What a command cannot do, in one sentence: exit code 2. Its ``__cause__`` is what the user's code raised, if that is why."""


def refuse(message: str) -> RefusedError:
    """Return what a command raises to end with a message on stderr and its exit code."""
    return RefusedError(message)


def complain(message: str) -> int:
    """Print a message as one line on stderr; return the exit code, 2."""
    say(f"autograd-np: {' '.join(message.splitlines())}", sys.stderr)
    return 2
