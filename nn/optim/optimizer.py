"""The base of optimisers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import numpy as np

import autograd_np as ag
from nn.errors import StateDictError
from nn.state import array_of, fitted

__all__ = ["Array", "Optimizer", "State"]

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
