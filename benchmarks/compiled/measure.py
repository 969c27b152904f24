"""Times and memory of a case in the hands of each contender: all in one process, and each in a process of its own.

In one process freed memory is kept by all alike, since importing PyTorch or this package has that effect. In a process of its own a
contender has the memory that its users have: NumPy written by hand gives large arrays back to the system and is given them anew.
"""

from __future__ import annotations

import json
import math
import os
import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.compiled import networks, numerics
from benchmarks.compiled.case import Arrays, Case, Running
from benchmarks.compiled.contenders import BASELINE, field, start
from benchmarks.harness import Settings, Timing, compare, interleave, repeated, timed

__all__ = ["CASES", "Figures", "alone", "check", "measured"]

CASES: dict[str, Case] = {**networks.CASES, **numerics.CASES}
MAY_FAIL = {"torch.compile"}
"""Who needs a compiler of C++ and takes some functions only: it is left out where it does not run."""
LONG = 8.0
"""Whoever takes so many seconds to get ready is in a process of its own at the largest size of a case only."""
ENOUGH = 2.0
"""Seconds of timing in a process of its own, after which three times are enough."""


@dataclass(frozen=True)
class Figures:
    """A contender's figures at one size of a case.

    Attributes
    ----------
    case : str
        Its name in the table of cases.
    together : Timing
        In one process with the others.
    alone : Timing
        In a process of its own; of no rounds where it was not.
    first : float
        Seconds of the first call in a process of its own, after one at the small size: what compiling takes is in it.
    peak : float
        Bytes that later calls need at their peak, in a process of its own, beyond what it has with all that is loaded and the arrays of the
        problem, and with what the first call left; NaN where the system does not say.
    first_peak : float
        The same of the first call.
    arrays : float
        Bytes that a later call takes at its peak as Python and NumPy count them, whatever the process keeps: of arrays of other packages
        nothing is in it.
    """

    case: str
    together: Timing
    alone: Timing
    first: float
    peak: float
    first_peak: float = math.nan
    arrays: float = math.nan


def check(case: Case, runs: Mapping[str, Running], before: Arrays, took: dict[str, float] | None = None) -> dict[str, str]:
    """Call everybody once, and demand equal losses and gradients; return who does not run, and why.

    The seconds that each call takes are noted in `took`.

    The gradient of a training step is read off the step itself, (before - after) / rate, so that what is checked is what is timed.

    Raises
    ------
    AssertionError
        Naming the contender whose numbers are not those of the code by hand.
    """
    expected: list[Any] = []
    failed = {}
    for name, running in runs.items():
        began = time.perf_counter()
        try:
            loss = running.call()
        except Exception as error:
            if name not in MAY_FAIL:
                raise
            failed[name] = f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
            continue
        if took is not None:
            took[name] = time.perf_counter() - began
        results = running.results()
        if case.rate is not None:
            results = tuple((b - a) / case.rate for b, a in zip(before, results, strict=True))
        found = [np.asarray(loss, float), *results]
        expected = expected or found
        for got, wanted in zip(found, expected, strict=True):
            if got.shape != wanted.shape:
                raise AssertionError(f"{name} gives an array of shape {got.shape} where {BASELINE} gives {wanted.shape}")
            allowed = case.tolerance * (1e-12 + float(np.max(np.abs(wanted))))
            np.testing.assert_allclose(got, wanted, rtol=0, atol=allowed, err_msg=f"{name} disagrees with {BASELINE}")
    return failed


def alone(name: str, case: str, size: int, seed: int, least: float) -> dict[str, float]:
    """Return what a contender takes in a fresh process: ``seconds`` of a call, of the ``first``, and its memory, as `Figures` names it.

    Raises
    ------
    RuntimeError
        If the process fails; with its message.
    """
    command = [sys.executable, "-m", "benchmarks.compiled.child", name, case, str(size), str(seed), str(least)]
    folder = Path(__file__).parents[2]
    child = subprocess.run(command, env=dict(os.environ), cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603 (a list of our own)
    if child.returncode != 0:
        raise RuntimeError(f"{case} at {size} with {name} failed in a fresh process:\n{child.stderr}")
    found: dict[str, float] = json.loads(child.stdout.splitlines()[-1])
    return found


def in_this_process(name: str, case: Case, size: int, seed: int, least: float) -> dict[str, float]:
    """Do what `alone` returns, here."""
    loading = start(name, case, case.small, seed)
    settle(loading)
    del loading
    running = start(name, case, size, seed)
    before = _kilobytes("VmRSS")
    _count_peak_from_here()
    began = time.perf_counter()
    running.call()
    first = time.perf_counter() - began
    first_peak = 1024 * (_kilobytes("VmHWM") - before)
    settle(running)
    _count_peak_from_here()
    timed(running.call, 3)
    peak = 1024 * (_kilobytes("VmHWM") - before)
    once = repeated(running.call, least)
    began = time.perf_counter()
    taken: list[float] = []
    while len(taken) < 9 and (len(taken) < 3 or time.perf_counter() - began < ENOUGH):
        taken.append(once())
    arrays = _arrays(running)
    return {
        "seconds": statistics.median(taken),
        "first": first,
        "peak": max(peak, 0.0),
        "first_peak": max(first_peak, 0.0),
        "arrays": arrays,
    }


def _arrays(running: Running) -> float:
    """Return the bytes that a call takes at its peak, beyond what is there before; last of all, since counting them takes time."""
    tracemalloc.start()
    running.call()  # its result is counted from now on, and replaced by the next one
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    running.call()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return float(peak - before)


def _count_peak_from_here() -> None:
    file = Path("/proc/self/clear_refs")
    if file.exists():
        file.write_text("5", encoding="ascii")


def settle(running: Running, seconds: float = 0.05) -> None:
    """Call until all has been called a few times, and whoever chooses among ways has chosen."""
    began = time.perf_counter()
    calls = 0
    while calls < 3 or time.perf_counter() - began < seconds or not running.settled():
        running.call()
        calls += 1


def _kilobytes(name: str) -> float:
    status = Path("/proc/self/status")
    if not status.exists() or not Path("/proc/self/clear_refs").exists():
        return math.nan
    return next(float(line.split()[1]) for line in status.read_text(encoding="ascii").splitlines() if line.startswith(name))


def measured(key: str, size: int, settings: Settings, tell: Callable[[str], None] = lambda _: None) -> tuple[list[Figures], dict[str, str]]:
    """Return the figures of everybody at one size, and who does not run, and why.

    Parameters
    ----------
    key : str
        The case's name.
    size : int
        The size.
    settings : Settings
        Calls together take `rounds` rounds and processes a tenth of that, three at least; fewer where these would take longer than the
        budget, half of which is for either.
    tell : callable
        Told what is being done.
    """
    case = CASES[key]
    what = f"{key}, {case.size} = {size:,}"
    tell(what)
    took: dict[str, float] = {}
    runs = {name: start(name, case, size, settings.seed) for name in field(case)}
    failed = check(case, runs, case.problem(size, np.random.default_rng(settings.seed)).parameters, took)
    runs = {name: running for name, running in runs.items() if name not in failed}
    for running in runs.values():
        settle(running)
    tasks = {name: repeated(running.call, settings.min_seconds) for name, running in runs.items()}
    began = time.perf_counter()
    samples = interleave(tasks, 2, settings.seed)
    a_round = (time.perf_counter() - began) / 2
    rounds = max(3, min(settings.rounds, math.ceil(min(30, settings.budget / 2) / a_round))) if not settings.quick else 2
    for name, more in interleave(tasks, rounds, settings.seed + 1).items():
        samples[name] += more
    del tasks, running
    runs.clear()

    tell(f"{what}, in processes of their own")
    apart_from = [name for name in samples if took[name] < LONG or size == (case.small if settings.quick else max(case.sizes))]
    told = _processes(apart_from, key, size, settings)
    together = {t.name: t for t in compare(samples, size)}
    apart = {t.name: t for t in compare({name: [f["seconds"] for f in found] for name, found in told.items()}, size, fewer=True)}

    def median(name: str, what: str) -> float:
        return statistics.median(f[what] for f in told[name]) if name in told else math.nan

    nowhere = math.nan
    return [
        Figures(
            key,
            together[n],
            apart.get(n, Timing(n, size, nowhere, nowhere, nowhere, nowhere, 0)),
            median(n, "first") if n in told else took[n],
            median(n, "peak"),
            median(n, "first_peak"),
            median(n, "arrays"),
        )
        for n in samples
    ], failed


def _processes(names: list[str], key: str, size: int, settings: Settings) -> dict[str, list[dict[str, float]]]:
    """Run contenders in processes of their own, in rounds; whoever takes long is not in those that the budget has no time for."""
    told: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    cost = dict.fromkeys(names, 0.0)
    left = settings.budget / 2
    for turn in range(2 if settings.quick else max(3, settings.rounds // 10)):
        taking_part = []
        for name in sorted(names, key=lambda name: (name != BASELINE, cost[name])):
            if turn == 0 or cost[name] < left or (turn == 1 and name == BASELINE):
                taking_part.append(name)
                left -= cost[name]
            else:
                break
        tasks = {name: _timed_process(name, key, size, settings) for name in taking_part if turn == len(told[name])}
        for name, [(seconds, found)] in interleave(tasks, 1, settings.seed + turn).items():
            told[name].append(found)
            cost[name] = seconds
            left -= seconds if turn == 0 else 0.0
    return told


def _timed_process(name: str, key: str, size: int, settings: Settings) -> Callable[[], tuple[float, dict[str, float]]]:
    def run() -> tuple[float, dict[str, float]]:
        began = time.perf_counter()
        found = alone(name, key, size, settings.seed, settings.min_seconds)
        return time.perf_counter() - began, found

    return run
