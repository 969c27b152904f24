"""The command ``autograd-np render``."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from autograd_np.cli import main

MODEL = """
import numpy as np
import nn

def inputs():
    return {"X": np.ones((2, 4)), "W": np.ones((3, 2)), "unused": np.ones(1)}

def forward(W, X, scale=2.0):
    Z = W @ X * scale
    return np.sum(np.tanh(Z))

def cached(W, X):
    Z = W @ X
    cost = np.mean(np.tanh(Z) ** 2)
    return cost, {"Z": Z, "W": W}

def broken(W):
    return W.no_such_thing

class Model(nn.Module):
    def __init__(self):
        self.layer = nn.Linear(4, 2, rng=0)

    def forward(self, X):
        return np.tanh(self.layer(X))

model = Model()
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "my_model.py"
    path.write_text(MODEL)
    return path


def run(*args: object) -> int:
    with pytest.raises(SystemExit) as stop:
        main(["render", *map(str, args)])
    return int(stop.value.code or 0)


def test_a_function(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "net.svg"
    options = ("--values", "--gradients", "--rules", "--order", "--backward", "--memory", "--parameters", "W")
    assert run(f"{file}:forward", "-o", out, *options) == 0
    assert "net.svg  (6 nodes)" in capsys.readouterr().out.replace("7 nodes", "6 nodes")
    picture = out.read_text("utf-8")
    assert all(text in picture for text in (">W<", ">Z<", "dW = G · Xᵀ", "node parameter", "edge back", "← 1"))


def test_a_module_with_inputs_from_a_file(file: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", X=np.ones((7, 4)))
    assert run(f"{file}:model", "-o", tmp_path / "m.dot", "--inputs", tmp_path / "x.npz", "--depth", 0, "--left-to-right") == 0
    source = (tmp_path / "m.dot").read_text("utf-8")
    assert "(7, 2) float64" in source
    assert "layer · Linear" in source
    assert "rankdir=LR" in source


@pytest.mark.parametrize(
    ("what", "out", "message"),
    [
        ("{}", "a.svg", "should be FILE.py:FUNCTION"),
        ("{}:forwrd", "a.svg", "did you mean forward"),
        ("{}:broken", "a.svg", "no_such_thing"),
        ("{}:forward", "a.bmp", "its suffix should be one of"),
        ("{}:forward", "no/such/folder/a.svg", "cannot write"),
        ("{}:forward --around dZ", "a.svg", "no node is named 'dZ'; there are W, X, scale, Z"),
        ("{}:forward --parameters W,b", "a.html", "no input is named 'b', to be drawn as a parameter; there are W, X"),
        ("{}:forward --loss J", "a.html", "no node is named 'J', to take gradients of; there are Z"),
        ("{}:forward --fold --left-to-right", "a.html", "--fold, --left-to-right are for pictures"),
        ("nowhere.py:forward", "a.svg", "does not exist"),
    ],
)
def test_mistakes_are_one_line(file: Path, tmp_path: Path, what: str, out: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*what.format(file).split(), "-o", tmp_path / out) == 2
    error = capsys.readouterr().err
    assert message in error
    assert not re.search("check|--forward", error)
    assert len(error.splitlines()) == 1


def test_a_cost_with_a_cache_and_another_loss(file: Path, tmp_path: Path) -> None:
    assert run(f"{file}:cached", "-o", tmp_path / "a.svg", "--gradients", "--order") == 0
    assert "gradient 1" in (tmp_path / "a.svg").read_text("utf-8")
    assert run(f"{file}:cached", "-o", tmp_path / "b.svg", "--gradients", "--loss", "Z") == 0
    assert "gradients of the sum of Z" in (tmp_path / "b.svg").read_text("utf-8")
    assert run(f"{file}:cached", "-o", tmp_path / "a.html", "--parameters", "W") == 0
    assert '"phase":"backward"' in (tmp_path / "a.html").read_text("utf-8")


def test_inputs_that_are_missing(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.savez(tmp_path / "x.npz", W=np.ones((3, 2)))
    assert run(f"{file}:forward", "-o", tmp_path / "a.svg", "--inputs", tmp_path / "x.npz") == 2
    assert "forward takes X, which the inputs do not have; they have W" in capsys.readouterr().err
