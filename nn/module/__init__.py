"""Module, what models are made of, and a call of one as a function of its parameters.

Here lives what every layer has: members and their paths, buffers, modes, state, hooks. Layers, and what any of them
computes, may not live here.
"""

from nn.module.functional import functional_call
from nn.module.hooks import RemovableHandle
from nn.module.module import Module

__all__ = ["Module", "RemovableHandle", "functional_call"]
