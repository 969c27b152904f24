"""What explains everything at once: one change of the text with which the whole pass is right, or two."""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from autograd_np.check.explain.case import Case, Verdict
from autograd_np.check.explain.cures import MOST_RUNS, Helping, cure_all
from autograd_np.check.explain.diagnose import Diagnosis, diagnosis_of
from autograd_np.check.explain.feeders import Suspect, behind_right_ones, suspected, suspects_of, without_effect
from autograd_np.check.explain.influence import HARMLESS, influences
from autograd_np.check.explain.ordered import Candidate, Changes, Ordered
from autograd_np.check.explain.replayed import Replayed
from autograd_np.check.explain.search import changes_of, fix_of, own_changes
from autograd_np.check.explain.twins import twins
from autograd_np.check.explain.unknown import made_known
from autograd_np.check.judge.outcome import Fix, Outcome, Wrong
from autograd_np.check.watch.reads import names_read_by
from autograd_np.check.watch.run import Event
from autograd_np.check.watch.source import Place

__all__ = ["Mistake", "one_or_two_changes", "single_change"]

MOST_OF_SEVERAL = 4000
"""So many changed passes are run where several variables are wrong for what may be one reason."""

KEPT, KEPT_APART, KEPT_OF_TWO = 0.25, 0.2, 0.1
"""How much of the time is kept for several mistakes, if one alone is not found before; and for what two do not explain either."""

MOST_APART = 800
"""So many changed passes are run for what only some of what is wrong was made of."""

UNSHARED = 2.0
"""How much less simple a change is that does not lie behind everything that is wrong, where nothing tells what it moves."""

WITHOUT_EFFECT = 3.0
"""How much simpler it is that a statement without effect should have set another variable."""

TAKES_AWAY, OF_RIGHT = 2.0, 1.0
"""Below this rank a factor that is a number is taken away; and how much less simple that is where the value is a gradient."""

MOST_MULTIPLES = 3
"""By so many conventions a gradient may be a multiple."""

MOST_STARTS = 4
"""From so many wrong variables the search for a single change starts."""

MOST_FIRST, MOST_SECOND, MOST_SECOND_OF_BEST = 8, 600, 1500
"""So many changes that make something right are taken for the first of two; so many passes are run for the second, after the best first."""


@dataclass
class Mistake:
    """A wrong variable, the statement that is to blame, why, and how it should read.

    Attributes
    ----------
    wrong : Wrong
    place : Place
    diagnosis : Diagnosis
    cure : Fix or None
        What the search went on with, as if the mistake were not there.
    variable : str
        What the statement sets.
    fix : str or None
        The lines of the statement without the mistake.
    call : str
        The call that led into a helper.
    consequences : list of str
        What is wrong only because of it.
    rank : float
        How simple the change is by which it was found: the simpler, the less.
    rivals : list of Mistake
        Those of which one may be the mistake instead: as much speaks for them.
    """

    wrong: Wrong
    place: Place
    diagnosis: Diagnosis
    cure: Fix | None = None
    variable: str = ""
    fix: str | None = None
    call: str = ""
    consequences: list[str] = field(default_factory=list)
    rank: float = 0.0
    rivals: list[Mistake] = field(default_factory=list)


class _Cause(NamedTuple):
    """A wrong variable, the statements that build it, what feeds it, and the places of all these."""

    wrong: Wrong
    own: list[Place]
    suspects: list[Suspect]
    places: set[Place]


def one_or_two_changes(case: Case) -> list[Mistake]:
    """Look for one change that makes everything right, or for two: one that makes some results right, and one for the others."""
    helping: list[Helping] = []
    single = single_change(case, helping=helping) or _made_known(case)
    single = single or single_change(case, most=MOST_APART, keep=KEPT_APART, helping=helping, apart=True)
    single = single or _twin(case)
    if single is not None:
        return [single]
    cleared, (_, causes) = case.session.cleared, _causes(case)
    pairs: list[tuple[float, list[Mistake]]] = []
    for number, first in enumerate(_first_of_two(case, helping)):
        below = min((rank for rank, _ in pairs), default=math.inf) - first.candidate.rank
        if case.budget.below(KEPT_OF_TWO):
            break
        fix = fix_of(first.candidate)
        case.fixes.append(fix)
        second = single_change(case, most=MOST_SECOND if number else MOST_SECOND_OF_BEST, keep=KEPT_OF_TWO, below=below)
        case.fixes.remove(fix)
        if second is not None:
            one = _mistake(causes, Verdict(first.candidate.place, diagnosis_of(first.candidate.edit), fix))
            pairs.append((first.candidate.rank + second.rank, [one, second]))
    case.session.cleared = cleared
    return min(pairs, key=lambda p: p[0])[1] if pairs else []


def _first_of_two(case: Case, helping: list[Helping]) -> list[Helping]:
    """Return the changes that make most right; where they are equal those come first for which names speak, then the simplest."""
    best = sorted(helping, key=lambda h: (h.left, h.candidate.rank))[:MOST_FIRST]
    doubts = {id(h): case.doubts(fix_of(h.candidate)) for h in case.budget.within(best if len(best) > 1 else [], KEPT_OF_TWO)}
    return sorted(best, key=lambda h: (h.left, doubts.get(id(h), 0), h.candidate.rank))


def single_change(
    case: Case,
    *,
    most: int | None = None,
    keep: float | None = None,
    helping: list[Helping] | None = None,
    apart: bool = False,
    below: float = math.inf,
) -> Mistake | None:
    """Look for one change of one statement that makes everything right: of those that all that is wrong was made of.

    How many changed passes are run at `most`, how much of the time to `keep`, and what is `helping`, is as in `cure_all`. With
    `apart` the statements are tried that only some of what is wrong was made of, and no change whose rank is not `below` a limit.
    """
    if case.late() or case.budget.below(keep or 0.0):
        return None
    behind = behind_right_ones(case)
    case.session.cleared = {e.key for step in behind for e in step.events}
    out, causes = _causes(case)
    if not causes:
        return None
    likely = set.intersection(*(c.places for c in causes))  # each is wrong though what it reads is right
    # unless what it reads was replaced by the wrong multiple, or is no gradient but for its name
    shared = likely | {place for c in causes if not c.wrong.returned for place in c.places}
    moving = influences(case, out, dict.fromkeys(s.place for s in out.recording.steps))
    shared |= {place for place, i in moving.items() if i.every}
    among = {place for c in causes for place in c.places} - shared if apart else shared
    harmless = {step.place for step in behind}
    against = {place: UNSHARED * (place not in likely) + HARMLESS * (place in harmless) for place in among}
    against |= {place: i.against for place, i in moving.items() if place in among}
    changes = [c._replace(more=against[c.place]) for c in _changes(case, out, causes, among)]
    changes += [] if apart else [*_to_set_another(case, out), *_to_keep_multiples(case, out)]
    ordered = Ordered(changes, out, once=True)
    several = len(causes) > 1
    alone = not several and causes[0].wrong.returned  # what one of them needs is not all that is needed
    if most is None:
        most = MOST_OF_SEVERAL if several else MOST_RUNS
    if keep is None:
        keep = KEPT if several or helping is not None else 0.0
    cured = cure_all(case, ordered, most, keep, helping, below=below, alone=alone)
    if cured is None:
        return None
    return replace(_mistake(causes, cured), rank=next(c.rank for c in ordered if c.edit is cured.edit))


def _made_known(case: Case) -> Mistake | None:
    """Look for a change with which a value that nothing accounts for is a gradient, and everything is right."""
    out, causes = _causes(case)
    if not causes:
        return None
    multiples = list(dict.fromkeys([1.0, *out.kept.values()]))[:MOST_MULTIPLES]
    _, plain = case.plain_run()
    cured = cure_all(case, Replayed(made_known(case, plain, multiples)), MOST_RUNS)
    return _mistake(causes, cured) if cured is not None else None


def _twin(case: Case) -> Mistake | None:
    """Look for a statement that is missing where a gradient stayed zero."""
    cured = cure_all(case, Replayed(twins(case)), MOST_RUNS, case.budget.left() / 2)
    _, causes = _causes(case) if cured is not None else (None, [])
    return _mistake(causes, cured) if cured is not None and causes else None


def _causes(case: Case) -> tuple[Outcome, list[_Cause]]:
    """Return a scan and, of the wrong variables that come first, what each was made of."""
    out = case.scan(case.main)
    wrong = list({(w.place, w.base): w for w in reversed(out.wrong)}.values())[::-1][:MOST_STARTS]
    causes = []
    for w in wrong:
        own, suspects = case.chain_places(w, out), suspects_of(case, w, out)
        causes.append(_Cause(w, own, suspects, {*own, *(s.place for s in suspects)}))
    return out, causes


def _changes(case: Case, out: Outcome, causes: list[_Cause], among: Collection[Place]) -> list[Changes]:
    """Return the changes of the places that are looked `among`."""
    met = {place for c in causes for place in c.places}
    suspects = suspected(case, [place for place in among if place not in met], out)
    suspects += [s for c in reversed(causes) for s in c.suspects if s.place in among]
    feeding = {(s.place, s.path): s for s in sorted(suspects, key=lambda s: not s.right)}  # right once is not right at every visit
    own = [e for c in causes for e in own_changes(case, c.wrong, [p for p in c.own if p in among], out)]
    fixed = {f.place for f in case.fixes if f.body is not None}
    changes = [*own, *changes_of(case, sorted(feeding.values(), key=lambda s: s.step.number), out)]
    return [c for c in changes if c.place not in fixed]


def _to_set_another(case: Case, out: Outcome) -> Iterator[Changes]:
    """Yield the changes by which statements that have no effect set another variable."""
    fixed = {f.place for f in case.fixes if f.body is not None}

    def of(s: Suspect) -> Iterator[Candidate]:
        edits = (e for e in case.edits(s.place, s.step, s.path) if not e.changes)
        return (Candidate(e.rank - WITHOUT_EFFECT, e, s.place, s.path, None, None, False) for e in edits)

    for s in without_effect(case, out):
        if s.place not in fixed:
            yield Changes(s.place, WITHOUT_EFFECT, of(s))


def _to_keep_multiples(case: Case, out: Outcome) -> Iterator[Changes]:
    """Yield the changes with which what is made of a multiple of a gradient is one too: 1/m, which comes later, may be there too early.

    Where it is, the gradient itself is right, and all that is made of it has 1/m twice.
    """
    multiples = {key[:2] for key, c in out.kept.items() if abs(c - 1) > 1e-9}
    exact = [e for e in out.events if out.judged.get(e.key) and (e.call.number, e.path) not in multiples]
    reading = {
        e.place: e
        for e in reversed(exact)
        if e.place.statement is not None and any((e.call.number, name) in multiples for name in names_read_by(e.place.statement))
    }
    fixed = {f.place for f in case.fixes if f.body is not None}

    def of(e: Event) -> Iterator[Candidate]:
        edits = itertools.takewhile(lambda x: x.rank < TAKES_AWAY, case.edits(e.place, e.step, e.path))
        return (Candidate(x.rank + OF_RIGHT, x, e.place, e.path, None, None, False) for x in edits if x.kind == "scale")

    for e in reading.values():
        if e.place not in fixed:
            yield Changes(e.place, 0.0, of(e))


def _mistake(causes: list[_Cause], cured: Verdict) -> Mistake:
    """Tell a cure by a variable that it makes right: one that the statement sets, or else the first."""
    wrong, place = [c.wrong for c in causes], cured.place
    w = next((w for w in wrong if w.place == place), None) or next((c.wrong for c in causes if place in c.places), wrong[0])
    return Mistake(w, place, cured.diagnosis, cured.fix, rivals=[_mistake(causes, r) for r in cured.rivals])
