"""More test points of the same shapes: generic numbers, with labels, probabilities and counts kept valid."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["as_float64", "draw"]


def as_float64(value: Any) -> Any:
    """Return a copy of the inputs in which floating arrays are float64."""
    if isinstance(value, (np.ndarray, np.generic)):
        return np.array(value, np.float64) if value.dtype.kind == "f" else np.array(value)
    if isinstance(value, dict):
        return {k: as_float64(v) for k, v in value.items()}
    if type(value) in (list, tuple):
        return type(value)(as_float64(v) for v in value)
    return value


def draw(value: Any, rng: np.random.Generator, *, gently: bool = False) -> Any:
    """Return inputs like `value` with other numbers.

    Parameters
    ----------
    value : array or nested containers
        Integers, booleans, strings and Python scalars stay as they are.
    rng : Generator
        Where the numbers come from.
    gently : bool
        Stay near the given numbers, for functions that are only defined there.
    """
    if isinstance(value, dict):
        return {k: draw(v, rng, gently=gently) for k, v in value.items()}
    if type(value) in (list, tuple):
        return type(value)(draw(v, rng, gently=gently) for v in value)
    if not isinstance(value, (np.ndarray, np.generic)) or value.dtype.kind != "f":
        return value
    x = np.asarray(value, np.float64)
    return _like(x, rng) if not gently else x * (1 + 0.1 * rng.normal(size=x.shape))


def _like(x: Any, rng: np.random.Generator) -> Any:
    if x.size == 0:
        return x.copy()
    if np.all((x == 0) | (x == 1)) and np.ptp(x) > 0:  # labels, one-hot rows, masks: shuffled along the samples
        axis = int(np.argmax(x.shape))
        return np.take(x, rng.permutation(x.shape[axis]), axis=axis)
    if np.all((x >= 0) & (x <= 1)) and x.size > 1 and np.ptp(x) > 0:
        for axis in range(x.ndim):
            if x.shape[axis] > 1 and np.allclose(x.sum(axis=axis), 1):
                p = rng.uniform(0.2, 1.0, x.shape)
                return p / p.sum(axis=axis, keepdims=True)
        return rng.uniform(0.05, 0.95, x.shape)
    if np.all(x > 0) and x.size > 1:
        return x.mean() * rng.uniform(0.5, 1.5, x.shape)
    size = float(np.std(x)) if x.size > 1 else float(np.max(np.abs(x)))
    size = 1.0 if size == 0 or not np.isfinite(size) else min(max(size, 0.3), 2.0)
    return size * rng.normal(size=x.shape)
