"""The careful sweeps: what `sweeps` does, with structural zeros told from zeros that are merely values.

Where a selection left an element out (`where`, an index, a mask, a constant factor of zero), nothing depends on it: zero wins,
also over an infinite partial derivative. Where a zero is a value (the slope of x**2 at 0), 0 * inf stays NaN.

The two are told apart by *taint*: NaN wherever something may flow and zero elsewhere, moved through the graph by the rows' own
rules, since 0 * NaN is NaN while what a rule selects away stays zero. ``None`` is taint everywhere. Products are asked with
numbers in general position instead, which zeros of a constant factor survive. Nothing is recorded on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

import numpy as np

from autograd_np import errors
from autograd_np.elsewhere import random_like
from autograd_np.modes import anomaly_mode
from autograd_np.node import Node
from autograd_np.op import Op
from autograd_np.ops import DIVIDE, MULTIPLY
from autograd_np.results import Results
from autograd_np.sweeps import (
    cast_to,
    incoming,
    is_nan,
    own,
    pull,
    push,
    reached,
    topological,
    total,
    unbroadcast,
)
from autograd_np.tensor import value_of
from autograd_np.typing import Array

__all__ = ["careful_sweep", "carefully_pushed", "is_eager"]

Taint = Any
"""An array of NaN and 0, or ``None``: tainted everywhere."""


def is_eager(x: Any) -> bool:
    """Whether an array is NumPy's own, whose elements can be looked at."""
    return isinstance(value_of(x), (np.ndarray, np.generic, float, int, complex))


# --- the sweeps -----------------------------------------------------------------------------------


def careful_sweep(cotangents: dict[Node, Array], seen: dict[Node, Array] | None) -> dict[Node, Array]:
    """Pull cotangents back to the leaves; structural zeros win over infinity."""
    pending = dict(cotangents)
    taints = {node: _of_seed(g) for node, g in pending.items()}
    found: dict[Node, Array] = {}
    anomaly = anomaly_mode()
    order = topological(pending)
    motion = Motion(order[::-1])
    for node in order:
        g = pending.pop(node, None)
        if seen is not None and g is not None:
            seen[node] = g
        if node.op is None:
            if node.needs:
                found[node] = own(g, node)
            continue
        if g is None or not node.needs:
            continue
        for i, gi, taint in _pull_carefully(node.op, g, taints.pop(node), node, motion):
            parent = cast(Node, node.parents[i])
            if parent in pending:
                gi, before = pending[parent] + gi, taints[parent]
                taint = None if taint is None or before is None else before + taint
            pending[parent], taints[parent] = gi, taint
        if anomaly:
            _check_backward(node, g, pending)
    return found


def carefully_pushed(tangents: dict[Node, Array], order: list[Node]) -> dict[Node, Array]:
    """Push tangents from the leaves through Nodes in topological order; structural zeros win over infinity."""
    moved = dict(tangents)
    taints = {node: _of_seed(t) for node, t in moved.items()}
    motion = Motion(order)
    for node, arriving in reached(moved, order):
        op = cast(Op, node.op)
        tangent, taint = _push_carefully(op, arriving, incoming(taints, node), node, motion)
        if tangent is not None:
            moved[node] = cast_to(tangent, node.out.dtype)
            taints[node] = taint
    return moved


class Motion:
    """Which elements of a graph's values move at all when its leaves do: a zero that cannot move is a constant."""

    def __init__(self, order: list[Node]) -> None:
        self.order = order
        self.taints: dict[Node, Taint] | None = None

    def still(self, node: Node, i: int) -> Any:
        """Return where the i-th operand stands still: a bool, or an array of them."""
        parent = node.parents[i]
        if parent is None or not parent.needs:
            return True
        if self.taints is None:
            self.taints = {}
            for earlier in self.order:
                if earlier.needs:
                    self.taints[earlier] = self._taint_of(earlier)
        taint = self.taints.get(parent)
        return False if taint is None else taint == 0

    def _taint_of(self, node: Node) -> Taint:
        if node.op is None:
            return None
        assert self.taints is not None
        needed = [p is not None and p.needs for p in node.parents[: len(node.values)]]
        taints = tuple(self.taints.get(p) if p is not None else None for p in node.parents[: len(node.values)])
        if node.op.kind == "elementwise":
            passed = [
                _gated(node, i, _partial(node, i), taint, self) for i, taint in enumerate(taints) if needed[i] and node.op.rules[i] != 0
            ]
            return _union(passed, node)
        return _pushed_taint(node.op, needed, taints, node, self)


# --- one operation --------------------------------------------------------------------------------


def _partial(node: Node, i: int) -> Any:
    assert node.op is not None
    rule = node.op.rules[i]
    return rule if rule.__class__ is int else rule(node.out, *node.values)


def _pull_carefully(op: Op, g: Array, taint: Taint, node: Node, motion: Motion) -> Iterator[tuple[int, Array, Taint]]:
    """Yield operand number, cotangent and its taint for the operands of a row."""
    if op.kind not in ("elementwise", "multilinear"):
        tainted = _pulled_taint(op, taint, node)
        for i, gi in pull(op, g, node):
            yield i, _settled(gi, tainted.get(i)), tainted.get(i)
        return
    for i, parent in enumerate(node.parents[: len(node.values)]):
        if parent is None or not parent.needs or op.rules[i] == 0:
            continue
        value = node.values[i]
        if op.kind == "multilinear":
            gi, ti = _product(_pulling(op, i, node), g, taint, node, motion)
        else:
            partial = _partial(node, i)
            ti = _gated(node, i, partial, taint, motion)
            gi = _settled(g * partial, ti)
        if gi.shape != value.shape:
            gi = unbroadcast(gi, value.shape, node)
            ti = None if ti is None else unbroadcast(np.broadcast_to(ti, node.out.shape), value.shape)
        yield i, cast_to(gi, value.dtype), None if ti is None else cast_to(ti, value.dtype)


def _push_carefully(op: Op, tangents: tuple[Any, ...], taints: tuple[Any, ...], node: Node, motion: Motion) -> tuple[Any, Taint]:
    if op.kind not in ("elementwise", "multilinear"):
        taint = _pushed_taint(op, [t is not None for t in tangents], taints, node, motion)
        tangent = push(op, tangents, node)
        return None if tangent is None else _settled(tangent, taint), taint
    terms, tainted = [], []
    for i, t in enumerate(tangents):
        if t is None or op.rules[i] == 0:
            continue
        if op.kind == "multilinear":
            term, taint = _product(_pushing(op, i, node), t, taints[i], node, motion)
        else:
            partial = _partial(node, i)
            taint = _gated(node, i, partial, taints[i], motion)
            term = _settled(t * partial, taint)
        terms.append(term)
        tainted.append(taint)
    return total(terms, node.out), _union(tainted, node)


def _check_backward(node: Node, g: Array, pending: dict[Node, Array]) -> None:
    assert node.op is not None
    if is_nan(g):
        return
    for i, parent in enumerate(node.parents):
        if parent is not None and parent in pending and is_nan(pending[parent]):
            where = f", recorded at {node.site}" if node.site else "; record it under detect_anomaly to see its line"
            raise errors.AnomalyError(f"the gradient of {node.op.name} for operand {i} became NaN{where}")


# --- taint ----------------------------------------------------------------------------------------


def _of_seed(g: Array) -> Taint:
    """Return the taint of what a sweep starts from: where it is zero, nothing was asked for."""
    value = value_of(g)
    if value.__class__ is Results:
        return value.map(lambda part: np.where(part != 0, np.nan, 0).astype(part.dtype))
    return _compact(np.where(value != 0, np.nan, 0).astype(value.dtype))


def _compact(taint: Taint) -> Taint:
    """Return ``None`` for an array that is tainted everywhere, where that can be seen."""
    return None if is_eager(taint) and np.isnan(taint).all() else taint


def _spread(taint: Taint, like: Array) -> Array:
    """Return the taint as an array of the shape and dtype of `like`."""
    if taint is None and like.__class__ is Results:
        return like.map(lambda part: _spread(None, part))
    return np.full_like(like, np.nan) if taint is None else taint


def _union(taints: list[Taint], node: Node) -> Taint:
    """Return the taint of a sum; an empty one is a step (`sign`), which does move, at its jumps."""
    return None if any(t is None for t in taints) else total(taints, value_of(node.out))


def _settled(found: Array, taint: Taint) -> Array:
    """Return `found` with zeros where they are structural, for what 0 * inf made of them."""
    if taint is None:
        return found
    if found.__class__ is Results:
        return found.like([part if t is None else _settled(part, t) for part, t in zip(found, taint, strict=True)])
    settled: Array = np.where((taint == 0) & ((found == 0) | ~np.isfinite(found)), 0, found)
    return settled


def _gated(node: Node, i: int, partial: Any, taint: Taint, motion: Motion) -> Taint:
    """Return the taint that passes the i-th partial derivative of an elementwise row: its structural zeros stop it."""
    op = node.op
    assert op is not None
    if op.gates:
        closed = np.equal(value_of(partial), 0)
    elif op is MULTIPLY:
        closed = np.equal(value_of(node.values[1 - i]), 0)
        still = False if _is_open(closed) else motion.still(node, 1 - i)
        closed = False if still is False else closed & still & ~np.isnan(value_of(node.out))  # what is NaN itself left nothing out
    elif (op is DIVIDE and i == 1) or op.fn in _FAST:
        return _overflowed(node, taint)
    else:
        return taint
    if _is_open(closed):
        return taint
    return cast_to(np.where(closed, 0, np.nan if taint is None else taint), value_of(node.out).dtype)


_FAST = (np.reciprocal, np.exp, np.exp2, np.expm1, np.sinh, np.cosh)


def _overflowed(node: Node, taint: Taint) -> Taint:
    """Return the taint that passes an exponential that overflowed, or a division by what did.

    The slope of 1 / b falls faster than the exponential in b rises, so both together are a zero, as in 1 / (1 + exp(-z)): the
    first that is met marks the taint with infinity, the second closes it.
    """
    out, x = value_of(node.out), value_of(node.values[-1])
    fast = np.isinf(out) & np.isfinite(x) & (x != 0) if node.op is not DIVIDE and node.op.fn is not np.reciprocal else np.isinf(x)  # type: ignore[union-attr]
    if is_eager(fast) and not np.any(fast):
        return taint
    taint = np.nan if taint is None else taint
    return cast_to(np.where(fast & (taint != 0), np.where(np.isinf(taint), 0, np.inf)[()], taint), out.dtype)


def _is_open(closed: Any) -> bool:
    return closed is False or (is_eager(closed) and not np.any(closed))


def _standing_in(node: Node, values: tuple[Any, ...]) -> Node:
    """Return the Node with other values; plain ones for the Tensors of outer transforms, so that its rules record nothing."""
    return Node(node.op, node.parents, values, node.attrs, value_of(node.out), node.needs, node.level)


def _unwrapped(node: Node) -> Node:
    return _standing_in(node, tuple(value_of(v) for v in node.values))


def _through(op: Op, move: Callable[[], Any]) -> Any:
    """Move taint; a user's rule need not bear NaN, and ``None`` says so."""
    try:
        return move()
    except Exception:
        if op.strict:
            return None
        raise


def _pulled_taint(op: Op, taint: Taint, node: Node) -> dict[int, Taint]:
    """Pull taint through the rule of a row; an operand that is missing in the answer is tainted everywhere."""
    if taint is None and not (op.selects or "where" in node.attrs):
        return {}
    pulled = _through(op, lambda: pull(op, _spread(taint, value_of(node.out)), _unwrapped(node)))
    return {i: _compact(gi) for i, gi in pulled or ()}


def _pushed_taint(op: Op, given: Sequence[bool], taints: tuple[Any, ...], node: Node, motion: Motion) -> Taint:
    """Push taint through a row that is not elementwise."""
    if op.kind == "multilinear":
        return _pushed_through_product(op, given, taints, node, motion)
    if not (op.selects or "where" in node.attrs) and any(g and t is None for g, t in zip(given, taints, strict=True)):
        return None
    plain = _unwrapped(node)
    spread = tuple(_spread(t, v) if g else None for g, t, v in zip(given, taints, plain.values, strict=True))
    moved = _through(op, lambda: push(op, spread, plain))
    return None if moved is None else _compact(moved)


# --- products -------------------------------------------------------------------------------------


Evaluate = Callable[[tuple[Any, ...], Any], Any]
"""What a product gives for its factors and a cotangent, or for the tangent of one factor."""


def _pulling(op: Op, i: int, node: Node) -> Evaluate:
    return lambda factors, g: unbroadcast(op.rules[i](g, node.out, *factors, **node.attrs), np.shape(factors[i]))


def _pushing(op: Op, i: int, node: Node) -> Evaluate:
    return lambda factors, t: op.fn(*factors[:i], t, *factors[i + 1 :], **node.attrs)


def _product(evaluate: Evaluate, x: Array, taint: Taint, node: Node, motion: Motion) -> tuple[Array, Taint]:
    """Evaluate a product without the terms that have both a structural zero and an infinity in them."""
    found = evaluate(node.values, x)
    out = value_of(node.out)
    probe = _probe(x, taint, node, motion)
    if probe is None:
        return found, None
    factors, direction = probe
    reached = evaluate(factors, direction)
    if is_eager(found) and not np.isfinite(value_of(found)).all():
        without = evaluate(_finite_where(factors, node.values), *_finite_where((direction,), (x,)))
        found = np.where(reached == without, evaluate(_finite_where(node.values, node.values), *_finite_where((x,), (x,))), found)
    reached = _of_probe(reached, out)
    return _settled(found, reached), reached


def _probe(x: Any, taint: Taint, node: Node, motion: Motion) -> tuple[tuple[Array, ...], Array] | None:
    """Return factors and a cotangent (or tangent) in general position, but zero where they are structurally zero.

    Positive numbers drawn at random do not cancel: what they give is zero where it is zero for any numbers. ``None`` if no
    zero is structural.
    """
    rng = np.random.default_rng(0)
    values = [value_of(v) for v in node.values]
    closed = [np.equal(v, 0) & motion.still(node, i) if is_eager(v) and not np.all(v) else False for i, v in enumerate(values)]
    if taint is None and not any(map(np.any, closed)):
        return None
    factors = tuple(np.where(zero, 0, random_like(rng, v)) for zero, v in zip(closed, values, strict=True))
    direction = random_like(rng, value_of(x))
    return factors, direction if taint is None else np.where(taint == 0, 0, direction)


def _of_probe(reached: Array, out: Array) -> Taint:
    return _compact(np.where(reached != 0, np.nan, 0).astype(out.dtype))


def _finite_where(arrays: tuple[Any, ...], values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the arrays with zeros where `values` are infinite or NaN."""
    return tuple(np.where(np.isfinite(value_of(v)), a, 0) for a, v in zip(arrays, values, strict=True))


def _pushed_through_product(op: Op, given: Sequence[bool], taints: tuple[Any, ...], node: Node, motion: Motion) -> Taint:
    """Push taint alone through a product."""
    found = []
    for i, taint in enumerate(taints):
        if given[i]:
            probe = _probe(node.values[i], taint, node, motion)
            found.append(None if probe is None else _of_probe(_pushing(op, i, node)(*probe), value_of(node.out)))
    return _union(found, node)
