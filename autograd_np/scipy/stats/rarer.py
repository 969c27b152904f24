"""The laws of rarer continuous distributions: of extremes, of lifetimes, of signals. As in `continuous`, in SciPy's standard form."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import special

from autograd_np.ops.for_scipy.elementary import log_ratio
from autograd_np.scipy.stats.base import Law
from autograd_np.scipy.stats.continuous import LOG_PI, LOG_ROOT_TWO_PI, LOG_TWO, ROOT_TWO, fade, odds_cdf, odds_sf, rise


def _zero(*_shapes: Any) -> float:
    return 0.0


def _one(*_shapes: Any) -> float:
    return 1.0


# --- extremes -------------------------------------------------------------------------------------


def _end(c: Any, where: Any, otherwise: float) -> Any:
    """Return -1 / c where the support ends there."""
    return np.where(where, -1 / np.where(where, c, 1), otherwise)


def _stretched(z: Any, c: Any) -> Any:
    """Return log(1 + c z) / c, which is z for c = 0."""
    return z * log_ratio(c * z)


def _pareto(z: Any, c: Any) -> Any:
    return -(c + 1) * _stretched(z, c)


def _extreme(z: Any, c: Any) -> Any:
    w = _stretched(z, -c)
    return -np.exp(-w) - w - np.log1p(-c * z)


# --- sums, products, and what is seen of them -------------------------------------------------------


def _exponential_normal(z: Any, k: Any) -> Any:
    return (0.5 / k - z) / k + special.log_ndtr(z - 1 / k)


def _asymmetric_laplace(z: Any, kappa: Any) -> Any:
    return z * np.where(z >= 0, -kappa, 1 / kappa) - np.log(kappa + 1 / kappa)


def _asymmetric_laplace_cdf(z: Any, kappa: Any) -> Any:
    right = z >= 0
    total = kappa + 1 / kappa
    return np.where(
        right, 1 - np.exp(-np.where(right, z, 0) * kappa) / kappa / total, np.exp(np.where(right, 0, z) / kappa) * kappa / total
    )


def _asymmetric_laplace_sf(z: Any, kappa: Any) -> Any:
    return _asymmetric_laplace_cdf(-z, 1 / kappa)


def _triangle(z: Any, c: Any) -> Any:
    left = z < c
    return LOG_TWO + np.where(
        left, np.log(np.where(left, z, 1) / np.where(left, c, 1)), np.log(np.where(left, 1, 1 - z) / np.where(left, 1, 1 - c))
    )


def _triangle_cdf(z: Any, c: Any) -> Any:
    left = z < c
    return np.where(left, z * z / np.where(left, c, 1), 1 - np.square(1 - z) / np.where(left, 1, 1 - c))


def _inverse_gaussian(z: Any, mu: Any) -> Any:
    zero = z == 0
    x = np.where(zero, 1, z)
    return np.where(zero, -np.inf, -LOG_ROOT_TWO_PI - 1.5 * np.log(x) - np.square((x - mu) / mu) / (2 * x))


def _inverse_gaussian_log_cdf(z: Any, mu: Any) -> Any:
    root = np.sqrt(z)
    return np.logaddexp(special.log_ndtr((z / mu - 1) / root), 2 / mu + special.log_ndtr(-(z / mu + 1) / root))


def _inverse_gaussian_log_sf(z: Any, mu: Any) -> Any:
    root = np.sqrt(z)
    right = special.log_ndtr(-(z / mu - 1) / root)
    return right + np.log1p(-np.exp(2 / mu + special.log_ndtr(-(z / mu + 1) / root) - right))


def _exp_of(f: Any) -> Any:
    return lambda z, *shapes: np.exp(f(z, *shapes))


def _log_levy(z: Any) -> Any:
    zero = z == 0
    x = np.where(zero, 1, z)
    return np.where(zero, -np.inf, -LOG_ROOT_TWO_PI - 1.5 * np.log(x) - 0.5 / x)


def _frechet(z: Any, c: Any) -> Any:
    zero = z == 0
    x = np.where(zero, 1, z)
    return np.where(zero, -np.inf, np.log(c) - (c + 1) * np.log(x) - x**-c)


def _log_logistic(z: Any, c: Any) -> Any:
    right = z > 1
    low, high = np.where(right, 1, z), np.where(right, z, 1)
    left_part = special.xlogy(c - 1, low) - 2 * np.log1p(low**c)
    return np.log(c) + np.where(right, -(c + 1) * np.log(high) - 2 * np.log1p(high**-c), left_part)


# fmt: off
LAWS: dict[str, Law] = {
    "genextreme": Law(
        _extreme, cdf=lambda z, c: fade(np.exp(-_stretched(z, -c))), logcdf=lambda z, c: -np.exp(-_stretched(z, -c)),
        sf=lambda z, c: rise(np.exp(-_stretched(z, -c))), low=lambda c: _end(-c, c < 0, -np.inf), high=lambda c: _end(-c, c > 0, np.inf),
        valid=lambda c: abs(c) < np.inf, middle=0.0),
    "genpareto": Law(
        _pareto, cdf=lambda z, c: -np.expm1(-_stretched(z, c)), sf=lambda z, c: np.exp(-_stretched(z, c)), logsf=lambda z, c: -_stretched(z, c),
        low=_zero, high=lambda c: _end(c, c < 0, np.inf), valid=lambda c: abs(c) < np.inf, middle=0.0),
    "invweibull": Law(_frechet, cdf=lambda z, c: fade(z**-c), logcdf=lambda z, c: -(z**-c), sf=lambda z, c: rise(z**-c), low=_zero),
    "lomax": Law(
        lambda z, c: np.log(c) - (c + 1) * np.log1p(z), cdf=lambda z, c: -np.expm1(-c * np.log1p(z)), sf=lambda z, c: np.exp(-c * np.log1p(z)),
        logsf=lambda z, c: -c * np.log1p(z), ppf=lambda q, c: np.expm1(-np.log1p(-q) / c), low=_zero),
    "burr12": Law(
        lambda z, c, d: np.log(c) + np.log(d) + special.xlogy(c - 1, z) - (d + 1) * np.log1p(z**c), cdf=lambda z, c, d: rise(d * np.log1p(z**c)),
        sf=lambda z, c, d: fade(d * np.log1p(z**c)), logsf=lambda z, c, d: -d * np.log1p(z**c), low=_zero),
    "fisk": Law(
        _log_logistic, cdf=lambda z, c: special.expit(c * np.log(z)),
        sf=lambda z, c: special.expit(-c * np.log(z)), logcdf=lambda z, c: special.log_expit(c * np.log(z)),
        logsf=lambda z, c: special.log_expit(-c * np.log(z)), ppf=lambda q, c: np.exp(special.logit(q) / c), low=_zero),
    "gompertz": Law(
        lambda z, c: np.log(c) + z - c * np.expm1(z), cdf=lambda z, c: rise(c * np.expm1(z)), sf=lambda z, c: fade(c * np.expm1(z)),
        logsf=lambda z, c: -c * np.expm1(z), ppf=lambda q, c: np.log1p(-np.log1p(-q) / c), low=_zero),
    "loggamma": Law(
        lambda z, c: c * z - np.exp(z) - special.gammaln(c), cdf=lambda z, c: special.gammainc(c, np.exp(z)),
        sf=lambda z, c: special.gammaincc(c, np.exp(z))),
    "moyal": Law(
        lambda z: -(z + np.exp(-z)) / 2 - LOG_ROOT_TWO_PI, cdf=lambda z: special.erfc(np.exp(-z / 2) / ROOT_TWO),
        sf=lambda z: special.erf(np.exp(-z / 2) / ROOT_TWO)),

    "chi": Law(
        lambda z, df: (1 - df / 2) * LOG_TWO - special.gammaln(df / 2) + special.xlogy(df - 1, z) - z * z / 2,
        cdf=lambda z, df: special.gammainc(df / 2, z * z / 2), sf=lambda z, df: special.gammaincc(df / 2, z * z / 2), low=_zero),
    "maxwell": Law(
        lambda z: (LOG_TWO - LOG_PI) / 2 + special.xlogy(2, z) - z * z / 2, cdf=lambda z: special.gammainc(1.5, z * z / 2),
        sf=lambda z: special.gammaincc(1.5, z * z / 2), low=_zero),
    "nakagami": Law(
        lambda z, nu: LOG_TWO + special.xlogy(nu, nu) - special.gammaln(nu) + special.xlogy(2 * nu - 1, z) - nu * z * z,
        cdf=lambda z, nu: special.gammainc(nu, nu * z * z), sf=lambda z, nu: special.gammaincc(nu, nu * z * z), low=_zero),
    "rice": Law(
        lambda z, b: special.xlogy(1, z) - np.square(z - b) / 2 + np.log(special.i0e(z * b)), low=_zero, valid=lambda b: b >= 0),
    "betaprime": Law(
        lambda z, a, b: special.xlogy(a - 1, z) - (a + b) * np.log1p(z) - special.betaln(a, b), cdf=odds_cdf,
        sf=odds_sf, low=_zero),

    "exponnorm": Law(
        lambda z, k: _exponential_normal(z, k) - np.log(k), cdf=lambda z, k: special.ndtr(z) - np.exp(_exponential_normal(z, k)),
        sf=lambda z, k: special.ndtr(-z) + np.exp(_exponential_normal(z, k))),
    "gennorm": Law(lambda z, b: np.log(b / 2) - special.gammaln(1 / b) - abs(z) ** b),
    "halflogistic": Law(
        lambda z: LOG_TWO + special.log_expit(z) + special.log_expit(-z), cdf=lambda z: np.tanh(z / 2), sf=lambda z: 2 * special.expit(-z),
        logsf=lambda z: LOG_TWO + special.log_expit(-z), ppf=lambda q: 2 * np.arctanh(q), low=_zero),
    "laplace_asymmetric": Law(_asymmetric_laplace, cdf=_asymmetric_laplace_cdf, sf=_asymmetric_laplace_sf),
    "loguniform": Law(
        lambda z, a, b: -np.log(z) - np.log(np.log(b / a)), cdf=lambda z, a, b: np.log(z / a) / np.log(b / a), sf=lambda z, a, b: np.log(b / z) / np.log(b / a),
        ppf=lambda q, a, b: a * np.exp(q * np.log(b / a)), low=lambda a, b: a, high=lambda a, b: b, valid=lambda a, b: (a > 0) & (b > a)),
    "triang": Law(_triangle, cdf=_triangle_cdf, low=_zero, high=_one, valid=lambda c: (c >= 0) & (c <= 1)),
    "invgauss": Law(
        _inverse_gaussian, logcdf=_inverse_gaussian_log_cdf, logsf=_inverse_gaussian_log_sf, cdf=_exp_of(_inverse_gaussian_log_cdf),
        sf=_exp_of(_inverse_gaussian_log_sf), low=_zero),
    "levy": Law(
        _log_levy, cdf=lambda z: special.erfc(np.sqrt(0.5 / z)), sf=lambda z: special.erf(np.sqrt(0.5 / z)),
        ppf=lambda q: 0.5 / np.square(special.erfcinv(q)), low=_zero),
}
# fmt: on
"""SciPy's names, and what they are in standard form."""
