"""The report says what was found, in three ways."""

from __future__ import annotations

import io
import json
import math
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from sample_reports import SOURCE, on_disk, right, wrong

import autograd_np as ag
from autograd_np import errors
from autograd_np.check.tell.layout import to_text
from autograd_np.check.tell.picture import Picture, verdicts_of
from autograd_np.check.tell.report import BackwardReport, Finding, GradientCheck, GradientReport, GradientRow


def test_the_verdict_comes_first_and_each_finding_can_be_acted_on() -> None:
    text = str(wrong())
    lines = text.splitlines()
    assert lines[0].startswith("FAIL: 2 mistakes in backward (net.py): line 13 dW2 (scale), line 14 db2")
    for there in (
        "net.py:13  dW2: scale",
        "  > 13 | dW2 = dZ2 @ A1.T  # <b>[bold]no 1/m[/bold]</b>",
        "    11 | m = X.shape[1]",
        "    15 | return dW2, db2",
        "  `dW2` is 7 × too large: 1/m is missing (m = 7)",
        "  worst element dW2[0, 1]: expected 0.5, actual 3.5, ratio 7",
        "  shape: expected (1, 1), actual ()",
        "Conventions",
        "  - dZ2 = m × ∂L/∂Z2",
        "  - m = 1 hides a missing 1/m",
        "  - engine and numeric agree, the hand is off",
        "1 line compared, 3 draws, 0.25 s",
    ):
        assert there in lines, f"{there!r} is not in\n{text}"
    assert text.index("net.py:13") < text.index("net.py:14") < text.index("max abs err") < text.index("Conventions")
    assert "    10 |" not in text.split("net.py:14")[0]  # two lines of context
    assert "\x1b" not in text


@pytest.mark.parametrize("width", [30, 44, 60, 100])
def test_narrow_terminals(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    text = str(wrong())
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    kept = "".join(text.split())
    assert "7×toolarge:1/mismissing(m=7)" in kept
    assert "expected0.5,actual3.5,ratio7" in kept


def test_colours_in_a_terminal_only() -> None:
    out = io.StringIO()
    Console(file=out, force_terminal=True, color_system="truecolor", width=100).print(wrong())
    assert "\x1b[1;31m" in out.getvalue()
    assert "[bold]no 1/m[/bold]" in out.getvalue()  # the user's text is no markup
    piped = io.StringIO()
    Console(file=piped, width=100).print(wrong())
    assert "\x1b" not in piped.getvalue()
    assert "FAIL" in piped.getvalue()


def test_html_is_well_formed_and_escaped() -> None:
    for report in (wrong(), right()):
        page = report._repr_html_()
        root = ET.fromstring(page.replace("&nbsp;", " "))
        assert root.tag == "div"
        assert not list(root.iter("b"))
        assert not list(root.iter("script"))
    text = "".join(ET.fromstring(wrong()._repr_html_().replace("&nbsp;", " ")).itertext())
    assert "> 13 | dW2 = dZ2 @ A1.T  # <b>[bold]no 1/m[/bold]</b>" in text
    assert {"th", "td"} <= {e.tag for e in ET.fromstring(wrong()._repr_html_().replace("&nbsp;", " ")).iter()}


def test_html_of_a_hostile_report() -> None:
    bad = "<script>alert(1)</script>\"'&"
    report = BackwardReport(
        verdict="fail",
        gradients={bad: GradientCheck(bad, bad, False, note=bad)},
        findings=[Finding(1, bad, bad, bad, source=bad, file=bad)],
        conventions=[bad],
        adequacy=[bad],
        arbitration=[bad],
        function=bad,
        file=bad,
        source_lines={1: bad},
    )
    assert "<script" not in report._repr_html_()
    assert "".join(ET.fromstring(report._repr_html_().replace("&nbsp;", " ")).itertext()).count(bad) >= 10


def test_json_holds_everything_but_the_drawing() -> None:
    report = wrong()
    report.graph = lambda: None
    report.gradients["W2"].max_rel_error = math.inf
    report.findings[0].expected = float("nan")
    report.findings[0].worst_index = (np.int64(0), np.int64(1))  # type: ignore[assignment]
    report.gradients["W2"].ok = np.bool_(False)  # type: ignore[assignment]
    told = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert told["ok"] is False
    assert told["verdict"] == "fail"
    assert told["gradients"]["W2"]["max_rel_error"] == "inf"
    assert told["gradients"]["W2"]["ok"] is False
    assert told["findings"][0]["expected"] == "nan"
    assert told["findings"][0]["worst_index"] == [0, 1]
    assert told["findings"][0]["factor"] == 7.0
    assert told["source_lines"]["13"] == SOURCE[13]
    assert "graph" not in told
    assert set(told) >= {"lines", "conventions", "adequacy", "arbitration", "seconds", "draws", "file", "function"}


def test_raising() -> None:
    right().raise_if_wrong()
    with pytest.raises(AssertionError) as caught:
        wrong().raise_if_wrong()
    assert isinstance(caught.value, errors.CheckFailedError)
    first, empty, *rest = str(caught.value).split("\n")
    assert first == "FAIL: net.py:13 dW2: scale: `dW2` is 7 × too large: 1/m is missing (m = 7) (and 1 more)"
    assert (empty, "\n".join(rest)) == ("", str(wrong()))
    assert caught.traceback[-1].frame.f_locals["__tracebackhide__"] is True
    open_one = BackwardReport(verdict="inconclusive", gradients={"W": GradientCheck("W", "dW", False, verdict="inconclusive")})
    assert not open_one.ok
    with pytest.raises(errors.CheckFailedError, match="INCONCLUSIVE: backward could not be judged: dW"):
        open_one.raise_if_wrong()


@pytest.mark.parametrize("verdict", ["pass", "fail", "inconclusive"])
def test_a_report_is_true_if_it_is_right(verdict: str) -> None:
    for report in (BackwardReport(verdict), GradientReport(verdict, [])):
        assert bool(report) is report.ok is (verdict == "pass")


def test_pytest_shows_the_first_mistake(tmp_path: Path) -> None:
    """Both ways to assert, as pytest's summary of a run prints them."""
    (tmp_path / "test_it.py").write_text(
        f"import sys\nsys.path.insert(0, {str(Path(__file__).parent)!r})\nfrom sample_reports import wrong\n"
        "def test_raise(): wrong().raise_if_wrong()\n"
        "def test_assert(): assert wrong()\n"
    )
    root = str(Path(ag.__file__).parents[1])
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null", "--rootdir", str(tmp_path), "test_it.py"]
    environment = {"PYTHONPATH": root, "COLUMNS": "200", "PATH": "/usr/bin:/bin", "CI": "1", "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, encoding="utf-8", check=False)
    first, second = (line for line in done.stdout.splitlines() if line.startswith("FAILED"))
    assert "CheckFailedError: FAIL: net.py:13 dW2: scale: `dW2` is 7 × too large" in first
    assert "assert <BackwardReport FAIL: net.py:13 dW2: scale: `dW2` is 7 × too large" in second
    assert "tell/report.py" not in done.stdout  # none of our own lines in the traceback


def test_verdicts_without_a_finding() -> None:
    assert right().ok
    assert str(right()).startswith("PASS: backward (net.py) is right: 1 gradient agrees")
    report = BackwardReport(verdict="fail", gradients={"W": GradientCheck("W", "dW", False)})
    assert str(report).startswith("FAIL: backward is wrong in dW; no single line explains it")
    assert GradientCheck("W", "dW", True).verdict == "pass"
    assert repr(report) == "<BackwardReport FAIL: backward is wrong in dW; no single line explains it>"


def test_numbers_show_what_differs() -> None:
    row = GradientRow("x", (3,), "reverse", 1.0, 1.000001, 1e-12, "fail")
    text = str(GradientReport("fail", [row, GradientRow("x", (4,), "reverse", 0.0, 2.0, 0.0, "fail")]))
    assert "1.000001" in text
    assert "inf" in text
    assert math.isnan(GradientRow("x", (), "reverse", 0.0, 0.0, 0.0, "pass").ratio)
    many = [GradientRow("x", (i,), "reverse", 1.0, 1.0, 0.0, "pass") for i in range(50)]
    assert "30 more, all right" in str(GradientReport("pass", many))


# --- fixes, calls, consequences, what was not judged ----------------------------------------------


def test_a_finding_says_how_it_was_reached_and_what_to_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = to_text(list(on_disk(tmp_path).blocks()), 120)
    assert text.startswith("FAIL: 2 mistakes in backward (net.py): line 6 db (shape), line 17 dZ1 (missing-factor); 1 not judged: dA0")
    assert (
        """
net.py:6, in layer_backward  db: shape
  called at net.py:16: dA1, dW2, db2 = layer_backward(dZ2 / m, A1, W2)
     4 | def layer_backward(dZ, A, W):
     5 |     dW = dZ @ A.T
  >  6 |     db = np.sum(
  >  7 |         dZ,
  >  8 |         axis=1,
  >  9 |     )
    10 |     return W.T @ dZ, dW, db
    11 |
  `db` has the right numbers in shape (3,): `keepdims=True` is missing
  shape: expected (3, 1), actual (3,)
  It should be:
      db = np.sum(
          dZ,
          axis=1,
    +     keepdims=True,
      )
"""
        in text
    )
    assert (
        """
  worst element dZ1: expected -0.5, actual inf, ratio -inf
  It should be:
    - dZ1 = dA1 * (1 - A1)
    + dZ1 = dA1 * (1 - A1**2)
  wrong only because of line 17: dW1 (line 18)
"""
        in text
    )
    assert "fail  wrong only because of line 17" in text
    assert "\nNot judged\n  - dA0: pairs with no variable of forward\n" in text
    assert "\nAssumed\n  - `top_diff` is taken as the upstream gradient of `out`\n" in text


def test_what_was_not_judged_stands_beside_a_pass() -> None:
    report = right()
    report.unjudged = ["dA0: pairs with no variable of forward", *(f"x{i}: no" for i in range(6))]
    assert report.headline() == "PASS: backward (net.py) is right: 1 gradient agrees; 7 not judged: dA0, x0, x1, x2, x3, 2 more"


def test_a_finding_in_another_file_is_named_with_it() -> None:
    report = wrong()
    report.findings[1].file = "layers.py"
    assert "line 13 dW2 (scale), layers.py:14 db2 (shape)" in report.headline()


@pytest.mark.parametrize("width", [40, 50, 60, 80, 120])
def test_every_part_fits_the_width(tmp_path: Path, width: int) -> None:
    report = on_disk(tmp_path)
    report.findings[0].message = "a" * 150
    report.gradients["W1"].note = "shown by a generic draw, not by your own point"
    for shown in (report, GradientReport("fail", [GradientRow("params['W1']", (3, 4), "reverse", 1.0, 1.000001, 1e-12, "fail")])):
        text = to_text(list(shown.blocks()), width)
        assert max(map(len, text.split("\n"))) <= width
        assert "…" not in text


def test_a_narrow_table_does_without_columns_and_keeps_its_notes() -> None:
    report = wrong()
    report.gradients["W2"].note = "shown by a generic draw"
    wide, narrow = to_text(list(report.blocks()), 100), to_text(list(report.blocks()), 40)
    assert "verdict  note" in wide
    assert [line.split() for line in narrow.splitlines() if "verdict" in line] == [["gradient", "of", "max", "rel", "err", "verdict"]]
    assert "\ndW2: shown by a generic draw\n" in narrow


def test_colours_of_a_diff(tmp_path: Path) -> None:
    out = io.StringIO()
    Console(file=out, force_terminal=True, color_system="standard", width=100).print(on_disk(tmp_path))
    assert re.search(r"\x1b\[31m +- (\x1b\[0m\x1b\[31m)?dZ1", out.getvalue())
    assert re.search(r"\x1b\[32m +\+ (\x1b\[0m\x1b\[32m)?dZ1", out.getvalue())


def test_control_characters_are_shown_and_not_obeyed() -> None:
    report = wrong()
    report.findings[0].message = "\x1b[2Jgone\x07"
    assert r"\x1b[2Jgone\x07" in str(report)
    assert "\x1b" not in report._repr_html_()


# --- HTML -----------------------------------------------------------------------------------------


def parsed(report: BackwardReport) -> ET.Element:
    return ET.fromstring(report._repr_html_().replace("&nbsp;", " "))


def test_html_marks_the_line_and_shows_the_diff(tmp_path: Path) -> None:
    spans = {"".join(e.itertext()).strip(): e.get("style") or "" for e in parsed(on_disk(tmp_path)).iter("span")}
    assert "229,60,60" in spans["> 17 | dZ1 = dA1 * (1 - A1)"]
    assert "229,60,60" in spans["- dZ1 = dA1 * (1 - A1)"]
    assert "46,160,67" in spans["+ dZ1 = dA1 * (1 - A1**2)"]
    assert "rgba" not in spans["18 | dW1 = dZ1 @ X.T"]


def test_html_has_the_colour_of_the_page(tmp_path: Path) -> None:
    """Nothing sets a colour of text, so that a dark page stays legible."""
    page = on_disk(tmp_path)._repr_html_()
    assert set(re.findall(r"[;\"]color:([^;\"]*)", page)) == {"inherit"}


def small_graph(n: int = 1) -> Any:
    def f(W: Any) -> Any:
        for _ in range(n):
            W = np.tanh(W)
        return W

    return ag.trace(f, np.ones(2))


def test_html_holds_the_graph_of_verdicts() -> None:
    report = wrong()
    graph = small_graph()
    check = GradientCheck("W", "dW", False, expected=0.5, actual=3.5)
    report.findings[0].consequences = ["dW (line 3)"]
    report.graph = Picture(graph, verdicts_of({graph.find("W"): check}, findings=report.findings))
    root = parsed(report)
    (svg,) = root.iter("{http://www.w3.org/2000/svg}svg")
    texts = ["".join(t.itertext()) for t in svg.iter("{http://www.w3.org/2000/svg}text")]
    assert any("✗ W" in t for t in texts)
    assert "wrong only because of line 13" in texts
    assert not list(root.iter("script"))


def test_html_does_without_a_graph_that_is_huge_or_cannot_be_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    report = wrong()
    report.graph = Picture(small_graph(300), {})
    assert "<svg" not in report._repr_html_()
    report.graph = Picture(small_graph(), {})

    def fail(*args: Any, **options: Any) -> None:
        raise errors.RenderError("no")

    monkeypatch.setattr(type(report.graph.graph), "render", fail)
    assert "<svg" not in report._repr_html_()
    report.graph = lambda *a, **k: None
    assert "<svg" not in report._repr_html_()
