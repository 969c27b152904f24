"""``autograd-np demo``: the textbook's network on the shipped data."""

from __future__ import annotations

from pathlib import Path

import typer

from autograd_np.cli.options import Epochs, Out, Rate, Seed
from autograd_np.cli.output import console
from autograd_np.demo import data, experiment

__all__ = ["demo"]


def demo(out: Out = Path("autograd-np-demo"), epochs: Epochs = 2000, lr: Rate = 1.0, seed: Seed = 0) -> None:
    """Train a 2-3-1 network on real data, verify its hand-derived gradients, and draw its graph."""
    title = "Wisconsin diagnostic breast cancer data (UCI, CC BY 4.0)"
    table = data.breast_cancer()
    if not experiment.run(console(), title, table, data.split(table, seed), hidden=3, epochs=epochs, lr=lr, seed=seed, out=out):
        raise typer.Exit(1)
