"""Errors of `nn`, each an `autograd_np.AutogradError` and the built-in exception that a caller would have caught without knowing it."""

from __future__ import annotations

import autograd_np as ag

__all__ = [
    "DivergenceError",
    "DivergenceWarning",
    "ExportError",
    "MissingExtraError",
    "ShapeMismatchError",
    "StateDictError",
    "TrainingInterrupted",
]


class ShapeMismatchError(ag.AutogradError, ValueError):
    """The shapes of an input and a layer, or of a prediction and its target, do not belong together."""


class StateDictError(ag.AutogradError, ValueError):
    """A state does not fit the object it was meant for, or its file is damaged."""


class MissingExtraError(ag.AutogradError, ImportError):
    """A package is needed that an extra installs; the message says which."""


class DivergenceError(ag.AutogradError, ArithmeticError):
    """A loss or a gradient is not finite; the message says what produced it, and what to do.

    Attributes
    ----------
    module : str or None
        The path of the Module in which it came up first; None if it was none of them (but the loss, or the data).
    """

    def __init__(self, message: str, module: str | None = None) -> None:
        super().__init__(message)
        self.module = module


class DivergenceWarning(UserWarning):
    """The loss of an epoch is far above that of the first one."""


class TrainingInterrupted(KeyboardInterrupt):
    """Ctrl-C ended a training after a whole batch; the message says where its state was saved."""


class ExportError(ag.AutogradError, ValueError):
    """A model does something that a format of other libraries does not say, or cannot say for every size of a batch."""
