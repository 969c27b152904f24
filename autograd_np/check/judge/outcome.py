"""What one run of a backward function gives: what it returned, and which variables were wrong when."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from autograd_np.check.judge.compare import Comparison
from autograd_np.check.watch.forward import Point
from autograd_np.check.watch.run import Event
from autograd_np.node import Node
from autograd_np.typing import Array

__all__ = ["Fix", "Key", "Outcome", "Returned", "Wrong"]

Key = tuple[str, int]
"""A chain: the variable, and how often it had been assigned afresh before."""


@dataclass
class Returned:
    """One array that backward returned."""

    forward_name: str
    path: str
    line: int
    value: Array


@dataclass
class Wrong:
    """A variable whose value was not the gradient when its last line had run."""

    key: Key
    line: int
    name: str
    forward_name: str
    node: Node
    computed: Array
    expected: Array
    event: Event | None
    constant: float

    @property
    def base(self) -> str:
        """The variable without subscripts."""
        return self.name.partition("[")[0]


@dataclass
class Fix:
    """A line that is run as if it were right: as other statements, or with given values at each visit of each point."""

    line: int
    path: str
    body: Sequence[ast.stmt] | None = None
    values: Callable[[Point], Mapping[int, Array]] | None = None


@dataclass
class Outcome:
    """What a scan found: wrong variables in order of execution, constants kept by convention, events, and what was compared."""

    wrong: list[Wrong] = field(default_factory=list)
    kept: dict[Key, float] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    lines: list[Comparison] = field(default_factory=list)
    seen: dict[Node, Comparison] = field(default_factory=dict)
    broken: bool = False

    def wrong_lines(self) -> set[tuple[int, str]]:
        """Return where variables are wrong: lines and their variables, containers as one."""
        return {(w.line, w.base) for w in self.wrong}
