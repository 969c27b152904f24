"""Train the textbook's network, built from `nn`, and compare the engine's gradients with the hand-derived ones."""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

import autograd_np as ag
import nn
from autograd_np.check import BackwardReport
from autograd_np.demo import textbook
from autograd_np.demo.data import Split
from autograd_np.tabular.settings import SettingError

__all__ = ["Check", "count_right", "fit", "network", "textbook_arrays"]

SAMPLES = 200  # on so many the backward pass is checked line by line
CHECKS = 4  # the gradients are compared at the start and after each quarter of the training


class Check(NamedTuple):
    """The comparison of two gradients at one point of the training, and the check of the backward pass, line by line."""

    epoch: int
    loss: float
    errors: dict[str, float]
    report: BackwardReport

    @property
    def ok(self) -> bool:
        """Whether every gradient agrees; a NaN does not."""
        return self.report.ok and all(error <= textbook.TOLERANCE for error in self.errors.values())


def network(features: int, hidden: int, seed: int) -> nn.Sequential:
    """Build the network from `nn`, with the textbook's first weights: N(0, 1), and zero biases."""
    rng = np.random.default_rng(seed)
    layer = functools.partial(nn.Linear, init=nn.init.normal_, bias_init=nn.init.zeros_, rng=rng)
    return nn.Sequential(layer(features, hidden), nn.Sigmoid(), layer(hidden, 1), nn.Sigmoid())


def fit(console: Console, model: Any, part: Split, epochs: int, lr: float) -> list[Check]:
    """Train, and compare the engine's gradients with the hand-derived ones on the way.

    Parameters
    ----------
    console : rich.console.Console
        Shows the progress, if it is a terminal.
    model : nn.Sequential
        As `network` builds it; trained in place.
    part : Split
    epochs : int
        Steps of gradient descent, each on the whole training part.
    lr : float

    Returns
    -------
    list of Check
        One at the start, and one after each quarter of the training.

    Raises
    ------
    SettingError
        If the loss is no longer finite.
    """
    loss_of = nn.BCELoss()
    optimizer = nn.SGD(model.parameters(), lr=lr)
    compiled = nn.compile_step(model, loss_of, optimizer, backend="numpy")
    when = {round(epochs * i / CHECKS) for i in range(CHECKS + 1)}
    checks = []
    columns = (TextColumn("training"), BarColumn(), MofNCompleteColumn(), TextColumn("loss {task.fields[loss]}"), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress, np.errstate(all="ignore"):
        task = progress.add_task("training", total=epochs, loss="")
        for epoch in range(epochs + 1):
            if epoch < nn.training.AFTER:  # what is over by then is not worth compiling
                optimizer.zero_grad()
                loss = loss_of(model(part.x_train), part.y_train)
                loss.backward()
                value = float(loss.data)
                del loss
            else:
                value = float(compiled.gradients(part.x_train, part.y_train))
            if not math.isfinite(value):
                raise SettingError("lr", f"with {lr:g} the loss became {value} after {epoch} epochs; take a smaller one")
            if epoch in when:
                errors = textbook.compare(textbook_arrays(model), textbook_arrays(model, gradient=True), part.x_train.T, part.y_train.T)
                checks.append(Check(epoch, value, errors, _line_by_line(model, part)))
            if epoch < epochs:
                (optimizer.step if epoch < nn.training.AFTER else compiled.update)()
                progress.update(task, advance=1, loss=f"{value:.4f}")
    return checks


def _line_by_line(model: Any, part: Split) -> BackwardReport:
    """Check the hand-written backward pass at the model's parameters, on as many samples as are needed to tell."""
    x, y = np.asarray(part.x_train[:SAMPLES]).T, np.asarray(part.y_train[:SAMPLES]).T
    return ag.check_backward(textbook.forward, textbook.backward, {**textbook_arrays(model), "X": x, "Y": y}, draws=1)


def textbook_arrays(model: Any, *, gradient: bool = False) -> dict[str, NDArray[np.float64]]:
    """Return the parameters, or their gradients, under the names and in the shapes of the textbook."""
    tensors = {"W1": model[0].weight, "b1": model[0].bias, "W2": model[2].weight, "b2": model[2].bias}
    arrays = {name: t.grad if gradient else t.data for name, t in tensors.items()}
    return {name: a.reshape(-1, 1) if name.startswith("b") else a for name, a in arrays.items()}


def count_right(model: Any, x: NDArray[np.float64], y: NDArray[np.float64]) -> int:
    """Return how many samples the model puts on the right side of 0.5."""
    with ag.no_grad():
        return int(np.sum((model(x).data >= 0.5) == y))
