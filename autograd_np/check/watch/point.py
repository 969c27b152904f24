"""One point: forward's values there, on arrays and as Nodes, and the engine's gradient of every variable in it."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograd_np import errors
from autograd_np.backward import gradients
from autograd_np.check.watch.calling import flat_names
from autograd_np.check.watch.program import Program, Run
from autograd_np.check.watch.rounding import noise_of
from autograd_np.check.watch.state import duplicate
from autograd_np.graph import Graph
from autograd_np.lines import Lines
from autograd_np.node import Node
from autograd_np.results import Results
from autograd_np.sweeps import topological
from autograd_np.typing import Array

__all__ = ["Output", "Point", "Traced", "is_variable", "point_of"]


def is_variable(x: Any) -> bool:
    """Whether `x` is an input that gradients are taken by: floating arrays, not Python scalars."""
    return isinstance(x, (np.ndarray, np.generic)) and x.dtype.kind == "f"


@dataclass(frozen=True)
class Output:
    """Something forward gave that can be differentiated.

    Attributes
    ----------
    position : int or str
        Where it stands in what forward returned; a name if it is a local variable; ``-1`` for the loss function's result.
    node : Node
    name : str
        What forward's return statement calls it.
    """

    position: int | str
    node: Node
    name: str

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the array."""
        return np.shape(self.node.out)


@dataclass
class Traced:
    """One evaluation of forward, on arrays and on Tensors, before it is decided what is differentiated.

    Attributes
    ----------
    inputs : dict
        As given (or drawn).
    instead : dict
        ``id`` of an array of the state -> the array at this point.
    run : Run
        What happened on arrays.
    scalar : Output or None
        The loss: the loss function's result, or the scalar that forward returned.
    outputs : list of Output
        The arrays that forward returned and that depend on inputs.
    versions : dict
        Forward name (``Z1``, ``hs[2]``) -> the Nodes it was bound to, in order.
    leaves : dict
        Name of an input -> its Node.
    keys : dict
        Name of an input -> where it stands: ``("parameters", "W1")``; of the state, in the user's objects.
    """

    program: Program
    inputs: Mapping[str, Any]
    instead: Mapping[Any, Any]
    run: Run
    scalar: Output | None
    outputs: list[Output]
    versions: dict[str, list[Node]]
    leaves: dict[str, Node]
    keys: dict[str, tuple[Any, ...]]
    lines: Lines


@dataclass
class Point:
    """Values and true gradients at one set of inputs.

    Attributes
    ----------
    traced : Traced
    cotangents : dict
        Position of an output -> what it is multiplied by in the scalar that is differentiated.
    loss : float
        That scalar.
    gradients : dict
        Node -> the engine's gradient.
    leaves : dict
        Name of an input -> its Node; of the state, only what the scalar depends on.
    own : bool
        Whether these are the user's own numbers.
    """

    traced: Traced
    cotangents: dict[int | str, Array]
    loss: float
    gradients: dict[Node, Array]
    graph: Graph
    leaves: dict[str, Node]
    own: bool = False
    _terms: dict[Node, list[tuple[str, Array]]] = field(default_factory=dict)
    _known: list[str] | None = None

    @property
    def inputs(self) -> Mapping[str, Any]:
        """As given, or drawn."""
        return self.traced.inputs

    @property
    def variables(self) -> dict[str, Any]:
        """Forward's local variables (and the loss function's), plain."""
        return self.traced.run.variables

    @property
    def result(self) -> Any:
        """What forward returned, plain."""
        return self.traced.run.result

    @property
    def versions(self) -> dict[str, list[Node]]:
        """Forward name -> its Nodes."""
        return self.traced.versions

    @property
    def keys(self) -> dict[str, tuple[Any, ...]]:
        """Name of an input -> where it stands."""
        return self.traced.keys

    @property
    def known(self) -> list[str]:
        """The names of forward's variables, and of the containers among them."""
        if self._known is None:
            names = [*self.leaves, *self.versions]
            self._known = list(dict.fromkeys([*names, *(n.partition("[")[0] for n in names), *self.traced.program.aliases]))
        return self._known

    def nodes_of(self, name: str) -> list[Node]:
        """Return the Nodes of a variable, oldest first; of all elements if it is a container."""
        name = self.traced.program.aliases.get(name, name) if name not in self.versions else name
        if name in self.versions:
            return self.versions[name]
        inside = [n for key, nodes in self.versions.items() if key.startswith((name + "[", name + ".")) for n in nodes]
        return sorted(set(inside), key=lambda n: n.index)

    def leaf(self, name: str) -> Node | None:
        """Return the Node of an input, under any of its names."""
        return self.leaves.get(self.traced.program.aliases.get(name, name)) if name not in self.leaves else self.leaves[name]

    def truth(self, node: Node) -> Array:
        """Return the gradient at a Node, zero if none flows there."""
        g = self.gradients.get(node)
        return np.zeros(np.shape(node.out)) if g is None else np.asarray(g)

    @functools.cached_property
    def _noise(self) -> dict[Node, Array]:
        roots = {o.node: self.cotangents[o.position] for o in self._roots}
        return noise_of(self.graph, roots)

    @property
    def _roots(self) -> list[Output]:
        every = [*self.traced.outputs, *([self.traced.scalar] if self.traced.scalar is not None else [])]
        return [o for o in every if o.position in self.cotangents]

    def slack(self, node: Node) -> Array:
        """Return what rounding can make of the gradient at a Node, element by element."""
        found = self._noise.get(node)
        return np.zeros(np.shape(node.out)) if found is None else found

    def value_nodes(self, value: Any) -> list[Node]:
        """Return the Nodes that hold an array's values, named ones first: what an array without a name is."""
        array = np.asarray(value)
        if array.dtype.kind != "f":
            return []
        return self._by_value.get(_digest(array), [])

    @functools.cached_property
    def _by_value(self) -> dict[bytes, list[Node]]:
        found: dict[bytes, list[Node]] = {}
        for node in [*self.graph.nodes, *self.leaves.values()]:
            if isinstance(node.out, Results):
                continue
            out = np.asarray(node.out)
            if out.dtype.kind == "f":
                nodes = found.setdefault(_digest(out), [])
                if node not in nodes:
                    nodes.append(node)
        for nodes in found.values():
            nodes.sort(key=lambda n: (n.name is None, n.index))
        return found

    @functools.cached_property
    def named(self) -> dict[str, list[Node]]:
        """Name -> the Nodes that were first called so, in forward or in a helper of its."""
        found: dict[str, list[Node]] = {}
        for node in self.graph.nodes:
            if node.name:
                found.setdefault(node.name.rpartition(".")[2].partition("[")[0], []).append(node)
        return found

    def terms(self, node: Node) -> list[tuple[str, Array]]:
        """Return what each use of a variable contributes to its gradient: (through which variable, array)."""
        if node not in self._terms:
            self._terms[node] = self._find_terms(node)
        return self._terms[node]

    def ancestors(self, node: Node) -> set[Node]:
        """Return the Nodes that a Node depends on."""
        return set(topological([node]))

    def in_sight(self, before: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arrays a line of backward may have meant: forward's, the inputs, and those backward had `before` it."""
        found = {**self.variables, **flat_names(self.inputs)}
        found |= {k: v for k, v in before.items() if isinstance(v, (np.ndarray, np.generic, float))}
        arrays = {k: v for k, v in found.items() if isinstance(v, (np.ndarray, np.generic, float)) and not isinstance(v, bool)}
        for value in found.values():
            if isinstance(value, dict):
                for k, v in value.items():
                    if isinstance(k, str) and k not in arrays and isinstance(v, (np.ndarray, np.generic)):
                        arrays[k] = v
        return arrays

    def _find_terms(self, node: Node) -> list[tuple[str, Array]]:
        found: list[tuple[str, Array]] = []
        for user in self.users.get(node, ()):
            if user not in self.gradients:
                continue
            stands_in = Node(None, (), (), {}, node.out, True, user.level)
            copied = Node(
                user.op, tuple(stands_in if p is node else None for p in user.parents), user.values, user.attrs, user.out, True, user.level
            )
            part = gradients({copied: self.gradients[user]}).get(stands_in)
            if part is not None:
                found.append((self.label(user), np.asarray(part)))
        return found

    @functools.cached_property
    def users(self) -> dict[Node, list[Node]]:
        """Node -> the Nodes that are computed from it."""
        found: dict[Node, list[Node]] = {}
        for n in self.graph.nodes:
            for p in dict.fromkeys(n.parents):
                if p is not None:
                    found.setdefault(p, []).append(n)
        return found

    def label(self, node: Node) -> str:
        """Name a Node by the variable it is, or that it went into."""
        named: Node | None = node
        while named is not None and named.name is None:
            named = next(iter(self.users.get(named, ())), None)
        return (named.name if named is not None else None) or (node.op.name if node.op else "?")

    def scalar_at(self, name: str, value: Array) -> Any:
        """Return the scalar with another value of an input, computed on arrays alone."""
        node, key = self.leaves[name], self.keys[name]
        program = self.traced.program
        instead = dict(self.traced.instead)
        inputs = duplicate(dict(self.inputs))
        if name in program.state:
            instead[id(program.state[name][1])] = np.asarray(value, float).reshape(np.shape(node.out))
        else:
            inputs = _with_leaf(inputs, key, value)
        run = program.run(inputs, program.fresh_world(instead))
        return sum(np.sum(run.output(o.position) * self.cotangents[o.position]) for o in self._roots)


def _digest(array: Array) -> bytes:
    """Return what two arrays share that are equal to rounding of the last digits."""
    with np.errstate(all="ignore"):
        mantissa, exponent = np.frexp(np.asarray(array, float) + 0.0)
        coarse = np.where(np.isfinite(mantissa), np.rint(mantissa * 2**30), 0).astype(np.int64)
    return repr(array.shape).encode() + coarse.tobytes() + exponent.tobytes()


def _with_leaf(tree: Any, path: tuple[Any, ...], value: Any) -> Any:
    """Return nested inputs with the leaf at `path` replaced."""
    if not path:
        return value
    if isinstance(tree, Mapping):
        return {k: _with_leaf(v, path[1:], value) if k == path[0] else v for k, v in tree.items()}
    return type(tree)(_with_leaf(v, path[1:], value) if i == path[0] else v for i, v in enumerate(tree))


def point_of(traced: Traced, cotangents: Mapping[int | str, Any], *, own: bool = False) -> Point:
    """Differentiate the sum of outputs, each times its cotangent.

    Raises
    ------
    CheckSetupError
        If that depends on no input.
    """
    every = [*traced.outputs, *([traced.scalar] if traced.scalar is not None else [])]
    seeds: dict[Node, Array] = {}
    given: dict[int | str, Array] = {}
    for o in every:
        if o.position in cotangents:
            seed = np.broadcast_to(np.asarray(cotangents[o.position], float), o.shape).astype(float)
            given[o.position] = seed
            seeds[o.node] = seeds[o.node] + seed if o.node in seeds else seed
    if not seeds:
        raise errors.CheckSetupError(
            "the loss does not depend on any floating-point array among the inputs, so there is no gradient to check"
        )
    found: dict[Node, Array] = {}
    gradients(dict(seeds), found)
    value = float(sum(np.sum(np.asarray(node.out) * seed) for node, seed in seeds.items()))
    graph = Graph(list(seeds))
    graph.lines = traced.lines
    state = traced.program.state
    taken = traced.program.taken
    leaves = {
        name: node
        for name, node in traced.leaves.items()
        if node in found or (name not in state and (taken is None or {traced.keys[name][0], name} & taken))
    }
    return Point(traced, given, value, found, graph, leaves, own)
