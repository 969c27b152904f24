"""Arrays that live elsewhere: lazy ones, which are a graph of work to be done (Dask), and those of a device (CuPy).

NumPy's protocols reach both. Here is what they do not tell: whether an array is computed yet, and how several are computed at once.
Nothing is imported that the arrays have not brought along.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

__all__ = ["computed", "has_unknown_length", "is_lazy"]


def is_lazy(x: Any) -> bool:
    """Whether an array is a graph of work to be done; the attribute is Dask's protocol for collections."""
    return hasattr(x, "__dask_graph__")


def has_unknown_length(x: Any) -> bool:
    """Whether an axis has a length that is not known before the array is computed, as a column of a dataframe has."""
    return any(n != n for n in x.shape)


def computed(arrays: Sequence[Any]) -> list[Any]:
    """Compute lazy arrays in one go, so that what they share, the data, is read once; others come as they are."""
    return list(importlib.import_module("dask").compute(*arrays, traverse=False))
