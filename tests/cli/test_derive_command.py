"""The command ``autograd-np derive``: a program or formulas from a function in a file."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

Run = Callable[..., tuple[int, str, str]]

MODEL = """
import numpy as np

def inputs():
    return {"params": {"W1": np.ones((3, 4)), "b1": np.zeros(4)}, "X": np.ones((5, 3)), "unused": 1.0}

def loss(params, X):
    m = X.shape[0]
    return np.sum(np.tanh(X @ params["W1"] + params["b1"])) / m

def broken(X):
    return X.no_such_thing

def whole(X):
    return np.argmax(X)

class Scaled:
    def __init__(self):
        self.scale = 2.0

    def loss(self, X):
        return np.sum(X * self.scale)

scaled = Scaled()
"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    (tmp_path / "model.py").write_text(MODEL)
    return "model.py"


def test_a_program_is_printed_and_runs(run: Run, file: str) -> None:
    code, out, err = run("derive", f"{file}:loss", "--wrt", "W1, b1")
    assert (code, err) == (0, "")
    namespace: dict[str, object] = {}
    exec(out, namespace)
    value, gradients = namespace["value_and_grad"](np.ones((3, 4)), np.zeros(4), np.ones((5, 3)))  # type: ignore[operator]
    assert np.allclose(value, 4 * np.tanh(3))
    assert set(gradients) == {"dW1", "db1"}


@pytest.mark.parametrize(
    ("form", "expected"),
    [("latex", r"\begin{document}"), ("markdown", "$$\n\\begin{aligned}"), ("html", "<math"), ("numpy", "def backward(")],
)
def test_every_format_is_printed_or_written(form: str, expected: str, run: Run, file: str, tmp_path: Path) -> None:
    code, out, _ = run("derive", f"{file}:loss", f"--{form}")
    assert code == 0
    assert expected in out
    suffix = {"latex": "tex", "markdown": "md", "html": "html", "numpy": "py"}[form]
    code, told, _ = run("derive", f"{file}:loss", "-o", f"found.{suffix}")
    assert (code, told) == (0, f"found.{suffix}  ({form})\n")
    assert (tmp_path / f"found.{suffix}").read_text("utf-8") == out


def test_elements(run: Run, file: str) -> None:
    _, out, _ = run("derive", f"{file}:loss", "--latex", "--index", "--wrt", "b1")
    assert r"\frac{\partial L}{\partial b_{1,i}}" in out


def test_inputs_of_an_archive_and_a_method(run: Run, file: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "arrays.npz", X=np.ones((2, 2)))
    code, out, _ = run("derive", f"{file}:scaled.loss", "--inputs", "arrays.npz")
    assert code == 0
    assert "def backward(" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("model.py:loss", "--wrt", "W2"), "no variable is called 'W2'; there are W1, b1, X"),
        (("model.py",), "'model.py' should be FILE.py:FUNCTION, such as model.py:loss"),
        (("absent.py:loss",), "absent.py does not exist"),
        (("model.py:los",), "no function named los; did you mean loss?"),
        (("model.py:broken",), "AttributeError"),
        (("model.py:whole",), "derivations are written for real floating results"),
        (("model.py:loss", "--latex", "--html"), "choose one of --latex, --html"),
        (("model.py:loss", "-o", "found.docx"), "found.docx should end in .py, .tex, .md, .html"),
        (("model.py:loss", "-o", "absent/found.tex"), "cannot write absent/found.tex: No such file or directory"),
        (("model.py:loss", "--index"), "--index is for --latex, --markdown and --html"),
    ],
)
def test_what_cannot_be_derived_is_said_in_a_line(arguments: tuple[str, ...], message: str, run: Run, file: str) -> None:
    code, out, err = run("derive", *arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert re.fullmatch(r"autograd-np: .*\n", err)
