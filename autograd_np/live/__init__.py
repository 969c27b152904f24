"""The live page: the explorer's page that follows a file being edited and numbers being changed.

Here live the session, which runs a user's function again (`session`, `numbers`, `problems`, `verdict`); what serves it to this
machine's browser and to no one else (`server`, `serving`, `watching`); the widget for notebooks (`widget`); and what they add to the
page (`page`, `static/`). What the page shows of a graph, and how, may not live here, but in `explorer`. Nothing may be imported before
a live page is asked for, since the libraries that serve and watch are an extra.
"""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

from autograd_np import errors
from autograd_np.graph import Graph

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["needs"]


def needs(*packages: str, extra: str = "live") -> None:
    """Raise if a package of an extra is missing.

    Raises
    ------
    ModuleNotFoundError
        With what to install.
    """
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        them = f"{' and '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not installed"
        raise ModuleNotFoundError(f"a live page needs {them}: pip install 'autograd-np[{extra}]'", name=missing[0])


def _explore(graph: Graph, path: str | Path | None = None, *, live: bool = False, **options: Any) -> Any:
    if live:
        if path is not None:
            raise errors.RenderError(f"a live page is served, not written; leave out {str(path)!r}, or live=True")
        from autograd_np.live.showing import show

        return show(graph, **options)
    if path is None:
        raise errors.RenderError('explore writes a page; give it a path, as in graph.explore("net.html"), or say live=True')
    from autograd_np.explorer.explore import explore

    return explore(graph, path, **options)


Graph.explore = _explore  # type: ignore[assignment,method-assign]
