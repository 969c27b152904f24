"""CSV and Parquet files, some thousand rows at a time: as numbers, and the target as words."""

from __future__ import annotations

import importlib
import io
import itertools
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, TypeAlias

import numpy as np
from numpy.typing import NDArray

from autograd_np import DataError
from autograd_np.tabular.parsing import (
    MissingCellError,
    Row,
    delimiter_of,
    demand_different,
    demand_width,
    is_missing,
    number_of,
    numbered,
    read_text,
    rows_of,
)

__all__ = ["HEAD", "PARQUET", "Piece", "Source", "found_files", "header_of", "open_file"]

Array: TypeAlias = NDArray[np.float64]

HEAD = 2**16
"""Bytes in which the line of column names ends."""

ROWS = 2**13
"""How many rows are read at once."""

LARGEST = 1e100
"""Squares of numbers, and sums of them, must not overflow."""

PARQUET = frozenset({".parquet", ".pq"})


class Piece(NamedTuple):
    """Some rows of a file.

    Attributes
    ----------
    x : array of shape (rows, columns), float64
        NaN where a cell is missing, if that is allowed.
    words : list of str
        The target's cells; empty if one is missing, or none is asked for.
    places : list of int
        The lines of a CSV file, or the rows of a Parquet file, counted from 1.
    done : float
        Which share of the file has been read.
    """

    x: Array
    words: list[str]
    places: list[int]
    done: float


class Source:
    """A table in a file.

    Attributes
    ----------
    path : Path
    names : list of str
        Its columns.
    size : int
        In bytes.
    unit : str
        What `Piece.places` counts.
    """

    unit = "line"

    def __init__(self, path: Path, names: list[str]) -> None:
        self.path, self.names, self.size = path, names, path.stat().st_size

    def pieces(self, columns: Sequence[str], target: str | None, *, allow_missing: bool = False) -> Iterator[Piece]:
        """Yield the rows, piece by piece.

        Raises
        ------
        DataError
            If a row cannot be used; the message names the file, the line, the column, and what is there.
        MissingCellError
            If a cell is missing and that is not allowed.
        """
        raise NotImplementedError


def found_files(patterns: Sequence[str | Path]) -> list[Path]:
    """Return the files that names and globs stand for, each once.

    Raises
    ------
    DataError
        If there is none, or some are CSV and others Parquet.
    """
    found: dict[Path, None] = {}
    for pattern in map(str, patterns):
        anchor = Path(pattern).anchor
        inside = pattern[len(anchor) :]
        names = [Path(pattern)] if Path(pattern).exists() or not inside else sorted(Path(anchor).glob(inside))
        if not names:
            raise DataError(f"{pattern}: " + ("no file matches" if set("*?[") & set(pattern) else "no such file"))
        found |= dict.fromkeys(names)
    files = list(found)
    kinds = {file.suffix.lower() in PARQUET for file in files}
    if len(kinds) > 1:
        raise DataError(f"{files[0]}, ...: some files are Parquet and others CSV; give one kind at a time")
    return files


def open_file(path: Path) -> Source:
    """Return a file with its columns, of which nothing has been read but what says which they are.

    Raises
    ------
    DataError
        If it is no table; or is Parquet, and pyarrow is not installed.
    """
    return _Parquet(path) if path.suffix.lower() in PARQUET else _CSV(path)


# --- CSV ------------------------------------------------------------------------------------------


def header_of(file: Path) -> list[str]:
    """Return the column names of a CSV file, which are read from its first bytes."""
    text = read_text(file, HEAD)
    lines = text.splitlines(keepends=True)
    for n in range(1, len(lines) + 1):  # a name may hold a line break, so that one line may not be enough
        try:
            return rows_of(file, "".join(lines[:n]), delimiter_of(file, text))[0]
        except DataError:
            if n == len(lines) or n == 20:
                raise
    return rows_of(file, text, delimiter_of(file, text))[0]


class _CSV(Source):
    def __init__(self, path: Path) -> None:
        super().__init__(path, header_of(path))
        self.delimiter = delimiter_of(path, read_text(path, HEAD))

    def pieces(self, columns: Sequence[str], target: str | None, *, allow_missing: bool = False) -> Iterator[Piece]:
        wanted = [self.names.index(name) for name in columns]
        pick = itemgetter(*wanted, wanted[0])  # one more than is needed, so that it is a tuple where one column is wanted
        last = 0
        try:
            with self.path.open("rb") as raw:
                lines = _Lines(io.TextIOWrapper(raw, "utf-8-sig", newline=None))
                rows = numbered(self.path, lines, self.delimiter)
                next(rows)
                lines.odd = False
                while some := list(itertools.islice(rows, ROWS)):
                    demand_width(self.path, self.names, some)
                    last = some[-1][0]
                    x = None if lines.odd else _numbers([pick(cells) for _, cells in some], len(wanted))
                    if x is None:
                        x = self._explained(some, wanted, pick, allow_missing)
                    words = self._words(some, target, allow_missing) if target is not None else []
                    yield Piece(x, words, [line for line, _ in some], raw.tell() / max(1, self.size))
                    lines.odd = False
        except UnicodeDecodeError:
            raise DataError(f"{self.path}: not UTF-8 text after line {last}; save it as CSV in UTF-8") from None
        except OSError as error:
            raise DataError(f"{self.path}: cannot be read: {error.strerror}") from None

    def _explained(self, rows: Sequence[Row], wanted: Sequence[int], pick: Any, allow_missing: bool) -> Array:
        """Read row by row, and cell by cell, what could not be read at once: something is missing, or it is told what is wrong."""
        x = np.empty((len(rows), len(wanted)))
        for i, (line, cells) in enumerate(rows):
            picked = pick(cells)
            row = None if any("_" in cell for cell in picked) else _numbers([picked], len(wanted))
            if row is not None:
                x[i] = row[0]
                continue
            for j, column in enumerate(wanted):
                name, cell = self.names[column], cells[column].strip()
                x[i, j] = np.nan if allow_missing and is_missing(cell) else number_of(self.path, line, name, cell)
                if abs(x[i, j]) > LARGEST:
                    raise DataError(
                        f"{self.path}, line {line}, column {name!r}: {cell!r:.60} is too large to standardise; rescale the column"
                    )
        return x

    def _words(self, rows: Sequence[Row], target: str, allow_missing: bool) -> list[str]:
        t = self.names.index(target)
        words = [cells[t].strip() for _, cells in rows]
        for i, word in enumerate(words):
            if is_missing(word):
                if not allow_missing:
                    raise MissingCellError(f"{self.path}, line {rows[i][0]}, column {target!r}: the target is missing ({word!r})")
                words[i] = ""
        return words


class _Lines:
    """Lines of a file; `odd` tells that one has an underscore, which Python takes for a part of a number and a CSV file does not."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.lines, self.odd = iter(lines), False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self.lines)
        if "_" in line:
            self.odd = True
        return line


def _numbers(cells: Sequence[Sequence[str]], columns: int) -> Array | None:
    """Return finite numbers, or nothing if one of them is none."""
    try:
        x = np.fromiter(map(float, itertools.chain.from_iterable(cells)), np.float64, len(cells) * (columns + 1))
    except ValueError:
        return None
    return x.reshape(len(cells), -1)[:, :columns] if (abs(x) <= LARGEST).all() else None


# --- Parquet --------------------------------------------------------------------------------------


class _Parquet(Source):
    unit = "row"

    def __init__(self, path: Path) -> None:
        try:
            self._arrow, self._parquet = importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
        except ImportError:
            raise DataError(f"{path}: Parquet files need pyarrow, which is not installed; run pip install 'autograd-np[data]'") from None
        if path.is_dir():
            raise DataError(f"{path}: this is a directory; give the files in it: {path}/*.parquet")
        try:
            with self._parquet.ParquetFile(path) as file:
                self._schema, self._rows = file.schema_arrow, file.metadata.num_rows
        except (self._arrow.ArrowException, OSError) as error:
            raise DataError(f"{path}: not readable as Parquet: {' '.join(str(error).split())}") from None
        super().__init__(path, [str(name) for name in self._schema.names])
        demand_different(path, self.names)

    def pieces(self, columns: Sequence[str], target: str | None, *, allow_missing: bool = False) -> Iterator[Piece]:
        of = self._arrow.types
        for name in columns:
            kind = self._schema.field(name).type
            if not (of.is_integer(kind) or of.is_floating(kind) or of.is_boolean(kind) or of.is_decimal(kind)):
                raise DataError(f"{self.path}, column {name!r}: {kind} is no type of number; every column but the target must hold numbers")
        wanted = [*columns, *([] if target is None else [target])]
        start = 0
        try:
            with self._parquet.ParquetFile(self.path) as file:
                for batch in file.iter_batches(ROWS, columns=wanted):
                    places = list(range(start + 1, start + len(batch) + 1))
                    start += len(batch)
                    x = np.stack([self._column(batch.column(n), name, places, allow_missing) for n, name in enumerate(columns)], axis=1)
                    words = self._words(batch.column(len(columns)), str(target), places, allow_missing) if target is not None else []
                    yield Piece(x, words, places, start / max(1, self._rows))
        except (self._arrow.ArrowException, OSError) as error:
            raise DataError(f"{self.path}: not readable as Parquet: {' '.join(str(error).split())}") from None

    def _column(self, column: Any, name: str, places: Sequence[int], allow_missing: bool) -> Array:
        values = np.asarray(column.cast("float64", safe=False).to_numpy(zero_copy_only=False), np.float64)  # nulls become NaN
        for i in np.flatnonzero(~(abs(values) <= LARGEST)).tolist():
            if np.isnan(values[i]) and allow_missing:
                continue
            self._refuse(name, places[i], values[i])
        return values

    def _refuse(self, name: str, place: int, value: float) -> NoReturn:
        where = f"{self.path}, row {place}, column {name!r}: "
        if np.isnan(value):
            raise MissingCellError(where + "the cell is missing; expected a number")
        if np.isinf(value):
            raise DataError(where + f"{value} is not a finite number; fill it in or leave the row out")
        raise DataError(where + f"{value} is too large to standardise; rescale the column")

    def _words(self, column: Any, target: str, places: Sequence[int], allow_missing: bool) -> list[str]:
        words = ["" if cell is None else cell.strip() if isinstance(cell, str) else repr(cell) for cell in column.to_pylist()]
        for i, word in enumerate(words):
            if is_missing(word):
                if not allow_missing:
                    raise MissingCellError(f"{self.path}, row {places[i]}, column {target!r}: the target is missing ({word!r})")
                words[i] = ""
        return words
