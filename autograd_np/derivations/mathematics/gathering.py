"""What gathers an array along axes: sums, means, products, maxima, variances, soft maxima."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_np.derivations.expression import Expression, walked
from autograd_np.derivations.mathematics import notation as n
from autograd_np.derivations.mathematics.equations import ONE, At, Equations, bracketed, fenced, is_one, is_silent, moves_axes
from autograd_np.derivations.mathematics.notation import Node
from autograd_np.derivations.mathematics.products import MINUS
from autograd_np.derivations.mathematics.sizes import Leveled
from autograd_np.derivations.mathematics.templates import ATOM, FUNCTION, POWER, PRODUCT
from autograd_np.derivations.simplifying.patterns import told
from autograd_np.ops import special
from autograd_np.ops.indexing import scatter_add

__all__ = ["FAMILIES"]

SUM_SIGN = n.Sign("∑")
_SIGNS: dict[Any, Node] = {
    np.sum: SUM_SIGN, np.prod: n.Sign("∏"), np.mean: SUM_SIGN, special.logsumexp: SUM_SIGN,
    np.max: n.Sign("max", "function"), np.min: n.Sign("min", "function"), np.var: n.Sign("Var", "function"),
    np.std: n.Sign("sd", "function"),
    np.argmax: n.Sign("arg max", "function"), np.argmin: n.Sign("arg min", "function"), np.any: n.Sign("any", "function"),
    np.all: n.Sign("all", "function"),
}  # fmt: skip
DOT = n.Sign("⋅", "mark")


def _reduction(w: Equations, e: Expression, at: At) -> Leveled | None:
    function = next((f for f in _SIGNS if e.is_call(f)), None)
    attrs = told(e.attrs)
    if function is None or set(attrs) - {"axis", "keepdims", "dtype"} - ({"ddof"} if function in (np.var, np.std) else set()):
        return None
    x = e.args[0]
    axes = _axes(attrs.get("axis"), x.ndim)
    if not x.ndim:
        return w.leveled(x, at) if function in (np.sum, np.mean, np.prod, np.max, np.min) else None
    kept = [i for i in range(x.ndim) if i not in axes]
    if at is None and any(not is_one(x, i) for i in kept) and is_elementwise(w, x):
        own = w.fresh(e.ndim)
        return n.Script(fenced(w.bound(e, own)), n.row(*own)), POWER
    inner = x
    while is_silent(inner) and inner not in w.names:
        inner = inner.args[0]
    skip = x.ndim - inner.ndim
    kept_apart = [i for i in kept if i >= skip and not is_one(inner, i - skip)]
    at_kept: list[Node] | None = None
    if at is not None:
        at_kept = [at[i] for i in kept] if attrs.get("keepdims") else list(at)
    many = [i for i in axes if not is_one(x, i)]
    before = len(w._used)
    w._used += at_kept or []
    letters = dict(zip(many, w.fresh(many), strict=True))
    w._used += letters.values()
    body, binds = _body(w, function, x, letters, kept, at_kept, kept_apart)
    del w._used[before:]
    if not many:
        return body, binds
    return _gathered(w, function, x, list(letters.items()), (body, binds), attrs)


def is_elementwise(w: Equations, x: Expression) -> bool:
    """Whether an array is written by its elements."""
    return any(
        y.is_call(scatter_add) or moves_axes(y) or (y.op is not None and y.op.name == "einsum")
        for y in walked([x], lambda y: y in w.names)
        if y not in w.names
    )


def _axes(axis: Any, ndim: int) -> list[int]:
    if axis is None:
        return list(range(ndim))
    return sorted(a % ndim for a in (axis if isinstance(axis, tuple) else (axis,))) if ndim else []


def _body(
    w: Equations, function: Any, x: Expression, letters: dict[int, Node], kept: list[int], at: list[Node] | None, kept_apart: list[int]
) -> Leveled:
    """Write what is gathered: an element, or a part of an array with dots where it goes on."""
    places: list[Node] = [letters.get(i, ONE) for i in range(x.ndim)]
    if at is not None:
        for i, place in zip(kept, at, strict=True):
            places[i] = ONE if is_one(x, i) else place
    elif kept_apart:
        for i in kept:
            places[i] = ONE if is_one(x, i) else DOT
        node, binds = _part(w, x, places)
        return _exponential(node) if function is special.logsumexp else (node, binds)
    node, binds = w.leveled(x, tuple(places))
    return _exponential(node) if function is special.logsumexp else (node, binds)


def _exponential(node: Node) -> Leveled:
    return n.Script(n.Symbol("e"), None, node), POWER


def _part(w: Equations, x: Expression, places: list[Node]) -> Leveled:
    """Write the part of an array at some indices: of a variable by its own, of anything else by an index of the whole."""
    if x in w.names and not w.names[x].is_gradient:
        node = w.symbols(w.names[x].name, x.ndim)
        return w.with_shape(w.indexed(node, places), x), ATOM
    node, binds = w.leveled(x)
    return w.indexed(node if binds == ATOM and not isinstance(node, n.Script) else fenced(node), places), ATOM


def _gathered(w: Equations, function: Any, x: Expression, letters: list[tuple[int, Node]], body: Leveled, attrs: dict[str, Any]) -> Leveled:
    if len(letters) == 1:
        [(axis, letter)] = letters
        below: Node = n.row(letter, n.Sign("=", "relation"), ONE)
        above: Node | None = w.sizes.size(tuple(s[axis] for s in x.shapes))
    else:
        below, above = n.joined((letter for _, letter in letters), n.Sign(",", "mark")), None
    sign = _SIGNS[function]
    if sign.text not in "∑∏":  # type: ignore[union-attr]
        below, above = n.joined((letter for _, letter in letters), n.Sign(",", "mark")), None
        named = n.Big(sign, below)
        if function in (np.var, np.std, np.argmax, np.argmin):
            ddof = attrs.get("ddof")
            named = n.Big(
                n.Script(sign, None, n.row(n.Symbol("ddof", "upright"), n.Sign("=", "relation"), w.attribute(ddof))) if ddof else sign,
                below,
            )
        return n.row(named, body[0] if body[1] == ATOM and function in (np.max, np.min) else fenced(body[0])), FUNCTION
    minus = function in (np.sum, np.mean) and body[1] == PRODUCT and isinstance(body[0], n.Row) and body[0].items[0] == MINUS
    if minus:
        body = n.row(*body[0].items[1:]), PRODUCT  # type: ignore[union-attr]
    found = n.row(n.Big(sign, below, above), bracketed(*body, PRODUCT if sign == SUM_SIGN else POWER))
    if function is special.logsumexp:
        return n.row(n.Sign("log", "function"), found), FUNCTION
    if function is np.mean:
        count = tuple(int(np.prod([s[i] for i, _ in letters])) for s in x.shapes)
        found = n.row(n.Fraction(ONE, w.sizes.size(count)), found)
    return (n.row(MINUS, found), PRODUCT) if minus else (found, FUNCTION)


def _softmax(w: Equations, e: Expression, at: At) -> Leveled | None:
    """Write a soft maximum with its axis only where that is not the last."""
    if not e.is_call(special.softmax, special.log_softmax):
        return None
    if at is not None:
        return w.element(e, at)
    x, axis = e.args[0], e.attribute("axis", -1)
    name: Node = n.Sign("softmax", "function")
    if isinstance(axis, int) and axis % x.ndim != x.ndim - 1:
        name = n.Script(name, n.row(n.Symbol("axis", "upright"), n.Sign("=", "relation"), n.number(axis)))
    node = n.row(name, n.Fence("(", w(x), ")"))
    return (n.row(n.Sign("log", "function"), node), FUNCTION) if e.is_call(special.log_softmax) else (node, ATOM)


def _norm(w: Equations, e: Expression, at: At) -> Leveled | None:
    """Write a norm of all of an array; of one along an axis, the part that it is of."""
    if e.op is None or e.op.name not in ("norm", "vector_norm", "matrix_norm"):
        return None
    attrs = told(e.attrs)
    x, axis, order = e.args[0], attrs.get("axis"), attrs.get("ord")
    if (
        set(attrs) - {"axis", "ord", "keepdims"}
        or (axis is not None and not isinstance(axis, int))
        or not isinstance(order, (int, float, str, type(None)))
    ):
        return None
    if axis is None or x.ndim == 1:
        body = w(x)
    else:
        kept = [i for i in range(x.ndim) if i != axis % x.ndim]
        letters = w.fresh(len(kept)) if at is None else [at[i] for i in kept] if attrs.get("keepdims") else list(at)
        places: list[Node] = [DOT] * x.ndim
        for i, letter in zip(kept, letters, strict=True):
            places[i] = letter
        body = _part(w, x, places)[0]
        if at is None:
            below = n.row(*letters)
            norm = n.Fence("‖", body, "‖")
            return n.Script(fenced(norm if order in (None, 2) else n.Script(norm, w.attribute(order))), below), POWER
    fence = n.Fence("‖", body, "‖")
    small: Node | None = None
    if order not in (None, 2) or (axis is None and x.ndim > 1):
        small = n.Symbol("F") if order in (None, "fro") else w.attribute(order)
    return (fence, ATOM) if small is None else (n.Script(fence, small), POWER)


FAMILIES = (_reduction, _softmax, _norm)
