"""Adam and its relatives: steps scaled by running moments of the gradient."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

import autograd_np as ag
from nn.optim.optimizer import Array, Optimizer, State

__all__ = ["Adam", "AdamW"]


class Adam(Optimizer):
    """Adam: Kingma and Ba (2015), https://arxiv.org/abs/1412.6980, algorithm 1.

    For the gradient g of a parameter p at its step t: g <- g + weight_decay p; m <- b1 m + (1 - b1) g;
    v <- b2 v + (1 - b2) g^2; p <- p - lr (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps).

    Parameters
    ----------
    params : iterable of Tensor
        What to move.
    lr : float
        Roughly the largest change of an element in a step.
    betas : tuple of two floats
        b1 and b2.
    eps : float
        Keeps the quotient finite.
    weight_decay : float
        An L2 penalty, added to the gradient.

    Raises
    ------
    ValueError
        If a setting is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> p = nn.Parameter([1.0, 2.0])
    >>> optimiser = nn.Adam([p], lr=0.1)
    >>> np.sum(p * p).backward()
    >>> optimiser.step()
    >>> p.data
    array([0.9, 1.9])
    """

    settings = ("lr", "betas", "eps", "weight_decay")
    remembers = ("step", "exp_avg", "exp_avg_sq")
    lr: float
    betas: tuple[float, float]
    eps: float
    weight_decay: float

    def __init__(
        self,
        params: Iterable[ag.Tensor],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        b1, b2 = betas
        super().__init__(params, lr=float(lr), betas=(float(b1), float(b2)), eps=float(eps), weight_decay=float(weight_decay))

    def _update(self, p: Array, g: Array, state: State) -> Array:
        return self._adaptive(g + self.weight_decay * p if self.weight_decay else g, state)

    def _adaptive(self, g: Array, state: State) -> Array:
        b1, b2 = self.betas
        t = int(state.get("step", 0)) + 1
        m = (1 - b1) * g if t == 1 else b1 * state["exp_avg"] + (1 - b1) * g
        v = (1 - b2) * g * g if t == 1 else b2 * state["exp_avg_sq"] + (1 - b2) * g * g
        state.update(step=t, exp_avg=m, exp_avg_sq=v)
        return (self.lr / (1 - b1**t)) * m / (np.sqrt(v / (1 - b2**t)) + self.eps)


class AdamW(Adam):
    """Adam with decoupled weight decay: Loshchilov and Hutter (2019), https://arxiv.org/abs/1711.05101, algorithm 2.

    As `Adam` without the penalty in the gradient; in addition p <- p - lr weight_decay p, as in PyTorch.

    Parameters
    ----------
    params, lr, betas, eps
        As for `Adam`.
    weight_decay : float, default 0.01
        The share of a parameter, times `lr`, that a step takes away.
    """

    def __init__(
        self,
        params: Iterable[ag.Tensor],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay)

    def _update(self, p: Array, g: Array, state: State) -> Array:
        update = self._adaptive(g, state)
        return update + (self.lr * self.weight_decay) * p if self.weight_decay else update
