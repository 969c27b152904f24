"""From polynomials back to expressions: what a person would write."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from autograd_np.derivations.expression import Expression
from autograd_np.derivations.simplifying.form import Form
from autograd_np.derivations.simplifying.polynomials import (
    DECIMALS,
    Monomial,
    Number,
    Polynomial,
    inverse,
    leaves_of,
    length,
    monomial,
    order_of,
    plus,
    quotient,
    scaled,
    times,
    times_in,
)
from autograd_np.ops.indexing import axes_of
from autograd_np.ops.shaping import spread

__all__ = ["Spelling"]

MOST_TERMS = 24
"""A sum that would have more terms is not multiplied out."""


class Spelling(Form):
    """Writes polynomials: common factors outside, the user's names for products and sums, numbers as the code has them."""

    def normed(self, p: Polynomial) -> tuple[Polynomial, Number]:
        """Divide a sum by a number, so that the first term has a positive sign and whole numbers have no common factor."""
        whole = all(type(c) is int or (isinstance(c, (int, Fraction)) and c.denominator in (1, 2, 3, 4)) for c in p.values())
        first = min(p, key=lambda m: (len(m) == 0, [(e.index, n) for e, n in m]))
        if whole:
            content = quotient(math.gcd(*(c.numerator for c in p.values())), math.lcm(*(c.denominator for c in p.values())))
        else:
            sizes = {abs(c) for c in p.values()}
            content = sizes.pop() if len(sizes) == 1 else 1
        if self._is_turned(p, first):
            content = -content
        if content == 1:
            return p, 1
        return {m: quotient(c, content) for m, c in p.items()}, content

    def _is_turned(self, p: Polynomial, first: Monomial) -> bool:
        """Whether a sum is the negative of how it is written: as the user wrote it, 1 - x, or with the first term positive."""
        for sign in (1, -1):
            if frozenset((m, c > 0) for m, c in scaled(p, sign).items()) in self._orientations:
                return sign < 0
        return bool(p[() if len(p) == 2 and () in p else first] < 0)

    def factored(self, p: Polynomial, may: Callable[[Expression], bool] = lambda _: True) -> tuple[Polynomial, Number, Monomial]:
        """Take out of a sum the number and the powers that all of its terms have."""
        p, content = self.normed(p) if len(p) > 1 else (dict.fromkeys(p, 1), next(iter(p.values()), 1))
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
        if any(
            len(s) > len(t) or any(m not in (1, n) for m, n in zip(s[::-1], t[::-1], strict=False))
            for s, t in zip(e.shapes, like.shapes, strict=True)
        ):
            return like  # a factor that does not fit beside the others without what was summed
        if e.shapes == like.shapes:
            return e
        if e.ndim == 0 and all(np.size(v) == 0 for v in like.values) and not any(map(np.isfinite, e.values)):
            e = self.sheet.number(like.dtype.type(0))  # a mean over nothing is divided by their number
        return self.sheet.call(spread, e, shape=self._shape(like))

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
        best = self._factors(p)
        crossed = self._crossed(p)
        if crossed is None:
            return best
        other = self._factors(crossed)
        return other if self.cost(other) < self.cost(best) else best

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

    def gathered(self, p: Polynomial) -> Polynomial:
        """Take a term that is as many times a number as a sum has terms into that sum: n * mu - sum(x) is sum(mu - x)."""
        for m, c in p.items():
            for s, n in m:
                if n != 1 or not s.is_call(np.sum) or s.args[0].kind == "number":
                    continue
                count = self.count(s.args[0], s.attribute("axis"))
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
        one_sum_each = all(sum(1 for e, n in m if n == 1 and not self.is_named(e) and self.terms_of(e)) <= 1 for m in p)
        return found if one_sum_each and len(found) <= MOST_TERMS // 3 else None

    def _expanded(self, m: Monomial, c: Number) -> Polynomial:
        found: Polynomial = {(): c}
        for e, n in m:
            terms = None if self.is_named(e) else self.terms_of(e)
            found = times(found, terms if terms is not None and n == 1 else {((e, n),): 1})
        return found

    def _factors(self, p: Polynomial) -> Expression:
        """Write a polynomial with what its terms have in common outside."""
        p = self.gathered(p)
        if len(p) == 1:
            [(m, c)] = p.items()
            return self._term(m, c)
        rest, content, common = self.factored(p)
        if len(rest) == 1:
            return self._factors(times(rest, {common: content}))
        if content < 0 and any(c < 0 for c in rest.values()):
            rest, content = scaled(rest, -1), -content
        inner, by = self.as_one(rest)
        if not common and content * by == 1:
            return inner
        powers = dict(common)
        powers[inner] = powers.get(inner, 0) + 1
        inside = self._term(monomial(powers), content * by)
        outside = self.written_sum(times(rest, {common: content}))
        return inside if self.cost(inside) <= self.cost(outside) else outside

    def as_one(self, p: Polynomial) -> tuple[Expression, Number]:
        """Return a sum as one expression, a variable of the user's if it is a multiple of one, and that multiple."""
        for sign in (1, -1):
            known = self._sums.get(frozenset(scaled(p, sign).items()))
            if known is not None:
                return known[0], quotient(sign, known[1])
        return self.written_sum(p), 1

    def written_sum(self, p: Polynomial) -> Expression:
        """Write a sum, the terms with a positive sign first."""
        terms = sorted(p.items(), key=lambda item: (item[1] < 0, len(item[0]) > 0, *self._rank(item[0]), order_of(item[0])))
        found: Expression | None = None
        for m, c in terms:
            negative = self._is_negative(c)
            e = self._term(m, -c if negative else c)
            if found is None:
                found = self._negated(e) if negative else e
            else:
                found = self.sheet.call(np.subtract if negative else np.add, as_float(found), e)
        assert found is not None
        return found

    def _rank(self, m: Monomial) -> tuple[bool, bool]:
        """Order terms: gradients first, then what is computed, then variables alone, such as a regulariser."""
        return not any(e.flows for e, _ in m), all(e.op is None or self.is_named(e) for e, _ in m)

    def _term(self, m: Monomial, c: Number) -> Expression:
        """Write a product: the number, the arrays in their order, and below the line what is divided by."""
        key = m, type(c), c
        if key not in self._terms:
            self._terms[key] = self._as_product(m, c)
        return self._terms[key]

    def _as_product(self, m: Monomial, c: Number) -> Expression:
        powers, c = self._abbreviated(dict(m), c)
        powers = self._without_squared_roots(powers)
        sheet = self.sheet
        above = [(e, n) for e, n in monomial(powers) if n > 0]
        below = [(e, -n) for e, n in monomial(powers) if n < 0]
        negative = self._is_negative(c)
        top, bottom = self._quotient(-c if negative else c)
        above = self._with_means(above, below)
        # As people write: 2 * lam * dZ * A. What is infinite comes last, where it meets the whole: of nothing, it leaves nothing.
        above.sort(key=lambda item: (_is_infinite(item[0]), item[0].kind != "number", item[0].ndim > 0, not item[0].flows))
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
        if value == 1:
            return 1, 1
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
        if len(repr(float(value))) <= max(DECIMALS, len(f"{value}")):
            return float(value), 1
        return value.numerator, value.denominator

    def _with_means(self, above: list[tuple[Expression, int]], below: list[tuple[Expression, int]]) -> list[tuple[Expression, int]]:
        """Write a sum that is divided by the number of its terms as a mean; takes that number out of what is divided by."""
        found = []
        for e, n in above:
            if n == 1 and e.is_call(np.sum) and set(dict(e.attrs)) <= {"axis", "keepdims"}:
                count = self.count(e.args[0], e.attribute("axis"))
                times_below = dict(below).get(count, 0)
                if times_below and count.number is None:
                    below[:] = [(x, k - (x is count)) for x, k in below if x is not count or k > 1]
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
                k = times_in(powers, m)
                if k and named not in powers | dict(m):
                    new = dict(powers)
                    for e, n in m:
                        new[e] -= n * k
                        if not new[e]:
                            del new[e]
                    new[named] = k
                    if length(new) < length(powers):
                        powers, changed = new, True
                        c = quotient(c, content**k if k > 0 else inverse(content) ** -k)
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
            if not all(self.is_fixed(e, x, axes, bool(sum_.attribute("keepdims"))) for e in outside):
                continue
            within = {**{e: k for e, k in inner if e not in dict(m)}, named: 1}
            found = {e: k - outside.get(e, 0) for e, k in powers.items() if e is not sum_ and k != outside.get(e, 0)}
            new = self.sheet.call(np.sum, self.expression({monomial(within): c}, x), **dict(sum_.attrs))
            return {**found, new: found.get(new, 0) + 1}
        return None


def _is_infinite(e: Expression) -> bool:
    return e.kind == "number" and not all(map(math.isfinite, e.values))


def as_float(e: Expression) -> Expression:
    """Return a mask as zeros and ones, which can be subtracted."""
    return e.sheet.call(np.multiply, 1.0, e) if e.dtype.kind == "b" else e
