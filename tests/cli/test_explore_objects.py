"""`autograd-np explore` of an object with forward and backward, and what it says of a class."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("websockets")
pytest.importorskip("watchfiles")

from autograd_np.cli.explore import _Request
from autograd_np.cli.output import RefusedError

LAYER = """
import numpy as np


class Dense:
    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, grad):
        self.dW = self.x.T @ grad
        self.db = grad.sum()
        return grad @ self.W.T


layer = Dense(np.ones((3, 2)), np.ones(2))


def inputs():
    return {"x": np.arange(12.0).reshape(4, 3)}
"""


def program(folder: Path, name: str, text: str = LAYER) -> Any:
    file = folder / "layer.py"
    file.write_text(text)
    return _Request(file, name, None, None, {"parameters": [], "output": None}, nullcontext).load()


@pytest.mark.parametrize("name", ["layer", "layer.forward"])
def test_an_object_is_explored_by_its_forward_and_checked_by_its_backward(name: str, tmp_path: Path) -> None:
    found = program(tmp_path, name)
    report = found.check(*found.inputs)
    assert report.verdict == "fail"
    assert [(f.variable, f.kind) for f in report.findings] == [("self.db", "wrong-reduction")]
    right = program(tmp_path, name, LAYER.replace("grad.sum()", "grad.sum(axis=0)"))
    assert right.check(*right.inputs).verdict == "pass"
    assert right.graph(*right.inputs).outputs[0].out.shape == (4, 2)


def test_what_the_object_keeps_has_the_name_that_it_has_there(tmp_path: Path) -> None:
    found = program(
        tmp_path,
        "layer",
        LAYER.replace("return x @ self.W", "self.z = x @ self.W").replace("+ self.b\n", "+ self.b\n        return self.z\n", 1),
    )
    graph = found.graph(*found.inputs)
    assert [node.name for node in graph] == ["x", None, "z"]
    assert [operand.name for node in graph if node.op is not None for operand in graph.operands(node)][1::2] == ["W", "b"]


def test_of_a_class_it_says_to_make_an_object(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match=r"Dense of .* is a class; make an object in the file, x = Dense\(\), and name x"):
        program(tmp_path, "Dense")


def test_a_function_called_forward_keeps_the_backward_of_its_file(tmp_path: Path) -> None:
    text = "def forward(x):\n    return x * x\n\n\ndef backward(x, grad):\n    return 2 * x * grad\n\n\ninputs = {'x': 3.0}\n"
    found = program(tmp_path, "forward", text)
    assert found.check(*found.inputs).verdict == "pass"
