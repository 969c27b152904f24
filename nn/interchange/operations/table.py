"""Which function writes which operation."""

from __future__ import annotations

from collections.abc import Callable

from nn.interchange.recording import Step
from nn.interchange.writer import Writer

__all__ = ["TABLE", "Converter", "axes_of", "exports"]

Converter = Callable[[Writer, Step], str]
"""Adds what computes a Step, and returns what its result is called."""

TABLE: dict[str, Converter] = {}


def exports(*kinds: str) -> Callable[[Converter], Converter]:
    """Make a function the one that writes operations of these kinds."""

    def enter(converter: Converter) -> Converter:
        TABLE.update(dict.fromkeys(kinds, converter))
        return converter

    return enter


def axes_of(axis: int | tuple[int, ...] | list[int] | None, ndim: int) -> list[int]:
    """Return axes as numbers from 0, all for ``None``."""
    if axis is None:
        return list(range(ndim))
    return [int(i) % ndim for i in (axis if isinstance(axis, (tuple, list)) else (axis,))] if ndim else []
