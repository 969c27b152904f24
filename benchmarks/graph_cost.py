"""What a recorded node costs: time to record it, to sweep back over it and to free it, and memory.

The graph is the chain of scalar operations of `scalar_chain`, so a node's data is one float64. Each length is
measured with the garbage collector on and off: with it off, memory that comes back was freed by reference counts.
"""

from __future__ import annotations

import gc
import statistics
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

import autograd_np as ag
from benchmarks.harness import Settings, interleave
from benchmarks.scalar_chain import START, chain

__all__ = ["Cost", "Memory", "Phases", "memory", "phases", "run"]


class Phases(NamedTuple):
    """Seconds a node."""

    record: float
    backward: float
    free: float


class Memory(NamedTuple):
    """Bytes a node, data included: held by the graph, at the peak of the backward pass, kept after the loss is dropped."""

    graph: float
    peak: float
    kept: float


@dataclass(frozen=True)
class Cost:
    """The figures of one length: `Phases` as medians over rounds, `Memory`, and whether the garbage collector ran."""

    nodes: int
    collector: bool
    record: float
    backward: float
    free: float
    graph: float
    peak: float
    kept: float
    rounds: int


@contextmanager
def _collector(on: bool) -> Iterator[None]:
    was = gc.isenabled()
    (gc.enable if on else gc.disable)()
    try:
        yield
    finally:
        (gc.enable if was else gc.disable)()


def phases(n: int, collector: bool) -> Phases:
    """Record, sweep and drop chains of `n` operations, 20,000 operations at least in all."""
    calls = max(1, 20_000 // n)
    record = backward = free = 0.0
    with _collector(collector):
        for _ in range(calls):
            x = ag.Tensor(START, requires_grad=True)
            start = time.perf_counter()
            y = chain(x, n, np.sin)
            recorded = time.perf_counter()
            y.backward()
            swept = time.perf_counter()
            del y
            freed = time.perf_counter()
            record += recorded - start
            backward += swept - recorded
            free += freed - swept
    return Phases(*(seconds / (calls * n) for seconds in (record, backward, free)))


def memory(n: int, collector: bool) -> Memory:
    """Trace every allocation of a chain; slow, hence apart from the timing.

    What is kept is measured on a second chain: the first leaves up to a few hundred kilobytes in the free lists
    of the interpreter, however long it is.
    """
    with _collector(collector):
        gc.collect()
        tracemalloc.start()
        try:
            graph, peak, _ = _traced(n)
            _, _, kept = _traced(n)
        finally:
            tracemalloc.stop()
    return Memory(graph / n, peak / n, kept / n)


def _traced(n: int) -> Memory:
    x = ag.Tensor(START, requires_grad=True)
    before = tracemalloc.get_traced_memory()[0]
    y = chain(x, n, np.sin)
    graph = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.reset_peak()
    y.backward()
    peak = tracemalloc.get_traced_memory()[1] - before
    del y
    return Memory(graph, peak, tracemalloc.get_traced_memory()[0] - before)


def run(settings: Settings) -> list[Cost]:
    """Measure every length with the collector on and off."""
    sizes = (1_000, 100_000) if settings.quick else (1_000, 100_000, 1_000_000)
    cases = {f"{n} {collector}": (n, collector) for n in sizes for collector in (True, False)}
    rounds = min(settings.rounds, 7)  # a million nodes take seconds, and per-node times are steady
    tasks = {name: (lambda case=case: phases(*case)) for name, case in cases.items()}
    times = interleave(tasks, rounds, settings.seed)
    costs = []
    for name, (n, collector) in cases.items():
        record, backward, free = (statistics.median(phase) for phase in zip(*times[name], strict=True))
        graph, peak, kept = memory(n, collector)
        costs.append(Cost(n, collector, record, backward, free, graph, peak, kept, rounds))
    return costs
