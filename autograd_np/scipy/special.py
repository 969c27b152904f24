"""`scipy.special`, whose functions that are no ufuncs understand Tensors, too: ``from autograd_np.scipy.special import logsumexp``.

The ufuncs (`expit`, `gammaln`, `erf`, ...) are SciPy's objects, and take Tensors here and there.

Examples
--------
>>> import numpy as np
>>> import autograd_np as ag
>>> from autograd_np.scipy.special import expit, softmax
>>> ag.grad(lambda x: softmax(x)[0])(np.array([0.0, 0.0]))
array([ 0.25, -0.25])
>>> expit is __import__("scipy").special.expit
True
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scipy import special

import autograd_np.ops.for_scipy.special  # noqa: F401 (the rows)
from autograd_np import ops
from autograd_np.scipy.mirror import covering, module


def _logsumexp(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    return ops.logsumexp(a, axis, keepdims)


def _softmax(x: Any, axis: Any = None) -> Any:
    return ops.softmax(x, tuple(range(x.ndim)) if axis is None else axis)


def _log_softmax(x: Any, axis: Any = None) -> Any:
    return ops.log_softmax(x, tuple(range(x.ndim)) if axis is None else axis)


_COVERED: dict[str, Callable[..., Any]] = {"logsumexp": _logsumexp, "softmax": _softmax, "log_softmax": _log_softmax}

GIVEN = {name: covering(getattr(special, name), covered, f"scipy.special.{name}") for name, covered in _COVERED.items()}
"""The names that understand Tensors only here."""

__getattr__, __dir__, __all__ = module("scipy.special", GIVEN)
