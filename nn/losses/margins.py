"""Losses that want one thing to be farther than another, by a margin."""

from __future__ import annotations

from typing import Any

from nn import functional as F  # noqa: N812
from nn.losses.loss import Loss

__all__ = ["CosineEmbeddingLoss", "HingeEmbeddingLoss", "MarginRankingLoss", "SoftMarginLoss", "TripletMarginLoss"]


class CosineEmbeddingLoss(Loss):
    """Pairs that are alike to one direction, others away from it: `nn.functional.cosine_embedding_loss`.

    Parameters
    ----------
    margin : float
        A cosine below which others do not count.
    reduction : {"mean", "sum", "none"}
    """

    def __init__(self, margin: float = 0.0, *, reduction: F.Reduction = "mean") -> None:
        super().__init__(reduction)
        self.margin = margin

    def forward(self, input1: Any, input2: Any, target: Any) -> Any:
        """Return the loss of pairs against labels 1 and -1."""
        return F.cosine_embedding_loss(input1, input2, target, self.margin, reduction=self.reduction)


class HingeEmbeddingLoss(Loss):
    """Small distances for pairs that are alike, others at least the margin: `nn.functional.hinge_embedding_loss`.

    Parameters
    ----------
    margin : float
    reduction : {"mean", "sum", "none"}
    """

    def __init__(self, margin: float = 1.0, *, reduction: F.Reduction = "mean") -> None:
        super().__init__(reduction)
        self.margin = margin

    def forward(self, input: Any, target: Any) -> Any:  # noqa: A002
        """Return the loss of distances against labels 1 and -1."""
        return F.hinge_embedding_loss(input, target, self.margin, reduction=self.reduction)


class MarginRankingLoss(Loss):
    """The higher of two scores where it should be: `nn.functional.margin_ranking_loss`.

    Parameters
    ----------
    margin : float
    reduction : {"mean", "sum", "none"}
    """

    def __init__(self, margin: float = 0.0, *, reduction: F.Reduction = "mean") -> None:
        super().__init__(reduction)
        self.margin = margin

    def forward(self, input1: Any, input2: Any, target: Any) -> Any:
        """Return the loss of scores against labels: 1 where the first should be higher, -1 where the second."""
        return F.margin_ranking_loss(input1, input2, target, self.margin, reduction=self.reduction)


class SoftMarginLoss(Loss):
    """The logistic loss of labels 1 and -1: `nn.functional.soft_margin_loss`."""

    def forward(self, input: Any, target: Any) -> Any:  # noqa: A002
        """Return the loss of scores against labels of the same shape."""
        return F.soft_margin_loss(input, target, self.reduction)


class TripletMarginLoss(Loss):
    """A positive nearer to an anchor than a negative, by a margin: `nn.functional.triplet_margin_loss`.

    Parameters
    ----------
    margin, p, eps : float
        The margin, and those of `nn.functional.pairwise_distance`.
    swap : bool
        Take the negative's distance from the positive where that is less.
    reduction : {"mean", "sum", "none"}
    """

    def __init__(
        self, margin: float = 1.0, p: float = 2.0, eps: float = 1e-6, swap: bool = False, *, reduction: F.Reduction = "mean"
    ) -> None:
        super().__init__(reduction)
        self.margin, self.p, self.eps, self.swap = margin, p, eps, swap

    def forward(self, anchor: Any, positive: Any, negative: Any) -> Any:
        """Return the loss of vectors of one shape."""
        settings = (self.margin, self.p, self.eps, self.swap)
        return F.triplet_margin_loss(anchor, positive, negative, *settings, reduction=self.reduction)
