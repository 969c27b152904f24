"""A derivation as a lesson: forward, then each gradient by the line it comes from, the local rule, the chain rule, and what is left."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from autograd_np import errors
from autograd_np.derivations.derivation import Derived, Statement, replaced
from autograd_np.derivations.expression import Expression, walked
from autograd_np.derivations.mathematics import notation as n
from autograd_np.derivations.mathematics.equations import ONE, ONES, At, Variable, bracketed
from autograd_np.derivations.mathematics.local import local_rules
from autograd_np.derivations.mathematics.notation import Node
from autograd_np.derivations.mathematics.sizes import Sizes
from autograd_np.derivations.mathematics.symbols import Symbols
from autograd_np.derivations.mathematics.templates import POWER
from autograd_np.derivations.mathematics.writer import Mathematics
from autograd_np.derivations.simplifying.polynomials import Cost

__all__ = ["Block", "Display", "Heading", "Lesson", "Line", "Paragraph"]


class Heading(NamedTuple):
    """What the next part is called."""

    words: str


class Paragraph(NamedTuple):
    """Words and formulas in a line."""

    pieces: tuple[str | Node, ...]


class Line(NamedTuple):
    """An equation: what is equal to what, to what."""

    left: Node
    right: tuple[Node, ...]


class Display(NamedTuple):
    """Equations below each other."""

    lines: tuple[Line, ...]


Block: TypeAlias = Heading | Paragraph | Display

WIDEST = 52.0
"""A formula with shapes is written without them where it would be wider, in letters."""


class Lesson:
    """Says how the gradients of a derivation come about.

    Parameters
    ----------
    derivation : Derived
    index : bool
        Write elements with their indices, not whole arrays.
    places : mapping, optional
        Which variables belong to modules: see `Symbols`.
    """

    def __init__(self, derivation: Derived, *, index: bool = False, places: Mapping[str, tuple[str, str]] | None = None) -> None:
        self.derivation = derivation
        recording = derivation.recording
        self.index = index
        inputs = recording.inputs | recording.captured
        self.target = derivation.canonical(derivation.loss)
        self._own = {*recording.steps, *derivation.originals}
        own = {e: name for name, e in inputs.items()}
        once = _told_apart(recording.names, inputs)
        result = once.get(derivation.loss) or own.get(derivation.loss)
        if result is None:
            word = "out" if derivation.upstream is not None else "loss"
            taken = {*inputs, *recording.names.values()}
            result = word if word not in taken else next(x for i in range(2, 99) if (x := f"{word}_{i}") not in taken)
        names = [*inputs, *once.values(), result, *(v.name for v in recording.numbers)]
        self.symbols = Symbols(dict.fromkeys(names), result if derivation.upstream is None else None, places)
        self.sizes = Sizes(recording, derivation.numbers, self.symbols.letters)
        self.forward_names = {e: Variable(name) for e, name in own.items()} | {e: Variable(name) for e, name in once.items()}
        self.forward_names.setdefault(derivation.loss, Variable(result))
        known: dict[Expression, str] = {}
        for e, name in once.items():
            known.setdefault(derivation.canonical(e), name)
        self.names = {e: Variable(known.get(e, name)) for e, name in derivation.names.items()}
        self.names.setdefault(self.target, Variable(result))
        self.chain = self._told()
        self._statements = {s.of: s for s in reversed(self.chain)}
        self._nameless = {s.variable for s in self.chain if not s.variable.name}
        for s in self.chain:
            if s.of not in self.names:
                name = (s.variable.name or "dz")[1:]
                self.names[s.of] = self.forward_names[derivation.originals.get(s.of, s.of)] = Variable(name)
            self.names[s.variable] = Variable(self.names[s.of].name, is_gradient=True)
        if derivation.upstream is not None:
            self.names[derivation.upstream] = Variable(result, is_gradient=True)
        self._order = {e: i for i, e in enumerate(walked([self.target]))}
        self._readers = self._found_readers()

    def _writer(self, without: Expression | None = None, *, shaped: bool = False, forward: bool = False) -> Mathematics:
        names: Mapping[Expression, Variable] = self.forward_names if forward else self.names
        if without is not None:
            names = _Without(names, without)
        return Mathematics(names, self.symbols, self.sizes, shaped=shaped and not self.index, own=self._own)

    def _told(self) -> list[Statement]:
        """Return the statements of the chain rule, those by what has no name put into the others."""
        derivation = self.derivation
        kept = {s.variable for s in derivation.statements}
        raw: dict[Expression, Expression] = {}
        value: dict[Expression, Expression] = {}
        found = []
        for s in derivation.chain:
            told = s._replace(raw=replaced(s.raw, raw)) if raw else s
            if value and any(x in value for x in walked([s.value])):
                told = told._replace(value=derivation.simplified(replaced(s.value, value)))
            if s.of in derivation.names or s.variable in kept:
                found.append(told)
            else:
                raw[s.variable], value[s.variable] = told.raw, told.value
        return found

    def _found_readers(self) -> dict[Expression, list[Expression]]:
        """Return, for each variable, the variables that are computed from it and through which its gradient arrives."""
        flowing = {s.of for s in self.chain} | {self.target}
        found: dict[Expression, list[Expression]] = {}
        for x in self._order:
            if x in flowing and x.op is not None:
                for read in walked([x], lambda y, x=x: y is not x and y in self.names):  # type: ignore[misc]
                    if read is not x and read in flowing:
                        found.setdefault(read, []).append(x)
        return found

    # --- what is said

    def blocks(self) -> list[Block]:
        """Return the lesson."""
        lines = tuple(line for _, line in self.computed())
        found: list[Block] = [Heading("Forward"), Display(lines)] if lines else []
        found.append(Heading("Backward"))
        if self.derivation.upstream is not None:
            out = self._gradient(self.derivation.loss, None)
            words = "is given: ", self.symbols.loss, " is what is computed from the result."
            found.append(Paragraph(("The gradient ", out, " ", *words)))
        told: set[str] = set()
        for readers, statements in self._steps():
            found += self._step(readers, statements, told)
        found.append(Heading("Result"))
        found.append(Display(tuple(self._results())))
        notes = self._notes()
        return [*found, notes] if notes else found

    def _indices(self, w: Mathematics, e: Expression) -> At:
        if not self.index or not e.ndim:
            return None
        letters = w.fresh(e.ndim)
        return tuple(n.Number("1") if all(s[i] == 1 for s in e.shapes) else letters[i] for i in range(e.ndim))

    def _line(self, w: Mathematics, left: Expression | Node, right: Sequence[Expression], like: Expression) -> Line:
        at = self._indices(w, like)
        w._used += at or ()
        sides: list[Node] = []
        for e in dict.fromkeys(right):
            node = w(e, at if e.ndim == like.ndim else None if not e.ndim else w.aligned(e, like, at))
            node = legible(node) if w.shaped else node
            if like.ndim and not e.ndim and at is None:
                node = ONES if node == ONE else n.row(bracketed(*w.leveled(e), POWER), ONES)
            if node not in sides:
                sides.append(node)
        w._used.clear()
        return Line(w(left, at) if isinstance(left, Expression) else left, tuple(sides))

    def computed(self) -> Iterator[tuple[Expression, Line]]:
        """Yield each variable that forward computes, and its equation."""
        for e in walked([self.derivation.loss]):
            if e in self.forward_names and e.op is not None:
                yield e, self.computation_of(e)

    def _steps(self) -> list[tuple[list[Expression], list[Statement]]]:
        """Return the gradients by the lines of forward that they come from, last line first."""
        chain = [s for s in self.chain if s.of is not self.target or s.of.op is None]
        groups: dict[tuple[Expression, ...], list[Statement]] = {}
        for s in chain:
            groups.setdefault(tuple(self._readers.get(s.of, [])), []).append(s)
        first = {readers: min((self._order[r] for r in readers), default=len(self._order)) for readers in groups}
        return [(list(readers), groups[readers]) for readers in sorted(groups, key=lambda r: -first[r])]

    def _step(self, readers: list[Expression], statements: list[Statement], told: set[str]) -> Iterator[Block]:
        pieces: list[str | Node] = []
        for i, r in enumerate(readers):
            w = self._writer(r)
            line = self._line(w, self._writer()(r, self._indices(w, r)), [r], r)
            pieces += ["From " if not i else " and from ", n.row(line.left, n.Sign("=", "relation"), line.right[0])]
        new: dict[Node, list[Node]] = {}
        for what, slopes in [
            rule
            for s in statements
            for r in readers
            for rule in local_rules(self.names, self.symbols, self.sizes, r, s.of)
            if not self.index
        ]:
            for slope in slopes:
                if repr((what, slope)) not in told:
                    told.add(repr((what, slope)))
                    new.setdefault(what, []).append(slope)
        for i, (what, its) in enumerate(new.items()):
            pieces += [", where " if not i else ", ", what, " gives "]
            for j, slope in enumerate(its):
                pieces += [", " if j else "", slope]
        if pieces:
            pieces.append(".")
        for s in statements:
            pieces += self._remarks(s, readers)
        if pieces:
            yield Paragraph(tuple(p for p in pieces if p != ""))
        yield Display(tuple(self._statement(s) for s in statements))

    def _remarks(self, s: Statement, readers: list[Expression]) -> Iterator[str | Node]:
        if len(readers) > 1:
            yield from (" ", self._name(s.of), f" is used {_times(len(readers))}: the contributions are added.")
        spread = next((x for r in readers for x in self._broadcasts(r, s.of)), None)
        if spread is not None:
            yield from (" ", self._name(s.of), " is repeated to ", self.sizes.shape(spread), ": its gradient is summed over the copies.")

    def _broadcasts(self, reader: Expression, e: Expression) -> Iterator[Expression]:
        for x in walked([reader], lambda y: y is not reader and y in self.names):
            if x.op is not None and x.op.kind == "elementwise" and (x is reader or x not in self.names):
                for a in x.args:
                    if a is e and a.shapes != x.shapes and x.ndim:
                        yield x

    def _name(self, e: Expression) -> Node:
        return self.symbols(self.names[e].name, e.ndim)

    def _gradient(self, e: Expression, at: At) -> Node:
        name = (self.names.get(e) or self.forward_names[e]).name
        node = self.symbols(name, 0 if at else e.ndim)
        return self.symbols.gradient(self._writer().indexed(node, at) if at else node)

    def _statement(self, s: Statement) -> Line:
        raw = self.derivation.canonical(s.raw)
        line = self._line(self._writer(shaped=True), s.variable, [raw, s.value], s.of)
        is_wide = max(map(n.width, line.right)) > WIDEST
        if raw is s.value and not is_wide:
            return line
        plain = self._line(self._writer(), s.variable, [raw, s.value], s.of)
        if is_wide:
            line = plain
        if len(plain.right) == 1:
            return line._replace(right=line.right[:1])
        return line._replace(right=(*line.right[:-1], plain.right[-1]))

    def _results(self) -> Iterator[Line]:
        given = {s.of for s in self.derivation.statements}
        for _, statements in self._steps_of(self.derivation.statements):
            for s in statements:
                yield self._line(self._writer(), s.variable, [s.value], s.of)
        for e in self.derivation.wanted.values():
            if e not in given:
                yield Line(self._gradient(e, None), (n.Symbol("0", "bold" if e.ndim else "upright"),))

    def _steps_of(self, statements: Sequence[Statement]) -> list[tuple[list[Expression], list[Statement]]]:
        kept = {s.variable: s for s in statements}
        return [(readers, [kept[s.variable] for s in group if s.variable in kept]) for readers, group in self._all_steps()]

    def _all_steps(self) -> list[tuple[list[Expression], list[Statement]]]:
        whole = [s for s in self.chain if s.of is self.target and s.of.op is not None and s.of in self.derivation.wanted.values()]
        return [([], whole), *self._steps()]

    def _notes(self) -> Paragraph | None:
        pieces: list[str | Node] = []
        for e, name in self.symbols.constants:
            pieces += ["" if not pieces else " ", self.symbols(name, e.ndim), " is an array of numbers in the code."]
        for values, node in self.sizes.unknown.items():
            pieces += ["" if not pieces else " ", node, f" is a number that depends on the sizes, {values[0]:.4g} in the first recording."]
        return Paragraph(tuple(p for p in pieces if p != "")) if pieces else None

    # --- one statement

    def computation_of(self, e: Expression) -> Line:
        """Return the equation of a variable that forward computes, and what it is the same as."""
        w = self._writer(e, forward=True, shaped=True)
        line = self._line(w, e, [e], e)
        if n.width(line.right[0]) > WIDEST:
            line = self._line(self._writer(e, forward=True), e, [e], e)
        canonical = self.derivation.canonical(e)
        left = Mathematics(self.forward_names, self.symbols, self.sizes, shaped=not self.index, own=self._own)
        at = self._indices(left, e)
        right = line.right
        if canonical is not e:
            plain = self._line(self._writer(e, forward=True), e, [e], e).right
            other = self._line(self._writer(canonical), left(e, at), [canonical], e).right
            right = right if other == plain else (*right, *other)
        return Line(left(e, at), right)

    def gradient_of(self, e: Expression) -> Line | None:
        """Return the chain rule for the gradient at what forward computed, and what it simplifies to.

        ``None`` if it got no statement, or one that reads the gradient of what has no name.
        """
        s = self._statements.get(self.derivation.canonical(e))
        if s is None or not self._nameless.isdisjoint({s.variable} | s.raw.reads | s.value.reads):
            return None
        return self._statement(s)

    def is_long(self, e: Expression, most: float) -> bool:
        """Whether an equation about a variable has more operations than these."""
        s = self._statements.get(self.derivation.canonical(e))
        forward = Cost(lambda x: x is not e and x in self.forward_names)
        return forward(e) > most or (s is not None and max(map(Cost(self.names.__contains__), (s.raw, s.value))) > most)

    def equation(self, variable: str) -> Line:
        """Return the simplified gradient by a variable."""
        for s in self.chain:
            if variable in (self.names[s.of].name, self.derivation.names.get(s.of)):
                value = next((t.value for t in self.derivation.statements if t.variable is s.variable), s.value)
                return self._line(self._writer(), s.variable, [value], s.of)
        there = ", ".join(dict.fromkeys(self.names[s.of].name for s in self.chain))
        raise errors.DifferentiationError(f"no gradient by {variable!r} was derived; there are those by {there}")


class _Without(Mapping[Expression, Variable]):
    """Names but for one: a copy of all of them, for each of as many equations, would take longer than writing these."""

    def __init__(self, names: Mapping[Expression, Variable], without: Expression) -> None:
        self._names, self._without = names, without

    def __getitem__(self, e: Expression) -> Variable:
        if e is self._without:
            raise KeyError(e)
        return self._names[e]

    def __contains__(self, e: object) -> bool:
        return e is not self._without and e in self._names

    def __iter__(self) -> Iterator[Expression]:
        return (e for e in self._names if e is not self._without)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _told_apart(names: Mapping[Expression, str], inputs: Container[str]) -> dict[Expression, str]:
    """Give a number to each value of a variable that held several, or that held an argument before."""
    count = Counter(names.values())
    taken = {*names.values()}
    found: dict[Expression, str] = {}
    for e, name in names.items():
        if count[name] > 1 or name in inputs:
            numbered = (f"{name}_{i}" for i in itertools.count(1))
            found[e] = next(n for n in numbered if n not in taken and n not in inputs)
            taken.add(found[e])
        else:
            found[e] = name
    return found


def _times(count: int) -> str:
    return {2: "twice", 3: "three times"}.get(count, f"{count} times")


def legible(node: Node, *, small: bool = False) -> Node:
    """Leave out the shapes where letters are small: in exponents and indices."""
    if isinstance(node, n.Under) and small and isinstance(node.below, (n.Row, n.Symbol, n.Number, n.Script)):
        return legible(node.body, small=True)
    if isinstance(node, n.Script):
        sub, sup = (None if x is None else legible(x, small=True) for x in (node.sub, node.sup))
        return n.Script(legible(node.base, small=small), sub, sup)
    return n.rebuilt(node, lambda part: legible(part, small=small))
