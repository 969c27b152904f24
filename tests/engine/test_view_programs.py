"""Random programs of views, writes and reads; `view_programs` says how they are judged, and runs at length as a script."""

from __future__ import annotations

import os

import numpy as np
import pytest
import view_programs
from view_programs import DifferenceError, Step

import autograd_np as ag

COUNT = int(os.environ.get("AUTOGRAD_NP_PROGRAMS", "250"))


@pytest.mark.parametrize("block", range(10))
def test_random_programs_compute_what_numpy_does(block: int) -> None:
    outcomes = [view_programs.check(seed) for seed in range(block * COUNT // 10, (block + 1) * COUNT // 10)]
    assert outcomes.count("right") > 0.7 * len(outcomes)
    assert outcomes.count("refused") <= 0.02 * len(outcomes)


PROGRAM = [Step("ravel", (0,)), Step("index", (2,), (slice(0, 2),)), Step("augment", (3, 1), ("*=",)), Step("read", (0,), (1.0,))]
INPUTS = (np.array([[0.3, -0.4], [0.5, 0.6]]), np.array([0.7, -0.2]))


def test_the_judge_is_content_with_a_right_program() -> None:
    view_programs.judge(PROGRAM, INPUTS, np.random.default_rng(0))


@pytest.mark.parametrize("fault", ["a write that a view does not see", "a gradient that is lost", "a second derivative that is lost"])
def test_the_judge_notices(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A judge that cannot condemn is no judge."""
    if fault.startswith("a write"):
        real = ag.Tensor.__imul__
        monkeypatch.setattr(ag.Tensor, "__imul__", lambda t, other: real(t.copy(), other))
    elif fault.startswith("a gradient"):
        monkeypatch.setattr(ag.Tensor, "ravel", lambda t: ag.stop_gradient(t).reshape(-1))
    else:
        real_ravel = ag.Tensor.ravel
        monkeypatch.setattr(ag.Tensor, "ravel", lambda t: real_ravel(t) if not isinstance(t.data, ag.Tensor) else t.copy().reshape(-1))
    with pytest.raises(DifferenceError):
        view_programs.judge(PROGRAM, INPUTS, np.random.default_rng(0))
