"""The laws of discrete distributions: probabilities of counts, differentiable by their parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from autograd_np.scipy.stats.base import Law


def _zero(*_shapes: Any) -> float:
    return 0.0


def _probability(p: Any) -> Any:
    return (p >= 0) & (p <= 1)


def _choose(n: Any, k: Any) -> Any:
    return special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1)


def _poisson(k: Any, mu: Any) -> Any:
    return special.xlogy(k, mu) - special.gammaln(k + 1) - mu


def _binomial(k: Any, n: Any, p: Any) -> Any:
    return _choose(n, k) + special.xlogy(k, p) + special.xlog1py(n - k, -p)


def _negative_binomial(k: Any, n: Any, p: Any) -> Any:
    return special.gammaln(n + k) - special.gammaln(k + 1) - special.gammaln(n) + special.xlogy(n, p) + special.xlog1py(k, -p)


def _beta_binomial(k: Any, n: Any, a: Any, b: Any) -> Any:
    return _choose(n, k) + special.betaln(k + a, n - k + b) - special.betaln(a, b)


# fmt: off
LAWS: dict[str, Law] = {
    "poisson": Law(
        _poisson, cdf=lambda k, mu: special.gammaincc(k + 1, mu), sf=lambda k, mu: special.gammainc(k + 1, mu), low=_zero, valid=lambda mu: mu >= 0,
        middle=1.0),
    "bernoulli": Law(
        lambda k, p: _binomial(k, 1.0, p), cdf=lambda k, p: 1 - p, sf=lambda k, p: 1 * p, low=_zero, high=lambda p: 1.0, valid=_probability,
        middle=1.0),
    "binom": Law(
        _binomial, cdf=lambda k, n, p: special.betaincc(k + 1, n - k, p), sf=lambda k, n, p: special.betainc(k + 1, n - k, p), low=_zero,
        high=lambda n, p: n, valid=lambda n, p: (n >= 0) & (n == np.floor(n)) & _probability(p), middle=0.0),
    "nbinom": Law(
        _negative_binomial, cdf=lambda k, n, p: special.betainc(n, k + 1, p), sf=lambda k, n, p: special.betaincc(n, k + 1, p), low=_zero,
        valid=lambda n, p: (n > 0) & (p > 0) & (p <= 1), middle=1.0),
    "geom": Law(
        lambda k, p: special.xlog1py(k - 1, -p) + np.log(p), cdf=lambda k, p: -np.expm1(special.xlog1py(k, -p)), sf=lambda k, p: np.exp(special.xlog1py(k, -p)),
        logsf=lambda k, p: special.xlog1py(k, -p), low=lambda p: 1.0, valid=lambda p: (p > 0) & (p <= 1), middle=1.0),
    "betabinom": Law(
        _beta_binomial, low=_zero, high=lambda n, a, b: n, valid=lambda n, a, b: (n >= 0) & (n == np.floor(n)) & (a > 0) & (b > 0), middle=0.0),
}
# fmt: on
"""SciPy's names, and their laws."""
