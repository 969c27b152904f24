"""What the checks found, and how a person reads it. Nothing is analysed here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from autograd_np import errors
from autograd_np.check.tell import formats
from autograd_np.check.tell.html import to_html
from autograd_np.check.tell.layout import Block, Diff, Drawing, Excerpt, Grid, Line, to_rich, to_text
from autograd_np.check.tell.patch import Change, changes_of, unified
from autograd_np.check.tell.places import file_shown, place, shortened
from autograd_np.check.tell.records import Finding, GradientCheck, GradientRow, because_of, row_of
from autograd_np.check.tell.words import at, clipped, count, dedented, number, pair

__all__ = ["BackwardReport", "Finding", "GradientCheck", "GradientReport", "GradientRow", "Report", "row_of"]

CONTEXT = 2  # source lines before and after the marked ones
SHOWN = 20  # rows of a printed table of elements; `rows` holds them all
NAMED = 5  # findings and names in the headline
DRAWN = 200  # nodes of the largest graph that a notebook shows


class Report:
    """What every report can do: be true or false, print itself in three ways, become JSON, and raise."""

    verdict: str

    @property
    def ok(self) -> bool:
        """Whether the verdict is ``"pass"``; an inconclusive check is not one."""
        return self.verdict == "pass"

    def __bool__(self) -> bool:
        return self.ok

    def headline(self) -> str:
        """Return the verdict in a sentence."""
        raise NotImplementedError

    def summary(self) -> str:
        """Return the verdict and the first mistake on one line."""
        return self.headline()

    def blocks(self) -> Iterator[Block]:
        """Yield what is shown, from top to bottom."""
        raise NotImplementedError

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain dicts, lists, strings and numbers; NaN and infinities are strings."""
        return formats.as_dict(self)

    def raise_if_wrong(self) -> None:
        """Raise if the verdict is not ``"pass"``; for tests.

        Raises
        ------
        CheckFailedError
            An AssertionError whose message is the report; its first line is the first mistake.
        """
        __tracebackhide__ = True
        if not self.ok:
            raise errors.CheckFailedError(f"{self.summary()}\n\n{self}")

    def __str__(self) -> str:
        return to_text(list(self.blocks()))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {clipped(self.summary(), 180)}>"

    def __rich__(self) -> Any:
        return to_rich(list(self.blocks()))

    def _repr_html_(self) -> str:
        return to_html(list(self.blocks()))


@dataclass(repr=False)
class BackwardReport(Report):
    """What `autograd_np.check_backward` found. It is true if the verdict is ``"pass"``.

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

    def located(self) -> list[Finding]:
        """Return the findings, each with its file; those that name none are in the backward function's."""
        return [self._located(f) for f in self.findings]

    def _located(self, f: Finding) -> Finding:
        return replace(f, file=f.file or self.file, rivals=[self._located(r) for r in f.rivals])

    def source_of(self, finding: Finding) -> dict[int, str]:
        """Return the lines that were watched in the file of a finding, by number."""
        file = finding.file or self.file
        return {**(self.source_lines if file == self.file else {}), **self.sources.get(file, {})}

    def headline(self) -> str:
        """Return the verdict in a sentence, with what was not judged."""
        unjudged = _listed([text.partition(":")[0] for text in self.unjudged])
        return self._verdict() + (f"; {len(self.unjudged)} not judged: {unjudged}" if self.unjudged else "")

    def _verdict(self) -> str:
        what = f"{self.function} ({file_shown(self.file)})" if self.file else self.function
        if self.verdict == "pass":
            return f"PASS: {what} is right: {count(len(self.gradients), 'gradient')} agree{'s' if len(self.gradients) == 1 else ''}"
        if self.verdict == "inconclusive":
            open_ones = [g.variable for g in self.gradients.values() if g.verdict == "inconclusive"]
            return f"INCONCLUSIVE: {what} could not be judged" + (f": {_listed(open_ones)}" if open_ones else "")
        if self.findings:
            places = (self._where(f) for f in self.located())
            or_else = ("".join(f" or {self._where(r)}" for r in f.rivals) for f in self.located())
            found = [f"{where}{other} {f.variable} ({f.kind})" for where, other, f in zip(places, or_else, self.findings, strict=True)]
            return f"FAIL: {count(len(self.findings), 'mistake')} in {what}: {_listed(found)}"
        wrong = [g.variable for g in self.gradients.values() if not g.ok]
        return f"FAIL: {what} is wrong in {_listed(wrong) or 'what it returns'}; no single line explains it"

    def _where(self, f: Finding) -> str:
        return f"line {f.line}" if f.file == self.file else place(f.file, f.line)

    def summary(self) -> str:
        """Return the verdict and the first mistake on one line: ``FAIL: net.py:11 dW: scale: ...``."""
        if not self.findings:
            return self.headline()
        first = self.located()[0]
        said = f"{place(first.file, first.line)} {first.variable}: {first.kind}: {' '.join(first.message.split())}"
        said += "".join(f", or {place(r.file, r.line)} {r.variable}: {r.kind}" for r in first.rivals)
        more = f" (and {len(self.findings) - 1} more)" if len(self.findings) > 1 else ""
        return f"{self.verdict.upper()}: {said}{more}"

    def blocks(self) -> Iterator[Block]:
        """Yield what is shown, from top to bottom."""
        yield Line(self.headline(), self.verdict)
        for finding in self.located():
            yield Line("")
            yield from self._found(finding)
        if self.gradients:
            yield Line("")
            yield _grid_of_gradients(list(self.gradients.values()), self.findings)
        for title, notes in (
            ("Not judged", self.unjudged),
            ("Assumed", self.readings),
            ("Conventions", self.conventions),
            ("What these inputs cannot show", self.adequacy),
            ("Third opinion (numeric)", self.arbitration),
        ):
            if notes:
                yield Line("")
                yield Line(title, "heading")
                yield from (Line(note, indent=2, mark="- ") for note in notes)
        yield Line("")
        yield Line(f"{count(len(self.lines), 'line')} compared, {count(self.draws, 'draw')}, {self.seconds:.2f} s")

    def _found(self, finding: Finding) -> Iterator[Block]:
        inside = f", in {finding.function}" if finding.function else ""
        yield Line(f"{place(finding.file, finding.line)}{inside}  {finding.variable}: {finding.kind}", "heading")
        if finding.call:
            yield Line(f"called at {shortened(finding.call)}", indent=2)
        source, last = self.source_of(finding), max(finding.line, finding.end_line)
        near = range(finding.line - CONTEXT, last + CONTEXT + 1)
        lines = {n: source[n] for n in near if n in source}
        if finding.source:
            lines.setdefault(finding.line, finding.source)
        if lines:
            yield Excerpt(tuple(sorted(dedented(lines).items())), finding.line, last)
        yield Line(finding.message, indent=2)
        yield from (Line(text, indent=2) for text in formats.numbers_of(finding))
        if finding.fix is not None:
            yield Line("It should be:", indent=2)
            yield _diff(finding, source)
        for rival in finding.rivals:
            inside = f", in {rival.function}" if rival.function and rival.function != finding.function else ""
            yield Line(f"or else {place(rival.file, rival.line)}{inside}  {rival.variable}: {rival.kind}: {rival.message}", indent=2)
            if rival.fix is not None:
                yield _diff(rival, self.source_of(rival))
        if finding.consequences:
            yield Line(f"wrong only because of line {finding.line}: {', '.join(finding.consequences)}", indent=2)

    def _repr_html_(self) -> str:
        drawing = _drawn(self.graph)
        return to_html([*self.blocks(), *([drawing] if drawing else [])])

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain dicts, lists, strings and numbers, as docs/checking.md describes them.

        ``"schema"`` is the version of that description. NaN and infinities are strings, and the drawing is left out.
        """
        return formats.as_dict(self, without=("graph",))

    def to_sarif(self) -> dict[str, Any]:
        """Return a SARIF 2.1.0 log for code scanning: a rule a kind, a result a finding, with its fix.

        Files are named relative to ``$GITHUB_WORKSPACE``, or to the working folder where that is not set.
        """
        return formats.as_sarif(self)

    def patch(self) -> str:
        """Return the verified fixes as a unified diff, for ``git apply`` in the working folder.

        Returns
        -------
        str
            Empty if no finding has a fix. Where the lines of two fixes overlap, the first one counts; the text says so above the
            diff, as it does of a file that is not what was checked any more.
        """
        return unified(*self.changes())

    def explore(self, path: str | Path, **options: Any) -> Path:
        """Write a page to step through forward and through this backward pass, with code, graph, mathematics and numbers side by side.

        Parameters
        ----------
        path : str or Path
            An ``.html`` file.
        **options
            ``open=True`` shows it in the browser.

        Returns
        -------
        Path
            The file that was written.

        Raises
        ------
        RenderError
            If the path does not end in ``.html``, or the report was not made by `autograd_np.check_backward`.
        """
        graph = getattr(self.graph, "graph", None)
        if graph is None:
            raise errors.RenderError("this report has no graph to explore; check_backward makes one that has")
        return Path(graph.explore(path, check=self, **options))

    def changes(self) -> tuple[list[Change], list[str]]:
        """Return what the fixes change, file by file, and what is left out and why; `patch.write` carries one out."""
        return changes_of(self.located(), {f.file: self.source_of(f) for f in self.located()})


@dataclass(repr=False)
class GradientReport(Report):
    """What `autograd_np.check_gradients` found. It is true if the verdict is ``"pass"``.

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

    def headline(self) -> str:
        """Return the verdict, and how many derivatives are right."""
        counts = {v: sum(r.verdict == v for r in self.rows) for v in ("fail", "inconclusive", "pass")}
        said = ", ".join(f"{n} {word}" for n, word in zip(counts.values(), ("wrong", "inconclusive", "right"), strict=True) if n)
        return f"{self.verdict.upper()}: derivatives of {self.name}: {said or 'nothing to compare'}"

    def blocks(self) -> Iterator[Block]:
        """Yield what is shown, from top to bottom."""
        yield Line(self.headline(), self.verdict)
        if self.rows:
            yield Line("")
            shown = self.rows[:SHOWN]
            cells = []
            for r in shown:
                expected, actual = pair(r.expected, r.actual)
                where = f"{r.name}{at(r.index) if r.index is not None else ' (random direction)'}"
                cells.append((where, r.mode, expected, actual, number(r.ratio), r.verdict))
            headers = ("derivative by", "mode", "expected", "actual", "ratio", "verdict")
            yield Grid(headers, tuple(cells), tuple(r.verdict for r in shown), left=2, given_up=(4, 1))
            if len(self.rows) > SHOWN:
                rest = {r.verdict for r in self.rows[SHOWN:]}
                yield Line(f"{len(self.rows) - SHOWN} more, {'all right' if rest == {'pass'} else 'see report.rows'}")
        if any(r.verdict == "inconclusive" for r in self.rows):
            yield Line("inconclusive: a kink (the one-sided derivatives differ), or too much rounding noise to tell")
        yield from (Line(note) for note in self.notes)


# --- parts ----------------------------------------------------------------------------------------


def _listed(texts: Sequence[str]) -> str:
    more = [f"{len(texts) - NAMED} more"] if len(texts) > NAMED else []
    return ", ".join([*texts[:NAMED], *more])


def _grid_of_gradients(checks: Sequence[GradientCheck], findings: Sequence[Finding]) -> Grid:
    headers = ("gradient", "of", "shape", "max abs err", "max rel err", "verdict")
    rows = [(c.variable, c.name, str(tuple(c.shape)), f"{c.max_abs_error:.1e}", f"{c.max_rel_error:.1e}", c.verdict) for c in checks]
    notes = ("; ".join(text for text in (c.note, because_of(c, findings)) if text) for c in checks)
    return Grid(headers, tuple(rows), tuple(c.verdict for c in checks), left=3, notes=tuple(notes), given_up=(3, 2, 4))


def _diff(finding: Finding, source: Mapping[int, str]) -> Diff:
    """Return the lines of a finding and those that should stand there, without the margin they have in common."""
    last = max(finding.line, finding.end_line)
    old = [source.get(n, finding.source if n == finding.line else "") for n in range(finding.line, last + 1)]
    new = finding.fix.rstrip("\r\n").split("\n") if finding.fix else []
    texts = list(dedented(dict(enumerate([*old, *new]))).values())
    return Diff(tuple(texts[: len(old)]), tuple(texts[len(old) :]))


def _drawn(graph: Any) -> Drawing | None:
    """Draw the graph of verdicts, unless it is too large to be read or cannot be drawn here."""
    svg = getattr(graph, "svg", None)
    if svg is None or len(graph) > DRAWN:
        return None
    try:
        return Drawing(svg(), "Graph of forward: where the gradients are right (✓) and wrong (✗)")
    except Exception:  # noqa: BLE001  # a report is shown whatever the drawing meets
        return None
