"""A recorded function as values: what is computed of what, each once.

A `Value` is an operation applied to values, or a leaf: data that arrives with a call, a constant. Two that are made alike are the same
object. They are known by shape and dtype alone; nothing here computes, and what a Tensor or a Node is stays in `tracing`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from autograd_np.attributes import keyed, mapped, parts

__all__ = ["ARITHMETIC", "HIGHEST", "LOWEST", "REDUCTIONS", "TOTAL", "Program", "Value", "filled", "inside", "used"]

HASHED = 1_000
"""Constants of no more elements are compared by what they hold; larger ones are themselves alone."""
TOTAL, HIGHEST, LOWEST = np.add.reduce, np.maximum.reduce, np.minimum.reduce
REDUCTIONS: dict[Any, Any] = {np.add: TOTAL, np.maximum: HIGHEST, np.minimum: LOWEST}
"""Reductions, each one object: NumPy makes a new one each time that it is asked."""

ARITHMETIC: dict[Any, str] = {np.add: "+", np.subtract: "-", np.multiply: "*", np.divide: "/", np.power: "**"}
"""What Python's operators compute of numbers, and their signs."""
ARITHMETIC |= {np.negative: "-", np.positive: "+", np.floor_divide: "//", np.remainder: "%"}


class Value:
    """What one operation computes, or a leaf.

    Attributes
    ----------
    kind : str
        ``"input"`` (its number is `const`), ``"constant"`` (an array, or a number of Python's: `const`) or ``"call"``.
    fn : callable or None
        What is called: a ufunc, ``np.add.reduce``, a function of NumPy's or of the table.
    args : tuple of Value
    attrs : dict
        Named arguments; an array that was computed stands in them as its Value.
    shape, dtype
        Of a call that returns several arrays, those of all of them.
    shares : bool
        The result may show memory of an argument.
    weak : bool
        Whether this is a number of Python's, to which the dtype of an array does not give way.
    site : str
        The user's line.
    index : int
        Grows with each value.
    """

    __slots__ = ("args", "attrs", "const", "dtype", "fn", "index", "kind", "shape", "shares", "site", "variadic", "weak")

    def __init__(self, kind: str, index: int, shape: Any, dtype: Any, const: Any = None) -> None:
        self.kind = kind
        self.index = index
        self.shape = shape
        self.dtype = dtype
        self.const = const
        self.fn: Callable[..., Any] | None = None
        self.args: tuple[Value, ...] = ()
        self.attrs: dict[str, Any] = {}
        self.shares = False
        self.variadic = False
        self.weak = False
        self.site = ""

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """The memory of an array like it."""
        return self.size * int(self.dtype.itemsize)

    @property
    def number(self) -> Any:
        """The number of Python's that this is, or ``None``."""
        return self.const if self.kind == "constant" and type(self.const) in (int, float, bool, complex) else None

    @property
    def is_several(self) -> bool:
        """Whether a call returns several arrays."""
        return not isinstance(self.dtype, np.dtype)

    def is_call(self, *functions: Any) -> bool:
        """Whether this is a call of one of these functions."""
        return self.kind == "call" and any(self.fn is f for f in functions)

    def children(self) -> Iterator[Value]:
        """Yield what it is made of: arguments, and values in its attributes."""
        yield from self.args
        for v in self.attrs.values():
            yield from inside(v)

    def __repr__(self) -> str:
        if self.kind != "call":
            return f"<{self.kind} {self.const if self.number is not None or self.kind == 'input' else self.shape}>"
        return f"<v{self.index} {getattr(self.fn, '__name__', self.fn)} {self.shape}>"


class Program:
    """Values, and which of them are the results.

    Attributes
    ----------
    inputs : list of Value
        Data, in the order of the leaves.
    outputs : list of Value
    """

    def __init__(self) -> None:
        self.inputs: list[Value] = []
        self.outputs: list[Value] = []
        self._known: dict[Any, Value] = {}
        self._count = 0

    def _next(self) -> int:
        self._count += 1
        return self._count

    def input(self, shape: tuple[int, ...], dtype: Any) -> Value:
        """Return a leaf whose value arrives with each call."""
        v = Value("input", self._next(), shape, dtype, len(self.inputs))
        self.inputs.append(v)
        return v

    def constant(self, x: Any) -> Value:
        """Return a leaf that is the same in every call."""
        if type(x) in (int, float, bool, complex):
            key: Any = (type(x), repr(x))
            shape: Any = ()
            dtype: Any = np.asarray(x).dtype
        else:
            array = np.asarray(x)
            shape, dtype = array.shape, array.dtype
            key = ("array", shape, dtype, array.tobytes() if array.size <= HASHED and dtype.kind != "O" else id(x))
        if key not in self._known:
            self._known[key] = Value("constant", self._next(), shape, dtype, x)
        return self._known[key]

    def call(
        self,
        fn: Callable[..., Any],
        args: Iterable[Value],
        attrs: dict[str, Any],
        shape: Any,
        dtype: Any,
        *,
        shares: bool = False,
        variadic: bool = False,
        site: str = "",
    ) -> Value:
        """Return an operation applied to values; one that is there already, if it is made alike."""
        args = tuple(args)
        key = (fn, variadic, tuple(a.index for a in args), tuple(sorted((k, _key(v)) for k, v in attrs.items())), str(dtype))
        v = self._known.get(key)
        if v is None:
            v = Value("call", self._next(), shape, dtype)
            v.fn, v.args, v.attrs, v.shares, v.variadic, v.site = fn, args, attrs, shares, variadic, site
            v.weak = fn in ARITHMETIC and all(a.weak or a.number is not None for a in args)
            self._known[key] = v
        return v

    def again(self, v: Value, args: Iterable[Value], attrs: dict[str, Any]) -> Value:
        """Return the same operation on other values."""
        args = tuple(args)
        assert v.fn is not None
        return self.call(v.fn, args, attrs, v.shape, v.dtype, shares=v.shares, variadic=v.variadic, site=v.site)

    def values(self) -> list[Value]:
        """Return all that the results are made of, each after what it is made of."""
        return used(self.outputs)

    def uses(self) -> Counter[Value]:
        """Return how often each value is read, results included."""
        count = Counter(self.outputs)
        for v in self.values():
            count.update(v.children())
        return count


def used(roots: Iterable[Value]) -> list[Value]:
    """Return all that some values are made of, in the order in which they were recorded: each after what it is made of."""
    found: set[Value] = set()
    todo = list(roots)
    while todo:
        v = todo.pop()
        if v not in found:
            found.add(v)
            todo.extend(v.children())
    return sorted(found, key=lambda v: v.index)


def filled(attribute: Any, f: Callable[[Value], Any]) -> Any:
    """Return an attribute with the values in its tuples, lists and slices replaced by what `f` makes of them."""
    return mapped(attribute, lambda part: f(part) if isinstance(part, Value) else part)


def inside(attribute: Any) -> Iterator[Value]:
    """Yield the values in an attribute."""
    return (part for part in parts(attribute) if isinstance(part, Value))


def _key(attribute: Any) -> Any:
    return keyed(attribute, _key_of_part)


def _key_of_part(part: Any) -> Any:
    if isinstance(part, Value):
        return ("value", part.index)
    if isinstance(part, np.ndarray):
        small = part.size <= HASHED and part.dtype.kind != "O"
        return ("array", part.shape, str(part.dtype), part.tobytes() if small else id(part))
    plain = part is None or isinstance(part, (int, float, complex, str, np.dtype, type(...), np.generic))
    return (type(part).__name__, repr(part) if plain else id(part))
