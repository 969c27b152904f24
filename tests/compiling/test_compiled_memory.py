"""What a compiled function takes of memory: at its first call, at later ones, and in between."""

from __future__ import annotations

import gc
import platform
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import autograd_np as ag

N = 100_000


@pytest.fixture(autouse=True)
def _traced() -> Iterator[None]:
    gc.collect()
    gc.disable()  # what is kept in a circle would be kept for as long as nobody collects
    tracemalloc.start()
    yield
    tracemalloc.stop()
    gc.enable()


def _peak(call: Callable[[], Any]) -> tuple[float, float]:
    """Return the bytes that a call takes at its peak, and those that are still taken afterwards, without its result."""
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    call()
    after, peak = tracemalloc.get_traced_memory()
    return peak - before, after - before


def _loss(x: Any, y: Any) -> Any:
    z = 1.5 * x
    return np.mean(np.log(np.exp(-np.abs(z)) + 1) + np.maximum(z, 0) - y * z + 0.1 * np.tanh(x) ** 2 + np.sin(x * y) / (1 + x * x))


def _sigmoids(x: Any, y: Any) -> Any:
    a = 1 / (1 + np.exp(-x))
    return -np.mean(y * np.log(a) + (1 - y) * np.log(1 - a))


@pytest.mark.parametrize("loss", [_loss, _sigmoids])
def test_a_first_call_takes_little_more_than_an_eager_one_and_keeps_nothing_of_it(loss: Any) -> None:
    x, y = np.random.default_rng(0).uniform(0.1, 0.9, size=(2, N))
    eager = ag.value_and_grad(loss)
    eager(x[:9], y[:9])
    small = ag.compile(eager, backend="numpy")
    small(x[:9], y[:9])  # what is loaded
    of_eager, _ = _peak(lambda: eager(x, y))
    compiled = ag.compile(eager, backend="numpy")
    first, kept = _peak(lambda: compiled(x, y))
    assert first < 2.3 * of_eager
    assert kept < compiled.memory + x.nbytes / 4
    later, kept = _peak(lambda: compiled(x, y))
    assert later < of_eager / 2
    assert later <= compiled.memory + 20_000
    assert kept < 20_000


def test_what_differs_in_another_run_is_told_without_keeping_the_records() -> None:
    calls = []

    def f(x: Any) -> Any:
        calls.append(0)
        return np.sum(np.exp(x) * x) if len(calls) % 2 else np.sum(np.sin(x))

    x = np.ones(N)

    def refused() -> None:
        with pytest.raises(ag.AutogradError):
            ag.compile(f, backend="numpy")(x)

    refused()
    assert _peak(refused)[1] < x.nbytes / 2


_CHILD = """
import numpy as np, autograd_np as ag
from pathlib import Path
def resident():
    return 1024 * next(int(line.split()[1]) for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS"))
f = ag.value_and_grad(lambda x: np.mean(np.exp(-np.abs(x)) * np.tanh(x) + np.sin(x * x) / (1 + x * x)))
ag.compile(f, backend="numpy")(np.ones(9))
x = np.ones(200_000)
before = resident()
compiled = ag.compile(f, backend="numpy")
compiled(x)
print((resident() - before) / x.nbytes)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="no other allocator is asked to give memory back")
def test_what_a_first_call_needed_is_given_back_to_the_system() -> None:
    child = subprocess.run([sys.executable, "-c", _CHILD], capture_output=True, text=True, check=True)
    assert float(child.stdout) < 4  # a run of the function itself takes twelve arrays
