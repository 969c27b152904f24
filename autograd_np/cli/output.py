"""What every command writes with: the console, and one line on stderr where it refuses."""

from __future__ import annotations

import sys

import typer
from rich.console import Console

__all__ = ["complain", "console", "refuse"]


def console() -> Console:
    """Return a console that prints text as it is."""
    return Console(highlight=False, markup=False, emoji=False)


def refuse(message: str) -> typer.Exit:
    """Print a message, and return what a command raises to end with its exit code."""
    return typer.Exit(complain(message))


def complain(message: str) -> int:
    """Print a message as one line on stderr; return the exit code, 2."""
    print(f"autograd-np: {' '.join(message.splitlines())}", file=sys.stderr)
    return 2
