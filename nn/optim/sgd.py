"""Gradient descent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nn.optim.optimizer import Array, Group, Optimizer, Params, State

__all__ = ["SGD"]


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum.

    For the gradient g of a parameter p: g <- g + weight_decay p; v <- momentum v + (1 - dampening) g (at the first step
    v <- g); p <- p - lr v, or with `nesterov` p <- p - lr (g + momentum v). Sutskever et al. (2013), with the
    learning rate outside the velocity as in PyTorch, https://docs.pytorch.org/docs/stable/generated/torch.optim.SGD.html.

    Parameters
    ----------
    params : iterable of Tensor, or of dict
        What to move, or groups of it.
    lr, momentum, dampening, weight_decay : float
        As above.
    nesterov : bool
        Look ahead along the velocity.
    maximize : bool
        Go up.

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

    settings = ("lr", "momentum", "dampening", "weight_decay", "nesterov", "maximize")
    lr: float
    momentum: float
    dampening: float
    weight_decay: float
    nesterov: bool
    maximize: bool

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            lr=float(lr),
            momentum=float(momentum),
            dampening=float(dampening),
            weight_decay=float(weight_decay),
            nesterov=bool(nesterov),
            maximize=bool(maximize),
        )

    def _remembered(self, settings: Mapping[str, Any]) -> tuple[str, ...]:
        return ("momentum_buffer",) if settings["momentum"] else ()

    def _update(self, p: Array, g: Array, state: State, group: Group) -> Array:
        u = np.empty_like(p)
        if group["weight_decay"]:
            g = np.add(np.multiply(p, group["weight_decay"], out=u), g, out=u)
        momentum = group["momentum"]
        if momentum:
            v = state.get("momentum_buffer")
            if v is None:
                v = state["momentum_buffer"] = np.empty_like(p)
                v[...] = g
            else:
                v *= momentum
                v += g if group["dampening"] == 0 else (1 - group["dampening"]) * g
            g = np.add(g, momentum * v, out=u) if group["nesterov"] else v
        return np.multiply(g, group["lr"], out=u)
