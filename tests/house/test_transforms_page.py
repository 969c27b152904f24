"""docs/transforms.md keeps its word: its programs print what they say, and it names every transform."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import autograd_np as ag
from autograd_np import transforms

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "transforms.md").read_text("utf-8")
PROGRAMS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
TITLES = [text.rpartition("\n## ")[2].partition("\n")[0] for text in (PAGE[: PAGE.index(p)] for p in PROGRAMS)]


@pytest.mark.parametrize("program", PROGRAMS, ids=TITLES)
def test_a_program_prints_what_it_says(program: str, tmp_path: Path) -> None:
    if "scipy" in program:
        pytest.importorskip("scipy")
    (tmp_path / "program.py").write_text(program, "utf-8")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-W", "error", "program.py"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    said = re.findall(r"print\(.*\)  # (.*)$", program, re.MULTILINE)
    assert said
    assert done.stdout.splitlines() == said


def test_every_transform_is_named() -> None:
    for name in (*transforms.__all__, "vmap", "ravel", "register_container"):
        assert f"ag.{name}" in PAGE
        assert hasattr(ag, name)
