"""Doing less: numbers that factors have in common are multiplied once, negations cancel, what is spread is not spread.

Every rule keeps shape and dtype, and the value up to rounding. A factor is moved only where what it multiplied is needed for nothing else.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np

from autograd_np.compiling.lowering import Writer, is_elementwise, is_real, rewritten
from autograd_np.compiling.program import TOTAL, Program, Value, inside
from autograd_np.ops.indexing import getitem, is_basic, setitem
from autograd_np.ops.shaping import reshape, spread

__all__ = ["simplified"]

ROUNDS = 8
SMALLEST, LARGEST = 1e-8, 1e8
"""Between these numbers a factor overflows nothing on its way."""
SMALL = 8_192
"""What has no more elements costs a call rather than time in memory."""
CALL = 1_000
"""To go through so many elements takes as long as the call."""
LINEAR = (np.transpose, reshape, getitem, np.expand_dims, np.squeeze, np.swapaxes, TOTAL, spread, np.broadcast_to)
PRODUCTS = (np.dot, np.matmul)
LONGEST = 600
"""Programs of no more values are searched for a factor that is better multiplied earlier."""


def simplified(program: Program) -> Program:
    """Return a program that computes the same with less."""
    for _ in range(ROUNDS):
        program, changed = _round(program)
        if not changed:
            break
    return _round(_with_factors_early(program))[0]


def _round(program: Program) -> tuple[Program, bool]:
    uses = program.uses()
    changed = False

    def rule(write: Writer, v: Value, args: tuple[Value, ...], attrs: dict[str, Any]) -> Value | None:
        nonlocal changed
        found = _whole(v, args, attrs)
        if found is None:
            found = _unspread(write, v, args)
        if found is None:
            found = _turned(write, v, args, uses)
        if found is None and is_real(v):
            free = tuple(uses[a] == 1 for a in v.args)
            found = _Scaling(write, v, args, attrs, free).found()
        changed = changed or (found is not None and found is not write.program.again(v, args, attrs))
        return found

    return rewritten(program, rule), changed


def _whole(v: Value, args: tuple[Value, ...], attrs: dict[str, Any]) -> Value | None:
    """Leave out what an array was before all of it was written."""
    if v.is_call(setitem) and attrs.get("index") is Ellipsis and args[1].kind == "call" and not args[1].shares:
        return args[1] if (args[1].shape, args[1].dtype) == (v.shape, v.dtype) else None
    return None


def _unspread(write: Writer, v: Value, args: tuple[Value, ...]) -> Value | None:
    """Leave out what spreads an operand that the operation spreads anyway."""
    if not is_elementwise(v) or not any(a.is_call(spread, np.broadcast_to) for a in args):
        return None
    inner = [a.args[0] if a.is_call(spread, np.broadcast_to) and not a.args[0].weak else a for a in args]
    if any(a.number is not None and b.number is None for a, b in zip(inner, args, strict=True)):
        return None
    shape = np.broadcast_shapes(*(a.shape for a in inner))
    if shape == v.shape:
        return write.program.call(v.fn, inner, {}, v.shape, v.dtype, site=v.site)  # type: ignore[arg-type]
    small = write.program.call(v.fn, inner, {}, shape, v.dtype, site=v.site)  # type: ignore[arg-type]
    return write.program.call(spread, (small,), {"shape": v.shape}, v.shape, v.dtype, site=v.site)


def _turned(write: Writer, v: Value, args: tuple[Value, ...], uses: Counter[Value]) -> Value | None:
    """Write the transpose of a transpose as what it was, and that of a product as the product of the transposes, the other way round."""
    if not _is_turn(v):
        return None
    x = args[0]
    if _is_turn(x):
        return x.args[0]
    if x.is_call(np.dot, np.matmul) and uses[v.args[0]] == 1 and is_real(v) and all(a.ndim == 2 and a.dtype == v.dtype for a in x.args):
        b, a = (_turn(write, y) for y in x.args[::-1])
        return write.program.call(np.dot, (b, a), {}, v.shape, v.dtype, site=v.site)
    return None


def _is_turn(v: Value) -> bool:
    return v.is_call(np.transpose) and v.ndim == 2 and not any(x is not None for x in v.attrs.values())


def _turn(write: Writer, x: Value) -> Value:
    return x.args[0] if _is_turn(x) else write.program.call(np.transpose, (x,), {}, x.shape[::-1], x.dtype, shares=True, site=x.site)


class _Scaling:
    """One operation, with the numbers that its arguments are multiplied by."""

    def __init__(self, write: Writer, v: Value, args: tuple[Value, ...], attrs: dict[str, Any], free: tuple[bool, ...]) -> None:
        self.write = write
        self.v = v
        self.args = args
        self.attrs = attrs
        self.cores = [_core(write, a, f, v) for a, f in zip(args, free, strict=True)]
        self.free = free
        self.split = {core for a, (core, _) in zip(args, self.cores, strict=True) if a.is_call(np.divide) and core.is_call(np.reciprocal)}

    def found(self) -> Value | None:
        """Return what is computed instead, or ``None``."""
        v = self.v
        if v.is_call(np.multiply):
            return self._multiply()
        if v.is_call(np.divide):
            return self._divide()
        if v.is_call(np.add, np.subtract):
            return self._add(-1 if v.is_call(np.subtract) else 1)
        if v.is_call(np.negative):
            return self._negative()
        if v.is_call(*LINEAR) and self.args[0].dtype == v.dtype:
            core, c = self.cores[0]
            return None if c == 1 else self.scaled(self._again(core), c)
        if v.is_call(*PRODUCTS) and not v.attrs and all(a.dtype == v.dtype for a in self.args):
            (a, c), (b, d) = self.cores
            return None if c == 1 and d == 1 else self.scaled(self._again(a, b), c * d)
        return None

    def scaled(self, x: Value, c: float) -> Value:
        """Return a value times a number."""
        if c == 1:
            return x
        if c == -1 and x not in self.split:
            if x.is_call(np.subtract):
                return self.write.program.call(np.subtract, x.args[::-1], {}, x.shape, x.dtype, site=x.site)
            return self.write.ufunc(np.negative, x, like=x)
        if x in self.split:
            return self.write.ufunc(np.divide, c, x.args[0], like=x)
        if c < 0 and x.is_call(np.subtract):
            x, c = self.write.program.call(np.subtract, x.args[::-1], {}, x.shape, x.dtype, site=x.site), -c
        return self.write.ufunc(np.multiply, x, c, like=x)

    def _again(self, *args: Value) -> Value:
        return self.write.program.again(self.v, args, self.attrs)

    def _ufunc(self, fn: np.ufunc, *args: Any) -> Value:
        return self.write.ufunc(fn, *args, like=self.v)

    def _multiply(self) -> Value | None:
        a, b = self.args
        if _number(a, self.v) is not None and _number(b, self.v) is None:
            a, b = b, a
            self.cores.reverse()
        c = _number(b, self.v)
        if c is not None and a.shape == self.v.shape and a.dtype == self.v.dtype and a.number is None:
            core, by = self.cores[0]
            if c == 1 or by != 1 or (b.kind == "constant" and b.number is None) or b is not self.args[1]:
                return self.scaled(core, by * c) if _moderate(by * c) else None
            return None
        (x, c), (y, d) = self.cores
        for one, other in ((x, y), (y, x)):
            if one.weak and one.kind != "constant" and not other.weak and c * d != 1:  # a number times a number costs next to nothing
                return self._ufunc(np.multiply, self.scaled(one, c * d), other)
        for i, one, other in ((0, x, y), (1, y, x)):
            if one.is_call(np.reciprocal) and self.free[i] and one.shape == self.v.shape and other.number is None and one is not other:
                return self.scaled(self._ufunc(np.divide, other, one.args[0]), c * d)
        return self.scaled(self._ufunc(np.multiply, x, y), c * d) if c * d != 1 or x is not a or y is not b else None

    def _divide(self) -> Value | None:
        a, b = self.args
        (x, c), (y, d) = self.cores
        n = _number(b, self.v)
        if n is not None and a.number is None and a.shape == self.v.shape and a.dtype == self.v.dtype:
            if n in (0, 1):
                return a if n else None
            exact = math.frexp(n)[0] in (0.5, -0.5)
            return self.scaled(x, c / n) if (c != 1 or exact) and _moderate(c / n) else None
        if _number(a, self.v) == 1 and b.shape == self.v.shape and b.dtype == self.v.dtype:
            if self.v.weak:  # a number of Python's stays one, and raises where it is divided by zero
                return None
            return self._ufunc(np.reciprocal, y) if d == 1 else self._ufunc(np.divide, 1 / d, y)
        if a.number is None and b.number is None and (c != 1 or d != 1):
            return self.scaled(self._ufunc(np.divide, x, y), c / d)
        return None

    def _add(self, sign: int) -> Value | None:
        a, b = self.args
        if a.dtype != self.v.dtype or b.dtype != self.v.dtype:
            return None
        (x, c), (y, d) = self.cores
        d *= sign
        if a is b and sign == 1 and a.number is None:
            return self.scaled(a, 2.0)
        if a.number is not None or b.number is not None:
            return None
        if c == d != sign and abs(c) != 1:
            return self.scaled(self._ufunc(np.add, x, y), c)
        if c == -d and abs(c) != 1:
            return self.scaled(self._ufunc(np.subtract, x, y), c)
        if c == -1 and d == 1:
            return self._ufunc(np.subtract, y, x)
        if c == -1 and d == -1:
            return self.scaled(self._ufunc(np.add, x, y), -1)
        if d == -1 and sign == 1:
            return self._ufunc(np.subtract, a, y)
        if d == 1 and sign == -1:
            return self._ufunc(np.add, a, y)
        if d < 0 and sign == 1:
            return self._ufunc(np.subtract, a, self.scaled(y, -d))
        if d > 0 and sign == -1:
            return self._ufunc(np.add, a, self.scaled(y, d))
        if sign == 1 and all(self.free):
            return self._of_sums()
        return None

    def _of_sums(self) -> Value | None:
        """Write a sum of sums as the sum of a sum, and a sum of products with one matrix as the product of a sum."""
        a, b = self.args
        alike = a.is_call(TOTAL) and b.is_call(TOTAL) and a.attrs == b.attrs and a.args[0].shape == b.args[0].shape
        if alike and a.args[0].size <= SMALL:
            return self.write.program.again(a, (self.write.ufunc(np.add, a.args[0], b.args[0], like=self.v),), a.attrs)
        return None

    def _negative(self) -> Value | None:
        core, c = self.cores[0]
        a = self.args[0]
        if c != 1:
            return self.scaled(core, -c)
        if a.is_call(np.subtract) and self.free[0]:
            return self.scaled(a, -1)
        if a.is_call(np.add) and self.free[0] and all(x.number is None and x.dtype == self.v.dtype for x in a.args):
            x, y = a.args
            if x.size * 16 < y.size:
                x, y = y, x
            if y.size * 16 < x.size and x.size > CALL:
                return self._ufunc(np.subtract, self._ufunc(np.negative, y), x)
        return None


def _moderate(c: float) -> bool:
    return SMALLEST < abs(c) < LARGEST


def _number(v: Value, like: Value) -> float | None:
    """Return the number that all elements of a constant are, unless it would change the dtype of what it meets."""
    if v.kind != "constant":
        return None
    if v.number is not None:
        return float(v.number) if type(v.number) in (int, float) and math.isfinite(v.number) and abs(v.number) < 2**53 else None
    if v.dtype != like.dtype or not v.size:
        return None
    first = np.asarray(v.const).flat[0]
    return float(first) if np.isfinite(first) and np.all(np.asarray(v.const) == first) else None


def _core(write: Writer, v: Value, free: bool, like: Value) -> tuple[Value, float]:
    """Return a value without the number it is multiplied by, and that number; numbers stay where something else needs the product."""
    if not free or not is_real(v) or v.dtype != like.dtype:
        return v, 1.0
    if v.is_call(np.negative):
        return v.args[0], -1.0
    if v.is_call(np.multiply, np.divide):
        c = _number(v.args[1], v)
        x = v.args[0]
        if c is not None and x.shape == v.shape and x.dtype == v.dtype and x.number is None:
            c = 1 / c if v.is_call(np.divide) and c else c
            return (x, c) if _moderate(c) else (v, 1.0)
    if v.is_call(np.divide) and not v.weak and (v.args[1].shape, v.args[1].dtype) == (v.shape, v.dtype) and v.args[1].number is None:
        c = _number(v.args[0], v)
        if c is not None and _moderate(c):
            return write.ufunc(np.reciprocal, v.args[1], like=v), c
    return v, 1.0


# --- factors that are better multiplied earlier -------------------------------------------------------


def _with_factors_early(program: Program) -> Program:
    """Multiply a number once where several results of one array are multiplied by it."""
    values = program.values()
    if len(values) > LONGEST:
        return program
    count: Counter[float] = Counter()
    for v in values:
        if v.is_call(np.multiply) and is_real(v) and type(v.args[1].number) is float:
            count[abs(v.args[1].number)] += 1
    for c, n in count.items():
        if n > 1:
            program = _early(program, c)
    return program


def _early(program: Program, c: float) -> Program:
    values = program.values()
    consumers: dict[Value, list[Value]] = {}
    for v in values:
        for a in v.children():
            consumers.setdefault(a, []).append(v)
    outputs = set(program.outputs)
    best: tuple[int, Value | None, set[Value]] = (1, None, set())
    for u in values:
        if u.kind == "call" and is_real(u) and u.size <= SMALL and u not in outputs and len(consumers.get(u, ())) > 1:
            ends = _ends(u, consumers, outputs, c)
            if len(ends) > best[0]:
                best = (len(ends), u, ends)
    _, source, ends = best
    if source is None:
        return program
    of_source: list[Value] = []

    def rule(write: Writer, v: Value, args: tuple[Value, ...], attrs: dict[str, Any]) -> Value | None:
        if v in ends:
            negative = v.args[1].number < 0
            return write.ufunc(np.negative, args[0], like=v) if negative else args[0]
        if v is source:
            found = write.ufunc(np.multiply, write.program.again(v, args, attrs), c, like=v)
            of_source.append(found)
            return found
        return None

    return rewritten(program, rule)


def _ends(u: Value, consumers: dict[Value, list[Value]], outputs: set[Value], c: float) -> set[Value]:
    """Return the products with a number that take in a factor of `u`; none if something else would see it."""
    scaled = {u}
    ends: set[Value] = set()
    todo = set(consumers.get(u, ()))
    while todo:
        w = min(todo, key=lambda x: x.index)  # what it is made of has been decided by now
        todo.discard(w)
        if w.is_call(np.multiply) and type(w.args[1].number) is float and abs(w.args[1].number) == c:
            ends.add(w)
            continue
        if w in outputs or not _passes(w, scaled) or any(a in scaled for x in w.attrs.values() for a in inside(x)):
            return set()
        scaled.add(w)
        todo.update(consumers.get(w, ()))
    return ends


def _passes(w: Value, scaled: set[Value]) -> bool:
    if not is_real(w) or (w.is_call(getitem) and not is_basic(w.attrs.get("index"))):
        return False
    how_many = sum(a in scaled for a in w.args)
    if w.is_call(*LINEAR, np.negative):
        return True
    if w.is_call(np.multiply, *PRODUCTS):
        return how_many == 1
    if w.is_call(np.divide):
        return w.args[1] not in scaled
    return w.is_call(np.add, np.subtract) and how_many == 2
