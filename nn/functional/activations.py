"""Activations: functions of each element, or of all along an axis."""

from __future__ import annotations

import numpy as np

import autograd_np as ag
from nn.functional.arguments import Array

__all__ = ["log_softmax", "logsigmoid", "relu", "sigmoid", "softmax", "softplus", "tanh"]

sigmoid = ag.sigmoid
logsigmoid = ag.log_sigmoid
relu = ag.relu
softplus = ag.softplus
tanh = np.tanh


def softmax(input: Array, dim: int = -1) -> Array:  # noqa: A002
    """Return exp(input), normalised to sum to one along `dim`."""
    return ag.softmax(input, axis=dim)


def log_softmax(input: Array, dim: int = -1) -> Array:  # noqa: A002
    """Return the logarithm of `softmax`, finite where that has underflowed."""
    return ag.log_softmax(input, axis=dim)
