"""The explorer for everyone: links to steps, search, contrast, screen readers, paper."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import chromium
import numpy as np
import pytest

import autograd_np as ag
import nn

pytestmark = chromium.needed


def forward(W: Any, b: Any, X: Any, Y: Any) -> Any:
    Z = W @ X + b
    A = np.tanh(Z)
    return np.mean((A - Y) ** 2)


def backward(W: Any, b: Any, X: Any, Y: Any, A: Any) -> Any:
    dA = 2 * (A - Y) / A.size
    dZ = dA * (1 - A)
    dW = dZ @ X.T
    db = dZ.sum(axis=1, keepdims=True)
    return dW, db


INPUTS = dict(zip("WbXY", (np.random.default_rng(0).normal(size=s) for s in ((2, 3), (2, 1), (3, 4), (2, 4))), strict=True))


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    return {
        "net": ag.trace(forward, *INPUTS.values()).explore(folder / "net.html", parameters=["W", "b"]),
        "check": ag.check_backward(forward, backward, INPUTS).explore(folder / "check.html"),
    }


def test_an_address_leads_to_a_step(browser: chromium.Chromium, pages: dict[str, Path]) -> None:
    def visit(address: str) -> None:
        browser.call("Page.navigate", url="about:blank")
        browser.call("Page.navigate", url=address)
        browser.until("document.body && document.body.dataset.ready === 'yes'")

    address = pages["net"].resolve().as_uri()
    visit(f"{address}#step=3")
    assert browser.js("document.body.dataset.step") == "3"
    browser.press("ArrowRight")
    assert browser.js("location.hash") == "#step=4"
    browser.js("location.hash = '#step=1'")
    browser.until("document.body.dataset.step === '1'")
    visit(f"{address}#step=999")
    assert browser.js("document.body.dataset.step * 1") == browser.js("document.querySelector('#slider').max * 1")
    visit(f"{address}#step=<img>")
    assert browser.js("document.body.dataset.step") == "0"
    assert browser.messages == []


def test_search_finds_the_name_first_then_its_beginning_then_the_operation(browser: chromium.Chromium, tmp_path: Path) -> None:
    def f(dotted: Any, dot: Any) -> Any:
        product = np.dot(dotted, dot)
        polka_dot = product * 2.0
        return np.sum(polka_dot)

    browser.open(ag.trace(f, np.ones(3), np.ones(3)).explore(tmp_path / "page.html"))
    browser.press("/")
    browser.write("dot")
    found = []
    for _ in range(4):
        browser.press("Enter")
        found.append(browser.js("document.querySelector('#picked h2').textContent"))
    assert found == ["dot", "dotted", "product", "polka_dot"]


def test_playing_has_a_speed(browser: chromium.Chromium, pages: dict[str, Path]) -> None:
    browser.open(pages["net"])
    browser.js("window.setInterval = (call, wait) => { window.waits = [...(window.waits || []), wait]; return 1; }")
    browser.press("p")
    browser.js("(() => { const s = document.querySelector('#speed'); s.value = '4'; s.dispatchEvent(new Event('change')); })()")
    browser.press("p")
    slow, fast = browser.js("window.waits")
    assert slow == 4 * fast


def test_opening_all_modules_keeps_the_active_node_in_sight(browser: chromium.Chromium, tmp_path: Path) -> None:
    model = nn.Sequential(*itertools.chain.from_iterable((nn.Linear(4, 4, rng=i), nn.Tanh()) for i in range(12)))
    browser.open(ag.graph(np.mean(model(np.ones((3, 4))) ** 2)).explore(tmp_path / "page.html"))
    if browser.js("document.querySelector('.module.closed') === null"):
        browser.click("#modules")
    while not browser.js("Boolean(document.querySelector('#open-turns'))"):
        browser.press("ArrowRight")
    browser.click("#modules")
    box, around = (
        "document.querySelector('.node.here').getBoundingClientRect()",
        "document.querySelector('#canvas').getBoundingClientRect()",
    )
    browser.until(
        f"{box}.top > {around}.top && {box}.bottom < {around}.bottom && {box}.left > {around}.left && {box}.right < {around}.right"
    )
    assert browser.js(f"{box}.width") > 40


CONTRAST = """(() => {
  const rgb = (text) => (text.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
  const over = ([r, g, b, a = 1], under) => [r, g, b].map((v, i) => v * a + under[i] * (1 - a));
  const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const light = (c) => c.map((v, i) => linear(v / 255) * [0.2126, 0.7152, 0.0722][i]).reduce((a, b) => a + b);
  const ground = (element) => {
    if (!element || element === document.documentElement) return [255, 255, 255];
    const node = element.closest && element.closest('.node');
    if (node && element !== node) {
      const inBadge = element.parentElement.classList.contains('badge');
      const form = inBadge ? element.parentElement.querySelector('rect') : node.querySelector('.body');
      return over(rgb(getComputedStyle(form).fill), ground(node.ownerSVGElement.parentElement));
    }
    const color = rgb(getComputedStyle(element).backgroundColor);
    return color.length < 4 || color[3] === 1 ? color.slice(0, 3) : over(color, ground(element.parentElement));
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const box = element.getBoundingClientRect();
    const said = walker.currentNode.textContent.trim().slice(0, 20);
    if (!said || !box.width || element.closest('.away, script, style, noscript, option, title, :disabled')) continue;
    const style = getComputedStyle(element);
    const svg = element.namespaceURI.endsWith('svg');
    const under = ground(element);
    const color = over([...rgb(svg ? style.fill : style.color).slice(0, 3), svg ? Number(style.fillOpacity) : 1], under);
    const [a, b] = [light(color), light(under)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) found.push(`${ratio.toFixed(2)} ${element.tagName}.${element.getAttribute('class')} ${said}`);
  }
  return [...new Set(found)];
})()"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("page", ["net", "check"])
def test_every_text_stands_out_from_its_ground(browser: chromium.Chromium, pages: dict[str, Path], page: str, scheme: str) -> None:
    browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    try:
        browser.open(pages[page])
        for _ in range(browser.js("document.querySelector('#slider').max * 1") + 1):
            assert browser.js(CONTRAST) == []
            browser.press("ArrowRight")
    finally:
        browser.call("Emulation.setEmulatedMedia", features=[])


def test_a_screen_reader_hears_roles_names_order_and_verdicts(browser: chromium.Chromium, pages: dict[str, Path]) -> None:
    browser.open(pages["check"])
    tree = browser.call("Accessibility.getFullAXTree")["nodes"]
    told = {(n["role"]["value"], n["name"]["value"]) for n in tree if n.get("name", {}).get("value") and not n.get("ignored")}
    names = [name for _, name in told]
    assert any(name.startswith("W, parameter, shape 2 × 3, its gradient is right") and "1 of 10" in name for name in names)
    assert any(name.startswith("Z, = ") and "its gradient is wrong" in name for name in names)
    assert any(name.startswith("A, = tanh(Z), shape 2 × 4, its gradient is right") for name in names)
    assert browser.js("document.querySelector('#outline').textContent").startswith("A graph of 2 inputs, 2 parameters, 6 operations")
    assert "FAIL: 1 mistake in backward" in browser.js("document.querySelector('#outline').textContent")
    assert any("dZ = dA * (1 - A)" in name and "wrong" in name for role, name in told if role == "button")
    assert not [
        n for n in tree if n["role"]["value"] in ("button", "slider", "searchbox") and not n.get("ignored") and not n["name"]["value"]
    ]


def test_all_is_reached_with_the_tab_key(browser: chromium.Chromium, pages: dict[str, Path]) -> None:
    browser.open(pages["net"])
    seen = []
    for _ in range(40):
        browser.press("Tab")
        seen.append(
            browser.js("(() => { const e = document.activeElement; return e.id || e.dataset.line || e.dataset.id || e.tagName; })()")
        )
    for part in ("search", "theme", "panel", "next", "play", "speed", "finer", "slider", "fit", "n0"):
        assert part in seen, part
    assert any(":" in part for part in seen)  # a line of code


def test_on_paper_stand_the_code_the_drawing_and_the_step(browser: chromium.Chromium, pages: dict[str, Path]) -> None:
    browser.open(pages["net"])
    for _ in range(2):
        browser.press("ArrowRight")
    browser.call("Emulation.setEmulatedMedia", media="print")
    try:
        shown = "(selector) => { const e = document.querySelector(selector); return e !== null && e.getBoundingClientRect().height > 0; }"
        assert [browser.js(f"({shown})('{part}')") for part in ("#code", "#canvas", "#panel")] == [True] * 3
        assert [browser.js(f"({shown})('{part}')") for part in ("footer", ".zoom", "#search")] == [False] * 3
        tops = [browser.js(f"document.querySelector('{part}').getBoundingClientRect().top") for part in ("#code", "#canvas", "#panel")]
        assert tops == sorted(tops)
        assert browser.js("document.querySelector('#panel').scrollHeight - document.querySelector('#panel').clientHeight") == 0
    finally:
        browser.call("Emulation.setEmulatedMedia", media="")


def test_paper_is_light_and_has_the_whole_drawing(browser: chromium.Chromium, pages: dict[str, Path]) -> None:
    browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
    try:
        browser.open(pages["check"])
        browser.press("ArrowRight")
        before = browser.js("document.querySelector('#world').getAttribute('transform')")
        browser.js("dispatchEvent(new Event('beforeprint'))")
        assert browser.js("document.documentElement.dataset.theme") == "light"
        inside = """(() => {
          const room = document.querySelector('#canvas').getBoundingClientRect();
          const boxes = [...document.querySelectorAll('.node .body')].map((e) => e.getBoundingClientRect());
          return boxes.every((b) => b.left >= room.left && b.right <= room.right && b.top >= room.top && b.bottom <= room.bottom);
        })()"""
        assert browser.js(inside)
        browser.js("dispatchEvent(new Event('afterprint'))")
        assert browser.js("document.documentElement.dataset.theme") == "dark"
        assert browser.js("document.querySelector('#world').getAttribute('transform')") == before
    finally:
        browser.call("Emulation.setEmulatedMedia", features=[])
