"""Run every benchmark: ``python -m benchmarks [--quick] [--only NAME] [--json FILE] [--markdown]``."""

from __future__ import annotations

from benchmarks.harness import Settings, one_thread, without

one_thread()  # before anything below imports NumPy

import json  # noqa: E402
from enum import StrEnum  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Annotated, Any  # noqa: E402

import typer  # noqa: E402
from rich.console import Console  # noqa: E402

from benchmarks import freed_memory, graph_cost, import_time, nn_step, notebook_step, report, scalar_chain  # noqa: E402


class Section(StrEnum):
    """The benchmarks, by the name of their file."""

    notebook_step = "notebook_step"
    nn_step = "nn_step"
    scalar_chain = "scalar_chain"
    graph_cost = "graph_cost"
    freed_memory = "freed_memory"
    import_time = "import_time"


def measure(section: Section, settings: Settings) -> tuple[report.Table, list[dict[str, Any]]]:
    """Run one benchmark and return its table and its raw figures."""
    if section is Section.graph_cost:
        found = graph_cost.run(settings)
        return report.costs("What a recorded node costs", found), report.as_json(found)
    if section is Section.nn_step:
        models = nn_step.run(settings)
        return report.models("Models of nn", models), report.as_json(models)
    if section is Section.notebook_step:
        timings = notebook_step.run(settings)
        table = report.ratios("Training step of the 2-3-1 network, m samples", timings, "m", "Gradients were equal before timing.")
    elif section is Section.scalar_chain:
        timings = scalar_chain.run(settings)
        table = report.ratios("Record, backward and free of n scalar operations", timings, "n")
    elif section is Section.freed_memory:
        timings = freed_memory.run(settings)
        table = report.ratios("Training step in a plain process, m samples", timings, "m")
    else:
        timings = import_time.run(settings)
        table = report.ratios("Import in a fresh process", timings)
    return table, report.as_json(timings)


def main(
    quick: Annotated[bool, typer.Option("--quick", help="Small sizes and few rounds: to see that it runs, not to measure.")] = False,
    rounds: Annotated[int, typer.Option(min=2, help="Rounds of each comparison (--quick: at most 3).")] = 31,
    seed: Annotated[int, typer.Option(help="Seeds the data and the order within the rounds.")] = 0,
    only: Annotated[list[Section] | None, typer.Option(help="Run this benchmark only; may be repeated.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the raw figures to FILE.")] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown tables, as in the README.")] = False,
) -> None:
    """Time autograd_np beside hand-written NumPy and other engines, one thread each, float64 (models of nn: float32)."""
    settings = Settings(True, min(rounds, 3), seed, 0.001) if quick else Settings(False, rounds, seed)
    status, console = Console(stderr=True), Console()
    missing = sorted({name for section in (notebook_step, nn_step, scalar_chain) for name in without(section.PEERS)})
    environment = report.environment()
    results: dict[str, Any] = {"environment": environment, "settings": vars(settings), "left out": missing, "results": {}}
    about = report.about(environment) + (f" Not installed, left out: {', '.join(missing)}." if missing else "")
    console.print(about + "\n", soft_wrap=True, highlight=False)
    for section in only or Section:
        with status.status(f"{section} ..."):
            table, figures = measure(section, settings)
        results["results"][section] = figures
        if markdown:
            print(table.markdown())
        else:
            console.print(table.rich(), "")
    if json_file is not None:
        json_file.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
        status.print(f"Wrote {json_file}")


if __name__ == "__main__":
    typer.run(main)
