"""Indices as people write them: ``:, 0:8`` for ``(slice(None), slice(0, 8))``.

Whatever shows an index (printed graphs, drawings, the explorer, derived programs) writes it here, each with its own words for what
stands in the places.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["index_text"]


def index_text(index: Any, write: Callable[[Any], str] = repr, end: Callable[[Any], str] | None = None, ellipsis: str = "...") -> str:
    """Return what stands between the brackets.

    Parameters
    ----------
    index : object
        What an array was indexed with.
    write : callable
        Writes an integer, an array of places, ``None``, the step of a slice.
    end : callable, optional
        Writes the start and the stop of a slice; `write` if left out.
    ellipsis : str
        What is written for ``...``.

    Examples
    --------
    >>> import numpy as np
    >>> index_text(np.s_[:, 0:8]), index_text(np.s_[..., None, ::-1]), index_text(3), index_text((3,))
    (':, 0:8', '..., None, ::-1', '3', '3,')
    """

    def place(i: Any) -> str:
        if isinstance(i, slice):
            ends = ["" if v is None else (end or write)(v) for v in (i.start, i.stop)]
            return ":".join(ends if i.step is None else [*ends, write(i.step)])
        return ellipsis if i is Ellipsis else write(i)

    if isinstance(index, tuple):
        return ", ".join(map(place, index)) + ("," if len(index) == 1 else "") if index else "()"
    return place(index)
