"""Elementary functions of `scipy.special`: what logarithms, exponentials, powers and losses are made of.

Derivatives are from the NIST Digital Library of Mathematical Functions, https://dlmf.nist.gov, chapter 4, unless a comment says otherwise.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special

from autograd_np.op import Domain, real
from autograd_np.ops.elementwise import inside_one, positive
from autograd_np.ops.for_scipy.rows import each
from autograd_np.typing import Array

probability = Domain(0.1, 0.9)
small = Domain(-0.4, 0.8)


# --- the pieces that the partials share -----------------------------------------------------------


def series(z: Array, coefficients: Any) -> Array:
    """Return the polynomial with these coefficients, constant first, by Horner's rule."""
    total = coefficients[-1]
    for c in coefficients[-2::-1]:
        total = total * z + c
    return total + 0 * z


def near_zero(z: Array, bound: float, coefficients: Any, far: Any) -> Array:
    """Return a power series where ``|z| < bound``, and ``far(z)`` elsewhere, where that does not cancel."""
    near = abs(z) < bound
    return np.where(near, series(np.where(near, z, 0), coefficients), far(np.where(near, 1, z)))


_EXPREL_SLOPE = [1 / ((n + 2) * math.factorial(n)) for n in range(18)]
_ROOT_SLOPE = [(-1) ** (n + 1) * (n + 1) / (n + 2) for n in range(28)]
_LOG_RATIO = [(-1) ** n / (n + 1) for n in range(26)]


def exprel_slope(z: Array) -> Array:
    """Return (e^z (z - 1) + 1) / z^2, the derivative of (e^z - 1) / z: the sum of z^n / (n! (n + 2))."""
    return near_zero(z, 0.6, _EXPREL_SLOPE, lambda z: (np.exp(z) / z) * ((z - 1) / z) + 1 / z / z)


def _spence_slope(y: Array, z: Array) -> Array:
    """Return log(z) / (1 - z), near 1 its series (25.12.2)."""
    near = abs(z - 1) < 0.2
    far = np.where(near, 2, z)
    return np.where(near, -series(np.where(near, z - 1, 0), _LOG_RATIO), np.log(far) / (1 - far))


def log_ratio(u: Array) -> Array:
    """Return log(1 + u) / u."""
    return near_zero(u, 0.2, _LOG_RATIO, lambda u: np.log1p(u) / u)


def _root_slope(w: Array) -> Array:
    """Return (w / (1 + w) - log(1 + w)) / w^2, the sum of (-1)^(n + 1) w^n (n + 1) / (n + 2)."""
    return near_zero(w, 0.25, _ROOT_SLOPE, lambda w: (w / (1 + w) - np.log1p(w)) / w / w)


def _share(x: Array, y: Array) -> Array:
    """Return x / y, and 0 for 0 / 0."""
    nothing = (x == 0) & (y == 0)
    return np.where(nothing, 0, x / np.where(nothing, 1, y))


def _log_of_ratio(x: Array, y: Array) -> Array:
    """Return log(x / y), also where the ratio overflows."""
    ratio = x / y
    fits = (ratio > 0) & (ratio < np.inf)
    return np.where(fits, np.log(np.where(fits, ratio, 1)), np.log(np.where(fits, 1, x)) - np.log(np.where(fits, 1, y)))


def _outside(allowed: Any, partial: Array) -> Array:
    """Return 0 where a function is a constant infinity."""
    return np.where(allowed, partial, 0)


def _entr(y: Array, x: Array) -> Array:
    return _outside(x >= 0, -np.log(np.where(x >= 0, x, 1)) - 1)


def _relative_x(plus: int) -> Any:
    def partial(y: Array, a: Array, b: Array) -> Array:
        ok = (a >= 0) & (b > 0)
        return _outside(ok, _log_of_ratio(np.where(ok, a, 1), np.where(ok, b, 1)) + plus)

    return partial


def _relative_y(plus: int) -> Any:
    def partial(y: Array, a: Array, b: Array) -> Array:
        ok = (a >= 0) & (b > 0)
        return _outside(ok, plus - a / np.where(ok, b, 1))

    return partial


def _huber_width(y: Array, d: Array, r: Array) -> Array:
    return np.where((d >= 0) & (abs(r) > d), abs(r) - d, 0)


def _huber_slope(y: Array, d: Array, r: Array) -> Array:
    return np.where(d >= 0, np.where(abs(r) > d, d * np.sign(r), r), 0)


def _stretch(d: Array, r: Array) -> tuple[Array, Array]:
    """Return u = r / d, and s = sqrt(1 + u^2)."""
    u = r / np.where(d == 0, 1, d)
    return u, np.hypot(1, u)


def _pseudo_huber_width(y: Array, d: Array, r: Array) -> Array:
    # 2 (s - 1) - u^2 / s without the cancellation, as u^4 / (s (s + 1)^2)
    u, s = _stretch(d, r)
    q = u / (s + 1)
    return np.where(d > 0, d * (u / s) * u * q * q, 0)


def _pseudo_huber_slope(y: Array, d: Array, r: Array) -> Array:
    return np.where(d > 0, d * np.sin(np.arctan(_stretch(d, r)[0])), 0)  # r / s, whose own slope does not cancel


def _boxcox_power(y: Array, log: Array, b: Array) -> Array:
    return log * log * exprel_slope(b * log)


def _inverse_slope(y: Array, b: Array) -> Array:
    """Return (1 + b y)^(1/b - 1); e^y for b = 0."""
    return np.exp(y * log_ratio(b * y) - np.log1p(b * y))


def _inverse_power(x: Array, y: Array, b: Array) -> Array:
    return x * y * y * _root_slope(b * y)


# fmt: off
# logistic
each(special.expit,        lambda y, x: y * special.expit(-x),                                            tex=r"\sigma(#1)")
each(special.log_expit,    lambda y, x: special.expit(-x),                                                tex=r"\log \sigma(#1)")
each(special.logit,        lambda y, x: 1 / (x * (1 - x)),                         on=probability,        tex=r"\operatorname{logit} #1")

# exponentials and logarithms
each(special.exp2,         lambda y, x: y * math.log(2),                                                  tex="2^{#1}")
each(special.exp10,        lambda y, x: y * math.log(10),                                                 tex="10^{#1}")
each(special.expm1,        lambda y, x: y + 1,                                                            tex="e^{#1} - 1")
each(special.log1p,        lambda y, x: 1 / (1 + x),                               on=positive,           tex=r"\log(1 + #1)")
each(special.exprel,       lambda y, x: exprel_slope(x),                                                  tex=r"\frac{e^{#1} - 1}{#1}")
each(special.cosm1,        lambda y, x: -np.sin(x),                                                       tex=r"\cos #1 - 1")
each(special.cbrt,         lambda y, x: 1 / (3 * y * y),                           on=positive,           tex=r"\sqrt[3]{#1}")
each(special.xlogy,        lambda y, a, b: np.log(b), lambda y, a, b: _share(a, b),            on=(real, positive), tex=r"#1 \log #2", note="0 by y where both are 0")
each(special.xlog1py,      lambda y, a, b: special.log1p(b), lambda y, a, b: _share(a, 1 + b), on=(real, positive), tex=r"#1 \log(1 + #2)", note="0 by y where x is 0 and y is -1")

# entropies
each(special.entr,         _entr,                                                  on=positive,           tex=r"-#1 \log #1")
each(special.rel_entr,     _relative_x(1), _relative_y(0),                         on=positive,           tex=r"#1 \log \frac{#1}{#2}")
each(special.kl_div,       _relative_x(0), _relative_y(1),                         on=positive,           tex=r"\operatorname{kl}(#1, #2)")

# losses and powers
each(special.huber,        _huber_width, _huber_slope,                             on=(Domain(1.0, 2.0), inside_one))
each(special.pseudo_huber, _pseudo_huber_width, _pseudo_huber_slope,               on=(positive, real))
each(special.boxcox,       lambda y, x, b: x ** (b - 1), lambda y, x, b: _boxcox_power(y, np.log(x), b),                    on=(positive, real))
each(special.boxcox1p,     lambda y, x, b: (1 + x) ** (b - 1), lambda y, x, b: _boxcox_power(y, np.log1p(x), b),            on=(positive, real))
each(special.inv_boxcox,   lambda x, y, b: _inverse_slope(y, b), lambda x, y, b: _inverse_power(x, y, b),                   on=(small, small))
each(special.inv_boxcox1p, lambda x, y, b: _inverse_slope(y, b), lambda x, y, b: _inverse_power(x + 1, y, b),               on=(small, small))

# integrals of them
each(special.spence,       _spence_slope,                        on=positive,           tex=r"\operatorname{Li}_2(1 - #1)")    # 25.12.2
each(special.exp1,         lambda y, x: -np.exp(-x) / x,                           on=positive,           tex="E_1(#1)")                         # 6.2.1
each(special.expi,         lambda y, x: np.exp(x) / x,                             on=positive,           tex=r"\operatorname{Ei}(#1)")          # 6.2.5
# fmt: on
