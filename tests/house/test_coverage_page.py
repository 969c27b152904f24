"""docs/coverage.md is what the table and NumPy's namespaces say, and leaves no public function out."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd_np as ag
from autograd_np.coverage import NAMESPACES, SCIPYS, coverage, markdown
from autograd_np.op import TABLE

PAGE = Path(__file__).resolve().parents[2] / "docs" / "coverage.md"


@pytest.mark.parametrize("where", [*NAMESPACES, *SCIPYS])
def test_nothing_is_unaccounted_for(where: str) -> None:
    entries = coverage(where)
    assert [e.name for e in entries if e.answer == "unaccounted for"] == []
    assert len({e.name for e in entries}) == len(entries)
    for e in entries:
        assert e.remark or e.answer == "differentiable", f"{where}.{e.name} is {e.answer}, and nothing says why"


def test_every_function_of_the_namespaces_is_there() -> None:
    for where in ("np", "np.linalg", "np.fft"):
        namespace = NAMESPACES[where]
        names = {n for n in namespace.__all__ if callable(getattr(namespace, n)) and not isinstance(getattr(namespace, n), type)}
        assert names - {e.name for e in coverage(where)} == set()


def test_the_page_is_up_to_date() -> None:
    text = PAGE.read_text("utf-8")
    if text.splitlines()[2] != markdown().splitlines()[2]:
        pytest.skip("the page is made for another NumPy or SciPy")
    assert text == markdown(), "write it anew: autograd-np coverage --markdown > docs/coverage.md"


def test_a_function_without_an_answer_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(TABLE, np.tanh)
    assert [e.name for e in coverage("np") if e.answer == "unaccounted for"] == ["tanh"]
    assert "unaccounted for" in markdown()


X = np.array([0.3, 1.2, -0.4])


@pytest.mark.parametrize("entry", [e for e in coverage("np") if e.answer == "refused"], ids=lambda e: e.name)
def test_what_is_refused_raises(entry: Any) -> None:
    if entry.name == "frompyfunc":
        f: Any = np.frompyfunc(abs, 1, 1)
    else:
        f = getattr(np, entry.name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)  # of np.matrix
        with pytest.raises((ag.AutogradError, TypeError)):
            ag.grad(lambda x: np.sum(f(x)))(X)


def test_what_is_constant_and_takes_an_array_carries_no_gradient() -> None:
    checked = 0
    for e in coverage("np"):
        f = getattr(np, e.name)
        if e.answer != "constant by nature" or f not in TABLE or "file" in e.remark:
            continue
        try:
            out = f(ag.Tensor(X, requires_grad=True))
        except (TypeError, ValueError):
            continue
        checked += 1
        if isinstance(out, ag.Tensor) and out.requires_grad:
            np.testing.assert_array_equal(ag.grad(lambda x, f=f: np.sum(f(x)))(X), 0, err_msg=e.name)
    assert checked > 25


def _run(*args: str) -> Any:
    return subprocess.run([sys.executable, "-m", "autograd_np", "coverage", *args], capture_output=True, text=True, timeout=120)


def test_the_command_prints_it() -> None:
    done = _run("np.linalg")
    assert done.returncode == 0
    assert "cholesky" in done.stdout
    assert "differentiable" in done.stdout
    assert "np.fft: " in _run().stdout
    refused = _run("np.ma")
    assert refused.returncode == 2
    assert "no account of" in refused.stderr
