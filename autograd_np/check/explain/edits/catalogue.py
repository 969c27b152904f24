"""The catalogue of mistakes: each edit of a line undoes one, so the edit that makes the line right names the mistake.

An edit is a changed copy of the user's statement, to be executed by `watch.interpret.execute` or in the user's function.
Edits are ordered by `rank`: the simplest explanation is tried first.
"""

from __future__ import annotations

import ast
import dataclasses
import heapq
import itertools
import math
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from autograd_np.check.explain.edits.analogies import analogy_edits
from autograd_np.check.explain.edits.assignments import assignment_edits
from autograd_np.check.explain.edits.calls import call_edits
from autograd_np.check.explain.edits.constants import constant_edits, counter_edits, loop_edits, size_edits
from autograd_np.check.explain.edits.edit import Edit, Hints, Line, Place
from autograd_np.check.explain.edits.indices import index_edits, margin_edits, slice_edits, window_edits
from autograd_np.check.explain.edits.insertions import activation_edits, beside_edits, factor_edits, term_edits
from autograd_np.check.explain.edits.masks import mask_edits
from autograd_np.check.explain.edits.matrices import matrix_edits
from autograd_np.check.explain.edits.names import computed_edits, everywhere_edits, name_edits, reachable
from autograd_np.check.explain.edits.operators import forgotten_edits, operator_edits
from autograd_np.check.explain.edits.pairs import pair_edits
from autograd_np.check.explain.edits.reductions import reduction_edits, shape_edits
from autograd_np.check.explain.edits.siblings import outfactored_edits, sibling_edits
from autograd_np.check.explain.edits.syntax import Path, at
from autograd_np.check.explain.edits.wrapped import arranging_edits, body_edits, wrapped_edits

__all__ = ["Edit", "Hints", "edits_of"]

MOST = 4000
"""So many edits of one statement are tried at most."""

_NAMES = re.compile(r"(?<![\w.])[^\W\d]\w*")

MOST_COMPARED = 600
"""So many of the simplest edits are compared with those by analogy, which say less of what is wrong."""

UNREAD = 3.0
"""How much simpler a change is that reads a variable which nothing else reads."""

LEFT_BY_LOOP = 3.0
"""How much less simple a change is that reads, behind a loop, what only its last step left."""

ABANDONED = 0.75
"""How much less simple a change is after which nothing reads a parameter."""

_NO_HINTS = Hints()

_FAMILIES = (
    operator_edits,
    matrix_edits,
    reduction_edits,
    name_edits,
    index_edits,
    mask_edits,
    constant_edits,
    size_edits,
    counter_edits,
    loop_edits,
    call_edits,
    computed_edits,
    shape_edits,
    activation_edits,
    forgotten_edits,
    beside_edits,
    sibling_edits,
    outfactored_edits,
    factor_edits,
    term_edits,
    wrapped_edits,
    arranging_edits,
    body_edits,
)
"""What may be wrong with an expression, likelier first where ranks are equal."""

_MANY = (factor_edits, term_edits)
LEAST_OF_MANY, LEAST_OF_PAIRS = 5.0, 8.5
"""Families of most of all edits, and pairs, are made when all simpler edits were taken: below such a rank they have none."""


def edits_of(
    statement: ast.stmt,
    target: str,
    env: Mapping[str, Any],
    candidates: Mapping[str, Any],
    sizes: Mapping[str, float],
    *,
    hints: Hints = _NO_HINTS,
    unread: Collection[str] = (),
    left_by_loops: Collection[str] = (),
    alone: Collection[str] = (),
    beside: Mapping[str, Sequence[ast.BinOp]] = MappingProxyType({}),
    others: Sequence[ast.stmt] = (),
) -> Iterator[Edit]:
    """Yield the edits of one statement, simplest first; of a compound statement those of its header. They are made as they are asked for.

    Parameters
    ----------
    statement : ast.stmt
        As the user wrote it.
    target : str
        The variable it sets, for messages.
    env : mapping
        The variables it was executed with.
    candidates : mapping
        The arrays it might have meant: forward's variables, inputs, and backward's own.
    sizes : mapping
        Numbers a scale may be made of: ``{"m": 7, "2": 2, "reg": 0.1}``.
    hints : Hints, optional
        What forward's source tells.
    unread : collection of str, optional
        The variables that are set and never read.
    left_by_loops : collection of str, optional
        The variables that are set in loops alone, which the statement stands behind.
    alone : collection of str, optional
        The parameters that no other statement reads.
    beside : mapping, optional
        By a variable, the sums and products that the lines of the function make of it.
    others : sequence of ast.stmt, optional
        The statements of the function.
    """
    line = Line(statement, target or _nameless(statement), env, candidates, sizes, hints, beside, unread)
    line.candidates = {**candidates, **reachable(line)}
    places = list(line.places())
    found = _Found(_Unusual(line, unread, left_by_loops, alone))
    found.add(-1, [*assignment_edits(line), *everywhere_edits(line, places), *slice_edits(line, places), *window_edits(line, places)])
    found.add(-1, margin_edits(line, places))
    for number, family in enumerate(_FAMILIES):
        if family not in _MANY:
            found.add(number, _of_family(family, places))
    found.add(-1, _in_words_of(found.every(), list(analogy_edits(line, others))))
    yield from itertools.islice(_in_turn(line, places, found, LEAST_OF_MANY - UNREAD * bool(unread)), MOST)


def _in_words_of(edits: Sequence[Edit], analogous: Sequence[Edit]) -> Iterator[Edit]:
    """Yield edits by analogy, and instead of those that another one makes too that one, as simple as they are: it says what is wrong."""
    same: dict[str, Edit] = {}
    for edit in edits[:MOST_COMPARED] if analogous else ():
        if edit.changes and len(edit.body) == 1:
            same.setdefault(ast.dump(edit.body[0]), edit)
    for edit in analogous:
        other = same.get(ast.dump(edit.body[0]))
        yield edit if other is None else dataclasses.replace(other, rank=min(other.rank, edit.rank))


def _in_turn(line: Line, places: Sequence[Place], found: _Found, least: float) -> Iterator[Edit]:
    """Yield the edits that were found, and then those of large families and pairs in their turn."""
    yield from found.below(least)
    for number, family in enumerate(_FAMILIES):
        if family in _MANY:
            found.add(number, _of_family(family, places))
    yield from found.below(LEAST_OF_PAIRS)
    for edit in pair_edits(line, found.every()):
        found.put(edit, (edit.rank, math.inf, 0))
    yield from found.below(math.inf)


def _of_family(family: Callable[[Place], Iterable[Edit]], places: Sequence[Place]) -> Iterator[Edit]:
    return (edit for place in places if not place.written or family is index_edits for edit in family(place))


class _Found:
    """Edits that wait for their turn: a simpler one is taken before those that make the same changes, which are dropped.

    Parameters
    ----------
    unusual : callable
        Makes edits simpler, and less simple, for what they read.
    """

    def __init__(self, unusual: Callable[[Edit], Edit]) -> None:
        self._unusual = unusual
        self._waiting: list[tuple[tuple[float, float, int], int, Edit]] = []
        self._every: list[tuple[tuple[float, int], Edit]] = []
        self._seen: set[object] = set()
        self._count = 0

    def add(self, family: int, edits: Iterable[Edit]) -> None:
        """Take the edits of a family, whose number decides where ranks are equal."""
        for edit in edits:
            unusual = self._unusual(edit)
            self._every.append(((edit.rank, family), unusual))
            self.put(unusual, (unusual.rank, edit.rank, family))

    def put(self, edit: Edit, turn: tuple[float, float, int]) -> None:
        """Take one edit, with what decides when it is its turn."""
        self._count += 1
        heapq.heappush(self._waiting, (turn, self._count, edit))

    def below(self, rank: float) -> Iterator[Edit]:
        """Yield the edits whose rank is below a limit, and forget them."""
        while self._waiting and self._waiting[0][0][0] < rank:
            edit = heapq.heappop(self._waiting)[2]
            if not edit.changes or edit.changes not in self._seen:
                self._seen.add(edit.changes)
                yield edit

    def every(self) -> list[Edit]:
        """Return all edits, in the order of their families' ranks, each once."""
        return _different([e for _, e in sorted(self._every, key=lambda x: x[0])])


def _nameless(statement: ast.stmt) -> str:
    """Return what messages call a statement that sets no variable: the function that it calls."""
    match statement:
        case ast.Expr(value=ast.Call(func=function)):
            return ast.unparse(function)
    return "return"


@dataclasses.dataclass
class _Unusual:
    """Makes changes less simple that read what a line like this seldom reads, and simpler those that read what nothing else does."""

    line: Line
    unread: Collection[str]
    left_by_loops: Collection[str]
    alone: Collection[str]

    def __call__(self, edit: Edit) -> Edit:
        if not (self.unread or self.left_by_loops or self.alone) or not edit.changes:
            return edit
        read = {name for path, text in edit.changes if path[0] not in ("target", "targets") for name in _NAMES.findall(text)}
        more = LEFT_BY_LOOP * any(n in self.left_by_loops for n in read) - UNREAD * any(n in self.unread for n in read)
        if self.alone:
            more += ABANDONED * any(n in self.alone and n not in read for path, _ in edit.changes for n in self._names_at(path))
        return dataclasses.replace(edit, rank=edit.rank + more) if more else edit

    def _names_at(self, path: Path) -> list[str]:
        return _NAMES.findall(self.line.text(at(self.line.statement, path)))


def _different(edits: Iterable[Edit]) -> list[Edit]:
    """Return edits in order, without those that make the same changes as a simpler one."""
    seen: set[object] = set()
    kept = []
    for edit in edits:
        if not edit.changes or edit.changes not in seen:
            seen.add(edit.changes)
            kept.append(edit)
    return kept
