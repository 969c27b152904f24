"""Losses of probabilities, and of what distributions are made of."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from nn import functional as F  # noqa: N812
from nn.losses.loss import Loss

__all__ = ["BCELoss", "BCEWithLogitsLoss", "GaussianNLLLoss", "KLDivLoss", "PoissonNLLLoss"]


class BCELoss(Loss):
    """Binary cross-entropy of probabilities; of a sigmoid's output it is computed from the logit.

    See `nn.functional.binary_cross_entropy`.

    Parameters
    ----------
    weight : array, optional
        What each element is multiplied by.
    reduction : {"mean", "sum", "none"}

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

    weight: Any

    def __init__(self, weight: Any = None, *, reduction: F.Reduction = "mean") -> None:
        super().__init__(reduction)
        self._weigh(weight=weight)

    def forward(self, input: Any, target: Any) -> Any:  # noqa: A002
        """Return the loss of probabilities against labels of the same shape."""
        return F.binary_cross_entropy(input, target, self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(Loss):
    """Binary cross-entropy of the sigmoid of logits: `nn.functional.binary_cross_entropy_with_logits`.

    Parameters
    ----------
    weight : array, optional
        What each element is multiplied by.
    reduction : {"mean", "sum", "none"}
    pos_weight : array, optional
        What the terms of positive labels are multiplied by.
    """

    weight: Any
    pos_weight: Any

    def __init__(self, weight: Any = None, *, reduction: F.Reduction = "mean", pos_weight: Any = None) -> None:
        super().__init__(reduction)
        self._weigh(weight=weight, pos_weight=pos_weight)

    def forward(self, input: Any, target: Any) -> Any:  # noqa: A002
        """Return the loss of logits against labels of the same shape."""
        return F.binary_cross_entropy_with_logits(input, target, self.weight, reduction=self.reduction, pos_weight=self.pos_weight)


class KLDivLoss(Loss):
    """The Kullback-Leibler divergence, of log-probabilities from probabilities: `nn.functional.kl_div`.

    Parameters
    ----------
    reduction : {"mean", "batchmean", "sum", "none"}
        "batchmean" is the divergence; "mean" divides by all elements, classes included.
    log_target : bool
        Whether the target has log-probabilities too.
    """

    reductions: ClassVar[tuple[str, ...]] = ("mean", "batchmean", "sum", "none")

    def __init__(self, reduction: F.Reduction | Literal["batchmean"] = "mean", log_target: bool = False) -> None:
        super().__init__(reduction)
        self.log_target = log_target

    def forward(self, input: Any, target: Any) -> Any:  # noqa: A002
        """Return the loss of log-probabilities against a target of the same shape."""
        return F.kl_div(input, target, self.reduction, self.log_target)


class PoissonNLLLoss(Loss):
    """Minus the log-probability of counts: `nn.functional.poisson_nll_loss`.

    Parameters
    ----------
    log_input : bool
        Whether the predictions are logarithms of means, or means.
    full : bool
        Add Stirling's approximation of what is constant.
    eps : float
        Added to a mean before its logarithm.
    reduction : {"mean", "sum", "none"}
    """

    def __init__(self, log_input: bool = True, full: bool = False, *, eps: float = 1e-8, reduction: F.Reduction = "mean") -> None:
        super().__init__(reduction)
        self.log_input, self.full, self.eps = log_input, full, eps

    def forward(self, log_input: Any, target: Any) -> Any:
        """Return the loss of predictions against counts of the same shape."""
        return F.poisson_nll_loss(log_input, target, self.log_input, self.full, self.eps, reduction=self.reduction)


class GaussianNLLLoss(Loss):
    """Minus the log-density of normal distributions whose variance is predicted too: `nn.functional.gaussian_nll_loss`.

    Parameters
    ----------
    full : bool
        Add what is constant.
    eps : float
        The least variance.
    reduction : {"mean", "sum", "none"}
    """

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: F.Reduction = "mean") -> None:
        super().__init__(reduction)
        self.full, self.eps = full, eps

    def forward(self, input: Any, target: Any, var: Any) -> Any:  # noqa: A002
        """Return the loss of means and variances against targets of the same shape."""
        return F.gaussian_nll_loss(input, target, var, self.full, self.eps, reduction=self.reduction)
