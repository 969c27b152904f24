"""The explorer with the user's code beside the graph, and with a checked backward pass: line, node and equation belong together."""

from __future__ import annotations

import html
import linecache
import re
import runpy
import time
from pathlib import Path
from typing import Any

import chromium
import numpy as np
import pytest

import autograd_np as ag
import nn
from autograd_np.explorer.explore import data_of


def sigmoid(Z: Any) -> Any:
    return 1 / (1 + np.exp(-Z))


def forward(W1: Any, b1: Any, W2: Any, b2: Any, X: Any, Y: Any) -> Any:
    Z1 = np.dot(W1, X) + b1
    A1 = sigmoid(Z1)
    Z2 = np.dot(W2, A1) + b2
    A2 = sigmoid(Z2)
    cost = np.mean(-Y * np.log(A2) - (1 - Y) * np.log(1 - A2))
    return cost


def backward(W1: Any, b1: Any, W2: Any, b2: Any, X: Any, Y: Any, A1: Any, A2: Any) -> Any:
    m = X.shape[1]
    dZ2 = (A2 - Y) / m
    dW2 = dZ2 @ A1.T
    db2 = np.sum(dZ2, axis=1, keepdims=True)
    dA1 = W2.T @ dZ2
    dZ1 = dA1 * A1 * (1 + A1)
    dW1 = dZ1 @ X.T
    db1 = np.sum(dZ1, axis=1, keepdims=True)
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2}


def inputs() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=shape) for shape in ((3, 2), (3, 1), (1, 3), (1, 1), (2, 4))]
    return dict(zip(("W1", "b1", "W2", "b2", "X", "Y"), [*arrays, np.array([[1.0, 0.0, 1.0, 0.0]])], strict=True))


@pytest.fixture(scope="module")
def report() -> Any:
    return ag.check_backward(forward, backward, inputs())


def text_at(data: dict[str, Any], spot: list[int]) -> str:
    source = data["sources"][spot[0]]
    return "".join(text for _, text in source["lines"][spot[1] - source["first"]]).strip()


# --- what the page is told ------------------------------------------------------------------------


def test_the_sources_are_the_users_functions_as_they_stand_in_the_file() -> None:
    data = data_of(ag.trace(forward, *inputs().values()))
    assert [s["name"] for s in data["sources"]] == ["forward", "sigmoid"]
    for source in data["sources"]:
        for i, pieces in enumerate(source["lines"]):
            assert "".join(text for _, text in pieces).rstrip() == linecache.getline(__file__, source["first"] + i).rstrip()


def test_every_step_has_its_line_and_a_line_is_one_step() -> None:
    data = data_of(ag.trace(forward, *inputs().values()))
    names = {n["id"]: n["name"] for n in data["nodes"]}
    steps = [(names[s["node"]], text_at(data, s["at"])) for s in data["steps"] if s["phase"] == "forward"]
    assert steps == [
        ("Z1", "Z1 = np.dot(W1, X) + b1"),
        ("A1", "return 1 / (1 + np.exp(-Z))"),
        ("Z2", "Z2 = np.dot(W2, A1) + b2"),
        ("A2", "return 1 / (1 + np.exp(-Z))"),
        ("cost", "cost = np.mean(-Y * np.log(A2) - (1 - Y) * np.log(1 - A2))"),
    ]
    assert [text_at(data, c) for s in data["steps"] for c in s.get("callers", ()) if s["phase"] == "forward"] == [
        "A1 = sigmoid(Z1)",
        "A2 = sigmoid(Z2)",
    ]
    titles = [s["title"] for s in data["steps"] if s["phase"] == "forward"]
    assert titles[1] == "A1 = 1 / (1 + exp(−Z1))"
    assert titles[-1] == "cost = mean(−Y ⊙ log(A2) − (1 − Y) ⊙ log(1 − A2))"
    assert len(data["finer"]) == 2 * 21 + 3


def test_what_a_line_sends_back_adds_up_to_the_gradient() -> None:
    def f(x: Any, w: Any) -> Any:
        y = x * w + x * x
        for _ in range(2):
            y = np.tanh(y) + x
        z = y * y - x
        return np.sum(z)

    graph = ag.trace(f, np.array([0.3, -0.2]), np.array([1.5, 0.7]))
    data = data_of(graph)
    names = {n["id"]: n for n in data["nodes"]}
    sums: dict[str, Any] = {}
    for step in data["steps"]:
        for part in step.get("parts", ()):
            row = np.array([float(t.replace("−", "-")) for t in part["array"]["rows"][0]])
            sums[part["to"]] = sums.get(part["to"], 0) + row
    assert {names[i]["name"] for i in sums} >= {"x", "w"}
    for i, total in sums.items():
        true = graph.gradients()[graph.nodes[int(i[1:])]]
        np.testing.assert_allclose(np.broadcast_to(total, np.shape(true)), true, rtol=1e-3)
    uses = [p["n"] for s in data["steps"] for p in s.get("parts", ()) if names[p["to"]]["name"] == "x"]
    assert uses == [4] * 4  # by the first line, twice by the loop's, and by the last but one


def test_a_statement_of_several_lines_is_one_step_and_a_loop_one_step_each_time() -> None:
    def f(x: Any) -> Any:
        for _ in range(3):
            x = np.tanh(
                x
                * 2.0
            )  # fmt: skip
        return np.sum(x * x)

    data = data_of(ag.trace(f, np.ones(2)))
    steps = [s for s in data["steps"] if s["phase"] == "forward"]
    assert [len(s.get("nodes", [1])) for s in steps] == [2, 2, 2, 2]
    assert len({tuple(s["at"]) for s in steps[:3]}) == 1
    assert steps[0]["at"][2] - steps[0]["at"][1] == 3


def test_code_of_the_library_is_not_the_users() -> None:
    model = nn.Sequential(nn.Linear(2, 3, rng=0), nn.Tanh())

    def loss(x: Any) -> Any:
        h = model(x)
        return np.mean(h * h)

    data = data_of(ag.trace(loss, np.ones((4, 2))))
    assert [s["name"] for s in data["sources"]] == ["loss"]
    assert {text_at(data, s["at"]) for s in data["steps"] if "at" in s} == {"h = model(x)", "return np.mean(h * h)"}


def test_a_graph_without_lines_has_no_code() -> None:
    x = ag.Tensor(np.ones(2), requires_grad=True, name="x")
    data = data_of(ag.graph(np.sum(x * x)))
    assert data["sources"] == []
    assert data["finer"] is None
    assert not any("at" in s for s in data["steps"])


def test_equations_are_those_of_the_derivation() -> None:
    data = data_of(ag.trace(forward, *inputs().values()))

    def letters(braced: str) -> str:
        return html.unescape(re.sub(r"\{.*?\}", "", braced))

    told = {p["name"]: letters(p["math"]) for s in data["steps"] for p in s.get("parts", ())}
    assert set(told) == {"W1", "b1", "W2", "b2", "X", "Y", "Z1", "A1", "Z2", "A2"}
    assert "∂L∂𝐀2" in told["Z2"]  # back through A2: from what arrives there, though it cancels
    simpler = {p["name"]: letters(p["simpler"]) for s in data["steps"] for p in s.get("parts", ()) if "simpler" in p}
    assert simpler["Z2"].endswith("=𝐀2−𝐘m")
    assert not {"A1", "W1", "W2"} & set(simpler)
    assert all("math" in s for s in data["steps"] if s["phase"] == "forward")
    assert [(letters(tree), text) for tree, text in data["sizes"]] == [("n1", "W1.shape[0]"), ("n2", "W1.shape[1]"), ("m", "X.shape[1]")]
    of_operations = [s for s in data["finer"] if s["phase"] == "forward" and "math" in s]
    assert of_operations == []  # the derivation speaks of variables, none of which is one operation here


def test_the_equation_of_a_norm_is_of_what_it_normalises() -> None:
    norm = nn.LayerNorm(4)

    def loss(x: Any) -> Any:
        y = norm(x)
        return np.mean(y**2)

    data = data_of(ag.trace(loss, np.random.default_rng(0).normal(size=(2, 4))))
    told = [html.unescape(s["math"].replace("{", "<").replace("}", ">")) for s in data["steps"] if s["phase"] == "forward" and "math" in s]
    words = re.sub("<[^>]*>", "", told[0])
    assert "Var(𝐱" in words
    assert "𝐂" not in "".join(told)
    assert not [n["name"] for n in data["nodes"] if n["kind"] == "constant"]


def test_a_page_says_what_it_leaves_out_of_a_large_graph() -> None:
    def chain(x: Any, steps: int) -> Any:
        y = np.sin(x)
        for i in range(steps):
            y = np.tanh(y) if i % 7 in (0, 3) else np.sin(y) * 0.5
        loss = np.sum(y)
        return loss

    left = {n: data_of(ag.trace(lambda x, n=n: chain(x, n), np.ones(3)))["leftOut"] for n in (5, 300, 900)}
    assert left[5] == ""
    assert "more than 300" in left[300]
    assert "not simplified" in left[300]
    assert "more than 1,200" in left[900]
    assert "ag.derive" in left[900]


def test_a_page_just_below_the_limits_costs_the_processor_little(tmp_path: Path) -> None:
    lines = "".join(f"    a{i} = np.{['sin', 'cos', 'tanh', 'exp'][i * i % 7 % 4]}(a{i - 1} * 0.5)\n" for i in range(1, 595))
    path = tmp_path / "chain.py"
    path.write_text(f"import numpy as np\n\n\ndef f(a0):\n{lines}    loss = np.sum(a594)\n    return loss\n", "utf-8")
    graph = ag.trace(runpy.run_path(str(path))["f"], np.linspace(0.1, 1, 3))
    assert 1_150 < len(graph) <= 1_200
    start = time.process_time()
    data = data_of(graph)
    took = time.process_time() - start
    assert sum("math" in step for step in data["steps"]) > 500
    assert took < 4  # half of that on a machine that does nothing else


def test_a_wrong_line_is_told_with_what_it_should_be(report: Any) -> None:
    data = data_of(report.graph.graph, check=report)
    steps = [s for s in data["steps"] if s["phase"] == "hand"]
    lines = [text_at(data, s["at"]) for s in steps]
    assert lines == [line.strip() for line in linecache.getlines(__file__) if line.strip().startswith(("dZ", "dW", "db", "dA"))][:7]
    assert [s["ok"] for s in steps] == [True, True, True, True, False, True, True]
    (wrong,) = [s for s in steps if s["ok"] is False]
    (finding,) = wrong["findings"]
    assert finding["old"] == ["dZ1 = dA1 * A1 * (1 + A1)"]
    assert finding["new"] == ["dZ1 = dA1 * A1 * (1 - A1)"]
    assert finding["kind"] == "sign"
    assert wrong["values"][0]["expected"] != wrong["values"][0]["array"]
    assert text_at(data, wrong["of"]) == "Z1 = np.dot(W1, X) + b1"
    marks = {text_at(data, [2, int(n)]): m for n, m in data["sources"][2]["marks"].items()}
    assert [line for line, mark in marks.items() if mark == "wrong"] == ["dZ1 = dA1 * A1 * (1 + A1)"]
    assert {n["name"] for n in data["nodes"] if n["kind"] == "parameter"} == {"W1", "b1", "W2", "b2"}


def test_mistakes_that_are_no_value_have_their_line_too() -> None:
    def short(W: Any, X: Any, Y: Any) -> Any:
        E = W @ X - Y
        return np.sum(E * E)

    def raises(W: Any, X: Any, E: Any) -> Any:
        dE = 2 * E
        return {"dW": X @ dE}

    def forgets(W: Any, X: Any, E: Any) -> Any:
        dE = 2 * E
        dW = dE @ X.T  # noqa: F841
        dX = W.T @ dE
        return {"dX": dX}

    given = {"W": np.ones((2, 3)), "X": np.arange(12.0).reshape(3, 4), "Y": np.ones((2, 4))}
    for f, line in ((raises, 'return {"dW": X @ dE}'), (forgets, 'return {"dX": dX}')):
        found = ag.check_backward(short, f, given)
        data = data_of(found.graph.graph, check=found)
        bad = [s for s in data["steps"] if s["phase"] == "hand" and s["ok"] is False]
        assert [text_at(data, s["at"]) for s in bad] == [line]
        assert bad[0]["findings"]


def test_a_loss_that_calls_forward_has_its_lines_its_names_and_its_frame() -> None:
    def loss(W1: Any, b1: Any, W2: Any, b2: Any, X: Any, Y: Any) -> Any:
        return forward(W1, b1, W2, b2, X, Y)

    report = ag.check_backward(forward, backward, inputs(), loss=loss)
    assert report.graph is not None
    data = data_of(report.graph.graph, check=report)  # type: ignore[attr-defined]
    assert [s["name"] for s in data["sources"]][1:3] == ["forward", "sigmoid"]
    assert {"Z1", "A1", "Z2", "A2"} <= {n["name"] for n in data["nodes"]}
    assert ("forward", "call") in [(m["title"], m["kind"]) for m in data["modules"]]


def test_a_page_needs_a_graph(tmp_path: Path) -> None:
    from autograd_np.check.tell.report import BackwardReport

    with pytest.raises(ag.RenderError, match="no graph"):
        BackwardReport("pass").explore(tmp_path / "page.html")


# --- in a browser ---------------------------------------------------------------------------------

LIT = "[...document.querySelectorAll('#code li.now code')].map((c) => c.textContent.trim())"
HERE = "[...document.querySelectorAll('.node.here, .node.here-back, .node.here-bad')].map((n) => n.dataset.id).sort()"


@chromium.needed
def test_line_node_and_equation_light_together_on_all_steps(browser: chromium.Chromium, tmp_path: Path) -> None:
    graph = ag.trace(forward, *inputs().values())
    data = data_of(graph)
    path = graph.explore(tmp_path / "net.html")
    browser.open(path)
    for i, step in enumerate(data["steps"]):
        assert browser.js("document.body.dataset.step * 1") == i
        assert browser.js(HERE) == sorted(step.get("nodes", [step["node"]] if "node" in step else []))
        assert browser.js(LIT) == ([text_at(data, step["at"])] if "at" in step else [])
        equations = [step["math"]] if "math" in step else [p[key] for p in step.get("parts", ()) for key in ("math", "simpler") if key in p]
        assert browser.js("document.querySelectorAll('#panel .equation math').length") == len(equations)
        if step["phase"] in ("forward", "backward"):
            assert equations
        assert browser.js("[...document.querySelectorAll('#panel .equation math')].every((m) => m.getBoundingClientRect().height > 10)")
        browser.press("ArrowRight")
    assert browser.messages == []
    assert browser.requests == [path.resolve().as_uri()]


@chromium.needed
def test_a_wrong_backward_lights_its_lines_in_the_order_of_execution(browser: chromium.Chromium, report: Any, tmp_path: Path) -> None:
    data = data_of(report.graph.graph, check=report)
    path = report.explore(tmp_path / "check.html")
    browser.open(path)
    marks = "[...document.querySelectorAll('#code .mark')].map((m) => m.textContent).filter(Boolean).join('')"
    assert browser.js(marks) == "✓✓✓✓✗✓✓"
    for step in data["steps"]:
        if step["phase"] == "hand":
            assert browser.js(HERE) == step["nodes"]
            assert browser.js(LIT) == [text_at(data, step["at"])]
            assert browser.js("[...document.querySelectorAll('#code li.of code')].map((c) => c.textContent.trim())") == [
                text_at(data, step["of"])
            ]
            assert browser.js("document.querySelectorAll('#panel .equation math').length") == len(step["math"]) > 0
            shown = browser.js("document.querySelector('#panel').innerText")
            if step["ok"]:
                assert "✓ right" in shown
                assert browser.js("document.querySelector('.remark')") is None
            else:
                for part in ("✗ wrong", "expected", "actual", "+ dZ1 = dA1 * A1 * (1 - A1)", "sign"):
                    assert part in shown
                assert "dZ1 = dA1 * A1 * (1 - A1)" in browser.js("document.querySelector('.remark').innerText")
                assert browser.js("document.querySelector('.node.here-bad .badge').textContent") == "∂ ✗"
        if step["phase"] == "end":  # line by line, dW1 is right of a wrong dZ1; what is handed out is wrong
            badges = {n["name"]: browser.js(f"document.querySelector('[data-id={n['id']}] .badge').textContent") for n in data["nodes"]}
            wrong = {name for name, badge in badges.items() if badge == "∂ ✗"}
            assert {"W1", "b1", "Z1"} <= wrong
            assert {"W2", "b2"}.isdisjoint(wrong)
        browser.press("ArrowRight")
    assert browser.messages == []
    assert browser.requests == [path.resolve().as_uri()]


@chromium.needed
def test_a_selected_input_says_what_its_gradient_is_made_of(browser: chromium.Chromium, tmp_path: Path) -> None:
    browser.open(ag.trace(forward, *inputs().values()).explore(tmp_path / "net.html"))
    browser.js("document.querySelector('[data-id=n0]').dispatchEvent(new MouseEvent('click', { bubbles: true }))")
    assert browser.js("document.querySelector('#picked h2').textContent") == "W1"
    assert browser.js("document.querySelector('#picked .equation')") is None  # nothing is known of it yet
    browser.js("[...document.querySelectorAll('#picked button')].find((b) => b.textContent === 'Where its gradient comes from').click()")
    assert "Back through Z1" in browser.js("document.querySelector('#panel h2').textContent")
    browser.js("document.querySelector('[data-id=n0]').dispatchEvent(new MouseEvent('click', { bubbles: true }))")
    assert browser.js("document.querySelector('#picked .equation math').textContent").startswith("∂L∂𝐖1")
    assert browser.messages == []


@chromium.needed
def test_a_line_selects_its_nodes_and_a_node_its_line(browser: chromium.Chromium, tmp_path: Path) -> None:
    graph = ag.trace(forward, *inputs().values())
    browser.open(graph.explore(tmp_path / "net.html"))
    line = next(i for i, text in enumerate(linecache.getlines(__file__), 1) if "Z2 = np.dot" in text)
    picked = "[...document.querySelectorAll('.node.picked')].map((n) => n.querySelector('.name, .formula').textContent)"
    browser.js(f"document.querySelector('[data-line=\"0:{line}\"]').focus()")
    browser.press("Enter")
    assert browser.js(picked) == ["W2 · A1", "Z2"]
    browser.press("ArrowDown")
    browser.press("Enter")  # a call of a helper: what it computed there
    assert browser.js(picked) == ["−Z2", "exp(−Z2)", "1 + exp(−Z2)", "A2"]
    browser.press("Escape")
    browser.js("document.querySelector('[data-id=n7]').dispatchEvent(new MouseEvent('click', { bubbles: true }))")
    assert browser.js("[...document.querySelectorAll('#code li.picked code')].map((c) => c.textContent.trim())") == [
        "Z1 = np.dot(W1, X) + b1"
    ]
    assert browser.js(picked) == ["Z1"]
