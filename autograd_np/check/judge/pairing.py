"""Which forward variable an event of a backward run is the gradient of: by name, or through the arrays that a helper was handed."""

from __future__ import annotations

import ast
import functools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from autograd_np import errors
from autograd_np.check.judge.names import pair
from autograd_np.check.watch.interpret import CannotEvaluate, read
from autograd_np.check.watch.point import Point
from autograd_np.check.watch.program import Program
from autograd_np.check.watch.run import Event
from autograd_np.check.watch.spelling import bare, near_misses, wanted_names
from autograd_np.node import Node

__all__ = ["Meaning", "Pairing"]


class Meaning(NamedTuple):
    """What an event's variable is the gradient of: a name of forward's, and the Nodes it may be, oldest first.

    What is `guessed` is told by a helper's name alone, which says nothing where the helper is called for other variables as well.
    """

    name: str
    nodes: list[Node]
    by_value: bool
    guessed: bool = False


class Pairing:
    """The names of one check: conventions, and the user's own pairs."""

    def __init__(self, program: Program, names: Mapping[str, str] | None, wrt: Sequence[str] | None) -> None:
        self.program, self.names, self.wrt = program, names, wrt
        self.function = program.function_of(program.backward)

    def meaning(self, e: Event, point: Point) -> Meaning | None:
        """Return what an event's variable is the gradient of, or ``None``."""
        if e.call.number == 0:
            return self._by_name(e, point) or self._by_neighbour(e, point)
        return self._by_neighbour(e, point)

    def _by_name(self, e: Event, point: Point) -> Meaning | None:
        name = self._forward_name(e, point)
        if name is None:
            return None
        nodes = self._nodes(e, name, point)
        return Meaning(name, nodes, by_value=False) if nodes else None

    def _nodes(self, e: Event, name: str, point: Point) -> list[Node]:
        """Return the Nodes an event's variable may be the gradient of: the user's pair names one, convention may add others."""
        leaf = point.leaf(name)
        nodes = [leaf] if leaf is not None else [n for n in point.nodes_of(name) if n in point.gradients]
        if self.names and e.name in self.names:
            by_convention = pair(e.name, point.known)
            nodes = nodes + [n for n in point.nodes_of(by_convention or "") if n not in nodes and n in point.gradients]
        return sorted(nodes, key=lambda n: n.index)

    def _forward_name(self, e: Event, point: Point) -> str | None:
        root, bracket, _ = e.path.partition("[")
        if not bracket:
            return self.forward_name(root.rpartition(".")[2], point)
        keys = _keys_of(e.path)
        base = root.rpartition(".")[2]
        if base in self.containers or "." in root:
            return self._by_keys(keys, base, point)
        return self.forward_name(e.path if not isinstance(keys[-1], str) else e.name, point)

    def _by_keys(self, keys: tuple[Any, ...], container: str, point: Point) -> str | None:
        """Pair an entry of a dict or list of gradients: by its gradient name, by the same keys, or by the same place."""
        last = next((k for k in reversed(keys) if isinstance(k, str)), None)
        if last is not None:
            target = self.forward_name(last + "".join(f"[{k!r}]" for k in keys[keys.index(last) + 1 :]), point)
            if target is not None:
                return target
            if point.leaf(last) is not None or last in point.versions:
                return last
        fitting = [name for name, path in point.keys.items() if name in point.leaves and path[-len(keys) :] == keys]
        base = self.forward_name(container, point) if container else None
        inside = f"{base}" + "".join(f"[{k!r}]" for k in keys)
        if inside in point.versions:
            return inside
        return fitting[0] if len(fitting) == 1 and last is not None else None

    @functools.cached_property
    def containers(self) -> set[str]:
        """The names of dicts and lists of gradients: those returned, and those called so."""
        if self.function is None or self.function.tree is None:
            return set()
        names = {n.id for r in self.function.returns if r.value is not None for n in ast.walk(r.value) if isinstance(n, ast.Name)}
        written = {n.id for n in ast.walk(self.function.tree) if isinstance(n, ast.Name)}
        return (names | {n for n in written if "grad" in n.lower()}) - set(self.function.parameters)

    def forward_name(self, name: str, point: Point) -> str | None:
        """Return the forward variable that a backward variable is the gradient of; one that the loss depends on, if there is a choice."""
        base, bracket, rest = name.partition("[")
        if bracket:
            whole = self.forward_name(base, point)
            inside = f"{whole}[{rest}"
            return inside if whole and inside in point.versions else whole
        return pair(name, point.known, self.names)

    # --- through the arrays at hand

    def _by_neighbour(self, e: Event, point: Point) -> Meaning | None:
        """Pair ``dW`` with the ``W`` beside it, if that is one of forward's arrays."""
        for x in self._wanted(e):
            value = _beside(e, x)
            if not isinstance(value, (np.ndarray, np.generic)) or np.size(value) < 1:
                continue
            nodes = [n for n in point.value_nodes(value) if n in point.gradients or n in point.leaves.values()]
            named = [n for n in nodes if n.name and n.name.rpartition(".")[2].partition("[")[0] == x]
            if (nodes and np.ptp(np.asarray(value, float)) > 0) or np.size(value) == 1:
                name = next((n.name for n in [*named, *nodes] if n.name), x)
                if nodes:
                    return Meaning(name, [*named, *(n for n in nodes if n not in named)], by_value=True)
        return self._by_helpers_name(e, point)

    def _by_helpers_name(self, e: Event, point: Point) -> Meaning | None:
        """Pair ``dmu`` of a helper with the ``mu`` of its shape that a helper of forward computed."""
        for x in self._wanted(e) if e.call.number else ():
            nodes = [n for n in point.named.get(x, ()) if n in point.gradients and np.shape(n.out) == e.value.shape]
            if nodes:
                return Meaning(x, nodes, by_value=True, guessed=True)
        return None

    def _wanted(self, e: Event) -> list[str]:
        root = e.path.partition("[")[0].rpartition(".")[2]
        keys = _keys_of(e.path) if "[" in e.path else ()
        last = keys[-1] if keys else None
        names = [last] if isinstance(last, str) else [root] if last is None else []
        return [x for n in names for x in wanted_names(n)]

    def check_names(self, point: Point) -> None:
        """Raise if the user's `names` has a gradient that backward does not mention, or a variable that forward has not."""
        tree = self.function.tree if self.function is not None else None
        syntax = list(ast.walk(tree)) if tree is not None else []
        mentioned = {n.id for n in syntax if isinstance(n, ast.Name)} | {n.attr for n in syntax if isinstance(n, ast.Attribute)}
        mentioned |= {n.value for n in syntax if isinstance(n, ast.Constant) and isinstance(n.value, str)}
        for gradient, variable in (self.names or {}).items():
            for name, known, where in ((gradient, mentioned, "backward"), (variable, set(point.known), "forward")):
                if known and name.partition("[")[0] not in known and name not in known:
                    near = ", ".join(near_misses(name, known)) or "none"
                    raise errors.CheckSetupError(
                        f"names pairs {gradient!r} with {variable!r}, but {where} has no {name!r}. Near misses: {near}"
                    )


def _beside(e: Event, x: str) -> Any:
    """Return the variable `x` of the function an event happened in, or of the object whose attribute it set."""
    scope = e.before
    owner = e.path.partition("[")[0].rpartition(".")[0]
    if owner:
        try:
            holder = read(scope, owner)
        except CannotEvaluate:
            return None
        found = getattr(holder, x, None)
        if found is None:
            for key, value in list(getattr(holder, "__dict__", {}).items()):
                if bare(key) == x and isinstance(value, np.ndarray):
                    return value
                if isinstance(value, dict) and isinstance(value.get(x), np.ndarray):
                    return value[x]
        return found
    if x in scope:
        return scope[x]
    return getattr(scope.get("self"), x, None)


def _keys_of(path: str) -> tuple[Any, ...]:
    keys: list[Any] = []
    node = ast.parse(path, mode="eval").body
    while isinstance(node, ast.Subscript):
        keys.insert(0, ast.literal_eval(node.slice))
        node = node.value
    return tuple(keys)
