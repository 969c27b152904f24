"""A training that is killed at random moments, again and again, ends with the parameters that it would have had.

``KILLS=50 pytest -n0 tests/nn/test_training_killed.py`` kills it fifty times.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import nn

KILLS = int(os.environ.get("KILLS", "3"))
ROOT = Path(__file__).parents[2]
BATCHES = 8  # in an epoch


def start(folder: Path, epochs: int) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(Path(__file__).with_name("training_runs.py")), str(folder), str(epochs)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.skipif(os.name != "posix", reason="there is no SIGKILL")
def test_a_killed_training_ends_as_one_that_was_not(tmp_path):
    chance = random.Random(KILLS)
    epochs = 1 + KILLS  # about a kill an epoch
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    whole.mkdir()
    torn.mkdir()
    start(whole, epochs).communicate()
    seen = []
    for _ in range(KILLS):
        process = start(torn, epochs)
        assert process.stdout is not None
        lines = chance.randint(1, 2 * BATCHES - 4)
        for line in process.stdout:
            seen.append(line.strip())
            lines -= 1
            if lines == 0 or line.startswith("done"):
                break
        assert not seen[-1].startswith("done"), "it was faster than the kills"
        time.sleep(chance.random() * 0.01)  # somewhere in a batch, or in a save
        process.kill()
        process.wait()
        process.stdout.close()
        if (torn / "run.safetensors").exists():
            nn.load(torn / "run.safetensors")  # whole, or it would be refused
    start(torn, epochs).communicate()
    assert files(torn) == files(whole)  # parameters, history, checkpoint: byte for byte
    assert KILLS < 20 or len(set(seen)) < len(seen), "no batch was ever lost and done again"  # which of few kills may not do
    assert np.isfinite(nn.load(torn / "model.safetensors")["0.weight"]).all()
