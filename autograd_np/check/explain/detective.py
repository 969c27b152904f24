"""From wrong variables to findings: one mistake, one statement, one reason."""

from __future__ import annotations

import ast
import dataclasses
import functools
import gc
import itertools
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from autograd_np.check.explain.case import Budget, Case, Verdict
from autograd_np.check.explain.culprits import meant_as_gradient, stale
from autograd_np.check.explain.cures import cure_all, cure_one
from autograd_np.check.explain.derived import Deriving
from autograd_np.check.explain.diagnose import Diagnosis, diagnosis_of, explain
from autograd_np.check.explain.edits.rewrite import rewritten
from autograd_np.check.explain.feeders import suspects_of
from autograd_np.check.explain.ordered import Candidate
from autograd_np.check.explain.rivals import ELSEWHERE, more_written
from autograd_np.check.explain.search import candidates_of
from autograd_np.check.explain.telling import telling
from autograd_np.check.explain.whole import Mistake, one_or_two_changes
from autograd_np.check.judge.chains import adds, divides, share
from autograd_np.check.judge.compare import constant_ratio
from autograd_np.check.judge.outcome import Fix, Key, Outcome, Wrong
from autograd_np.check.judge.scan import scan
from autograd_np.check.judge.session import Session
from autograd_np.check.watch.point import Point
from autograd_np.check.watch.reads import names_read_by, roots_written_by
from autograd_np.check.watch.run import Event, Step, leaves_of
from autograd_np.check.watch.source import Place
from autograd_np.typing import Array

__all__ = ["find_mistakes", "finished"]


MOST = 12
"""So many wrong variables are explained."""

MADE_AT_ONCE = 200_000
"""So many objects may be made before cycles among them are looked for."""

MOST_OF_LAST = 3000
"""So many changed passes are run for the last wrong one."""

MOST_CURES = 12
"""So many changes with which a statement no longer raises, and all is right, are compared."""

OF_LEAVING_OUT = 3.0
"""How much less simple it is to leave out a statement that raises: that helps whatever is wrong."""

SIMPLE = 5
"""A change up to this rank is proposed where a statement raises, even if other things stay wrong."""

PLAIN = ("missing-term", "scale", "sign", "transpose", "wrong-reduction", "not-finite", "stale-value")
"""What values alone may tell; of other mistakes they give a hint, which is said, but not called an explanation."""


PROPAGATING = ("scale", "sign")
"""Of these, what tells nothing where several variables are off by as much: what they were made of may be."""


def find_mistakes(session: Session, points: Sequence[Point], budget: Budget) -> list[Mistake]:
    """Return the mistakes in a backward function, in order of execution.

    What goes wrong in the search is no reason to withhold the verdict: the wrong statement is then named without a reason.

    Parameters
    ----------
    session : Session
    points : sequence of Point
        Where backward is wrong; an explanation must hold on all of them.
    budget : Budget
    """
    case = Case(session, points, budget)
    try:
        with _few_collections():
            return _find(case)
    except Exception:
        if "AUTOGRAD_NP_DEBUG" in os.environ:
            raise
        return [Mistake(w, w.place, _unknown(w)) for w in scan(session, case.main).wrong[:1]]


@contextmanager
def _few_collections() -> Iterator[None]:
    """Look for cycles in memory less often: so many changes are kept at once that it would take half of the time, and they have none."""
    before = gc.get_threshold()
    gc.set_threshold(max(before[0], MADE_AT_ONCE) if before[0] else 0, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def _find(case: Case) -> list[Mistake]:
    session = case.session
    found: list[Mistake] = []
    deriving = Deriving(case)
    if session.run(case.main).recording.error is not None:
        found += map(deriving.where_it_raises, _what_raises(case))
        if not found or found[0].cure is None:
            return found
        case.fixes.append(found[0].cure)
        if case.cures_all():
            return finished(case, found)
    _ignore_what_does_no_harm(case)
    whole = one_or_two_changes(case)
    if whole:
        return finished(case, [*found, *whole])
    case.corrected = _conventions(case)
    explained: set[tuple[Place, str]] = set()
    for _ in range(MOST):
        out = case.scan(case.main)
        left = [w for w in out.wrong if (w.place, w.base) not in explained]
        if not left:
            break
        w = left[0]
        late = bool(found) and case.late()
        verdict = Verdict(w.place, _unknown(w)) if late else _explain(case, w, out, last=bool(found) and len(left) == 1)
        verdict = deriving.line(w, out, verdict)
        found.append(Mistake(w, verdict.place, verdict.diagnosis, verdict.fix))
        explained.add((w.place, w.base))
        if verdict.fix is not None and (verdict.fix.body is not None or verdict.place != w.place):
            case.fixes.append(verdict.fix)
    return finished(case, found)


def finished(case: Case, found: Sequence[Mistake]) -> list[Mistake]:
    """Order mistakes by execution, one a statement, without those that others' cures make right; write down the fixes."""
    recording = scan(case.session, case.main).recording
    order: dict[Place, int] = {}
    for step in recording.steps:
        order.setdefault(step.place, step.number)
    kept = sorted(_one_a_place(found), key=lambda m: order.get(m.place, len(order)))
    kept = _without_consequences(case, kept)
    first = scan(case.session, case.main)
    own = next((p for p in case.points if p.own), None)
    for mistake in kept:
        _with_own_numbers(case, mistake, own)
        mistake.call = _call_of(mistake.place, recording.steps)
        mistake.variable = (
            mistake.wrong.name
            if mistake.place == mistake.wrong.place
            else (mistake.cure.path if mistake.cure else "") or _target(mistake.place)
        )
        _where_not_finite(mistake, first)
        mistake.fix = _fix_text(case, mistake, [m for m in kept if m is not mistake])
        mistake.rivals = _told(case, mistake) if len(kept) == 1 and mistake.fix is not None else []
        others = {m.place for m in kept}
        if len(kept) == 1 and mistake.cure is not None and mistake.wrong.expected.size:
            wrong = [w for w in first.wrong if w.place not in others]
            mistake.consequences = list(dict.fromkeys(f"{w.base} (line {w.line})" for w in wrong))
    return kept


def _where_not_finite(mistake: Mistake, out: Outcome) -> None:
    """Tell a mistake that makes NaN or infinite elements out of finite ones as that, whatever change takes them away."""
    step = next((s for s in out.recording.steps if s.place == mistake.place), None)
    made = [e.computed for e in out.events if step is not None and e.step is step]
    if step is None or mistake.place.statement is None or mistake.diagnosis.kind in ("raises", "not-finite", "unknown"):
        return
    read = [step.before.get(name) for name in names_read_by(mistake.place.statement)]
    made += [v for _, _, v in leaves_of({"": step.call.result})] if isinstance(mistake.place.statement, ast.Return) else []
    if not all(map(_is_finite, made)) and all(map(_is_finite, read)):
        message = f"`{mistake.variable or mistake.wrong.name}` has NaN or infinite elements: {mistake.diagnosis.message}"
        mistake.diagnosis = dataclasses.replace(mistake.diagnosis, kind="not-finite", message=message)


def _is_finite(value: Any) -> bool:
    return not isinstance(value, (np.ndarray, np.floating)) or np.asarray(value).dtype.kind != "f" or bool(np.all(np.isfinite(value)))


def _told(case: Case, mistake: Mistake) -> list[Mistake]:
    """Return the rivals of a mistake as they are told: with a fix of their own, on other lines."""
    for rival in mistake.rivals:
        rival.fix = _fix_text(case, rival, [])
        rival.variable = (rival.cure.path if rival.cure else "") or _target(rival.place)
        rival.call = _call_of(rival.place, scan(case.session, case.main).recording.steps)
    return [r for r in mistake.rivals if r.fix is not None and r.place.line != mistake.place.line]


def _with_own_numbers(case: Case, mistake: Mistake, own: Point | None) -> None:
    """Tell a mistake by the user's own numbers, if it shows there: what was found at a point of other sizes is the same change here."""
    if own is None or own is case.main:
        return
    before, case.fixes = case.fixes, []
    out = case.scan(own)
    case.fixes = before
    there = next((w for w in out.wrong if w.key == mistake.wrong.key), None)
    if there is not None:
        mistake.wrong = there
    cure = mistake.cure
    step = next((s for s in out.recording.steps if s.place == mistake.place), None)
    if cure is None or cure.body is None or step is None:
        return
    wanted = [ast.dump(s) for s in cure.body]
    for edit in case.edits(mistake.place, telling(out, step), cure.path, own):
        if edit.kind == mistake.diagnosis.kind and [ast.dump(s) for s in edit.body] == wanted:
            mistake.diagnosis = diagnosis_of(edit)
            return


def _target(place: Place) -> str:
    return next(iter(roots_written_by(place.statement)), "") if place.statement is not None else ""


def _without_consequences(case: Case, found: list[Mistake]) -> list[Mistake]:
    """Drop what is no mistake once others are cured: all others where one change cures all; where some do, all that has none."""
    before = case.fixes
    for mistake in found if len(found) > 1 else ():
        if mistake.cure is not None and mistake.cure.body is not None and mistake.diagnosis.kind != "unknown":
            case.fixes = [mistake.cure]
            alone = case.cures_all()
            case.fixes = before
            if alone:
                return [mistake]
    kept = [m for m in found if m.cure is not None and m.cure.body is not None]
    before, case.fixes = case.fixes, [m.cure for m in kept if m.cure is not None]
    kept = kept if 0 < len(kept) < len(found) and case.cures_all() else list(found)
    case.fixes = before
    for mistake in list(found):
        others = [m.cure for m in kept if m is not mistake and m.cure is not None and m.cure.body is not None]
        if len(kept) > 1 and others and len(others) == len(kept) - 1:
            before, case.fixes = case.fixes, others
            try:
                if case.cures_all():
                    kept.remove(mistake)
            finally:
                case.fixes = before
    return kept


def _fix_text(case: Case, mistake: Mistake, others: Sequence[Mistake]) -> str | None:
    """Return the corrected lines, if the whole pass with them is right on every point, or as right as the other mistakes let it be."""
    cure = mistake.cure
    if cure is None or cure.body is None or mistake.place.statement is None or mistake.place != cure.place:
        return None
    before, case.fixes = case.fixes, [m.cure for m in others if m.cure is not None]
    try:
        bodies = [f for f in case.fixes if f.body is not None]
        if len(bodies) == len(others):
            if not case.cures_all(cure):
                return None
        elif mistake.diagnosis.kind == "raises" or not all(case.right_with(cure, mistake.wrong, point) for point in case.points):
            return None
    finally:
        case.fixes = before
    function = mistake.place.function
    text = rewritten(function.lines, function.as_written(mistake.place.statement), [function.as_written(s) for s in cure.body])
    block = (mistake.place.statement.end_lineno or 0) - mistake.place.end_line  # of a compound statement only the header changes
    return "\n".join(text.splitlines()[:-block]) if text is not None and block > 0 else text


def _call_of(place: Place, steps: Sequence[Step]) -> str:
    step = next((s for s in steps if s.place == place), None)
    by = step.call.by if step is not None else None
    return f"{by.place.function.filename}:{by.place.line}: {by.place.text}" if by is not None else ""


def _what_raises(case: Case) -> list[Mistake]:
    """Explain an exception: the statement that raised it, and the change with which everything is right, or at least runs."""
    done = case.session.run(case.main)
    step = done.recording.raised
    error = done.recording.error
    if step is None or error is None:
        return []
    said = f"raises {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}".rstrip(": ")
    path = _target(step.place)
    nothing = np.zeros(())
    w = Wrong((step.call.number, path, 0), step.place, path, path, case.main.graph.outputs[0], nothing, nothing, None, 1.0)
    out = Outcome(recording=done.recording)
    suspects = suspects_of(case, w, out)
    candidates = [Candidate(e.rank, e, step.place, path, None) for e in case.edits(step.place, step, path)]
    candidates += [c for c in candidates_of(case, w, [], suspects, out) if c.place != step.place]
    runs: Candidate | None = None
    cures: list[tuple[int, Candidate]] = []

    def rank(c: Candidate) -> float:
        return c.rank + (c.place != step.place) + OF_LEAVING_OUT * (not c.edit.changes and not c.edit.body)

    for c in sorted(candidates, key=rank):
        if case.late() or len(cures) >= MOST_CURES:
            break
        left = case.wrong_results(case.main, Fix(c.place, c.path, c.edit.body))
        if left == 0 and case.cures_all(Fix(c.place, c.path, c.edit.body)):
            right = _right_results(case, Fix(c.place, c.path, c.edit.body))
            cures += [(right, c)] if right else []
        if left is not None and runs is None and c.place == step.place and c.rank < SIMPLE:
            runs = c
    if cures:  # what backward did not come to counts as well: the more it gives, the better
        most = max(right for right, _ in cures)
        best = [c for right, c in cures if right == most]
        weighed = zip(best, more_written(best), strict=True)  # what is missing can be made up for on many lines
        c, _ = min(weighed, key=lambda found: rank(found[0]) + ELSEWHERE * found[1])
        fix = Fix(c.place, c.path, c.edit.body)
        return [Mistake(w, c.place, Diagnosis(0, "raises", f"{said}; {c.edit.message}"), fix)]
    if runs is not None:
        fix = Fix(runs.place, runs.path, runs.edit.body)
        return [Mistake(w, runs.place, Diagnosis(0, "raises", f"{said}; {runs.edit.message}"), fix)]
    return [Mistake(w, step.place, Diagnosis(0, "raises", said))]


def _right_results(case: Case, fix: Fix) -> int:
    """Return how many results are right with a change, paired anew; none if one is wrong."""
    session = case.session
    before = session.targets, session.undecided
    try:
        done = session.run(case.main, fixes=[fix])
        if done.recording.error is not None:
            return 0
        right, _ = session.decide(case.main, done)
        return right if right == sum(r.decides for r in session.returned(case.main, done)) else 0
    finally:
        session.targets, session.undecided = before


def _ignore_what_does_no_harm(case: Case) -> None:
    """Leave an intermediate alone if its own value harms nothing that comes after it: only its name looks like a gradient's."""
    out = case.scan(case.main)
    for path in case.budget.within(dict.fromkeys(w.name for w in _intermediates(out))):
        case.session.ignored.add((None, path))
        without = case.scan(case.main)
        if not without.wrong_lines() <= out.wrong_lines() or not without.wrong_lines():
            case.session.ignored.discard((None, path))
        else:
            out = without


def _intermediates(out: Outcome) -> list[Wrong]:
    """Return the wrong variables that backward does not return."""
    return [w for w in out.wrong if w.event is not None and not w.returned]


def _conventions(case: Case) -> dict[Key, float]:
    """Decide which multiples of the gradient the intermediates should be: those with which fewest lines are wrong."""
    corrected: dict[Key, float] = {}
    best = case.scan(case.main)
    counts = (n for n in case.sizes(case.main).values() if n == int(n) and n > 1)
    usual = list(dict.fromkeys([1.0, *counts]))[:5]
    for _ in range(3):
        if not best.wrong or case.late():
            break
        options: list[tuple[int, int, dict[Key, float], Outcome]] = []
        suspects = {**best.kept, **{w.key: 1.0 for w in _intermediates(best)}}
        for key, kept in list(suspects.items())[:4]:
            for c in case.budget.within(dict.fromkeys([*usual, -kept])):
                if c == corrected.get(key) or (key in best.kept and abs(c - kept) < 1e-9):
                    continue
                tried = {**corrected, key: c}
                out = case.scan(case.main, corrected=tried)
                options.append((len(out.wrong_lines()), len(options), tried, out))
        if not options:
            break
        count, _, tried, out = min(options, key=lambda o: o[:2])
        if count > len(best.wrong_lines()) or (count == len(best.wrong_lines()) and not _prefers_early(case, best, tried, corrected)):
            break
        corrected, best = tried, out
        if count == 1:
            break
    return corrected


def _prefers_early(case: Case, best: Outcome, tried: Mapping[Key, float], corrected: Mapping[Key, float]) -> bool:
    """Of two single culprits take the earlier one, unless the later line itself divides."""
    keys = [key for key in tried if key not in corrected and key in best.kept]
    if not keys:
        return False
    counts = [n for n in case.sizes(case.main).values() if n == int(n) and n > 2]
    if not any(abs(best.kept[keys[0]] - c) < 1e-6 * c for n in counts for c in (n, 1 / n)):
        return True
    return not any(divides(w.place.statement) for w in best.wrong)


# --- one wrong variable


def _explain(case: Case, w: Wrong, out: Outcome, *, last: bool) -> Verdict:
    """Return the simplest explanation: a change of the text that cures when it is run; only then factors of the values."""
    places = case.chain_places(w, out)
    before = len(out.wrong_lines())
    suspects = suspects_of(case, w, out)
    candidates = candidates_of(case, w, places, suspects, out)
    suspects = [s for s in suspects if not s.right]
    cured = stale(case, w, suspects) or (cure_all(case, candidates, most=MOST_OF_LAST) if last else None)
    cured = cured or cure_one(case, w, candidates, before)
    if cured is not None and not (cured.diagnosis.kind in PROPAGATING and _others_alike(case, w, out)):
        return cured
    samples = case.samples(w) if w.computed.shape == w.expected.shape or w.event is not None else []
    own = explain(samples, w.name, case.session.tolerance) if samples else None
    own_place = w.place
    if len(places) > 1 and w.event is not None and not case.late():
        residual = _residual(case, w, places, out)
        if residual is not None and (own is None or residual[1].rank <= own.rank):
            own_place, own = residual
        else:
            own_place = _odd_place(case, w, places, out)
    substituted = meant_as_gradient(case, w, suspects, before, explained=own is not None)
    if substituted is not None and (substituted.diagnosis.kind != "unknown" or own is None):
        return substituted
    if own is not None:
        told = own.kind in PLAIN and not (own.kind in PROPAGATING and _others_alike(case, w, out)) and not _calls(own_place, out)
        return Verdict(own_place, own if told else dataclasses.replace(own, kind="unknown"))
    if len(places) > 1 and w.event is not None and own_place == w.place and not case.late():
        own_place = _first_curable(case, w, places, out)
    return Verdict(own_place, _unknown(w))


def _others_alike(case: Case, w: Wrong, out: Outcome) -> bool:
    """Whether another variable is off by the same factor: then what both were made of is."""
    factors = [constant_ratio(x.computed, x.expected, case.session.tolerance) for x in (w, *(x for x in out.wrong if x.place != w.place))]
    return factors[0] is not None and any(f is not None and abs(f - factors[0]) < 1e-6 * abs(f) for f in factors[1:])


def _calls(place: Place, out: Outcome) -> bool:
    """Whether a statement calls helpers of the user's: one of them may be mistaken."""
    return any(s.calls for s in out.recording.steps if s.place == place)


def _unknown(w: Wrong) -> Diagnosis:
    return Diagnosis(99, "unknown", f"`{w.name}` is not ∂L/∂{w.forward_name}, and no single known mistake explains the difference")


def _first_curable(case: Case, w: Wrong, places: Sequence[Place], out: Outcome) -> Place:
    """Return the first statement of a chain after which a multiple of the right value makes the rest right."""
    for place in case.budget.within(places):
        events = [e for e in out.events if e.place == place and e.path == w.name]
        for c in dict.fromkeys([1.0, *case.sizes(case.main).values()]):
            fix = Fix(place, w.name, None, functools.partial(_scaled, c, w.expected, events))
            if len(events) == 1 and case.right_with(fix, w, case.main):
                return place
    return w.place


def _scaled(c: float, expected: Array, events: Sequence[Event], _: Point) -> dict[tuple[int, int], Array]:
    return {(e.call.number, e.step.visit): c * expected for e in events}


def _odd_place(case: Case, w: Wrong, places: Sequence[Place], out: Outcome) -> Place:
    """Return the one statement of a sum whose share is no contribution to the gradient, where there is just one."""
    terms = [w.constant * t for _, t in case.main.terms(w.node)]
    if not 2 <= len(terms) <= 6 or any(np.shape(t) != w.expected.shape for t in terms):
        return w.place
    sums = [sum(some) for n in range(1, len(terms) + 1) for some in itertools.combinations(terms, n)]
    odd = []
    for place in places:
        added = share(out.events, w, place)
        if added is not None and (np.any(added) and not any(case.close(added, s) for s in sums)):
            odd.append(place)
    return odd[0] if len(odd) == 1 else w.place


def _residual(case: Case, w: Wrong, places: Sequence[Place], out: Outcome) -> tuple[Place, Diagnosis] | None:
    """Return the statement of a sum built over several whose share is explained by one mistake, the others being right."""
    best: tuple[Place, Diagnosis] | None = None
    for place in places:
        if not adds(place.statement):
            continue
        samples = []
        for point in case.points:
            x = case.matching(w, point)
            if x is None:
                continue
            events = (out if point is case.main else case.scan(point)).events
            added = share(events, x, place)
            if added is None:
                continue
            if np.shape(added) != np.shape(x.expected) or np.shape(x.computed) != np.shape(x.expected):
                continue
            needed = x.expected - (x.computed - added)
            if np.shape(needed) == np.shape(added) and np.any(added) and not case.close(added, needed):
                samples.append(dataclasses.replace(case.sample(x, point, added, needed), terms=[]))
        if not samples:
            continue
        if all(_size(s.expected) <= 1e-10 * max(_size(s.actual), 1e-300) for s in samples):
            found: Diagnosis | None = Diagnosis(3, "extra-term", f"this term does not belong in `{w.name}`")
        else:
            found = explain(samples, w.name, case.session.tolerance)
        if found is not None and (best is None or found.rank < best[1].rank):
            best = (place, found)
    return best


def _size(x: Array) -> float:
    return float(np.max(np.abs(x), initial=0))


def _one_a_place(found: Sequence[Mistake]) -> list[Mistake]:
    """Return the first mistake of each statement, unless it sets several variables that are wrong for different reasons."""
    kept: list[Mistake] = []
    for mistake in found:
        same = [m for m in kept if m.place == mistake.place]
        if same and (
            mistake.diagnosis.kind == "unknown"
            or isinstance(mistake.place.statement, ast.AugAssign)
            or any(m.wrong.base == mistake.wrong.base for m in same)
        ):
            continue
        kept.append(mistake)
    return kept
