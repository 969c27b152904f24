"""README and CONTRIBUTING keep their word: their code runs, their links lead somewhere, CI runs their commands."""

from __future__ import annotations

import importlib
import os
import re
import shlex
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

import autograd_np as ag
from autograd_np import cli

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL) for line in block.splitlines()]


def run(code: str, cwd: Path) -> str:
    """Run code as a person would: in a process of its own, in an empty folder, with warnings as errors."""
    (cwd / "net.py").write_text(code, "utf-8")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", "COLUMNS": "100"}
    command = [sys.executable, "-W", "error", "net.py"]
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_model_in_plain_numpy(tmp_path: Path) -> None:
    assert float(run(BLOCKS[0], tmp_path).split()[-1]) < 0.05


def test_the_drawing_shows_every_variable(tmp_path: Path) -> None:
    run(BLOCKS[1], tmp_path)
    texts = {e.text for e in ET.parse(tmp_path / "net.svg").iter("{http://www.w3.org/2000/svg}text")}
    assert {"W1", "b1", "W2", "b2", "X", "Z1", "A1", "Z2", "A2"} <= texts


def test_a_backward_pass_by_hand(tmp_path: Path) -> None:
    (sample,) = re.findall(r"```text\n(.*?)```", README, re.DOTALL)
    told = run(BLOCKS[2], tmp_path)
    exact = re.compile(r"\d\.\de[+-]\d+|^.*─.*$", re.MULTILINE)  # rounding errors are the machine's
    assert exact.sub("", told).split()[: len(exact.sub("", sample).split())] == exact.sub("", sample).split()
    lines = BLOCKS[2].splitlines()
    assert f"> {lines.index('    dW = np.dot(dZ, X.T)') + 1} |     dW = np.dot(dZ, X.T)" in told


def test_a_derived_backward_pass(tmp_path: Path) -> None:
    (line,) = re.findall(r"Among other lines it prints `(.*?)`", README)
    assert any(told.strip().startswith(line) for told in run(BLOCKS[3], tmp_path).splitlines())


def test_a_model_of_layers(tmp_path: Path) -> None:
    assert float(run(BLOCKS[4], tmp_path).split()[-1]) > 0.95
    assert (tmp_path / "circle.safetensors").exists()


def test_data_that_live_elsewhere(tmp_path: Path) -> None:
    pytest.importorskip("dask.array")
    told = run(BLOCKS[5], tmp_path)
    assert told.startswith("loss ")
    assert "gradients of W1 ndarray(3, 2) b1 ndarray(3, 1) W2 ndarray(1, 3) b2 ndarray(1, 1)" in told


def test_the_check_as_an_assertion(tmp_path: Path) -> None:
    (line,) = re.findall(r"`(ag\.check_backward\(.*?\)\.raise_if_wrong\(\))`", README)
    program = BLOCKS[2].replace(
        "print(ag.check_backward(forward, backward, inputs))", f"try:\n    {line}\nexcept AssertionError as e:\n    print(e)"
    )
    assert "FAIL: 1 mistake in backward (net.py)" in run(program, tmp_path)
    right = program.replace("np.dot(dZ, X.T)", "np.dot(dZ, X.T) / X.shape[1]")
    assert run(right, tmp_path) == ""


def test_what_a_comparison_with_differences_says_of_the_same_pass(tmp_path: Path) -> None:
    """The figure is the distance of the gradient from its forward differences, as SciPy computes it."""
    (figure,) = re.findall(r"`scipy\.optimize\.check_grad`.*?`([\d.]+)`", README)
    program = BLOCKS[2].replace("print(ag.check_backward(forward, backward, inputs))", COMPARISON)
    assert f"{float(run(program, tmp_path)):.2f}" == figure


COMPARISON = """
W, b, X, Y = inputs.values()
A = 1 / (1 + np.exp(-(np.dot(W, X) + b)))
off = []
for array, gradient in zip((W, b), backward(X, Y, A)):
    for i in np.ndindex(array.shape):
        before, kept = forward(W, b, X, Y), array[i]
        array[i] += 1.5e-8
        off.append((forward(W, b, X, Y) - before) / 1.5e-8 - gradient[i])
        array[i] = kept
print(np.linalg.norm(off))
"""


def test_there_is_no_code_block_that_is_not_tested() -> None:
    assert len(BLOCKS) == 6


def test_the_three_uses_take_about_ten_lines_each() -> None:
    assert all(len([line for line in block.splitlines() if line and not line.startswith("import ")]) <= 12 for block in BLOCKS)


def test_the_commands_are_those_that_ci_runs() -> None:
    ci = (ROOT / ".ci" / "run").read_text("utf-8")
    assert len(COMMANDS) == 4
    for command in COMMANDS[:2]:
        assert command in ci


def test_the_commands_for_ones_own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("DATA.csv", "NEW.csv"):
        Path(name).write_text("a,COLUMN\n" + "".join(f"{i},{i % 3}\n" for i in range(30)), "utf-8")
    of_nn = re.findall(r"```sh\n(.*?)```", (ROOT / "docs" / "nn.md").read_text("utf-8"), re.DOTALL)[-1].splitlines()
    for command in (*COMMANDS[2:], *of_nn):
        program, *args = shlex.split(command)
        assert Path(program).name == "autograd-np"
        with pytest.raises(SystemExit) as left:
            cli.main(args)
        assert not left.value.code, command
    assert len(Path("predictions.csv").read_text("utf-8").splitlines()) == 31


def test_the_picture_is_the_one_the_script_makes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    make_pictures = importlib.import_module("make_pictures")
    monkeypatch.setattr(make_pictures, "IMAGES", tmp_path)
    make_pictures.main()
    made, kept = (ET.parse(folder / "net.svg") for folder in (tmp_path, ROOT / "docs" / "images"))
    labels = [[e.text for e in tree.iter("{http://www.w3.org/2000/svg}text")] for tree in (made, kept)]
    assert labels[0] == labels[1]
    assert "A2" in labels[0]


@pytest.mark.parametrize(
    "name",
    [
        "README.md",
        "CONTRIBUTING.md",
        "docs/checking.md",
        "docs/transforms.md",
        "docs/array_api.md",
        "examples/README.md",
        "autograd_np/demo/data/README.md",
    ],
)
def test_links_lead_somewhere(name: str) -> None:
    file = ROOT / name
    for target in re.findall(r"\]\(([^)#]+)\)", file.read_text("utf-8")):
        if not target.startswith("https://"):
            assert (file.parent / target).exists(), target


def test_the_worked_example_of_a_new_row(tmp_path: Path) -> None:
    row, use = re.findall(r"```python\n(.*?)```", CONTRIBUTING, re.DOTALL)
    promised = re.search(r"# (.*)", use)
    assert promised is not None
    printed = run(f"import numpy as np; np.set_printoptions(legacy='1.25')\n{row}\n{use}", tmp_path)
    assert printed.strip() == promised[1]


def test_the_version_is_one() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["version"] == ag.__version__
    assert all(f"Programming Language :: Python :: 3.{minor}" in project["classifiers"] for minor in (11, 12, 13))
