"""``autograd-np train --dask``: the same network from the same rows, in blocks; and every mistake in the files is one line."""

from __future__ import annotations

import contextlib
import csv
import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

import nn
from autograd_np import DataError
from autograd_np.cli import train
from autograd_np.demo import data, experiment
from autograd_np.demo.data import blocks
from autograd_np.tabular.files import found_files

dask = pytest.importorskip("dask")

Run = Callable[..., tuple[int, str, str]]
HEADER = ["size", "weight", "kind"]


def rows(n: int = 90, labels: tuple[Any, Any] = ("no", "yes")) -> list[list[Any]]:
    rng = np.random.default_rng(1)
    return [[*(rng.normal(size=2) + 2 * (i % 2)), labels[i % 2]] for i in range(n)]


def write_csv(path: Path, table: list[list[Any]], header: list[str] = HEADER) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *table])


def write_parts(folder: Path, table: list[list[Any]]) -> None:
    write_csv(folder / "all.csv", table)
    for i in range(3):
        write_csv(folder / f"part{i}.csv", table[30 * i : 30 * (i + 1)])


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compute in this process: what is read is the same as on a cluster."""

    @contextlib.contextmanager
    def here(address: str) -> Any:
        with dask.config.set(scheduler="synchronous"):
            yield

    monkeypatch.setattr(train, "cluster", here)


def trained(folder: str) -> dict[str, Any]:
    return {**nn.load(Path(folder) / "parameters.safetensors"), **nn.load(Path(folder) / "standardisation.safetensors")}


def same_as_in_one_piece(run: Run, files: str, dask_at: str = "local") -> str:
    table, told_plain = data.read_table("all.csv", "kind"), Console(file=io.StringIO(), width=100)
    settings: dict[str, Any] = {"hidden": 3, "epochs": 12, "lr": 1.0, "seed": 3}
    assert experiment.run(told_plain, "all.csv", table, data.split(table, 3), **settings, out=Path("plain"))
    plain = told_plain.file.getvalue()
    options = ("--target", "kind", "--epochs", "12", "--seed", "3")
    code, out, err = run("train", files, *options, "--out", "blocks", "--dask", dask_at)
    assert (code, err) == (0, ""), err
    expected, found = trained("plain"), trained("blocks")
    for k in expected:
        np.testing.assert_allclose(found[k], expected[k], rtol=1e-11, atol=1e-13, err_msg=k)
    for line in ("samples", "target", "network", "accuracy on 72", "accuracy on 18"):
        told = [next(x for x in text.splitlines() if x.startswith(line)).rstrip() for text in (out, plain)]
        assert told[0] == told[1]
    return out


def test_csv_files_give_what_they_give_in_one_piece(run: Run, tmp_path: Path, in_process: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK", 600)
    write_parts(tmp_path, rows())
    out = same_as_in_one_piece(run, "part*.csv")
    assert "part0.csv, ... (3 files)" in out
    assert "all 20 agree" in out


def test_parquet_files_give_what_csv_gives(run: Run, tmp_path: Path, in_process: None) -> None:
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    table = rows(labels=(0, 1))
    write_parts(tmp_path, table)
    whole = arrow.table(dict(zip(HEADER, map(list, zip(*table, strict=True)), strict=True)))
    parquet.write_table(whole[:40], tmp_path / "a.parquet", row_group_size=11)
    parquet.write_table(whole[40:], tmp_path / "b.pq")
    same_as_in_one_piece(run, "[ab].p*")


def test_on_a_cluster_of_its_own(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("distributed", reason="pip install 'autograd-np[dask]'")
    write_parts(tmp_path, rows())
    same_as_in_one_piece(run, str(tmp_path / "part*.csv"))


BAD: dict[str, tuple[dict[str, str], str]] = {
    "no match": ({}, "*.csv: no file matches"),
    "other columns": (
        {"a.csv": "a,b,t\n1,2,0\n", "b.csv": "a,c,t\n1,2,1\n"},
        "b.csv: the columns are 'a', 'c', 't'; those of a.csv are 'a', 'b', 't'",
    ),
    "other order": ({"a.csv": "a,b,t\n1,2,0\n", "b.csv": "b,a,t\n1,2,1\n"}, "those of a.csv are"),
    "no target": ({"a.csv": "a,b\n1,2\n"}, "a.csv: there is no column 't' to be the target; the columns are 'a', 'b'"),
    "target alone": ({"a.csv": "t\n0\n1\n"}, "is the only column"),
    "empty": ({"a.csv": "a,t\n1,0\n", "b.csv": ""}, "b.csv: the file is empty"),
    "only names": ({"a.csv": "a,t\n", "b.csv": "a,t\n"}, "a.csv, ... (2 files): there are column names but no rows of data"),
    "no number": ({"a.csv": "a,t\n1,0\n", "b.csv": "a,t\n1,0\nmany,1\n"}, "b.csv, line 3, column 'a': 'many' is not a number"),
    "no finite number": ({"a.csv": "a,t\nnan,0\n1,1\n"}, "a.csv, line 2, column 'a': 'nan' is not a finite number"),
    "blank target": ({"a.csv": "a,t\n1,0\n1,\n"}, "a.csv, line 3, column 't': the target is missing"),
    "long row": ({"a.csv": "a,t\n1,0,9\n3,4\n"}, "a.csv, line 2: 3 cells, expected 2"),
    "three classes": ({"a.csv": "a,t\n1,0\n2,1\n", "b.csv": "a,t\n1,2\n"}, "a.csv, ... (2 files): the target 't' must have exactly two"),
    "one class": ({"a.csv": "a,t\n1,0\n2,0\n"}, "this one has 1: 0"),
    "lonely class": ({"a.csv": "a,t\n1,0\n2,0\n", "b.csv": "a,t\n2,1\n"}, "only one row has t = 1"),
    "huge": ({"a.csv": "a,t\n-1e300,0\n1e300,0\n1e300,1\n-1e300,1\n"}, "column 'a' holds numbers too large to standardise"),
}


@pytest.mark.parametrize("kind", BAD)
def test_files_that_cannot_be_used_are_one_line_and_code_2(run: Run, tmp_path: Path, in_process: None, kind: str) -> None:
    files, message = BAD[kind]
    for name, content in files.items():
        (tmp_path / name).write_text(content, encoding="utf-8", newline="")
    code, out, err = run("train", "*.csv", "--target", "t", "--dask", "local")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith("autograd-np: ")
    assert message in err


def test_parquet_files_that_cannot_be_used(run: Run, tmp_path: Path, in_process: None) -> None:
    arrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    for columns, message in (
        ({"a": ["many", "few"], "t": [0, 1]}, "no type of number; every column but the target must hold numbers"),
        ({"a": [1.0, None], "t": [0, 1]}, "a.parquet, column 'a': there is a number that is missing or not finite"),
        ({"a": [1.0, 2.0], "t": ["x", None]}, "column 't': the target is missing in 1 rows ('')"),
    ):
        parquet.write_table(arrow.table(columns), tmp_path / "a.parquet")
        code, out, err = run("train", "a.parquet", "--target", "t", "--dask", "local")
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert message in err
    (tmp_path / "a.parquet").write_bytes(b"no parquet")
    assert "a.parquet: not readable as Parquet" in run("train", "a.parquet", "--target", "t", "--dask", "local")[2]
    write_csv(tmp_path / "b.csv", rows(4))
    assert "some files are Parquet and others CSV" in run("train", "*.*", "--target", "t", "--dask", "local")[2]


def test_without_dask_the_error_says_what_to_install(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_parts(tmp_path, rows())
    monkeypatch.setitem(sys.modules, "distributed", None)
    code, out, err = run("train", "part*.csv", "--target", "kind", "--dask", "local")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "is not installed; run pip install 'autograd-np[dask]'" in err


def test_an_address_at_which_nobody_answers(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("autograd_np.demo.cluster.PATIENCE", "1s")
    write_parts(tmp_path, rows())
    code, out, err = run("train", "part*.csv", "--target", "kind", "--dask", "tcp://127.0.0.1:9")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "no scheduler answers at 'tcp://127.0.0.1:9'" in err


def test_blocks_are_what_the_whole_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK", 300)
    write_parts(tmp_path, rows())
    whole = data.read_table(tmp_path / "all.csv", "kind")
    with dask.config.set(scheduler="synchronous"):
        table = blocks.read_tables(found_files([tmp_path / "part*.csv"]), "kind")
        assert len(table.x.chunks[0]) > 3
        assert (table.features, table.labels) == (whole.features, whole.labels)
        np.testing.assert_array_equal(np.asarray(table.x), whole.x)
        np.testing.assert_array_equal(np.asarray(table.y), whole.y)
        for found, expected in zip(blocks.split_blocks(table, 5), data.split(whole, 5), strict=True):
            np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-12, atol=1e-14)
    with pytest.raises(DataError, match=r"nowhere\.csv: no such file"):
        found_files([tmp_path / "nowhere.csv"])
