"""The graph of the user's forward function, coloured by what the check found: `BackwardReport.graph`."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from autograd_np.check.tell.executed import Executed
from autograd_np.check.tell.records import Finding, GradientCheck, because_of
from autograd_np.graph import Graph
from autograd_np.node import Node
from autograd_np.typing import Array

__all__ = ["Picture", "verdicts_of"]


class Picture:
    """Draws a graph with a verdict and both gradients on its nodes.

    Parameters
    ----------
    graph : Graph
        Of the forward function.
    verdicts : mapping
        Node -> (``"ok"``, ``"wrong"`` or ``"unknown"``, what to say about it).
    gradients : mapping
        Node -> the engine's gradient.
    executed : sequence of Executed
        What backward did, in order.
    """

    def __init__(
        self,
        graph: Graph,
        verdicts: Mapping[Node, tuple[str, str]],
        gradients: Mapping[Node, Array] = MappingProxyType({}),
        executed: Sequence[Executed] = (),
    ) -> None:
        self.graph, self.verdicts = graph, dict(verdicts)
        self.gradients, self.executed = gradients, list(executed)

    def __call__(self, path: str | Path | None = None, **options: Any) -> Any:
        """Draw into a file whose suffix says the format, or return the drawing as a `graphviz.Digraph`.

        Parameters
        ----------
        path : str or Path, optional
            Such as ``"check.svg"``.
        **options
            As for `Graph.render`.
        """
        if path is None:
            return self.graph.to_dot(**{"verdicts": self.verdicts, **options})
        return self.graph.render(path, verdicts=self.verdicts, **options)

    def __len__(self) -> int:
        """Return the number of nodes."""
        return len(self.graph)

    def __bool__(self) -> bool:
        return True

    def svg(self, **options: Any) -> str:
        """Return the drawing as SVG that can stand in a page."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "graph.svg")
            self(file, **options)
            return file.read_text("utf-8")


def verdicts_of(
    rows: Mapping[Node, GradientCheck], *, inconclusive: bool = False, findings: Sequence[Finding] = ()
) -> dict[Node, tuple[str, str]]:
    """Return the verdict on every Node whose gradient the backward function computes.

    Parameters
    ----------
    rows : mapping
        The comparison at each node.
    inconclusive : bool
        What is not right is unknown rather than wrong.
    findings : sequence of Finding
        Their consequences are said to be such.
    """
    return {
        node: ("unknown" if inconclusive and not check.ok else "ok" if check.ok else "wrong", _said(check, because_of(check, findings)))
        for node, check in rows.items()
    }


def _said(check: GradientCheck, because: str) -> str:
    """Return both gradients where they differ most, as far as they have elements to compare."""
    place = f"{check.variable}{list(check.worst_index) if check.worst_index else ''}"
    lines = [f"line {check.line}" if check.line else "returned"]
    if not np.isnan(check.expected):
        lines.append(f"{place}: engine {check.expected:.4g}, hand {check.actual:.4g}")
    elif not check.ok:
        lines.append(f"{place}: shape {check.shape}")
    return "\n".join([*lines, *(note for note in (check.note, because) if note)])
