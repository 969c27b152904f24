"""What is computed in which order, and into which memory. What writes it out as code reads this, and nothing else.

A `Schedule` is a list of `Step` and `Loop`. A step computes one value: into a buffer, as an array of its own, or as a view. A loop goes
along one long axis, tile by tile, so that what its steps hand to one another stays in the cache. Buffers lie in slots of memory, which
values take in turn; a value whose operand is not needed any more may be computed in its place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograd_np.compiling.lowering import is_elementwise, is_real
from autograd_np.compiling.program import REDUCTIONS, TOTAL, Program, Value
from autograd_np.ops.indexing import getitem, is_basic, setitem
from autograd_np.ops.shaping import ravel, reshape

__all__ = ["Buffer", "Loop", "Schedule", "Step", "mode_of", "reads", "scheduled"]

VIEWS = (np.transpose, np.expand_dims, np.swapaxes, np.moveaxis, np.squeeze, np.broadcast_to, reshape, ravel)
LARGE = 1_000
"""Sums of more elements are NumPy's, in pairs; of fewer, a product with ones, which starts sooner."""
IN_BUFFERS = frozenset(("ufunc", "reduce", "ones", "dot", "matmul", "write"))
"""Modes whose result is written into memory that is there already."""


@dataclass(eq=False)
class Buffer:
    """An array in a slot of memory; in a loop, of one tile.

    Attributes
    ----------
    shape, dtype
    slot : int
        Which piece of memory; values that are not needed at the same time share one.
    axis : int or None
        The axis that is cut into tiles.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    slot: int
    axis: int | None = None

    @property
    def nbytes(self) -> int:
        """Its memory."""
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize


@dataclass(eq=False)
class Step:
    """The computation of one value.

    Attributes
    ----------
    value : Value
    mode : str
        ``"ufunc"``: ``fn(*args, out)``; ``"scalar"``: the same of numbers, without memory; ``"reduce"``: ``fn.reduce`` along axes;
        ``"total"``: over all axes, a number; ``"ones"``: a sum along one axis of a matrix, as its product with ones; ``"inner"``: the sum
        of the products of two arrays' elements, whose multiplication has no step; ``"dot"``, ``"matmul"``: products; ``"write"``: a copy
        of the first argument in which something is written; ``"view"``: shows memory of the first argument; ``"call"``: anything else.
    args : tuple of Value
    out : Buffer or None
        ``None`` for a number, a view, a call, and a result, which is an array of its own.
    beside : Buffer or None
        Of a product that is computed the other way round, and turned: where it lies before.
    """

    value: Value
    mode: str
    args: tuple[Value, ...]
    out: Buffer | None = None
    beside: Buffer | None = None


@dataclass(eq=False)
class Loop:
    """Steps that are carried out tile by tile.

    Attributes
    ----------
    length : int
        Of the axis.
    tile : int
        How much of it at a time; the last tile may be shorter.
    steps : list of Step
    axis : dict of (Value, int)
        Which axis of a value the tiles are cut from; values that are not in it are the same for all tiles.
    sums : list of Value
        What is added up from tile to tile: sums along the axis, and products that contract it.
    kept : list of Value
        What is needed after the loop, and is written tile by tile into an array of full length.
    cuts : dict of (Value, dict of (Value, int or None))
        For each value of the loop, along which axis its operands are cut.
    """

    length: int
    tile: int
    steps: list[Step]
    axis: dict[Value, int]
    sums: list[Value]
    kept: list[Value]
    cuts: dict[Value, dict[Value, int | None]] = field(default_factory=dict)

    @property
    def starts(self) -> range:
        """Where the tiles begin."""
        return range(0, self.length, self.tile)


@dataclass(eq=False)
class Schedule:
    """A program in order.

    Attributes
    ----------
    program : Program
    items : list of (Step or Loop)
    slots : list of int
        The size of each piece of memory in bytes.
    buffers : dict of (Value, Buffer)
        Of values that are kept from item to item.
    copied : set of int
        The numbers of the outputs that are copied, since another array shows their memory.
    reuses : bool
        Results lie in buffers, too, and are overwritten by the next call.
    into : dict of (int, Value)
        For the number of an output that is written into an input, that input.
    threads : int
        How many carry out the tiles of a loop.
    direct : dict of (Value, Value)
        Of these outputs, those that are computed where the input lies, since nothing reads it afterwards.
    """

    program: Program
    items: list[Step | Loop]
    slots: list[int] = field(default_factory=list)
    buffers: dict[Value, Buffer] = field(default_factory=dict)
    copied: set[int] = field(default_factory=set)
    reuses: bool = False
    into: dict[int, Value] = field(default_factory=dict)
    direct: dict[Value, Value] = field(default_factory=dict)
    threads: int = 1

    @property
    def memory(self) -> int:
        """The bytes that a call takes: its buffers, and the results."""
        own = [v for i, v in enumerate(self.program.outputs) if v.kind == "call" and not v.is_several and i not in self.into]
        return sum(self.slots) + self._of_threads + sum(v.nbytes for v in own if not self.reuses)

    @property
    def _of_threads(self) -> int:
        """The bytes of what each further thread has of its own, and of the sums of each tile."""
        if self.threads == 1:
            return 0
        loops = [item for item in self.items if isinstance(item, Loop)]
        slots = [{s.out.slot for s in loop.steps if s.out is not None} for loop in loops]
        own = sum(self.slots[i] for of_loop in slots for i in of_loop) * (self.threads - 1)
        return own + sum(v.nbytes * len(loop.starts) for loop in loops for v in loop.sums if v.ndim)

    def steps(self) -> Iterator[Step]:
        """Yield all steps, those of loops too."""
        for item in self.items:
            yield from item.steps if isinstance(item, Loop) else (item,)


def mode_of(v: Value) -> str:
    """Return how a value is computed; see `Step`."""
    if v.is_several or v.fn is None:
        return "call"
    if is_elementwise(v) and v.dtype.kind in "biufc":
        return "ufunc" if v.ndim else "scalar"
    if v.fn in REDUCTIONS.values():
        return _mode_of_reduction(v)
    if v.is_call(np.dot, np.matmul) and not v.attrs and is_real(v) and all(a.dtype == v.dtype and a.size and a.ndim for a in v.args):
        if all(a.ndim <= 2 for a in v.args):
            return "dot" if v.ndim else "scalar"
        if v.is_call(np.matmul):
            return "matmul"
    if v.is_call(setitem) and v.ndim and v.args[0].dtype == v.dtype:
        return "write"
    if v.is_call(*VIEWS) or v.shares or (v.is_call(getitem) and is_basic(v.attrs.get("index"))):
        return "view"
    return "call"


def _mode_of_reduction(v: Value) -> str:
    x = v.args[0]
    if not v.ndim:
        return "total"
    if v.fn is TOTAL and x.ndim == 2 and is_real(x) and len(v.attrs["axis"]) == 1:
        return "ones"
    return "reduce"


def scheduled(program: Program, groups: list[int], *, reuses: bool = False, written: Mapping[int, int] | None = None) -> Schedule:
    """Return a schedule of one step after the other.

    Parameters
    ----------
    program : Program
    groups : list of int
        For each output, a number that those share which may show the same memory.
    reuses : bool
        Whether results lie in buffers, too.
    written : mapping of (int, int), optional
        For the number of an input that is written into, the number of the output that it becomes.
    """
    uses = program.uses()
    steps: list[Step | Loop] = []
    fused: set[Value] = set()
    for v in program.values():
        if v.kind == "call":
            mode, args = mode_of(v), v.args
            if mode == "total" and v.fn is TOTAL and is_real(v) and v.args[0].is_call(np.multiply) and uses[v.args[0]] == 1:
                factors = v.args[0].args
                if factors[0].shape == factors[1].shape and all(f.dtype == v.dtype and f.number is None for f in factors):
                    mode, args = "inner", factors
                    fused.add(v.args[0])
            steps.append(Step(v, mode, args))
    schedule = Schedule(program, [s for s in steps if isinstance(s, Step) and s.value not in fused], reuses=reuses)
    schedule.into = {output: program.inputs[i] for i, output in (written or {}).items()}
    lost = set(schedule.into.values())
    schedule.copied = _copied(program, groups) | {i for i, v in enumerate(program.outputs) if root_of(v) in lost}
    return schedule


def root_of(v: Value) -> Value:
    """Return the value whose memory a view shows."""
    while v.kind == "call" and mode_of(v) == "view":
        v = v.args[0]
    return v


def _copied(program: Program, groups: list[int]) -> set[int]:
    seen: dict[Value, int] = {}
    found = set()
    for i, v in enumerate(program.outputs):
        root = root_of(v)
        if root.kind == "constant" or seen.setdefault(root, groups[i]) != groups[i]:
            found.add(i)
    return found


def reads(step: Step) -> Iterable[Value]:
    """Yield the values that a step reads."""
    yield from step.args
    for v in step.value.children():
        if v not in step.value.args:
            yield v
