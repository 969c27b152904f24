"""fit: the loop with everything that hangs on it."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np

from nn.compiling import compile_step
from nn.data import DataLoader
from nn.errors import TrainingInterrupted
from nn.module import Module
from nn.optim import LBFGS, Optimizer
from nn.training import generators
from nn.training.checkpoint import INTERRUPTED, Checkpoint, restore
from nn.training.core import Callback, Training, loop
from nn.training.divergence import Watch
from nn.training.evaluation import Metrics, Validation
from nn.training.history import History
from nn.training.progress import ProgressBar
from nn.training.steps import Clipping, Scheduling

__all__ = ["fit"]


def fit(
    model: Module,
    data: Any,
    loss: Callable[[Any, Any], Any],
    optimiser: Optimizer,
    epochs: int,
    *,
    batch_size: int = 32,
    validation: Any = None,
    metrics: Metrics = (),
    prediction: Callable[[Any], Any] | None = None,
    callbacks: Iterable[Callback] = (),
    seed: int | None = None,
    scheduler: Any = None,
    scheduler_every: Literal["epoch", "batch"] | None = None,
    clip_grad_norm: float | None = None,
    checkpoint: str | os.PathLike[str] | None = None,
    checkpoint_every: int | None = None,
    resume: bool | str | os.PathLike[str] = False,
    progress: Any = True,
    compile: bool = False,  # noqa: A002 (as PyTorch's functions call it)
) -> History:
    """Train a model; `nn.training.loop` is the loop itself, to be copied where another one is wanted.

    Parameters
    ----------
    model : Module
        Called with the arrays of a batch but the last one.
    data : DataLoader, Dataset, or tuple of arrays (inputs, ..., target)
        What is no DataLoader is shuffled, in batches of `batch_size`.
    loss : callable
        ``loss(output, target)``: a mean over the samples.
    optimiser : Optimizer
        Of the model's parameters.
    epochs : int
        In all, those before a resumption among them.
    batch_size : int, default 32
        Of data and validation that are no DataLoader.
    validation : DataLoader, Dataset or tuple of arrays, optional
        Evaluated after each epoch: ``val_loss``, and the metrics with ``val_`` before their names.
    metrics : iterable of callables, or mapping of names and callables
        ``metric(prediction, target)``, see `nn.metrics`; computed after each epoch on the validation data, or where there
        are none on `data`.
    prediction : callable, optional
        Makes what metrics take of an output; see `evaluate`.
    callbacks : iterable of Callback
        Told in this order, after the validation.
    seed : int, optional
        Of the shuffling, and of every generator in the model (`Dropout`). Of a DataLoader only if it has no seed of its own. With the same
        parameters at the start, the same seed gives the same numbers bit for bit.
    scheduler : optional
        Of the learning rate. One whose `step` takes ``metrics`` gets the validation's loss (or the training's).
    scheduler_every : {"epoch", "batch"}, optional
        After what the scheduler is stepped; if not given, a batch for `OneCycleLR` and an epoch for all others.
    clip_grad_norm : float, optional
        The largest norm of the gradients, taken over all parameters.
    checkpoint : str or path, optional
        A file that gets the state of the whole training after each epoch, and when Ctrl-C ends it. It is replaced as a whole.
    checkpoint_every : int, optional
        Also after so many batches.
    resume : bool, str or path, default False
        True goes on from `checkpoint` if there is such a file, so that the same call starts a training and resumes it; a path goes on from
        that file. What follows is, bit for bit, what would have followed without the interruption.
    progress : bool or rich.console.Console, default True
        A bar on a terminal, or a line an epoch where the standard error stream (or the console) is none. False is silent.
    compile : bool, default False
        Take the steps after the first hundred by compiled code (`nn.compile_step`): the same training to rounding. A model that cannot be
        compiled is trained as it stands, with a warning.

    Returns
    -------
    History

    Raises
    ------
    DivergenceError
        If a loss or gradient is not finite; it names the layer in which that came up. The parameters stay as they were before that batch.
    TrainingInterrupted
        A KeyboardInterrupt, after Ctrl-C: the batch is finished first, and the state saved. A second Ctrl-C does not wait.
    StateDictError
        If a checkpoint does not fit; nothing is changed then.
    TypeError, ValueError
        If an argument is none of these, the data have no batch, or the optimiser would train nothing of the model.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> x = np.linspace(-1, 1, 64)[:, None]
    >>> model = nn.Sequential(nn.Linear(1, 8, rng=0), nn.Tanh(), nn.Linear(8, 1, rng=1))
    >>> optimiser = nn.Adam(model.parameters(), lr=0.01)
    >>> history = nn.fit(model, (x, np.abs(x)), nn.MSELoss(), optimiser, 100, metrics=[nn.metrics.r2], seed=0, progress=False)
    >>> history["r2"][-1] > 0.95
    True
    """
    if not isinstance(optimiser, Optimizer):
        raise TypeError(f"optimiser must be an nn.Optimizer, such as nn.Adam(model.parameters()), got {type(optimiser).__name__}")
    if isinstance(optimiser, LBFGS):
        raise TypeError(
            "fit computes the loss once a step, and LBFGS needs it several times; write the loop down, with optimiser.step(closure)"
        )
    if not isinstance(epochs, (int, np.integer)) or epochs < 1:
        raise ValueError(f"epochs={epochs!r} must be an integer, at least 1")
    callbacks = _demand_kinds(model, loss, callbacks)
    loader = data if isinstance(data, DataLoader) else DataLoader(data, batch_size, shuffle=True)
    if not len(loader):
        raise ValueError(
            f"the data have no batch: {len(loader.dataset)} samples, batch_size={loader.batch_size}, drop_last={loader.drop_last}"
        )
    if seed is not None:
        generators.seed(model, seed)
        loader.seed = seed if loader.seed is None else loader.seed
    told: list[Callback] = [Watch()]
    if clip_grad_norm is not None:
        told.append(Clipping(clip_grad_norm))
    if validation is not None:
        of_validation = validation if isinstance(validation, DataLoader) else DataLoader(validation, batch_size)
        told.append(Validation(of_validation, loss, metrics, "val_", prediction))
    elif metrics:
        told.append(Validation(DataLoader(loader.dataset, loader.batch_size), None, metrics, "", prediction))
    if scheduler is not None:
        told.append(Scheduling(scheduler, scheduler_every))
    told += callbacks
    bar = ProgressBar(None if progress is True else progress) if progress else None
    saving = None if checkpoint is None else Checkpoint(checkpoint, checkpoint_every)
    told += [callback for callback in (bar, saving) if callback is not None]
    compiled = compile_step(model, loss, optimiser, backend="numpy") if compile else None  # bit for bit the same in each run
    training = Training(model=model, loader=loader, loss=loss, optimiser=optimiser, epochs=epochs, callbacks=told, compiled=compiled)
    _resume(training, checkpoint, resume)
    _demand_parameters(model, loss, optimiser, scheduler)
    with bar or contextlib.nullcontext(), _finishing_the_batch(training), np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        training.tell("on_fit_start")
        loop(training)
        if training.stopped and saving is not None:
            saving.save(training)
        if training.stopped == INTERRUPTED:
            raise TrainingInterrupted(_whereabouts(training, saving))
        training.tell("on_fit_end")
    if training.epoch < epochs:
        training.history.stopped = training.stopped
    return training.history


def _demand_kinds(model: Any, loss: Any, callbacks: Any) -> list[Callback]:
    """Return the callbacks, or raise TypeError where an argument is of another kind."""
    if not isinstance(model, Module):
        raise TypeError(f"model must be an nn.Module, got {model!r:.80}; give a function of arrays a Module with it as its forward")
    if isinstance(loss, type) or not callable(loss):
        raise TypeError(f"loss must be a function (output, target), such as nn.MSELoss() with its parentheses, got {loss!r:.80}")
    told = list(callbacks) if isinstance(callbacks, Iterable) else [callbacks]
    for callback in told:
        if not isinstance(callback, Callback) or callbacks is callback:
            raise TypeError(f"callbacks must be a list of nn.Callback, such as [nn.EarlyStopping()], got {callback!r:.80}")
    return told


def _demand_parameters(model: Module, loss: Any, optimiser: Optimizer, scheduler: Any) -> None:
    """Raise ValueError where the optimiser was made of something else than what is trained, or the scheduler of another optimiser."""
    if getattr(scheduler, "optimizer", optimiser) is not optimiser:
        raise ValueError(f"{type(scheduler).__name__} was made of another optimiser, whose rate it would move; make it of the one of fit")
    held = {id(p): p for group in optimiser.param_groups for p in group["params"]}
    own = {id(p): name for name, p in model.named_parameters()}
    strange = held.keys() - own.keys() - {id(p) for p in (loss.parameters() if isinstance(loss, Module) else ())}
    again = f"make it of the model that is trained: nn.{type(optimiser).__name__}(model.parameters())"
    if not held.keys() - strange:
        raise ValueError(f"none of the optimiser's {len(held)} parameters is one of the model's; {again}")
    if not any(p.requires_grad for p in held.values()):
        raise ValueError("all parameters of the optimiser are frozen, and nothing would be trained; requires_grad_(True) thaws them")
    left = [name for name, p in model.named_parameters() if p.requires_grad and id(p) not in held]
    if strange and left:
        raise ValueError(
            f"the optimiser has {len(strange)} parameters that the model has not, and not the model's {', '.join(left)}: was a layer "
            f"replaced after the optimiser was made? Then {again}; what is not to be trained is frozen by requires_grad_(False)"
        )


def _resume(training: Training, checkpoint: Any, resume: bool | str | os.PathLike[str]) -> None:
    if resume is True:
        if checkpoint is None:
            raise ValueError("resume=True goes on from checkpoint=, which was not given; pass it, or resume=PATH")
        if Path(checkpoint).exists():
            restore(training, checkpoint)
    elif resume:
        restore(training, resume)


@contextlib.contextmanager
def _finishing_the_batch(training: Training) -> Iterator[None]:
    """Let the first Ctrl-C end the training after its batch; the second one is as it ever was."""
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or before in (None, signal.SIG_IGN):
        yield
        return

    def once(number: int, frame: Any) -> None:  # noqa: ARG001
        signal.signal(signal.SIGINT, before)
        training.stopped = INTERRUPTED

    signal.signal(signal.SIGINT, once)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _whereabouts(training: Training, saving: Checkpoint | None) -> str:
    batch = training.loader.position
    place = f"after batch {batch} of epoch {training.epoch + 1}" if batch else f"after epoch {training.epoch}"
    if saving is None:
        return f"stopped {place}; nothing was saved, since fit got no checkpoint=. The model has the parameters of that moment"
    return f"stopped {place}; saved in {saving.path}. The same call with resume=True goes on from there"
