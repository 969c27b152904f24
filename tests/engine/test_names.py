"""Other people's text (names, files, lines of code) as it is shown: it cannot command a terminal, and it cannot flood one."""

from __future__ import annotations

import json
import time
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_np as ag
from autograd_np import check
from autograd_np.cli import main
from autograd_np.text import shorten, shown, visible

HOSTILE = [
    "\x1b[2J",
    "\x1b]0;title\x07",
    "\x1b]8;;http://x\x1b\\",
    "\x9b31m",
    "\x90q\x9c",
    "\u202etxt.exe",
    "\u2066a\u2069",
    "a\rb",
    "a\x08b",
    "\x7f",
]


def commands(text: str) -> list[str]:
    """The characters in a text that a terminal obeys rather than shows."""
    return [c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") and c not in "\n\t\u200d"]


@given(st.text())
def test_what_is_visible_commands_nothing_and_is_idempotent(text: str) -> None:
    once = visible(text)
    assert not commands(once)
    assert "\n" not in once
    assert visible(once) == once
    assert len(shown(text * 1000)) <= 80 * 10


def test_lengths() -> None:
    assert shorten("a" * 100, 10) == "aaaaa…aaaa"
    assert len(visible("a" * 10**6)) == 20_000
    assert len(shown("\x1b" * 10**6)) == 4 * 79 + 1


@pytest.mark.parametrize("name", HOSTILE)
def test_everything_that_shows_a_name(name: str, tmp_path: Path) -> None:
    x = ag.Tensor([1.0, 2.0], requires_grad=True, name=name)
    y = np.sum(x * 2)
    graph = ag.graph(y)
    told = [repr(x), str(x), f"{x}", str(graph), repr(graph), repr(x._node), graph.to_dot().source]
    told += [graph.render(tmp_path / f"g.{kind}").read_text("utf-8") for kind in ("svg", "dot", "html")]
    told += list(graph._repr_mimebundle_().values())
    told.append(str(ag.trace(lambda p: np.sum(p[name]), {name: np.ones(2)})))
    for act in (
        lambda: np.asarray(x),
        lambda: graph.find("nowhere"),
        lambda: x.__iadd__(1.0),
        lambda: ag.Tensor(1.0, name=name).backward(),
        lambda: __import__("copy").deepcopy(x[0]),
        lambda: graph.render(tmp_path / f"{name.replace('/', '')}.gif"),
        lambda: ag.grad(lambda t: setattr(t, "name", name) or t.item())(1.0),
    ):
        with pytest.raises((ag.AutogradError, KeyError)) as caught:
            act()
        told.append(str(caught.value))
    for text in told:
        assert not commands(text), text


def test_operations_with_hostile_names() -> None:
    op = ag.define(lambda x: x * 2, vjp=lambda g, y, x: g[:1], name="\x1b[2J")
    x = ag.Tensor([1.0, 2.0], requires_grad=True)
    y = np.sum(op(x))
    for text in (str(ag.graph(y)), repr(op), repr(op.op)):
        assert not commands(text)
    with pytest.raises(ag.CustomRuleError) as caught:
        y.backward()
    assert not commands(str(caught.value))


def test_reports_of_code_with_hostile_comments(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bad\x1b[31m.py"
    path.write_text(
        "import numpy as np\ndef forward(W, X):\n    Z = W @ X  # \x1b[2J\u202e\x9b\n    return np.sum(Z**2)\n"
        "def backward(W, X, Z):\n    dW = Z @ X.T  # \x1b]0;x\x07 \u202e gone\n    return {'dW': dW}\n"
        "def inputs():\n    return {'W': np.ones((2, 3)), 'X': np.ones((3, 4))}\n"
    )
    for form in ("text", "json", "sarif", "github"):
        with pytest.raises(SystemExit) as done:
            main(["check", str(path), "--format", form])
        out = capsys.readouterr().out
        assert done.value.code == 1
        assert "x1b" in out or "u001b" in out
        assert not commands(out), out
        if form in ("json", "sarif"):
            assert json.loads(out)
    namespace: dict[str, Any] = {}
    exec(compile(path.read_text(), str(path), "exec"), namespace)
    report = check.check_backward(namespace["forward"], namespace["backward"], namespace["inputs"]())
    assert not commands(str(report))


@pytest.mark.parametrize("letter", ["n", "\x1b"])
def test_a_huge_name_makes_no_huge_drawing(letter: str, tmp_path: Path) -> None:
    started = time.perf_counter()
    name = letter * 10_000_000
    x = ag.Tensor(np.ones(2), requires_grad=True, name=name)
    graph = ag.graph(np.sum(np.exp(x) * x + x))
    for kind in ("svg", "dot", "html"):
        assert graph.render(tmp_path / f"g.{kind}").stat().st_size < 1_000_000
    for text in (repr(x), str(graph), repr(x._node), graph._repr_mimebundle_()["image/svg+xml"]):
        assert len(text) < 200_000
    with pytest.raises(ag.LeavesNumPyError) as caught:
        np.asarray(x)
    assert len(str(caught.value)) < 2000
    assert time.perf_counter() - started < 10


def test_a_name_that_is_a_function_is_asked_when_it_is_shown() -> None:
    current: list[str | None] = [None]
    x = ag.Tensor([1.0, 2.0], requires_grad=True, name=lambda: current[0])
    loss = np.sum(x * 2)
    assert "name" not in repr(x)
    current[0] = "speed"
    assert x.name == "speed"
    assert repr(x) == "Tensor([1., 2.], requires_grad=True, name='speed')"
    assert [leaf.name for leaf in ag.graph(loss).leaves] == ["speed"]
    x.requires_grad = False
    current[0] = "velocity"
    assert x.name == "velocity"
    x.requires_grad = True
    assert [leaf.name for leaf in ag.trace(lambda: np.sum(x * 2)).leaves] == ["velocity"]
    x.name = "fixed"
    assert x.name == "fixed"
