"""Changes come simplest first though few of them are made: the order is that of sorting them all."""

from __future__ import annotations

import ast
import itertools

import numpy as np
import pytest

from autograd_np.check.explain.edits import catalogue
from autograd_np.check.explain.edits.edit import Edit, Line
from autograd_np.check.explain.ordered import Candidate, Changes, Ordered
from autograd_np.check.explain.replayed import Replayed
from autograd_np.check.judge.outcome import Outcome
from autograd_np.check.watch.source import Functions

RNG = np.random.default_rng(0)


def _three_lines(a, b):
    c = a * b
    d = c + a
    return d


PLACES = Functions(_three_lines).of(_three_lines.__code__).places
SIMPLER = 1.5


def _candidates(place, made=None):
    """Return candidates whose edits are in order, and which themselves are not: by up to 1.5 simpler, or less simple."""
    ranks = np.sort(np.round(RNG.uniform(0, 9, 60), 1))
    shifts = RNG.choice([-SIMPLER, 0.0, 0.5, 4.0], 60)
    kinds = RNG.choice(["sign", "other"], 60)
    for rank, shift, kind in zip(ranks, shifts, kinds, strict=True):
        if made is not None:
            made.append(rank)
        yield Candidate(rank + shift, Edit(rank, kind, f"{rank}", []), place, "x", None, None, False)


def test_what_is_merged_is_in_the_order_of_sorting_all():
    lists = [list(_candidates(place)) for place in PLACES]
    more = [0.0, 2.0, 0.5]
    merged = Ordered((Changes(p, SIMPLER, iter(some), m) for p, some, m in zip(PLACES, lists, more, strict=True)), Outcome())
    every = [c._replace(rank=c.rank + m) for some, m in zip(lists, more, strict=True) for c in some]
    expected = sorted(every, key=lambda c: (c.rank, isinstance(c.place.statement, ast.Return), c.edit.kind == "sign"))
    assert list(merged) == expected
    assert list(merged) == expected  # gone through once more


def test_few_changes_are_made_for_the_first_of_them():
    made: list[float] = []
    merged = Ordered([Changes(place, SIMPLER, _candidates(place, made)) for place in PLACES], Outcome())
    first = list(itertools.islice(merged, 5))
    assert 5 <= len(made) < 90
    assert max(made) <= max(c.rank for c in first) + SIMPLER + 1.0


def test_the_same_change_is_made_once():
    twice = [Candidate(r, Edit(r, "sign", "", [], changes=((("value",), "-x"),)), PLACES[0], "x", None) for r in (1.0, 2.0)]
    assert [c.rank for c in Ordered([Changes(PLACES[0], 0.0, iter(twice))], Outcome(), once=True)] == [1.0]


def test_what_several_go_through_is_made_once():
    made: list[int] = []
    numbers = Replayed(made.append(n) or n for n in range(4))
    one, other = iter(numbers), iter(numbers)
    assert [next(one), next(other), next(other)] == [0, 0, 1]
    assert made == [0, 1]
    assert list(one) == [1, 2, 3] == list(numbers)[1:]
    assert made == [0, 1, 2, 3]


LINES = [
    "dW = x.T @ dz / m",
    "dz = dh * (1 - h ** 2)",
    "db = np.sum(dz, axis=0)",
    "dx[:, t] += dz @ W.T",
    "return dx, dW, db",
]


@pytest.fixture
def scope():
    n = RNG.normal
    shapes = {
        "x": (7, 3),
        "dz": (7, 4),
        "h": (7, 4),
        "dh": (7, 4),
        "W": (3, 4),
        "dx": (7, 5, 3),
        "dW": (3, 4),
        "db": (4,),
        "unused": (7, 4),
    }
    return {"np": np, "m": 7, "t": 2, **{k: n(size=s) for k, s in shapes.items()}}


@pytest.mark.parametrize("text", LINES)
@pytest.mark.parametrize("unread", [(), ("unused",)])
def test_edits_come_in_order_and_large_families_in_their_turn(text, unread, scope, monkeypatch):
    statement = ast.parse(text).body[0]
    arrays = {k: v for k, v in scope.items() if isinstance(v, np.ndarray)}

    def edits():
        return catalogue.edits_of(statement, "dz", scope, arrays, {"m": 7.0}, unread=unread)

    found = list(edits())
    ranks = [e.rank for e in found]
    assert ranks == sorted(ranks)
    changes = [e.changes for e in found if e.changes]
    assert len(changes) == len(set(changes))
    line = Line(statement, "dz", scope, arrays, {"m": 7.0})
    line.candidates = {**arrays, **catalogue.reachable(line)}
    places = [p for p in line.places() if not p.written]
    many = [e for family in catalogue._MANY for p in places for e in family(p)]
    assert min((e.rank for e in many), default=9.0) >= catalogue.LEAST_OF_MANY
    assert min((e.rank for e in catalogue.pair_edits(line, found)), default=9.0) >= catalogue.LEAST_OF_PAIRS
    asked: list[object] = []
    monkeypatch.setattr(catalogue, "_of_family", lambda family, places, of=catalogue._of_family: asked.append(family) or of(family, places))
    next(edits())
    assert not set(asked) & set(catalogue._MANY)
