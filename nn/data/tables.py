"""TableDataset: CSV and Parquet files that together may be larger than the memory."""

from __future__ import annotations

import importlib
import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

import autograd_np as ag
from nn.data.batches import Indices, demand_indices
from nn.data.dataset import Dataset
from nn.data.files import demand_columns, found_files, open_file

__all__ = ["TableDataset", "distinct_values"]

Files: TypeAlias = str | Path | Iterable[str | Path]


class TableDataset(Dataset):
    r"""Rows of CSV and Parquet files, of which only some blocks are in memory at a time.

    A Parquet file is read by its groups of rows, a CSV file by pieces of 4 MiB. At the start the lines of a CSV file are counted,
    once; of a Parquet file the footer is read. pyarrow reads (extra ``data``).

    Parameters
    ----------
    files : str, Path, or iterable of them
        Names and globs, such as ``"part-*.parquet"``. A CSV file is UTF-8, has a line of column names, and is
        separated by commas, semicolons or tabs; a cell holds no line break.
    target : str or sequence of str, optional
        What comes second in a batch: `y` has the shape (rows,) for a name, and (rows, columns) for a list of names. Without it, a
        batch is ``(x,)``.
    features : sequence of str, optional
        The columns of `x`, in order; all but the target if not given.
    classes : sequence of str or of numbers, optional
        The values of the target that are class 0, 1, ...: `y` is then of integers. See `distinct_values`.
    dtype : dtype, default float64
        Of `x`, and of `y` where it is no class.
    buffer : int, default 131072
        How many rows are in memory at a time, and are shuffled together; at least a whole block is. See `DataLoader`.

    Raises
    ------
    autograd_np.DataError
        If a file cannot be read, lacks a column, or has a cell that is missing, no number, not finite or no known class; a
        cell is looked at when its block is read.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import nn
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "points.csv")
    ...     _ = path.write_text("a,b,kind\n1,2,cat\n5,6,dog\n")
    ...     table = nn.data.TableDataset(path, "kind", classes=["cat", "dog"])
    ...     for x, y in nn.data.DataLoader(table, batch_size=2):
    ...         print(x, y)
    [[1. 2.]
     [5. 6.]] [0 1]
    """

    buffer: int

    def __init__(
        self,
        files: Files,
        target: str | Sequence[str] | None = None,
        features: Sequence[str] | None = None,
        *,
        classes: Sequence[Any] | None = None,
        dtype: DTypeLike = np.float64,
        buffer: int = 2**17,
    ) -> None:
        if buffer < 1:
            raise ValueError(f"buffer={buffer} must be at least 1")
        self.files = [open_file(path) for path in found_files(files)]
        self.targets = [] if target is None else [target] if isinstance(target, str) else list(target)
        self.features = [n for n in self.files[0].names if n not in self.targets] if features is None else list(features)
        if not self.features:
            raise ag.DataError(f"{self.files[0].path}: there is no column but the target; at least one more is needed as a feature")
        if classes is not None and (not isinstance(target, str) or target in self.features):
            raise ValueError(f"classes are those of one target column, which is no feature; got target={target!r}")
        self.classes = None if classes is None else [c.item() if isinstance(c, np.generic) else c for c in classes]
        self.dtype, self.buffer, self._flat = np.dtype(dtype), int(buffer), isinstance(target, str)
        words = self.classes is not None and any(isinstance(c, str) for c in self.classes)
        self._types = dict.fromkeys(self.features, "double") | dict.fromkeys(self.targets, "string" if words else "double")
        demand_columns(self.files, self._types)
        for file in self.files:
            file.check_types(self._types)
        self._blocks = [(file, block) for file in self.files for block in file.blocks]
        self._starts = np.cumsum([0, *(block.rows for _, block in self._blocks)])
        if not len(self):
            raise ag.DataError(f"{self.files[0].path}: there are column names but no rows of data")
        self._largest = max(block.rows for _, block in self._blocks)
        self._kept: OrderedDict[int, tuple[NDArray[Any], ...]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        """Return a row, as ``(x, y)`` or ``(x,)``."""
        return tuple(a[0] for a in self.batch(demand_indices([index], len(self))))

    def batch(self, indices: Indices) -> tuple[NDArray[Any], ...]:
        """Return the rows of these numbers, as ``(x, y)`` or ``(x,)``."""
        which = np.searchsorted(self._starts, indices, side="right") - 1
        out = self._empty(len(indices))
        with self._lock:
            for number in sorted(np.unique(which).tolist(), key=lambda number: number not in self._kept):  # those first that are there
                places = np.flatnonzero(which == number)
                rows = indices[places] - self._starts[number]
                for a, of_block in zip(out, self._block(number), strict=True):
                    a[places] = of_block[rows]
        return out

    def blocks(self) -> Sequence[range]:
        """Return which rows are read together."""
        return [range(a, b) for a, b in zip(self._starts[:-1].tolist(), self._starts[1:].tolist(), strict=True)]

    # --- a block

    def _empty(self, rows: int) -> tuple[NDArray[Any], ...]:
        x = np.empty((rows, len(self.features)), self.dtype)
        if not self.targets:
            return (x,)
        return x, np.empty(rows if self._flat else (rows, len(self.targets)), self.dtype if self.classes is None else np.int64)

    def _block(self, number: int) -> tuple[NDArray[Any], ...]:
        if number in self._kept:
            self._kept.move_to_end(number)
        else:
            self._kept[number] = self._read(number)
            while sum(len(a[0]) for a in self._kept.values()) > self.buffer + self._largest:  # so much is shuffled together at most
                self._kept.popitem(last=False)
        return self._kept[number]

    def _read(self, number: int) -> tuple[NDArray[Any], ...]:
        file, block = self._blocks[number]
        table = file.read(block, self._types)
        made = self._empty(len(table))
        for j, name in enumerate(self.features):
            self._fill(made[0][:, j], table.column(name), number, name)
        for j, name in enumerate(self.targets):
            self._fill(made[1] if self._flat else made[1][:, j], table.column(name), number, name, self.classes)
        return made

    def _fill(self, out: NDArray[Any], column: Any, number: int, name: str, classes: list[Any] | None = None) -> None:
        """Put the cells of a column into an array, as numbers or as the numbers of their classes."""
        values = (column if classes is None else _codes(column, classes)).to_numpy()  # in which NaN stands for what is missing
        with np.errstate(over="ignore", invalid="ignore"):  # told below
            out[...] = values
        wrong = np.flatnonzero(~(np.isfinite(values) & np.isfinite(out)))
        if len(wrong):
            file, block = self._blocks[number]
            row = int(wrong[0])
            above = sum(other.rows for other in file.blocks if other.start < block.start)
            cell = column[row].as_py()
            if cell is None or cell != cell:
                problem = "the cell is missing; fill it in or leave the row out"
            elif classes is not None:
                problem = f"{cell!r:.60} is none of the classes {', '.join(map(repr, classes)):.200}"
            else:
                problem = f"{cell!r} is not a finite number in {out.dtype}; fill it in or leave the row out"
            raise ag.DataError(f"{file.path}, row {above + row + 1}, column {name!r}: {problem}")


def _codes(column: Any, classes: list[Any]) -> Any:
    """Return the number of each cell's class, and null where it has none."""
    arrow, compute = importlib.import_module("pyarrow"), importlib.import_module("pyarrow.compute")
    return compute.index_in(column, value_set=arrow.array(classes).cast(column.type))


def distinct_values(files: Files, column: str, *, at_most: int = 1000) -> list[Any]:
    r"""Return the different values of a column, sorted: its classes, for a `TableDataset`.

    Parameters
    ----------
    files : str, Path, or iterable of them
        As for `TableDataset`; read block by block.
    column : str
    at_most : int, default 1000
        More are refused: such a column is no class.

    Returns
    -------
    list of float or of str
        Numbers if all cells are.

    Raises
    ------
    autograd_np.DataError
        If a file cannot be read, lacks the column, or has a cell that is missing; or if there are more values.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import nn
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "points.csv")
    ...     _ = path.write_text("a,kind\n1,dog\n5,cat\n6,dog\n")
    ...     nn.data.distinct_values(path, "kind")
    ['cat', 'dog']
    """
    opened = [open_file(path) for path in found_files(files)]
    demand_columns(opened, [column])
    found: set[str] = set()
    for file in opened:
        for block in file.blocks:
            cells = file.read(block, {column: "string"}).column(column)
            if cells.null_count or (new := set(cells.unique().to_pylist())) & {""}:
                raise ag.DataError(f"{file.path}, column {column!r}: a cell is missing; fill it in or leave the row out")
            found |= new
            if len(found) > at_most:
                raise ag.DataError(f"{file.path}: column {column!r} has more than {at_most} different values")
    try:
        return sorted({float(cell) for cell in found})
    except ValueError:
        return sorted(found)
