"""Exponentials and logarithms that a compiler turns into instructions on several numbers at once; needs Numba.

NumPy's are calls of a library, a number at a time where the processor has no AVX-512. These are polynomials without a branch, right to
1 unit in the last place (`expm1`: 2, `tanh`: 3), with NumPy's infinities, NaN and zeros. float32 is computed in float64.
"""

from __future__ import annotations

import math
from typing import Any

from numba import njit, types
from numba.extending import intrinsic as _intrinsic

intrinsic: Any = _intrinsic

__all__ = ["exp", "expm1", "log", "log1p", "logaddexp", "maximum", "minimum", "plus", "tanh"]


@intrinsic  # type: ignore[untyped-decorator]
def bits(_context: Any, _x: Any) -> Any:
    """Return the bits of a float64 as an integer."""
    return types.int64(types.float64), lambda _, builder, signature, args: _cast(builder, signature, args)


@intrinsic  # type: ignore[untyped-decorator]
def of_bits(_context: Any, _x: Any) -> Any:
    """Return the float64 that has these bits."""
    return types.float64(types.int64), lambda _, builder, signature, args: _cast(builder, signature, args)


@intrinsic  # type: ignore[untyped-decorator]
def exponent(_context: Any, _x: Any) -> Any:
    """Return the bits of an exponent, the sign left out, as an integer: a shift to the right that fills up with zeros."""
    return types.int64(types.int64), lambda _, builder, _signature, args: builder.lshr(args[0], args[0].type(52))


def _cast(builder: Any, signature: Any, args: Any) -> Any:
    from llvmlite import ir

    return builder.bitcast(args[0], ir.DoubleType() if signature.return_type == types.float64 else ir.IntType(64))


def _inlined(f: Any) -> Any:
    return njit(error_model="numpy", fastmath={"contract"}, forceinline=True)(f)


LOG2_E, LN2_HIGH, LN2_LOW = 1.4426950408889634, 0.6931471803691238, 1.9082149292705877e-10
ROUND = 6755399441055744.0
"""1.5 · 2**52: a number that is added to it is rounded to an integer, which stands in the last bits."""
ONE = 0x3FF0000000000000

P0, P1, P2, P3, P4, P5, P6, P7, P8, P9 = (
    0.5, 0.16666666666666669, 0.04166666666662413, 0.008333333333330062, 0.0013888888917213717,
    0.00019841269863053618, 2.4801521295954376e-05, 2.7557268459997064e-06, 2.7620088445409746e-07, 2.510038549551032e-08,
)  # fmt: skip
"""(exp(r) - 1 - r) / r² for |r| ≤ log(2) / 2, by Chebyshev's polynomials."""


@_inlined
def _parts(x):  # type: ignore[no-untyped-def]
    """Return exp(r) - 1 and two powers of two of which exp(x) is (1 + exp(r) - 1) times the product."""
    x = -746.0 if x < -746.0 else x
    x = 710.0 if x > 710.0 else x
    k = (x * LOG2_E + ROUND) - ROUND
    r = (x - k * LN2_HIGH) - k * LN2_LOW
    p = ((((((((P9 * r + P8) * r + P7) * r + P6) * r + P5) * r + P4) * r + P3) * r + P2) * r + P1) * r + P0
    half = k * 0.5 + ROUND
    first = of_bits((bits(half) << 52) + ONE)
    second = of_bits((bits((k - (half - ROUND)) + ROUND) << 52) + ONE)
    return r + r * r * p, first, second


@_inlined
def exp(x):  # type: ignore[no-untyped-def]
    """Return e to the x."""
    e, first, second = _parts(x)
    return (1.0 + e) * first * second


@_inlined
def expm1(x):  # type: ignore[no-untyped-def]
    """Return exp(x) - 1."""
    e, first, second = _parts(x)
    found = (e * first + (first - 1.0 / second)) * second
    return x if x == 0.0 else found


Q0, Q1, Q2, Q3, Q4, Q5, Q6, Q7 = (
    0.6666666666666666, 0.4000000000000088, 0.2857142857080329, 0.222222223917858, 0.18181795632452163, 0.1538624012056702,
    0.13268761951330021, 0.13086743139119072,
)  # fmt: skip
"""(2 artanh(s) - 2 s) / s³ by s² for |s| ≤ 3 - 2 √2."""
ROOT_HALF = 0x3FE6A09E667F3BCD


@_inlined
def log(x):  # type: ignore[no-untyped-def]
    """Return the natural logarithm."""
    tiny = x < 2.2250738585072014e-308
    scaled = x * 18014398509481984.0 if tiny else x
    b = bits(scaled) + (ONE - ROOT_HALF)
    k = of_bits(exponent(b) | 0x4330000000000000) - (4503599627370496.0 + 1023.0)
    k = k - 54.0 if tiny else k
    f = of_bits((b & 0xFFFFFFFFFFFFF) + ROOT_HALF) - 1.0
    s = f / (2.0 + f)
    z = s * s
    r = z * (((((((Q7 * z + Q6) * z + Q5) * z + Q4) * z + Q3) * z + Q2) * z + Q1) * z + Q0)
    h = 0.5 * f * f
    found = k * LN2_HIGH - ((h - (s * (h + r) + k * LN2_LOW)) - f)
    found = math.inf if x == math.inf else found
    found = -math.inf if x == 0.0 else found
    found = math.nan if x < 0.0 else found
    return x if x != x else found


@_inlined
def log1p(x):  # type: ignore[no-untyped-def]
    """Return log(1 + x)."""
    u = 1.0 + x
    found = log(u) + (x - (u - 1.0)) / u
    found = math.inf if x == math.inf else found
    found = -math.inf if x == -1.0 else found
    return x if x == 0.0 else found


@_inlined
def tanh(x):  # type: ignore[no-untyped-def]
    """Return the hyperbolic tangent."""
    a = -2.0 * abs(x)
    a = -50.0 if a < -50.0 else a
    t = expm1(a)
    return math.copysign(-t / (2.0 + t), x)


@njit(error_model="numpy", forceinline=True)
def logaddexp(x, y):  # type: ignore[no-untyped-def]
    """Return log(exp(x) + exp(y))."""
    d = x - y
    found = maximum(x, y) + log1p(exp(-abs(d)))
    return x + math.log(2.0) if x == y else found


@njit(error_model="numpy", forceinline=True)
def maximum(x, y):  # type: ignore[no-untyped-def]
    """Return the larger, or NaN where one is."""
    found = x if x >= y else y
    return x if x != x else found


@njit(error_model="numpy", forceinline=True)
def minimum(x, y):  # type: ignore[no-untyped-def]
    """Return the smaller, or NaN where one is."""
    found = x if x <= y else y
    return x if x != x else found


@njit(error_model="numpy", fastmath={"reassoc"}, forceinline=True)
def plus(x, y):  # type: ignore[no-untyped-def]
    """Return a sum that may be taken in another order: several at once, in one loop."""
    return x + y
