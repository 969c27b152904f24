"""SVG -> PNG and PDF, with the look that the SVG has, on machines without Graphviz."""

from __future__ import annotations

import functools
import math
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

from autograd_np import errors
from autograd_np.render.palette import FONT

__all__ = ["has_typst", "pdf", "png"]

DPI = 192
MOST = 60e6
"""Pixels of a PNG; a larger picture gets fewer to the inch."""


def png(picture: str) -> bytes:
    """Return an SVG as PNG.

    Raises
    ------
    RenderError
        If the machine has no font that the texts could be written in.
    """
    import resvg_py

    if not _has_fonts():
        raise errors.RenderError(
            "a PNG needs a font, and this machine has none that text could be written in; install one, such as DejaVu Sans, or write .svg"
        )
    width, height = (float(x) * DPI / 72 for x in (ET.fromstring(picture).get("viewBox") or "").split()[2:])  # noqa: S314 (drawn just now)
    return bytes(resvg_py.svg_to_bytes(svg_string=picture, dpi=DPI, zoom=min(1.0, math.sqrt(MOST / (width * height)))))


@functools.cache
def _has_fonts() -> bool:
    """Whether text leaves anything in a picture: where fonts are missing, it is left out."""
    import resvg_py

    blank, text = (
        resvg_py.svg_to_bytes(
            svg_string=f'<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20"><text y="15" font-family="{FONT}">{t}</text></svg>'
        )
        for t in (" ", "x")
    )
    return bool(blank != text)


def has_typst() -> bool:
    """Whether the package that writes PDF is installed."""
    import importlib.util

    return importlib.util.find_spec("typst") is not None


def pdf(picture: str) -> bytes:
    """Return an SVG as PDF of one page, with text as text and lines as lines."""
    import typst

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "picture.svg").write_text(picture, encoding="utf-8")
        page = Path(folder) / "page.typ"
        page.write_text('#set page(width: auto, height: auto, margin: 0pt)\n#image("picture.svg")', encoding="utf-8")
        return bytes(typst.compile(str(page), root=folder, format="pdf"))
