"""The base of schedulers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from nn.optim.optimizer import Group, Optimizer
from nn.state import array_of, fitted

__all__ = ["LRScheduler", "demand"]


class LRScheduler:
    """Base of schedulers: subclasses say in `_next` what the learning rate of a group becomes.

    A scheduler sets the learning rates of epoch 0 when it is made, and those of the next epoch at each `step`, which comes after
    that of the optimiser. Several schedulers of one optimiser work one after another, each on what the other left.

    Parameters
    ----------
    optimizer : Optimizer
        Whose groups change their ``"lr"``.

    Attributes
    ----------
    last_epoch : int
        How many steps were made.
    base_lrs : list of float
        What the learning rates were before any scheduler.
    """

    remembers: ClassVar[dict[str, type]] = {"last_epoch": int}
    """What else moves from step to step, and its type."""

    def __init__(self, optimizer: Optimizer) -> None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{type(self).__name__} needs an Optimizer, got {type(optimizer).__name__}")
        self.optimizer = optimizer
        for group in optimizer.param_groups:
            group.setdefault("initial_lr", group["lr"])
        self.base_lrs = [float(group["initial_lr"]) for group in optimizer.param_groups]
        self.last_epoch = 0
        self._apply()

    def _next(self, lr: float, base: float, group: Group) -> float:
        """Return the learning rate in the epoch `last_epoch` of a group that has `lr` now, and had `base` before all schedulers."""
        raise NotImplementedError

    def _apply(self) -> None:
        for group, base in zip(self.optimizer.param_groups, self._bases(), strict=True):
            group["lr"] = self._next(group["lr"], base, group)

    def _bases(self) -> list[float]:
        late = self.optimizer.param_groups[len(self.base_lrs) :]
        for group in late:
            group.setdefault("initial_lr", group["lr"])
        self.base_lrs += [float(group["initial_lr"]) for group in late]
        return self.base_lrs

    def _begin(self) -> None:
        """Go back to epoch 0, from the base learning rates."""
        for group, base in zip(self.optimizer.param_groups, self._bases(), strict=True):
            group["lr"] = base
        self.last_epoch = 0
        self._apply()

    def step(self) -> None:
        """Set the learning rates of the next epoch."""
        self.last_epoch += 1
        self._apply()

    def get_last_lr(self) -> list[float]:
        """Return the learning rate of each group."""
        return [float(group["lr"]) for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """Return what moves from step to step, as a flat dict of arrays that `nn.save` keeps; learning rates are the optimiser's."""
        return {"base_lrs": np.array(self.base_lrs), **{name: array_of(getattr(self, name)) for name in self.remembers}}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from a state; the optimiser, which has the learning rates, is loaded for itself.

        Raises
        ------
        StateDictError
            Naming everything that does not fit; the scheduler is as it was.
        """
        new, _ = fitted(self.state_dict(), state_dict, f"the state for {type(self).__name__}")
        self._take(new)

    def _take(self, new: Mapping[str, Any]) -> None:
        self.base_lrs = new["base_lrs"].tolist()
        for name, kind in self.remembers.items():
            setattr(self, name, kind(new[name]))

    def __repr__(self) -> str:
        return f"{type(self).__name__}(last_epoch={self.last_epoch}, lr={self.get_last_lr()})"


def demand(name: str, value: float, low: float, high: float = math.inf) -> float:
    """Return a setting that is a number between two others, or raise with its name."""
    if not low <= value <= high or math.isinf(value):
        raise ValueError(f"{name}={value} must be at least {low}" + ("" if math.isinf(high) else f" and at most {high}"))
    return value
