"""The fixes of a report as a patch that `git apply` takes, and written into the files."""

from __future__ import annotations

import importlib.util
import linecache
import py_compile
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from sample_reports import NET, on_disk, right, wrong

from autograd_np.check.tell.patch import write
from autograd_np.check.tell.report import BackwardReport, Finding

FIXED = NET.replace("        axis=1,\n", "        axis=1,\n        keepdims=True,\n").replace("(1 - A1)", "(1 - A1**2)")


def git_apply(folder: Path, patch: str) -> None:
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    subprocess.run(["git", "apply", "--verbose", "-"], cwd=folder, input=patch.encode(), check=True, capture_output=True)


def one(file: Path, line: int, fix: str | None, *, end: int = 0, source: str = "", variable: str = "dW") -> Finding:
    return Finding(line, variable, "scale", "wrong", source=source, file=str(file), end_line=end, fix=fix)


def report_of(*findings: Finding) -> BackwardReport:
    return BackwardReport("fail", findings=list(findings), file=findings[0].file)


def test_the_patch_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    patch = on_disk(tmp_path).patch()
    assert patch.startswith("--- a/net.py\n+++ b/net.py\n@@ ")
    assert "\n-    dZ1 = dA1 * (1 - A1)\n+    dZ1 = dA1 * (1 - A1**2)\n" in patch
    git_apply(tmp_path, patch)
    assert (tmp_path / "net.py").read_text() == FIXED


@pytest.mark.parametrize(
    "text",
    [
        NET.replace("\n", "\r\n"),
        NET.rstrip("\n"),
        NET.rstrip("\n").replace("return dW1, dW2, db2", "return dW1, dW2, db2  # ∂"),
        NET.replace("np\n\n\n", "np\n\x0c\n# a page: \x0c and \x1c are no line ends\n", 1),
        "\ufeff" + NET,
        "# -*- coding: latin-1 -*-\n" + NET.replace("import numpy as np\n", "", 1),
    ],
    ids=["CRLF", "no newline at the end", "not ASCII", "form feeds", "byte order mark", "latin-1"],
)
def test_files_as_they_come(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.chdir(tmp_path)
    report = on_disk(tmp_path, text)
    report.sources, report.source_lines = {}, {}
    want = text.replace("        axis=1,", "        axis=1,#").replace("(1 - A1)", "(1 - A1**2)")
    end = "\r\n" if "\r\n" in text else "\n"
    want = want.replace("axis=1,#", f"axis=1,{end}        keepdims=True,").encode()
    git_apply(tmp_path, report.patch())
    assert (tmp_path / "net.py").read_bytes() == want
    (tmp_path / "net.py").write_bytes(text.encode())
    for change in report.changes()[0]:
        write(change)
    assert (tmp_path / "net.py").read_bytes() == want


def test_a_fix_on_the_last_line_of_a_file_without_a_newline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "net.py"
    file.write_text("def backward(dZ, X):\n    return dZ @ X")
    git_apply(tmp_path, report_of(one(file, 2, "    return dZ @ X.T")).patch())
    assert file.read_text() == "def backward(dZ, X):\n    return dZ @ X.T"


def test_lines_that_are_added_and_taken_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "net.py"
    file.write_text("a = 1\nb = 2\nc = 3\n")
    git_apply(tmp_path, report_of(one(file, 1, "a = 1\na += 1"), one(file, 2, "")).patch())
    assert file.read_text() == "a = 1\na += 1\nc = 3\n"


@pytest.mark.parametrize("name", ["my net.py", 'a "quoted".py', "∂.py", "tab\there.py"])
def test_several_files_with_strange_names_below_a_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    folder = tmp_path / "sub folder"
    folder.mkdir()
    if shutil.which("git"):
        subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True, capture_output=True)
    monkeypatch.chdir(folder)
    first, second = folder / name, folder / "helpers" / "layers.py"
    second.parent.mkdir()
    for file in (first, second):
        file.write_text("a = 1\n")
    git_apply(folder, report_of(one(first, 1, "a = 2"), one(second, 1, "a = 3")).patch())
    assert (first.read_text(), second.read_text()) == ("a = 2\n", "a = 3\n")


def test_of_fixes_that_overlap_the_first_one_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "net.py"
    file.write_text("a = (1\n     + 2)\nb = 3\n")
    report = report_of(one(file, 1, "a = 1", end=2), one(file, 2, "     + 4)", variable="db"), one(file, 3, "b = 4"))
    patch = report.patch()
    said = "# left out: net.py:2 (db): the fix overlaps with that of line 1 (dW); apply that one and check again\n"
    assert patch.startswith(said)
    git_apply(tmp_path, patch)
    assert file.read_text() == "a = 1\nb = 4\n"
    same = report_of(one(file, 2, "b = 5"), one(file, 2, "b = 5"))
    assert "left out" not in same.patch()


def test_a_file_that_has_changed_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    said = "# left out: net.py: has changed since it was checked\n"
    report = on_disk(tmp_path)
    file = tmp_path / "net.py"
    for text in (NET.replace("m = X.shape[1]", "m = X.shape[0]"), NET[:50], "\n" + NET):
        file.write_text(text)
        assert report.patch() == said
    file.write_text(NET)
    (change,) = report.changes()[0]
    file.write_text(NET + "# edited meanwhile\n")
    with pytest.raises(OSError, match="has changed"):
        write(change)
    assert file.read_text() == NET + "# edited meanwhile\n"
    file.unlink()
    linecache.checkcache()
    assert report.patch() == "# left out: net.py: cannot be read\n"
    file.write_text("dW = 1\n")
    assert report_of(one(file, 1, "dW = 2", source="dW = 3")).patch() == said


def test_writing_keeps_the_mode_and_leaves_nothing_behind(tmp_path: Path) -> None:
    report = on_disk(tmp_path)
    file = tmp_path / "net.py"
    file.chmod(0o754)
    link = tmp_path / "link.py"
    link.symlink_to(file)
    compiled = Path(py_compile.compile(str(file)) or "")
    assert compiled == Path(importlib.util.cache_from_source(str(file)))
    for finding in report.findings:
        finding.file = str(link)
    (change,) = report.changes()[0]
    write(change)
    assert file.read_text() == FIXED
    assert link.is_symlink()
    assert stat.S_IMODE(file.stat().st_mode) == 0o754
    assert not compiled.exists()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["__pycache__", "link.py", "net.py"]


def test_no_fix_is_no_patch() -> None:
    assert right().patch() == wrong().patch() == ""


def test_a_file_elsewhere_and_the_cell_of_a_notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "net.py"
    file.write_text("a = 1\n")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert report_of(one(file, 1, "a = 2")).patch().startswith(f"--- a{file.as_posix()}\n")
    cell = "<ipython-input-3-0123456789ab>"
    monkeypatch.setitem(linecache.cache, cell, (6, None, ["a = 1\n"], cell))
    report = report_of(one(Path(cell), 1, "a = 2"))
    assert report.patch() == "--- a/cell 3\t\n+++ b/cell 3\t\n@@ -1 +1 @@\n-a = 1\n+a = 2\n"
    with pytest.raises(OSError, match="has changed"):
        write(report.changes()[0][0])
