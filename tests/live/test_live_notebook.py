"""The page in a cell of a notebook: static as it is saved, live while there is a kernel."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

import chromium
import numpy as np
import pytest

import autograd_np as ag
from autograd_np.live import needs
from autograd_np.live.page import asset
from autograd_np.live.session import program_of

CELL = """
import numpy as np
import autograd_np as ag

def loss(W, x):
    z = W @ x
    cost = np.sum(z * z)
    return cost

page = ag.trace(loss, np.array([[1.0, 2.0]]), np.array([3.0, 4.0])).explore(live=True)
page
"""
EDIT = """
page.wish({"edit": ["W", 1, "0.5"]})
next(n for n in page.session.data["nodes"] if n["key"] == "cost")["value"]["rows"], page.session.problem
"""


def loss(W: Any, x: Any) -> Any:
    z = W @ x
    cost = np.sum(z * z)
    return cost


def page_in(frame: str) -> str:
    return html.unescape(re.search(r'srcdoc="([^"]*)"', frame)[1])


def test_a_notebook_shows_the_page_and_has_no_need_of_a_kernel_afterwards() -> None:
    pytest.importorskip("anywidget")
    pytest.importorskip("ipykernel")
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in (CELL, EDIT)])
    nbclient.NotebookClient(book, timeout=120, kernel_name="python3").execute()
    shown, carrier = (output["data"] for output in book.cells[0].outputs)
    page = page_in(shown["text/html"])
    assert page.startswith("<!doctype html>")
    assert "default-src 'none'" in page
    assert "connect-src" not in page
    assert list(carrier) == ["application/vnd.jupyter.widget-view+json"]
    assert book.cells[1].outputs[0]["data"]["text/plain"] == "([['25']], None)"
    try:
        from nbconvert import HTMLExporter
    except ImportError:
        return
    written, _ = HTMLExporter().from_notebook_node(book)
    assert "srcdoc=" in written
    assert "How cost is computed" in written
    assert "Carrier" not in re.sub(r"<script.*?</script>", "", written, flags=re.S)


@chromium.needed
@pytest.mark.parametrize(("paper", "theme", "system"), [("#fff", "light", "dark"), ("#111", "dark", "light")])
def test_a_saved_page_is_light_or_dark_as_what_it_stands_on_without_a_kernel(tmp_path: Path, paper: str, theme: str, system: str) -> None:
    pytest.importorskip("anywidget")
    from autograd_np.live.widget import Explorer

    explorer = Explorer(program_of(ag.trace(loss, np.array([[1.0, 2.0]]), np.array([3.0, 4.0]))))
    file = tmp_path / "saved.html"
    file.write_text(
        f"<!doctype html><meta charset=utf-8><body style='background: {paper}'><div>{explorer.frame_html()}</div></body>", "utf-8"
    )
    with chromium.Chromium() as browser:
        browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": system}])
        browser.call("Page.navigate", url=file.as_uri())
        browser.until_in_frame(f"document.documentElement?.dataset.theme === '{theme}' && document.body?.dataset.ready === 'yes'")
        assert browser.messages == []


@chromium.needed
def test_the_carrier_joins_the_page_in_its_frame_to_python(tmp_path: Path) -> None:
    """A notebook's part is played by a page with the cell's output, and a model that keeps what it is to send."""
    pytest.importorskip("anywidget")
    from autograd_np.live.widget import Explorer

    said: list[dict[str, Any]] = []
    explorer = Explorer(program_of(ag.trace(loss, np.array([[1.0, 2.0]]), np.array([3.0, 4.0]))))
    explorer._carrier.send = said.append
    model = """
    window.sent = [];
    const model = { get: () => FRAME, on: (_, call) => { window.python = call; }, off() {}, send: (message) => window.sent.push(message) };
    carrier.render({ model });
    """.replace("FRAME", json.dumps(explorer.frame))
    script = asset("carrier.js").replace("export default", "const carrier =") + model
    file = tmp_path / "notebook.html"
    file.write_text(
        f"<!doctype html><meta charset=utf-8><body style='background: #fff'>{explorer.frame_html()}<script>{script}</script><body>", "utf-8"
    )
    with chromium.Chromium() as browser:

        def answered() -> list[Any]:
            """Hand Python what the page sent, and the page what Python said; return what was sent."""
            sent = browser.js("window.sent.splice(0)")
            for message in sent:
                explorer.wish(message)
            for message in said:
                browser.js(f"window.python({json.dumps(message)})")
            said.clear()
            return list(sent)

        def in_page(expression: str) -> Any:
            return browser.js_in_frame(expression)

        browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
        browser.call("Page.navigate", url=file.as_uri())
        browser.until("window.sent?.length >= 1")
        browser.until_in_frame("document.body?.dataset.ready === 'yes'")
        assert in_page("document.querySelector('#live-status').hidden") is True
        answered()
        browser.until_in_frame("document.body.dataset.live === 'live'")
        browser.until_in_frame("document.documentElement.dataset.theme === 'light'")  # as the notebook, under a dark system
        in_page("document.querySelector('[data-id=n0] .body').dispatchEvent(new MouseEvent('click', { bubbles: true }))")
        in_page("(() => { const f = document.querySelector('#picked [data-edit]'); f.focus(); f.value = '0.5'; f.blur(); })()")
        browser.until("window.sent.some((m) => m.edit)")
        assert {"edit": ["W", 0, "0.5"]} in answered()
        browser.until_in_frame("page.data.nodes.find((n) => n.key === 'cost').value.rows[0][0] === '90.25'")
        assert in_page("document.querySelector('#reset').textContent") == "Reset 1 number"
        assert browser.messages == []


def test_outside_a_notebook_it_is_no_widget_and_what_is_missing_is_told() -> None:
    with pytest.raises(
        ModuleNotFoundError, match=r"a live page needs no_such_package, which is not installed: pip install 'autograd-np\[live\]'"
    ):
        needs("no_such_package")
    graph = ag.trace(loss, np.ones((1, 2)), np.ones(2))
    with pytest.raises(ag.RenderError, match="served, not written"):
        graph.explore("net.html", live=True)
    with pytest.raises(ag.RenderError, match="give it a path"):
        graph.explore()
