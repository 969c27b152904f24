"""The states of random generators: NumPy's and Python's global ones, and those that somebody made."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["GENERATORS", "put_back", "same_state", "states"]

GENERATORS = (np.random.Generator, np.random.RandomState, random.Random)


def states(generators: Sequence[Any]) -> list[Any]:
    """Return the states of the global generators and of some others."""
    return [np.random.get_state(), random.getstate(), *map(_state, generators)]  # noqa: NPY002


def _state(g: Any) -> Any:
    if isinstance(g, np.random.Generator):
        return g.bit_generator.state
    return g.get_state() if isinstance(g, np.random.RandomState) else g.getstate()


def put_back(before: Sequence[Any], generators: Sequence[Any]) -> None:
    """Put the global generators, and as many of the others as there are states of, back to what `states` returned."""
    np.random.set_state(before[0])  # noqa: NPY002
    random.setstate(before[1])
    for g, state in zip(generators, before[2:], strict=False):
        if isinstance(g, np.random.Generator):
            g.bit_generator.state = state
        elif isinstance(g, np.random.RandomState):
            g.set_state(state)
        else:
            g.setstate(state)


def same_state(a: Any, b: Any) -> bool:
    """Whether two states of generators, or two lists of states, are the same."""
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same_state, a, b))
    if isinstance(a, dict):
        return all(same_state(v, b[k]) for k, v in a.items())
    return bool(np.array_equal(a, b)) if isinstance(a, np.ndarray) else bool(a == b)
