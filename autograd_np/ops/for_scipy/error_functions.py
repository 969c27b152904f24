"""The error function and its relatives, and the normal distribution. Numbers are equations of https://dlmf.nist.gov, chapter 7."""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from autograd_np.op import Domain, primitive
from autograd_np.ops.elementwise import inside_one
from autograd_np.ops.for_scipy.elementary import probability, series
from autograd_np.ops.for_scipy.rows import each
from autograd_np.typing import Array

_FAR = 12.0
_TERMS = 16
TWO_BY_ROOT_PI = 2 / math.sqrt(math.pi)
ROOT_TWO = math.sqrt(2)
ROOT_TWO_PI = math.sqrt(2 * math.pi)


def _odd_factorial(n: int) -> int:
    """Return 1 * 3 * ... * (2n - 1)."""
    return math.prod(range(1, 2 * n, 2))


_ERFCX = [(-1.0) ** (k + 1) * (2 * k + 1) * _odd_factorial(k) for k in range(_TERMS)]
_DAWSN = [-1.0 * _odd_factorial(k + 1) for k in range(_TERMS)]


def _far(x: Array, to_the_right: bool) -> Array:
    return (np.real(x) if to_the_right else abs(np.real(x))) > _FAR


def _erfcx_slope(y: Array, x: Array) -> Array:
    """Return 2 x y - 2 / sqrt(pi); for large x, where that cancels, the derivative of the asymptotic series 7.12.1."""
    far = _far(x, True)
    z = np.where(far, x, _FAR)
    q = 1 / (z * z)
    tail = TWO_BY_ROOT_PI / 2 * q * series(q / 2, _ERFCX)
    return np.where(far, tail, 2 * np.where(far, 0, x) * y - TWO_BY_ROOT_PI)


def _dawsn_slope(y: Array, x: Array) -> Array:
    """Return 1 - 2 x y (7.5.1 is its integral); for large x the asymptotic series, since that cancels."""
    far = _far(x, False)
    z = np.where(far, x, _FAR)
    q = 1 / (2 * z * z)
    return np.where(far, q * series(q, _DAWSN), 1 - 2 * np.where(far, 0, x) * y)


def bell_curve(x: Array) -> Array:
    """Return the normal density."""
    return np.exp(-x * x / 2) / ROOT_TWO_PI


@primitive
def hazard(x: Array) -> Array:
    """Return the normal density over its integral up to x, accurate in both tails: sqrt(2 / pi) / erfcx(-x / sqrt(2))."""
    return (TWO_BY_ROOT_PI / ROOT_TWO) / special.erfcx(-x / ROOT_TWO)


def _hazard_slope(y: Array, x: Array) -> Array:
    """Return -y (x + y); on the left, where that cancels, from the slope of erfcx."""
    left = np.real(x) < 0
    u = np.where(left, -x, 0) / ROOT_TWO
    e = special.erfcx(u)
    return np.where(left, y * _erfcx_slope(e, u) / (e * ROOT_TWO), -y * (np.where(left, 0, x) + y))


def _owens_h(y: Array, h: Array, a: Array) -> Array:
    return -bell_curve(h) * special.erf(a * h / ROOT_TWO) / 2


def _owens_a(y: Array, h: Array, a: Array) -> Array:
    return np.exp(-h * h * (1 + a * a) / 2) / (2 * math.pi * (1 + a * a))


def _fall_of_inverse(y: Array, _p: Array) -> Array:
    return -np.exp(y * y) / TWO_BY_ROOT_PI


each(hazard, _hazard_slope)
# fmt: off
each(special.erf,       lambda y, x: TWO_BY_ROOT_PI * np.exp(-x * x),                               tex=r"\operatorname{erf} #1")     # 7.2.1
each(special.erfc,      lambda y, x: -TWO_BY_ROOT_PI * np.exp(-x * x),                              tex=r"\operatorname{erfc} #1")
each(special.erfi,      lambda y, x: TWO_BY_ROOT_PI * np.exp(x * x),                                tex=r"\operatorname{erfi} #1")
each(special.erfcx,     _erfcx_slope,                                                               tex=r"\operatorname{erfcx} #1")
each(special.dawsn,     _dawsn_slope,                                                               tex="F(#1)")
each(special.erfinv,    lambda y, p: np.exp(y * y) / TWO_BY_ROOT_PI, on=inside_one,                 tex=r"\operatorname{erf}^{-1} #1")
each(special.erfcinv,   _fall_of_inverse, on=Domain(0.1, 1.9),                                      tex=r"\operatorname{erfc}^{-1} #1")
each(special.ndtr,      lambda y, x: bell_curve(x),                                                 tex=r"\Phi(#1)")
each(special.log_ndtr,  lambda y, x: hazard(x),                                                     tex=r"\log \Phi(#1)")
each(special.ndtri,     lambda y, p: ROOT_TWO_PI * np.exp(y * y / 2), on=probability,               tex=r"\Phi^{-1}(#1)")
each(special.ndtri_exp, lambda y, p: 1 / hazard(y), on=Domain(-3.0, -0.1),                          tex=r"\Phi^{-1}(e^{#1})")
each(special.owens_t,   _owens_h, _owens_a,                                                         tex="T(#1, #2)")
# fmt: on
