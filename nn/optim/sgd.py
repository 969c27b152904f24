"""Gradient descent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nn.optim.optimizer import Array, Group, Numbers, Optimizer, Params, State

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

    def _numbers(self, state: State, group: Group) -> Numbers:
        n: Numbers = {"lr": group["lr"]}
        if group["weight_decay"]:
            n["weight_decay"] = group["weight_decay"]
        if group["momentum"]:
            n["momentum"] = group["momentum"]
            if group["dampening"]:
                n["share"] = 1 - group["dampening"] if "momentum_buffer" in state else 1.0
            if group["nesterov"]:
                n["ahead"] = group["momentum"]
        return n

    @staticmethod
    def _rule(p: Array, g: Array, arrays: dict[str, Array], n: Numbers) -> Array:
        u = np.empty_like(p)
        if "weight_decay" in n:
            g = np.add(np.multiply(p, n["weight_decay"], out=u), g, out=u)
        if "momentum" in n:
            v = arrays["momentum_buffer"]
            v *= n["momentum"]
            v += n["share"] * g if "share" in n else g
            g = np.add(g, n["ahead"] * v, out=u) if "ahead" in n else v
        return np.multiply(g, n["lr"], out=u)
