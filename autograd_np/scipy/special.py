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

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special

from autograd_np import ops
from autograd_np.creating import gathered
from autograd_np.errors import NoRowError
from autograd_np.op import constant_of
from autograd_np.ops.for_scipy.special import gamma_functions, integrals
from autograd_np.scipy.mirror import covering, module


def _every(x: Any, axis: Any) -> Any:
    return tuple(range(x.ndim)) if axis is None else axis


def _logsumexp(a: Any, axis: Any = None, b: Any = None, keepdims: bool = False, return_sign: bool = False) -> Any:
    if b is None and not return_sign:
        return ops.logsumexp(a, axis, keepdims)
    a, b = np.broadcast_arrays(a, 1.0 if b is None else b)
    top = np.max(np.where(constant_of(b) == 0, -np.inf, constant_of(a)), axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0)
    total = np.sum(b * np.exp(np.where(b == 0, 0, a - top)), axis=axis, keepdims=True)
    # without its sign the logarithm of a negative sum is NaN, as SciPy's
    found = np.log(np.abs(total) if return_sign else total) + top
    sides = (found, np.sign(total)) if return_sign else (found,)
    shown = tuple(x if keepdims else np.squeeze(x, axis=_every(x, axis)) for x in sides)
    return shown if return_sign else shown[0]


def _softmax(x: Any, axis: Any = None) -> Any:
    return ops.softmax(x, _every(x, axis))


def _log_softmax(x: Any, axis: Any = None) -> Any:
    return ops.log_softmax(x, _every(x, axis))


def _zeta(x: Any, q: Any = None) -> Any:
    if q is None:
        raise NoRowError("scipy.special.zeta has no derivative by x here, only by q; pass x.detach() if that is meant")
    return gamma_functions.zeta(x, q)


def _multigammaln(a: Any, d: Any) -> Any:
    """Return the logarithm of the gamma function of d dimensions: a sum of ordinary ones, https://dlmf.nist.gov/35.3.4."""
    if int(d) != d or d < 1:
        raise ValueError(f"scipy.special.multigammaln: d should be a positive integer (dimension), got {d}")
    if np.any(constant_of(a) <= 0.5 * (d - 1)):
        raise ValueError(f"scipy.special.multigammaln needs a > (d - 1) / 2 = {0.5 * (d - 1)}")
    parts = np.expand_dims(a, -1) - np.arange(int(d)) / 2
    return d * (d - 1) / 4 * np.log(np.pi) + np.sum(special.gammaln(parts), axis=-1)


def _comb(N: Any, k: Any) -> Any:
    return gamma_functions.comb(N, k)


_COVERED: dict[str, Callable[..., Any]] = {
    "comb": _comb,
    "lambertw": integrals.lambertw,
    "log_softmax": _log_softmax,
    "logsumexp": _logsumexp,
    "multigammaln": _multigammaln,
    "polygamma": gamma_functions.polygamma,
    "softmax": _softmax,
    "softplus": ops.softplus,
    "zeta": _zeta,
}


def _of_lists(covered: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that takes lists of Tensors and numbers, as SciPy's takes lists of numbers."""

    @functools.wraps(covered)
    def call(*args: Any, **kwargs: Any) -> Any:
        return covered(*map(_array, args), **{key: _array(a) if key in ("a", "b", "x", "q", "N", "z") else a for key, a in kwargs.items()})

    return call


def _array(x: Any) -> Any:
    x = gathered(x)
    return np.asarray(x) if x.__class__ is list else x


GIVEN = {
    name: covering(getattr(special, name), _of_lists(covered), f"scipy.special.{name}")
    for name, covered in _COVERED.items()
    if hasattr(special, name)
}
"""The names that understand Tensors only here."""

_FROM = "with `from autograd_np.scipy.special import ...`"
REMARKS = {
    "zeta": f"{_FROM}; by q, not by x",
    "polygamma": f"{_FROM}; by x",
    "multigammaln": f"{_FROM}; by a",
    "comb": f"{_FROM}; without exact=",
}
"""For docs/coverage.md."""

__getattr__, __dir__, __all__ = module("scipy.special", GIVEN)
