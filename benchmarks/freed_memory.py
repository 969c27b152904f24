"""A training step in processes that import nothing else, with freed memory kept and with freed memory given back.

Importing PyTorch or JAX happens to raise the thresholds of glibc's allocator, so the contenders of `notebook_step` never see what a plain
process sees. Each figure here is of a fresh process with NumPy and autograd_np alone.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.harness import Settings, Timing, compare, interleave

__all__ = ["run", "step_seconds"]

_CHILD = """
import sys
from benchmarks.harness import one_thread, timed
one_thread()
from benchmarks import notebook_step
step = notebook_step.CONTENDERS[sys.argv[1]](*notebook_step.problem(int(sys.argv[2]))).step
timed(step, 5)
print(min(timed(step, 5) for _ in range(9)))
"""


def step_seconds(contender: str, m: int, keep: bool) -> float:
    """Return what a step on m samples takes in a fresh process.

    Parameters
    ----------
    contender : str
        One of `notebook_step.CONTENDERS`, whose process imports what it needs.
    m : int
        Samples.
    keep : bool
        Whether freed memory is kept.

    Raises
    ------
    RuntimeError
        If the process fails; with its message.
    """
    environment = os.environ | {"AUTOGRAD_NP_KEEP_MEMORY": "01"[keep]}
    command = [sys.executable, "-c", _CHILD, contender, str(m)]
    child = subprocess.run(command, env=environment, cwd=Path(__file__).parents[1], capture_output=True, text=True, check=False)  # noqa: S603 (a list of our own)
    if child.returncode != 0:
        raise RuntimeError(f"a step of {contender} failed in a fresh process:\n{child.stderr}")
    return float(child.stdout)


def run(settings: Settings) -> list[Timing]:
    """Time both states, in shuffled order each round."""
    timings = []
    for m in (3_000,) if settings.quick else (3_000, 10_000, 30_000, 100_000):
        tasks: dict[str, Callable[[], float]] = {
            f"value_and_grad, freed memory {'kept' if keep else 'given back'}": (
                lambda m=m, keep=keep: step_seconds("autograd_np, value_and_grad", m, keep)
            )
            for keep in (False, True)
        }
        timings += compare(interleave(tasks, settings.rounds, settings.seed), m)
    return timings
