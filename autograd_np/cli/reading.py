"""How far reading is: a bar on a terminal, elsewhere a line now and then where the files are large."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from autograd_np.tabular.files import found_files
from autograd_np.tabular.reading import Progress as Told

__all__ = ["reading"]

LARGE = 2**24
"""Bytes of which reading takes more than a moment."""

PAUSE = 10.0
"""Seconds between two lines."""


@contextlib.contextmanager
def reading(console: Console, files: Sequence[str | Path]) -> Iterator[Told]:
    """Show that files are being read; gives what is to be told how far that is."""
    size = sum(path.stat().st_size for path in found_files(files))
    if console.is_terminal:
        columns = (
            TextColumn("reading"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[rows]:,} rows"),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=console, transient=True) as bar:
            task = bar.add_task("", total=size, rows=0)
            yield lambda done, rows: bar.update(task, completed=done, rows=rows)
        return
    last = began = time.monotonic()
    rows_so_far = 0
    if size >= LARGE:
        console.print(f"reading {size / 1e6:,.0f} MB")

    def told(done: float, rows: int) -> None:
        nonlocal last, rows_so_far
        rows_so_far = rows
        if size >= LARGE and time.monotonic() - last >= PAUSE:
            last = time.monotonic()
            console.print(f"  {done / size:.0%}, {rows:,} rows")

    yield told
    if size >= LARGE:
        console.print(f"  read {rows_so_far:,} rows in {time.monotonic() - began:.1f} s")
