"""Frames around what belongs together: calls of modules and functions, and turns of what is repeated.

A frame is a stretch of the order of execution. Frames nest, and one that is drawn as a single box reads what was computed before
it and is read by what is computed after it, so closing frames never makes a circle.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count, takewhile
from typing import Literal

from autograd_np.graph import Graph
from autograd_np.lines import Call
from autograd_np.node import Node

__all__ = ["Frame", "Kind", "as_written", "common", "components", "frames_of_calls"]

Kind = Literal["module", "call", "turn", "turns"]


@dataclass(eq=False)
class Frame:
    """A frame, and what is inside in the order of execution: frames, and operations by their number.

    Attributes
    ----------
    path : str
        Tells it apart: ``layers.0`` for a module, and for the others what no module is called. Empty for the whole drawing.
    kind : str
        ``"module"``, ``"call"``, a ``"turn"`` of what is repeated, or ``"turns"``: all between the first and the last.
    prefix : str
        What the names of the things inside begin with.
    alike : str
        The same in frames that may be turns of one repetition: list and class of a module, name and line of a call.
    site : str
        The line it was called in, if that is known.
    folded : bool
        It is drawn as one box, if nobody asks for more.
    run, turns : int
        A number that it has in common with the other turns of a repetition, and how many these are; 0 for what is not repeated.
    """

    path: str = ""
    title: str = ""
    kind: Kind = "call"
    parent: Frame | None = None
    prefix: str = ""
    alike: str = ""
    site: str = ""
    folded: bool = False
    run: int = 0
    turns: int = 0
    items: list[int | Frame] = field(default_factory=list)

    @property
    def stands_for(self) -> int:
        """How many turns of what is repeated it is drawn as one box for, if nobody asks for more."""
        return 0 if not self.folded else len(self.items) if self.kind == "turns" else 1

    def around(self) -> Iterator[Frame]:
        """Yield the frame and those around it, the innermost first, but for the whole drawing."""
        frame: Frame | None = self
        while frame is not None and frame.parent is not None:
            yield frame
            frame = frame.parent

    def inside(self) -> Iterator[Frame]:
        """Yield the frame and those inside, in the order of execution, each before those inside it."""
        todo = [self]
        while todo:
            frame = todo.pop()
            yield frame
            todo += [item for item in reversed(frame.items) if isinstance(item, Frame)]

    def numbers(self) -> Iterator[int]:
        """Yield the numbers of its operations, in the order of execution."""
        for frame in self.inside():
            yield from (item for item in frame.items if isinstance(item, int))

    def first(self) -> int:
        """Return the number of its first operation."""
        item = self.items[0]
        while isinstance(item, Frame):
            item = item.items[0]
        return item


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


def as_written(path: str) -> str:
    """Return a path as Python reads what it leads to: the places in lists in brackets.

    Examples
    --------
    >>> as_written("encoder.layers.0.weight"), as_written("layers.1")
    ('encoder.layers[0].weight', 'layers[1]')
    """
    words = path.split(".")
    if len(words) < 2 or not all(word.isdecimal() or word.partition("[")[0].isidentifier() for word in words):
        return path
    return "".join(f"[{word}]" if word.isdecimal() else f".{word}" for word in words).removeprefix(".")


def common(a: Frame, b: Frame) -> Frame:
    """Return the innermost frame around both."""
    above = [*reversed([*a.around()])]
    other = [*reversed([*b.around()])]
    shared = [x for x, _ in takewhile(lambda pair: pair[0] is pair[1], zip(above, other, strict=False))]
    if shared:
        return shared[-1]
    while a.parent is not None:
        a = a.parent
    return a


def frames_of_calls(graph: Graph, nodes: Sequence[Node], modules: Sequence[str]) -> Frame:
    """Return a frame for every call of a module or function around some operations, which are numbered as they stand.

    Parameters
    ----------
    graph : Graph
    nodes : sequence of Node
        Operations in the order of execution.
    modules : sequence of str
        The path of the module of each.
    """
    root = Frame()
    numbers: dict[str, Iterator[int]] = {}
    opened: list[tuple[object, Frame]] = []
    running: list[Call] = []
    todo = list(reversed(graph.calls))
    for number, (node, module) in enumerate(zip(nodes, modules, strict=True)):
        while todo and todo[-1].start < node.index:
            running.append(todo.pop())
        running = [call for call in running if call.end > node.index]
        wanted = _around(running, module)
        shared = sum(1 for _ in takewhile(lambda pair: pair[0][0] == pair[1][0], zip(wanted, opened, strict=False)))
        del opened[shared:]
        for key, path, call in wanted[shared:]:
            parent = opened[-1][1] if opened else root
            frame = _module(graph.modules, path, call, parent) if path else _call(call, parent)
            nth = next(numbers.setdefault(frame.path, count(1)))
            frame.path += f" #{nth}" if nth > 1 else ""
            parent.items.append(frame)
            opened.append((key, frame))
        (opened[-1][1] if opened else root).items.append(number)
    return root


def _around(running: Sequence[Call], module: str) -> list[tuple[object, str, Call | None]]:
    """Return the frames around an operation: what tells each apart, the path of a module, and the call."""
    found: list[tuple[object, str, Call | None]] = []
    entered = 0
    for call in running:
        scopes = components(call.scope)
        found += [(path, path, None) for path in scopes[entered:]]
        if call.method and len(scopes) > entered:  # the module's own forward, which tells one call of it from the next
            found[-1] = (call.start, scopes[-1], call)
        else:
            found.append((call.start, "", call))
        entered = max(entered, len(scopes))
    return [*found, *((path, path, None) for path in components(module)[entered:])]


def _module(classes: Mapping[str, str], path: str, call: Call | None, parent: Frame) -> Frame:
    outer = next((frame.prefix for frame in parent.around() if frame.kind == "module"), "")
    name, kind = path.removeprefix(outer), classes.get(path, "")
    called = as_written(name)
    title = f"{called} · {kind}" if kind.lower() not in ("", called.lower()) else called
    stem, _, last = name.rpartition(".")
    alike = f"{stem}.* {kind}" if last.isdecimal() else name
    return Frame(path, title, "module", parent, f"{path}.", alike, call.site if call else "")


def _call(call: Call | None, parent: Frame) -> Frame:
    assert call is not None
    return Frame(f"{call.name}()", call.name, "call", parent, f"{call.name}.", f"{call.name} {call.site}", call.site)
