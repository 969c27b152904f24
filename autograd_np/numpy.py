"""NumPy, whose creation functions understand Tensors: ``import autograd_np.numpy as np`` in place of ``import numpy as np``.

NumPy asks its operands whether they are Tensors, but not what is in a list, nor what may be written into an array later. So three
things cannot be told with plain NumPy, and are what this module adds:

- ``np.array([v, -k * x])`` and ``np.asarray``, of lists of Tensors and numbers nested to any depth, are Tensors;
- ``np.zeros(4)``, ``np.full(3, t)``, ``np.linspace(0, 1, 5)``, ... are Tensors while something is recorded (inside a function being
  differentiated or traced, or as long as there are Tensors that require a gradient, but not under ``no_grad``), so that writing a
  Tensor into them is differentiated. They are constants with NumPy's values and dtype. Integers stay arrays;
- NumPy's functions take lists that hold Tensors, ``np.sum([t, u])``, and ``np.vectorize`` applies a function to each element of one;
- ``np.polynomial.chebyshev.chebval(x, c)`` and its likes are differentiable by the coefficients, too, and
  ``np.lib.stride_tricks.as_strided`` takes Tensors, of whose own elements the view must be.

Every other name is NumPy's own object: ufuncs, classes, constants, `linalg`, `fft`, `random`. Where nothing is recorded everything is
NumPy's, arrays included.

Examples
--------
>>> import autograd_np as ag
>>> import autograd_np.numpy as np
>>> def energy(state):
...     x, v = state
...     path = np.zeros(3)
...     for n in range(3):
...         x, v = np.array([x + 0.1 * v, v - 0.1 * x])
...         path[n] = x
...     return np.sum(path**2)
>>> ag.grad(energy)(np.array([1.0, 0.0]))
array([5.842  , 1.17606])
>>> np.exp is __import__("numpy").exp
True
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy  # noqa: ICN001 (np is what users call this module)

from autograd_np.creating import changed, modules

if TYPE_CHECKING:
    from numpy import *  # noqa: F403

__all__ = list(numpy.__all__)

for _name in ("fft", "linalg", "random"):  # import autograd_np.numpy.random as npr
    sys.modules[f"{__name__}.{_name}"] = getattr(numpy, _name)
for _name, _module in modules().items():  # from autograd_np.numpy.polynomial import chebyshev
    sys.modules[f"{__name__}.{_name}"] = _module
polynomial, lib = (sys.modules[f"{__name__}.{_name}"] for _name in ("polynomial", "lib"))


def __getattr__(name: str) -> Any:
    """Look a name of NumPy's up, once."""
    if name.startswith("__") and name not in __all__:  # NumPy's __path__ is not ours
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = changed(name, getattr(numpy, name))
    return value


def __dir__() -> list[str]:
    """Name what NumPy has."""
    return dir(numpy)
