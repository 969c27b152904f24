"""A page in headless Chromium, driven over the DevTools protocol: what a test needs and nothing more."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--disable-features=IsolateSandboxedIframes",  # so that a frame can be looked into
    "--remote-debugging-port=0",
    "--remote-allow-origins=*",
]


def find() -> str | None:
    """Return the Chromium of this machine, if there is one: $CHROMIUM, or the first of the usual names."""
    names = (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next((found for name in names if name and (found := shutil.which(name))), None)


needed = pytest.mark.skipif(find() is None, reason="Chromium is not installed")
"""Marks tests that look at a page in the browser."""


class Chromium:
    """One browser with one page.

    Attributes
    ----------
    messages : list of str
        What the page wrote to the console as an error or warning, and exceptions nobody caught.
    requests : list of str
        Every address the page asked for.
    """

    def __init__(self, width: int = 1280, height: int = 800) -> None:
        import websocket

        self.folder = tempfile.mkdtemp(prefix="chromium-")
        size = f"--window-size={width},{height}"
        command = [str(find()), *FLAGS, size, f"--user-data-dir={self.folder}", "about:blank"]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.messages: list[str] = []
        self.requests: list[str] = []
        self.contexts: dict[str, int] = {}
        self.count = 0
        self.session = ""
        self.socket: Any = None
        try:
            self.socket = websocket.create_connection(f"ws://127.0.0.1:{self._port()}", timeout=60)
            target = self.call("Target.createTarget", url="about:blank")["targetId"]
            self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            for domain in ("Page", "Runtime", "Log", "Network"):
                self.call(f"{domain}.enable")
            self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        except BaseException:
            self.close()
            raise

    def _port(self) -> str:
        file = Path(self.folder, "DevToolsActivePort")
        for _ in range(600):
            if self.process.poll() is not None:
                raise RuntimeError(f"Chromium ended with code {self.process.returncode} before it was ready")
            if file.exists() and len(lines := file.read_text().split()) == 2:
                return lines[0] + lines[1]
            time.sleep(0.05)
        raise RuntimeError("Chromium did not open its port in 30 s")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command and return its result; events that arrive before it are noted."""
        self.count += 1
        message = {"id": self.count, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        self.socket.send(json.dumps(message))
        while True:
            answer = json.loads(self.socket.recv())
            if answer.get("id") == self.count:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return dict(answer["result"])
            self._note(answer.get("method"), answer.get("params", {}))

    def _note(self, event: str | None, params: dict[str, Any]) -> None:
        if event == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif event == "Network.webSocketCreated":
            self.requests.append(params["url"])
        elif event == "Runtime.executionContextCreated" and params["context"].get("auxData", {}).get("isDefault"):
            self.contexts[params["context"]["auxData"]["frameId"]] = params["context"]["id"]
        elif event == "Log.entryAdded":
            self.messages.append(params["entry"]["text"])
        elif event == "Runtime.exceptionThrown":
            self.messages.append(json.dumps(params["exceptionDetails"]))
        elif event == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning", "assert"):
            self.messages.append(json.dumps(params["args"]))

    def js(self, expression: str) -> Any:
        """Evaluate JavaScript in the page and return its value."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def open(self, file: Path) -> float:
        """Open a page of the explorer from a file; return the seconds until it was ready."""
        return self.visit(file.resolve().as_uri())

    def visit(self, address: str) -> float:
        """Open a page of the explorer; return the seconds until it was ready."""
        self.messages.clear()
        self.requests.clear()
        start = time.perf_counter()
        self.call("Page.navigate", url=address)
        self.until("document.body && document.body.dataset.ready === 'yes'")
        self.js("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)))")  # it has been drawn
        return time.perf_counter() - start

    def until(self, condition: str, seconds: float = 20) -> None:
        """Wait until a JavaScript condition holds."""
        _wait(self.js, condition, seconds)

    def js_in_frame(self, expression: str) -> Any:
        """Evaluate JavaScript in the frame that the page has."""
        tree = self.call("Page.getFrameTree")["frameTree"]
        for frame in tree.get("childFrames", []):
            context = self.contexts.get(frame["frame"]["id"])
            if context is not None:
                try:
                    answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, contextId=context)
                except RuntimeError:  # another document takes its place just now
                    return None
                return answer["result"].get("value")
        return None

    def until_in_frame(self, condition: str, seconds: float = 20) -> None:
        """Wait until a JavaScript condition holds in the frame that the page has."""
        _wait(self.js_in_frame, condition, seconds)

    def press(self, key: str, text: str = "") -> None:
        """Press and release a key."""
        codes = {
            "ArrowLeft": 37,
            "ArrowUp": 38,
            "ArrowRight": 39,
            "ArrowDown": 40,
            "Home": 36,
            "End": 35,
            "Enter": 13,
            "Escape": 27,
            "Tab": 9,
        }
        code = codes.get(key, ord(key[0].upper()))
        self.call(
            "Input.dispatchKeyEvent",
            type="keyDown",
            key=key,
            code=key,
            windowsVirtualKeyCode=code,
            text=text or ("\r" if key == "Enter" else ""),
        )
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, code=key, windowsVirtualKeyCode=code)

    def write(self, text: str) -> None:
        """Type text into what has the focus."""
        self.call("Input.insertText", text=text)

    def click(self, selector: str) -> None:
        """Click the middle of an element with the mouse."""
        find = f"document.querySelector({json.dumps(selector)}).getBoundingClientRect()"
        box = self.js(f"(() => {{ const b = {find}; return [b.x + b.width / 2, b.y + b.height / 2]; }})()")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left", clickCount=1)

    def picture(self, file: Path) -> None:
        """Write a PNG of what is shown."""
        time.sleep(0.45)  # movements end
        file.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    def close(self) -> None:
        """End the browser, however far it came."""
        try:
            self.session = ""
            self.call("Browser.close")
            self.socket.close()
        except Exception:  # noqa: BLE001 (it may be gone already)
            self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Chromium:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def _wait(js: Callable[[str], Any], condition: str, seconds: float) -> None:
    end = time.perf_counter() + seconds
    while not js(f"Boolean({condition})"):
        if time.perf_counter() > end:
            raise AssertionError(f"after {seconds} s still not: {condition}")
        time.sleep(0.02)
