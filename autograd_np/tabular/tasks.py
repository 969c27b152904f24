"""What is to be learned of a target: two classes, several, or a number."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from autograd_np import DataError
from autograd_np.tabular.reading import MOST_CLASSES, Table, Target

__all__ = ["KINDS", "Kind", "Task", "choose", "split"]

Kind: TypeAlias = Literal["binary", "multiclass", "regression"]
KINDS: tuple[Kind, ...] = ("binary", "multiclass", "regression")

FEW = 20
"""Whole numbers of not more different values are taken for classes."""

ROWS_PER_CLASS = 5
"""There are so many rows for each class on average, where whole numbers are taken for classes."""


@dataclass(frozen=True)
class Task:
    """What is to be learned.

    Attributes
    ----------
    kind : {"binary", "multiclass", "regression"}
    why : str
        Why it is this one.
    others : tuple of str
        What else could be learned of it.
    classes : tuple of str
        Their names, in order: numbers by size, words by the alphabet; empty for a regression.
    of_words : array of int
        The class of each of the target's words, by the word's number.
    """

    kind: Kind
    why: str
    others: tuple[Kind, ...] = ()
    classes: tuple[str, ...] = ()
    of_words: NDArray[np.int64] | None = None

    @property
    def outputs(self) -> int:
        """How many numbers the network gives for a sample."""
        return len(self.classes) if self.kind == "multiclass" else 1

    def wanted(self, rows: NDArray[np.float64]) -> Any:
        """Return what the network should give, from rows of a `Table`: 0.0 or 1.0, or numbers, of shape (n, 1); or classes, (n,)."""
        if self.of_words is None:
            return rows[:, -2:-1]
        classes = self.of_words[rows[:, -1].astype(np.int64)]
        return classes[:, None].astype(np.float64) if self.kind == "binary" else classes


def choose(table: Table, asked: Kind | Literal["auto"] = "auto") -> Task:
    """Return what is to be learned of a table.

    Parameters
    ----------
    table : Table
    asked : {"auto", "binary", "multiclass", "regression"}
        By itself it takes two different values for two classes; words, and few whole numbers, for several classes; and other numbers
        for numbers.

    Raises
    ------
    DataError
        If the target's column does not allow the task.
    """
    target = table.target
    where = f"{table.title}: the target {target.name!r}"
    classes, of_words = _classes(target)
    different = f"more than {MOST_CLASSES}" if target.many else str(len(classes))
    if not target.many and len(classes) < 2:
        raise DataError(f"{where} must have two different values or more, this one has 1: {classes[0]}")
    if target.many and target.no_number and asked != "regression":
        raise DataError(f"{where} has {different} different values, too many for classes, and not all are numbers: {target.no_number}")
    possible = {"binary": len(classes) == 2, "multiclass": not target.many, "regression": not target.no_number}
    kind: Kind = "regression"
    if asked != "auto":
        kind, why = asked, "as asked for"
    elif len(classes) == 2:
        kind, why = "binary", "it has two different values"
    elif target.no_number:
        kind, why = "multiclass", f"it has {different} different values, which are not all numbers"
    elif target.whole and len(classes) <= min(FEW, len(table) / ROWS_PER_CLASS):
        kind, why = "multiclass", f"it has {different} different values, all of them whole numbers"
    else:
        why = f"it has {different} different values, all of them numbers"
    others = tuple(k for k in KINDS if possible[k] and k != kind)
    if kind == "regression":
        if target.no_number:
            raise DataError(f"{target.no_number} is no finite number, as a regression needs it")
        return Task(kind, why, others)
    if kind == "binary" and len(classes) != 2:
        shown = ", ".join(classes[:4]) + (", ..." if len(classes) > 4 or target.many else "")
        raise DataError(f"{where} must have exactly two different values for a binary task, this one has {different}: {shown}")
    if target.many:
        raise DataError(f"{where} has {different} different values, too many for classes")
    return Task(kind, why, others, classes, of_words)


def _classes(target: Target) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Return the names of the classes, and the class of each word: of numbers, 1 and 1.0 are one class."""
    values: dict[str, Any] = {word: word if target.no_number else float(word) for word in target.words}
    order = {value: i for i, value in enumerate(sorted(set(values.values())))}
    names = tuple(_name(value) for value in order)
    return names, np.array([order[value] for value in values.values()], np.int64)


def _name(value: str | float) -> str:
    if isinstance(value, str):
        return value
    return str(int(value)) if value == math.floor(value) and abs(value) < 2**53 else repr(value)


# --- parts ----------------------------------------------------------------------------------------


def split(table: Table, task: Task, seed: int, shares: Sequence[float]) -> list[NDArray[np.intp]]:
    """Return the numbers of the rows to train on, and of the parts of these shares; classes keep their shares in each part.

    Parameters
    ----------
    table : Table
    task : Task
    seed : int
        The same seed gives the same parts.
    shares : sequence of float
        Of the validation and the test part. One that is not 0 has at least one sample, of each class that has enough.

    Raises
    ------
    DataError
        If a class has a single row, or there are fewer rows than parts.
    """
    rng = np.random.default_rng(seed)
    if task.of_words is None:
        groups = [np.arange(len(table))]
    else:
        classes = task.of_words[table.codes]
        groups = [np.flatnonzero(classes == c) for c in range(len(task.classes))]
        for name, group in zip(task.classes, groups, strict=True):
            if len(group) < 2:
                why = "at least two of each class are needed, to train on one and test on another"
                raise DataError(f"only one row has {table.target.name} = {name}; {why}")
    parts: list[list[NDArray[np.intp]]] = [[] for _ in range(1 + len(shares))]
    for group in groups:
        rows = rng.permutation(group)
        for i in reversed(range(len(shares))):  # the test part first
            left_for_others = 1 + sum(share > 0 for share in shares[:i]) if len(rows) > 2 else 1
            count = min(max(1, round(shares[i] * len(group))), len(rows) - left_for_others) if shares[i] > 0 else 0
            count = max(0, count)
            parts[1 + i].append(rows[:count])
            rows = rows[count:]
        parts[0].append(rows)
    found = [np.sort(np.concatenate(part)) for part in parts]
    for name, share, part in zip(("validate", "test"), shares, found[1:], strict=True):
        if share > 0 and not len(part):
            raise DataError(f"{table.title}: {len(table)} rows are too few to train on some and to {name} on others")
    return found
