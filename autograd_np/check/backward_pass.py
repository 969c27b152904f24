"""`check_backward`: which line of a hand-written backward pass is wrong, and why.

The backward function runs line by line. Each variable that pairs with a forward variable is compared with the engine's
gradient when its last line has run; a wrong one is replaced by the right value, so that every line is judged on right
values above it. Then the mistake is looked for in the wrong line, or in the lines that feed it and pair with nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import numpy as np

from autograd_np import errors
from autograd_np.check.explain.detective import Mistake, find_mistakes
from autograd_np.check.explain.edits.catalogue import edits_of
from autograd_np.check.explain.vocabulary import constant_name, sizes_of
from autograd_np.check.judge.adequacy import blind_spots
from autograd_np.check.judge.arbitrate import Disagreement, arbitrate
from autograd_np.check.judge.compare import Comparison, close, compare
from autograd_np.check.judge.outcome import Returned
from autograd_np.check.judge.scan import scan
from autograd_np.check.judge.session import Session
from autograd_np.check.tell.picture import Picture, verdicts_of
from autograd_np.check.tell.report import BackwardReport, Finding, GradientCheck, row_of
from autograd_np.check.watch.draws import as_float64, draw
from autograd_np.check.watch.forward import Point
from autograd_np.check.watch.spelling import near_misses

__all__ = ["check_backward"]


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
) -> BackwardReport:
    """Check a hand-written backward pass line by line.

    Parameters
    ----------
    forward, backward : callable
        Your own functions, unmodified, in plain NumPy. Their parameters are filled by name from `inputs`, then from
        forward's local variables. In layer style (``out, cache = forward(x, w)``, ``backward(dout, cache)``) the upstream
        gradient is random.
    inputs : dict
        Names to arrays (or nested dicts and lists of arrays). Checked in float64.
    loss : callable, optional
        The scalar, if forward does not return it; filled by name like the others.
    wrt : sequence of str, optional
        Forward names whose gradients backward must return; by default those it returns. Returned expressions without a
        name (``return dZ @ X.T, ...``) are paired in this order, by default in the order of the inputs.
    names : dict, optional
        Gradient name to forward name, where no convention pairs them: ``{"delta2": "Z2"}``.
    draws : int
        How many further generic points of the same shapes to check.
    tolerance : float
        Largest error, relative to the largest element of the gradient.
    seed : int
        Of the draws.
    dtype : dtype
        In which inputs are checked; float64 even for float32 inputs, unless asked.

    Returns
    -------
    BackwardReport
        ``report.ok``, ``report.gradients``, ``report.findings``; print it.

    Raises
    ------
    CheckSetupError
        If a parameter is not supplied, a name pairs with nothing, or backward raises or returns nothing.
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
    if not isinstance(inputs, Mapping):
        raise errors.CheckSetupError(f"inputs must be a dict of names to arrays, got {type(inputs).__name__}")
    for role, function in (("forward", forward), ("backward", backward), ("loss", loss)):
        if not callable(function) and (role != "loss" or function is not None):
            raise errors.CheckSetupError(f"{role} must be a function, got {function!r:.60}")
    if draws < 0 or not 0 < tolerance < 1:
        raise errors.CheckSetupError(
            f"draws must be at least 0 and tolerance between 0 and 1, got draws={draws!r}, tolerance={tolerance!r}"
        )
    session = Session(forward, backward, loss, names, wrt, tolerance)
    rng = np.random.default_rng(seed)
    given = as_float64(dict(inputs)) if np.dtype(dtype) == np.float64 else dict(inputs)
    own = session.point(given, rng)
    session.pairing.known = sorted(dict.fromkeys([*own.leaves, *(n.partition("[")[0] for n in own.versions)]))
    session.pairing.check_names()
    points, runs = [own], [session.run(own)[0]]
    raised: list[str] = []
    for point in _more_points(session, given, draws, rng):
        try:
            runs.append(session.run(point)[0])
            points.append(point)
        except errors.CheckSetupError as error:
            raised.append(f"at a generic draw of the same shapes {str(error).splitlines()[0]}")
    session.returned_names = {_last_name(r.path) for r in runs[0]}
    _require(runs[0], wrt, session.pairing.known)
    gradients = _gradient_table(session, points, runs)
    wrong_at = [i for i, (p, r) in enumerate(zip(points, runs, strict=True)) if not _all_right(session, p, r)]
    wrong_at.sort(key=lambda i: (i == 0 and len(wrong_at) > 1, i))  # a generic point tells more than the user's own
    findings: list[Finding] = []
    seen = scan(session, own)
    lines = _rows(session, own, seen.lines)
    if wrong_at:
        findings = [_finding(session, m) for m in find_mistakes(session, [points[i] for i in wrong_at])]
    at = wrong_at[0] if wrong_at else 0
    decided = arbitrate(forward, loss, _cases(session, points[at], runs[at], rng))
    if decided.inconclusive:
        findings = []
    shown = own
    if wrong_at and 0 not in wrong_at:  # the drawing shows a point at which something is wrong
        shown = points[at]
        seen = scan(session, shown)
    drawn = dict(zip(seen.seen, _rows(session, shown, seen.seen.values()), strict=True))
    verdict = "inconclusive" if decided.inconclusive else "fail" if wrong_at else "pass"
    return BackwardReport(
        verdict=verdict,
        gradients=gradients,
        lines=lines,
        findings=findings,
        conventions=_conventions(lines, findings),
        adequacy=_hidden(wrong_at, len(points) - 1) + raised[:1] + blind_spots(session, points, edits_of),
        arbitration=decided.lines,
        source_lines=session.source.lines,
        file=session.source.filename,
        function=getattr(backward, "__name__", "backward"),
        seconds=time.perf_counter() - started,
        draws=len(points) - 1,
        graph=Picture(shown.graph, verdicts_of(drawn, inconclusive=decided.inconclusive)),
    )


def _rows(session: Session, point: Point, found: Collection[Comparison]) -> list[GradientCheck]:
    """Return the rows of comparisons at a point; a constant that an intermediate carries is named."""
    sizes = sizes_of(session, point)
    said = (f"{constant_name(c.constant, sizes)} × ∂L/∂{c.name}, by convention" if c.constant != 1 else "" for c in found)
    return [row_of(c, note) for c, note in zip(found, said, strict=True)]


def _last_name(path: str) -> str:
    """Return ``dW`` for ``grads['dW']`` and ``dW[0]``."""
    _, bracket, rest = path.partition("['")
    return rest.partition("'")[0] if bracket else path.partition("[")[0]


def _more_points(session: Session, given: Mapping[str, Any], draws: int, rng: np.random.Generator) -> list[Point]:
    """Return generic points of the same shapes at which forward is defined; near the given one if there are none elsewhere."""
    points: list[Point] = []
    for i in range(3 * draws):
        if len(points) == draws:
            break
        drawn = draw(dict(given), rng, gently=i >= draws + 2)
        try:
            with np.errstate(all="ignore"):
                point = session.point(drawn, rng)
        except (errors.AutogradError, ValueError, ArithmeticError, IndexError):
            continue
        if np.isfinite(point.loss) and np.isfinite(point.scale):
            points.append(point)
    return points


def _require(returned: Sequence[Returned], wrt: Sequence[str] | None, known: Sequence[str]) -> None:
    """Raise if a gradient is asked for that backward does not return, or it returns none."""
    have = {r.forward_name for r in returned}
    if not have:
        raise errors.CheckSetupError("backward returned no array that pairs with a variable of forward; use names={'gradient': 'variable'}")
    missing = [n for n in wrt or () if n not in have]
    if missing:
        strange = {n: ", ".join(near_misses(n, known)) or "none" for n in missing if n not in known}
        hint = "".join(f". Forward has no {n!r}; near misses: {near}" for n, near in strange.items())
        raise errors.CheckSetupError(
            f"backward does not return the gradient of {', '.join(missing)}; it returns those of {', '.join(sorted(have))}{hint}"
        )


def _all_right(session: Session, point: Point, returned: Sequence[Returned]) -> bool:
    return all(close(r.value, point.truth(session.target_node(r, point)), session.tolerance, point.scale) for r in returned)


def _gradient_table(session: Session, points: Sequence[Point], runs: Sequence[Sequence[Returned]]) -> dict[str, GradientCheck]:
    """Return one row a returned gradient: at the user's point, or at the first draw that shows an error."""
    table: dict[str, GradientCheck] = {}
    for point, returned in zip(points, runs, strict=True):
        for r in returned:
            truth = point.truth(session.target_node(r, point))
            ok = close(r.value, truth, session.tolerance, point.scale)
            if r.forward_name not in table or (table[r.forward_name].ok and not ok):
                note = "" if ok or point is points[0] else "shown by a generic draw, not by your own point"
                table[r.forward_name] = row_of(compare(r.forward_name, _last_name(r.path) or r.path, r.value, truth, ok), note)
    return table


def _cases(session: Session, point: Point, returned: Sequence[Returned], rng: np.random.Generator) -> list[Disagreement]:
    """Choose the elements to differentiate numerically: the worst of each wrong gradient, or one of each if all are right."""
    found: list[Disagreement] = []
    wrong = not _all_right(session, point, returned)
    for r in returned:
        if r.forward_name not in point.leaves:
            continue
        truth = point.truth(point.leaves[r.forward_name])
        ok = close(r.value, truth, session.tolerance, point.scale)
        if truth.size == 0 or (wrong and ok):
            continue
        index = compare(r.forward_name, r.path, r.value, truth, ok=ok).worst_index
        if ok or len(index) != truth.ndim:
            index = tuple(int(rng.integers(n)) for n in truth.shape)
        hand = float(r.value[index]) if r.value.shape == truth.shape else float("nan")
        found.append(Disagreement(point, r.forward_name, index, hand, float(truth[index]), ok))
    return found[:4]


def _hidden(wrong_at: Sequence[int], draws: int) -> list[str]:
    if wrong_at and 0 not in wrong_at:
        return [f"your own point shows no error; {len(wrong_at)} of {draws} generic draws of the same shapes do"]
    return []


def _conventions(lines: Sequence[GradientCheck], findings: Sequence[Finding]) -> list[str]:
    blamed = {f.variable for f in findings}
    return list(dict.fromkeys(f"{g.variable} = {g.note}" for g in lines if g.note and g.variable not in blamed))


def _finding(session: Session, mistake: Mistake) -> Finding:
    w, line, diagnosis = mistake
    row = compare(w.forward_name, w.name, w.computed, w.expected, ok=False)
    return Finding(
        line=line,
        variable=w.name,
        kind=diagnosis.kind,
        message=diagnosis.message,
        factor=diagnosis.factor,
        source=session.source.text(line),
        function=getattr(session.backward, "__name__", "backward"),
        file=session.source.filename,
        expected=row.expected,
        actual=row.actual,
        worst_index=row.worst_index,
        shape_expected=np.shape(w.expected),
        shape_actual=np.shape(w.computed),
    )
