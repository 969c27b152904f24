"""``autograd-np train``: a network on a person's own table."""

from __future__ import annotations

import contextlib
import enum
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

import autograd_np as ag
import nn
from autograd_np.cli.options import Out, positive, share
from autograd_np.cli.output import console, refuse, say
from autograd_np.cli.reading import reading
from autograd_np.demo import experiment
from autograd_np.demo.cluster import cluster
from autograd_np.demo.data import blocks
from autograd_np.tabular import network, page, tasks, telling, training
from autograd_np.tabular.files import found_files
from autograd_np.tabular.parsing import MissingCellError
from autograd_np.tabular.reading import read_table
from autograd_np.tabular.settings import SettingError, Settings

__all__ = ["train"]


class TaskName(enum.StrEnum):
    """What is to be learned."""

    auto = "auto"
    binary = "binary"
    multiclass = "multiclass"
    regression = "regression"


class Activation(enum.StrEnum):
    """What is between two layers."""

    relu = "relu"
    leaky_relu = "leaky_relu"
    elu = "elu"
    gelu = "gelu"
    silu = "silu"
    tanh = "tanh"
    sigmoid = "sigmoid"


class Optimiser(enum.StrEnum):
    """What makes the steps."""

    sgd = "sgd"
    adam = "adam"
    adamw = "adamw"
    nadam = "nadam"
    rmsprop = "rmsprop"
    adagrad = "adagrad"


def train(
    files: Annotated[list[str], typer.Argument(metavar="DATA", help="CSV or Parquet files, or globs: numbers below column names.")],
    target: Annotated[str, typer.Option(metavar="COLUMN", help="The column to predict; all others are features.")],
    task: Annotated[TaskName | None, typer.Option(help="By itself (auto) it is chosen by the target's values.", show_default=False)] = None,
    hidden: Annotated[
        str | None, typer.Option(metavar="N,N,...", help="Units in each hidden layer; none for a linear model. [32,16]")
    ] = None,
    activation: Annotated[Activation | None, typer.Option(help="Between layers. [relu]")] = None,
    optimiser: Annotated[Optimiser | None, typer.Option(help="[adam]")] = None,
    lr: Annotated[float | None, typer.Option("--lr", callback=positive, help="Learning rate. [0.001; sgd 0.1; adagrad 0.01]")] = None,
    batch_size: Annotated[int | None, typer.Option(min=1, help="Rows in a batch. [32, more for over 32,000 rows]")] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Passes over the training rows, at most. [100]")] = None,
    patience: Annotated[
        int | None, typer.Option(min=0, help="Epochs without a better validation loss before it ends; 0: never. [10]")
    ] = None,
    clip_norm: Annotated[float | None, typer.Option(callback=positive, help="Largest norm of the gradients.")] = None,
    validation: Annotated[float | None, typer.Option(metavar="SHARE", callback=share, help="Of the rows, to stop early by. [0.1]")] = None,
    test: Annotated[
        float | None, typer.Option(metavar="SHARE", callback=share, help="Of the rows, for the figures at the end. [0.2]")
    ] = None,
    ignore: Annotated[list[str] | None, typer.Option(metavar="COLUMN", help="A column that is no feature; repeatable.")] = None,
    drop_missing: Annotated[bool, typer.Option("--drop-missing", help="Leave out rows with missing cells.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Of the parts, the first weights and the order of rows.")] = 0,
    out: Out = Path("autograd-np-train"),
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the checkpoint in --out, with the same options.")] = False,
    dask: Annotated[
        str, typer.Option(metavar="ADDRESS", help="Train the demo's network on a Dask cluster (tcp://host:8786, or local); two classes.")
    ] = "",
) -> None:
    """Train a network on a table of your own, and write the model, a report and the learning curves.

    The target decides what is learned: two values, several classes (words, or few whole numbers), or a number. Exit code: 0 trained,
    1 gradients differ (with --dask), 2 unusable data or options, or a loss that diverges, 130 interrupted.
    """
    given: dict[str, Any] = {
        "activation": activation and activation.value,
        "optimiser": optimiser and optimiser.value,
        "batch_size": batch_size,
        "validation": validation,
        "test": test,
        "patience": patience,
        "clip_norm": clip_norm,
    }
    if dask:
        nowhere = {**given, "ignore": ignore, "drop_missing": drop_missing, "resume": resume}
        names = [f"--{name.replace('_', '-')}" for name, value in nowhere.items() if value is not None and value is not False]
        if names or task not in (None, TaskName.auto, TaskName.binary):
            raise refuse(f"--dask trains the demo's network by whole steps of gradient descent; leave out {', '.join(names) or '--task'}")
        _train_on_dask(dask, files, target, hidden=hidden, epochs=epochs, lr=lr, seed=seed, out=out)
        return
    given |= {"hidden": _sizes(hidden), "lr": lr or network.RATES.get(given["optimiser"], Settings.lr), "epochs": epochs}
    settings = Settings(seed=seed, **{name: value for name, value in given.items() if value is not None})
    if settings.validation + settings.test >= 1:
        raise refuse(f"--validation {settings.validation:g} and --test {settings.test:g} leave no rows to train on")
    if settings.patience and patience and not settings.validation:
        raise refuse("--patience counts epochs without a better loss on validation rows; leave it out, or take --validation above 0")
    options: dict[str, Any] = {
        "task": (task or TaskName.auto).value,
        "ignore": ignore or [],
        "drop_missing": drop_missing,
        "resume": resume,
    }
    with _folder(out):
        _train(files, target, settings, out, **options)


def _train(
    files: list[str], target: str, settings: Settings, out: Path, *, task: Any, ignore: list[str], drop_missing: bool, resume: bool
) -> None:
    terminal = console()
    try:
        with reading(terminal, files) as progress:
            table = read_table(files, target, ignore=ignore, drop_missing=drop_missing, folder=out, progress=progress)
    except MissingCellError as error:
        raise MissingCellError(f"{error} (--drop-missing leaves such rows out)") from None
    chosen = tasks.choose(table, task)
    prepared = training.prepare(table, chosen, settings)
    telling.tell_before(terminal, prepared, f"another one by --task {' or '.join(chosen.others)}" if chosen.others else "")
    if resume:
        there = (out / training.CHECKPOINT).exists()
        terminal.print("resumed" if there else f"there is no checkpoint in {out} yet: the training starts at its beginning")
    terminal.print()
    try:
        with _warnings_told():
            trained = training.train(prepared, out, terminal, resume=resume)
    except nn.DivergenceError as error:
        raise refuse(f"the training diverges: {error}. Here that is --lr {settings.lr / 10:g} or --clip-norm 1") from None
    except nn.TrainingInterrupted:
        say(f"autograd-np: stopped after a whole batch; saved in {out / training.CHECKPOINT}", sys.stderr)
        say("autograd-np: the same command with --resume goes on from there", sys.stderr)
        raise typer.Exit(130) from None
    terminal.print()
    telling.tell_figures(terminal, prepared, trained)
    command = ["autograd-np", "train", *files, *_options(target, chosen.kind, settings, ignore, drop_missing, out)]
    network.save(prepared.model, out / network.MODEL)
    graph = page.draw_graph(prepared, out / "graph.svg")
    (out / "report.html").write_text(page.report(prepared, trained, graph, command, ag.__version__), "utf-8")
    terminal.print("\nWritten:")
    for name, what in (
        ("report.html", "figures, curves, the graph; opens in a browser"),
        (network.MODEL, "the model, for autograd-np predict"),
        ("history.csv", "losses and metrics of each epoch"),
        ("graph.svg", "how the loss is computed"),
        (training.CHECKPOINT, "the state of the training, for --resume"),
    ):
        terminal.print(f"  {out / name}  ({what})", soft_wrap=True)


def _train_on_dask(
    address: str, files: list[str], target: str, *, hidden: str | None, epochs: int | None, lr: float | None, seed: int, out: Path
) -> None:
    sizes = _sizes(hidden) or (3,)
    if len(sizes) > 1:
        raise refuse(f"--dask trains the demo's network, which has one hidden layer; got --hidden {hidden}")
    found = found_files(files)
    with cluster(address):
        title = str(found[0]) if len(found) == 1 else f"{found[0]}, ... ({len(found)} files)"
        table = blocks.read_tables(found, target)
        part = blocks.split_blocks(table, seed)
        fine = experiment.run(
            console(), title, table, part, hidden=sizes[0], epochs=epochs or 2000, lr=lr or 1.0, seed=seed, out=out, explorer=False
        )
    if not fine:
        raise typer.Exit(1)


def _sizes(text: str | None) -> tuple[int, ...] | None:
    """Return the sizes of the hidden layers."""
    if text is None:
        return None
    if text.strip().lower() == "none":
        return ()
    parts = text.split(",")
    if not all(part.strip().isdecimal() and 0 < int(part) <= 100_000 for part in parts):
        raise typer.BadParameter(f"{text!r} should be the numbers of units, such as 32,16, or none", param_hint="'--hidden'")
    return tuple(int(part) for part in parts)


def _options(target: str, kind: str, settings: Settings, ignore: list[str], drop_missing: bool, out: Path) -> list[str]:
    """Return the options that give the same training, whatever the defaults will be."""
    found = ["--target", target, "--task", kind]
    for name in ("activation", "optimiser", "lr", "batch_size", "epochs", "patience", "clip_norm", "validation", "test", "seed"):
        value = getattr(settings, name)
        if value is not None:
            found += [f"--{name.replace('_', '-')}", str(value)]
    found += ["--hidden", ",".join(map(str, settings.hidden)) or "none"]
    for name in ignore:
        found += ["--ignore", name]
    return [*found, *["--drop-missing"] * drop_missing, "--out", str(out)]


@contextlib.contextmanager
def _folder(out: Path) -> Iterator[None]:
    """Have the folder inside the block; if nothing was written into it, a new one is removed again."""
    is_new = not out.exists()
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingError("out", f"cannot make the folder {out}: {error.strerror}") from None
    try:
        yield
    except OSError as error:
        raise SettingError("out", f"cannot write into {out}: {error.strerror}") from None
    finally:
        if is_new:
            with contextlib.suppress(OSError):
                out.rmdir()


@contextlib.contextmanager
def _warnings_told() -> Iterator[None]:
    """Print warnings about the training as a line on stderr."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", nn.DivergenceWarning)
        usual = warnings.showwarning

        def told(message: Any, category: Any, *rest: Any, **more: Any) -> None:
            if issubclass(category, nn.DivergenceWarning):
                say(f"autograd-np: {message}. Here that is --lr or --clip-norm", sys.stderr)
            else:
                usual(message, category, *rest, **more)

        warnings.showwarning = told
        yield
