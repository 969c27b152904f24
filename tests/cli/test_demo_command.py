"""The command line: what it writes and prints is true, and every mistake is one line and exit code 2."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import autograd_np as ag
import nn
from autograd_np import cli
from autograd_np.demo import data, textbook, training

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command in an empty folder; returns the exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")

    def call(*args: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            cli.main(args)
        return (int(left.value.code or 0), *capsys.readouterr())

    return call


def write_csv(path: Path, header: list[str], rows: list[list[object]]) -> str:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return str(path)


def two_clouds(path: Path, labels: tuple[object, object] = (0, 1), n: int = 40) -> str:
    rng = np.random.default_rng(1)
    rows = [[*(rng.normal(size=2) + 3 * (i % 2)), labels[i % 2]] for i in range(n)]
    return write_csv(path, ["size", "weight", "kind"], rows)


# --- the demo -------------------------------------------------------------------------------------


def test_demo_writes_what_it_names_and_its_accuracy_is_true(run: Run, tmp_path: Path) -> None:
    code, out, err = run("demo", "--epochs", "300", "--seed", "3")
    assert (code, err) == (0, "")
    folder = tmp_path / "autograd-np-demo"
    assert sorted(re.findall(r"autograd-np-demo/\S+", out)) == sorted(str(p.relative_to(tmp_path)) for p in folder.iterdir())
    saved, scaling = nn.load(folder / "parameters.safetensors"), nn.load(folder / "standardisation.safetensors")
    assert {k: v.shape for k, v in saved.items()} == {"0.weight": (3, 2), "0.bias": (3,), "2.weight": (1, 3), "2.bias": (1,)}
    table = data.breast_cancer()
    x = (table.x - scaling["mean"]) / scaling["scale"]
    hidden = 1 / (1 + np.exp(-(x @ saved["0.weight"].T + saved["0.bias"])))
    right = int(np.sum((hidden @ saved["2.weight"].T + saved["2.bias"] >= 0) == table.y))
    told = [int(n) for n in re.findall(r"\((\d+) of \d+\)", out)]
    assert sum(told) == right
    assert right / 569 > 0.93


def test_demo_draws_the_network_by_the_names_of_the_textbook(run: Run, tmp_path: Path) -> None:
    run("demo", "--epochs", "2", "--out", "a/b")
    texts = {e.text for e in ET.parse(tmp_path / "a" / "b" / "graph.svg").iter("{http://www.w3.org/2000/svg}text")}
    assert {"W1", "b1", "W2", "b2", "X", "Y", "Z1", "A1", "Z2", "A2", "cost"} <= texts
    assert (tmp_path / "a" / "b" / "graph.dot").read_text("utf-8").startswith("digraph {")


def test_demo_is_reproducible(run: Run) -> None:
    first, second, other = (run("demo", "--epochs", "20", "--seed", seed)[1] for seed in ("1", "1", "2"))
    assert first == second
    assert first != other


def test_the_table_of_errors_has_five_points_and_says_agree(run: Run) -> None:
    _, out, _ = run("demo", "--epochs", "40")
    rows = re.findall(r"^ *(\d+) +(\d\.\d{4})((?: \d+e[+-]\d+){4}) *$", out, re.MULTILINE)
    assert [int(epoch) for epoch, _, _ in rows] == [0, 10, 20, 30, 40]
    assert float(rows[-1][1]) < float(rows[0][1])
    assert all(float(e) <= textbook.TOLERANCE for _, _, errors in rows for e in errors.split())
    assert "all 20 agree within 1e-10" in out


@pytest.mark.parametrize("factor", [-1.0, 1 + 1e-6, float("nan")])
def test_a_wrong_engine_is_found(run: Run, monkeypatch: pytest.MonkeyPatch, factor: float) -> None:
    right = training.textbook_arrays
    monkeypatch.setattr(
        training,
        "textbook_arrays",
        lambda model, gradient=False: {
            k: v * (factor if gradient and k == "W2" else 1.0) for k, v in right(model, gradient=gradient).items()
        },
    )
    code, out, _ = run("demo", "--epochs", "4")
    assert code == 1
    assert "NOT equal within 1e-10: dW2 at epoch 0" in out
    assert "dW1 at" not in out


def test_the_comparison_is_of_hand_derived_gradients(rng: np.random.Generator) -> None:
    X, Y = rng.normal(size=(2, 9)), (rng.random((1, 9)) < 0.5).astype(float)
    p = {"W1": rng.normal(size=(3, 2)), "b1": rng.normal(size=(3, 1)), "W2": rng.normal(size=(1, 3)), "b2": rng.normal(size=(1, 1))}
    engine = dict(zip(p, ag.grad(textbook.cost_of(X, Y), argnums=(0, 1, 2, 3))(*p.values()), strict=True))
    hand = textbook.hand_derived(**p, X=X, Y=Y)
    for name in p:
        np.testing.assert_allclose(engine[name], hand[name], rtol=1e-12, atol=1e-15)
    assert max(textbook.compare(p, engine, X, Y).values()) < 1e-14
    assert textbook.compare(p, {**engine, "b1": engine["b1"] * 1.001}, X, Y)["b1"] > 1e-6


@pytest.mark.parametrize("width", [36, 60])
def test_piped_into_a_narrow_terminal(run: Run, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    _, out, _ = run("demo", "--epochs", "4")
    assert "\x1b" not in out
    before, written = out.split("Written:")
    assert max(len(line) for line in before.splitlines()) <= width
    assert "…" not in out
    assert "  autograd-np-demo/graph.svg  " in written  # a path is never broken


# --- a person's own file --------------------------------------------------------------------------


def test_train_on_a_file_of_words(run: Run, tmp_path: Path) -> None:
    file = two_clouds(tmp_path / "own.csv", ("no", "yes"))
    code, out, err = run("train", file, "--target", "kind", "--hidden", "4", "--epochs", "200", "--lr", "0.5", "--seed", "5", "--out", "o")
    assert (code, err) == (0, "")
    assert "no -> 0 (20 samples), yes -> 1 (20)" in out
    assert "2-4-1, 17 parameters" in out
    assert [int(n) for n in re.findall(r"(\d+) of", out)] >= [31, 7]
    assert nn.load(tmp_path / "o" / "parameters.safetensors")["0.weight"].shape == (4, 2)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_what_spreadsheets_write(tmp_path: Path, separator: str) -> None:
    rows = ["a b,t,c", '1.5,2,"3"', "", " 2e3 ,7,-.5", "0,2,1", "1,7,1"]
    file = tmp_path / "x.csv"
    file.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(rows).replace(",", separator).encode())
    table = data.read_table(file, "t")
    assert table.features == ("a b", "c")
    assert table.x.tolist() == [[1.5, 3.0], [2000.0, -0.5], [0.0, 1.0], [1.0, 1.0]]
    assert table.y.tolist() == [[0.0], [1.0], [0.0], [1.0]]
    assert table.labels == ("2", "7")


def test_the_split_keeps_classes_standardises_by_the_training_part_and_loses_nothing() -> None:
    table = data.breast_cancer()
    part = data.split(table, seed=0)
    assert (len(part.y_train), len(part.y_test)) == (456, 113)
    assert abs(part.y_test.mean() - table.y.mean()) < 0.01
    np.testing.assert_allclose(part.x_train.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(part.x_train.std(axis=0), 1)
    raw = np.concatenate([part.x_train, part.x_test]) * part.scale + part.mean
    np.testing.assert_allclose(np.sort(raw, axis=0), np.sort(table.x, axis=0))
    assert not np.array_equal(part.x_test, data.split(table, seed=1).x_test)


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


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["demo", "--epochs", "0"], "--epochs"),
        (["demo", "--epochs", "many"], "--epochs"),
        (["demo", "--lr", "0"], "--lr"),
        (["demo", "--lr", "nan"], "--lr"),
        (["demo", "--lr", "inf"], "--lr"),
        (["demo", "--lr", "-1"], "--lr"),
        (["demo", "--seed", "-1"], "--seed"),
        (["demo", "--nonsense"], "--nonsense"),
        (["demo", "--out", "taken"], "cannot make the folder taken"),
        (["train", "own.csv"], "--target"),
        (["train"], "DATA.csv"),
        (["train", "own.csv", "--target", "kind", "--hidden", "0"], "--hidden"),
        (["nonsense"], "nonsense"),
    ],
)
def test_wrong_options_are_one_line_and_code_2(run: Run, tmp_path: Path, args: list[str], message: str) -> None:
    (tmp_path / "taken").touch()
    two_clouds(tmp_path / "own.csv")
    code, out, err = run(*args)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err


def test_training_that_diverges_says_so(run: Run) -> None:
    code, _, err = run("demo", "--lr", "1e308", "--epochs", "9")
    assert code == 2
    assert re.search(r"--lr.*the loss became \w+ after \d epochs", err)


def test_version_help_and_the_module(run: Run) -> None:
    assert run("--version") == (0, f"autograd-np {ag.__version__}\n", "")
    code, out, _ = run()
    assert code == 0
    assert "demo" in out
    assert "train" in out
    root = str(Path(ag.__file__).parent.parent)
    done = subprocess.run([sys.executable, "-m", "autograd_np", "--version"], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout == f"autograd-np {ag.__version__}\n"


def test_the_shipped_data_state_their_source_and_licence() -> None:
    table = data.breast_cancer()
    assert table.x.shape == (569, 2)
    assert (int(table.y.sum()), table.labels) == (212, ("0", "1"))
    assert table.x[table.y[:, 0] == 1].mean() > table.x[table.y[:, 0] == 0].mean()
    readme = (Path(data.__file__).parent / "README.md").read_text("utf-8")
    assert "10.24432/C5DW2B" in readme
    assert "CC BY 4.0" in readme
