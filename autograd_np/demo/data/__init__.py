"""Tables of numbers for binary classification: the shipped data set, and a person's own CSV files.

Here live the tables and what reads, splits and standardises them: in one piece (this file), and in blocks, for files that together
are larger than the memory (`blocks`). What is learned from them may not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib.resources import as_file, files
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from autograd_np import DataError
from autograd_np.tabular.parsing import columns_of, delimiter_of, demand_target, is_number, read_text, rows_of

__all__ = ["Split", "Table", "breast_cancer", "read_table", "split"]

Array: TypeAlias = NDArray[np.float64]


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


def labels_of(path: Path | str, column: str, words: Iterable[str]) -> tuple[set[str], tuple[str, str]]:
    """Return which of the words stand for 1, and what the two classes are called."""
    words = dict.fromkeys(words)
    numeric = all(is_number(word) for word in words)
    code = {word: float(word) if numeric else word for word in words}
    values = sorted(set(code.values()))
    if len(values) != 2:
        shown = ", ".join(f"{value:g}" if isinstance(value, float) else repr(value) for value in values[:4]) + (
            ", ..." if len(values) > 4 else ""
        )
        raise DataError(f"{path}: the target {column!r} must have exactly two different values, this one has {len(values)}: {shown}")
    low, high = (f"{value:g}" if isinstance(value, float) else value for value in values)
    return {word for word in words if code[word] == values[1]}, (low, high)
