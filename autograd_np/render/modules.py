"""In which module each node was computed.

`autograd_np.scope` (and so ``nn.Module.graph``) writes it down while tracing. Where nothing was written down, as in a graph
that was recorded while training, it is inferred from the paths that the parameters have for names.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile, zip_longest

import numpy as np

from autograd_np.graph import Graph, is_parameter
from autograd_np.node import Node
from autograd_np.render.frames import components
from autograd_np.tensor import value_of

__all__ = ["modules_of"]


def modules_of(graph: Graph) -> list[str]:
    """Return the dotted path of each node's module, empty where there is none."""
    nodes = graph.nodes
    scopes: list[str | None] = [getattr(node, "scope", None) for node in nodes]
    paths = [_owner(n.name or "") if is_parameter(n) else "" for n in nodes]
    at = {node: i for i, node in enumerate(nodes)}
    if any(scopes):
        return _completed(graph, at, scopes, paths)
    if not any(paths):
        return paths
    return _inferred(graph, at, paths)


def _owner(path: str) -> str:
    """Return the module of a parameter's path; a name that ends with a dot is no path."""
    module, _, name = path.rpartition(".")
    return module if name else ""


def _completed(graph: Graph, at: dict[Node, int], scopes: list[str | None], paths: Sequence[str]) -> list[str]:
    """Parameters stand with the module that owns them, what was computed from them alone with its first user."""
    for i in range(len(scopes) - 1, -1, -1):
        for parent in graph.nodes[i].parents:
            if parent is not None and parent.op is not None and not hasattr(parent, "scope"):
                scopes[at[parent]] = scopes[i]
    return [path if node.op is None else scope or "" for node, scope, path in zip(graph.nodes, scopes, paths, strict=True)]


def _common(a: str, b: str) -> str:
    shared = [x for x, _ in takewhile(lambda pair: pair[0] == pair[1], zip(components(a), components(b), strict=False))]
    return shared[-1] if shared else ""


def _inferred(graph: Graph, at: dict[Node, int], paths: list[str]) -> list[str]:
    """Infer: an operation on a parameter is in the parameter's module, one between two modules is in what surrounds both."""
    own: list[str | None] = [p or None for p in paths]
    only = [bool(p) for p in paths]  # computed from parameters of one module alone, as a transposed weight is
    for i, node in enumerate(graph.nodes):
        if node.op is None:
            continue
        parents = [at[p] for p in node.parents if p is not None]
        direct = [own[p] for p in parents if only[p]]
        if direct:
            module = direct[0] or ""
            for other in direct[1:]:
                module = _common(module, other or "")
            own[i] = module
            arrays = any(p is None and np.ndim(value_of(v)) for p, v in zip_longest(node.parents, node.values))
            only[i] = len(direct) == len(parents) and not arrays
    # a bias is added to what the weight gave: both are known; the rest lies between what comes before and after
    before: list[str | None] = []
    for i, node in enumerate(graph.nodes):
        known = [before[at[p]] for p in node.parents if p is not None and node.op is not None]
        before.append(own[i] if own[i] is not None else next((k for k in reversed(known) if k is not None), None))
    after: list[str | None] = list(own)
    for i in range(len(graph.nodes) - 1, -1, -1):
        for parent in graph.nodes[i].parents:
            if parent is not None and own[at[parent]] is None and after[i] is not None:
                after[at[parent]] = after[i]  # the first reader has the last word
    return [o if o is not None else _between(b or "", a or "") for o, b, a in zip(own, before, after, strict=True)]


def _between(before: str, after: str) -> str:
    """Return the module of an operation between two: what surrounds both, or the block that ends with it."""
    shared, here, there = _common(before, after), components(before), components(after)
    depth = len(components(shared))
    if len(here) > depth + 1 and len(there) > depth:
        (stem, _, i), (other, _, j) = here[depth].rpartition("."), there[depth].rpartition(".")
        if stem == other and i.isdecimal() and j.isdecimal() and int(j) == int(i) + 1:
            return here[depth]
    return shared
