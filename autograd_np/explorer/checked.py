"""The steps of a page about a checked backward pass: forward, then the user's own backward, statement by statement, with its verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_np.check.tell.executed import Executed, Value
from autograd_np.check.tell.places import shortened
from autograd_np.check.tell.records import Finding, because_of
from autograd_np.check.tell.report import BackwardReport
from autograd_np.explorer.arrays import label, listed, number, shape_of, summary
from autograd_np.explorer.story import Story
from autograd_np.explorer.walk import Group, Walk
from autograd_np.text import visible

__all__ = ["CheckedWalk", "told_of"]


def told_of(check: BackwardReport) -> dict[str, Any]:
    """Return the verdict of a check."""
    return {"verdict": check.verdict, "headline": label(check.headline()), "function": label(check.function)}


class CheckedWalk(Walk):
    """Forward through a graph, then through what a report says that backward executed.

    Parameters
    ----------
    story : Story
    groups : sequence of sequence of Node
        The statements of forward.
    check : BackwardReport
    """

    def __init__(self, story: Story, groups: Sequence[Group], check: BackwardReport) -> None:
        super().__init__(story, groups)
        self.check = check
        self.executed: list[Executed] = check.graph.executed  # type: ignore[union-attr]  # explored reports have one
        functions = dict.fromkeys(x.place.function for x in self.executed)
        for function in sorted(functions, key=lambda f: f.name != check.function):
            story.sources.add(function)
        found = check.located()
        self.findings = [(x, [f for f in found if _is_at(f, x)] if x.ok is False else []) for x in self.executed]
        told = {id(f) for _, its in self.findings for f in its}
        self.others = [f for f in found if id(f) not in told]
        self._mark()

    def _mark(self) -> None:
        for x in self.executed:
            at = self.story.sources.spot(x.place.function, x.place.line, x.place.end_line)
            if at is not None and x.ok is not None:
                marks = self.marks.setdefault(at.source, {})
                marks[at.first] = "wrong" if not x.ok or marks.get(at.first) == "wrong" else "ok"
        for f in self.others:
            at = self.story.sources.at(f.file, f.line)
            if at is not None:
                self.marks.setdefault(at.source, {})[at.first] = "wrong"

    def _start(self) -> dict[str, Any]:
        step = super()._start()
        step["text"][1:] = [
            "First we go forward and compute every value. Then we go through the backward pass, line by line, as it was run: "  # noqa: ISC004
            "each line gets what is right above it, and what it gives is compared with the gradient that the engine computes."
        ]
        return step

    def _seed(self) -> dict[str, Any]:
        story, root = self.story, self.story.results[0]
        text = [f"Now the way back, as it is written in {label(self.check.function)}. {label(self.check.headline())}."]
        if story.result != story.L:
            text.append(f"From here on, {story.L} stands for {story.result}.")
        return {"phase": "seed", **self._where([root]), "title": f"Backward: {label(self.check.function)}", "text": text}

    def _back(self) -> list[dict[str, Any]]:
        return [*(self._executed(x, its) for x, its in self.findings), *(self._found(f) for f in self.others)]

    def _executed(self, x: Executed, findings: Sequence[Finding]) -> dict[str, Any]:
        story, place = self.story, x.place
        nodes = [v.node for v in x.values if v.node is not None and v.node in story.nodes]
        found: dict[str, Any] = {
            "phase": "hand",
            "title": label(place.text),
            "also": ",".join(v.variable for v in x.values),
            "text": [self._said(v) for v in x.values],
        }
        found["ok"] = x.ok
        found["values"] = [self._value(v) for v in x.values]
        if nodes:
            found["node"] = story.nodes[nodes[0]]["id"]
            found["nodes"] = [story.nodes[n]["id"] for n in nodes]
            if (of := story.sources.of(nodes[0])) is not None:
                found["of"] = list(of)
            told = [story.gradient(n) for n in dict.fromkeys(nodes)]
            found["math"] = [t[key] for t in told for key in ("math", "simpler") if key in t]
            likes = [t["like"] for t in told if "like" in t]
            found |= {"like": likes[0]} if likes else {}
        at = story.sources.spot(place.function, place.line, place.end_line)
        if at is not None:
            found["at"] = list(at)
        found["findings"] = [self._finding(f) for f in findings]
        return found

    def _said(self, v: Value) -> str:
        variable = label(v.variable)
        if v.node is None or v.ok is None:
            return f"{variable} pairs with no variable of forward, so there is nothing to compare it with."
        name = self.story.labels[v.node] if v.node in self.story.nodes else label(v.node.name or "a variable")
        if v.ok:
            return f"{variable} is right: it is the gradient of {name}."
        if v.expected is not None and np.shape(v.expected) != np.shape(v.computed):
            return f"{variable} should be the gradient of {name}, of shape {shape_of(v.expected)}; it has shape {shape_of(v.computed)}."
        return f"{variable} should be the gradient of {name}, and is not."

    def _value(self, v: Value) -> dict[str, Any]:
        found: dict[str, Any] = {"variable": label(v.variable), "ok": v.ok, "array": summary(v.computed, small=self.story.small)}
        if v.node is not None and v.node in self.story.nodes:
            found["to"], found["name"] = self.story.nodes[v.node]["id"], self.story.labels[v.node]
        if v.ok is False and v.expected is not None:
            found["expected"] = summary(v.expected, small=self.story.small)
        return found

    def _finding(self, f: Finding) -> dict[str, Any]:
        source = self.check.source_of(f)
        found: dict[str, Any] = {"variable": label(f.variable), "kind": f.kind, "message": label(" ".join(f.message.split()))}
        if not np.isnan(f.expected) and not np.isnan(f.actual):
            where = f"[{', '.join(map(str, f.worst_index))}]" if f.worst_index else ""
            found |= {"where": f"{label(f.variable)}{where}", "expected": number(f.expected), "actual": number(f.actual)}
        if f.fix is not None:
            old = [source.get(n, f.source) for n in range(f.line, max(f.line, f.end_line) + 1)]
            found["old"], found["new"] = ([visible(x.strip(), longest=400) for x in lines] for lines in (old, f.fix.splitlines()))
        if f.call:
            found["call"] = label(shortened(f.call))
        if f.rivals:
            found["message"] += "".join(f" Or line {r.line}: {label(' '.join(r.message.split()))}." for r in f.rivals)
        if f.consequences:
            found["consequences"] = [label(c) for c in f.consequences]
        return found

    def _found(self, f: Finding) -> dict[str, Any]:
        """Return the step of a mistake that is not a value of a line: what raises, and what is not returned."""
        told = self._finding(f)
        found: dict[str, Any] = {"phase": "hand", "title": label(f.source or f.variable), "also": f.variable, "text": [], "ok": False}
        found |= {"values": [], "findings": [told]}
        at = self.story.sources.at(f.file, f.line)
        return found | ({"at": list(at)} if at is not None else {})

    def _end(self) -> dict[str, Any]:
        story, check = self.story, self.check
        wrong = [g.variable for g in check.gradients.values() if not g.ok]
        text = [f"{label(check.headline())}."]
        if check.verdict == "fail" and wrong:
            text.append(f"Of what it gives, {listed([label(w) for w in wrong])} {'is' if len(wrong) == 1 else 'are'} wrong.")
        text += [label(line) for line in (*check.readings, *check.adequacy)]
        leaves = [n for n in story.graph.leaves if n in story.gradients]
        title = {"pass": "Backward is right", "fail": "Backward is wrong"}.get(check.verdict, "Backward could not be judged")
        found: dict[str, Any] = {"phase": "end", "title": title, "text": text, "leaves": [story.nodes[n]["id"] for n in leaves]}
        given = {n: check.gradients[n.name] for n in leaves if n.name in check.gradients}
        found["verdicts"] = {story.nodes[n]["id"]: [g.ok, label(because_of(g, check.findings))] for n, g in given.items()}
        return found


def _is_at(f: Finding, x: Executed) -> bool:
    return x.place.function.filename == f.file and x.place.line <= f.line <= max(x.place.line, x.place.end_line)
