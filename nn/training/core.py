"""The loop, and what it tells to whom."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from nn.compiling import CompiledStep
from nn.data import DataLoader
from nn.module import Module
from nn.optim import Optimizer
from nn.training.history import History

__all__ = ["AFTER", "Callback", "Training", "loop", "parts"]

AFTER = 100
"""So many steps are taken before compiled code: shorter trainings would not get back what it takes to make it."""


class Callback:
    """Base of what hangs on the loop: override what you want to be told; each method gets the `Training`.

    In an epoch the order is: `on_epoch_start`; for each batch `on_batch_start`, `on_backward_end` (the gradients are there), `on_batch_end`
    (the step is done); `on_epoch_end`. Around all, `on_fit_start` and `on_fit_end`; the latter is not told of a training that was
    interrupted or raised.

    A callback that remembers something gives it out by `state_dict`, as a dict of arrays and of what JSON can hold, and takes it
    back by `load_state_dict`; then it goes into checkpoints.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> class Stop(nn.training.Callback):
    ...     def on_epoch_end(self, training):
    ...         if training.epoch == 2:
    ...             training.stopped = "two epochs are enough"
    >>> model, x = nn.Linear(1, 1, rng=0), np.ones((4, 1))
    >>> history = nn.fit(model, (x, x), nn.MSELoss(), nn.SGD(model.parameters()), 10, callbacks=[Stop()], progress=False)
    >>> len(history), history.stopped
    (2, 'two epochs are enough')
    """

    def on_fit_start(self, training: Training) -> None:
        """Before the first epoch, or the first one after a resumption."""

    def on_epoch_start(self, training: Training) -> None:
        """Before the first batch of an epoch, or the first one after a resumption in its middle."""

    def on_batch_start(self, training: Training) -> None:
        """Before the forward pass; `training.batch` is there."""

    def on_backward_end(self, training: Training) -> None:
        """When the gradients are there, before the step."""

    def on_batch_end(self, training: Training) -> None:
        """After the step."""

    def on_epoch_end(self, training: Training) -> None:
        """After the last batch of an epoch; `training.epoch` counts it, `training.logs` has its loss, and what callbacks add to it."""

    def on_fit_end(self, training: Training) -> None:
        """After the last epoch."""

    def state_dict(self) -> dict[str, Any]:
        """Return what is remembered."""
        return {}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take back what was remembered."""


@dataclass(kw_only=True, repr=False)
class Training:
    """What a training consists of, and how far it is.

    Attributes
    ----------
    model, loader, loss, optimiser, epochs
        As given to `nn.fit`.
    callbacks : list of Callback
        In the order in which they are told.
    epoch : int
        How many epochs are done.
    step : int
        How many batches are done, in all epochs.
    batch : tuple of arrays
        The last one.
    batch_loss : float
        Its loss.
    total, samples : float, int
        The sum of the losses of the epoch's samples so far, and their number.
    logs : dict
        What is known of the last epoch: ``"loss"``, and what callbacks add to it, for the history.
    history : History
    stopped : str
        Why the training ends before its last epoch; set it to end it after this batch.
    compiled : CompiledStep, optional
        Takes the steps after the first `AFTER`.
    """

    model: Module
    loader: DataLoader
    loss: Callable[[Any, Any], Any]
    optimiser: Optimizer
    epochs: int
    callbacks: list[Callback]
    epoch: int = 0
    step: int = 0
    batch: Any = None
    batch_loss: float = 0.0
    total: float = 0.0
    samples: int = 0
    logs: dict[str, Any] = field(default_factory=dict)
    history: History = field(default_factory=History)
    stopped: str = ""
    compiled: CompiledStep | None = None

    MOMENTS: ClassVar[tuple[str, ...]] = tuple(name for name in vars(Callback) if name.startswith("on_"))

    def __post_init__(self) -> None:
        self._told = {name: list(self._listeners(name)) for name in self.MOMENTS}

    def _listeners(self, moment: str) -> Iterable[Callable[[Training], None]]:
        """Yield the methods that were overridden: most callbacks have nothing to say to most batches."""
        return (getattr(c, moment) for c in self.callbacks if getattr(type(c), moment) is not getattr(Callback, moment))

    def tell(self, moment: str) -> None:
        """Tell the callbacks."""
        for listener in self._told[moment]:
            listener(self)


def parts(batch: Any) -> tuple[Any, ...] | list[Any]:
    """Return the arrays of a batch, of which the last is the target; an array would be taken apart row by row."""
    if not isinstance(batch, (tuple, list)) or len(batch) < 2:
        got = f"{type(batch).__name__} of {len(batch)}" if isinstance(batch, (tuple, list)) else type(batch).__name__
        raise TypeError(
            f"a batch must be a tuple of inputs and a target, got a {got}; where the target is the input, give it twice: (x, x)"
        )
    return batch


def loop(training: Training) -> None:
    """Train: this is all of it, to be copied and changed. What else `nn.fit` does is done by callbacks."""
    t = training
    while t.epoch < t.epochs and not t.stopped:
        t.model.train()
        t.tell("on_epoch_start")
        for batch in t.loader:
            t.batch = batch
            t.tell("on_batch_start")
            *inputs, target = parts(batch)
            compiled = t.compiled if t.step >= AFTER else None
            if compiled is not None:
                t.batch_loss = float(compiled.gradients(*batch))
            else:
                t.optimiser.zero_grad()
                loss = t.loss(t.model(*inputs), target)
                loss.backward()
                t.batch_loss = loss.item()
                del loss  # and with it the graph, before the next one is recorded
            t.tell("on_backward_end")
            if compiled is not None:
                compiled.update()
            else:
                t.optimiser.step()
            t.step += 1
            t.total += t.batch_loss * len(target)
            t.samples += len(target)
            t.tell("on_batch_end")
            if t.stopped:
                return
        t.logs = {"loss": t.total / t.samples}
        t.history.epochs.append(t.logs)
        t.epoch += 1
        t.total, t.samples = 0.0, 0
        t.tell("on_epoch_end")
