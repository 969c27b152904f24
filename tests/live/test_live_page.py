"""The live page in a browser: `autograd-np explore` on a file that is edited."""

from __future__ import annotations

import contextlib
import http.client
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import chromium
import numpy as np
import pytest

import autograd_np as ag

pytest.importorskip("websockets")
pytest.importorskip("watchfiles")


NET = """
import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def loss(W1, b1, W2, b2, X, Y):
    Z1 = W1 @ X + b1
    A1 = sigmoid(Z1)
    Z2 = W2 @ A1 + b2
    A2 = sigmoid(Z2)
    cost = np.mean(-Y * np.log(A2) - (1 - Y) * np.log(1 - A2))
    return cost


def backward(W1, b1, W2, b2, X, Y, A1, A2):
    dZ2 = (A2 - Y) / X.shape[1]
    dW2 = dZ2 @ A1.T
    db2 = np.sum(dZ2, axis=1, keepdims=True)
    dZ1 = (W2.T @ dZ2) * A1
    dW1 = dZ1 @ X.T
    db1 = np.sum(dZ1, axis=1, keepdims=True)
    return dW1, db1, dW2, db2


def inputs():
    rng = np.random.default_rng(0)
    shapes = {"W1": (3, 2), "b1": (3, 1), "W2": (1, 3), "b2": (1, 1), "X": (2, 4)}
    return {name: rng.normal(size=shape) for name, shape in shapes.items()} | {"Y": np.array([[1.0, 0.0, 1.0, 0.0]])}
"""


class Command:
    """``autograd-np explore`` as a user starts it."""

    def __init__(self, folder: Path, text: str = NET, *options: str) -> None:
        self.file = folder / "net.py"
        self.file.write_text(text)
        command = [sys.executable, "-m", "autograd_np", "explore", f"{self.file}:loss", "--no-browser", *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder)
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().strip()
        assert self.address.startswith("http://127.0.0.1:"), self.process.communicate()
        self.port = urlsplit(self.address).port

    def save(self, text: str) -> None:
        """Save the file as editors do: another file, put in its place."""
        other = self.file.with_suffix(".tmp")
        other.write_text(text)
        other.replace(self.file)

    def end(self) -> tuple[int, str]:
        """Press ctrl-c; return the exit code and what stands on stderr."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        _, err = self.process.communicate(timeout=60)
        return self.process.returncode, err


@pytest.fixture
def command(tmp_path: Path) -> Iterator[Command]:
    found = Command(tmp_path)
    try:
        yield found
    finally:
        with contextlib.suppress(Exception):
            found.end()
        found.process.kill()
        found.process.wait()


@pytest.fixture
def browser(browser: chromium.Chromium) -> Iterator[chromium.Chromium]:
    yield browser
    browser.call("Page.navigate", url="about:blank")  # or it would look for what has ended


def values(browser: chromium.Chromium) -> dict[str, Any]:
    """What the page holds: value and gradient of every node, by name."""
    found = browser.js("JSON.stringify(page.data.nodes.map((n) => [n.key, n.value.rows, n.gradient && n.gradient.rows]))")
    read = lambda rows: rows and np.array([[float(t.replace("−", "-")) for t in row] for row in rows])  # noqa: E731
    return {name: (read(value), read(gradient)) for name, value, gradient in json.loads(found)}


LIVE = "document.body.dataset.live === 'live'"
VERDICT = "document.querySelector('#verdict')?.dataset.verdict"


def namespace_of(text: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    exec(text, found)
    return found


def assert_is_pythons(browser: chromium.Chromium, inputs: dict[str, Any], text: str = NET) -> None:
    """The page shows the loss and every gradient that Python computes."""
    graph = ag.trace(namespace_of(text)["loss"], *inputs.values())
    true, shown = graph.gradients(), values(browser)
    assert len(shown) >= len(graph)
    for node in graph:
        value, gradient = shown[graph.label_of(node)]
        np.testing.assert_allclose(value, np.reshape(node.out, value.shape), rtol=1e-4, atol=1e-9)
        np.testing.assert_allclose(gradient, np.reshape(true[node], value.shape), rtol=1e-4, atol=1e-9)


def opened(browser: chromium.Chromium, command: Command, verdict: str = "fail") -> None:
    browser.visit(command.address)
    browser.until(f"{LIVE} && {VERDICT} === '{verdict}'", 90)


def field(name: str, at: int) -> str:
    return f"[...document.querySelectorAll('#picked [data-edit]')].find((f) => f.dataset.edit === '{name}\\n{at}')"


@chromium.needed
def test_from_the_page_to_the_first_corrected_mistake(command: Command, browser: chromium.Chromium) -> None:
    opened(browser, command)
    assert "line 22 dZ1 (missing-factor)" in browser.js("document.querySelector('#verdict p').textContent")
    fix = browser.js("document.querySelector('#verdict .new').textContent")
    assert fix.startswith("+ ")
    browser.until("document.querySelector('#through')", 60)
    browser.click("#through")
    assert "(W2.T @ dZ2) * A1" in browser.js("document.querySelector('#code').textContent")
    assert browser.js("page.data.check.verdict") == "fail"
    browser.click("#through")
    for _ in range(5):
        browser.press("ArrowRight")
    wrong = "    dZ1 = (W2.T @ dZ2) * A1"
    command.save(NET.replace(wrong, f"    {fix.removeprefix('+ ')}"))
    browser.until(f"{VERDICT} === 'pass'", 60)
    assert browser.js("document.body.dataset.step") == "5"
    host = f"127.0.0.1:{command.port}"
    assert {urlsplit(address).netloc for address in browser.requests} == {host}
    assert browser.messages == []


@chromium.needed
def test_saving_shows_the_new_graph_and_keeps_the_place(command: Command, browser: chromium.Chromium) -> None:
    opened(browser, command)
    browser.click("[data-id=n0] .body")
    for _ in range(4):
        browser.press("ArrowRight")
    where = "document.querySelector('#world').getAttribute('transform')"
    browser.press("+")
    title, zoom = browser.js("document.querySelector('aside h2:last-of-type').textContent"), browser.js(where)
    changed = NET.replace("cost = np.mean", "cost = 2 * np.mean")
    command.save(changed)
    browser.until("page.data.nodes.filter((n) => n.op === 'multiply').length === 3", 60)
    assert browser.js("document.querySelector('aside h2:last-of-type').textContent") == title
    assert browser.js(where) == zoom
    assert "cost = 2 * np.mean" in browser.js("document.querySelector('#code').textContent")
    assert browser.js("document.querySelector('#picked h2').textContent") == "W1"
    assert_is_pythons(browser, namespace_of(changed)["inputs"](), changed)


@chromium.needed
def test_a_typed_and_a_dragged_number_change_the_loss_and_all_gradients_in_every_tab(command: Command, browser: chromium.Chromium) -> None:
    opened(browser, command)
    with chromium.Chromium() as other:
        opened(other, command)
        browser.click("[data-id=n0] .body")
        browser.js(f"{field('W1', 3)}.focus()")
        browser.js(f"{field('W1', 3)}.select()")
        browser.write("-1.75")
        browser.press("Enter")
        inputs = namespace_of(NET)["inputs"]()
        inputs["W1"][1, 1] = -1.75
        for tab in (browser, other):
            tab.until("page.data.nodes[0].value.rows[1][1] === '−1.75'", 60)
            assert_is_pythons(tab, inputs)
        box = browser.js(f"(() => {{ const b = {field('W1', 0)}.getBoundingClientRect(); return [b.x + 5, b.y + b.height / 2]; }})()")
        moves = [("mousePressed", 0), *(("mouseMoved", 10 * i) for i in range(1, 11)), ("mouseReleased", 100)]
        for kind, way in moves:
            browser.call("Input.dispatchMouseEvent", type=kind, x=box[0] + way, y=box[1], button="left", buttons=1, clickCount=1)
        first = float(f"{inputs['W1'][0, 0]:.5g}")
        inputs["W1"][0, 0] = float(f"{first + abs(first):.4g}")
        text = f"{inputs['W1'][0, 0]:.5g}"
        for tab in (browser, other):
            tab.until(f"page.data.nodes[0].value.rows[0][0] === '{text}'", 60)
            assert_is_pythons(tab, inputs)
    browser.until("document.querySelector('#reset').textContent === 'Reset 2 numbers'")
    browser.click("#reset")
    browser.until("document.querySelector('#reset').hidden", 60)
    assert_is_pythons(browser, namespace_of(NET)["inputs"]())
    assert browser.messages == []


@chromium.needed
def test_what_is_no_number_is_told_and_changes_nothing(command: Command, browser: chromium.Chromium) -> None:
    opened(browser, command)
    browser.click("[data-id=n0] .body")
    browser.js(f"{field('W1', 0)}.focus(), {field('W1', 0)}.select()")
    browser.write("<b>one</b>")
    browser.press("Enter")
    browser.until("document.querySelector('#told').textContent.includes(\"'<b>one</b>' is not a number\")", 60)
    assert browser.js("document.querySelector('#told .bad b')") is None
    assert_is_pythons(browser, namespace_of(NET)["inputs"]())


@chromium.needed
def test_a_mistake_in_the_file_is_shown_at_its_line_and_the_page_goes_on_when_it_is_mended(
    tmp_path: Path, browser: chromium.Chromium
) -> None:
    broken = NET.replace("Z1 = W1 @ X + b1", "Z1 = = W1 @ X + b1")
    command = Command(tmp_path, broken)
    told = "document.querySelector('#problem')?.textContent"
    try:
        browser.visit(command.address)
        browser.until(f"{told}?.includes('net.py, line 10: SyntaxError: invalid syntax')", 90)
        assert browser.js("page.data.nodes.length") == 0
        command.save(NET)
        browser.until(f"{LIVE} && !{told} && page.data.nodes.length > 20", 60)
        shown = values(browser)
        command.save(NET.replace("A1 = sigmoid(Z1)", "A1 = sigmoid(Z)"))
        browser.until(f"{told}?.includes(\"net.py, line 11, in loss: NameError: name 'Z' is not defined\")", 60)
        assert "A1 = sigmoid(Z)" in browser.js("document.querySelector('#problem pre').textContent")
        np.testing.assert_equal(values(browser), shown)
        command.save(NET.replace("A1 = sigmoid(Z1)", "A1 = sigmoid(Z1)\n    while True: pass"))
        browser.until("document.body.dataset.live === 'busy'", 60)
        time.sleep(0.2)
        command.save(NET)  # does not wait for the loop
        browser.until(f"{LIVE} && {VERDICT} === 'fail'", 60)
        assert browser.messages == []
    finally:
        code, err = command.end()
    assert (code, err) == (0, "")


def test_no_one_else_is_answered(command: Command) -> None:
    host, token = f"127.0.0.1:{command.port}", urlsplit(command.address).path

    def status(path: str, **headers: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", command.port, timeout=30)
        connection.request("GET", path, headers={"Host": host, **headers})
        answer = connection.getresponse()
        body = answer.read()
        assert (answer.status == 200) == (b"<!doctype html>" in body)
        return answer.status

    assert status(token) == 200
    assert status(token, Origin=f"http://{host}") == 200
    assert status("/") == 404
    assert status("/wrong/") == 404
    assert status(token[:-2] + "/") == 404
    assert status(f"{token}other") == 404
    for foreign in ("http://example.org", "https://" + host, "http://127.0.0.1:1", "null"):
        assert status(token, Origin=foreign) == 403, foreign
    for name in ("example.org", f"example.org:{command.port}", "127.0.0.1", "127.0.0.1:1"):
        assert status(token, Host=name) == 403, name
    for path, origin, expected in (
        (token, f"http://{host}", 101),
        ("/wrong/", f"http://{host}", 404),
        (token, "http://example.org", 403),
        (token, None, 403),
    ):
        assert upgraded(command.port, f"{path}live", host, origin) == expected, (path, origin)
    with pytest.raises(ConnectionRefusedError):  # on the loopback interface and no other
        socket.create_connection((other_address(), command.port), timeout=5).close()


def upgraded(port: int, path: str, host: str, origin: str | None) -> int:
    """Ask for a WebSocket; return the status."""
    key = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=30) as talk:
        from_where = f"Origin: {origin}\r\n" if origin else ""
        talk.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{key}{from_where}\r\n".encode())
        return int(talk.recv(1000).split()[1])


def other_address() -> str:
    """Return an address of this machine that is not 127.0.0.1."""
    return "127.0.0.2" if sys.platform == "linux" else socket.gethostbyname(socket.gethostname())


def test_ctrl_c_ends_it_and_the_port_is_free_again(command: Command) -> None:
    assert command.end() == (0, "")
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", command.port))


def test_ctrl_c_while_text_is_executed_ends_it_as_ever(tmp_path: Path) -> None:
    """As when a dataclass is made: Python would end by the signal, whoever caught the exception."""
    pressed = "exec('import os, signal; os.kill(os.getpid(), signal.SIGINT); [0 for _ in range(10)]')\n"
    command = Command(tmp_path, NET + pressed)
    _, err = command.process.communicate(timeout=60)
    assert (command.process.returncode, err) == (0, "")


@chromium.needed
def test_ctrl_c_ends_it_at_once_while_a_browser_looks(command: Command, browser: chromium.Chromium) -> None:
    opened(browser, command)  # with a tab, and with the connection that Chromium opens in reserve and says nothing on
    with socket.create_connection(("127.0.0.1", command.port)):
        start = time.perf_counter()
        assert command.end() == (0, "")
        assert time.perf_counter() - start < 5  # a tenth of it on a quiet machine; the reserve alone would have taken ten


def test_what_cannot_be_explored_is_told_on_the_page_and_in_the_terminal(tmp_path: Path) -> None:
    text = "def forward(W, X):\n    return W @ X\n\ndef loss(Z):\n    return Z.sum()\n\ndef inputs():\n    return {'W': 1.0, 'X': 2.0}\n"
    command = Command(tmp_path, text)
    assert command.process.stdout is not None
    try:
        lines = [command.process.stdout.readline() for _ in range(2)]
        assert lines[0].startswith("The page follows ")
        assert lines[1] == (
            "loss takes Z, which the inputs do not have; they have W, X. If loss takes what forward computes, explore net.py:forward\n"
        )
    finally:
        command.end()


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        (tmp_path / "net.py").write_text(NET)
        command = [sys.executable, "-m", "autograd_np", "explore", "net.py:loss", "--no-browser", "--port", port]
        ended = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=60)
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"autograd-np: cannot serve on port {port}: ")
    assert ended.stderr.count("\n") == 1
