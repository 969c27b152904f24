"""`Graph.explore`: a graph as a page to step through."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from autograd_np import errors
from autograd_np.check.tell.report import BackwardReport
from autograd_np.explorer.arrays import label
from autograd_np.explorer.checked import CheckedWalk, told_of
from autograd_np.explorer.page import page
from autograd_np.explorer.story import Story
from autograd_np.explorer.walk import Walk
from autograd_np.graph import Graph
from autograd_np.node import Node

__all__ = ["data_from", "data_of", "explore"]

LIMIT = 10_000
"""Above this many nodes a page that shows every step is of no use to anyone."""


def explore(
    graph: Graph,
    path: str | Path,
    *,
    output: Node | str | None = None,
    seed: Any = None,
    parameters: Sequence[str] = (),
    check: BackwardReport | None = None,
    open: bool = False,  # noqa: A002 (as in webbrowser)
) -> Path:
    """Write an HTML page that steps through a graph: forward, then backward.

    Parameters
    ----------
    graph : Graph
        From `autograd_np.graph` or `autograd_np.trace`.
    path : str or Path
        An ``.html`` file.
    output : Node or str, optional
        The result whose gradient is shown, if not the one that `Graph.result` finds.
    seed : array_like, optional
        The gradient of the result, of its shape; 1 for a result of one element. Without a seed, a graph of another
        result, or of several of which any could be meant, is shown forward only, and the page says so.
    parameters : sequence of str
        Names of inputs to show as parameters, besides those of modules and the leaves made with ``requires_grad=True``.
    check : BackwardReport, optional
        Step through this backward pass instead of the engine's: see `BackwardReport.explore`.
    open : bool, default False
        Show the page in the default browser.

    Returns
    -------
    Path
        The file that was written. It is self-contained: nothing is loaded from anywhere.

    Raises
    ------
    RenderError
        If the suffix is not ``.html``, `parameters` names no input, or there are more than 10,000 nodes.
    DifferentiationError
        If the seed does not fit the result, or `output` names no node.

    Examples
    --------
    >>> import tempfile
    >>> import autograd_np as ag
    >>> x = ag.Tensor(2.0, requires_grad=True, name="x")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     page = ag.graph(x * x).explore(f"{folder}/square.html")
    ...     print(page.name, page.read_text("utf-8").startswith("<!doctype html>"))
    square.html True
    """
    path = Path(path)
    if path.suffix.lower() not in (".html", ".htm"):
        raise errors.RenderError(f"explore writes a page, so the path should end in .html, got {str(path)!r}")
    path.write_bytes(page(data_of(graph, output=output, seed=seed, parameters=parameters, check=check)).encode())
    if open:
        import webbrowser

        webbrowser.open(path.resolve().as_uri())
    return path


def data_of(
    graph: Graph,
    *,
    output: Node | str | None = None,
    seed: Any = None,
    parameters: Sequence[str] = (),
    check: BackwardReport | None = None,
) -> dict[str, Any]:
    """Return what the page shows of a graph, as JSON can hold it; arguments and errors as those of `explore`."""
    if len(graph) > LIMIT:
        raise errors.RenderError(
            f"the graph has {len(graph):,} nodes, more than the {LIMIT:,} a page can usefully step through; explore one block of it, "
            f"or draw an overview with graph.render"
        )
    return data_from(Story(graph, output, seed, parameters, check), check)


def data_from(story: Story, check: BackwardReport | None = None) -> dict[str, Any]:
    """Return what the page shows, with the steps, of what is told of a graph."""
    lines, operations = story.sources.statements(), [[n] for n in story.graph if n.op is not None]
    walks: list[Walk] = []
    if check is not None:
        walks = [CheckedWalk(story, lines, check)]
        title = f"{label(check.function)}, checked line by line"
    else:
        walks = [Walk(story, groups) for groups in ([lines, operations] if len(operations) > len(lines) > 1 else [operations])]
        title = f"How {story.result} is computed" + (", and its gradient" if story.gradients else "")
    steps = [walk.steps() for walk in walks]
    return {
        "title": title,
        **story.data,
        "sources": story.sources.data(walks[0].marks),
        "steps": steps[0],
        "finer": steps[1] if len(steps) > 1 else None,
        "check": told_of(check) if check is not None else None,
    }
