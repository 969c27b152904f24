"""Which statements wrote an array, known by the array itself: under another name, in another call, in another object."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from autograd_np.check.watch.interpret import CannotEvaluate, evaluate, parsed
from autograd_np.check.watch.run import Event, Recording, Step, leaves_of

__all__ = ["Writers"]

MOST = 30
"""So many writes of one array are followed."""


class Writers:
    """Finds the events that wrote what an expression reads.

    ``layer.grads[0]`` is written as ``self.grads[0]`` in the layer's own method, and read as ``grad`` in a loop.
    """

    def __init__(self, recording: Recording) -> None:
        self._of: dict[int, list[Event]] = {}
        done: set[tuple[int, str]] = set()
        for e in reversed(recording.events):  # the latest first, back to where the array was bound
            variable = (e.call.number, e.path)
            array = None if variable in done else _value(parsed(e.path), _after(e))
            if isinstance(array, np.ndarray):
                self._of.setdefault(id(array), []).append(e)
                if _binds_element(e):
                    done.add(variable)

    def of(self, expression: ast.expr, step: Step) -> list[list[Event]]:
        """Return, for each array that an expression stood for, the events before a step that wrote it, the latest first.

        Empty if that is not known of all of them.
        """
        value = _value(expression, _before(step))
        arrays = [value] if isinstance(value, np.ndarray) else list(_arrays_in(value))
        found = [[e for e in self._of.get(id(array), ()) if e.step.number < step.number][:MOST] for array in arrays]
        return found if all(found) else []


def _before(step: Step) -> Mapping[str, Any]:
    """Return the variables before a step; `self` is the object, not as it was."""
    return {**step.before, "self": step.call.last["self"]} if "self" in step.call.last else step.before


def _after(e: Event) -> Mapping[str, Any]:
    """Return the variables by which an event's array is found: an object in a loop's variable is that of the moment."""
    root = e.path.partition("[")[0]
    of_object = "." in root and not root.startswith("self.")
    return _before(e.step) if of_object else e.call.last


def _binds_element(e: Event) -> bool:
    """Whether a statement puts an array into a variable, an attribute, or the place of a container: what was there is gone."""
    match e.place.statement:
        case ast.Assign(targets=targets):
            written = [ast.unparse(t.value) if isinstance(t, ast.Subscript) else ast.unparse(t) for t in targets]
            return e.path in [ast.unparse(t) for t in targets] or ("[" in e.path and e.path.rpartition("[")[0] in written)
    return False


def _value(node: Any, scope: Mapping[str, Any]) -> Any:
    """Return what a variable, attribute or element is, without running any code of the user's; ``None`` where that is not known."""
    match node:
        case ast.Name(id=name):
            return scope.get(name)
        case ast.Attribute(value=owner, attr=name):
            return getattr(_value(owner, scope), "__dict__", {}).get(name)
        case ast.Subscript(value=holder, slice=index):
            held = _value(holder, scope)
            if type(held) not in (list, tuple, dict):
                return None
            try:
                return held[evaluate(index, scope)]
            except (CannotEvaluate, LookupError, TypeError):
                return None
    return None


def _arrays_in(value: Any) -> Iterator[Any]:
    if type(value) in (list, tuple, dict):
        yield from (array for _, _, array in leaves_of({"": value}))
