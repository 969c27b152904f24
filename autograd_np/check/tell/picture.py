"""The graph of the user's forward function, coloured by what the check found: `BackwardReport.graph`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from autograd_np.check.tell.report import GradientCheck
from autograd_np.graph import Graph
from autograd_np.node import Node

__all__ = ["Picture", "verdicts_of"]


class Picture:
    """Draws a graph with a verdict and both gradients on its nodes.

    Parameters
    ----------
    graph : Graph
        Of the forward function.
    verdicts : mapping
        Node -> (``"ok"``, ``"wrong"`` or ``"unknown"``, what to say about it).
    """

    def __init__(self, graph: Graph, verdicts: Mapping[Node, tuple[str, str]]) -> None:
        self.graph, self.verdicts = graph, dict(verdicts)

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


def verdicts_of(rows: Mapping[Node, GradientCheck], *, inconclusive: bool = False) -> dict[Node, tuple[str, str]]:
    """Return the verdict on every Node whose gradient the backward function computes."""
    return {
        node: ("unknown" if inconclusive and not check.ok else "ok" if check.ok else "wrong", _said(check)) for node, check in rows.items()
    }


def _said(check: GradientCheck) -> str:
    """Return both gradients where they differ most, as far as they have elements to compare."""
    place = f"{check.variable}{list(check.worst_index) if check.worst_index else ''}"
    lines = [f"line {check.line}" if check.line else "returned"]
    if not np.isnan(check.expected):
        lines.append(f"{place}: engine {check.expected:.4g}, hand {check.actual:.4g}")
    elif not check.ok:
        lines.append(f"{place}: shape {check.shape}")
    return "\n".join([*lines, *([check.note] if check.note else [])])
