"""How far what a function gives can be trusted: it is computed again with other roundings, and what differs is rounding.

``log(1 - s)`` loses all its digits where s is nearly 1, so a result that differs there need not be a wrong one. Where something overflows
on the way, or a product becomes zero, the function's own result says nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_np.compiling.captured import Captured
from autograd_np.compiling.runs import run
from autograd_np.compiling.stabilising import weakly
from autograd_np.node import Node
from autograd_np.op import Op
from autograd_np.standins import TRACING
from autograd_np.tensor import Tensor, handle, sign, value_of

__all__ = ["rounded_otherwise"]

SAMPLES = 8
PRODUCTS = (np.multiply, np.divide)


def rounded_otherwise(
    call: Callable[[list[Any]], Any], given: list[Any], count: int, captured: Captured, name: str, *, in_place: bool
) -> list[list[Any]] | None:
    """Return the leaves of a function's result, with other roundings, several times; ``None`` where something overflows or vanishes."""
    found = []
    for k in range(SAMPLES):
        nudges = _Nudges(k)
        with TRACING:
            once = run(call, given, count, captured, name, in_place=in_place, rewrites=nudges, empties=False)
        if nudges.vanished or not all(_is_finite(node.out) for node in once.graph.nodes):
            return None
        found.append([value_of(x) for x in (*once.out, *once.written.values())])
        del once  # its memory is the next one's
    return found


def _is_finite(x: Any) -> bool:
    x = value_of(x)
    return not isinstance(x, (np.ndarray, np.generic)) or x.dtype.kind not in "fc" or bool(np.all(np.isfinite(x)))


class _Nudges:
    """Moves what an operation gives up or down by a rounding, at random."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.vanished = False

    def __call__(self, op: Op, args: tuple[Any, ...], attrs: dict[str, Any], data: Any) -> Tensor | None:
        """Return the moved result, recorded; ``None`` for what is not rounded."""
        weak = weakly(op, args, attrs, data)
        if weak is not None:
            return weak
        if not isinstance(data, (np.ndarray, np.floating)) or data.dtype.kind != "f" or getattr(data, "base", None) is not None:
            return None
        parents = tuple(a._node if isinstance(a, Tensor) else None for a in args)
        levels = {p.level for p in parents if p is not None}
        if len(levels) != 1 or any(a is data for a in args):
            return None
        if op.fn in PRODUCTS and np.any(
            (data == 0) & (value_of(args[0]) != 0) & np.isfinite(value_of(args[-1])) & (value_of(args[-1]) != 0)
        ):
            self.vanished = True
        by = self.rng.uniform(-2, 2, size=np.shape(data)) * np.finfo(data.dtype).eps
        moved = (data + data * by).astype(data.dtype)
        needs = op.kind != "constant" and any(p is not None and p.needs for p in parents)
        node = Node(op, parents, tuple(a.data if isinstance(a, Tensor) else a for a in args), attrs, moved, needs, levels.pop())
        sign(node)
        return handle(moved, node)
