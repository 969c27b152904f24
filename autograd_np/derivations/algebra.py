"""Sums of products: the normal form in which terms that cancel do cancel.

A polynomial is a sum of terms, a number times powers of atoms; an atom is any expression that is no sum, product, quotient or power
itself, a sum that is a factor, or a variable of the user's. Products of sums are multiplied out only where that makes terms cancel.
Sums along axes are linear: what does not change along the axis is taken out.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Any

import numpy as np

from autograd_np.derivations.expression import Expression, Sheet, walked
from autograd_np.ops import special
from autograd_np.ops.indexing import axes_of, scatter_add
from autograd_np.ops.shaping import copy, reshape, spread
from autograd_np.results import Results

__all__ = ["Algebra", "Polynomial", "cost"]

Number = Any
"""An int, a float or a Fraction."""
Monomial = tuple[tuple[Expression, int], ...]
Polynomial = dict[Monomial, Number]

ONE: Polynomial = {(): 1}
MOST_TERMS = 24
DECIMALS = 8


def monomial(powers: dict[Expression, int]) -> Monomial:
    """Return powers of atoms in their order, without those that are zero."""
    return tuple(sorted(((e, n) for e, n in powers.items() if n), key=lambda item: item[0].index))


def times(a: Polynomial, b: Polynomial) -> Polynomial:
    """Return the product, term by term."""
    found: Polynomial = {}
    for ma, ca in a.items():
        for mb, cb in b.items():
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
    return {tuple((e, k * n) for e, k in m): c**n if n > 0 else _inverse(c) ** -n}


def _inverse(c: Number) -> Number:
    return 1 / Fraction(c) if isinstance(c, (int, Fraction)) else 1 / c


def as_number(value: Any) -> Number:
    """Return a number to compute with, exactly where its decimals are few: so that 2 * 0.05 is 0.1."""
    if isinstance(value, (int, np.integer)) or (isinstance(value, float) and value.is_integer()):
        return int(value)
    text = repr(float(value))
    return Fraction(text) if len(text) <= DECIMALS and "e" not in text else value


def leaves_of(p: Polynomial) -> set[Expression]:
    """Return the arrays of numbers that a polynomial depends on."""
    return {x for x in walked(e for m in p for e, _ in m) if x.kind == "variable"}


def cost(e: Expression, free: Callable[[Expression], bool]) -> float:
    """Return how much there is to read: the operations, each as often as it is written, without what is `free`."""
    found: dict[Expression, float] = {}
    for x in walked([e], free):
        own = 0.0 if x.op is None or free(x) else 0.25 if x.is_call(np.transpose, spread, np.broadcast_to, np.negative) else 1.0
        found[x] = own + (sum(found[a] for a in x.args) if own else 0.0)
    return found[e]


class Algebra:
    """Normal forms of expressions.

    Parameters
    ----------
    sheet : Sheet
    is_named : callable
        Whether an expression is a variable of the user's, which is not looked into.
    """

    def __init__(self, sheet: Sheet, is_named: Callable[[Expression], bool]) -> None:
        self.sheet = sheet
        self.is_named = is_named
        self.constants: frozenset[float] = frozenset()
        self.sizes: frozenset[tuple[int, ...]] = frozenset()
        self.from_end = False
        self.simplified: Callable[[Expression], Expression] = lambda e: e
        self._polynomials: dict[Expression, Polynomial] = {}
        self._open: set[Expression] = set()
        self._products: list[tuple[Expression, Monomial, Number]] = []
        self._sums: dict[Any, tuple[Expression, Number]] = {}
        self._roots: dict[Expression, tuple[Expression, int]] = {}
        self._rooted_in: set[Expression] = set()
        self._orientations: set[frozenset[tuple[Monomial, bool]]] = set()

    def learn_sum(self, e: Expression) -> None:
        """Learn how the user wrote a sum that has no name: which way round a difference, and in which order."""
        if e.is_call(np.subtract, np.add) and _is_real(e):
            p = self._converted(e)
            if len(p) > 1:
                self._orientations.add(frozenset((m, c > 0) for m, c in p.items()))
                p, content = self._normed(p)
                self._sums.setdefault(frozenset(p.items()), (e, content))

    def learn_root(self, e: Expression) -> None:
        """Learn a power that the user took of something, which then is a power of it: b is s**2 for s = sqrt(b)."""
        exponent = Fraction(1, 2) if e.is_call(np.sqrt) else -1 if e.is_call(np.reciprocal) else None
        base = e.args[0] if e.args else e
        if e.is_call(np.power) and isinstance(e.args[1].number, (int, float)):
            exponent = as_number(e.args[1].number)
        if e.is_call(np.divide) and e.args[0].number == 1 and e.dtype == e.args[1].dtype:
            exponent, base = -1, e.args[1]
        if exponent is None or base.ndim != e.ndim or base in self._roots or e.kind == "number" or base.kind == "number" or not _is_real(e):
            return
        if exponent in (Fraction(1, 2), Fraction(-1, 2)) or (exponent == -1 and self.is_named(e) and base in self._rooted_in):
            known = self._roots.get(base)
            if known is None and base is not e:
                self._roots[base] = e, int(1 / Fraction(exponent))
                self._rooted_in.add(e)

    def _rooted(self, m: Monomial) -> Monomial:
        powers: dict[Expression, int] = {}
        for e, n in m:
            while e in self._roots:
                e, k = self._roots[e]
                n *= k
            powers[e] = powers.get(e, 0) + n
        return monomial(powers)

    def learn(self, named: Expression) -> None:
        """Learn a variable of the user's: its product, or its sum, is written by its name wherever it turns up."""
        if named.op is None or not _is_real(named):
            return
        p = self._converted(named)
        if len(p) == 1:
            [(m, c)] = p.items()
            if len(m) > 1 or (len(m) == 1 and (m[0][1] != 1 or c != 1)):
                self._products.append((named, m, c))
        elif p:
            p, content = self._normed(p)
            self._sums.setdefault(frozenset(p.items()), (named, content))

    # --- from expressions

    def polynomial(self, e: Expression) -> Polynomial:
        """Return an expression as a sum of products."""
        found = self._polynomials.get(e)
        if found is None and e in self._open:  # two forms that turn into one another
            return {((e, 1),): 1}
        if found is None:
            self._open.add(e)
            scaled_mask = e.is_call(np.multiply) and any(a.kind == "number" for a in e.args)
            atomic = e.op is None or (self.is_named(e) and not e.is_call(np.mean)) or not (_is_real(e) or scaled_mask)
            found = self._leaf(e) if atomic else self._converted(e)
            if self._roots:
                found = total(({self._rooted(m): c} for m, c in found.items()))
            self._polynomials[e] = found
            self._open.discard(e)
        return found

    def _leaf(self, e: Expression) -> Polynomial:
        if e.kind == "array" and all(v.size and v.dtype.kind == "f" and np.all(v == v.flat[0]) for v in e.values):
            return self._leaf(self.sheet.number(*(v.flat[0] for v in e.values)))  # the shape is seen to when the result is written
        if e.kind != "number":
            return {((e, 1),): 1}
        if isinstance(e.number, (int, float, np.number)) and math.isfinite(e.number):  # np.float64 is one; whoever asks sees to the dtype
            return {(): as_number(float(str(e.number)) if isinstance(e.number, np.floating) else e.number)} if e.number != 0 else {}
        return self._size(e)

    def _size(self, e: Expression) -> Polynomial:
        """Return a number that is not the same everywhere: a size, or one divided by a size."""
        if all(isinstance(v, float) and math.isfinite(v) and v and abs(1 / v - round(1 / v)) < 1e-9 for v in e.values):
            return {((self.sheet.number(*(round(1 / v) for v in e.values)), -1),): 1}
        halves = tuple(v // 2 for v in e.values if isinstance(v, int) and v % 2 == 0)
        if halves in self.sizes and e.values not in self.sizes:
            return {((self.sheet.number(*halves), 1),): 2}
        if all(isinstance(v, float) and v.is_integer() for v in e.values):
            return {((self.sheet.number(*(int(v) for v in e.values)), 1),): 1}
        return {((e, 1),): 1}

    def _converted(self, e: Expression) -> Polynomial:
        args = e.args
        if e.is_call(np.add):
            return plus(self.polynomial(args[0]), self.polynomial(args[1]))
        if e.is_call(np.subtract):
            return plus(self.polynomial(args[0]), scaled(self.polynomial(args[1]), -1))
        if e.is_call(np.negative):
            return scaled(self.polynomial(args[0]), -1)
        if e.is_call(np.positive, copy):
            return self.polynomial(args[0])
        if e.is_call(np.multiply):
            return self.product(self.polynomial(args[0]), self.polynomial(args[1]))
        if e.is_call(np.divide):
            return self.product(self.polynomial(args[0]), self._power(self.polynomial(args[1]), -1))
        if e.is_call(np.reciprocal):
            return self._power(self.polynomial(args[0]), -1)
        if e.is_call(np.square):
            return self._power(self.polynomial(args[0]), 2)
        if e.is_call(np.sqrt):
            return {((e, 1),): 1}
        if e.is_call(np.power) and args[1].number is not None and float(args[1].number).is_integer() and 0 < abs(args[1].number) < 10:
            return self._power(self.polynomial(args[0]), int(args[1].number))
        if e.is_call(np.power) and isinstance(args[1].number, float) and args[0] in self._roots:
            root, k = self._roots[args[0]]
            if (args[1].number * k).is_integer():
                return {((root, int(args[1].number * k)),): 1}
        if e.is_call(spread, np.broadcast_to):
            return self.polynomial(args[0])  # products and sums spread it too; the shape is seen to when the result is written
        if e.is_call(np.sum) and _is_plain_sum(e):
            return self.summed(self.polynomial(args[0]), args[0], e.attribute("axis"), bool(e.attribute("keepdims")))
        if e.is_call(np.mean) and _is_plain_sum(e):
            axis, keepdims = e.attribute("axis"), bool(e.attribute("keepdims"))
            count = self._count(args[0], axis)
            return times(self.summed(self.polynomial(args[0]), args[0], axis, keepdims), {((count, -1),): 1})
        if e.is_call(reshape, np.expand_dims):
            p = self._with_unit_axes(e)
            if p is not None:
                return p
        if (e.op is not None and e.op.kind == "multilinear") or e.is_call(np.dot, np.matmul, np.tensordot):
            return self._linear_in(e, range(len(args)))
        if e.op is not None and e.op.kind == "linear" and not e.op.variadic and args[0].dtype == e.dtype:
            return self._linear_in(e, (0,))
        return {((e, 1),): 1}

    def product(self, a: Polynomial, b: Polynomial) -> Polynomial:
        """Return a product; a sum stays a factor, unless its terms cancel against what it is multiplied with."""
        if len(a) <= 1 and len(b) <= 1:
            return self._distributed(times(a, b))
        if _is_constant(a) or _is_constant(b):
            return times(a, b)
        return self._distributed(times(self._as_factor(a), self._as_factor(b)))

    def _distributed(self, p: Polynomial) -> Polynomial:
        """Multiply out sums in which a term is divided by what the sum is multiplied with."""
        if len(p) != 1:
            return p
        [(m, c)] = p.items()
        powers = dict(m)
        for atom, n in m:
            terms = self._terms_of(atom) if n == 1 else None
            if terms is None:
                continue
            others = {e: k for e, k in powers.items() if e is not atom}
            if all(any(others.get(e, 0) * k < 0 and e.kind != "number" for e, k in t) for t in terms) and len(terms) > 1:
                out = times(terms, {monomial(others): c})
                found: Polynomial = {}
                for t, ct in out.items():
                    found = plus(found, self._distributed({t: ct}))
                return found
        return p

    def _terms_of(self, atom: Expression) -> Polynomial | None:
        """Return the terms of a sum that is a factor."""
        if not atom.is_call(np.add, np.subtract) or atom.dtype.kind != "f":
            return None
        return self._converted(atom)

    def _as_factor(self, p: Polynomial) -> Polynomial:
        p = self._gathered(p)
        if len(p) <= 1:
            return p
        p, content, common = self._factored(p)
        if len(p) <= 1:
            return times(p, {common: content})
        atom, by = self._sum(p)
        return times({((atom, 1),): content * by}, {common: 1})

    def _sum(self, p: Polynomial) -> tuple[Expression, Number]:
        """Return a sum as one expression, a variable of the user's if it is a multiple of one, and that multiple."""
        for sign in (1, -1):
            known = self._sums.get(frozenset(scaled(p, sign).items()))
            if known is not None:
                return known[0], _exact(sign, known[1])
        return self._written_sum(p), 1

    def _power(self, p: Polynomial, n: int) -> Polynomial:
        if not p:
            return {((self.sheet.number(0), n),): 1} if n < 0 else {}
        return raised(self._as_factor(p), n)

    def _linear_in(self, e: Expression, places: Iterable[int]) -> Polynomial:
        """Take numbers and scalars out of the arguments of a linear function."""
        args = list(e.args)
        outside: Polynomial = dict(ONE)
        for i in places:
            if args[i].dtype != e.dtype or args[i].dtype.kind != "f":
                continue
            p = self.polynomial(args[i])
            if not p:
                continue
            if e.is_call(scatter_add) and args[i].ndim == 0:
                continue
            rest, content, common = self._factored(p, lambda x: x.ndim == 0 and (x.kind == "number" or not e.is_call(scatter_add)))
            if content != 1 or common:
                outside = times(outside, {common: content})
                args[i] = self.expression(rest, args[i])
            elif self._is_settled(args[i]):
                args[i] = self.expression(p, args[i])
        new = self.sheet.apply(e.op, args, dict(e.attrs))  # type: ignore[arg-type]
        if new is e or new in self._open:
            return times(outside, {((new, 1),): 1})
        return times(outside, self.polynomial(self.simplified(new)))

    def _with_unit_axes(self, e: Expression) -> Polynomial | None:
        """Put new axes of length one into each factor of a product; those in front change nothing in what is broadcast."""
        x = e.args[0]
        if any(sorted(n for n in s if n != 1) != sorted(n for n in t if n != 1) for s, t in zip(e.shapes, x.shapes, strict=True)):
            return None
        leading = all(t == (1,) * (len(t) - len(s)) + s for s, t in zip(x.shapes, e.shapes, strict=True))
        p = self.polynomial(x)
        if not leading and ((x, 1),) in p:
            return {((e, 1),): 1}
        found: Polynomial = {}
        for m, c in p.items():
            powers: dict[Expression, int] = {}
            for f, n in m:
                if f.ndim and not leading:
                    if f.shapes != x.shapes:
                        return None
                    f = self.simplified(self.sheet.apply(e.op, [f], dict(e.attrs)))  # type: ignore[arg-type]
                powers[f] = n
            found = plus(found, {monomial(powers): c})
        return found

    def _is_settled(self, e: Expression) -> bool:
        return e.op is not None and not self.is_named(e)

    def _count(self, x: Expression, axis: Any) -> Expression:
        counts = [
            math.prod(np.shape(v)) if axis is None else math.prod(np.shape(v)[i] for i in axes_of(axis, np.ndim(v))) for v in x.values
        ]
        return self.sheet.number(*counts)

    # --- sums along axes

    def summed(self, p: Polynomial, x: Expression, axis: Any, keepdims: bool) -> Polynomial:
        """Return the sum along axes of a polynomial that has the shape of `x`."""
        if not p:
            return {}
        axes = tuple(range(x.ndim)) if axis is None else tuple(axes_of(axis, x.ndim))
        axis = None if axis is None else self._spelled(axes, x.ndim)
        terms = [self._summed_term(m, c, x, axes, axis, keepdims) for m, c in p.items()]
        known = [t for t in terms if t[1]]
        if len(p) == 1 or known:
            found: Polynomial = {}
            for t, _ in terms:
                found = plus(found, t)
            if len(p) == 1 or len(found) <= 1 or self._weight(found) <= self._weight(p) + 2:
                return found
        rest, content, common = self._factored(p, lambda f: self._is_fixed(f, x, axes, keepdims))
        inner = self.expression(rest, x)
        return times({common: content}, {((self._sum_of(inner, axis, keepdims), 1),): 1})

    def _spelled(self, axes: tuple[int, ...], ndim: int) -> Any:
        """Return axes in one way, the last one as -1 where the user counts from the end."""
        return axes if len(axes) > 1 else -1 if self.from_end and axes[0] == ndim - 1 else axes[0]

    def _weight(self, p: Polynomial) -> float:
        return sum(1 + sum(abs(n) for _, n in m) for m in p)

    def _sum_of(self, inner: Expression, axis: Any, keepdims: bool) -> Expression:
        """Write a sum; whether the first axes are kept makes no difference to what is broadcast, so they are not."""
        if (
            keepdims
            and axis is not None
            and list(axes_of(axis, inner.ndim)) == list(range(len(axes_of(axis, inner.ndim)))) != list(range(inner.ndim))
        ):
            keepdims = False
        attrs: dict[str, Any] = {} if axis is None else {"axis": axis}
        return self.sheet.call(np.sum, inner, **attrs, **({"keepdims": True} if keepdims else {}))

    def _summed_term(self, m: Monomial, c: Number, x: Expression, axes: Any, axis: Any, keepdims: bool) -> tuple[Polynomial, bool]:
        """Return the sum of one term, and whether it is known without adding up."""
        fixed = {f: n for f, n in m if self._is_fixed(f, x, axes, keepdims)}
        rest = {f: n for f, n in m if f not in fixed}
        outer: Polynomial = {monomial(fixed): c}
        if not rest:
            return times(outer, {((self._count(x, axis), 1),): 1}), True
        if len(rest) == 1:
            [(f, n)] = rest.items()
            if n == 1 and f.shapes == x.shapes:
                known = self._known_sum(f, axes, axis, keepdims)
                if known is not None:
                    return times(outer, known), True
                terms = None if self.is_named(f) else self._terms_of(f)
                if terms is not None:
                    parts = [self._summed_term(t, ct, x, axes, axis, keepdims) for t, ct in terms.items()]
                    if any(is_known for _, is_known in parts):
                        return times(outer, total(part for part, _ in parts)), True
        inner = self.expression({monomial(rest): 1}, x)
        return times(outer, {((self._sum_of(inner, axis, keepdims), 1),): 1}), False

    def _known_sum(self, f: Expression, axes: tuple[int, ...], axis: Any, keepdims: bool) -> Polynomial | None:
        if f.is_call(special.softmax) and len(axes) == 1:
            at = f.attribute("axis", -1)
            if isinstance(at, int) and at % f.ndim == axes[0]:
                self.sheet.fired["sum of softmax"] += 1
                return dict(ONE)
        if f.is_call(np.diag) and f.ndim == 2 and len(axes) == 1 and f.attribute("k", 0) == 0:
            row = f.args[0] if axes[0] == 0 else self.sheet.call(np.expand_dims, f.args[0], axis=-1)
            return self.polynomial(row) if keepdims or axes[0] == 0 else self.polynomial(f.args[0])
        if f.is_call(scatter_add) and all(s[i] == 1 for s in f.shapes for i in range(f.ndim) if i not in axes):
            return self.polynomial(self.simplified(self.sheet.call(np.sum, f.args[0]) if f.args[0].ndim else f.args[0]))
        if f.is_call(scatter_add) and _is_one_each(f, axes):
            self.sheet.fired["sum of one-hot rows"] += 1
            return dict(ONE)
        if self._is_centred(f, axes, axis):
            self.sheet.fired["sum of what is centred"] += 1
            return {}
        return None

    def _is_centred(self, f: Expression, axes: tuple[int, ...], axis: Any, steps: int = 8) -> bool:
        """Whether the mean along axes was taken off, so that the sum is zero; a factor that does not change there makes no difference."""
        if not steps:
            return False
        p = self._converted(f) if f.op is not None else {((f, 1),): 1}
        if ((f, 1),) in p:
            return False
        if len(p) == 1:
            rest = [(e, n) for e, n in next(iter(p)) if not self._is_fixed(e, f, axes, True)]
            return (
                len(rest) == 1 and rest[0][1] == 1 and rest[0][0].shapes == f.shapes and self._is_centred(rest[0][0], axes, axis, steps - 1)
            )
        found: Polynomial = {}
        for m, c in p.items():
            means = [e for e, n in m if self.is_named(e) and self._is_fixed(e, f, axes, True) and n == 1]
            terms = times(
                {monomial({e: n for e, n in m if e not in means}): c}, functools.reduce(times, map(self._converted_leaf, means), ONE)
            )
            for t, ct in terms.items():
                found = plus(found, self._summed_term(t, ct, f, axes, axis, True)[0])
        return not found

    def _converted_leaf(self, e: Expression) -> Polynomial:
        return self._leaf(e) if e.op is None else self._converted(e)

    def _is_fixed(self, f: Expression, x: Expression, axes: Iterable[int], keepdims: bool) -> bool:
        """Whether a factor is the same along the axes of a sum over what has the shape of `x`, and can stand outside it."""
        if f.ndim == 0:
            return True
        axes = list(axes)
        skipped = x.ndim - f.ndim
        if any(i >= skipped and n[i - skipped] != 1 for n in f.shapes for i in axes):
            return False
        return keepdims or (all(i < skipped for i in axes) and axes == list(range(len(axes))))

    # --- back to expressions

    def _normed(self, p: Polynomial) -> tuple[Polynomial, Number]:
        """Divide a sum by a number, so that the first term has a positive sign and whole numbers have no common factor."""
        whole = all(isinstance(c, int) or c.denominator in (1, 2, 3, 4) for c in p.values() if isinstance(c, (int, Fraction))) and not any(
            isinstance(c, float) for c in p.values()
        )
        first = min(p, key=lambda m: (len(m) == 0, [(e.index, n) for e, n in m]))
        if whole:
            fractions = [Fraction(c) for c in p.values()]
            content: Number = Fraction(math.gcd(*(f.numerator for f in fractions)), math.lcm(*(f.denominator for f in fractions)))
            content = int(content) if Fraction(content).denominator == 1 else content
        else:
            sizes = {abs(c) for c in p.values()}
            content = sizes.pop() if len(sizes) == 1 else 1
        if self._is_turned(p, first):
            content = -content
        if content == 1:
            return p, 1
        return {m: _exact(c, content) for m, c in p.items()}, content

    def _is_turned(self, p: Polynomial, first: Monomial) -> bool:
        """Whether a sum is the negative of how it is written: as the user wrote it, 1 - x, or with the first term positive."""
        for sign in (1, -1):
            if frozenset((m, c > 0) for m, c in scaled(p, sign).items()) in self._orientations:
                return sign < 0
        return bool(p[() if len(p) == 2 and () in p else first] < 0)

    def _factored(self, p: Polynomial, may: Callable[[Expression], bool] = lambda _: True) -> tuple[Polynomial, Number, Monomial]:
        """Take out of a sum the number and the powers that all of its terms have."""
        p, content = self._normed(p) if len(p) > 1 else (dict.fromkeys(p, 1), next(iter(p.values()), 1))
        first, *others = p
        common: dict[Expression, int] = {}
        for e, n in first:
            if may(e):
                low = [n, *(dict(m).get(e, 0) for m in others)]
                k = min(low) if min(low) > 0 else max(low) if max(low) < 0 else 0
                if k:
                    common[e] = k
        if not common:
            return p, content, ()
        rest: Polynomial = {}
        for m, c in p.items():
            powers = dict(m)
            for e, k in common.items():
                powers[e] -= k
            rest[monomial(powers)] = c
        return rest, content, monomial(common)

    def expression(self, p: Polynomial, like: Expression) -> Expression:
        """Write a polynomial as an expression of the shape of another."""
        e = self._written(p)
        if e.shapes != like.shapes and e.ndim < like.ndim:
            kept = self._written({self._with_kept_axes(m, like.ndim): c for m, c in p.items()})
            e = kept if kept.shapes == like.shapes else e
        if e.is_weak and not like.is_weak:
            e = self.sheet.number(*(like.dtype.type(v) for v in e.values))
        return e if e.shapes == like.shapes else self.sheet.call(spread, e, shape=self._shape(like))

    def _with_kept_axes(self, m: Monomial, ndim: int) -> Monomial:
        """Keep the first axes in the sums of a product, which the result is to have."""
        powers: dict[Expression, int] = {}
        for e, n in m:
            if e.is_call(np.sum) and not e.attribute("keepdims") and e.args[0].ndim == ndim:
                e = self.sheet.call(np.sum, e.args[0], **dict(e.attrs), keepdims=True)
            powers[e] = powers.get(e, 0) + n
        return monomial(powers)

    def _shape(self, like: Expression) -> tuple[Any, ...]:
        return tuple(map(self.sheet.size, zip(*like.shapes, strict=True)))

    def _written(self, p: Polynomial) -> Expression:
        if not p:
            return self.sheet.number(0.0)
        p = self._chosen(p)
        candidates = [p]
        crossed = self._crossed(p)
        if crossed is not None:
            candidates.append(crossed)
        best = None
        for q in candidates:
            e = self._factors(q)
            if best is None or cost(e, self.is_named) < cost(best, self.is_named):
                best = e
        assert best is not None
        return best

    def _chosen(self, p: Polynomial) -> Polynomial:
        """Write where(c, a, 0) * x + where(c, 0, b) * y as where(c, a * x, b * y), if both read the same arrays."""
        choices = [(m, e) for m in p for e, n in m if n == 1 and e.op is not None and e.op.name == "where"]
        for m, first in choices:
            for t, second in choices:
                if m is t or first.args[0] is not second.args[0] or first.args[2].number != 0 or second.args[1].number != 0:
                    continue
                if leaves_of({m: 1}) != leaves_of({t: 1}) or first.shapes != second.shapes:
                    continue
                branches = []
                for k, e, a in ((m, first, first.args[1]), (t, second, second.args[2])):
                    branches.append(times({monomial({x: n for x, n in k if x is not e}): p[k]}, self.polynomial(a)))
                powers = [dict(k) for q in branches for k in q]
                first_powers = powers[0] if powers else {}
                common = monomial({x: n for x, n in first_powers.items() if x.kind == "number" and all(k.get(x) == n for k in powers)})
                parts = [self._written(times(q, {tuple((x, -n) for x, n in common): 1})) for q in branches]
                new = self.sheet.apply(first.op, [first.args[0], *parts], {})  # type: ignore[arg-type]
                return plus({k: v for k, v in p.items() if k not in (m, t)}, {monomial({**dict(common), new: 1}): 1})
        return p

    def _gathered(self, p: Polynomial) -> Polynomial:
        """Take a term that is as many times a number as a sum has terms into that sum: n * mu - sum(x) is sum(mu - x)."""
        for m, c in p.items():
            for s, n in m:
                if n != 1 or not s.is_call(np.sum) or s.args[0].kind == "number":
                    continue
                count = self._count(s.args[0], s.attribute("axis"))
                others = dict(x for x in m if x[0] is not s)
                for t, ct in p.items():
                    rest = dict(t)
                    if t is m or rest.pop(count, 0) != 1 or any(rest.pop(e, 0) != k for e, k in others.items()):
                        continue
                    x = s.args[0]
                    if all(e.ndim == 0 for e in rest):
                        inner = self.expression(plus(scaled(self.polynomial(x), c), {monomial(rest): ct}), x)
                        new = self.sheet.call(np.sum, inner, **dict(s.attrs))
                        return plus({k: v for k, v in p.items() if k not in (m, t)}, {monomial({**others, new: 1}): 1})
        return p

    def _crossed(self, p: Polynomial) -> Polynomial | None:
        """Multiply out all sums, if terms of one product then cancel against those of another."""
        if len(p) < 2:
            return None
        parts = [self._expanded(m, c) for m, c in p.items()]
        if sum(map(len, parts)) > MOST_TERMS or all(len(part) == 1 for part in parts):
            return None
        found: Polynomial = {}
        for part in parts:
            found = plus(found, part)
        if leaves_of(found) != leaves_of(p):  # a NaN in what is left out would be lost
            return None
        if len(found) < sum(map(len, parts)):
            self.sheet.fired["terms that cancel"] += 1
            return found
        one_sum_each = all(sum(1 for e, n in m if n == 1 and not self.is_named(e) and self._terms_of(e)) <= 1 for m in p)
        return found if one_sum_each and len(found) <= MOST_TERMS // 3 else None

    def _expanded(self, m: Monomial, c: Number) -> Polynomial:
        found: Polynomial = {(): c}
        for e, n in m:
            terms = None if self.is_named(e) else self._terms_of(e)
            found = times(found, terms if terms is not None and n == 1 else {((e, n),): 1})
        return found

    def _factors(self, p: Polynomial) -> Expression:
        """Write a polynomial with what its terms have in common outside."""
        p = self._gathered(p)
        if len(p) == 1:
            [(m, c)] = p.items()
            return self._term(m, c)
        rest, content, common = self._factored(p)
        if len(rest) == 1:
            return self._factors(times(rest, {common: content}))
        if content < 0 and any(c < 0 for c in rest.values()):
            rest, content = scaled(rest, -1), -content
        inner, by = self._sum(rest)
        if not common and content * by == 1:
            return inner
        powers = dict(common)
        powers[inner] = powers.get(inner, 0) + 1
        inside = self._term(monomial(powers), content * by)
        outside = self._written_sum(times(rest, {common: content}))
        return inside if cost(inside, self.is_named) <= cost(outside, self.is_named) else outside

    def _written_sum(self, p: Polynomial) -> Expression:
        """Write a sum, the terms with a positive sign first."""
        terms = sorted(p.items(), key=lambda item: (item[1] < 0, len(item[0]) > 0, *self._rank(item[0]), _order(item[0])))
        found: Expression | None = None
        for m, c in terms:
            negative = self._is_negative(c)
            e = self._term(m, -c if negative else c)
            if found is None:
                found = self._negated(e) if negative else e
            else:
                found = self.sheet.call(np.subtract if negative else np.add, _as_float(found), e)
        assert found is not None
        return found

    def _rank(self, m: Monomial) -> tuple[bool, bool]:
        """Order terms: gradients first, then what is computed, then variables alone, such as a regulariser."""
        return not any(e.flows for e, _ in m), all(e.op is None or self.is_named(e) for e, _ in m)

    def _term(self, m: Monomial, c: Number) -> Expression:
        """Write a product: the number, the arrays in their order, and below the line what is divided by."""
        powers, c = self._abbreviated(dict(m), c)
        powers = self._without_squared_roots(powers)
        sheet = self.sheet
        above = [(e, n) for e, n in monomial(powers) if n > 0]
        below = [(e, -n) for e, n in monomial(powers) if n < 0]
        negative = self._is_negative(c)
        top, bottom = self._quotient(-c if negative else c)
        above = self._with_means(above, below)
        above.sort(key=lambda item: (item[0].kind != "number", item[0].ndim > 0, not item[0].flows))  # as people write: 2 * lam * dZ * A
        found: Expression | None = None if top == 1 and above else sheet.number(top)
        for e, n in above:
            factor = self._raised(e, n)
            found = factor if found is None else sheet.call(np.multiply, found, factor)
        assert found is not None
        down: Expression | None = sheet.number(bottom) if bottom != 1 else None
        below.sort(key=lambda item: item[0].kind != "number")
        for e, n in below:
            factor = self._raised(e, n)
            down = factor if down is None else sheet.call(np.multiply, down, factor)
        if down is not None:
            found = sheet.call(np.divide, found, down)
        return self._negated(found) if negative else found

    def _negated(self, e: Expression) -> Expression:
        return self.sheet.call(np.multiply, -1.0, e) if e.dtype.kind == "b" else self.sheet.call(np.negative, e)

    def _without_squared_roots(self, powers: dict[Expression, int]) -> dict[Expression, int]:
        """Write even powers of a root that has no name as powers of what the root is of."""
        found: dict[Expression, int] = {}
        bases = {root: (base, k) for base, (root, k) in self._roots.items()}
        for e, n in powers.items():
            if abs(n) > 1 and e in bases and not self.is_named(e):
                base, k = bases[e]
                whole, rest = divmod(abs(n), abs(k))
                sign = 1 if n * k > 0 else -1
                found[base] = found.get(base, 0) + sign * whole
                n = rest if n > 0 else -rest
            if n:
                found[e] = found.get(e, 0) + n
        return {e: n for e, n in found.items() if n}

    def _is_negative(self, c: Number) -> bool:
        """Whether a minus is written before a number; not where it is a negative constant of the user's, q - 1."""
        return bool(c < 0 and (float(c) not in self.constants or float(-c) in self.constants))

    def _quotient(self, value: Number) -> tuple[Number, Number]:
        """Return what to multiply with and what to divide by for a number: a constant of the user's where there is one."""
        if isinstance(value, float):
            return value, 1
        value = Fraction(value)
        inverse = 1 / value
        if float(value) in self.constants and value < 0:
            return float(value), 1
        if value.denominator == 1 and (value <= 2 or float(value) in self.constants or float(inverse) not in self.constants):
            return int(value), 1
        if float(value) in self.constants:
            return float(value), 1
        if float(inverse) in self.constants and float(inverse) not in (1, 2):
            return 1, int(inverse) if inverse.denominator == 1 else float(inverse)
        if len(repr(float(value))) <= DECIMALS:
            return float(value), 1
        return value.numerator, value.denominator

    def _with_means(self, above: list[tuple[Expression, int]], below: list[tuple[Expression, int]]) -> list[tuple[Expression, int]]:
        """Write a sum that is divided by the number of its terms as a mean; takes that number out of what is divided by."""
        found = []
        for e, n in above:
            if n == 1 and e.is_call(np.sum) and set(dict(e.attrs)) <= {"axis", "keepdims"}:
                count = (self._count(e.args[0], e.attribute("axis")), 1)
                if count in below and count[0].number is None:
                    below.remove(count)
                    e = self.sheet.call(np.mean, *e.args, **dict(e.attrs))
            found.append((e, n))
        return found

    def _raised(self, e: Expression, n: int) -> Expression:
        return e if n == 1 else self.sheet.call(np.power, e, n)

    def _abbreviated(self, powers: dict[Expression, int], c: Number) -> tuple[dict[Expression, int], Number]:
        """Replace products that are variables of the user's by their names, where that leaves less to write."""
        changed = True
        while changed:
            changed = False
            for named, m, content in self._products:
                k = _times_in(powers, m)
                if k and named not in powers | dict(m):
                    new = dict(powers)
                    for e, n in m:
                        new[e] -= n * k
                        if not new[e]:
                            del new[e]
                    new[named] = k
                    if _length(new) < _length(powers):
                        powers, changed = new, True
                        c = _exact(c, content**k if k > 0 else _inverse(content) ** -k)
                elif content == 1 and (moved := self._with_named_inside(powers, named, m)) is not None:
                    powers, changed = moved, True
        return powers, c

    def _with_named_inside(self, powers: dict[Expression, int], named: Expression, m: Monomial) -> dict[Expression, int] | None:
        """Move factors into a sum whose terms they make a variable of the user's: sum(g * x) / s is sum(g * n) for n = x / s."""
        for sum_, n in powers.items():
            if n != 1 or not sum_.is_call(np.sum) or not {"axis", "keepdims"} >= set(dict(sum_.attrs)):
                continue
            x = sum_.args[0]
            p = self.polynomial(x)
            if len(p) != 1:
                continue
            [(inner, c)] = p.items()
            outside = {e: k for e, k in m if dict(inner).get(e, 0) != k}
            axes = tuple(axes_of(sum_.attribute("axis"), x.ndim)) if sum_.attribute("axis") is not None else tuple(range(x.ndim))
            if len(outside) in (0, len(m)) or any(powers.get(e, 0) * k < k * k for e, k in outside.items()):
                continue
            if not all(self._is_fixed(e, x, axes, bool(sum_.attribute("keepdims"))) for e in outside):
                continue
            within = {**{e: k for e, k in inner if e not in dict(m)}, named: 1}
            found = {e: k - outside.get(e, 0) for e, k in powers.items() if e is not sum_ and k != outside.get(e, 0)}
            new = self.sheet.call(np.sum, self.expression({monomial(within): c}, x), **dict(sum_.attrs))
            return {**found, new: found.get(new, 0) + 1}
        return None


def _as_float(e: Expression) -> Expression:
    """Return a mask as zeros and ones, which can be subtracted."""
    return e.sheet.call(np.multiply, 1.0, e) if e.dtype.kind == "b" else e


def _times_in(powers: dict[Expression, int], m: Monomial) -> int:
    """Return how many times a product is in another; negative if its inverse is."""
    ratios = [Fraction(powers.get(e, 0), n) for e, n in m]
    low, high = min(ratios), max(ratios)
    return math.floor(low) if low >= 1 else math.ceil(high) if high <= -1 else 0


def _length(powers: dict[Expression, int]) -> int:
    return sum(1 + (abs(n) > 1) + (n < 0) for n in powers.values())


def _exact(a: Number, b: Number) -> Number:
    """Return a quotient, of whole numbers as a fraction."""
    if isinstance(a, (int, Fraction)) and isinstance(b, (int, Fraction)):
        found = Fraction(a) / Fraction(b)
        return int(found) if found.denominator == 1 else found
    return a / b


def _is_plain_sum(e: Expression) -> bool:
    how = dict(e.attrs)
    return set(how) <= {"axis", "keepdims", "dtype"} and e.args[0].dtype == e.dtype and how.get("dtype") in (None, e.dtype)


def _is_real(e: Expression) -> bool:
    return not isinstance(e.values[0], Results) and e.dtype.kind == "f"


def _is_constant(p: Polynomial) -> bool:
    return not p or (len(p) == 1 and all(e.kind == "number" for e, _ in next(iter(p))))


def _order(m: Monomial) -> list[tuple[int, int]]:
    return [(e.index, n) for e, n in m]


def _is_one_each(f: Expression, axes: tuple[int, ...]) -> bool:
    """Whether ones were put into zeros at one place for each of the rows that are summed: ``(np.arange(n), labels)``."""
    index = f.attribute("index")
    if len(axes) != 1 or not isinstance(index, tuple) or len(index) != f.ndim:
        return False
    g = f.args[0]
    if any(not np.all(v == 1) for v in g.values):
        return False
    others = [i for i in range(f.ndim) if i != axes[0]]
    if len(others) != 1 or not isinstance(index[others[0]], Expression) or not isinstance(index[axes[0]], Expression):
        return False
    rows = index[others[0]]
    return rows.kind == "array" and all(np.array_equal(v, np.arange(s[others[0]])) for v, s in zip(rows.values, f.shapes, strict=True))
