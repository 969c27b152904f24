"""The command ``autograd-np train``: a person's own table, any task; interruptions; and every mistake is one line and exit code 2."""

from __future__ import annotations

import contextlib
import csv
import html
import itertools
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import nn
from autograd_np.cli import train
from autograd_np.tabular import network, tasks

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
    options = ["--hidden", "4", "--epochs", "200", "--lr", "0.5", "--optimiser", "sgd", "--seed", "5", "--out", "o"]
    code, out, err = run("train", file, "--target", "kind", *options)
    assert (code, err) == (0, "")
    assert "kind: no (20 samples), yes (20 samples)" in out
    assert "binary: it has two different values (another one by --task multiclass)" in out
    assert "2-4-1, 17 parameters" in out
    right = [int(n) for n in re.findall(r"\((\d+) of", out)]
    assert right[0] >= 27
    assert right[2] >= 7
    assert nn.load(tmp_path / "o" / "model.safetensors")["0.weight"].shape == (4, 2)
    written = re.findall(r"^  (o/\S+)  ", out, re.MULTILINE)
    assert sorted(written) == sorted(str(p.relative_to(tmp_path)) for p in (tmp_path / "o").iterdir())


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
    "one class": ("a,t\n1,0\n2,0\n", "must have two different values or more, this one has 1: 0"),
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
    "huge": (
        "a,t\n-1e300,0\n1e300,0\n1e300,1\n-1e300,1\n1e300,0\n-1e300,1\n",
        "x.csv, line 2, column 'a': '-1e300' is too large to standardise",
    ),
    "few rows": ("a,t\n1,0.5\n", "must have two different values or more"),
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


# --- tasks and files ------------------------------------------------------------------------------


def model(folder: Path) -> tuple[dict[str, bytes], dict[str, str]]:
    """Return all that is in a model's file; texts may stand there in any order."""
    file = folder / "model.safetensors"
    return {name: a.tobytes() for name, a in nn.load(file).items()}, nn.io.read_metadata(file)


def three_clouds(path: Path, n: int = 90) -> str:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(n, 2))
    rows = [[a + 4 * (i % 3), b + 3 * (i % 3 == 1), ("cat", "dog", "=1+1")[i % 3]] for i, (a, b) in enumerate(x.tolist())]
    return write_csv(path, ["size", "weight", "kind"], rows)


def plane(path: Path, n: int = 120) -> str:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(n, 2))
    return write_csv(path, ["a", "b", "price"], [[*row, 5e4 + 1e4 * row[0] - 3e3 * row[1]] for row in x.tolist()])


def test_several_classes(run: Run, tmp_path: Path) -> None:
    code, out, err = run("train", three_clouds(tmp_path / "k.csv"), "--target", "kind", "--lr", "0.02", "--epochs", "40", "--out", "o")
    assert (code, err) == (0, "")
    assert "multiclass: it has 3 different values, which are not all numbers" in out
    assert "2-32-16-3" in out
    assert re.search(r"accuracy on 18 test samples: (9\d|100)\.\d% \(\d+ of 18\); '\S+' for all would be 33\.3%", out)
    assert "a row for each true kind" in out


def test_a_number(run: Run, tmp_path: Path) -> None:
    code, out, err = run("train", plane(tmp_path / "p.csv"), "--target", "price", "--hidden", "none", "--lr", "0.1", "--out", "o")
    assert (code, err) == (0, "")
    assert "regression: it has 120 different values, all of them numbers (another one by --task multiclass)" in " ".join(out.split())
    assert "2-1, 3 parameters" in out
    found = re.search(r"error on 24 test samples: (\S+) \(root mean square\).* R² 1\.000", out.replace("\n", " "))
    assert found
    assert float(found[1]) < 100  # in the unit of the price


def test_files_and_globs_are_one_table(run: Run, tmp_path: Path) -> None:
    file = Path(two_clouds(tmp_path / "all.csv", n=60))
    head, *lines = file.read_text("utf-8").splitlines(keepends=True)
    for i in range(3):
        (tmp_path / f"part{i}.csv").write_text(head + "".join(lines[20 * i : 20 * (i + 1)]), "utf-8")
    options = ("--target", "kind", "--epochs", "3")
    assert run("train", "all.csv", *options, "--out", "a")[0] == 0
    code, out, _ = run("train", "part0.csv", "part[12].csv", *options, "--out", "b")
    assert code == 0
    assert "part0.csv, ... (3 files)" in out
    assert model(tmp_path / "a") == model(tmp_path / "b")


def test_parquet(run: Run, tmp_path: Path) -> None:
    arrow, parquet, csv_of = (pytest.importorskip(name) for name in ("pyarrow", "pyarrow.parquet", "pyarrow.csv"))
    table = csv_of.read_csv(three_clouds(tmp_path / "k.csv"))
    parquet.write_table(table, tmp_path / "k.parquet", row_group_size=11)
    assert isinstance(table, arrow.Table)
    for name in ("k.csv", "k.parquet"):
        assert run("train", name, "--target", "kind", "--epochs", "3", "--out", name[2:])[0] == 0
    assert model(tmp_path / "csv") == model(tmp_path / "parquet")
    assert run("predict", "csv", "k.parquet")[0] == 0


def test_missing_cells(run: Run, tmp_path: Path) -> None:
    rows = [[i, "NA" if i == 4 else -i, "" if i == 7 else i % 2] for i in range(30)]
    write_csv(tmp_path / "m.csv", ["a", "b", "t"], rows)
    code, out, err = run("train", "m.csv", "--target", "t")
    assert (code, out) == (2, "")
    assert "m.csv, line 6, column 'b': 'NA' is not a number" in err
    assert err.endswith("(--drop-missing leaves such rows out)\n")
    assert not (tmp_path / "autograd-np-train").exists()
    code, out, err = run("train", "m.csv", "--target", "t", "--drop-missing", "--epochs", "2")
    assert (code, err) == (0, "")
    assert "samples     28:" in out
    assert "2 rows with a missing cell, by its column: b 1, t 1" in out


def test_columns_that_are_no_features(run: Run, tmp_path: Path) -> None:
    write_csv(tmp_path / "m.csv", ["name", "a", "t"], [[f"n{i}", i, i % 2] for i in range(30)])
    assert "column 'name': 'n0' is not a number" in run("train", "m.csv", "--target", "t")[2]
    code, out, _ = run("train", "m.csv", "--target", "t", "--ignore", "name", "--epochs", "2")
    assert code == 0
    assert "1: a" in out


def test_the_report_has_a_command_that_makes_the_same_model(run: Run, tmp_path: Path) -> None:
    three_clouds(tmp_path / "k.csv")
    assert (
        run("train", "k.csv", "--target", "kind", "--epochs", "4", "--lr", "0.01", "--hidden", "5,4", "--seed", "3", "--out", "o")[0] == 0
    )
    command = html.unescape(re.search("<pre>(.*?)</pre>", (tmp_path / "o" / "report.html").read_text("utf-8"))[1])  # type: ignore[index]
    program, *args = shlex.split(command)
    assert program == "autograd-np"
    before = model(tmp_path / "o")
    (tmp_path / "o" / "model.safetensors").unlink()
    assert run(*args)[0] == 0
    assert model(tmp_path / "o") == before


@pytest.mark.parametrize(("activation", "optimiser"), list(zip(network.ACTIVATIONS, itertools.cycle(network.OPTIMISERS), strict=False)))
def test_every_optimiser_and_activation_learns_at_its_own_rate(run: Run, tmp_path: Path, activation: str, optimiser: str) -> None:
    options = ["--optimiser", optimiser, "--activation", activation]
    code, _, err = run("train", three_clouds(tmp_path / "k.csv"), "--target", "kind", "--epochs", "15", "--out", "o", *options)
    assert (code, err) == (0, "")
    first, *_, last = (float(row["loss"]) for row in csv.DictReader((tmp_path / "o" / "history.csv").read_text("utf-8").splitlines()))
    assert last < 0.95 * first


def test_the_choices_are_those_of_the_library() -> None:
    assert [choice.value for choice in train.Optimiser] == list(network.OPTIMISERS)
    assert [choice.value for choice in train.Activation] == list(network.ACTIVATIONS)
    assert [choice.value for choice in train.TaskName] == ["auto", *tasks.KINDS]


# --- interruptions --------------------------------------------------------------------------------

OPTIONS = ("train", "k.csv", "--target", "kind", "--epochs", "12", "--batch-size", "8", "--lr", "0.01", "--hidden", "6")


@pytest.mark.parametrize("batch", [5, 16, 61])
def test_ctrl_c_saves_after_the_batch_and_resume_goes_on_bit_for_bit(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    three_clouds(tmp_path / "k.csv")
    assert run(*OPTIONS, "--out", "whole")[0] == 0
    step = nn.Adam.step
    steps = []

    def interrupted(self: nn.Adam) -> None:
        step(self)
        steps.append(1)
        if len(steps) == batch:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(nn.Adam, "step", interrupted)
    code, _, err = run(*OPTIONS, "--out", "part")
    assert code == 130
    assert len(steps) == batch  # the batch was finished, and no other begun
    assert err == (
        "autograd-np: stopped after a whole batch; saved in part/checkpoint.safetensors\n"
        "autograd-np: the same command with --resume goes on from there\n"
    )
    code, out, err = run(*OPTIONS, "--out", "part", "--resume")
    assert (code, err) == (0, "")
    assert "\nresumed\n" in out
    assert model(tmp_path / "part") == model(tmp_path / "whole")
    assert (tmp_path / "part" / "history.csv").read_bytes() == (tmp_path / "whole" / "history.csv").read_bytes()


def test_only_the_same_training_is_resumed(run: Run, tmp_path: Path) -> None:
    three_clouds(tmp_path / "k.csv")
    code, out, _ = run(*OPTIONS, "--out", "o", "--resume")
    assert code == 0
    assert "there is no checkpoint in o yet: the training starts at its beginning" in out
    for option, message in (
        ("--seed=1", "seed: it was begun with 0, and here it is 1"),
        ("--test=0.3", "test: it was begun with 0.2, and here it is 0.3"),
        ("--lr=0.02", "lr: it was begun with 0.01, and here it is 0.02"),
        ("--batch-size=4", "the checkpoint does not fit: o/checkpoint.safetensors: "),
        ("--optimiser=sgd", "the checkpoint does not fit: o/checkpoint.safetensors: the state for SGD"),
        ("--task=regression", "'cat' is no finite number"),
    ):
        code, _, err = run(*OPTIONS, option, "--out", "o", "--resume")
        assert (code, err.count("\n")) == (2, 1)
        assert message in err
    code, out, _ = run(*OPTIONS[:5], "14", *OPTIONS[6:], "--out", "o", "--resume")  # more epochs are allowed
    assert code == 0
    assert "epoch 14/14" in out
    assert "epoch 12/14" not in out
    file = tmp_path / "k.csv"
    file.write_text(file.read_text("utf-8").replace("cat", "dog", 1), "utf-8")
    assert "data: they have changed since" in run(*OPTIONS, "--out", "o", "--resume")[2]


def test_a_loss_that_diverges_is_told_with_the_layer_and_what_to_do(run: Run, tmp_path: Path) -> None:
    plane(tmp_path / "p.csv")
    code, _, err = run("train", "p.csv", "--target", "price", "--optimiser", "sgd", "--lr", "1e200", "--hidden", "4")
    assert (code, err.count("\n")) == (2, 1)
    assert err.startswith("autograd-np: the training diverges: ")
    assert re.search(r"layer \d \(|parameter \d\.", err)
    assert err.endswith("Here that is --lr 1e+199 or --clip-norm 1\n")
    assert run("train", "p.csv", "--target", "price", "--optimiser", "sgd", "--clip-norm", "0.1", "--epochs", "3")[0] == 0


def test_a_loss_that_rises_is_told_too(run: Run, tmp_path: Path) -> None:
    plane(tmp_path / "p.csv")
    code, _, err = run("train", "p.csv", "--target", "price", "--optimiser", "sgd", "--lr", "1.2", "--hidden", "none", "--epochs", "4")
    assert code == 0
    assert re.search(r"^autograd-np: the loss of epoch \d is .*: the training diverges\.", err)


# --- how it looks ---------------------------------------------------------------------------------


def test_help_is_readable_at_80_columns(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for command in ("train", "predict"):
        code, out, _ = run(command, "--help")
        assert code == 0
        assert max(map(len, out.splitlines())) <= 80
        assert "Exit code" in out
    assert "--drop-missing" in run("train", "--help")[1]


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_a_terminal_shows_bars_and_a_pipe_plain_lines(tmp_path: Path) -> None:
    import pty

    three_clouds(tmp_path / "k.csv")
    args = [sys.executable, "-m", "autograd_np", "train", "k.csv", "--target", "kind", "--epochs", "2"]
    environment = {**os.environ, "PYTHONPATH": str(Path(nn.__file__).parents[1]), "COLUMNS": "100", "TERM": "xterm"}
    main, terminal = pty.openpty()
    with subprocess.Popen(args, cwd=tmp_path, stdout=terminal, stderr=terminal, env=environment) as process:
        os.close(terminal)
        shown = b""
        with contextlib.suppress(OSError):  # the other end is closed
            while piece := os.read(main, 65536):
                shown += piece
    os.close(main)
    assert process.returncode == 0
    assert shown.index(b"reading") < shown.index(b"samples")
    assert b"\x1b[" in shown
    assert b"epoch 2/2" in shown
    done = subprocess.run(args, cwd=tmp_path, capture_output=True, env=environment, check=True)
    assert b"\x1b" not in done.stdout
    assert done.stdout.count(b"\nepoch ") == 2
    assert done.stderr == b""


def test_large_files_say_how_far_reading_is(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograd_np.cli.reading.LARGE", 100)
    monkeypatch.setattr("autograd_np.cli.reading.PAUSE", 0.0)
    monkeypatch.setattr("autograd_np.tabular.files.ROWS", 30)
    _, out, _ = run("train", three_clouds(tmp_path / "k.csv"), "--target", "kind", "--epochs", "1")
    first, *others = out.splitlines()
    assert first == "reading 0 MB"
    assert others[0].endswith("%, 30 rows")
    assert re.fullmatch(r"  read 90 rows in \d+\.\d s", others[3])


def test_rows_that_do_not_fit_into_memory_train_the_same_kind_of_model(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograd_np.tabular.spool.MEMORY", 2000)
    monkeypatch.setattr("autograd_np.tabular.spool.BLOCK", 400)
    three_clouds(tmp_path / "k.csv", 300)
    code, out, err = run("train", "k.csv", "--target", "kind", "--lr", "0.02", "--epochs", "20", "--out", "o")
    assert (code, err) == (0, "")
    assert re.search(r"accuracy on 60 test samples: (9\d|100)", out)
