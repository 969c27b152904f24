"""Random programs, compiled, are what they are eagerly; `programs.py` judges as many as it is told to."""

from __future__ import annotations

import importlib.util
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

COUNT = int(os.environ.get("AUTOGRAD_NP_COMPILED_PROGRAMS", "120"))


def _judge() -> Any:
    path = Path(__file__).with_name("programs.py")
    spec = importlib.util.spec_from_file_location("compiled_programs", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.judge


@pytest.mark.parametrize("block", range(4))
def test_random_programs_are_compiled_right(block: int) -> None:
    judge = _judge()
    outcomes = Counter(judge(seed).partition(":")[0] for seed in range(block * COUNT // 4, (block + 1) * COUNT // 4))
    assert outcomes["second order"] >= 0.15 * outcomes.total()
    assert outcomes["refused"] <= 0.02 * outcomes.total()
