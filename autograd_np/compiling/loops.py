"""A part as the text of one function that Numba compiles."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_np.compiling.elements import NAMES, TYPES, call_of, literal
from autograd_np.compiling.nests import Nest, Part, contiguous, loop_of, sizes, whole
from autograd_np.compiling.program import HIGHEST, LOWEST, Value
from autograd_np.compiling.schedule import Step
from autograd_np.ops.selection import where
from autograd_np.ops.shaping import to_float

__all__ = ["HEAD", "Function", "written"]

HEAD = """\
from math import inf, nan

import numpy as np
from numba import boolean as b1, float32 as f4, float64 as f8, njit

from autograd_np.compiling.fast_math import exp, expm1, log, log1p, logaddexp, maximum, minimum, plus, tanh
"""
BLOCK = 4096
"""Sums of more numbers are sums of sums, which keeps their rounding small."""


@dataclass(frozen=True)
class Function:
    """A part as text.

    Attributes
    ----------
    text : str
        Of the function, with its decorator.
    name : str
    given : list of Value
        What it is called with, in order.
    arrays : list of Value
        What it fills: arrays of its results, after what it is given.
    numbers : dict of (str, list of Value)
        By the character of their dtype, results that are numbers: one array each, of as many elements, after the arrays.
    """

    text: str
    name: str
    given: list[Value]
    arrays: list[Value]
    numbers: dict[str, list[Value]]


@dataclass(frozen=True)
class _Access:
    """An element for each turn of a nest: `strides` are those along its axes."""

    base: str
    offset: int
    strides: tuple[int, ...]
    is_number: bool = False


def written(part: Part, name: str, checked: set[Value]) -> Function:
    """Return a part as a function; it returns whether there is a NaN in one of the results that are `checked`."""
    return _Writer(part, name, checked).function()


class _Writer:
    def __init__(self, part: Part, name: str, checked: set[Value]) -> None:
        self.part = part
        self.name = name
        self.checked = checked
        self.lines: list[str] = []
        self.names: dict[Value, str] = {}
        self.bases: dict[Value, tuple[str, int]] = {}
        self.given = list(part.outside)
        self.arrays = [v for v in part.done if v in part.needed and v.ndim]
        self.numbers: dict[str, list[Value]] = {}
        for v in part.done:
            if v in part.needed and not v.ndim:
                self.numbers.setdefault(v.dtype.char, []).append(v)
        self._count = 0

    def function(self) -> Function:
        """Return the function."""
        types: list[str] = []
        names: list[str] = []
        lines: list[str] = []
        for v, letter in (*((v, "x") for v in self.given), *((v, "o") for v in self.arrays)):
            name = f"{letter}{len(names)}"
            names.append(name)
            types.append(NAMES[v.dtype.char] + (f"[{':,' * (v.ndim - 1)}::1]" if v.ndim else ""))
            if v.ndim > 1:
                lines.append(f"f{name} = {name}.reshape({v.size})")
            if v.ndim:
                self.bases[v] = (f"f{name}" if v.ndim > 1 else name, 0)
            else:
                self.names[v] = name
        for char in self.numbers:
            names.append(f"n_{TYPES[char]}")
            types.append(f"{NAMES[char]}[::1]")
        self._workspace()
        for i, nest in enumerate(self.part.nests):
            if nest.kind == "products":
                self._products(nest)
            else:
                _Loops(self, nest, i).write()
        for char, found in self.numbers.items():
            self.lines += [f"n_{TYPES[char]}[{i}] = {self.names[v]}" for i, v in enumerate(found)]
        self.lines += self._check()
        text = [
            f'@njit("boolean({", ".join(types)})", error_model="numpy", nogil=True, cache=True)',
            f"def {self.name}({', '.join(names)}):",
        ]
        text += [f"    {line}" for line in (*lines, *self.memory, *self.lines, "return found")]
        return Function("\n".join(text) + "\n", self.name, self.given, self.arrays, self.numbers)

    def _check(self) -> list[str]:
        lines = ["found = False"]
        for v in self.part.done:
            if v in self.checked and v.dtype.char in "fd":
                if v.ndim:
                    lines += [f"for i in range({v.size}):", f"    found |= {self.bases[v][0]}[i] != {self.bases[v][0]}[i]"]
                else:
                    lines.append(f"found |= {self.names[v]} != {self.names[v]}")
        return lines

    # --- memory

    def _workspace(self) -> None:
        """Give values that are stored and no result a place in one array for each dtype; places are taken in turn."""
        last: dict[Value, int] = {}
        first: dict[Value, int] = {}
        for i, nest in enumerate(self.part.nests):
            for step in (*nest.steps, *nest.writes):
                first.setdefault(step.value, i)
                for a in (step.value, *step.args):
                    last[self.part.root(a)] = i
        inner = [v for v in self.part.done if v in self.part.stored and v not in self.bases and not self.part.is_view(v)]
        self.memory: list[str] = []
        for char in dict.fromkeys(v.dtype.char for v in inner):
            top = 0
            taken: list[tuple[int, int, int]] = []
            for v in sorted((v for v in inner if v.dtype.char == char), key=lambda v: first[v]):
                taken = [t for t in taken if t[2] >= first[v]]
                start = 0
                for begin, end, _ in sorted(taken):
                    if start + v.size <= begin:
                        break
                    start = max(start, -(-end // 8) * 8)
                taken.append((start, start + v.size, last[v]))
                top = max(top, start + v.size)
                self.bases[v] = (f"w_{TYPES[char]}", start)
            self.memory.append(f"w_{TYPES[char]} = np.empty({top}, np.{'bool_' if char == '?' else NAMES[char]})")

    def _fresh(self, letter: str) -> str:
        self._count += 1
        return f"{letter}{self._count}"

    def _access(self, v: Value, shape: tuple[int, ...]) -> _Access:
        """Return where a value is read in a nest of this shape."""
        root = self.part.root(v)
        if root.number is not None or not root.ndim:
            text = f"{TYPES[v.dtype.char]}({literal(root.number)})" if root.number is not None else self.names[root]
            return _Access(text, 0, (0,) * len(shape), is_number=True)
        start, strides = self.part.shown(v)
        base, offset = self.bases[root]
        return _Access(base, offset + start, self._along(v.shape, strides, shape))

    @staticmethod
    def _along(own: tuple[int, ...], strides: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, ...]:
        extra = len(shape) - len(own)
        return (0,) * extra + tuple(0 if n == 1 else s for n, s in zip(own, strides, strict=True))

    # --- loops

    def _products(self, nest: Nest) -> None:
        (step,) = nest.steps
        v = step.value
        rows, columns, terms = nest.shape
        a, b = (self._access(x, x.shape) for x in step.args)
        a_strides = a.strides if len(a.strides) == 2 else (0, *a.strides)
        b_strides = b.strides if len(b.strides) == 2 else (*b.strides, 0)
        first = _Access(a.base, a.offset, (a_strides[0], 0, a_strides[1]), a.is_number)
        second = _Access(b.base, b.offset, (0, b_strides[1], b_strides[0]), b.is_number)
        kind = TYPES[v.dtype.char]
        if not v.ndim or rows * columns <= 16 or (first.strides[2] == second.strides[2] == 1 and terms >= 16):
            name = self._fresh("a")
            term = f"{_at(first, 'ijk')} * {_at(second, 'ijk')}"
            lines = [f"{name} = f8(0.0)", *_blocked("k", terms, [f"{name} = plus({name}, f8({term}))"], [name])]
            if not v.ndim:
                self.lines += [line.replace("[i]", "[0]") for line in lines]
                self.names[v] = self._fresh("s")
                self.lines.append(f"{self.names[v]} = {kind}({name})")
                return
            base, offset = self.bases[v]
            lines.append(f"{_at(_Access(base, offset, (columns, 1)), 'ij')} = {kind}({name})")
            self.lines += [f"for i in range({rows}):", f"    for j in range({columns}):", *(f"        {line}" for line in lines)]
            return
        base, offset = self.bases[v]
        out = _at(_Access(base, offset, (columns, 1, 0)), "ijk")
        self.lines += [
            f"for i in range({rows}):",
            f"    for j in range({columns}):",
            f"        {out} = {kind}(0.0)",
            f"    for k in range({terms}):",
            f"        c = {_at(first, 'ijk')}",
            f"        for j in range({columns}):",
            f"            {out} = {out} + c * {_at(second, 'ijk')}",
        ]


def _blocked(letter: str, count: int, lines: list[str], add: list[str]) -> list[str]:
    """Return a loop; where there are sums and it is long, as blocks of known length, a sum each."""
    if count <= BLOCK or not add:
        return [f"for {letter} in range({count}):", *(f"    {line}" for line in lines)]
    size = max((n for n in range(BLOCK // 8, BLOCK + 1) if not count % n), default=BLOCK)
    blocks, rest = divmod(count, size)

    def summed(turns: int, first: str) -> list[str]:
        head = [*(f"{s}_ = {s}" for s in add), *(f"{s} = f8(0.0)" for s in add), f"for {letter}_ in range({turns}):"]
        return [*head, f"    {letter} = {first} + {letter}_", *(f"    {line}" for line in lines), *(f"{s} = {s} + {s}_" for s in add)]

    found = [f"for b in range({blocks}):", *(f"    {line}" for line in summed(size, f"{size} * b"))]
    return found + (summed(rest, str(size * blocks)) if rest else [])


def _at(access: _Access, letters: Sequence[str]) -> str:
    """Return an element as text."""
    if access.is_number:
        return access.base
    terms = [str(access.offset)] if access.offset else []
    terms += [i if s == 1 else f"{s} * {i}" for i, s in zip(letters, access.strides, strict=False) if s]
    return f"{access.base}[{' + '.join(terms) or '0'}]"


class _Loops:
    """One nest over elements."""

    def __init__(self, writer: _Writer, nest: Nest, number: int) -> None:
        self.writer = writer
        self.part = writer.part
        self.nest = nest
        self.number = number
        self.loads: dict[_Access, str] = {}
        self.body: list[tuple[str, str | _Access]] = []  # a name and what it is, in order
        self.stores: list[tuple[_Access, str]] = []
        self.sums: list[tuple[Value, _Access, str, str]] = []

    def write(self) -> None:
        """Write the loops."""
        for step in self.nest.steps:
            self._step(step)
        for step in self.nest.writes:
            self._assign(step)
        shape = self.nest.shape
        if not shape:
            for name, text in self.body:
                self.writer.lines.append(f"{name} = {text if isinstance(text, str) else _at(text, '')}")
            for access, name in self.stores:
                self.writer.lines.append(f"{_at(access, '')} = {name}")
            return
        self._write_loops(*self._merged())

    # --- what is computed

    def _operand(self, v: Value) -> str:
        """Return a value as text: a number, a name."""
        if v.number is not None:
            return literal(v.number)
        if v in self.writer.names and (not v.ndim or self.part.is_local(v, self.number, self.nest.shape)):
            return self.writer.names[v]
        return self._load(self.writer._access(v, self.nest.shape))

    def _load(self, access: _Access) -> str:
        if access not in self.loads:
            name = self.loads[access] = self.writer._fresh("r")
            self.body.append((name, access))
        return self.loads[access]

    def _step(self, step: Step) -> None:
        v = step.value
        if step.mode in ("reduce", "total", "ones", "inner"):
            self._sum(step)
            return
        name = self.writer._fresh("t")
        if step.mode in ("write", "view"):
            text = self._operand(step.args[0])
        elif v.is_call(np.dot, np.matmul):
            text = self._terms(step)
        else:
            text = self._text(step)
        self.body.append((name, text))
        if step.mode not in ("write", "view"):
            self.writer.names[v] = name
        if v in self.writer.bases:
            base, offset = self.writer.bases[v]
            self.stores.append((_Access(base, offset, contiguous(self.nest.shape)), name))

    def _assign(self, step: Step) -> None:
        v, new = step.value, step.args[1]
        base, offset = self.writer.bases[v]
        memory = np.lib.stride_tricks.as_strided(
            np.empty(v.size, v.dtype), v.shape, tuple(s * v.dtype.itemsize for s in contiguous(v.shape))
        )
        shown = memory[whole(v.attrs["index"])]
        start = (shown.__array_interface__["data"][0] - memory.__array_interface__["data"][0]) // v.dtype.itemsize
        strides = tuple(s // v.dtype.itemsize for s in shown.strides)
        extra = max(new.ndim - len(self.nest.shape), 0)  # leading axes of length one, which an assignment leaves out
        if new.number is not None or not new.ndim:
            text = f"{TYPES[v.dtype.char]}({self._operand(new)})"
        else:
            access = self.writer._access(new, new.shape)
            text = self._load(
                _Access(
                    access.base,
                    access.offset,
                    self.writer._along(new.shape[extra:], access.strides[extra:], self.nest.shape),
                    access.is_number,
                )
            )
        name = self.writer._fresh("t")
        self.body.append((name, text))
        self.stores.append((_Access(base, offset + start, strides), name))

    def _text(self, step: Step) -> str:
        v = step.value
        if v.is_call(to_float):
            return f"{TYPES[v.dtype.char]}({self._operand(v.args[0])})"
        if v.is_call(where):
            mask, *both = (self._operand(a) for a in step.args)
            kind = TYPES[v.dtype.char]
            return f"{kind}({both[0]}) if {mask} else {kind}({both[1]})"
        loop = loop_of(v)
        assert loop is not None
        args = [self._cast(a, t) for a, t in zip(step.args, loop[:-1], strict=True)]
        return call_of(v.fn, args, loop[0].char)

    def _cast(self, a: Value, to: np.dtype[Any]) -> str:
        text = self._operand(a)
        if a.number is not None:
            return f"{TYPES[to.char]}({text})"
        return text if a.dtype == to else f"{text} != 0" if to.char == "?" else f"{TYPES[to.char]}({text})"

    def _terms(self, step: Step) -> str:
        a, b = step.args
        _, terms, _ = sizes(step.value)
        first, second = (self.writer._access(x, x.shape) for x in (a, b))
        step_a, step_b = first.strides[-1], second.strides[0]
        over_a = (first.strides[0], 0) if a.ndim == 2 else (0,)
        over_b = (0, second.strides[1]) if b.ndim == 2 else (0,)
        over_a, over_b = (over_a if b.ndim == 2 else over_a[:1], over_b if a.ndim == 2 else over_b[-1:])
        found = []
        for k in range(terms):
            x = self._load(_Access(first.base, first.offset + k * step_a, over_a, first.is_number))
            y = self._load(_Access(second.base, second.offset + k * step_b, over_b, second.is_number))
            found.append(f"{x} * {y}")
        return " + ".join(found)

    def _sum(self, step: Step) -> None:
        v = step.value
        text = " * ".join(self._operand(a) for a in step.args)
        name = self.writer._fresh("t")
        self.body.append((name, text))
        shape = self.nest.shape
        axes = (
            tuple(i % len(shape) for i in v.attrs["axis"])
            if "axis" in v.attrs and v.attrs["axis"] is not None
            else tuple(range(len(shape)))
        )
        kept = [i for i in range(len(shape)) if i not in axes]
        strides = dict(zip(kept, contiguous(tuple(shape[i] for i in kept)), strict=True))
        base, offset = self.writer.bases.get(v, ("", 0))
        out = _Access(base, offset, tuple(strides.get(i, 0) for i in range(len(shape))))
        how = "maximum" if v.fn is HIGHEST else "minimum" if v.fn is LOWEST else "plus"
        self.sums.append((v, out, name, how))

    # --- the loops

    def _merged(self) -> tuple[tuple[int, ...], dict[_Access, _Access]]:
        """Return fewer axes, and each access by them: without those of length one, and with one for those that lie side by side."""
        shape = self.nest.shape
        accesses = [*self.loads, *(a for a, _ in self.stores), *(out for _, out, _, _ in self.sums)]
        axes: list[list[int]] = []
        for i in (i for i, n in enumerate(shape) if n > 1):
            if axes and all(a.strides[axes[-1][-1]] == shape[i] * a.strides[i] for a in accesses):
                axes[-1].append(i)
            else:
                axes.append([i])
        axes = axes or [[len(shape) - 1]]
        to = {a: _Access(a.base, a.offset, tuple(a.strides[g[-1]] for g in axes), a.is_number) for a in accesses}
        return tuple(math.prod(shape[i] for i in g) for g in axes), to

    def _write_loops(self, shape: tuple[int, ...], to: dict[_Access, _Access]) -> None:
        lines = self.writer.lines
        letters = [f"i{n}" for n in range(len(shape))]
        last = len(shape) - 1
        inner: list[str] = []
        hoisted: list[str] = []
        for name, text in self.body:
            if isinstance(text, str):
                inner.append(f"{name} = {text}")
            else:
                (inner if to[text].strides[last] else hoisted).append(f"{name} = {_at(to[text], letters)}")
        inner += [f"{_at(to[access], letters)} = {name}" for access, name in self.stores]
        before, after, added = [], [], []
        for v, out, name, how in self.sums:
            place, kind = to[out], TYPES[v.dtype.char]
            start = "f8(0.0)" if how == "plus" else "f8(-inf)" if how == "maximum" else "f8(inf)"
            join = "{} + {}" if how == "plus" else how + "({}, {})"
            if not v.ndim:
                total = self.writer._fresh("s")
                lines.append(f"{total} = {start}")
                self.writer.names[v] = total
                target, once = total, last == 0
            else:
                target, once = _at(place, letters), all(place.strides[:last]) and not place.strides[last]
                if not once:
                    lines += [f"for i in range({v.size}):", f"    {place.base}[{place.offset} + i] = {kind}({start})"]
            if v.ndim and place.strides[last]:
                inner.append(f"{target} = {join.format(target, name)}")
                continue
            part = self.writer._fresh("a")
            before.append(f"{part} = {start}")
            added += [part] if how == "plus" else []
            inner.append(f"{part} = {how}({part}, f8({name}))")
            after.append(
                f"{target} = {part}" if once and not v.ndim else f"{target} = {kind}({part if once else join.format(target, part)})"
            )
        loop = [*hoisted, *before, *_blocked(letters[last], shape[last], inner, added), *after]
        for letter, n in zip(reversed(letters[:last]), reversed(shape[:last]), strict=True):
            loop = [f"for {letter} in range({n}):", *(f"    {line}" for line in loop)]
        lines += loop
        for v, *_ in self.sums:
            if not v.ndim:
                lines.append(f"{self.writer.names[v]} = {TYPES[v.dtype.char]}({self.writer.names[v]})")
