"""Settings that layers have in common: checked once, refused in the same words."""

from __future__ import annotations

import numpy as np

__all__ = ["not_in_place", "positive"]


def not_in_place(layer: object, inplace: object) -> None:
    """Refuse PyTorch's `inplace=True`."""
    if inplace:
        raise ValueError(
            f"{type(layer).__name__}(inplace=True) is not covered: a recorded array is not written over; leave `inplace` out, the result "
            f"is the same"
        )


def positive(layer: object, **sizes: object) -> None:
    """Refuse sizes that are not positive integers."""
    for name, n in sizes.items():
        if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1:
            raise ValueError(f"{type(layer).__name__} needs {name} to be a positive integer, got {n!r}")
