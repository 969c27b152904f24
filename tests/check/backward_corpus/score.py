"""How well `check_backward` finds, places and explains the mistakes of the corpus."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import autograd_np as ag
from backward_corpus import loading
from backward_corpus.loading import Mutant

__all__ = ["THRESHOLDS", "Check", "Judged", "Summary", "check", "false_alarms", "judge", "summarise"]

THRESHOLDS = {"detected": 1.0, "localised": 0.95, "explained": 0.85, "confidently wrong": 0.03, "doubles": 0.90}
"""At least so much of each, but at most so much confidently wrong."""


@dataclass(frozen=True)
class Check:
    """What one call of `check_backward` said.

    Attributes
    ----------
    verdict : str
        ``error`` if it raised.
    findings : tuple of (line, variable, kind, message)
        In execution order.
    error : str or None
        What it raised.
    seconds : float
        How long it took.
    """

    verdict: str
    findings: tuple[tuple[int, str, str, str], ...]
    error: str | None
    seconds: float

    def __str__(self) -> str:
        return self.error or "; ".join(f"line {n} {v}: {k}: {m}" for n, v, k, m in self.findings) or f"{self.verdict}, no finding"


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

    @property
    def missed(self) -> list[str]:
        """Thresholds that are not met."""
        return [
            f"{name} {self.shares[name]:.1%}, {'at most' if name == 'confidently wrong' else 'at least'} {limit:.0%} wanted"
            for name, limit in THRESHOLDS.items()
            if (self.shares[name] > limit if name == "confidently wrong" else self.shares[name] < limit)
        ]


def check(module: ModuleType, seed: int = 0) -> Check:
    """Run `check_backward` on a pass as a user would; an exception becomes the verdict ``error``."""
    names = getattr(module, "NAMES", None)
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a wrong pass may overflow; that is for the report to tell
        try:
            report = ag.check_backward(module.forward, module.backward, module.inputs(seed), getattr(module, "loss", None), names=names)
            findings = tuple((f.line, str(f.variable), f.kind, f.message) for f in report.findings)
            verdict, error = str(report.verdict), None
        except Exception as e:  # noqa: BLE001  an exception is a result here
            findings, verdict, error = (), "error", f"{type(e).__name__}: {e}"
    return Check(verdict, findings, error, time.perf_counter() - start)


def judge(mutant: Mutant, said: Check) -> Judged:
    """Compare what was said about a mutant with what is wrong with it."""
    at = [[f for f in said.findings if f[0] in mistake.lines] for mistake in mutant.mistakes]
    astray = [f for f in said.findings if not any(f[0] in mistake.lines for mistake in mutant.mistakes)]
    explained, misled, spare = [], [], list(astray)
    for mistake, findings in zip(mutant.mistakes, at, strict=True):
        right = any(f[2] in mistake.kinds for f in findings)
        about = findings or ([spare.pop(0)] if spare else [])
        explained.append(right)
        misled.append(not right and any(f[2] != "unknown" for f in about))
    return Judged(
        mutant,
        said,
        detected=said.verdict == "fail",
        localised=bool(said.findings) and any(said.findings[0][0] in mistake.lines for mistake in mutant.mistakes),
        found=tuple(bool(findings) for findings in at),
        explained=tuple(explained),
        misled=tuple(misled),
        spurious=max(0, len(said.findings) - len(mutant.mistakes)),
    )


def check_mutants(chosen: Iterable[Mutant], folder: Path) -> Iterator[Judged]:
    """Write, check and judge mutants, one after the other."""
    for mutant in chosen:
        yield judge(mutant, check(loading.write(mutant, folder)))


def false_alarms(house: str, seeds: Iterable[int]) -> Iterator[tuple[int, Check]]:
    """Yield (seed, what was said) about a right pass."""
    module = loading.right(house)
    for seed in seeds:
        yield seed, check(module, seed)


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
    share("one finding a mistake", [not j.spurious for j in judged])
    return result
