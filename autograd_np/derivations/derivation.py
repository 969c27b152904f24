"""The gradient by each variable of the user's function, one statement after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from autograd_np import errors
from autograd_np.derivations.algebra import cost
from autograd_np.derivations.expression import Expression, Sheet, rebuilt, walked
from autograd_np.derivations.recording import Recording
from autograd_np.derivations.reverse import Cotangent, is_differentiable, pulled
from autograd_np.derivations.simplify import Simplifier, canonical

__all__ = ["Derived", "Statement"]

LONGEST = 9
"""A statement of more operations than these is not made longer by what could stand on a line of its own."""


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
    statements : list of Statement
    wrt : dict of (str, Expression)
        The gradients that are asked for by the names of their variables.
    """

    def __init__(self, recording: Recording, wrt: str | Sequence[str] | None = None, *, plain: bool = False) -> None:
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
        self._simplified = Simplifier(self.sheet, list(self.names))
        seed = self._seed(target)
        self.statements = self._swept(target, seed, plain)
        if not plain:
            self._inline()

    def _wanted(self, wrt: str | Sequence[str] | None) -> dict[str, Expression]:
        inputs = self.recording.inputs | self.recording.captured
        if wrt is None:
            return {n: e for n, e in self.recording.inputs.items() if e.dtype.kind == "f"}
        wrt = [wrt] if isinstance(wrt, str) else wrt
        unknown = [n for n in wrt if n not in inputs]
        if unknown:
            raise errors.DifferentiationError(f"no variable is called {unknown[0]!r}; there are {', '.join(inputs)}")
        return {n: inputs[n] for n in wrt}

    def _seed(self, target: Expression) -> Expression:
        if all(np.size(v) == 1 for v in target.values) and target.ndim == 0:
            return self.sheet.number(1.0)
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
            if isinstance(g, Expression) and e in self.names and g is not self.upstream:
                statement = self._statement(e, g, plain)
                statements.append(statement)
                g = statement.variable
            if e.op is None:
                continue
            for i, contribution in pulled(e, g, [i for i, a in enumerate(e.args) if a in needed]):
                arriving[e.args[i]] = self._added(arriving.get(e.args[i]), contribution)
        return statements

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
            g = self._simplified.algebra.expression(self._simplified.algebra.polynomial(g), e)
        value = g if plain else self._simplified(g)
        variable = self.sheet.variable(f"d{self.names[e]}", value.values, flows=True)
        return Statement(variable, value, e, g)

    # --- which gradients deserve a line

    def _is_known(self, e: Expression) -> bool:
        return e in self.names

    def _weight(self, e: Expression) -> float:
        return cost(e, self._is_known)

    def _inline(self) -> None:
        """Write a gradient where it is used, if that leaves less to read, or as much in fewer lines."""
        asked = set(self.wanted.values())
        changed = True
        while changed:
            changed = False
            for s in list(self.statements):
                if s.of in asked:
                    continue
                users = [t for t in self.statements if s.variable in walked([t.value])]
                new = {t.variable: self._simplified(_replaced(t.value, s.variable, s.value)) for t in users}
                before = self._weight(s.value) + sum(self._weight(t.value) for t in users)
                after = sum(self._weight(v) for v in new.values())
                readable = all(self._weight(v) <= LONGEST for v in new.values())
                if after < before or (after <= before and len(users) <= 1 and readable):
                    self.statements = [t._replace(value=new.get(t.variable, t.value)) for t in self.statements if t is not s]
                    changed = True
                    break


def _replaced(e: Expression, old: Expression, new: Expression) -> Expression:
    done: dict[Expression, Expression] = {old: new}
    for x in walked([e]):
        if x not in done:
            done[x] = rebuilt(x, done.__getitem__) if x.op is not None else x
    return done[e]


def _as_it_is(e: Expression) -> Expression:
    return e


def _result_of(recording: Recording) -> Expression:
    """Return the result that is differentiated: the only one, or the only scalar beside what is saved for backward."""
    outputs = recording.outputs
    scalars = [e for e in outputs if e.ndim == 0 and e.dtype.kind == "f"]
    if len(outputs) > 1 and len(scalars) != 1:
        raise errors.DifferentiationError(
            f"the function returns {len(outputs)} arrays, of which {len(scalars)} are scalars; "
            f"return the loss alone, or one loss beside what is saved"
        )
    found = scalars[0] if len(outputs) > 1 else outputs[0]
    if found.dtype.kind != "f":
        raise errors.DifferentiationError(f"the result is {found.dtype}; derivations are written for real floating results")
    return found
