"""Schedulers that follow a cosine: down once, down again and again, or up and down."""

from __future__ import annotations

import math
from typing import Literal

from nn.optim.lr_scheduler.scheduler import LRScheduler, demand
from nn.optim.optimizer import Group, Optimizer

__all__ = ["CosineAnnealingLR", "CosineAnnealingWarmRestarts", "OneCycleLR"]


def _cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2


def _linear(start: float, end: float, share: float) -> float:
    return start + (end - start) * share


class CosineAnnealingLR(LRScheduler):
    """Down to `eta_min` in `T_max` epochs along half a cosine, and up again: Loshchilov and Hutter (2017), https://arxiv.org/abs/1608.03983.

    Parameters
    ----------
    optimizer : Optimizer
    T_max : int
    eta_min : float
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0) -> None:
        self.T_max, self.eta_min = int(demand("T_max", T_max, 1)), float(eta_min)
        super().__init__(optimizer)

    def _next(self, lr: float, base: float, group: Group) -> float:  # noqa: ARG002
        t, n = self.last_epoch, self.T_max
        if t == 0:
            return lr
        if (t - 1 - n) % (2 * n) == 0:  # after the bottom, from which no factor leads away
            return lr + (base - self.eta_min) * (1 - math.cos(math.pi / n)) / 2
        return self.eta_min + (lr - self.eta_min) * (1 + math.cos(math.pi * t / n)) / (1 + math.cos(math.pi * (t - 1) / n))


class CosineAnnealingWarmRestarts(LRScheduler):
    """Down to `eta_min` along half a cosine, and again from the start, each time `T_mult` times as long.

    Loshchilov and Hutter (2017), https://arxiv.org/abs/1608.03983.

    Parameters
    ----------
    optimizer : Optimizer
    T_0 : int
        Epochs until the first restart.
    T_mult : int
    eta_min : float
    """

    def __init__(self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0) -> None:
        self.T_0, self.T_mult = int(demand("T_0", T_0, 1)), int(demand("T_mult", T_mult, 1))
        self.eta_min = float(eta_min)
        super().__init__(optimizer)

    def _next(self, lr: float, base: float, group: Group) -> float:  # noqa: ARG002
        since, length = self.last_epoch, self.T_0
        while since >= length:
            since, length = since - length, length * self.T_mult
        return _cosine(base, self.eta_min, since / length)


class OneCycleLR(LRScheduler):
    """Up to `max_lr` and far down, the momentum the other way: Smith and Topin (2018), https://arxiv.org/abs/1708.07120.

    `step` comes after every batch, not every epoch.

    Parameters
    ----------
    optimizer : Optimizer
    max_lr : float, or list of floats
        At the top, for all groups or for each.
    total_steps : int, optional
        Steps of the cycle; or `epochs` and `steps_per_epoch`, whose product it is.
    pct_start : float
        The share of the steps that go up.
    anneal_strategy : {"cos", "linear"}
    cycle_momentum : bool
        Move ``momentum``, or the first of ``betas``, between `max_momentum`, where the learning rate is low, and `base_momentum`.
    div_factor, final_div_factor : float
        The start is ``max_lr / div_factor``, the end that start over `final_div_factor`.
    three_phase : bool
        Come down to the start as fast as it went up, and only then to the end.

    Raises
    ------
    ValueError
        If a setting is out of its range, or at the step after the last.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: Literal["cos", "linear"] = "cos",
        cycle_momentum: bool = True,
        base_momentum: float = 0.85,
        max_momentum: float = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
    ) -> None:
        if total_steps is None:
            if epochs is None or steps_per_epoch is None:
                raise ValueError("OneCycleLR needs total_steps, or epochs and steps_per_epoch")
            total_steps = int(demand("epochs", epochs, 1)) * int(demand("steps_per_epoch", steps_per_epoch, 1))
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy={anneal_strategy!r} is not known; expected 'cos' or 'linear'")
        tops = [float(lr) for lr in max_lr] if isinstance(max_lr, (list, tuple)) else [float(max_lr)] * len(optimizer.param_groups)
        if len(tops) != len(optimizer.param_groups):
            raise ValueError(f"max_lr needs a number for each of {len(optimizer.param_groups)} groups, got {len(tops)}")
        self.total_steps = int(demand("total_steps", total_steps, 1))
        self.pct_start = demand("pct_start", pct_start, 0, 1)
        self.between = _cosine if anneal_strategy == "cos" else _linear
        self.momentum = next((name for name in ("momentum", "betas") if name in optimizer.settings), None) if cycle_momentum else None
        if cycle_momentum and self.momentum is None:
            raise ValueError(f"{type(optimizer).__name__} has no momentum to cycle; pass cycle_momentum=False")
        up, n = pct_start * self.total_steps - 1, self.total_steps - 1
        high, low = max_momentum, base_momentum
        self.phases: list[tuple[float, str, str, float, float]]
        if three_phase:
            self.phases = [(up, "first", "top", high, low), (2 * up, "top", "first", low, high), (n, "first", "last", high, high)]
        else:
            self.phases = [(up, "first", "top", high, low), (n, "top", "last", low, high)]
        for group, top in zip(optimizer.param_groups, tops, strict=True):
            group["initial_lr"] = group["lr"] = top / div_factor
        self.div_factor, self.final_div_factor = float(div_factor), float(final_div_factor)
        super().__init__(optimizer)

    def _next(self, lr: float, base: float, group: Group) -> float:  # noqa: ARG002
        t = self.last_epoch
        if t > self.total_steps:
            raise ValueError(f"OneCycleLR was made for {self.total_steps} steps, and this is one more; give it as many as the training has")
        current = next((i for i, phase in enumerate(self.phases) if t <= phase[0]), len(self.phases) - 1)
        begin = self.phases[current - 1][0] if current else 0.0
        end, source, target, momentum, other = self.phases[current]
        rates = {"first": base, "top": base * self.div_factor, "last": base / self.final_div_factor}
        share = (t - begin) / (end - begin) if end > begin else 1.0
        if self.momentum is not None:
            value = self.between(momentum, other, share)
            group[self.momentum] = value if self.momentum == "momentum" else (value, *group["betas"][1:])
        return self.between(rates[source], rates[target], share)
