"""Batches: made of samples, their arrays taken together, and the numbers of what is in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nn.errors import ShapeMismatchError
from nn.state import held

__all__ = ["Indices", "collate", "demand_indices", "leaves"]

Indices: TypeAlias = NDArray[np.intp]


def collate(samples: Sequence[Any]) -> Any:
    """Stack samples along a new first axis: arrays or numbers, or tuples, lists or dicts of them.

    Raises
    ------
    ShapeMismatchError
        If they have different shapes, or not the same parts.

    Examples
    --------
    >>> collate([(1.0, 2), (3.0, 4)])
    (array([1., 3.]), array([2, 4]))
    """
    first = samples[0]
    if isinstance(first, (tuple, list)):
        if len({len(sample) for sample in samples}) > 1:
            raise ShapeMismatchError(f"samples of one batch have {sorted({len(s) for s in samples})} parts; expected as many in each")
        return tuple(collate(parts) for parts in zip(*samples, strict=True))
    if isinstance(first, dict):
        return {key: collate([sample[key] for sample in samples]) for key in first}
    arrays = [np.asarray(held(sample)) for sample in samples]
    shapes = {a.shape for a in arrays}
    if len(shapes) > 1:
        raise ShapeMismatchError(
            f"samples of one batch have shapes {', '.join(map(str, sorted(shapes)))}; pass a collate_fn that makes them of one shape"
        )
    return np.stack(arrays)


def demand_indices(indices: Any, n: int) -> Indices:
    """Return numbers of samples as an array, counted from the end where they are negative."""
    found = np.asarray(indices)
    if found.dtype.kind not in "iu" and found.size:
        raise TypeError(f"numbers of samples must be integers, got {found.dtype}")
    if found.ndim != 1:
        raise ShapeMismatchError(f"numbers of samples must be a sequence, got shape {found.shape}")
    found = found.astype(np.intp)
    outside = (found < -n) | (found >= n)
    if outside.any():
        raise IndexError(f"there is no sample {found[outside][0]}; the dataset has {n}")
    return np.where(found < 0, found + n, found)


def leaves(function: Callable[..., Any], *batches: Any) -> Any:
    """Apply a function to the arrays of batches of one form."""
    first = batches[0]
    if isinstance(first, tuple):
        return tuple(leaves(function, *parts) for parts in zip(*batches, strict=True))
    if isinstance(first, dict):
        return {key: leaves(function, *(batch[key] for batch in batches)) for key in first}
    return function(*batches)
