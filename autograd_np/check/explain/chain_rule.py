"""The gradient of a variable of forward, by the chain rule, written in what a statement of backward can read."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd_np.check.explain.formulas import NEAR, Sight
from autograd_np.derivations.derivation import Derived, Statement
from autograd_np.derivations.expression import Expression, walked
from autograd_np.derivations.naming.arrays import form_of
from autograd_np.derivations.naming.numbers import PLAIN, written
from autograd_np.derivations.rules.reverse import Cotangent, is_differentiable, pulled
from autograd_np.derivations.source.statements import lines_of
from autograd_np.derivations.source.writing import Writer

__all__ = ["ChainRule", "Written"]

MOST_SHARES = 8
"""Of a gradient that is a sum of no more shares, each is written as well."""


LONGEST = 200
"""A line of more operations is none that a person would write; what several of its parts share would be written in it again and again."""


class Written(NamedTuple):
    """Lines that give a variable its value, and the one expression that is this value; empty where these cannot be written."""

    lines: list[str]
    expression: str


class _Gradients(Derived):
    """The chain rule, from the gradients at hand to that of a variable."""

    def _swept(self, target: Expression, seed: Expression, plain: bool) -> list[Statement]:  # noqa: ARG002 (nothing is written yet)
        self._ends = target, seed
        return []

    def shares(self, of: Expression, given: Mapping[Expression, Expression]) -> list[Cotangent]:
        """Return what each use of a variable contributes to its gradient."""
        target, seed = self._ends
        order = walked([target])
        needed = {of}
        for e in order:
            if e.op is not None and e.op.kind != "constant" and is_differentiable(e) and any(a in needed for a in e.args):
                needed.add(e)
        arriving: dict[Expression, list[Cotangent]] = {target: [seed]}
        for e in reversed(order):
            found = arriving.pop(e, [])
            if e is of:
                return found
            if not found or e not in needed or e.op is None:
                continue
            g: Cotangent = given[e] if e in given else self.total(found)
            for i, share in pulled(e, g, [i for i, a in enumerate(e.args) if a in needed], as_written=True):
                arriving.setdefault(e.args[i], []).append(share)
        return []

    def total(self, shares: Sequence[Cotangent]) -> Cotangent:
        """Return the sum of shares."""
        found: Cotangent | None = None
        for share in shares:
            found = self._added(found, share)
        assert found is not None
        return found

    def simplest(self, g: Expression, of: Expression) -> Expression:
        """Return a gradient in its simplest form, in the shape of its variable."""
        algebra = self.simplified.algebra
        return self.simplified(g if g.shapes == of.shapes else algebra.expression(algebra.polynomial(g), of))


class ChainRule:
    """Writes the gradients of forward's variables as a statement can have them.

    Parameters
    ----------
    sight : Sight
    plain : bool
        Leave forward as it is written, rather than find the forms in it that have a name.
    whole : bool
        Leave forward's variables whole, also those that are out of sight.
    late : callable
        Whether the time for it is over: then no more is yielded.
    """

    def __init__(self, sight: Sight, *, plain: bool = False, whole: bool = False, late: Callable[[], bool] = lambda: False) -> None:
        self.late = late
        formulas = sight.formulas
        self.sight, self.sheet = sight, formulas.sheet
        recording = copy.copy(formulas.recording)
        recording.numbers = sight.numbers
        order = {e: i for i, e in enumerate(recording.steps)}
        names = {**({e: nodes[0].name or "" for e, nodes in formulas.rows if nodes[0].name} if whole else {}), **sight.names}
        recording.names = {e: t for e, t in sorted(names.items(), key=lambda item: order.get(item[0], -1)) if e.op is not None}
        self.derived = _Gradients(recording, plain=plain)
        self.given = {self.derived.canonical(e): g for e, g in sight.given.items()}
        self.names = {self.derived.canonical(e): t for e, t in sight.names.items()} | sight.names
        self.arrays = {t: e for e, t in self.names.items() if e.kind != "number" and e.ndim}

    def written(self, of: Expression, target: str, multiples: Sequence[float]) -> Iterator[Written]:
        """Yield how the gradient of a variable is written; then shares of it, which may be added to others.

        Parameters
        ----------
        of : Expression
        target : str
            What is set.
        multiples : sequence of float
            Which multiple of the gradient it should be at each point.
        """
        of = self.derived.canonical(of)
        given = {e: g for e, g in self.given.items() if e is not of}
        shares = self.derived.shares(of, given)
        if not shares:
            return
        parts = [shares]
        if 1 < len(shares) <= MOST_SHARES:
            parts += [[s] for s in shares] + ([[*shares[:i], *shares[i + 1 :]] for i in range(len(shares))] if len(shares) > 2 else [])
        for some in parts:
            if self.late():
                return
            g = self.derived.total(some)
            if not isinstance(g, Expression):
                continue
            if any(c != 1 for c in multiples):
                g = self.sheet.call(np.multiply, g, self.sheet.number(*multiples))
            value = self.derived.simplest(g, of)
            text = self._text(value, target)
            if text is not None:
                yield text

    def _as_size(self, values: tuple[Any, ...], text: str) -> str:
        """Write a number that is the same at every point, and that nobody wrote down, as a size, or as one over it."""
        n = values[0]
        if any(v != n for v in values) or n in PLAIN or text != written(n) or n in self.derived.numbers.constants:
            return text
        sizes = [(x.name, x.values) for x in self.sight.numbers if type(x.values[0]) is int]
        sizes += [(f"{t}.shape[{axis}]", m) for t, e in self.arrays.items() for axis, m in enumerate(zip(*e.shapes, strict=True))]
        for name, m in sizes:
            if all(k == m[0] for k in m) and m[0] > 1:
                if n == m[0]:
                    return name
                if abs(n * m[0] - 1) < NEAR:
                    return f"1 / {name}"
        return text

    def _text(self, value: Expression, target: str) -> Written | None:
        raw = self.derived.originals

        def instead(e: Expression) -> Expression:
            other = raw.get(e, e)
            return other if other.op is not None else e

        if self._length(value, instead) > LONGEST:
            return None

        def number(values: tuple[Any, ...]) -> str | None:
            found = self.derived.numbers.text(values, self.arrays)
            return None if found is None else self._as_size(values, found[0])

        def array(e: Expression) -> str:
            form = form_of(e.values)
            numbers = [number(n) for n in form.numbers] if form is not None else [None]
            if form is None or any(n is None for n in numbers):
                raise LookupError("an array that has no name")
            return form.text.format(*numbers)

        def size(n: Any, is_end: bool) -> str | None:
            found = self.derived.numbers.size_text(n, is_end=is_end)
            return None if found is None else found[0]

        def writer() -> Writer:
            return Writer(self.names, number, array, size, instead)

        whole, by_lines = writer(), writer()
        expression, lines = whole(value), lines_of(target, value, by_lines)
        found = Written(lines if _is_readable(by_lines, lines) else [], expression if _is_readable(whole, [expression]) else "")
        return found if found.lines or found.expression else None

    def _length(self, value: Expression, instead: Callable[[Expression], Expression]) -> float:
        """Return how many operations an expression has once it is written: what is shared in the graph is written at each use."""
        found: dict[Expression, float] = {}
        todo = [value]
        while todo:
            e = todo[-1]
            within = () if e in self.names or e.op is None else [o] if (o := instead(e)) is not e else e.children
            unknown = [x for x in within if x not in found]
            if unknown:
                todo += unknown
            else:
                found[todo.pop()] = 1.0 + sum(found[x] for x in within)
        return found[value]


def _is_readable(writer: Writer, texts: Sequence[str]) -> bool:
    """Whether all that was written can be read where it stands."""
    return not (writer.helpers or writer.imports or any(" of forward" in t or "gradient at " in t for t in texts))
