"""The page: one HTML file from its template, style and scripts, with the data as JSON in it."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from importlib import resources
from string import Template
from typing import Any

from autograd_np.render.palette import DARK, LIGHT, Palette

__all__ = ["as_json", "page"]

STYLES = ("page.css", "panes.css", "drawing.css", "print.css")
SCRIPTS = (
    "elements.js",
    "state.js",
    "turns.js",
    "arrays.js",
    "code.js",
    "frame.js",
    "drawing.js",
    "view.js",
    "steps.js",
    "panes.js",
    "keyboard.js",
    "start.js",
)
"""The parts of the one script, in this order; each may use what those before it define."""


def page(data: dict[str, Any], *, style: str = "", script: str = "", connect: str = "") -> str:
    """Return the page that shows data.

    Parameters
    ----------
    data : dict
        From `autograd_np.explorer.explore.data_of`.
    style, script : str
        A further style and a further script, which come after the page's own: the live page's.
    connect : str
        What the page may talk to, as a source of the content security policy, ``"'self'"``; by default to nothing and nobody.
    """
    scripts = ['"use strict";\n(() => {\n' + "\n".join(_asset(name) for name in SCRIPTS) + "})();\n", *([script] if script else [])]
    style = "\n".join([_colours(), *map(_asset, STYLES), style])
    rules = {
        "default-src": "'none'",
        "style-src": _hash(style),
        "script-src": " ".join(map(_hash, scripts)),
        "connect-src": connect,
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return Template(_asset("page.html")).substitute(
        title=html.escape(data["title"]),
        policy="; ".join(f"{what} {source}" for what, source in rules.items() if source),
        style=style,
        scripts="\n".join(f"<script>{text}</script>" for text in scripts),
        data=as_json(data),
    )


def as_json(data: dict[str, Any]) -> str:
    """Write data as JSON that cannot end the script element it stands in."""
    text = json.dumps(data, allow_nan=False, separators=(",", ":"))  # ASCII only
    for char in "<>&":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text


def _colours() -> str:
    """Return the colours of the drawings that `render` makes, as variables of the page."""

    def variables(palette: Palette) -> str:
        return " ".join(f"--{kind}: {tone.fill}; --{kind}-line: {tone.line};" for kind, tone in palette.kinds.items())

    return f':root {{ {variables(LIGHT)} }}\n:root[data-theme="dark"] {{ {variables(DARK)} }}'


def _asset(name: str) -> str:
    return resources.files(__package__).joinpath("static", name).read_text("utf-8").replace("\r\n", "\n")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
