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
from nn.module.functional import with_values
from nn.optim import LBFGS
from nn.optim.compiled import CompiledUpdate

__all__ = ["CompiledStep", "compile_step"]

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
        of_model = {id(p) for p in model.parameters()}
        own = [name for name, p in loss.named_parameters() if p.requires_grad and id(p) not in of_model] if isinstance(loss, Module) else []
        self.note = f"the loss has parameters of its own: {', '.join(own)}" if own else ""
        self._update = CompiledUpdate(optimiser, backend)
        self._compiled = ag.compile(_gradients_of(model, loss), reuse_outputs=True, backend=backend)
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
        self._update.step()

    def gradients(self, *batch: Any) -> Any:
        """Compute the loss and give every parameter its gradient; return the loss."""
        if self.note:
            return self._as_it_stands(*batch)
        given = [_array(x) for x in batch]
        for last in (False, True):
            if self._plan is None or not self._plan.holds():
                self._plan = Plan(self.model)
            if self._plan.has_hooks():  # what they do besides computing, compiled code would not do
                return self._as_it_stands(*batch)
            profile = self._plan.profile(self.model, self.loss, given)  # what the model raises, it raises here
            try:
                return self._computed(self._plan, profile, given)
            except ag.AutogradError as error:
                if isinstance(error, (OtherDrawsError, _OtherModelError)) and not last:
                    self._plan = None
                    continue
                self.note = str(error)
                warnings.warn(f"{type(self.model).__name__} is trained without compiled code: {error}", ag.CompileWarning, stacklevel=3)
                break
        return self._as_it_stands(*batch)

    @property
    def update_note(self) -> str:
        """Why the optimiser's step is its own, if it is."""
        return self._update.note

    @property
    def source(self) -> str:
        """The code of the last batch."""
        text: str = self._compiled.source
        return text

    def _computed(self, plan: Plan, profile: Profile, batch: list[Any]) -> Any:
        before = states_of(plan.generators) if profile.calls else ()
        token = _NOW.set((plan, profile))
        try:
            values = {path: p.data for path, p in plan.trained.items()}
            (value, buffers), found = self._compiled(values, draw(profile.calls), *batch)
        except BaseException:
            for bits, state in before:
                bits.state = state
            raise
        finally:
            _NOW.reset(token)
        for path, new in buffers.items():
            setattr(plan.slots[path].module, plan.slots[path].name, np.array(new))
        for path, p in plan.trained.items():
            p.grad = None if path in profile.unused else found[path]
        return value if np.ndim(value) == 0 and isinstance(value, np.generic) else np.array(value)[()]

    def _as_it_stands(self, *batch: Any) -> Any:
        *inputs, target = batch
        self.model.zero_grad()
        self.optimiser.zero_grad()
        loss = self.loss(self.model(*inputs), target)
        loss.backward()
        return loss.data


def _array(x: Any) -> Any:
    """Return what is given of a batch: arrays of NumPy's own, also of those that lie in files."""
    return x.data if isinstance(x, ag.Tensor) else np.asarray(x) if isinstance(x, np.memmap) else x


def _gradients_of(model: Module, loss: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function of the parameters, draws and a batch that gives the loss, what buffers become, and the gradients."""

    def step(values: dict[str, Any], drawn: list[Any], *batch: Any) -> Any:
        plan, profile = _NOW.get()
        *inputs, target = batch
        own = dict(model.slots())
        same = tuple(own) == plan.paths and all(own[path].value is p for path, p in plan.trained.items())
        if not same or list(map(id, model.modules())) != list(map(id, plan.modules)):
            raise _OtherModelError(f"{type(model).__name__} has other parameters in each call")

        def of_values(values: dict[str, Any]) -> Any:
            replacement = {own[path].identity: x for path, x in values.items()}
            generators, left = replaying(plan.generators, profile.calls, drawn)
            called = with_values(model, replacement | generators, {})
            out = loss(called(*inputs), target)
            if next(left, None) is not None:
                raise OtherDrawsError(f"{type(model).__name__} draws fewer random numbers than before")
            state = {path: s.value for path, s in called.slots() if s.module is not None and s.value is not own[path].value}
            return out, state

        (value, state), found = ag.value_and_grad(of_values, has_aux=True)(values)
        plain = {path for path, g in found.items() if not isinstance(g, ag.Tensor)}
        if len(plain) < len(found) and plain - profile.unused:  # while it is traced, what does not depend on the data is no Tensor
            raise _OtherModelError(f"the loss of {type(model).__name__} depends on other parameters in each call")
        return (value, state), found

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
