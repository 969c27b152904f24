"""What one run of a backward function gives: what it returned or left behind, and which variables were wrong when."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from autograd_np.check.judge.compare import Comparison
from autograd_np.check.watch.point import Point
from autograd_np.check.watch.run import Event, Recording
from autograd_np.check.watch.source import Place
from autograd_np.node import Node
from autograd_np.typing import Array

__all__ = ["Absent", "Fix", "Key", "Outcome", "Returned", "Wrong"]

Key = tuple[int, str, int]
"""A chain: the call, the variable in it, and how often it had been assigned afresh before."""


@dataclass
class Returned:
    """One array that backward returned or left behind, and what it is the gradient of.

    Attributes
    ----------
    forward_name : str
    path : str
        How it is written: ``dW``, ``grads['dW']``, ``self.dW``.
    place : Place or None
        The statement that gave it its value, or returned it.
    value : ndarray
    node : Node
        Whose gradient it must be.
    decides : bool
        It is the gradient of an input; of an intermediate nothing follows for the verdict.
    where : tuple
        Where it stands in what backward gave.
    bare : bool
        It lacks leading axes of length one that its variable has; `value` has them.
    """

    forward_name: str
    path: str
    place: Place | None
    value: Array
    node: Node
    decides: bool = True
    where: tuple[Any, ...] = ()
    bare: bool = False


class Absent(NamedTuple):
    """A gradient that is not there though those beside it are.

    Attributes
    ----------
    forward_name : str
    path : str
        How it would be written, after `beside`: ``grads['db1']``.
    beside : Returned
        The gradient of the parameter most like it.
    where : tuple or None
        Where it would stand, as `beside` has it.
    """

    forward_name: str
    path: str
    beside: Returned
    where: tuple[Any, ...] | None


@dataclass
class Wrong:
    """A variable whose value was not the gradient when its last line had run."""

    key: Key
    place: Place
    name: str
    forward_name: str
    node: Node
    computed: Array
    expected: Array
    event: Event | None
    constant: float
    returned: bool = False

    @property
    def line(self) -> int:
        """The line of the statement."""
        return self.place.line

    @property
    def base(self) -> str:
        """The variable without subscripts."""
        return self.name.partition("[")[0]


@dataclass
class Fix:
    """A statement that is run as if it were right: as other statements, or with given values at each visit of each point."""

    place: Place
    path: str
    body: Sequence[ast.stmt] | None = None
    values: Callable[[Point], Mapping[tuple[int, int], Array]] | None = None


@dataclass
class Outcome:
    """What a scan found: wrong variables in order of execution, constants kept by convention, events, and what was compared.

    What was `told` of an event is whose gradient it is, and what it should be; what readers have `worked_out` of the outcome stays with it.
    """

    wrong: list[Wrong] = field(default_factory=list)
    kept: dict[Key, float] = field(default_factory=dict)
    recording: Recording = field(default_factory=Recording)
    lines: list[Comparison] = field(default_factory=list)
    seen: dict[Node, Comparison] = field(default_factory=dict)
    judged: dict[tuple[int, Place, str, int], bool] = field(default_factory=dict)
    told: dict[tuple[int, Place, str, int], tuple[Node, Array]] = field(default_factory=dict)
    returned: list[Returned] = field(default_factory=list)
    broken: bool = False
    worked_out: dict[Any, Any] = field(default_factory=dict)

    @property
    def events(self) -> list[Event]:
        """What the run computed, in order."""
        return self.recording.events

    def wrong_lines(self) -> set[tuple[Place, str]]:
        """Return where variables are wrong: statements and their variables, containers as one."""
        return {(w.place, w.base) for w in self.wrong}
