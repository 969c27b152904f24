"""What a step trains, and what it needs besides; looked up once, and held against model, loss and optimiser at each step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

import autograd_np as ag
from nn.compiling.draws import Call, recording, states_of
from nn.module import Module
from nn.module.functional import with_values
from nn.parameter import Parameter

__all__ = ["Plan", "Profile"]


class Profile(NamedTuple):
    """What a step on batches of one shape does besides computing: the calls of generators."""

    calls: list[Call]


class Plan:
    """What is trained: the parameters of the model, of the optimiser, and of a loss that is a Module; and the generators of the Modules.

    Attributes
    ----------
    modules : list of Module
        Those of the model, and of the loss.
    trained : list of Tensor
        Each once.
    moved : list of bool
        Which of them the optimiser moves.
    generators : dict
        By the Module and the name of the attribute.
    profiles : dict
        For batches of each shape.
    """

    def __init__(self, model: Module, loss: Callable[..., Any], optimiser: Any) -> None:
        self.model = model
        self.loss = loss
        self.optimiser = optimiser
        self.modules = self._modules()
        self._all = self._parameters()
        self._wanted = [p.requires_grad for p in self._all]
        self.trained = [p for p in self._all if p.requires_grad]
        own = {id(p) for p in getattr(optimiser, "params", ())}
        self.moved = [id(p) in own for p in self.trained]
        self._of_optimiser = list(map(id, getattr(optimiser, "params", ())))
        self.generators = {(id(m), name): x for m in self.modules for name, x in vars(m).items() if isinstance(x, np.random.Generator)}
        self.profiles: dict[Any, Profile] = {}
        self._places = [(vars(m), name, x) for m in self.modules for name, x in vars(m).items() if isinstance(x, Parameter)]
        placed = {id(p) for _, _, p in self._places}
        self._ids = list(map(id, self._of_modules()))
        self._is_known = placed.issuperset(self._ids)
        self._before: list[tuple[dict[str, Any], dict[str, Any]]] = []

    def _modules(self) -> list[Any]:
        of_loss = self.loss.modules() if isinstance(self.loss, Module) else ()
        return list({id(m): m for m in (*self.model.modules(), *of_loss)}.values())

    def _of_modules(self) -> list[Any]:
        return [*self.model.parameters(), *(self.loss.parameters() if isinstance(self.loss, Module) else ())]

    def _parameters(self) -> list[Any]:
        return list({id(p): p for p in (*self._of_modules(), *getattr(self.optimiser, "params", ()))}.values())

    def holds(self, model: Module, loss: Callable[..., Any], optimiser: Any) -> bool:
        """Whether what is trained is still this; what else may have changed is found when the step is traced anew."""
        return (
            model is self.model
            and loss is self.loss
            and optimiser is self.optimiser
            and self.has_these()
            and list(map(id, getattr(optimiser, "params", ()))) == self._of_optimiser
            and [p.requires_grad for p in self._all] == self._wanted
        )

    def has_these(self) -> bool:
        """Whether the Modules have these parameters."""
        return all(own.get(name) is p for own, name, p in self._places) and (
            self._is_known or list(map(id, self._of_modules())) == self._ids
        )

    def has_hooks(self) -> bool:
        """Whether somebody is told of calls of a Module."""
        return any(m._hooks is not None for m in self.modules)

    def is_of_these(self) -> bool:
        """Whether model and loss consist of the Modules that were found."""
        return list(map(id, self._modules())) == list(map(id, self.modules))

    # --- what Modules have meanwhile

    @contextmanager
    def drawing(self, instead: dict[tuple[int, str], Any]) -> Iterator[None]:
        """Put something else in the place of generators meanwhile."""
        places = [(vars(m), name) for m in self.modules for name in vars(m) if (id(m), name) in instead]
        was = [own[name] for own, name in places]
        by = [instead[id(m), name] for m in self.modules for name in vars(m) if (id(m), name) in instead]
        try:
            for (own, name), x in zip(places, by, strict=True):
                own[name] = x
            yield
        finally:
            for (own, name), x in zip(places, was, strict=True):
                own[name] = x

    def remember(self) -> None:
        """Note what the Modules have, before a run that assigns to them."""
        self._before = [(vars(m), dict(vars(m))) for m in self.modules]

    def forget(self) -> None:
        """Let what was noted go."""
        self._before = []

    def put_back(self) -> None:
        """Give the Modules what was noted."""
        for own, was in self._before:
            own.clear()
            own.update(was)
        self.forget()

    def settle(self) -> None:
        """Make arrays of the Tensors that the Modules were assigned since `remember`."""
        for own, was in self._before:
            own.update({name: settled(x) for name, x in own.items() if x is not was.get(name)})

    def kept(self) -> list[tuple[Any, str, list[Any]]]:
        """Return the attributes that hold arrays of floats, which are Tensors while a step is traced, with these; buffers left out."""
        found = [(m, name, _tensors_in(x)) for m in self.modules for name, x in vars(m).items() if name not in m._buffers]
        return [(m, name, tensors) for m, name, tensors in found if tensors]

    @staticmethod
    def refuse_history(kept: list[tuple[Any, str, list[Any]]], is_read: list[bool]) -> None:
        """Raise if the loss depends on an attribute that is assigned anew and not detached: gradients would flow into earlier steps."""
        read = iter(is_read)
        for m, name, tensors in kept:
            depends = sum(next(read) for _ in tensors) > 0
            now = _tensors_in(vars(m).get(name))
            if depends and any(t.requires_grad and not t.detach().requires_grad for t in now if not any(t is old for old in tensors)):
                raise ag.CompileError(
                    f"{type(m).__name__}.{name} is read from the step before, and a gradient would flow back into that: "
                    f"assign a detached one (x.detach()), or a buffer"
                )

    # --- what is drawn

    def profile(self, batch: Sequence[Any]) -> Profile:
        """Return what a step on such a batch draws; the first time the model runs as it stands, and is as it was afterwards."""
        if not self.generators:
            return Profile([])
        key = (
            tuple([(x.shape, x.dtype) if isinstance(x, np.ndarray) else type(x) for x in batch]),
            tuple([m.training for m in self.modules]),
        )
        if key not in self.profiles:
            self.profiles[key] = self._profiled(batch)
        return self.profiles[key]

    def _profiled(self, batch: Sequence[Any]) -> Profile:
        before, calls = states_of(self.generators), list[Call]()
        *inputs, target = batch
        made: dict[int, Any] = {}
        instead = recording(self.generators, calls)
        try:
            with ag.no_grad():
                with_values(self.loss, instead, made)(with_values(self.model, instead, made)(*inputs), target)
        finally:
            for bits, state in before:
                bits.state = state
        return Profile(calls)


def settled(x: Any) -> Any:
    """Return arrays in the place of Tensors, also in containers; a Parameter stays."""
    if isinstance(x, Parameter):
        return x
    if isinstance(x, ag.Tensor):
        while isinstance(x, ag.Tensor):
            x = x.data
        return x
    if type(x) in (list, tuple):
        return type(x)(map(settled, x))
    return {key: settled(item) for key, item in x.items()} if type(x) is dict else x


def _tensors_in(x: Any) -> list[Any]:
    """Return the Tensors of floats that are no Parameters, also those in containers."""
    if isinstance(x, ag.Tensor):
        return [] if isinstance(x, Parameter) or x.dtype.kind not in "fc" else [x]
    items = x.values() if type(x) is dict else x if type(x) in (list, tuple) else ()
    return [t for item in items for t in _tensors_in(item)]
