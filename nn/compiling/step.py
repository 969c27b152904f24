"""`nn.compile_step`: loss, gradients and update of a training step, compiled."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import numpy as np

import autograd_np as ag
from nn.compiling.draws import OtherDrawsError, draw, replaying, states_of
from nn.compiling.plan import Plan, Profile
from nn.module import Module
from nn.module.contents import KEEPS_TENSORS
from nn.optim import LBFGS
from nn.optim.compiled import CompiledUpdate

__all__ = ["CompiledStep", "compile_step"]

_PROBE = np.zeros(1)
"""An argument of the compiled function that is a Tensor while it is traced."""
_NOW: ContextVar[tuple[Plan, Profile]] = ContextVar("nn.compile_step")


class _OtherModelError(ag.CompileError):
    """A model is not what it was when it was looked at."""


class CompiledStep:
    """A training step as compiled code; `nn.compile_step` makes it.

    Attributes
    ----------
    note : str
        Why loss and gradients are computed as the model stands, without compiled code; empty if they are compiled.
    update_note : str
        The same of the optimiser.
    """

    def __init__(self, model: Module, loss: Callable[..., Any], optimiser: Any, backend: str = "auto") -> None:
        self.model = model
        self.loss = loss
        self.optimiser = optimiser
        self.backend = backend
        self.note = ""
        self._update = CompiledUpdate(optimiser, backend)
        self._compiled: Any = None
        self._plan: Plan | None = None

    def __call__(self, *batch: Any) -> Any:
        """Take a step on a batch: the inputs, and the target last; return the loss before it."""
        if isinstance(self.optimiser, LBFGS):
            return self.optimiser.step(lambda: self.gradients(*batch))
        value = self.gradients(*batch)
        self.update()
        return value

    def update(self) -> None:
        """Move the parameters by their gradients, as the optimiser's `step` does."""
        if self._update.optimiser is not self.optimiser:
            self._update = CompiledUpdate(self.optimiser, self.backend)
        self._update.step()

    def gradients(self, *batch: Any) -> Any:
        """Compute the loss and give every parameter its gradient; return the loss."""
        if self.note:
            return self._as_it_stands(*batch)
        given = [_array(x) for x in batch]
        for last in (False, True):
            plan = self._planned()
            if plan.has_hooks():  # what they do besides computing, compiled code would not do
                return self._as_it_stands(*batch)
            profile = plan.profile(given)
            try:
                return self._computed(plan, profile, given)
            except Exception as error:  # noqa: BLE001 (the model's own is raised again by the model)
                if isinstance(error, (OtherDrawsError, _OtherModelError)) and not last:
                    self._plan = None
                    continue
                return self._without(error, batch)
        raise AssertionError

    def _without(self, error: Exception, batch: tuple[Any, ...]) -> Any:
        """Compute as it stands, from now on, if that does not raise."""
        value = self._as_it_stands(*batch)
        self.note = str(error)
        warnings.warn(f"{type(self.model).__name__} is trained without compiled code: {error}", ag.CompileWarning, stacklevel=4)
        return value

    def _planned(self) -> Plan:
        """Return what is trained, as long as that is so; code is written for it."""
        if self._plan is None or not self._plan.holds(self.model, self.loss, self.optimiser):
            self._plan = Plan(self.model, self.loss, self.optimiser)
            step = _gradients_of(self.model, self.loss, self._plan.trained)
            self._compiled = ag.compile(step, reuse_outputs=True, backend=self.backend)
        return self._plan

    @property
    def update_note(self) -> str:
        """Why the optimiser's step is its own, if it is."""
        return self._update.note

    @property
    def source(self) -> str:
        """The code of the last batch."""
        if self._compiled is None:
            raise ag.CompileError("no step has been taken yet: the code is written at the first")
        text: str = self._compiled.source
        return text

    def _computed(self, plan: Plan, profile: Profile, batch: list[Any]) -> Any:
        before = states_of(plan.generators) if profile.calls else ()
        token = _NOW.set((plan, profile))
        try:
            value, found = self._compiled(_PROBE, draw(profile.calls), *batch)
        except BaseException:
            plan.put_back()
            for bits, state in before:
                bits.state = state
            raise
        finally:
            _NOW.reset(token)
        plan.forget()
        self.optimiser.zero_grad()
        for p, g, is_moved in zip(plan.trained, found, plan.moved, strict=True):
            if is_moved:
                p.grad = g
            elif g is not None:  # nobody forgets it, and it adds up
                p.grad = np.array(g) if p.grad is None else p.grad + g
        return value if np.ndim(value) == 0 and isinstance(value, np.generic) else np.array(value)[()]

    def _as_it_stands(self, *batch: Any) -> Any:
        *inputs, target = batch
        self.optimiser.zero_grad()
        loss = self.loss(self.model(*inputs), target)
        loss.backward()
        return loss.data


def _array(x: Any) -> Any:
    """Return what is given of a batch: arrays of NumPy's own, also of those that lie in files."""
    return x.data if isinstance(x, ag.Tensor) else np.asarray(x) if isinstance(x, np.memmap) else x


def _gradients_of(model: Module, loss: Callable[..., Any], trained: list[Any]) -> Callable[..., Any]:
    """Return the function of draws and a batch that gives the loss and the gradients: model and loss run as they stand, on variables."""

    def step(probe: Any, drawn: list[Any], *batch: Any) -> Any:
        plan, profile = _NOW.get()
        *inputs, target = batch
        name = type(model).__name__
        if not plan.is_of_these():
            raise _OtherModelError(f"{name} has other Modules in each call")
        is_traced = isinstance(probe, ag.Tensor)
        if not is_traced:
            plan.remember()
        kept = plan.kept() if is_traced else []
        own = [t for _, _, tensors in kept for t in tensors]
        generators, left = replaying(plan.generators, profile.calls, drawn)
        token = KEEPS_TENSORS.set(is_traced)
        try:
            with plan.drawing(generators):
                value, found = ag.value_and_grad(lambda: loss(model(*inputs), target), wrt=[*trained, *own])()
        finally:
            KEEPS_TENSORS.reset(token)
        if next(left, None) is not None:
            raise OtherDrawsError(f"{name} draws fewer random numbers than before")
        if not plan.has_these():
            raise _OtherModelError(f"{name} has other parameters in each call")
        plan.refuse_history(kept, [g is not None for g in found[len(trained) :]])
        found = found[: len(trained)]
        if all(g is None for g in found):
            raise ag.DifferentiationError(f"the loss of {name} depends on no parameter")
        if not is_traced:
            if isinstance(value, ag.Tensor) and value.requires_grad:
                raise ag.CompileError(
                    f"the loss of {name} depends on a Tensor that requires a gradient and is no parameter of the model, the optimiser or "
                    f"the loss, or that was computed from one before"
                )
            plan.settle()
        return value, found

    return step


def compile_step(model: Module, loss: Callable[..., Any], optimiser: Any, *, backend: str = "auto") -> CompiledStep:
    """Return a training step as compiled code.

    Parameters
    ----------
    model : Module
    loss : callable
        Takes what the model returns, and the target.
    optimiser : optimiser of `nn.optim`
        Of the model's parameters.
    backend : str
        As of `autograd_np.compile`. Which is faster is measured by ``"auto"``, and they add up in another order: ``"numpy"`` gives the same
        numbers bit for bit in each run.

    Returns
    -------
    CompiledStep
        ``step(*inputs, target)`` returns the loss and moves the parameters, as ``loss.backward()`` and ``optimiser.step()`` do; running
        statistics follow, and what layers draw from their generators is drawn as without it. Settings of the optimiser may change from step
        to step, by a scheduler or by hand, and its state is the same. The gradients that it leaves in ``.grad`` lie in memory that the next
        step overwrites; ``step.gradients(*inputs, target)`` and ``step.update()`` are its halves, between which gradients may be changed.
        A model that cannot be compiled is trained as it stands, with a warning; and so is one with hooks, as long as it has them.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> model = nn.Linear(2, 1, rng=0)
    >>> step = nn.compile_step(model, nn.MSELoss(), nn.SGD(model.parameters(), lr=0.01))
    >>> x, y = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0], [2.0]])
    >>> losses = [float(step(x, y)) for _ in range(3)]
    >>> losses[0] > losses[1] > losses[2]
    True
    """
    return CompiledStep(model, loss, optimiser, backend)
