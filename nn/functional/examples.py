"""What operations do on many examples at once, under `autograd_np.vmap`: arrays have the axis of examples first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from nn.functional.arguments import Array

__all__ = ["every", "joined", "parted", "with_leading_axes"]


def every(size: int, batched: Sequence[bool], arrays: Sequence[Array]) -> list[Array]:
    """Return the arrays, those that all examples share repeated for each."""
    return [a if mine else np.broadcast_to(a, (size, *np.shape(a))) for a, mine in zip(arrays, batched, strict=True)]


def with_leading_axes(operation: Callable[[], Callable[..., Array]]) -> Callable[..., Array]:
    """Return the rule of an operation that counts axes from the end, and takes any number before them."""

    def many(count: int, batched: Sequence[bool], /, *arrays: Array, **how: Any) -> Array:
        return operation()(*every(count, batched, arrays), **how)

    return many


def joined(a: Array, axis: int) -> Array:
    """Return the examples along `axis` of one of them: (examples, n, ...) -> (..., examples x n, ...)."""
    a = np.moveaxis(a, 0, axis)
    return np.reshape(a, (*a.shape[:axis], a.shape[axis] * a.shape[axis + 1], *a.shape[axis + 2 :]))


def parted(a: Array, axis: int, size: int) -> Array:
    """Return what `joined` was made of."""
    a = np.reshape(a, (*a.shape[:axis], size, a.shape[axis] // size, *a.shape[axis + 1 :]))
    return np.moveaxis(a, axis, 0)
