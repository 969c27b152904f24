"""Layers and losses as functions, with PyTorch's names; they take arrays as well as Tensors.

Here live formulas and the conditions on their arguments, a file a family; `nn.layers` and `nn.losses` add Parameters and
settings. Nothing here may hold a state.
"""

from nn.functional.activations import log_softmax, logsigmoid, relu, sigmoid, softmax, softplus, tanh
from nn.functional.arguments import Reduction
from nn.functional.linear import linear
from nn.functional.losses import binary_cross_entropy, binary_cross_entropy_with_logits, cross_entropy, mse_loss, nll_loss

__all__ = [
    "Reduction",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "linear",
    "log_softmax",
    "logsigmoid",
    "mse_loss",
    "nll_loss",
    "relu",
    "sigmoid",
    "softmax",
    "softplus",
    "tanh",
]
