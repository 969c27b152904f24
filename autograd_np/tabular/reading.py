"""A table for training: files read once and checked, rows kept, the target both as numbers and as words."""

from __future__ import annotations

import functools
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

import nn
from autograd_np import DataError
from autograd_np.tabular.files import Piece, Source, found_files, open_file
from autograd_np.tabular.parsing import demand_target, is_number
from autograd_np.tabular.spool import Spool

__all__ = ["MOST_CLASSES", "Progress", "Table", "Target", "read_table", "same_columns"]

Array: TypeAlias = NDArray[np.float64]
Progress: TypeAlias = Callable[[float, int], None]
"""Called now and then with the bytes and the rows that have been read."""

MOST_CLASSES = 1000
"""Of so many different words each can be a class."""


@dataclass
class Target:
    """What is known of the target's column: its words, while they are few, and whether all are numbers.

    Attributes
    ----------
    name : str
    words : dict
        Word -> its number, in the order in which they came up; no more are added once there are more than `MOST_CLASSES`.
    no_number : str
        Where the first word stands that is no finite number, and which it is; empty if there is none.
    whole : bool
        Whether all are whole numbers.
    """

    name: str
    words: dict[str, int] = field(default_factory=dict)
    no_number: str = ""
    whole: bool = True

    @property
    def many(self) -> bool:
        """Whether there are too many different words for classes."""
        return len(self.words) > MOST_CLASSES

    def coded(self, source: Source, words: Sequence[str], places: Sequence[int]) -> Array:
        """Return the words as numbers (or NaN) and as the numbers of words (or -1), of shape (rows, 2)."""
        out = np.empty((len(words), 2))
        known = self.words
        for i, word in enumerate(words):
            if word not in known and len(known) <= MOST_CLASSES:
                known[word] = len(known)
            out[i, 1] = known.get(word, -1)
        if self.no_number:  # the numbers are of no use any more
            out[:, 0] = np.nan
            return out
        out[:, 0] = [float(word) if is_number(word) else np.nan for word in words]
        wrong = np.flatnonzero(~np.isfinite(out[:, 0]))
        if len(wrong):
            self.no_number = f"{source.path}, {source.unit} {places[wrong[0]]}, column {self.name!r}: {words[wrong[0]]!r:.60}"
        self.whole = self.whole and not len(wrong) and bool((out[:, 0] == np.floor(out[:, 0])).all())
        return out


@dataclass
class Table:
    """Rows for training.

    Attributes
    ----------
    title : str
        What the files are called.
    features : tuple of str
    target : Target
    rows : Dataset
        Of one array: a row holds the features, the target as a number, and the number of its word.
    left_out : dict
        Column -> how many rows were left out because its cell is missing; a row counts for its first such column.
    digest : str
        Of all rows: other data have another one.
    """

    title: str
    features: tuple[str, ...]
    target: Target
    rows: nn.data.Dataset
    left_out: dict[str, int]
    digest: str

    def __len__(self) -> int:
        return len(self.rows)

    @functools.cached_property
    def codes(self) -> NDArray[np.int16]:
        """The number of each row's word."""
        return np.concatenate([self.rows.batch(np.asarray(block))[0][:, -1].astype(np.int16) for block in self.rows.blocks()])


def read_table(
    files: Sequence[str | Path],
    target: str,
    *,
    ignore: Sequence[str] = (),
    drop_missing: bool = False,
    folder: str | Path = ".",
    progress: Progress | None = None,
) -> Table:
    """Read CSV or Parquet files of the same columns, once.

    Parameters
    ----------
    files : sequence of str or Path
        Names and globs.
    target : str
        The column to predict; all others are features and must hold finite numbers.
    ignore : sequence of str
        Columns that are no features.
    drop_missing : bool, default False
        Leave out rows with a missing cell, instead of refusing them.
    folder : str or Path
        Where rows that are too many for the memory are kept meanwhile, as 8 bytes a number.
    progress : callable, optional
        Told the bytes and rows so far.

    Raises
    ------
    DataError
        If a file cannot be read or used; the message names the file, and the line and column where there is one.
    """
    sources = [open_file(path) for path in found_files(files)]
    title = f"{sources[0].path}" + (f", ... ({len(sources)} files)" if len(sources) > 1 else "")
    same_columns(sources)
    names = sources[0].names
    demand_target(sources[0].path, names, target)
    for name in ignore:
        if name not in names:
            raise DataError(f"{sources[0].path}: there is no column {name!r} to ignore; the columns are {', '.join(map(repr, names))}")
    features = tuple(name for name in names if name != target and name not in ignore)
    if not features or target in ignore:
        raise DataError(f"{title}: no column is left to be {'the target' if target in ignore else 'a feature'}")
    column, left_out, sha = Target(target), Counter[str](), hashlib.sha256(repr(features).encode())
    spool = Spool(len(features) + 2, folder)
    for source, piece in _pieces(sources, features, target, drop_missing, progress, spool):
        x, words, places = _complete(piece, features, target, left_out) if drop_missing else piece[:3]
        rows = np.hstack([x, column.coded(source, words, places)])
        sha.update(rows[:, :-1].tobytes())
        sha.update("\0".join(words).encode("utf-8", "surrogatepass"))
        spool.write(rows)
    if not spool.rows:
        why = f"all {left_out.total()} rows have a missing cell" if left_out else "there are column names but no rows of data"
        raise DataError(f"{title}: {why}")
    return Table(title, features, column, spool.dataset(), dict(left_out), sha.hexdigest())


def same_columns(sources: Sequence[Source]) -> None:
    """Refuse files of other columns than those of the first."""
    first = sources[0]
    for source in sources:
        if source.names != first.names:
            raise DataError(
                f"{source.path}: the columns are {', '.join(map(repr, source.names))}; "
                f"those of {first.path} are {', '.join(map(repr, first.names))}"
            )


def _pieces(
    sources: Sequence[Source], features: Sequence[str], target: str, allow_missing: bool, progress: Progress | None, spool: Spool
) -> Iterator[tuple[Source, Piece]]:
    before = 0
    for source in sources:
        for piece in source.pieces(features, target, allow_missing=allow_missing):
            yield source, piece
            if progress is not None:
                progress(before + piece.done * source.size, spool.rows)
        before += source.size


def _complete(piece: Piece, features: Sequence[str], target: str, left_out: Counter[str]) -> Any:
    """Return what is complete of a piece; count the rest."""
    wrong = np.column_stack([np.isnan(piece.x), [not word for word in piece.words]])
    keep = ~wrong.any(axis=1)
    names = [*features, target]
    left_out.update(names[int(row.argmax())] for row in wrong[~keep])
    kept = np.flatnonzero(keep).tolist()
    return piece.x[keep], [piece.words[i] for i in kept], [piece.places[i] for i in kept]
