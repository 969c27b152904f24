"""The report says what was found, in three ways; and the command line that prints it."""

from __future__ import annotations

import io
import json
import math
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from autograd_np import cli, errors
from autograd_np.check.tell.report import BackwardReport, Finding, GradientCheck, GradientReport, GradientRow

SOURCE = {
    10: "def backward(X, Y, A2):\n".rstrip(),
    11: "    m = X.shape[1]",
    12: "    dZ2 = A2 - Y",
    13: "    dW2 = dZ2 @ A1.T  # <b>[bold]no 1/m[/bold]</b>",
    14: "    db2 = np.sum(dZ2) / m",
    15: "    return dW2, db2",
}


def wrong() -> BackwardReport:
    return BackwardReport(
        verdict="fail",
        gradients={
            "W2": GradientCheck("W2", "dW2", False, 6.0, 6.0, (0, 1), 0.5, 3.5, (1, 3), line=13),
            "b2": GradientCheck("b2", "db2", True, 1e-17, 2e-16, (0,), 1.0, 1.0, (1, 1), line=14),
        },
        lines=[GradientCheck("Z2", "dZ2", True, note="m × ∂L/∂Z2, by convention", line=12)],
        findings=[
            Finding(
                13,
                "dW2",
                "scale",
                "`dW2` is 7 × too large: 1/m is missing (m = 7)",
                factor=7.0,
                source=SOURCE[13].strip(),
                file="net.py",
                expected=0.5,
                actual=3.5,
                worst_index=(0, 1),
            ),
            Finding(
                14, "db2", "shape", "`db2` is a scalar", source=SOURCE[14].strip(), file="net.py", shape_expected=(1, 1), shape_actual=()
            ),
        ],
        conventions=["dZ2 = m × ∂L/∂Z2"],
        adequacy=["m = 1 hides a missing 1/m"],
        arbitration=["engine and numeric agree, the hand is off"],
        source_lines=SOURCE,
        file="net.py",
        seconds=0.25,
        draws=3,
    )


def right() -> BackwardReport:
    return BackwardReport(verdict="pass", gradients={"W": GradientCheck("W", "dW", True, shape=(2,))}, file="net.py")


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
    assert str(wrong()) in str(caught.value)
    open_one = BackwardReport(verdict="inconclusive", gradients={"W": GradientCheck("W", "dW", False, verdict="inconclusive")})
    assert not open_one.ok
    with pytest.raises(errors.CheckFailedError, match="INCONCLUSIVE: backward could not be judged: dW"):
        open_one.raise_if_wrong()


def test_verdicts_without_a_finding() -> None:
    assert right().ok
    assert str(right()).startswith("PASS: backward (net.py) is right: 1 gradient agrees")
    report = BackwardReport(verdict="fail", gradients={"W": GradientCheck("W", "dW", False)})
    assert str(report).startswith("FAIL: backward is wrong in dW; no single line explains it")
    assert GradientCheck("W", "dW", True).verdict == "pass"
    assert repr(report) == "<BackwardReport: fail>"


def test_numbers_show_what_differs() -> None:
    row = GradientRow("x", (3,), "reverse", 1.0, 1.000001, 1e-12, "fail")
    text = str(GradientReport("fail", [row, GradientRow("x", (4,), "reverse", 0.0, 2.0, 0.0, "fail")]))
    assert "1.000001" in text
    assert "inf" in text
    assert math.isnan(GradientRow("x", (), "reverse", 0.0, 0.0, 0.0, "pass").ratio)
    many = [GradientRow("x", (i,), "reverse", 1.0, 1.0, 0.0, "pass") for i in range(50)]
    assert "30 more, all right" in str(GradientReport("pass", many))


# --- the command line -----------------------------------------------------------------------------

RIGHT = """
import numpy as np
print("imported")

def forward(W, X, Y):
    Z = W @ X
    return np.mean((Z - Y) ** 2)

def backward(W, X, Y, Z):
    dZ = 2 * (Z - Y) / Z.size
    dW = dZ @ X.T
    return dW

def inputs():
    rng = np.random.default_rng(0)
    return {"W": rng.normal(size=(2, 3)), "X": rng.normal(size=(3, 5)), "Y": rng.normal(size=(2, 5))}
"""

Check = Callable[..., tuple[int, str, str]]


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Check:
    """Write a file, run `check` on it; returns the exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")

    def call(text: str, *args: str) -> tuple[int, str, str]:
        (tmp_path / "net.py").write_text(text, "utf-8")
        with pytest.raises(SystemExit) as left:
            cli.main(["check", "net.py", *args])
        return (int(left.value.code or 0), *capsys.readouterr())

    return call


def test_a_right_file(check: Check, tmp_path: Path) -> None:
    code, out, err = check(RIGHT)
    assert (code, err) == (0, "")
    assert out.splitlines()[1].startswith("PASS: backward (net.py) is right")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["net.py"]


def test_a_wrong_file(check: Check) -> None:
    code, out, _ = check(RIGHT.replace("2 * (Z - Y) / Z.size", "2 * (Z - Y)"))
    assert code == 1
    assert "FAIL: 1 mistake" in out
    assert "\n  > 10 |     dZ = 2 * (Z - Y)\n" in out


def test_json_is_all_that_is_printed(check: Check) -> None:
    code, out, err = check(RIGHT, "--json")
    assert code == 0
    assert json.loads(out)["verdict"] == "pass"
    assert err == "imported\n"


def test_an_inconclusive_file(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograd_np.check_backward", lambda *a, **k: BackwardReport(verdict="inconclusive"))
    assert check(RIGHT)[0] == 3


def test_other_names_and_arrays_from_a_file(check: Check, tmp_path: Path) -> None:
    text = RIGHT.replace("def forward", "def fwd").replace("def backward", "def bwd").replace("def inputs", "def unused")
    rng = np.random.default_rng(1)
    np.savez(tmp_path / "in.npz", W=rng.normal(size=(2, 3)), X=rng.normal(size=(3, 5)), Y=rng.normal(size=(2, 5)))
    code, out, err = check(text, "--forward", "fwd", "--backward", "bwd", "--inputs", "in.npz")
    assert (code, err) == (0, "")
    assert "PASS: bwd" in out
    text = text.replace("return np.mean((Z - Y) ** 2)", "return Z").replace(
        "def unused", "def cost(Z, Y):\n    return np.mean((Z - Y) ** 2)\n\ndef unused"
    )
    code, out, err = check(text, "--forward", "fwd", "--backward", "bwd", "--inputs", "in.npz", "--loss", "cost")
    assert (code, err) == (0, ""), out


def test_it_imports_its_neighbours_and_leaves_the_path_alone(check: Check, tmp_path: Path) -> None:
    import sys

    before = list(sys.path), set(sys.modules)
    (tmp_path / "neighbour_of_net.py").write_text("scale = 1.0\n")
    code, _, err = check(RIGHT.replace("import numpy as np", "import numpy as np\nfrom neighbour_of_net import scale"))
    assert (code, err) == (0, "")
    assert sys.path == before[0]
    assert "net" not in sys.modules
    sys.modules.pop("neighbour_of_net")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "def backward",
            "def backwards",
            "net.py has no function named backward; did you mean backwards?; its functions: forward, backwards, inputs",
        ),
        ("def forward", "def f", "no function named forward; its functions: f, backward, inputs"),
        ("def inputs():", "def given():", "no function named inputs that returns a dict"),
        ("return {", "return 3, {", "inputs of net.py gave tuple"),
        ("return {", "return 1 / 0, {", "net.py:16, in inputs: ZeroDivisionError: division by zero  [return 1 / 0, "),
        (
            "import numpy as np",
            "import numpy as np\nimport no_such_thing_here",
            "net.py:3: ModuleNotFoundError: No module named 'no_such_thing_here'",
        ),
        ("import numpy as np", "raise SystemExit(0)", "net.py:2: SystemExit: 0"),
        ("def forward(W", "def forward(W W", "net.py:5: SyntaxError: "),
        ("dW = dZ @ X.T", "dW = dZ @ X", "net.py:11"),
        ("def forward", "forward = 3\ndef other", "forward = 3, which is no function"),
    ],
)
def test_an_unusable_file(check: Check, old: str, new: str, said: str) -> None:
    code, _, err = check(RIGHT.replace(old, new))
    assert code == 2
    assert err.startswith("autograd-np: ")
    assert said in err
    assert err.count("\n") == 1


def test_unusable_arguments(check: Check, tmp_path: Path) -> None:
    (tmp_path / "bad.npz").write_text("nothing")
    np.savez(tmp_path / "objects.npz", W=np.array([{}], dtype=object))
    np.save(tmp_path / "one.npy", np.ones(2))
    (tmp_path / "folder").mkdir()
    for args, said in (
        (("--inputs", "none.npz"), "none.npz cannot be read as .npz: No such file"),
        (("--inputs", "bad.npz"), "bad.npz cannot be read as .npz"),
        (("--inputs", "objects.npz"), "objects.npz cannot be read as .npz: Object arrays"),
        (("--inputs", "one.npy"), "one.npy holds one array; expected a .npz"),
        (("--inputs", "folder"), "folder cannot be read as .npz"),
        (("--loss", "cost"), "no function named cost"),
    ):
        code, _, err = check(RIGHT, *args)
        assert code == 2
        assert said in err
        assert err.count("\n") == 1
    for name, said in (("none.py", "none.py does not exist"), ("folder", "folder is a folder")):
        with pytest.raises(SystemExit) as left:
            cli.main(["check", name])
        assert left.value.code == 2, said
