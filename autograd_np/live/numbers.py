"""The numbers that a function reads, and what somebody changed of them.

Arguments, captured arrays and the parameters of models are all arrays that outlive one run. So a change is written into the array
itself for as long as a run takes, and taken back: the function is run as it is, and whoever owns an array never finds it changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from autograd_np import errors
from autograd_np.check.watch.state import World, leaves_in
from autograd_np.graph import Constant, Graph
from autograd_np.tensor import value_of
from autograd_np.text import shown
from autograd_np.trees import flatten
from autograd_np.typing import Array

__all__ = ["Change", "Loans", "changeable", "copied", "elements", "holds", "number_of"]


class Change(NamedTuple):
    """Another number for one element of an array."""

    name: str
    at: int
    """Position in the array, row by row."""
    value: Any
    original: Any


def copied(inputs: Sequence[Any]) -> tuple[Any, ...]:
    """Return arguments with arrays of our own in the place of arrays and numbers; Tensors and all else as they are."""
    leaves, put_back = flatten(tuple(inputs))
    return tuple(put_back([np.array(x) if _is_numeric(x) else x for x in leaves]))


def _is_numeric(x: Any) -> bool:
    return isinstance(x, (np.ndarray, np.generic, bool, int, float, complex)) and np.asarray(x).dtype.kind in "biufc"


def changeable(graph: Graph, constants: Mapping[int, Mapping[str, Any]]) -> dict[str, Array]:
    """Return the arrays that a graph was computed from and that a change can be written into, by the ids of their boxes.

    Parameters
    ----------
    graph : Graph
        Of a function that can be run again.
    constants : dict
        The boxes of the arrays among its operands that are no Tensors, by ``id(array)``.
    """
    assert graph.made_by is not None
    function, inputs = graph.made_by
    lasting = {id(x) for x in flatten(inputs)[0]}
    lasting |= {id(x) for value in World(function).values for _, x in leaves_in(value, ("",)) if isinstance(x, np.ndarray)}
    found = {graph.id_of(node): value_of(node.out) for node in graph.leaves}
    used = [value_of(o.out) for node in graph if node.op is not None for o in graph.operands(node) if isinstance(o, Constant)]
    found |= {constants[id(a)]["id"]: a for a in used if id(a) in constants and id(a) in lasting}
    return {i: a for i, a in found.items() if isinstance(a, np.ndarray) and a.flags.writeable and a.dtype.kind in "biufc"}


def number_of(text: str, dtype: np.dtype[Any]) -> Any:
    """Read a number that somebody typed, as an array of a dtype holds it.

    Raises
    ------
    RenderError
        If it is none, or does not fit into the dtype.
    """
    read: dict[str, tuple[str, Callable[[str], Any]]] = {
        "f": ("a number", float),
        "c": ("a complex number", complex),
        "b": ("True or False", lambda t: {"true": True, "1": True, "false": False, "0": False}[t.lower()]),
    }
    what, of = read.get(dtype.kind, ("a whole number", lambda t: int(t) if t.lstrip("+-").isdigit() else _whole(float(t))))
    try:
        with np.errstate(over="raise"):
            number = np.array(of(text.strip().replace("−", "-")))
            return number.astype(dtype)[()] if dtype.kind in "fc" else np.array(number.item(), dtype)[()]
    except (ValueError, OverflowError, FloatingPointError, KeyError):
        raise errors.RenderError(f"{shown(text)!r} is not {what} that {dtype} holds") from None


def _whole(number: float) -> int:
    if not number.is_integer():
        raise ValueError(number)
    return int(number)


def elements(array: Array, at: int) -> tuple[int, ...]:
    """Return the index of the element at a position, counted row by row."""
    return tuple(map(int, np.unravel_index(at, array.shape)))


class Loans:
    """Elements of arrays that hold another number for a while.

    A block may be interrupted at any moment, also while it gives back; what it owes then is given back before the next one begins.
    """

    def __init__(self) -> None:
        self._owed: list[tuple[Array, tuple[int, ...], Any]] = []

    @contextmanager
    def of(self, changes: Iterable[Change], arrays: Mapping[str, Array]) -> Iterator[None]:
        """Have the changes in the arrays, by name, while the block runs."""
        self._give_back()
        try:
            for change in changes:
                array, index = arrays[change.name], elements(arrays[change.name], change.at)
                self._owed.append((array, index, array[index]))
                array[index] = change.value
            yield
        finally:
            self._give_back()

    def _give_back(self) -> None:
        while self._owed:
            array, index, value = self._owed[-1]
            array[index] = value
            self._owed.pop()


def holds(array: Array | None, change: Change) -> bool:
    """Whether a change is in an array."""
    return array is not None and change.at < array.size and _same(array[elements(array, change.at)], change.value)


def _same(a: Any, b: Any) -> bool:
    return bool(np.array_equal(a, b, equal_nan=np.asarray(a).dtype.kind in "fc"))
