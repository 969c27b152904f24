"""Which of many arrays may equal one: a few elements of each tell, compared all at once."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from autograd_np.check.judge.compare import SAFETY
from autograd_np.typing import Array

__all__ = ["Alike"]

PROBES = 4


class Alike:
    """Arrays, and how far another one may be off that still counts as equal.

    Parameters
    ----------
    arrays : iterable of (array, slack)
    tolerance : float
    """

    def __init__(self, arrays: Iterable[tuple[Array, Any]], tolerance: float) -> None:
        rows: dict[tuple[int, ...], list[tuple[int, Array, float]]] = {}
        for i, (a, slack) in enumerate(arrays):
            room = 2 * tolerance * float(np.max(np.abs(a), initial=0.0)) + SAFETY * float(np.max(slack, initial=0.0))
            rows.setdefault(np.shape(a), []).append((i, _some(a), room))
        self._tables = {
            shape: (np.array([i for i, _, _ in found]), np.stack([a for _, a, _ in found]), np.array([[room] for _, _, room in found]))
            for shape, found in rows.items()
        }

    def of(self, value: Array) -> list[int]:
        """Return which of the arrays `value` may equal, in their order."""
        if np.shape(value) not in self._tables:
            return []
        numbers, table, room = self._tables[np.shape(value)]
        with np.errstate(invalid="ignore"):
            return [int(i) for i in numbers[np.all(np.abs(table - _some(value)) <= room, axis=1)]]

    def of_products(self, value: Array, others: Sequence[Array]) -> list[int]:
        """Return with which of other arrays of its shape `value` gives a product that may equal one of the arrays."""
        if np.shape(value) not in self._tables or not others:
            return []
        _, table, room = self._tables[np.shape(value)]
        products = np.stack([_some(x) for x in others]) * _some(value)
        with np.errstate(invalid="ignore"):
            near = np.all(np.abs(table[None] - products[:, None]) <= room[None], axis=2)
        return [int(i) for i in np.flatnonzero(np.any(near, axis=1))]


def _some(array: Array) -> Array:
    flat = np.asarray(array, float).ravel()
    return flat[_spread(flat.size)] if flat.size else np.zeros(PROBES)


@functools.lru_cache(1024)
def _spread(size: int) -> Array:
    return np.linspace(0, size - 1, PROBES).astype(int)
