"""`autograd-np check`: what it prints, writes and returns."""

from __future__ import annotations

import inspect
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import autograd_np as ag
from autograd_np import cli
from autograd_np.check.tell.report import BackwardReport, Finding
from autograd_np.cli.check import check as check_command

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


def test_a_page_steps_through_what_was_checked(check: Check, tmp_path: Path) -> None:
    code, _, err = check(RIGHT.replace("2 * (Z - Y) / Z.size", "2 * (Z - Y)"), "--explore", "page.html")
    assert code == 1
    assert "page.html" in err
    page = (tmp_path / "page.html").read_text("utf-8")
    assert "<!doctype html>" in page
    assert "dZ = 2 * (Z - Y) / Y.size" in page or "dZ = 2 * (Z - Y) / Z.size" in page  # what it should be
    code, _, err = check(RIGHT, "--explore", "page.svg")
    assert code == 2
    assert "end in .html" in err


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
        ("def forward", "forward = 3\ndef other", "forward = 3, which is no function"),
    ],
)
def test_an_unusable_file(check: Check, old: str, new: str, said: str) -> None:
    code, _, err = check(RIGHT.replace(old, new))
    assert code == 2
    assert err.startswith("autograd-np: ")
    assert said in err
    assert err.count("\n") == 1


def test_a_pass_that_raises_is_wrong_at_that_line(check: Check) -> None:
    code, out, err = check(RIGHT.replace('print("imported")\n', "").replace("dW = dZ @ X.T", "dW = dZ @ X"), "--format", "json")
    assert (code, err) == (1, "")
    (finding,) = json.loads(out)["findings"]
    assert (finding["line"], finding["kind"], finding["fix"]) == (10, "raises", "    dW = dZ @ X.T")


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


# --- options, formats, fixes ----------------------------------------------------------------------

WRONG = RIGHT.replace("2 * (Z - Y) / Z.size", "2 * (Z - Y)")


def test_every_option_reaches_the_function(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[dict[str, Any]] = []

    def stub(*args: Any, **options: Any) -> BackwardReport:
        called.append(options)
        return BackwardReport("pass")

    monkeypatch.setattr("autograd_np.check_backward", stub)
    assert check(RIGHT)[0] == 0
    given = "--wrt W,X --names dL=W --names a=b,c=d --draws 5 --tolerance 1e-5 --seed 3 --seconds 1.5 --dtype float32"
    assert check(RIGHT, *given.split())[0] == 0
    assert called == [
        {"loss": None},
        {
            "loss": None,
            "wrt": ["W", "X"],
            "names": {"dL": "W", "a": "b", "c": "d"},
            "draws": 5,
            "tolerance": 1e-5,
            "seed": 3,
            "seconds": 1.5,
            "dtype": np.dtype("float32"),
        },
    ]


def test_options_of_the_command_are_those_of_the_function() -> None:
    """Whatever `check_backward` takes beyond its functions and inputs is an option here."""
    there = set(inspect.signature(ag.check_backward).parameters) - {"forward", "backward", "inputs", "loss"}
    assert there <= set(inspect.signature(check_command).parameters)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ("--names dL", "--names dL should be GRADIENT=VARIABLE"),
        ("--dtype int", "--dtype int is no type of real numbers"),
        ("--dtype nonsense", "--dtype nonsense is no type of real numbers"),
        ("--tolerance 2", "tolerance between 0 and 1"),
        ("--draws -1", "--draws"),
        ("--format yaml", "--format"),
        ("--diff --json", "--diff prints the patch and nothing else"),
        ("--diff --fix", "--diff prints the patch and nothing else"),
        ("--yes", "--yes answers what --fix asks"),
        ("--wrt Q", "Q"),
    ],
)
def test_options_that_make_no_sense(check: Check, args: str, said: str) -> None:
    code, out, err = check(RIGHT, *args.split())
    assert code == 2
    assert said in err
    assert out in ("", "imported\n")


MODEL = """
import types

class Model:
    def __init__(self):
        self.scale = 1.0
        self.parts = [1]
    def loss(self, W, X, Y):
        return forward(W, X, Y)
    @property
    def broken(self):
        raise RuntimeError("not yet")

model = Model()
net = types.SimpleNamespace(passes=types.SimpleNamespace(forward=forward))
loss = 3.5
"""


def test_functions_are_named_by_paths(check: Check) -> None:
    code, out, err = check(RIGHT + MODEL, "--forward", "net.passes.forward")
    assert (code, err) == (0, ""), out
    for path, said in (
        ("model.los", "net.py has no model.los: there is no los; did you mean loss?"),
        ("model.scale", "model.scale = 1.0, which is no function"),
        ("model.broken", "in broken: RuntimeError: not yet"),
        ("Model.loss", "Model.loss of net.py is a method of a class; make an object in the file, x = Model(), and name x.loss"),
        ("Model().loss", "'Model().loss' should be a name in net.py, or a path of names such as model.loss"),
        ("other.loss", "net.py has no function named other.loss"),
    ):
        code, _, err = check(RIGHT + MODEL, "--forward", path)
        assert code == 2
        assert said in err
        assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("form", "begins"),
    [("text", "FAIL: 1 mistake"), ("json", '{\n  "schema": 1'), ("github", "::error file=net.py,line=10,"), ("sarif", '{\n  "$schema"')],
)
def test_formats(check: Check, form: str, begins: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    code, out, err = check(WRONG, "--format", form)
    assert code == 1
    text, printed = (out, err) if form != "text" else (out.removeprefix("imported\n"), "imported\n")
    assert text.startswith(begins)
    assert printed == "imported\n"
    if form == "github":
        assert text.splitlines()[-1].startswith("FAIL: 1 mistake in backward (net.py)")
    elif form != "text":
        json.loads(text)


@pytest.fixture
def fixing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the check propose the right line, as it does where it has verified one."""
    real = ag.check_backward

    def with_fixes(*args: Any, **options: Any) -> BackwardReport:
        report = real(*args, **options)
        for finding in report.findings:
            finding.fix = report.source_lines[finding.line].replace("2 * (Z - Y)", "2 * (Z - Y) / Z.size")
        return report

    monkeypatch.setattr("autograd_np.check_backward", with_fixes)


@pytest.mark.usefixtures("fixing")
def test_the_patch_alone(check: Check) -> None:
    code, out, err = check(WRONG, "--diff")
    assert (code, err) == (1, "imported\n")
    assert out.startswith("--- a/net.py\n+++ b/net.py\n")
    assert "\n-    dZ = 2 * (Z - Y)\n+    dZ = 2 * (Z - Y) / Z.size\n" in out
    assert check(RIGHT, "--diff") == (0, "", "imported\n")


def test_the_patch_of_a_mistake_without_a_fix(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograd_np.check_backward", lambda *a, **k: BackwardReport("fail"))
    assert check(RIGHT, "--diff") == (
        1,
        "",
        "imported\nautograd-np: no verified fix: FAIL: backward is wrong in what it returns; no single line explains it\n",
    )
    code, _, err = check(RIGHT, "--fix")
    assert (code, err) == (1, "autograd-np: there is no verified fix\n")


@pytest.mark.usefixtures("fixing")
def test_fixing_asks_writes_and_checks_again(check: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    code, out, err = check(WRONG, "--fix")
    assert code == 0
    assert out.index("FAIL: 1 mistake") < out.index("PASS: backward (net.py) is right")
    assert "\n+    dZ = 2 * (Z - Y) / Z.size\n" in err
    assert err.endswith("Write this into net.py? [y/N] ")
    assert (tmp_path / "net.py").read_text() == RIGHT


@pytest.mark.usefixtures("fixing")
@pytest.mark.parametrize("answer", ["n\n", "\n", "", "no idea\n"])
def test_fixing_can_be_declined(check: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    code, out, err = check(WRONG, "--fix")
    assert code == 1
    assert out.count("FAIL: 1 mistake") == 1
    assert err.endswith("autograd-np: nothing was written\n")
    assert (tmp_path / "net.py").read_text() == WRONG


@pytest.mark.usefixtures("fixing")
def test_fixing_without_a_question(check: Check, tmp_path: Path) -> None:
    code, out, err = check(WRONG, "--fix", "--yes", "--json")
    assert (code, json.loads(out)["verdict"], err) == (0, "pass", "imported\nimported\n")
    assert (tmp_path / "net.py").read_text() == RIGHT
    code, _, err = check(RIGHT, "--fix", "--yes")
    assert (code, err) == (0, "autograd-np: there is nothing to fix\n")


@pytest.mark.usefixtures("fixing")
def test_a_file_that_changed_since_it_was_read_is_not_fixed(check: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow(io.StringIO):
        def readline(self, *args: Any) -> str:
            (tmp_path / "net.py").write_text(WRONG + "# edited while it was asked\n")
            return "y\n"

    monkeypatch.setattr("sys.stdin", Slow())
    code, _, err = check(WRONG, "--fix")
    assert code == 2
    assert err.endswith("net.py was not written: it has changed since it was checked\n")
    itself = "\nimport pathlib\nme = pathlib.Path(__file__)\n"
    edits_itself = WRONG + itself + "me.write_text(me.read_text() + '# edited')\n"
    code, _, err = check(edits_itself, "--fix", "--yes")
    assert code == 2
    assert err.endswith("net.py has changed since it was read; nothing was written\n")
    moves_itself = WRONG + itself + "me.write_text(chr(10) + me.read_text())\n"
    code, _, err = check(moves_itself, "--fix", "--yes")
    assert code == 2
    assert "nothing was written" in err


HELPER = "def grad(Z, Y):\n    dZ = 2 * (Z - Y)\n    return dZ\n"


def test_a_neighbour_that_is_fixed_is_imported_anew(check: Check, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even if the fix keeps the size of the file, within the second that a compiled copy is dated by."""
    helper = tmp_path / "helper_of_net.py"
    helper.write_text(HELPER.replace("2 *", "3 *"))
    real = ag.check_backward

    def with_fix(*args: Any, **options: Any) -> BackwardReport:
        report = real(*args, **options)
        if report.findings:
            report.findings[:] = [
                Finding(2, "dZ", "scale", "3 for 2", file=str(helper), fix="    dZ = 2 * (Z - Y)", source="dZ = 3 * (Z - Y)")
            ]
        return report

    monkeypatch.setattr("autograd_np.check_backward", with_fix)
    text = RIGHT.replace("import numpy as np", "import numpy as np\nfrom helper_of_net import grad").replace(
        "2 * (Z - Y) / Z.size", "grad(Z, Y) / Z.size"
    )
    code, out, err = check(text, "--fix", "--yes")
    assert (code, err) == (0, ""), out
    assert helper.read_text() == HELPER
    assert sys.modules.pop("helper_of_net").__file__ == str(helper)


def test_help_says_what_the_exit_codes_mean(run: Callable[..., tuple[int, str, str]]) -> None:
    code, out, _ = run("check", "--help")
    assert code == 0
    assert "0 right, 1 wrong, 2 unusable, 3 inconclusive" in " ".join(out.split())
