"""Parts: the boxes of a drawing before it is known which of them are drawn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from autograd_np.node import Node
from autograd_np.render.frames import Frame

__all__ = ["Net", "Part"]


@dataclass
class Part:
    """One box to be: a Node, a constant, or (with a `title`) a group.

    Attributes
    ----------
    operands : list of (int, int)
        The parts it reads, by position in the Net, and which operand of the operation that is.
    frame : Frame
        The innermost frame around it.
    size : int
        How many Nodes it stands for.
    inside : Frame, optional
        The frame that is drawn as this box.
    """

    id: str
    node: Node | None
    operands: list[tuple[int, int]]
    frame: Frame = field(default_factory=Frame)
    constant: Any = None
    size: int = 1
    returned: bool = False
    title: str | None = None
    contents: str = ""
    members: tuple[Node, ...] = ()
    inside: Frame | None = None

    @property
    def needs(self) -> bool:
        """A gradient flows to it."""
        return any(n.needs for n in self.nodes)

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The Nodes it stands for."""
        return self.members or ((self.node,) if self.node else ())

    @property
    def is_leaf(self) -> bool:
        """It is an input, a parameter or a constant."""
        return self.title is None and (self.node is None or self.node.op is None)


@dataclass
class Net:
    """Parts in evaluation order, and the frame of the whole."""

    parts: list[Part]
    root: Frame = field(default_factory=Frame)

    @property
    def operations(self) -> list[Part]:
        """The parts that are no leaves, which the frames hold by their numbers."""
        return [part for part in self.parts if not part.is_leaf]

    def frames(self) -> Iterator[Frame]:
        """Yield the frames that have a part in them, outer ones first."""
        seen: dict[Frame, None] = {}
        for part in self.parts:
            for frame in reversed([*part.frame.around()]):
                seen.setdefault(frame)
        yield from seen
