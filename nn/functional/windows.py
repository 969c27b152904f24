"""The geometry that convolutions and pooling share: a number an axis, sizes of results, and which elements meet."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from nn.errors import ShapeMismatchError
from nn.functional.arguments import Array

__all__ = ["Sizes", "an_axis_each", "batched", "meeting", "reach"]

Sizes = tuple[int, ...]


def an_axis_each(value: Any, dims: int, what: str, least: int = 1) -> Sizes:
    """Return one integer for each of the `dims` axes, of one for all or one each."""
    given = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    if len(given) == 1:
        given *= dims
    if len(given) != dims or not all(isinstance(n, (int, np.integer)) and not isinstance(n, bool) and n >= least for n in given):
        raise ValueError(f"{what} must be an integer of at least {least}, or {dims} of them, one for each axis; got {value!r}")
    return tuple(int(n) for n in given)


def reach(kernel: Sizes, dilation: Sizes) -> Sizes:
    """Return how many elements a kernel spans, from its first to its last."""
    return tuple((k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True))


def batched(x: Array, dims: int, where: str) -> tuple[Array, bool]:
    """Return x with an axis of samples, and whether it had none; refuse what is no image of `dims` axes."""
    if x.ndim not in (dims + 1, dims + 2):
        axes = ("length",) if dims == 1 else ("height", "width")
        shape = f"(channels, {', '.join(axes)})"
        raise ShapeMismatchError(f"{where} got an input of shape {x.shape}; expected (samples, {shape[1:]} or {shape} of one sample")
    if x.dtype.kind == "c":
        raise TypeError(f"{where} works on real numbers, got {x.dtype}; make real and imaginary part channels")
    return (x, False) if x.ndim == dims + 2 else (x[None], True)


def meeting(
    size: Sizes, out: Sizes, kernel: Sizes, stride: Sizes, low: Sizes, dilation: Sizes
) -> Iterator[tuple[tuple[Any, ...], tuple[Any, ...]]]:
    """Yield, for each place of a kernel, an index of the input's elements and one of the windows that meet them there.

    `low` is how many elements of padding come before the input; places where a window meets padding are left out.
    """

    def along(n: int, m: int, k: int, s: int, p: int, d: int) -> list[tuple[slice, slice]]:
        found = []
        for i in range(k):
            shift = i * d - p  # window j meets element j s + shift
            first = max(0, -(shift // s))
            last = min(m - 1, (n - 1 - shift) // s)
            count = max(0, last - first + 1)
            start = first * s + shift
            found.append((slice(start, start + count * s, s) if count else slice(0, 0), slice(first, first + count)))
        return found

    for places in itertools.product(*map(along, size, out, kernel, stride, low, dilation)):
        yield (..., *(a for a, _ in places)), (..., *(b for _, b in places))
