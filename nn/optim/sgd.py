"""Gradient descent."""

from __future__ import annotations

from collections.abc import Iterable

import autograd_np as ag
from nn.optim.optimizer import Array, Optimizer, State

__all__ = ["SGD"]


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum.

    For the gradient g of a parameter p: g <- g + weight_decay p; v <- momentum v + (1 - dampening) g (at the first step
    v <- g); p <- p - lr v, or with `nesterov` p <- p - lr (g + momentum v). Sutskever et al. (2013), with the
    learning rate outside the velocity as in PyTorch, https://docs.pytorch.org/docs/stable/generated/torch.optim.SGD.html.

    Parameters
    ----------
    params : iterable of Tensor
        What to move.
    lr, momentum, dampening, weight_decay : float
        As above.
    nesterov : bool
        Look ahead along the velocity.

    Raises
    ------
    ValueError
        If a setting is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> p = nn.Parameter([1.0, 2.0])
    >>> optimiser = nn.SGD([p], lr=0.1)
    >>> np.sum(p * p).backward()
    >>> optimiser.step()
    >>> p.data
    array([0.8, 1.6])
    """

    settings = ("lr", "momentum", "dampening", "weight_decay", "nesterov")
    remembers = ("momentum_buffer",)
    lr: float
    momentum: float
    dampening: float
    weight_decay: float
    nesterov: bool

    def __init__(
        self,
        params: Iterable[ag.Tensor],
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        super().__init__(
            params,
            lr=float(lr),
            momentum=float(momentum),
            dampening=float(dampening),
            weight_decay=float(weight_decay),
            nesterov=bool(nesterov),
        )

    def _update(self, p: Array, g: Array, state: State) -> Array:
        if self.weight_decay:
            g = g + self.weight_decay * p
        if self.momentum:
            v = state.get("momentum_buffer")
            state["momentum_buffer"] = v = g if v is None else self.momentum * v + (1 - self.dampening) * g
            g = g + self.momentum * v if self.nesterov else v
        return self.lr * g
