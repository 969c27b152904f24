"""The command ``autograd-np train``: a person's own table, and every mistake in it is one line and exit code 2."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import nn

Run = Callable[..., tuple[int, str, str]]


def write_csv(path: Path, header: list[str], rows: list[list[object]]) -> str:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return str(path)


def two_clouds(path: Path, labels: tuple[object, object] = (0, 1), n: int = 40) -> str:
    rng = np.random.default_rng(1)
    rows = [[*(rng.normal(size=2) + 3 * (i % 2)), labels[i % 2]] for i in range(n)]
    return write_csv(path, ["size", "weight", "kind"], rows)


def test_train_on_a_file_of_words(run: Run, tmp_path: Path) -> None:
    file = two_clouds(tmp_path / "own.csv", ("no", "yes"))
    code, out, err = run("train", file, "--target", "kind", "--hidden", "4", "--epochs", "200", "--lr", "0.5", "--seed", "5", "--out", "o")
    assert (code, err) == (0, "")
    assert "no -> 0 (20 samples), yes -> 1 (20)" in out
    assert "2-4-1, 17 parameters" in out
    assert [int(n) for n in re.findall(r"(\d+) of", out)] >= [31, 7]
    assert nn.load(tmp_path / "o" / "parameters.safetensors")["0.weight"].shape == (4, 2)


def test_a_constant_feature_does_no_harm(run: Run, tmp_path: Path) -> None:
    file = write_csv(tmp_path / "c.csv", ["a", "same", "t"], [[i, 7, i % 2] for i in range(10)])
    assert run("train", file, "--target", "t", "--epochs", "3")[0] == 0


BAD_FILES = {
    "empty": ("", "x.csv: the file is empty"),
    "only names": ("a,b,t\n", "no rows of data"),
    "only separators": (",,\n,,\n", "holds no data"),
    "no names": ("1,2,0\n3,4,1\n", "the first line holds numbers"),
    "no target": ("a,b\n1,2\n", "there is no column 't' to be the target; the columns are 'a', 'b'"),
    "target alone": ("t\n0\n1\n", "is the only column"),
    "one class": ("a,t\n1,0\n2,0\n", "must have exactly two different values, this one has 1: 0"),
    "three classes": ("a,t\n1,x\n2,y\n3,z\n", "this one has 3: 'x', 'y', 'z'"),
    "lonely class": ("a,t\n1,0\n2,0\n3,1\n", "only one row has t = 1"),
    "text": ("a,b,t\n1,2,0\n3,many,1\n", "x.csv, line 3, column 'b': 'many' is not a number"),
    "NaN": ("a,b,t\n1,2,0\nNaN,4,1\n", "x.csv, line 3, column 'a': 'NaN' is not a finite number"),
    "inf": ("a,b,t\n1,-inf,0\n1,4,1\n", "x.csv, line 2, column 'b': '-inf' is not a finite number"),
    "blank cell": ("a,b,t\n1,,0\n3,4,1\n", "x.csv, line 2, column 'b': the cell is empty"),
    "blank target": ("a,b,t\n1,2,\n3,4,1\n", "x.csv, line 2, column 't': the target is missing"),
    "NaN target": ("a,t\n1,nan\n3,1\n", "x.csv, line 2, column 't': the target is missing ('nan')"),
    "python number": ("a,t\n1_000,0\n3,1\n", "'1_000' is not a number"),
    "short row": ("a,b,t\n1,2,0\n3,4\n", "x.csv, line 3: 2 cells, expected 3"),
    "long row": ("a,b,t\n1,2,0,9\n3,4,1\n", "x.csv, line 2: 4 cells, expected 3"),
    "twice the same name": ("a,a,t\n1,2,0\n", "2 columns are called 'a'"),
    "nameless column": (",b,t\n1,2,0\n", "a column has no name"),
    "open quote": ('a,"b,t\n1,2,0\n', "not readable as CSV"),
    "line after a multi-line cell": ('a,"b\nb",t\n1,x,0\n2,3,1\n', "x.csv, line 3, column 'b\\nb': 'x' is not a number"),
    "huge": ("a,t\n-1e300,0\n1e300,0\n1e300,1\n-1e300,1\n1e300,0\n-1e300,1\n", "too large to standardise"),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_file_that_cannot_be_used_is_one_line_and_code_2(run: Run, tmp_path: Path, kind: str) -> None:
    content, message = BAD_FILES[kind]
    (tmp_path / "x.csv").write_text(content, encoding="utf-8", newline="")
    code, out, err = run("train", "x.csv", "--target", "t")
    assert (code, out) == (2, "")
    assert err.startswith("autograd-np: ")
    assert message in err
    assert err.count("\n") == 1


def test_files_that_cannot_be_read(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bin.csv").write_bytes(b"a,t\n\xff\xfe,1\n")
    (tmp_path / "folder.csv").mkdir()
    for name, message in (("nowhere.csv", "no such file"), ("folder.csv", "this is a directory"), ("bin.csv", "not UTF-8 text")):
        code, out, err = run("train", name, "--target", "t")
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert f"{name}: {message}" in err


def test_column_names_and_labels_cannot_command_the_terminal(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "a\x1b[2J.csv"
    write_csv(
        path, ["x\x1b[31m", "line\nbreak\u202e", "target\x07"], [[i, -i, "yes\x9b" if i % 2 else "no\x1b]0;t\x07"] for i in range(40)]
    )
    code, out, err = run("train", str(path), "--target", "target\x07", "--epochs", "5", "--out", str(tmp_path / "out\x1b[1m"))
    assert code in (0, 1), err
    assert r"x\x1b[31m" in out
    for text in (out, err):
        assert not [c for c in text if not c.isprintable() and c not in "\n\t"], text
    for target in ("nowhere\x1b[2J", "x\x1b[31m"):
        code, out, err = run("train", str(path), "--target", target, "--out", str(tmp_path))
        assert code == 2
        assert not [c for c in out + err if not c.isprintable() and c not in "\n\t"], err
