"""Whether an array is the gradient or a multiple of it, and how far it is off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_np.typing import Array

__all__ = ["Comparison", "close", "compare", "constant_ratio", "elements_off", "fits", "which_off"]

SMALL = 1e-3
"""An element this much smaller than the largest of its gradient may be off by `tolerance` of the latter times this."""

SAFETY = 60.0
"""Rounding that was seen may have been seen at its mildest."""


@dataclass
class Comparison:
    """A gradient beside the engine's: the largest errors, and the values where they are largest.

    Attributes
    ----------
    constant : float
        An intermediate may be this multiple of the gradient, by convention.
    """

    name: str
    variable: str
    ok: bool
    max_abs_error: float
    max_rel_error: float
    worst_index: tuple[int, ...]
    expected: float
    actual: float
    shape: tuple[int, ...]
    line: int | None
    constant: float = 1.0


def close(a: Any, b: Any, tolerance: float, slack: Any = 0.0) -> bool:
    """Whether `a` equals `b`, element by element, to `tolerance` or to the rounding of its own sums, `slack`."""
    a, b = np.asarray(a, float), np.asarray(b, float)
    if a.shape != b.shape or not np.all(np.isfinite(a)):
        return False
    if a.size == 0:
        return True
    size = np.abs(b)
    largest = float(np.max(size))
    return bool(np.all(np.abs(a - b) <= tolerance * (size + SMALL * largest) + SAFETY * slack))


def fits(shape: tuple[int, ...], whole: tuple[int, ...]) -> bool:
    """Whether an array of one shape is as good as one of another: it lacks leading axes of length one, or both hold one number.

    NumPy adds it to its variable, and subtracts it, all the same.

    Examples
    --------
    >>> fits((5,), (1, 5)), fits((), (1, 1)), fits((5,), (5, 1))
    (True, True, False)
    """
    lacking = len(whole) - len(shape)
    one = set(shape) <= {1} and set(whole) <= {1}
    return one or (lacking > 0 and whole[lacking:] == shape and set(whole[:lacking]) == {1})


def which_off(a: Any, b: Any, tolerance: float, slack: Any = 0.0) -> Array:
    """Say of each element of `b` whether that of `a` is another one; all of them are if the shapes differ."""
    a, b = np.asarray(a, float), np.asarray(b, float)
    if a.shape != b.shape or a.size == 0:
        return np.ones(b.shape, bool)
    size = np.abs(b)
    with np.errstate(invalid="ignore"):
        off: Array = ~(np.abs(a - b) <= tolerance * (size + SMALL * float(np.max(size))) + SAFETY * slack)
    return off


def elements_off(a: Any, b: Any, tolerance: float, slack: Any = 0.0) -> int:
    """Return how many elements of `a` are not those of `b`; all of them if the shapes differ."""
    return int(np.sum(which_off(a, b, tolerance, slack)))


def constant_ratio(a: Any, b: Any, tolerance: float, slack: Any = 0.0) -> float | None:
    """Return c if ``a = c * b`` to `tolerance`, else ``None``; nothing is a multiple of what is rounding alone."""
    a, b = np.asarray(a, float), np.asarray(b, float)
    if a.shape != b.shape or a.size == 0 or not np.all(np.isfinite(a)):
        return None
    norm = float(np.sum(b * b))
    if norm == 0 or not np.isfinite(norm) or norm**0.5 <= SAFETY * float(np.sum(np.square(slack))) ** 0.5:
        return None
    c = float(np.sum(a * b)) / norm
    if abs(c) < 1e-9 or not close(a, c * b, tolerance, abs(c) * np.asarray(slack)):
        return None
    return c


def compare(
    name: str, variable: str, actual: Array, expected: Array, ok: bool, line: int | None = None, constant: float = 1.0
) -> Comparison:
    """Compare one gradient with what it should be."""
    actual, expected = np.asarray(actual, float), np.asarray(expected, float)
    if actual.shape != expected.shape or expected.size == 0:
        nan = float("nan")
        same = actual.shape == expected.shape
        return Comparison(name, variable, ok, 0.0 if same else nan, 0.0 if same else nan, (), nan, nan, actual.shape, line, constant)
    with np.errstate(all="ignore"):
        error = np.abs(actual - expected)
        relative = error / np.maximum(np.abs(expected), np.max(np.abs(expected)) * 1e-12 + 1e-300)
    error = np.where(np.isfinite(error), error, np.inf)
    worst = np.unravel_index(int(np.argmax(error)), error.shape)
    index = tuple(int(i) for i in worst)
    return Comparison(
        name, variable, ok, float(np.max(error)), float(np.max(np.where(error == 0, 0, relative))), index,
        float(expected[worst]), float(actual[worst]), actual.shape, line, constant,
    )  # fmt: skip
