"""Tables of numbers for binary classification: the shipped data set, and a person's own CSV files.

Here live the tables and what reads, splits and standardises them: in one piece (this file), and in blocks, for files that together
are larger than the memory (`blocks`). What is learned from them may not.
"""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from importlib.resources import as_file, files
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from autograd_np import DataError

__all__ = ["Split", "Table", "breast_cancer", "read_table", "split"]

Array: TypeAlias = NDArray[np.float64]

MISSING = frozenset({"", "?", "na", "n/a", "nan", "null"})


class Table(NamedTuple):
    """Numeric features and a binary target.

    Attributes
    ----------
    features : tuple of str
        Column names, one a column of `x`.
    x : array of shape (samples, features), float64
    target : str
        The target's column name.
    y : array of shape (samples, 1), float64
        0.0 or 1.0.
    labels : tuple of (str, str)
        What the file called 0 and 1.
    """

    features: tuple[str, ...]
    x: Array
    target: str
    y: Array
    labels: tuple[str, str]


class Split(NamedTuple):
    """A table split at random and standardised: arrays of shape (samples, features) and (samples, 1).

    Attributes
    ----------
    x_train, y_train, x_test, y_test : arrays, float64
    mean, scale : arrays of shape (features,)
        Of the training samples: ``x = (raw - mean) / scale`` for both parts, so the test part is never looked at.
    """

    x_train: Array
    y_train: Array
    x_test: Array
    y_test: Array
    mean: Array
    scale: Array


def breast_cancer() -> Table:
    """Return the shipped data: two features of the Wisconsin diagnostic breast cancer data, 569 samples.

    Examples
    --------
    >>> table = breast_cancer()
    >>> table.features, table.x.shape, int(table.y.sum())
    (('worst_area', 'worst_concave_points'), (569, 2), 212)
    """
    with as_file(files(__package__) / "breast_cancer.csv") as path:
        return read_table(path, "malignant")


def read_table(path: str | Path, target: str) -> Table:
    """Read a CSV file with a line of column names.

    Parameters
    ----------
    path : str or Path
        UTF-8; separated by commas, semicolons or tabs, whichever the first line has most of.
    target : str
        The column to predict. It must have exactly two different values: of two numbers the larger is 1, of two words
        the one that comes second in the alphabet. Every other column is a feature and must hold finite numbers.

    Raises
    ------
    DataError
        If the file cannot be read or used; the message names the file, and the line and column where there is one.
    """
    path = Path(path)
    text = read_text(path)
    header, rows = rows_of(path, text, delimiter_of(path, text))
    demand_target(path, header, target)
    if not rows:
        raise DataError(f"{path}: there are column names but no rows of data")
    x, words = columns_of(path, header, rows, target)
    ones, labels = labels_of(path, target, words)
    y = np.array([[float(word in ones)] for word in words])
    return Table(tuple(name for name in header if name != target), x, target, y, labels)


def split(table: Table, seed: int, test_share: float = 0.2) -> Split:
    """Split a table at random, keeping the share of each class, and standardise by the training part.

    Parameters
    ----------
    table : Table
    seed : int
        The same seed gives the same split.
    test_share : float, default 0.2
        Of each class; at least one sample, and at least one is left for training.

    Raises
    ------
    DataError
        If a class has a single sample, or a feature is so large that its variance overflows.
    """
    a, b = chosen(table, table.y[:, 0] == 1, seed, test_share)
    with np.errstate(over="ignore", invalid="ignore"):
        mean, scale = table.x[a].mean(axis=0), table.x[a].std(axis=0)
        scale = np.where(scale > 0, scale, 1.0)  # a constant feature says nothing: it becomes 0
        x = (table.x - mean) / scale
    demand_finite(table.features, np.isfinite(scale) & np.isfinite(x).all(axis=0))
    return Split(x[a], table.y[a], x[b], table.y[b], mean, scale)


def chosen(table: Table, is_one: NDArray[np.bool_], seed: int, test_share: float) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the numbers of the rows to train on, and of those to test on, in order; `is_one` is of shape (samples,)."""
    rng = np.random.default_rng(seed)
    train, test = [], []
    for value, label in enumerate(table.labels):
        rows = rng.permutation(np.flatnonzero(is_one == bool(value)))
        if len(rows) < 2:
            raise DataError(
                f"only one row has {table.target} = {label}; at least two of each class are needed, to train on one and test on another"
            )
        count = min(max(1, round(test_share * len(rows))), len(rows) - 1)
        test.append(rows[:count])
        train.append(rows[count:])
    return np.sort(np.concatenate(train)), np.sort(np.concatenate(test))


def demand_finite(features: Sequence[str], finite: NDArray[np.bool_]) -> None:
    """Refuse features that could not be standardised."""
    for name, fine in zip(features, finite, strict=True):
        if not fine:
            raise DataError(f"column {name!r} holds numbers too large to standardise; rescale it")


# --- from text to columns -------------------------------------------------------------------------


Row: TypeAlias = tuple[int, list[str]]
"""A line number and the cells of that line."""


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


def rows_of(path: Path | str, text: str, delimiter: str, header: list[str] | None = None) -> tuple[list[str], list[Row]]:
    """Return the column names, and every line that is not blank; a `header` that is given is not looked for."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[Row] = []
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append((reader.line_num, [cell.strip() for cell in cells]))
    except csv.Error as error:
        raise DataError(f"{path}, line {reader.line_num}: not readable as CSV: {error}") from None
    if header is None:
        if not rows:
            raise DataError(f"{path}: the file holds no data, only separators")
        header = _checked_header(path, rows.pop(0)[1])
    for number, cells in rows:
        if len(cells) != len(header):
            raise DataError(f"{path}, line {number}: {len(cells)} cells, expected {len(header)} as in the line of column names")
    return header, rows


def _checked_header(path: Path | str, header: list[str]) -> list[str]:
    if all(_is_number(name) for name in header):
        raise DataError(f"{path}: the first line holds numbers ({', '.join(header[:4])}, ...); expected the names of the columns")
    for name, count in Counter(header).items():
        if count > 1 or not name:
            raise DataError(f"{path}: " + (f"{count} columns are called {name!r}" if name else "a column has no name in the first line"))
    return header


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
        if cells[t].casefold() in MISSING:
            raise DataError(f"{path}, line {line}, column {target!r}: the target is missing ({cells[t]!r})")
    columns = [i for i in range(len(header)) if i != t]
    x = [[_number(path, number, header[i], cells[i]) for i in columns] for number, cells in rows]
    return np.array(x, float).reshape(len(rows), len(columns)), [cells[t] for _, cells in rows]


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell  # Python's own digit separator, not a number in a CSV file


def _number(path: Path | str, line: int, column: str, cell: str) -> float:
    where = f"{path}, line {line}, column {column!r}: "
    if not cell:
        raise DataError(where + "the cell is empty; expected a number")
    if not _is_number(cell):
        raise DataError(where + f"{cell!r:.60} is not a number; every column but the target must hold numbers")
    value = float(cell)
    if not math.isfinite(value):
        raise DataError(where + f"{cell!r} is not a finite number; fill it in or leave the row out")
    return value


def labels_of(path: Path | str, column: str, words: Iterable[str]) -> tuple[set[str], tuple[str, str]]:
    """Return which of the words stand for 1, and what the two classes are called."""
    words = dict.fromkeys(words)
    numeric = all(_is_number(word) for word in words)
    code = {word: float(word) if numeric else word for word in words}
    values = sorted(set(code.values()))
    if len(values) != 2:
        shown = ", ".join(f"{value:g}" if isinstance(value, float) else repr(value) for value in values[:4]) + (
            ", ..." if len(values) > 4 else ""
        )
        raise DataError(f"{path}: the target {column!r} must have exactly two different values, this one has {len(values)}: {shown}")
    low, high = (f"{value:g}" if isinstance(value, float) else value for value in values)
    return {word for word in words if code[word] == values[1]}, (low, high)
