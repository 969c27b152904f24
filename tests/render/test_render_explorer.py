"""The explorer: what the page says is what the engine computed, nothing in it can be markup, and it works in a browser."""

from __future__ import annotations

import json
import math
import re
import time
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import chromium
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_np as ag
import nn
from autograd_np.explorer import layout as explorer_layout
from autograd_np.explorer import words as explorer_words
from autograd_np.explorer.arrays import number, summary
from autograd_np.explorer.explore import data_of as made
from autograd_np.explorer.page import page as page_of
from autograd_np.op import TABLE, Op
from autograd_np.text import visible

HOSTILE = [
    "</script><img src=x onerror=alert(1)>",
    "<!--<script>",
    "${alert(1)} $title {0} {g}",
    "quo\"te'",
    "a\u2028b\u2029c",
    "\ud800",
    "\u202eright",
    "two\nlines",
    "emoji 🦊",
    "x" * 500,
]


def network(W1: Any, b1: Any, W2: Any, b2: Any, X: Any, Y: Any) -> Any:
    Z1 = np.dot(W1, X) + b1
    A1 = ag.sigmoid(Z1)
    Z2 = np.dot(W2, A1) + b2
    A2 = ag.sigmoid(Z2)
    cost = np.mean(-Y * np.log(A2) - (1 - Y) * np.log(1 - A2))
    return cost


def network_graph() -> ag.Graph:
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=shape) for shape in ((3, 2), (3, 1), (1, 3), (1, 1), (2, 4))]
    return ag.trace(network, *arrays, np.array([[1.0, 0.0, 1.0, 0.0]]))


def model_graph() -> ag.Graph:
    model = nn.Sequential(nn.Linear(2, 4, rng=0), nn.Tanh(), nn.Linear(4, 4, rng=1), nn.Tanh(), nn.Linear(4, 1, rng=2))
    return ag.graph(nn.MSELoss()(model(np.ones((3, 2))), np.zeros((3, 1))))


def named(name: str) -> ag.Graph:
    x = ag.Tensor(np.array([1.0, 2.0]), requires_grad=True, name=name)
    return ag.graph(np.sum(np.exp(x) * x))


class Page(HTMLParser):
    """The elements of a page, and the text of its scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, str] = {}
        self.inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.inside = str(dict(attrs).get("id") or tag)

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        self.texts[self.inside] = self.texts.get(self.inside, "") + data


def data_of(graph: ag.Graph, folder: Path, **options: Any) -> dict[str, Any]:
    return dict(json.loads(Page(graph.explore(folder / "g.html", **options).read_text("utf-8")).texts["data"]))


def numbers(array: dict[str, Any]) -> Any:
    return np.array([[float(text.replace("−", "-")) for text in row] for row in array["rows"]])


# --- what the page says ---------------------------------------------------------------------------


def test_values_and_gradients_are_those_of_the_engine(tmp_path: Path) -> None:
    graph = network_graph()
    data = data_of(graph, tmp_path)
    true = graph.gradients()
    drawn = {n["id"]: n for n in data["nodes"]}
    for node in graph:
        found = drawn[graph.id_of(node)]
        for array, x in ((found["value"], node.out), (found["gradient"], true[node])):
            np.testing.assert_allclose(numbers(array), np.reshape(x, numbers(array).shape), rtol=1e-4, atol=1e-12)


def test_the_steps_are_the_evaluation_and_then_the_reverse_sweep(tmp_path: Path) -> None:
    graph = network_graph()
    steps = data_of(graph, tmp_path)["finer"]
    operations = [graph.id_of(n) for n in graph if n.op is not None]
    assert [s["node"] for s in steps if s["phase"] == "forward"] == operations
    assert [s["node"] for s in steps if s["phase"] == "backward"] == operations[::-1]
    phases = [s["phase"] for s in steps]
    assert phases == ["start", *["forward"] * len(operations), "seed", *["backward"] * len(operations), "end"]
    assert all(s["title"] and s["text"] for s in steps)


def test_contributions_add_up_to_the_gradient() -> None:
    x = ag.Tensor(np.array([1.0, -2.0]), requires_grad=True, name="x")
    graph = ag.graph(np.sum(x * x * x + np.exp(x) * np.array([3.0, 0.5])))
    data = made(graph)
    true = graph.gradients()
    sums: dict[str, Any] = {}
    for step in data["steps"]:
        for part in step.get("parts", ()):
            before, k = sums.get(part["to"], (0, 0))
            sums[part["to"]] = before + numbers(part["array"])[0], k + 1
            assert part["k"] == k + 1
            if "sum" in part:
                np.testing.assert_allclose(numbers(part["sum"])[0], sums[part["to"]][0], rtol=1e-4)
    assert sums["n0"][1] == 4
    for node in graph:
        if node is not graph.outputs[0]:
            np.testing.assert_allclose(sums[graph.id_of(node)][0], true[node], rtol=1e-3)


def test_every_local_derivative_in_words_is_the_one_of_the_row(rng: np.random.Generator) -> None:
    """The local derivative that the page writes is the one the row computes."""
    rows = {op.name: op for op in TABLE.values() if isinstance(op, Op)}
    words = {"σ": lambda x: 1 / (1 + np.exp(-x)), "log": np.log, "exp": np.exp, "sin": np.sin, "cos": np.cos, "sign": np.sign}
    checked = 0
    for name, row in explorer_words._ROWS.items():
        op = rows.get(name)
        if op is None or op.kind != "elementwise":
            continue
        if not row.derivatives:  # left to the row itself
            continue
        assert len(row.derivatives) == len(op.rules), name
        arrays = [domain.sample(rng, (5,)) for domain in op.domains]
        if name == "power":
            arrays[0] = np.abs(arrays[0]) + 0.1
        y = op.fn(*arrays)
        for text, rule in zip(row.derivatives, op.rules, strict=True):
            code = (
                text.format("A", "B", y="Y", x="*")
                .replace("−", "-")
                .replace("²", "**2")
                .replace("^", "**")
                .replace("[", "(")
                .replace("]", ")")
            )
            code = re.sub(r"(\d) ([ABY])", r"\1 * \2", code)
            names = {**words, "A": arrays[0], "B": arrays[-1], "Y": y}
            said = eval(code, {"__builtins__": {}}, names)
            np.testing.assert_allclose(
                np.broadcast_to(said, (5,)), rule if isinstance(rule, int) else rule(y, *arrays), rtol=1e-9, err_msg=name
            )
            checked += 1
    assert checked >= 30


def test_rules_use_the_users_names(tmp_path: Path) -> None:
    data = data_of(network_graph(), tmp_path)
    rules = {p["name"]: p for s in data["finer"] for p in s.get("parts", ())}
    assert data["L"] == "L"  # as in the equations
    assert rules["W1"]["rule"] == "∂L/∂W1 = ∂L/∂(W1 · X) · Xᵀ"
    assert rules["Z1"]["local"] == "∂A1/∂Z1 = A1 ⊙ (1 − A1)"
    assert rules["Z1"]["rule"] == "∂L/∂Z1 = ∂L/∂A1 ⊙ A1 ⊙ (1 − A1)"
    assert rules["b1"]["rule"] == "∂L/∂b1 = Σ ∂L/∂Z1"
    assert "3 × 4" in rules["b1"]["note"]


def test_an_operation_without_a_sentence_is_shown_by_its_row(tmp_path: Path) -> None:
    x = ag.Tensor(np.array([0.3, 0.4]), requires_grad=True, name="x")
    data = data_of(ag.graph(np.sum(np.arcsinh(x))), tmp_path)
    step = next(s for s in data["steps"] if s["phase"] == "backward" and s["node"] == "n1")
    assert step["title"] == "Back through arcsinh(x)"
    assert [r.split(" = ")[0] for r in step["rules"]] == ["∂arcsinh(x)/∂x"]
    np.testing.assert_allclose(numbers(step["parts"][0]["array"])[0], 1 / np.sqrt(1 + np.array([0.3, 0.4]) ** 2), rtol=1e-4)


@pytest.mark.parametrize(
    ("f", "shapes"),
    [
        (lambda a, b: a @ b, ((2, 3), (3, 4))),
        (lambda a, b: a @ b, ((2, 3), (3,))),
        (lambda a, b: a @ b, ((3,), (3, 4))),
        (lambda a, b: a @ b, ((3,), (3,))),
        (lambda a, b: a @ b, ((5, 2, 3), (5, 3, 4))),
        (lambda a, b: np.dot(a, b), ((), (3, 4))),
    ],
)
def test_products_of_matrices_in_words(f: Any, shapes: Any, rng: np.random.Generator, tmp_path: Path) -> None:
    a, b = (rng.normal(size=s) for s in shapes)
    graph = ag.trace(f, a, b)
    g = rng.normal(size=np.shape(graph.outputs[0].out))
    data = data_of(graph, tmp_path, seed=g)
    step = data["nodes"][-1]
    parts = next(s for s in data["steps"] if s["phase"] == "backward")["parts"]
    turned = {"A": np.swapaxes(a, -1, -2) if a.ndim > 1 else a, "B": np.swapaxes(b, -1, -2) if b.ndim > 1 else b}
    true = graph.gradients(g)
    for part, node in zip(parts, graph.nodes, strict=False):
        code = (
            part["rule"]
            .split(" = ")[1]
            .replace(f"∂L/∂{step['bracketed']}", "g")
            .replace("aᵀ", "A")
            .replace("bᵀ", "B")
            .replace("Σ", "sum_of")
        )
        code = code.replace("·", "@") if min(a.ndim, b.ndim) and np.ndim(g) else code.replace("·", "*")
        code = re.sub(r"sum_of (.*)", r"sum_of(\1)", code).replace("⊙", "*")
        names = {"g": g, "a": a, "b": b, **turned, "outer": np.outer, "sum_of": np.sum}
        np.testing.assert_allclose(eval(code, {"__builtins__": {}}, names), true[node], rtol=1e-9, err_msg=part["rule"])


def test_large_arrays_are_statistics_and_first_rows() -> None:
    a = np.arange(1000.0).reshape(50, 20)
    a[0, 0], a[1, 1] = np.nan, np.inf
    found = summary(a, small=True)
    assert (found["whole"], found["of"], found["bad"]) == (False, [50, 20], {"NaN": 1, "inf": 1})
    assert found["stats"] == {"min": "1", "mean": "500.48", "max": "999"}
    assert [len(row) for row in found["rows"]] == [8] * 5
    assert found["rows"][0][0] == "nan"
    small = summary(np.arange(8.0).reshape(2, 2, 2), small=True)
    assert small["labels"] == ["0, 0", "0, 1", "1, 0", "1, 1"]
    for odd in (
        np.zeros((0, 3)),
        np.float64(1.5),
        np.array(True),
        np.array(["a"]),
        np.zeros((2, 0)),
        np.array([1e-30, 1e30]),
        np.float32(2),
    ):
        json.dumps(summary(odd, small=True), allow_nan=False)


def test_results_without_a_way_back_say_so(tmp_path: Path) -> None:
    vector = ag.trace(lambda x: x * 2.0, np.ones(3))
    data = data_of(vector, tmp_path)
    assert "seed" in data["notice"]
    assert {s["phase"] for s in data["steps"]} == {"start", "forward"}
    data = data_of(vector, tmp_path, seed=np.array([1.0, 10.0, 100.0]))
    assert data["notice"] == ""
    assert numbers(data["nodes"][0]["gradient"]).tolist() == [[2.0, 20.0, 200.0]]
    assert "2 results" in data_of(ag.trace(lambda x: (x * 2.0, x + 1.0), np.ones(3)), tmp_path)["notice"]
    with pytest.raises(ag.DifferentiationError, match=r"seed has shape \(2,\), expected .* \(3,\)"):
        vector.explore(tmp_path / "g.html", seed=np.ones(2))


def test_a_cost_with_a_cache_is_stepped_back_from_the_cost(tmp_path: Path) -> None:
    def forward(w: Any, x: Any) -> Any:
        z = w * x
        cost = np.sum(z**2)
        return cost, (z, w)

    graph = ag.trace(forward, np.ones(3), np.ones(3))
    data = data_of(graph, tmp_path, parameters=["w"])
    assert data["notice"] == ""
    assert {s["phase"] for s in data["steps"]} == {"start", "forward", "seed", "backward", "end"}
    told = {node["name"]: node for node in data["nodes"]}
    assert [name for name, node in told.items() if node.get("output")] == ["cost"]
    assert told["w"]["kind"] == "parameter"
    z = next(s for s in data["steps"] if s.get("node") == told["z"]["id"])
    assert "The function returns it, too: a saved value." in z["text"]
    other = data_of(graph, tmp_path, output="z", seed=np.ones(3))
    assert other["result"] == told["z"]["id"]
    assert "gradient" not in next(node for node in other["nodes"] if node["name"] == "cost")


def test_a_wrong_path_and_a_huge_graph_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ag.RenderError, match=r"end in \.html"):
        network_graph().explore(tmp_path / "net.svg")
    monkeypatch.setattr("autograd_np.explorer.explore.LIMIT", 5)
    with pytest.raises(ag.RenderError, match="more than the 5"):
        network_graph().explore(tmp_path / "net.html")


def test_open_shows_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import webbrowser

    shown: list[str] = []
    monkeypatch.setattr(webbrowser, "open", shown.append)
    path = network_graph().explore(tmp_path / "net.html", open=True)
    assert shown == [path.resolve().as_uri()]


def test_exploring_changes_nothing_and_is_the_same_each_time(tmp_path: Path) -> None:
    x = ag.Tensor(np.array([1.0, 2.0]), requires_grad=True)
    y = np.sum(x * x)
    graph = ag.graph(y)
    first = graph.explore(tmp_path / "a.html").read_bytes()
    assert graph.explore(tmp_path / "b.html").read_bytes() == first
    assert x.grad is None
    assert [n.name for n in graph] == [None] * 3
    y.backward()
    assert x.grad.tolist() == [2.0, 4.0]


def test_modules_have_their_nodes_and_a_second_layout(tmp_path: Path) -> None:
    data = data_of(model_graph(), tmp_path)
    paths = {m["path"] for m in data["modules"]}
    assert {"0", "2", "4"} <= paths
    assert {n["module"] for n in data["nodes"] if n["name"].endswith("weight")} == {"0", "2", "4"}
    assert set(data["folded"]["closed"]) <= paths
    inside = {n["id"] for n in data["nodes"] if n["module"] in data["folded"]["closed"]}
    assert set(data["folded"]["boxes"]) == {n["id"] for n in data["nodes"]} - inside | set(data["folded"]["closed"])


# --- layout ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("renderer", ["dot", "embedded", "layers"])
def test_boxes_do_not_overlap_and_operands_stand_above(renderer: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if renderer == "embedded":
        monkeypatch.setenv("PATH", str(tmp_path))
    if renderer == "layers":
        monkeypatch.setattr(explorer_layout, "GRAPHVIZ_LIMIT", 0)
    data = data_of(network_graph(), tmp_path)
    nodes = {n["id"]: n for n in data["nodes"]}
    boxes = list(nodes.values())
    for i, a in enumerate(boxes):
        for b in boxes[:i]:
            assert abs(a["x"] - b["x"]) >= (a["w"] + b["w"]) / 2 or abs(a["y"] - b["y"]) >= (a["h"] + b["h"]) / 2
    assert all(nodes[e["from"]]["y"] < nodes[e["to"]]["y"] for e in data["edges"])
    assert all(("p" in e) == (renderer != "layers") for e in data["edges"])


@pytest.mark.parametrize("shape", ["chain", "fan"])
def test_five_thousand_nodes_are_laid_out_in_seconds(shape: str, tmp_path: Path) -> None:
    x = y = ag.Tensor(1.0, requires_grad=True, name="x")
    if shape == "chain":
        for _ in range(5000):
            y = y + 1.0
    else:
        y = np.sum(np.stack([x * float(i) for i in range(5000)]))
    start = time.perf_counter()
    ag.graph(y).explore(tmp_path / "big.html")
    assert time.perf_counter() - start < 90  # about 1 s; the bound only catches a layout that hangs


# --- nothing in a name or a value can be markup, nothing is loaded --------------------------------


@pytest.mark.parametrize("name", HOSTILE)
def test_any_name_is_data(name: str, tmp_path: Path) -> None:
    text = named(name).explore(tmp_path / "g.html").read_text("utf-8")
    page = Page(text)
    plain = Page(named("x").explore(tmp_path / "h.html").read_text("utf-8"))
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in plain.tags]
    assert page.texts["script"] == plain.texts["script"]
    data = json.loads(page.texts["data"])
    assert data["nodes"][0]["name"] == visible(name)
    assert not re.search(r"[<>&\u2028\u2029]", page.texts["data"])


@settings(max_examples=25)
@given(st.text(min_size=1, max_size=30))
def test_every_name_survives(name: str) -> None:
    text = page_of(made(named(name)))
    assert json.loads(Page(text).texts["data"])["nodes"][0]["name"] == visible(name)
    text.encode()


def test_the_page_loads_nothing_and_its_policy_says_so(tmp_path: Path) -> None:
    import base64
    import hashlib

    text = network_graph().explore(tmp_path / "g.html").read_text("utf-8")
    page = Page(text)
    assert set(re.findall(r"https?://[^\s\"'`)]+", text)) == {"http://www.w3.org/2000/svg", "http://www.w3.org/1998/Math/MathML"}
    assert not [attrs for _, attrs in page.tags for key in attrs if key in ("src", "href") or key.startswith("on")]
    assert not re.search(r"@import|url\((?!#)|innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|fetch\(|XMLHttp|import\(", text)
    policy = next(attrs["content"] for tag, attrs in page.tags if attrs.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for kind in ("style", "script"):
        digest = base64.b64encode(hashlib.sha256(page.texts[kind].encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy


def test_numbers_are_short_and_true() -> None:
    assert [number(x) for x in (-0.0, 1.0, -1.5, 1e-7, 123456789.0, 3, True)] == [
        "0",
        "1",
        "−1.5",
        "1e−7",
        "1.2346e8",
        "3",
        "True",
    ]
    for x in (math.nan, math.inf, -math.inf):
        assert number(x) in ("nan", "inf", "−inf")


# --- in a browser ---------------------------------------------------------------------------------


def step(browser: chromium.Chromium) -> int:
    return int(browser.js("document.body.dataset.step"))


def opened(browser: chromium.Chromium, graph: ag.Graph, folder: Path, **options: Any) -> Path:
    path = graph.explore(folder / "page.html", **options)
    browser.open(path)
    return path


@chromium.needed
def test_stepping_by_keys_buttons_and_slider(browser: chromium.Chromium, tmp_path: Path) -> None:
    path = opened(browser, network_graph(), tmp_path)
    browser.press("o")  # by operation
    last = browser.js("document.querySelectorAll('#slider')[0].max * 1")
    assert step(browser) == 0
    browser.press("ArrowRight")
    browser.press("ArrowRight")
    assert step(browser) == 2
    assert browser.js("document.querySelector('.node.here').dataset.id") == "n7"
    assert browser.js("[...document.querySelectorAll('.node.feeds')].map((n) => n.dataset.id).sort().join()") == "n1,n6"
    assert "Z1 = W1 · X + b1" in browser.js("document.querySelector('#panel').innerText")
    browser.press("ArrowLeft")
    assert step(browser) == 1
    browser.click("#next")
    assert step(browser) == 2
    browser.click("#back")
    assert step(browser) == 1
    browser.press("End")
    assert step(browser) == last
    assert browser.js("document.querySelector('#next').disabled")
    browser.press("Home")
    assert step(browser) == 0
    browser.js("(() => { const s = document.querySelector('#slider'); s.value = 20; s.dispatchEvent(new Event('input')); })()")
    assert step(browser) == 20
    assert browser.js("document.body.dataset.phase") == "backward"
    browser.js("document.querySelector('#slider').focus()")
    browser.press("ArrowRight")
    assert step(browser) == 21  # once, by the slider itself
    assert browser.messages == []
    assert browser.requests == [path.resolve().as_uri()]


@chromium.needed
def test_a_backward_step_shows_the_rule_the_gradients_and_the_running_sum(browser: chromium.Chromium, tmp_path: Path) -> None:
    x = ag.Tensor(3.0, requires_grad=True, name="x")
    opened(browser, ag.graph(x * x * x), tmp_path)
    browser.press("End")
    browser.press("ArrowLeft")
    text = browser.js("document.querySelector('#panel').innerText")
    for part in (
        "Back through x · x",
        "∂(x · x)/∂x = x",
        "∂L/∂x += ∂L/∂(x · x) · x",
        "contribution 3 of 3",
        "Sum so far (2 of 3)",
        "Sum of all 3",
    ):
        assert part in text, part
    assert re.findall(r"^\d+$", text, re.MULTILINE) == ["3", "9", "18", "9", "27"]
    assert browser.js("document.querySelector('.node.here-back').dataset.id") == "n1"
    assert browser.js("document.querySelector('[data-id=n0] .badge').textContent") == "∂ 27"
    browser.press("ArrowLeft")
    assert browser.js("document.querySelector('[data-id=n0] .badge').textContent") == "∂ 1/3"
    assert browser.js("document.querySelector('[data-id=n0]').classList.contains('gets')")


@chromium.needed
def test_every_step_is_announced(browser: chromium.Chromium, tmp_path: Path) -> None:
    opened(browser, network_graph(), tmp_path)
    assert browser.js("document.querySelector('#live').getAttribute('aria-live')") == "polite"
    browser.press("o")
    said = []
    for _ in range(browser.js("document.querySelector('#slider').max * 1")):
        browser.press("ArrowRight")
        said.append(browser.js("document.querySelector('#live').textContent"))
    assert len(set(said)) == len(said)
    assert said[0].startswith("Forward 1 of 15. W1 · X. Multiply the matrices")
    assert any(s.startswith("Backward 3 of 15. ") for s in said)


@chromium.needed
def test_a_click_and_the_keyboard_show_a_node(browser: chromium.Chromium, tmp_path: Path) -> None:
    opened(browser, network_graph(), tmp_path)
    browser.click("[data-id=n0] .body")
    text = browser.js("document.querySelector('#picked').innerText")
    assert "W1" in text
    assert "3 × 2" in text
    assert browser.js("document.querySelectorAll('#picked table')[0].rows.length") == 3
    assert browser.js("document.querySelectorAll('#picked table').length") == 1
    assert "gradient is not known yet" in text
    browser.press("End")
    assert browser.js("document.querySelectorAll('#picked table').length") == 2
    browser.press("Home")
    browser.press("Escape")
    assert browser.js("document.querySelector('#picked')") is None
    browser.js("document.querySelector('.node[tabindex=\"0\"]').focus()")
    first = browser.js("document.activeElement.dataset.id")
    browser.press("ArrowDown")
    second = browser.js("document.activeElement.dataset.id")
    assert (first, second) == ("n0", "n1")
    browser.press("Enter")
    assert "b1" in browser.js("document.querySelector('#picked').innerText")
    assert browser.js("getComputedStyle(document.activeElement.querySelector('.halo')).strokeWidth") == "3px"


@chromium.needed
def test_search(browser: chromium.Chromium, tmp_path: Path) -> None:
    opened(browser, network_graph(), tmp_path)
    browser.press("/")
    assert browser.js("document.activeElement.id") == "search"
    browser.write("sigmoid")
    assert browser.js("document.querySelector('#found').textContent") == "2 matches"
    assert browser.js("[...document.querySelectorAll('.node.match .name')].map((n) => n.textContent).join()") == "A1,A2"
    browser.press("Enter")
    assert "A1" in browser.js("document.querySelector('#picked h2').textContent")
    browser.press("Enter")
    assert "A2" in browser.js("document.querySelector('#picked h2').textContent")
    browser.press("Escape")
    assert browser.js("document.querySelectorAll('.node.match').length") == 0
    assert step(browser) == 0


@chromium.needed
def test_modules_collapse_and_open(browser: chromium.Chromium, tmp_path: Path) -> None:
    opened(browser, model_graph(), tmp_path)
    shown = "[...document.querySelectorAll('.node')].filter((n) => n.getBoundingClientRect().width > 0).length"
    everything = browser.js(shown)
    browser.click("#modules")
    few = browser.js(shown)
    assert few < everything
    assert browser.js("[...document.querySelectorAll('.module.closed')].length") >= 3
    browser.js("document.querySelector('.module[data-path=\"2\"]').focus()")
    browser.press("Enter")
    assert few < browser.js(shown) < everything
    assert browser.js("document.querySelector('.module[data-path=\"2\"]').getAttribute('aria-expanded')") == "true"
    for _ in range(3):
        browser.press("ArrowRight")
    browser.js("document.querySelector('#modules').click()")
    assert browser.js(shown) == everything
    assert browser.messages == []


@chromium.needed
def test_light_and_dark(browser: chromium.Chromium, tmp_path: Path) -> None:
    path = network_graph().explore(tmp_path / "page.html")
    seen = {}
    for scheme in ("light", "dark"):
        browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        browser.open(path)
        seen[scheme] = browser.js("getComputedStyle(document.body).backgroundColor")
    assert seen["light"] != seen["dark"]
    browser.click("#theme")
    assert browser.js("getComputedStyle(document.body).backgroundColor") == seen["light"]
    browser.call("Emulation.setEmulatedMedia", features=[])


@chromium.needed
def test_the_drawing_follows_the_steps_however_fast(browser: chromium.Chromium, tmp_path: Path) -> None:
    opened(browser, network_graph(), tmp_path)
    browser.press("o")
    browser.click("#fit")
    for _ in range(25):
        browser.press("ArrowRight")
    box = "document.querySelector('.node.here-back').getBoundingClientRect()"
    around = "document.querySelector('#canvas').getBoundingClientRect()"
    browser.until(f"{box}.top > {around}.top && {box}.bottom < {around}.bottom")
    everything = "[...document.querySelectorAll('.node')].every((n) => n.getBoundingClientRect().top >= 50)"
    browser.until(everything)  # after Fit nothing has to move


@chromium.needed
def test_zoom_and_pan(browser: chromium.Chromium, tmp_path: Path) -> None:
    opened(browser, network_graph(), tmp_path)
    width = "document.querySelector('[data-id=n0]').getBoundingClientRect().width"
    before = browser.js(width)
    browser.press("+")
    assert browser.js(width) > 1.2 * before
    browser.call("Input.dispatchMouseEvent", type="mouseWheel", x=600, y=300, deltaX=0, deltaY=300)
    browser.until(f"{width} < {1.2 * before}")
    left = browser.js("document.querySelector('[data-id=n0]').getBoundingClientRect().x")
    for kind, x in (("mousePressed", 410), ("mouseMoved", 440), ("mouseMoved", 510), ("mouseReleased", 510)):
        browser.call("Input.dispatchMouseEvent", type=kind, x=x, y=400, button="left", buttons=1, clickCount=1)
    assert browser.js("document.querySelector('[data-id=n0]').getBoundingClientRect().x") == pytest.approx(left + 100, abs=1)
    assert browser.js("document.querySelector('#picked')") is None


@chromium.needed
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_shown_literally(name: str, browser: chromium.Chromium, tmp_path: Path) -> None:
    path = opened(browser, named(name), tmp_path)
    for _ in range(browser.js("document.querySelector('#slider').max * 1")):
        browser.press("ArrowRight")
    browser.js("document.querySelector('.node').dispatchEvent(new MouseEvent('click', { bubbles: true }))")
    assert browser.js("document.querySelector('#picked h2').textContent") == visible(name)
    assert browser.js("document.images.length + document.querySelectorAll('iframe, object, link').length") == 0
    assert browser.js("document.scripts.length") == 2
    assert browser.messages == []
    assert browser.requests == [path.resolve().as_uri()]


@chromium.needed
def test_two_thousand_nodes_open_quickly(browser: chromium.Chromium, tmp_path: Path) -> None:
    y = ag.Tensor(np.ones(3), requires_grad=True, name="x")
    kinds = np.random.default_rng(0).integers(0, 3, 666)  # little is repeated, which would be closed
    for kind in kinds:
        y = y + (np.sin, np.cos, np.tanh)[kind](y) * 0.01
    graph = ag.graph(np.sum(y))
    assert len(graph) == 2000
    path = graph.explore(tmp_path / "big.html")

    def busy() -> float:
        """Return for how many seconds the page's thread had a processor."""
        return next(float(m["value"]) for m in browser.call("Performance.getMetrics")["metrics"] if m["name"] == "TaskDuration")

    browser.call("Performance.enable", timeDomain="threadTicks")
    try:
        seconds, each = [], []
        for _ in range(2):
            browser.call("Page.navigate", url="about:blank")
            before = busy()
            browser.open(path)
            seconds.append(busy() - before)
            before = busy()
            for k in range(1, 21):
                browser.press("ArrowRight")
                browser.js("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)))")  # it has been drawn
                assert step(browser) >= k
            each.append((busy() - before) / 20)
    finally:
        browser.call("Performance.disable")
    assert min(seconds) < 1  # half a second
    assert min(each) < 0.05  # a hundredth
    assert browser.messages == []


@chromium.needed
def test_a_narrow_window_keeps_everything_in_reach(browser: chromium.Chromium, tmp_path: Path) -> None:
    browser.call("Emulation.setDeviceMetricsOverride", width=390, height=780, deviceScaleFactor=1, mobile=False)
    try:
        opened(browser, network_graph(), tmp_path)
        assert browser.js("document.documentElement.scrollWidth") <= 390
        browser.click("#next")
        assert step(browser) == 1
    finally:
        browser.call("Emulation.setDeviceMetricsOverride", width=1280, height=800, deviceScaleFactor=1, mobile=False)


@chromium.needed
def test_other_data_are_shown_in_the_same_place_and_edits_are_told(browser: chromium.Chromium, tmp_path: Path) -> None:
    opened(browser, network_graph(), tmp_path)
    for _ in range(3):
        browser.press("ArrowRight")
    browser.click("[data-id=n0] .body")
    browser.press("+")
    where = "document.querySelector('#world').getAttribute('transform')"
    zoomed, title = browser.js(where), browser.js("document.querySelector('aside h2:last-of-type').textContent")
    rng = np.random.default_rng(1)

    def longer(W1: Any, b1: Any, W2: Any, b2: Any, X: Any, Y: Any) -> Any:
        X = X * 2.0
        return network(W1, b1, W2, b2, X, Y)

    other = made(ag.trace(longer, *[rng.normal(size=n.out.shape) for n in network_graph().leaves]))
    browser.js(f"page.show({json.dumps(other)})")
    assert browser.js(where) == zoomed
    assert browser.js("document.querySelector('aside h2:last-of-type').textContent") == title
    assert "W1" in browser.js("document.querySelector('#picked h2').textContent")
    assert browser.js("document.querySelector('#picked td input')") is None
    browser.js("page.onEdit = (edit) => { window.told = edit; }")
    field = "document.querySelectorAll('#picked td input')[3]"
    browser.js(f"{field}.focus(), {field}.value = '-0.5'")
    browser.press("Enter")
    assert browser.js("window.told") == {"name": "W1", "id": "n0", "at": 3, "value": "-0.5"}
    browser.js(f"page.show({json.dumps(other)}, false)")
    assert step(browser) == 0
    assert browser.js("document.querySelector('#picked')") is None
    assert browser.messages == []
