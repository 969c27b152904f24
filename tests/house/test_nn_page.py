"""docs/nn.md keeps its word: its programs print what they say, its links lead somewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "nn.md").read_text("utf-8")
PROGRAMS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
TITLES = [re.findall(r"^#+ (.*)$", PAGE[: PAGE.index(p)].replace("```python", ""), re.MULTILINE)[-1] for p in PROGRAMS]
# what a fresh machine has not
NEEDS = {"TableDataset": "pyarrow", "digits()": "sklearn", "confusion_matrix": "sklearn", "export_onnx": "onnx"}


@pytest.mark.parametrize("program", PROGRAMS, ids=TITLES)
def test_a_program_prints_what_it_says(program: str, tmp_path: Path) -> None:
    for name, package in NEEDS.items():
        if name in program:
            pytest.importorskip(package)
    (tmp_path / "program.py").write_text(program, "utf-8")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-W", "error", "program.py"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    said = re.findall(r"^(?:.*print\(.*\)  # |# )(.*)$", program, re.MULTILINE)
    assert said
    assert done.stdout.splitlines() == said


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", PAGE):
        assert target.startswith("https://") or (ROOT / "docs" / target).exists(), target
