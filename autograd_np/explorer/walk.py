"""The steps of the page: forward through the evaluation, then backward through the reverse sweep, a line or an operation at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_np.backward import gradients
from autograd_np.explorer.arrays import label, listed, plural, shape_of, summary
from autograd_np.explorer.formulas import times
from autograd_np.explorer.story import Story
from autograd_np.explorer.words import count_of, words_for
from autograd_np.modes import no_grad
from autograd_np.node import Node
from autograd_np.typing import Array

__all__ = ["Walk"]

LONGEST = 60
"""A longer formula is no title; the line that it is written in is lit beside it."""

Group = Sequence[Node]
"""The operations of one step, in the order in which they ran."""
Sent = tuple[Node, int, Array]
"""What a step sends to a node that it was given: which node, at which position of the operation, and what."""


class Walk:
    """One way to go through a graph.

    Parameters
    ----------
    story : Story
    groups : sequence of sequence of Node
        What is done in one step each.
    """

    def __init__(self, story: Story, groups: Sequence[Group]) -> None:
        self.story, self.groups = story, groups
        self.marks: dict[int, dict[int, str]] = {}  # of lines: by function and number
        self.sent = self._sweep()
        self.uses = Counter(parent for sent in self.sent for parent, _, _ in sent)
        self.users: dict[Node, list[str]] = {}
        for group in groups:
            for given in self._given(group):
                self.users.setdefault(given, []).append(story.labels[group[-1]])

    def steps(self) -> list[dict[str, Any]]:
        """Return the steps, as JSON can hold them."""
        steps = [self._start(), *(self._forward(group) for group in self.groups)]
        if self.story.gradients:
            steps += [self._seed(), *self._back(), self._end()]
        for step in steps:  # what it is called, whatever its number
            step["key"] = f"{step['phase']} {self.story.key_of.get(step.get('node', ''), '')} {step.pop('also', '')}"
        return steps

    def _back(self) -> list[dict[str, Any]]:
        sums: dict[Node, tuple[int, Any]] = {}
        passed = [pair for pair in zip(self.groups, self.sent, strict=True) if any(n in self.story.gradients for n in pair[0])]
        return [self._backward(group, sent, sums) for group, sent in reversed(passed)]

    # --- what a step is about

    def _where(self, group: Group) -> dict[str, Any]:
        """Return the nodes of a step, and the lines that it is written in."""
        story = self.story
        found: dict[str, Any] = {"node": story.nodes[group[-1]]["id"]}
        if len(group) > 1:
            found["nodes"] = [story.nodes[n]["id"] for n in group]
        spot = story.sources.of(group[-1])
        if spot is not None:
            found |= {"at": list(spot), "callers": [list(s) for s in story.sources.callers(group[-1])]}
        return found

    def _formula(self, group: Group) -> str:
        story = self.story
        if len(group) == 1:
            return str(story.nodes[group[0]]["formula"])
        return label(story.formulas.of_line(group[-1], group))

    def _title(self, group: Group) -> str:
        """Return the equation of a step; of what has no name, what computes it."""
        me, formula = self.story.labels[group[-1]], self._formula(group)
        if len(formula) > LONGEST or formula == me:
            return me
        return formula if self.story.labels.is_expression(group[-1]) else f"{me} = {formula}"

    def _given(self, group: Group) -> list[Node]:
        """Return what a step reads that it does not compute, each once."""
        inside = set(group)
        return list(dict.fromkeys(p for n in group for p in n.parents[: len(n.values)] if p is not None and p not in inside))

    # --- forward

    def _start(self) -> dict[str, Any]:
        story = self.story
        operations = [n for n in story.graph if n.op is not None]
        leaves = [story.labels[n] for n in story.graph.leaves] + [c["name"] for c in story.constants.values() if c["named"]]
        short = listed(leaves) if len(leaves) <= 8 else f"{len(leaves)} arrays"
        given = [
            f"This page shows how {story.result} is computed. The computation starts from {short}, and then goes through "  # noqa: ISC004
            f"{plural(len(operations), 'operation')}, one after the other. Every arrow carries an array from where it is "
            f"made to where it is used.",
        ]
        if story.gradients:
            given.append(
                "First we go forward and compute every value. Then we go backward through the same operations, in the opposite order, "
                f"and find out for every array how much {story.result} would change if we changed it a little: its gradient."
            )
        return {"phase": "start", "title": "What is given", "text": given}

    def _forward(self, group: Group) -> dict[str, Any]:
        story, node = self.story, group[-1]
        me = story.labels[node]
        text = [self._does(n) for n in group] if len(group) == 1 else [f"{len(group)} operations in one line give {me}."]
        for n in group:
            text += self._repeated(n)
        title = self._title(group)
        users = self.users.get(node, [])
        if len(users) > 1:
            text.append(
                f"{me} is used in {len(users)} places ({listed(users[:6])}{', …' if len(users) > 6 else ''}). "
                f"Remember that for the way back."
            )
        if node in story.results:
            text.append(f"This is {'the' if len(story.results) == 1 else 'a'} result{story.called}.")
        elif node in story.graph.outputs:
            text.append("The function returns it, too: a saved value.")
        found = {"phase": "forward", **self._where(group), "title": title, "text": text}
        found["from"] = [story.nodes[p]["id"] for p in self._given(group)]
        found["from"] += [o["id"] for n in group for o in story.nodes[n]["operands"] if o.get("id", "").startswith("c")]
        return found | (story.forward(node) if self._is_told(group) else {})

    def _is_told(self, group: Group) -> bool:
        """Whether the derivation says what a step does: it speaks of variables, not of what lies between them."""
        known = self.story.equations
        return known.has(group[-1]) and all(p.op is None or known.has(p) for p in self._given(group))

    def _does(self, node: Node) -> str:
        names = self.story.names(node)
        return words_for(node).does.format(*names, all=listed(names), op=node.op.name if node.op else "", y=self.story.labels[node])

    def _repeated(self, node: Node) -> list[str]:
        return [
            f"{name} has shape {shape_of(value)}; it is repeated to fill {shape_of(node.out)}, as NumPy does (broadcasting)."
            for value, name in zip(node.values, self.story.names(node), strict=True)
            if node.op is not None and node.op.kind == "elementwise" and np.ndim(value) and np.shape(value) != np.shape(node.out)
        ]

    # --- backward

    def _seed(self) -> dict[str, Any]:
        story, root = self.story, self.story.results[0]
        me = story.labels[root]
        text = []
        if story.result != story.L:
            text.append(f"From here on, {story.L} stands for {story.result}" + (", weighted by the seed." if story.seeded else "."))
        if story.seeded and root.out.size > 1:
            text.append(f"{me} is an array, so the sweep starts from the seed: how much each of its elements counts.")
        else:
            text.append(
                f"If {story.result} changes by a little, it changes by just that: the gradient of the result by itself is 1. "
                f"This is where the way back starts."
            )
        text.append(
            "Now every operation hands the gradient on to its inputs. It needs to know only two things: the gradient that arrives "
            "at its result, and its own local derivative. Multiplying the two is the chain rule."
        )
        title = f"{story.d(root)} = {'seed' if story.seeded else '1'}"
        return {"phase": "seed", **self._where([root]), "title": title, "text": text}

    def _backward(self, group: Group, sent: Sequence[Sent], sums: dict[Node, tuple[int, Any]]) -> dict[str, Any]:
        story, node = self.story, group[-1]
        me, g = story.labels[node], story.d(node)
        text = []
        if node not in story.results:
            text.append(f"What arrives here, {g}, is complete, and says how {story.result} reacts when {me} changes a little.")
        found: dict[str, Any] = {"phase": "backward", **self._where(group), "title": f"Back through {self._title(group)}"}
        single = node if len(group) == 1 else None
        if single is not None and words_for(node).why:
            text.append(_plain(words_for(node).why.format(*story.names(node, bracketed=True), **self._labels(node))))
        told_of = self._is_told(group)
        rules = words_for(node).derivatives, story.names(node, bracketed=True), self._labels(node)
        parts = []
        waiting: list[str] = []
        for parent, i, part in sent:
            k, total = sums.get(parent, (0, None))
            k, total = k + 1, part if total is None else total + part
            sums[parent] = k, total
            n = self.uses[parent]
            told: dict[str, Any] = {"to": story.nodes[parent]["id"], "name": story.labels[parent], "k": k, "n": n}
            whole = (
                n == 1 and parent in story.gradients and np.array_equal(part, story.gradients[parent])
            )  # as most are: what was described need not be once more
            told["array"] = story.nodes[parent]["gradient"] if whole else summary(part, small=story.small)
            if single is not None:
                told |= self._rule(node, i, "=" if n == 1 else "+=", rules)
            told |= story.gradient(parent) if k == n and told_of else {}
            if 1 < k < n:
                told["sum"] = summary(total, small=story.small)
            parts.append(told)
            if n > 1:
                waiting.append(
                    f"{story.labels[parent]} is used {n} times, and what its uses send back is added up. This is contribution {k} of {n}"
                    + ("." if k < n else ": now its gradient is complete.")
                )
        found |= {"text": [*text, *dict.fromkeys(waiting)], "parts": parts}
        if parts and single is not None and not words_for(node).derivatives and len(node.values) <= 12:
            found["rules"] = [label(line) for line in story.rules.lines(node)]
        return found

    def _labels(self, node: Node) -> dict[str, Any]:
        names = self.story.names(node)
        count = count_of(node) if node.values else 1
        return {"y": self.story.labels.within(node), "g": self.story.d(node), "x": times(node), "all": ", ".join(names), "count": count}

    def _rule(self, node: Node, i: int, gets: str, rules: tuple[tuple[str, ...], Sequence[str], dict[str, Any]]) -> dict[str, str]:
        """Write the local derivative and the product that goes to operand `i`, in Unicode."""
        parent = node.parents[i]
        derivatives, names, labels = rules
        assert node.op is not None
        assert parent is not None
        if i >= len(derivatives) or not derivatives[i]:
            return {}
        derivative, goal = _plain(derivatives[i].format(*names, **labels)), self.story.d(parent)
        if node.op.kind != "elementwise":
            return {"rule": f"{goal} {gets} {derivative}"}
        g = labels["g"]
        factor = f"({derivative})" if " " in derivative and times(node) not in derivative else derivative
        product = g if derivative == "1" else f"−{g}" if derivative == "−1" else f"{g} {labels['x']} {factor}"
        found = {"local": f"∂{labels['y']}/∂{names[i]} = {derivative}", "rule": f"{goal} {gets} {product}"}
        if np.shape(parent.out) != np.shape(node.out):
            found["rule"] = f"{goal} {gets} Σ {product}" if " " not in product else f"{goal} {gets} Σ ({product})"
            found["note"] = f"Σ adds up over the copies: {names[i]} was repeated to fill {shape_of(node.out)}, and each copy counts."
        return found

    def _end(self) -> dict[str, Any]:
        story = self.story
        leaves = [n for n in story.graph.leaves if n in story.gradients]
        names = [story.labels[n] for n in leaves]
        told = listed([story.d(n) for n in leaves]) if len(leaves) <= 8 else plural(len(leaves), "array")
        text = [
            f"Every gradient is complete: {told}.",
            "One sweep back was enough for all of them, at about the cost of the way forward.",
            f"Move {names[0] if names else 'an input'} a small step against its gradient and {story.result} gets smaller: that is how "  # noqa: ISC004
            f"a network learns.",
        ]
        return {"phase": "end", "title": "All gradients are known", "text": text, "leaves": [story.nodes[n]["id"] for n in leaves]}

    # --- what a step sends back

    def _sweep(self) -> list[list[Sent]]:
        """Return what each step sends back: the reverse sweep, step by step."""
        arrived: dict[Node, Array] = dict(self.story.seeds)
        sent: list[list[Sent]] = []
        with no_grad():
            for group in reversed(self.groups):
                sent.append(_sent(group, {n: arrived[n] for n in group if n in arrived}))
                for parent, _, part in sent[-1]:
                    arrived[parent] = arrived[parent] + part if parent in arrived else part
        return sent[::-1]


def _sent(group: Group, arriving: dict[Node, Array]) -> list[Sent]:
    """Return what some operations send to what they were given: the engine's own sweep over them alone."""
    if not arriving:
        return []
    inside: dict[Node, Node] = {}
    outside: dict[tuple[Node, int], Node] = {}

    def stand_in(parent: Node | None, i: int) -> Node | None:
        if parent is None or not parent.needs:
            return None
        if parent in inside:
            return inside[parent]
        use = parent, i if len(group) == 1 else 0  # of a line, the sum of its uses
        if use not in outside:
            outside[use] = Node(None, (), (), {}, parent.out, True, parent.level)
        return outside[use]

    for n in group:
        parents = tuple(stand_in(p, i) for i, p in enumerate(n.parents[: len(n.values)]))
        inside[n] = Node(n.op, parents, n.values, n.attrs, n.out, True, n.level)
    seen: dict[Node, Array] = {}
    gradients({inside[n]: g for n, g in arriving.items()}, seen)
    return [(parent, i, seen[node]) for (parent, i), node in outside.items() if node in seen]


def _plain(text: str) -> str:
    """Leave out brackets that have brackets around them: what is a factor in one formula is an argument in another."""
    pairs: dict[int, int] = {}
    opened: list[int] = []
    for i, char in enumerate(text):
        if char == "(":
            opened.append(i)
        elif char == ")" and opened:
            pairs[opened.pop()] = i
    twice = {k for i, j in pairs.items() if pairs.get(i + 1) == j - 1 for k in (i, j)}
    return "".join(char for i, char in enumerate(text) if i not in twice)
