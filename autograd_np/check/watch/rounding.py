"""How far rounding alone can move each gradient: the graph is computed again with every result off by a unit in its last place.

This is Monte Carlo arithmetic (D. S. Parker, "Monte Carlo arithmetic: exploiting randomness in floating-point arithmetic",
UCLA, 1997): what a few random roundings do to a number shows how many of its digits mean anything. A sum whose terms
cancel, or 1 - p beside p = 1, has few; no other gradient has to be loosened for it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from autograd_np.backward import gradients
from autograd_np.graph import Graph
from autograd_np.node import Node
from autograd_np.results import Results
from autograd_np.typing import Array

__all__ = ["jostled", "noise_of"]

RUNS = 3
MOST_NODES = 30_000


def jostled(value: Any, rng: np.random.Generator) -> Any:
    """Return floating numbers each moved by at most a unit in the last place."""
    array = np.asarray(value)
    if array.dtype.kind != "f":
        return value
    return array * (1 + float(np.finfo(array.dtype).eps) * rng.integers(-1, 2, array.shape))


def noise_of(graph: Graph, seeds: Mapping[Node, Array]) -> dict[Node, Array]:
    """Return, for every Node, how far its gradient moves when every operation rounds at random.

    Parameters
    ----------
    graph : Graph
    seeds : mapping
        The cotangents of its outputs.

    Returns
    -------
    dict
        Node -> array of the gradient's shape; empty if the graph cannot be computed again.
    """
    if len(graph) > MOST_NODES:
        return {}
    rng = np.random.default_rng(0)
    rounds = {node for node in graph.nodes if node.op is None or not _selects(node)}
    found: dict[Node, list[Array]] = {}
    try:
        with np.errstate(all="ignore"):
            for run in range(RUNS + 1):
                for node, g in _sweep(graph, seeds, rng if run else None, rounds).items():
                    if not isinstance(g, Results):
                        found.setdefault(node, []).append(np.asarray(g))
    except Exception:  # noqa: BLE001 (a row that cannot be computed again off its own values)
        return {}
    return {node: np.max([abs(g - gs[0]) for g in gs[1:]], axis=0) for node, gs in found.items() if len(gs) == RUNS + 1}


def _selects(node: Node) -> bool:
    """Whether an operation only picks, moves or mirrors elements, so that nothing is rounded and rules may look for them."""
    if isinstance(node.out, Results):
        return False
    out = np.asarray(node.out)
    values = [np.ravel(v) for v in node.values if isinstance(v, (np.ndarray, np.generic))]
    return bool(values) and bool(np.all(np.isin(np.abs(out), np.abs(np.concatenate(values)))))


def _sweep(graph: Graph, seeds: Mapping[Node, Array], rng: np.random.Generator | None, rounds: Collection[Node]) -> dict[Node, Array]:
    """Compute the graph and its gradients again, with random roundings if there is a generator."""
    again: dict[Node, Node] = {}
    for node in graph.nodes:
        parents = tuple(again.get(p) if p is not None else None for p in node.parents)
        values = tuple(v if p is None else p.out for p, v in zip(parents, node.values, strict=False))
        if node.op is None or not node.op.rules:
            out: Any = node.out
        else:
            out = node.op.fn(list(values), **node.attrs) if node.op.variadic else node.op.fn(*values, **node.attrs)
            if not isinstance(out, Results):
                out = np.asarray(out) if np.shape(out) == np.shape(node.out) else node.out
        again[node] = Node(
            node.op, parents, values, node.attrs, jostled(out, rng) if rng is not None and node in rounds else out, node.needs, node.level
        )
    found: dict[Node, Array] = {}
    gradients({again[node]: seed for node, seed in seeds.items()}, found)
    back = {new: old for old, new in again.items()}
    return {back[new]: g for new, g in found.items()}
