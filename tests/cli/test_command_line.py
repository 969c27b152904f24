"""What all commands share: wrong options are one line and exit code 2; version, help and the module."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import autograd_np as ag

Run = Callable[..., tuple[int, str, str]]


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
        (["train"], "DATA"),
        (["train", "own.csv", "--target", "kind", "--hidden", "0"], "--hidden"),
        (["train", "own.csv", "--target", "kind", "--hidden", "3,many"], "'3,many' should be the numbers of units, such as 32,16, or none"),
        (["train", "own.csv", "--target", "kind", "--hidden", "9999999"], "--hidden"),
        (["train", "own.csv", "--target", "kind", "--task", "guess"], "--task"),
        (["train", "own.csv", "--target", "kind", "--activation", "step"], "--activation"),
        (["train", "own.csv", "--target", "kind", "--optimiser", "luck"], "--optimiser"),
        (["train", "own.csv", "--target", "kind", "--lr", "0"], "--lr"),
        (["train", "own.csv", "--target", "kind", "--clip-norm", "-1"], "--clip-norm"),
        (["train", "own.csv", "--target", "kind", "--batch-size", "0"], "--batch-size"),
        (["train", "own.csv", "--target", "kind", "--validation", "1"], "--validation"),
        (["train", "own.csv", "--target", "kind", "--validation", "0.5", "--test", "0.5"], "--test 0.5 leave no rows to train on"),
        (["train", "own.csv", "--target", "kind", "--validation", "0", "--patience", "3"], "--patience counts epochs"),
        (["train", "own.csv", "--target", "kind", "--out", "taken"], "cannot make the folder taken"),
        (["train", "own.csv", "--target", "kind", "--dask", "local", "--resume", "--batch-size", "3"], "leave out --batch-size, --resume"),
        (["train", "own.csv", "--target", "kind", "--dask", "local", "--patience", "0", "--ignore", "a"], "leave out --patience, --ignore"),
        (["train", "own.csv", "--target", "kind", "--dask", "local", "--task", "regression"], "leave out --task"),
        (["train", "own.csv", "--target", "kind", "--dask", "local", "--hidden", "3,3"], "which has one hidden layer"),
        (["predict", "own.csv"], "DATA"),
        (["predict", "nowhere", "own.csv"], "nowhere: no such file; expected the folder, or the model.safetensors"),
        (["nonsense"], "nonsense"),
    ],
)
def test_wrong_options_are_one_line_and_code_2(run: Run, tmp_path: Path, args: list[str], message: str) -> None:
    (tmp_path / "taken").touch()
    (tmp_path / "own.csv").write_text("size,kind\n1,0\n2,1\n")
    code, out, err = run(*args)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert message in err


def test_version_help_and_the_module(run: Run) -> None:
    assert run("--version") == (0, f"autograd-np {ag.__version__}\n", "")
    code, out, _ = run()
    assert code == 0
    assert "demo" in out
    assert "train" in out
    root = str(Path(ag.__file__).parent.parent)
    done = subprocess.run([sys.executable, "-m", "autograd_np", "--version"], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout == f"autograd-np {ag.__version__}\n"
