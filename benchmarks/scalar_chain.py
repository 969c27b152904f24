"""A chain of n scalar operations, where an engine's own cost per operation is all there is.

The chain repeats y * 0.9, y + 0.1, sin(y), y * x, so the leaf x is used n / 4 + 1 times. Recording, the backward pass
and freeing are timed together: PyTorch frees most of its graph during the backward pass, others after it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.harness import Settings, Timing, compare, interleave, repeated, same, without

__all__ = ["CONTENDERS", "PEERS", "START", "chain", "contenders", "run"]

START = 0.7


def chain(x: Any, n: int, sin: Callable[[Any], Any]) -> Any:
    """Apply `n` operations (a multiple of 4) to `x`."""
    y = x
    for _ in range(n // 4):
        y = y * 0.9
        y = y + 0.1
        y = sin(y)
        y = y * x
    return y


def by_autograd_np(n: int) -> float:
    """Return the derivative of the chain at `START`."""
    import autograd_np as ag

    x = ag.Tensor(START, requires_grad=True)
    chain(x, n, np.sin).backward()
    return float(x.grad)


def by_torch(n: int) -> float:
    """Return the derivative of the chain at `START`."""
    import torch

    torch.set_num_threads(1)
    x = torch.tensor(START, dtype=torch.float64, requires_grad=True)
    chain(x, n, torch.sin).backward()
    return float(x.grad)


def by_hips_autograd(n: int) -> float:
    """Return the derivative of the chain at `START`."""
    import autograd
    import autograd.numpy as anp

    return float(autograd.grad(lambda x: chain(x, n, anp.sin))(START))


CONTENDERS: dict[str, Callable[[int], float]] = {
    "PyTorch eager": by_torch,
    "autograd_np": by_autograd_np,
    "HIPS autograd": by_hips_autograd,
}
PEERS = {"PyTorch eager": "torch", "HIPS autograd": "autograd"}


def contenders() -> dict[str, Callable[[int], float]]:
    """Return the contenders that are installed."""
    missing = without(PEERS)
    return {name: derivative for name, derivative in CONTENDERS.items() if name not in missing}


def run(settings: Settings) -> list[Timing]:
    """Time chains of several lengths; the first contender that is installed is the baseline."""
    timings = []
    field = contenders()
    for n in (1_000, 10_000) if settings.quick else (1_000, 10_000, 100_000):
        expected = by_autograd_np(n)
        tasks = {}
        for name, derivative in field.items():
            same(name, [derivative(n)], [expected])
            tasks[name] = repeated(lambda derivative=derivative, n=n: derivative(n), settings.min_seconds)  # type: ignore[misc]
        timings += compare(interleave(tasks, settings.rounds, settings.seed), n)
    return timings
