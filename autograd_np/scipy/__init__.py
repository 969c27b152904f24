"""SciPy, whose functions understand Tensors: ``from autograd_np.scipy.stats import norm`` in place of ``from scipy.stats import norm``.

Here live SciPy's modules under their own names. What is listed in `autograd_np.mirrored` understands Tensors, and is SciPy's own on
plain arrays; every other name is SciPy's object. The ufuncs of `scipy.special` need none of this: they take Tensors as they stand.
Derivatives may not live here; their rows are in `ops.for_scipy`.

Examples
--------
>>> import numpy as np
>>> import autograd_np as ag
>>> from autograd_np.scipy import special
>>> ag.grad(special.logsumexp)(np.array([0.0, 0.0]))
array([0.5, 0.5])
"""

from __future__ import annotations

import importlib
from typing import Any

from autograd_np.mirrored import MIRRORED

try:
    import scipy
except ModuleNotFoundError as error:
    raise ModuleNotFoundError("autograd_np.scipy needs SciPy, which is not installed: pip install 'autograd-np[scipy]'") from error


def __getattr__(name: str) -> Any:
    """Import a module of this folder on first use; everything else is SciPy's."""
    if f"scipy.{name}" in MIRRORED:
        return importlib.import_module(f"{__name__}.{name}")
    if name.startswith("__"):  # SciPy's __path__ is not ours
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(scipy, name)


def __dir__() -> list[str]:
    """Name what SciPy has."""
    return dir(scipy)
