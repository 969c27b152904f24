"""What a picture shows, before any renderer decides how: boxes, arrows and frames with their texts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from autograd_np.node import Node
from autograd_np.render.frames import Kind as FrameKind

__all__ = ["Drawing", "DrawnCluster", "DrawnEdge", "DrawnNode", "Kind", "Verdict"]

Kind = Literal["input", "parameter", "constant", "operation", "output", "group"]
Verdict = Literal["ok", "wrong", "unknown"]


@dataclass(slots=True)
class DrawnNode:
    """One box of the picture.

    Attributes
    ----------
    id : str
        ``n5``: the position of the recorded Node in its graph, so the same program gives the same ids; ``c0`` for
        constants, ``g7`` for a group that starts at ``n7``.
    kind : str
        ``"input"``, ``"parameter"``, ``"constant"``, ``"operation"``, ``"output"`` (an operation whose result
        is returned) or ``"group"`` (several operations in one box).
    op : str
        The operation, with its attributes and scalar operands: ``sum(axis=0)``, ``power(·, 2)``; empty for leaves.
    name, short : str
        The user's name, and what of it is enough inside the frame; empty if there is none.
    module : str
        The path of the frame around it; empty at the top.
    called : str
        What rules call it for want of a name: its id. Empty where no rules are shown.
    shape, dtype : tuple, str
        Of the result.
    value, gradient, rule : tuple of str
        Lines of text; empty if they were not asked for.
    order : int or None
        Its number in the reverse sweep, from 1; ``None`` if no gradient reaches it or it was not asked for.
    memory : str
        Size of the result, as text.
    size : int
        How many recorded Nodes it stands for.
    verdict, note : str
        From a check: ``"ok"``, ``"wrong"``, ``"unknown"`` or empty, and what there is to say.
    returned : bool
        It is a result of the graph.
    node : Node or None
        The recorded Node; ``None`` for constants and groups.
    title : tuple of str
        Everything known in full, a line each: the tooltip.
    """

    id: str
    kind: Kind
    op: str = ""
    name: str = ""
    short: str = ""
    called: str = ""
    shape: tuple[int, ...] = ()
    dtype: str = ""
    value: tuple[str, ...] = ()
    gradient: tuple[str, ...] = ()
    rule: tuple[str, ...] = ()
    order: int | None = None
    memory: str = ""
    module: str = ""
    size: int = 1
    verdict: Verdict | Literal[""] = ""
    note: str = ""
    returned: bool = False
    node: Node | None = None
    title: tuple[str, ...] = ()


@dataclass(slots=True)
class DrawnEdge:
    """An arrow: an operand on its way to an operation, or a gradient on its way back (`backward`)."""

    source: str
    target: str
    label: str = ""
    backward: bool = False


@dataclass(slots=True)
class DrawnCluster:
    """A frame.

    Attributes
    ----------
    path, title : str
        ``layers.0`` and ``layers.0 · Linear``; what is no module has a path that none has.
    parent : str
        The path of the frame around it; empty at the top.
    kind : str
        ``"module"``, ``"call"`` of a function, ``"turn"`` of what is repeated, or ``"turns"``.
    turns : int
        How many turns it stands for, if a reader of what is repeated need not see it open: 18 for all but the first and the last.
    """

    path: str
    title: str
    parent: str = ""
    kind: FrameKind = "module"
    turns: int = 0


@dataclass(slots=True)
class Drawing:
    """What a picture shows.

    Attributes
    ----------
    nodes, edges, clusters : list
        Nodes in evaluation order; clusters outermost first.
    notes : list of str
        What the reader must be told: that nodes were collapsed, what the gradient is of, how much memory is held.
    total : int
        How many recorded Nodes the graph has.
    """

    nodes: list[DrawnNode] = field(default_factory=list)
    edges: list[DrawnEdge] = field(default_factory=list)
    clusters: list[DrawnCluster] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    total: int = 0
