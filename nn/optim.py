"""Optimisers with PyTorch's names and defaults.

Their state is a flat dict of arrays, so `nn.save` and `nn.load` keep it like a model's.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import numpy as np

import autograd_np as ag
from nn.errors import StateDictError
from nn.state import array_of, fitted

__all__ = ["SGD", "Adam", "AdamW", "Optimizer"]

Array = Any
State = dict[str, Any]


class Optimizer:
    """Base of optimisers: `step` takes from every parameter what `_update` returns.

    Parameters
    ----------
    params : iterable of Tensor
        Leaves that require a gradient, as ``model.parameters()`` gives.
    **settings
        Learning rate and the like; attributes of the same names, free to be changed between steps.

    Attributes
    ----------
    params : list of Tensor
    state : list of dict
        What is remembered of each parameter from step to step.
    """

    settings: ClassVar[tuple[str, ...]] = ()
    remembers: ClassVar[tuple[str, ...]] = ()

    def __init__(self, params: Iterable[ag.Tensor], **settings: Any) -> None:
        if isinstance(params, ag.Tensor):
            raise TypeError("params must be an iterable of Parameters, got one Tensor; pass [tensor] or model.parameters()")
        self.params = list(params)
        if not self.params:
            raise ValueError("the optimiser got no parameters; a generator such as model.parameters() can be used only once")
        for p in self.params:
            if not isinstance(p, ag.Tensor) or not p.is_leaf:
                raise TypeError(f"parameters must be leaves (nn.Parameter, or Tensor with requires_grad=True), got {p!r:.80}")
            if p.dtype.kind == "c":
                raise TypeError(
                    f"parameters must be real, got {p.dtype}: make real and imaginary part two parameters, and x + 1j * y of them"
                )
        if len({id(p) for p in self.params}) != len(self.params):
            raise ValueError("a parameter was given twice, so each step would move it twice")
        self._check(settings)
        vars(self).update(settings)
        self.state: list[State] = [{} for _ in self.params]

    @staticmethod
    def _check(settings: Mapping[str, Any]) -> None:
        for name, value in settings.items():
            if name in ("lr", "weight_decay", "momentum", "eps") and not (value >= 0 and math.isfinite(value)):
                raise ValueError(f"{name}={value} must be at least 0")
        for beta in settings.get("betas", ()):
            if not 0 <= beta < 1:
                raise ValueError(f"betas={tuple(settings['betas'])} must be at least 0 and less than 1")
        if settings.get("nesterov") and (settings["momentum"] <= 0 or settings["dampening"] != 0):
            raise ValueError("nesterov needs momentum > 0 and dampening = 0")

    def _update(self, p: Array, g: Array, state: State) -> Array:
        """Return what to subtract from the values `p` whose gradient is `g`."""
        raise NotImplementedError

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for p in self.params:
            p.grad = None

    def step(self) -> None:
        """Move every parameter that has a gradient.

        Raises
        ------
        autograd_np.DifferentiationError
            If none has one.
        """
        if all(p.grad is None for p in self.params):
            raise ag.DifferentiationError("step(): no parameter has a gradient; call loss.backward() first, after zero_grad()")
        with ag.no_grad():
            for p, state in zip(self.params, self.state, strict=True):
                g = p.grad
                if g is not None:
                    p -= self._update(p.data, g, state)

    def state_dict(self) -> dict[str, Any]:
        """Return copies of the settings and of what is remembered, as a flat dict of arrays: ``exp_avg.0`` and so on."""
        kept = {f"{name}.{i}": array_of(value) for i, state in enumerate(self.state) for name, value in state.items()}
        return {name: array_of(getattr(self, name)) for name in self.settings} | kept

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from a state; all of it, or none if anything does not fit.

        Raises
        ------
        StateDictError
            Naming everything that does not fit; the optimiser is as it was.
        """
        expected: dict[str, Any] = {name: array_of(getattr(self, name)) for name in self.settings}
        for i, p in enumerate(self.params):
            names = [f"{name}.{i}" for name in self.remembers]
            if any(name in state_dict for name in names):  # else it has not been stepped yet
                expected |= {name: np.zeros(()) if name.startswith("step.") else p for name in names}
        new, _ = fitted(expected, state_dict, f"the state for {type(self).__name__}")
        settings = {name: _like(getattr(self, name), new[name]) for name in self.settings}
        try:
            self._check(settings)
        except ValueError as error:
            raise StateDictError(f"the state for {type(self).__name__} does not fit, and nothing was changed: {error}") from error
        vars(self).update(settings)
        self.state = [{name: new[f"{name}.{i}"] for name in self.remembers if f"{name}.{i}" in new} for i in range(len(self.params))]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)}' for name in self.settings)})"


def _like(old: Any, new: Array) -> Any:
    return tuple(new.tolist()) if isinstance(old, tuple) else type(old)(new)


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
