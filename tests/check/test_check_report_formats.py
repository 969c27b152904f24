"""The report for machines: JSON with a schema, SARIF 2.1.0, annotations of GitHub Actions; and places in notebooks."""

from __future__ import annotations

import json
import linecache
import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

import pytest
from sample_reports import on_disk, right, wrong

from autograd_np.check.tell.formats import as_github
from autograd_np.check.tell.kinds import KINDS
from autograd_np.check.tell.places import file_shown, in_repository, place, shortened
from autograd_np.check.tell.report import BackwardReport, Finding, GradientReport


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)


def inconclusive() -> BackwardReport:
    return BackwardReport("inconclusive", file="net.py", source_lines={3: "def backward():"})


def test_json_has_a_version_and_everything(tmp_path: Path) -> None:
    told = json.loads(json.dumps(on_disk(tmp_path).to_dict(), allow_nan=False))
    assert told["schema"] == GradientReport("pass", []).to_dict()["schema"] == 1
    first, second = told["findings"]
    assert (first["line"], first["end_line"], first["call"]) == (
        6,
        9,
        f"{tmp_path / 'net.py'}:16: dA1, dW2, db2 = layer_backward(dZ2 / m, A1, W2)",
    )
    assert first["fix"].splitlines()[3] == "        keepdims=True,"
    assert second["consequences"] == ["dW1 (line 18)"]
    assert second["actual"] == "inf"
    assert told["unjudged"] == ["dA0: pairs with no variable of forward"]
    assert told["readings"] == ["`top_diff` is taken as the upstream gradient of `out`"]
    assert told["sources"][str(tmp_path / "net.py")]["17"] == "    dZ1 = dA1 * (1 - A1)"


# --- SARIF ----------------------------------------------------------------------------------------


def assert_sarif(log: dict[str, Any]) -> None:
    """Assert what the schema of SARIF 2.1.0 and GitHub's code scanning demand."""
    json.dumps(log, allow_nan=False)
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-schema-2.1.0.json")
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "autograd-np"
    ids = [rule["id"] for rule in driver["rules"]]
    assert len(ids) == len(set(ids))
    for rule in driver["rules"]:
        assert all(rule[part]["text"] for part in ("shortDescription", "fullDescription", "help"))
        assert rule["defaultConfiguration"]["level"] in ("error", "warning", "note")
    for result in run["results"]:
        assert ids[result["ruleIndex"]] == result["ruleId"]
        assert result["message"]["text"]
        assert result["level"] in ("error", "warning", "note")
        for location in [*result["locations"], *result.get("relatedLocations", [])]:
            physical = location["physicalLocation"]
            assert physical["region"]["startLine"] >= 1
            assert physical["region"].get("endLine", 9999) >= physical["region"]["startLine"]
            uri = physical["artifactLocation"]["uri"]
            assert re.fullmatch(r"[\w.~:/%-]+", uri)
            assert uri.startswith("file://") or (physical["artifactLocation"]["uriBaseId"] == "%SRCROOT%" and not uri.startswith("/"))
        for fix in result.get("fixes", []):
            assert fix["description"]["text"]
            for change in fix["artifactChanges"]:
                assert change["artifactLocation"]["uri"]
                assert all(r["deletedRegion"]["startLine"] >= 1 for r in change["replacements"])


def edited(text: str, replacement: dict[str, Any]) -> str:
    """Carry out a replacement as the standard defines it."""
    region, lines = replacement["deletedRegion"], text.split("\n")
    start = sum(len(line) + 1 for line in lines[: region["startLine"] - 1]) + region["startColumn"] - 1
    last = region["endLine"]
    end = sum(len(line) + 1 for line in lines[: last - 1]) + region.get("endColumn", len(lines[last - 1]) + 1) - 1
    return text[:start] + str(replacement["insertedContent"]["text"]) + text[end:]


def test_sarif_of_a_wrong_pass(tmp_path: Path) -> None:
    report = on_disk(tmp_path)
    log = report.to_sarif()
    assert_sarif(log)
    first, second, unjudged = log["runs"][0]["results"]
    assert (first["ruleId"], second["ruleId"], unjudged["ruleId"]) == ("shape", "missing-factor", "unjudged")
    physical = first["locations"][0]["physicalLocation"]
    assert physical["artifactLocation"] == {"uri": "net.py", "uriBaseId": "%SRCROOT%"}
    assert (physical["region"]["startLine"], physical["region"]["endLine"]) == (6, 9)
    assert physical["region"]["snippet"]["text"].startswith("    db = np.sum(\n")
    assert first["locations"][0]["logicalLocations"] == [{"name": "layer_backward", "kind": "function"}]
    assert first["relatedLocations"][0]["physicalLocation"]["region"]["startLine"] == 16
    assert "wrong only because of this: dW1 (line 18)" in second["message"]["text"]
    text = (tmp_path / "net.py").read_text()
    for result in (second, first):
        text = edited(text, result["fixes"][0]["artifactChanges"][0]["replacements"][0])
    assert text == report.changes()[0][0].new


def test_sarif_without_a_finding() -> None:
    for report, rule in ((inconclusive(), "inconclusive"), (BackwardReport("fail", file="net.py"), "unknown")):
        log = report.to_sarif()
        assert_sarif(log)
        assert [r["ruleId"] for r in log["runs"][0]["results"]] == [rule]
    log = right().to_sarif()
    assert_sarif(log)
    assert log["runs"][0]["results"] == []
    assert {r["id"] for r in log["runs"][0]["tool"]["driver"]["rules"]} == {*KINDS, "unjudged", "inconclusive"}


def test_sarif_of_strange_names_a_new_kind_and_lines_that_go(tmp_path: Path) -> None:
    file = tmp_path / "my net∂.py"
    file.write_text("a = 1\nb = 2\nc = 3\n")
    gone = Finding(2, "b", "some-new-kind", "goes", file=str(file), fix="")
    elsewhere = Finding(2, "b", "scale", "is elsewhere", file="/elsewhere/a b.py", fix="b = 3")
    log = BackwardReport("fail", findings=[gone, elsewhere], file=str(file)).to_sarif()
    assert_sarif(log)
    first, second = log["runs"][0]["results"]
    assert unquote(first["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]) == "my net∂.py"
    assert edited(file.read_text(), first["fixes"][0]["artifactChanges"][0]["replacements"][0]) == "a = 1\nc = 3\n"
    assert second["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": "file:///elsewhere/a%20b.py"}


# --- GitHub ---------------------------------------------------------------------------------------


def read_command(line: str) -> tuple[str, dict[str, str], str]:
    """Read a workflow command as the runner does."""
    found = re.fullmatch(r"::(\w+) (.*?)::(.*)", line)
    assert found, line
    properties = dict(part.split("=", 1) for part in found[2].split(","))

    def plain(text: str) -> str:
        for sign, code in (("\r", "%0D"), ("\n", "%0A"), (":", "%3A"), (",", "%2C"), ("%", "%25")):
            text = text.replace(code, sign)
        return text

    return found[1], {k: plain(v) for k, v in properties.items()}, plain(found[3])


def test_annotations(tmp_path: Path) -> None:
    lines = as_github(on_disk(tmp_path)).split("\n")
    read = [read_command(line) for line in lines]
    assert [name for name, _, _ in read] == ["error", "error", "notice"]
    assert read[0][1] == {"file": "net.py", "line": "6", "endLine": "9", "title": "db: shape"}
    assert read[0][2].startswith(
        "`db` has the right numbers in shape (3,): `keepdims=True` is missing\nshape: expected (3, 1), actual (3,)\n"
    )
    assert read[1][2].endswith("It should be:\n    dZ1 = dA1 * (1 - A1**2)\nwrong only because of this: dW1 (line 18)")
    assert read[2] == ("notice", {"file": "net.py", "line": "13", "title": "not judged"}, "dA0: pairs with no variable of forward")


def test_annotations_cannot_be_forged() -> None:
    bad = "100%, a:b\r\n::error file=x::y"
    report = BackwardReport("fail", findings=[Finding(1, bad, bad, bad, file=f"{bad}.py")])
    (line,) = as_github(report).split("\n")
    name, properties, message = read_command(line)
    assert (name, properties["title"], message) == ("error", f"{bad}: {bad}", bad)
    assert properties["file"] == f"{bad}.py"


def test_annotations_without_a_finding() -> None:
    assert as_github(right()) == ""
    assert as_github(inconclusive()).startswith("::warning file=net.py,line=3,title=inconclusive::INCONCLUSIVE: backward (net.py)")
    assert as_github(BackwardReport("fail", file="net.py")).startswith("::error file=net.py,line=1,title=wrong gradient::FAIL: ")


def test_ci_names_files_by_the_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "course").mkdir()
    monkeypatch.chdir(tmp_path / "course")
    report = wrong()
    assert "file=net.py," in as_github(report)
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    assert "file=course/net.py," in as_github(report)
    assert report.to_sarif()["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "course/net.py"


# --- places ---------------------------------------------------------------------------------------


def test_places_of_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert place(str(tmp_path / "a" / "net.py"), 3) == "a/net.py:3"
    assert place("/elsewhere/net.py", 3) == "/elsewhere/net.py:3"
    assert place("", 3) == "?:3"
    assert file_shown("<stdin>") == "<stdin>"
    assert in_repository(str(tmp_path / "net.py")) == "net.py"
    assert shortened(f"{tmp_path / 'net.py'}:23: dA = f(x)") == "net.py:23: dA = f(x)"
    assert shortened(f"{tmp_path / 'net.py'}:23") == "net.py:23"
    assert shortened("something else") == "something else"
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    monkeypatch.chdir(tmp_path / "link")
    assert file_shown(str(tmp_path / "link" / "net.py")) == "net.py"


KERNEL = "/tmp/ipykernel_123/456789.py"


def stub(monkeypatch: pytest.MonkeyPatch, *, known: dict[str, int] | None = None, cells: list[str] | None = None) -> None:
    def format_code_name(name: str) -> tuple[str, str] | None:
        return ("Cell", f"In[{known[name]}]") if known and name in known else None

    shell = SimpleNamespace(compile=SimpleNamespace(format_code_name=format_code_name), user_ns={"In": cells or []})
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))


def test_the_number_of_a_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: None))
    assert place("<ipython-input-3-0123456789ab>", 12) == "cell 3, line 12"
    assert place(KERNEL, 12) == place(r"C:\Temp\ipykernel_1\2.py", 12) == "cell, line 12"
    stub(monkeypatch, known={KERNEL: 7})
    assert place(KERNEL, 12) == "cell 7, line 12"
    monkeypatch.setitem(linecache.cache, KERNEL, (6, None, ["dW = 1\n"], KERNEL))
    stub(monkeypatch, cells=["", "import numpy", "dW = 1", "print(dW)", "dW = 1\n", "dW"])
    assert place(KERNEL, 12) == "cell 4, line 12"
    assert shortened(f"{KERNEL}:2: dA = f(x)") == "cell 4, line 2: dA = f(x)"
    monkeypatch.delitem(sys.modules, "IPython")
    assert place(KERNEL, 12) == "cell, line 12"


def test_a_report_on_a_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    stub(monkeypatch, known={KERNEL: 3})
    report = BackwardReport("fail", findings=[Finding(12, "dW", "scale", "it is", call=f"{KERNEL}:20: dW = f(x)")], file=KERNEL)
    text = str(report)
    assert text.startswith(
        "FAIL: 1 mistake in backward (cell 3): line 12 dW (scale)\n\ncell 3, line 12  dW: scale\n  called at cell 3, line 20: dW = f(x)"
    )
    assert repr(report) == "<BackwardReport FAIL: cell 3, line 12 dW: scale: it is>"
    assert_sarif(report.to_sarif())


def test_the_cells_of_a_real_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("IPython")
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    try:
        shell.run_cell("x = 1", store_history=True)
        shell.run_cell("def f():\n    return 1", store_history=True)
        name = shell.user_ns["f"].__code__.co_filename
        assert place(name, 2) == "cell 2, line 2"
        monkeypatch.setattr(shell.compile, "get_code_name", lambda raw, transformed, number: KERNEL)  # as a kernel names it
        shell.run_cell("def g():\n    return 2", store_history=True)
        assert shell.user_ns["g"].__code__.co_filename == KERNEL
        assert place(KERNEL, 2) == "cell 3, line 2"
    finally:
        InteractiveShell.clear_instance()
