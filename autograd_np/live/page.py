"""The live page: the explorer's, with the script that talks to Python."""

from __future__ import annotations

from importlib import resources
from typing import Any

from autograd_np.explorer.page import page

__all__ = ["asset", "live_page"]


def live_page(state: dict[str, Any], *, connect: str = "") -> str:
    """Return the page in a state, or without a graph if there is none yet; `connect` is what it may talk to beside its frame."""
    data = state.get("data") or _blank(state["title"])
    return page(data, style=asset("live.css"), script=asset("live.js"), connect=connect)


def _blank(title: str) -> dict[str, Any]:
    step = {"phase": "start", "key": "start ", "title": "There is nothing to show yet", "text": []}
    nothing: dict[str, Any] = {
        "nodes": [],
        "edges": [],
        "modules": [],
        "sources": [],
        "folded": None,
        "closed": [],
        "finer": None,
        "check": None,
    }
    return {"title": title, "result": "", "L": "L", "notice": "", **nothing, "steps": [step]}


def asset(name: str) -> str:
    """Return the text of a file of `static`."""
    return resources.files(__package__).joinpath("static", name).read_text("utf-8").replace("\r\n", "\n")
