"""What the page tells about a graph: its boxes, and its steps forward and backward with their sentences."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_np import errors
from autograd_np.backward import gradients
from autograd_np.explorer.arrays import label, listed, number, plural, shape_of, summary
from autograd_np.explorer.layout import fold, place, shut, size
from autograd_np.explorer.words import count_of, words_for
from autograd_np.graph import Constant, Graph, reading
from autograd_np.modes import no_grad
from autograd_np.node import Node
from autograd_np.render.model import describe, results_of
from autograd_np.render.rules import Rules
from autograd_np.tensor import value_of
from autograd_np.text import shorten
from autograd_np.typing import Array

__all__ = ["Story"]


class Story:
    """What the page tells about a graph."""

    def __init__(self, graph: Graph, output: Node | str | None, seed: Any, parameters: Sequence[str]) -> None:
        self.graph = graph
        self.small = len(graph) <= 300
        self.labels = {node: label(graph.label_of(node)) for node in graph}
        self.results = results_of(graph, output)
        self.gradients, self.notice = _gradients(graph, self.results, seed)
        root = self.results[0]
        self.result = self.labels[root] if root.name else "the result"
        self.L = self.result if root.name and len(self.result) <= 6 else "L"
        self.seeded = seed is not None
        self.users: dict[Node, list[str]] = {}
        for node in graph:
            for parent in dict.fromkeys(p for p in node.parents if p is not None):
                self.users.setdefault(parent, []).append(self.labels[node])
        drawing = describe(graph, depth=None, repeats="open", max_nodes=10**9, parameters=parameters, output=output)
        self.drawn = {d.id: d for d in drawing.nodes}
        self.rules = Rules(lambda x: self.labels[x] if isinstance(x, Node) else str(self._operand(Constant(x))["name"]))
        self.constants: dict[int, dict[str, Any]] = {}
        self.nodes = {node: self._node(node) for node in graph}
        drawn = [*self.constants.values(), *self.nodes.values()]
        self.key_of = {d["id"]: d["key"] for d in drawn}
        edges = [{"from": i["id"], "to": d["id"]} for d in drawn for i in d.get("operands", ()) if "id" in i]
        modules = [{"path": label(c.path), "title": label(c.title), "parent": label(c.parent)} for c in drawing.clusters]
        size(drawn, modules)
        place(drawn, edges, modules)
        closed = {label(path) for path in shut(graph, self.results)}
        steps = self._steps()
        for step in steps:  # what it is called, whatever its number
            step["key"] = f"{step['phase']} {self.key_of.get(step.get('node', ''), '')}"
        self.data = {
            "title": f"How {self.result} is computed" + (", and its gradient" if self.gradients else ""),
            "result": self.nodes[root]["id"],
            "L": self.L,
            "notice": self.notice,
            "nodes": drawn,
            "edges": edges,
            "modules": modules,
            "folded": fold(drawn, edges, modules, closed),
            "startFolded": bool(closed),
            "steps": steps,
        }

    # --- nodes

    def d(self, node: Node) -> str:
        """Write the gradient at a node."""
        return f"∂{self.L}/∂{self.labels[node]}"

    def _node(self, node: Node) -> dict[str, Any]:
        found: dict[str, Any] = {
            "id": self.graph.id_of(node),
            "key": self.labels[node],
            "name": self.labels[node],
            "named": node.name is not None,
            "kind": "operation" if node.op is not None else self.drawn[self.graph.id_of(node)].kind,
            "shape": shape_of(node.out),
            "module": label(self.drawn[self.graph.id_of(node)].module),
            "value": summary(node.out, small=self.small),
        }
        if self._short(node) != found["name"]:
            found["short"] = self._short(node)
        if node in self.results:
            found["output"] = True
        if node in self.gradients:
            found["gradient"] = summary(self.gradients[node], small=self.small)
        if node.site:
            found["site"] = label(re.split(r"[\\/]", node.site)[-1])
        if node.op is not None:
            found["op"] = label(node.op.name)
            found["operands"] = [self._operand(o) for o in self.graph.operands(node)]
            names = [o["name"] for o in found["operands"][: len(node.values)]]
            attributes = self.graph.attributes(node)
            found["formula"] = _formula(node, names, attributes)
            shorts = [self._short(o) if isinstance(o, Node) else n for o, n in zip(self.graph.operands(node), names, strict=False)]
            if shorts != names:
                found["shortFormula"] = _formula(node, shorts, attributes)
            if attributes and not reading(node, "", attributes):
                found["attributes"] = label(", ".join(shorten(text, 60) for text in attributes.values()))
        return found

    def _short(self, node: Node) -> str:
        """Return the name that is enough inside the frame that the node is in: ``weight`` for ``layers.0.weight``."""
        return label(self.drawn[self.graph.id_of(node)].short) or self.labels[node]

    def _operand(self, operand: Node | Constant) -> dict[str, Any]:
        if isinstance(operand, Node):
            return {"id": self.graph.id_of(operand), "name": self.labels[operand]}
        value = value_of(operand.out)
        if np.ndim(value) == 0:
            text = "none" if value is None else number(value[()] if isinstance(value, np.ndarray) else value)
            return {"name": f"({text})" if text.startswith("−") else text}
        known = self.constants.get(id(value))
        if known is None:
            i = len(self.constants)
            known = {
                "id": f"c{i}",
                "key": label(operand.name or f"c{i}"),
                "name": label(operand.name or f"c{i}"),
                "named": operand.name is not None,
                "kind": "constant",
                "shape": shape_of(value),
                "module": label(self.drawn[f"c{i}"].module),
                "value": summary(value, small=self.small),
            }
            self.constants[id(value)] = known
        return {"id": known["id"], "name": known["name"]}

    # --- steps

    def _steps(self) -> list[dict[str, Any]]:
        operations = [n for n in self.graph if n.op is not None]
        leaves = [self.labels[n] for n in self.graph.leaves] + [c["name"] for c in self.constants.values() if c["named"]]
        short = listed(leaves) if len(leaves) <= 8 else f"{len(leaves)} arrays"
        given = [
            f"This drawing shows how {self.result} is computed. The computation starts from {short}, and then goes through "  # noqa: ISC004
            f"{plural(len(operations), 'operation')}, one after the other. Every arrow carries an array from where it is "
            f"made to where it is used.",
        ]
        if self.gradients:
            given.append(
                "First we go forward and compute every value. Then we go backward through the same operations, in the "
                f"opposite order, and find out for every array how much {self.result} would change if we changed it a little: its gradient."
            )
        steps: list[dict[str, Any]] = [{"phase": "start", "title": "What is given", "text": given}]
        steps += [self._forward(node) for node in operations]
        if not self.gradients:
            return steps
        steps.append(self._seed(self.results[0]))
        uses = self._uses()
        sums: dict[Node, tuple[int, Any]] = {}
        for node in reversed(operations):
            if node in self.gradients:
                steps.append(self._backward(node, uses, sums))
        steps.append(self._end())
        return steps

    def _forward(self, node: Node) -> dict[str, Any]:
        words, names, me = words_for(node), self._names(node), self.labels[node]
        text = [words.does.format(*names, all=listed(names), op=node.op.name if node.op else "", y=me)]
        for value, name in zip(node.values, names, strict=True):
            if node.op is not None and node.op.kind == "elementwise" and np.ndim(value) and np.shape(value) != np.shape(node.out):
                text.append(
                    f"{name} has shape {shape_of(value)}; it is repeated to fill {shape_of(node.out)}, as NumPy does (broadcasting)."
                )
        users = self.users.get(node, [])
        if len(users) > 1:
            text.append(
                f"{me} is used in {len(users)} places ({listed(users[:6])}{', …' if len(users) > 6 else ''}). "
                f"Remember that for the way back."
            )
        if node in self.results:
            text.append(f"This is {'the' if len(self.results) == 1 else 'a'} result.")
        elif node in self.graph.outputs:
            text.append("The function returns it, too: a saved value.")
        found = self.nodes[node]
        return {"phase": "forward", "node": found["id"], "title": f"{me} = {found['formula']}", "text": text}

    def _seed(self, root: Node) -> dict[str, Any]:
        me = self.labels[root]
        text = []
        if self.result != self.L:
            text.append(f"From here on, {self.L} stands for {self.result}" + (", weighted by the seed." if self.seeded else "."))
        if self.seeded and root.out.size > 1:
            text.append(f"{me} is an array, so the sweep starts from the seed: how much each of its elements counts.")
        else:
            text.append(
                f"If {self.result} changes by a little, it changes by just that: the gradient of the result by itself is 1. "
                f"This is where the way back starts."
            )
        text.append(
            "Now every operation hands the gradient on to its inputs. It needs to know only two things: the gradient that arrives "
            "at its result, and its own local derivative. Multiplying the two is the chain rule."
        )
        return {
            "phase": "seed",
            "node": self.nodes[root]["id"],
            "title": f"{self.d(root)} = {'seed' if self.seeded else '1'}",
            "text": text,
        }

    def _backward(self, node: Node, uses: dict[Node, int], sums: dict[Node, tuple[int, Any]]) -> dict[str, Any]:
        words, names, me, g = words_for(node), self._names(node), self.labels[node], self.d(node)
        labels = {"y": me, "g": g, "x": _times(node), "all": ", ".join(names), "count": count_of(node) if node.values else 1}
        text = [f"What arrives here, {g}, is complete, and says how {self.result} reacts when {me} changes a little."]
        if words.why:
            text.append(words.why.format(*names, **labels))
        parts = []
        waiting: list[str] = []
        for i, part in _contributions(node, self.gradients[node]):
            parent = node.parents[i]
            assert parent is not None
            k, total = sums.get(parent, (0, None))
            k, total = k + 1, part if total is None else total + part
            sums[parent] = k, total
            n = uses[parent]
            found = {"to": self.nodes[parent]["id"], "name": self.labels[parent], "k": k, "n": n, "array": summary(part, small=self.small)}
            found |= self._rule(node, i, words.derivatives, names, labels, "=" if n == 1 else "+=")
            if 1 < k < n:
                found["sum"] = summary(total, small=self.small)
            parts.append(found)
            if n > 1:
                waiting.append(
                    f"{self.labels[parent]} is used {n} times, and what its uses send back is added up. This is contribution {k} of {n}"
                    + ("." if k < n else ": now its gradient is complete.")
                )
        text += list(dict.fromkeys(waiting))
        title = f"Back through {me} = {self.nodes[node]['formula']}"
        found = {"phase": "backward", "node": self.nodes[node]["id"], "title": title, "text": text, "parts": parts}
        if parts and not words.derivatives and len(node.values) <= 12:
            found["rules"] = [label(line) for line in self.rules.lines(node)]
        return found

    def _rule(
        self, node: Node, i: int, derivatives: tuple[str, ...], names: list[str], labels: dict[str, Any], gets: str
    ) -> dict[str, str]:
        """Write the local derivative and the product that goes to operand `i`, in Unicode."""
        parent = node.parents[i]
        assert node.op is not None
        assert parent is not None
        if i >= len(derivatives) or not derivatives[i]:
            return {}
        derivative, goal = derivatives[i].format(*names, **labels), self.d(parent)
        if node.op.kind != "elementwise":
            return {"rule": f"{goal} {gets} {derivative}"}
        g = labels["g"]
        factor = f"({derivative})" if " " in derivative and _times(node) not in derivative else derivative
        product = g if derivative == "1" else f"−{g}" if derivative == "−1" else f"{g} {labels['x']} {factor}"
        found = {"local": f"∂{labels['y']}/∂{names[i]} = {derivative}", "rule": f"{goal} {gets} {product}"}
        if np.shape(parent.out) != np.shape(node.out):
            found["rule"] = f"{goal} {gets} Σ {product}" if " " not in product else f"{goal} {gets} Σ ({product})"
            found["note"] = f"Σ adds up over the copies: {names[i]} was repeated to fill {shape_of(node.out)}, and each copy counts."
        return found

    def _end(self) -> dict[str, Any]:
        leaves = [n for n in self.graph.leaves if n in self.gradients]
        names = [self.labels[n] for n in leaves]
        told = listed([self.d(n) for n in leaves]) if len(leaves) <= 8 else plural(len(leaves), "array")
        text = [
            f"Every gradient is complete: {told}.",
            "One sweep back was enough for all of them, at about the cost of the way forward.",
            f"Move {names[0] if names else 'an input'} a small step against its gradient and {self.result} gets smaller: that is how "  # noqa: ISC004
            f"a network learns.",
        ]
        ids = [self.nodes[n]["id"] for n in leaves]
        return {"phase": "end", "title": "All gradients are known", "text": text, "leaves": ids}

    def _names(self, node: Node) -> list[str]:
        names: list[str] = [o["name"] for o in self.nodes[node]["operands"][: len(node.values)]]  # not what attributes were read from
        return names

    def _uses(self) -> dict[Node, int]:
        uses: dict[Node, int] = {}
        for node in self.graph:
            if node.op is not None and node in self.gradients:
                for i, _ in _contributions(node, self.gradients[node]):
                    parent = node.parents[i]
                    assert parent is not None
                    uses[parent] = uses.get(parent, 0) + 1
        return uses


def _gradients(graph: Graph, roots: tuple[Node, ...], seed: Any) -> tuple[dict[Node, Array], str]:
    """Return the gradient at every node, or none and the reason."""
    if seed is None and len(roots) > 1:
        what = f"There are {len(roots)} results, and gradients belong to one: only the way forward is shown."
        return {}, f"{what} For the way back, choose one by its name with output= or --loss."
    if seed is None and roots[0].out.size != 1:
        shape = shape_of(roots[0].out)
        return (
            {},
            f"The result is an array ({shape}): only the way forward is shown. For the way back, explore a scalar loss or pass seed=.",
        )
    if not roots[0].needs:
        return {}, "The result does not depend on anything a gradient flows to: only the way forward is shown."
    if seed is not None and len(roots) == 1 and np.shape(seed) != np.shape(roots[0].out):
        raise errors.DifferentiationError(
            f"the seed has shape {np.shape(seed)}, expected the shape of the result, {np.shape(roots[0].out)}"
        )
    return graph.gradients(seed, output=roots[0] if len(roots) == 1 else None), ""


def _contributions(node: Node, g: Array) -> list[tuple[int, Array]]:
    """Return what one operation sends to each of its operands: the engine's own sweep over that operation alone."""
    parents = node.parents[: len(node.values)]
    stand_ins = [Node(None, (), (), {}, p.out, True, p.level) if p is not None and p.needs else None for p in parents]
    copy = Node(node.op, tuple(stand_ins), node.values, node.attrs, node.out, True, node.level)
    seen: dict[Node, Array] = {}
    with no_grad():
        gradients({copy: g}, seen)
    return [(i, seen[s]) for i, s in enumerate(stand_ins) if s is not None and s in seen]


def _formula(node: Node, names: list[str], attributes: dict[str, str]) -> str:
    read = label(reading(node, names[0], attributes)) if names else ""
    return read or words_for(node).notation.format(*names, all=", ".join(names), x=_times(node))


def _times(node: Node) -> str:
    return "⊙" if np.ndim(node.out) else "·"
