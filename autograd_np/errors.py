"""Every error the library raises on purpose.

Each message says what was got, what was expected and what to do. Each class also derives from the
built-in exception a caller would have caught without knowing this library.
"""

from __future__ import annotations

from autograd_np.text import visible

__all__ = [
    "IMPORT_LINE",
    "AbsentError",
    "AnomalyError",
    "AutogradError",
    "CheckFailedError",
    "CheckSetupError",
    "CompileError",
    "CompileWarning",
    "CustomRuleError",
    "DataError",
    "DeviceError",
    "DifferentiationError",
    "GaugeWarning",
    "InPlaceError",
    "LeavesNumPyError",
    "LoopWarning",
    "NoRowError",
    "RenderError",
    "ShapeWarning",
]


IMPORT_LINE = "change `import numpy as np` into `import autograd_np.numpy as np`"
"""What makes lists of Tensors arrays, and arrays ones that Tensors can be written into."""


class AutogradError(Exception):
    """Base of every error raised by autograd_np; names and texts in its message cannot command a terminal."""

    def __str__(self) -> str:
        return visible(super().__str__(), keep="\n\t", longest=100_000)


class NoRowError(AutogradError, TypeError):
    """An operation has no row in the table, or is used in a way its row does not cover."""


class AbsentError(NoRowError, AttributeError):
    """An attribute of ndarray that a Tensor has not; ``hasattr`` says so."""


class DifferentiationError(AutogradError, ValueError):
    """A gradient was asked for where there is none: no graph, no seed, a wrong dtype or shape."""


class DeviceError(AutogradError, TypeError):
    """One operation got arrays of different devices: a CuPy array and NumPy's, or those of two GPUs."""


class InPlaceError(AutogradError, ValueError):
    """A write that no gradient could follow: into a leaf, into a Tensor from outside the transform, of a Tensor into an array."""


class LeavesNumPyError(AutogradError, TypeError):
    """A Tensor with a gradient was about to become a plain array or number, losing the gradient."""


class CustomRuleError(AutogradError, ValueError):
    """A user-defined rule returned something of the wrong count, shape or dtype."""


class DataError(AutogradError, ValueError):
    """A table of data that cannot be used: its message names the file, the row and the column."""


class RenderError(AutogradError, RuntimeError):
    """A graph that cannot be drawn as asked."""


class CheckFailedError(AutogradError, AssertionError):
    """A gradient is wrong, or could not be judged; the message is the whole report."""


class CheckSetupError(AutogradError, ValueError):
    """A check cannot be carried out as asked: a parameter nobody supplies, a name that pairs with nothing."""


class CompileError(AutogradError, ValueError):
    """A function that cannot be compiled as it stands: what it does is not the same computation in each call."""


class AnomalyError(AutogradError, ArithmeticError):
    """Under `detect_anomaly`: an operation produced a NaN, or an array was changed after it was recorded."""


class ShapeWarning(UserWarning):
    """Shapes broadcast together in a way that is usually a mistake: (n,) against (n, 1)."""


class LoopWarning(UserWarning):
    """`vmap` went through its examples one by one: an operation of NumPy's, or the whole function, does not take them all at once."""


class CompileWarning(UserWarning):
    """A compiled function is compiled again and again."""


class GaugeWarning(UserWarning):
    """A gradient was asked for that depends on a choice which a decomposition left open: the basis of an eigenspace, a phase."""
