"""How much of a graph can be read on one screen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from autograd_np.render.collapse import close
from autograd_np.render.frames import Frame
from autograd_np.render.parts import Net, Part

__all__ = ["SCREEN", "Room", "too_much"]


class Room(NamedTuple):
    """A screen, in the units of a drawing that is just large enough to be read.

    Attributes
    ----------
    width, height : float
        Of the screen.
    box, group, gap : (float, float)
        Width and height of a usual box and of one with several operations, and the room between boxes.
    turned : bool
        The drawing may go from left to right.
    sizes : mapping
        Width and height of boxes where these are known, by the id of the part, or by the path of the frame that is drawn as one box.
    """

    width: float
    height: float
    box: tuple[float, float]
    group: tuple[float, float]
    gap: tuple[float, float]
    turned: bool = True
    sizes: Mapping[str, tuple[float, float]] = MappingProxyType({})


SCREEN = Room(1660, 1040, (90, 40), (150, 60), (20, 25))
"""1280 × 800 pixels, where a letter of 11 points in the drawing has 8.5 pixels."""
MOST = 80
"""Boxes: no screen shows more."""
EDGE = 34  # what a frame adds to the length
LETTER = 6.4


def too_much(net: Net, closed: Iterable[Frame], room: Room) -> set[Frame]:
    """Return the frames that have to be closed for the rest to be read on one screen: all that are closed anyway, and more.

    Frames are opened from the outermost inwards as long as there is room: of a repetition the first turn and then the last, and then
    all others that are beside each other at once. Beside a repetition whose first turn has no room, nothing is opened: what repeats is
    what a reader looks for, and the rest would only take the room.

    Parameters
    ----------
    net : Net
    closed : iterable of Frame
        These stay closed.
    room : Room
    """
    shut = set(closed)
    if _fits(net, shut, room):
        return shut
    boxes = Counter(part.frame for part in net.parts)
    steps: dict[tuple[int, bool, Frame | None], list[Frame]] = {}
    for frame in net.frames():
        boxes[frame.parent or net.root] += 1
        if not any(outer in shut for outer in frame.around()):
            depth = sum(1 for _ in frame.around())
            steps.setdefault((depth, not frame.run, frame if frame.run else frame.parent), []).append(frame)
    now = shut.union(*steps.values())
    seen = boxes[net.root]
    no_room: set[int] = set()
    opened: set[int] = set()
    beside: set[Frame | None] = set()  # what has a repetition inside that could not be opened
    for _, frames in sorted(steps.items(), key=lambda item: item[0][:2]):
        more = sum(boxes[frame] - 1 for frame in frames)
        run, parent = frames[0].run, frames[0].parent
        if parent in now or run in no_room or (not run and parent in beside):
            continue
        if seen + more <= MOST and _fits(net, now.difference(frames), room):
            now, seen = now.difference(frames), seen + more
            opened.add(run)
        elif run:
            no_room.add(run)
            if run not in opened:
                beside.add(parent)
    return now


def _fits(net: Net, closed: Collection[Frame], room: Room) -> bool:
    net = close(net, closed)
    if len(net.parts) > MOST:
        return False
    down, across = _extent(net, room, 1), _extent(net, room, 0)
    return (down[0] <= room.width and down[1] <= room.height) or (room.turned and across[0] <= room.width and across[1] <= room.height)


def _extent(net: Net, room: Room, along: int) -> tuple[float, float]:
    """Return how large a drawing becomes, roughly, whose ranks follow each other along one of its axes."""
    ranks = _ranks(net)
    rows: dict[int, list[tuple[float, float]]] = {}
    begins: dict[Frame, int] = {}
    for part, rank in zip(net.parts, ranks, strict=True):
        rows.setdefault(rank, []).append(_size(part, room))
        for frame in part.frame.around():
            begins[frame] = min(rank, begins.get(frame, rank))
    edges: dict[int, int] = {}
    for part, rank in zip(net.parts, ranks, strict=True):
        edges[rank] = max(edges.get(rank, 0), sum(begins[frame] == rank for frame in part.frame.around()))
    length = sum(max(size[along] for size in row) + room.gap[along] for row in rows.values()) + EDGE * sum(edges.values())
    breadth = max(sum(size[1 - along] + room.gap[1 - along] for size in row) for row in rows.values())
    return (length, breadth) if along == 0 else (breadth, length)


def _ranks(net: Net) -> list[int]:
    """Return the rank of each part: one more than those of what it reads; a leaf stands beside what its first reader reads."""
    ranks = [0] * len(net.parts)
    first = [len(net.parts)] * len(net.parts)
    for i, part in enumerate(net.parts):
        if part.operands:
            ranks[i] = 1 + max(ranks[s] for s, _ in part.operands)
        for s, _ in part.operands:
            first[s] = min(first[s], ranks[i])
    return [max(0, first[i] - 1) if part.is_leaf and first[i] < len(net.parts) else ranks[i] for i, part in enumerate(net.parts)]


def _size(part: Part, room: Room) -> tuple[float, float]:
    known = room.sizes.get(part.id if part.inside is None else part.inside.path)
    if known is not None:
        return known
    if part.title is None:
        return room.box
    return max(room.group[0], LETTER * max(len(part.title), len(part.contents)) + 36), room.group[1]
