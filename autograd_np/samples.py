"""Where a row of the table is sampled by the tests: domains of its arguments, and sample calls. They belong to the row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_np.typing import Shape

__all__ = ["Case", "Domain", "case", "real"]


@dataclass(frozen=True)
class Domain:
    """Where an argument of an operation is sampled by the table-driven tests.

    Parameters
    ----------
    low, high : float
        Samples are uniform on the open interval.
    away_from : tuple of float
        Points (kinks, poles) that samples keep a distance of 0.05 from.
    dtype : str
        ``"float"``, ``"int"`` or ``"bool"``; only floats are differentiated.
    hermitian : bool
        The argument stands for Hermitian matrices, of which a triangle is read: samples are positive definite, and stay Hermitian
        where they are moved.
    complex : bool
        Samples are complex.
    """

    low: float = -2.0
    high: float = 2.0
    away_from: tuple[float, ...] = ()
    dtype: str = "float"
    hermitian: bool = False
    complex: bool = False

    def sample(self, rng: np.random.Generator, shape: Shape) -> np.ndarray:
        """Return an array of `shape` drawn from the domain: float64, int64 or bool."""
        if self.dtype == "bool":
            return np.asarray(rng.random(shape) < 0.6)
        if self.dtype == "int":
            return np.asarray(rng.integers(int(self.low), int(self.high) + 1, shape))
        x = np.asarray(rng.uniform(self.low, self.high, shape))
        if self.hermitian:
            return x @ np.swapaxes(x, -1, -2) + np.eye(shape[-1])
        if self.complex:
            x = np.asarray(x + 1j * rng.uniform(self.low, self.high, shape))
        for point in self.away_from:
            x = np.where(abs(x - point) < 0.05, x + 0.1, x)
        return x


real = Domain()


@dataclass(frozen=True)
class Case:
    """One sample call of an operation: its arrays (shapes, or literal arrays) and attributes."""

    arrays: tuple[Any, ...]
    attrs: dict[str, Any]


def case(*arrays: Any, **attrs: Any) -> Case:
    """Describe a sample call: shape tuples are drawn from the row's domain, arrays taken as they are."""
    return Case(arrays, attrs)
