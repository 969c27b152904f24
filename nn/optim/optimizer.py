"""The base of optimisers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

import numpy as np

import autograd_np as ag
from nn.errors import StateDictError
from nn.state import array_of, fitted

__all__ = ["COUNTS", "Array", "Group", "Numbers", "Optimizer", "Params", "State"]

Array = Any
State = dict[str, Any]
Group = dict[str, Any]
Numbers = dict[str, float]
Params = Iterable[ag.Tensor] | Iterable[Mapping[str, Any]]

_NOT_NEGATIVE = ("lr", "weight_decay", "momentum", "eps", "lr_decay", "initial_accumulator_value", "momentum_decay", "alpha")
COUNTS: dict[str, Any] = {"step": int, "mu_product": float}
"""What is remembered of a parameter and is one number, and the type it has."""


class Optimizer:
    """Base of optimisers: `step` takes from every parameter what `_update` returns.

    One's own overrides `_update`. Those of this package override `_numbers`, which counts the step, and `_rule`, which is NumPy and no
    more, so that it can be compiled.

    Parameters
    ----------
    params : iterable of Tensor, or of dict
        Leaves that require a gradient, as ``model.parameters()`` gives; or groups of them with settings of their own,
        ``[{"params": [...], "lr": 0.1}, ...]``.
    **settings
        Learning rate and the like, of every group that does not say otherwise. While there is one group they are attributes of the
        optimiser, free to be changed between steps.

    Attributes
    ----------
    param_groups : list of dict
        The groups: their parameters under ``"params"``, and every setting. Free to be changed between steps.
    state : list of dict
        What is remembered of each parameter from step to step.
    """

    settings: ClassVar[tuple[str, ...]] = ()
    param_groups: list[Group]
    state: list[State]

    def __init__(self, params: Params, **settings: Any) -> None:
        if isinstance(params, ag.Tensor):
            raise TypeError("params must be an iterable of Parameters, got one Tensor; pass [tensor] or model.parameters()")
        if not isinstance(params, Iterable):
            raise TypeError(f"params must be an iterable of Parameters, got {type(params).__name__}; pass model.parameters()")
        given: list[Any] = list(params)
        if not given:
            raise ValueError("the optimiser got no parameters; a generator such as model.parameters() can be used only once")
        self.defaults = settings
        self.param_groups, self.state = [], []
        for group in given if isinstance(given[0], Mapping) else [{"params": given}]:
            self.add_param_group(group)

    def add_param_group(self, group: Mapping[str, Any]) -> None:
        """Move further parameters from now on.

        Parameters
        ----------
        group : mapping
            ``"params"``, and the settings in which it differs.

        Raises
        ------
        TypeError, ValueError
            If a setting is not one of this optimiser, or out of its range, or a parameter is not a leaf, not real, or known already.

        Examples
        --------
        >>> import nn
        >>> head, body = nn.Linear(2, 1, rng=0), nn.Linear(2, 2, rng=1)
        >>> optimiser = nn.SGD(head.parameters(), lr=0.1)
        >>> optimiser.add_param_group({"params": body.parameters(), "lr": 0.01})
        >>> [group["lr"] for group in optimiser.param_groups]
        [0.1, 0.01]
        """
        if not isinstance(group, Mapping) or "params" not in group:
            raise TypeError(f'a group of parameters is a dict with "params" and settings, got {group!r:.80}')
        unknown = [name for name in group if name not in (*self.settings, "params", "name", "initial_lr")]
        if unknown:
            raise ValueError(f"{type(self).__name__} has no setting {', '.join(map(repr, unknown))}; it has {', '.join(self.settings)}")
        params = [group["params"]] if isinstance(group["params"], ag.Tensor) else list(group["params"])
        if not params:
            raise ValueError("the optimiser got no parameters; a generator such as model.parameters() can be used only once")
        for p in params:
            if not isinstance(p, ag.Tensor) or not p.is_leaf:
                raise TypeError(f"parameters must be leaves (nn.Parameter, or Tensor with requires_grad=True), got {p!r:.80}")
            if p.dtype.kind == "c":
                raise TypeError(
                    f"parameters must be real, got {p.dtype}: make real and imaginary part two parameters, and x + 1j * y of them"
                )
        if len({id(p) for p in [*self.params, *params]}) != len(self.params) + len(params):
            raise ValueError("a parameter was given twice, so each step would move it twice")
        whole = {**self.defaults, **group, "params": params}
        self._check(whole)
        self.param_groups.append(whole)
        self.state += [{} for _ in params]

    @property
    def params(self) -> list[ag.Tensor]:
        """The parameters of all groups, in their order."""
        return [p for group in self.param_groups for p in group["params"]]

    def __getattr__(self, name: str) -> Any:
        if name not in type(self).settings:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)
        return self._only_group(name)[name]

    def __setattr__(self, name: str, value: Any) -> None:
        if name in type(self).settings:
            self._only_group(name)[name] = value
        else:
            super().__setattr__(name, value)

    def _only_group(self, name: str) -> Group:
        if len(self.param_groups) != 1:
            raise AttributeError(
                f"{type(self).__name__} has {len(self.param_groups)} groups, each with its own {name}: optimiser.param_groups[i][{name!r}]",
                name=name,
                obj=self,
            )
        return self.param_groups[0]

    @staticmethod
    def _check(settings: Mapping[str, Any]) -> None:
        for name, value in settings.items():
            if name in _NOT_NEGATIVE and not (value >= 0 and math.isfinite(value)):
                raise ValueError(f"{name}={value} must be at least 0")
        for beta in settings.get("betas", ()):
            if not 0 <= beta < 1:
                raise ValueError(f"betas={tuple(settings['betas'])} must be at least 0 and less than 1")
        if settings.get("nesterov") and (settings["momentum"] <= 0 or settings["dampening"] != 0):
            raise ValueError("nesterov needs momentum > 0 and dampening = 0")

    def _remembered(self, settings: Mapping[str, Any]) -> tuple[str, ...]:  # noqa: ARG002 (subclasses ask it)
        """Return the names of what is remembered of a parameter under these settings."""
        return ()

    def _update(self, p: Array, g: Array, state: State, group: Group) -> Array:
        """Return what to subtract from the values `p` whose gradient is `g`: a new array, since `p` and `g` are not to be written."""
        n = self._numbers(state, group)
        return self._rule(p, g, self._arrays(p, state, group), n)

    @property
    def has_rule(self) -> bool:
        """Whether the update is that of `_rule`, and not one that somebody wrote as `_update`."""
        return type(self)._update is Optimizer._update and type(self)._rule is not Optimizer._rule

    def _arrays(self, p: Array, state: State, group: Group) -> dict[str, Array]:
        """Return the arrays that are remembered of a parameter; at its first step they are made."""
        names = [name for name in self._remembered(group) if name not in COUNTS]
        for name in names:
            if name not in state:
                state[name] = np.full_like(p, self._at_first(name, group))
        return {name: state[name] for name in names}

    def _at_first(self, name: str, group: Group) -> float:  # noqa: ARG002 (subclasses ask them)
        """Return what is remembered before the first step."""
        return 0.0

    def _numbers(self, state: State, group: Group) -> Numbers:
        """Count the step of a parameter, before its arrays are made, and return the numbers of which `_rule` makes the update.

        They may change from step to step, but which there are says what is computed: a number that would change nothing is left out.
        """
        raise NotImplementedError

    @staticmethod
    def _rule(p: Array, g: Array, arrays: dict[str, Array], n: Numbers) -> Array:
        """Return what to subtract, and bring `arrays` up to date, in place; branch on nothing but which arrays and numbers there are."""
        raise NotImplementedError

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for p in self.params:
            p.grad = None

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Move every parameter that has a gradient.

        Parameters
        ----------
        closure : callable, optional
            Called first; computes the loss and the gradients, ``zero_grad()`` included, and returns the loss.

        Returns
        -------
        What the closure returned, or None.

        Raises
        ------
        autograd_np.DifferentiationError
            If no parameter has a gradient.
        """
        loss = None if closure is None else closure()
        if all(p.grad is None for p in self.params):
            raise ag.DifferentiationError("step(): no parameter has a gradient; call loss.backward() first, after zero_grad()")
        states = iter(self.state)
        with ag.no_grad():
            for group in self.param_groups:
                for p in group["params"]:
                    state, g = next(states), p.grad
                    if g is not None:
                        p -= self._update(p.data, -g if group.get("maximize") else g, state, group)
        return loss

    def _named_settings(self) -> dict[str, tuple[Group, str]]:
        """Return the name that each setting has in a state: plain for the only group, else with the number of its group."""
        many = len(self.param_groups) > 1
        groups = enumerate(self.param_groups)
        return {f"groups.{i}.{name}" if many else name: (group, name) for i, group in groups for name in self.settings}

    def state_dict(self) -> dict[str, Any]:
        """Return copies of the settings and of what is remembered, as a flat dict of arrays: ``lr``, ``exp_avg.0`` and so on.

        With several groups the settings are ``groups.0.lr``, ``groups.1.lr``; parameters are numbered through all groups.
        """
        of_groups = [group for group in self.param_groups for _ in group["params"]]
        kept = {
            f"{name}.{i}": array_of(state[name])
            for i, (group, state) in enumerate(zip(of_groups, self.state, strict=True))
            for name in self._remembered(group)
            if name in state
        }
        return {key: array_of(group[name]) for key, (group, name) in self._named_settings().items()} | kept

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from a state; all of it, or none if anything does not fit.

        Raises
        ------
        StateDictError
            Naming everything that does not fit; the optimiser is as it was.
        """
        named = self._named_settings()
        what = f"the state for {type(self).__name__}"
        expected: dict[str, Any] = {key: array_of(group[name]) for key, (group, name) in named.items()}
        chosen = {k: v for k, v in state_dict.items() if k in expected} if isinstance(state_dict, Mapping) else state_dict
        known, _ = fitted(expected, chosen, what)
        groups = [{**group} for group in self.param_groups]
        for group in groups:
            group.update({name: _like(own[name], known[key]) for key, (own, name) in named.items() if own["params"] is group["params"]})
        try:
            for group in groups:
                self._check(group)
        except ValueError as error:
            raise StateDictError(f"{what} does not fit, and nothing was changed: {error}") from error
        numbered = list(enumerate((p, group) for group in groups for p in group["params"]))
        for i, (p, group) in numbered:
            names = [f"{name}.{i}" for name in self._remembered(group)]
            if any(name in state_dict for name in names):  # else it has not been stepped yet
                expected |= {name: np.zeros(()) if name.partition(".")[0] in COUNTS else p for name in names}
        new, _ = fitted(expected, state_dict, what)
        for own, group in zip(self.param_groups, groups, strict=True):
            own.update(group)
        self.state = [
            {name: COUNTS.get(name, np.asarray)(new[f"{name}.{i}"]) for name in self._remembered(group) if f"{name}.{i}" in new}
            for i, (_, group) in numbered
        ]

    def __repr__(self) -> str:
        told = [", ".join(f"{name}={group[name]}" for name in self.settings) for group in self.param_groups]
        return f"{type(self).__name__}({told[0] if len(told) == 1 else '; '.join(f'group {i}: {t}' for i, t in enumerate(told))})"


def _like(old: Any, new: Array) -> Any:
    return tuple(new.tolist()) if isinstance(old, tuple) else type(old)(new)
