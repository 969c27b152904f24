"""Drawing a Graph: DOT text always, SVG on every machine, PNG and PDF where Graphviz is installed.

`Graph` gets its drawing methods here, on the floor above it. Nothing heavy is imported until something is drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autograd_np import errors
from autograd_np.graph import Graph
from autograd_np.render.dot import to_dot

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["render", "to_dot"]


def render(graph: Graph, path: str | Path, **options: Any) -> Path:
    r"""Draw a graph into a file.

    Parameters
    ----------
    graph : Graph
        From `autograd_np.graph` or `autograd_np.trace`.
    path : str or Path
        The suffix says what to write: ``.dot`` or ``.gv`` (text), ``.svg``, ``.png``, ``.pdf``.
    **options
        Passed to `to_dot`.

    Returns
    -------
    Path
        The file that was written.

    Raises
    ------
    RenderError
        If the suffix is none of these, or the format needs Graphviz's ``dot`` and it is not on PATH.

    Examples
    --------
    >>> import tempfile
    >>> import autograd_np as ag
    >>> x = ag.Tensor(2.0, requires_grad=True, name="x")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = ag.graph(x * x).render(f"{folder}/square.svg")
    ...     print(file.name, file.read_text("utf-8").endswith("</svg>\n"))
    square.svg True
    """
    from pathlib import Path

    from autograd_np.render.svg import FORMATS, draw

    path = Path(path)
    kind = path.suffix.lower().lstrip(".")
    if kind not in ("dot", "gv", *FORMATS):
        raise errors.RenderError(f"cannot draw {str(path)!r}: its suffix should be one of .dot .gv .{' .'.join(FORMATS)}")
    source = to_dot(graph, **options).source
    path.write_bytes(source.encode() if kind in ("dot", "gv") else draw(source, kind))
    return path


def _mimebundle(graph: Graph, include: Any = None, exclude: Any = None) -> dict[str, str]:  # noqa: ARG001 (Jupyter's signature)
    """Return what Jupyter shows: the drawing, and the text for front ends without pictures."""
    from autograd_np.render.svg import draw

    return {"image/svg+xml": draw(to_dot(graph).source, "svg").decode(), "text/plain": str(graph)}


Graph.to_dot = to_dot  # type: ignore[assignment,method-assign]
Graph.render = render  # type: ignore[assignment,method-assign]
Graph._repr_mimebundle_ = _mimebundle  # type: ignore[assignment,method-assign]
