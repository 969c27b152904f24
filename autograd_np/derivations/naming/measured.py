"""Lengths that the places which are read decide, of ``x[x > 0]``, of ``x[::3]``: no formula of other sizes gives them, the array does."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

from autograd_np.derivations.expression import Expression, inside, walked
from autograd_np.ops.indexing import getitem

__all__ = ["Length", "Lengths"]


class Length(NamedTuple):
    """Where a length can be read.

    Attributes
    ----------
    of : Expression
        An array.
    axis : int or None
        Of the array; ``None`` is the number of its elements.
    """

    of: Expression
    axis: int | None

    @property
    def text(self) -> str:
        """What is written behind the array."""
        return ".size" if self.axis is None else f".shape[{self.axis}]"


def _parts(index: object) -> tuple[object, ...]:
    return index if isinstance(index, tuple) else (index,)


class Lengths:
    """The lengths of what a function picks out of arrays.

    Parameters
    ----------
    steps : iterable of Expression
        What the function computes, in order.
    inputs : iterable of Expression

    Attributes
    ----------
    picked : dict of (tuple of int, Length)
        By their values at the points, those of masks, of places that were found, and of slices with steps: no formula may be guessed.
    cut : dict of (tuple of int, Length)
        Those of other slices.
    """

    def __init__(self, steps: Iterable[Expression], inputs: Iterable[Expression]) -> None:
        self.picked: dict[tuple[int, ...], Length] = {}
        self.cut: dict[tuple[int, ...], Length] = {}
        given = {n for e in inputs for n in zip(*e.shapes, strict=True)}
        for e in steps:
            if not e.is_call(getitem):
                continue
            places = [x for x in inside(e.attribute("index")) if x.ndim]
            known = (
                given
                | set(zip(*e.args[0].shapes, strict=True))
                | {n for x in places if x.op is not None for n in zip(*x.shapes, strict=True)}
            )
            steps_over = any(isinstance(p, slice) and p.step not in (None, 1, -1) for p in _parts(e.attribute("index")))
            is_picked = steps_over or any(x.dtype.kind == "b" or x.kind == "array" for x in places)
            lengths = {n: Length(e, axis) for axis, n in enumerate(zip(*e.shapes, strict=True))}
            new = [n for n in lengths if n not in known and len(set(n)) > 1]
            if e.ndim > 1 and new:
                lengths[tuple(map(math.prod, e.shapes))] = Length(e, None)
                new.append(tuple(map(math.prod, e.shapes)))
            for n in new:
                (self.picked if is_picked else self.cut).setdefault(n, lengths[n])

    def of(self, values: tuple[int, ...]) -> Length | None:
        """Return where a number can be read, if it is a length, and that array itself is not made of it."""
        found = self.picked.get(values) or self.cut.get(values)
        return None if found is None or any(x.kind == "number" and x.values == values for x in walked([found.of])) else found
