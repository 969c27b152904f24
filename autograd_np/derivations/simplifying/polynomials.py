"""Polynomials: sums of terms, each a number times powers of atoms, which are any expressions."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any

import numpy as np

from autograd_np.derivations.expression import Expression, row_of, walked
from autograd_np.ops.shaping import spread
from autograd_np.results import Results

__all__ = [
    "DECIMALS",
    "ONE",
    "Cost",
    "Monomial",
    "Number",
    "Polynomial",
    "as_number",
    "inverse",
    "is_constant",
    "is_real",
    "is_scale",
    "leaves_of",
    "length",
    "monomial",
    "order_of",
    "plus",
    "quotient",
    "raised",
    "scaled",
    "times",
    "times_in",
    "total",
]

Number = Any
"""An int, a float or a Fraction."""
Monomial = tuple[tuple[Expression, int], ...]
Polynomial = dict[Monomial, Number]

ONE: Polynomial = {(): 1}
DECIMALS = 8
"""Numbers of no more characters are computed with exactly."""


def monomial(powers: dict[Expression, int]) -> Monomial:
    """Return powers of atoms in their order, without those that are zero."""
    found = [item for item in powers.items() if item[1]]
    if len(found) > 1:
        found.sort(key=_index_of)
    return tuple(found)


def _index_of(item: tuple[Expression, int]) -> int:
    return item[0].index


def times(a: Polynomial, b: Polynomial) -> Polynomial:
    """Return the product, term by term."""
    found: Polynomial = {}
    for ma, ca in a.items():
        for mb, cb in b.items():
            if not ma or not mb:
                m = ma or mb
            else:
                powers = dict(ma)
                for e, n in mb:
                    powers[e] = powers.get(e, 0) + n
                m = monomial(powers)
            found[m] = found.get(m, 0) + ca * cb
    return {m: c for m, c in found.items() if c != 0}


def plus(a: Polynomial, b: Polynomial) -> Polynomial:
    """Return the sum."""
    found = dict(a)
    for m, c in b.items():
        found[m] = found.get(m, 0) + c
    return {m: c for m, c in found.items() if c != 0}


def total(terms: Iterable[Polynomial]) -> Polynomial:
    """Return the sum of several."""
    found: Polynomial = {}
    for p in terms:
        found = plus(found, p)
    return found


def scaled(a: Polynomial, by: Number) -> Polynomial:
    """Return a multiple."""
    return {m: c * by for m, c in a.items()} if by != 0 else {}


def raised(a: Polynomial, n: int) -> Polynomial:
    """Return the n-th power of a single term."""
    [(m, c)] = a.items()
    return {tuple((e, k * n) for e, k in m): c**n if n > 0 else inverse(c) ** -n}


def inverse(c: Number) -> Number:
    """Return one divided by a number, of whole ones exactly."""
    return 1 / Fraction(c) if isinstance(c, (int, Fraction)) else 1 / c


def as_number(value: Any) -> Number:
    """Return a number to compute with, exactly where its decimals are few: so that 2 * 0.05 is 0.1."""
    if isinstance(value, (int, np.integer)) or (isinstance(value, float) and value.is_integer()):
        return int(value)
    text = repr(float(value))
    return Fraction(text) if len(text) <= DECIMALS and "e" not in text else value


def leaves_of(p: Polynomial) -> frozenset[Expression]:
    """Return the arrays of numbers that a polynomial depends on."""
    return frozenset().union(*(e.reads for m in p for e, _ in m))


class Cost:
    """How much there is to read of expressions: the operations, each as often as it is written, without what is free.

    Parameters
    ----------
    is_free : callable
        Whether an expression is written as a name; of each it has to be the same whenever it is asked.
    """

    def __init__(self, is_free: Callable[[Expression], bool]) -> None:
        self._is_free = is_free
        self._known: dict[Expression, float] = {}

    def __call__(self, e: Expression) -> float:
        """Return how much there is to read of an expression."""
        known = self._known
        if e not in known:
            for x in walked([e], lambda x: x in known or self._is_free(x)):
                if x not in known:
                    own = 0.0 if x.op is None or self._is_free(x) else 0.25 if x.op in _BRIEF else 1.0
                    known[x] = own + (sum(known[a] for a in x.args) if own else 0.0)
        return known[e]


_BRIEF = frozenset(map(row_of, (np.transpose, spread, np.broadcast_to, np.negative)))


def quotient(a: Number, b: Number) -> Number:
    """Return a quotient, of whole numbers as a fraction."""
    if type(a) is int and type(b) is int and b and a % b == 0:
        return a // b
    if isinstance(a, (int, Fraction)) and isinstance(b, (int, Fraction)):
        found = Fraction(a) / Fraction(b)
        return int(found) if found.denominator == 1 else found
    return a / b


def is_constant(p: Polynomial) -> bool:
    """Whether a polynomial is a number, or a size."""
    return not p or (len(p) == 1 and all(e.kind == "number" for e, _ in next(iter(p))))


def order_of(m: Monomial) -> list[tuple[int, int]]:
    """Return what terms are ordered by, so that they come out the same each time."""
    return [(e.index, n) for e, n in m]


def times_in(powers: dict[Expression, int], m: Monomial) -> int:
    """Return how many times a product is in another; negative if its inverse is."""
    if any(e not in powers for e, _ in m):
        return 0
    low = min(powers[e] // n for e, n in m)
    high = max(-(-powers[e] // n) for e, n in m)
    return low if low >= 1 else min(high, 0)


def length(powers: dict[Expression, int]) -> int:
    """Return how much there is to write of a product."""
    return sum(1 + (abs(n) > 1) + (n < 0) for n in powers.values())


def is_real(e: Expression) -> bool:
    """Whether the value is an array of real floating numbers."""
    return not isinstance(e.values[0], Results) and e.dtype.kind == "f"


def is_scale(e: Expression) -> bool:
    """Whether an expression is one number with which all elements can be multiplied after they are added up as well as before.

    One that is infinite, or zero below the line, is none: a sum over nothing is zero.
    """
    return e.ndim == 0 and (e.kind != "number" or all(v and math.isfinite(v) for v in e.values))
