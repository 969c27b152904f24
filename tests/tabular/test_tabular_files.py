"""Rows of CSV and Parquet files: whole, in order, in pieces that are few at a time; and what is missing or wrong is told with its place."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nn
from autograd_np import DataError
from autograd_np.tabular import files, reading, spool
from autograd_np.tabular.parsing import MissingCellError


def write(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path


def rows_of(table: reading.Table) -> np.ndarray:
    return table.rows.batch(np.arange(len(table)))[0]


def test_pieces_are_the_file_whatever_their_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator) -> None:
    x = rng.normal(size=(50, 3))
    lines = [f"{a!r};{b!r};{c!r};{'yes' if a > 0 else 'no'}" for a, b, c in x.tolist()]
    file = write(tmp_path / "a.csv", "\ufeffa;b;c;t\r\n" + "\r\n\r\n".join(lines))
    monkeypatch.setattr(files, "ROWS", 7)
    pieces = list(files.open_file(file).pieces(["c", "a"], "t"))
    assert [len(piece.x) for piece in pieces] == [7] * 7 + [1]
    np.testing.assert_array_equal(np.concatenate([piece.x for piece in pieces]), x[:, [2, 0]])
    assert [word for piece in pieces for word in piece.words] == ["yes" if a > 0 else "no" for a in x[:, 0]]
    assert [place for piece in pieces for place in piece.places] == list(range(2, 102, 2))
    assert pieces[-1].done == 1


def test_parquet_gives_what_csv_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator) -> None:
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    monkeypatch.setattr(files, "ROWS", 4)
    columns: dict[str, Any] = {
        "a": [1, None, 3, 4, 5, 6],
        "b": [0.5, 1.5, float("nan"), 2.5, 3.5, 4.5],
        "c": [True, False, True, True, False, False],
        "t": ["x", "y", "x", None, "y", "?"],
    }
    parquet.write_table(arrow.table(columns), tmp_path / "a.parquet", row_group_size=3)
    table = zip(*columns.values(), strict=True)
    text = "\n".join(",".join("" if v is None or v != v else str(int(v) if isinstance(v, bool) else v) for v in row) for row in table)
    write(tmp_path / "a.csv", "a,b,c,t\n" + text)
    found = [reading.read_table([tmp_path / name], "t", drop_missing=True, folder=tmp_path) for name in ("a.csv", "a.parquet")]
    for table in found:
        assert table.left_out == {"a": 1, "b": 1, "t": 2}
        assert table.target.words == {"x": 0, "y": 1}
    np.testing.assert_array_equal(rows_of(found[0]), rows_of(found[1]))
    assert found[0].digest == found[1].digest


def test_what_is_wrong_in_parquet_is_told_with_its_row(tmp_path: Path) -> None:
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    file = tmp_path / "a.parquet"
    for columns, kind, message in (
        ({"a": ["many"], "t": [0]}, DataError, "column 'a': string is no type of number"),
        ({"a": [1.0, None], "t": [0, 1]}, MissingCellError, "a.parquet, row 2, column 'a': the cell is missing; expected a number"),
        ({"a": [1.0, float("inf")], "t": [0, 1]}, DataError, "row 2, column 'a': inf is not a finite number"),
        ({"a": [1.0, 1e200], "t": [0, 1]}, DataError, r"row 2, column 'a': 1e\+200 is too large to standardise"),
        ({"a": [1.0, 2.0], "t": ["x", None]}, MissingCellError, r"row 2, column 't': the target is missing \(''\)"),
    ):
        parquet.write_table(arrow.table(columns), file)
        with pytest.raises(kind, match=message):
            reading.read_table([file], "t", folder=tmp_path)
    file.write_bytes(b"no parquet")
    with pytest.raises(DataError, match=r"a\.parquet: not readable as Parquet"):
        files.open_file(file)


def test_several_files_are_one_table_and_must_have_the_same_columns(tmp_path: Path) -> None:
    for i in range(3):
        write(tmp_path / f"part{i}.csv", f"a,t\n{i},{i % 2}\n{i + 10},0\n")
    table = reading.read_table([tmp_path / "part*.csv"], "t", folder=tmp_path)
    assert rows_of(table)[:, 0].tolist() == [0, 10, 1, 11, 2, 12]
    assert table.title.endswith("part0.csv, ... (3 files)")
    write(tmp_path / "part3.csv", "t,a\n1,2\n")
    with pytest.raises(DataError, match=r"part3\.csv: the columns are 't', 'a'; those of .*part0\.csv are 'a', 't'"):
        reading.read_table([tmp_path / "part*.csv"], "t", folder=tmp_path)
    for patterns, message in ((["none*.csv"], "no file matches"), ([tmp_path / "none.csv"], "no such file")):
        with pytest.raises(DataError, match=message):
            files.found_files(patterns)


def test_numbers_that_only_python_reads_are_no_numbers_and_underscores_elsewhere_are_fine(tmp_path: Path) -> None:
    table = reading.read_table([write(tmp_path / "a.csv", "a_1,t\n1,x_1\n2,y\n")], "t", folder=tmp_path)
    assert rows_of(table)[:, 0].tolist() == [1, 2]
    with pytest.raises(DataError, match="line 3, column 'a': '1_000' is not a number"):
        reading.read_table([write(tmp_path / "b.csv", "a,t\n1,x\n1_000,y\n")], "t", folder=tmp_path)


def test_columns_can_be_ignored_and_must_be_there(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", "name,a,t\nbob,1,0\nann,2,1\n")
    assert reading.read_table([file], "t", ignore=["name"], folder=tmp_path).features == ("a",)
    for ignore, message in (
        (["nam"], "no column 'nam' to ignore"),
        (["name", "a"], "no column is left to be a feature"),
        (["t"], "the target"),
    ):
        with pytest.raises(DataError, match=message):
            reading.read_table([file], "t", ignore=ignore, folder=tmp_path)


def test_a_file_that_is_no_text_further_on(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(b"a,t\n" + b"1,0\n" * 30_000 + b"\xff\xfe,1\n")
    with pytest.raises(DataError, match=r"a\.csv: not UTF-8 text after line \d+; save it as CSV in UTF-8"):
        reading.read_table([file], "t", folder=tmp_path)


def test_many_words_are_no_classes_but_kept_out_of_memory(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", "a,t\n" + "".join(f"{i},{i}.5\n" for i in range(3000)))
    target = reading.read_table([file], "t", folder=tmp_path).target
    assert target.many
    assert len(target.words) == reading.MOST_CLASSES + 1
    assert target.no_number == ""


def test_rows_on_disk_are_the_rows_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator) -> None:
    x = rng.normal(size=(1000, 5))
    found = []
    for memory, block in ((2**26, 2**21), (8000, 1600)):
        monkeypatch.setattr(spool, "MEMORY", memory)
        monkeypatch.setattr(spool, "BLOCK", block)
        kept = spool.Spool(5, tmp_path)
        for start in range(0, 1000, 130):
            kept.write(x[start : start + 130])
        found.append(kept.dataset())
    whole, on_disk = found
    assert list(tmp_path.iterdir()) == []  # the file has no name
    assert (len(on_disk), on_disk.buffer, len(on_disk.blocks())) == (1000, 200, 25)
    numbers = rng.permutation(1000)
    for some in (numbers, numbers[:7], np.array([999]), np.array([], int)):
        np.testing.assert_array_equal(on_disk.batch(some)[0], whole.batch(some)[0])
        assert sum(map(len, on_disk._kept.values())) <= 240
    np.testing.assert_array_equal(on_disk[3][0], x[3])


def test_memory_does_not_grow_with_the_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "ROWS", 200)
    monkeypatch.setattr(spool, "MEMORY", 40_000)
    monkeypatch.setattr(spool, "BLOCK", 8_000)
    peaks = []
    for rows in (2_000, 20_000):
        file = write(tmp_path / "a.csv", "a,b,c,t\n" + "".join(f"{i},{i / 7},{-i},{i % 2}\n" for i in range(rows)))
        reading.read_table([file], "t", folder=tmp_path)  # what is imported only once
        tracemalloc.start()
        table = reading.read_table([file], "t", folder=tmp_path)
        batches = [len(x) for (x,) in nn.data.DataLoader(table.rows, 100, shuffle=True, rng=0)]
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert sum(batches) == rows
    assert peaks[1] < 1.3 * peaks[0]
    assert peaks[1] < 8 * 5 * 20_000 / 2  # half of the rows alone
