"""From wrong variables to findings: one mistake, one line, one reason."""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from autograd_np.check.explain.case import Case, Verdict
from autograd_np.check.explain.culprits import edited_elsewhere, meant_as_gradient, stale, suspects_of
from autograd_np.check.explain.diagnose import Diagnosis, explain
from autograd_np.check.explain.edits.line_edits import edited_line
from autograd_np.check.judge.chains import adds, divides, share
from autograd_np.check.judge.outcome import Fix, Key, Outcome, Wrong
from autograd_np.check.judge.scan import scan
from autograd_np.check.judge.session import Session
from autograd_np.check.watch.forward import Point
from autograd_np.check.watch.run import Event
from autograd_np.typing import Array

__all__ = ["Mistake", "find_mistakes"]


QUICK = 5.5
"""Edits simpler than this are tried in all lines that feed a wrong one before anything else."""

MOST = 12
"""So many wrong variables are explained."""


class Mistake(NamedTuple):
    """A wrong variable, the line that is to blame, and why."""

    wrong: Wrong
    line: int
    diagnosis: Diagnosis


def find_mistakes(session: Session, points: Sequence[Point]) -> list[Mistake]:
    """Return the mistakes in a backward function, in order of execution.

    Parameters
    ----------
    session : Session
    points : sequence of Point
        Where backward is wrong; an explanation must hold on all of them.
    """
    case = Case(session, points)
    found: list[Mistake] = []
    case.corrected = _conventions(case)
    explained: set[tuple[int, str]] = set()
    _ignore_what_does_no_harm(case)
    for _ in range(MOST):
        out = case.scan(case.main)
        left = [w for w in out.wrong if (w.line, w.base) not in explained]
        if not left:
            break
        w = left[0]
        line, diagnosis, fix = _explain(case, w, out)
        found.append(Mistake(w, line, diagnosis))
        explained.add((w.line, w.base))
        if fix is not None and fix.line != w.line:
            case.fixes.append(fix)
    order = [e.line for e in scan(session, case.main).events]
    return sorted(_one_a_line(found), key=lambda f: order.index(f.line) if f.line in order else len(order))


def _ignore_what_does_no_harm(case: Case) -> None:
    """Leave an intermediate alone if its own value harms nothing that comes after it: only its name looks like a gradient's."""
    out = case.scan(case.main)
    for path in dict.fromkeys(w.name for w in _intermediates(case, out)):
        case.session.ignored.add(path)
        without = case.scan(case.main)
        if not without.wrong_lines() <= out.wrong_lines() or not without.wrong_lines():
            case.session.ignored.discard(path)
        else:
            out = without


def _intermediates(case: Case, out: Outcome) -> list[Wrong]:
    """Return the wrong variables that backward does not return."""
    return [w for w in out.wrong if w.event is not None and w.event.name not in case.session.returned_names]


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
        suspects = {**best.kept, **{w.key: 1.0 for w in _intermediates(case, best)}}
        for key, kept in list(suspects.items())[:4]:
            for c in dict.fromkeys([*usual, -kept]):
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
    return not any(divides(case.session.source.statement(w.line)) for w in best.wrong)


# --- one wrong variable


def _explain(case: Case, w: Wrong, out: Outcome) -> Verdict:
    """Return the simplest explanation: of the values, of the line's text, or of a line that feeds it."""
    lines = case.chain_lines(w, out)
    samples = case.samples(w)
    own = explain(samples, w.name, case.session.tolerance) if samples else None
    own_line = w.line
    if len(lines) > 1 and w.event is not None:
        residual = _residual(case, w, lines, out)
        if residual is not None and (own is None or residual[1].rank <= own.rank):
            own_line, own = residual
        else:
            own_line = _odd_line(case, w, lines, out)
    before = len(out.wrong_lines())
    suspects = suspects_of(case, w, out)
    elsewhere = stale(case, w, suspects) or (edited_elsewhere(case, w, suspects, before, QUICK) if own is None else None)
    if elsewhere is not None:
        return elsewhere
    substituted = meant_as_gradient(case, w, suspects, before, explained=own is not None)
    if substituted is not None and substituted.diagnosis.kind != "unknown":
        return substituted
    if own is None or own.rank > 1:
        edited = edited_line(case, w, lines, out, limit=own.rank if own else 99)
        if edited is not None:
            return edited
    if own is not None:
        return Verdict(own_line, own)
    elsewhere = edited_elsewhere(case, w, suspects, before) or substituted
    if elsewhere is not None:
        return elsewhere
    message = f"`{w.name}` is not ∂L/∂{w.forward_name}, and no single known mistake explains the difference"
    if len(lines) > 1 and w.event is not None and own_line == w.line:
        own_line = _first_curable(case, w, lines, out)
    return Verdict(own_line, Diagnosis(99, "unknown", message))


def _first_curable(case: Case, w: Wrong, lines: list[int], out: Outcome) -> int:
    """Return the first line of a chain after which a multiple of the right value makes the rest right."""
    for line in lines:
        events = [e for e in out.events if e.line == line and e.path == w.name]
        for c in dict.fromkeys([1.0, *case.sizes(case.main).values()]):
            fix = Fix(line, w.name, None, functools.partial(_scaled, c, w.expected, events))
            if len(events) == 1 and case.right_with(fix, w, case.main):
                return line
    return w.line


def _scaled(c: float, expected: Array, events: Sequence[Event], _: Point) -> dict[int, Array]:
    return {e.visit: c * expected for e in events}


def _odd_line(case: Case, w: Wrong, lines: list[int], out: Outcome) -> int:
    """Return the one line of a sum whose share is no contribution to the gradient, where there is just one."""
    terms = [w.constant * t for _, t in case.main.terms(w.node)]
    if not 2 <= len(terms) <= 6 or any(np.shape(t) != w.expected.shape for t in terms):
        return w.line
    sums = [sum(some) for n in range(1, len(terms) + 1) for some in itertools.combinations(terms, n)]
    odd = []
    for line in lines:
        added = share(out.events, w, line, case.session.source)
        if added is not None and (np.any(added) and not any(case.close(added, s, case.main) for s in sums)):
            odd.append(line)
    return odd[0] if len(odd) == 1 else w.line


def _residual(case: Case, w: Wrong, lines: list[int], out: Outcome) -> tuple[int, Diagnosis] | None:
    """Return the line of a sum built over several lines whose share is explained by one mistake, the others being right."""
    best: tuple[int, Diagnosis] | None = None
    for line in lines:
        if not adds(case.session.source.statement(line)):
            continue
        samples = []
        for point in case.points:
            x = case.matching(w, point)
            if x is None:
                continue
            events = (out if point is case.main else case.scan(point)).events
            added = share(events, x, line, case.session.source)
            if added is None:
                continue
            needed = x.expected - (x.computed - added)
            if np.any(added) and not case.close(added, needed, point):
                samples.append(dataclasses.replace(case.sample(x, point, added, needed), terms=[]))
        if not samples:
            continue
        if all(_size(s.expected) <= 1e-10 * max(_size(s.actual), 1e-300) for s in samples):
            found: Diagnosis | None = Diagnosis(3, "extra-term", f"this term does not belong in `{w.name}`")
        else:
            found = explain(samples, w.name, case.session.tolerance)
        if found is not None and (best is None or found.rank < best[1].rank):
            best = (line, found)
    return best


def _size(x: Array) -> float:
    return float(np.max(np.abs(x), initial=0))


def _one_a_line(found: Sequence[Mistake]) -> list[Mistake]:
    """Return the first mistake of each line: a statement that sets several variables is one mistake."""
    first: dict[int, Mistake] = {}
    for mistake in found:
        first.setdefault(mistake.line, mistake)
    return list(first.values())
