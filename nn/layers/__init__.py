"""Layers: Modules with PyTorch's names, shapes, defaults and state_dict keys.

Here live Parameters, settings and the conditions on them, a file a family. What a layer computes is in `nn.functional`
and may not live here.
"""

from nn.layers.activations import ReLU, Sigmoid, Tanh
from nn.layers.containers import Sequential
from nn.layers.linear import Linear

__all__ = ["Linear", "ReLU", "Sequential", "Sigmoid", "Tanh"]
