"""How good what `derive` prints is: ``python -m benchmarks.derivations [--only NAME] [--show] [--folder FOLDER] [--json FILE]``.

Every entry of `tests/derivations/gallery` has a backward pass that was derived by hand. What is printed from the loss alone is
counted beside it, executed, compared with the engine at several sizes, and checked as a person's would be.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "derivations"))

from gallery import judging


def main(
    only: Annotated[list[str] | None, typer.Option(help="This entry only; may be repeated.")] = None,
    show: Annotated[bool, typer.Option("--show", help="Print what was printed, and what was written by hand.")] = False,
    folder: Annotated[Path, typer.Option(exists=True, file_okay=False, help="Take the entries of this folder.")] = judging.ENTRIES,
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the raw results to FILE.")] = None,
) -> None:
    """Derive the backward pass of every entry of the gallery and print how it compares with the one derived by hand."""
    console = Console()
    chosen = [e for e in judging.entries(folder) if not only or e.name in only]
    again = judging.elsewhere(folder)
    columns = "by hand,printed,ratio,operations,compact,short,right,other sizes,checked,same,names,helpers,ms"
    table = Table("", *columns.split(","), title="Backward passes")
    results = []
    for entry in chosen:
        found = judging.judge(entry)
        found.same &= not found.error and again[entry.name] == found.source
        results.append(found)
        if show:
            console.print(f"[bold]{entry.name}[/]")
            printed = found.error or judging.function_of(found.source, "backward")
            print(f"{printed}\n\n# by hand\n{judging.function_of(entry.source, 'backward')}\n")
        if found.error:
            table.add_row(found.name, str(found.by_hand), "", "", "", "", f"[red]{escape(found.error)}")
            continue

        def said(fault: str) -> str:
            return f"[red]{escape(fault)}" if fault else "yes"

        counts = [
            found.by_hand,
            found.printed,
            f"{found.printed / found.by_hand:.2f}",
            "{} : {}".format(*found.operations),
            "yes" if found.compact else "no",
        ]
        faults = [
            "" if found.short else "no",
            found.wrong,
            found.elsewhere,
            found.unchecked,
            "" if found.same else "no",
            ", ".join(found.strangers),
        ]
        times = [", ".join(found.helpers), f"{found.milliseconds:.0f}"]
        table.add_row(found.name, *map(str, counts), *map(said, faults), *times)
    console.print(table)
    good = [r for r in results if not r.error]
    console.print(
        f"{sum(r.flawless for r in results)} of {len(results)} flawless; printed {len(good)}, "
        f"right {sum(not r.wrong for r in good)}, at other sizes {sum(not r.elsewhere for r in good)}, "
        f"checked {sum(not r.unchecked for r in good)}, short {sum(r.short for r in good)}, "
        f"operations {sum(r.operations[1] for r in good)} for {sum(r.operations[0] for r in good)}, "
        f"statements {sum(r.printed for r in good)} for {sum(r.by_hand for r in good)}, "
        f"slowest {max((r.milliseconds for r in good), default=0):.0f} ms"
    )
    if json_file is not None:
        json_file.write_text(json.dumps([asdict(r) for r in results], indent=2) + "\n", encoding="utf-8")
    raise typer.Exit(0 if all(r.flawless for r in results) else 1)


if __name__ == "__main__":
    typer.run(main)
