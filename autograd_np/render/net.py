"""Graph -> Net: a part for every Node and constant array, in the frames of modules, calls and turns."""

from __future__ import annotations

from collections.abc import Collection, Hashable
from functools import reduce
from itertools import zip_longest
from typing import NamedTuple

import numpy as np

from autograd_np.graph import Graph, is_parameter
from autograd_np.node import Node
from autograd_np.render.frames import Frame, common, frames_of_calls
from autograd_np.render.modules import modules_of
from autograd_np.render.parts import Net, Part
from autograd_np.render.repetition import Program, find_turns
from autograd_np.tensor import value_of

__all__ = ["net_of"]


def net_of(graph: Graph, results: Collection[Node]) -> Net:
    """Return the graph as a Net; a constant stands just before it is first used.

    Parameters
    ----------
    graph : Graph
    results : collection of Node
        What is drawn as a result.
    """
    parts: list[Part] = []
    at: dict[Node, int] = {}
    constants: dict[int, int] = {}
    outputs = set(results)
    for i, node in enumerate(graph.nodes):
        operands: list[tuple[int, int]] = []
        for position, (parent, value) in enumerate(zip_longest(node.parents, node.values)):
            if parent is not None:
                operands.append((at[parent], position))
                continue
            array = value_of(value)
            if array is None or not np.ndim(array):
                continue
            if id(array) not in constants:
                constants[id(array)] = len(parts)
                parts.append(Part(f"c{len(constants) - 1}", None, [], constant=array, size=0))
            operands.append((constants[id(array)], position))
        at[node] = len(parts)
        parts.append(Part(f"n{i}", node, operands, returned=node in outputs))
    return Net(parts, _put_into_frames(graph, parts))


def _put_into_frames(graph: Graph, parts: list[Part]) -> Frame:
    operations = [part for part in parts if not part.is_leaf]
    nodes = [part.node for part in operations if part.node is not None]
    modules = dict(zip(graph.nodes, modules_of(graph), strict=True))
    backward = graph.gradient_nodes
    root = frames_of_calls(graph, nodes, ["backward" if node in backward else modules[node] for node in nodes])
    find_turns(root, Program(nodes))
    for frame in root.inside():
        for item in frame.items:
            if isinstance(item, int):
                operations[item].frame = frame
    readers: dict[int, list[tuple[int, int]]] = {}
    for number, part in enumerate(operations):
        for source, position in part.operands:
            readers.setdefault(source, []).append((number, position))
    traced = any(hasattr(node, "scope") for node in graph.nodes)
    leaves = []
    for i, part in enumerate(parts):
        if part.is_leaf:
            reading = readers.get(i, [])
            part.frame = reduce(common, (operations[number].frame for number, _ in reading)) if reading else root
            leaves.append(_Leaf(part, reading, is_parameter(part.node) if part.node is not None else traced))
    _put_outside(root, leaves)
    return root


class _Leaf(NamedTuple):
    """A leaf, the operations and operands that it is, and whether it belongs to the module or function that reads it."""

    part: Part
    reading: list[tuple[int, int]]
    own: bool


def _put_outside(root: Frame, leaves: list[_Leaf]) -> None:
    """Put leaves outside turns, but where each turn has one of its own, and inputs outside modules and functions."""
    while leaves:
        alike: dict[Hashable, list[tuple[_Leaf, Frame]]] = {}
        for leaf in leaves:
            turn = next((frame for frame in leaf.part.frame.around() if frame.run or _of_operations(frame)), root)
            place = frozenset((number - turn.first(), position) for number, position in leaf.reading) if turn.run else None
            alike.setdefault((turn.run, place), []).append((leaf, turn))
        leaves = []
        for some in alike.values():
            for leaf, turn in some:
                if len(some) < turn.turns:
                    leaf.part.frame = turn.parent or root
                    leaves.append(leaf)
                elif not leaf.own:
                    leaf.part.frame = turn


def _of_operations(frame: Frame) -> bool:
    """Whether a frame holds turns of one operation each, which have no frames."""
    return frame.kind == "turns" and isinstance(frame.items[0], int)
