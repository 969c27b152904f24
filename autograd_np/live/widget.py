"""The live page in a cell of a notebook.

What the cell shows is the static page, in a frame, and so are saved and exported notebooks: nothing in them needs a kernel or a network.
Beside it stands a widget of no size. While there is a kernel, it carries what the reader changes from the page to Python, and what
Python says to the page.
"""

from __future__ import annotations

import html
import importlib
import secrets
import time
from typing import Any

from autograd_np import errors
from autograd_np.live.page import asset, live_page
from autograd_np.live.session import Program, Session

__all__ = ["Explorer"]

HEIGHT = 640


class Explorer:
    """The page of a program in a notebook; showing it as the value of a cell displays it.

    Parameters
    ----------
    program : Program

    Attributes
    ----------
    session : Session
        What the page is about.
    """

    def __init__(self, program: Program) -> None:
        self.session = Session(lambda: program)
        if self.session.data is None:
            raise errors.RenderError(f"the function could not be run: {(self.session.problem or {}).get('what')}")
        self.frame = f"explorer-{secrets.token_hex(8)}"
        self._carrier = _carrier(self)

    def _ipython_display_(self) -> None:
        display = importlib.import_module("IPython.display").display
        display({"text/html": self.frame_html(), "text/plain": repr(self)}, raw=True)
        view = self._carrier._repr_mimebundle_()
        view = view[0] if isinstance(view, tuple) else view
        display({kind: what for kind, what in view.items() if kind != "text/plain"}, raw=True)  # an export has nothing to say of it

    def frame_html(self) -> str:
        """Return the page in a frame: it may run its own script, and has no part in the page around it, which tells it its ground."""
        page = html.escape(live_page({"data": self.session.data}), quote=True)
        look = "width:100%;border:0;border-radius:8px"
        ground = asset("ground.js").replace("FRAME", self.frame)
        frame = f'<iframe id="{self.frame}" srcdoc="{page}" sandbox="allow-scripts" height="{HEIGHT}" style="{look}"></iframe>'
        return f"{frame}<script>{ground}</script>"

    def __repr__(self) -> str:
        return f"<Explorer: {(self.session.data or {}).get('title')}>"

    def wish(self, message: Any) -> None:
        """Take a wish of the page, and tell it what came of it."""
        refused = ""
        edit = message.get("edit") if isinstance(message, dict) else None
        try:
            if isinstance(edit, list) and [*map(type, edit)] == [str, int, str]:
                self.session.edit([(edit[0], edit[1], edit[2])])
            elif isinstance(message, dict) and message.get("reset"):
                self.session.reset()
        except errors.RenderError as error:
            refused = str(error)
        self._carrier.send(
            {"frame": self.frame, "state": {"busy": "", **self.session.state(), "refused": refused, "answered": time.monotonic()}}
        )


def _carrier(owner: Explorer) -> Any:
    """Return the widget that carries messages between the page in its frame and Python."""
    widgets, traits = (importlib.import_module(name) for name in ("anywidget", "traitlets"))  # extras, which mypy need not have
    kind: Any = type("Carrier", (widgets.AnyWidget,), {"_esm": asset("carrier.js"), "frame": traits.Unicode().tag(sync=True)})
    widget = kind(frame=owner.frame)
    widget.on_msg(lambda _, message, __: owner.wish(message))
    return widget
