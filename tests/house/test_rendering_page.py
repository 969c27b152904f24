"""docs/rendering.md: its pictures have the structure of what docs/make_pictures.py draws; where things lie is Graphviz's matter."""

import importlib.util
import re
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from autograd_np.render import describe
from autograd_np.render.dot import lines_of

DOCS = Path(__file__).parents[2] / "docs"
SVG = "{http://www.w3.org/2000/svg}"


def _module(name):
    spec = importlib.util.spec_from_file_location(f"docs_{name}", DOCS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


GALLERY = _module("drawn").GALLERY


@pytest.mark.parametrize("name", GALLERY)
def test_a_picture_of_the_gallery_is_up_to_date(name):
    drawing = describe(GALLERY[name]())
    root = ET.parse(DOCS / "images" / f"{name}.svg").getroot()
    groups = list(root.iter(f"{SVG}g"))
    drawn = {
        group.get("id"): ["".join(text.itertext()) for text in group.findall(f"{SVG}text")]
        for group in groups
        if (group.get("class") or "").startswith("node")
    }
    plain = {id_: [line.replace("\u00a0", " ") for line in lines] for id_, lines in drawn.items()}
    assert plain == {node.id: [line.text for line in lines_of(node)] for node in drawing.nodes}
    assert sum(group.get("class") == "edge" for group in groups if group.get("id") != "legend") == len(drawing.edges)
    frames = [group.findtext(f"{SVG}text") for group in groups if group.get("class") == "cluster"]
    assert sorted(frames) == sorted(cluster.title for cluster in drawing.clusters)


def test_every_picture_of_the_pages_is_there_and_none_that_no_page_shows():
    pages = "".join(path.read_text("utf-8") for path in [*DOCS.glob("*.md"), DOCS.parent / "README.md"])
    shown = set(re.findall(r"images/([\w-]+\.(?:svg|png))", pages))
    assert shown == {path.name for path in (DOCS / "images").iterdir()}
