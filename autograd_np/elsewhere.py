"""Arrays that live elsewhere: lazy ones, which are a graph of work to be done (Dask), and those of a device (CuPy).

NumPy's protocols reach both. Here is what they do not tell: whether an array is computed yet, and how several are computed at once.
Nothing is imported that the arrays have not brought along.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["blocks_of", "computed", "device_of", "has_unknown_length", "in_blocks", "is_lazy", "ones_like_rows", "random_like"]


_NUMPYS = frozenset({np.ndarray, np.float64, np.float32})


def is_lazy(x: Any) -> bool:
    """Whether an array is a graph of work to be done; the attribute is Dask's protocol for collections."""
    return x.__class__ not in _NUMPYS and hasattr(x, "__dask_graph__")


def has_unknown_length(x: Any) -> bool:
    """Whether an axis has a length that is not known before the array is computed, as a column of a dataframe has."""
    return any(n != n for n in x.shape)


def device_of(x: Any) -> Any:
    """Return the device of an array, ``"cpu"`` for NumPy's; of a lazy one, that of its blocks, as far as it is known."""
    return getattr(getattr(x, "_meta", x) if is_lazy(x) else x, "device", "cpu")


def blocks_of(x: Any) -> Any:
    """Return the lengths of the blocks of a lazy array along each axis; ``None`` of others."""
    return x.chunks if is_lazy(x) else None


def in_blocks(g: Any, shape: tuple[int, ...], blocks: Any) -> Any:
    """Broadcast `g` to blocks that are made where they are needed; ``np.broadcast_to`` would make one, as large as the data."""
    da = importlib.import_module("dask.array")
    g = da.asarray(g)
    own = blocks[len(blocks) - g.ndim :]
    return da.broadcast_to(g.rechunk(tuple((1,) if n == 1 else block for n, block in zip(g.shape, own, strict=True))), shape, chunks=blocks)


def ones_like_rows(x: Any) -> Any:
    """Return as many ones as an array has rows, in the blocks of a lazy one; ``None`` for what is neither NumPy's nor lazy."""
    if x.__class__ is np.ndarray:
        return np.ones(len(x), x.dtype)
    return importlib.import_module("dask.array").ones(len(x), dtype=x.dtype, chunks=x.chunks[:1]) if is_lazy(x) else None


def random_like(rng: np.random.Generator, x: Any) -> Any:
    """Return positive numbers in general position, uniform on (1, 2), where and how `x` is."""
    if is_lazy(x):
        seed = int(rng.integers(2**32))
        return importlib.import_module("dask.array").random.default_rng(seed).uniform(1, 2, size=x.shape, chunks=x.chunks)
    numbers = rng.uniform(1, 2, np.shape(x))
    return np.asarray(numbers, like=x) if hasattr(x, "__array_function__") and not isinstance(x, (np.ndarray, np.generic)) else numbers


def computed(arrays: Sequence[Any]) -> list[Any]:
    """Compute lazy arrays in one go, so that what they share, the data, is read once; others come as they are.

    One last task gathers them. With several results Dask may work off all blocks for the smallest of them, the loss, before it goes
    on with any block for the gradients, and keep everything in memory until then.
    """
    dask = importlib.import_module("dask")
    (found,) = dask.compute(dask.delayed(list)(list(arrays)))
    return list(found)
