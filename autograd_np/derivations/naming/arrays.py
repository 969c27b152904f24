"""Arrays that are made of sizes alone: rows of numbers, identities, triangles, one number everywhere."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

__all__ = ["Form", "form_of"]

LONGEST_NUMBER = 6
"""Numbers of more characters were drawn or computed: nobody writes them down."""
LONGEST_ARRAY = 32
"""An array of no more elements, the same at every point, is written out."""


class Form(NamedTuple):
    """How NumPy makes an array.

    Attributes
    ----------
    text : str
        With a place ``{}`` for each of the numbers.
    numbers : list of tuple
        Each at every point.
    """

    text: str
    numbers: list[tuple[Any, ...]]


def form_of(values: Sequence[Any]) -> Form | None:
    """Return how NumPy makes an array that has these values at the points, or ``None`` if that depends on more than sizes."""
    first = values[0]
    if any(v.ndim != first.ndim or v.dtype != first.dtype for v in values) or first.dtype.kind not in "fiub":
        return None
    for found in _forms(values):
        return found
    return None


def _forms(values: Sequence[Any]) -> Iterator[Form]:
    first = values[0]
    shape = list(zip(*(v.shape for v in values), strict=True))
    dtype = "" if first.dtype == np.float64 else f", dtype={_name(first.dtype)}"
    sizes = "{}" if first.ndim == 1 else f"({', '.join(['{}'] * first.ndim)})"
    if first.ndim:
        for number, name in ((0, "zeros"), (1, "ones")):
            if all(np.all(v == number) for v in values):  # an empty one is zeros
                yield Form(f"np.{name}({sizes}{dtype})", shape)
    same = all(v.shape == first.shape and np.array_equal(v, first, equal_nan=first.dtype.kind == "f") for v in values)
    if first.dtype.kind in "iu" and first.ndim and all(v.size for v in values):
        yield from _progressions(values, "" if first.dtype == np.int64 else dtype, same)
        if not same and all(v.size > 1 and np.all(v == v.flat[0]) for v in values):
            yield Form(f"np.full({sizes}, {{}}{dtype})", [*shape, tuple(v.flat[0].item() for v in values)])
    if first.ndim == 2 and all(v.size > 1 for v in values):
        yield from _diagonals(values, dtype)
    if (
        same
        and first.size <= LONGEST_ARRAY
        and (first.dtype.kind != "f" or all(len(repr(x)) <= LONGEST_NUMBER for x in first.ravel().tolist()))
    ):
        yield Form(_literal(first), [])


def _name(dtype: Any) -> str:
    return "bool" if dtype == np.bool_ else f"np.{dtype.name}"


def _literal(a: Any) -> str:
    text = repr(a.tolist()).replace("nan", "np.nan").replace("inf", "np.inf")
    plain = a.dtype in (np.float64, np.bool_, np.int64)
    return f"np.array({text}{'' if plain else f', dtype={_name(a.dtype)}'})"


def _progressions(values: Sequence[Any], dtype: str, same: bool) -> Iterator[Form]:
    """Numbers at equal distances along one axis."""
    ndim = values[0].ndim
    for axis in range(ndim):
        rows = [v.ravel() for v in values]
        if any(v.shape[axis] != v.size for v in values):
            continue
        steps = {int(s) for r in rows for s in np.unique(np.diff(r))}
        if len(steps) != 1 or (same and ndim == 1 and steps != {1}):
            continue
        step = steps.pop()
        starts = tuple(int(r[0]) for r in rows)
        stops = tuple(int(r[-1]) + (1 if step > 0 else -1) for r in rows)
        if step == 0:
            continue
        index = "" if ndim == 1 else "[" + ", ".join(":" if i == axis else "None" for i in range(ndim)) + "]"
        if not any(starts) and step == 1:
            yield Form(f"np.arange({{}}{dtype}){index}", [stops])
        elif step == 1:
            yield Form(f"np.arange({{}}, {{}}{dtype}){index}", [starts, stops])
        else:
            yield Form(f"np.arange({{}}, {{}}, {step}{dtype}){index}", [starts, stops])


def _diagonals(values: Sequence[Any], dtype: str) -> Iterator[Form]:
    """Ones on a diagonal, or on one side of it."""
    rows, columns = (tuple(v.shape[i] for v in values) for i in (0, 1))
    sizes = [rows] if rows == columns else [rows, columns]
    places = ", ".join(["{}"] * len(sizes))
    offsets = range(1 - min(rows), min(columns))
    functions: tuple[Any, ...] = (np.eye, np.tri)
    for make, negated in itertools.product(functions, (False, True)):
        if negated and values[0].dtype != np.bool_:
            continue
        for k in sorted(offsets, key=abs):
            if all(
                np.array_equal(v, make(*v.shape, k=k, dtype=v.dtype) ^ True if negated else make(*v.shape, k=k, dtype=v.dtype))
                for v in values
            ):
                yield Form(f"{'~' if negated else ''}np.{make.__name__}({places}{f', k={k}' if k else ''}{dtype})", sizes)
