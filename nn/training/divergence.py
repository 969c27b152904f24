"""Losses and gradients that are not finite: found in the batch they come up in, and named with the layer that made them."""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import autograd_np as ag
from nn.errors import DivergenceError, DivergenceWarning
from nn.module import Module
from nn.training import generators
from nn.training.core import Callback, Training

__all__ = ["Watch"]

RISE = 10.0
"""So many times the loss of the first epoch is worth a word."""


class Watch(Callback):
    """Ends a training before a step that would make parameters NaN or infinite."""

    def __init__(self) -> None:
        self.before: dict[str, Any] = {}
        self.drawing = False
        self.told = False
        self.parameters: list[ag.Tensor] = []

    def on_epoch_start(self, training: Training) -> None:
        """Note what to look at; layers may have been changed between epochs."""
        self.parameters = list(training.model.parameters())
        self.drawing = bool(generators.find(training.model))

    def on_batch_start(self, training: Training) -> None:
        """Note what layers are about to draw, so that the batch can be run again."""
        if self.drawing:
            self.before = generators.states(training.model)

    def on_backward_end(self, training: Training) -> None:
        """Look at the loss and the gradients."""
        if not (math.isfinite(training.batch_loss) and all(p.grad is None or _finite(p.grad) for p in self.parameters)):
            raise _explained(training, self.before)

    def on_epoch_end(self, training: Training) -> None:
        """Say once that the loss rises instead of falling."""
        first, last = training.history.epochs[0]["loss"], training.logs["loss"]
        if last > RISE * first > 0 and not self.told:
            self.told = True
            message = f"the loss of epoch {training.epoch} is {last:.4g}, that of the first epoch {first:.4g}: the training diverges"
            warnings.warn(f"{message}. {_advice(training)}", DivergenceWarning, stacklevel=5)  # the call of fit


def _finite(a: Any) -> bool:
    """Whether all elements are finite; one product tells for nearly all arrays, and takes less time than looking at each."""
    flat = a.ravel(order="K")
    return math.isfinite(np.dot(flat, flat)) or bool(np.isfinite(a).all())


# --- where it comes from --------------------------------------------------------------------------


class _Call(NamedTuple):
    path: str
    module: Module
    fine_input: bool
    output: str


def _explained(training: Training, before: dict[str, Any]) -> DivergenceError:
    """Run the batch again, on a copy of the model, and return the error that names what came up first."""
    in_gradients = math.isfinite(training.batch_loss)
    what = "a gradient is not finite" if in_gradients else f"the loss is {training.batch_loss}"
    where = f"in batch {training.loader.position} of epoch {training.epoch + 1}"
    path, cause = _cause(training, before)
    return DivergenceError(f"{what} {where}: {cause}. The parameters are those before this batch", path)


def _cause(training: Training, before: dict[str, Any]) -> tuple[str | None, str]:
    *inputs, target = training.batch
    for i, a in enumerate(training.batch):
        if _wrong(a):
            part = "the target" if i == len(inputs) else f"input {i}"
            return None, f"the data hold {_wrong(a)} in {part}; fill it in, or leave those samples out"
    for path, p in training.model.named_parameters():
        if _wrong(p):
            advice = _advice(training)
            return path.rpartition(".")[0], f"the parameter {path} holds {_wrong(p)}, since the last step or from the start. {advice}"
    model = _copied(training, before)
    calls: list[_Call] = []
    for path, module in model.named_modules():
        vars(module)["forward"] = _watched(path, module, module.forward, calls)
    loss = training.loss(model(*inputs), target)
    ending = f"{_operation(training, before)}. {_advice(training)}"
    for call in calls:
        if call.output and call.fine_input:
            return call.path, f"{call.output} came up first in the output of {_called(call)}{ending}"
        if call.output:  # from finite outputs of what was called before: its caller made it
            caller = next(c for c in calls[calls.index(call) + 1 :] if c.path == "" or call.path.startswith(f"{c.path}."))
            return caller.path, f"{call.output} came up first in the code of {_called(caller)}, which handed it to {_called(call)}{ending}"
    if not math.isfinite(loss.item()):
        return None, f"the outputs of all layers are finite, and {_name(training.loss)} made it of the last one{ending}"
    loss.backward()
    for call in reversed(calls):
        inside = {id(p) for child in call.module.children() for p in child.parameters()}
        for name, p in call.module.named_parameters():
            if id(p) not in inside and p.grad is not None and _wrong(p.grad):
                return (
                    call.path,
                    f"{_wrong(p.grad)} came up first in the gradient of {name} of {_called(call)}, going back from the loss{ending}",
                )
    return None, f"it did not come up again when the batch was run once more{ending}"


def _operation(training: Training, before: dict[str, Any]) -> str:
    """Return which operation made the first NaN, with its line, or nothing if none did (but an overflow)."""
    *inputs, target = training.batch
    try:
        with ag.detect_anomaly():
            loss = training.loss(_copied(training, before)(*inputs), target)
            if math.isfinite(training.batch_loss):
                loss.backward()
    except ag.AnomalyError as error:
        return f" ({error})"
    return ""


def _copied(training: Training, before: dict[str, Any]) -> Module:
    model = copy.deepcopy(training.model)
    model.zero_grad()
    if before:
        generators.restore(model, before)
    return model


def _watched(path: str, module: Module, forward: Callable[..., Any], calls: list[_Call]) -> Callable[..., Any]:
    """Return `forward`, which notes what came out; a layer inside another one is noted before it."""

    def watched(*args: Any, **kwargs: Any) -> Any:
        output = forward(*args, **kwargs)
        calls.append(_Call(path, module, not _wrong((args, tuple(kwargs.values()))), _wrong(output)))
        return output

    return watched


def _wrong(value: Any) -> str:
    """Return "nan" or "inf" if that is in an array, or in one of a container of them."""
    if isinstance(value, dict):
        return _wrong(tuple(value.values()))
    if isinstance(value, (tuple, list)):
        return next(filter(None, map(_wrong, value)), "")
    data = value.data if isinstance(value, ag.Tensor) else value
    if not isinstance(data, (np.ndarray, np.generic)) or data.dtype.kind not in "fc":
        return ""
    return "nan" if np.isnan(data).any() else "inf" if np.isinf(data).any() else ""


def _called(call: _Call) -> str:
    return f"layer {call.path} ({type(call.module).__name__})" if call.path else type(call.module).__name__


def _name(function: Any) -> str:
    return getattr(function, "__name__", type(function).__name__)


def _advice(training: Training) -> str:
    rate = getattr(training.optimiser, "lr", None)
    told = "" if rate is None else f" (it is {rate:g})"
    return f"Take a lower learning rate{told}, or clip the gradients: fit(..., clip_grad_norm=1.0)"
