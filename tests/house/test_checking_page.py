"""docs/checking.md keeps its word: its passes get the verdict they promise, its wrong lines the kind, its tables are complete."""

from __future__ import annotations

import inspect
import json
import os
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

import autograd_np as ag
from autograd_np.check.tell.kinds import KINDS
from autograd_np.check.tell.report import BackwardReport, Finding, GradientCheck
from autograd_np.cli.check import VERDICTS, Format

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "checking.md").read_text("utf-8")
PASSES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
TITLES = [re.findall(r"^(?:\*\*(.*?)\*\*|## (.*))", text, re.MULTILINE)[-1] for text in re.split(r"```python\n[^`]*```", PAGE)]
NAMES = [bold.rstrip(".") or heading for bold, heading in TITLES[: len(PASSES)]]
TABLE = PAGE.partition("## Kinds of mistakes")[2].partition("## Options")[0]
ROWS = re.findall(r"^\| `([\w-]+)` \| .*? \| `(.*?)` \| (.*) \|$", TABLE, re.MULTILINE)


def run(program: str, cwd: Path) -> str:
    (cwd / "net.py").write_text(program, "utf-8")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", "COLUMNS": "120"}
    done = subprocess.run([sys.executable, "net.py"], cwd=cwd, env=environment, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("program", PASSES, ids=NAMES)
def test_a_pass_gets_its_verdict(program: str, tmp_path: Path) -> None:
    ((verdict, said),) = re.findall(r"# (PASS|FAIL): (.*)$", program, re.MULTILINE)
    headline = run(program, tmp_path).splitlines()[0]
    assert headline.startswith(f"{verdict}: ")
    assert f" {said} " in headline


@pytest.mark.parametrize(("kind", "wrong", "said"), ROWS, ids=[kind for kind, *_ in ROWS])
def test_a_wrong_line_gets_its_kind(kind: str, wrong: str, said: str, tmp_path: Path) -> None:
    program = PASSES[-1]
    begins = "return {" if wrong.startswith("return") else wrong.partition("=")[0] + "="
    right = next(line.strip() for line in program.splitlines() if line.strip().startswith(begins))
    assert right != wrong
    program = program.replace(right, wrong).replace("print(ag.", "import json\nprint(json.dumps(ag.")
    program = re.sub(r"\)\)  # PASS.*", ").to_dict()))", program)
    told = json.loads(run(program, tmp_path))
    assert told["verdict"] == "fail"
    assert [f["kind"] for f in told["findings"]] == [kind]
    assert all(part in told["findings"][0]["message"] for part in said.split("…"))
    if kind != "not-returned":
        assert told["findings"][0]["source"].strip() == wrong


def test_every_kind_and_every_option_is_there() -> None:
    assert sorted(kind for kind, *_ in ROWS) == sorted(KINDS)
    options = set(inspect.signature(ag.check_backward).parameters) - {"forward", "backward", "inputs"}
    assert options <= set(re.findall(r"^\| `(\w+)` \| `--", PAGE, re.MULTILINE))
    for form in Format:
        assert f"`--format {form.value}`" in PAGE
    for code in (*VERDICTS.values(), 2):
        assert f"\n| {code} | " in PAGE


@pytest.mark.parametrize("record", [BackwardReport, Finding, GradientCheck])
def test_the_schema_names_every_key(record: type) -> None:
    schema = PAGE.partition("## JSON")[2]
    named = {name for cell in re.findall(r"^\| (`.*?) \|", schema, re.MULTILINE) for name in re.findall(r"`(\w+)`", cell)}
    assert {f.name for f in fields(record)} - {"graph"} <= named
    assert {"schema", "ok", "ratio"} <= named


def test_the_workflow_uses_options_that_exist() -> None:
    (workflow,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert "autograd-np check net.py --format sarif > gradients.sarif" in workflow
    assert "\t" not in workflow
