"""Make the pictures of the explorer: ``python docs/make_explorer_pictures.py`` (needs Chromium and websocket-client)."""

import importlib
import os
import sys
import tempfile
from pathlib import Path

import numpy as np

import autograd_np as ag

ROOT = Path(__file__).parent
sys.path.insert(0, str(ROOT.parent / "tests"))
from chromium import Chromium  # noqa: E402 (it is beside the tests)

IMAGES = ROOT / "images"
PROGRAM = """import numpy as np

def sigmoid(Z):
    return 1 / (1 + np.exp(-Z))

def loss(W1, b1, W2, b2, X, Y):
    Z1 = W1 @ X + b1
    A1 = np.tanh(Z1)
    Z2 = W2 @ A1 + b2
    A2 = sigmoid(Z2)
    losses = -Y * np.log(A2) - (1 - Y) * np.log(1 - A2)
    cost = np.mean(losses)
    return cost

def rnn(Wx, Wh, b, h, xs):
    for x in xs:
        z = x @ Wx + h @ Wh + b
        h = np.tanh(z)
    return np.mean(h**2)
"""


def step_to(browser, title):
    """Go to the first step whose title begins like this."""
    while not browser.js("document.querySelector('#panel h2').textContent").startswith(title):
        browser.press("ArrowRight")
    browser.js("document.activeElement.blur()")


def main():
    """Write the pictures: a step back through the 2-3-1 network, and the turns of a loop."""
    rng = np.random.default_rng(0)
    network = [rng.normal(size=shape) for shape in ((3, 2), (3, 1), (1, 3), (1, 1), (2, 4))]
    recurrent = [rng.normal(size=shape) for shape in ((2, 3), (3, 3), (3,), (4, 3), (20, 4, 2))]
    with tempfile.TemporaryDirectory() as folder, Chromium(1280, 800) as browser:
        os.chdir(folder)
        sys.path.insert(0, folder)
        Path("net.py").write_text(PROGRAM, encoding="utf-8")
        net = importlib.import_module("net")
        graph = ag.trace(net.loss, *network, np.array([[1.0, 0.0, 1.0, 0.0]]))
        browser.open(graph.explore("net.html", parameters=("W1", "b1", "W2", "b2")))
        step_to(browser, "Back through Z1")
        browser.picture(IMAGES / "explorer.png")
        browser.open(ag.trace(net.rnn, *recurrent).explore("rnn.html", parameters=("Wx", "Wh", "b")))
        step_to(browser, "turns 2 … 19")
        browser.picture(IMAGES / "explorer-turns.png")


if __name__ == "__main__":
    main()
