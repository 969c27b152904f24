"""A schedule as a Python function that calls NumPy and nothing else.

`written` returns the text of ``make(...)``, which lays out the memory and returns ``step``, the flat function that a call runs. Each thread
makes its own. Everything that `step` names is bound beforehand: ufuncs, constants, buffers and views of these.
"""

from __future__ import annotations

import itertools
import linecache
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from autograd_np.compiling import workers
from autograd_np.compiling.lowering import is_real
from autograd_np.compiling.program import ARITHMETIC, TOTAL, Program, Value, inside
from autograd_np.compiling.schedule import LARGE, Buffer, Loop, Schedule, Step, root_of
from autograd_np.compiling.spelling import added_along, spelled
from autograd_np.op import Primitive
from autograd_np.ops.indexing import getitem
from autograd_np.text import visible

__all__ = ["MODULE", "Code", "Writer", "written"]

MODULE = "autograd_np.compiled"
"""The ``__name__`` of written functions, by which NumPy's warnings from there are known."""
OPERATORS = (np.add, np.subtract, np.multiply, np.divide)
BY_KEYWORD = (np.maximum, np.minimum)
"""Functions whose `out` NumPy wants by its name."""


class Code(NamedTuple):
    """A written function.

    Attributes
    ----------
    source : str
        The text of ``make``.
    make : callable
        Returns ``step``, with buffers of its own.
    """

    source: str
    make: Callable[[], Callable[..., Any]]


def written(schedule: Schedule, name: str) -> Code:
    """Return a schedule as code.

    Parameters
    ----------
    schedule : Schedule
    name : str
        What the function is called in tracebacks.
    """
    return executed(Writer(schedule, name), name)


_numbers = itertools.count(1)


def executed(writer: Writer, name: str) -> Code:
    """Return what a writer wrote, as code whose lines tracebacks and debuggers show under a name."""
    source = writer.text()
    filename = f"<ag.compile {visible(name, longest=60)} #{next(_numbers)}>"
    namespace = {"__name__": writer.module, **writer.bound}
    exec(compile(source, filename, "exec"), namespace)  # noqa: S102 (the text is made of our own statements and names alone)
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    return Code(source, namespace["make"])


class Writer:
    """Writes a schedule out, step by step."""

    def __init__(self, schedule: Schedule, name: str) -> None:
        self.schedule = schedule
        self.program: Program = schedule.program
        self.name = name if name.isidentifier() else "step"
        self.bound: dict[str, Any] = {"np": np, "empty": np.empty}
        self.memory: list[str] = []
        self.lines: list[str] = []
        self.names: dict[Value, str] = {}
        self._buffers: dict[tuple[Any, ...], str] = {}
        self._views: dict[tuple[str, str], str] = {}
        self._fixed: dict[str, Any] = {}  # arrays like those that the names will have; nothing is written into them
        self._constants: dict[Any, str] = {}
        self._count = 0
        self._site = ""
        self._inside: Loop | None = None
        self._cut_along: dict[Value, int | None] = {}
        self._cut_parts: dict[tuple[str, int], str] = {}
        self._target: str | None = None

    @property
    def module(self) -> str:
        """The ``__name__`` of what is written. What writes into its arguments cannot be computed again, so there NumPy warns as ever."""
        return f"{MODULE}.in_place" if self.schedule.into else MODULE

    def text(self) -> str:
        """Return the source of ``make``."""
        inputs = [f"x{i}" for i in range(len(self.program.inputs))]
        self.names.update(zip(self.program.inputs, inputs, strict=True))
        for item in self.schedule.items:
            if isinstance(item, Loop):
                self._loop(item)
            else:
                self._step(item, "")
        results = [self._result(i, v) for i, v in enumerate(self.program.outputs)]
        self._written(results)
        slots = [f"m{i} = empty({n}, np.uint8)" for i, n in enumerate(self.schedule.slots)]
        last = f"    return ({''.join(f'{r}, ' for r in results)})"
        head = [f"def {self.name}({', '.join(inputs)}):", *(f"    {line}" for line in self.lines), last]
        body = [*slots, *self.memory, "", *head, "", f"return {self.name}"]
        return "\n".join(["def make():", *(f"    {line}".rstrip() for line in body), ""])

    def _result(self, i: int, v: Value) -> str:
        name = self._name(v)
        if root_of(v).kind == "constant" or i in self.schedule.copied:
            return f"np.array({name})"
        return name

    def _written(self, results: list[str]) -> None:
        """Write what inputs become into them, once nothing is read any more."""
        into = {i: x for i, x in self.schedule.into.items() if self.schedule.direct.get(self.program.outputs[i]) is not x}
        for i, name in enumerate(results):
            if self.schedule.into and not name.isidentifier():  # a copy of what is overwritten now
                results[i] = self._fresh("v")
                self.lines.append(f"{results[i]} = {name}")
        for i, x in into.items():
            self.lines.append(f"{self.bind(np.copyto, 'copyto')}({self.names[x]}, {results[i]})")
            results[i] = self.names[x]

    # --- names

    def _fresh(self, letter: str) -> str:
        self._count += 1
        return f"{letter}{self._count}"

    def bind(self, x: Any, called: str) -> str:
        """Return the name of an object that the code uses."""
        base = called if called.isidentifier() and called not in ("empty", "np", "make", self.name) else "f"
        name = base
        while name in self.bound and self.bound[name] is not x:
            name = self._fresh(base + "_")
        self.bound[name] = x
        return name

    def _name(self, v: Value) -> str:
        if v not in self.names:
            self.names[v] = self._constant(v.const)
        axis = self._cut_along.get(v)
        return self.names[v] if axis is None else self._cut(self.names[v], axis)

    def _cut(self, name: str, axis: int) -> str:
        """Return the tile of an array that is there as a whole."""
        key = (name, axis)
        if key not in self._cut_parts:
            part = self._cut_parts[key] = self._fresh("p")
            self.lines.append(f"    {part} = {name}[{':, ' * axis}k]")
        return self._cut_parts[key]

    def _constant(self, x: Any) -> str:
        if type(x) in (int, float, bool, complex):
            return repr(x) if x == x and abs(x) != float("inf") else self.bind(x, "c")
        key = id(x)
        if key not in self._constants:
            self._constants[key] = self.bind(x if x is None else np.asarray(x), self._fresh("c"))  # None: np.clip(x, None, 1)
        return self._constants[key]

    def _buffer(self, b: Buffer) -> str:
        key = (b.slot, b.shape, b.dtype)
        if key not in self._buffers:
            name = self._buffers[key] = self._fresh("b")
            self._fixed[name] = np.empty(b.shape, b.dtype)
            dtype = self.bind(b.dtype, f"{b.dtype}")
            shape, nbytes = f"{b.shape}", f"{b.nbytes}"
            if b.axis is not None:  # the last tile is shorter
                shape = f"({''.join('t, ' if i == b.axis else f'{n}, ' for i, n in enumerate(b.shape))})"
                nbytes = f"{b.nbytes // b.shape[b.axis]} * t"
            self.memory.append(f"{name} = m{b.slot}[:{nbytes}].view({dtype}).reshape({shape})")
        return self._buffers[key]

    def _view(self, of: str, expression: str, shown: Any) -> str | None:
        """Return the name of a view that is made beforehand, since what it shows stays where it is; ``None`` if that cannot be."""
        base = self._fixed.get(of)
        if base is None or not np.may_share_memory(shown, base):
            return None
        key = (of, expression)
        if key not in self._views:
            name = self._views[key] = self._fresh("w")
            self._fixed[name] = shown
            self.memory.append(f"{name} = {expression}")
        return self._views[key]

    # --- steps

    def _loop(self, loop: Loop) -> None:
        """Write a loop; what its tiles need is laid out beforehand, in a list of tuples."""
        tiles = self._fresh("tiles")
        outer = self.memory, self._buffers, self._views, self._fixed, self._cut_parts
        whole: dict[Value, str] = {}
        parts: list[tuple[str, Value, str]] = []
        for v in (*loop.sums, *loop.kept):
            whole[v] = self._whole(v, zero=v in loop.sums)
        head = len(self.lines)
        self.memory, self._buffers, self._views, self._fixed, self._cut_parts = [], {}, {}, dict(self._fixed), {}
        self._inside = loop
        mine = {s.value for s in loop.steps}
        for step in loop.steps:
            v = step.value
            self._cut_along = {o: a for o, a in loop.cuts.get(v, {}).items() if o not in mine}
            if v in loop.kept:
                part = self._cut(whole[v], loop.axis[v])
                self.names[v] = part
                self._into(step, part)
            else:
                self._step(step, "    ")
            if v in loop.sums and self.schedule.threads > 1:
                self._part_of_sum(v, whole[v], parts)
            elif v in loop.sums:
                if v.ndim:
                    add = self.bind(np.add, "add")
                    self.lines.append(f"    {add}({whole[v]}, {self.names[v]}, {whole[v]})")
                else:
                    self.lines.append(f"    {whole[v]} += {self.names[v]}")
        self._cut_along, self._inside = {}, None
        inner = self.memory
        self.memory, self._buffers, self._views, self._fixed, self._cut_parts = outer
        if self.schedule.threads > 1:
            self._by_threads(loop, tiles, head, inner, parts)
        else:
            self._in_turn(loop, tiles, head, inner)
        for v, name in whole.items():
            self.names[v] = name

    def _in_turn(self, loop: Loop, tiles: str, head: int, inner: list[str]) -> None:
        names = _assigned(inner)
        self.memory += [
            f"{tiles} = []",
            f"for start in range(0, {loop.length}, {loop.tile}):",
            f"    k = slice(start, min(start + {loop.tile}, {loop.length}))",
            "    t = k.stop - start",
            *(f"    {line}" for line in inner),
            f"    {tiles}.append((k, {', '.join(names)}))",
        ]
        self.lines.insert(head, f"for {', '.join(['k', *names])}{'' if names else ','} in {tiles}:")

    def _by_threads(self, loop: Loop, tiles: str, head: int, inner: list[str], parts: list[tuple[str, Value, str]]) -> None:
        """Write a loop whose tiles are carried out by several threads, each in memory of its own; sums are added in the order of tiles."""
        names = _assigned(inner)
        slots = sorted({int(n) for line in inner for n in re.findall(r"\bm(\d+)\[", line)})
        own = [re.sub(r"\bm(\d+)\[", r"own\1[", line) for line in inner]
        self.memory += [
            f"{tiles} = []",
            f"for w in range({self.schedule.threads}):",
            f"    {tiles}.append([])",
            *(f"    own{i} = m{i} if w == 0 else empty({self.schedule.slots[i]}, np.uint8)" for i in slots),
            f"    for start in range(0, {loop.length}, {loop.tile}):",
            f"        k = slice(start, min(start + {loop.tile}, {loop.length}))",
            "        t = k.stop - start",
            *(f"        {line}" for line in own),
            f"        {tiles}[-1].append((k, {', '.join(names)}))",
            *(f"{q} = empty({(len(loop.starts), *v.shape)}, {self.bind(v.dtype, str(v.dtype))})" for q, v, _ in parts if v.ndim),
        ]
        body = self._fresh("tile")
        fresh = [f"{q} = [None] * {len(loop.starts)}" for q, v, _ in parts if not v.ndim]
        self.lines[head:head] = [*fresh, f"def {body}({', '.join(['i', 'k', *names])}):"]
        self.lines.append(f"{self.bind(workers.run, 'run')}({body}, {tiles})")
        add = self.bind(np.add, "add")
        for q, v, total in parts:
            self.lines += [f"for part in {q}:", f"    {add}({total}, part, {total})" if v.ndim else f"    {total} += part"]

    def _part_of_sum(self, v: Value, total: str, parts: list[tuple[str, Value, str]]) -> None:
        """Keep what a tile adds to a sum."""
        q = self._fresh("q")
        parts.append((q, v, total))
        keep = f"{self.bind(np.copyto, 'copyto')}({q}[i], {self.names[v]})" if v.ndim else f"{q}[i] = {self.names[v]}"
        self.lines.append(f"    {keep}")

    def _whole(self, v: Value, *, zero: bool) -> str:
        """Return the name of what a loop fills or adds up to."""
        if not v.ndim:
            name = self._fresh("s")
            self.lines.append(f"{name} = {self.bind(v.dtype.type(0), self._fresh('zero'))}")
            return name
        buffer = self.schedule.buffers.get(v)
        if buffer is not None:
            name = self._buffer(buffer)
            if zero:
                self.lines.append(f"{name}.fill(0)")
            return name
        if v in self.schedule.direct:
            return self._name(self.schedule.direct[v])
        name = self._fresh("v")
        make = self.bind(np.zeros, "zeros") if zero else "empty"
        self.lines.append(f"{name} = {make}({v.shape}, {self.bind(v.dtype, str(v.dtype))})")
        return name

    def _into(self, step: Step, part: str) -> None:
        """Write a step of a loop whose result goes into a part of an array."""
        self._target = part
        self._step(step, "    ")
        self._target = None

    def _step(self, step: Step, indent: str) -> None:
        v = step.value
        if v.site and v.site != self._site and not indent:
            self._site = v.site
            self.lines.append(f"# {Path(visible(v.site, longest=200)).name}".replace("\n", " "))
        getattr(self, f"_{step.mode}_step")(step, indent)

    def _put(self, step: Step, indent: str, call: str, out: str = "{}, {})") -> None:
        """Write a call that ends in a bracket: into its buffer, or as an array of its own."""
        v = step.value
        if self._target is not None:
            self.names[v] = self._target
            self.lines.append(f"{indent}{out.format(call, self._target)}")
        elif v in self.schedule.direct:
            self.names[v] = self._name(self.schedule.direct[v])
            self.lines.append(f"{indent}{out.format(call, self.names[v])}")
        elif step.out is None:
            self.names[v] = self._fresh("v")
            self.lines.append(f"{indent}{self.names[v]} = {call})")
        else:
            self.names[v] = self._buffer(step.out)
            self.lines.append(f"{indent}{out.format(call, self.names[v])}")

    def _ufunc_step(self, step: Step, indent: str) -> None:
        v = step.value
        fn = self.bind(v.fn, getattr(v.fn, "__name__", "f"))
        call = f"{fn}({', '.join(self._operand(a, v) for a in step.args)}"
        self._put(step, indent, call, "{}, out={})" if v.fn in BY_KEYWORD else "{}, {})")

    def _operand(self, a: Value, v: Value) -> str:
        """Return an operand; a number as an array of the dtype that it will be cast to, which is quicker."""
        if a.number is None:
            return self._name(a)
        kinds = {b.dtype for b in v.args if b.number is None and not b.weak}
        if len(kinds) == 1 and (kind := next(iter(kinds))).char in "fd" and type(a.number) in (int, float):
            key = ("number", kind, repr(a.number))
            if key not in self._constants:
                with np.errstate(all="ignore"):
                    self._constants[key] = self.bind(np.array(a.number, kind), self._fresh("c"))
            return self._constants[key]
        return self._name(a)

    def _scalar_step(self, step: Step, indent: str) -> None:
        v = step.value
        args = [f"({name})" if name.startswith("-") else name for name in map(self._name, step.args)]  # -2 ** x is -(2 ** x)
        name = self.names[v] = self._fresh("s")
        if v.is_call(np.dot, np.matmul):
            self.lines.append(f"{indent}{name} = {args[0]}.dot({args[1]})")
        elif v.fn in ARITHMETIC and (v.weak or v.fn in OPERATORS):
            sign = ARITHMETIC[v.fn]
            self.lines.append(f"{indent}{name} = {f'{args[0]} {sign} {args[1]}' if len(args) == 2 else sign + args[0]}")
        else:
            self.lines.append(f"{indent}{name} = {self.bind(v.fn, getattr(v.fn, '__name__', 'f'))}({', '.join(args)})")

    def _reduce_step(self, step: Step, indent: str) -> None:
        v = step.value
        axis, keepdims = v.attrs["axis"], v.attrs["keepdims"]
        fn = self.bind(v.fn, f"{v.fn.__self__.__name__}_reduce")  # type: ignore[union-attr]
        x = self._name(step.args[0])
        if step.out is None and self._target is None:
            self._put(step, indent, f"{fn}({x}, {axis}, None, None, {keepdims}")
        else:
            self._put(step, indent, f"{fn}({x}, {axis}, None", f"{{}}, {{}}, {keepdims})")

    def _flat(self, v: Value) -> str | None:
        """Return an array of which all elements lie side by side as one of one axis, if that is known beforehand."""
        name = self._name(v)
        base = self._fixed.get(name)
        if base is None or not base.flags.c_contiguous:
            return None
        return name if v.ndim == 1 else self._view(name, f"{name}.reshape(-1)", base.reshape(-1))

    def _ones_step(self, step: Step, indent: str) -> None:
        v = step.value
        x = step.args[0]
        [axis] = v.attrs["axis"]
        n = x.shape[axis]
        shape = ((1, n) if axis == 0 else (n, 1)) if v.attrs["keepdims"] else (n,)
        key = ("ones", shape, v.dtype)
        if key not in self._constants:
            self._constants[key] = self.bind(np.ones(shape, v.dtype), self._fresh("c"))
        ones = self._constants[key]
        if self._inside is not None and self._inside.cuts[v].get(x) == axis:
            ones = self._tile_of_ones(ones, 1 if axis == 0 and v.attrs["keepdims"] else 0)
        a, b = (ones, self._name(x)) if axis == 0 else (self._name(x), ones)
        self._put(step, indent, f"{a}.dot({b}")

    def _tile_of_ones(self, ones: str, axis: int) -> str:
        key = (ones, f"tile {axis}")
        if key not in self._views:
            name = self._views[key] = self._fresh("o")
            self.memory.append(f"{name} = {ones}[{':, ' * axis}:t]")
        return self._views[key]

    def _total_step(self, step: Step, indent: str) -> None:
        v = step.value
        x = step.args[0]
        name = self.names[v] = self._fresh("s")
        flat = self._flat(x)
        if v.fn is TOTAL and flat is not None and is_real(x) and x.size <= LARGE:
            key = ("ones", (x.size,), x.dtype)
            if key not in self._constants:
                self._constants[key] = self.bind(np.ones(x.size, x.dtype), self._fresh("c"))
            self.lines.append(f"{indent}{name} = {flat}.dot({self._constants[key]})")
            return
        fn = self.bind(v.fn, f"{v.fn.__self__.__name__}_reduce")  # type: ignore[union-attr]
        self.lines.append(f"{indent}{name} = {fn}({flat or self._name(x)}, None)")

    def _inner_step(self, step: Step, indent: str) -> None:
        v = step.value
        name = self.names[v] = self._fresh("s")
        a, b = (self._flat(x) or (self._name(x) if x.ndim == 1 else f"{self._name(x)}.ravel()") for x in step.args)
        self.lines.append(f"{indent}{name} = {a}.dot({b})")

    def _dot_step(self, step: Step, indent: str) -> None:
        a, b = (self._name(x) for x in step.args)
        if step.beside is not None and step.out is not None:
            beside = self._buffer(step.beside)
            turned = self._view(beside, f"{beside}.T", self._fixed[beside].T)
            out = self.names[step.value] = self._buffer(step.out)
            self.lines.append(f"{indent}{self._name(step.args[1].args[0])}.dot({a}.T, {beside})")
            self.lines.append(f"{indent}{self.bind(np.copyto, 'copyto')}({out}, {turned})")
        elif step.value.ndim == 2 and step.args[0].shape[1] == 1 and self._in_a_row(step.value) >= np.getbufsize():
            self._put(step, indent, f"{self.bind(np.multiply, 'multiply')}({a}, {b}")  # of shorter rows, ufuncs copy what they spread
        elif all(x.ndim == 2 and min(x.shape) > 1 for x in step.args) and any(map(self._is_cut_out, step.args)):
            self._put(step, indent, f"{self.bind(np.matmul, 'matmul')}({a}, {b}")  # np.dot would copy it
        else:
            self._put(step, indent, f"{a}.dot({b}")

    def _in_a_row(self, v: Value) -> int:
        """Return how many elements of an array lie side by side; in a loop, of a tile."""
        return self._inside.tile if self._inside is not None and self._inside.axis.get(v) == v.ndim - 1 else v.shape[-1]

    def _is_cut_out(self, v: Value) -> bool:
        """Whether a matrix is taken out of a wider one, so that neither its rows nor its columns follow one another in memory."""
        axis = self._cut_along.get(v)
        if axis is not None:
            return axis != 0
        base = self._fixed.get(self.names.get(v, ""))
        if base is not None:
            return not (base.flags.c_contiguous or base.flags.f_contiguous)
        if v.is_call(np.transpose):
            return self._inside is not None and self._inside.cuts.get(v, {}).get(v.args[0]) == 1 and v.args[0] not in self._inside.axis
        return False

    def _matmul_step(self, step: Step, indent: str) -> None:
        a, b = (self._name(x) for x in step.args)
        self._put(step, indent, f"{self.bind(np.matmul, 'matmul')}({a}, {b}")

    def _write_step(self, step: Step, indent: str) -> None:
        v = step.value
        a, new = step.args
        if step.out is None:
            name = self.names[v] = self._fresh("v")
            self.lines.append(f"{indent}{name} = np.array({self._name(a)})")
        else:
            name = self._buffer(step.out)
            if name != self._name(a):
                self.lines.append(f"{indent}{self.bind(np.copyto, 'copyto')}({name}, {self._name(a)})")
            self.names[v] = name
        self.lines.append(f"{indent}{name}[{self._attribute(v.attrs['index'])}] = {self._name(new)}")

    def _view_step(self, step: Step, indent: str) -> None:
        v = step.value
        of = self._name(step.args[0])
        expression = self._plain(step)
        found = None
        if of in self._fixed and not any(True for x in v.attrs.values() for _ in inside(x)):
            base = self._fixed[of]
            shown = base[v.attrs["index"]] if v.is_call(getitem) else v.fn(base, **v.attrs)  # type: ignore[misc]
            found = self._view(of, expression, shown)
        if found is None:
            found = self._fresh("w")
            self.lines.append(f"{indent}{found} = {expression}")
        self.names[v] = found

    def _call_step(self, step: Step, indent: str) -> None:
        name = self.names[step.value] = self._fresh("v")
        lines = added_along(step.value, [self._name(a) for a in step.args], name, self.bind)
        self.lines += [f"{indent}{line}" for line in lines or [f"{name} = {self._plain(step)}"]]

    def _plain(self, step: Step) -> str:
        """Return a call as it was recorded."""
        v = step.value
        args = [self._name(a) for a in step.args]
        if v.is_call(getitem):
            return f"{args[0]}[{self._attribute(v.attrs['index'])}]"
        found = spelled(v, args, self.bind)
        if found is not None:
            return found
        fn = v.fn.implementation if isinstance(v.fn, Primitive) else v.fn
        called = self.bind(fn, getattr(v.fn, "__name__", "f"))
        attrs = [f"{k}={self._attribute(x)}" for k, x in v.attrs.items()]
        given = [f"[{', '.join(args)}]"] if v.variadic else args
        return f"{called}({', '.join([*given, *attrs])})"

    def _attribute(self, x: Any) -> str:
        """Return an attribute as code: numbers and slices as they are written, everything else by a name."""
        if isinstance(x, Value):
            return self._name(x)
        if x is None or x is Ellipsis or type(x) in (int, bool, str):
            return repr(x)
        if type(x) in (tuple, list):
            inner = ", ".join(self._attribute(i) for i in x)
            return f"[{inner}]" if type(x) is list else f"({inner},)" if len(x) == 1 else f"({inner})"
        if type(x) is slice:
            parts = ["None" if i is None else self._attribute(i) for i in (x.start, x.stop, x.step)]
            return f"slice({', '.join(parts)})"
        return self.bind(x, self._fresh("k"))


def _assigned(lines: list[str]) -> list[str]:
    """Return the names that lines of the form ``name = ...`` assign to."""
    return [line.split(" = ")[0] for line in lines]
