"""Tables of numbers for binary classification: the shipped data set, and a person's own CSV files.

Here live the tables and what reads, splits and standardises them. What is learned from them may not.
"""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
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
    header, rows = _read_rows(path)
    if target not in header:
        raise DataError(f"{path}: there is no column {target!r} to be the target; the columns are {', '.join(map(repr, header))}")
    if len(header) == 1:
        raise DataError(f"{path}: {target!r} is the only column; at least one more is needed as a feature")
    if not rows:
        raise DataError(f"{path}: there are column names but no rows of data")
    t = header.index(target)
    y, labels = _binary(path, target, [(number, cells[t]) for number, cells in rows])
    columns = [i for i in range(len(header)) if i != t]
    x = np.array([[_number(path, number, header[i], cells[i]) for i in columns] for number, cells in rows])
    return Table(tuple(header[i] for i in columns), x, target, y, labels)


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
    rng = np.random.default_rng(seed)
    train, test = [], []
    for value, label in enumerate(table.labels):
        rows = rng.permutation(np.flatnonzero(table.y[:, 0] == value))
        if len(rows) < 2:
            raise DataError(
                f"only one row has {table.target} = {label}; at least two of each class are needed, to train on one and test on another"
            )
        count = min(max(1, round(test_share * len(rows))), len(rows) - 1)
        test.append(rows[:count])
        train.append(rows[count:])
    a, b = (np.sort(np.concatenate(parts)) for parts in (train, test))
    with np.errstate(over="ignore", invalid="ignore"):
        mean, scale = table.x[a].mean(axis=0), table.x[a].std(axis=0)
        scale = np.where(scale > 0, scale, 1.0)  # a constant feature says nothing: it becomes 0
        x = (table.x - mean) / scale
    for name, column, spread in zip(table.features, x.T, scale, strict=True):
        if not (np.isfinite(spread) and np.isfinite(column).all()):
            raise DataError(f"column {name!r} holds numbers too large to standardise; rescale it")
    return Split(x[a], table.y[a], x[b], table.y[b], mean, scale)


def _read_rows(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the column names and the (line number, cells) of every line that is not blank."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise DataError(f"{path}: this is a directory; expected a CSV file") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 text (byte {error.start}); save it as CSV in UTF-8") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    first = text.lstrip().partition("\n")[0]
    if not first:
        raise DataError(f"{path}: the file is empty; expected a line of column names and rows of numbers")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count), strict=True)
    rows = []
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append((reader.line_num, [cell.strip() for cell in cells]))
    except csv.Error as error:
        raise DataError(f"{path}, line {reader.line_num}: not readable as CSV: {error}") from None
    if not rows:
        raise DataError(f"{path}: the file holds no data, only separators")
    header = rows.pop(0)[1]
    if all(_is_number(name) for name in header):
        raise DataError(f"{path}: the first line holds numbers ({', '.join(header[:4])}, ...); expected the names of the columns")
    for name, count in Counter(header).items():
        if count > 1 or not name:
            raise DataError(f"{path}: " + (f"{count} columns are called {name!r}" if name else "a column has no name in the first line"))
    for number, cells in rows:
        if len(cells) != len(header):
            raise DataError(f"{path}, line {number}: {len(cells)} cells, expected {len(header)} as in the line of column names")
    return header, rows


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell  # Python's own digit separator, not a number in a CSV file


def _number(path: Path, line: int, column: str, cell: str) -> float:
    where = f"{path}, line {line}, column {column!r}: "
    if not cell:
        raise DataError(where + "the cell is empty; expected a number")
    if not _is_number(cell):
        raise DataError(where + f"{cell!r:.60} is not a number; every column but the target must hold numbers")
    value = float(cell)
    if not math.isfinite(value):
        raise DataError(where + f"{cell!r} is not a finite number; fill it in or leave the row out")
    return value


def _binary(path: Path, column: str, cells: list[tuple[int, str]]) -> tuple[Array, tuple[str, str]]:
    for line, cell in cells:
        if cell.casefold() in MISSING:
            raise DataError(f"{path}, line {line}, column {column!r}: the target is missing ({cell!r})")
    words = dict.fromkeys(cell for _, cell in cells)
    numeric = all(_is_number(word) for word in words)
    code = {word: float(word) if numeric else word for word in words}
    values = sorted(set(code.values()))
    if len(values) != 2:
        shown = ", ".join(f"{value:g}" if isinstance(value, float) else repr(value) for value in values[:4]) + (
            ", ..." if len(values) > 4 else ""
        )
        raise DataError(f"{path}: the target {column!r} must have exactly two different values, this one has {len(values)}: {shown}")
    y = np.array([[float(code[cell] == values[1])] for _, cell in cells])
    low, high = (f"{value:g}" if isinstance(value, float) else value for value in values)
    return y, (low, high)
