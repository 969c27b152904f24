"""The command ``autograd-np demo``: what it writes and prints is true."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import nn
from autograd_np.demo import data, textbook, training

Run = Callable[..., tuple[int, str, str]]


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
    told = [int(n) for n in re.findall(r"\((\d+) of \d+ on the right side", out)]
    assert sum(told) == right
    assert right / 569 > 0.93


def test_demo_draws_the_network_by_the_names_of_the_textbook(run: Run, tmp_path: Path) -> None:
    run("demo", "--epochs", "2", "--out", "a/b")
    picture = ET.parse(tmp_path / "a" / "b" / "graph.svg")
    texts = {e.text for e in picture.iter("{http://www.w3.org/2000/svg}text")}
    assert {"W1", "b1", "W2", "b2", "X", "Y", "Z1", "A1", "Z2", "A2", "cost"} <= texts
    assert sum(e.get("class") == "node parameter" for e in picture.iter("{http://www.w3.org/2000/svg}g")) == 4
    assert (tmp_path / "a" / "b" / "graph.dot").read_text("utf-8").startswith("digraph {")


def test_every_figure_says_what_it_counts(run: Run) -> None:
    _, out, _ = run("demo", "--epochs", "4")
    assert re.search(r"^accuracy on 456 training samples: \d\d\.\d% \(\d+ of 456 on the right side of 0\.5\)$", out, re.MULTILINE)
    assert re.search(r"^accuracy on 113 test samples: ", out, re.MULTILINE)
    assert "the loss is the mean cross-entropy of the training samples" in out
    assert "all 20 agree within 1e-10: 4 gradients at 5 epochs" in out


def test_demo_writes_the_page_to_step_through(run: Run, tmp_path: Path) -> None:
    run("demo", "--epochs", "2", "--out", "o")
    page = (tmp_path / "o" / "graph.html").read_text("utf-8")
    assert "Content-Security-Policy" in page
    assert '"W1"' in page


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


@pytest.mark.parametrize("width", [36, 60])
def test_piped_into_a_narrow_terminal(run: Run, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    _, out, _ = run("demo", "--epochs", "4")
    assert "\x1b" not in out
    before, written = out.split("Written:")
    assert max(len(line) for line in before.splitlines()) <= width
    assert "…" not in out
    assert "  autograd-np-demo/graph.svg  " in written  # a path is never broken


def test_training_that_diverges_says_so(run: Run) -> None:
    code, _, err = run("demo", "--lr", "1e308", "--epochs", "9")
    assert code == 2
    assert re.search(r"--lr.*the loss became \w+ after \d epochs", err)
