"""Which elements of an array are read, and where elements are put: indices, slices, axes of length one."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_np.derivations.expression import Expression
from autograd_np.derivations.mathematics import notation as n
from autograd_np.derivations.mathematics.equations import ONE, At, Equations, bracketed, fenced, is_one, is_range, moves_axes
from autograd_np.derivations.mathematics.matrices import transposed
from autograd_np.derivations.mathematics.notation import Node
from autograd_np.derivations.mathematics.products import MINUS
from autograd_np.derivations.mathematics.sizes import Leveled
from autograd_np.derivations.mathematics.templates import ATOM, FUNCTION, POWER, PRODUCT
from autograd_np.ops.indexing import getitem, scatter_add
from autograd_np.ops.shaping import reshape

__all__ = ["FAMILIES"]

ALL = slice(None)
COMMA = n.Sign(",", "mark")
DOT = n.Sign("⋅", "mark")
PARTIAL = n.Sign("∂", "mark")
EQUALS = n.Sign("=", "relation")


# --- axes of length one


def _axes_added(w: Equations, e: Expression, at: At) -> Leveled | None:
    """Write ``b[:, None]`` as the column b, ``b[None, :]`` as its transpose, and more axes of length one not at all."""
    x = e.args[0] if e.args else e
    if not (
        e.is_call(np.expand_dims, np.squeeze, reshape)
        or (e.is_call(getitem, scatter_add) and _takes_all(e, e if e.is_call(scatter_add) else x))
    ):
        return None
    there = [i for i in range(e.ndim) if not is_one(e, i)]
    before = [i for i in range(x.ndim) if not is_one(x, i)]
    if [tuple(s[i] for s in e.shapes) for i in there] != [tuple(s[i] for s in x.shapes) for i in before]:
        return None
    if at is not None:
        places: list[Node] = [ONE] * x.ndim
        for i, j in zip(before, there, strict=True):
            places[i] = at[j]
        return w.leveled(x, tuple(places))
    if x.ndim == 1 and e.ndim == 2 and there == [1]:
        return transposed(w, x)
    if moves_axes(e) and x.ndim:
        letters = w.fresh(e.ndim)
        places = [ONE if is_one(e, i) else letters[i] for i in range(e.ndim)]
        return n.Script(fenced(w.bound(e, places)), n.row(*places)), POWER
    return w.leveled(x)


def _takes_all(e: Expression, x: Expression) -> bool:
    """Whether an index only adds and drops axes of length one."""
    index = e.attribute("index")
    parts = list(index) if isinstance(index, tuple) else [index]
    axis = 0
    for p in parts:
        if p is Ellipsis:
            axis = x.ndim - sum(1 for q in parts[parts.index(p) + 1 :] if q is not None)
        elif p is not None:
            if not (isinstance(p, slice) and p == ALL) and not (p in (0, -1) and axis < x.ndim and is_one(x, axis)):
                return False
            axis += 1
    return True


# --- indices


def _entries(index: Any, ndim: int) -> list[Any] | None:
    """Return what stands for each axis of an array; ``None`` if new axes or masks are among it."""
    parts = list(index) if isinstance(index, tuple) else [index]
    if any(p is None or isinstance(p, (bool, list)) or (isinstance(p, Expression) and p.dtype.kind == "b") for p in parts):
        return None
    if Ellipsis in [p for p in parts if not isinstance(p, Expression)]:
        at = next(i for i, p in enumerate(parts) if p is Ellipsis)
        parts[at : at + 1] = [ALL] * (ndim - len(parts) + 1)
    return [*parts, *[ALL] * (ndim - len(parts))] if len(parts) <= ndim else None


def _is_plain(v: Any) -> bool:
    return isinstance(v, int) or (isinstance(v, Expression) and v.kind == "number")


def _values(v: Any, e: Expression) -> tuple[int, ...]:
    return tuple(v.values) if isinstance(v, Expression) else (v,) * e.sheet.points


def _place(w: Equations, v: Any, e: Expression, axis: int) -> Node:
    """Return the place of an integer on an axis, counted from one."""
    sizes = tuple(s[axis] for s in e.shapes)
    values = [i + s if i < 0 else i for i, s in zip(_values(v, e), sizes, strict=True)]
    return w.sizes.size(tuple(i + 1 for i in values))


def _range(w: Equations, v: slice, e: Expression, axis: int) -> Node:
    """Return a slice as the first and the last place, counted from one."""
    ends = []
    for k in range(e.sheet.points):
        start, stop, step = (x.values[k] if isinstance(x, Expression) else x for x in (v.start, v.stop, v.step))
        ends.append(slice(start, stop, step).indices(e.shapes[k][axis]))
    first = w.sizes.size(tuple(start + 1 for start, _, _ in ends))
    last = w.sizes.size(tuple(stop if step > 0 else stop + 2 for _, stop, step in ends))
    if all(len(range(*x)) == 1 for x in ends):
        return first
    step = ends[0][2]
    return n.joined([first, *([n.number(step)] if step != 1 else []), last], n.Sign(":", "mark"))


def _getitem(w: Equations, e: Expression, at: At) -> Leveled | None:
    if not e.is_call(getitem, np.take):
        return None
    x = e.args[0]
    if e.is_call(np.take):
        axis = e.attribute("axis")
        if axis is None or e.args[1].ndim > 1 or e.args[1].kind == "number":
            return None
        entries: list[Any] | None = [ALL] * x.ndim
        entries[axis % x.ndim] = e.args[1]  # type: ignore[index]
    else:
        index = e.attribute("index")
        entries = _entries(index, x.ndim)
    if entries is None:
        return w.element(e, at) if at is not None else _by_symbol(w, x, e)
    arrays = [p for p in entries if isinstance(p, Expression) and p.kind != "number"]
    if any(p.ndim != 1 for p in arrays) or (arrays and not _are_together(entries)):
        return w.element(e, at) if at is not None else _by_symbol(w, x, e)
    if at is None and len(arrays) >= 2:
        letters = w.fresh(e.ndim)
        return n.Script(fenced(w.bound(e, letters)), n.row(*letters)), POWER
    places: list[Node] = []
    rest = list(at) if at is not None else None
    common = rest[_first_array(entries)] if rest is not None and arrays else None
    taken = False
    for axis, p in enumerate(entries):
        if _is_plain(p):
            places.append(_place(w, p, x, axis))
        elif isinstance(p, Expression):
            if rest is not None and not taken:
                rest.remove(common)  # type: ignore[arg-type]
                taken = True
            places.append(w(p) if common is None else common if is_range(p) else w.bound(p, [common]))
        elif rest is None:
            places.append(DOT if p == ALL else _range(w, p, x, axis))
        else:
            moved = _moved(w, p, rest.pop(0), x, axis)
            if moved is None:
                return w.element(e, at or ())
            places.append(moved)
    return _at_places(w, x, places, at)


def _are_together(entries: list[Any]) -> bool:
    where = [i for i, p in enumerate(entries) if isinstance(p, Expression) and p.kind != "number"]
    return where == list(range(where[0], where[-1] + 1))


def _first_array(entries: list[Any]) -> int:
    return sum(
        1 for p in entries[: next(i for i, p in enumerate(entries) if isinstance(p, Expression) and p.kind != "number")] if not _is_plain(p)
    )


def _moved(w: Equations, p: slice, letter: Node, x: Expression, axis: int) -> Node | None:
    """Return where the element of a slice is in the array that was sliced."""
    if p == ALL:
        return letter
    starts = set()
    for k in range(x.sheet.points):
        start, stop, step = (v.values[k] if isinstance(v, Expression) else v for v in (p.start, p.stop, p.step))
        first, last, by = slice(start, stop, step).indices(x.shapes[k][axis])
        if len(range(first, last, by)) == 1:
            return w.sizes.size((first + 1,) * x.sheet.points) if isinstance(letter, n.Number) else None
        if by != 1:
            return None
        starts.add(first)
    if len(starts) != 1:
        return None
    start = starts.pop()
    return letter if not start else n.row(letter, n.Sign("+", "mark"), n.number(start))


def _at_places(w: Equations, x: Expression, places: list[Node], at: At) -> Leveled:
    if at is not None or all(not isinstance(p, n.Sign) for p in places):
        element = all(not isinstance(p, n.Sign) and not _is_range_node(p) for p in places)
        if element and x in w.names:
            return w.leaf(x, tuple(places))
        if element:
            return w.leveled(x, tuple(places))
    node, binds = (w.symbols(w.names[x].name, x.ndim), ATOM) if x in w.names and not w.names[x].is_gradient else w.leveled(x)
    node = node if binds == ATOM else n.Fence("(", node, ")")
    return w.indexed(node, [n.row(p) for p in places]), ATOM


def _is_range_node(p: Node) -> bool:
    return isinstance(p, n.Row) and any(isinstance(i, n.Sign) and i.text == ":" for i in p.items)


def _by_symbol(w: Equations, x: Expression, e: Expression) -> Leveled:
    """Write an index as it is: a mask, or arrays of places."""
    node, binds = w.leveled(x)
    if e.is_call(getitem):
        index = e.attribute("index")
        parts = list(index) if isinstance(index, tuple) else [index]
        inner = n.joined([_as_is(w, p, x, i) for i, p in enumerate(parts)], COMMA)
    else:
        inner = w(e.args[1])
    return n.Script(node if binds == ATOM else n.Fence("(", node, ")"), n.Fence("[", inner, "]")), POWER


def _as_is(w: Equations, p: Any, x: Expression, axis: int) -> Node:
    if isinstance(p, Expression):
        return w.condition(p, None) if p.kind != "number" else w(p)
    if p is None:
        return n.Symbol("new", "upright")
    if p is Ellipsis:
        return n.Sign("…", "mark")
    if isinstance(p, slice):
        return DOT if p == ALL else n.Sign(":", "mark") if axis >= x.ndim else _range(w, p, x, axis)
    return _place(w, p, x, axis) if isinstance(p, int) and axis < x.ndim else w.attribute(p)


# --- putting


def _scatter(w: Equations, e: Expression, at: At) -> Leveled | None:
    """Write what gathers gradients of picked elements: ``[j = y_i] g_i``, a sum over the elements that were picked."""
    if not e.is_call(scatter_add):
        return None
    entries = _entries(e.attribute("index"), e.ndim)
    arrays = [] if entries is None else [p for p in entries if isinstance(p, Expression) and p.kind != "number"]
    simple = entries is not None and all(p.ndim == 1 for p in arrays) and (not arrays or _are_together(entries))
    if not simple or entries is None or any(isinstance(p, slice) and p != ALL for p in entries):
        return _scattered(w, e, at)
    if at is None:
        letters = w.fresh(e.ndim)
        return n.Script(fenced(w.bound(e, letters)), n.row(*letters)), POWER
    before = len(w._used)
    w._used += at
    row_axis = next((i for i, p in enumerate(entries) if isinstance(p, Expression) and p.kind != "number" and is_range(p)), None)
    common = at[row_axis] if row_axis is not None else w.fresh(1)[0] if arrays else None
    if common is not None:
        w._used.append(common)
    conditions, inner, put = [], [], False
    for axis, p in enumerate(entries):
        if _is_plain(p):
            conditions.append(n.row(at[axis], EQUALS, _place(w, p, e, axis)))
        elif isinstance(p, Expression):
            if not put and common is not None:
                inner.append(common)
                put = True
            if axis != row_axis and common is not None:
                conditions.append(n.row(at[axis], EQUALS, w(p, (common,))))
        else:
            inner.append(at[axis])
    amount, binds = w.leveled(e.args[0], tuple(inner))
    del w._used[before:]
    bracket: Node = n.Fence("[", n.joined(conditions, COMMA), "]")
    minus = isinstance(amount, n.Row) and amount.items[0] == MINUS and binds == PRODUCT
    if minus:
        amount = n.row(*amount.items[1:])  # type: ignore[union-attr]
    body = bracket if amount == ONE else n.row(amount if minus else bracketed(amount, binds, POWER), bracket)
    if minus:
        body = n.row(MINUS, body)
    if arrays and row_axis is None and common is not None:
        return n.row(n.Big(n.Sign("∑"), common), body), FUNCTION
    return body, ATOM if amount == ONE else PRODUCT


def _scattered(w: Equations, e: Expression, at: At) -> Leveled:
    """Write zeros with something put among them as the operation with its places."""
    if at is not None:
        return w.element(e, at)
    index = e.attribute("index")
    parts = list(index) if isinstance(index, tuple) else [index]
    where = n.joined([_as_is(w, p, e, i) for i, p in enumerate(parts)], COMMA)
    return n.row(n.Script(n.Sign("scatter", "function"), where), n.Fence("(", w(e.args[0]), ")")), ATOM


FAMILIES = (_axes_added, _getitem, _scatter)
