"""Fewer boxes: neighbourhoods, frames as one box, chains, and pictures of huge graphs.

Every step maps the parts of a Net to fewer parts. Nothing here recurses, so a chain may be as long as memory allows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np

from autograd_np.render.frames import Frame
from autograd_np.render.parts import Net, Part

__all__ = ["around_of", "close", "collapse", "deeper_than", "without_turns"]

SEGMENTS = 36  # boxes of a graph without any structure that is too large to draw


def collapse(net: Net, *, fold: bool, max_nodes: int, notes: list[str]) -> Net:
    """Return the Net with at most `max_nodes` parts; say in `notes` what was left out."""
    total = sum(p.size for p in net.parts)
    if fold:
        net = _chains(net)
    if len(net.parts) <= max_nodes:
        return net
    before = len(net.parts)
    steps: list[Callable[[Net], Net]] = [lambda n: close(n, [f for f in n.frames() if f.folded])]
    deepest = max(map(_depth, net.frames()), default=0)
    steps += [lambda n, d=d: close(n, deeper_than(n, d)) for d in range(deepest - 1, -1, -1)]  # type: ignore[misc]
    steps += [_chains, _segments]
    for step in steps:
        net = step(net)
        if len(net.parts) <= max_nodes:
            break
    shown = f"{len(net.parts):,} {'group' if any(p.title for p in net.parts) else 'box'}"
    plural = "s" if shown.endswith("group") else "es"
    notes.append(
        f"collapsed: {total:,} nodes shown as {shown}{plural} ({before:,} boxes would be more than max_nodes={max_nodes:,}; "
        f"raise it, or use depth= or around= to see inside)"
    )
    return net


def around_of(net: Net, position: int, hops: int, notes: list[str]) -> Net:
    """Return what is within `hops` edges of the part of a Node."""
    start = next(i for i, p in enumerate(net.parts) if p.id == f"n{position}")
    users: dict[int, list[int]] = {}
    for i, part in enumerate(net.parts):
        for source, _ in part.operands:
            users.setdefault(source, []).append(i)
    kept = edge = {start}
    for _ in range(hops):
        edge = {j for i in edge for j in (*users.get(i, ()), *(s for s, _ in net.parts[i].operands))} - kept
        kept = kept | edge
    where = {i: k for k, i in enumerate(sorted(kept))}
    parts = [replace(net.parts[i], operands=[(where[s], p) for s, p in net.parts[i].operands if s in where]) for i in sorted(kept)]
    if len(parts) < len(net.parts):
        kept_nodes, all_nodes = (sum(p.size for p in some) for some in (parts, net.parts))
        notes.append(f"{kept_nodes:,} of {all_nodes:,} nodes: those within {hops} of {net.parts[start].id}")
    return Net(parts, net.root)


# --- frames ---------------------------------------------------------------------------------------


def close(net: Net, frames: Iterable[Frame]) -> Net:
    """Draw frames as one box each."""
    closed = set(frames)
    keys: dict[Frame, int] = {}
    group = []
    outermost: dict[int, Frame] = {}
    for i, part in enumerate(net.parts):
        around = [frame for frame in part.frame.around() if frame in closed]
        group.append(keys.setdefault(around[-1], i) if around else i)
        if around:
            outermost[group[i]] = around[-1]
    if not outermost:
        return net

    def box(parts: list[Part], first: int) -> Part | None:
        if first not in outermost:
            return None
        part, frame = _one_box(parts), outermost[first]
        part.title, part.inside = frame.title, frame
        part.frame = frame.parent or net.root
        if frame.kind == "turns":
            part.contents = _contents(parts, len(frame.items))
        return part

    return _merge(net, group, box)


def deeper_than(net: Net, depth: int) -> set[Frame]:
    """Return the modules and calls that are nested deeper than `depth`."""
    return {frame for frame in net.frames() if frame.kind in ("module", "call") and _depth(frame) > depth}


def _depth(frame: Frame) -> int:
    return sum(each.kind in ("module", "call") for each in frame.around())


def without_turns(net: Net) -> Net:
    """Draw no frames around turns."""

    def left(frame: Frame) -> Frame:
        return next((each for each in frame.around() if each.kind in ("module", "call")), net.root)

    return Net([replace(part, frame=left(part.frame)) for part in net.parts], net.root)


# --- merging --------------------------------------------------------------------------------------


def _merge(net: Net, group: Sequence[int], box: Callable[[list[Part], int], Part | None]) -> Net:
    """Return the Net in which the parts of a group have become one, made by `box` from the list of them and the group's number.

    What `box` makes nothing of is a part that stays.
    """
    members: dict[int, list[int]] = {}
    for i, g in enumerate(group):
        members.setdefault(g, []).append(i)
    # a group stands where its first operation does, not where a parameter was made
    order = sorted(members.values(), key=lambda inside: next((i for i in inside if not net.parts[i].is_leaf), inside[0]))
    order = _after_operands(net, order)
    place = {i: k for k, inside in enumerate(order) for i in inside}
    parts = []
    for k, inside in enumerate(order):
        olds = [net.parts[i] for i in inside]
        made = box(olds, group[inside[0]])
        part = made or replace(olds[0])
        operands: dict[tuple[int, int], None] = {}
        for old in olds:
            for source, position in old.operands:
                if place[source] != k:
                    operands[place[source], 0 if made else position] = None
        part.operands = list(operands)
        if made:
            part.size = sum(p.size for p in olds)
            part.members = tuple(n for p in olds for n in p.nodes)
            part.returned = any(p.returned for p in olds)
        parts.append(part)
    return Net(parts, net.root)


def _after_operands(net: Net, order: Sequence[list[int]]) -> list[list[int]]:
    """Put groups behind what they read, and else leave their order."""
    place = {i: k for k, inside in enumerate(order) for i in inside}
    reads = [{place[s] for i in inside for s, _ in net.parts[i].operands} - {k} for k, inside in enumerate(order)]
    found: list[list[int]] = []
    done: set[int] = set()
    begun: set[int] = set()
    for start in range(len(order)):
        todo = [start]
        while todo:
            k = todo[-1]
            missing = () if k in begun else sorted(reads[k] - done, reverse=True)
            begun.add(k)
            if missing:
                todo += missing
                continue
            todo.pop()
            if k not in done:
                done.add(k)
                found.append(order[k])
    return found


def _one_box(parts: list[Part]) -> Part:
    """Draw several parts as one box that says what is inside."""
    last = next((p.node for p in reversed(parts) if p.node is not None), None)
    first = next((p for p in parts if not p.is_leaf), parts[0])
    return Part(f"g{first.id.lstrip('gn')}", last, [], first.frame, title="", contents=_contents(parts))


def _contents(parts: list[Part], turns: int = 1) -> str:
    """Say which operations are inside, in one of several turns."""
    ops = Counter(n.op.name for p in parts for n in p.nodes if n.op is not None)
    shown = [f"{name} ×{n // turns}" if n > turns else name for name, n in ops.most_common(4)]
    return ", ".join(shown) + (", …" if len(ops) > 4 else "")


# --- what is long ---------------------------------------------------------------------------------


def _chains(net: Net) -> Net:
    """Draw chains of elementwise operations, each the only user of the one before it, as one box."""
    users = Counter(s for part in net.parts for s in {s for s, _ in part.operands})
    group = list(range(len(net.parts)))
    for i, part in enumerate(net.parts):
        if not _elementwise(part):
            continue
        for s, _ in part.operands:
            before = net.parts[s]
            if users[s] == 1 and not before.returned and _elementwise(before) and before.frame is part.frame:
                group[i] = group[s]
                break

    def box(parts: list[Part], _first: int) -> Part | None:
        if len(parts) == 1:
            return None
        part = _one_box(parts)
        names = [p.node.op.name for p in parts if p.node and p.node.op]
        shown = names if len(names) <= 6 else [*names[:3], "…", *names[-2:]]
        part.title = next((p.node.name for p in reversed(parts) if p.node and p.node.name), "") or f"{len(names)} elementwise"
        part.contents = " → ".join(shown)
        return part

    return _merge(net, group, box)


def _elementwise(part: Part) -> bool:
    return part.title is None and part.node is not None and part.node.op is not None and part.node.op.kind == "elementwise"


def _segments(net: Net) -> Net:
    """Cut the evaluation order into stretches, and the leaves with the stretch that reads them first."""
    first_user: dict[int, int] = {}
    for i, part in enumerate(net.parts):
        for s, _ in part.operands:
            first_user.setdefault(s, i)
    when = [first_user.get(i, i) if p.is_leaf else i for i, p in enumerate(net.parts)]
    per = -(-len(net.parts) // SEGMENTS)
    results = np.cumsum([part.returned for part in net.parts])
    group: list[int] = []
    starts: dict[tuple[int, int], int] = {}
    for i, part in enumerate(net.parts):  # a stretch ends at a result
        group.append(i if part.returned else starts.setdefault((when[i] // per, int(results[when[i]])), i))

    def box(parts: list[Part], _first: int) -> Part | None:
        if len(parts) == 1:
            return None
        part = _one_box(parts)
        ids = [f"n{p.id.lstrip('gn')}" for p in parts if p.node is not None]
        part.title = f"{ids[0]} … {ids[-1]}" if len(ids) > 1 else (ids or [parts[0].id])[0]
        part.frame = net.root
        return part

    return _merge(net, group, box)
