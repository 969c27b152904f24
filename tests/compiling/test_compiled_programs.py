"""Random programs, compiled, are what they are eagerly; `compiled_programs.py` judges as many as it is told to."""

from __future__ import annotations

import os
from collections import Counter

import pytest
from compiled_programs import judge

COUNT = int(os.environ.get("AUTOGRAD_NP_COMPILED_PROGRAMS", "120"))


@pytest.mark.parametrize("block", range(4))
def test_random_programs_are_compiled_right(block: int) -> None:
    outcomes = Counter(judge(seed).partition(":")[0] for seed in range(block * COUNT // 4, (block + 1) * COUNT // 4))
    assert outcomes["second order"] >= 0.15 * outcomes.total()
    assert outcomes["refused"] <= 0.02 * outcomes.total()
