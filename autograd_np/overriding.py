"""Arrays that carry operations out themselves: what a Tensor is, and an array of many examples, to whoever must not know them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import numpy as np

from autograd_np.attributes import parts
from autograd_np.results import Results

__all__ = [
    "BATCHES",
    "DATA",
    "Batched",
    "Overriding",
    "Recordable",
    "bare",
    "batched_in",
    "constant_of",
    "gathered",
    "is_among",
    "known_of",
    "recordable_in",
    "stacked",
    "value_of",
]


BATCHES: set[int] = set()
"""The orders of the calls of `vmap` that are running: where there is none, no attribute needs to be looked through."""

DATA: set[int] = set()
"""The orders of the open levels of `compile`, where a Tensor may be an attribute of what is computed of arrays alone."""


class Overriding:
    """What a Primitive looks for among its arguments: arrays that carry operations out themselves."""

    __slots__ = ()

    def __record__(self, fn: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Apply `fn`, or return ``NotImplemented`` where that is for another argument to do."""
        raise NotImplementedError


class Recordable(Overriding):
    """Arrays that record operations (Tensor)."""

    __slots__ = ()


class Batched(Overriding):
    """Arrays that stand for each of many examples (`vmap`); their values are not those of the array that holds them.

    Attributes
    ----------
    whole : array
        All examples, along its first axis. Not ``data``, which is what of a Tensor has the same meaning.
    order : int
        The number of the transform, as of a level: what is newer carries an operation out.
    """

    __slots__ = ()
    whole: Any

    @property
    def order(self) -> int:
        """The number of the transform."""
        raise NotImplementedError

    @property
    def shape(self) -> Any:
        """The shape of one example."""
        raise NotImplementedError

    @property
    def ndim(self) -> int:
        """The number of axes of one example."""
        raise NotImplementedError

    @property
    def dtype(self) -> Any:
        """The dtype."""
        raise NotImplementedError

    def leave(self, how: str) -> Any:
        """Raise, since what is asked for is known of single examples only."""
        raise NotImplementedError

    def stopped(self) -> Any:
        """Return the same values, through which no gradient flows."""
        raise NotImplementedError

    def one_by_one(self, fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a function once for each example."""
        raise NotImplementedError


def value_of(x: Any) -> Any:
    """Unwrap Tensors of every level down to the array they hold."""
    while isinstance(x, Recordable):
        x = cast("Any", x).data
    return x.map(value_of) if x.__class__ is Results else x


def constant_of(x: Any) -> Any:
    """Unwrap Tensors down to what is the same in each call: the array they hold, or the Tensor of a function that is being compiled.

    To that, values are data: what is computed of them is recorded, and refused where a number of Python's or a bare array is made of it.
    """
    if not DATA:
        return value_of(x)
    while isinstance(x, Recordable):
        t = cast("Any", x)
        if t._node is not None and t._node.level.data:
            return t.detach()
        x = t.data
    return x.map(constant_of) if x.__class__ is Results else x


def known_of(x: Any) -> Any:
    """Unwrap Tensors down to the array they hold, for a function that is none of the table's; data of a function being compiled refuses."""
    found = constant_of(x)
    return np.asarray(found) if isinstance(found, Recordable) else found


def bare(x: Any) -> Any:
    """Return the array that holds all values, also those of a batch: to look at the numbers, not to compute with."""
    while isinstance(x, Overriding):
        x = x.whole if isinstance(x, Batched) else cast("Any", x).data
    return x.map(bare) if x.__class__ is Results else x


def batched_in(x: Any) -> list[Batched]:
    """Return the batched arrays in an attribute: an index may be a tuple of them."""
    if isinstance(x, Batched):
        return [x]
    if isinstance(x, Recordable):
        return batched_in(cast("Any", x).data)
    if type(x) in (tuple, list):
        return [b for part in x for b in batched_in(part)]
    if type(x) is slice:
        return [b for part in (x.start, x.stop, x.step) for b in batched_in(part)]
    return []


def recordable_in(x: Any) -> Recordable | None:
    """Return the first Tensor in an attribute, or ``None``."""
    return next((part for part in parts(x) if isinstance(part, Recordable)), None)


# --- lists that hold them ---------------------------------------------------------------------------


def is_among(x: Any) -> bool:
    """Whether such an array is among the elements of a list, or of the lists in it."""
    return any(isinstance(v, Overriding) or (v.__class__ in (list, tuple) and is_among(v)) for v in x)


def stacked(x: Any) -> Any:
    """Return nested lists of Tensors, arrays and numbers as one Tensor."""
    parts: list[Any] = [stacked(v) if isinstance(v, (list, tuple)) else v if isinstance(v, Overriding) else np.asarray(v) for v in x]
    shapes = {part.shape for part in parts}
    if len(shapes) > 1:
        raise ValueError(f"np.array of Tensors of different shapes, {', '.join(map(str, sorted(shapes)))}; their shapes must be equal")
    return np.stack(parts) if parts else np.asarray(parts)


def gathered(x: Any) -> Any:
    """Return a list that holds Tensors as one Tensor; anything else as it is."""
    return stacked(x) if x.__class__ in (list, tuple) and is_among(x) else x
