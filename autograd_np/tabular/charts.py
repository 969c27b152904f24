"""Small charts as SVG text: lines over epochs, points against a diagonal. Colours and fonts are the page's style sheet."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from autograd_np.text import visible

__all__ = ["curves", "text", "true_against_predicted"]

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 460, 310, 62, 14, 28, 46
TICKS = 5
COLOURS = {"training": 0, "validation": 1}


class _Scale:
    """Maps numbers to places, and chooses round numbers to label."""

    def __init__(self, low: float, high: float, start: float, stop: float, *, whole: bool = False) -> None:
        if not low < high:
            low, high = low - max(abs(low) / 2, 0.5), high + max(abs(high) / 2, 0.5)
        self.low, self.high, self.start, self.stop = low, high, start, stop
        rough = (high - low) / TICKS
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough)
        self.step = max(1.0, step) if whole else step

    def __call__(self, value: float) -> float:
        return self.start + (value - self.low) / (self.high - self.low) * (self.stop - self.start)

    def ticks(self) -> list[float]:
        first = math.ceil(self.low / self.step - 1e-9)
        return [k * self.step for k in range(first, math.floor(self.high / self.step + 1e-9) + 1)]


def curves(title: str, series: Mapping[str, Sequence[float | None]]) -> str:
    """Draw lines over epochs, which are counted from 1.

    Parameters
    ----------
    title : str
        What is drawn.
    series : mapping
        Name -> a value an epoch; None, NaN and infinities are gaps.

    Returns
    -------
    str
        An ``<svg>`` element; nothing if there is no value.
    """
    lines = {name: [(i, v) for i, v in enumerate(values, 1) if v is not None and math.isfinite(v)] for name, values in series.items()}
    values = [v for line in lines.values() for _, v in line]
    if not values:
        return ""
    last = max(i for line in lines.values() for i, _ in line)
    x = _Scale(1, last, LEFT, WIDTH - RIGHT, whole=True) if last > 1 else _Scale(0, 2, LEFT, WIDTH - RIGHT, whole=True)
    y = _Scale(min(values), max(values), HEIGHT - BOTTOM, TOP)
    parts = []
    for place, (name, line) in enumerate(lines.items()):
        k, at = COLOURS.get(name, 0), LEFT + 110 * place
        places = " ".join(f"{x(i):.1f},{y(v):.1f}" for i, v in line)
        parts.append(f'<polyline class="line c{k}" points="{places}"/>')
        if line:
            parts.append(f'<circle class="dot c{k}" cx="{x(line[-1][0]):.1f}" cy="{y(line[-1][1]):.1f}" r="3"/>')
        parts.append(f'<line class="line c{k}" x1="{at}" y1="11" x2="{at + 20}" y2="11"/><text x="{at + 26}" y="15">{text(name)}</text>')
    return _chart(f"{title} over {last} epochs", x, y, "epoch", title, parts)


def true_against_predicted(points: NDArray[np.float64], what: str) -> str:
    """Draw predictions against what is true, with the diagonal on which they should be.

    Parameters
    ----------
    points : array of shape (n, 2)
        True and predicted.
    what : str
        What is predicted.
    """
    points = points[np.isfinite(points).all(axis=1)]
    if not len(points):
        return ""
    low, high = float(points.min()), float(points.max())
    x, y = _Scale(low, high, LEFT, WIDTH - RIGHT), _Scale(low, high, HEIGHT - BOTTOM, TOP)
    parts = [f'<line class="diagonal" x1="{x(x.low):.1f}" y1="{y(y.low):.1f}" x2="{x(x.high):.1f}" y2="{y(y.high):.1f}"/>']
    parts += [f'<circle class="point" cx="{x(a):.1f}" cy="{y(b):.1f}" r="2.5"/>' for a, b in points.tolist()]
    return _chart(f"{what}: true and predicted, {len(points)} samples", x, y, f"true {what}", "predicted", parts)


def text(words: object, longest: int = 300) -> str:
    """Escape other people's text for HTML and SVG, with what cannot be seen made visible."""
    return html.escape(visible(str(words), longest=longest))


def _chart(label: str, x: _Scale, y: _Scale, below: str, beside: str, parts: Iterable[str]) -> str:
    """Put a frame, numbers and names around what is drawn."""
    out = [f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{text(label)}">']
    for value in y.ticks():
        at = f"{y(value):.1f}"
        out.append(f'<line class="grid" x1="{LEFT}" y1="{at}" x2="{WIDTH - RIGHT}" y2="{at}"/>')
        out.append(f'<text class="end" x="{LEFT - 6}" y="{float(at) + 4:.1f}">{value:.4g}</text>')
    for value in x.ticks():
        at = f"{x(value):.1f}"
        out.append(f'<line class="grid" x1="{at}" y1="{TOP}" x2="{at}" y2="{HEIGHT - BOTTOM}"/>')
        out.append(f'<text class="middle" x="{at}" y="{HEIGHT - BOTTOM + 16}">{value:.4g}</text>')
    out += parts
    middle = (HEIGHT - BOTTOM + TOP) / 2
    out.append(f'<text class="middle name" x="{(LEFT + WIDTH - RIGHT) / 2:.0f}" y="{HEIGHT - 8}">{text(below)}</text>')
    out.append(f'<text class="middle name" transform="rotate(-90)" x="{-middle:.0f}" y="14">{text(beside)}</text>')
    return "".join(out) + "</svg>"
