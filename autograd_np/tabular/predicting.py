"""Predictions of a trained model for the rows of files, in their order, as a CSV file."""

from __future__ import annotations

import contextlib
import csv
import difflib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from autograd_np import DataError
from autograd_np.tabular.files import found_files, open_file
from autograd_np.tabular.network import Model
from autograd_np.tabular.settings import SettingError

__all__ = ["Predicted", "predict", "replacing"]


class Predicted(NamedTuple):
    """What was predicted.

    Attributes
    ----------
    rows : int
    skipped : int
        How many of them have a missing cell, and so no prediction.
    unused : tuple of str
        Columns that the model does not take.
    """

    rows: int
    skipped: int
    unused: tuple[str, ...]


def predict(
    model: Model,
    files: Sequence[str | Path],
    out: IO[str],
    *,
    skip_missing: bool = False,
    progress: Callable[[float, int], None] | None = None,
) -> Predicted:
    """Write a line for each row of the files: the predicted class and the probability of each class, or the predicted number.

    Parameters
    ----------
    model : Model
    files : sequence of str or Path
        Names and globs of CSV or Parquet files. Their columns are found by name, in any order.
    out : text file
    skip_missing : bool, default False
        A row with a missing cell gets a line of empty cells, so that lines and rows still belong together, instead of an error.
    progress : callable, optional
        Told the bytes and rows so far.

    Raises
    ------
    DataError
        If a file lacks a column, or has a row that cannot be read; the message names the place.
    """
    sources = [open_file(path) for path in found_files(files)]
    for source in sources:
        missing = [name for name in model.features if name not in source.names]
        if missing:
            raise DataError(f"{source.path}: {_lacks(missing, source.names)}")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([model.target, *(f"p({name})" for name in model.classes)])
    rows = skipped = 0
    before = 0
    for source in sources:
        for piece in source.pieces(model.features, None, allow_missing=skip_missing):
            known = np.asarray(np.isfinite(piece.x).all(axis=1))
            values = model.predict(np.where(known[:, None], piece.x, 0.0))
            for is_known, cells in zip(known.tolist(), _cells(model, values), strict=True):
                writer.writerow(cells if is_known else [""] * len(cells))
            rows += len(known)
            skipped += int((~known).sum())
            if progress is not None:
                progress(before + piece.done * source.size, rows)
        before += source.size
    unused = dict.fromkeys(name for source in sources for name in source.names if name not in model.features)
    return Predicted(rows, skipped, tuple(unused))


def _cells(model: Model, values: Any) -> list[list[Any]]:
    if model.kind == "regression":
        return [[value] for (value,) in values.tolist()]
    return [[model.classes[k], *row] for k, row in zip(values.argmax(axis=1).tolist(), values.tolist(), strict=True)]


def _lacks(missing: Sequence[str], names: Sequence[str]) -> str:
    """Say which columns are not there, and which may be meant."""
    close = [f"{name!r} (is it {found[0]!r}?)" if (found := difflib.get_close_matches(name, names, 1)) else repr(name) for name in missing]
    shown = ", ".join(close[:10]) + (f" and {len(close) - 10} more" if len(close) > 10 else "")
    return f"there is no column {shown}, which the model takes; the columns are {', '.join(map(repr, names))}"


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[IO[str]]:
    """Give a text file that takes the place of `path` when the block ends, and is gone if it raises.

    Raises
    ------
    SettingError
        If it cannot be written.
    """
    try:
        if path.exists() and not path.is_file():  # a device or a pipe
            with path.open("w", encoding="utf-8", newline="") as file:
                yield file
            return
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", newline="", dir=path.resolve().parent, prefix=f".{path.name[:40]}.", delete=False
        ) as file:
            temporary = Path(file.name)
            try:
                yield file
            except BaseException:
                temporary.unlink()
                raise
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path.resolve())
    except OSError as error:
        raise SettingError("out", f"cannot write {path}: {error.strerror}") from None


def _umask() -> int:
    import os

    mask = os.umask(0)
    os.umask(mask)
    return mask
