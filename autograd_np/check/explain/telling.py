"""Which execution of a statement tells most about it: at the first one of a loop much is still zero, and all counters are."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_np.check.judge.outcome import Outcome
from autograd_np.check.watch.run import Step

__all__ = ["telling"]

MOST_VISITS = 9
"""So many executions of a statement are looked at, evenly spread."""


def telling(out: Outcome, step: Step) -> Step:
    """Return the execution of a step's statement with most arrays that are not zero, and most counters that differ.

    An array that a loop carries is zero at first, where it can be told from no other; a counter equals the others there.

    Parameters
    ----------
    out : Outcome
        The run.
    step : Step
        An execution of the statement, which is returned if no other one tells more.
    """
    others = [s for s in out.recording.steps if s.place == step.place]
    if len(others) < 2:
        return step
    spread = {round(i * (len(others) - 1) / (MOST_VISITS - 1)) for i in range(MOST_VISITS)}
    return max([step, *(others[i] for i in sorted(spread))], key=_told)


def _told(step: Step) -> int:
    values: list[Any] = list(step.before.values())
    arrays = sum(bool(np.any(v)) for v in values if isinstance(v, np.ndarray) and v.dtype.kind == "f")
    return arrays + len({int(v) for v in values if isinstance(v, (int, np.integer)) and not isinstance(v, bool)})
