"""Activations as Modules."""

from __future__ import annotations

from typing import Any

from nn import functional as F  # noqa: N812
from nn.module import Module

__all__ = ["ReLU", "Sigmoid", "Tanh"]


class Sigmoid(Module):
    """1 / (1 + exp(-x)), stable."""

    def forward(self, x: Any) -> Any:
        """Return the logistic function of each element."""
        return F.sigmoid(x)


class Tanh(Module):
    """The hyperbolic tangent."""

    def forward(self, x: Any) -> Any:
        """Return the hyperbolic tangent of each element."""
        return F.tanh(x)


class ReLU(Module):
    """max(x, 0)."""

    def forward(self, x: Any) -> Any:
        """Return each element or 0, whichever is larger."""
        return F.relu(x)
