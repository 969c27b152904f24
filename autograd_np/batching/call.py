"""What a batching rule gets: one call of a row, of whose operands some have a leading axis of examples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_np.ops.indexing import axes_of, axis_of
from autograd_np.overriding import bare, batched_in
from autograd_np.typing import Array, Shape

__all__ = ["Call", "NoRule", "Rule", "padded", "read_only"]


class NoRule(Exception):  # noqa: N818 (caught where it is raised for)
    """A call that a rule does not cover: it runs in a loop."""


@dataclass
class Call:
    """One call.

    Attributes
    ----------
    fn : callable
        What the row calls, on arrays of all examples.
    xs : list
        The operands: arrays of all examples where `flags` says so, as they were given otherwise.
    flags : list of bool
        Which operands have the axis of examples, as their first.
    attrs : dict
        The attributes; batched ones are still `Batch`.
    size : int
        How many examples there are.
    order : int
        The number of the call of `vmap`, by which its own `Batch` are known among attributes.
    """

    fn: Callable[..., Any]
    xs: list[Any]
    flags: list[bool]
    attrs: dict[str, Any]
    size: int
    order: int

    def shape(self, i: int = 0) -> Shape:
        """Return the shape of the i-th operand in one example."""
        shape: Shape = np.shape(self.xs[i])
        return shape[1:] if self.flags[i] else shape

    def ndim(self, i: int = 0) -> int:
        """Return the number of axes of the i-th operand in one example."""
        return len(self.shape(i))

    def all(self, i: int = 0) -> Array:
        """Return the i-th operand with the axis of examples, along which one without it repeats."""
        x = self.xs[i]
        return x if self.flags[i] else np.broadcast_to(x, (self.size, *np.shape(x)))

    def flat(self, i: int = 0) -> Array:
        """Return the elements of each example along one axis."""
        shape = self.shape(i)
        return np.reshape(self.all(i), (self.size, int(np.prod(shape, dtype=int))))

    def one(self, i: int = 0) -> Array:
        """Return an example of the i-th operand as it lies in memory, to look at."""
        array = bare(self.xs[i])
        if not self.flags[i] or not isinstance(array, np.ndarray) or not array.size:
            return array
        first: Any = (*(0,) * (array.ndim - self.ndim(i)), ...)
        return array[first]

    def axis(self, name: str = "axis", default: Any = None, ndim: int | None = None) -> int:
        """Return an axis of an example as one of all examples."""
        return axis_of(self.attrs.get(name, default), self.ndim() if ndim is None else ndim) + 1

    def axes(self, name: str = "axis", default: Any = None, ndim: int | None = None) -> tuple[int, ...]:
        """Return axes of an example as axes of all examples, all of them for ``None``."""
        return tuple(i + 1 for i in axes_of(self.attrs.get(name, default), self.ndim() if ndim is None else ndim))

    def only_numbers(self, *but: str) -> None:
        """Give up where an attribute is an array, which would have to be lined up with the examples' axes, but for some."""
        if self.attrs and any(np.ndim(v) for k, v in self.attrs.items() if k not in but):
            raise NoRule

    def is_mine(self, attr: Any) -> bool:
        """Whether an attribute is an array of these examples, or has one in it."""
        return any(b.order == self.order for b in batched_in(attr))

    def run(self, *xs: Any, **changed: Any) -> Any:
        """Call the function with these operands, and some attributes changed."""
        return self.fn(*xs, **{**self.attrs, **changed})


Rule = Callable[[Call], Any]


def read_only(a: Any) -> Any:
    """Refuse later writes to an array, or to what alone holds its array."""
    array = bare(a)
    if isinstance(array, np.ndarray):
        array.flags.writeable = False
    return a


def padded(x: Any, ndim: int) -> Any:
    """Put axes of length one behind that of examples, so that examples of `ndim` axes broadcast as they do alone."""
    missing = ndim - (np.ndim(x) - 1)
    return np.reshape(x, (x.shape[0], *(1,) * missing, *x.shape[1:])) if missing > 0 else x
