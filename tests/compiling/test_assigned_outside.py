"""What a compiled function assigns outside: it stays what it was where the function cannot be compiled, and arrays are nobody else's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import autograd_np as ag


class _State:
    def __init__(self) -> None:
        self.n = 0
        self.last: Any = None
        self.seen: list[Any] = []


def test_a_refused_function_leaves_everything_as_it_was() -> None:
    s = _State()

    def branches(x: Any) -> Any:
        s.n += 1
        s.last = x * 2.0
        s.seen.append(x)
        return x if np.sum(x) > 0 else -x

    def counts(x: Any) -> Any:
        s.n += 1
        s.last = x * 2.0
        return x * 2.0

    def lists(x: Any) -> Any:
        s.last = x * 2.0
        s.seen.append(x * 2.0)
        return x * 2.0

    for f in (branches, counts, lists):
        with pytest.raises(ag.AutogradError):
            ag.compile(f)(np.ones(3))
        assert (s.n, s.last, s.seen) == (0, None, [])


def test_assigned_arrays_are_not_written_by_later_calls() -> None:
    s = _State()

    def f(x: Any) -> Any:
        s.last = np.sin(x) + x
        return np.sum(s.last)

    compiled = ag.compile(f, reuse_outputs=True, backend="numpy")
    kept = []
    for i in range(4):
        x = np.arange(3.0) + i
        compiled(x)
        assert type(s.last) is np.ndarray
        kept.append((s.last, np.sin(x) + x))
    for mine, expected in kept:
        np.testing.assert_allclose(mine, expected)
