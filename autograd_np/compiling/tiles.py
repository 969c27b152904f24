"""Loops over one long axis: which steps can be carried out tile by tile, and with which others.

Steps are given stages. A step that goes along the axis joins the loop that its operands come from, if it needs the same tiles of them; it
comes a stage later if it needs all of one, or what a loop adds up. What cannot be cut stands between the loops.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from autograd_np.compiling.program import TOTAL, Value
from autograd_np.compiling.schedule import Loop, Schedule, Step, root_of

__all__ = ["tiled"]

LARGE = 1 << 16
"""Arrays of fewer bytes stay in the cache as they are."""
WORTH = 1 << 19
"""What a loop computes takes so many bytes, at least."""
ELEMENTS = 65_536
"""Of the widest array of a loop, in one tile."""
PRODUCT = 1_000_000
"""Up to so many multiplications OpenBLAS does not rearrange what it multiplies, so products of tiles should have no more."""
SMALL = 4_096
"""Matrices of no more elements are multiplied with tiles, and added up over them."""

Cuts = dict[Value, "int | None"]


class _Place:
    """Where a step stands: its stage, the axis of its result, and the axes along which its operands are cut."""

    def __init__(self, stage: int, loop: bool, axis: int | None = None, sums: bool = False, cuts: Cuts | None = None) -> None:
        self.stage = stage
        self.loop = loop
        self.axis = axis
        self.sums = sums
        self.cuts = cuts or {}


def tiled(schedule: Schedule) -> Schedule:
    """Put loops into a schedule of steps; return it."""
    steps = [s for s in schedule.items if isinstance(s, Step)]
    length = _length(steps)
    if length is None:
        return schedule
    places: dict[Value, _Place] = {}
    for step in steps:
        places[step.value] = _place(step, length, places)
    items: list[Step | Loop] = []
    for stage in sorted({p.stage for p in places.values()}):
        here = [s for s in steps if places[s.value].stage == stage]
        items += [s for s in here if not places[s.value].loop]
        inside = [s for s in here if places[s.value].loop]
        if inside:
            items += _loop(inside, length, places, steps, schedule)
    schedule.items = items
    return schedule


def _length(steps: list[Step]) -> int | None:
    """Return the length of the axis that most of the large arrays share."""
    large = [s.value for s in steps if not s.value.is_several and s.value.ndim and s.value.nbytes >= LARGE and s.mode == "ufunc"]
    count: Counter[int] = Counter()
    for v in large:
        count[max(v.shape)] += v.nbytes
    return max(count, key=lambda n: count[n]) if count else None


def _place(step: Step, n: int, places: dict[Value, _Place]) -> _Place:
    for axis, sums, cuts in _ways(step, n):
        if any(not _fits(o, a, places) for o, a in cuts.items()):
            continue
        stage = max((_after(o, a, places) for o, a in cuts.items()), default=0)
        return _Place(stage, True, axis, sums, cuts)
    operands = [o for o in (*step.args, *step.value.children()) if o in places]
    return _Place(max((places[o].stage + places[o].loop for o in operands), default=0), False)


def _fits(o: Value, axis: int | None, places: dict[Value, _Place]) -> bool:
    """Whether an operand of a loop of the same stage is cut as it is needed; others can be cut at will."""
    return True if o not in places or not places[o].loop else axis is None or places[o].sums or places[o].axis == axis


def _after(o: Value, axis: int | None, places: dict[Value, _Place]) -> int:
    """Return the first stage at which an operand is there as it is needed."""
    place = places.get(o)
    if place is None:
        return 0
    in_tiles = place.loop and not place.sums and axis is not None and place.axis == axis
    return place.stage + (1 if place.loop and not in_tiles else 0)


def _ways(step: Step, n: int) -> Any:
    """Yield how a step can go along an axis of length n: the axis of its result, whether it adds up, and how its operands are cut."""
    v = step.value
    if step.mode == "ufunc":
        for axis in (i for i in range(v.ndim) if v.shape[i] == n):
            yield axis, False, {o: _aligned(o, axis - v.ndim, n) for o in step.args}
    elif step.mode == "dot":
        a, b = step.args
        yield from _of_product(a, b, n)
    elif step.mode in ("ones", "reduce"):
        yield from _of_reduction(v, step.args[0], n)
    elif step.mode in ("total", "inner") and v.fn is TOTAL:
        x = step.args[0]
        for axis in (i for i in range(x.ndim) if x.shape[i] == n):
            yield None, True, dict.fromkeys(step.args, axis)
    elif step.mode == "view" and v.is_call(np.transpose) and v.ndim == 2 and not any(x is not None for x in v.attrs.values()):
        for axis in (0, 1):
            if v.shape[axis] == n:
                yield axis, False, {step.args[0]: 1 - axis}


def _aligned(o: Value, from_end: int, n: int) -> int | None:
    axis = o.ndim + from_end
    return axis if axis >= 0 and o.shape[axis] == n else None


def _of_product(a: Value, b: Value, n: int) -> Any:
    if a is b:
        return
    inner = b.ndim - 2 if b.ndim > 1 else 0
    if a.ndim == 2 and a.shape[0] == n and b.size <= SMALL:
        yield 0, False, {a: 0, b: None}
    if b.ndim == 2 and b.shape[1] == n and a.size <= SMALL:
        yield a.ndim - 1, False, {a: None, b: 1}
    if a.shape[-1] == n and a.size * b.size <= SMALL * n * n:
        yield None, True, {a: a.ndim - 1, b: inner}


def _of_reduction(v: Value, x: Value, n: int) -> Any:
    gone, kept = v.attrs["axis"], v.attrs["keepdims"]
    for axis in (i for i in range(x.ndim) if x.shape[i] == n):
        if axis not in gone:
            yield axis if kept else axis - sum(i < axis for i in gone), False, {x: axis}
        elif v.fn is TOTAL:
            yield None, True, {x: axis}


def _loop(inside: list[Step], n: int, places: dict[Value, _Place], steps: list[Step], schedule: Schedule) -> list[Step | Loop]:
    """Return the loop of these steps, or the steps themselves where a loop does not pay."""
    mine = {s.value for s in inside}
    computed = [s.value for s in inside if not places[s.value].sums and s.mode != "view"]
    if len(inside) < 2 or sum(v.nbytes for v in computed) < WORTH:
        return list(inside)
    widest = max((v.size // n for v in computed), default=1)
    most = max(ELEMENTS // max(widest, 1), 16)
    work = max((s.value.size * s.args[0].shape[-1] // n for s in inside if s.mode == "dot"), default=0)
    if work:
        most = min(most, max(PRODUCT // work, most // 2))
    count = -(-n // most)
    if count < 2:
        return list(inside)
    tile = -(-n // count)
    read = {root_of(o) for s in steps if s.value not in mine for o in (*s.args, *s.value.children())}
    read |= {o for s in steps if s.value not in mine for o in (*s.args, *s.value.children())}
    stage = places[inside[0].value].stage
    again = {o for s in steps if s.value not in mine and places[s.value].stage >= stage for o in s.args}
    needed = read | again | set(schedule.program.outputs) | {root_of(o) for o in schedule.program.outputs}
    sums = [s.value for s in inside if places[s.value].sums]
    kept = [v for v in computed if v in needed]
    if any(s.mode == "view" and s.value in needed for s in inside):
        views = [s for s in inside if s.mode == "view" and s.value in needed]
        kept += [o for s in views for o in s.args if o in mine and o not in kept]
    loop = Loop(n, tile, inside, {v: a for v in mine if (a := places[v].axis) is not None}, sums, kept)
    loop.cuts = {s.value: places[s.value].cuts for s in inside}
    late = [Step(s.value, s.mode, s.args) for s in inside if s.mode == "view" and s.value in needed]
    return [loop, *late]
