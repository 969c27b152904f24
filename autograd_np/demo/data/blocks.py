"""Tables in blocks: CSV and Parquet files that together are larger than the memory, read, split and standardised by Dask.

Each file is read once, in blocks that stay with the workers, on their disks where they do not fit. What comes here is a report of
each block, and of the target a byte a row, from which rows are drawn as they are from a table in one piece.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from autograd_np import DataError
from autograd_np.demo.data import Array, Split, Table, chosen, demand_finite, labels_of
from autograd_np.tabular.files import HEAD, PARQUET, header_of
from autograd_np.tabular.parsing import columns_of, delimiter_of, demand_target, is_missing, read_text, rows_of

__all__ = ["read_tables", "split_blocks"]

BLOCK = 2**25
"""Bytes of a CSV file that are read at once; a Parquet file has its own groups of rows."""


class Block(NamedTuple):
    """What a worker makes of a part of a file."""

    x: Array
    words: NDArray[np.object_]
    report: Report


class Report(NamedTuple):
    """What is told of a block: how many rows, the words of its target (not more than are needed to refuse it), what is wrong."""

    rows: int
    words: tuple[str, ...]
    problem: str


def read_tables(files: Sequence[Path], target: str) -> Table:
    """Read files of the same columns as one table, whose `x` and `y` are Dask arrays.

    Parameters
    ----------
    files : sequence of Path
        CSV files as `read_table` takes them, or Parquet files; not mixed. Every worker has to see them under these names.
    target : str
        As in `read_table`; of numbers in a Parquet file, too, the larger is 1.

    Raises
    ------
    DataError
        If a file cannot be read or used, or its columns are not those of the first; the message names the file.
    """
    parquet = files[0].suffix.lower() in PARQUET
    headers = {file: _schema(file, target) if parquet else header_of(file) for file in files}
    first = next(iter(headers.values()))
    for file, header in headers.items():
        if header != first:
            raise DataError(
                f"{file}: the columns are {', '.join(map(repr, header))}; those of {files[0]} are {', '.join(map(repr, first))}"
            )
    demand_target(files[0], first, target)
    delayed = _of_parquet(files, first, target) if parquet else _of_csv(files, first, target)
    dask = importlib.import_module("dask")
    kept = dask.persist(*delayed)
    reports: tuple[Report, ...] = dask.compute(*(block[2] for block in kept))
    for report in reports:
        if report.problem:
            raise DataError(report.problem)
    where = files[0] if len(files) == 1 else f"{files[0]}, ... ({len(files)} files)"
    if not any(report.rows for report in reports):
        raise DataError(f"{where}: there are column names but no rows of data")
    ones, labels = labels_of(where, target, sorted({word for report in reports for word in report.words}))
    features = tuple(name for name in first if name != target)
    da = importlib.import_module("dask.array")
    xs, ys = [], []
    for block, report in zip(kept, reports, strict=True):
        if report.rows:
            xs.append(da.from_delayed(block[0], (report.rows, len(features)), float))
            ys.append(da.from_delayed(dask.delayed(_coded)(block[1], ones), (report.rows, 1), float))
    return Table(features, da.concatenate(xs), target, da.concatenate(ys), labels)


def split_blocks(table: Table, seed: int, test_share: float = 0.2) -> Split:
    """Do what `split` does with a table in blocks: the same rows, in blocks that stay with the workers.

    Raises
    ------
    DataError
        As `split`.
    """
    dask, da = importlib.import_module("dask"), importlib.import_module("dask.array")
    is_one = np.asarray(table.y[:, 0] == 1)
    a, b = chosen(table, is_one, seed, test_share)
    x, y = table.x, table.y
    starts = np.cumsum([0, *x.chunks[0]])  # type: ignore[attr-defined]

    def rows(array: Any, numbers: NDArray[np.intp]) -> Any:
        """Return the rows of these numbers, block by block."""
        places = np.searchsorted(numbers, starts)
        parts = [
            array.blocks[i, 0][numbers[places[i] : places[i + 1]] - starts[i]] for i in range(len(starts) - 1) if places[i] < places[i + 1]
        ]
        return da.concatenate(parts)

    raw, raw_test = rows(x, a), rows(x, b)
    with np.errstate(over="ignore", invalid="ignore"):
        mean, scale = dask.compute(raw.mean(axis=0), raw.std(axis=0))
    scale = np.where(scale > 0, scale, 1.0)  # NaN as well; what follows tells
    x_train, x_test, y_train, y_test = dask.persist((raw - mean) / scale, (raw_test - mean) / scale, rows(y, a), rows(y, b))
    fine = dask.compute(np.isfinite(x_train).all(axis=0), np.isfinite(x_test).all(axis=0))
    demand_finite(table.features, np.isfinite(scale) & fine[0] & fine[1])
    return Split(x_train, y_train, x_test, y_test, mean, scale)


# --- CSV ------------------------------------------------------------------------------------------


def _of_csv(files: Sequence[Path], header: list[str], target: str) -> list[Any]:
    delayed, read_bytes = importlib.import_module("dask").delayed, importlib.import_module("dask.bytes").read_bytes
    found = []
    for file in files:
        delimiter = delimiter_of(file, read_text(file, HEAD))
        _, [blocks] = read_bytes(str(file.absolute()), delimiter=b"\n", blocksize=BLOCK, sample=False)
        found += [delayed(_csv_block)(block, str(file), i, delimiter, header, target) for i, block in enumerate(blocks)]
    return found


def _csv_block(content: bytes, file: str, number: int, delimiter: str, header: list[str], target: str) -> Block:
    where = f"{file}, block {number + 1}" if number else file
    try:
        text = content.decode("utf-8" if number else "utf-8-sig")
        _, rows = rows_of(where, text.replace("\r\n", "\n"), delimiter, header if number else None)
        x, words = columns_of(where, header, rows, target)
    except UnicodeDecodeError as error:
        return _refused(header, f"{where}: not UTF-8 text (byte {error.start}); save it as CSV in UTF-8")
    except DataError as error:
        return _refused(header, str(error))
    return _block(x, np.array(words, object))


# --- Parquet --------------------------------------------------------------------------------------


def _schema(file: Path, target: str) -> list[str]:
    """Return the column names of a Parquet file."""
    try:
        arrow, parquet = importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise DataError(f"{file}: Parquet files need pyarrow, which is not installed; run pip install 'autograd-np[dask]'") from None
    if file.is_dir():
        raise DataError(f"{file}: this is a directory; give the files in it: {file}/*.parquet")
    try:
        schema = parquet.read_schema(file)
    except (arrow.ArrowException, OSError) as error:
        raise DataError(f"{file}: not readable as Parquet: {' '.join(str(error).split())}") from None
    for field in schema:
        kind = field.type
        number = arrow.types.is_integer(kind) or arrow.types.is_floating(kind) or arrow.types.is_boolean(kind)
        if field.name != target and not number:
            raise DataError(f"{file}, column {field.name!r}: {kind} is no type of number; every column but the target must hold numbers")
    return [str(name) for name in schema.names]


def _of_parquet(files: Sequence[Path], header: list[str], target: str) -> list[Any]:
    delayed, parquet = importlib.import_module("dask").delayed, importlib.import_module("pyarrow.parquet")
    groups = [(file, i) for file in files for i in range(parquet.read_metadata(file).num_row_groups)]
    return [delayed(_parquet_block)(str(file.absolute()), str(file), i, header, target) for file, i in groups]


def _parquet_block(path: str, file: str, group: int, header: list[str], target: str) -> Block:
    with importlib.import_module("pyarrow.parquet").ParquetFile(path) as opened:
        rows = opened.read_row_group(group)
    cells = rows.column(target).to_pylist()
    words = np.array([cell.strip() if isinstance(cell, str) else repr(cell) if cell is not None else "" for cell in cells], object)
    for word in set(words):
        if is_missing(word):
            return _refused(header, f"{file}, column {target!r}: the target is missing in {np.sum(words == word)} rows ({word!r})")
    columns = []
    for name in header:
        if name != target:
            column = rows.column(name)
            values = column.to_numpy().astype(float)  # nulls become NaN
            if column.null_count or not np.isfinite(values).all():
                return _refused(
                    header, f"{file}, column {name!r}: there is a number that is missing or not finite; fill it in or leave the row out"
                )
            columns.append(values)
    return _block(np.stack(columns, axis=1), words)


# --- blocks ---------------------------------------------------------------------------------------


def _block(x: Array, words: NDArray[np.object_]) -> Block:
    return Block(x, words, Report(len(x), tuple(sorted(set(words))[:5]), ""))


def _refused(header: list[str], problem: str) -> Block:
    return Block(np.zeros((0, len(header) - 1)), np.zeros(0, object), Report(0, (), problem))


def _coded(words: NDArray[np.object_], ones: set[str]) -> Array:
    return np.array([[float(word in ones)] for word in words])
