"""Sums of products: the normal form in which terms that cancel do cancel.

A polynomial is a sum of terms, a number times powers of atoms; an atom is any expression that is no sum, product, quotient or power
itself, a sum that is a factor, or a variable of the user's. Products of sums are multiplied out only where that makes terms cancel.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction

import numpy as np

from autograd_np.derivations.expression import Expression
from autograd_np.derivations.simplifying.polynomials import (
    ONE,
    Monomial,
    Polynomial,
    as_number,
    is_constant,
    is_real,
    is_scale,
    monomial,
    plus,
    raised,
    scaled,
    times,
    total,
)
from autograd_np.derivations.simplifying.spelling import Spelling
from autograd_np.derivations.simplifying.sums import Sums
from autograd_np.ops.indexing import scatter_add
from autograd_np.ops.shaping import copy, reshape, spread

__all__ = ["Algebra"]


class Algebra(Sums, Spelling):
    """Normal forms of expressions."""

    def learn_sum(self, e: Expression) -> None:
        """Learn how the user wrote a sum that has no name: which way round a difference, and in which order."""
        if e.is_call(np.subtract, np.add) and is_real(e):
            p = self.converted(e)
            if len(p) > 1:
                self._orientations.add(frozenset((m, c > 0) for m, c in p.items()))
                p, content = self.normed(p)
                self._sums.setdefault(frozenset(p.items()), (e, content))

    def learn_root(self, e: Expression) -> None:
        """Learn a power that the user took of something, which then is a power of it: b is s**2 for s = sqrt(b)."""
        exponent = Fraction(1, 2) if e.is_call(np.sqrt) else -1 if e.is_call(np.reciprocal) else None
        base = e.args[0] if e.args else e
        if e.is_call(np.power) and isinstance(e.args[1].number, (int, float)):
            exponent = as_number(e.args[1].number)
        if e.is_call(np.divide) and e.args[0].number == 1 and e.dtype == e.args[1].dtype:
            exponent, base = -1, e.args[1]
        if exponent is None or base.ndim != e.ndim or base in self._roots or e.kind == "number" or base.kind == "number" or not is_real(e):
            return
        if exponent in (Fraction(1, 2), Fraction(-1, 2)) or (exponent == -1 and self.is_named(e) and base in self._rooted_in):
            known = self._roots.get(base)
            if known is None and base is not e:
                self._roots[base] = e, int(1 / Fraction(exponent))
                self._rooted_in.add(e)

    def rooted(self, m: Monomial) -> Monomial:
        """Write a product in powers of the roots that the user took."""
        powers: dict[Expression, int] = {}
        for e, n in m:
            while e in self._roots:
                e, k = self._roots[e]
                n *= k
            powers[e] = powers.get(e, 0) + n
        return monomial(powers)

    def learn(self, named: Expression) -> None:
        """Learn a variable of the user's: its product, or its sum, is written by its name wherever it turns up."""
        if named.op is None or not is_real(named):
            return
        p = self.converted(named)
        if len(p) == 1:
            [(m, c)] = p.items()
            if len(m) > 1 or (len(m) == 1 and (m[0][1] != 1 or c != 1)):
                self._products.append((named, m, c))
        elif p:
            p, content = self.normed(p)
            self._sums.setdefault(frozenset(p.items()), (named, content))

    def polynomial(self, e: Expression) -> Polynomial:
        """Return an expression as a sum of products."""
        found = self._polynomials.get(e)
        if found is None and e in self._open:  # two forms that turn into one another
            return {((e, 1),): 1}
        if found is None:
            self._open.add(e)
            scaled_mask = e.is_call(np.multiply) and any(a.kind == "number" for a in e.args)
            atomic = e.op is None or (self.is_named(e) and not e.is_call(np.mean)) or not (is_real(e) or scaled_mask)
            found = self.leaf(e) if atomic else self.converted(e)
            if self._roots:
                found = total(({self.rooted(m): c} for m, c in found.items()))
            self._polynomials[e] = found
            self._open.discard(e)
        return found

    def leaf(self, e: Expression) -> Polynomial:
        """Return a leaf as a polynomial."""
        if e.kind == "array" and all(v.size and v.dtype.kind == "f" and np.all(v == v.flat[0]) for v in e.values):
            return self.leaf(self.sheet.number(*(v.flat[0] for v in e.values)))  # the shape is seen to when the result is written
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
        if all(isinstance(v, float) for v in e.values):
            for times_it in (1, 2):
                values = tuple(times_it * v for v in e.values)
                if values in self.sizes:
                    return {((self.sheet.number(*map(int, values)), 1),): Fraction(1, times_it)}
        return {((e, 1),): 1}

    def converted(self, e: Expression) -> Polynomial:
        """Return what an expression is made of as a sum of products, even if it has a name."""
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
        if e.is_call(np.sum) and is_plain_sum(e):
            return self.summed(self.polynomial(args[0]), args[0], e.attribute("axis"), bool(e.attribute("keepdims")))
        if e.is_call(np.mean) and is_plain_sum(e):
            axis, keepdims = e.attribute("axis"), bool(e.attribute("keepdims"))
            count = self.count(args[0], axis)
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
        if is_constant(a) or is_constant(b):
            return times(a, b)
        return self._distributed(times(self._as_factor(a), self._as_factor(b)))

    def _distributed(self, p: Polynomial) -> Polynomial:
        """Multiply out sums in which a term is divided by what the sum is multiplied with."""
        if len(p) != 1:
            return p
        [(m, c)] = p.items()
        powers = dict(m)
        for atom, n in m:
            terms = self.terms_of(atom) if n == 1 else None
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

    def terms_of(self, atom: Expression) -> Polynomial | None:
        """Return the terms of a sum that is a factor."""
        if not atom.is_call(np.add, np.subtract) or atom.dtype.kind != "f":
            return None
        return self.converted(atom)

    def _as_factor(self, p: Polynomial) -> Polynomial:
        p = self.gathered(p)
        if len(p) <= 1:
            return p
        p, content, common = self.factored(p)
        if len(p) <= 1:
            return times(p, {common: content})
        atom, by = self.as_one(p)
        return times({((atom, 1),): content * by}, {common: 1})

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
            rest, content, common = self.factored(p, lambda x: is_scale(x) and (x.kind == "number" or not e.is_call(scatter_add)))
            inner = self.expression(rest, args[i])
            if inner.dtype != e.dtype and e.is_call(scatter_add):
                continue  # masks that are added up stay masks
            if content != 1 or common:
                outside = times(outside, {common: content})
                args[i] = inner
            elif args[i].op is not None and not self.is_named(args[i]):
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


def is_plain_sum(e: Expression) -> bool:
    how = dict(e.attrs)
    return set(how) <= {"axis", "keepdims", "dtype"} and e.args[0].dtype == e.dtype and how.get("dtype") in (None, e.dtype)
