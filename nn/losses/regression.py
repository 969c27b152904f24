"""Losses of the difference of a prediction and a target."""

from __future__ import annotations

from typing import Any

from nn import functional as F  # noqa: N812
from nn.losses.loss import Loss

__all__ = ["HuberLoss", "L1Loss", "MSELoss", "SmoothL1Loss"]


class MSELoss(Loss):
    """The squared error: `nn.functional.mse_loss`."""

    def forward(self, input: Any, target: Any) -> Any:  # noqa: A002
        """Return the loss of predictions against targets of the same shape."""
        return F.mse_loss(input, target, self.reduction)


class L1Loss(Loss):
    """The absolute error: `nn.functional.l1_loss`."""

    def forward(self, input: Any, target: Any) -> Any:  # noqa: A002
        """Return the loss of predictions against targets of the same shape."""
        return F.l1_loss(input, target, self.reduction)


class HuberLoss(Loss):
    """Squared near zero and absolute elsewhere: `nn.functional.huber_loss`.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}
    delta : float
        Where the square ends.

    Examples
    --------
    >>> import nn
    >>> nn.HuberLoss(delta=2.0)([[5.0]], [[0.0]])
    np.float64(8.0)
    """

    def __init__(self, reduction: F.Reduction = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction)
        self.delta = delta

    def forward(self, input: Any, target: Any) -> Any:  # noqa: A002
        """Return the loss of predictions against targets of the same shape."""
        return F.huber_loss(input, target, self.reduction, self.delta)


class SmoothL1Loss(Loss):
    """Squared near zero and absolute elsewhere, with slope 1: `nn.functional.smooth_l1_loss`.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}
    beta : float
        Where the square ends.
    """

    def __init__(self, reduction: F.Reduction = "mean", beta: float = 1.0) -> None:
        super().__init__(reduction)
        self.beta = beta

    def forward(self, input: Any, target: Any) -> Any:  # noqa: A002
        """Return the loss of predictions against targets of the same shape."""
        return F.smooth_l1_loss(input, target, self.reduction, self.beta)
