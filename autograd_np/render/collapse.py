"""Fewer boxes: neighbourhoods, modules as one box, repeated blocks drawn once, chains, and pictures of huge graphs.

Every step maps the parts of a Net to fewer parts. Nothing here recurses, so a chain may be as long as memory allows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from autograd_np.node import Node

__all__ = ["Net", "Part", "around_of", "collapse", "components"]

LEAST_REPEATS = 3
SHARED = 16  # a result that is read more often than this is read by every turn of a loop
SEGMENTS = 36  # boxes of a graph without any structure that is too large to draw


@dataclass
class Part:
    """One box to be: a Node, a constant, or (with a `title`) a group.

    Attributes
    ----------
    operands : list of (int, int)
        The parts it reads, by position in the Net, and which operand of the operation that is.
    count : int
        How many identical parts it stands for, drawn once.
    size : int
        How many Nodes it stands for.
    detail : str
        Attributes and scalar operands; parts that differ in these alone are drawn once, and `varied` says that they do.
    """

    id: str
    node: Node | None
    signature: Hashable
    operands: list[tuple[int, int]]
    module: str = ""
    constant: Any = None
    size: int = 1
    returned: bool = False
    title: str | None = None
    count: int = 1
    contents: str = ""
    members: tuple[Node, ...] = ()
    detail: str = ""
    varied: bool = False

    @property
    def needs(self) -> bool:
        """A gradient flows to it."""
        return any(n.needs for n in (self.members or ((self.node,) if self.node else ())))

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The Nodes it stands for."""
        return self.members or ((self.node,) if self.node else ())


@dataclass
class Net:
    """Parts in evaluation order, and titles and counts of the frames around them."""

    parts: list[Part]
    titles: dict[str, tuple[str, int]] = field(default_factory=dict)


def components(path: str) -> list[str]:
    """Return the paths of the modules that a path leads through, outermost first; an index belongs to its list.

    Examples
    --------
    >>> components("encoder.layers.0.attention")
    ['encoder', 'encoder.layers.0', 'encoder.layers.0.attention']
    """
    found: list[str] = []
    words = path.split(".") if path else []
    for i, word in enumerate(words):
        whole = ".".join(words[: i + 1])
        if word.isdecimal() and i and not words[i - 1].isdecimal():
            found[-1] = whole
        else:
            found.append(whole)
    return found


def collapse(
    net: Net, *, depth: int | None, fold: bool, repeats: bool, max_nodes: int, notes: list[str], classes: Mapping[str, str]
) -> Net:
    """Return the Net with at most `max_nodes` parts, and as many as asked for; say in `notes` what was left out."""
    total = sum(p.size for p in net.parts)
    if repeats:
        net = _repeated_modules(net, classes)
    if depth is not None:
        net = _to_depth(net, depth, classes)
    if fold:
        net = _chains(net)
    if len(net.parts) <= max_nodes:
        return net
    before = len(net.parts)
    steps: list[Callable[[Net], Net]] = [] if repeats else [lambda n: _repeated_modules(n, classes)]
    deepest = max(len(components(p.module)) for p in net.parts)
    steps += [lambda n, d=d: _to_depth(n, d, classes) for d in range(deepest - 1, -1, -1)]  # type: ignore[misc]
    steps += [_twins, _periods, _chains, _segments]
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
    return Net(parts, net.titles)


# --- merging --------------------------------------------------------------------------------------


def _merge(net: Net, group: Sequence[int], box: Callable[[list[Part]], Part], titles: dict[str, tuple[str, int]] | None = None) -> Net:
    """Return the Net in which the parts of a group have become one, made by `box` from the list of them."""
    members: dict[int, list[int]] = {}
    for i, g in enumerate(group):
        members.setdefault(g, []).append(i)
    # a group stands where its first operation does, not where a parameter was made
    order = sorted(members.values(), key=lambda inside: next((i for i in inside if net.parts[i].operands), inside[0]))
    if box is not _same:
        order = _after_operands(net, order)
    place = {i: k for k, inside in enumerate(order) for i in inside}
    parts = []
    for k, inside in enumerate(order):
        olds = [net.parts[i] for i in inside]
        part = box(olds) if len(olds) > 1 or box is _one_box else replace(olds[0])
        grouped = part.title is not None
        operands: dict[tuple[int, int], None] = {}
        for old in olds:
            for source, position in old.operands:
                if place[source] != k or not grouped:
                    operands[place[source], 0 if grouped and len(olds) > 1 else position] = None
        part.operands = list(operands)
        if len(olds) > 1:
            part.size = sum(p.size for p in olds)
            part.members = tuple(n for p in olds for n in p.nodes)
            part.returned = any(p.returned for p in olds)
        parts.append(part)
    return Net(parts, {**net.titles, **(titles or {})})


def _after_operands(net: Net, order: Sequence[list[int]]) -> list[list[int]]:
    """Put groups behind what they read, and else leave their order; what reads itself, or the turn before, keeps its place."""
    place = {i: k for k, inside in enumerate(order) for i in inside}
    reads = [{place[s] for i in inside for s, _ in net.parts[i].operands if s < i} - {k} for k, inside in enumerate(order)]
    found: list[list[int]] = []
    done: set[int] = set()
    begun: set[int] = set()
    for start in range(len(order)):
        todo = [start]
        while todo:
            k = todo[-1]
            missing = () if k in begun else sorted(reads[k] - done - begun, reverse=True)
            begun.add(k)
            if missing:
                todo += missing
                continue
            todo.pop()
            if k not in done:
                done.add(k)
                found.append(order[k])
    return found


def _same(parts: list[Part]) -> Part:
    """Draw the first of several identical parts, with their number."""
    varied = any(p.varied or p.detail != parts[0].detail for p in parts)
    return replace(parts[0], count=sum(p.count for p in parts), varied=varied)


def _one_box(parts: list[Part]) -> Part:
    """Draw several parts as one box that says what is inside."""
    ops = Counter(n.op.name for p in parts for n in p.nodes if n.op is not None)
    turns = min(p.count for p in parts)  # what a box that is repeated holds is told once
    ops = Counter({name: max(1, n // turns) for name, n in ops.items()})
    shown = [f"{name} ×{n}" if n > 1 else name for name, n in ops.most_common(4)]
    contents = ", ".join(shown) + (", …" if len(ops) > 4 else "")
    last = next((p.node for p in reversed(parts) if p.node is not None), None)
    first = parts[0]
    module = first.module
    return Part(f"g{first.id.lstrip('gn')}", last, ("group",), [], module, title="", contents=contents, count=turns)


def _to_depth(net: Net, depth: int, classes: Mapping[str, str]) -> Net:
    """Draw modules that are nested deeper than `depth` as one box each."""
    keys: dict[str, int] = {}
    group = []
    for i, part in enumerate(net.parts):
        path = components(part.module)
        group.append(keys.setdefault(path[depth], i) if len(path) > depth else i)

    def box(parts: list[Part]) -> Part:
        path = components(parts[0].module)[depth]
        part = _one_box(parts)
        title = net.titles.get(path, ("", 1))[0]
        outer = components(path)[-2] if depth else ""
        part.title = title or _titled(path.removeprefix(f"{outer}."), classes.get(path, ""))
        part.module = outer
        return part

    return _merge(net, group, box)


def _titled(name: str, kind: str) -> str:
    return f"{name} · {kind}" if kind else name


# --- what is repeated -----------------------------------------------------------------------------


def _repeated_modules(net: Net, classes: Mapping[str, str]) -> Net:
    """Draw runs of identical sibling modules once: layers.0 … layers.11."""
    inside: dict[str, list[int]] = {}
    for i, part in enumerate(net.parts):
        for path in components(part.module):
            inside.setdefault(path, []).append(i)
    families: dict[str, list[str]] = {}
    for path in inside:
        stem, _, last = path.rpartition(".")
        if last.isdecimal():
            families.setdefault(stem, []).append(path)
    group = list(range(len(net.parts)))
    titles: dict[str, tuple[str, int]] = {}
    for stem in sorted(families, key=lambda s: s.count(".")):  # outermost first: what is folded with its parent stays so
        run: list[str] = []
        for path in [*sorted(families[stem], key=lambda p: int(p.rpartition(".")[2])), ""]:
            if run and path and _alike(net, inside[run[0]], run[0], inside[path], path) and _follows(run[-1], path):
                run.append(path)
                continue
            if len(run) >= LEAST_REPEATS and all(group[i] == i for i in inside[run[0]]):
                for other in run[1:]:
                    for i, j in zip(inside[run[0]], inside[other], strict=True):
                        group[j] = i
                name = run[0].removeprefix(f"{components(run[0])[-2]}.") if len(components(run[0])) > 1 else run[0]
                kind = classes.get(run[0], "Block")
                titles[run[0]] = (f"{name} … {run[-1].rpartition('.')[2]} · {kind} ×{len(run)}", len(run))
            run = [path] if path else []
    for j, i in enumerate(group):
        group[j] = group[i]  # what a fold refers to may have been folded itself, into something before it
    return _merge(net, group, _same, titles) if titles else net


def _follows(a: str, b: str) -> bool:
    return int(b.rpartition(".")[2]) == int(a.rpartition(".")[2]) + 1


def _alike(net: Net, these: list[int], path: str, those: list[int], other: str) -> bool:
    """Whether two modules compute the same: the same operations on the same shapes, wired in the same way."""
    if len(these) != len(those):
        return False
    here, there = {i: k for k, i in enumerate(these)}, {i: k for k, i in enumerate(those)}
    for i, j in zip(these, those, strict=True):
        a, b = net.parts[i], net.parts[j]
        if a.signature != b.signature or a.module.removeprefix(path) != b.module.removeprefix(other):
            return False
        if [(here.get(s), p) for s, p in a.operands] != [(there.get(s), p) for s, p in b.operands]:
            return False
    return True


def _twins(net: Net) -> Net:
    """Draw parts that do the same to the same operands once, and leaves that are used alike once: fan-out and fan-in."""
    group: list[int] = []
    seen: dict[Hashable, int] = {}
    for i, part in enumerate(net.parts):
        if part.operands:
            reads = tuple((group[s] if s < i else s, p) for s, p in part.operands)
            key: Hashable = (part.signature, part.module, part.title, part.returned, reads)
            group.append(seen.setdefault(key, i))
        else:
            group.append(i)
    users: dict[int, set[int]] = {}
    for i, part in enumerate(net.parts):
        for s, _ in part.operands:
            users.setdefault(s, set()).add(group[i])
    leaves: dict[Hashable, int] = {}
    for i, part in enumerate(net.parts):
        if not part.operands:
            key = (part.signature, part.module, part.node is None, frozenset(users.get(i, ())), part.returned)
            group[i] = leaves.setdefault(key, i)
    return _merge(net, group, _same)


def _periods(net: Net, longest: int = 400) -> Net:
    """Draw the longest run of one pattern of operations once, as a block: an unrolled loop."""
    parts = net.parts
    if len(parts) < 3 * LEAST_REPEATS:
        return net
    letters: dict[Hashable, int] = {}
    inner = [i for i, p in enumerate(parts) if p.operands]
    where = {i: k for k, i in enumerate(inner)}
    uses = Counter(s for p in parts for s, _ in p.operands)

    def letter(k: int, part: Part) -> int:
        """Return a number for what the part does, and how far back it reads, unless from what everything reads."""
        reads = tuple((s, 0) if uses[s] > SHARED else (-1, k - where[s]) for s, _ in part.operands if s in where)
        return letters.setdefault((part.signature, part.contents, reads), len(letters))

    word = np.array([letter(k, parts[i]) for k, i in enumerate(inner)])
    best = (0, 0, 0)  # saved boxes, period, start
    for period in range(1, min(longest, len(word) // LEAST_REPEATS) + 1):
        same = np.concatenate(([0], (word[:-period] == word[period:]).astype(np.int8), [0]))
        change = np.flatnonzero(np.diff(same))
        if len(change):
            starts, ends = change[::2], change[1::2]
            k = int(np.argmax(ends - starts))
            run = int(ends[k] - starts[k])
            saved = run // period * period
            if run >= (LEAST_REPEATS - 1) * period and saved > best[0]:
                best = (saved, period, int(starts[k]))
    saved, period, start = best
    if saved < len(parts) // 4:
        return net
    turns = saved // period + 1
    group = list(range(len(parts)))
    path = f"repeat_{start}"
    block = set()
    for turn in range(turns):
        for k in range(period):
            i = inner[start + turn * period + k]
            group[i] = inner[start + k]
            block.add(i)
    # a leaf that each turn has one of is drawn once, too
    users: dict[int, set[tuple[int, int]]] = {}
    for i in block:
        for s, position in parts[i].operands:
            users.setdefault(s, set()).add((group[i], position))
    leaves: dict[Hashable, int] = {}
    for s in sorted(users):
        if not parts[s].operands:
            group[s] = leaves.setdefault((parts[s].signature, parts[s].node is None, frozenset(users[s])), s)
    heads = {group[i] for i in block}
    framed = [replace(p, module=path if i in heads else p.module) for i, p in enumerate(parts)]
    return _merge(Net(framed, net.titles), group, _same, {path: (f"Block ×{turns:,}", turns)})


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
            alike = _elementwise(before) and before.module == part.module and before.count == part.count
            if s < i and users[s] == 1 and not before.returned and alike:
                group[i] = group[s]
                break

    def box(parts: list[Part]) -> Part:
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
    when = [first_user.get(i, i) if not p.operands else i for i, p in enumerate(net.parts)]
    per = -(-len(net.parts) // SEGMENTS)
    group: list[int] = []
    starts: dict[int, int] = {}
    for i, part in enumerate(net.parts):
        group.append(i if part.returned else starts.setdefault(when[i] // per, i))

    def box(parts: list[Part]) -> Part:
        part = _one_box(parts)
        ids = [f"n{p.id.lstrip('gn')}" for p in parts if p.node is not None]
        part.title = f"{ids[0]} … {ids[-1]}" if len(ids) > 1 else (ids or [parts[0].id])[0]
        part.module = ""
        return part

    return _merge(net, group, box)
