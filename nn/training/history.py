"""What a training was like, epoch by epoch."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nn.errors import MissingExtraError
from nn.replace import write

__all__ = ["History"]


class History:
    """The losses and metrics of each epoch.

    Attributes
    ----------
    epochs : list of dict
        Name -> value, one dict an epoch: ``loss`` is the mean over the samples while they were trained on; ``val_loss`` and metrics are
        computed at the end of the epoch.
    stopped : str
        Why it ended before the last epoch; empty if it did not.

    Examples
    --------
    >>> import nn
    >>> history = nn.training.History([{"loss": 2.0, "val_loss": 2.5}, {"loss": 1.0, "val_loss": 3.0}])
    >>> history["loss"], history.best("val_loss")
    ([2.0, 1.0], 0)
    >>> history
    History(2 epochs: loss 1, val_loss 3)
    """

    def __init__(self, epochs: list[dict[str, Any]] | None = None, stopped: str = "") -> None:
        self.epochs = [] if epochs is None else epochs
        self.stopped = stopped

    def __len__(self) -> int:
        """Return the number of epochs."""
        return len(self.epochs)

    def __getitem__(self, name: str) -> list[Any]:
        """Return the values of one name, an epoch after the other."""
        if name not in self.names():
            raise KeyError(f"the history has no {name!r}; it has {', '.join(self.names()) or 'no epoch yet'}")
        return [epoch.get(name) for epoch in self.epochs]

    def names(self) -> list[str]:
        """Return the names of what is known of the epochs."""
        return list(dict.fromkeys(name for epoch in self.epochs for name in epoch))

    def best(self, name: str = "loss", mode: str = "") -> int:
        """Return the number of the best epoch, from 0.

        Parameters
        ----------
        name : str
        mode : {"", "min", "max"}
            Whether small or large values are good; if not given, small ones where the name ends in ``loss``.
        """
        values = self[name]
        return values.index((max if is_better("max", name, mode) else min)(v for v in values if v is not None and v == v))

    def numbers(self) -> dict[str, list[float | None]]:
        """Return those series that are numbers; a confusion matrix is none."""
        return {name: self[name] for name in self.names() if not any(isinstance(value, (list, np.ndarray)) for value in self[name])}

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write a table with a line an epoch, numbered from 1, with the numbers in full precision.

        The file is replaced as a whole.
        """
        table = self.numbers()
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["epoch", *table])
        for i, values in enumerate(zip(*table.values(), strict=True), 1):
            writer.writerow([i, *("" if value is None else value for value in values)])
        write(path, text.getvalue().encode())

    def plot(self, path: str | os.PathLike[str]) -> None:
        """Draw the learning curves, as PNG, SVG or PDF: the losses in one panel, the metrics in another.

        Parameters
        ----------
        path : str or path
            Its suffix is the format.

        Raises
        ------
        MissingExtraError
            If matplotlib is not installed (extra ``plot``).
        """
        try:
            from matplotlib.figure import Figure
        except ImportError:
            raise MissingExtraError("curves are drawn by matplotlib, which is not installed; run pip install 'autograd-np[plot]'") from None
        table = self.numbers()
        losses = {name: values for name, values in table.items() if name.endswith("loss")}
        metrics = {name: values for name, values in table.items() if name not in losses}
        panels = [panel for panel in (losses, metrics) if panel]
        figure = Figure(figsize=(5.0 * max(1, len(panels)), 3.5), layout="constrained")
        for axes, panel in zip(figure.subplots(1, max(1, len(panels)), squeeze=False)[0], panels, strict=False):
            for name, values in panel.items():
                dots = "o" if len(values) == 1 else ""
                axes.plot(range(1, len(values) + 1), [float("nan") if v is None else v for v in values], marker=dots, label=name)
            axes.set_xlabel("epoch")
            axes.xaxis.get_major_locator().set_params(integer=True)
            axes.grid(alpha=0.3)
            axes.legend()
        figure.savefig(Path(path))

    def __repr__(self) -> str:
        last = ", ".join(shown(self.epochs[-1])) if self.epochs else ""
        return f"History({len(self)} epoch{'s' * (len(self) != 1)}{': ' * bool(last)}{last})"


def shown(logs: Mapping[str, Any]) -> list[str]:
    """Return the numbers of an epoch for people."""
    return [f"{name} {value:.4g}" for name, value in logs.items() if isinstance(value, (int, float, np.number))]


def is_better(which: str, name: str, mode: str) -> bool:
    """Whether `which` of "min" and "max" is what is good."""
    if mode not in ("", "min", "max"):
        raise ValueError(f"mode={mode!r} is not known; expected 'min' or 'max'")
    return which == (mode or ("min" if name.endswith("loss") else "max"))
