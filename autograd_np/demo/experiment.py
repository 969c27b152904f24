"""One run from a table to the files: split, train, tell, write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

import autograd_np as ag
import nn
from autograd_np.demo import textbook
from autograd_np.demo.data import Split, Table
from autograd_np.demo.report import describe, tell_accuracy, tell_checks
from autograd_np.demo.training import fit, network, textbook_arrays
from autograd_np.tabular.settings import SettingError

__all__ = ["run"]


def run(
    console: Console,
    title: str,
    table: Table,
    part: Split,
    *,
    hidden: int,
    epochs: int,
    lr: float,
    seed: int,
    out: Path,
    explorer: bool = True,
) -> bool:
    """Train the textbook's network on a table, check its hand-derived gradients on the way, and write the files.

    Parameters
    ----------
    console : rich.console.Console
        Where to print.
    title : str
        What the data are called.
    table : Table
    part : Split
        Of the table; both may be in blocks (Dask arrays).
    hidden : int
        Units in the hidden layer.
    epochs, lr : int, float
        Steps of gradient descent, and how long they are.
    seed : int
        Of the first weights.
    out : Path
        Folder for the files; made if it does not exist.
    explorer : bool, default True
        Whether the page to step through the graph is written, for which the data are computed with; not for such as are in blocks.

    Returns
    -------
    bool
        Whether all gradients agree.

    Raises
    ------
    SettingError
        If the training diverges, or the files cannot be written.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingError("out", f"cannot make the folder {out}: {error.strerror}") from None
    model = network(len(table.features), hidden, seed)
    describe(console, title, table, part, model, f"{epochs} epochs, learning rate {lr:g}, seed {seed}")
    checks = fit(console, model, part, epochs, lr)
    console.print()
    tell_accuracy(console, model, part)
    tell_checks(console, checks)
    console.print("\nWritten:")
    for path, what in _write(model, part, out, explorer):
        console.print(f"  {path}  ({what})", soft_wrap=True)
    return all(check.ok for check in checks)


def _write(model: Any, part: Split, out: Path, explorer: bool) -> list[tuple[Path, str]]:
    """Write the drawing and the parameters; return the files and what they are."""
    with np.errstate(all="ignore"):
        parameters = textbook_arrays(model)
        graph = ag.trace(textbook.cost_of(part.x_train.T, part.y_train.T), *parameters.values())
    written = []
    try:
        for name, what in (("graph.dot", "computation graph, text"), ("graph.svg", "computation graph, drawn")):
            written.append((graph.render(out / name, parameters=list(parameters)), what))
        if explorer:
            with np.errstate(all="ignore"):
                page = graph.explore(out / "graph.html", parameters=list(parameters))
                written.append((page, "computation graph, to step through forward and backward in a browser"))
        for name, state, what in (
            ("parameters.safetensors", model, "weights and biases"),
            ("standardisation.safetensors", {"mean": part.mean, "scale": part.scale}, "mean and scale of the features"),
        ):
            nn.save(state, out / name)
            written.append((out / name, what))
    except OSError as error:
        raise SettingError("out", f"cannot write into {out}: {error.strerror}") from None
    return written
