"""A scheduler that looks at a measure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from nn.optim.lr_scheduler.scheduler import LRScheduler, demand
from nn.optim.optimizer import Group, Optimizer

__all__ = ["ReduceLROnPlateau"]


class ReduceLROnPlateau(LRScheduler):
    """Times `factor` where a measure has not become better for more than `patience` epochs.

    Parameters
    ----------
    optimizer : Optimizer
    mode : {"min", "max"}
        What is better.
    factor : float below 1
    patience : int
        Epochs without progress that are allowed.
    threshold : float
        By how much a measure has to be better: relative to the best, or as it is.
    threshold_mode : {"rel", "abs"}
    cooldown : int
        Epochs after a reduction that do not count.
    min_lr : float, or list of floats
        No learning rate becomes lower.
    eps : float
        A reduction by no more than this is not made.

    Examples
    --------
    >>> import nn
    >>> optimiser = nn.SGD([nn.Parameter(1.0)], lr=1.0)
    >>> scheduler = nn.optim.lr_scheduler.ReduceLROnPlateau(optimiser, patience=1)
    >>> for loss in [3.0, 2.0, 2.0, 2.0]:
    ...     scheduler.step(loss)
    >>> optimiser.lr
    0.1
    """

    remembers: ClassVar[dict[str, type]] = {"last_epoch": int, "best": float, "num_bad_epochs": int, "cooldown_counter": int}

    def __init__(
        self,
        optimizer: Optimizer,
        mode: Literal["min", "max"] = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: Literal["rel", "abs"] = "rel",
        cooldown: int = 0,
        min_lr: float | Sequence[float] = 0.0,
        eps: float = 1e-8,
    ) -> None:
        if not factor < 1:
            raise ValueError(f"factor={factor} must be less than 1")
        if mode not in ("min", "max"):
            raise ValueError(f"mode={mode!r} is not known; expected 'min' or 'max'")
        if threshold_mode not in ("rel", "abs"):
            raise ValueError(f"threshold_mode={threshold_mode!r} is not known; expected 'rel' or 'abs'")
        groups = len(optimizer.param_groups)
        self.min_lrs = [float(lr) for lr in min_lr] if isinstance(min_lr, Sequence) else [float(min_lr)] * groups
        if len(self.min_lrs) != groups:
            raise ValueError(f"min_lr needs a number for each of {groups} groups, got {len(self.min_lrs)}")
        self.mode, self.threshold_mode = mode, threshold_mode
        self.factor, self.threshold, self.eps = float(factor), float(threshold), float(eps)
        self.patience, self.cooldown = int(demand("patience", patience, 0)), int(demand("cooldown", cooldown, 0))
        self.best = math.inf if mode == "min" else -math.inf
        self.num_bad_epochs = self.cooldown_counter = 0
        super().__init__(optimizer)

    def _next(self, lr: float, base: float, group: Group) -> float:  # noqa: ARG002
        return lr

    def _better(self, measure: float) -> bool:
        by = self.threshold if self.mode == "max" else -self.threshold
        bar = self.best * (1 + by) if self.threshold_mode == "rel" else self.best + by
        return measure > bar if self.mode == "max" else measure < bar

    def step(self, metrics: Any = None) -> None:
        """Look at the measure of an epoch.

        Parameters
        ----------
        metrics : float or Tensor
            One number.

        Raises
        ------
        TypeError
            Without one.
        """
        if metrics is None:
            raise TypeError("ReduceLROnPlateau goes by a measure: scheduler.step(validation_loss)")
        measure = float(metrics)
        self.last_epoch += 1
        if self._better(measure):
            self.best, self.num_bad_epochs = measure, 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            for i, group in enumerate(self.optimizer.param_groups):
                lr = max(group["lr"] * self.factor, self.min_lrs[min(i, len(self.min_lrs) - 1)])
                if group["lr"] - lr > self.eps:
                    group["lr"] = lr
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
