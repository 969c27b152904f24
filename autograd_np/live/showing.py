"""`Graph.explore` with ``live=True``: a widget in a notebook, a page in the browser elsewhere."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from autograd_np.graph import Graph
from autograd_np.live import needs
from autograd_np.live.session import program_of

if TYPE_CHECKING:
    from autograd_np.live.widget import Explorer

__all__ = ["show"]


def show(graph: Graph, *, open: bool = True, port: int = 0, **options: Any) -> Explorer | None:  # noqa: A002 (as in webbrowser)
    """Show a page of a traced function on which numbers can be changed.

    In a notebook this is a widget in the cell, and returns at once. Elsewhere the page is served to this machine alone until ctrl-c.

    Parameters
    ----------
    graph : Graph
        From `autograd_np.trace` or ``model.graph(x)``.
    open : bool
        Open the page in the browser.
    port : int
        0 takes any that is free.
    **options
        Of `Graph.explore`.

    Raises
    ------
    RenderError
        If the graph was not made from a function.
    ModuleNotFoundError
        If the extra ``live``, or in a notebook ``notebook``, is not installed.
    """
    program = program_of(graph, **options)
    if _in_notebook():
        needs("anywidget", extra="notebook")
        from autograd_np.live.widget import Explorer

        return Explorer(program)
    needs("websockets")
    from autograd_np.live.serving import serve

    def ready(address: str) -> None:
        print(f"{address}\nctrl-c ends it.", flush=True)
        if open:
            import webbrowser

            webbrowser.open(address)

    serve(lambda: program, title=getattr(program.function, "__name__", "a function"), port=port, ready=ready)
    return None


def _in_notebook() -> bool:
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return getattr(shell, "kernel", None) is not None
