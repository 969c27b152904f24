"""Rewriting to a fixed point: the known pairs, and the normal form of sums and products."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from autograd_np.derivations.expression import Expression, Sheet, rebuilt, same_values, walked
from autograd_np.derivations.simplifying.algebra import Algebra
from autograd_np.derivations.simplifying.known import FORWARD, KINKS, REWRITINGS
from autograd_np.derivations.simplifying.patterns import Rewriting
from autograd_np.derivations.simplifying.structure import STRUCTURE, variance_spelled_out
from autograd_np.ops import special
from autograd_np.results import Results

__all__ = ["Simplifier", "canonical"]

ROUNDS = 20


class Rewriter:
    """Applies rows to all of an expression, from the inside out, as long as one fires."""

    def __init__(
        self,
        sheet: Sheet,
        rows: Iterable[Rewriting],
        stop: Callable[[Expression], bool] = lambda _: False,
        structure: Sequence[Callable[[Expression], Expression | None]] = STRUCTURE,
    ) -> None:
        self.sheet = sheet
        self.structure = structure
        self.stop = stop
        self.done: dict[Expression, Expression] = {}
        self.forms: dict[Expression, Expression] = {}
        self._rows: dict[Any, list[Rewriting]] = {}
        for row in rows:
            self._rows.setdefault(row.pattern.op, []).append(row)

    def __call__(self, e: Expression) -> Expression:
        """Return an expression rewritten."""
        for x in walked([e], lambda x: x in self.done or self.stop(x)):
            if x not in self.done:
                self.done[x] = x if self.stop(x) or x.op is None else self._named(self._settled(rebuilt(x, self.done.__getitem__)))
        return self.done[e]

    def learn(self, e: Expression, form: Expression) -> None:
        """Learn to write an expression otherwise."""
        known = self(e)
        self.forms[known] = self.done[e] = self.done[known] = form

    def _named(self, e: Expression) -> Expression:
        """Return the form with a variable in it, unless what it is made of has names itself."""
        return e if all(self.stop(a) or a.op is None for a in e.args) and not e.is_call(special.softmax) else self.forms.get(e, e)

    def _settled(self, e: Expression) -> Expression:
        for _ in range(ROUNDS):
            new = self.once(e)
            if new is e:
                return e
            if new.op is None or self.stop(new) or new in self.done:
                return self.done.get(new, new)
            e = rebuilt(new, self) if any(c not in self.done for c in new.children) else new
        return e

    def once(self, e: Expression) -> Expression:
        """Return what the first row that fires makes of an expression, or the expression."""
        for row in self._rows.get(e.op, ()):
            new = row.apply(e)
            if new is not None and new is not e and _may_replace(new, e):
                self.sheet.fired[row.name] += 1
                return new
        for structural in self.structure:
            found = structural(e)
            if found is not None and found is not e and _may_replace(found, e):
                self.sheet.fired[structural.__name__.strip("_").replace("_", " ")] += 1
                return found
        return e


def _may_replace(new: Expression, old: Expression) -> bool:
    """Whether a rewriting keeps shape and dtype at each point, and the value where it is finite."""
    return all(same_values(a, b) for a, b in zip(old.values, new.values, strict=True))


def canonical(sheet: Sheet) -> Rewriter:
    """Return what finds in the user's function the forms that have a name."""
    return Rewriter(sheet, [*FORWARD, *KINKS], structure=(*STRUCTURE, variance_spelled_out))


class Simplifier:
    """Simplifies expressions in which the variables of the user's stay as they are.

    Parameters
    ----------
    sheet : Sheet
    named : sequence of Expression
        The variables, in the order in which they are computed.
    steps : sequence of Expression
        All that the function computes; it stays as the user wrote it.
    constants : frozenset of float
        Numbers that stand in the user's code.
    sizes : frozenset of tuple
        The lengths of axes.
    """

    def __init__(
        self,
        sheet: Sheet,
        named: Sequence[Expression],
        steps: Sequence[Expression] = (),
        constants: frozenset[float] = frozenset(),
        sizes: Any = frozenset(),
    ):
        self.sheet = sheet
        self.named = set(named)
        self.algebra = Algebra(sheet, self.named.__contains__)
        self.algebra.constants, self.algebra.sizes = constants, sizes
        self.algebra.from_end = any(e.attribute("axis") == -1 for e in steps)
        self.steps = {e for e in steps if e.op is not None}
        self._rewriter = self.algebra.simplified = _Normal(sheet, self)
        for e in named:
            self.algebra.learn(e)
        for e in (*steps, *walked(named)):  # what the user wrote comes before what it is taken for
            self.algebra.learn_sum(e)
            self.algebra.learn_root(e)
        for e in named:
            self._learn_forms(e)
        self.algebra.forget_terms()

    def _learn_forms(self, named: Expression) -> None:
        """Learn what else is written with a variable: the mask of a relu, and the probabilities of their logarithm."""
        if named.is_call(special.relu) and named.args[0] not in self.named:
            self._rewriter.learn(self.sheet.call(np.greater, named.args[0], 0), self.sheet.call(np.greater, named, 0))
        if named.is_call(special.log_softmax):
            odds = self.sheet.call(special.softmax, named.args[0], **dict(named.attrs))
            self._rewriter.learn(odds, self.sheet.call(np.exp, named))

    def __call__(self, e: Expression) -> Expression:
        """Return an expression in its simplest form, or itself where that would not be the same."""
        new = self._rewriter(e)
        return new if _may_replace(new, e) and _reads_the_same(new, e) else e


class _Normal(Rewriter):
    """Applies the rows, and then the normal form."""

    def __init__(self, sheet: Sheet, simplifier: Simplifier) -> None:
        super().__init__(sheet, REWRITINGS, lambda e: e in simplifier.named or e in simplifier.steps)
        self.simplifier = simplifier

    def once(self, e: Expression) -> Expression:
        new = super().once(e)
        if new is not e or isinstance(e.values[0], Results) or e.dtype.kind != "f":
            return new
        algebra = self.simplifier.algebra
        found = algebra.expression(algebra.polynomial(e), e)
        if found is e or not _may_replace(found, e):
            return e
        self.done[found] = found
        return found


def _reads_the_same(new: Expression, old: Expression) -> bool:
    """Whether every array of numbers that the old form depends on is in the new one, so that a NaN in it still comes out."""

    def read(e: Expression) -> set[Expression]:
        return {x for x in e.reads if x.dtype.kind in "fc"}

    return read(old) <= read(new) or not read(new) ^ read(old)
