"""Errors of `nn`, each an `autograd_np.AutogradError` and the built-in exception that a caller would have caught without knowing it."""

from __future__ import annotations

import autograd_np as ag

__all__ = ["MissingExtraError", "ShapeMismatchError", "StateDictError"]


class ShapeMismatchError(ag.AutogradError, ValueError):
    """The shapes of an input and a layer, or of a prediction and its target, do not belong together."""


class StateDictError(ag.AutogradError, ValueError):
    """A state does not fit the object it was meant for, or its file is damaged."""


class MissingExtraError(ag.AutogradError, ImportError):
    """A package is needed that an extra installs; the message says which."""
