"""Optimisers with PyTorch's names and defaults.

Here lives what moves parameters by their gradients, a file a family. Its state is a flat dict of arrays, so `nn.save` and
`nn.load` keep it like a model's. Models may not be known here: an optimiser sees leaves.
"""

from nn.optim.adam import Adam, AdamW
from nn.optim.optimizer import Optimizer
from nn.optim.sgd import SGD

__all__ = ["SGD", "Adam", "AdamW", "Optimizer"]
