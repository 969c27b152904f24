"""CSV text, read strictly: whatever is not a table of finite numbers is an error that says where, what was found and what was expected."""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from autograd_np import DataError

__all__ = [
    "MISSING",
    "MissingCellError",
    "Row",
    "checked_header",
    "columns_of",
    "delimiter_of",
    "demand_different",
    "demand_target",
    "demand_width",
    "is_missing",
    "is_number",
    "number_of",
    "numbered",
    "read_text",
    "rows_of",
]

Array: TypeAlias = NDArray[np.float64]

Row: TypeAlias = tuple[int, list[str]]
"""A line number and the cells of that line."""

MISSING = frozenset({"", "?", "na", "n/a", "nan", "null"})


class MissingCellError(DataError):
    """A cell is missing; whoever reads may leave such rows out."""


def read_text(path: Path, size: int = -1) -> str:
    """Return the text of a file, or its first lines."""
    try:
        with path.open(encoding="utf-8-sig", newline=None) as file:
            text = file.read(size) + (file.readline() if size >= 0 else "")
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise DataError(f"{path}: this is a directory; expected a CSV file") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 text (byte {error.start}); save it as CSV in UTF-8") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    return text


def delimiter_of(path: Path, text: str) -> str:
    """Return which of the usual delimiters the first line has most of."""
    first = text.lstrip().partition("\n")[0]
    if not first:
        raise DataError(f"{path}: the file is empty; expected a line of column names and rows of numbers")
    return max(",;\t", key=first.count)


def numbered(path: Path | str, lines: Iterable[str], delimiter: str) -> Iterator[Row]:
    """Yield every line that is not blank, as its number and its cells, with the blanks around them."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, cells
    except csv.Error as error:
        raise DataError(f"{path}, line {reader.line_num}: not readable as CSV: {error}") from None


def rows_of(path: Path | str, text: str, delimiter: str, header: list[str] | None = None) -> tuple[list[str], list[Row]]:
    """Return the column names, and every line that is not blank; a `header` that is given is not looked for."""
    rows = [(line, list(map(str.strip, cells))) for line, cells in numbered(path, io.StringIO(text, newline=""), delimiter)]
    if header is None:
        if not rows:
            raise DataError(f"{path}: the file holds no data, only separators")
        header = checked_header(path, rows.pop(0)[1])
    demand_width(path, header, rows)
    return header, rows


def demand_width(path: Path | str, header: Sequence[str], rows: Iterable[Row]) -> None:
    """Refuse a row that has not a cell for each column."""
    for number, cells in rows:
        if len(cells) != len(header):
            raise DataError(f"{path}, line {number}: {len(cells)} cells, expected {len(header)} as in the line of column names")


def checked_header(path: Path | str, header: list[str]) -> list[str]:
    """Return the column names; refuse a line that cannot be that of names."""
    if all(is_number(name) for name in header):
        raise DataError(f"{path}: the first line holds numbers ({', '.join(header[:4])}, ...); expected the names of the columns")
    demand_different(path, header)
    return header


def demand_different(path: Path | str, header: Sequence[str]) -> None:
    """Refuse columns without a name, or with the name of another one."""
    for name, count in Counter(header).items():
        if count > 1 or not name:
            raise DataError(f"{path}: " + (f"{count} columns are called {name!r}" if name else "a column has no name in the first line"))


def demand_target(path: Path | str, header: Sequence[str], target: str) -> None:
    """Refuse a table without the target, or with nothing else."""
    if target not in header:
        raise DataError(f"{path}: there is no column {target!r} to be the target; the columns are {', '.join(map(repr, header))}")
    if len(header) == 1:
        raise DataError(f"{path}: {target!r} is the only column; at least one more is needed as a feature")


def columns_of(path: Path | str, header: list[str], rows: list[Row], target: str) -> tuple[Array, list[str]]:
    """Return the numbers of all columns but the target, (rows, features), and the cells of that."""
    t = header.index(target)
    for line, cells in rows:
        if is_missing(cells[t]):
            raise MissingCellError(f"{path}, line {line}, column {target!r}: the target is missing ({cells[t]!r})")
    columns = [i for i in range(len(header)) if i != t]
    x = [[number_of(path, number, header[i], cells[i]) for i in columns] for number, cells in rows]
    return np.array(x, float).reshape(len(rows), len(columns)), [cells[t] for _, cells in rows]


def is_number(cell: str) -> bool:
    """Whether a cell is a number, in the way that CSV files write them."""
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell  # Python's own digit separator, not a number in a CSV file


def is_missing(cell: str) -> bool:
    """Whether a cell says that nothing is known."""
    return cell.casefold() in MISSING


def number_of(path: Path | str, line: int, column: str, cell: str) -> float:
    """Return the number in a cell, or raise what says why there is none."""
    where = f"{path}, line {line}, column {column!r}: "
    if not cell:
        raise MissingCellError(where + "the cell is empty; expected a number")
    if not is_number(cell):
        kind = MissingCellError if is_missing(cell) else DataError
        raise kind(where + f"{cell!r:.60} is not a number; every column but the target must hold numbers")
    value = float(cell)
    if not math.isfinite(value):
        kind = MissingCellError if is_missing(cell) else DataError
        raise kind(where + f"{cell!r} is not a finite number; fill it in or leave the row out")
    return value
