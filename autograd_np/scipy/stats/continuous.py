"""The laws of continuous distributions, in SciPy's standard form and parameters.

The formulas are those of SciPy's documentation of each distribution; https://dlmf.nist.gov has those of the special functions.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special

from autograd_np.op import constant_of, is_numpys
from autograd_np.scipy.stats.base import Law

LOG_ROOT_TWO_PI = 0.5 * math.log(2 * math.pi)
ROOT_TWO = math.sqrt(2)
LOG_TWO, LOG_PI = math.log(2), math.log(math.pi)


def _zero(*_shapes: Any) -> float:
    return 0.0


def _one(*_shapes: Any) -> float:
    return 1.0


def _always(*_shapes: Any) -> bool:
    return True


# --- around the normal distribution ---------------------------------------------------------------


def _normal(z: Any, *_shapes: Any) -> Any:
    return -z * z / 2 - LOG_ROOT_TWO_PI


def _t(z: Any, df: Any) -> Any:
    """Return the log density of Student's t, the normal one for infinitely many degrees of freedom."""
    endless = constant_of(df) == np.inf
    some = not is_numpys(endless) or np.any(endless)
    v = np.where(endless, 1, df) if some else df
    log = np.log(special.poch(v / 2, 0.5)) - np.log(v * math.pi) / 2 - (v + 1) / 2 * np.log1p(z * z / v)
    return np.where(endless, _normal(z), log) if some else log


def _lognormal(z: Any, s: Any) -> Any:
    zero = z == 0
    log = np.log(np.where(zero, 1, z))
    return np.where(zero, -np.inf, -np.square(log / s) / 2 - log - np.log(s) - LOG_ROOT_TWO_PI)


def _log_gap(p: Any, q: Any) -> Any:
    """Return log(e^p - e^q) for p > q."""
    return p + np.log(-np.expm1(q - p))


def _log_mass(a: Any, b: Any) -> Any:
    """Return the logarithm of the normal probability of (a, b): in the tail in which both are, from that tail."""
    right, left = a > 0, b <= 0
    flipped_a, flipped_b = np.where(right, -b, a), np.where(right, -a, b)
    tail = right | left
    low, high = np.where(tail, flipped_a, -2.0), np.where(tail, flipped_b, -1.0)
    in_tail = _log_gap(special.log_ndtr(high), special.log_ndtr(low))
    around = np.log1p(-special.ndtr(np.where(tail, -1.0, a)) - special.ndtr(-np.where(tail, 1.0, b)))
    return np.where(tail, in_tail, around)


def _truncated(z: Any, a: Any, b: Any) -> Any:
    return _normal(z) - _log_mass(a, b)


# --- around gamma and beta ------------------------------------------------------------------------


def _gamma(z: Any, a: Any) -> Any:
    return special.xlogy(a - 1, z) - z - special.gammaln(a)


def _inverse_gamma(z: Any, a: Any) -> Any:
    zero = z == 0
    x = np.where(zero, 1, z)
    return np.where(zero, -np.inf, -(a + 1) * np.log(x) - special.gammaln(a) - 1 / x)


def _inverted(f: Any) -> Any:
    return lambda z, a: f(a, 1 / z)


def _beta(z: Any, a: Any, b: Any) -> Any:
    return special.xlog1py(b - 1, -z) + special.xlogy(a - 1, z) - special.betaln(a, b)


def _f(z: Any, n: Any, m: Any) -> Any:
    log = m / 2 * np.log(m) + n / 2 * np.log(n) + special.xlogy(n / 2 - 1, z)
    return log - (n + m) / 2 * np.log(m + n * z) - special.betaln(n / 2, m / 2)


def odds_cdf(z: Any, a: Any, b: Any) -> Any:
    """Return the probability that the odds of a beta distribution are below z: from the end that z is near."""
    near = z < 1
    below = np.where(near, z, 1)
    return np.where(near, special.betainc(a, b, below / (1 + below)), special.betaincc(b, a, 1 / (1 + z)))


def odds_sf(z: Any, a: Any, b: Any) -> Any:
    """Return the probability that they are above z."""
    near = z < 1
    below = np.where(near, z, 1)
    return np.where(near, special.betaincc(a, b, below / (1 + below)), special.betainc(b, a, 1 / (1 + z)))


def fade(x: Any) -> Any:
    """Return e^-x; from where it is 0, nothing depends on x, not even on one that has overflowed."""
    return np.exp(-np.minimum(x, 1e4))


def rise(x: Any) -> Any:
    """Return 1 - e^-x."""
    return -np.expm1(-np.minimum(x, 1e4))


# --- tails of exponentials and powers -------------------------------------------------------------


def _laplace_cdf(z: Any) -> Any:
    tail = np.exp(-abs(z)) / 2
    return np.where(z > 0, 1 - tail, tail)


def _laplace_log_cdf(z: Any) -> Any:
    right = z > 0
    return np.where(right, np.log1p(-np.exp(-np.where(right, z, 0)) / 2), np.where(right, 0, z) - LOG_TWO)


def _laplace_ppf(q: Any) -> Any:
    right = q > 0.5
    return np.where(right, -np.log(2 * (1 - np.where(right, q, 0.75))), np.log(2 * np.where(right, 0.25, q)))


def _weibull(z: Any, c: Any) -> Any:
    return np.log(c) + special.xlogy(c - 1, z) - z**c


def _von_mises(z: Any, kappa: Any) -> Any:
    return kappa * special.cosm1(z) - 2 * LOG_ROOT_TWO_PI - np.log(special.i0e(kappa))


# fmt: off
LAWS: dict[str, Law] = {
    "norm": Law(
        _normal, cdf=special.ndtr, sf=lambda z: special.ndtr(-z), logcdf=special.log_ndtr, logsf=lambda z: special.log_ndtr(-z),
        ppf=special.ndtri, isf=lambda q: -special.ndtri(q)),
    "t": Law(
        _t, cdf=lambda z, v: special.stdtr(v, z), sf=lambda z, v: special.stdtr(v, -z), ppf=lambda q, v: special.stdtrit(v, q),
        isf=lambda q, v: -special.stdtrit(v, q)),
    "halfnorm": Law(
        lambda z: LOG_TWO + _normal(z), cdf=lambda z: special.erf(z / ROOT_TWO), sf=lambda z: 2 * special.ndtr(-z),
        logsf=lambda z: LOG_TWO + special.log_ndtr(-z), ppf=lambda q: special.ndtri((1 + q) / 2), isf=lambda q: -special.ndtri(q / 2), low=_zero),
    "lognorm": Law(
        _lognormal, cdf=lambda z, s: special.ndtr(np.log(z) / s), sf=lambda z, s: special.ndtr(-np.log(z) / s),
        logcdf=lambda z, s: special.log_ndtr(np.log(z) / s), logsf=lambda z, s: special.log_ndtr(-np.log(z) / s),
        ppf=lambda q, s: np.exp(s * special.ndtri(q)), isf=lambda q, s: np.exp(-s * special.ndtri(q)), low=_zero),
    "skewnorm": Law(lambda z, a: LOG_TWO + _normal(z) + special.log_ndtr(a * z), valid=_always),  # its cdf cancels in a tail
    "truncnorm": Law(
        _truncated, logcdf=lambda z, a, b: _log_mass(a, z) - _log_mass(a, b), logsf=lambda z, a, b: _log_mass(z, b) - _log_mass(a, b),
        cdf=lambda z, a, b: np.exp(_log_mass(a, z) - _log_mass(a, b)), sf=lambda z, a, b: np.exp(_log_mass(z, b) - _log_mass(a, b)),
        low=lambda a, b: a, high=lambda a, b: b, valid=lambda a, b: a < b),

    "gamma": Law(
        _gamma, cdf=lambda z, a: special.gammainc(a, z), sf=lambda z, a: special.gammaincc(a, z),
        ppf=lambda q, a: special.gammaincinv(a, q), isf=lambda q, a: special.gammainccinv(a, q), low=_zero),
    "invgamma": Law(
        _inverse_gamma, cdf=_inverted(special.gammaincc), sf=_inverted(special.gammainc),
        ppf=lambda q, a: 1 / special.gammainccinv(a, q), isf=lambda q, a: 1 / special.gammaincinv(a, q), low=_zero),
    "chi2": Law(
        lambda z, df: _gamma(z / 2, df / 2) - LOG_TWO, cdf=lambda z, df: special.gammainc(df / 2, z / 2),
        sf=lambda z, df: special.gammaincc(df / 2, z / 2), ppf=lambda q, df: 2 * special.gammaincinv(df / 2, q),
        isf=lambda q, df: 2 * special.gammainccinv(df / 2, q), low=_zero),
    "beta": Law(
        _beta, cdf=lambda z, a, b: special.betainc(a, b, z), sf=lambda z, a, b: special.betaincc(a, b, z),
        ppf=lambda q, a, b: special.betaincinv(a, b, q), isf=lambda q, a, b: special.betainccinv(a, b, q), low=_zero, high=_one),
    "f": Law(
        _f, cdf=lambda z, n, m: odds_cdf(n * z / m, n / 2, m / 2), sf=lambda z, n, m: odds_sf(n * z / m, n / 2, m / 2),
        ppf=lambda q, n, m: m / n * special.betaincinv(n / 2, m / 2, q) / special.betainccinv(m / 2, n / 2, q), low=_zero),

    "expon": Law(
        lambda z: -z, cdf=lambda z: -np.expm1(-z), sf=lambda z: np.exp(-z), logsf=lambda z: -z, ppf=lambda q: -np.log1p(-q),
        isf=lambda q: -np.log(q), low=_zero),
    "laplace": Law(
        lambda z: -abs(z) - LOG_TWO, cdf=_laplace_cdf, sf=lambda z: _laplace_cdf(-z), logcdf=_laplace_log_cdf,
        logsf=lambda z: _laplace_log_cdf(-z), ppf=_laplace_ppf, isf=lambda q: -_laplace_ppf(q)),
    "logistic": Law(
        lambda z: special.log_expit(z) + special.log_expit(-z), cdf=special.expit, sf=lambda z: special.expit(-z), logcdf=special.log_expit,
        logsf=lambda z: special.log_expit(-z), ppf=special.logit, isf=lambda q: -special.logit(q)),
    "gumbel_r": Law(
        lambda z: -z - np.exp(-z), cdf=lambda z: fade(np.exp(-z)), sf=lambda z: rise(np.exp(-z)), logcdf=lambda z: -np.exp(-z),
        ppf=lambda q: -np.log(-np.log(q)), isf=lambda q: -np.log(-np.log1p(-q))),
    "gumbel_l": Law(
        lambda z: z - np.exp(z), cdf=lambda z: rise(np.exp(z)), sf=lambda z: fade(np.exp(z)), logsf=lambda z: -np.exp(z),
        ppf=lambda q: np.log(-np.log1p(-q)), isf=lambda q: np.log(-np.log(q))),
    "weibull_min": Law(
        _weibull, cdf=lambda z, c: rise(z**c), sf=lambda z, c: fade(z**c), logsf=lambda z, c: -(z**c),
        ppf=lambda q, c: (-np.log1p(-q)) ** (1 / c), isf=lambda q, c: (-np.log(q)) ** (1 / c), low=_zero),
    "rayleigh": Law(
        lambda z: special.xlogy(1, z) - z * z / 2, cdf=lambda z: rise(z * z / 2), sf=lambda z: fade(z * z / 2), logsf=lambda z: -z * z / 2,
        ppf=lambda q: np.sqrt(-2 * np.log1p(-q)), isf=lambda q: np.sqrt(-2 * np.log(q)), low=_zero),

    "uniform": Law(lambda z: 0 * z, cdf=lambda z: 1 * z, ppf=lambda q: 1 * q, low=_zero, high=_one),
    "powerlaw": Law(
        lambda z, a: np.log(a) + special.xlogy(a - 1, z), cdf=lambda z, a: z**a, logcdf=lambda z, a: a * np.log(z), ppf=lambda q, a: q ** (1 / a),
        low=_zero, high=_one),
    "pareto": Law(
        lambda z, b: np.log(b) - (b + 1) * np.log(z), cdf=lambda z, b: -np.expm1(-b * np.log(z)), sf=lambda z, b: z**-b,
        logsf=lambda z, b: -b * np.log(z), ppf=lambda q, b: (1 - q) ** (-1 / b), isf=lambda q, b: q ** (-1 / b), low=_one, middle=2.0),
    "cauchy": Law(
        lambda z: -LOG_PI - np.log1p(z * z), cdf=lambda z: np.arctan2(1.0, -z) / math.pi, sf=lambda z: np.arctan2(1.0, z) / math.pi,
        ppf=lambda q: -1 / np.tan(math.pi * q), isf=lambda q: 1 / np.tan(math.pi * q)),
    "halfcauchy": Law(
        lambda z: LOG_TWO - LOG_PI - np.log1p(z * z), cdf=lambda z: 2 / math.pi * np.arctan(z), sf=lambda z: 2 / math.pi * np.arctan2(1.0, z),
        ppf=lambda q: np.tan(math.pi / 2 * q), isf=lambda q: 1 / np.tan(math.pi / 2 * q), low=_zero),
    "vonmises": Law(_von_mises),
}
# fmt: on
"""SciPy's names, and what they are in standard form."""
