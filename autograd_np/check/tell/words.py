"""Numbers, counts and texts as a report writes them, and values as JSON holds them."""

from __future__ import annotations

import dataclasses
import math
import numbers
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

__all__ = ["at", "clipped", "count", "dedented", "number", "pair", "plain", "quotient"]


def quotient(actual: float, expected: float) -> float:
    """Return actual by expected; NaN where that is 0 / 0."""
    with np.errstate(all="ignore"):
        return float(np.divide(actual, expected))


def number(x: float) -> str:
    """Write six digits; as many as it takes where that would hide what differs from 1."""
    return f"{x:.6g}" if f"{x:.6g}" != "1" else f"{x:.9g}"


def pair(a: float, b: float) -> tuple[str, str]:
    """Write two numbers with as many digits as it takes to see that they differ, six if only rounding differs."""
    for digits in (6, 9, 12):
        first, second = f"{a:.{digits}g}", f"{b:.{digits}g}"
        if first != second:
            return first, second
    return f"{a:.6g}", f"{b:.6g}"


def at(index: Sequence[int]) -> str:
    """Write an index: ``[0, 1]``, or nothing for a scalar's."""
    return f"[{', '.join(str(int(i)) for i in index)}]" if index else ""


def count(n: int, what: str) -> str:
    """Write ``1 line``, ``2 lines``."""
    return f"{n} {what}{'' if n == 1 else 's'}"


def clipped(text: str, length: int) -> str:
    """Return a text on one line, of at most so many characters."""
    text = " ".join(text.split())
    return text if len(text) <= length else f"{text[: length - 1].rstrip()}…"


def dedented(lines: Mapping[int, str]) -> dict[int, str]:
    """Return source lines without the margin they have in common."""
    lines = {n: text.expandtabs(4).rstrip() for n, text in lines.items()}
    margin = min((len(t) - len(t.lstrip()) for t in lines.values() if t), default=0)
    return {n: text[margin:] for n, text in lines.items()}


def plain(x: Any) -> Any:
    """Return a value as what JSON can hold; NaN and infinities are strings."""
    if x is None or isinstance(x, (str, bool)):
        return x
    if isinstance(x, np.ndarray):
        return plain(x.tolist())
    if isinstance(x, np.bool_):
        return bool(x)
    if isinstance(x, numbers.Integral):
        return int(x)
    if isinstance(x, numbers.Real):
        return float(x) if math.isfinite(x) else str(float(x))
    if isinstance(x, Mapping):
        return {str(k): plain(v) for k, v in x.items()}
    if isinstance(x, (list, tuple)):
        return [plain(v) for v in x]
    if dataclasses.is_dataclass(x) and not isinstance(x, type):
        told = {f.name: plain(getattr(x, f.name)) for f in dataclasses.fields(x)}
        return {**told, "ratio": plain(x.ratio)} if hasattr(x, "ratio") else told
    return str(x)
