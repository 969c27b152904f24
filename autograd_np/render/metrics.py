"""How large texts and boxes come out, for whoever has to know before a renderer does.

Readers have different fonts, so a text is taken to be as wide as in DejaVu Sans, the widest of those that the drawings name.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable

__all__ = ["SIZES", "box_of", "text_width"]

SIZES = {"faint": 9.5, "value": 8.5, "gradient mono": 8.5, "gradient": 9.5, "rule": 10.0, "note": 10.0}
"""Font sizes by what a line tells, in points."""
USUAL = 11.0
LINE = 13.2
BOLD = 1.14
MONO = 0.602
OTHER = 0.84
# The widths of the characters from the space to the tilde, in hundredths of the font's size.
WIDTHS = [
    *(32, 40, 46, 84, 64, 95, 78, 27, 39, 39, 50, 84, 32, 36, 32, 34, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 34, 34, 84, 84, 84, 53, 100),
    *(68, 69, 70, 77, 63, 58, 77, 75, 29, 29, 66, 56, 86, 75, 79, 60, 79, 69, 63, 61, 73, 68, 99, 69, 61, 69, 39, 34, 39, 84, 50, 50),
    *(61, 63, 55, 63, 62, 35, 63, 63, 28, 28, 58, 28, 97, 63, 61, 63, 63, 41, 52, 39, 63, 59, 82, 59, 59, 52, 64, 34, 64, 84),
]


def text_width(text: str, role: str) -> float:
    """Return how wide a line is, in points, if it tells what `role` says."""
    size = SIZES.get(role, USUAL)
    if role in ("value", "gradient mono"):
        return size * MONO * len(text)
    width = sum(WIDTHS[ord(c) - 32] / 100 if " " <= c <= "~" else 1.1 if unicodedata.east_asian_width(c) in "WF" else OTHER for c in text)
    return size * width * (BOLD if role == "name" else 1)


def box_of(lines: Iterable[tuple[str, str]], kind: str) -> tuple[float, float]:
    """Return width and height of a box around lines of text, each with its role, in points."""
    lines = list(lines)
    width, height = max((text_width(*line) for line in lines), default=0.0), LINE * len(lines)
    if kind == "input":  # an ellipse around a rectangle
        return math.sqrt(2) * (width + 6), math.sqrt(2) * (height + 3)
    return width + (36 if kind == "group" else 20), height + (12 if kind == "group" else 9)
