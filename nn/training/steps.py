"""What `fit` does around a step: clip the gradients, move the learning rate."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from nn.optim.lr_scheduler import OneCycleLR
from nn.training.core import Callback, Training
from nn.utils import clip_grad_norm_

__all__ = ["Clipping", "Scheduling"]


class Clipping(Callback):
    """Makes gradients shorter whose norm, over all parameters, is above `max_norm`."""

    def __init__(self, max_norm: float) -> None:
        if not max_norm > 0:
            raise ValueError(f"clip_grad_norm={max_norm} must be above 0")
        self.max_norm = float(max_norm)

    def on_backward_end(self, training: Training) -> None:
        """Clip."""
        clip_grad_norm_(training.model.parameters(), self.max_norm)


class Scheduling(Callback):
    """Steps a scheduler of the learning rate.

    Parameters
    ----------
    scheduler : scheduler of `nn.optim`
        Anything with `step`, `state_dict` and `load_state_dict`. If its `step` takes ``metrics``, as that of
        `ReduceLROnPlateau`, it gets the validation's loss, or the training's where there is none.
    every : {"epoch", "batch"}, optional
        If not given, batch for `OneCycleLR` and epoch for all others.
    """

    def __init__(self, scheduler: Any, every: str | None) -> None:
        every = every or ("batch" if isinstance(scheduler, OneCycleLR) else "epoch")
        if every not in ("epoch", "batch"):
            raise ValueError(f"scheduler_every={every!r} is not known; expected 'epoch' or 'batch'")
        self.scheduler, self.every = scheduler, every
        self.takes_loss = "metrics" in inspect.signature(scheduler.step).parameters
        if self.takes_loss and every == "batch":
            raise ValueError(f"{type(scheduler).__name__} is stepped by a loss, which is known once an epoch: scheduler_every='epoch'")

    def on_batch_end(self, training: Training) -> None:  # noqa: ARG002
        """Step, if that is wanted after every batch."""
        if self.every == "batch":
            self.scheduler.step()

    def on_epoch_end(self, training: Training) -> None:
        """Step, if that is wanted after every epoch."""
        if self.takes_loss:
            self.scheduler.step(training.logs.get("val_loss", training.logs["loss"]))
        elif self.every == "epoch":
            self.scheduler.step()

    def state_dict(self) -> dict[str, Any]:
        """Return the scheduler's state."""
        state: dict[str, Any] = self.scheduler.state_dict()
        return state

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Give it back to the scheduler."""
        self.scheduler.load_state_dict(state_dict)
