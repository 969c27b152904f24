"""Bessel functions, by their argument and by their order. Numbers are equations of https://dlmf.nist.gov, chapter 10."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special

from autograd_np.op import Domain, Primitive, case
from autograd_np.ops.elementwise import positive
from autograd_np.ops.for_scipy.differences import in_double, stencil
from autograd_np.ops.for_scipy.elementary import series
from autograd_np.ops.for_scipy.rows import each, no_derivative, of_reals, with_orders
from autograd_np.typing import Array

whole_order = Domain(0, 3, dtype="int")
real_order = Domain(0.3, 2.5)
away = Domain(0.5, 4.0)
BY_ORDER = "by the order by differences, right to about 1e-11 of the function"


# --- by the order ---------------------------------------------------------------------------------


def _step(v: Array, x: Array, turning: bool) -> Array:
    """Return a tenth of the length on which a Bessel function changes with its order.

    It grows or falls as e^(-v arsinh(v / x)) (10.41.3), or turns by a right angle with each order (10.17.3).
    """
    size = np.maximum(abs(x), 1e-300)
    least = 1 if turning else (1 + v * v + np.minimum(size, 1e150) ** 2) ** -0.25
    return 0.1 / (np.arcsinh((abs(v) + 1) / size) + least)


def _by_order(f: np.ufunc, neighbours: Callable[[Any, Any, int, Any, Any], Array], symbol: str, reals: bool) -> Primitive:
    """Return the n-th derivative of `f` by its order, a function of (v, x, n); `neighbours` says its derivative by x."""

    def derivative(v: Array, x: Array, n: int) -> Array:
        return stencil(lambda order: f(order, x), n, v, _step(v, x, neighbours is _oscillating), f"scipy.special.{f.__name__}")

    derivative.__name__ = derivative.__qualname__ = f"{f.__name__}_by_order"
    new = in_double(derivative)

    def along(n: int, v: Array, x: Array) -> Array:
        return new(v, x, n=n) if n else f(v, x)

    def slope(y: Array, v: Array, x: Array, n: int) -> Array:
        return neighbours(along, y, n, v, x)

    with_orders(
        new,
        lambda y, v, x, n: new(v, x, n=n + 1),
        of_reals(f"scipy.special.{f.__name__}", slope) if reals else slope,
        cases=(case((), (), n=1), case((2, 3), (3,), n=1)),
        on=(real_order, away),
        tex=rf"\partial_{{#1}}^{{#n}} {symbol}_{{#1}}(#2)",
    )
    return new


def _oscillating(along: Any, y: Array, n: int, v: Array, x: Array) -> Array:
    return (along(n, v - 1, x) - along(n, v + 1, x)) / 2  # 10.6.1


def _growing(along: Any, y: Array, n: int, v: Array, x: Array) -> Array:
    return (along(n, v - 1, x) + along(n, v + 1, x)) / 2  # 10.29.1


def _growing_scaled(along: Any, y: Array, n: int, v: Array, x: Array) -> Array:
    return (along(n, v - 1, x) + along(n, v + 1, x)) / 2 - np.sign(x) * y


def _falling(along: Any, y: Array, n: int, v: Array, x: Array) -> Array:
    return -(along(n, v - 1, x) + along(n, v + 1, x)) / 2  # 10.29.1


def _falling_scaled(along: Any, y: Array, n: int, v: Array, x: Array) -> Array:
    return y - (along(n, v - 1, x) + along(n, v + 1, x)) / 2


def _row(f: np.ufunc, neighbours: Any, symbol: str, on: Domain = away, reals: bool = False) -> None:
    by_order = _by_order(f, neighbours, symbol, reals)

    def along(n: int, v: Array, x: Array) -> Array:
        return f(v, x)

    def by_argument(y: Array, v: Array, x: Array) -> Array:
        return neighbours(along, y, 0, v, x)

    slope = of_reals(f"scipy.special.{f.__name__}", by_argument) if reals else by_argument
    each(f, lambda y, v, x: by_order(v, x, n=1), slope, on=(real_order, on), tex=rf"{symbol}_{{#1}}(#2)", note=BY_ORDER)


_row(special.jv, _oscillating, "J")
_row(special.yv, _oscillating, "Y")
_row(special.jve, _oscillating, "J", reals=True)  # the factor is 1 for real arguments
_row(special.yve, _oscillating, "Y", reals=True)
_row(special.iv, _growing, "I")
_row(special.kv, _falling, "K")
_row(special.ive, _growing_scaled, r"e^{-|#2|} I", reals=True)
_row(special.kve, _falling_scaled, r"e^{#2} K")


# --- of whole order -------------------------------------------------------------------------------

_FAR = 30.0
_TERMS = 14


def _hankel(order: int) -> list[float]:
    """Return the coefficients of 10.40.1 and 10.40.2, of powers of 1 / x, without their signs."""
    found = [1.0]
    for k in range(1, _TERMS + 1):
        found.append(found[-1] * (4 * order**2 - (2 * k - 1) ** 2) / (8 * k))
    return found


_A0, _A1 = _hankel(0), _hankel(1)
_I_GAP = [(-1) ** k * (b - a) for k, (a, b) in enumerate(zip(_A0, _A1, strict=True))]
_K_GAP = [a - b for a, b in zip(_A0, _A1, strict=True)]


def _gap(x: Array, coefficients: list[float], scale: float, near: Array) -> Array:
    """Return the difference of the scaled functions of orders 1 and 0, which cancels for large x, by their asymptotic series."""
    far = abs(x) > _FAR
    size = np.where(far, abs(x), _FAR)
    series_of_gap = np.sqrt(scale / size) * series(1 / size, coefficients)
    return np.where(far, series_of_gap, near)


def _i0e_slope(y: Array, x: Array) -> Array:
    return np.sign(x) * _gap(x, _I_GAP, 0.5 / np.pi, special.i1e(abs(x)) - y)


def _k0e_slope(y: Array, x: Array) -> Array:
    return _gap(x, _K_GAP, np.pi / 2, y - special.k1e(x))


# fmt: off
each(special.j0,  lambda y, x: -special.j1(x),                                               tex="J_0(#1)")      # 10.6.3
each(special.j1,  lambda y, x: (special.j0(x) - special.jv(2.0, x)) / 2,                       tex="J_1(#1)")
each(special.y0,  lambda y, x: -special.y1(x),                                  on=away,     tex="Y_0(#1)")
each(special.y1,  lambda y, x: (special.y0(x) - special.yv(2.0, x)) / 2,          on=away,     tex="Y_1(#1)")
each(special.yn,  no_derivative("scipy.special.yn", "n"), lambda y, n, x: (special.yn(n - 1, x) - special.yn(n + 1, x)) / 2, on=(whole_order, away), tex="Y_{#1}(#2)")
each(special.i0,  lambda y, x: special.i1(x),                                                tex="I_0(#1)")      # 10.29.3
each(special.i1,  lambda y, x: (special.i0(x) + special.iv(2.0, x)) / 2,                       tex="I_1(#1)")
each(special.i0e, _i0e_slope,                                                   on=positive, tex="e^{-|#1|} I_0(#1)", note="0 at 0")
each(special.i1e, lambda y, x: (special.i0e(x) + special.ive(2.0, x)) / 2 - np.sign(x) * y, on=positive, tex="e^{-|#1|} I_1(#1)")
each(special.k0,  lambda y, x: -special.k1(x),                                  on=positive, tex="K_0(#1)")
each(special.k1,  lambda y, x: -special.k0(x) - y / x,                          on=positive, tex="K_1(#1)")
each(special.kn,  no_derivative("scipy.special.kn", "n"), lambda y, n, x: -(special.kn(abs(n - 1), x) + special.kn(n + 1, x)) / 2, on=(whole_order, positive), tex="K_{#1}(#2)")
each(special.k0e, _k0e_slope,                                                   on=positive, tex="e^{#1} K_0(#1)")
each(special.k1e, lambda y, x: y - special.k0e(x) - y / x,                      on=positive, tex="e^{#1} K_1(#1)")
# fmt: on
