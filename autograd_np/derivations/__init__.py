"""The backward pass of a function, as NumPy that a person would write and as mathematics.

Here lives how a recorded function becomes expressions (`expression`, `reading/`), is differentiated (`rules/`), simplified
(`simplifying/`) and divided into statements (`derivation`), and how these are written: as a program (`naming/`, `source/`), as
mathematics (`mathematics/`), as a graph again (`joint`); `face` is the door. Nothing here may judge what a user wrote, draw it, or
know `check` and `render`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from autograd_np.graph import Graph

if TYPE_CHECKING:
    from autograd_np.derivations.face import Derivation, derive

__all__ = ["Derivation", "derive"]


def _backward(self: Graph, wrt: Any = None) -> Graph:
    from autograd_np.derivations.joint import backward

    return backward(self, wrt)


def _simplify(self: Graph, *, explain: bool = False) -> Any:
    from autograd_np.derivations.joint import simplify

    return simplify(self, explain=explain)


def _to_numpy(self: Graph, wrt: Any = None, *, typed: bool = False) -> str:
    from autograd_np.derivations.face import of_graph

    return of_graph(self, wrt).to_numpy(typed=typed)


def _to_latex(self: Graph, wrt: Any = None, *, index: bool = False, document: bool = True) -> str:
    from autograd_np.derivations.face import of_graph

    return of_graph(self, wrt).to_latex(index=index, document=document)


Graph.backward = _backward  # type: ignore[method-assign]
Graph.simplify = _simplify  # type: ignore[method-assign]
Graph.to_numpy = _to_numpy  # type: ignore[method-assign]
Graph.to_latex = _to_latex  # type: ignore[method-assign]


def __getattr__(name: str) -> Any:
    """Import on first use: whoever only differentiates derives nothing."""
    if name in __all__:
        return getattr(importlib.import_module("autograd_np.derivations.face"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
