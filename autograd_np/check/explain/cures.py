"""The search for the smallest change of the text that makes the pass right when it is run."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from autograd_np.check.explain.case import Case, Verdict
from autograd_np.check.explain.diagnose import diagnosis_of
from autograd_np.check.explain.ordered import Candidate
from autograd_np.check.explain.rivals import Cure, chosen, related_to
from autograd_np.check.explain.search import fix_of
from autograd_np.check.judge.compare import constant_ratio, fits
from autograd_np.check.judge.outcome import Fix, Outcome, Wrong
from autograd_np.check.watch.source import Place

__all__ = ["MOST_RUNS", "Helping", "cure_all", "cure_one"]

MOST_RUNS = 4000
"""So many changed passes are run for one wrong variable."""

MOST_DOUBTED, LESS_SIMPLE = 1000, 3.0
"""So many more are run where a change makes all results right and speaks against what intermediates are called, up to so much a rank."""

MOST_RELATED, MOST_RIVALS, FOR_RIVALS = 800, 1600, 0.3
"""So many more, of other statements, are run where nothing speaks against a change that makes all right: of the same names, and others.

They take this share of the time that is left.
"""

RELATED, RIVALS = 3.0, 2.0
"""They are less simple by so much at most."""

OF_ONE = 3
"""So many of one statement are compared: the simplest may not be the one that other lines agree with."""

MOST_SCANS = 250
"""So many are watched, which costs more."""

FREE_SCANS = 20
"""After so many watched runs, only changes that make a result right are watched."""

FIRST, GROWTH, LARGEST, AHEAD = 2, 4, 64, 400
"""So many changes of a statement are compiled together: few at first, since the simplest is often right; so far they are looked for."""


class _Forms:
    """The code of candidates, in growing batches of those that change the same statement.

    Parameters
    ----------
    case : Case
        Whose fixes so far are part of every form.
    candidates : iterable of Candidate
        In the order in which they will be asked for.
    """

    def __init__(self, case: Case, candidates: Iterable[Candidate]) -> None:
        self._case = case
        self._coming = enumerate(candidates)
        self._waiting: dict[Place, list[Candidate]] = {}
        self._ready: dict[int, Any] = {}
        self._size: dict[Place, int] = {}

    def of(self, candidate: Candidate) -> Any:
        """Return what `Session.quick` runs for a candidate; ``None`` if it is no Python."""
        if id(candidate.edit) not in self._ready:
            size = self._size.get(candidate.place, FIRST)
            self._size[candidate.place] = min(size * GROWTH, LARGEST)
            waiting = self._waiting.setdefault(candidate.place, [])
            self._look_ahead(candidate, waiting, size)
            batch, self._waiting[candidate.place] = waiting[:size], waiting[size:]
            codes = self._case.session.codes_of_each([Fix(c.place, c.path, c.edit.body) for c in batch], self._case.fixes)
            self._ready |= {id(c.edit): code for c, code in zip(batch, codes, strict=True)}
        return self._ready[id(candidate.edit)]

    def _look_ahead(self, candidate: Candidate, waiting: list[Candidate], size: int) -> None:
        """Leave in a statement's `waiting` list a candidate and those that follow it: a batch of them, if so many are not far."""
        here = next((i for i, c in enumerate(waiting) if c.edit is candidate.edit), None)
        until = 0 if here is not None else math.inf  # one that waits was looked ahead of before
        for number, c in self._coming if here is None or len(waiting) - here < size else ():
            self._waiting.setdefault(c.place, []).append(c)
            if here is None and c.edit is candidate.edit:
                here, until = len(waiting) - 1, number + AHEAD
            if here is not None and (number >= until or len(waiting) - here >= size):
                break
        del waiting[:here]


def _plausible(case: Case, c: Candidate) -> bool:
    """Whether running the changed statement alone gives the right value where it was wrong."""
    if c.event is None or c.wrong is None:
        return True
    new, w = case.session.rerun(c.edit.body, c.event, case.main), c.wrong
    if new is None:
        return False
    if fits(new.shape, w.expected.shape):  # it lacks axes of length one
        new = new.reshape(w.expected.shape)
    if case.close(new, w.expected, abs(w.constant) * np.max(case.main.slack(w.node), initial=0.0)):
        return True
    return not w.returned and (constant_ratio(new, w.expected, case.session.tolerance) or 0) > 0  # 1/m may come later


class Helping(NamedTuple):
    """A change that makes some elements of results right and none wrong.

    Attributes
    ----------
    left : int
        How many are left wrong.
    candidate : Candidate
    """

    left: int
    candidate: Candidate


def cure_all(
    case: Case,
    candidates: Iterable[Candidate],
    most: int = MOST_RUNS,
    keep: float = 0.0,
    helping: list[Helping] | None = None,
    *,
    below: float = math.inf,
    alone: bool = True,
) -> Verdict | None:
    """Return the simplest change with which everything is right on every point, intermediates too if there is one.

    A share of the time may be kept for other things; `helping` is filled with the changes that make something right. No change is
    tried whose rank is not `below` a limit; running its statement `alone` tells nothing where several variables are wrong.
    """
    runs = 0
    forms = _Forms(case, candidates)
    before = case.elements_wrong(case.main) if helping is not None else None
    cures: list[Cure] = []
    wrong: Outcome | None = None
    limit = math.inf
    for number, c in enumerate(case.budget.within(candidates, keep)):
        if runs >= most or c.rank > limit or c.rank >= below:
            break
        if alone and not _plausible(case, c):
            continue
        runs += 1
        codes = forms.of(c)
        if codes is None:
            continue
        if helping is not None and before is not None:
            after = case.elements_wrong(case.main, codes=codes, most=before)
            if after is None:
                continue
            if any(after):
                if sum(after) < sum(before):
                    helping.append(Helping(sum(after), c))
                continue
        if case.cures_all(codes=codes):
            wrong = wrong or case.scan(case.main)
            cure = Cure(c, case.doubts(fix_of(c), before=wrong))
            if not cures:
                most = min(most, runs + MOST_DOUBTED)
            if all(cure.doubts < x.doubts for x in cures):
                limit = c.rank + LESS_SIMPLE
            cures.append(cure)
            if not cure.doubts:
                cures = [cure, *_rivals_of(case, c, itertools.islice(candidates, number + 1, None), wrong, alone=alone)]
                break
    if wrong is None:
        return None
    best, others = chosen(case, cures, wrong)
    return _verdict(best)._replace(rivals=tuple(map(_verdict, others)))


def _rivals_of(case: Case, best: Candidate, candidates: Iterable[Candidate], wrong: Outcome, *, alone: bool) -> Iterator[Cure]:
    """Yield the changes of other statements that cure as well, and against which nothing speaks: those of the same names first."""
    found: Counter[Place] = Counter()
    least = case.budget.left() * (1 - FOR_RIVALS)
    candidates = itertools.takewhile(lambda c: c.rank <= best.rank + RELATED, candidates)
    near = [c for c in case.budget.within(candidates, least) if c.place != best.place]
    is_related = related_to(best)
    related = list(itertools.islice(filter(is_related, near), MOST_RELATED))
    known = {id(c.edit) for c in related}
    others = [c for c in near[:MOST_RIVALS] if c.rank <= best.rank + RIVALS and id(c.edit) not in known]
    rivals = [*related, *others]
    forms = _Forms(case, rivals)
    for c in case.budget.within(rivals, least):
        if (
            found[c.place] >= OF_ONE
            or (alone and not _plausible(case, c))
            or (codes := forms.of(c)) is None
            or not case.cures_all(codes=codes)
        ):
            continue
        cure = Cure(c, case.doubts(fix_of(c), before=wrong))
        if not cure.doubts:
            found[c.place] += 1
            yield cure


def _verdict(c: Candidate) -> Verdict:
    return Verdict(c.place, diagnosis_of(c.edit), fix_of(c), c.edit)


def cure_one(case: Case, w: Wrong, candidates: Iterable[Candidate], before: int) -> Verdict | None:
    """Return the simplest change that cures one variable and leaves fewer wrong."""
    scans = runs = 0
    usual = case.wrong_results(case.main)
    forms = _Forms(case, candidates)
    for c in case.budget.within(candidates):
        if scans >= MOST_SCANS or runs >= MOST_RUNS:
            return None
        if not _plausible(case, c):
            continue
        fix = fix_of(c)
        if c.event is None and usual is not None and scans >= FREE_SCANS:
            runs += 1
            codes = forms.of(c)
            left = None if codes is None else case.wrong_results(case.main, codes=codes)
            if left is None or left >= usual:  # with something right that was not, it is worth a watched run
                continue
        scans += 1
        if c.event is not None:
            if all(case.right_with(fix, w, point) for point in case.points):
                return Verdict(c.place, diagnosis_of(c.edit), fix, c.edit)
        elif case.helps(fix, w, before):
            return Verdict(c.place, diagnosis_of(c.edit), fix, c.edit)
    return None
