"""What lies between the gradients of forward's variables where backward goes in smaller steps than forward does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from autograd_np.check.watch.point import Point
from autograd_np.node import Node
from autograd_np.sweeps import unbroadcast
from autograd_np.typing import Array

__all__ = ["contributions"]

MOST = 120
"""So many products and quotients are looked at."""


def contributions(point: Point) -> Iterator[tuple[Array, Any]]:
    """Yield what each product and quotient of forward gives its operands before it is summed, and the gradients of reciprocals.

    Of ``a / b`` a person may first write the gradient of ``1 / b``, which is no variable of forward's.
    """
    found = [n for n in point.gradients if n.op is not None and n.op.name in ("multiply", "divide") and len(n.values) == 2]
    for n in found[:MOST]:
        yield from _of(n, point.truth(n), point.slack(n))


def _of(node: Node, g: Array, slack: Any) -> Iterator[tuple[Array, Any]]:
    a, b = (np.asarray(v, float) for v in node.values)
    shape, room = np.shape(node.out), np.max(slack, initial=0.0)
    if g.shape != shape:
        return
    if node.op is not None and node.op.name == "divide":
        of_reciprocal = g * a
        yield of_reciprocal, room * np.max(np.abs(a), initial=0.0)
        if b.shape != shape:
            yield np.asarray(unbroadcast(of_reciprocal, b.shape)), room * np.sum(np.abs(a))
            yield np.asarray(unbroadcast(of_reciprocal, b.shape)).reshape([n for n in b.shape if n != 1]), room * np.sum(np.abs(a))
        return
    for own, other in ((a, b), (b, a)):
        if own.shape != shape:
            yield g * other, room * np.max(np.abs(other), initial=0.0)
