"""What the page tells about a graph, whatever the steps: its boxes and edges, their names, lines and equations."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from autograd_np import errors
from autograd_np.check.tell.report import BackwardReport
from autograd_np.explorer.arrays import label, number, shape_of, summary
from autograd_np.explorer.equations import Equations
from autograd_np.explorer.formulas import Formulas
from autograd_np.explorer.labels import ATOM, LONGEST, Labels, Text, fitted
from autograd_np.explorer.layout import at_first, place, size
from autograd_np.explorer.sources import Sources
from autograd_np.graph import Constant, Graph, reading
from autograd_np.node import Node
from autograd_np.render.frames import as_written
from autograd_np.render.model import describe, results_of
from autograd_np.render.net import net_of
from autograd_np.render.repetition import first_alike
from autograd_np.render.rules import Rules
from autograd_np.tensor import value_of
from autograd_np.text import shorten
from autograd_np.typing import Array

__all__ = ["Story"]


class Story:
    """What the page tells about a graph; `before` is that of the same function with other numbers."""

    def __init__(
        self,
        graph: Graph,
        output: Node | str | None = None,
        seed: Any = None,
        parameters: Sequence[str] = (),
        check: BackwardReport | None = None,
        before: Story | None = None,
    ) -> None:
        self.graph = graph
        self.small = len(graph) <= 300
        self.results = results_of(graph, output)
        self.gradients, self.seeds, self.notice = _gradients(graph, self.results, seed) if check is None else _checked(check)
        self.formulas = Formulas(self.texts, lambda node: graph.attributes(node, lambda n: self.labels.within(n, 0)))
        self.labels = Labels(graph, _number)
        self.labels.express(self.formulas.written)
        root = self.results[0]
        self.result = self.labels[root] if root.name else "the result"
        self.sources = Sources(graph)
        self.equations: Equations = Equations(graph) if before is None else before.equations.again(graph)
        net = net_of(graph, self.results)
        self._like = {} if self.small else first_alike(net)
        self.L = self.result if root.name and len(self.result) <= 6 and not self.equations else "L"
        self.called = f", and is called {self.L} from here on" if self.gradients and self.L not in (self.result, "") else ""
        self.seeded = seed is not None
        if check is not None:
            parameters = [n.name for n in graph.leaves if n.name in check.gradients]
        drawing = describe(graph, depth=None, repeats="open", max_nodes=10**9, parameters=parameters, output=output)
        self.drawn = {d.id: d for d in drawing.nodes}
        self.rules = Rules(lambda x: self.labels.within(x) if isinstance(x, Node) else _number(x) or self.labels.constant(x))
        self.constants: dict[int, dict[str, Any]] = {}
        self.nodes = {node: self._node(node) for node in graph}
        drawn = [*self.constants.values(), *self.nodes.values()]
        self.key_of = {d["id"]: d["key"] for d in drawn}
        edges = [{"from": i["id"], "to": d["id"]} for d in drawn for i in d.get("operands", ()) if "id" in i]
        modules = [
            {"path": label(c.path), "title": label(c.title), "parent": label(c.parent), "kind": c.kind, "turns": c.turns}
            for c in drawing.clusters
        ]
        size(drawn, modules)
        place(drawn, edges, modules)
        closed, folded = at_first(net, drawn, edges, modules)
        self.data = {
            "result": self.nodes[root]["id"],
            "L": self.L,
            "notice": self.notice,
            "leftOut": self.equations.left_out(),
            "sizes": [[math, label(text)] for math, text in self.equations.sizes()],
            "nodes": drawn,
            "edges": edges,
            "modules": modules,
            "folded": folded,
            "closed": [m["path"] for m in modules if m["path"] in closed],
        }

    # --- equations

    def forward(self, node: Node) -> dict[str, Any]:
        """Return the equation that computes a variable, and in which turn it was written, if that is another."""
        return self._told(node, self.equations.forward)

    def gradient(self, node: Node) -> dict[str, Any]:
        """Return the equation of the gradient at a variable."""
        return self._told(node, self.equations.gradient)

    def _told(self, node: Node, equation: Callable[[Node], dict[str, Any]]) -> dict[str, Any]:
        like, turn = self._like.get(node, (node, ""))
        told = equation(like)
        return told | {"like": label(turn)} if told and turn else told

    # --- nodes

    def d(self, node: Node) -> str:
        """Write the gradient at a node."""
        return f"∂{self.L}/∂{self._bracketed(node)}"

    def _bracketed(self, node: Node) -> str:
        """Return the label as it stands behind a ∂; of the result without a name the letter that stands for it."""
        is_result = self.results == (node,) and not node.name and not self.seeded
        return self.L if is_result else self.labels.within(node)

    def _node(self, node: Node) -> dict[str, Any]:
        found: dict[str, Any] = {
            "id": self.graph.id_of(node),
            "key": label(self.graph.label_of(node)),
            "name": self.labels[node],
            "named": node.name is not None,
            "kind": "operation" if node.op is not None else self.drawn[self.graph.id_of(node)].kind,
            "shape": shape_of(node.out),
            "module": label(self.drawn[self.graph.id_of(node)].module),
            "value": summary(node.out, small=self.small),
        }
        if self._bracketed(node) != found["name"]:
            found["bracketed"] = self._bracketed(node)
        if self._short(node) != found["name"]:
            found["short"] = self._short(node)
        if node in self.results:
            found["output"] = True
        if node in self.gradients:
            found["gradient"] = summary(self.gradients[node], small=self.small)
        if node.site:
            found["site"] = label(re.split(r"[\\/]", node.site)[-1])
        if (spot := self.sources.of(node)) is not None:
            found["line"] = list(spot)
        if node.op is not None:
            found["op"] = label(node.op.name)
            found["operands"] = [self._operand(o) for o in self.graph.operands(node)]
            texts = self.texts(node)
            attributes = self.graph.attributes(node, lambda n: self.labels[n])
            found["formula"] = self.formulas(node)
            shorts = [
                t._replace(text=self._short(o)) if isinstance(o, Node) else t
                for o, t in zip(self.graph.operands(node), texts, strict=False)
            ]
            boxed = self.formulas(node, shorts)
            boxed = boxed if len(boxed) <= LONGEST else self.labels.cut(node, self._short).text
            if boxed != found["formula"]:
                found["boxed"] = boxed
            if self.labels.is_expression(node):
                found["expressed"] = True
            if attributes and not reading(node, "", attributes):
                found["attributes"] = label(", ".join(shorten(text, 60) for text in attributes.values()))
        return found

    def texts(self, node: Node) -> list[Text]:
        """Return what the operands of an operation are called, without what its attributes were read from."""
        return [
            self.labels.text(o) if isinstance(o, Node) else Text(_number(o.out) or self.labels.constant(o.out))
            for o in self.graph.operands(node)[: len(node.values)]
        ]

    def names(self, node: Node, *, bracketed: bool = False) -> list[str]:
        """Return the same as names, which in formulas are in brackets where they have to be."""
        return [fitted(t, ATOM) if bracketed else t.text for t in self.texts(node)]

    def _short(self, node: Node) -> str:
        """Return the name that is enough inside the frame that the node is in: ``weight`` for ``layers.0.weight``."""
        short = self.drawn[self.graph.id_of(node)].short
        return self.labels[node] if short in ("", node.name) else label(as_written(short))

    def _operand(self, operand: Node | Constant) -> dict[str, Any]:
        if isinstance(operand, Node):
            return {"id": self.graph.id_of(operand), "name": self.labels[operand]}
        if (text := _number(operand.out)) is not None:
            return {"name": text}
        value = value_of(operand.out)
        known = self.constants.get(id(value))
        if known is None:
            i = len(self.constants)
            known = {
                "id": f"c{i}",
                "key": label(operand.name or f"c{i}"),
                "name": self.labels.constant(value),
                "named": operand.name is not None,
                "kind": "constant",
                "shape": shape_of(value),
                "module": label(self.drawn[f"c{i}"].module),
                "value": summary(value, small=self.small),
            }
            self.constants[id(value)] = known
        return {"id": known["id"], "name": known["name"]}


def _number(value: Any) -> str | None:
    """Write an operand that is a number, or none at all; return ``None`` for an array."""
    value = value_of(value)
    if np.ndim(value):
        return None
    text = "none" if value is None else number(value[()] if isinstance(value, np.ndarray) else value)
    return f"({text})" if text.startswith("−") else text


def _gradients(graph: Graph, roots: tuple[Node, ...], seed: Any) -> tuple[Mapping[Node, Array], Mapping[Node, Array], str]:
    """Return the gradient at every node, what the sweep starts from, and why there is none."""
    if seed is None and len(roots) > 1:
        what = f"There are {len(roots)} results, and gradients belong to one: only the way forward is shown."
        return {}, {}, f"{what} For the way back, choose one by its name with output= or --loss."
    if seed is None and roots[0].out.size != 1:
        shape = shape_of(roots[0].out)
        return (
            {},
            {},
            f"The result is an array ({shape}): only the way forward is shown. For the way back, explore a scalar loss or pass seed=.",
        )
    if not roots[0].needs:
        return {}, {}, "The result does not depend on anything a gradient flows to: only the way forward is shown."
    if seed is not None and len(roots) == 1 and np.shape(seed) != np.shape(roots[0].out):
        raise errors.DifferentiationError(
            f"the seed has shape {np.shape(seed)}, expected the shape of the result, {np.shape(roots[0].out)}"
        )
    found = graph.gradients(seed, output=roots[0] if len(roots) == 1 else None)
    return found, {n: found[n] for n in roots[:1]}, ""


def _checked(check: BackwardReport) -> tuple[Mapping[Node, Array], Mapping[Node, Array], str]:
    return check.graph.gradients, {}, ""  # type: ignore[union-attr]  # explored reports have one
