"""Derivatives by parameters that have no closed form (of an incomplete gamma function by its shape), from differences of SciPy's values.

The functions are analytic in the parameter, so that a central difference of 13 points has an error of h^12, and with a step of a tenth of the
length on which the function changes hardly any but that of rounding: the first derivative is right to about 1e-11 of the function's size
there, the second to 1e-9, the third to 1e-7. Each is a function of its own, with rows by its other arguments, so that it can be
differentiated again.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from autograd_np import errors
from autograd_np.op import Primitive
from autograd_np.ops.for_scipy.rows import by_element
from autograd_np.typing import Array

__all__ = ["bell", "in_double", "stencil"]

_REACH = 6
HIGHEST = 3
"""The highest derivative by such a parameter; others are refused by name."""


@functools.cache
def _weights(order: int) -> tuple[float, ...]:
    """Return the weights of a central difference on the points -6 ... 6: derivatives of Lagrange's polynomials at 0, exactly."""
    points = range(-_REACH, _REACH + 1)
    weights = []
    for j in points:
        coefficients = [Fraction(1)]  # of the product of (x - k) / (j - k), constant first
        for k in points:
            if k != j:
                shifted = [Fraction(0), *coefficients]
                coefficients = [(a - k * b) / (j - k) for a, b in zip(shifted, [*coefficients, Fraction(0)], strict=True)]
        weights.append(float(coefficients[order] * math.factorial(order)))
    return tuple(weights)


def stencil(f: Callable[[Array], Array], order: int, at: Array, step: Array, name: str) -> Array:
    """Return the derivative of `f`, a function of an array of parameters, of the given order."""
    if order > HIGHEST:
        raise errors.NoRowError(f"{name} has no {order}th derivative by its parameter here; there are {HIGHEST}")
    total: Any = 0.0
    for j, w in zip(range(-_REACH, _REACH + 1), _weights(order), strict=True):
        if w:
            total = total + w * f(at + j * step)
    return total / step**order


def in_double(compute: Callable[..., Array]) -> Primitive:
    """Make a primitive of a function of arrays, and orders of derivatives, that is computed in double precision and rounded to theirs."""

    @functools.wraps(compute)
    def computed(*args: Any, **orders: int) -> Array:
        dtype = np.result_type(*(getattr(a, "dtype", type(a)) for a in args), np.float16)
        wide = [a.astype(np.promote_types(a.dtype, np.float64)) if hasattr(a, "dtype") else np.float64(a) for a in args]
        result = compute(*wide, **orders)
        return result.astype(dtype) if np.finfo(dtype).dtype == np.float32 else result

    return by_element(computed)


def bell(order: int, cumulant: Callable[[int], Array]) -> Array:
    """Return the derivative of e^g, divided by e^g, from the derivatives of g: the complete Bell polynomials."""
    found: list[Any] = [1.0]
    for n in range(order):
        found.append(sum(math.comb(n, k) * cumulant(k + 1) * found[n - k] for k in range(n + 1)))
    return found[order]
