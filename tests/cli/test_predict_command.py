"""The command ``autograd-np predict``: predictions of a trained model, and what is missing is named."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def trained(run: Run, tmp_path: Path) -> Path:
    """Train on two clouds and return the data."""
    rng = np.random.default_rng(1)
    file = tmp_path / "own.csv"
    with file.open("w", encoding="utf-8", newline="") as out:
        rows = [[*(rng.normal(size=2) + 5 * (i % 2)), ("no", "yes")[i % 2]] for i in range(60)]
        csv.writer(out).writerows([["size", "weight", "kind"], *rows])
    assert run("train", "own.csv", "--target", "kind", "--lr", "0.02", "--epochs", "30", "--out", "o")[0] == 0
    return file


def test_predictions(run: Run, tmp_path: Path, trained: Path) -> None:
    code, out, err = run("predict", "o", "own.csv")
    assert (code, err) == (0, "")
    assert out == "not looked at: 'kind', which is what is predicted\npredictions.csv  (60 predictions of 'kind')\n"
    with (tmp_path / "predictions.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["kind", "p(no)", "p(yes)"]
    assert sum(row["kind"] == ("no", "yes")[i % 2] for i, row in enumerate(rows)) >= 58
    assert all(float(row[f"p({row['kind']})"]) >= 0.5 for row in rows)
    (tmp_path / "other.csv").write_text("weight;size\n5;5\n0;0\n")
    code, out, err = run("predict", "o/model.safetensors", "other.csv", "--out", "-")
    assert (code, err) == (0, "")
    assert [line.split(",")[0] for line in out.splitlines()] == ["kind", "yes", "no"]


def test_what_is_missing_or_left_over_is_named(run: Run, tmp_path: Path, trained: Path) -> None:
    (tmp_path / "a.csv").write_text("Size,weight,colour\x1b\n1,2,3\n")
    code, out, err = run("predict", "o", "a.csv")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert r"a.csv: there is no column 'size' (is it 'Size'?), which the model takes; the columns are 'Size', 'weight'," in err
    assert "\x1b" not in err
    assert not (tmp_path / "predictions.csv").exists()
    (tmp_path / "b.csv").write_text("size,weight,colour\n1,2,red\n1,,red\n")
    code, _, err = run("predict", "o", "b.csv")
    assert code == 2
    assert "b.csv, line 3, column 'weight': the cell is empty; expected a number (--skip-missing" in err
    code, out, err = run("predict", "o", "b.csv", "--skip-missing", "--out", "-")
    assert (code, err) == (0, "not used: 'colour'\nrows with missing cells, and so without a prediction: 1\n")
    assert out.splitlines()[2] == ",,"
    assert "cannot write nowhere/p.csv" in run("predict", "o", "b.csv", "--skip-missing", "--out", "nowhere/p.csv")[2]


def test_a_value_comes_back_in_its_unit(run: Run, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 2)) * [1, 1000]
    lines = [f"{a},{b},{1e6 + 5e4 * a + 20 * b}" for a, b in x.tolist()]
    (tmp_path / "p.csv").write_text("\n".join(["a,b,price", *lines]))
    assert run("train", "p.csv", "--target", "price", "--hidden", "none", "--lr", "0.1", "--epochs", "60", "--out", "o")[0] == 0
    assert run("predict", "o", "p.csv", "--out", "q.csv")[0] == 0
    header, *values = (tmp_path / "q.csv").read_text().splitlines()
    assert header == "price"
    np.testing.assert_allclose([float(v) for v in values], 1e6 + x @ [5e4, 20], rtol=1e-3)
