"""Schedulers one after another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nn.optim.lr_scheduler.plateau import ReduceLROnPlateau
from nn.optim.lr_scheduler.scheduler import LRScheduler
from nn.optim.optimizer import Optimizer

__all__ = ["SequentialLR"]


class SequentialLR(LRScheduler):
    """Schedulers one after another, each from its epoch 0: a warm-up, and then another.

    Parameters
    ----------
    optimizer : Optimizer
    schedulers : list of LRScheduler
        All of this optimiser.
    milestones : list of int
        The epochs at which the second, third, ... begin.

    Raises
    ------
    ValueError, TypeError
        If the numbers do not fit, a scheduler is of another optimiser, or goes by a measure.

    Examples
    --------
    >>> import nn
    >>> from nn.optim.lr_scheduler import ExponentialLR, LinearLR, SequentialLR
    >>> optimiser = nn.SGD([nn.Parameter(1.0)], lr=1.0)
    >>> parts = [LinearLR(optimiser, start_factor=0.5, total_iters=2), ExponentialLR(optimiser, gamma=0.5)]
    >>> scheduler = SequentialLR(optimiser, parts, milestones=[2])
    >>> rates = [optimiser.lr]
    >>> for epoch in range(4):
    ...     scheduler.step()
    ...     rates.append(optimiser.lr)
    >>> rates
    [0.5, 0.75, 1.0, 0.5, 0.25]
    """

    def __init__(self, optimizer: Optimizer, schedulers: Sequence[LRScheduler], milestones: Sequence[int]) -> None:
        if not schedulers or len(milestones) != len(schedulers) - 1:
            raise ValueError(f"SequentialLR needs a milestone between each two schedulers, got {len(schedulers)} and {len(milestones)}")
        if any(b <= a for a, b in zip([0, *milestones], milestones, strict=False)):
            raise ValueError(f"milestones={list(milestones)} must be positive and grow")
        for scheduler in schedulers:
            if scheduler.optimizer is not optimizer:
                raise ValueError("SequentialLR got a scheduler of another optimiser")
            if isinstance(scheduler, ReduceLROnPlateau):
                raise TypeError("SequentialLR steps without a measure, which ReduceLROnPlateau needs; step that one for itself")
        self.schedulers, self.milestones = list(schedulers), list(milestones)
        super().__init__(optimizer)

    def _apply(self) -> None:
        current = sum(self.last_epoch >= milestone for milestone in self.milestones)
        if self.last_epoch == 0 or self.last_epoch in self.milestones:
            self.schedulers[current]._begin()
        else:
            self.schedulers[current].step()

    def state_dict(self) -> dict[str, Any]:
        """Return the own state and those of the parts, as ``schedulers.0.last_epoch`` and so on."""
        parts = [(f"schedulers.{i}.{k}", v) for i, s in enumerate(self.schedulers) for k, v in s.state_dict().items()]
        return {**super().state_dict(), **dict(parts)}

    def _take(self, new: Mapping[str, Any]) -> None:
        super()._take(new)
        for i, scheduler in enumerate(self.schedulers):
            prefix = f"schedulers.{i}."
            scheduler._take({name.removeprefix(prefix): value for name, value in new.items() if name.startswith(prefix)})
