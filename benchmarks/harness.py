"""Interleaved rounds and their statistics; imports no array package, so `one_thread` can run before them.

A machine's speed drifts while a benchmark runs, so contenders are never timed one after the other. Each
round runs every contender once, in shuffled order, and a ratio is taken within a round. What is reported
is the median of those ratios, with the quartiles as the spread.
"""

from __future__ import annotations

import gc
import math
import os
import random
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, TypeVar

__all__ = ["Settings", "Timing", "compare", "interleave", "one_thread", "repeated", "same", "timed", "without"]

T = TypeVar("T")

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "NUMBA_NUM_THREADS")


@dataclass(frozen=True)
class Settings:
    """How long to measure.

    Attributes
    ----------
    quick : bool
        Small sizes only, to see that everything runs.
    rounds : int
        Rounds of each comparison.
    seed : int
        Seeds the data and the order within the rounds.
    min_seconds : float
        A contender faster than this is called several times a round.
    budget : float
        Seconds that a comparison should take; it then has fewer rounds, but a few at least.
    """

    quick: bool = False
    rounds: int = 31
    seed: int = 0
    min_seconds: float = 0.005
    budget: float = math.inf


@dataclass(frozen=True)
class Timing:
    """One contender's figures at one size.

    Attributes
    ----------
    name : str
        The contender.
    size : int
        The size of the problem.
    seconds : float
        Median time of a call.
    ratio, low, high : float
        Median and quartiles of the ratios to the baseline, taken round by round.
    rounds : int
        How many there were.
    """

    name: str
    size: int
    seconds: float
    ratio: float
    low: float
    high: float
    rounds: int


def one_thread() -> None:
    """Give every package one thread: to be called before any of them is imported.

    The environment variables stop NumPy's and PyTorch's thread pools; XLA heeds none of them, so where the
    system allows it the process is also kept on one processor. Kernels and blocks that the environment chooses for
    OpenBLAS are forgotten: it takes those of the processor, as a user has it.

    Raises
    ------
    RuntimeError
        If NumPy is imported already: its thread pool no longer asks.
    """
    if "numpy" in sys.modules:
        raise RuntimeError("one_thread() must run before numpy is imported; start the benchmarks with `python -m benchmarks`")
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    for kernel in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
        os.environ.pop(kernel, None)
    os.environ["JAX_PLATFORMS"] = "cpu"
    os.environ["OMP_WAIT_POLICY"] = "PASSIVE"  # a pool that waits by spinning takes the processor from the next contender
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def without(peers: Mapping[str, str]) -> list[str]:
    """Return the names of the peers (name -> module) that are not installed here."""
    return [name for name, module in peers.items() if find_spec(module) is None]


def timed(run: Callable[[], object], calls: int = 1, clock: Callable[[], float] = time.perf_counter) -> float:
    """Return the seconds that a call of `run` takes, averaged over `calls` in a row.

    The result of each call is dropped within the measurement, so freeing it counts.
    """
    start = clock()
    for _ in range(calls):
        run()
    return (clock() - start) / calls


def repeated(run: Callable[[], object], min_seconds: float, clock: Callable[[], float] = time.perf_counter) -> Callable[[], float]:
    """Return a task for `interleave`: it times as many calls of `run` as fill `min_seconds`, after warming up."""
    if timed(run, 1, clock) > 20 * min_seconds:
        return lambda: timed(run, 1, clock)
    timed(run, 1, clock)
    calls = max(1, math.ceil(min_seconds / max(timed(run, 3, clock), 1e-9)))
    return lambda: timed(run, calls, clock)


def interleave(tasks: Mapping[str, Callable[[], T]], rounds: int, seed: int = 0) -> dict[str, list[T]]:
    """Run every task once a round, in a new shuffled order each round.

    What exists beforehand (the imported packages, above all) is hidden from the garbage collector and garbage is
    collected before each task, so that no contender pays for another's objects. The collector stays as it was: its
    passes over a contender's own objects are part of the cost.

    Returns
    -------
    dict
        For each task, what it returned in each round.
    """
    order = list(tasks)
    rng = random.Random(seed)  # noqa: S311 (no secret: an order)
    results: dict[str, list[T]] = {name: [] for name in order}
    gc.collect()
    gc.freeze()
    try:
        for _ in range(rounds):
            rng.shuffle(order)
            for name in order:
                gc.collect()
                results[name].append(tasks[name]())
    finally:
        gc.unfreeze()
    return results


def compare(samples: Mapping[str, Sequence[float]], size: int = 0, *, fewer: bool = False) -> list[Timing]:
    """Summarise interleaved timings, in the order given, as ratios to the first contender.

    Parameters
    ----------
    samples : mapping
        For each contender, the seconds of each round, as `interleave` returns them.
    size : int
        Noted in the result.
    fewer : bool
        Whether contenders may have taken part in the first rounds only, one at least.

    Raises
    ------
    ValueError
        If the contenders have different numbers of rounds, or fewer than two.
    """
    counts = {len(seconds) for seconds in samples.values()}
    if not fewer and (len(counts) != 1 or min(counts) < 2):
        raise ValueError(f"compare needs two or more rounds and as many for each contender, got {sorted(counts)}")
    baseline = next(iter(samples.values()))
    table = []
    for name, seconds in samples.items():
        ratios = [own / base for own, base in zip(seconds, baseline, strict=not fewer)]
        low, ratio, high = statistics.quantiles(ratios, n=4, method="inclusive") if len(ratios) > 1 else ratios * 3
        table.append(Timing(name, size, statistics.median(seconds), ratio, low, high, len(ratios)))
    return table


def same(name: str, got: Any, expected: Any, rtol: float = 1e-9) -> None:
    """Refuse to time a contender whose numbers differ from the reference's beyond rounding, by default that of float64.

    Raises
    ------
    AssertionError
        With the contender's name and the elements that differ.
    """
    import numpy as np

    for g, e in zip(got, expected, strict=True):
        np.testing.assert_allclose(
            g, e, rtol=rtol, atol=1e-3 * rtol * (1 + float(np.max(np.abs(e)))), err_msg=f"{name} disagrees with the reference"
        )
