"""Counts of samples: bins of integers, and histograms along one axis or several.

How many samples a bin has depends on them by steps; it is linear in their weights. Edges that NumPy lays between the smallest and
the largest sample move with these two.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_np.op import Recordable, case, constant_of, derived
from autograd_np.ops.indexing import constant_value, scatter_add
from autograd_np.ops.shaping import astype
from autograd_np.typing import Array

_range = range  # which is a parameter's name below


def _array(a: Any) -> Array:
    return a if hasattr(a, "ndim") else np.asarray(a)


@derived(np.bincount, cases=(case(np.array([0, 2, 2, 1]), (4,)), case(np.array([1, 1, 0]), (3,), minlength=5)))
def _bincount(x: Any, /, weights: Any = None, minlength: int = 0) -> Array:
    x = np.asarray(constant_value(x, "np.bincount(x)"))
    if weights is None:
        return np.bincount(x, None, minlength)
    weights = astype(_array(weights), np.float64)
    if x.shape != weights.shape or x.ndim != 1:
        raise ValueError(f"np.bincount needs a weight for each number along one axis, got shapes {x.shape} and {weights.shape}")
    size = len(np.bincount(x, None, minlength))  # which refuses what NumPy refuses
    return scatter_add(weights, shape=(size,), index=x)


def _edges(samples: Array, edges: Array, bins: Any, limits: Any) -> Array:
    """Return the edges that NumPy found for samples; between the ends of Tensors they are Tensors."""
    if not isinstance(samples, Recordable) or limits is not None or np.ndim(bins):
        return edges
    a: Any = samples
    if not a.size:
        return edges
    low, high = np.min(a), np.max(a)
    wider = 0.5 if constant_of(low) == constant_of(high) else 0.0
    return np.linspace(low - wider, high + wider, len(edges), dtype=edges.dtype)


def _place(a: Any, edges: Any) -> Array:
    """Return the bin of each sample, from -1, before the first, to the number of bins, after the last."""
    a, edges = np.asarray(constant_of(a)), np.asarray(constant_of(edges))
    place = np.searchsorted(edges, a, side="right") - 1
    return np.where(a == edges[-1], len(edges) - 2, place)  # the last bin has both of its edges


@derived(np.histogram_bin_edges, cases=(case((5,)), case((4,), bins="sturges"), case((1,), bins=2)))
def _histogram_bin_edges(a: Any, bins: Any = 10, range: Any = None, weights: Any = None) -> Array:  # noqa: A002
    a, bins = np.ravel(_array(a)), constant_value(bins, "np.histogram(bins)")
    return _edges(a, np.histogram_bin_edges(np.asarray(constant_of(a)), bins, range, constant_of(weights)), bins, range)


@derived(np.histogram)
def _histogram(a: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None) -> tuple[Array, Array]:  # noqa: A002
    a, weights = np.ravel(_array(a)), None if weights is None else np.ravel(_array(weights))
    if weights is not None and weights.shape != a.shape:
        raise ValueError(f"np.histogram needs a weight for each element, got {weights.size} for {a.size}")
    edges = _histogram_bin_edges(a, bins, range, weights)
    found = _counted([_place(a, edges)], [edges], weights, integers=True)
    return (found / np.diff(edges) / np.sum(found) if density else found), edges


def _counted(places: list[Array], edges: list[Array], weights: Any, *, integers: bool) -> Array:
    """Return the counts of bins along each axis, or the sums of weights there."""
    shape = tuple(len(e) - 1 for e in edges)
    inside = np.flatnonzero(np.all([(p >= 0) & (p < n) for p, n in zip(places, shape, strict=True)], axis=0))
    index = np.ravel_multi_index(tuple(p[inside] for p in places), shape)
    size = int(np.prod(shape))
    if weights is None:
        counts = np.bincount(index, minlength=size).reshape(shape)
        return counts if integers else counts.astype(float)
    found: Array = np.reshape(scatter_add(weights[inside], shape=(size,), index=index), shape)
    return found if integers else astype(found, np.float64)


@derived(np.histogramdd)
def _histogramdd(
    sample: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None  # noqa: A002
) -> tuple[Array, list[Array]]:  # fmt: skip
    columns = _columns(sample)
    each = [constant_value(b, "np.histogramdd(bins)") for b in ([bins] * len(columns) if _length(bins) is None else bins)]
    values = np.stack([np.asarray(constant_of(c)) for c in columns], axis=-1)
    _, found = np.histogramdd(values, each, range)
    limits = [None] * len(columns) if range is None else range
    edges = [_edges(c, e, b, r) for c, e, b, r in zip(columns, found, each, limits, strict=True)]
    weights = None if weights is None else np.ravel(_array(weights))
    if weights is not None and weights.dtype.kind == "c":
        raise TypeError("np.histogramdd takes no complex weights; take the real and the imaginary part")
    if weights is not None and weights.size != len(values):
        raise ValueError(f"np.histogramdd needs a weight for each sample, got {weights.size} for {len(values)}")
    counts = _counted([_place(c, e) for c, e in zip(columns, edges, strict=True)], edges, weights, integers=False)
    if density:
        total = np.sum(counts)
        for i, e in enumerate(edges):
            counts = counts / np.reshape(np.diff(e), [-1 if j == i else 1 for j in _range(len(edges))])
        counts = counts / total
    return counts, edges


def _length(bins: Any) -> int | None:
    try:
        return len(bins)
    except TypeError:
        return None


def _columns(sample: Any) -> list[Array]:
    """Return the coordinates of samples: an array has a sample in each row, a list a coordinate in each element, as NumPy has it."""
    rows = np.stack([_array(c) for c in sample]).T if isinstance(sample, (list, tuple)) and len(sample) else _array(sample)
    if rows.ndim > 2:
        raise ValueError(f"np.histogramdd needs samples in rows, or a list of coordinates; got an array of {rows.ndim} axes")
    return [np.reshape(rows, -1)] if rows.ndim < 2 else [rows[:, i] for i in _range(rows.shape[1])]


@derived(np.histogram2d)
def _histogram2d(
    x: Any, y: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None  # noqa: A002
) -> tuple[Array, Array, Array]:  # fmt: skip
    x, y = _array(x), _array(y)
    if len(x) != len(y):
        raise ValueError(f"np.histogram2d needs as many x as y, got {len(x)} and {len(y)}")
    if _length(bins) not in (None, 1, 2):
        bins = [np.asarray(constant_value(bins, "np.histogram2d(bins)"))] * 2  # the edges of both
    counts, (first, second) = _histogramdd([x, y], bins, range, density, weights)
    return counts, first, second
