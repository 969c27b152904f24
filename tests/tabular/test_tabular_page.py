"""The report: one file that asks for nothing, shows other people's text literally, and draws what was reached."""

from __future__ import annotations

import base64
import hashlib
import html.parser
import io
import re
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

import nn
from autograd_np.tabular import charts, page, reading, tasks, training
from autograd_np.tabular.settings import Settings

sys.path.insert(0, str(Path(__file__).parents[1] / "render"))
import chromium

HOSTILE = "<img src=x onerror=alert(1)>\"'&</style><script>\x1b\u202e"


def trained(folder: Path, kind: str, name: str = "t") -> str:
    """Train for three epochs and return the report."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(90, 2))
    words = {
        "binary": lambda a, b: f"{name}no" if a > b else "yes",
        "multiclass": lambda a, b: f"{name}c{int(3 * a) % 3}",
        "regression": lambda a, b: a - b,
    }[kind]
    quoted = name.replace('"', '""')
    rows = "\n".join(f'{a},{b},"{str(words(a, b)).replace(chr(34), chr(34) * 2)}"' for a, b in x.tolist())
    (folder / "a.csv").write_text(f'a,"f{quoted}","{quoted}"\n{rows}\n', "utf-8")
    table = reading.read_table([folder / "a.csv"], name, folder=folder)
    prepared = training.prepare(table, tasks.choose(table), Settings(hidden=(3,), epochs=3))
    result = training.train(prepared, folder, Console(file=io.StringIO()))
    return page.report(prepared, result, page.draw_graph(prepared, folder / "g.svg"), ["autograd-np", "train", name], "1.2")


class Elements(html.parser.HTMLParser):
    """Collects tags, attributes and texts of styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.policy = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if ("http-equiv", "Content-Security-Policy") in attrs:
            self.policy = str(dict(attrs)["content"])


@pytest.mark.parametrize("kind", ["binary", "multiclass", "regression"])
def test_it_asks_for_nothing_and_runs_nothing(tmp_path: Path, kind: str) -> None:
    text = trained(tmp_path, kind, HOSTILE)
    found = Elements(text)
    assert not {"script", "img", "link", "iframe", "object", "embed", "form", "base", "foreignObject"} & set(found.tags)
    assert not [name for name, _ in found.attributes if name.startswith("on") or name in ("style", "src", "href", "xlink:href")]
    assert not [c for c in text if not c.isprintable() and c not in "\n\t"]
    assert found.policy.startswith("default-src 'none'; style-src 'sha256-")
    style = text.split("<style>")[1].split("</style>")[0]
    assert base64.b64encode(hashlib.sha256(style.encode()).digest()).decode() in found.policy
    assert "&lt;img src=x onerror=alert(1)&gt;" in text
    assert r"\x1b\u202e" in text


def test_what_it_shows(tmp_path: Path) -> None:
    text = trained(tmp_path, "multiclass")
    for heading in (
        "What was trained",
        "Curves",
        "Confusion on the 18 test samples",
        "Each class",
        "Parameters",
        "How the loss is computed",
    ):
        assert f"<h2>{heading}</h2>" in text
    counts = [int(n) for n in re.findall(r'<td class="[rw]\d">(\d+)</td>', text)]
    assert (len(counts), sum(counts)) == (9, 18)
    assert "2.bias" in text
    assert "autograd-np train t" in text
    assert "autograd-np 1.2, NumPy" in text
    assert "seed 0" in text
    text = trained(tmp_path, "regression")
    assert text.count('class="point"') == 18
    assert "error on 18 test samples" in text


def test_curves_are_svg_with_a_point_an_epoch_and_gaps_where_nothing_is_known() -> None:
    root = ET.fromstring(charts.curves("loss", {"training": [3.0, 2.0, float("nan"), 1.0], "validation": [None, 4.0, 3.0, float("inf")]}))
    lines = [e.get("points", "").split() for e in root.iter("polyline")]
    assert [len(line) for line in lines] == [3, 2]
    ys = [float(place.split(",")[1]) for place in lines[0]]
    assert ys == sorted(ys)  # a smaller loss is further down
    assert charts.curves("loss", {"training": [float("nan")]}) == ""
    for values in ([1.0], [0.0, 0.0], [1e300, -1e300], [1e-300, 2e-300], [5e8, 5e8 + 1]):
        root = ET.fromstring(charts.curves("<loss>", {"training": list(values)}))
        numbers = [float(n) for e in root.iter("polyline") for n in re.findall(r"[-\d.]+", e.get("points", ""))]
        assert all(0 <= n <= charts.WIDTH for n in numbers)
        assert 2 <= len([e for e in root.iter("text") if e.get("class") == "end"]) <= 12


def test_of_too_many_classes_the_most_frequent_mistakes_are_listed(rng: np.random.Generator) -> None:
    from autograd_np.tabular.figures import ClassFigures

    counts = np.diag(np.full(40, 5))
    counts[7, 9], counts[3, 2] = 8, 2
    text = page._confusion([f"c{i}" for i in range(40)], ClassFigures(counts))
    cells = re.findall(r"<t[hd][^>]*>(c\d+|\d+)</t[hd]>", text)
    assert cells == ["c7", "c9", "8", "c3", "c2", "2"]


@chromium.needed
def test_it_opens_in_a_browser(tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    with chromium.Chromium(1100, 900) as browser:
        for kind in ("binary", "regression"):
            file.write_text(trained(tmp_path, kind, HOSTILE), "utf-8")
            browser.messages.clear()
            browser.requests.clear()
            browser.call("Page.navigate", url=file.resolve().as_uri())
            browser.until("document.readyState === 'complete' && document.querySelector('h1')")
            assert browser.messages == []  # nothing was refused by the policy, so all style sheets count
            assert browser.requests == [file.resolve().as_uri()]
            assert browser.js("document.scripts.length + document.images.length") == 0
            assert "<img src=x onerror=alert(1)>" in browser.js("document.querySelector('h1').textContent")
            assert browser.js("getComputedStyle(document.querySelector('.line')).strokeWidth") == "2px"
            assert browser.js("document.querySelector('.graph svg').getBoundingClientRect().height > 100")
            assert browser.js("document.documentElement.scrollWidth <= 1100")


def test_a_training_without_validation_or_test_part_is_told_too(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a,t\n" + "".join(f"{i},{i % 2}\n" for i in range(20)))
    table = reading.read_table([tmp_path / "a.csv"], "t", folder=tmp_path)
    prepared = training.prepare(table, tasks.choose(table), Settings(hidden=(), epochs=2, validation=0, test=0))
    result = training.train(prepared, tmp_path, Console(file=io.StringIO()))
    assert list(result.figures) == ["train"]
    assert "Confusion on the 20 train samples" in page.report(prepared, result, page.draw_graph(prepared, tmp_path / "g.svg"), ["x"], "1.2")
    assert isinstance(prepared.model.network[0], nn.Linear)
