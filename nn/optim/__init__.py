"""Optimisers with PyTorch's names and defaults.

Here lives what moves parameters by their gradients, a file a family. Its state is a flat dict of arrays, so `nn.save` and
`nn.load` keep it like a model's. Models may not be known here: an optimiser sees leaves.
"""

from nn.optim import lr_scheduler
from nn.optim.accumulating import Adagrad, RMSprop
from nn.optim.adam import Adam, AdamW, NAdam
from nn.optim.lbfgs import LBFGS
from nn.optim.optimizer import Optimizer
from nn.optim.sgd import SGD

__all__ = ["LBFGS", "SGD", "Adagrad", "Adam", "AdamW", "NAdam", "Optimizer", "RMSprop", "lr_scheduler"]
