"""Tables in files, block by block: CSV and Parquet through pyarrow, of which only the wanted columns of one block are in memory."""

from __future__ import annotations

import csv
import importlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import autograd_np as ag
from nn.errors import MissingExtraError

__all__ = ["Block", "File", "demand_columns", "found_files", "open_file"]

BLOCK = 2**22
"""Bytes of a CSV file that are read at once; a Parquet file has its own groups of rows."""

PARQUET = frozenset({".parquet", ".pq"})


class Block(NamedTuple):
    """Rows that are read together: bytes `start` ... `stop` of a CSV file, or row group `start` of a Parquet file."""

    rows: int
    start: int
    stop: int


class File:
    """A table in a file.

    Attributes
    ----------
    path : Path
    names : list of str
        Its columns.
    blocks : list of Block
    """

    path: Path
    names: list[str]
    blocks: list[Block]

    def read(self, block: Block, types: dict[str, str]) -> Any:
        """Return columns of a block, as a `pyarrow.Table`.

        Parameters
        ----------
        block : Block
        types : dict
            Name -> ``"double"`` or ``"string"``.

        Raises
        ------
        autograd_np.DataError
            If the file has changed, or a column cannot be read as this type.
        """
        raise NotImplementedError

    def check_types(self, types: dict[str, str]) -> None:
        """Refuse columns that cannot be read as wanted, where the file says so beforehand."""


def found_files(patterns: str | Path | Iterable[str | Path]) -> list[Path]:
    """Return the files that names and globs stand for, each once; those of a glob in order of their names.

    Raises
    ------
    autograd_np.DataError
        If there is none.
    """
    found: dict[Path, None] = {}
    for pattern in map(str, [patterns] if isinstance(patterns, (str, Path)) else patterns):
        anchor = Path(pattern).anchor
        inside = pattern[len(anchor) :]
        names = [Path(pattern)] if Path(pattern).exists() or not inside else sorted(Path(anchor).glob(inside))
        if not names:
            raise ag.DataError(f"{pattern}: " + ("no file matches" if set("*?[") & set(pattern) else "no such file"))
        found |= dict.fromkeys(names)
    if not found:
        raise ag.DataError("expected the name of a file or more, got none")
    for path in found:
        if path.is_dir():
            raise ag.DataError(f"{path}: this is a directory; give the files in it: {path}/*.parquet")
    return list(found)


def open_file(path: Path) -> File:
    """Return a file with its columns and blocks, of which nothing has been read but what says where they are."""
    try:
        importlib.import_module("pyarrow")
    except ImportError:
        raise MissingExtraError(
            f"{path}: tables are read by pyarrow, which is not installed; run pip install 'autograd-np[data]'"
        ) from None
    try:
        return _ParquetFile(path) if path.suffix.lower() in PARQUET else _CSVFile(path)
    except OSError as error:
        raise ag.DataError(f"{path}: cannot be read: {' '.join(str(error).split())}") from error


class _ParquetFile(File):
    def __init__(self, path: Path) -> None:
        self.path = path
        self._arrow, self._parquet = importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
        try:
            self._metadata = self._parquet.read_metadata(path)
        except self._arrow.ArrowException as error:
            raise ag.DataError(f"{path}: not readable as Parquet: {' '.join(str(error).split())}") from error
        self._schema = self._metadata.schema.to_arrow_schema()
        self.names = list(self._schema.names)
        rows = [self._metadata.row_group(i).num_rows for i in range(self._metadata.num_row_groups)]
        self.blocks = [Block(n, i, i + 1) for i, n in enumerate(rows) if n]

    def check_types(self, types: dict[str, str]) -> None:
        of = self._arrow.types
        for name, wanted in types.items():
            kind = self._schema.field(name).type
            number = of.is_integer(kind) or of.is_floating(kind) or of.is_boolean(kind) or of.is_decimal(kind)
            if wanted == "double" and not number:
                raise ag.DataError(f"{self.path}, column {name!r}: {kind} is no type of number; name other features=[...]")

    def read(self, block: Block, types: dict[str, str]) -> Any:
        try:
            with self._parquet.ParquetFile(self.path, metadata=self._metadata) as file:
                table = file.read_row_group(block.start, columns=list(types))
            return table.select(list(types)).cast(self._arrow.schema(types), safe=False)
        except (self._arrow.ArrowException, OSError) as error:
            raise ag.DataError(f"{self.path}, group of rows {block.start + 1}: {' '.join(str(error).split())}") from error


class _CSVFile(File):
    def __init__(self, path: Path) -> None:
        self.path = path
        self._arrow, self._csv = importlib.import_module("pyarrow"), importlib.import_module("pyarrow.csv")
        with path.open("rb") as file:
            line = file.readline()
            self._delimiter, self.names = _header(path, line)
            self.blocks = list(_csv_blocks(file, len(line)))

    def read(self, block: Block, types: dict[str, str]) -> Any:
        where = f"{self.path}, bytes {block.start} to {block.stop}"
        try:
            with self.path.open("rb") as file:
                file.seek(block.start)
                content = file.read(block.stop - block.start)
            table = self._csv.read_csv(
                self._arrow.BufferReader(content),
                read_options=self._csv.ReadOptions(column_names=self.names),
                parse_options=self._csv.ParseOptions(delimiter=self._delimiter),
                convert_options=self._csv.ConvertOptions(column_types=types, include_columns=list(types)),
            )
        except (self._arrow.ArrowException, OSError) as error:
            raise ag.DataError(f"{where}: {' '.join(str(error).split())}") from error
        if len(table) != block.rows:
            raise ag.DataError(f"{where}: {block.rows} lines and {len(table)} rows; a cell may hold no line break, nor may the file change")
        return table


def _header(path: Path, line: bytes) -> tuple[str, list[str]]:
    """Return the delimiter, of the usual ones that which the line of column names has most of, and the names."""
    try:
        text = line.decode("utf-8-sig").strip("\r\n")
    except UnicodeDecodeError as error:
        raise ag.DataError(f"{path}: not UTF-8 text (byte {error.start}); save it as CSV in UTF-8") from None
    if not text:
        raise ag.DataError(f"{path}: the first line is empty; expected the names of the columns")
    delimiter = max(",;\t", key=text.count)
    names = [name.strip() for name in next(csv.reader([text], delimiter=delimiter))]
    if all(_is_number(name) for name in names):
        raise ag.DataError(f"{path}: the first line holds numbers ({', '.join(names[:4])}, ...); expected the names of the columns")
    for name in names:
        if names.count(name) > 1 or not name:
            raise ag.DataError(f"{path}: " + (f"several columns are called {name!r}" if name else "a column has no name in the first line"))
    return delimiter, names


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _csv_blocks(file: Any, start: int) -> Iterable[Block]:
    """Yield the blocks of a CSV file from here on, each of whole lines."""
    while content := file.read(BLOCK):
        if not content.endswith(b"\n"):
            content += file.readline()
        rows = _lines(content)
        if rows:
            yield Block(rows, start, start + len(content))
        start += len(content)


def _lines(content: bytes) -> int:
    """Return how many lines are not empty."""
    ends = np.flatnonzero(np.frombuffer(content, np.uint8) == ord("\n"))  # five times as fast as bytes.count
    if len(ends) and min(ends[0] + 1, np.diff(ends).min(initial=3)) <= 2:  # lines that may be empty, but for a carriage return
        return sum(1 for line in content.split(b"\n") if line.strip(b"\r"))
    return len(ends) + (not content.endswith(b"\n"))


def demand_columns(files: Sequence[File], wanted: Iterable[str]) -> None:
    """Refuse files that lack one of the columns."""
    for file in files:
        for name in wanted:
            if name not in file.names:
                raise ag.DataError(f"{file.path}: there is no column {name!r}; the columns are {', '.join(map(repr, file.names))}")
