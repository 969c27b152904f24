"""Steps as nests of loops: which are carried out in the same loops, and where what they leave lies.

A `Part` is a run of steps that loops can carry out. Steps over the same axes share a nest, in which a value that is needed nowhere else is
one number and no array. A value that is needed elsewhere is stored; a view of it is an offset and strides, found by NumPy itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograd_np.compiling.program import REDUCTIONS, Value, inside
from autograd_np.compiling.schedule import Step
from autograd_np.ops.indexing import getitem, is_basic
from autograd_np.ops.selection import where
from autograd_np.ops.shaping import ravel, reshape, spread, to_float

__all__ = ["Nest", "Part", "contiguous", "is_supported", "loop_of", "pieces_of", "sizes", "whole"]

UNROLLED = 4
"""Products that add up no more terms are written out, term by term."""
SMALL = 32_768
"""Products of no more multiplications are loops; what is larger is better done by NumPy's library."""
ARRAYS = 7
"""How many arrays a nest may read and write: compilers ask at run time whether they overlap, up to a number."""
FLOATS = "fd"
LOADED = "?bhilqBHILQfd"
ARITHMETIC = frozenset({
    np.add, np.subtract, np.multiply, np.divide, np.negative, np.positive, np.reciprocal, np.absolute, np.fabs, np.sqrt, np.square,
    np.exp, np.expm1, np.log, np.log1p, np.tanh, np.sin, np.cos, np.tan, np.sinh, np.cosh, np.arcsin, np.arccos, np.arctan, np.arcsinh,
    np.arccosh, np.arctanh, np.maximum, np.minimum, np.logaddexp, np.arctan2, np.hypot, np.floor, np.ceil, np.trunc, np.copysign,
    np.power, np.float_power,
})  # fmt: skip
COMPARISONS = frozenset({np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal, np.isnan})
LOGIC = frozenset({np.logical_and, np.logical_or, np.logical_xor, np.logical_not})
ELEMENTS = ARITHMETIC | COMPARISONS | LOGIC
VIEWS = (np.transpose, np.expand_dims, np.swapaxes, np.moveaxis, np.squeeze, np.broadcast_to, reshape, ravel)


@dataclass(eq=False)
class Nest:
    """Steps that are carried out element by element, together.

    Attributes
    ----------
    shape : tuple of int
        How often each loop turns.
    kind : str
        ``"elements"`` or ``"products"``: the last axis is added up.
    steps : list of Step
    writes : list of Step
        Of steps that write into a copy, what is written after the copy was made.
    """

    shape: tuple[int, ...]
    kind: str = "elements"
    steps: list[Step] = field(default_factory=list)
    writes: list[Step] = field(default_factory=list)
    arrays: set[Value] = field(default_factory=set)


# --- what is supported ------------------------------------------------------------------------------


def loop_of(v: Value) -> tuple[np.dtype[Any], ...] | None:
    """Return the dtypes in which a ufunc computes, the result's last; ``None`` if loops here do not."""
    given = [type(a.number) if a.number is not None else float if a.weak else a.dtype for a in v.args]
    try:
        found: tuple[np.dtype[Any], ...] = v.fn.resolve_dtypes((*given, None))  # type: ignore[union-attr]
    except (TypeError, AttributeError):
        return None
    allowed = "?" if v.fn in LOGIC else "fd"
    return found if all(t.char in allowed for t in found[:-1]) and found[-1] == v.dtype else None


def is_supported(step: Step) -> bool:
    """Whether a step can be part of a nest."""
    v = step.value
    if v.is_several or any(not isinstance(a.dtype, np.dtype) or a.dtype.char not in LOADED or not a.size for a in v.args):
        return False
    if v.dtype.char not in "?fd" or not v.size or any(True for x in v.attrs.values() for _ in inside(x)):
        return False
    if v.weak:  # numbers of Python's, which raises where they are divided by zero
        return False
    if step.mode in ("ufunc", "scalar") and isinstance(v.fn, np.ufunc) and v.fn.signature is None:
        return v.fn in ELEMENTS and loop_of(v) is not None
    if step.mode in ("reduce", "total", "ones"):
        return v.fn in REDUCTIONS.values() and v.dtype.char in FLOATS and v.args[0].dtype == v.dtype and v.args[0].ndim > 0
    if step.mode == "inner":
        return all(a.dtype == v.dtype and a.shape == step.args[0].shape for a in step.args)
    if v.is_call(np.dot, np.matmul) and step.mode in ("dot", "scalar") and not v.attrs:
        return _product_is_small(v)
    if step.mode == "write":
        return bool(is_basic(v.attrs.get("index"))) and not v.attrs.keys() - {"index"} and v.args[1].dtype == v.dtype
    if v.is_call(where):
        return len(v.args) == 3 and not v.attrs and v.args[0].dtype.char == "?" and all(_fits(a, v) for a in v.args[1:])
    if v.is_call(to_float):
        return v.dtype.char in FLOATS
    if v.is_call(spread):
        return bool(v.args[0].dtype == v.dtype)
    is_view = v.is_call(*VIEWS) or (v.is_call(getitem) and is_basic(v.attrs.get("index")))
    if v.attrs.get("order", "C") not in ("C", None):
        return False
    return bool(step.mode == "view" and is_view) and v.args[0].dtype == v.dtype and v.args[0].number is None


def _fits(a: Value, v: Value) -> bool:
    return a.dtype == v.dtype or (type(a.number) in (int, float) and v.dtype.char in FLOATS) or bool(a.weak)


def sizes(v: Value) -> tuple[int, int, int]:
    """Return the sizes of a product: rows, terms that are added up, columns."""
    a, b = v.args
    return (a.shape[0] if a.ndim == 2 else 1), a.shape[-1], (b.shape[1] if b.ndim == 2 else 1)


def _product_is_small(v: Value) -> bool:
    if v.dtype.char not in FLOATS or any(a.dtype != v.dtype or not 1 <= a.ndim <= 2 for a in v.args):
        return False
    rows, terms, columns = sizes(v)
    return terms <= UNROLLED or rows * terms * columns <= SMALL or (rows * columns <= 16)


# --- parts --------------------------------------------------------------------------------------------


def pieces_of(steps: Sequence[Step]) -> Iterator[list[Step] | Step]:
    """Yield runs of steps that loops can carry out, and between them the steps that they cannot.

    A step waits for those that it reads only: what does not depend on an unsupported step is carried out before it, so that runs are long.
    """
    left = list(steps)
    while left:
        run, held = _closed(left, lambda s: is_supported(s))
        if run and not all(s.mode == "view" for s in run):
            yield run
        elif run:
            yield from run
        left, held = _closed(held, lambda s: not is_supported(s) or s.mode == "view")
        yield from left
        left = held


def _closed(steps: list[Step], takes: Any) -> tuple[list[Step], list[Step]]:
    """Return the steps that are taken and read nothing of the others, and the others."""
    waiting: set[Value] = set()
    taken, others = [], []
    for s in steps:
        reads = {*s.args, *s.value.children()}
        if takes(s) and not reads & waiting:
            taken.append(s)
        else:
            waiting.add(s.value)
            others.append(s)
    return taken, others


class Part:
    """A run of steps as nests.

    Attributes
    ----------
    nests : list of Nest
    stored : set of Value
        What has memory: values that are read in another nest than they are computed in, at other places, or after the part.
    nest_of : dict of (Value, int)
        Of values that are there element by element in the nest that computes them: its number.
    after : dict of (Value, int)
        The number of the first nest that can read a value from memory.
    outside : dict of (Value, None)
        What is read and computed elsewhere, in order.
    copies : set of Value
        What shows no memory of its operand though it might: NumPy copies, to reshape.
    """

    def __init__(self, steps: Sequence[Step], needed: set[Value]) -> None:
        self.steps = list(steps)
        self.needed = needed
        self.nests: list[Nest] = []
        self.nest_of: dict[Value, int] = {}
        self.after: dict[Value, int] = {}
        self.done: dict[Value, Step] = {s.value: s for s in steps}
        self.outside: dict[Value, None] = {}
        self.stored: set[Value] = {v for v in needed if v.ndim}
        self.copies: set[Value] = set()
        for step in steps:
            self._add(step)

    def is_view(self, v: Value) -> bool:
        """Whether a value of this part shows memory of another."""
        return v in self.done and v not in self.copies and (self.done[v].mode == "view" or v.is_call(spread))

    def root(self, v: Value) -> Value:
        """Return the value whose memory another shows."""
        while self.is_view(v):
            v = v.args[0]
        return v

    def shown(self, v: Value) -> tuple[int, tuple[int, ...]]:
        """Return where a value begins and its strides, in elements from the first of its root."""
        if not self.is_view(v):
            return 0, contiguous(v.shape)
        start, strides = self.shown(v.args[0])
        found = _shown(v, strides)
        assert found is not None
        return start + found[0], found[1]

    # --- which nest

    def _add(self, step: Step) -> None:
        v, args = step.value, step.args
        if step.mode == "view" or v.is_call(spread):
            self._view(step)
        elif step.mode == "write":
            copied = self._joined(v.shape, args[:1], step, same=True)
            self.stored.add(v)
            written = np.empty(v.shape, bool)[v.attrs["index"]].shape
            self.nests.append(Nest(written, writes=[step]))
            self._read(args[1], len(self.nests) - 1, same=False)
            self.after[v] = len(self.nests)
            assert copied < len(self.nests) - 1
        elif step.mode in ("reduce", "total", "ones", "inner"):
            self.after[v] = self._joined(args[0].shape, args, step, same=True) + 1
            self.stored |= {v} if v.ndim else set()
        elif v.is_call(np.dot, np.matmul):
            rows, terms, columns = sizes(v)
            if terms <= UNROLLED and v.ndim:
                self._element(v, self._joined(v.shape, args, step, same=False))
            else:
                self.nests.append(Nest((rows, columns, terms), "products", [step]))
                for a in args:
                    self._read(a, len(self.nests) - 1, same=False)
                self.after[v] = len(self.nests)
                self.stored |= {v} if v.ndim else set()
        else:
            self._element(v, self._joined(v.shape, args, step, same=True))

    def _element(self, v: Value, nest: int) -> None:
        self.nest_of[v] = nest
        self.after[v] = nest + 1

    def _view(self, step: Step) -> None:
        v = step.value
        a = v.args[0]
        if _shown(v, self.shown(a)[1]) is None:
            self.copies.add(v)
            self.stored.add(v)
            self.after[v] = self._joined(a.shape, [a], step, same=True) + 1
        elif self.root(a) in self.done:
            self.after[v] = self.after[self.root(a)]

    def _joined(self, shape: tuple[int, ...], args: Sequence[Value], step: Step, *, same: bool) -> int:
        """Put a step into a nest that its operands allow, and return the number of that."""
        first = max([0, *(self._ready(a, shape, same=same) for a in args)])
        arrays = {self.root(a) for a in args if a.ndim and self.root(a) not in self.done}
        for i in range(len(self.nests) - 1, first - 1, -1):
            nest = self.nests[i]
            if nest.shape == shape and nest.kind == "elements" and not nest.writes and (len(arrays | nest.arrays) <= ARRAYS or not shape):
                break
        else:
            i = len(self.nests)
            self.nests.append(Nest(shape))
        self.nests[i].steps.append(step)
        self.nests[i].arrays |= arrays
        for a in args:
            self._read(a, i, same=same)
        return i

    def _ready(self, v: Value, shape: tuple[int, ...], *, same: bool) -> int:
        """Return the number of the first nest that can read a value, over its own elements or all over."""
        if same and v in self.nest_of and v.shape == shape:
            return self.nest_of[v]
        return self.after.get(v, 0)

    def is_local(self, v: Value, nest: int, shape: tuple[int, ...]) -> bool:
        """Whether a value is a number of this turn in a nest."""
        return self.nest_of.get(v) == nest and v.shape == shape

    def _read(self, v: Value, nest: int, *, same: bool) -> None:
        root = self.root(v)
        if root not in self.done:
            if root.number is None:
                self.outside.setdefault(root)
        elif root.ndim and not (same and self.is_local(v, nest, self.nests[nest].shape)):
            self.stored.add(root)
            self.nests[nest].arrays.add(root)


def _shown(v: Value, strides: tuple[int, ...]) -> tuple[int, tuple[int, ...]] | None:
    """Return where a view begins and its strides, in elements from the operand's first; ``None`` if NumPy copies."""
    a = v.args[0]
    item = a.dtype.itemsize
    least = sum(min(0, (n - 1) * s) for n, s in zip(a.shape, strides, strict=True))
    most = sum(max(0, (n - 1) * s) for n, s in zip(a.shape, strides, strict=True))
    memory = np.empty(most - least + 1, a.dtype)
    operand = np.lib.stride_tricks.as_strided(memory[-least:], a.shape, tuple(s * item for s in strides))
    if v.is_call(spread):
        found = np.broadcast_to(operand, v.shape)
    else:
        found = operand[whole(v.attrs["index"])] if v.is_call(getitem) else v.fn(operand, **v.attrs)  # type: ignore[misc]
    found = np.asarray(found)
    if not np.may_share_memory(found, memory):
        return None
    start = found.__array_interface__["data"][0] - operand.__array_interface__["data"][0]
    return start // item, tuple(s // item for s in found.strides)


def whole(index: Any) -> tuple[Any, ...]:
    """Return an index by which NumPy gives an array, also of one element."""
    index = index if isinstance(index, tuple) else (index,)
    return index if any(i is Ellipsis for i in index) else (*index, ...)


def contiguous(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the strides of an array whose elements lie side by side, in elements."""
    return tuple(math.prod(shape[i + 1 :]) for i in range(len(shape)))
