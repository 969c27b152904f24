"""How well `check_backward` finds, places and explains the mistakes of the corpus."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent, indent
from types import ModuleType
from typing import Any, NamedTuple

import autograd_np as ag
from backward_corpus import loading, truth
from backward_corpus.loading import Mistake, Mutant

__all__ = ["THRESHOLDS", "Check", "Finding", "Judged", "Summary", "check", "cures", "false_alarms", "judge", "summarise"]

# fmt: off
THRESHOLDS = {
    "detected": 1.0, "localised": 0.97, "explained": 0.90, "confidently wrong": 0.01, "doubles": 0.90, "helper": 0.90, "fix": 0.85,
}
# fmt: on
"""What is wanted: at least so much of each, but at most so much confidently wrong."""


class Finding(NamedTuple):
    """What was said about one line; `fix` is the line as it should be, if that was said; `rivals` are the lines named beside it."""

    line: int
    variable: str
    kind: str
    message: str
    fix: str | None = None
    rivals: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Check:
    """What one call of `check_backward` said.

    Attributes
    ----------
    verdict : str
        ``error`` if it raised.
    findings : tuple of Finding
        In execution order.
    error : str or None
        What it raised.
    seconds : float
        How long it took.
    """

    verdict: str
    findings: tuple[Finding, ...]
    error: str | None
    seconds: float

    def __str__(self) -> str:
        said = [" OR ".join(map(_line_of, (f, *f.rivals))) for f in self.findings]
        return self.error or "; ".join(said) or f"{self.verdict}, no finding"


@dataclass(frozen=True)
class Judged:
    """A mutant and what was said about it.

    Attributes
    ----------
    detected : bool
        The verdict was fail.
    localised : bool
        The first finding is at a mistaken line.
    found : tuple of bool
        For each mistake: some finding is at its line.
    explained : tuple of bool
        For each mistake: a finding at its line has an acceptable kind.
    misled : tuple of bool
        For each mistake: what was said about it is neither acceptable nor ``unknown``. A finding away from
        every mistaken line counts against the first mistake that has none at its own.
    inside : tuple of bool
        For each mistake in a helper: some finding is at its line there.
    fixed : tuple of bool
        For each mistake: a finding at its line has a fix that cures it; see `cures`.
    spurious : int
        Findings beyond one for each mistake.
    """

    mutant: Mutant
    check: Check
    detected: bool
    localised: bool
    found: tuple[bool, ...]
    explained: tuple[bool, ...]
    misled: tuple[bool, ...]
    inside: tuple[bool, ...]
    fixed: tuple[bool, ...]
    spurious: int

    @property
    def flawless(self) -> bool:
        """Whether nothing is to be said against it."""
        return self.detected and self.localised and all(self.found) and all(self.explained) and not any(self.misled) and not self.spurious


@dataclass
class Summary:
    """Shares of all mutants, mistakes or doubles, and the judged mutants."""

    shares: dict[str, float] = field(default_factory=dict)
    counts: dict[str, str] = field(default_factory=dict)
    judged: list[Judged] = field(default_factory=list)
    lines_named: list[int] = field(default_factory=list)

    @property
    def missed(self) -> list[str]:
        """Thresholds that are not met."""
        return self.short_of(THRESHOLDS)

    def short_of(self, limits: Mapping[str, float]) -> list[str]:
        """Say which of other thresholds are not met."""
        return [
            f"{name} {self.shares[name]:.1%}, {'at most' if name == 'confidently wrong' else 'at least'} {limit:.0%} wanted"
            for name, limit in limits.items()
            if (self.shares[name] > limit if name == "confidently wrong" else self.shares[name] < limit)
        ]


def check(module: ModuleType, seed: int = 0, **options: Any) -> Check:
    """Run `check_backward` on a pass as a user would; an exception becomes the verdict ``error``."""
    loss, names = getattr(module, "loss", None), getattr(module, "NAMES", None)
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a wrong pass may overflow; that is for the report to tell
        try:
            report = ag.check_backward(*loading.functions(module, seed), module.inputs(seed), loss, names=names, **options)
            findings = tuple(map(_told, report.findings))
            verdict, error = str(report.verdict), None
        except Exception as e:  # noqa: BLE001  an exception is a result here
            findings, verdict, error = (), "error", f"{type(e).__name__}: {e}"
    return Check(verdict, findings, error, time.perf_counter() - start)


def _line_of(f: Finding) -> str:
    return f"line {f.line} {f.variable}: {f.kind}: {f.message}" + (f" [{f.fix.strip()}]" if f.fix else "")


def _told(f: Any) -> Finding:
    return Finding(f.line, str(f.variable), f.kind, f.message, f.fix, tuple(map(_told, f.rivals)))


def _nearest(f: Finding, mutant: Mutant) -> Finding:
    """Return of a finding and its rivals, of which it says that one is right, the first at a mistaken line."""
    return next((one for one in (f, *f.rivals) if any(one.line in m.lines for m in mutant.mistakes)), f)


def cures(mutant: Mutant, mistake: Mistake, finding: Finding, folder: Path) -> bool:
    """Whether the line that a finding proposes leaves what the pass returns without this mistake."""
    if finding.fix is None:
        return False
    lines = mutant.text.splitlines(keepends=True)
    old = lines[finding.line - 1]
    lines[finding.line - 1] = indent(dedent(finding.fix), old[: len(old) - len(old.lstrip())]).rstrip("\n") + "\n"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            mended = loading.write(mutant.house, "".join(lines), folder)
        except SyntaxError:
            return False
        return truth.same(truth.attempt(mended), truth.attempt(loading.write(mutant.house, mistake.without, folder)))


def judge(mutant: Mutant, said: Check, folder: Path) -> Judged:
    """Compare what was said about a mutant with what is wrong with it; fixes are tried out in `folder`."""
    found = [_nearest(f, mutant) for f in said.findings]
    at = [[f for f in found if f.line in mistake.lines] for mistake in mutant.mistakes]
    astray = [f for f in found if not any(f.line in mistake.lines for mistake in mutant.mistakes)]
    explained, misled, spare = [], [], list(astray)
    for mistake, findings in zip(mutant.mistakes, at, strict=True):
        right = any(f.kind in mistake.kinds for f in findings)
        about = findings or ([spare.pop(0)] if spare else [])
        explained.append(right)
        misled.append(not right and any(f.kind != "unknown" for f in about))
    pairs = list(zip(mutant.mistakes, at, strict=True))
    return Judged(
        mutant,
        said,
        detected=said.verdict == "fail",
        localised=bool(found) and any(found[0].line in mistake.lines for mistake in mutant.mistakes),
        found=tuple(bool(findings) for findings in at),
        explained=tuple(explained),
        misled=tuple(misled),
        inside=tuple(any(f.line in mistake.inside for f in findings) for mistake, findings in pairs if mistake.inside),
        fixed=tuple(any(cures(mutant, mistake, f, folder) for f in findings) for mistake, findings in pairs),
        spurious=max(0, len(said.findings) - len(mutant.mistakes)),
    )


def check_mutants(chosen: Iterable[Mutant], folder: Path, **options: Any) -> Iterator[Judged]:
    """Write, check with these options of `check_backward` and judge mutants, one after the other."""
    for mutant in chosen:
        yield judge(mutant, check(loading.write(mutant.house, mutant.text, folder), **options), folder)


def false_alarms(house: str, seeds: Iterable[int], **options: Any) -> Iterator[tuple[int, Check]]:
    """Yield (seed, what was said) about a right pass."""
    module = loading.right(house)
    for seed in seeds:
        yield seed, check(module, seed, **options)


def summarise(judged: Iterable[Judged]) -> Summary:
    """Return the shares that the thresholds speak of."""
    judged = list(judged)

    def share(name: str, cases: list[Any]) -> None:
        result.shares[name] = sum(cases) / len(cases) if cases else float(name != "confidently wrong")
        result.counts[name] = f"{sum(cases)} of {len(cases)}"

    result = Summary(judged=judged)
    share("detected", [j.detected for j in judged])
    share("localised", [j.localised for j in judged])
    share("explained", [e for j in judged for e in j.explained])
    share("confidently wrong", [m for j in judged for m in j.misled])
    share("doubles", [all(j.found) for j in judged if j.mutant.double])
    share("helper", [i for j in judged for i in j.inside])
    share("fix", [f for j in judged for f in j.fixed])
    share("one finding a mistake", [not j.spurious for j in judged])
    share("one line a finding", [not f.rivals for j in judged for f in j.check.findings])
    result.lines_named = [1 + len(f.rivals) for j in judged for f in j.check.findings]
    return result
