"""Losses of scores for classes."""

from __future__ import annotations

from typing import Any

from nn import functional as F  # noqa: N812
from nn.losses.loss import Loss

__all__ = ["CrossEntropyLoss", "MultiMarginLoss", "NLLLoss"]


class CrossEntropyLoss(Loss):
    """Cross-entropy of the softmax of logits: `nn.functional.cross_entropy`.

    Parameters
    ----------
    weight : array, shape (classes,), optional
        What the terms of each class are multiplied by.
    ignore_index : int
        A class number whose samples do not count.
    reduction : {"mean", "sum", "none"}
    label_smoothing : float within [0, 1]
        The share of the target that is spread over all classes evenly.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> loss_of = nn.CrossEntropyLoss(weight=[1.0, 3.0], ignore_index=-1)
    >>> loss_of(np.zeros((3, 2)), np.array([0, 1, -1])).round(4)
    np.float64(0.6931)
    """

    weight: Any

    def __init__(
        self, weight: Any = None, *, ignore_index: int = -100, reduction: F.Reduction = "mean", label_smoothing: float = 0.0
    ) -> None:
        super().__init__(reduction)
        self._weigh(weight=weight)
        self.ignore_index, self.label_smoothing = ignore_index, label_smoothing

    def forward(self, input: Any, target: Any) -> Any:  # noqa: A002
        """Return the loss of logits against class numbers or class probabilities."""
        return F.cross_entropy(
            input,
            target,
            self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )


class NLLLoss(Loss):
    """Minus the log-probability of the target class, of the output of `log_softmax`: `nn.functional.nll_loss`.

    Parameters
    ----------
    weight : array, shape (classes,), optional
        What the terms of each class are multiplied by.
    ignore_index : int
        A class number whose samples do not count.
    reduction : {"mean", "sum", "none"}
    """

    weight: Any

    def __init__(self, weight: Any = None, *, ignore_index: int = -100, reduction: F.Reduction = "mean") -> None:
        super().__init__(reduction)
        self._weigh(weight=weight)
        self.ignore_index = ignore_index

    def forward(self, input: Any, target: Any) -> Any:  # noqa: A002
        """Return the loss of log-probabilities against class numbers."""
        return F.nll_loss(input, target, self.weight, ignore_index=self.ignore_index, reduction=self.reduction)


class MultiMarginLoss(Loss):
    """The hinge loss of several classes: `nn.functional.multi_margin_loss`.

    Parameters
    ----------
    p : {1, 2}
    margin : float
    weight : array, shape (classes,), optional
        What the samples of each class are multiplied by.
    reduction : {"mean", "sum", "none"}
    """

    weight: Any

    def __init__(self, p: int = 1, margin: float = 1.0, weight: Any = None, *, reduction: F.Reduction = "mean") -> None:
        super().__init__(reduction)
        self._weigh(weight=weight)
        self.p, self.margin = p, margin

    def forward(self, input: Any, target: Any) -> Any:  # noqa: A002
        """Return the loss of scores against class numbers."""
        return F.multi_margin_loss(input, target, self.p, self.margin, self.weight, reduction=self.reduction)
