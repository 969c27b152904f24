"""Incomplete gamma and beta functions, their inverses, and the distributions that are made of them.

By x they have densities for derivatives (https://dlmf.nist.gov, chapter 8), by the shape none in closed form: those are differences,
whose accuracy `differences` states, taken of the function or of its complement, whichever is the smaller and so known better.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special

from autograd_np.op import Domain, case
from autograd_np.ops.elementwise import positive
from autograd_np.ops.for_scipy.differences import bell, in_double, stencil
from autograd_np.ops.for_scipy.elementary import probability
from autograd_np.ops.for_scipy.gamma_functions import polygamma_of
from autograd_np.ops.for_scipy.rows import each, with_orders
from autograd_np.typing import Array

shape = Domain(0.7, 4.0)
NOTE = "by the shape by differences, right to about 1e-11 of the function or its complement"


def _safe(ok: Any, x: Array, instead: float) -> Array:
    return np.where(ok, x, instead)


def _reciprocal(density: Array) -> Array:
    """Return 1 / density, the slope of a quantile; 0 where it was rounded to an end of the support."""
    return np.where(density > 0, 1 / np.where(density > 0, density, 1), 0)


# --- the gamma distribution -----------------------------------------------------------------------


def _log_x_less_psi(a: Array, x: Array, order: int) -> Array:
    """Return the order-th derivative by a of the logarithm of x^(a - 1) e^-x / gamma(a)."""
    return np.log(x) - special.psi(a) if order == 1 else -polygamma_of(order - 1, a)


def gamma_density(a: Array, x: Array, order: int = 0) -> Array:
    """Return the order-th derivative by a of x^(a - 1) e^-x / gamma(a) (8.8.13); zero for x < 0."""
    inside = (x > 0) & (x < np.inf)
    x = _safe(inside, x, 1.0)
    density = np.exp(special.xlogy(a - 1, x) - x - special.gammaln(a))
    density = density * bell(order, lambda k: _log_x_less_psi(a, x, k)) if order else density
    return np.where(inside, density, 0)


@in_double
def gammainc_by_shape(a: Array, x: Array, n: int) -> Array:
    """Return the n-th derivative by a of the regularised lower incomplete gamma function."""
    inside = (x > 0) & (x < np.inf) & (a > 0)
    a, z = _safe(a > 0, a, 1.0), _safe(inside, x, 1.0)
    step = np.minimum(0.2 / (abs(np.log(z) - special.psi(a + 0.5)) + 1 / np.sqrt(1 + a)), a / 7)
    lower = special.gammainc(a, z) < 0.5
    found = stencil(lambda b: np.where(lower, special.gammainc(b, z), -special.gammaincc(b, z)), n, a, step, "scipy.special.gammainc")
    return np.where(inside, found, 0)


def _gamma_inverse(y: Array, a: Array) -> Array:
    return _reciprocal(gamma_density(a, y))


# fmt: off
with_orders(gammainc_by_shape,    lambda y, a, x, n: gammainc_by_shape(a, x, n=n + 1), lambda y, a, x, n: gamma_density(a, x, n), cases=(case((), (), n=1), case((2, 3), (3,), n=1)), on=(shape, positive), tex=r"\partial_{#1}^{#n} P(#1, #2)")
each(special.gammainc,      lambda y, a, x: gammainc_by_shape(a, x, n=1),  lambda y, a, x: gamma_density(a, x),     on=(shape, positive),     tex="P(#1, #2)",      note=NOTE)
each(special.gammaincc,     lambda y, a, x: -gammainc_by_shape(a, x, n=1), lambda y, a, x: -gamma_density(a, x),    on=(shape, positive),     tex="Q(#1, #2)",      note=NOTE)
each(special.gammaincinv,   lambda y, a, p: -gammainc_by_shape(a, y, n=1) * _gamma_inverse(y, a), lambda y, a, p: _gamma_inverse(y, a),  on=(shape, probability), tex="P^{-1}(#1, #2)", note=NOTE)
each(special.gammainccinv,  lambda y, a, p: -gammainc_by_shape(a, y, n=1) * _gamma_inverse(y, a), lambda y, a, p: -_gamma_inverse(y, a), on=(shape, probability), tex="Q^{-1}(#1, #2)", note=NOTE)
# fmt: on


# --- the beta distribution ------------------------------------------------------------------------


def _beta_cumulant(a: Array, b: Array, x: Array, i: int, j: int) -> Array:
    """Return the derivative, i times by a and j times by b, of the logarithm of x^(a - 1) (1 - x)^(b - 1) / B(a, b)."""
    k = i + j - 1
    found = polygamma_of(k, a + b)
    if j == 0:
        found = found - polygamma_of(k, a) + (np.log(x) if i == 1 else 0)
    if i == 0:
        found = found - polygamma_of(k, b) + (np.log1p(-x) if j == 1 else 0)
    return found


def _mixed_bell(i: int, j: int, a: Array, b: Array, x: Array) -> Array:
    """Return the mixed derivative of the density, divided by it: `bell` in two variables."""
    if i == 0:
        return bell(j, lambda k: _beta_cumulant(a, b, x, 0, k))
    return sum(
        math.comb(i - 1, k) * math.comb(j, m) * _beta_cumulant(a, b, x, k + 1, m) * _mixed_bell(i - 1 - k, j - m, a, b, x)
        for k in range(i)
        for m in range(j + 1)
    )


def beta_density(a: Array, b: Array, x: Array, i: int = 0, j: int = 0) -> Array:
    """Return the density x^(a - 1) (1 - x)^(b - 1) / B(a, b) (8.17.1), or a derivative by a and b; zero outside of (0, 1)."""
    inside = (x > 0) & (x < 1)
    x = _safe(inside, x, 0.5)
    density = np.exp(special.xlogy(a - 1, x) + special.xlog1py(b - 1, -x) - special.betaln(a, b))
    density = density * _mixed_bell(i, j, a, b, x) if i or j else density
    return np.where(inside, density, 0)


@in_double
def betainc_by_shapes(a: Array, b: Array, x: Array, i: int, j: int) -> Array:
    """Return the derivative, i times by a and j times by b, of the regularised incomplete beta function."""
    inside = (x > 0) & (x < 1) & (a > 0) & (b > 0)
    a, b, z = _safe(a > 0, a, 1.0), _safe(b > 0, b, 1.0), _safe(inside, x, 0.5)
    lower = special.betainc(a, b, z) < 0.5
    total = special.psi(a + b + 0.5)
    pole = (a + b) / 40  # where the sum is 0 there is one
    ha = np.minimum(np.minimum(0.2 / (abs(np.log(z) + total - special.psi(a + 0.5)) + 1 / np.sqrt(1 + a)), a / 7), pole)
    hb = np.minimum(np.minimum(0.2 / (abs(np.log1p(-z) + total - special.psi(b + 0.5)) + 1 / np.sqrt(1 + b)), b / 7), pole)

    def value(p: Array, q: Array) -> Array:
        return np.where(lower, special.betainc(p, q, z), -special.betaincc(p, q, z))

    name = "scipy.special.betainc"

    def by_b(p: Array) -> Array:
        return stencil(lambda q: value(p, q), j, b, hb, name) if j else value(p, b)

    found = stencil(by_b, i, a, ha, name) if i else by_b(a)
    return np.where(inside, found, 0)


def _beta_inverse(y: Array, a: Array, b: Array) -> Array:
    return _reciprocal(beta_density(a, b, y))


def _inverse_by(i: int, j: int) -> Any:
    return lambda y, a, b, p: -betainc_by_shapes(a, b, y, i=i, j=j) * _beta_inverse(y, a, b)


# fmt: off
with_orders(
    betainc_by_shapes,
    lambda y, a, b, x, i, j: betainc_by_shapes(a, b, x, i=i + 1, j=j),
    lambda y, a, b, x, i, j: betainc_by_shapes(a, b, x, i=i, j=j + 1),
    lambda y, a, b, x, i, j: beta_density(a, b, x, i, j),
    tex=r"\partial_{#1}^{#i} \partial_{#2}^{#j} I_{#3}(#1, #2)",
    cases=(case((), (), (), i=1, j=0), case((2, 3), (3,), (1, 3), i=0, j=1)),
    on=(shape, shape, probability),
)
each(special.betainc,     lambda y, a, b, x: betainc_by_shapes(a, b, x, i=1, j=0),  lambda y, a, b, x: betainc_by_shapes(a, b, x, i=0, j=1),  lambda y, a, b, x: beta_density(a, b, x),  on=(shape, shape, probability), tex="I_{#3}(#1, #2)", note=NOTE)
each(special.betaincc,    lambda y, a, b, x: -betainc_by_shapes(a, b, x, i=1, j=0), lambda y, a, b, x: -betainc_by_shapes(a, b, x, i=0, j=1), lambda y, a, b, x: -beta_density(a, b, x), on=(shape, shape, probability), tex="1 - I_{#3}(#1, #2)", note=NOTE)
each(special.betaincinv,  _inverse_by(1, 0), _inverse_by(0, 1), lambda y, a, b, p: _beta_inverse(y, a, b),  on=(shape, shape, probability), tex="I^{-1}(#1, #2, #3)", note=NOTE)
each(special.betainccinv, _inverse_by(1, 0), _inverse_by(0, 1), lambda y, a, b, p: -_beta_inverse(y, a, b), on=(shape, shape, probability), tex="I^{-1}(#1, #2, 1 - #3)", note=NOTE)
# fmt: on


# --- Student's t ----------------------------------------------------------------------------------


def _t_cumulant(v: Array, t: Array, order: int) -> Array:
    """Return the order-th derivative by v of the logarithm of the density."""
    sign = (-1) ** (order - 1) * math.factorial(order - 1)

    def of_log(k: int) -> Array:  # of log(1 + t^2 / v)
        return np.log1p(t * t / v) if k == 0 else (-1) ** (k - 1) * math.factorial(k - 1) * ((v + t * t) ** float(-k) - v ** float(-k))

    found = (polygamma_of(order - 1, (v + 1) / 2) - polygamma_of(order - 1, v / 2)) / 2**order
    return found - sign * v ** float(-order) / 2 - ((v + 1) * of_log(order) + order * of_log(order - 1)) / 2


def t_density(v: Array, t: Array, order: int = 0) -> Array:
    """Return the density of Student's t, or a derivative by its degrees of freedom v."""
    log = special.gammaln((v + 1) / 2) - special.gammaln(v / 2) - np.log(v * np.pi) / 2 - (v + 1) / 2 * np.log1p(t * t / v)
    return np.exp(log) * bell(order, lambda k: _t_cumulant(v, t, k)) if order else np.exp(log)


def _t_tail(v: Array, t: Array) -> Array:
    """Return the integral of the density up to -|t| (8.17.1), more exactly than special.stdtr, whose error differences would show."""
    near = t * t < v
    return np.where(near, special.betaincc(0.5, v / 2, t * t / (v + t * t)), special.betainc(v / 2, 0.5, v / (v + t * t))) / 2


@in_double
def stdtr_by_freedom(v: Array, t: Array, n: int) -> Array:
    """Return the n-th derivative by the degrees of freedom of the integral of Student's t."""
    step = np.minimum(
        np.minimum(0.2 / (np.log1p(t * t / v) / 2 + 1 / np.sqrt(1 + v * v)), v / 7), np.minimum(v + 1, v + t * t) / 40
    )  # poles at -1, -t^2
    return -np.sign(t) * stencil(lambda w: _t_tail(w, t), n, v, step, "scipy.special.stdtr")


# fmt: off
with_orders(stdtr_by_freedom, lambda y, v, t, n: stdtr_by_freedom(v, t, n=n + 1), lambda y, v, t, n: t_density(v, t, n), cases=(case((), (), n=1), case((2, 3), (3,), n=1)), on=(shape, Domain(-2.0, 2.0)), tex=r"\partial_{#1}^{#n} F_{#1}(#2)")
each(special.stdtr,    lambda y, v, t: stdtr_by_freedom(v, t, n=1),           lambda y, v, t: t_density(v, t),       on=(shape, Domain(-2.0, 2.0)), note=NOTE, tex="F_{#1}(#2)")
each(special.stdtrit,  lambda y, v, p: -stdtr_by_freedom(v, y, n=1) / t_density(v, y), lambda y, v, p: 1 / t_density(v, y), on=(shape, probability), note=NOTE, tex="F_{#1}^{-1}(#2)")
# fmt: on
