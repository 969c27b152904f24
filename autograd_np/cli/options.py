"""The options that several commands have in common."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["Epochs", "Out", "Rate", "Seed", "positive", "share"]


def positive(value: float | None) -> float | None:
    """Refuse what is no positive number."""
    if value is not None and not 0 < value < math.inf:
        raise typer.BadParameter(f"{value} is not a positive number")
    return value


def share(value: float | None) -> float | None:
    """Refuse what is no share of all rows."""
    if value is not None and not 0 <= value < 1:
        raise typer.BadParameter(f"{value} is not a share: at least 0, and below 1")
    return value


Epochs = Annotated[int, typer.Option(min=1, help="Steps of gradient descent, each on the whole training part.")]
Rate = Annotated[float, typer.Option("--lr", callback=positive, help="Learning rate.")]
Seed = Annotated[int, typer.Option(min=0, help="Of the split and of the first weights.")]
Out = Annotated[Path, typer.Option(help="Folder for the files that are written.")]
