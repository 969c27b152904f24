"""Functions of each element alone: the partial derivative by each argument.

`y` is the output, so a derivative can reuse it. ``1``, ``-1`` and ``0`` are constants the engine skips.
Derivatives are from the NIST Digital Library of Mathematical Functions, https://dlmf.nist.gov, chapter 4.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from autograd_np.op import Domain, case, constant, elementwise, real, several
from autograd_np.typing import Array

positive = Domain(0.2, 3.0)
nonzero = Domain(-2.0, 2.0, away_from=(0.0,))
inside_one = Domain(-0.9, 0.9)
above_one = Domain(1.1, 3.0)
not_whole = Domain(-2.4, 2.4, away_from=(-2.5, -2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 2.5))
whole = Domain(-3, 3, dtype="int")
EACH = (case(()), case((3,)), case((2, 3)))
PAIRS = (case((), ()), case((3,), (3,)), case((2, 3), (3,)), case((2, 1), (1, 3)))


# --- the pieces that the partials below share -----------------------------------------------------


def over(a: Array, b: Array) -> Array:
    """Divide, with anything / 0 = 0: the convention for norms at the origin."""
    return np.where(b == 0, 0, a / np.where(b == 0, 1, b))


def by_square(a: Array, h: Array) -> Array:
    """Return a / h**2 without overflow; 0 where h = 0."""
    return over(over(a, h), h)


def won(mine: Array, other: Array, y: Array) -> Array:
    """1 where `mine` is the larger, a half at ties, else 0, in the dtype of `y`."""
    return np.where(mine == other, 0.5, mine > other).astype(y.dtype)


def or_alone(share: Array, other: Array) -> Array:
    """Return the share of an operand, all of it where the other is NaN and so loses: the rule of fmax and fmin."""
    return np.where(np.isnan(other), 1, share).astype(share.dtype)


def _widened(x: Any, y: Array) -> Any:
    """Return an operand in the dtype of the result, so that no intermediate is rounded to a narrower one."""
    return x if isinstance(x, (float, int, complex)) or x.dtype == y.dtype else x.astype(y.dtype)


def inverse(y: Array, a: Array, b: Any) -> Array:
    """Return 1 / b, in the dtype of the quotient: b may be narrower."""
    if isinstance(b, (float, int)):
        return 1 / b if b else float(np.copysign(np.inf, b))
    if isinstance(b, complex):
        return np.reciprocal(np.complex128(b))
    return 1 / _widened(b, y)


def power_by_base(y: Array, a: Array, b: Any) -> Array:
    """Return b a^(b-1), zero for b = 0 even at a = 0."""
    if isinstance(b, (int, float, complex)):
        return 2 * a if b == 2 else b * a ** (b - 1) if b != 0 else np.zeros_like(y)
    a, b = _widened(a, y), _widened(b, y)
    return b * a ** np.where((a == 0) & (b == 0), 1, b - 1)


def lead(a: Array, b: Array) -> Array:
    """Return b - a, the logarithm of the ratio of e^b to e^a; 0 where both are the same infinity."""
    return np.where(np.isinf(a) & (a == b), 0, b - a)


def power_by_exponent(y: Array, a: Array, b: Any) -> Array:
    """Return y log a: zero at a = 0 for b >= 0, NaN for a < 0, where the power of a real exponent does not exist."""
    a = _widened(a, y)
    zero = (a == 0) & ((np.real(b) if y.dtype.kind == "c" else b) >= 0)
    return np.where(zero, 0, y * np.log(np.where(zero, 1, a)))


def root_of_one_plus_square(x: Array) -> Array:
    """Return sqrt(1 + x^2); for real x without overflow."""
    return np.sqrt(1 + x * x) if x.dtype.kind == "c" else np.hypot(1, x)


def sinc_slope(y: Array, x: Array) -> Array:
    """(cos(pi x) - sinc x) / x; near 0, where that cancels, its Taylor series."""
    near = abs(x) < 0.03
    z = (np.pi * x) ** 2
    series = -(np.pi**2) * x / 3 * (1 - z / 10 * (1 - z / 28 * (1 - z / 54)))
    far = np.where(near, 1, x)
    return np.where(near, series, (np.cos(np.pi * far) - np.sinc(far)) / far)


# --- the table ------------------------------------------------------------------------------------
# fmt: off

# arithmetic        function           by each argument                                              sampled on            notation
ADD      = elementwise(np.add,         1, 1,                                                                               tex="#1 + #2", of_numbers=operator.add)
SUBTRACT = elementwise(np.subtract,    1, -1,                                                                              tex="#1 - #2", of_numbers=operator.sub)
MULTIPLY = elementwise(np.multiply,    lambda y, a, b: b, lambda y, a, b: a,                                               tex=r"#1 \odot #2", of_numbers=operator.mul)
DIVIDE   = elementwise(np.divide,      inverse, lambda y, a, b: -y / b,                              on=(real, positive),  tex=r"\frac{#1}{#2}", of_numbers=operator.truediv)
NEGATIVE = elementwise(np.negative,    -1,                                                                                 tex="-#1")
elementwise(np.positive,               1,                                                                                  tex="#1")
elementwise(np.reciprocal,             lambda y, x: -(y * y),                                        on=positive,          tex=r"\frac{1}{#1}")
elementwise(np.square,                 lambda y, x: 2 * x,                                                                 tex="#1^2")
elementwise(np.sqrt,                   lambda y, x: 0.5 / y,                                         on=positive,          tex=r"\sqrt{#1}")
elementwise(np.cbrt,                   lambda y, x: 1 / (3 * y * y),                                 on=nonzero,           tex=r"\sqrt[3]{#1}")
elementwise(np.power,                  power_by_base, power_by_exponent,                             on=(positive, real),  tex="#1^{#2}")
elementwise(np.float_power,            power_by_base, power_by_exponent,                             on=(positive, real),  tex="#1^{#2}")
elementwise(np.remainder,              1, lambda y, a, b: np.rint((y - a) / b),                         on=(Domain(0.3, 0.9), Domain(1.1, 2.0)), tex=r"#1 \bmod #2")
elementwise(np.fmod,                   1, lambda y, a, b: np.rint((y - a) / b),                         on=(Domain(0.3, 0.9), Domain(1.1, 2.0)), tex=r"#1 \bmod #2")
elementwise(np.floor_divide,           0, 0,                                                         on=(Domain(0.3, 0.9), Domain(1.1, 2.0)), tex=r"\lfloor #1 / #2 \rfloor")
elementwise(np.ldexp,                  lambda y, x, n: np.ldexp(np.ones_like(x), n), 0,              on=(real, whole),     tex=r"#1 \cdot 2^{#2}")

# exponentials and logarithms
elementwise(np.exp,                    lambda y, x: y,                                                                     tex="e^{#1}")
elementwise(np.exp2,                   lambda y, x: y * np.log(2).item(),                                                  tex="2^{#1}")
elementwise(np.expm1,                  lambda y, x: y + 1,                                                                 tex="e^{#1} - 1")
elementwise(np.log,                    lambda y, x: np.reciprocal(x),                                on=positive,          tex=r"\log #1")
elementwise(np.log2,                   lambda y, x: 1 / (x * np.log(2).item()),                      on=positive,          tex=r"\log_2 #1")
elementwise(np.log10,                  lambda y, x: 1 / (x * np.log(10).item()),                     on=positive,          tex=r"\log_{10} #1")
elementwise(np.log1p,                  lambda y, x: 1 / (1 + x),                                     on=positive,          tex=r"\log(1 + #1)")
elementwise(np.logaddexp,              lambda y, a, b: np.exp(-np.logaddexp(0, lead(a, b))), lambda y, a, b: np.exp(-np.logaddexp(0, lead(b, a))), tex=r"\log(e^{#1} + e^{#2})")
elementwise(np.logaddexp2,             lambda y, a, b: np.exp2(-np.logaddexp2(0, lead(a, b))), lambda y, a, b: np.exp2(-np.logaddexp2(0, lead(b, a))), tex=r"\log_2(2^{#1} + 2^{#2})")

# trigonometric and hyperbolic
elementwise(np.sin,                    lambda y, x: np.cos(x),                                                             tex=r"\sin #1")
elementwise(np.cos,                    lambda y, x: -np.sin(x),                                                            tex=r"\cos #1")
elementwise(np.tan,                    lambda y, x: 1 + y * y,                                       on=inside_one,        tex=r"\tan #1")
elementwise(np.arcsin,                 lambda y, x: 1 / np.sqrt((1 - x) * (1 + x)),                  on=inside_one,        tex=r"\arcsin #1")
elementwise(np.arccos,                 lambda y, x: -1 / np.sqrt((1 - x) * (1 + x)),                 on=inside_one,        tex=r"\arccos #1")
elementwise(np.arctan,                 lambda y, x: np.square(1 / root_of_one_plus_square(x)),                           tex=r"\arctan #1")
elementwise(np.arctan2,                lambda y, a, b: by_square(b, np.hypot(a, b)), lambda y, a, b: -by_square(a, np.hypot(a, b)), on=(nonzero, positive), tex=r"\operatorname{atan2}(#1, #2)", note="0 at the origin")
elementwise(np.sinh,                   lambda y, x: np.cosh(x),                                                            tex=r"\sinh #1")
elementwise(np.cosh,                   lambda y, x: np.sinh(x),                                                            tex=r"\cosh #1")
elementwise(np.tanh,                   lambda y, x: 1 - y * y,                                                             tex=r"\tanh #1")
elementwise(np.arcsinh,                lambda y, x: 1 / root_of_one_plus_square(x),                                      tex=r"\operatorname{arsinh} #1")
elementwise(np.arccosh,                lambda y, x: 1 / (np.sqrt(x - 1) * np.sqrt(x + 1)),           on=above_one,         tex=r"\operatorname{arcosh} #1")
elementwise(np.arctanh,                lambda y, x: 1 / ((1 - x) * (1 + x)),                         on=inside_one,        tex=r"\operatorname{artanh} #1")
elementwise(np.sinc,                   sinc_slope,                                                                         tex=r"\operatorname{sinc} #1")
elementwise(np.deg2rad,                lambda y, x: np.pi / 180,                                                           tex=r"\frac{\pi}{180} #1")
elementwise(np.radians,                lambda y, x: np.pi / 180,                                                           tex=r"\frac{\pi}{180} #1")
elementwise(np.rad2deg,                lambda y, x: 180 / np.pi,                                                           tex=r"\frac{180}{\pi} #1")
elementwise(np.degrees,                lambda y, x: 180 / np.pi,                                                           tex=r"\frac{180}{\pi} #1")
elementwise(np.hypot,                  lambda y, a, b: over(a, y), lambda y, a, b: over(b, y),       on=nonzero,           tex=r"\sqrt{#1^2 + #2^2}", note="0 at the origin")

# magnitude, order, selection: ties are shared equally
elementwise(np.fabs,                   lambda y, x: np.sign(x),                                      on=nonzero,           tex=r"\lvert #1 \rvert", note="0 at 0")
elementwise(np.maximum,                lambda y, a, b: won(a, b, y), lambda y, a, b: won(b, a, y),                         tex=r"\max(#1, #2)", note="ties: a half each", gates=True)
elementwise(np.minimum,                lambda y, a, b: won(b, a, y), lambda y, a, b: won(a, b, y),                         tex=r"\min(#1, #2)", note="ties: a half each", gates=True)
elementwise(np.fmax,                   lambda y, a, b: or_alone(won(a, b, y), b), lambda y, a, b: or_alone(won(b, a, y), a), tex=r"\max(#1, #2)", note="ties: a half each; a NaN loses", selects=True, gates=True)
elementwise(np.fmin,                   lambda y, a, b: or_alone(won(b, a, y), b), lambda y, a, b: or_alone(won(a, b, y), a), tex=r"\min(#1, #2)", note="ties: a half each; a NaN loses", selects=True, gates=True)
elementwise(np.heaviside,              0, lambda y, a, b: a == 0,                                    on=nonzero,           tex="H(#1)")
elementwise(np.nextafter,              1, 0,                                                                               note="a step of one unit in the last place")
elementwise(np.copysign,               lambda y, a, b: np.copysign(1, a) * np.copysign(1, b), 0,     on=nonzero,           tex=r"\lvert #1 \rvert \operatorname{sgn} #2")

# steps: the derivative is zero wherever it exists
elementwise(np.floor,                  0,                                                            on=not_whole,         tex=r"\lfloor #1 \rfloor")
elementwise(np.ceil,                   0,                                                            on=not_whole,         tex=r"\lceil #1 \rceil")
elementwise(np.rint,                   0,                                                            on=not_whole)
elementwise(np.trunc,                  0,                                                            on=not_whole)
elementwise(np.fix,                    0,                                                            on=not_whole, signature="x")

constant(np.equal,         tex="#1 = #2")
constant(np.not_equal,     tex=r"#1 \ne #2")
constant(np.less,          tex="#1 < #2")
constant(np.less_equal,    tex=r"#1 \le #2")
constant(np.greater,       tex="#1 > #2")
constant(np.greater_equal, tex=r"#1 \ge #2")
constant(np.logical_and,   tex=r"#1 \wedge #2")
constant(np.logical_or,    tex=r"#1 \vee #2")
constant(np.bitwise_and,   tex=r"#1 \wedge #2")
constant(np.bitwise_or,    tex=r"#1 \vee #2")
constant(np.logical_not,   tex=r"\neg #1")
constant(np.invert,        tex=r"\neg #1")
constant(
    np.logical_xor, np.isnan, np.isinf, np.isfinite, np.signbit, np.bitwise_xor,
    np.left_shift, np.right_shift, np.gcd, np.lcm, np.bitwise_count, np.spacing,
)
# fmt: on


# --- several results ------------------------------------------------------------------------------


def _scaled(g: Array | None, by: Array) -> Array | None:
    return None if g is None else g * by


# fmt: off
several(np.modf,   lambda g, y, x: g[0],                                                                  steps=(1,), on=not_whole, cases=EACH)
several(np.frexp,  lambda g, y, x: _scaled(g[0], np.ldexp(np.ones_like(x), -y[1])),                       steps=(1,), on=positive,  cases=EACH)
several(np.divmod, lambda g, y, a, b: g[1], lambda g, y, a, b: _scaled(g[1], -y[0]),                      steps=(0,), on=(Domain(0.3, 0.9), Domain(1.1, 2.0)), cases=PAIRS)
# fmt: on
