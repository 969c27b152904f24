"""The example that trains on a cluster, at a small size: three ways agree, from files too, and a worker that is killed costs only time."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "dask_cluster.py"


def test_the_example(tmp_path: Path) -> None:
    pytest.importorskip("distributed", reason="pip install 'autograd-np[dask]'")
    arguments = ["--samples", "3000", "20000", "--chunk", "2000", "--steps", "2", "--memory", "600MB", "--files", "--kill"]
    run = subprocess.run(
        [sys.executable, str(EXAMPLE), *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "TMPDIR": str(tmp_path), "DASK_TEMPORARY_DIRECTORY": str(tmp_path)},
        check=False,
    )
    assert run.returncode == 0, run.stderr[-4000:]
    costs = re.findall(r"(by hand|value_and_grad|nn) .* (\d\.\d+) -> (\d\.\d+)", run.stdout)
    assert [name for name, _, _ in costs] == 2 * ["by hand", "value_and_grad", "nn"]
    for first in (0, 3):
        assert len({costs[first + i][1:] for i in range(3)}) == 1
    assert all(float(x) < 1e-12 for x in re.findall(r"(\d\.\de-?\d+) +\d+ MB +\d+ MB", run.stdout)), run.stdout
    assert len(re.findall(r"\d MB +\d+ MB$", run.stdout, re.MULTILINE)) == 2
    told = re.search(r"a worker was killed during a step; largest difference (\S+)", run.stdout)
    assert told, run.stdout
    assert float(told[1]) < 1e-12
