"""``autograd-np train``: the textbook's network on a person's own table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autograd_np.cli.options import Epochs, Out, Rate, Seed
from autograd_np.cli.output import console
from autograd_np.demo import data, experiment

__all__ = ["train"]


def train(
    file: Annotated[Path, typer.Argument(metavar="DATA.csv", help="A table with column names in its first line, and numbers below.")],
    target: Annotated[str, typer.Option(metavar="COLUMN", help="The column to predict; it has two different values.")],
    hidden: Annotated[int, typer.Option(min=1, help="Units in the hidden layer.")] = 3,
    epochs: Epochs = 2000,
    lr: Rate = 1.0,
    seed: Seed = 0,
    out: Out = Path("autograd-np-train"),
) -> None:
    """Do the same on a CSV file of your own."""
    table = data.read_table(file, target)
    if not experiment.run(console(), str(file), table, hidden=hidden, epochs=epochs, lr=lr, seed=seed, out=out):
        raise typer.Exit(1)
