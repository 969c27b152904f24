"""Linear systems that are given by how they are solved, not by a matrix: those of the implicit function theorem."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_np.op import case, eager, linear
from autograd_np.typing import Array

__all__ = ["System", "dense", "solved"]


class System:
    """A constant real linear map that can be inverted.

    Parameters
    ----------
    solve, solve_transposed : callable
        Take a vector, an array, and return the solution with the map, or with its transpose.
    """

    def __init__(self, solve: Callable[[Array], Array], solve_transposed: Callable[[Array], Array]) -> None:
        self.solve, self.solve_transposed = solve, solve_transposed

    def __repr__(self) -> str:
        return "<a linear system>"


def dense(a: Array) -> tuple[System, float]:
    """Return the system of a matrix, and how far it is from a singular one: the reciprocal of its condition number.

    The matrix is scaled first, so that equations and unknowns of different sizes do not count as nearly singular; 0 if it is singular.
    """
    rows = np.max(abs(a), axis=1, initial=0)
    rows = np.where(rows > 0, rows, 1)[:, None]
    columns = np.max(abs(a / rows), axis=0, initial=0)
    columns = np.where(columns > 0, columns, 1)
    scaled = a / rows / columns
    try:
        inverse = np.linalg.inv(scaled)
    except np.linalg.LinAlgError:
        return System(lambda b: b * np.nan, lambda b: b * np.nan), 0.0
    size = np.max(np.sum(abs(scaled), axis=0), initial=0) * np.max(np.sum(abs(inverse), axis=0), initial=0)
    inverse = inverse / rows.T / columns[:, None]
    return System(lambda b: inverse @ b, lambda b: inverse.T @ b), 1 / float(size) if size > 0 and np.isfinite(size) else float(len(a) == 0)


@functools.partial(eager, host=True)
def solved(b: Array, system: Any = None, transposed: bool = False) -> Array:
    """Return the solution of a system."""
    found: Array = (system.solve_transposed if transposed else system.solve)(b)
    return found


def _solved_with_transposed(g: Array, y: Array, b: Array, system: Any = None, transposed: bool = False) -> Array:
    return solved(g, system=system, transposed=not transposed)


MATRIX = np.array([[2.0, 0.5, 0.0], [1.0, -1.5, 0.25], [0.0, 0.5, 3.0]], np.float32)
SYSTEM = System(lambda b: np.linalg.inv(MATRIX).astype(b.dtype) @ b, lambda b: np.linalg.inv(MATRIX).astype(b.dtype).T @ b)

linear(solved, _solved_with_transposed, case((3,), system=SYSTEM), case((3,), system=SYSTEM, transposed=True), selects=False)
