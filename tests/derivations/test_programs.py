"""Random programs: eager, simplified and printed are the same, at first and second order; `programs.py` judges as many as it is told to."""

from __future__ import annotations

import os
from collections import Counter

import pytest
from programs import judge

COUNT = int(os.environ.get("AUTOGRAD_NP_DERIVED_PROGRAMS", "100"))


@pytest.mark.parametrize("block", range(4))
def test_random_programs_are_derived_right(block: int) -> None:
    outcomes = Counter(judge(seed) for seed in range(block * COUNT // 4, (block + 1) * COUNT // 4))
    assert outcomes["second order"] >= 0.95 * outcomes.total()
