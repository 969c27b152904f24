"""What a training tells, on the console and on the page: of the data and the network, and of what was reached."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table as Grid
from rich.text import Text

from autograd_np.tabular.figures import ClassFigures, Figures
from autograd_np.tabular.training import Prepared, Trained

__all__ = ["about", "figures_of", "parameters_of", "tell_before", "tell_figures"]

FEW = 8
"""So many classes are listed, and so large a confusion matrix is printed."""


def about(prepared: Prepared) -> Iterator[tuple[str, str]]:
    """Yield what is trained and on what: a word, and what is to be said of it."""
    table, task, settings, model = prepared.table, prepared.task, prepared.settings, prepared.model
    yield "data", table.title
    names = {"train": "to train", "validation": "to validate", "test": "to test"}
    parts = ", ".join(f"{len(part):,} {names[name]}" for name, part in prepared.parts.items())
    yield "samples", f"{len(table):,}: {parts}"
    if table.left_out:
        causes = ", ".join(f"{name} {count:,}" for name, count in sorted(table.left_out.items(), key=lambda item: -item[1])[:FEW])
        yield "left out", f"{sum(table.left_out.values()):,} rows with a missing cell, by its column: {causes}"
    features = len(table.features)
    yield "features", f"{features}: {', '.join(table.features[:4])}{', ...' if features > 4 else ''}"
    target = table.target.name
    if task.of_words is not None:
        counts = np.bincount(task.of_words[table.codes], minlength=len(task.classes))
        shown = [f"{name} ({count:,} samples)" for name, count in zip(task.classes, counts.tolist(), strict=True)]
        target += f": {', '.join(shown[:FEW])}{f', ... ({len(shown)} classes)' if len(shown) > FEW else ''}"
    yield "target", target
    yield "task", f"{task.kind}: {task.why}"
    sizes = [features, *model.hidden, task.outputs]
    parameters = sum(p.data.size for p in model.network.parameters())
    yield "network", f"{'-'.join(map(str, sizes))}, {parameters:,} parameters{f', {model.activation}' if model.hidden else ''}"
    batch = settings.batch(len(prepared.parts["train"]))
    batches = -(-len(prepared.parts["train"]) // batch)
    how = f"{settings.optimiser}, learning rate {settings.lr:g}, seed {settings.seed}"
    yield "training", f"{settings.epochs} epochs of {batches:,} batches of {batch}, {how}"
    if settings.patience and "validation" in prepared.parts:
        yield "ends early", f"after {settings.patience} epochs without a smaller loss on the validation samples, with the best parameters"


def tell_before(console: Console, prepared: Prepared, hint: str) -> None:
    """Print what is trained and on what; the hint says how to get another task, if there is one."""
    lines = Grid.grid(padding=(0, 2, 0, 0))
    lines.add_column(no_wrap=True)
    lines.add_column(overflow="fold")
    for what, text in about(prepared):
        lines.add_row(what, Text(f"{text} ({hint})" if what == "task" and hint else text))
    console.print(lines)


def figures_of(prepared: Prepared, part: str, figures: Figures) -> str:
    """Return what was reached on a part, and what each figure counts."""
    name = {"train": "training"}.get(part, part)
    if isinstance(figures, ClassFigures):
        assert prepared.trained_on is not None
        most, always = figures.most(prepared.trained_on)
        return (
            f"accuracy on {figures.samples:,} {name} samples: {figures.accuracy:.1%} ({figures.right:,} of {figures.samples:,}); "
            f"{prepared.task.classes[most]!r} for all would be {always:.1%}"
        )
    return (
        f"error on {figures.samples:,} {name} samples: {figures.rmse:.4g} (root mean square), {figures.mae:.4g} (mean absolute); "
        f"R² {figures.r2:.3f}; the mean for all would be off by {figures.rmse_of_mean:.4g} (root mean square)"
    )


def tell_figures(console: Console, prepared: Prepared, trained: Trained) -> None:
    """Print what was reached on each part, and the confusion matrix of the last."""
    for part, figures in trained.figures.items():
        console.print(figures_of(prepared, part, figures), soft_wrap=not console.is_terminal)
    part, figures = list(trained.figures.items())[-1]
    if isinstance(figures, ClassFigures) and len(prepared.task.classes) <= FEW:
        name = prepared.table.target.name
        console.print(
            f"\nConfusion on the {figures.samples:,} {part} samples: a row for each true {name}, a column for what was predicted\n"
        )
        grid = Grid(box=SIMPLE, padding=(0, 1), pad_edge=False, show_edge=False)
        grid.add_column("true", overflow="fold")
        for label in prepared.task.classes:
            grid.add_column(Text(label), justify="right", overflow="fold")
        for label, row in zip(prepared.task.classes, figures.confusion.tolist(), strict=True):
            grid.add_row(Text(label), *map(str, row))
        console.print(grid)


def parameters_of(prepared: Prepared) -> list[tuple[Any, ...]]:
    """Return name, shape, number, mean, standard deviation, least and largest value of each parameter."""
    return [
        (name, "×".join(map(str, p.shape)), p.data.size, p.data.mean(), p.data.std(), p.data.min(), p.data.max())
        for name, p in prepared.model.network.named_parameters()
    ]
