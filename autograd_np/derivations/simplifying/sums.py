"""Sums along axes: they are linear, so what does not change along the axis is taken out, and some are known without adding up."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import Any

import numpy as np

from autograd_np.derivations.expression import Expression
from autograd_np.derivations.simplifying.form import Form
from autograd_np.derivations.simplifying.polynomials import ONE, Monomial, Number, Polynomial, is_scale, monomial, plus, times, total
from autograd_np.ops import special
from autograd_np.ops.indexing import axes_of, scatter_add, setitem

__all__ = ["Sums"]


class Sums(Form):
    """Sums of polynomials along axes."""

    def summed(self, p: Polynomial, x: Expression, axis: Any, keepdims: bool) -> Polynomial:
        """Return the sum along axes of a polynomial that has the shape of `x`."""
        if not p:
            return {}
        axes = tuple(range(x.ndim)) if axis is None else tuple(axes_of(axis, x.ndim))
        axis = None if len(axes) == x.ndim else self._spelled(axes, x.ndim)
        terms = [self._summed_term(m, c, x, axes, axis, keepdims) for m, c in p.items()]
        known = [t for t in terms if t[1]]
        if len(p) == 1 or known:
            found: Polynomial = {}
            for t, _ in terms:
                found = plus(found, t)
            if len(p) == 1 or len(found) <= 1 or self._weight(found) <= self._weight(p) + 2:
                return found
        rest, content, common = self.factored(p, lambda f: self.is_fixed(f, x, axes, keepdims))
        inner = self.expression(rest, x)
        return times({common: content}, {((self.sum_of(inner, axis, keepdims), 1),): 1})

    def _spelled(self, axes: tuple[int, ...], ndim: int) -> Any:
        """Return axes in one way, the last one as -1 where the user counts from the end."""
        return axes if len(axes) > 1 else -1 if self.from_end and axes[0] == ndim - 1 else axes[0]

    def _weight(self, p: Polynomial) -> float:
        return sum(1 + sum(abs(n) for _, n in m) for m in p)

    def sum_of(self, inner: Expression, axis: Any, keepdims: bool) -> Expression:
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
        fixed = {f: n for f, n in m if self.is_fixed(f, x, axes, keepdims)}
        rest = {f: n for f, n in m if f not in fixed}
        outer: Polynomial = {monomial(fixed): c}
        if not rest:
            return times(outer, {((self.count(x, axis), 1),): 1}), True
        if len(rest) == 1:
            [(f, n)] = rest.items()
            if n == 1 and f.shapes == x.shapes:
                known = self._known_sum(f, axes, axis, keepdims)
                if known is not None:
                    return times(outer, known), True
                terms = None if self.is_named(f) else self.terms_of(f)
                if terms is not None:
                    parts = [self._summed_term(t, ct, x, axes, axis, keepdims) for t, ct in terms.items()]
                    if any(is_known for _, is_known in parts):
                        return times(outer, total(part for part, _ in parts)), True
        inner = self.expression({monomial(rest): 1}, x)
        return times(outer, {((self.sum_of(inner, axis, keepdims), 1),): 1}), False

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
        if f.is_call(scatter_add, setitem) and is_one_each(f, axes):
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
        p = self.converted(f) if f.op is not None else {((f, 1),): 1}
        if ((f, 1),) in p:
            return False
        if len(p) == 1:
            rest = [(e, n) for e, n in next(iter(p)) if not self.is_fixed(e, f, axes, True)]
            return (
                len(rest) == 1 and rest[0][1] == 1 and rest[0][0].shapes == f.shapes and self._is_centred(rest[0][0], axes, axis, steps - 1)
            )
        found: Polynomial = {}
        for m, c in p.items():
            means = [e for e, n in m if self.is_named(e) and self.is_fixed(e, f, axes, True) and n == 1]
            terms = times(
                {monomial({e: n for e, n in m if e not in means}): c}, functools.reduce(times, map(self._converted_leaf, means), ONE)
            )
            for t, ct in terms.items():
                found = plus(found, self._summed_term(t, ct, f, axes, axis, True)[0])
        return not found

    def _converted_leaf(self, e: Expression) -> Polynomial:
        return self.leaf(e) if e.op is None else self.converted(e)

    def is_fixed(self, f: Expression, x: Expression, axes: Iterable[int], keepdims: bool) -> bool:
        """Whether a factor is the same along the axes of a sum over what has the shape of `x`, and can stand outside it."""
        if f.ndim == 0:
            return is_scale(f)
        axes = list(axes)
        skipped = x.ndim - f.ndim
        if any(i >= skipped and n[i - skipped] != 1 for n in f.shapes for i in axes):
            return False
        return keepdims or (all(i < skipped for i in axes) and axes == list(range(len(axes))))


def is_one_each(f: Expression, axes: tuple[int, ...]) -> bool:
    """Whether ones were put into zeros at one place for each of the rows that are summed: ``(np.arange(n), labels)``."""
    index = f.attribute("index")
    if len(axes) != 1 or not isinstance(index, tuple) or len(index) != f.ndim:
        return False
    *into, ones = f.args  # of an assignment, what is written into and what is written
    if any(a.reads for a in f.args):  # which happen to be ones, or zeros
        return False
    if any(not np.all(v == 1) for v in ones.values) or any(np.any(v) for a in into for v in a.values):
        return False
    others = [i for i in range(f.ndim) if i != axes[0]]
    if len(others) != 1 or not isinstance(index[others[0]], Expression) or not isinstance(index[axes[0]], Expression):
        return False
    rows = index[others[0]]
    return rows.kind == "array" and all(np.array_equal(v, np.arange(s[others[0]])) for v, s in zip(rows.values, f.shapes, strict=True))
