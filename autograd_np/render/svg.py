"""What Graphviz drew, as people see it: tooltips, faces, colours of the page, a text alternative, a legend."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from autograd_np.render.dot import lines_of
from autograd_np.render.drawing import Drawing
from autograd_np.render.legend import add_legend, align_titles
from autograd_np.render.metrics import SIZES
from autograd_np.render.palette import DARK, FONT, LIGHT, Palette, Theme, style_sheet
from autograd_np.text import visible

__all__ = ["FORMATS", "decorate"]

FORMATS = ("svg", "png", "pdf")
SVG = "http://www.w3.org/2000/svg"


def decorate(picture: bytes, drawing: Drawing, theme: Theme = "auto", *, legend: bool = True) -> str:
    """Give Graphviz's SVG what DOT cannot say: tooltips, a face for every kind of line, dark colours, a text alternative, a legend.

    Parameters
    ----------
    picture : bytes
        What `engine.draw` returned for this drawing.
    drawing : Drawing
        Its nodes' ids are the ids in the picture.
    theme : {"auto", "light", "dark"}
        ``"auto"`` adds the dark colours for pages that are dark.
    legend : bool
        Say below the picture what its forms and signs mean.

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
    align_titles(root)
    if legend:
        add_legend(root, drawing, palette, FONT)
    return ET.tostring(root, encoding="unicode") + "\n"


def _face(text: ET.Element, role: str, palette: Palette) -> None:
    text.set("class", role)
    if role in SIZES:
        text.set("font-size", f"{SIZES[role]:g}")
    colour = getattr(palette, role.partition(" ")[0], None)
    if colour:
        text.set("fill", colour)
