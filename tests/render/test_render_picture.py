"""What a picture looks like where it is seen: texts inside their boxes, a legend, the direction, the page's colours, PNG and PDF."""

from __future__ import annotations

import re
import shutil
import struct
import xml.etree.ElementTree as ET
import zlib
from pathlib import Path
from typing import Any

import chromium
import numpy as np
import pytest

import autograd_np as ag
import nn
from autograd_np.render import engine, raster

SVG = "{http://www.w3.org/2000/svg}"
EVERYTHING = {"values": True, "gradients": True, "rules": True, "order": True, "backward": True, "memory": True}


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Hide Graphviz."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def network(**options: Any) -> ag.Graph:
    def forward(W1: Any, b1: Any, W2: Any, X: Any) -> Any:
        A1 = np.tanh(W1 @ X + b1)
        return W2 @ A1

    return ag.trace(forward, *(np.linspace(-1, 1, np.prod(shape)).reshape(shape) for shape in [(3, 2), (3, 1), (1, 3), (2, 4)]))


def wide() -> ag.Graph:
    def forward(the_first_weight_matrix_of_the_net: Any, MMMMWWWW_WMWMWM: Any) -> Any:
        ŷ_prédiction_λ = the_first_weight_matrix_of_the_net * MMMMWWWW_WMWMWM
        return np.sum(np.exp(np.tanh(np.sin(np.cos(np.exp(ŷ_prédiction_λ) / 7.123456) + 1))))

    return ag.trace(forward, np.full((2, 3), 0.123456), np.full((2, 3), -1e-7))


def blocks() -> ag.Graph:
    layers = (nn.Sequential({"a_layer_with_a_long_name": nn.Linear(3, 3, rng=i)}) for i in range(4))
    return nn.Sequential(*layers, nn.Linear(3, 1, rng=0)).graph(np.ones((2, 3)))


OVERFLOW = """(() => {
  const found = [];
  const page = document.documentElement.getBoundingClientRect();
  for (const text of document.querySelectorAll("text")) {
    const t = text.getBoundingClientRect();
    if (t.left < page.left || t.right > page.right || t.bottom > page.bottom) found.push(["page", text.textContent]);
  }
  for (const group of document.querySelectorAll("g.node")) {
    const shape = [...group.children].find((e) => ["polygon", "path", "ellipse"].includes(e.tagName));
    const box = shape.getBBox();
    for (const text of group.querySelectorAll("text")) {
      const t = text.getBBox();
      let half = box.width / 2;
      if (shape.tagName === "ellipse") {
        const y = Math.max(Math.abs(t.y + 3 - box.y - box.height / 2), Math.abs(t.y + t.height - 3 - box.y - box.height / 2));
        half = half * Math.sqrt(Math.max(0, 1 - (2 * y / box.height) ** 2));
      }
      if (t.width / 2 > half || t.y + t.height > box.y + box.height + 2) found.push([t.width / 2 - half, text.textContent]);
    }
  }
  return found;
})()"""


@chromium.needed
@pytest.mark.parametrize("direction", ["LR", "TB"])
@pytest.mark.parametrize(
    ("graph", "options"),
    [(network, EVERYTHING), (wide, EVERYTHING), (wide, {"fold": True}), (blocks, {}), (blocks, {"depth": 0})],
    ids=["everything", "wide", "fold", "frames", "groups"],
)
def test_texts_are_inside_their_boxes_and_the_picture(
    graph: Any, options: dict[str, Any], direction: str, browser: chromium.Chromium, bare: Path
) -> None:
    file = graph().render(bare / "g.svg", direction=direction, theme="light", **options)
    browser.call("Page.navigate", url=file.resolve().as_uri())
    browser.until("document.readyState === 'complete' && document.querySelector('g.node')")
    assert browser.js(OVERFLOW) == []


# --- the legend


def legend_of(graph: ag.Graph, folder: Path, **options: Any) -> list[str]:
    picture = ET.parse(graph.render(folder / "g.svg", **options))
    (legend,) = picture.findall(f"{SVG}g[@class='legend']")
    return [text.text or "" for text in legend.iter(f"{SVG}text")]


def test_the_legend_tells_what_occurs_and_nothing_else(tmp_path: Path) -> None:
    c = np.ones(3)
    assert legend_of(ag.trace(lambda x: x * c, np.ones(3)), tmp_path) == ["input", "constant", "result"]
    told = legend_of(network(), tmp_path, parameters=["W1"], **EVERYTHING)
    assert told[:5] == ["input", "parameter", "operation", "result", "gradient flowing back"]
    assert "G: gradient that arrives" in told
    assert legend_of(blocks(), tmp_path)[-1] == "×2: 2 that are alike"
    graph = network()
    assert "✗ wrong" in legend_of(graph, tmp_path, verdicts={graph.nodes[-1]: ("wrong", "why")})
    assert 'class="legend"' not in network().render(tmp_path / "n.svg", legend=False).read_text("utf-8")


def test_the_picture_grows_by_its_legend(tmp_path: Path) -> None:
    sizes = [ET.parse(network().render(tmp_path / "g.svg", legend=legend)).getroot().get("viewBox") for legend in (True, False)]
    (_, _, w, h), (_, _, w0, h0) = ([float(x) for x in size.split()] for size in sizes if size)
    assert w >= w0
    assert h > h0 + 10


# --- the direction


def test_what_is_deep_goes_from_left_to_right_and_what_is_broad_from_top_to_bottom() -> None:
    def deep(x: Any) -> Any:
        for _ in range(12):
            x = np.sin(x)
        return x

    def broad(x: Any) -> Any:
        return np.stack([np.sin(x) for _ in range(12)])

    assert "rankdir=LR" in network().to_dot().source
    assert "rankdir=LR" in ag.trace(deep, np.ones(3)).to_dot().source
    assert "rankdir=TB" in ag.trace(broad, np.ones(3)).to_dot(repeats=False).source
    assert "rankdir=TB" in network().to_dot(direction="TB").source


# --- the page


PAPER = "getComputedStyle(document.querySelector('svg .background')).fill"
LIGHT, DARK = "rgb(255, 255, 255)", "rgb(21, 24, 28)"


@chromium.needed
@pytest.mark.parametrize("system", ["light", "dark"])
def test_a_picture_is_light_or_dark_as_its_page_and_by_itself_as_its_reader(
    system: str, browser: chromium.Chromium, tmp_path: Path
) -> None:
    picture = network().render(tmp_path / "g.svg").read_text("utf-8")
    pages = {
        "svg": (picture, LIGHT if system == "light" else DARK),
        "plain.html": (picture, LIGHT),
        "dark.html": (f"<style>:root {{ color-scheme: dark }}</style>{picture}", DARK),
        "both.html": (f"<style>:root {{ color-scheme: light dark }}</style>{picture}", LIGHT if system == "light" else DARK),
        "jupyter.html": (f'<body data-jp-theme-light="false">{picture}', DARK),
        "notebook.html": (f'<body data-jp-theme-light="true">{picture}', LIGHT),
    }
    browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": system}])
    try:
        for name, (text, paper) in pages.items():
            file = tmp_path / f"page.{name}"
            file.write_text(text if name == "svg" else f"<!doctype html><meta charset=utf-8>{text}", encoding="utf-8")
            browser.call("Page.navigate", url=file.resolve().as_uri())
            browser.until(f"location.href.endsWith({name!r}) && document.readyState === 'complete' && document.querySelector('svg')")
            assert browser.js(PAPER) == paper, name
    finally:
        browser.call("Emulation.setEmulatedMedia", features=[])


# --- PNG and PDF


def pixels(png: bytes) -> np.ndarray:
    """Read a PNG of 8 bits, without interlace."""
    width, height, depth, colour = struct.unpack(">IIBB", png[16:26])
    channels = {2: 3, 6: 4}[colour]
    assert depth == 8
    data, at = b"", 8
    while at < len(png):
        (size,) = struct.unpack(">I", png[at : at + 4])
        if png[at + 4 : at + 8] == b"IDAT":
            data += png[at + 8 : at + 8 + size]
        at += size + 12
    raw = np.frombuffer(zlib.decompress(data), np.uint8).reshape(height, 1 + width * channels)
    rows = np.zeros((height, width * channels), np.uint8)
    for i, row in enumerate(raw):
        above = rows[i - 1].astype(int) if i else np.zeros(width * channels, int)
        line = row[1:].astype(int)
        if row[0] == 2:
            line = line + above
        elif row[0]:
            for k in range(width * channels):
                left, corner = (line[k - channels], above[k - channels]) if k >= channels else (0, 0)
                paeth = min(
                    (abs(above[k] - corner), 0, left), (abs(left - corner), 1, above[k]), (abs(left + above[k] - 2 * corner), 2, corner)
                )
                line[k] = (line[k] + [left, 0, (left + above[k]) // 2, paeth[2]][row[0] - 1]) % 256
        rows[i] = line % 256
    return rows.reshape(height, width, channels)[..., :3]


def test_a_png_without_graphviz_has_the_colours_and_the_texts_of_the_svg(bare: Path) -> None:
    graph = ag.trace(lambda x: np.sin(x), np.ones(2))
    seen = {}
    for theme in ("auto", "dark"):
        seen[theme] = pixels(graph.render(bare / f"{theme}.png", theme=theme).read_bytes())
    assert seen["auto"][0, 0].tolist() == [255, 255, 255]
    assert seen["dark"][0, 0].tolist() == [21, 24, 28]
    fill = np.array([0xD9, 0xEE, 0xFB])
    inside = np.argwhere((seen["auto"] == fill).all(axis=-1))
    (top, left), (bottom, right) = inside.min(axis=0), inside.max(axis=0)
    ellipse = seen["auto"][top:bottom, left:right]
    assert (ellipse.sum(axis=-1) < 200).sum() > 20  # the ink of its name


def test_a_png_without_fonts_is_refused(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import resvg_py

    draw = resvg_py.svg_to_bytes
    monkeypatch.setattr(resvg_py, "svg_to_bytes", lambda **options: draw(**options, skip_system_fonts=True))
    raster._has_fonts.cache_clear()
    try:
        with pytest.raises(ag.RenderError, match=r"needs a font.*or write \.svg"):
            network().render(bare / "g.png")
    finally:
        raster._has_fonts.cache_clear()


def test_a_huge_png_has_fewer_pixels(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(raster, "MOST", 10_000)
    width, height = struct.unpack(">II", network().render(tmp_path / "g.png").read_bytes()[16:24])
    assert 5_000 < width * height <= 11_000


def test_a_pdf_without_graphviz(bare: Path) -> None:
    pytest.importorskip("typst")
    written = network().render(bare / "g.pdf").read_bytes()
    assert written.startswith(b"%PDF")
    assert len(re.findall(rb"/Type ?/Page\b", written)) == 1
    assert b"/FontFile" in written  # text, in a font that travels with it
    assert b"/Subtype/Image" not in written


def test_a_pdf_with_neither_typst_nor_graphviz_says_what_to_install(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raster, "has_typst", lambda: False)
    with pytest.raises(ag.RenderError, match=r"autograd-np\[pdf\].*dot on PATH.*\.svg or \.png"):
        network().render(bare / "g.pdf")
    assert not (bare / "g.pdf").exists()


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
def test_a_pdf_by_graphviz_where_typst_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raster, "has_typst", lambda: False)
    assert network().render(tmp_path / "g.pdf").read_bytes().startswith(b"%PDF")
    assert engine.draw_pdf("digraph { a }").startswith(b"%PDF")
