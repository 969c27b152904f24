"""Factors that derivatives are made of: variables, and their σ', tanh', relu' and so on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Factor", "factors_of"]


@dataclass
class Factor:
    """An array a product may lack: what it is called and how it is computed from a variable."""

    name: str
    value: Any
    of: str
    function: str


_FACTORS: tuple[tuple[str, str, Callable[[Any], Any]], ...] = (
    ("{0}", "", lambda v: v),
    ("{0} * (1 - {0})", "σ'", lambda v: v * (1 - v)),
    ("1 - {0}**2", "tanh'", lambda v: 1 - v * v),
    ("({0} > 0)", "relu'", lambda v: (v > 0).astype(float)),
    ("σ'({0})", "σ'", lambda v: np.exp(-np.abs(v)) / (1 + np.exp(-np.abs(v))) ** 2),
    ("tanh'({0})", "tanh'", lambda v: 1 / np.cosh(np.clip(v, -300, 300)) ** 2),
    ("2 * {0}", "2", lambda v: 2 * v),
    ("{0}**2", "square", lambda v: v * v),
    ("(1 - {0})", "1-", lambda v: 1 - v),
    ("exp({0})", "exp", lambda v: np.exp(np.clip(v, -300, 300))),
    ("cos({0})", "cos", lambda v: np.cos(v)),
    ("sqrt({0})", "sqrt", lambda v: np.sqrt(np.abs(v))),
    ("sign({0})", "sign", lambda v: np.sign(v)),
)


def _fitted(v: Any, shape: tuple[int, ...]) -> tuple[Any, str] | None:
    """Return a variable as it broadcasts to `shape`, with new axes behind it if need be, and how that is written."""
    for extra in range(len(shape) - v.ndim + 1):
        tail = v.reshape(v.shape + (1,) * extra)
        try:
            if np.broadcast_shapes(tail.shape, shape) == shape and (not extra or v.ndim):
                return tail, "" if not extra else f"[{', '.join([':'] * v.ndim + ['None'] * extra)}]"
        except ValueError:
            continue
    return None


def factors_of(variables: Mapping[str, Any], shape: tuple[int, ...]) -> list[Factor]:
    """Return the variables, and functions of them, that broadcast to `shape`: what a product may lack."""
    found: list[Factor] = []
    seen: set[bytes] = set()
    for variable, value in variables.items():
        if not isinstance(value, (np.ndarray, np.generic, float)) or np.asarray(value).dtype.kind not in "fb" or np.size(value) > 1_000_000:
            continue
        fitted = _fitted(np.asarray(value, float), shape)
        if fitted is None:
            continue
        v, index = fitted
        name = variable + index
        for template, function, compute in _FACTORS:
            with np.errstate(all="ignore"):
                f = np.asarray(compute(v))
            key = f.tobytes() + str(f.shape).encode()
            if key not in seen and np.all(np.isfinite(f)):
                seen.add(key)
                found.append(Factor(template.format(name), f, variable, function))
    return found
