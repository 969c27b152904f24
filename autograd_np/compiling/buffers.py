"""Which memory a value is computed into: slots that values take in turn."""

from __future__ import annotations

import math
from collections import defaultdict

import numpy as np

from autograd_np.compiling.program import Value
from autograd_np.compiling.schedule import IN_BUFFERS, Buffer, Loop, Schedule, Step, reads, root_of

__all__ = ["laid_out"]

WASTE = 4
"""A slot takes values down to this part of its size."""
ALIGNED = 64
FEW, MANY = 16, 1 << 15
"""Rows of a matrix, and elements of another, from which on their product is worth to be turned."""


class _Slots:
    """Pieces of memory, free or taken."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.free: list[int] = []

    def take(self, nbytes: int) -> int:
        """Return a slot that is large enough: the smallest that is free and not too large, or a new one."""
        nbytes = max(-(-nbytes // ALIGNED) * ALIGNED, ALIGNED)
        fitting = [s for s in self.free if nbytes <= self.sizes[s] <= max(WASTE * nbytes, 4096)]
        if fitting:
            slot = min(reversed(fitting), key=self.sizes.__getitem__)
            self.free.remove(slot)
            return slot
        self.sizes.append(nbytes)
        return len(self.sizes) - 1

    def give(self, slot: int) -> None:
        """Let others have a slot."""
        self.free.append(slot)


def laid_out(schedule: Schedule) -> Schedule:
    """Give the steps of a schedule their buffers; return it."""
    slots = _Slots()
    _written_where_they_lie(schedule)
    results = {root_of(v) for v in schedule.program.outputs}
    ends = _ends(schedule)
    held: dict[Value, Buffer] = schedule.buffers
    for position, item in enumerate(schedule.items):
        dying = [v for v in ends[position] if v in held and v not in results]
        if isinstance(item, Loop):
            _loop(item, slots, schedule, results)
        else:
            _step(item, slots, schedule, results, dying)
        for v in dying:
            if held[v].slot >= 0 and v not in _moved(item, held):
                slots.give(held[v].slot)
    schedule.slots = slots.sizes
    return schedule


def _written_where_they_lie(schedule: Schedule) -> None:
    """Find out which inputs can be written by the very step that computes what they become: nothing reads them afterwards."""
    if not schedule.into:
        return
    at = {s.value: (i, item, s) for i, item in enumerate(schedule.items) for s in (item.steps if isinstance(item, Loop) else (item,))}
    last: dict[Value, int] = {}
    for i, _, s in at.values():
        last |= {root_of(a): i for a in reads(s)}
    last |= {root_of(v): len(schedule.items) for v in schedule.program.outputs if root_of(v).kind == "input"}
    for number, x in schedule.into.items():
        v = schedule.program.outputs[number]
        if v not in at or schedule.program.outputs.count(v) > 1 or not v.ndim:
            continue
        place, item, step = at[v]
        alike = step.mode == "ufunc" and (v.shape, v.dtype) == (x.shape, x.dtype)
        last_read = last.get(x, 0) <= place and not _seen_otherwise(step, x)
        if alike and last_read and (not isinstance(item, Loop) or (v in item.kept and _read_tile_by_tile(item, v, x))):
            schedule.direct[v] = x


def _read_tile_by_tile(loop: Loop, v: Value, x: Value) -> bool:
    """Whether the steps of a loop read of an input, until it is written, the tile that is written."""
    for step in loop.steps:
        if any(root_of(a) is x and (a is not x or loop.cuts[step.value].get(x) != loop.axis[v]) for a in reads(step)):
            return False
    order = [s.value for s in loop.steps]
    return all(order.index(s.value) <= order.index(v) for s in loop.steps if x in reads(s))


def _moved(item: Step | Loop, held: dict[Value, Buffer]) -> set[Value]:
    """Return the operands in whose place the result of a step was computed."""
    if isinstance(item, Loop) or item.out is None:
        return set()
    return {v for v in map(root_of, reads(item)) if v in held and v is not item.value and held[v].slot == item.out.slot}


def _step(step: Step, slots: _Slots, schedule: Schedule, results: set[Value], dying: list[Value]) -> None:
    v = step.value
    if step.mode not in IN_BUFFERS or (v in results and not _in_buffers(v, schedule)):
        return
    for a in step.args:
        in_place = step.mode == "ufunc" or (step.mode == "write" and a is step.args[0] and step.args.count(a) == 1)
        if a in dying and in_place and a.shape == v.shape and a.dtype == v.dtype and not _seen_otherwise(step, a):
            step.out = Buffer(v.shape, v.dtype, schedule.buffers[a].slot)
            break
    else:
        step.out = Buffer(v.shape, v.dtype, slots.take(v.nbytes))
    schedule.buffers[v] = step.out
    if step.mode == "dot" and _is_better_turned(*step.args):
        step.beside = Buffer(v.shape[::-1], v.dtype, slots.take(v.nbytes))
        slots.give(step.beside.slot)


def _is_better_turned(a: Value, b: Value) -> bool:
    """Whether ``b.T @ a.T``, turned, takes less than ``a @ b``: of few rows, and of a transpose, all of which BLAS rearranges otherwise.

    So do layers of a network, ``x @ weight.T``, on a small batch: OpenBLAS takes two thirds of the time for the other product.
    """
    if not (b.is_call(np.transpose) and b.ndim == a.ndim == 2 and b.args[0].kind == "input") or b.args[0] is a:
        return False
    return FEW <= a.shape[0] <= b.shape[1] // 2 and b.size >= MANY


def _in_buffers(v: Value, schedule: Schedule) -> bool:
    """Whether a result is computed into a buffer: it is overwritten by the next call, or it is written into an input from there."""
    if v in schedule.direct:
        return False
    return schedule.reuses or all(i in schedule.into for i, o in enumerate(schedule.program.outputs) if root_of(o) is v)


def _seen_otherwise(step: Step, a: Value) -> bool:
    """Whether a step reads an operand's memory through a view, too, in which elements lie elsewhere."""
    return any(b is not a and root_of(b) is a for b in reads(step))


def _ends(schedule: Schedule) -> dict[int, list[Value]]:
    """Return, for each item, the values whose memory is read there for the last time."""
    last: dict[Value, int] = {}
    for position, item in enumerate(schedule.items):
        for step in item.steps if isinstance(item, Loop) else (item,):
            last[root_of(step.value)] = max(last.get(root_of(step.value), 0), position)
            for a in reads(step):
                last[root_of(a)] = position
    for v in schedule.program.outputs:
        last[root_of(v)] = len(schedule.items)
    ends: dict[int, list[Value]] = defaultdict(list)
    for v, position in last.items():
        ends[position].append(v)
    return ends


def _loop(loop: Loop, slots: _Slots, schedule: Schedule, results: set[Value]) -> None:
    """Give arrays of full length to what a loop leaves, and of one tile to what it computes on the way."""
    for v in (*loop.sums, *loop.kept):
        if (v not in results or _in_buffers(v, schedule)) and v not in schedule.direct and v.ndim:
            schedule.buffers[v] = Buffer(v.shape, v.dtype, slots.take(v.nbytes))
    last: dict[Value, int] = {}
    for i, step in enumerate(loop.steps):
        last[root_of(step.value)] = i
        for a in reads(step):
            last[root_of(a)] = i
    taken: dict[Value, Buffer] = {}
    for i, step in enumerate(loop.steps):
        v = step.value
        dying = [a for a in taken if last[a] == i and a is not v]
        if step.mode in IN_BUFFERS and v not in loop.kept:
            axis = loop.axis.get(v)
            shape = v.shape if axis is None else (*v.shape[:axis], loop.tile, *v.shape[axis + 1 :])
            same = [a for a in step.args if step.mode == "ufunc" and a in dying and taken[a].shape == shape and a.dtype == v.dtype]
            same = [a for a in same if not _seen_otherwise(step, a)]
            slot = taken[same[0]].slot if same else slots.take(math.prod(shape) * v.dtype.itemsize)
            step.out = taken[v] = Buffer(shape, v.dtype, slot, axis)
        for a in dying:
            buffer = taken.pop(a)
            if step.out is None or buffer.slot != step.out.slot:
                slots.give(buffer.slot)
    for buffer in taken.values():
        slots.give(buffer.slot)
