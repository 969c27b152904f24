"""Drawing a Graph: DOT text, SVG and PNG on every machine, PDF with an extra.

Here live what is drawn of a Graph (`model`), how it looks and how it becomes a file; `Graph` gets its drawing methods here,
on the floor above it. Nothing here may change a graph, judge a gradient or know `check`, and nothing heavy may be imported
before something is drawn. The page to step through a graph lives in `explorer`, on the floor above.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from autograd_np import errors
from autograd_np.graph import Graph

if TYPE_CHECKING:
    from pathlib import Path

    import graphviz

    from autograd_np.render.dot import Direction, to_dot, write
    from autograd_np.render.model import describe
    from autograd_np.render.palette import Theme

__all__ = ["describe", "render", "to_dot", "write"]


def render(
    graph: Graph, path: str | Path, *, direction: Direction = "auto", theme: Theme = "auto", legend: bool = True, **options: Any
) -> Path:
    r"""Draw a graph into a file.

    Parameters
    ----------
    graph : Graph
        From `autograd_np.graph` or `autograd_np.trace`.
    path : str or Path
        The suffix says what to write: ``.dot`` or ``.gv`` (text), ``.svg``, ``.png``, ``.pdf``; ``.html`` is the explorer.
    direction : {"auto", "TB", "LR"}
        Draw from top to bottom or from left to right; by default, in the way that fills more of a screen.
    theme : {"auto", "light", "dark"}
        ``"auto"``: an SVG is light or dark as the page it is in, or by itself as its reader prefers; the other formats are light.
    legend : bool
        Say below the picture what its forms and signs mean.
    **options
        What to show: see `describe`.

    Returns
    -------
    Path
        The file that was written.

    Raises
    ------
    RenderError
        If the suffix is none of these, or a PDF is asked for and neither the package typst (``pip install 'autograd-np[pdf]'``) nor
        Graphviz's ``dot`` is installed, or a PNG and no font is.

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

    from autograd_np.render.dot import write
    from autograd_np.render.engine import draw, draw_pdf
    from autograd_np.render.model import describe
    from autograd_np.render.raster import has_typst, pdf, png
    from autograd_np.render.svg import FORMATS, decorate

    path = Path(path)
    kind = path.suffix.lower().lstrip(".")
    if kind in ("html", "htm"):
        graph.explore(path, **options)
        return path
    if kind not in ("dot", "gv", *FORMATS):
        raise errors.RenderError(f"cannot draw {str(path)!r}: its suffix should be one of .dot .gv .{' .'.join(FORMATS)} .html")
    drawing = describe(graph, **options)
    source = write(drawing, direction=direction, theme=theme).source
    if kind in ("dot", "gv"):
        path.write_bytes(source.encode())
    elif kind == "svg":
        path.write_text(decorate(draw(source), drawing, theme, legend=legend), encoding="utf-8")
    elif kind == "pdf" and not has_typst():
        path.write_bytes(draw_pdf(source))
    else:
        picture = decorate(draw(source), drawing, "dark" if theme == "dark" else "light", legend=legend)
        path.write_bytes(png(picture) if kind == "png" else pdf(picture))
    return path


def _mimebundle(graph: Graph, include: Any = None, exclude: Any = None) -> dict[str, str]:  # noqa: ARG001 (Jupyter's signature)
    """Return what Jupyter shows: the drawing, and the text for front ends without pictures."""
    from autograd_np.render.dot import write
    from autograd_np.render.engine import draw
    from autograd_np.render.model import describe
    from autograd_np.render.svg import decorate

    drawing = describe(graph)
    picture = decorate(draw(write(drawing).source), drawing)
    return {"image/svg+xml": picture, "text/plain": str(graph)}


def _to_dot(graph: Graph, **options: Any) -> graphviz.Digraph:
    """Return the graph as DOT; arguments as in `autograd_np.render.to_dot`."""
    from autograd_np.render.dot import to_dot

    return to_dot(graph, **options)


Graph.to_dot = _to_dot  # type: ignore[assignment,method-assign]
Graph.render = render  # type: ignore[assignment,method-assign]
Graph._repr_mimebundle_ = _mimebundle  # type: ignore[assignment,method-assign]


_LATER = {"describe": "model", "to_dot": "dot", "write": "dot"}


def __getattr__(name: str) -> Any:
    """Import on first use what draws: most programs draw nothing."""
    if name in _LATER:
        return getattr(importlib.import_module(f"{__name__}.{_LATER[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
