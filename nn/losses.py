"""Losses as Modules; the arithmetic and the conditions on arguments are in `nn.functional`."""

from __future__ import annotations

from typing import Any

from nn import functional as F  # noqa: N812
from nn.module import Module

__all__ = ["BCELoss", "BCEWithLogitsLoss", "CrossEntropyLoss", "MSELoss"]


class _Loss(Module):
    def __init__(self, reduction: F.Reduction = "mean") -> None:
        if reduction not in ("mean", "sum", "none"):
            raise ValueError(f"reduction={reduction!r} is not known; expected 'mean', 'sum' or 'none'")
        self.reduction: F.Reduction = reduction

    def extra_repr(self) -> str:
        """Return the reduction."""
        return "" if self.reduction == "mean" else f"reduction={self.reduction!r}"


class BCELoss(_Loss):
    """Binary cross-entropy of probabilities; of a sigmoid's output it is computed from the logit.

    See `nn.functional.binary_cross_entropy`.

    Examples
    --------
    >>> import numpy as np
    >>> import autograd_np as ag
    >>> import nn
    >>> Z2 = ag.Tensor([[2.0, -800.0]], requires_grad=True)
    >>> A2 = ag.sigmoid(Z2)
    >>> nn.BCELoss()(A2, [[1.0, 1.0]]).backward()
    >>> np.allclose(Z2.grad, (A2.data - 1.0) / 2)
    True
    """

    def forward(self, input: Any, target: Any) -> Any:  # noqa: A002
        """Return the loss of probabilities against labels of the same shape."""
        return F.binary_cross_entropy(input, target, self.reduction)


class BCEWithLogitsLoss(_Loss):
    """Binary cross-entropy of the sigmoid of logits: `nn.functional.binary_cross_entropy_with_logits`."""

    def forward(self, input: Any, target: Any) -> Any:  # noqa: A002
        """Return the loss of logits against labels of the same shape."""
        return F.binary_cross_entropy_with_logits(input, target, self.reduction)


class MSELoss(_Loss):
    """The squared error: `nn.functional.mse_loss`."""

    def forward(self, input: Any, target: Any) -> Any:  # noqa: A002
        """Return the loss of predictions against targets of the same shape."""
        return F.mse_loss(input, target, self.reduction)


class CrossEntropyLoss(_Loss):
    """Cross-entropy of the softmax of logits: `nn.functional.cross_entropy`."""

    def forward(self, input: Any, target: Any) -> Any:  # noqa: A002
        """Return the loss of logits against class numbers or class probabilities."""
        return F.cross_entropy(input, target, self.reduction)
