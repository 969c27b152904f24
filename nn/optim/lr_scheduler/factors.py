"""Schedulers that multiply: by a constant at times, by a little at each step, or by a function of the user's."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from nn.optim.lr_scheduler.scheduler import LRScheduler, demand
from nn.optim.optimizer import Group, Optimizer

__all__ = ["ConstantLR", "ExponentialLR", "LambdaLR", "LinearLR", "MultiStepLR", "PolynomialLR", "StepLR"]


class LambdaLR(LRScheduler):
    """The base learning rate times a function of the epoch.

    Parameters
    ----------
    optimizer : Optimizer
    lr_lambda : callable, or list of callables
        Epoch -> factor, one for all groups or one for each.

    Examples
    --------
    >>> import nn
    >>> optimiser = nn.SGD([nn.Parameter(1.0)], lr=0.5)
    >>> scheduler = nn.optim.lr_scheduler.LambdaLR(optimiser, lambda epoch: 0.5**epoch)
    >>> scheduler.step()
    >>> optimiser.lr
    0.25
    """

    def __init__(self, optimizer: Optimizer, lr_lambda: Callable[[int], float] | list[Callable[[int], float]]) -> None:
        lambdas = list(lr_lambda) if isinstance(lr_lambda, (list, tuple)) else [lr_lambda] * len(optimizer.param_groups)
        if len(lambdas) != len(optimizer.param_groups):
            raise ValueError(f"lr_lambda needs a function for each of {len(optimizer.param_groups)} groups, got {len(lambdas)}")
        self.lr_lambdas = lambdas
        super().__init__(optimizer)

    def _next(self, lr: float, base: float, group: Group) -> float:  # noqa: ARG002
        i = next(i for i, other in enumerate(self.optimizer.param_groups) if other is group)
        return base * float(self.lr_lambdas[min(i, len(self.lr_lambdas) - 1)](self.last_epoch))


class StepLR(LRScheduler):
    """Times `gamma` every `step_size` epochs.

    Parameters
    ----------
    optimizer : Optimizer
    step_size : int
    gamma : float
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1) -> None:
        self.step_size, self.gamma = int(demand("step_size", step_size, 1)), float(gamma)
        super().__init__(optimizer)

    def _next(self, lr: float, base: float, group: Group) -> float:  # noqa: ARG002
        return lr * self.gamma if self.last_epoch and self.last_epoch % self.step_size == 0 else lr


class MultiStepLR(LRScheduler):
    """Times `gamma` at each of some epochs.

    Parameters
    ----------
    optimizer : Optimizer
    milestones : iterable of int
        One that is there twice counts twice.
    gamma : float
    """

    def __init__(self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1) -> None:
        self.milestones, self.gamma = sorted(milestones), float(gamma)
        super().__init__(optimizer)

    def _next(self, lr: float, base: float, group: Group) -> float:  # noqa: ARG002
        return lr * self.gamma ** self.milestones.count(self.last_epoch)


class ExponentialLR(LRScheduler):
    """Times `gamma` at every epoch.

    Parameters
    ----------
    optimizer : Optimizer
    gamma : float
    """

    def __init__(self, optimizer: Optimizer, gamma: float) -> None:
        self.gamma = float(gamma)
        super().__init__(optimizer)

    def _next(self, lr: float, base: float, group: Group) -> float:  # noqa: ARG002
        return lr * self.gamma if self.last_epoch else lr


class ConstantLR(LRScheduler):
    """Times `factor` for the first `total_iters` epochs.

    Parameters
    ----------
    optimizer : Optimizer
    factor : float within (0, 1]
    total_iters : int
    """

    def __init__(self, optimizer: Optimizer, factor: float = 1 / 3, total_iters: int = 5) -> None:
        if not 0 < factor <= 1:
            raise ValueError(f"factor={factor} must be more than 0 and at most 1")
        self.factor, self.total_iters = float(factor), int(demand("total_iters", total_iters, 0))
        super().__init__(optimizer)

    def _next(self, lr: float, base: float, group: Group) -> float:  # noqa: ARG002
        if self.last_epoch == 0:
            return lr * self.factor
        return lr / self.factor if self.last_epoch == self.total_iters else lr


class LinearLR(LRScheduler):
    """Times a factor that goes from one number to another in equal steps; with the defaults, a warm-up.

    Parameters
    ----------
    optimizer : Optimizer
    start_factor : float within (0, 1]
    end_factor : float within [0, 1]
    total_iters : int
        The epoch of the end factor, which is kept from then on.

    Examples
    --------
    >>> import nn
    >>> optimiser = nn.SGD([nn.Parameter(1.0)], lr=1.0)
    >>> scheduler = nn.optim.lr_scheduler.LinearLR(optimiser, start_factor=0.5, total_iters=2)
    >>> optimiser.lr
    0.5
    >>> scheduler.step()
    >>> optimiser.lr
    0.75
    """

    def __init__(self, optimizer: Optimizer, start_factor: float = 1 / 3, end_factor: float = 1.0, total_iters: int = 5) -> None:
        if not 0 < start_factor <= 1:
            raise ValueError(f"start_factor={start_factor} must be more than 0 and at most 1")
        self.start_factor, self.end_factor = float(start_factor), float(demand("end_factor", end_factor, 0, 1))
        self.total_iters = int(demand("total_iters", total_iters, 1))
        super().__init__(optimizer)

    def _next(self, lr: float, base: float, group: Group) -> float:  # noqa: ARG002
        t, start, rise = self.last_epoch, self.start_factor, self.end_factor - self.start_factor
        if t == 0:
            return lr * start
        return lr if t > self.total_iters else lr * (1 + rise / (self.total_iters * start + (t - 1) * rise))


class PolynomialLR(LRScheduler):
    """Times (1 - epoch / total_iters) ** power, and 0 from then on.

    Parameters
    ----------
    optimizer : Optimizer
    total_iters : int
    power : float
    """

    def __init__(self, optimizer: Optimizer, total_iters: int = 5, power: float = 1.0) -> None:
        self.total_iters, self.power = int(demand("total_iters", total_iters, 1)), float(power)
        super().__init__(optimizer)

    def _next(self, lr: float, base: float, group: Group) -> float:  # noqa: ARG002
        t, n = self.last_epoch, self.total_iters
        return lr if t == 0 or t > n else lr * float((1 - t / n) / (1 - (t - 1) / n)) ** self.power
