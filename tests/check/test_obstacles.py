"""What `check_backward` once got wrong on real code, it gets right: verdict, line, kind and words of each minimal reproduction."""

from __future__ import annotations

import obstacles_code
import obstacles_roles
import obstacles_verdicts
import pytest
from obstacles import faults

CASES = [*obstacles_verdicts.CASES, *obstacles_roles.CASES, *obstacles_code.CASES]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_the_obstacle_is_overcome(case):
    assert not faults(case)


def test_each_obstacle_has_a_title_of_its_own():
    assert len({case.title for case in CASES}) == len(CASES) >= 54
