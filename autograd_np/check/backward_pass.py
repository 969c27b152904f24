"""`check_backward`: which line of a hand-written backward pass is wrong, and why.

Forward runs at the user's point and at generic ones, on arrays and on Tensors; backward runs beside it, statement by statement.
What it gives for the inputs is judged against the engine's gradients, which decides. Then the mistake is looked for: each
variable is compared when its last statement has run, a wrong one is replaced by the right value, so that every statement is
judged on right values above it.
"""

from __future__ import annotations

import functools
import re
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np

from autograd_np import errors
from autograd_np.check.explain.absent import find_absent
from autograd_np.check.explain.case import Budget
from autograd_np.check.explain.detective import find_mistakes
from autograd_np.check.explain.edits.catalogue import edits_of
from autograd_np.check.explain.vocabulary import constant_name, sizes_of
from autograd_np.check.explain.whole import Mistake
from autograd_np.check.judge.adequacy import blind_spots
from autograd_np.check.judge.arbitrate import Decision, Disagreement, arbitrate, at_kink
from autograd_np.check.judge.batches import batch_point
from autograd_np.check.judge.compare import Comparison, compare
from autograd_np.check.judge.handed import (
    Clipping,
    Withheld,
    absent,
    clipping,
    in_place_of_gradients,
    misplaced,
    withheld,
    without_gradient,
)
from autograd_np.check.judge.idealised import agrees_without_safeguards, without_safeguards
from autograd_np.check.judge.names import is_gradients_name
from autograd_np.check.judge.numbers import begin, shared_defaults
from autograd_np.check.judge.outcome import Absent, Returned
from autograd_np.check.judge.points import Read, generic_points, is_random
from autograd_np.check.judge.results import Result
from autograd_np.check.judge.scan import scan
from autograd_np.check.judge.session import Done, Session
from autograd_np.check.judge.settings import settings_point
from autograd_np.check.judge.updates import told_of_updates
from autograd_np.check.tell.executed import executed_in
from autograd_np.check.tell.picture import Picture, verdicts_of
from autograd_np.check.tell.report import BackwardReport, Finding, GradientCheck, row_of
from autograd_np.check.watch.calling import leaf_names
from autograd_np.check.watch.point import Point
from autograd_np.check.watch.program import Program
from autograd_np.check.watch.spelling import near_misses
from autograd_np.draws import as_float64
from autograd_np.modes import no_grad

__all__ = ["check_backward"]

MOST_READINGS = 4
"""So many readings that are equally right at the user's point are tried at generic ones."""


@no_grad()  # a model that forward calls may have Parameters of its own, which are no variables of it
def check_backward(
    forward: Callable[..., Any],
    backward: Callable[..., Any],
    inputs: Mapping[str, Any],
    loss: Callable[..., Any] | None = None,
    *,
    wrt: Sequence[str] | None = None,
    names: Mapping[str, str] | None = None,
    draws: int = 3,
    tolerance: float = 1e-7,
    seed: int = 0,
    dtype: Any = np.float64,
    seconds: float = 3.0,
) -> BackwardReport:
    """Check a hand-written backward pass line by line.

    Parameters
    ----------
    forward, backward : callable
        Your own functions or methods, unmodified, in plain NumPy. Their parameters are filled by name from `inputs`, then from
        forward's local variables. In layer style (``out, cache = forward(x, w)``, ``backward(dout, cache)``) the upstream
        gradient is random; where names do not tell which parameter it is, the reading with fewest wrong results is taken, and
        said. Floating arrays in the object of a method, in captured variables and in globals are inputs too; what backward
        leaves there (``self.dW``, ``model.grads["W1"]``) is checked like what it returns.
    inputs : dict
        Names to arrays (or nested dicts and lists of arrays). Checked in float64. An upstream gradient may be among them.
    loss : callable, optional
        The scalar, if forward does not return it; filled by name like the others.
    wrt : sequence of str, optional
        Forward names whose gradients backward must return; the verdict is about these alone. By default all that it gives.
        Returned expressions without a name (``return dZ @ X.T, ...``) are paired by value, by shape, then in this order, by
        default in the order of the inputs.
    names : dict, optional
        Gradient name to forward name, where no convention pairs them: ``{"delta2": "Z2"}``.
    draws : int
        How many further generic points to check: other numbers, and other sizes where forward allows them.
    tolerance : float
        Largest relative error of an element; what rounding makes of its own sums is allowed besides.
    seed : int
        Of the draws.
    dtype : dtype
        In which inputs are checked; float64 even for float32 inputs, unless asked.
    seconds : float
        How long explanations may be looked for; the verdict does not depend on it.

    Returns
    -------
    BackwardReport
        ``report.ok``, ``report.gradients``, ``report.findings``; print it.

    Raises
    ------
    CheckSetupError
        If a parameter is not supplied, a name pairs with nothing, or backward gives nothing that pairs with an input.
    LeavesNumPyError
        If forward turns arrays into Python numbers, which cannot be traced; it says at which line.

    Examples
    --------
    >>> import numpy as np
    >>> import autograd_np as ag
    >>> def forward(W, X):
    ...     Z = W @ X
    ...     return np.mean(Z**2)
    >>> def backward(W, X, Z):
    ...     dZ = 2 * Z
    ...     dW = dZ @ X.T
    ...     return dW
    >>> report = ag.check_backward(forward, backward, {"W": np.ones((1, 2)), "X": np.ones((2, 3))})
    >>> report.ok, [f.kind for f in report.findings]
    (False, ['scale'])
    """
    started = time.perf_counter()
    _refuse_nonsense(forward, backward, loss, inputs, draws, tolerance)
    program = Program(forward, backward, loss)
    given = {**shared_defaults(program), **inputs}
    given = as_float64(given) if np.dtype(dtype) == np.float64 else given
    program.name_state(dict.fromkeys(leaf_names(given).values()))
    session = Session(program, names, wrt, tolerance)
    given, traced, readings = begin(session, given, dtype, seed)
    session.pairing.check_names(readings[0].point)
    _require(session, readings[0].point.known)
    chosen: _Checked | None = None
    for read in readings[:MOST_READINGS]:
        read.take(session)
        points, hidden = generic_points(session, given, traced, read.point, draws, np.random.default_rng(seed))
        checked = _Checked(session, read, points, hidden)
        if chosen is None or checked.wrong < chosen.wrong:
            chosen = checked
        if not chosen.wrong:
            break
    assert chosen is not None
    chosen.read.take(session)
    reading = chosen.read.reading
    said = reading.told(traced) if not reading.sure or reading.ones else []
    if chosen.read.promised:
        said.append(chosen.read.promised)
    if is_random(session, traced):
        said.append("forward draws random numbers: it was run again with the generators as they were")
    return _conclude(session, chosen, said, started, seconds)


def _refuse_nonsense(forward: Any, backward: Any, loss: Any, inputs: Any, draws: int, tolerance: float) -> None:
    if not isinstance(inputs, Mapping):
        raise errors.CheckSetupError(f"inputs must be a dict of names to arrays, got {type(inputs).__name__}")
    for role, function in (("forward", forward), ("backward", backward), ("loss", loss)):
        if not callable(function) and (role != "loss" or function is not None):
            raise errors.CheckSetupError(f"{role} must be a function, got {function!r:.60}")
    if draws < 0 or not 0 < tolerance < 1:
        raise errors.CheckSetupError(
            f"draws must be at least 0 and tolerance between 0 and 1, got draws={draws!r}, tolerance={tolerance!r}"
        )


def _of_right_gradients(session: Session, clips: Sequence[Clipping], points: Sequence[Point]) -> Sequence[Clipping]:
    """Return the clips that come after the gradient, not within it: without them less is wrong, or as much and a gradient is clipped."""
    if not clips:
        return []
    wrong = sum(_wrong_results(session, p) for p in points)
    session.always = [c.fix for c in clips]
    without = sum(_wrong_results(session, p) for p in points)
    session.always = []
    if without == wrong and wrong:
        return [c for c in clips if is_gradients_name(c.path)]
    return clips if without <= wrong else []


def _require(session: Session, known: Sequence[str]) -> None:
    """Raise if a gradient is asked for that forward has no variable for."""
    strange = [n for n in session.wrt or () if n not in known]
    if strange:
        near = {n: ", ".join(near_misses(n, known)) or "none" for n in strange}
        raise errors.CheckSetupError(
            "".join(f"wrt names {n!r}, but forward has no {n!r}; near misses: {found}. " for n, found in near.items()).strip()
        )


class _Checked:
    """What running backward at every point gave."""

    def __init__(self, session: Session, read: Read, generic: Sequence[Point], hidden: Sequence[str]) -> None:
        self.session, self.read, self.own = session, read, read.point
        session.always = []
        done = session.run(self.own)
        clips = _of_right_gradients(session, clipping(session, self.own, done), [self.own, *generic])
        self.notes = [c.said for c in clips]
        if clips:
            session.always = [c.fix for c in clips]
            done = session.run(self.own)
        self.points: list[Point] = [self.own]
        self.done: list[Done] = [done]
        self.hidden: list[str] = [*hidden]
        for point in generic:
            found = session.run(point)
            if found.recording.error is not None and self.done[0].recording.error is None:
                self.hidden.append(f"at a generic draw {_raised(found)}")
                continue
            self.points.append(point)
            self.done.append(found)
        self.returned = [session.returned(p, d) for p, d in zip(self.points, self.done, strict=True)]
        self.notes += [
            f"`{r.path}` lacks an axis of length one that `{r.forward_name}` has, and broadcasts to it" for r in self.returned[0] if r.bare
        ]

    def go_on(self, point: Point | None) -> None:
        """Go on to one more point, if there is one."""
        if point is not None:
            self.points.append(point)
            self.done.append(self.session.run(point))
            self.returned.append(self.session.returned(point, self.done[-1]))

    @property
    def wrong(self) -> int:
        """At how many points something is wrong."""
        return sum(not self.is_right(i) for i in range(len(self.points)))

    def is_right(self, i: int) -> bool:
        """Whether everything that decides is right at a point."""
        if self.done[i].recording.error is not None:
            return False
        return all(self.session.is_right(r, self.points[i]) for r in self.returned[i] if r.decides)

    def untold(self) -> list[str]:
        """Return the inputs of whose gradients rounding leaves nothing at any point."""
        found: dict[str, list[bool | None]] = {}
        for point, returned in zip(self.points, self.returned, strict=True):
            for r in returned:
                if r.decides:
                    found.setdefault(r.forward_name, []).append(self.session.judged(r, point))
        return [name for name, told in found.items() if all(t is None for t in told)]

    def doubtful(self, i: int, rng: np.random.Generator) -> Decision:
        """Ask numeric differences about a point."""
        return arbitrate(_cases(self.session, self.points[i], self.returned[i], rng, wrong=not self.is_right(i)))


def _raised(done: Done) -> str:
    error, step = done.recording.error, done.recording.raised
    where = f" at {step.place.function.filename}:{step.place.line}" if step is not None else ""
    return f"backward raised {type(error).__name__}{where}: {str(error).splitlines()[0] if str(error) else ''}"


def _conclude(session: Session, checked: _Checked, said: list[str], started: float, seconds: float) -> BackwardReport:
    """Judge every point, look for the mistakes, and report."""
    rng = np.random.default_rng(0)
    own, unjudged, hidden = checked.own, checked.read.unjudged, checked.hidden
    raised = checked.done[0].recording.error is not None
    missing = [] if raised else list(withheld(session, own, checked.done[0]))
    lacking = []
    if not raised:
        instead = in_place_of_gradients(session, own, checked.done[0])
        _refuse_nothing(session, checked, [*missing, *instead])
        session.returned_names = {_last_name(r.path) for r in checked.returned[0] if r.decides}
        lacking = absent(session, own, checked.done[0], checked.returned[0])
        for a in (*misplaced(session, own, checked.done[0], checked.returned[0], missing), *instead):
            lacking += [a] if a.forward_name not in {b.forward_name for b in lacking} else []
        if not (missing or lacking or checked.wrong) and len(checked.points) > 1:
            checked.go_on(batch_point(session, own.traced, rng))
            checked.go_on(settings_point(session, own, rng))
    wrong_at = [i for i in range(len(checked.points)) if not checked.is_right(i)]
    decisions = {i: checked.doubtful(i, rng) for i in (wrong_at or [0])} if not raised else {}
    judged_at = [i for i in wrong_at if raised or not decisions[i].engine_is_off]
    kinks = [i for i in wrong_at if i not in judged_at]
    notes: list[str] = []
    ideal: list[Point] = []
    if judged_at:
        ideal, safeguard = _without_safeguards(session, [checked.points[i] for i in judged_at], raised=raised)
        if safeguard is not None:
            notes.append(safeguard)
            judged_at = []
    inconclusive = bool(kinks) and not judged_at and not notes and len(kinks) == len(checked.points)
    without_cost = 0 in kinks and not np.isfinite(own.loss) and not judged_at
    untold = [] if raised else checked.untold()
    inconclusive = inconclusive or without_cost or (bool(untold) and not judged_at)
    verdict = "fail" if judged_at or missing or lacking else "inconclusive" if inconclusive else "pass"
    tells = {i: _tells(checked.points[i], own) for i in judged_at}
    if ideal and judged_at:
        ideal = [p for _, p in sorted(zip(judged_at, ideal, strict=True), key=lambda pair: tells[pair[0]])]
    judged_at.sort(key=lambda i: tells[i])
    seen = scan(session, own)
    lines = _rows(session, own, seen.lines)
    findings: list[Finding] = []
    if verdict == "fail":
        budget = Budget(seconds)
        sound = [i for i in judged_at if not (at_kink(checked.points[i]) if raised else i in decisions and decisions[i].partly)]
        if sound and len(sound) < len(judged_at):
            ideal = [p for p, i in zip(ideal, judged_at, strict=True) if i in sound] if ideal else []
        blamed = [checked.points[i] for i in sound or judged_at]
        if lacking:
            found = find_absent(session, checked.points, blamed, lacking, budget)
        else:
            found = _explained(session, blamed, ideal, budget) if blamed else []
        given = {a.forward_name for a in lacking} if any(m.fix for m in found) else set()
        computed = {w.forward_name for w in missing} - given
        findings = [_finding(session, m) for m in found if m.fix is not None or m.wrong.forward_name not in computed]
        findings += [_not_returned(w) for w in missing if w.forward_name in computed]
        if budget.ended:
            hidden = [*hidden, f"the search for explanations ended after {seconds:g} s; seconds= gives it more"]
    shown = own if not judged_at or 0 in judged_at else checked.points[judged_at[0]]
    if shown is not own:
        seen = scan(session, shown)
    drawn = dict(zip(seen.seen, _rows(session, shown, seen.seen.values()), strict=True))
    own_is_right = judged_at and 0 not in judged_at
    if own_is_right:
        hidden = [f"your own point shows no error; {len(judged_at)} of {len(checked.points) - 1} generic draws do", *hidden]
    notes += [f"of the gradient of `{n}` rounding leaves nothing to compare at any point: choose inputs that saturate less" for n in untold]
    if without_cost:
        notes.append(
            f"the cost at your own point is {own.loss:g}, so no gradient exists there to compare: choose inputs with a finite cost"
        )
    if kinks and not inconclusive:
        notes.append(
            "hand and engine differ at a kink, where the derivative does not exist; elsewhere they agree"
            if not judged_at
            else "some points lie at a kink and were left out"
        )
    arbitration = [line for i in (judged_at[:1] or list(decisions)[:1]) if i in decisions for line in decisions[i].lines]
    blind = [] if raised else blind_spots(session, checked.points, edits_of)
    function = session.function
    return BackwardReport(
        verdict=verdict,
        gradients=_gradient_table(session, checked, set(kinks), notes if not judged_at else []),
        lines=lines,
        findings=findings,
        unjudged=_unjudged(session, unjudged, checked, {w.forward_name for w in missing} | {a.forward_name for a in lacking}),
        readings=[*said, *told_of_updates(session.targets), *checked.notes, *notes],
        conventions=_conventions(lines, findings),
        adequacy=[*hidden, *blind],
        arbitration=arbitration,
        source_lines=function.lines if function is not None else {},
        sources=_sources(session),
        file=function.filename if function is not None else "",
        function=getattr(session.program.backward, "__name__", "backward"),
        seconds=time.perf_counter() - started,
        draws=len(checked.points) - 1,
        graph=Picture(shown.graph, verdicts_of(drawn, inconclusive=inconclusive, findings=findings), shown.gradients, executed_in(seen)),
    )


def _without_safeguards(session: Session, points: Sequence[Point], *, raised: bool) -> tuple[list[Point], str | None]:
    """Return the points without forward's safeguards at which backward is nearest to right, and what to say if it is right there."""
    nearest: tuple[int, list[Point]] = (0, [])
    for in_logarithms in (False, True):
        ideal, safeguards = without_safeguards(session, points, in_logarithms=in_logarithms)
        said = agrees_without_safeguards(session, points, ideal, safeguards) if not raised else None
        if said is not None:
            return ideal, said
        wrong = sum(_wrong_results(session, p) for p in ideal)
        if ideal and (not nearest[1] or wrong < nearest[0]):
            nearest = wrong, ideal
    return nearest[1], None


def _tells(point: Point, own: Point) -> int:
    """Say how little can be told from a point: sizes that differ from one another tell most, the user's own numbers least."""
    resized = any(np.shape(point.leaves[n].out) != np.shape(node.out) for n, node in own.leaves.items() if n in point.leaves)
    return 2 if point.own else 0 if resized else 1


def _explained(session: Session, points: list[Point], ideal: list[Point], budget: Budget) -> list[Mistake]:
    """Look for the mistakes; first at the points of forward without its safeguards, if backward is as near to that."""
    if ideal:
        wrong = [sum(_wrong_results(session, p) for p in some) for some in (points, ideal)]
        if wrong[1] <= wrong[0]:
            first = budget if wrong[1] < wrong[0] else budget.part(0.5)
            found = find_mistakes(session, ideal, first)
            if wrong[1] < wrong[0] or any(m.diagnosis.kind != "unknown" for m in found):
                return found
    return find_mistakes(session, points, budget)


def _wrong_results(session: Session, point: Point) -> int:
    """Return how many of backward's results are wrong at a point."""
    return sum(not session.is_right(r, point) for r in session.paired(point, session.quick(point, {}) or []) if r.decides)


def _sources(session: Session) -> dict[str, dict[int, str]]:
    found: dict[str, dict[int, str]] = {}
    for f in session.program.functions.watched():
        if f.lines:
            found.setdefault(f.filename, {}).update(f.lines)
    return found


def _refuse_nothing(session: Session, checked: _Checked, missing: Sequence[Withheld | Absent]) -> None:
    """Raise if backward gave nothing that can be judged, or not what was asked for."""
    returned = checked.returned[0]
    called = getattr(session.program.backward, "__name__", "")
    if not returned and not missing:
        if checked.done[0].recording.result is None:
            raise errors.CheckSetupError(
                f"backward {called} returned None and left no gradient behind; return the gradients, as a tuple (dW, db) or a dict "
                f"{{'dW': dW}}, or leave them in the object (self.dW)"
            )
        names = ", ".join(repr(r.name or r.path) for r in checked.done[0].results) or type(checked.done[0].recording.result).__name__
        near = sorted({m for r in checked.done[0].results if r.name for m in near_misses(r.name, checked.own.known)})
        raise errors.CheckSetupError(
            f"backward returned {names}, no array that pairs with a variable of forward. Near misses: {', '.join(near) or 'none'}; "
            f"say what it is the gradient of with names={{'gradient': 'variable'}}. Forward has {', '.join(checked.own.known)}"
        )
    have = {r.forward_name for r in returned} | {w.forward_name for w in missing}
    absent = [n for n in session.wrt or () if n not in have and checked.own.traced.program.aliases.get(n, n) not in have]
    if absent:
        raise errors.CheckSetupError(
            f"backward does not return the gradient of {', '.join(absent)}; it returns those of {', '.join(sorted(have)) or 'nothing'}"
        )


def _unjudged(session: Session, unjudged: Sequence[Result], checked: _Checked, told: Collection[str]) -> list[str]:
    said = [f"{r.name or r.path}: pairs with no variable of forward" for r in unjudged]
    decided = {r.forward_name for r in checked.returned[0] if r.decides}
    for r in checked.returned[0]:
        if not r.decides and r.forward_name not in decided and not session.wrt:
            said.append(f"{_last_name(r.path)}: the gradient of an intermediate, `{r.forward_name}`; nothing follows from it")
        elif not r.decides and session.wrt and r.forward_name not in session.wrt:
            said.append(f"{_last_name(r.path)}: not in wrt")
    if checked.done[0].recording.error is None:
        said += [f"{n}: backward gives no gradient for it" for n in without_gradient(session, checked.own) if n not in told]
    return list(dict.fromkeys(said))


def _rows(session: Session, point: Point, found: Collection[Comparison]) -> list[GradientCheck]:
    """Return the rows of comparisons at a point; a constant that an intermediate carries is named."""
    sizes = sizes_of(session, point)
    said = (f"{constant_name(c.constant, sizes)} × ∂L/∂{c.name}, by convention" if c.constant != 1 else "" for c in found)
    rows = [row_of(c, note) for c, note in zip(found, said, strict=True)]
    for row in rows:
        row.variable = _as_said(session, row.variable)
    return rows


def _as_said(session: Session, text: str) -> str:
    """Return a variable with the names that the user wrote for what is private to classes."""
    return functools.reduce(lambda said, f: f.as_said(said), session.program.functions.watched(), text)


def _last_name(path: str) -> str:
    """Return ``dW`` for ``grads['dW']`` and ``dW[0]``; an expression as it is."""
    if not re.fullmatch(r"[\w.]*(\[[^\[\]]*\])*", path):
        return path
    _, bracket, rest = path.partition("['")
    return rest.partition("'")[0] if bracket else path.partition("[")[0]


def _gradient_table(session: Session, checked: _Checked, kinks: set[int], excused: Sequence[str]) -> dict[str, GradientCheck]:
    """Return one row a gradient: at the user's point, or at the first draw that shows an error."""
    table: dict[str, GradientCheck] = {}
    for i, (point, returned) in enumerate(zip(checked.points, checked.returned, strict=True)):
        for r in returned:
            if not r.decides:
                continue
            truth = point.truth(r.node)
            ok = session.is_right(r, point)
            if r.forward_name not in table or (table[r.forward_name].ok and not ok):
                note = "" if ok or i == 0 else "shown by a generic draw, not by your own point"
                name = _as_said(session, _last_name(r.path) or r.path)
                row = row_of(compare(r.forward_name, name, r.value, truth, ok), note)
                if not ok and i in kinks:
                    row.verdict, row.note = "inconclusive", "at a kink"
                elif not ok and excused:
                    row.ok, row.verdict, row.note = True, "pass", excused[0].partition(":")[0]
                table[r.forward_name] = row
    return table


def _cases(session: Session, point: Point, returned: Sequence[Returned], rng: np.random.Generator, *, wrong: bool) -> list[Disagreement]:
    """Choose the elements to differentiate numerically: the worst of each wrong gradient, or one of each if all are right."""
    found: list[Disagreement] = []
    for r in returned:
        if r.forward_name not in point.leaves or not r.decides:
            continue
        truth = point.truth(point.leaves[r.forward_name])
        ok = session.is_right(r, point)
        if truth.size == 0 or (wrong and ok):
            continue
        index = compare(r.forward_name, r.path, r.value, truth, ok=ok).worst_index
        if ok or len(index) != truth.ndim:
            index = tuple(int(rng.integers(n)) for n in truth.shape)
        hand = float(r.value[index]) if r.value.shape == truth.shape else float("nan")
        found.append(Disagreement(point, r.forward_name, index, hand, float(truth[index]), ok))
    return found[:4]


def _conventions(lines: Sequence[GradientCheck], findings: Sequence[Finding]) -> list[str]:
    blamed = {f.variable for f in findings}
    return list(dict.fromkeys(f"{g.variable} = {g.note}" for g in lines if g.note and g.variable not in blamed))


def _not_returned(w: Withheld) -> Finding:
    e = w.event
    function = e.place.function
    return Finding(
        line=e.place.line,
        variable=function.as_said(e.path),
        kind="not-returned",
        message=f"`{function.as_said(e.path)}`, the gradient of `{w.forward_name}`, is computed and not returned",
        source=e.place.text,
        function=function.name,
        file=function.filename,
        end_line=e.place.end_line,
    )


def _finding(session: Session, mistake: Mistake) -> Finding:
    w, place, diagnosis = mistake.wrong, mistake.place, mistake.diagnosis
    row = compare(w.forward_name, w.name, w.computed, w.expected, ok=False)
    there = w.computed.size > 0 or w.expected.size > 0
    return Finding(
        line=place.line,
        variable=place.function.as_said(mistake.variable or w.name),
        kind=diagnosis.kind,
        message=place.function.as_said(diagnosis.message),
        factor=diagnosis.factor,
        source=place.text,
        function=place.function.name,
        file=place.function.filename,
        expected=row.expected,
        actual=row.actual,
        worst_index=row.worst_index,
        shape_expected=np.shape(w.expected) if there else None,
        shape_actual=np.shape(w.computed) if there else None,
        end_line=place.end_line,
        fix=mistake.fix,
        call=mistake.call,
        consequences=[_as_said(session, c) for c in mistake.consequences],
        rivals=[_finding(session, r) for r in mistake.rivals],
    )
