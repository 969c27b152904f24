"""Expressions as graphs again: forward and backward in one, and a graph with its operations simplified."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from autograd_np.derivations.derivation import Derived
from autograd_np.derivations.expression import Expression, filled
from autograd_np.derivations.reading.recording import recorded
from autograd_np.derivations.simplifying.simplify import Simplifier, canonical
from autograd_np.graph import Graph
from autograd_np.node import Level, Node
from autograd_np.tensor import Tensor, leaf

__all__ = ["backward", "simplify"]


def backward(graph: Graph, wrt: str | Sequence[str] | None = None) -> Graph:
    """Return forward and backward as one graph; see `Graph.backward`."""
    derivation = Derived(recorded(graph), wrt, plain=True)
    values = {s.variable: s.value for s in derivation.statements}
    gradients = {s.of: s.variable for s in derivation.statements}
    asked = [gradients[e] for e in derivation.wanted.values() if e in gradients]
    replay = _Replay(values, derivation.names)
    forward = replay(derivation.loss)
    start = max((n.index for n in replay.level_nodes()), default=0)
    for variable in asked:
        replay(variable)
    for variable in asked:  # a gradient that depends on nothing is an array
        if not isinstance(replay.done[variable], Tensor):
            constant = np.broadcast_to(np.asarray(replay.done[variable], variable.dtype), variable.shape)
            replay.done[variable] = leaf(constant.copy(), replay.level, needs=False, name=variable.name)
    outputs = [forward, *(replay.done[variable] for variable in asked)]
    for variable in values:
        node = replay.done[variable]._node if isinstance(replay.done.get(variable), Tensor) else None
        if node is not None:
            node.name = node.name or variable.name
    joint = Graph(_nodes(outputs))
    joint.gradient_nodes = frozenset(n for n in joint.nodes if n.index > start)
    return joint


def simplify(graph: Graph, *, explain: bool = False) -> Graph | tuple[Graph, dict[str, int]]:
    """Return a graph with its operations simplified; see `Graph.simplify`."""
    recording = recorded(graph)
    sheet = recording.sheet
    inputs = list((recording.inputs | recording.captured).values())
    rewrite, simplified = canonical(sheet), Simplifier(sheet, inputs)
    outputs = [simplified(rewrite(e)) for e in recording.outputs]
    names = {e: e.name or "" for e in inputs}
    for e, name in recording.names.items():
        names.setdefault(simplified(rewrite(e)), name)
    replay = _Replay({}, names)
    new = Graph(_nodes([replay(e) for e in outputs]))
    return (new, dict(sheet.fired)) if explain else new


def _nodes(results: Iterable[Any]) -> list[Node]:
    return list(dict.fromkeys(x._node for x in results if isinstance(x, Tensor) and x._node is not None))


class _Replay:
    """Computes expressions on Tensors that record everything."""

    def __init__(self, definitions: Mapping[Expression, Expression], names: Mapping[Expression, str]) -> None:
        self.level = Level(keeps_all=True)
        self.done: dict[Expression, Any] = {}
        self._definitions = definitions
        self._names = names

    def __call__(self, e: Expression) -> Any:
        """Return what an expression is: a Tensor, or a number."""
        todo = [e]
        while todo:
            x = todo[-1]
            if x in self.done:
                todo.pop()
                continue
            needed = [self._definitions[x]] if x in self._definitions else list(x.children)
            missing = [y for y in needed if y not in self.done]
            if missing:
                todo += missing
                continue
            self.done[x] = self.done[needed[0]] if x in self._definitions else self._computed(x)
            todo.pop()
        return self.done[e]

    def _computed(self, e: Expression) -> Any:
        if e.op is None:
            value = e.values[0]
            if e.kind != "variable":
                return value
            return leaf(np.asarray(value), self.level, needs=np.asarray(value).dtype.kind in "fc", name=self._names.get(e, e.name))
        args = [self.done[a] for a in e.args]
        attrs = {k: filled(v, self.done.__getitem__) for k, v in e.attrs}
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = e.op.fn(args, **attrs) if e.op.variadic else e.op.fn(*args, **attrs)
        if isinstance(found, Tensor) and found._node is not None:
            found._node.name = found._node.name or self._names.get(e)
        return found

    def level_nodes(self) -> list[Node]:
        """Return the Nodes that were recorded so far."""
        return _nodes(self.done.values())
