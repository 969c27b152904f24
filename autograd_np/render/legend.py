"""The legend of a picture: what its boxes, arrows and signs mean, of those that occur in it."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator

from autograd_np.render.drawing import Drawing
from autograd_np.render.metrics import text_width
from autograd_np.render.palette import MARKS, Palette

__all__ = ["add_legend", "align_titles"]

SVG = "{http://www.w3.org/2000/svg}"
KINDS = {
    "input": "input",
    "parameter": "parameter",
    "constant": "constant",
    "operation": "operation",
    "output": "result",
    "group": "several operations",
}
VERDICTS = {"ok": "right", "wrong": "wrong", "unknown": "not known"}
ROW, KEY, GAP, EDGE = 17.0, 22.0, 14.0, 8.0
LEAST = 260.0
"""A legend may be as wide as the picture, and at least so wide, in points."""


def add_legend(root: ET.Element, drawing: Drawing, palette: Palette, font: str) -> None:
    """Put the legend below the picture, which grows by it."""
    width, height = (float(x) for x in (root.get("viewBox") or "0 0 0 0").split()[2:])
    items = [(key, text, KEY * (key is not None) + text_width(text, "faint")) for key, text in _items(drawing, palette)]
    room = max(width, LEAST) - 2 * EDGE
    legend = ET.Element(f"{SVG}g", {"class": "legend"})
    x, y = EDGE, height + ROW / 2
    widest = 0.0
    for key, text, length in items:
        if x > EDGE and x + length > room + EDGE:
            x, y = EDGE, y + ROW
        if key is not None:
            key.set("transform", f"translate({x:.2f} {y:.2f})")
            legend.append(key)
        line = ET.SubElement(legend, f"{SVG}text", {"class": "faint", "x": f"{x + KEY * (key is not None):.2f}", "y": f"{y + 3.2:.2f}"})
        line.text = text
        line.attrib |= {"font-family": font, "font-size": "9.5", "fill": palette.faint}
        x += length + GAP
        widest = max(widest, x - GAP + EDGE)
    width, height = max(width, widest), y + ROW
    paper = {"class": "background", "x": "-1", "y": "-1", "width": f"{width + 2:.2f}", "height": f"{height + 2:.2f}", "fill": palette.paper}
    root.insert(1, ET.Element(f"{SVG}rect", paper))
    root.append(legend)
    _resize(root, width, height)


def _resize(root: ET.Element, width: float, height: float) -> None:
    root.attrib |= {"viewBox": f"0 0 {width:.2f} {height:.2f}", "width": f"{width:.2f}pt", "height": f"{height:.2f}pt"}


def align_titles(root: ET.Element) -> None:
    """Begin titles of frames and the notes below the picture at the left, where they are whole in every font.

    Graphviz centres them where it believes they are as wide as in its own font.
    """
    width, height = (float(x) for x in (root.get("viewBox") or "0 0 0 0").split()[2:])
    for group in root.iter(f"{SVG}g"):
        kind = group.get("class")
        texts = group.findall(f"{SVG}text") if kind in ("graph", "cluster") else []
        shape = next((child for child in group if child.tag in (f"{SVG}path", f"{SVG}polygon")), None)
        if not texts or shape is None:
            continue
        numbers = re.findall(r"-?\d+\.?\d*", shape.get("d") or shape.get("points") or "")
        left = min(map(float, numbers[::2])) + EDGE
        for text in texts:
            text.attrib |= {"text-anchor": "start", "x": f"{left:.2f}", "class": "faint"}
            width = max(width, left + text_width(text.text or "", "note") + 2 * EDGE)
    _resize(root, width, height)


def _items(drawing: Drawing, palette: Palette) -> Iterator[tuple[ET.Element | None, str]]:
    """Yield each key, if it is no text, and what it means."""
    kinds = {node.kind for node in drawing.nodes if not node.verdict}
    for kind, text in KINDS.items():
        if kind in kinds:
            yield _box(kind, palette), text
    for verdict, text in VERDICTS.items():
        if any(node.verdict == verdict for node in drawing.nodes):
            yield None, f"{MARKS[verdict]} {text}"
    if any(edge.backward for edge in drawing.edges):
        yield _arrow("back", palette.gradient, "5,2"), "gradient flowing back"
    times = [node.name.rpartition("×")[2] for node in drawing.nodes if node.kind == "group" and "×" in node.name]
    if times:
        yield None, f"×{times[0]}: {times[0]} that are alike"
    if any(node.order for node in drawing.nodes):
        yield None, "← 3: third of the way back"
    if any(node.rule for node in drawing.nodes):
        yield None, "G: gradient that arrives"
        yield None, "⊙: product of elements"
        yield None, "·: matrix product"


def _box(kind: str, palette: Palette) -> ET.Element:
    """Return a small box in the form of a kind of node."""
    key = ET.Element(f"{SVG}g", {"class": f"key {kind}"})
    tone = palette.kinds[kind]
    look = {"fill": tone.fill, "stroke": tone.line}
    if kind == "input":
        ET.SubElement(key, f"{SVG}ellipse", look | {"cx": "9", "cy": "0", "rx": "8.5", "ry": "5"})
    elif kind in ("constant", "group"):
        cut = "M0.5,-5 H14 L17.5,-2 V5 H0.5 Z" if kind == "constant" else "M3.5,-5 H17.5 V2 L14,5 H0.5 V-2 Z"
        ET.SubElement(key, f"{SVG}path", look | {"d": cut} | ({"stroke-dasharray": "3,1.5"} if kind == "constant" else {}))
    else:
        box = look | {"x": "0.5", "y": "-5", "width": "17", "height": "10"}
        box |= {"stroke-width": "2.2"} if kind == "parameter" else {"rx": "3"}
        ET.SubElement(key, f"{SVG}rect", box)
        if kind == "output":
            ET.SubElement(
                key, f"{SVG}rect", {"x": "2.5", "y": "-3", "width": "13", "height": "6", "rx": "2", "fill": "none", "stroke": tone.line}
            )
    return key


def _arrow(kind: str, colour: str, dashes: str) -> ET.Element:
    key = ET.Element(f"{SVG}g", {"class": f"edge {kind}"})
    ET.SubElement(key, f"{SVG}path", {"d": "M0,0 H13", "fill": "none", "stroke": colour, "stroke-dasharray": dashes})
    ET.SubElement(key, f"{SVG}polygon", {"points": "12,-2.5 18,0 12,2.5", "fill": colour, "stroke": colour})
    return key
