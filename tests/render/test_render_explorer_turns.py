"""What is repeated is one step of the explorer, as it is one box of the drawing, and all its turns where the box is opened."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import chromium
import numpy as np

import autograd_np as ag
import nn
from autograd_np.explorer.explore import data_of


def rnn(Wx: Any, Wh: Any, xs: Any) -> Any:
    h = np.zeros((2, 3))
    for x in xs:
        z = x @ Wx + h @ Wh
        h = np.tanh(z)
    loss = np.mean(h**2)
    return loss


def inputs() -> dict[str, Any]:
    rng = np.random.default_rng(1)
    return {name: rng.normal(size=shape) for name, shape in {"Wx": (2, 3), "Wh": (3, 3), "xs": (20, 2, 2)}.items()}


def titles(browser: chromium.Chromium) -> list[str]:
    """Return what the steps are called, from the first to the last."""
    browser.press("Home")
    found = []
    for _ in range(browser.js("document.querySelector('#slider').max * 1 + 1")):
        found.append(browser.js("document.querySelector('#panel h2').textContent"))
        browser.press("ArrowRight")
    return found


def shown(browser: chromium.Chromium, heading: str) -> np.ndarray[Any, Any]:
    """Return the table below a heading of the explanation."""
    script = f"""(() => {{
      const part = [...document.querySelectorAll('#panel .part')].find((p) => p.querySelector('h3').textContent.startsWith('{heading}'));
      return [...part.querySelectorAll('tr')].map((tr) => [...tr.querySelectorAll('td')].map((td) => td.textContent));
    }})()"""
    return np.array([[float(text.replace("−", "-")) for text in row] for row in browser.js(script)])


@chromium.needed
def test_turns_are_one_step_and_all_of_them_where_their_box_is_open(browser: chromium.Chromium, tmp_path: Path) -> None:
    graph = ag.trace(rnn, *inputs().values())
    data = data_of(graph)
    assert [m["turns"] for m in data["modules"] if m["kind"] == "turns"] == [18]
    browser.open(graph.explore(tmp_path / "rnn.html", parameters=["Wx", "Wh"]))
    once = ["x", "z", "h", "turns 2 … 19 ×18", "x_20", "z_20", "h_20", "loss"]
    assert titles(browser)[1 : len(once) + 1] == once
    browser.press("Home")
    for _ in range(4):
        browser.press("ArrowRight")
    lit = "[...document.querySelectorAll('#code .now code')].map((c) => c.textContent.trim())"
    assert browser.js(lit) == ["for x in xs:", "z = x @ Wx + h @ Wh", "h = np.tanh(z)"]
    assert browser.js("document.querySelectorAll('#panel .equation math').length") == 3
    assert browser.js("document.querySelector('.module.closed.here') !== null")
    assert browser.js("location.hash") == "#step=4"
    browser.click("#open-turns")
    assert browser.js("location.hash") == "#step=4"
    assert browser.js("document.querySelector('#slider').max * 1") == len(data["steps"]) - 1
    assert browser.js("document.querySelector('#panel h2').textContent") == "x_2"
    for _ in range(5):
        browser.press("ArrowRight")
    assert browser.js("document.querySelector('#panel h2').textContent") == "h_3"
    browser.js("document.querySelector('.module.turns').dispatchEvent(new MouseEvent('click', { bubbles: true }))")
    assert browser.js("document.querySelector('#panel h2').textContent") == "turns 2 … 19 ×18"
    assert browser.messages == []


@chromium.needed
def test_what_turns_send_back_is_told_once_with_the_sum_so_far(browser: chromium.Chromium, tmp_path: Path) -> None:
    graph = ag.trace(rnn, *inputs().values())
    path = graph.explore(tmp_path / "rnn.html")
    browser.open(path)
    browser.press("End")
    while "×18" not in browser.js("document.querySelector('#panel h2').textContent"):
        browser.press("ArrowLeft")
    values = inputs()
    own = np.array([values["xs"][0]])  # the first turn alone has its own Wx

    def split(Wx: Any, others: Any) -> Any:
        h = np.tanh(own[0] @ Wx)
        for x in values["xs"][1:]:
            h = np.tanh(x @ others + h @ values["Wh"])
        return np.mean(h**2)

    np.testing.assert_allclose(shown(browser, "Goes to Wx"), ag.grad(split, argnums=1)(values["Wx"], values["Wx"]), rtol=1e-4)
    np.testing.assert_allclose(shown(browser, "Goes to h"), graph.gradients()[graph.find("h")], rtol=1e-4)
    assert browser.js("document.querySelector('#panel .part .dots').textContent") == "19/20"


BACKWARD = """
def backward(Wx, Wh, xs, h, hs):
    dh = 2 * h / h.size
    dWx, dWh = np.zeros_like(Wx), np.zeros_like(Wh)
    for t in reversed(range(len(xs))):
        dz = dh * (1 - hs[t + 1]{power})
        dWx += xs[t].T @ dz
        dWh += hs[t].T @ dz
        dh = dz @ Wh.T
    return dWx, dWh
"""


def kept(Wx: Any, Wh: Any, xs: Any) -> Any:
    h = np.zeros((2, 3))
    hs = [h]
    for x in xs:
        z = x @ Wx + h @ Wh
        h = np.tanh(z)
        hs.append(h)
    loss = np.mean(h**2)
    return loss, h, hs


def checked(power: str) -> Any:
    import linecache

    text = BACKWARD.replace("{power}", power)
    name = f"<backward{power}>"
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    namespace: dict[str, Any] = {"np": np}
    exec(compile(text, name, "exec"), namespace)
    return ag.check_backward(kept, namespace["backward"], inputs(), wrt=["Wx", "Wh"])


@chromium.needed
def test_turns_of_a_checked_pass_are_one_step_and_a_mistake_stays_one(browser: chromium.Chromium, tmp_path: Path) -> None:
    right, wrong = checked("**2"), checked("")
    assert (right.verdict, wrong.verdict) == ("pass", "fail")
    browser.open(right.explore(tmp_path / "right.html"))
    assert sum("×18" in title for title in titles(browser)) == 2  # forward, and on the way back
    browser.open(wrong.explore(tmp_path / "wrong.html"))
    browser.press("Home")
    while browser.js("document.querySelector('#panel .finding') === null"):
        browser.press("ArrowRight")
    assert "dz = dh * (1 - hs[t + 1])" in browser.js("document.querySelector('#panel h2').textContent")
    assert browser.messages == []


def test_of_what_is_repeated_the_first_turn_is_open_where_there_is_room_and_nothing_else_where_there_is_none() -> None:
    drawn = runpy.run_path(str(Path(__file__).parents[2] / "docs" / "drawn.py"))
    data = data_of(drawn["rnn"]())
    titles = {m["path"]: m["title"] for m in data["modules"]}
    parent = {m["path"]: m["parent"] for m in data["modules"]}
    assert [titles[p] for p in data["closed"] if parent[p] == ""] == ["turns 2 … 19 ×18", "turn 20 of 20"]

    class Wrapped(nn.Module):
        def __init__(self, model: Any) -> None:
            self.model = model

        def forward(self, x: Any) -> Any:
            y = self.model(x)
            return np.mean(y**2) if y.ndim else y

    model = drawn["Transformer"](16, np.random.default_rng(0))
    for inside in ("model", "model.model"):
        model = Wrapped(model)
        data = data_of(model.graph(np.ones((6, 16))))
        closed = set(data["closed"])
        assert {inside, f"{inside}.blocks.0"}.isdisjoint(closed)
        assert {f"{inside}.blocks.0.attention", f"{inside}.blocks.11", f"{inside}.head"} <= closed
        heights = [y for _, y in data["folded"]["boxes"].values()]
        assert 0.55 * (max(heights) - min(heights)) < 680  # pixels, where a letter can still be read


def test_what_is_wider_than_it_was_thought_is_closed_until_it_is_read() -> None:
    drawn = runpy.run_path(str(Path(__file__).parents[2] / "docs" / "drawn.py"))

    class Loss(nn.Module):
        def __init__(self) -> None:
            self.model = drawn["ResidualMLP"](np.random.default_rng(0))

        def forward(self, x: Any) -> Any:
            return np.mean(self.model(x) ** 2)

    data = data_of(Loss().graph(np.ones((5, 4))))
    assert {"model.layers.0.a", "model.layers.0.b"} <= set(data["closed"])
    assert {"model", "model.layers.0"}.isdisjoint(data["closed"])
    across = [x for x, _ in data["folded"]["boxes"].values()]
    assert max(across) - min(across) < 940


@chromium.needed
def test_no_box_lies_under_the_buttons_in_the_corner(browser: chromium.Chromium, tmp_path: Path) -> None:
    wide = {"Wx": (2, 3), "Wh": (3, 3), "xs": (20, 4, 2)}
    browser.open(ag.trace(rnn_given_h, np.ones((4, 3)), *(np.ones(shape) for shape in wide.values())).explore(tmp_path / "rnn.html"))
    script = """(() => {
      const buttons = document.querySelector('#fit').parentElement.getBoundingClientRect();
      return [...document.querySelectorAll('.node:not([hidden])')].filter((n) => {
        const b = n.getBoundingClientRect();
        return b.width && b.right > buttons.left && b.bottom > buttons.top;
      }).map((n) => n.getAttribute('aria-label'));
    })()"""
    assert browser.js(script) == []


def rnn_given_h(h: Any, Wx: Any, Wh: Any, xs: Any) -> Any:
    for x in xs:
        z = x @ Wx + h @ Wh
        h = np.tanh(z)
    return np.mean(h**2)


@chromium.needed
def test_what_many_layers_read_is_told_in_a_line(browser: chromium.Chromium, tmp_path: Path) -> None:
    model = nn.Sequential(*(nn.Linear(2, 2) for _ in range(30)))
    browser.open(model.graph(np.ones((3, 2))).explore(tmp_path / "layers.html", seed=np.ones((3, 2))))
    while "turns, each with the same operations" not in (told := browser.js("document.querySelector('#panel').innerText")):
        assert not browser.js("document.querySelector('#slider').value === document.querySelector('#slider').max")
        browser.press("ArrowRight")
    line = next(line for line in told.splitlines() if line.startswith("Read from outside"))
    assert line.endswith(" more.")
    assert line.count(",") == 5
