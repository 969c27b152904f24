"""``autograd-np predict``: predictions of a model that ``train`` wrote."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from autograd_np.cli.output import console, say
from autograd_np.cli.reading import reading
from autograd_np.tabular import network, predicting
from autograd_np.tabular.parsing import MissingCellError

__all__ = ["predict"]


def predict(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="The folder that train wrote, or the model.safetensors in it.")],
    files: Annotated[list[str], typer.Argument(metavar="DATA", help="CSV or Parquet files, or globs; columns are found by name.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="The CSV file to write; - for standard output.")] = Path("predictions.csv"),
    skip_missing: Annotated[bool, typer.Option("--skip-missing", help="Leave the line of a row with missing cells empty.")] = False,
) -> None:
    """Write a model's predictions: the class and the probability of each, or the number, a line for each row of the data.

    Exit code: 0 written, 2 not (one line on stderr says why).
    """
    loaded = network.load(model)
    to_stdout = str(out) == "-"
    try:
        if to_stdout:
            done = predicting.predict(loaded, files, sys.stdout, skip_missing=skip_missing)
        else:
            with reading(console(), files) as progress, predicting.replacing(out) as file:
                done = predicting.predict(loaded, files, file, skip_missing=skip_missing, progress=progress)
    except MissingCellError as error:
        raise MissingCellError(f"{error} (--skip-missing leaves the lines of such rows empty)") from None
    told = sys.stderr if to_stdout else None
    unused = [name for name in done.unused if name != loaded.target]
    if unused:
        say(f"not used: {', '.join(map(repr, unused))}", told)
    if loaded.target in done.unused:
        say(f"not looked at: {loaded.target!r}, which is what is predicted", told)
    if done.skipped:
        say(f"rows with missing cells, and so without a prediction: {done.skipped:,}", told)
    if not to_stdout:
        say(f"{out}  ({done.rows:,} predictions of {loaded.target!r})")
