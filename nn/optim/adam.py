"""Adam and its relatives: steps scaled by running moments of the gradient."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from nn.optim.optimizer import Array, Group, Numbers, Optimizer, Params, State

__all__ = ["Adam", "AdamW", "NAdam"]


def moved(g: Array, arrays: dict[str, Array], n: Numbers, u: Array) -> None:
    """Move the running moments of a gradient, in place; `u` is memory that may be written."""
    m, v = arrays["exp_avg"], arrays["exp_avg_sq"]
    np.multiply(g, n["1-b1"], out=u)
    m *= n["b1"]
    m += u
    np.multiply(g, g, out=u)
    u *= n["1-b2"]
    v *= n["b2"]
    v += u


def counted(state: State, group: Group) -> tuple[int, Numbers]:
    """Count a step; return its number, and the numbers of the moments."""
    t = state["step"] = int(state.get("step", 0)) + 1
    b1, b2 = group["betas"]
    return t, {"b1": b1, "1-b1": 1 - b1, "b2": b2, "1-b2": 1 - b2}


def decayed(p: Array, g: Array, n: Numbers) -> Array:
    """Return the gradient with that of an L2 penalty."""
    return g + n["weight_decay"] * p if "weight_decay" in n else g


class Adam(Optimizer):
    """Adam: Kingma and Ba (2015), https://arxiv.org/abs/1412.6980, algorithm 1.

    For the gradient g of a parameter p at its step t: g <- g + weight_decay p; m <- b1 m + (1 - b1) g;
    v <- b2 v + (1 - b2) g^2; p <- p - lr (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps).

    Parameters
    ----------
    params : iterable of Tensor, or of dict
        What to move, or groups of it.
    lr : float
        Roughly the largest change of an element in a step.
    betas : tuple of two floats
        b1 and b2.
    eps : float
        Keeps the quotient finite.
    weight_decay : float
        An L2 penalty, added to the gradient.
    amsgrad : bool
        Divide by the largest v so far: Reddi et al. (2018), https://arxiv.org/abs/1904.09237.
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
    >>> optimiser = nn.Adam([p], lr=0.1)
    >>> np.sum(p * p).backward()
    >>> optimiser.step()
    >>> p.data
    array([0.9, 1.9])
    """

    settings = ("lr", "betas", "eps", "weight_decay", "amsgrad", "maximize")
    lr: float
    betas: tuple[float, float]
    eps: float
    weight_decay: float
    amsgrad: bool
    maximize: bool

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        b1, b2 = betas
        super().__init__(
            params,
            lr=float(lr),
            betas=(float(b1), float(b2)),
            eps=float(eps),
            weight_decay=float(weight_decay),
            amsgrad=bool(amsgrad),
            maximize=bool(maximize),
        )

    def _remembered(self, settings: Mapping[str, Any]) -> tuple[str, ...]:
        return ("step", "exp_avg", "exp_avg_sq", *(("max_exp_avg_sq",) if settings["amsgrad"] else ()))

    def _numbers(self, state: State, group: Group) -> Numbers:
        t, n = counted(state, group)
        b1, b2 = group["betas"]
        scale = math.sqrt(1 - b2**t)
        n |= {"eps": group["eps"] * scale, "rate": group["lr"] * scale / (1 - b1**t)}
        return n | self._decay(group)

    @staticmethod
    def _decay(group: Group) -> Numbers:
        return {"weight_decay": group["weight_decay"]} if group["weight_decay"] else {}

    @staticmethod
    def _rule(p: Array, g: Array, arrays: dict[str, Array], n: Numbers) -> Array:
        g, u = decayed(p, g, n), np.empty_like(p)
        moved(g, arrays, n, u)
        v = arrays["exp_avg_sq"]
        if "max_exp_avg_sq" in arrays:
            largest = arrays["max_exp_avg_sq"]
            v = np.maximum(largest, v, out=largest)
        np.sqrt(v, out=u)
        u += n["eps"]
        np.divide(arrays["exp_avg"], u, out=u)
        u *= n["rate"]
        if "decay" in n:
            u += n["decay"] * p
        return u


class AdamW(Adam):
    """Adam with decoupled weight decay: Loshchilov and Hutter (2019), https://arxiv.org/abs/1711.05101, algorithm 2.

    As `Adam` without the penalty in the gradient; in addition p <- p - lr weight_decay p, as in PyTorch.

    Parameters
    ----------
    params, lr, betas, eps, amsgrad, maximize
        As for `Adam`.
    weight_decay : float, default 0.01
        The share of a parameter, times `lr`, that a step takes away.
    """

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize)

    @staticmethod
    def _decay(group: Group) -> Numbers:
        return {"decay": group["lr"] * group["weight_decay"]} if group["weight_decay"] else {}


class NAdam(Optimizer):
    """Adam with Nesterov's momentum: Dozat (2016), https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ.

    With m and v of `Adam`, mu_t = b1 (1 - 0.96^(t momentum_decay) / 2) and M_t = mu_1 ... mu_t:
    p <- p - lr ((1 - mu_t) / (1 - M_t) g + mu_(t+1) / (1 - M_(t+1)) m) / (sqrt(v / (1 - b2^t)) + eps).

    Parameters
    ----------
    params, betas, eps, weight_decay, maximize
        As for `Adam`.
    lr : float
        Roughly the largest change of an element in a step.
    momentum_decay : float
        How fast mu_t comes near to b1.
    decoupled_weight_decay : bool
        Decay as in `AdamW` instead of a penalty in the gradient.
    """

    settings = ("lr", "betas", "eps", "weight_decay", "momentum_decay", "decoupled_weight_decay", "maximize")
    lr: float
    betas: tuple[float, float]
    eps: float
    weight_decay: float
    momentum_decay: float
    decoupled_weight_decay: bool
    maximize: bool

    def __init__(
        self,
        params: Params,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        b1, b2 = betas
        super().__init__(
            params,
            lr=float(lr),
            betas=(float(b1), float(b2)),
            eps=float(eps),
            weight_decay=float(weight_decay),
            momentum_decay=float(momentum_decay),
            decoupled_weight_decay=bool(decoupled_weight_decay),
            maximize=bool(maximize),
        )

    def _remembered(self, settings: Mapping[str, Any]) -> tuple[str, ...]:  # noqa: ARG002
        return ("step", "mu_product", "exp_avg", "exp_avg_sq")

    def _numbers(self, state: State, group: Group) -> Numbers:
        t, n = counted(state, group)
        b1, b2 = group["betas"]
        lr, decay = group["lr"], group["weight_decay"]
        mu, next_mu = (b1 * (1 - 0.5 * 0.96 ** (k * group["momentum_decay"])) for k in (t, t + 1))
        product = state["mu_product"] = state.get("mu_product", 1.0) * mu
        n |= {"unbiased": 1 / math.sqrt(1 - b2**t), "eps": group["eps"]}
        n |= {"of g": lr * (1 - mu) / (1 - product), "of m": lr * next_mu / (1 - product * next_mu)}
        if decay:
            n |= {"decay": lr * decay} if group["decoupled_weight_decay"] else {"weight_decay": decay}
        return n

    @staticmethod
    def _rule(p: Array, g: Array, arrays: dict[str, Array], n: Numbers) -> Array:
        g, u = decayed(p, g, n), np.empty_like(p)
        moved(g, arrays, n, u)
        np.sqrt(arrays["exp_avg_sq"], out=u)
        u *= n["unbiased"]
        u += n["eps"]
        ahead = n["of g"] * g
        ahead += n["of m"] * arrays["exp_avg"]
        np.divide(ahead, u, out=u)
        if "decay" in n:
            u += n["decay"] * p
        return u
