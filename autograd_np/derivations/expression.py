"""Expressions: what was recorded, as values that can be compared, rewritten and printed.

An expression is an operation of the table applied to expressions, or a leaf: a variable, a number, an array. Two that are built alike
are the same object. Each knows its value at the points of its `Sheet`, runs of the user's function on arrays of different sizes: so
a size is a number that differs from point to point, and every rewriting can be held against what it replaces.
"""

from __future__ import annotations

import functools
import math
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, cast

import numpy as np

from autograd_np.attributes import keyed, mapped, parts
from autograd_np.op import TABLE, Op, Overriding, Primitive
from autograd_np.results import Results
from autograd_np.typing import Array

__all__ = ["Expression", "Sheet", "depends_on", "filled", "inside", "realised", "rebuilt", "row_of", "same_values", "walked"]

HASHED = 10_000
"""Arrays of no more elements are compared by what they hold; larger ones are themselves alone."""


class Expression(Overriding):
    """An operation applied to expressions, or a leaf; NumPy's functions and operators make new ones of it.

    Attributes
    ----------
    op : Op or None
        The row of the table; ``None`` for leaves.
    args : tuple of Expression
        The positional arguments, arrays and numbers.
    attrs : tuple of (str, Any)
        The attributes by name; see `realised` for what an attribute may hold.
    children : tuple of Expression
        What this is made of: its arguments, and the expressions in its attributes.
    values : tuple
        The value at each point.
    name : str or None
        What a leaf is called; a number and an array without a name have none.
    kind : str
        ``"call"``, ``"variable"``, ``"number"`` or ``"array"``.
    flows : bool
        Whether it is a gradient, or made of one.
    shapes : tuple of tuple of int
        The shape at each point.
    reads : frozenset of Expression
        The variables that it is made of.
    index : int
        Grows with each expression, so that whatever is ordered by it comes out the same each time.
    """

    __slots__ = ("args", "attrs", "children", "flows", "index", "kind", "name", "op", "reads", "shapes", "sheet", "values")

    def __init__(
        self,
        sheet: Sheet,
        kind: str,
        values: tuple[Any, ...],
        *,
        op: Op | None = None,
        args: tuple[Expression, ...] = (),
        attrs: tuple[tuple[str, Any], ...] = (),
        name: str | None = None,
    ) -> None:
        self.sheet = sheet
        self.kind = kind
        self.values = values
        self.op = op
        self.args = args
        self.attrs = attrs
        self.children: tuple[Expression, ...] = (*args, *(x for _, v in attrs for x in inside(v))) if attrs else args
        self.name = name
        self.shapes: tuple[tuple[int, ...], ...] = tuple(() if isinstance(v, Results) else np.shape(v) for v in values)
        self.flows: bool = any(a.flows for a in args)
        self.reads: frozenset[Expression] = frozenset((self,)) if kind == "variable" else _united([c.reads for c in self.children])
        self.index = sheet.next_index()

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape at the first point."""
        return np.shape(self.values[0])

    @property
    def ndim(self) -> int:
        """The number of axes, which is the same at each point."""
        return len(self.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the value."""
        value = self.values[0]
        return cast("np.dtype[Any]", value.dtype if hasattr(value, "dtype") else np.asarray(value).dtype)

    @property
    def number(self) -> Any:
        """The number that this is at every point, or ``None``: a size is not one number."""
        if self.kind != "number" or any(type(v) is not type(self.values[0]) or repr(v) != repr(self.values[0]) for v in self.values[1:]):
            return None
        return self.values[0]

    @property
    def is_weak(self) -> bool:
        """Whether this is a number of Python's, to which the dtype of an array does not give way."""
        return self.kind == "number" and type(self.values[0]) in (int, float, complex, bool)

    def attribute(self, name: str, default: Any = None) -> Any:
        """Return an attribute, as it stands in `attrs`."""
        return next((v for k, v in self.attrs if k == name), default)

    def is_call(self, *functions: Any) -> bool:
        """Whether this is a call of one of these functions."""
        return self.op is not None and self.op in _rows(functions)

    # --- what NumPy and Python call

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return self.sheet.call(ufunc, *inputs, **kwargs) if method == "__call__" else NotImplemented

    def __array_function__(self, func: Any, _types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return self.__record__(func, args, kwargs)

    def __record__(self, fn: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        row = row_of(fn)
        count = len(row.rules)
        return self.sheet.call(row, *args[:count], **dict(zip(row.params[count:], args[count:], strict=False)), **kwargs)

    def __add__(self, other: Any) -> Any:
        return self.sheet.call(np.add, self, other)

    def __radd__(self, other: Any) -> Any:
        return self.sheet.call(np.add, other, self)

    def __sub__(self, other: Any) -> Any:
        return self.sheet.call(np.subtract, self, other)

    def __rsub__(self, other: Any) -> Any:
        return self.sheet.call(np.subtract, other, self)

    def __mul__(self, other: Any) -> Any:
        return self.sheet.call(np.multiply, self, other)

    def __rmul__(self, other: Any) -> Any:
        return self.sheet.call(np.multiply, other, self)

    def __truediv__(self, other: Any) -> Any:
        return self.sheet.call(np.divide, self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return self.sheet.call(np.divide, other, self)

    def __matmul__(self, other: Any) -> Any:
        return self.sheet.call(np.matmul, self, other)

    def __pow__(self, other: Any) -> Any:
        return self.sheet.call(np.power, self, other)

    def __neg__(self) -> Any:
        return self.sheet.call(np.negative, self)

    def __repr__(self) -> str:
        if self.op is None:
            return self.name or (repr(self.values[0]) if self.kind == "number" else f"array{self.shape}")
        return f"{self.op.name}({', '.join([*map(repr, self.args), *(f'{k}={v!r}' for k, v in self.attrs)])})"


def row_of(function: Any) -> Op:
    """Return the row of a function."""
    if isinstance(function, Op):
        return function
    row = function.op if isinstance(function, Primitive) else TABLE[function]
    return cast(Op, row)


@functools.cache
def _rows(functions: tuple[Any, ...]) -> frozenset[Op]:
    return frozenset(map(row_of, functions))


def _united(sets: list[frozenset[Expression]]) -> frozenset[Expression]:
    """Return a union; of what is the same again and again, itself."""
    found: frozenset[Expression] = frozenset()
    for s in sets:
        if not s <= found:
            found = found | s if found else s
    return found


class Sheet:
    """Where expressions are written: keeps equal ones the same, the variables, and what fired of the rules of `simplify`."""

    def __init__(self, points: int) -> None:
        self.points = points
        self.fired: Counter[str] = Counter()
        self._known: dict[Any, Expression] = {}
        self.variables: list[Expression] = []
        self._count = 0

    def next_index(self) -> int:
        """Return the number of the next expression."""
        self._count += 1
        return self._count

    def variable(self, name: str, values: Sequence[Any], *, flows: bool = False) -> Expression:
        """Return a leaf of its own; one that `flows` is a gradient."""
        e = Expression(self, "variable", tuple(values), name=name)
        e.flows = flows
        self.variables.append(e)
        return e

    def number(self, *values: Any) -> Expression:
        """Return a number: one value for all points, or one each."""
        values = values * self.points if len(values) == 1 else values
        key = ("number", *((type(v), repr(v)) for v in values))
        if key not in self._known:
            self._known[key] = Expression(self, "number", values)
        return self._known[key]

    def size(self, values: Sequence[int]) -> Any:
        """Return a size as a shape has it: a number where it is the same at each point, otherwise an expression."""
        return values[0] if len(set(values)) == 1 else self.number(*values)

    def array(self, values: Sequence[Any]) -> Expression:
        """Return an array that no operation made and nobody named."""
        key = ("array", *((v.dtype, v.shape, v.tobytes() if v.size <= HASHED and v.dtype != object else id(v)) for v in values))
        if key not in self._known:
            self._known[key] = Expression(self, "array", tuple(values))
        return self._known[key]

    def call(self, function: Any, *args: Any, **attrs: Any) -> Expression:
        """Return an operation applied to expressions and numbers."""
        return self.apply(row_of(function), [a if isinstance(a, Expression) else self.number(a) for a in args], attrs)

    def apply(self, op: Op, args: Iterable[Expression], attrs: dict[str, Any]) -> Expression:
        """Return an operation applied to expressions, with attributes as `realised` takes them."""
        args = tuple(args)
        items = tuple((k, self.frozen(v)) for k, v in attrs.items())
        key = (op, args, tuple(sorted((k, _key(v)) for k, v in items)) if items else ())
        found = self._known.get(key)
        if found is None:
            with np.errstate(all="ignore"), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                values = tuple(self._value(op, args, items, k) for k in range(self.points))
            found = self._known[key] = Expression(self, "call", values, op=op, args=args, attrs=items)
        return found

    def frozen(self, value: Any) -> Any:
        """Return an attribute with the arrays in it as expressions."""
        if isinstance(value, np.ndarray):
            return self.array([value] * self.points)
        if type(value) in (tuple, list):
            return type(value)(self.frozen(v) for v in value)
        return value

    @staticmethod
    def _value(op: Op, args: tuple[Expression, ...], attrs: tuple[tuple[str, Any], ...], point: int, /) -> Any:
        values = [a.values[point] for a in args]
        how = {k: realised(v, point) for k, v in attrs}
        return op.fn(values, **how) if op.variadic else op.fn(*values, **how)


def filled(attribute: Any, f: Callable[[Expression], Any]) -> Any:
    """Return an attribute with the expressions in its tuples, lists and slices replaced by what `f` makes of them."""
    return mapped(attribute, lambda part: f(part) if isinstance(part, Expression) else part)


def realised(attribute: Any, point: int) -> Any:
    """Return what an attribute is at a point."""
    return filled(attribute, lambda e: e.values[point])


def inside(attribute: Any) -> Iterator[Expression]:
    """Yield the expressions in an attribute."""
    return (part for part in parts(attribute) if isinstance(part, Expression))


def _key(attribute: Any) -> Any:
    return keyed(attribute, _key_of_part)


def _key_of_part(part: Any) -> Any:
    if isinstance(part, Expression):
        return ("expression", part.index)
    plain = part is None or isinstance(part, (int, float, complex, str, np.dtype, type(...), np.generic))
    return (type(part).__name__, repr(part) if plain else id(part))


def rebuilt(e: Expression, f: Callable[[Expression], Expression]) -> Expression:
    """Return the same operation on other expressions."""
    if e.op is None:
        return e
    args = [f(a) for a in e.args]
    attrs = {k: filled(v, f) for k, v in e.attrs}
    if all(a is b for a, b in zip(args, e.args, strict=True)) and all(attrs[k] is v or _key(attrs[k]) == _key(v) for k, v in e.attrs):
        return e
    return e.sheet.apply(e.op, args, attrs)


def walked(roots: Iterable[Expression], stop: Callable[[Expression], bool] | None = None) -> list[Expression]:
    """Return all that the roots are made of, in an order in which each stands after what it is made of; without recursion."""
    order: list[Expression] = []
    opened: list[Expression] = []  # innermost last; each has a ``None`` in `todo`, below what it is made of
    done: set[Expression] = set()
    todo: list[Expression | None] = [*roots]
    todo.reverse()
    while todo:
        e = todo.pop()
        if e is None:
            order.append(opened.pop())
        elif e not in done:
            done.add(e)
            if not e.children or (stop is not None and stop(e)):
                order.append(e)
            else:
                opened.append(e)
                todo.append(None)
                todo += [c for c in reversed(e.children) if c not in done]
    return order


def depends_on(e: Expression, wanted: set[Expression]) -> bool:
    """Whether an expression is made of one of those that are wanted."""
    return any(x in wanted for x in walked([e]))


def same_values(a: Array, b: Array) -> bool:
    """Whether two arrays of values agree up to rounding, in shape and dtype too."""
    if isinstance(a, Results) or isinstance(b, Results):
        return isinstance(a, Results) and isinstance(b, Results) and all(same_values(x, y) for x, y in zip(a, b, strict=True))
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    if a.dtype.kind not in "fc":
        return bool(np.array_equal(a, b))
    near = _near(a.dtype)
    with np.errstate(all="ignore"):
        scale, apart = float(np.max(np.abs(a), initial=0.0)), float(np.max(np.abs(a - b), initial=0.0))
        if math.isfinite(scale) and math.isfinite(apart):
            return apart <= near * scale
        finite = np.isfinite(a) & np.isfinite(b)
        scale = float(np.max(np.abs(a[finite]), initial=0.0))
        return bool(np.all(np.abs(a[finite] - b[finite]) <= near * scale)) and bool(np.all(np.isfinite(b) | ~np.isfinite(a)))


@functools.cache
def _near(dtype: np.dtype[Any]) -> float:
    """Return how far apart two forms of a value may be: 5e-7 of it in float64, since what is replaced may itself have cancelled."""
    return float(np.finfo(dtype).eps ** 0.4)
