"""What a live page is about: a function that is run again when its numbers or its file change. There is no web in it.

A session keeps the last page that could be made. Where the function cannot be run, be it that its file has a mistake or that it does
not like a number, the page stays and the problem is told beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from autograd_np import errors
from autograd_np.check.tell.report import BackwardReport
from autograd_np.check.watch.state import World, rng_state, set_rng_state
from autograd_np.explorer.explore import data_from, data_of
from autograd_np.explorer.story import Story
from autograd_np.graph import Graph
from autograd_np.live.numbers import Change, Loans, changeable, copied, elements, holds, number_of
from autograd_np.live.problems import problem_of
from autograd_np.live.verdict import verdict_of
from autograd_np.text import shown, shown_list
from autograd_np.typing import Array

__all__ = ["Program", "Session", "program_of"]


@dataclass(frozen=True)
class Program:
    """A function that can be run again.

    Attributes
    ----------
    graph : callable
        Returns the graph of the function for some arguments.
    inputs : tuple
        The arguments.
    function : callable
        Itself: what it captured can be changed, and draws the same random numbers at every run.
    check : callable or None
        Checks the backward pass that belongs to the function, for some arguments.
    files : frozenset of Path
        What the function was read from, and is to be read from again when it changes.
    running : callable
        What is to be around a run.
    options : dict
        Of `Graph.explore`.
    """

    graph: Callable[..., Graph]
    inputs: tuple[Any, ...]
    function: Callable[..., Any]
    check: Callable[..., BackwardReport] | None = None
    files: frozenset[Path] = frozenset()
    running: Callable[[], AbstractContextManager[Any]] = nullcontext
    options: dict[str, Any] = field(default_factory=dict)


def program_of(graph: Graph, **options: Any) -> Program:
    """Return the program that a graph was traced from.

    Raises
    ------
    RenderError
        If the graph was recorded, so that there is no function to run again.
    """
    if graph.made_by is None or graph.again is None:
        raise errors.RenderError(
            "a live page runs the function again, and this graph was recorded from Tensors; trace the function that computes it: "
            "ag.trace(f, *inputs).explore(live=True), or model.graph(x) of an nn.Module"
        )
    return Program(graph.again, graph.made_by[1], graph.made_by[0], options=options)


@dataclass(frozen=True)
class _Page:
    """One state of the page: what it shows, the arrays behind it by the names of their boxes, and the verdict."""

    data: dict[str, Any]
    plain: dict[str, Any]
    """The same before it was known what backward gives gradients for."""
    arrays: dict[str, Array]
    story: Story
    report: BackwardReport | None = None
    verdict: dict[str, Any] | None = None
    checked: dict[str, Any] | None = None
    """The page of the checked backward pass."""


class _Random:
    """The random numbers that a run draws: from NumPy's and Python's own generators, and from those among some values."""

    def __init__(self, values: Sequence[Any]) -> None:
        self.values = values
        self.state = rng_state(values)

    @contextmanager
    def again(self) -> Iterator[None]:
        """Draw the same numbers as every time before, and leave the generators as they were."""
        before = rng_state(self.values)
        set_rng_state(self.state, self.values)
        try:
            yield
        finally:
            set_rng_state(before, self.values)


class Session:
    """What is shown of a program, and how it follows the program and its numbers.

    Parameters
    ----------
    load : callable
        Returns the program as it is now; raises whatever is wrong with it.

    Attributes
    ----------
    changes : dict
        The numbers that were changed, by name and position.
    problem : dict or None
        What is wrong now.
    version : int
        Another one for each `data`.
    """

    def __init__(self, load: Callable[[], Program]) -> None:
        self._load = load
        self._program: Program | None = None
        self._page: _Page | None = None
        self._random = _Random(())
        self._loans = Loans()
        self.changes: dict[tuple[str, int], Change] = {}
        self.problem: dict[str, Any] | None = None
        self.version = 0
        self.files: frozenset[Path] = frozenset()
        self._trained: frozenset[str] = frozenset()  # what the backward pass gave gradients for when it was last checked
        self.reload()

    @property
    def data(self) -> dict[str, Any] | None:
        """What the page shows: that of the last run that went well; nothing before there was one."""
        return self._page.data if self._page else None

    @property
    def report(self) -> BackwardReport | None:
        """What the check of the backward pass found, if that was made since the last run."""
        return self._page.report if self._page else None

    @property
    def can_check(self) -> bool:
        """Whether there is a backward pass that was not checked since the last run."""
        page = self._page
        return self.problem is None and page is not None and page.report is None and bool(self._program and self._program.check)

    def state(self) -> dict[str, Any]:
        """Return all that the page tells, as JSON can hold it."""
        checkable = bool(self._program and self._program.check)
        return {
            "version": self.version,
            "data": self.data,
            "problem": self.problem,
            "changed": len(self.changes),
            "checks": checkable,
            "verdict": self._page.verdict if self._page else None,
            "checked": self._checked,
        }

    def reload(self) -> None:
        """Read the program anew. Changed numbers stay changed where the program has the number that was changed."""
        with self._told():
            program = self._load()
            self.files = program.files
            program = replace(program, inputs=copied(program.inputs))
            random = _Random(World(program.function).values)
            page = self._run(program, (), None, random)
            kept = {k: c for k, c in self.changes.items() if holds(page.arrays.get(c.name), c._replace(value=c.original))}
            if kept:
                page = self._run(program, kept.values(), page, random)
            self._program, self._page, self._random, self.changes = program, page, random, kept

    def edit(self, edits: Iterable[tuple[str, int, str]]) -> None:
        """Change numbers, and run again.

        Parameters
        ----------
        edits : iterable of (str, int, str)
            The name of an array, the position of an element in it, row by row, and the number as text.

        Raises
        ------
        RenderError
            If there is no such number to change, or the text is no number; then nothing is changed.
        """
        if self._page is None:
            raise errors.RenderError("there is nothing to change yet")
        changes = dict(self.changes)
        for name, at, text in edits:
            array = self._page.arrays.get(name)
            if array is None:
                there = shown_list(self._page.arrays)
                raise errors.RenderError(f"{shown(name)} is no array that can be changed; those are {there or 'none'}")
            if not 0 <= at < array.size:
                raise errors.RenderError(f"{shown(name)} has {array.size} elements, and no element {at}")
            value, original = number_of(text, array.dtype), array[elements(array, at)]
            change = Change(name, at, value, original)
            if holds(array, change):
                changes.pop((name, at), None)
            else:
                changes[name, at] = change
        self.changes = changes
        self._rerun()

    def reset(self) -> None:
        """Take all changes back, and run again."""
        self.changes = {}
        self._rerun()

    def check(self) -> None:
        """Check the backward pass, with the numbers as they are now."""
        program, page = self._program, self._page
        if program is None or page is None or program.check is None:
            return
        with self._told(), program.running(), self._loans.of(self.changes.values(), page.arrays), self._random.again():
            report = program.check(*program.inputs)
            self._trained = frozenset(report.gradients)
            data = self._with_parameters(page.plain, program)
            if _kinds(data) == _kinds(page.data):
                data = page.data
            else:
                self.version += 1
            self._page = replace(page, data=data, report=report, verdict=verdict_of(report))

    @property
    def can_walk(self) -> bool:
        """Whether the page of the checked backward pass is still to be made; the verdict does not wait for it."""
        return self.problem is None and self.report is not None and self.report.graph is not None and self._checked is None

    def walk(self) -> None:
        """Make the page of the checked backward pass."""
        page, report = self._page, self.report
        if page is None or report is None or report.graph is None:
            return
        with self._told():
            checked = data_of(report.graph.graph, check=report)  # type: ignore[attr-defined]
            for node in checked["nodes"]:
                node["edit"] = False  # it may be another point that shows the mistake
            self._page = replace(page, checked=checked)

    @property
    def _checked(self) -> dict[str, Any] | None:
        return self._page.checked if self._page else None

    def _rerun(self) -> None:
        assert self._program is not None
        assert self._page is not None
        with self._told():
            self._page = self._run(self._program, self.changes.values(), self._page, self._random)

    def _run(self, program: Program, changes: Iterable[Change], before: _Page | None, random: _Random) -> _Page:
        """Run a program with changed numbers in the arrays of its last run, and make the page."""
        changes = list(changes)
        with program.running(), self._loans.of(changes, before.arrays if before else {}), random.again():
            graph = program.graph(*program.inputs)
            story = Story(graph, before=before.story if before else None, **program.options)
            data = data_from(story)
            named = {node["key"]: node for node in data["nodes"]}
            found = changeable(graph, story.constants)
            now = {node["key"]: found[node["id"]] for node in named.values() if node["id"] in found}
            lost = [c.name for c in changes if not holds(now.get(c.name), c)]
        if lost:
            raise errors.RenderError(f"{shown_list(lost)} cannot be changed: the function makes it anew whenever it runs")
        for name, node in named.items():
            node["edit"] = name in now
        for change in changes:
            named[change.name].setdefault("changed", []).append(change.at)
        self.version += 1
        return _Page(self._with_parameters(data, program), data, now, story)

    def _with_parameters(self, data: dict[str, Any], program: Program) -> dict[str, Any]:
        """Return what the page shows, with those inputs as parameters that backward gives gradients for, if nobody named others."""
        if program.options.get("parameters"):
            return data
        kinds = {node["id"]: "parameter" for node in data["nodes"] if node["kind"] == "input" and node["key"] in self._trained}
        return data | {"nodes": [node | {"kind": kinds.get(node["id"], node["kind"])} for node in data["nodes"]]}

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Keep whatever the user's code raises as the problem."""
        try:
            yield
        except (Exception, SystemExit) as error:  # noqa: BLE001 (it is told on the page)
            self.problem = problem_of(error)
        else:
            self.problem = None


def _kinds(data: dict[str, Any]) -> list[str]:
    return [node["kind"] for node in data["nodes"]]
