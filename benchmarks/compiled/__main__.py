"""Measure cases and write the page: ``python -m benchmarks.compiled [--quick] [--only CASE] [--json FILE] [--page]``."""

from __future__ import annotations

from benchmarks.harness import Settings, Timing, one_thread

one_thread()  # before anything below imports NumPy

import json  # noqa: E402
from dataclasses import asdict  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Annotated, Any  # noqa: E402

import typer  # noqa: E402
from rich.console import Console  # noqa: E402

from benchmarks import report  # noqa: E402
from benchmarks.compiled import page  # noqa: E402
from benchmarks.compiled.measure import CASES, Figures, measured  # noqa: E402

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"
READY = 25.0
"""Seconds that everybody takes to get ready at one size, in one process: compilers do."""


def _read(file: Path) -> tuple[str, dict[str, list[Figures]], dict[str, str]]:
    """Return what an earlier run wrote."""
    told = json.loads(file.read_text(encoding="utf-8"))
    found = {
        key: [Figures(**{**f, "together": Timing(**f["together"]), "alone": Timing(**f["alone"])}) for f in figures]
        for key, figures in told["results"].items()
    }
    return told["about"], found, told["left out"]


def main(
    quick: Annotated[bool, typer.Option("--quick", help="The small size and few rounds: to see that it runs, not to measure.")] = False,
    rounds: Annotated[
        int, typer.Option(min=2, help="Rounds together, at most; processes of their own are a tenth of that, and three.")
    ] = 31,
    minutes: Annotated[
        float, typer.Option(min=1, help="What all of it should take on a quiet machine: fewer rounds of what is slow.")
    ] = 25,
    seed: Annotated[int, typer.Option(help="Seeds the data and the order within the rounds.")] = 0,
    only: Annotated[list[str] | None, typer.Option(help=f"This case only; may be repeated: {', '.join(CASES)}.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the raw figures to FILE.")] = None,
    write_page: Annotated[bool, typer.Option("--page", help="Write docs/benchmarks.md and its plots.")] = False,
    figures_of: Annotated[
        Path | None, typer.Option("--from", metavar="FILE", help="Measure nothing: take the raw figures of FILE.")
    ] = None,
) -> None:
    """Time each case in the hands of each contender, one thread each, in one process and in a process of its own."""
    status, console = Console(stderr=True), Console()
    if unknown := sorted(set(only or ()) - set(CASES)):
        raise typer.BadParameter(f"no case {', '.join(unknown)}; there are {', '.join(CASES)}")
    if figures_of is not None:
        about, found, left_out = _read(figures_of)
    else:
        keys = only or list(CASES)
        count = sum(len(CASES[key].sizes) for key in keys)
        budget = max(60 * minutes / count - READY, 4.0)
        settings = Settings(True, 2, seed, 0.001) if quick else Settings(False, rounds, seed, budget=budget)
        about, found, left_out = report.about(report.environment()), {}, {}
        for key in keys:
            case = CASES[key]
            for size in (case.small,) if quick else case.sizes:
                with status.status("...") as line:
                    figures, failed = measured(key, size, settings, line.update)
                found.setdefault(key, []).extend(figures)
                left_out |= {f"{case.title}, {case.size} = {size:,}, {name}": why for name, why in failed.items()}
            if json_file is not None:  # after each case: the whole takes long
                raw: dict[str, Any] = {"about": about, "left out": left_out}
                raw["results"] = {key: [asdict(f) for f in figures] for key, figures in found.items()}
                json_file.write_text(json.dumps(raw, indent=1) + "\n", encoding="utf-8")
    console.print(about, "", soft_wrap=True, highlight=False)
    for key, figures in found.items():
        console.print(CASES[key].title, style="bold")
        for table in page.tables(figures):
            console.print(table.rich(), "")
    for who, why in left_out.items():
        console.print(f"Left out, {who}: {why}", highlight=False)
    if write_page:
        page.write(PAGE, about, found, left_out)
        status.print(f"Wrote {PAGE}")


if __name__ == "__main__":
    typer.run(main)
