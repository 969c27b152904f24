"""Expressions as NumPy: operators, functions, indices, in the names of the user."""

from __future__ import annotations

import ast
import functools
import inspect
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import numpy as np

from autograd_np import errors
from autograd_np.derivations.expression import Expression, realised, walked
from autograd_np.derivations.naming.names import function_name, plain_function
from autograd_np.derivations.naming.numbers import written
from autograd_np.derivations.rules.whole import Pullback
from autograd_np.derivations.simplifying.patterns import told
from autograd_np.indices import index_text
from autograd_np.op import RESULT, STEP, Op
from autograd_np.ops import special
from autograd_np.ops.shaping import spread
from autograd_np.results import Results

__all__ = ["ATOM", "HELPERS", "Text", "Writer", "tidy"]

Text = tuple[str, int]
"""What is written, and how tightly it binds."""

COMPARE, OR, AND, SUM, PRODUCT, UNARY, POWER, ATOM = range(8)

_INFIX = {
    "add": ("+", SUM), "subtract": ("-", SUM), "multiply": ("*", PRODUCT), "divide": ("/", PRODUCT), "matmul": ("@", PRODUCT),
    "remainder": ("%", PRODUCT), "floor_divide": ("//", PRODUCT),
    "greater": (">", COMPARE), "greater_equal": (">=", COMPARE), "less": ("<", COMPARE), "less_equal": ("<=", COMPARE),
    "equal": ("==", COMPARE), "not_equal": ("!=", COMPARE), "bitwise_and": ("&", AND), "bitwise_or": ("|", OR),
    "logical_and": ("&", AND), "logical_or": ("|", OR),
}  # fmt: skip

HELPERS: dict[str, str] = {
    "softmax": """def softmax(x, axis=-1):
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)""",
    "log_softmax": """def log_softmax(x, axis=-1):
    shifted = x - np.max(x, axis=axis, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))""",
    "logsumexp": """def logsumexp(x, axis=None, keepdims=False):
    top = np.max(x, axis=axis, keepdims=True)
    y = np.log(np.sum(np.exp(x - top), axis=axis, keepdims=True)) + top
    return y if keepdims else np.squeeze(y, axis=axis)""",
    "scatter_add": """def scatter_add(g, shape, index):
    out = np.zeros(shape, np.asarray(g).dtype)
    np.add.at(out, index, g)
    return out""",
    "setitem": """def setitem(a, v, index):
    out = np.array(a)
    out[index] = v
    return out""",
    "add_windows": """def add_windows(g, shape, window_shape, axis=None):
    out = np.zeros(shape, g.dtype)
    axes = range(len(shape)) if axis is None else np.atleast_1d(axis)
    for place in np.ndindex(*np.atleast_1d(window_shape)):
        start = [0] * len(shape)
        for a, i in zip(axes, place):
            start[a] += i
        out[tuple(slice(i, i + n) for i, n in zip(start, g.shape))] += g[(..., *place)]
    return out""",
    "add_along_axis": """def add_along_axis(g, indices, shape, axis):
    out = np.zeros(shape, g.dtype)
    index = list(np.ogrid[tuple(map(slice, shape))])
    index[axis] = indices
    np.add.at(out, tuple(index), g)
    return out""",
}
"""Functions that NumPy lacks, as they are put before a program that uses them."""


class _Text(str):
    """What is written already."""

    __slots__ = ()


class Writer:
    """Writes expressions.

    Attributes
    ----------
    names : mapping of (Expression, str)
        What is written by its name.
    helpers : dict
        The functions of `HELPERS` that were used, and what they are called.
    taken : frozenset of str
        The names of variables, which no helper may have.
    imports : dict
        The lines that import what NumPy does not have.
    prefer : Expression or None
        The array whose shape is written, if it has that shape, before those of others.
    at_hand : list of Expression or None
        The arrays whose shapes may be read, if not those of all that have names.
    used : dict
        The names that were read, in their order.
    """

    def __init__(
        self,
        names: Mapping[Expression, str],
        number: Callable[[tuple[Any, ...]], str | None],
        array: Callable[[Expression], str],
        size: Callable[[Any, bool], str | None] = lambda _n, _is_end: None,
        instead: Callable[[Expression], Expression] = lambda e: e,
    ) -> None:
        self.names = names
        self.helpers: dict[str, str] = {}
        self.taken: frozenset[str] = frozenset()
        self.imports: dict[str, None] = {}
        self.used: dict[str, None] = {}
        self.prefer: Expression | None = None
        self.at_hand: list[Expression] | None = None
        self._tensors = 0  # within a call of `vjp`, in which arguments are Tensors
        self._number = number
        self._array = array
        self._size = size
        self._instead = instead

    def __call__(self, e: Expression) -> str:
        """Return an expression as a line can have it."""
        return self.text(e)[0]

    def result(self, e: Expression) -> str:
        """Return what a variable is set to."""
        if e.dtype != np.float64 and e not in self.names and all(x.kind in ("number", "call") and x.ndim == 0 for x in walked([e])):
            return f"{self.attribute(e.dtype)}({self(e)})"  # of numbers alone NumPy makes float64
        return self(e)

    def name_of(self, e: Expression) -> str | None:
        """Return the name of an expression, and note that it was read."""
        name = self.names.get(e)
        if name is not None:
            self.used[name] = None
        return name

    def text(self, e: Expression) -> Text:
        """Return what is written for an expression, and how tightly it binds."""
        name = self.name_of(e)
        if name is not None:
            return name, ATOM
        if e.kind == "number":
            return self._of_number(e)
        if e.kind == "variable":
            self.used[e.name or "x"] = None
            return e.name or "x", ATOM
        if e.kind == "array":
            return self._array(e), ATOM
        other = self._instead(e)
        return self.text(other) if other is not e else self._call(e)

    def _of_number(self, e: Expression) -> Text:
        text = self._number(e.values)
        if text is None:
            raise errors.DifferentiationError(
                f"the number {' or '.join(map(str, e.values))}, at two sets of sizes, could not be written as a formula of sizes; "
                f"give it a name in the function, or pass it as an argument"
            )
        return text, _tightness(text)

    def as_object(self, e: Expression) -> str:
        """Return an expression as it stands before a dot."""
        return self._within(e, ATOM)

    def _within(self, e: Expression, level: int) -> str:
        text, binds = self.text(e)
        return text if binds >= level else f"({text})"

    def _call(self, e: Expression) -> Text:
        op = e.op
        assert op is not None
        name, args, attrs = op.name, e.args, _spoken(op, e.attrs)
        if op in (RESULT, STEP):
            results = args[0].values[0]
            assert isinstance(results, Results)
            return f"{self._within(args[0], ATOM)}{results.name_of(e.attribute('index'))}", ATOM
        if name == "multiply" and args[0].is_call(np.expand_dims) and args[0].args[0].ndim == args[1].ndim == 1:
            return f"np.outer({self(args[0].args[0])}, {self(args[1])})", ATOM
        if name == "multiply" and self._is_odds(args[1]):
            return f"{self._within(args[0], PRODUCT)} / {self.text(args[1])[0].removeprefix('1 / ')}", PRODUCT
        if name == "subtract" and args[0].number == 1 and args[1].is_call(special.sigmoid) and args[1] not in self.names:
            return f"1 / (1 + np.exp({self(args[1].args[0])}))", PRODUCT
        if name in _INFIX and not attrs and len(args) == 2 and (not name.startswith("logical") or _are_masks(args)):
            sign, level = _INFIX[name]
            left = self._operand(e, 0, level + (level == COMPARE))
            if name == "multiply" and args[0] not in self.names and args[0].is_call(np.matmul, np.dot):
                left = f"({left})"
            right = self._operand(e, 1, level + 1)
            return f"{left} {sign} {right}", level
        if name == "negative":
            return self._with_minus(args[0]), UNARY if self.text(args[0])[1] > PRODUCT else PRODUCT
        if name in ("positive", "frozen", "arranged") or (name in ("to_float", "copy") and args[0].dtype == e.dtype):
            return self.text(args[0])
        if name == "invert" or (name == "logical_not" and _are_masks(args)):
            return f"~{self._within(args[0], ATOM)}", UNARY
        if name == "power":
            return tidy(f"{self._operand(e, 0, ATOM)} ** {self._operand(e, 1, UNARY)}"), POWER
        if name == "square":
            return tidy(f"{self._within(args[0], ATOM)} ** 2"), POWER
        if name == "reciprocal" and e.dtype.kind == "f":
            return f"1 / {self._within(args[0], UNARY)}", PRODUCT
        if name == "transpose" and not attrs:
            return f"{self._object(args[0])}.T", ATOM
        if name == "getitem":
            return f"{self._object(args[0])}[{self.index(e.attribute('index'))}]", ATOM
        if name == "expand_dims" and args[0].ndim:
            return f"{self._object(args[0])}[{_new_axes(attrs['axis'], e.ndim)}]", ATOM
        if name == "swapaxes":
            return f"np.swapaxes({self(args[0])}, {attrs['axis1']}, {attrs['axis2']})", ATOM
        if name in ("to_float", "to_other"):
            dtype = self.attribute(e.attribute("dtype"))
            return (
                f"{dtype}({self(args[0])})"
                if args[0].ndim == 0 and not args[0].flows and (args[0].op is None or not args[0].reads)
                else f"{self._within(args[0], ATOM)}.astype({dtype})"
            ), ATOM
        if name == "spread":
            return self._spread(e)
        if name == "sigmoid":
            return f"1 / (1 + np.exp({self._negated(args[0])}))", PRODUCT
        if name == "relu":
            return f"np.maximum({self(args[0])}, 0)", ATOM
        if name == "softplus":
            return f"np.logaddexp(0, {self(args[0])})", ATOM
        if name == "log_sigmoid":
            return f"-np.logaddexp(0, {self._negated(args[0])})", UNARY
        if name == "einsum":
            attrs = {k: v for k, v in attrs.items() if k not in ("subscripts", "optimize")}
            return (
                f"np.einsum({', '.join([repr(e.attribute('subscripts')), *(self._operand(e, i, COMPARE) for i in range(len(args)))])})",
                ATOM,
            )
        if isinstance(op, Pullback):
            return self._pullback(e, op), ATOM
        function = self._function(op)
        pieces = [f"[{', '.join(map(self, args))}]"] if op.variadic else [self._operand(e, i, COMPARE) for i in range(len(args))]
        if name in ("reshape", "broadcast_to", "full") and "shape" in attrs:
            pieces.append(self.shape_text(attrs.pop("shape")))
        pieces += [f"{k}={self.shape_text(v) if k == 'shape' else self.attribute(v)}" for k, v in attrs.items()]
        return f"{function}({', '.join(pieces)})", ATOM

    def _operand(self, e: Expression, i: int, level: int) -> str:
        """Return an argument: a number of NumPy's as one of Python's, unless the result would have another dtype."""
        a = e.args[i]
        name = e.op.name if e.op is not None else ""
        if a.kind == "number" and a not in self.names and (name in HELPERS or not (a.is_weak or _gives_way(e))):
            return self._object(a)
        return self._within(a, level)

    def _object(self, a: Expression) -> str:
        """Return what has the attributes of an array, as a number of Python's has not."""
        is_number = a.kind == "number" and a not in self.names
        return f"{self.attribute(a.dtype)}({self(a)})" if is_number else self._within(a, ATOM)

    def _is_odds(self, e: Expression) -> bool:
        """Whether an expression is written as 1 / (1 + exp(x))."""
        if e in self.names or self._instead(e) is not e:
            return False
        return e.is_call(special.sigmoid) or (
            e.is_call(np.subtract) and e.args[0].number == 1 and e.args[1].is_call(special.sigmoid) and e.args[1] not in self.names
        )

    def _negated(self, e: Expression) -> str:
        if e.is_call(np.negative):
            return self(e.args[0])
        return self._with_minus(e)

    def _with_minus(self, e: Expression) -> str:
        text = self._within(e, PRODUCT)
        first = e
        while first not in self.names and first.is_call(np.multiply, np.divide, np.matmul):
            first = first.args[0]
        return f"-({text})" if text.startswith("-") or first.dtype == np.bool_ else f"-{text}"  # NumPy refuses to negate a mask

    def _spread(self, e: Expression) -> Text:
        inner, shape = e.args[0], e.attribute("shape")
        if inner.kind == "number" and inner.number is not None:
            like = self._array_of_shape(e.shapes, e.dtype) if inner.number in (0, 1) else None
            if inner.number in (0, 1):
                fill = "zeros" if inner.number == 0 else "ones"
                if like is not None:
                    return f"np.{fill}_like({like})", ATOM
                return f"np.{fill}({self.shape_text(shape)}{self._other_dtype(e)})", ATOM
        if inner.ndim == 0:
            return f"np.full({self.shape_text(shape)}, {self(inner)}{self._other_dtype(e)})", ATOM
        return f"np.broadcast_to({self(inner)}, {self.shape_text(shape)})", ATOM

    def zeros(self, e: Expression) -> str:
        """Return zeros of the shape and dtype of an expression."""
        return self(e.sheet.call(spread, e.sheet.number(e.dtype.type(0)), shape=tuple(map(e.sheet.size, zip(*e.shapes, strict=True)))))

    def _other_dtype(self, e: Expression) -> str:
        return "" if e.dtype == np.float64 else f", dtype={self.attribute(e.dtype)}"

    def _array_of_shape(self, shapes: tuple[tuple[int, ...], ...], dtype: Any = None) -> str | None:
        """Return the name of an array of a shape, first of all of the one whose gradient is written."""
        found = [
            x
            for x in (self.names if self.at_hand is None else self.at_hand)
            if x.shapes == shapes and x.kind != "number" and x.ndim and dtype in (None, x.dtype)
        ]
        best = self.prefer if self.prefer in found else next((x for x in found if self.names[x] in self.used), found[0] if found else None)
        return self.name_of(best) if best is not None else None

    def shape_text(self, shape: Any) -> str:
        """Return a shape: that of an array, if one has it at every point."""
        if isinstance(shape, tuple) and (len(shape) > 1 or any(isinstance(n, Expression) for n in shape)):
            points = len(next(iter(self.names)).values)
            wanted = tuple(tuple(n.values[k] if isinstance(n, Expression) else n for n in shape) for k in range(points))
            name = self._array_of_shape(wanted)
            if name is not None:
                self.used[name] = None
                return f"{name}.shape"
        return self.attribute(tuple(map(_Text, map(self._whole, shape))) if isinstance(shape, tuple) else shape)

    def _function(self, op: Op) -> str:
        if op.name in HELPERS and self._tensors:
            module = op.fn.__module__
            self.imports[f"from {module.rpartition('.')[0]} import {module.rpartition('.')[2]}"] = None
            return f"{module.rpartition('.')[2]}.{op.name}"
        if op.name in HELPERS:
            return self.helpers.setdefault(op.name, f"{op.name}_of" if op.name in self.taken else op.name)
        name = function_name(op)
        if name is None:
            raise errors.DifferentiationError(f"{op.name} has no name by which a program could call it")
        if name.line:
            self.imports[name.line] = None
        return name.text

    def _pullback(self, e: Expression, op: Pullback) -> str:
        """Write a rule that no formula says as a call of `autograd_np.vjp`."""
        self.imports["import autograd_np as ag"] = None
        given, args = e.args[: op.cotangents], list(e.args[op.cotangents :])
        x = args[op.place]
        args[op.place] = variable = e.sheet.variable("a" if "a" not in self.names.values() else "a_", x.values)
        self._tensors += 1
        call = self(e.sheet.apply(op.of, args, dict(e.attrs)))
        self._tensors -= 1
        self.used.pop(variable.name or "", None)
        if op.parts is None:
            return f"ag.vjp(lambda {variable.name}: {call}, {self(x)})[1]({self(given[0])})[0]"
        parts = ", ".join(f"{call}[{i}]" for i in op.parts)
        cotangents = ", ".join(map(self, given))
        comma = "," if len(given) == 1 else ""
        return f"ag.vjp(lambda {variable.name}: ({parts}{comma}), {self(x)})[1](({cotangents}{comma}))[0]"

    # --- attributes

    def index(self, index: Any) -> str:
        """Return what stands between the brackets."""
        return index_text(index, self.attribute, lambda v: self._whole(v, is_end=True))

    def _whole(self, v: Any, *, is_end: bool = False) -> str:
        """Return a number in a shape, or the end of a slice."""
        return (self._size(v, is_end) if type(v) is int else None) or self.attribute(v)

    def attribute(self, v: Any) -> str:
        """Return an attribute: an axis, a shape, an array of places."""
        if isinstance(v, Expression):
            return self(v)
        if isinstance(v, tuple) and v and all(type(n) is int for n in v) and (known := self._size(v, False)):
            return known
        if isinstance(v, tuple):
            return f"({', '.join(map(self.attribute, v))}{',' if len(v) == 1 else ''})"
        if isinstance(v, list):
            return f"[{', '.join(map(self.attribute, v))}]"
        if isinstance(v, slice):
            return f"slice({self.attribute(v.start)}, {self.attribute(v.stop)}, {self.attribute(v.step)})"
        if isinstance(v, _Text):
            return v
        if isinstance(v, np.dtype):
            return f"np.{v.name}"
        if isinstance(v, type) and issubclass(v, np.generic):
            return f"np.{v.__name__}"
        if v is None or isinstance(v, (bool, int, float, complex, str, np.generic)) or v is Ellipsis:
            return written(v.item() if isinstance(v, np.generic) else v)
        raise errors.DifferentiationError(
            f"an operation has an argument of type {type(v).__module__}.{type(v).__qualname__}, which cannot be written as NumPy; "
            f"a derivation is written for functions of arrays and numbers"
        )


def _are_masks(args: Sequence[Expression]) -> bool:
    return all(a.dtype == np.bool_ for a in args)


def _gives_way(e: Expression) -> bool:
    """Whether an operation comes to the same if Python's numbers stand in the place of NumPy's."""
    values = [a.values[0].item() if a.kind == "number" and not a.is_weak else a.values[0] for a in e.args]
    op, how = cast(Op, e.op), {k: realised(v, 0) for k, v in e.attrs}
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = op.fn(values, **how) if op.variadic else op.fn(*values, **how)
    except (TypeError, ValueError, AttributeError):
        return False
    return getattr(found, "dtype", None) == e.dtype or (e.dtype == np.float64 and isinstance(found, float))


@functools.cache
def _defaults(op: Op) -> dict[str, Any]:
    """Return what the attributes of a function are where nobody says them; ``inspect.Parameter.empty`` if they have to be said."""
    found: dict[str, Any] = {}
    for function in (op.fn, plain_function(op)):
        try:
            parameters = inspect.signature(inspect.unwrap(function)).parameters.values()
        except (TypeError, ValueError):
            continue
        found |= {p.name: p.default for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)}
    return found


def _spoken(op: Op, attrs: tuple[tuple[str, Any], ...]) -> dict[str, Any]:
    """Return the attributes that have to be said."""
    defaults = _defaults(op)
    meant = told(attrs)
    by_default = {k: k in defaults and defaults[k] is not np._NoValue for k, _ in attrs}
    return {k: v for k, v in attrs if (not _is_left_out(v, defaults[k]) if by_default[k] else k in meant)}


def _is_left_out(v: Any, default: Any) -> bool:
    return v is np._NoValue or v is default or (type(v) is type(default) and not isinstance(v, (tuple, list)) and bool(v == default))


def _tightness(text: str) -> int:
    """Return how tightly what is written binds."""
    match ast.parse(text, mode="eval").body:
        case ast.BinOp(op=ast.Add() | ast.Sub()):
            return SUM
        case ast.BinOp(op=ast.Pow()):
            return POWER
        case ast.BinOp():
            return PRODUCT
        case ast.UnaryOp():
            return UNARY
    return ATOM


def tidy(text: str) -> str:
    """Write powers of simple operands without spaces, as formatters do."""
    return re.sub(r"(?<![\w.\])])([A-Za-z_][\w.]*|\d[\d.]*) \*\* (-?[\w.]+)(?![\w.(\[])", r"\1**\2", text)


def _new_axes(axis: Any, ndim: int) -> str:
    axes = {i % ndim for i in (axis if isinstance(axis, tuple) else (axis,))}
    if axes == {ndim - 1} and ndim > 3:
        return "..., None"
    return ", ".join("None" if i in axes else ":" for i in range(max(axes) + 1))
