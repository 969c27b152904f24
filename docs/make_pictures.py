"""Make the pictures that README and the documentation show: ``python docs/make_pictures.py``.

They are drawn by the embedded Graphviz, so that every machine makes the same files.
"""

from pathlib import Path

import numpy as np

import autograd_np as ag
from autograd_np.render import svg, to_dot

IMAGES = Path(__file__).parent / "images"


def network(W1: np.ndarray, b1: np.ndarray, W2: np.ndarray, b2: np.ndarray, X: np.ndarray) -> np.ndarray:
    """Return the output of the 2-3-1 network."""
    Z1 = np.dot(W1, X) + b1
    A1 = ag.sigmoid(Z1)
    Z2 = np.dot(W2, A1) + b2
    A2 = ag.sigmoid(Z2)
    return A2


def main() -> None:
    """Write the pictures."""
    rng = np.random.default_rng(0)
    shapes = {"W1": (3, 2), "b1": (3, 1), "W2": (1, 3), "b2": (1, 1), "X": (2, 100)}
    graph = ag.trace(network, *(rng.normal(size=shape) for shape in shapes.values()))
    IMAGES.mkdir(exist_ok=True)
    (IMAGES / "net.svg").write_bytes(svg.draw_embedded(to_dot(graph, direction="LR").source))


if __name__ == "__main__":
    main()
