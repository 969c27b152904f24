"""The user's code beside the graph: which functions it is, and at which of their lines each node was computed."""

from __future__ import annotations

import io
import keyword
import tokenize
from collections.abc import Iterator, Mapping, Sequence
from types import CodeType
from typing import Any, NamedTuple

from autograd_np.callers import is_users_file
from autograd_np.check.tell.places import file_shown
from autograd_np.check.watch.source import Function
from autograd_np.graph import Graph
from autograd_np.lines import Lines, Running
from autograd_np.node import Node
from autograd_np.text import visible

__all__ = ["Sources", "Spot"]


class Spot(NamedTuple):
    """A statement in the code that the page shows: the function by its place in it, and the first and last line."""

    source: int
    first: int
    last: int


class Sources:
    """The functions that computed a graph, the traced one first, and those of a backward pass.

    Parameters
    ----------
    graph : Graph
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._at: dict[CodeType, int] = {}
        self._seen: set[CodeType] = set()  # with those of which there is nothing to show
        self._functions: list[Function] = []
        self._running: dict[Node, Running] = {}
        self._spots: dict[tuple[int, int], Spot] = {}  # of the lines of functions, which run many times
        self._execution: dict[int, int] = {}
        """A number for each time that a statement ran, by the numbers of the lines that ran."""
        if graph.lines is not None:
            self._read(graph.lines)
        self._given = self._parameters()
        self.forward = len(self._functions)

    def _read(self, lines: Lines) -> None:
        for node in sorted(self.graph, key=lambda n: n.index):
            running = lines.of(node)
            if running is not None:
                chain = [running, *_callers(running)]
                for outer in reversed(chain):
                    self._take(outer.code)
                self._running[node] = next((r for r in chain if r.code in self._at), running)
        last: dict[int, tuple[Spot, int]] = {}  # of each call
        for running in lines.all:
            spot = self._spot(running)
            if spot is not None:
                before = last.get(running.call)
                goes_on = before is not None and before[0] == spot and spot.first < spot.last
                number = before[1] if before is not None and goes_on else running.number
                self._execution[running.number] = number
                last[running.call] = spot, number

    def _take(self, code: CodeType) -> None:
        if code in self._seen:
            return
        self._seen.add(code)
        if is_users_file(code.co_filename):
            function = Function(code)
            if function.lines:
                self._at[code] = len(self._functions)
                self._functions.append(function)

    def _parameters(self) -> dict[str, Spot]:
        """Return, for each parameter of the traced function, where it stands."""
        for function in self._functions[:1]:
            first = min(function.lines)
            last = max(first, min((s.lineno for s in function.statements), default=first + 1) - 1)
            return dict.fromkeys(function.parameters, Spot(0, first, last))
        return {}

    def add(self, function: Function) -> None:
        """Show a function of a backward pass, too."""
        if function.lines and function.code not in self._at:
            self._at[function.code] = len(self._functions)
            self._functions.append(function)

    def spot(self, function: Function, line: int, end: int) -> Spot | None:
        """Return where lines of a function are shown."""
        source = self._at.get(function.code)
        return None if source is None else Spot(source, line, end)

    def at(self, file: str, line: int) -> Spot | None:
        """Return where a line of a file is shown; of functions in functions, in the innermost."""
        inside = [(len(f.lines), i) for i, f in enumerate(self._functions) if f.filename == file and line in f.lines]
        return Spot(min(inside)[1], line, line) if inside else None

    def of(self, node: Node) -> Spot | None:
        """Return the statement that computed a node, or the head of the function it is a parameter of."""
        if node.op is None:
            return self._given.get((node.name or "").partition("[")[0])
        return self._spot(self._running.get(node))

    def callers(self, node: Node) -> list[Spot]:
        """Return the statements whose calls led there, the innermost first."""
        running = self._running.get(node)
        spots = (self._spot(r) for r in (_callers(running) if running is not None else ()))
        return [s for s in spots if s is not None]

    def _spot(self, running: Running | None) -> Spot | None:
        if running is None or running.code not in self._at:
            return None
        key = source, line = self._at[running.code], running.line
        if key not in self._spots:
            place = self._functions[source].place_at(line)
            self._spots[key] = Spot(source, place.line, place.end_line)
        return self._spots[key]

    def statements(self) -> list[list[Node]]:
        """Return the operations in the order in which they ran, by the statement that ran; each alone where that is not known."""
        found: list[list[Node]] = []
        before: int | None = None
        for node in sorted((n for n in self.graph if n.op is not None), key=lambda n: n.index):
            running = self._running.get(node)
            now = None if running is None else self._execution.get(running.number)
            if now is None or now != before:
                found.append([])
            found[-1].append(node)
            before = now
        return found

    def data(self, marks: Mapping[int, Mapping[int, str]]) -> list[dict[str, Any]]:
        """Return what the page shows: pieces of text with what kind of word they are, and the marks of lines."""
        texts = [_pieces(_dedented(list(f.lines.values()))) for f in self._functions]
        return [
            {
                "file": visible(file_shown(f.filename), longest=200),
                "name": visible(f.code.co_qualname.rpartition("<locals>.")[2], longest=100),
                "first": min(f.lines),
                "lines": [[[kind, visible(text, longest=400)] for kind, text in line] for line in texts[i]],
                "backward": i >= self.forward,
                "marks": {str(line): mark for line, mark in marks.get(i, {}).items()},
            }
            for i, f in enumerate(self._functions)
        ]


def _callers(running: Running) -> Iterator[Running]:
    outer = running.caller
    while outer is not None:
        yield outer
        outer = outer.caller


def _dedented(lines: Sequence[str]) -> list[str]:
    lines = [line.expandtabs() for line in lines]
    margin = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return [line[margin:] for line in lines]


def _pieces(lines: list[str]) -> list[list[tuple[str, str]]]:
    """Cut lines into words: keywords, numbers, strings, comments, and the rest."""
    kinds: dict[tuple[int, int], tuple[int, str]] = {}
    try:
        for token in tokenize.generate_tokens(io.StringIO("\n".join(lines) + "\n").readline):
            kind = _kind(token)
            for row in range(token.start[0], token.end[0] + 1) if kind else ():
                start = token.start[1] if row == token.start[0] else 0
                end = token.end[1] if row == token.end[0] else len(lines[row - 1])
                kinds[row, start] = end, kind
    except (tokenize.TokenError, SyntaxError, IndexError):
        pass
    found = []
    for row, line in enumerate(lines, 1):
        pieces: list[tuple[str, str]] = []
        column = 0
        for (_, start), (end, kind) in sorted(item for item in kinds.items() if item[0][0] == row):
            pieces += [("", line[column:start]), (kind, line[start:end])]
            column = end
        found.append([p for p in [*pieces, ("", line[column:])] if p[1]])
    return found


def _kind(token: tokenize.TokenInfo) -> str:
    if token.type == tokenize.NAME:
        return "k" if keyword.iskeyword(token.string) else ""
    return {tokenize.COMMENT: "c", tokenize.STRING: "s", tokenize.NUMBER: "n"}.get(token.type, "")
