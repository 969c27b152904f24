"""What the checks found, and how a person reads it. Nothing is analysed here."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from autograd_np import errors
from autograd_np.check.judge.compare import Comparison
from autograd_np.check.tell.layout import Block, Excerpt, Grid, Line, to_html, to_rich, to_text

__all__ = ["BackwardReport", "Finding", "GradientCheck", "GradientReport", "GradientRow", "row_of"]

CONTEXT = 2  # source lines before and after the marked one
SHOWN = 20  # rows of a printed table of elements; `rows` holds them all


@dataclass
class Finding:
    """One mistake, at its line.

    Attributes
    ----------
    line : int
        1-based, in the user's file.
    variable : str
        The variable of the backward function that is wrong.
    kind : str
        ``"sign"``, ``"scale"``, ... or ``"unknown"``; see the design.
    message : str
        What is wrong, in the user's own names.
    factor : float or None
        For ``"scale"`` and ``"sign"``.
    source, function, file : str
        The text of the line, and where it stands.
    expected, actual : float
        At `worst_index`, the element that differs most.
    shape_expected, shape_actual : tuple of int or None
    end_line : int
        The last line of the statement that begins at `line`; 0 if it is that line.
    fix : str or None
        The lines from `line` to `end_line` as they should be, indented and in the style of the code. Given only if the whole
        pass was run with it, on all points, and this mistake was gone.
    call : str
        Where the line is inside a helper: ``"net.py:23: dA, dW = linear_backward(dZ, cache)"``, the call that showed it.
    consequences : list of str
        What is wrong only because of this mistake: ``"dW1 (line 19)"``.
    """

    line: int
    variable: str
    kind: str
    message: str
    factor: float | None = None
    source: str = ""
    function: str = ""
    file: str = ""
    expected: float = math.nan
    actual: float = math.nan
    worst_index: tuple[int, ...] = ()
    shape_expected: tuple[int, ...] | None = None
    shape_actual: tuple[int, ...] | None = None
    end_line: int = 0
    fix: str | None = None
    call: str = ""
    consequences: list[str] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """Actual by expected; NaN where that is 0 / 0."""
        return _ratio(self.actual, self.expected)


@dataclass
class GradientCheck:
    """One gradient, or one line's variable, compared with the engine.

    Attributes
    ----------
    name, variable : str
        The forward variable, and what the backward function calls its gradient.
    ok : bool
    max_abs_error, max_rel_error : float
    worst_index : tuple of int
        Where they are largest; `expected` and `actual` are the values there.
    shape : tuple of int
    note : str
        Such as ``"m × ∂L/∂Z2, by convention"``.
    line : int or None
    verdict : str
        ``"pass"``, ``"fail"`` or ``"inconclusive"``; follows `ok` if left out.
    """

    name: str
    variable: str
    ok: bool
    max_abs_error: float = 0.0
    max_rel_error: float = 0.0
    worst_index: tuple[int, ...] = ()
    expected: float = math.nan
    actual: float = math.nan
    shape: tuple[int, ...] = ()
    note: str = ""
    line: int | None = None
    verdict: str = ""

    def __post_init__(self) -> None:
        self.verdict = self.verdict or ("pass" if self.ok else "fail")

    @property
    def ratio(self) -> float:
        """Actual by expected; NaN where that is 0 / 0."""
        return _ratio(self.actual, self.expected)


def row_of(found: Comparison, note: str = "") -> GradientCheck:
    """Return the row of a table for a comparison."""
    shown = {f.name: getattr(found, f.name) for f in fields(found) if f.name != "constant"}
    return GradientCheck(**shown, note=note)


class Report:
    """What every report can do: print itself in three ways, become JSON, and raise."""

    verdict: str

    @property
    def ok(self) -> bool:
        """Whether the verdict is ``"pass"``; an inconclusive check is not one."""
        return self.verdict == "pass"

    def blocks(self) -> Iterator[Block]:
        """Yield what is shown, from top to bottom."""
        raise NotImplementedError

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain dicts, lists, strings and numbers; NaN and infinities are strings."""
        raise NotImplementedError

    def raise_if_wrong(self) -> None:
        """Raise if the verdict is not ``"pass"``; for tests.

        Raises
        ------
        CheckFailedError
            An AssertionError whose message is the report.
        """
        if not self.ok:
            raise errors.CheckFailedError(f"\n{self}")

    def __str__(self) -> str:
        return to_text(list(self.blocks()))

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.verdict}>"

    def __rich__(self) -> Any:
        return to_rich(list(self.blocks()))

    def _repr_html_(self) -> str:
        return to_html(list(self.blocks()))


@dataclass(repr=False)
class BackwardReport(Report):
    """What `autograd_np.check_backward` found.

    Attributes
    ----------
    verdict : str
        ``"pass"``, ``"fail"`` or ``"inconclusive"``; `ok` is whether it is ``"pass"``.
    gradients : dict of str to GradientCheck
        What the backward function returned, by the name of the forward variable.
    lines : list of GradientCheck
        Every line whose variable pairs with a forward variable, in execution order.
    findings : list of Finding
        The mistakes, in execution order.
    unjudged : list of str
        What was not judged, and why: ``"dA0: pairs with no variable of forward"``. Nothing unjudged counts as right.
    readings : list of str
        What was assumed where names do not tell: ``"`top_diff` is taken as the upstream gradient of `out`"``.
    conventions, adequacy, arbitration : list of str
        Intermediates that are a constant multiple of the gradient; what the user's own inputs cannot show; what the numeric
        third opinion says.
    source_lines : dict of int to str
        The backward function, by the line numbers of its file.
    sources : dict
        File -> the lines of every function of the user's that was watched, helpers included, by line number.
    graph : callable or None
        Draws the graph of forward, coloured by verdict, with both gradients: ``report.graph("check.svg")``.
    """

    verdict: str
    gradients: dict[str, GradientCheck] = field(default_factory=dict)
    lines: list[GradientCheck] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    unjudged: list[str] = field(default_factory=list)
    readings: list[str] = field(default_factory=list)
    conventions: list[str] = field(default_factory=list)
    adequacy: list[str] = field(default_factory=list)
    arbitration: list[str] = field(default_factory=list)
    source_lines: dict[int, str] = field(default_factory=dict)
    sources: dict[str, dict[int, str]] = field(default_factory=dict)
    file: str = ""
    function: str = "backward"
    seconds: float = 0.0
    draws: int = 0
    graph: Callable[..., Any] | None = None

    def blocks(self) -> Iterator[Block]:
        """Yield what is shown, from top to bottom."""
        yield Line(self._headline(), self.verdict)
        for finding in self.findings:
            yield Line("")
            yield from self._found(finding)
        if self.gradients:
            yield Line("")
            yield _grid_of_gradients(list(self.gradients.values()))
        for title, notes in (
            ("Conventions", self.conventions),
            ("What these inputs cannot show", self.adequacy),
            ("Third opinion (numeric)", self.arbitration),
        ):
            if notes:
                yield Line("")
                yield Line(title, "heading")
                yield from (Line(f"- {note}", indent=2) for note in notes)
        yield Line("")
        yield Line(f"{_count(len(self.lines), 'line')} compared, {_count(self.draws, 'draw')}, {self.seconds:.2f} s")

    def _headline(self) -> str:
        what = f"{self.function} ({_short_path(self.file)})" if self.file else self.function
        if self.verdict == "pass":
            return f"PASS: {what} is right: {_count(len(self.gradients), 'gradient')} agree{'s' if len(self.gradients) == 1 else ''}"
        if self.verdict == "inconclusive":
            open_ones = [g.variable for g in self.gradients.values() if g.verdict == "inconclusive"]
            return f"INCONCLUSIVE: {what} could not be judged" + (f": {', '.join(open_ones)}" if open_ones else "")
        if self.findings:
            at = ", ".join(f"line {f.line} {f.variable} ({f.kind})" for f in self.findings)
            return f"FAIL: {_count(len(self.findings), 'mistake')} in {what}: {at}"
        wrong = ", ".join(g.variable for g in self.gradients.values() if not g.ok)
        return f"FAIL: {what} is wrong in {wrong or 'what it returns'}; no single line explains it"

    def _found(self, finding: Finding) -> Iterator[Block]:
        yield Line(f"{_short_path(finding.file or self.file)}:{finding.line}  {finding.variable}: {finding.kind}", "heading")
        near = range(finding.line - CONTEXT, finding.line + CONTEXT + 1)
        lines = {n: self.source_lines[n] for n in near if n in self.source_lines}
        if finding.source:
            lines.setdefault(finding.line, finding.source)
        if lines:
            yield Excerpt(tuple(sorted(_dedented(lines).items())), finding.line)
        yield Line(finding.message, indent=2)
        if finding.shape_expected is not None and finding.shape_actual is not None and finding.shape_expected != finding.shape_actual:
            yield Line(f"shape: expected {finding.shape_expected}, actual {finding.shape_actual}", indent=2)
        if not (math.isnan(finding.expected) and math.isnan(finding.actual)):
            expected, actual = _pair(finding.expected, finding.actual)
            where = f"worst element {finding.variable}{_at(finding.worst_index)}"
            yield Line(f"{where}: expected {expected}, actual {actual}, ratio {_number(finding.ratio)}", indent=2)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain dicts, lists, strings and numbers; NaN and infinities are strings."""
        return {"ok": self.ok, **_plain({f.name: getattr(self, f.name) for f in fields(self) if f.name != "graph"})}


@dataclass
class GradientRow:
    """One derivative of a table of `autograd_np.check_gradients`.

    Attributes
    ----------
    name : str
        The argument, or for containers ``params['W']``.
    index : tuple of int or None
        The element; ``None`` for a random direction through all of them.
    mode : str
        ``"reverse"``, ``"forward"``, ``"second order"`` or ``"value"`` (of the function itself, on Tensors and on arrays).
    expected, actual : float
        The numeric value and the engine's.
    error : float
        The estimated error of the numeric value.
    verdict : str
        ``"pass"``, ``"fail"`` or ``"inconclusive"``.
    """

    name: str
    index: tuple[int, ...] | None
    mode: str
    expected: float
    actual: float
    error: float
    verdict: str

    @property
    def ratio(self) -> float:
        """Actual by expected; NaN where that is 0 / 0."""
        return _ratio(self.actual, self.expected)


@dataclass(repr=False)
class GradientReport(Report):
    """What `autograd_np.check_gradients` found.

    Attributes
    ----------
    verdict : str
        ``"pass"``, ``"fail"`` or ``"inconclusive"``; `ok` is whether it is ``"pass"``.
    rows : list of GradientRow
        Worst first.
    name : str
        Of the function.
    notes : list of str
        What was sampled instead of compared element by element.
    """

    verdict: str
    rows: list[GradientRow]
    name: str = "f"
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def blocks(self) -> Iterator[Block]:
        """Yield what is shown, from top to bottom."""
        counts = {v: sum(r.verdict == v for r in self.rows) for v in ("fail", "inconclusive", "pass")}
        said = ", ".join(f"{n} {word}" for n, word in zip(counts.values(), ("wrong", "inconclusive", "right"), strict=True) if n)
        yield Line(f"{self.verdict.upper()}: derivatives of {self.name}: {said or 'nothing to compare'}", self.verdict)
        if self.rows:
            yield Line("")
            shown = self.rows[:SHOWN]
            cells = []
            for r in shown:
                expected, actual = _pair(r.expected, r.actual)
                where = f"{r.name}{_at(r.index) if r.index is not None else ' (random direction)'}"
                cells.append((where, r.mode, expected, actual, _number(r.ratio), r.verdict))
            headers = ("derivative by", "mode", "expected", "actual", "ratio", "verdict")
            yield Grid(headers, tuple(cells), tuple(r.verdict for r in shown), left=2)
            if len(self.rows) > SHOWN:
                rest = {r.verdict for r in self.rows[SHOWN:]}
                yield Line(f"{len(self.rows) - SHOWN} more, {'all right' if rest == {'pass'} else 'see report.rows'}")
        if any(r.verdict == "inconclusive" for r in self.rows):
            yield Line("inconclusive: a kink (the one-sided derivatives differ), or too much rounding noise to tell")
        yield from (Line(note) for note in self.notes)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain dicts, lists, strings and numbers; NaN and infinities are strings."""
        return {"ok": self.ok, **_plain({f.name: getattr(self, f.name) for f in fields(self)})}


# --- words and numbers ----------------------------------------------------------------------------


def _grid_of_gradients(checks: Sequence[GradientCheck]) -> Grid:
    noted = any(c.note for c in checks)
    headers = ("gradient", "of", "shape", "max abs err", "max rel err", "verdict", *(("note",) if noted else ()))
    rows = []
    for c in checks:
        row = (c.variable, c.name, str(tuple(c.shape)), f"{c.max_abs_error:.1e}", f"{c.max_rel_error:.1e}", c.verdict)
        rows.append((*row, *((c.note,) if noted else ())))
    return Grid(headers, tuple(rows), tuple(c.verdict for c in checks), left=3)


def _ratio(actual: float, expected: float) -> float:
    with np.errstate(all="ignore"):
        return float(np.divide(actual, expected))


def _number(x: float) -> str:
    """Six digits; as many as it takes where that would hide what differs from 1."""
    return f"{x:.6g}" if f"{x:.6g}" != "1" else f"{x:.9g}"


def _pair(a: float, b: float) -> tuple[str, str]:
    """Write two numbers with as many digits as it takes to see that they differ, six if only rounding differs."""
    for digits in (6, 9, 12):
        first, second = f"{a:.{digits}g}", f"{b:.{digits}g}"
        if first != second:
            return first, second
    return f"{a:.6g}", f"{b:.6g}"


def _at(index: Sequence[int]) -> str:
    return f"[{', '.join(str(int(i)) for i in index)}]" if index else ""


def _count(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"


def _short_path(file: str) -> str:
    """Return a path relative to the working folder, if it is below it."""
    if not file:
        return "?"
    try:
        return str(Path(file).relative_to(Path.cwd()))
    except (ValueError, OSError):
        return file


def _dedented(lines: dict[int, str]) -> dict[int, str]:
    lines = {n: text.expandtabs(4).rstrip() for n, text in lines.items()}
    margin = min((len(t) - len(t.lstrip()) for t in lines.values() if t), default=0)
    return {n: text[margin:] for n, text in lines.items()}


def _plain(x: Any) -> Any:
    """Return `x` as what JSON can hold."""
    if x is None or isinstance(x, (str, bool)):
        return x
    if isinstance(x, np.ndarray):
        return _plain(x.tolist())
    if isinstance(x, np.bool_):
        return bool(x)
    if isinstance(x, numbers.Integral):
        return int(x)
    if isinstance(x, numbers.Real):
        return float(x) if math.isfinite(x) else str(float(x))
    if isinstance(x, dict):
        return {str(k): _plain(v) for k, v in x.items()}
    if isinstance(x, (list, tuple)):
        return [_plain(v) for v in x]
    if isinstance(x, (Finding, GradientCheck, GradientRow)):
        return {**{f.name: _plain(getattr(x, f.name)) for f in fields(x)}, "ratio": _plain(x.ratio)}
    return str(x)
