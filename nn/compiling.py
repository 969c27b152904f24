"""Training steps of a model as straight NumPy."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

import autograd_np as ag
from nn.module import Module
from nn.module.functional import with_values

__all__ = ["CompiledStep", "compile_step"]


class CompiledStep:
    """A training step whose loss and gradients are computed by compiled code; `nn.compile_step` makes it.

    Attributes
    ----------
    note : str
        Why the model is trained as it stands, without compiled code; empty if it is compiled.
    """

    def __init__(self, model: Module, loss: Callable[..., Any], optimiser: Any) -> None:
        self.model = model
        self.loss = loss
        self.optimiser = optimiser
        self.note = ""
        self._compiled = ag.compile(_gradients_of(model, loss), reuse_outputs=True)

    def __call__(self, *batch: Any) -> Any:
        """Take a step on a batch: the inputs, and the target last; return the loss before it."""
        value = self.gradients(*batch)
        self.optimiser.step()
        return value

    def gradients(self, *batch: Any) -> Any:
        """Compute the loss and give every parameter its gradient; return the loss."""
        if self.note:
            return self._as_it_stands(*batch)
        slots = dict(self.model.slots())
        values = {path: s.value.data for path, s in slots.items() if s.module is None and s.value.requires_grad}
        try:
            (value, buffers), found = self._compiled(values, *map(_array, batch))
        except ag.AutogradError as error:
            self.note = str(error)
            warnings.warn(f"{type(self.model).__name__} is trained without compiled code: {error}", ag.CompileWarning, stacklevel=3)
            return self._as_it_stands(*batch)
        for path, new in buffers.items():
            setattr(slots[path].module, slots[path].name, np.array(new))
        for path, gradient in found.items():
            slots[path].value.grad = gradient
        return value if np.ndim(value) == 0 and isinstance(value, np.generic) else np.array(value)[()]

    @property
    def source(self) -> str:
        """The code of the last batch."""
        text: str = self._compiled.source
        return text

    def _as_it_stands(self, *batch: Any) -> Any:
        *inputs, target = batch
        self.optimiser.zero_grad()
        loss = self.loss(self.model(*inputs), target)
        loss.backward()
        return loss.data


def _array(x: Any) -> Any:
    return x.data if isinstance(x, ag.Tensor) else x


def _gradients_of(model: Module, loss: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function of the parameters and a batch that gives the loss, what buffers become, and the gradients."""

    def step(values: dict[str, Any], *batch: Any) -> Any:
        *inputs, target = batch

        def of_values(values: dict[str, Any]) -> Any:
            own = dict(model.slots())
            called = with_values(model, {own[path].identity: x for path, x in values.items()}, {})
            out = loss(called(*inputs), target)
            state = {path: s.value for path, s in called.slots() if s.module is not None and s.value is not own[path].value}
            return out, state

        (value, state), found = ag.value_and_grad(of_values, has_aux=True)(values)
        return (value, state), found

    return step


def compile_step(model: Module, loss: Callable[..., Any], optimiser: Any) -> CompiledStep:
    """Return a training step whose loss and gradients are compiled.

    Parameters
    ----------
    model : Module
    loss : callable
        Takes what the model returns, and the target.
    optimiser : optimiser of `nn.optim`
        Of the model's parameters.

    Returns
    -------
    CompiledStep
        ``step(*inputs, target)`` returns the loss and moves the parameters, as ``loss.backward()`` and ``optimiser.step()`` do; running
        statistics follow. The gradients that it leaves in ``.grad`` lie in memory that the next step overwrites. A model that cannot be
        compiled, as one that draws random numbers, is trained as it stands, with a warning.

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
    return CompiledStep(model, loss, optimiser)
