"""Callbacks: stop early, keep the best, write what happens."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from nn.errors import StateDictError
from nn.io import save
from nn.training.core import Callback, Training
from nn.training.history import is_better

__all__ = ["BestCheckpoint", "CSVLog", "EarlyStopping", "LearningCurves"]


class _Watching(Callback):
    """Knows the best value of one name so far."""

    def __init__(self, monitor: str, mode: str, min_delta: float) -> None:
        if not min_delta >= 0:
            raise ValueError(f"min_delta={min_delta} must be at least 0")
        self.monitor, self.min_delta = monitor, float(min_delta)
        self.sign = 1.0 if is_better("min", monitor, mode) else -1.0
        self.best = float("inf")

    def on_fit_start(self, training: Training) -> None:
        """Forget what another training left."""
        if not training.step:
            self.best = float("inf")

    def improves(self, training: Training) -> bool:
        """Whether the epoch is the best so far; a NaN never is."""
        value = training.logs.get(self.monitor)
        if not isinstance(value, (int, float, np.number)):
            raise KeyError(
                f"{type(self).__name__} watches {self.monitor!r}, and the epoch has {', '.join(training.logs)}; pass validation= "
                f"and metrics= to fit, or watch another name"
            )
        if self.sign * value >= self.best - self.min_delta or value != value:
            return False
        self.best = self.sign * float(value)
        return True

    def state_dict(self) -> dict[str, Any]:
        """Return the best value."""
        return {"best": self.best, "monitor": self.monitor}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from it.

        Raises
        ------
        StateDictError
            If it is that of another name.
        """
        if state_dict["monitor"] != self.monitor:
            raise StateDictError(f"{type(self).__name__} watches {self.monitor!r}, and the state is of {state_dict['monitor']!r}")
        self.best = float(state_dict["best"])


class EarlyStopping(_Watching):
    """Ends a training that does not get better any more, and gives the model back the parameters of its best epoch.

    Parameters
    ----------
    monitor : str, default "val_loss"
        What is watched: a name of the history.
    patience : int, default 10
        After so many epochs without a better one, it ends.
    min_delta : float, default 0
        What is better by no more is not better.
    mode : {"", "min", "max"}
        Whether small or large values are good; if not given, small ones where the name ends in ``loss``.
    restore_best : bool, default True
        Whether the model gets the parameters of the best epoch at the end, however that came.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> model, x = nn.Linear(1, 1, rng=0), np.ones((4, 1))
    >>> stop = nn.EarlyStopping(patience=2)
    >>> optimiser = nn.SGD(model.parameters(), lr=0.1)
    >>> history = nn.fit(model, (x, x), nn.MSELoss(), optimiser, 50, validation=(x, -x), callbacks=[stop], progress=False)
    >>> len(history), history.stopped
    (3, 'val_loss has not been better since epoch 1')
    """

    def __init__(
        self, monitor: str = "val_loss", patience: int = 10, min_delta: float = 0.0, mode: str = "", restore_best: bool = True
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        if patience < 1:
            raise ValueError(f"patience={patience} must be at least 1")
        self.patience, self.restore_best = int(patience), bool(restore_best)
        self.waited = 0
        self.kept: dict[str, Any] = {}

    def on_fit_start(self, training: Training) -> None:
        """Forget what another training left."""
        super().on_fit_start(training)
        if not training.step:
            self.waited, self.kept = 0, {}

    def on_epoch_end(self, training: Training) -> None:
        """Keep the best parameters, or lose patience."""
        if self.improves(training):
            self.waited = 0
            if self.restore_best:
                self.kept = training.model.state_dict()
        else:
            self.waited += 1
            if self.waited >= self.patience:
                training.stopped = f"{self.monitor} has not been better since epoch {training.epoch - self.waited}"

    def on_fit_end(self, training: Training) -> None:
        """Give the model its best parameters back."""
        if self.kept:
            training.model.load_state_dict(self.kept)

    def state_dict(self) -> dict[str, Any]:
        """Return what is known of the best epoch."""
        return super().state_dict() | {"waited": self.waited} | {f"kept.{name}": value for name, value in self.kept.items()}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from it."""
        super().load_state_dict(state_dict)
        self.waited = int(state_dict["waited"])
        self.kept = {name.removeprefix("kept."): np.array(a) for name, a in state_dict.items() if name.startswith("kept.")}


class BestCheckpoint(_Watching):
    """Keeps the parameters of the best epoch in a file, for `nn.load`.

    Parameters
    ----------
    path : str or path
        A safetensors file, replaced as a whole whenever an epoch is better than all before.
    monitor, mode, min_delta
        As for `EarlyStopping`.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> import nn
    >>> model, x = nn.Linear(1, 1, rng=0), np.ones((4, 1))
    >>> optimiser = nn.SGD(model.parameters(), lr=0.1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     best = nn.BestCheckpoint(pathlib.Path(folder, "best.safetensors"), monitor="loss")
    ...     history = nn.fit(model, (x, x), nn.MSELoss(), optimiser, 3, callbacks=[best], progress=False)
    ...     sorted(nn.load(best.path))
    ['bias', 'weight']
    """

    def __init__(self, path: str | os.PathLike[str], monitor: str = "val_loss", mode: str = "", min_delta: float = 0.0) -> None:
        super().__init__(monitor, mode, min_delta)
        self.path = path

    def on_epoch_end(self, training: Training) -> None:
        """Save the model if it is better than before."""
        if self.improves(training):
            save(training.model, self.path)


class CSVLog(Callback):
    """Keeps the history in a CSV file, with a line an epoch; after a resumption it is the same file as without.

    Parameters
    ----------
    path : str or path

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> import nn
    >>> model, x = nn.Linear(1, 1, rng=0), np.zeros((4, 1))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "log.csv")
    ...     settings = {"callbacks": [nn.CSVLog(path)], "progress": False}
    ...     history = nn.fit(model, (x, model(x).data), nn.MSELoss(), nn.SGD(model.parameters()), 2, **settings)
    ...     print(path.read_text())
    epoch,loss
    1,0.0
    2,0.0
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = path

    def on_epoch_end(self, training: Training) -> None:
        """Write the file anew, so that it is always whole."""
        training.history.to_csv(self.path)


class LearningCurves(Callback):
    """Draws the learning curves as the training goes on (extra ``plot``).

    Parameters
    ----------
    path : str or path
        Its suffix is the format: PNG, SVG or PDF.
    every : int, default 10
        After so many epochs; and at the end.
    """

    def __init__(self, path: str | os.PathLike[str], every: int = 10) -> None:
        if every < 1:
            raise ValueError(f"every={every} must be at least 1")
        self.path, self.every = path, int(every)

    def on_epoch_end(self, training: Training) -> None:
        """Draw now and then."""
        if training.epoch % self.every == 0:
            training.history.plot(self.path)

    def on_fit_end(self, training: Training) -> None:
        """Draw the last state."""
        training.history.plot(self.path)
