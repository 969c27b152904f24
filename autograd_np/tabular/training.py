"""A network is trained on a table: parts, standardisation, `nn.fit`, figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

import nn
from autograd_np.tabular.figures import Figures, evaluate
from autograd_np.tabular.network import OPTIMISERS, Model, network
from autograd_np.tabular.reading import Table
from autograd_np.tabular.settings import SettingError, Settings
from autograd_np.tabular.tasks import Kind, Task, split

__all__ = ["CHECKPOINT", "Prepared", "Trained", "prepare", "train"]

CHECKPOINT = "checkpoint.safetensors"
"""What the file is called in the folder of a training."""

EVERY = 1000
"""A checkpoint is written after so many batches, and after each epoch."""

PARTS = ("train", "validation", "test")


@dataclass
class Prepared:
    """Data in parts, and a model with its first weights.

    Attributes
    ----------
    table, task, settings
    model : Model
    parts : dict
        ``"train"``, ``"validation"``, ``"test"`` -> dataset of standardised features and targets; those that have samples.
    trained_on : array of int, or None
        How many samples of the training part each class has.
    """

    table: Table
    task: Task
    settings: Settings
    model: Model
    parts: dict[str, nn.data.Dataset]
    trained_on: NDArray[np.int64] | None


@dataclass
class Trained:
    """What a training gave.

    Attributes
    ----------
    history : nn.training.History
    figures : dict
        Part -> `Figures`, of the model after the training.
    """

    history: Any
    figures: dict[str, Figures]


def prepare(table: Table, task: Task, settings: Settings) -> Prepared:
    """Split and standardise a table, by the training part, and make the network.

    Raises
    ------
    DataError
        If there are too few rows.
    """
    numbers = split(table, task, settings.seed, (settings.validation, settings.test))
    rows = table.rows.map(lambda rows: (rows[:, :-2], task.wanted(rows)))
    parts = {name: nn.data.Subset(rows, part) for name, part in zip(PARTS, numbers, strict=True) if len(part)}
    of_x, of_y = nn.data.Standardise().fit(parts["train"]), nn.data.Standardise()
    if task.kind == "regression":
        of_y.fit(parts["train"], part=-1)
    else:
        of_y.load_state_dict({"mean": np.zeros(1), "scale": np.ones(1)})

    def standardised(x: Any, y: Any) -> tuple[Any, Any]:
        return of_x.transform(x), of_y.transform(y) if task.kind == "regression" else y

    assert of_x.mean is not None and of_x.scale is not None and of_y.mean is not None and of_y.scale is not None  # noqa: PT018 (fitted)
    model = Model(
        features=table.features,
        target=table.target.name,
        kind=task.kind,
        classes=task.classes,
        hidden=settings.hidden,
        activation=settings.activation,
        mean=tuple(of_x.mean.tolist()),
        scale=tuple(of_x.scale.tolist()),
        target_mean=float(of_y.mean[0]),
        target_scale=float(of_y.scale[0]),
        network=network(len(table.features), settings.hidden, task.outputs, settings.activation, settings.seed),
    )
    counts = None
    if task.of_words is not None:
        counts = np.bincount(task.of_words[table.codes[numbers[0]]], minlength=len(task.classes))
    return Prepared(table, task, settings, model, {name: part.map(standardised) for name, part in parts.items()}, counts)


def loss_of(model: Model) -> nn.Module:
    """Return the loss that a network of this kind is trained by."""
    losses: dict[Kind, type[nn.Module]] = {"binary": nn.BCEWithLogitsLoss, "multiclass": nn.CrossEntropyLoss, "regression": nn.MSELoss}
    return losses[model.kind]()


def train(prepared: Prepared, out: Path, console: Console, *, resume: bool = False) -> Trained:
    """Train the model in place; its state is kept in the folder all the time.

    Parameters
    ----------
    prepared : Prepared
    out : Path
        The folder, which exists.
    console : rich.console.Console
        Shows the progress: a bar on a terminal, else a line an epoch.
    resume : bool
        Go on from the checkpoint in the folder, if there is one: as if there had been no interruption.

    Raises
    ------
    SettingError
        If the checkpoint is of another training.
    nn.DivergenceError, nn.TrainingInterrupted
        As `nn.fit`.
    """
    settings, model, parts = prepared.settings, prepared.model, prepared.parts
    optimiser = OPTIMISERS[settings.optimiser](model.network.parameters(), lr=settings.lr)
    size = settings.batch(len(parts["train"]))
    loader = nn.data.DataLoader(parts["train"], size, shuffle=True, rng=settings.seed)
    validation = nn.data.DataLoader(parts["validation"], max(size, 1024)) if "validation" in parts else None
    callbacks: list[Any] = [_Same(prepared), nn.CSVLog(out / "history.csv")]
    if settings.patience and validation is not None:
        callbacks.append(nn.EarlyStopping(patience=settings.patience))
    metric = nn.metrics.r2 if model.kind == "regression" else nn.metrics.accuracy
    try:
        history = nn.fit(
            model.network,
            loader,
            loss_of(model),
            optimiser,
            settings.epochs,
            validation=validation,
            metrics=[metric] if validation is not None else [],
            callbacks=callbacks,
            seed=settings.seed,
            clip_grad_norm=settings.clip_norm,
            checkpoint=out / CHECKPOINT,
            checkpoint_every=EVERY,
            resume=resume,
            progress=console,
            compile=True,
        )
    except nn.StateDictError as error:
        raise SettingError("resume", f"the checkpoint does not fit: {error}") from None
    return Trained(history, {name: evaluate(model, part) for name, part in parts.items()})


class _Same(nn.Callback):
    """Keeps in the checkpoint what the training was begun with, and refuses to go on with anything else."""

    FREE = frozenset({"epochs", "patience"})
    """What may be another number afterwards."""

    def __init__(self, prepared: Prepared) -> None:
        model = prepared.model
        settings = {name: value for name, value in asdict(prepared.settings).items() if name not in self.FREE}
        about = {"task": model.kind, "target": model.target, "features": model.features, "data": prepared.table.digest}
        self.begun_with = {name: list(value) if isinstance(value, tuple) else value for name, value in (about | settings).items()}

    def state_dict(self) -> dict[str, Any]:
        return self.begun_with

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        for name, here in self.begun_with.items():
            there = state_dict.get(name)
            if there != here:
                told = "they have changed since" if name == "data" else f"it was begun with {there!r}, and here it is {here!r}"
                raise nn.StateDictError(f"{name}: {told}")
