"""Elliptic and other integrals, hypergeometric functions, orthogonal polynomials and Lambert's W. Numbers are equations of DLMF."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import special

from autograd_np.op import Domain, case, eager, general, several
from autograd_np.ops.elementwise import inside_one, positive
from autograd_np.ops.for_scipy.elementary import near_zero, probability, series
from autograd_np.ops.for_scipy.rows import by_element, each, no_derivative
from autograd_np.typing import Array

shape = Domain(0.7, 3.0)
degree = Domain(1, 4, dtype="int")


# --- elliptic integrals ---------------------------------------------------------------------------

_SQUARES = [1.0]
for _n in range(1, 24):
    _SQUARES.append(_SQUARES[-1] * ((2 * _n - 1) / (2 * _n)) ** 2)
_K_SLOPE = [math.pi / 2 * n * c for n, c in enumerate(_SQUARES)][1:]  # 19.5.1
_E_SLOPE = [-math.pi / 2 * n * c / (2 * n - 1) for n, c in enumerate(_SQUARES)][1:]  # 19.5.2


def _k_slope(m: Array) -> Array:
    """Return (E - (1 - m) K) / (2 m (1 - m)) (19.4.1), near 0 its series."""
    return near_zero(m, 0.15, _K_SLOPE, lambda m: (special.ellipe(m) - (1 - m) * special.ellipk(m)) / (2 * m * (1 - m)))


def _e_slope(m: Array) -> Array:
    """Return (E - K) / (2 m) (19.4.2), near 0 its series."""
    return near_zero(m, 0.15, _E_SLOPE, lambda m: (special.ellipe(m) - special.ellipk(m)) / (2 * m))


def _km1_slope(y: Array, p: Array) -> Array:
    near_one = p > 0.85  # where m = 1 - p is small
    q = np.where(near_one, 0.5, p)
    direct = (special.ellipe(1 - q) - q * special.ellipkm1(q)) / (2 * (1 - q) * q)
    return -np.where(near_one, series(np.where(near_one, 1 - p, 0), _K_SLOPE), direct)


# fmt: off
each(special.ellipk,    lambda y, m: _k_slope(m),                                                                 on=probability,              tex="K(#1)")
each(special.ellipe,    lambda y, m: _e_slope(m),                                                                 on=probability,              tex="E(#1)")
each(special.ellipkm1,  _km1_slope,                                                                               on=probability,              tex="K(1 - #1)")
# fmt: on


# --- integrals of trigonometric functions, Airy functions ------------------------------------------


def _given(g: Any, factors: Any) -> Array:
    """Return the sum of cotangents times factors, of the results that something was computed from."""
    return sum(c * f for c, f in zip(g, factors, strict=True) if c is not None)


def _by_each(*slopes: Any) -> Any:
    """Return the rule of a function of each element that has several results."""

    def rule(g: Any, y: Any, x: Array) -> Array:
        return _given(g, [slope(y, x) for slope in slopes])

    return rule


def _sinc(x: Array) -> Array:
    return np.sinc(x / np.pi)


def _whole(f: np.ufunc) -> Any:
    """Return a ufunc with several results as a function of NumPy's arrays: other libraries refuse it, in other words."""

    def call(x: Array) -> Any:
        return f(x)

    call.__name__ = f.__name__
    return eager(call)


EACH = (case(()), case((3,)), case((2, 3)))
several(
    _whole(special.sici), _by_each(lambda y, x: _sinc(x), lambda y, x: np.cos(x) / x), also=(special.sici,), cases=EACH, on=positive
)  # 6.2.9, 6.2.11
several(
    _whole(special.fresnel),
    _by_each(lambda y, x: np.sin(np.pi / 2 * x * x), lambda y, x: np.cos(np.pi / 2 * x * x)),
    also=(special.fresnel,),
    cases=EACH,
)  # 7.2.7
several(
    _whole(special.shichi),
    _by_each(lambda y, x: np.sinh(x) / x, lambda y, x: np.cosh(x) / x),
    also=(special.shichi,),
    cases=EACH,
    on=positive,
)  # 6.2.15
several(
    _whole(special.airy),
    _by_each(lambda y, x: y[1], lambda y, x: x * y[0], lambda y, x: y[3], lambda y, x: x * y[2]),
    also=(special.airy,),
    cases=EACH,
)  # 9.2.1


# --- exponential integrals, hypergeometric functions -----------------------------------------------


def _expn(y: Array, n: Array, x: Array) -> Array:
    """Return -E_(n - 1) (8.19.13)."""
    zero = n < 1
    return -np.where(zero, np.exp(-x) * (1 + x) / (x * x), special.expn(np.where(zero, 1, n) - 1, x))


def _hyp0f1(y: Array, v: Array, x: Array) -> Array:
    return special.hyp0f1(v + 1, x) / v


def _hyp1f1(y: Array, a: Array, b: Array, x: Array) -> Array:
    return a / b * special.hyp1f1(a + 1, b + 1, x)


def _hyp2f1(y: Array, a: Array, b: Array, c: Array, z: Array) -> Array:
    return a * b / c * special.hyp2f1(a + 1, b + 1, c + 1, z)


def _refused(name: str, *arguments: str) -> list[Any]:
    return [no_derivative(f"scipy.special.{name}", a) for a in arguments]


whole = Domain(1, 2, dtype="int")
# fmt: off
each(special.expn,     *_refused("expn", "n"), _expn,               on=(degree, positive),                tex="E_{#1}(#2)")
each(special.hyp0f1,   *_refused("hyp0f1", "v"), _hyp0f1,           on=(whole, positive),                 tex=r"{}_0F_1(#1; #2)")       # 16.3.1
each(special.hyp1f1,   *_refused("hyp1f1", "a", "b"), _hyp1f1,      on=(whole, whole, positive),          tex=r"{}_1F_1(#1; #2; #3)")   # 13.3.15
each(special.hyp2f1,   *_refused("hyp2f1", "a", "b", "c"), _hyp2f1, on=(whole, whole, whole, inside_one), tex=r"{}_2F_1(#1, #2; #3; #4)")  # 15.5.1
# fmt: on


# --- orthogonal polynomials (18.9.15 - 18.9.27) -----------------------------------------------------


def _lower(f: Any) -> Any:
    """Return the derivative of the polynomials of degree n > 0; that of degree 0 is constant."""
    return lambda y, n, *arrays: np.where(n > 0, f(np.maximum(n, 1), *arrays), 0)


# fmt: off
each(special.eval_legendre,    *_refused("eval_legendre", "n"),    _lower(lambda n, x: (n + 1) / 2 * special.eval_jacobi(n - 1, 1.0, 1.0, x)), on=(degree, inside_one), tex="P_{#1}(#2)")
each(special.eval_chebyt,      *_refused("eval_chebyt", "n"),      _lower(lambda n, x: n * special.eval_chebyu(n - 1, x)),                     on=(degree, inside_one), tex="T_{#1}(#2)")
each(special.eval_chebyu,      *_refused("eval_chebyu", "n"),      _lower(lambda n, x: 2 * special.eval_gegenbauer(n - 1, 2.0, x)),            on=(degree, inside_one), tex="U_{#1}(#2)")
each(special.eval_hermite,     *_refused("eval_hermite", "n"),     _lower(lambda n, x: 2 * n * special.eval_hermite(n - 1, x)),                on=(degree, inside_one), tex="H_{#1}(#2)")
each(special.eval_hermitenorm, *_refused("eval_hermitenorm", "n"), _lower(lambda n, x: n * special.eval_hermitenorm(n - 1, x)),                on=(degree, inside_one), tex=r"\mathrm{He}_{#1}(#2)")
each(special.eval_laguerre,    *_refused("eval_laguerre", "n"),    _lower(lambda n, x: -special.eval_genlaguerre(n - 1, 1.0, x)),              on=(degree, positive),   tex="L_{#1}(#2)")
each(special.eval_genlaguerre, *_refused("eval_genlaguerre", "n", "alpha"), _lower(lambda n, a, x: -special.eval_genlaguerre(n - 1, a + 1, x)), on=(degree, whole, positive), tex="L_{#1}^{(#2)}(#3)")
each(special.eval_gegenbauer,  *_refused("eval_gegenbauer", "n", "alpha"),  _lower(lambda n, a, x: 2 * a * special.eval_gegenbauer(n - 1, a + 1, x)), on=(degree, whole, inside_one), tex="C_{#1}^{(#2)}(#3)")
each(special.eval_jacobi,      *_refused("eval_jacobi", "n", "alpha", "beta"), _lower(lambda n, a, b, x: (n + a + b + 1) / 2 * special.eval_jacobi(n - 1, a + 1, b + 1, x)), on=(degree, whole, whole, inside_one), tex="P_{#1}^{(#2, #3)}(#4)")
# fmt: on


# --- Lambert's W ----------------------------------------------------------------------------------


@by_element
def lambertw(z: Array, k: int = 0, tol: float = 1e-8) -> Array:
    """Return a branch of Lambert's W function: complex, as SciPy's."""
    return special.lambertw(z, k, tol)


def _lambertw_vjp(g: Array, y: Array, z: Array, k: int = 0, tol: float = 1e-8) -> Array:
    return g * np.exp(-y) / (1 + y)  # 4.13.4


general(
    lambertw,
    _lambertw_vjp,
    cases=(case(()), case((3,)), case((2, 3), k=-1), case((3,), k=1)),
    on=Domain(0.1, 2.0),
    selects=False,
    by_element=True,
)
