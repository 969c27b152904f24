"""What backward did, statement by statement, beside what it should have done: what the explorer steps through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from autograd_np.check.judge.outcome import Outcome
from autograd_np.check.watch.source import Place
from autograd_np.node import Node
from autograd_np.typing import Array

__all__ = ["Executed", "Value", "executed_in"]


class Value(NamedTuple):
    """What a statement gave one variable.

    Attributes
    ----------
    variable : str
        ``dW``, ``grads['dW']``.
    computed : ndarray
        By the statement, from what is right above it.
    expected : ndarray or None
        What it should be; ``None`` if the variable was not judged.
    ok : bool or None
    node : Node or None
        Of forward, the one whose gradient this is.
    """

    variable: str
    computed: Array
    expected: Array | None
    ok: bool | None
    node: Node | None


@dataclass
class Executed:
    """One execution of a statement of backward's, or of a function of the user's that it calls."""

    place: Place
    values: list[Value]

    @property
    def ok(self) -> bool | None:
        """Whether it is right; ``None`` if nothing of it was judged."""
        judged = [v.ok for v in self.values if v.ok is not None]
        return all(judged) if judged else None


def executed_in(out: Outcome) -> list[Executed]:
    """Return what one judged run of backward executed, in order: the statements that gave arrays, then what was returned without a name."""
    wrong = {w.event.key: w for w in out.wrong if w.event is not None}
    found: dict[int, Executed] = {}
    for e in out.recording.events:
        node, expected, ok = None, None, None
        if e.key in wrong:
            node, expected, ok = wrong[e.key].node, wrong[e.key].expected, False
        elif e.key in out.told:
            (node, expected), ok = out.told[e.key], out.judged[e.key]
        found.setdefault(e.step.number, Executed(e.place, [])).values.append(Value(e.path, e.computed, expected, ok, node))
    executed = list(found.values())
    named = {(x.place, v.variable) for x in executed for v in x.values}
    bare: dict[Place, Executed] = {}
    unnamed = {id(w.node): w for w in out.wrong if w.event is None}
    for r in out.returned:
        if r.place is not None and (r.place, r.path) not in named and not any(v.node is r.node for x in executed for v in x.values):
            ok = id(r.node) not in unnamed
            expected = np.asarray(r.value) if ok else unnamed[id(r.node)].expected
            bare.setdefault(r.place, Executed(r.place, [])).values.append(Value(r.path, np.asarray(r.value), expected, ok, r.node))
    return [*executed, *bare.values()]
