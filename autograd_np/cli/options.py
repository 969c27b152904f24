"""The options that the commands which train have in common."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["Epochs", "Out", "Rate", "Seed"]


def _positive(value: float) -> float:
    if not 0 < value < math.inf:
        raise typer.BadParameter(f"{value} is not a positive number")
    return value


Epochs = Annotated[int, typer.Option(min=1, help="Steps of gradient descent, each on the whole training part.")]
Rate = Annotated[float, typer.Option("--lr", callback=_positive, help="Learning rate.")]
Seed = Annotated[int, typer.Option(min=0, help="Of the split and of the first weights.")]
Out = Annotated[Path, typer.Option(help="Folder for the files that are written.")]
