"""``autograd-np train``: the textbook's network on a person's own table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from autograd_np.cli.options import Epochs, Out, Rate, Seed
from autograd_np.cli.output import console
from autograd_np.demo import data, experiment
from autograd_np.demo.cluster import cluster
from autograd_np.demo.data import blocks
from autograd_np.tabular.files import found_files

__all__ = ["train"]


def train(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="DATA.csv", help="A table with column names in its first line, and numbers below; with --dask, any number of them."
        ),
    ],
    target: Annotated[str, typer.Option(metavar="COLUMN", help="The column to predict; it has two different values.")],
    hidden: Annotated[int, typer.Option(min=1, help="Units in the hidden layer.")] = 3,
    epochs: Epochs = 2000,
    lr: Rate = 1.0,
    seed: Seed = 0,
    out: Out = Path("autograd-np-train"),
    dask: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS", help="Train on a Dask cluster (tcp://host:8786, or local) on CSV or Parquet files, or a glob of them."
        ),
    ] = "",
) -> None:
    """Do the same on a CSV file of your own; with --dask, on many, which need not fit into memory."""

    def train_on(title: str, table: data.Table, split: Callable[[data.Table, int], data.Split]) -> None:
        settings: dict[str, Any] = {"hidden": hidden, "epochs": epochs, "lr": lr, "seed": seed}
        if not experiment.run(console(), title, table, split(table, seed), **settings, out=out, explorer=not dask):
            raise typer.Exit(1)

    if not dask:
        if len(files) > 1:
            raise typer.BadParameter(f"got {len(files)} files; several are read with --dask local", param_hint="'DATA.csv'")
        train_on(str(files[0]), data.read_table(files[0], target), data.split)
        return
    found = found_files(files)
    with cluster(dask):
        title = str(found[0]) if len(found) == 1 else f"{found[0]}, ... ({len(found)} files)"
        train_on(title, blocks.read_tables(found, target), blocks.split_blocks)
