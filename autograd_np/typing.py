"""Aliases shared by the signatures of the library."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

Array: TypeAlias = Any
"""An ndarray, a NumPy scalar, a Tensor, or any array that speaks NumPy's protocols (Dask, CuPy)."""

Shape: TypeAlias = tuple[int, ...]

Name: TypeAlias = str | Callable[[], str | None] | None
"""What a Tensor is called in drawings and messages, or a function that is asked for it."""

PyTree: TypeAlias = Any
"""Arrays in nested dicts, lists, tuples and named tuples."""

Rule: TypeAlias = Callable[..., Any]
"""A derivative written as plain NumPy: it runs on ndarrays and on Tensors alike."""
