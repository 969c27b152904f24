"""The gradient by each variable of the user's function, one statement after the other."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from autograd_np import errors
from autograd_np.derivations.expression import Expression, Sheet, rebuilt, walked
from autograd_np.derivations.naming.numbers import Numbers
from autograd_np.derivations.reading.recording import Recording
from autograd_np.derivations.rules.reverse import Cotangent, is_differentiable, pulled
from autograd_np.derivations.simplifying.polynomials import Cost
from autograd_np.derivations.simplifying.simplify import Simplifier, canonical
from autograd_np.ops.indexing import scatter_add, setitem
from autograd_np.ops.shaping import spread

__all__ = ["Derived", "Statement", "replaced"]

LONGEST = 9
"""A statement of more operations than these is not made longer by what could stand on a line of its own."""
NAMED_FROM = 3
"""What the user gave no name is written where it is used, and gets a name from this many uses on."""
LONGEST_NAMELESS = 40
"""What the user gave no name is written where it is used if what uses it then has no more operations than these, taken together."""

TOO_LONG = 60
"""A statement of more operations, such as a sum of what every turn of a loop adds, is left as it is."""


class Statement(NamedTuple):
    """A line of the backward pass.

    Attributes
    ----------
    variable : Expression
        The gradient, a leaf by the name it has.
    value : Expression
        What it is.
    of : Expression
        What it is the gradient of.
    raw : Expression
        What the chain rule says before it is simplified.
    """

    variable: Expression
    value: Expression
    of: Expression
    raw: Expression


class Derived:
    """What the chain rule gives, simplified.

    Attributes
    ----------
    recording : Recording
    loss : Expression
        What is differentiated, as the user wrote it.
    upstream : Expression or None
        The gradient that arrives from outside where the result is not a scalar.
    names : dict of (Expression, str)
        The variables that backward may use.
    originals : dict of (Expression, Expression)
        What the user wrote for an expression that has a name of its own.
    through : dict of (Expression, list of Expression)
        The operations from which a gradient comes.
    simplified : Simplifier
    chain : tuple of Statement
        A statement for every variable that a gradient passes.
    statements : list of Statement
        Those that deserve a line.
    wanted : dict of (str, Expression)
        The gradients that are asked for by the names of their variables.

    Parameters
    ----------
    plain : bool
        Leave everything as it was recorded.
    lines : bool
        Choose which gradients deserve a line, and name those of what the user gave no name. Without, there is a statement for each
        variable and for what would be long, and each is by itself: that takes a time in proportion to the program.
    """

    def __init__(self, recording: Recording, wrt: str | Sequence[str] | None = None, *, plain: bool = False, lines: bool = True) -> None:
        self.recording = recording
        self.sheet: Sheet = recording.sheet
        self.loss = _result_of(recording)
        self.canonical = _as_it_is if plain else canonical(self.sheet)
        self.originals: dict[Expression, Expression] = {}
        target = self.canonical(self.loss)
        for raw in recording.steps:
            self.originals.setdefault(self.canonical(raw), raw)
        self.names: dict[Expression, str] = {e: name for name, e in recording.inputs.items()}
        self.names |= {e: name for name, e in recording.captured.items()}
        for e, name in recording.names.items():
            self.names.setdefault(self.canonical(e), name)
        self.wanted = self._wanted(wrt)
        self.upstream: Expression | None = None
        self.numbers = Numbers(recording)
        self.simplified = Simplifier(self.sheet, list(self.names), list(self.originals), self.numbers.constants, self.numbers.sizes)
        seed = self._seed(target)
        self.through: dict[Expression, list[Expression]] = {}
        self._plain, self._lines = plain, lines
        self._weight = Cost(self.names.__contains__)
        self._left_alone: set[tuple[Expression, ...]] = set()
        self.statements = self._swept(target, seed, plain)
        self.chain = tuple(self.statements)
        if lines and not plain:
            self._inline()
            self._name_the_nameless()

    def _wanted(self, wrt: str | Sequence[str] | None) -> dict[str, Expression]:
        inputs = self.recording.inputs | self.recording.captured
        if wrt is None:
            trained = {n: e for n, e in self.recording.captured.items() if e in self.recording.trained}
            return {n: e for n, e in (self.recording.inputs | trained).items() if e.dtype.kind == "f"}
        wrt = [wrt] if isinstance(wrt, str) else wrt
        unknown = [n for n in wrt if n not in inputs]
        if unknown:
            raise errors.DifferentiationError(f"no variable is called {unknown[0]!r}; there are {', '.join(inputs)}")
        return {n: inputs[n] for n in wrt}

    def _seed(self, target: Expression) -> Expression:
        if all(np.size(v) == 1 for v in target.values) and target.ndim == 0:
            return self.sheet.number(target.dtype.type(1))
        name = self.recording.names.get(self.loss) or "out"
        rng = np.random.default_rng(0)
        values = [rng.standard_normal(np.shape(v)).astype(target.dtype) for v in target.values]
        self.upstream = self.sheet.variable(f"d{name}", values, flows=True)
        self.names[self.upstream] = f"d{name}"
        return self.upstream

    # --- the sweep

    def _swept(self, target: Expression, seed: Expression, plain: bool) -> list[Statement]:
        wanted = set(self.wanted.values())
        order = walked([target])
        needed: set[Expression] = set()
        for e in order:
            if e in wanted or (any(a in needed for a in e.args) and is_differentiable(e) and e.op is not None and e.op.kind != "constant"):
                needed.add(e)
        arriving: dict[Expression, Cotangent] = {target: seed}
        statements = []
        for e in reversed(order):
            g = arriving.pop(e, None)
            if g is None or e not in needed:
                continue
            wide = e.op is not None and sum(a in needed for a in e.args) > 1
            if isinstance(g, Expression) and (e is not target or e in wanted) and (e in self.names or (wide and self._is_long(g))):
                statement = self._statement(e, g, plain)
                statements.append(statement)
                g = statement.variable
            if e.op is None:
                continue
            for i, contribution in pulled(e, g, [i for i, a in enumerate(e.args) if a in needed], as_written=not plain):
                arriving[e.args[i]] = self._added(arriving.get(e.args[i]), contribution)
                self.through.setdefault(e.args[i], []).append(e)
        return statements

    def _is_long(self, g: Expression) -> bool:
        """Whether the gradient of what has no name, and is used in several places of a rule, gets a statement."""
        return not self._plain if self._lines else self._weight(g) > LONGEST_NAMELESS

    def _added(self, a: Cotangent | None, b: Cotangent) -> Cotangent:
        if a is None:
            return b
        if isinstance(a, list) and isinstance(b, list):
            return [x if y is None else y if x is None else self.sheet.call(np.add, x, y) for x, y in zip(a, b, strict=True)]
        assert isinstance(a, Expression)
        assert isinstance(b, Expression)
        return self.sheet.call(np.add, a, b)

    def _statement(self, e: Expression, g: Expression, plain: bool) -> Statement:
        if g.shapes != e.shapes:
            g = self.simplified.algebra.expression(self.simplified.algebra.polynomial(g), e)
        value = g if plain else self.simplified(g)
        variable = self.sheet.variable(self._gradient_name(e), value.values, flows=True)
        return Statement(variable, value, e, g)

    def _gradient_name(self, e: Expression) -> str:
        """Return what the gradient of a variable is called: dW, unless the user has something else of that name."""
        if e not in self.names:
            return ""
        taken = set(self.names.values())
        name = self.names[e]
        return next(n for n in (f"d{name}", f"grad_{name}", *(f"grad_{name}_{i}" for i in range(2, 99))) if n not in taken)

    # --- which gradients deserve a line

    def _inline(self) -> None:
        """Write a gradient where it is used, if that leaves less to read, or as much in fewer lines.

        What has no name goes first, from the inputs up, so that all of its uses are known.
        """
        while any(self._inlined(s) for s in self._by_turn()):
            pass

    def _by_turn(self) -> list[Statement]:
        asked = set(self.wanted.values())
        free = [s for s in self.statements if s.of not in asked]
        aliases = [s for s in free if self._is_plain(s.value)]
        return [*aliases, *reversed([s for s in free if s.of not in self.names]), *(s for s in free if s.of in self.names)]

    def _is_plain(self, e: Expression) -> bool:
        return (
            e.op is None
            or e in self.names
            or all(x.kind == "number" for x in walked([e]) if x.op is None)
            or (e.is_call(spread) and e.args[0].kind == "number" and e.args[0].number is not None)
        )

    def _inlined(self, s: Statement) -> bool:
        """Write a gradient where it is used, if that is better; return whether it is."""
        users = [t for t in self.statements if s.variable in t.value.reads]
        attempt = s.variable, s.value, *(t.value for t in users)
        if attempt in self._left_alone:
            return False
        if any(self._weight(t.value) > TOO_LONG for t in users) and not self._is_plain(s.value):
            return False
        new = {t.variable: self.simplified(replaced(t.value, {s.variable: s.value})) for t in users}
        before = self._weight(s.value) + sum(self._weight(t.value) for t in users)
        after = sum(self._weight(v) for v in new.values())
        better = after < before or self._is_plain(s.value)
        if not better and not any(x.is_call(setitem, scatter_add) for x in walked([s.value], self.names.__contains__)):
            readable = all(self._weight(v) <= LONGEST for v in new.values())
            better = (
                after <= before and len(users) <= 1 and readable and not (s.of in self.names and users and users[0].of not in self.names)
            )
            if s.of not in self.names and after <= LONGEST_NAMELESS:
                better = better or sum(_count(t.value, s.variable) for t in users) < NAMED_FROM
        if better:
            self.statements = [t._replace(value=new.get(t.variable, t.value)) for t in self.statements if t is not s]
        else:
            self._left_alone.add(attempt)
        return better

    def _name_the_nameless(self) -> None:
        """Name the gradients of what the user gave no name: dz, da, ..."""
        taken = {n.lower() for n in self.names.values()} | {(s.variable.name or "").lower() for s in self.statements}
        letters = (f"d{c}" for c in itertools.chain("zasuvqr", (f"z_{i}" for i in itertools.count(2))))
        for s in self.statements:
            if not s.variable.name:
                s.variable.name = next(n for n in letters if n not in taken and n[1:] not in taken)


def _count(e: Expression, x: Expression) -> int:
    """Return how often one expression is written in another."""
    found: dict[Expression, int] = {}
    for y in walked([e]):
        found[y] = int(y is x) + sum(found[a] for a in y.args)
    return found[e]


def replaced(e: Expression, by: Mapping[Expression, Expression]) -> Expression:
    """Return an expression with others in the place of some of its parts."""
    done: dict[Expression, Expression] = dict(by)
    for x in walked([e]):
        if x not in done:
            done[x] = rebuilt(x, done.__getitem__) if x.op is not None else x
    return done[e]


def _as_it_is(e: Expression) -> Expression:
    return e


def _result_of(recording: Recording) -> Expression:
    """Return the result that is differentiated: the only scalar, or the first, beside what is saved for backward."""
    outputs = recording.outputs
    scalars = [e for e in outputs if e.ndim == 0 and e.dtype.kind == "f"]
    found = scalars[0] if len(scalars) == 1 else outputs[0]
    if found.dtype.kind != "f":
        raise errors.DifferentiationError(f"the result is {found.dtype}; derivations are written for real floating results")
    return found
