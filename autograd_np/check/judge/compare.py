"""Whether an array is the gradient or a multiple of it, and how far it is off."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_np.check.tell.report import GradientCheck
from autograd_np.typing import Array

__all__ = ["close", "compare", "constant_ratio"]


def close(a: Any, b: Any, tolerance: float, scale: float = 0.0) -> bool:
    """Whether `a` equals `b` to `tolerance` of the size of `b`, or to rounding at gradients of size `scale`."""
    a, b = np.asarray(a, float), np.asarray(b, float)
    if a.shape != b.shape or not np.all(np.isfinite(a)):
        return False
    if a.size == 0:
        return True
    error = float(np.max(np.abs(a - b)))
    return error <= tolerance * float(np.max(np.abs(b))) or error <= 1e-12 * scale


def constant_ratio(a: Any, b: Any, tolerance: float, scale: float = 0.0) -> float | None:
    """Return c if ``a = c * b`` to `tolerance`, else ``None``."""
    a, b = np.asarray(a, float), np.asarray(b, float)
    if a.shape != b.shape or a.size == 0 or not np.all(np.isfinite(a)):
        return None
    norm = float(np.sum(b * b))
    if norm == 0 or float(np.max(np.abs(b))) <= 1e-11 * scale:
        return None
    c = float(np.sum(a * b)) / norm
    if abs(c) < 1e-9 or not close(a, c * b, tolerance):
        return None
    return c


def compare(name: str, variable: str, actual: Array, expected: Array, ok: bool, note: str = "", line: int | None = None) -> GradientCheck:
    """Return the row of a table for one gradient: the largest errors, and where."""
    actual, expected = np.asarray(actual, float), np.asarray(expected, float)
    verdict = "pass" if ok else "fail"
    if actual.shape != expected.shape or expected.size == 0:
        nan = float("nan")
        same = actual.shape == expected.shape
        return GradientCheck(
            name, variable, ok, 0.0 if same else nan, 0.0 if same else nan, (), nan, nan, actual.shape, note, line, verdict
        )
    with np.errstate(all="ignore"):
        error = np.abs(actual - expected)
        relative = error / np.maximum(np.abs(expected), np.max(np.abs(expected)) * 1e-12 + 1e-300)
    error = np.where(np.isfinite(error), error, np.inf)
    worst = np.unravel_index(int(np.argmax(error)), error.shape)
    index = tuple(int(i) for i in worst)
    return GradientCheck(
        name, variable, ok, float(np.max(error)), float(np.max(np.where(error == 0, 0, relative))), index,
        float(expected[worst]), float(actual[worst]), actual.shape, note, line, verdict,
    )  # fmt: skip
