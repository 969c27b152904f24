"""Make the pictures of the explorer: ``python docs/make_explorer_pictures.py`` (needs Chromium and websocket-client)."""

import sys
import tempfile
from pathlib import Path

import numpy as np

import autograd_np as ag
import nn

ROOT = Path(__file__).parent
sys.path.insert(0, str(ROOT.parent / "tests"))
from chromium import Chromium  # noqa: E402 (it is beside the tests)

IMAGES = ROOT / "images"
PARAMETERS = ("W1", "b1", "W2", "b2")


def network(W1, b1, W2, b2, X, Y):
    """Return the cost of the 2-3-1 network."""
    Z1 = np.dot(W1, X) + b1
    A1 = ag.sigmoid(Z1)
    Z2 = np.dot(W2, A1) + b2
    A2 = ag.sigmoid(Z2)
    cost = np.mean(-Y * np.log(A2) - (1 - Y) * np.log(1 - A2))
    return cost


class Block(nn.Module):
    """A residual block."""

    def __init__(self, size, seed):
        self.first, self.act, self.second = nn.Linear(size, 2 * size, rng=seed), nn.Tanh(), nn.Linear(2 * size, size, rng=seed + 1)

    def forward(self, x):
        """Return the input plus what the layers make of it."""
        return x + self.second(self.act(self.first(x)))


def main():
    """Write the pictures."""
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=shape) for shape in ((3, 2), (3, 1), (1, 3), (1, 1), (2, 4))]
    graph = ag.trace(network, *arrays, np.array([[1.0, 0.0, 1.0, 0.0]]))
    model = nn.Sequential(nn.Linear(2, 4, rng=0), Block(4, 1), Block(4, 3), nn.Linear(4, 1, rng=5))
    modules = ag.graph(nn.MSELoss()(model(rng.normal(size=(5, 2))), np.ones((5, 1))))
    with tempfile.TemporaryDirectory() as folder, Chromium(1280, 800) as browser:
        browser.open(graph.explore(f"{folder}/net.html", parameters=PARAMETERS))
        for _ in range(3):
            browser.press("ArrowRight")
        browser.picture(IMAGES / "explorer-light.png")
        for _ in range(21):
            browser.press("ArrowRight")
        browser.picture(IMAGES / "explorer-backward.png")
        browser.click("#theme")
        for _ in range(4):
            browser.press("ArrowRight")
        browser.js("document.activeElement.blur()")
        browser.picture(IMAGES / "explorer-dark.png")
        browser.open(modules.explore(f"{folder}/modules.html"))
        if browser.js("document.querySelector('.module.closed') === null"):
            browser.click("#modules")
        browser.click("#fit")
        for _ in range(8):
            browser.press("ArrowRight")
        browser.js("document.activeElement.blur()")
        browser.picture(IMAGES / "explorer-modules.png")


if __name__ == "__main__":
    main()
