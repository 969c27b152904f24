"""Losses as functions, a file a family.

Here live formulas of losses and the conditions on predictions and targets. What is kept from call to call, settings and
weights, are in `nn.losses` and may not live here.
"""

from nn.functional.losses.binary import binary_cross_entropy, binary_cross_entropy_with_logits
from nn.functional.losses.classes import cross_entropy, multi_margin_loss, nll_loss
from nn.functional.losses.densities import gaussian_nll_loss, kl_div, poisson_nll_loss
from nn.functional.losses.margins import (
    cosine_embedding_loss,
    hinge_embedding_loss,
    margin_ranking_loss,
    soft_margin_loss,
    triplet_margin_loss,
)
from nn.functional.losses.regression import huber_loss, l1_loss, mse_loss, smooth_l1_loss

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cosine_embedding_loss",
    "cross_entropy",
    "gaussian_nll_loss",
    "hinge_embedding_loss",
    "huber_loss",
    "kl_div",
    "l1_loss",
    "margin_ranking_loss",
    "mse_loss",
    "multi_margin_loss",
    "nll_loss",
    "poisson_nll_loss",
    "smooth_l1_loss",
    "soft_margin_loss",
    "triplet_margin_loss",
]
