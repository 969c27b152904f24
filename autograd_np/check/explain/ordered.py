"""Changes in the order of their simplicity, each made when it is asked for: of many thousands few are ever run."""

from __future__ import annotations

import ast
import heapq
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from autograd_np.check.explain.edits.edit import Edit
from autograd_np.check.explain.replayed import Replayed
from autograd_np.check.judge.outcome import Outcome, Wrong
from autograd_np.check.watch.run import Event
from autograd_np.check.watch.source import Place

__all__ = ["Candidate", "Changes", "Ordered"]


class Candidate(NamedTuple):
    """One change of one statement.

    Attributes
    ----------
    rank : float
    edit : Edit
    place : Place
    path : str
    event : Event or None
        Where running the statement alone tells whether the change is right.
    wrong : Wrong or None
        What it must then give.
    off : bool
        Whether its variable itself was seen to be off, or kept as a multiple by convention.
    """

    rank: float
    edit: Edit
    place: Place
    path: str
    event: Event | None
    wrong: Wrong | None = None
    off: bool = True


class Changes(NamedTuple):
    """The changes of one statement, in the order of the ranks of their edits.

    Attributes
    ----------
    place : Place
    simpler : float
        By so much at most a change is simpler than its edit.
    candidates : iterator of Candidate
    more : float
        By how much less simple all of them are for what is known of the statement.
    """

    place: Place
    simpler: float
    candidates: Iterator[Candidate]
    more: float = 0.0


class Ordered(Replayed[Candidate]):
    """The changes of several statements: simplest first, then by execution; what is computed in a return statement comes last.

    Parameters
    ----------
    changes : iterable of Changes
    out : Outcome
        The run whose order of execution counts.
    once : bool, optional
        Leave out changes of a statement that give the same text as a simpler one.
    """

    def __init__(self, changes: Iterable[Changes], out: Outcome, *, once: bool = False) -> None:
        self._first: dict[Place, int] = {}
        for step in out.recording.steps:
            self._first.setdefault(step.place, step.number)
        merged = heapq.merge(*map(_sorted, changes), key=self._order)
        super().__init__(_each_once(merged) if once else merged)

    def _order(self, c: Candidate) -> tuple[float, bool, bool, int]:
        return c.rank, isinstance(c.place.statement, ast.Return), _is_elsewhere(c), self._first.get(c.place, 0)


def _is_elsewhere(c: Candidate) -> bool:
    return not c.off and c.edit.kind in ("scale", "sign")  # such a one is told where it is seen


def _sorted(changes: Changes) -> Iterator[Candidate]:
    """Yield the changes of one statement by their own ranks: one waits until no simpler one can come any more."""
    waiting: list[tuple[float, bool, int, Candidate]] = []
    more = changes.more
    for number, c in enumerate(changes.candidates):
        least = c.edit.rank - changes.simpler
        while waiting and waiting[0][0] < least:
            yield _less_simple(heapq.heappop(waiting)[3], more)
        heapq.heappush(waiting, (c.rank, _is_elsewhere(c), number, c))
    while waiting:
        yield _less_simple(heapq.heappop(waiting)[3], more)


def _less_simple(c: Candidate, more: float) -> Candidate:
    return c._replace(rank=c.rank + more) if more else c


def _each_once(candidates: Iterable[Candidate]) -> Iterator[Candidate]:
    seen: set[tuple[Place, object]] = set()
    for c in candidates:
        key = c.place, c.edit.changes or id(c.edit)
        if key not in seen:
            seen.add(key)
            yield c
