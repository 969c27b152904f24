"""How a training is going, on a terminal as a bar, elsewhere as a line an epoch."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any, Self

from nn.training.core import Callback, Training
from nn.training.history import shown

__all__ = ["ProgressBar"]

PAUSE = 0.1
"""Seconds between two updates of the bar."""


class ProgressBar(Callback):
    """Shows loss, metrics, rate and the time that is left; to be used in a ``with`` block around the training.

    Parameters
    ----------
    console : rich.console.Console, optional
        Where; the standard error stream if not given. If it is no terminal, there is a line after each epoch.
    """

    def __init__(self, console: Any = None) -> None:
        from rich.console import Console

        self.console = console or Console(stderr=True)
        self.live: Any = None
        self.bar: Any = None
        self.text: Any = None
        self.last = self.began = self.epoch_began = 0.0
        self.first_step = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.live is not None:
            self.live.stop()

    def on_fit_start(self, training: Training) -> None:
        """Show the bar, before anything is read or computed."""
        self.began, self.first_step = time.monotonic(), training.step
        if self.console.is_terminal or self.console.is_jupyter:
            from rich.console import Group
            from rich.live import Live
            from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
            from rich.text import Text

            columns = TextColumn("epoch {task.fields[epoch]}/{task.fields[epochs]}"), BarColumn(24), TextColumn("{task.fields[rate]}")
            self.bar = Progress(*columns, TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(), console=self.console)
            total, epoch = training.epochs * len(training.loader), training.epoch + 1
            self.task = self.bar.add_task("", total=total, completed=training.step, epoch=epoch, epochs=training.epochs, rate="")
            self.text = Text("reading the first batches")  # a line of its own: metrics may be many
            self.live = Live(Group(self.bar, self.text), console=self.console, refresh_per_second=10)
            self.live.start()

    def on_epoch_start(self, training: Training) -> None:  # noqa: ARG002
        """Start the clock."""
        self.epoch_began = time.monotonic()

    def on_batch_end(self, training: Training) -> None:
        """Move the bar, not more often than anybody can see."""
        now = time.monotonic()
        if self.bar is not None and now - self.last >= PAUSE:
            self.last = now
            rate = (training.step - self.first_step) / max(now - self.began, 1e-9)
            self.bar.update(self.task, completed=training.step, epoch=training.epoch + 1, rate=f"{rate:.4g} batches/s")
            self.text.plain = "  ".join(shown({**training.logs, "loss": training.total / training.samples}))

    def on_epoch_end(self, training: Training) -> None:
        """Show the epoch."""
        if self.bar is not None:
            self.bar.update(self.task, completed=training.step, epoch=training.epoch)
            self.text.plain = "  ".join(shown(training.logs))
        else:
            seconds = time.monotonic() - self.epoch_began
            told = "  ".join([f"epoch {training.epoch}/{training.epochs}", *shown(training.logs), f"{seconds:.1f} s"])
            self.console.print(told, soft_wrap=True, highlight=False, markup=False)

    def on_fit_end(self, training: Training) -> None:
        """Say why it ended early, if it did."""
        if training.stopped and training.epoch < training.epochs:
            self.console.print(f"stopped: {training.stopped}", soft_wrap=True, highlight=False, markup=False)
