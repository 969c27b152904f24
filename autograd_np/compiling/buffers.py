"""Which memory a value is computed into: slots that values take in turn."""

from __future__ import annotations

import math
from collections import defaultdict

from autograd_np.compiling.program import Value
from autograd_np.compiling.schedule import IN_BUFFERS, Buffer, Loop, Schedule, Step, reads, root_of

__all__ = ["laid_out"]

WASTE = 4
"""A slot takes values down to this part of its size."""
ALIGNED = 64


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
    results = {root_of(v) for v in schedule.program.outputs}
    ends = _ends(schedule)
    held: dict[Value, Buffer] = schedule.buffers
    for position, item in enumerate(schedule.items):
        dying = [v for v in ends[position] if v in held and not (schedule.reuses and v in results)]
        if isinstance(item, Loop):
            _loop(item, slots, schedule, results)
        else:
            _step(item, slots, schedule, results, dying)
        for v in dying:
            if held[v].slot >= 0 and v not in _moved(item, held):
                slots.give(held[v].slot)
    schedule.slots = slots.sizes
    return schedule


def _moved(item: Step | Loop, held: dict[Value, Buffer]) -> set[Value]:
    """Return the operands in whose place the result of a step was computed."""
    if isinstance(item, Loop) or item.out is None:
        return set()
    return {v for v in map(root_of, reads(item)) if v in held and v is not item.value and held[v].slot == item.out.slot}


def _step(step: Step, slots: _Slots, schedule: Schedule, results: set[Value], dying: list[Value]) -> None:
    v = step.value
    if step.mode not in IN_BUFFERS or (v in results and not schedule.reuses):
        return
    for a in step.args:
        in_place = step.mode == "ufunc" or (step.mode == "write" and a is step.args[0] and step.args.count(a) == 1)
        if a in dying and in_place and a.shape == v.shape and a.dtype == v.dtype and not _seen_otherwise(step, a):
            step.out = Buffer(v.shape, v.dtype, schedule.buffers[a].slot)
            break
    else:
        step.out = Buffer(v.shape, v.dtype, slots.take(v.nbytes))
    schedule.buffers[v] = step.out


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
        if (v not in results or schedule.reuses) and v.ndim:
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
