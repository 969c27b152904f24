"""RMSprop and Adagrad: steps divided by the root of squared gradients, a running mean of them or their sum."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nn.optim.adam import decayed
from nn.optim.optimizer import Array, Group, Numbers, Optimizer, Params, State

__all__ = ["Adagrad", "RMSprop"]


class RMSprop(Optimizer):
    """RMSprop: Hinton (2012), lecture 6 of Neural Networks for Machine Learning; `centered` is that of Graves (2013).

    For the gradient g of a parameter p: g <- g + weight_decay p; v <- alpha v + (1 - alpha) g^2; with `centered`
    a <- alpha a + (1 - alpha) g and s = v - a^2, else s = v; b <- momentum b + g / (sqrt(s) + eps); p <- p - lr b.

    Parameters
    ----------
    params : iterable of Tensor, or of dict
        What to move, or groups of it.
    lr, alpha, eps, weight_decay, momentum : float
        As above.
    centered : bool
        Divide by an estimate of the standard deviation. Where rounding makes the variance negative, it counts as 0.
    maximize : bool
        Go up.

    Raises
    ------
    ValueError
        If a setting is out of its range.
    """

    settings = ("lr", "alpha", "eps", "weight_decay", "momentum", "centered", "maximize")
    lr: float
    alpha: float
    eps: float
    weight_decay: float
    momentum: float
    centered: bool
    maximize: bool

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            lr=float(lr),
            alpha=float(alpha),
            eps=float(eps),
            weight_decay=float(weight_decay),
            momentum=float(momentum),
            centered=bool(centered),
            maximize=bool(maximize),
        )

    def _remembered(self, settings: Mapping[str, Any]) -> tuple[str, ...]:
        optional = (("grad_avg", settings["centered"]), ("momentum_buffer", settings["momentum"]))
        return ("square_avg", *(name for name, wanted in optional if wanted))

    def _numbers(self, state: State, group: Group) -> Numbers:  # noqa: ARG002
        alpha = group["alpha"]
        n = {"lr": group["lr"], "alpha": alpha, "1-alpha": 1 - alpha, "eps": group["eps"]}
        return n | {name: group[name] for name in ("weight_decay", "momentum") if group[name]}

    @staticmethod
    def _rule(p: Array, g: Array, arrays: dict[str, Array], n: Numbers) -> Array:
        g = decayed(p, g, n)
        v = arrays["square_avg"]
        u = np.multiply(g, g, out=np.empty_like(p))
        u *= n["1-alpha"]
        v *= n["alpha"]
        v += u
        if "grad_avg" in arrays:
            mean = arrays["grad_avg"]
            mean *= n["alpha"]
            mean += np.multiply(g, n["1-alpha"], out=u)
            np.multiply(mean, mean, out=u)
            np.maximum(np.subtract(v, u, out=u), 0, out=u)
            np.sqrt(u, out=u)
        else:
            np.sqrt(v, out=u)
        u += n["eps"]
        np.divide(g, u, out=u)
        if "momentum" in n:
            buffer = arrays["momentum_buffer"]
            buffer *= n["momentum"]
            buffer += u
            return np.multiply(buffer, n["lr"], out=u)
        u *= n["lr"]
        return u


class Adagrad(Optimizer):
    """Adagrad: Duchi, Hazan and Singer (2011), https://jmlr.org/papers/v12/duchi11a.html.

    For the gradient g of a parameter p at its step t: g <- g + weight_decay p; s <- s + g^2;
    p <- p - lr / (1 + (t - 1) lr_decay) g / (sqrt(s) + eps).

    Parameters
    ----------
    params : iterable of Tensor, or of dict
        What to move, or groups of it.
    lr, lr_decay, weight_decay, eps : float
        As above.
    initial_accumulator_value : float
        What s is before the first step.
    maximize : bool
        Go up.

    Raises
    ------
    ValueError
        If a setting is out of its range.
    """

    settings = ("lr", "lr_decay", "weight_decay", "initial_accumulator_value", "eps", "maximize")
    lr: float
    lr_decay: float
    weight_decay: float
    initial_accumulator_value: float
    eps: float
    maximize: bool

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            lr=float(lr),
            lr_decay=float(lr_decay),
            weight_decay=float(weight_decay),
            initial_accumulator_value=float(initial_accumulator_value),
            eps=float(eps),
            maximize=bool(maximize),
        )

    def _remembered(self, settings: Mapping[str, Any]) -> tuple[str, ...]:  # noqa: ARG002
        return ("step", "sum")

    def _at_first(self, name: str, group: Group) -> float:  # noqa: ARG002
        return float(group["initial_accumulator_value"])

    def _numbers(self, state: State, group: Group) -> Numbers:
        t = state["step"] = int(state.get("step", 0)) + 1
        n = {"rate": group["lr"] / (1 + (t - 1) * group["lr_decay"]), "eps": group["eps"]}
        return n | ({"weight_decay": group["weight_decay"]} if group["weight_decay"] else {})

    @staticmethod
    def _rule(p: Array, g: Array, arrays: dict[str, Array], n: Numbers) -> Array:
        g = decayed(p, g, n)
        total = arrays["sum"]
        u = np.multiply(g, g, out=np.empty_like(p))
        total += u
        np.sqrt(total, out=u)
        u += n["eps"]
        np.divide(g, u, out=u)
        u *= n["rate"]
        return u
