"""What of a model is trained, and what a step of it needs besides; looked up once, and held against the model at each step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

import autograd_np as ag
from nn.compiling.draws import Call, recording, states_of
from nn.module import Module
from nn.module.contents import Slot
from nn.module.functional import with_values
from nn.parameter import Parameter

__all__ = ["Plan", "Profile"]


class Profile(NamedTuple):
    """What a step on batches of one shape does besides computing: the calls of generators, and which parameters it does not depend on."""

    calls: list[Call]
    unused: frozenset[str]


class Plan:
    """The parameters of a model that are trained, by one path each, its buffers and its generators.

    Attributes
    ----------
    paths : tuple of str
        Of everything that the model has.
    trained : dict of (str, Parameter)
    slots : dict of (str, Slot)
    generators : dict
        By the Module and the name of the attribute.
    profiles : dict
        For batches of each shape.
    """

    def __init__(self, model: Module) -> None:
        self.slots: dict[str, Slot] = dict(model.slots())
        self.paths = tuple(self.slots)
        self.trained: dict[str, Any] = {}
        for path, s in self.slots.items():
            if s.module is None and s.value.requires_grad and not any(s.value is p for p in self.trained.values()):
                self.trained[path] = s.value
        self.modules = list(model.modules())
        self.generators = {(id(m), name): x for m in self.modules for name, x in vars(m).items() if isinstance(x, np.random.Generator)}
        self.profiles: dict[Any, Profile] = {}
        self._all = [s.value for s in self.slots.values() if s.module is None]
        self._wanted = [p.requires_grad for p in self._all]
        self._places = [(vars(m), name, x) for m in self.modules for name, x in vars(m).items() if isinstance(x, Parameter)]
        placed = {id(p) for _, _, p in self._places}
        self._is_known = all(id(p) in placed for p in self._all)

    def holds(self) -> bool:
        """Whether the parameters are still these; what else may have changed is found when the step is traced anew."""
        return (
            self._is_known
            and all(own.get(name) is p for own, name, p in self._places)
            and [p.requires_grad for p in self._all] == self._wanted
        )

    def has_hooks(self) -> bool:
        """Whether somebody is told of calls of a Module."""
        return any(m._hooks is not None for m in self.modules)

    def profile(self, model: Module, loss: Callable[..., Any], batch: Sequence[Any]) -> Profile:
        """Return what a step on such a batch does; the first time the model runs as it stands, and is as it was afterwards."""
        key = (
            tuple([(x.shape, x.dtype) if isinstance(x, np.ndarray) else type(x) for x in batch]),
            tuple([m.training for m in self.modules]),
        )
        if key not in self.profiles:
            self.profiles[key] = self._profiled(model, loss, batch)
        return self.profiles[key]

    def _profiled(self, model: Module, loss: Callable[..., Any], batch: Sequence[Any]) -> Profile:
        before, calls = states_of(self.generators), list[Call]()
        *inputs, target = batch
        try:
            leaves = {path: ag.Tensor(p.data, requires_grad=True) for path, p in self.trained.items()}
            places = {self.slots[path].identity: x for path, x in leaves.items()}
            out = loss(with_values(model, places | recording(self.generators, calls), {})(*inputs), target)
            out.backward()
        finally:
            for bits, state in before:
                bits.state = state
        return Profile(calls, frozenset(path for path, x in leaves.items() if x.grad is None))
