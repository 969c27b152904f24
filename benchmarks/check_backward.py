"""How good `check_backward` is: ``python -m benchmarks.check_backward [--every N] [--offset K] [--only NAME] [--seeds 20] [--json FILE]``.

Every right pass of `tests/check/backward_corpus` is checked at several seeds, and every mutant once. Mutants are counted
once each, except that explanations, lines in helpers and corrected lines are counted by mistake: a double mutant has two.
Where a finding names several lines, one of which it says is mistaken, it counts as said of the mistaken one, if that is among them.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import track
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "check"))

from backward_corpus import loading, score


def _said(c: score.Check) -> dict[str, Any]:
    return {**vars(c), "findings": [{**f._asdict(), "rivals": [r._asdict() for r in f.rivals]} for f in c.findings]}


def _as_dict(judged: score.Judged) -> dict[str, Any]:
    return {
        "mutant": str(judged.mutant),
        "mistakes": [{"lines": sorted(m.lines), "kinds": sorted(m.kinds), "what": m.what} for m in judged.mutant.mistakes],
        "detected": judged.detected,
        "localised": judged.localised,
        "found": judged.found,
        "explained": judged.explained,
        "misled": judged.misled,
        "inside": judged.inside,
        "fixed": judged.fixed,
        "spurious": judged.spurious,
        "said": _said(judged.check),
    }


def _tell(console: Console, judged: score.Judged) -> None:
    """Print a mutant that was not handled as it should be, with what was wrong and what was said."""
    faults = [
        *(["not detected"] if not judged.detected else []),
        *(["not localised"] if not judged.localised else []),
        *(["line not found"] if not all(judged.found) else []),
        *(["not at the helper's line"] if not all(judged.inside) else []),
        *(["confidently wrong"] if any(judged.misled) else ["not explained"] if not all(judged.explained) else []),
        *([f"{judged.spurious} findings too many"] if judged.spurious else []),
        *(["no fix that cures"] if not all(judged.fixed) else []),
    ]
    console.print(f"[bold]{escape(str(judged.mutant))}[/]: {', '.join(faults)}", soft_wrap=True)
    for mistake in judged.mutant.mistakes:
        lines = ", ".join(map(str, sorted(mistake.lines)))
        console.print(f"    made: line {lines}: {' | '.join(sorted(mistake.kinds))}: {escape(mistake.what)}", soft_wrap=True)
    console.print(f"    said: {escape(str(judged.check))}", soft_wrap=True)


def main(
    only: Annotated[list[str] | None, typer.Option(help="This pass, or PASS:MUTANT, only; may be repeated.")] = None,
    seeds: Annotated[int, typer.Option(min=0, help="Seeds at which each right pass is checked.")] = 20,
    seconds: Annotated[float, typer.Option(min=0, help="How long explanations may be looked for.")] = 3.0,
    every: Annotated[int, typer.Option(min=1, help="Only every so-many-th mutant.")] = 1,
    offset: Annotated[int, typer.Option(min=0, help="Of these mutants, the first to take.")] = 0,
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the raw results to FILE.")] = None,
) -> None:
    """Check right and wrong backward passes and print how well the mistakes were found, placed and explained."""
    console, status = Console(), Console(stderr=True)
    wanted = [name.partition(":")[::2] for name in only or loading.PASSES]
    unknown = sorted({house for house, _ in wanted} - set(loading.PASSES))
    if unknown:
        raise typer.BadParameter(f"no pass {', '.join(unknown)}; there are {', '.join(loading.PASSES)}")
    chosen = [m for house, name in wanted for m in loading.mutants(house) if name in ("", m.name)][offset::every]
    houses = list(dict.fromkeys(house for house, _ in wanted))

    alarms, right_times, per_house = [], [], {}
    for house in track(houses, "right passes", console=status, disable=not status.is_terminal):
        said = list(score.false_alarms(house, range(seeds), seconds=seconds))
        alarms += [(house, seed, c) for seed, c in said if c.verdict != "pass" or c.findings]
        right_times += [c.seconds for _, c in said]
        per_house[house] = [c.seconds for _, c in said]
    with tempfile.TemporaryDirectory() as folder:
        checked = score.check_mutants(chosen, Path(folder), seconds=seconds)
        found = score.summarise(track(checked, "mutants", total=len(chosen), console=status, disable=not status.is_terminal))
    for j in found.judged:
        per_house[j.mutant.house].append(j.check.seconds)

    for house, seed, c in alarms:
        console.print(f"[bold]false alarm: {house}, seed {seed}[/]: {escape(str(c))}", soft_wrap=True)
    for judged in found.judged:
        if not (judged.flawless and all(judged.inside) and all(judged.fixed)):
            _tell(console, judged)

    table = Table("", "share", "count", "wanted", title=f"{len(chosen)} mutants of {len(houses)} passes")
    for name, share in found.shares.items():
        limit = score.THRESHOLDS.get(name)
        sense = "≤" if name == "confidently wrong" else "≥"
        table.add_row(name, f"{share:.1%}", found.counts[name], f"{sense} {limit:.0%}" if limit is not None else "")
    if found.lines_named:
        named = f"{statistics.mean(found.lines_named):.3f}, at most {max(found.lines_named)}"
        table.add_row("lines named a finding", "", named, "≤ 1.2, at most 3")
    table.add_row("false alarms", "", f"{len(alarms)} of {len(right_times)}", "0")
    console.print(table)

    times = Table("pass", "median s", "max s", "mutants", "not flawless", title="Time for a check")
    bad = Counter(j.mutant.house for j in found.judged if not j.flawless)
    size = Counter(j.mutant.house for j in found.judged)
    for house, seconds in per_house.items():
        if seconds:
            times.add_row(house, f"{statistics.median(seconds):.3f}", f"{max(seconds):.3f}", str(size[house]), str(bad[house]))
    every_time = [s for seconds in per_house.values() for s in seconds]
    if every_time:
        times.add_row("all", f"{statistics.median(every_time):.3f}", f"{max(every_time):.3f}", str(len(chosen)), str(sum(bad.values())))
    console.print(times)
    if json_file:
        results = {
            "shares": found.shares,
            "counts": found.counts,
            "false alarms": [{"pass": house, "seed": seed, "said": _said(c)} for house, seed, c in alarms],
            "seconds": per_house,
            "mutants": [_as_dict(j) for j in found.judged],
        }
        json_file.write_text(json.dumps(results, indent=1), encoding="utf-8")
    raise typer.Exit(1 if alarms or found.missed else 0)


if __name__ == "__main__":
    typer.run(main)
