"""What is repeated: stretches of the order of execution that do the same, one after the other.

A *turn* is such a stretch. Turns are alike if the same operations stand in the same places, on operands of the same shapes, and
read each other in the same way; a number or an index may differ. What comes from outside a turn may come from the turn before, at the
same distance in each; or from outside all turns, be it the same for all (shared weights) or not (weights of their own). Where the
lines are known that operations were called in, these have to be the same, too.
"""

from __future__ import annotations

import reprlib
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from itertools import count, pairwise
from typing import NamedTuple

import numpy as np

from autograd_np.node import Node
from autograd_np.render.frames import Frame
from autograd_np.render.parts import Net
from autograd_np.typing import Array

__all__ = ["Program", "find_turns", "first_alike"]

LEAST = 3
"""Turns that are worth a frame."""
WORK = 20_000_000
"""Comparisons of the search for periods: about a tenth of a second."""


class Program:
    """Operations by number, in the order of execution: what each does, and the numbers of those it reads.

    Parameters
    ----------
    nodes : sequence of Node
        Operations.
    """

    def __init__(self, nodes: Sequence[Node]) -> None:
        at = {node: i for i, node in enumerate(nodes)}
        self._numbers: dict[Hashable, int] = {}
        self.names = [node.op.name if node.op else "" for node in nodes]
        self.sites = [node.site or "" for node in nodes]
        self.letters = [self.number(_does(node)) for node in nodes]
        self.reads = [[-1 if p is None else at.get(p, -1) for p in node.parents] for node in nodes]
        """-1 stands for a leaf, or a constant."""
        self.runs = count(1)

    def number(self, what: Hashable) -> int:
        """Return a number that equal things have in common."""
        return self._numbers.setdefault(what, len(self._numbers))


def _does(node: Node) -> Hashable:
    """Return what an operation does, apart from the numbers that it is given and the places that it picks."""
    shapes = tuple(map(np.shape, node.values))
    attributes = reprlib.repr({k: v for k, v in node.attrs.items() if k != "index"}) if node.attrs else ""
    return (node.op, np.shape(node.out), getattr(node.out, "dtype", None), shapes, len(node.parents), attributes, node.site)


class _Item(NamedTuple):
    """Something in a frame: what it does, as a number; where it starts and how many operations it has; its line; itself."""

    letter: int
    start: int
    size: int
    site: str
    things: list[int | Frame]


def find_turns(root: Frame, program: Program) -> None:
    """Put what is repeated inside each frame into frames: the first turn, those between, and the last.

    Parameters
    ----------
    root : Frame
        From `frames_of_calls`.
    program : Program
        The operations that its frames hold by number.
    """
    items: dict[Frame, _Item] = {}
    for frame in reversed([*root.inside()]):  # inner ones first
        own = [_operation(item, program) if isinstance(item, int) else items.pop(item) for item in frame.items]
        own = _repeated(own, program)
        frame.items = [thing for item in own for thing in item.things]
        letter = program.number((frame.kind, frame.alike, tuple(item.letter for item in own)))
        items[frame] = _Item(letter, own[0].start if own else 0, sum(item.size for item in own), frame.site, [frame])
    numbers = count(1)
    for frame in root.inside():
        for item in frame.items:
            if isinstance(item, Frame):
                item.parent = frame
                item.path = item.path or f"{item.kind} {next(numbers)}"


def first_alike(net: Net) -> dict[Node, tuple[Node, str]]:
    """Return, for what is in a box of turns but not in the first of them, what is in its place there, and what that turn is called."""
    operations = net.operations
    alike: dict[int, tuple[int, str]] = {}
    for frame in net.frames():  # outer ones first: what is in turns of turns is found in steps
        if frame.kind == "turns" and isinstance(frame.items[0], Frame):
            first, *others = [sorted(item.numbers()) for item in frame.items if isinstance(item, Frame)]
            for other in others:
                for number, like in zip(other, first, strict=True):
                    alike.setdefault(number, (like, frame.items[0].title))
    found: dict[Node, tuple[Node, str]] = {}
    for number, (like, title) in alike.items():
        while like in alike:
            like, title = alike[like]
        node, other_node = operations[number].node, operations[like].node
        if node is not None and other_node is not None:
            found[node] = other_node, title
    return found


def _operation(number: int, program: Program) -> _Item:
    return _Item(program.letters[number], number, 1, program.sites[number], [number])


def _repeated(items: list[_Item], program: Program) -> list[_Item]:
    """Return the items of a frame with those that are repeated replaced by frames."""
    while len(items) >= LEAST:
        runs = sorted(_runs(items, program))
        if not runs:
            break
        found: list[_Item] = []
        end = 0
        for start, period, turns in runs:
            found += items[end:start]
            end = start + period * turns
            found.append(_run([items[i : i + period] for i in range(start, end, period)], program))
        items = found + items[end:]
    return items


def _run(turns: list[list[_Item]], program: Program) -> _Item:
    """Return what turns become: the first, a frame around those between, and the last."""
    number = next(program.runs)
    things = [_turn(items, k, len(turns), number, program) for k, items in enumerate(turns, 1)]
    middle = things[1:-1]
    if len(middle) > 1 or isinstance(middle[0], int):
        title = _title(middle, program)
        things[1:-1] = [Frame("", title, "turns", folded=True, items=middle)]
    else:
        middle[0].folded = True
    first = turns[0]
    letter = program.number(("turns", len(turns), tuple(item.letter for item in first)))
    return _Item(letter, first[0].start, sum(item.size for items in turns for item in items), first[0].site, things)


def _turn(items: list[_Item], k: int, of: int, run: int, program: Program) -> int | Frame:
    """Return a turn: the operation or the frame that it is, or else a frame of its own."""
    things = items[0].things
    if len(items) > 1 or len(things) > 1:
        things = [thing for item in _repeated(items, program) for thing in item.things]
        return Frame("", f"turn {k} of {of}", "turn", run=run, turns=of, items=things)
    if isinstance(things[0], Frame):
        things[0].run, things[0].turns = run, of
    return things[0]


def _title(turns: Sequence[int | Frame], program: Program) -> str:
    """Return what the turns between the first and the last are called together."""
    first, last, times = turns[0], turns[-1], f"×{len(turns):,}"
    if isinstance(first, int) or isinstance(last, int):
        return f"{program.names[first] if isinstance(first, int) else first.title} {times}"
    if first.kind == "module" and first.title != last.title:
        name, dot, kind = first.title.partition(" · ")
        end = last.title.partition(" · ")[0]
        if name.endswith("]") and end.endswith("]"):  # layers[1] and layers[48]
            return f"{name[:-1]} … {end.rpartition('[')[2]}{dot}{kind} {times}"
        return f"{name} … {end.rpartition('.')[2]}{dot}{kind} {times}"
    if first.kind == "turn":
        k, end = (frame.title.split()[1] for frame in (first, last))
        return f"turns {k} … {end} {times}"
    return f"{first.title} {times}"


# --- the search -----------------------------------------------------------------------------------


def _runs(items: list[_Item], program: Program) -> Iterator[tuple[int, int, int]]:
    """Yield start, period and number of turns of what is repeated; what hides more comes first, and nothing overlaps."""
    taken = np.zeros(len(items), bool)
    sizes = np.cumsum([0, *(item.size for item in items)])
    for start, period, length in _candidates(np.array([item.letter for item in items]), sizes):
        if taken[start : start + length].any():
            continue  # what is left of it is looked for when this is done
        shift = _shift(items, start, period)
        for begin, turns in _consistent(items, start + shift, period, (length - shift) // period, program):
            if turns >= LEAST and _hidden(sizes, begin, period, turns) > 1:
                taken[begin : begin + turns * period] = True
                yield begin, period, turns


def _hidden(sizes: Array, start: int, period: int, turns: int) -> int:
    """Return how many operations are neither in the first turn nor in the last."""
    return int(sizes[start + (turns - 1) * period] - sizes[start + period])


def _candidates(word: Array, sizes: Array) -> list[tuple[int, int, int]]:
    """Return start, period and length of the stretches of a word that are repetitions, letter by letter."""
    found = []
    for period in range(1, min(len(word) // LEAST, max(WORK // len(word), 100)) + 1):
        same = np.concatenate(([False], word[:-period] == word[period:], [False]))
        change = np.flatnonzero(same[1:] != same[:-1])
        starts, lengths = change[::2], change[1::2] - change[::2] + period
        for k in np.flatnonzero(lengths >= LEAST * period):
            start, length = int(starts[k]), int(lengths[k])
            found.append((-_hidden(sizes, start, period, length // period), period, start, length))
    return [(start, period, length) for _, period, start, length in sorted(found)]


def _shift(items: list[_Item], start: int, period: int) -> int:
    """Return where in a period a turn begins: where execution goes back to the first line of a loop, and furthest."""
    places = [item.site.rpartition(":") for item in items[start : start + period + 1]]
    file = Counter(name for name, _, _ in places).most_common(1)[0][0]
    lines = [int(line) if name == file and line.isdecimal() else None for name, _, line in places]
    steps = [(now, -before, k) for k, (before, now) in enumerate(pairwise(lines), 1) if before is not None and now is not None]
    return min((step for step in steps if step[0] < -step[1]), default=(0, 0, 0))[2] % period


def _consistent(items: list[_Item], start: int, period: int, turns: int, program: Program) -> Iterator[tuple[int, int]]:
    """Cut turns with the same letters where they read in other ways; yield where each row of turns begins, and its length."""
    size = sum(item.size for item in items[start : start + period])
    while turns >= LEAST:
        alike = _alike(items[start].start, size, turns, program.reads)
        yield start, alike
        start, turns = start + alike * period, turns - alike


def _alike(base: int, size: int, turns: int, reads: Sequence[Sequence[int]]) -> int:
    """Return how many turns, from the first on, read in the same way."""
    lags: dict[tuple[int, int], int] = {}
    for turn in range(1, turns):
        begin = base + turn * size
        for k in range(size):
            if len(reads[begin + k]) != len(reads[base + k]):
                return turn
            for slot, (source, first) in enumerate(zip(reads[begin + k], reads[base + k], strict=True)):
                if first >= base or source >= begin:  # from inside the turn
                    if source - begin != first - base:
                        return turn
                elif source >= base:  # from a turn before, as often as there is one
                    lag = begin + k - source
                    late = (k, slot) not in lags and begin - size + k - lag >= base
                    if late or lags.setdefault((k, slot), lag) != lag:
                        return turn
                elif (k, slot) in lags:
                    return turn
    return turns
