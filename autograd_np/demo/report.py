"""What a run tells: before it, of the data and the network; after it, whether the gradients agree."""

from __future__ import annotations

from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from autograd_np.demo import textbook
from autograd_np.demo.data import Split, Table
from autograd_np.demo.training import Check, count_right

__all__ = ["describe", "tell_accuracy", "tell_checks"]


def describe(console: Console, title: str, table: Table, part: Split, model: Any, plan: str) -> None:
    """Print what is trained, and on what."""
    features = len(table.features)
    shown = ", ".join(table.features[:4]) + (", ..." if features > 4 else "")
    ones = int(table.y.sum())
    no, yes = (f"{label} -> {i}" if label != str(i) else label for i, label in enumerate(table.labels))
    hidden = len(model[0].bias.data)
    lines = Grid.grid(padding=(0, 2, 0, 0))
    lines.add_column(no_wrap=True)
    lines.add_column(overflow="fold")
    for what, text in (
        ("data", title),
        ("samples", f"{len(table.y)}: {len(part.y_train)} to train, {len(part.y_test)} to test"),
        ("features", f"{features}: {shown}"),
        ("target", f"{table.target}: {no} ({len(table.y) - ones} samples), {yes} ({ones})"),
        ("network", f"{features}-{hidden}-1, {sum(p.data.size for p in model.parameters())} parameters"),
        ("training", plan),
    ):
        lines.add_row(what, Text(text))
    console.print(lines)


def tell_accuracy(console: Console, model: Any, part: Split) -> None:
    """Print the share of samples that the model has right, in the training part and in the test part."""
    for name, x, y in (("training", part.x_train, part.y_train), ("test", part.x_test, part.y_test)):
        right = count_right(model, x, y)
        console.print(f"accuracy on {len(y)} {name} samples: {right / len(y):.1%} ({right} of {len(y)} on the right side of 0.5)")


def tell_checks(console: Console, checks: list[Check]) -> None:
    """Print how far the two gradients differ at each point, and what the check line by line says."""
    console.print("\nHand-derived gradients against the engine: the largest difference, by the size of the summed terms;")
    console.print("the loss is the mean cross-entropy of the training samples\n")
    grid = Grid(box=SIMPLE, padding=0, pad_edge=False, show_edge=False)
    for heading in ("epoch", "loss", *(f"d{name}" for name in checks[0].errors)):
        grid.add_column(heading, justify="right", overflow="fold")
    for check in checks:
        grid.add_row(str(check.epoch), f"{check.loss:.4f}", *(f"{error:.0e}" for error in check.errors.values()))
    console.print(grid)
    wrong = [f"d{name} at epoch {check.epoch}" for check in checks for name, e in check.errors.items() if not e <= textbook.TOLERANCE]
    count = sum(len(check.errors) for check in checks)
    if wrong:
        console.print(f"\nNOT equal within {textbook.TOLERANCE:.0e}: {', '.join(wrong)}")
    else:
        console.print(f"\nall {count} agree within {textbook.TOLERANCE:.0e}: {len(checks[0].errors)} gradients at {len(checks)} epochs")
    doubtful = next((check for check in checks if not check.report.ok), None)
    if doubtful is not None:
        console.print(f"\nThe backward pass, line by line, at epoch {doubtful.epoch}:\n")
        console.print(doubtful.report)
        return
    first = checks[0].report
    lines = ", ".join(str(g.variable).partition("[")[0] for g in first.lines)
    console.print(f"check_backward: {len(first.lines)} lines of the backward pass are right at {len(checks)} points: {lines}")
    for convention in first.conventions:
        console.print(f"  {convention}")
