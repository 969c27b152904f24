"""Checkpoints: the whole state of a training in one safetensors file, which is replaced as a whole."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

import autograd_np as ag
from nn.errors import StateDictError
from nn.io import load, save
from nn.module import Module
from nn.training import generators
from nn.training.core import Callback, Training

__all__ = ["INTERRUPTED", "Checkpoint"]

INTERRUPTED = "Ctrl-C"
"""Why a training stopped that a resumption goes on with."""

RUN = "run"
"""The name of the array that holds, as JSON in UTF-8, all that is no array."""


class Checkpoint(Callback):
    """Saves the state of a training.

    The file has the model's arrays as ``model.<path>`` (buffers that are not in its state as ``buffers.<path>``), the
    optimiser's as ``optimiser.<name>``, those of callbacks as ``<class>.<name>``, and as ``run`` the rest: how far it is, the
    history, the place in the data, the states of generators.

    Parameters
    ----------
    path : str or path
        The file; its directory must exist.
    every : int or None
        After so many batches; it always saves after an epoch.
    """

    def __init__(self, path: str | os.PathLike[str], every: int | None) -> None:
        if every is not None and every < 1:
            raise ValueError(f"checkpoint_every={every} must be at least 1, a number of batches")
        if not Path(path).resolve().parent.is_dir():
            raise FileNotFoundError(f"checkpoint={os.fspath(path)}: the directory does not exist; make it first")
        self.path, self.every = Path(path), every

    def on_batch_end(self, training: Training) -> None:
        """Save after every so many batches."""
        if self.every is not None and training.step % self.every == 0:
            self.save(training)

    def on_epoch_end(self, training: Training) -> None:
        """Save after every epoch."""
        self.save(training)

    def save(self, training: Training) -> None:
        """Save."""
        save(_captured(training), self.path)


def restore(training: Training, path: str | os.PathLike[str]) -> None:
    """Put a training into the state of a checkpoint; as a whole, or not at all if anything does not fit.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    StateDictError
        If it is damaged, no checkpoint, or that of another model, optimiser, data or other callbacks.
    """
    arrays = load(path)
    if RUN not in arrays:
        raise StateDictError(
            f"{os.fspath(path)} is no checkpoint of nn.fit: it has no array {RUN!r}. To load a model: nn.load(path, into=model)"
        )
    before = _captured(training)
    try:
        _put_back(training, arrays)
    except (KeyError, TypeError, ValueError) as error:  # StateDictError is a ValueError
        _put_back(training, before)
        raise StateDictError(f"{os.fspath(path)}: {error}") from error


def _captured(training: Training) -> dict[str, Any]:
    run: dict[str, Any] = {name: getattr(training, name) for name in ("epoch", "step", "total", "samples")}
    run["stopped"] = "" if training.stopped == INTERRUPTED else training.stopped
    run["history"] = training.history.epochs
    run["loader"] = training.loader.state_dict()
    run["generators"] = generators.states(training.model)
    run["states"] = {}
    arrays: dict[str, Any] = {}
    for name, owner in _owners(training).items():
        state = owner.state_dict()
        run["states"][name] = {key: value for key, value in state.items() if not _is_array(value)}
        arrays |= {f"{name}.{key}": value for key, value in state.items() if _is_array(value)}
    return {RUN: np.frombuffer(json.dumps(run, default=_plain).encode(), np.uint8)} | arrays


def _put_back(training: Training, arrays: Mapping[str, Any]) -> None:
    run = json.loads(bytes(arrays[RUN]))
    owners = _owners(training)
    if set(run["states"]) != set(owners):
        raise StateDictError(f"the checkpoint has the states of {', '.join(run['states'])}; this training has {', '.join(owners)}")
    for name, owner in owners.items():
        own = {key.removeprefix(f"{name}."): value for key, value in arrays.items() if key.startswith(f"{name}.")}
        owner.load_state_dict(run["states"][name] | own)
    generators.restore(training.model, run["generators"])
    training.loader.load_state_dict(run["loader"])
    training.history.epochs[:] = run["history"]
    for name in ("epoch", "step", "total", "samples", "stopped"):
        setattr(training, name, run[name])


def _owners(training: Training) -> dict[str, Any]:
    """Return name -> what has a state: model, optimiser, and the callbacks that remember something."""
    owners: dict[str, Any] = {"model": training.model, "buffers": _Buffers(training.model), "optimiser": training.optimiser}
    for callback in training.callbacks:
        if type(callback).state_dict is not Callback.state_dict:
            name = type(callback).__name__
            owners[name if name not in owners else f"{name}_{sum(n.startswith(name) for n in owners) + 1}"] = callback
    return owners


class _Buffers:
    """The buffers that are not in the model's own state: a resumption needs them all the same."""

    def __init__(self, model: Module) -> None:
        self.model = model

    def state_dict(self) -> dict[str, Any]:
        kept = self.model.state_dict()
        return {path: buffer.copy() for path, buffer in self.model.named_buffers() if path not in kept}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        modules = dict(self.model.named_modules())
        for path, value in state_dict.items():
            module, _, name = path.rpartition(".")
            setattr(modules[module], name, np.array(value))


def _plain(value: Any) -> Any:
    """Return the numbers of NumPy that a callback put into the logs, as JSON has them."""
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    raise TypeError(f"logs and states of callbacks may hold numbers, strings, lists, dicts and arrays, got a {type(value).__name__}")


def _is_array(value: Any) -> bool:
    return isinstance(value, (np.ndarray, np.generic, ag.Tensor))
