"""Gamma and beta functions, their logarithms, and zeta and polygamma functions. Numbers are equations of https://dlmf.nist.gov."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special

from autograd_np.op import Domain, case, constant
from autograd_np.ops.elementwise import positive
from autograd_np.ops.for_scipy.rows import by_element, each, no_derivative, with_orders
from autograd_np.typing import Array

_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798, -174611 / 330)
_FAR = 20.0
order = Domain(2, 4, dtype="int")
large = Domain(2.2, 4.0)


def _complex_zeta(s: int, q: Array) -> Array:
    """Return Hurwitz' zeta function for complex q: terms up to a real part of 20, and Euler and Maclaurin's formula from there (25.11.5)."""
    count = max(int(np.ceil(_FAR - np.min(np.real(q), initial=_FAR))), 0)
    if count > 10_000:
        raise ValueError(f"derivatives of the gamma function at complex numbers need real parts above {_FAR - 10_000:g}")
    total = np.zeros_like(q)
    for k in range(count):
        total = total + (q + k) ** -s
    w = q + count
    total = total + w ** (1 - s) / (s - 1) + w**-s / 2
    factor = s
    for j, b in enumerate(_BERNOULLI, 1):
        total = total + b / math.factorial(2 * j) * factor * w ** (1 - s - 2 * j)
        factor *= (s + 2 * j - 1) * (s + 2 * j)
    return total


@by_element
def hurwitz(q: Array, s: int) -> Array:
    """Return Hurwitz' zeta function, the sum of (q + k)^-s, for a whole s > 1 and real or complex q."""
    return _complex_zeta(s, q) if q.dtype.kind == "c" else special.zeta(float(s), q)


@by_element
def zeta(x: Array, q: Array) -> Array:
    """Return SciPy's zeta function of two arguments."""
    return special.zeta(x, q)


def polygamma_of(n: int, x: Array) -> Array:
    """Return the n-th derivative of psi, in the precision of x."""
    return special.psi(x) if n == 0 else (-1) ** (n + 1) * math.factorial(n) * hurwitz(x, s=n + 1)  # 25.11.12


@by_element
def polygamma(n: Any, x: Array) -> Array:
    """Return SciPy's polygamma function, in double precision."""
    return special.polygamma(n, x)


@by_element
def comb(N: Array, k: Array) -> Array:
    """Return the number of combinations, by the gamma function."""
    return special.comb(N, k)


def psi_step(x: Array, d: Array) -> Array:
    """Return psi(x + d) - psi(x), which cancels where d is small.

    There it is Taylor's series around the middle, and for large x the asymptotic one, term by term (5.11.2).
    """
    far = (x > 30) & (x + d > 30)
    close = (abs(d) < 1e-3 * x) & ~far
    a = np.where(far, x, 31)
    b = np.where(far, x + d, 31)
    s, t = a**-2.0, b**-2.0
    series = np.log1p(np.where(far, d, 0) / a) + np.where(far, d, 0) / (2 * a * b)
    series = series + (s - t) / 12 - (s * s - t * t) / 120 + (s**3 - t**3) / 252 - (s**4 - t**4) / 240
    middle, small = np.where(close, x + d / 2, 1), np.where(close, d, 0)
    taylor = small * (hurwitz(middle, s=2) + small * small / 4 * hurwitz(middle, s=4))
    plain = far | close
    return np.where(far, series, np.where(close, taylor, special.psi(np.where(plain, 1, x + d)) - special.psi(np.where(plain, 1, x))))


def _rgamma_slope(y: Array, x: Array) -> Array:
    """Return -psi(x) / gamma(x); left of 1/2 by the reflection 5.5.3, which is right at the zeros 0, -1, -2, ... as well."""
    left = np.real(x) < 0.5
    z = 1 - np.where(left, x, 0.25)
    turn = np.pi * (1 - z)
    reflected = special.gamma(z) * (np.cos(turn) - special.psi(z) * np.sin(turn) / np.pi)
    return np.where(left, reflected, -y * special.psi(np.where(left, 1, x)))


def _comb_part(partial: Any) -> Any:
    def of_comb(y: Array, n: Array, k: Array) -> Array:
        ok = (k <= n) & (n >= 0) & (k >= 0)
        return np.where(ok, partial(y, np.where(ok, n, 1), np.where(ok, k, 1)), 0)

    return of_comb


def _binom_n(y: Array, n: Array, k: Array) -> Array:
    return y * psi_step(n - k + 1, k)


def _binom_k(y: Array, n: Array, k: Array) -> Array:
    return y * (special.psi(n - k + 1) - special.psi(k + 1))


with_orders(
    hurwitz, lambda y, q, s: -s * hurwitz(q, s=s + 1), cases=(case((), s=2), case((2, 3), s=3)), on=positive, tex=r"\zeta(#s, #1)"
)  # 25.11.17

# fmt: off
each(zeta,             no_derivative("scipy.special.zeta", "x"), lambda y, s, q: -s * zeta(s + 1, q), on=(order, positive), tex=r"\zeta(#1, #2)")   # 25.11.17
each(special.psi,      lambda y, x: hurwitz(x, s=2),                                            on=positive,          tex=r"\psi(#1)")               # 5.15.1
each(polygamma,        0, lambda y, n, x: polygamma(n + 1, x),                                on=(order, positive), tex=r"\psi^{(#1)}(#2)")
each(special.gammaln,  lambda y, x: special.psi(x),                                           on=positive,          tex=r"\log |\Gamma(#1)|")      # 5.2.2
each(special.loggamma, lambda y, x: special.psi(x),                                           on=positive,          tex=r"\log \Gamma(#1)")
each(special.gamma,    lambda y, x: y * special.psi(x),                                       on=positive,          tex=r"\Gamma(#1)")
each(special.rgamma,   _rgamma_slope,                                                                               tex=r"\frac{1}{\Gamma(#1)}")
each(special.poch,     lambda y, z, m: y * psi_step(z, m), lambda y, z, m: y * special.psi(z + m), on=positive,     tex="(#1)_{#2}")
each(special.beta,     lambda y, a, b: -y * psi_step(a, b), lambda y, a, b: -y * psi_step(b, a),   on=positive,     tex="B(#1, #2)")
each(special.betaln,   lambda y, a, b: -psi_step(a, b), lambda y, a, b: -psi_step(b, a),           on=positive,     tex=r"\log B(#1, #2)")
each(special.binom,    _binom_n, _binom_k,                                                    on=(large, Domain(0.3, 2.0)), tex=r"\binom{#1}{#2}")  # 1.2.6
each(comb,             _comb_part(_binom_n), _comb_part(_binom_k),                            on=(large, Domain(0.3, 2.0)), tex=r"\binom{#1}{#2}")
# fmt: on

constant(special.gammasgn)
