"""A gradient as lines: what is put into places of an array is written as an assignment, not as a function."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Any, NamedTuple

import numpy as np

from autograd_np.derivations.expression import Expression, inside, realised
from autograd_np.derivations.source.writing import ATOM, Writer
from autograd_np.ops.indexing import is_basic, scatter_add, setitem
from autograd_np.ops.shaping import copy, to_float

__all__ = ["is_seen_elsewhere", "lines_of", "written_into"]


def is_seen_elsewhere(e: Expression, others: Iterable[Expression]) -> bool:
    """Whether a write into an array would be seen in another."""
    return any(isinstance(x.values[0], np.ndarray) and np.may_share_memory(x.values[0], e.values[0]) for x in others if x is not e)


class _Term(NamedTuple):
    """A summand, and whether it is taken off."""

    value: Expression
    negative: bool


def lines_of(name: str, e: Expression, writer: Writer) -> list[str]:
    """Return the lines that give a variable its value.

    Parameters
    ----------
    name : str
    e : Expression
    writer : Writer
    """
    after: list[str] = []
    like = e
    inner, scale = _unscaled(e)
    if inner is not e and inner.dtype == e.dtype and _puts(inner, writer.names):
        e = inner
        after = [f"{name} {operator}= {writer(by)}" for operator, by in scale]
    if e.is_call(setitem) and e not in writer.names:
        return [*_own(name, e.args[0], writer), written_into(name, e, writer), *after]
    terms = _terms(e, writer.names)
    put = [t for t in terms if t.value.is_call(scatter_add) and t.value not in writer.names]
    plain = [t for t in terms if t not in put]
    if not put or any(t.value.shapes != e.shapes for t in (*put, *([_summed(plain)] if plain else []))):
        return [f"{name} = {writer(like)}"]
    side_by_side = None if plain else _side_by_side(put, e, writer)
    if side_by_side is not None:
        return [f"{name} = {side_by_side}", *after]
    lines = _own(name, _as(_summed(plain).value, like), writer) if plain else [f"{name} = {writer.zeros(e)}"]
    touched = [np.full(s, bool(plain)) for s in e.shapes]
    for term in put:
        lines += _put(name, term, touched, writer)
    return lines + after


def _as(x: Expression, like: Expression) -> Expression:
    """Return an expression in the dtype of another: a mask cannot be subtracted from in place."""
    return x if x.dtype == like.dtype else x.sheet.call(to_float, x, dtype=like.dtype)


def written_into(name: str, e: Expression, writer: Writer) -> str:
    """Return the line that writes into places of an array, of a variable that holds what was there before."""
    return f"{name}[{writer.index(e.attribute('index'))}] = {writer(e.args[1])}"


def _own(name: str, e: Expression, writer: Writer) -> list[str]:
    """Return the lines that give a variable memory of its own."""
    shown = _shown(e, writer)
    if shown in writer.names or shown.kind in ("array", "variable"):
        text, binds = writer.text(e)
        return [f"{name} = {text if binds == ATOM else f'({text})'}.copy()"]
    return lines_of(name, e, writer)


def _shown(e: Expression, writer: Writer) -> Expression:
    """Return the array whose memory is shown by what is written for an expression: of a view, what it is a view of."""
    while e not in writer.names and e.args and isinstance(e.args[0].values[0], np.ndarray):
        if not (e.is_call(copy, np.positive) or np.may_share_memory(e.values[0], e.args[0].values[0])):
            break
        e = e.args[0]
    return e


def _unscaled(e: Expression) -> tuple[Expression, list[tuple[str, Expression]]]:
    """Take off the numbers that an array is multiplied with and divided by."""
    scale: list[tuple[str, Expression]] = []
    while True:
        if e.is_call(np.divide) and e.args[1].ndim == 0:
            scale.append(("/", e.args[1]))
            e = e.args[0]
        elif e.is_call(np.multiply) and e.args[0].ndim == 0 and e.ndim:
            scale.append(("*", e.args[0]))
            e = e.args[1]
        else:
            return e, scale


def _puts(e: Expression, names: Container[Expression]) -> bool:
    """Whether an expression, which no variable holds, is written by assignments to places."""
    parts = [e, *(t.value for t in _terms(e, names) if t.value.is_call(scatter_add))] if e not in names else []
    return any(p.is_call(setitem, scatter_add) and p not in names for p in parts)


def _terms(e: Expression, names: Container[Expression], negative: bool = False) -> list[_Term]:
    """Return the summands of an expression in their order."""
    if e in names:
        return [_Term(e, negative)]
    if e.is_call(np.add, np.subtract):
        return _terms(e.args[0], names, negative) + _terms(e.args[1], names, negative ^ e.is_call(np.subtract))
    if e.is_call(np.negative):
        return _terms(e.args[0], names, not negative)
    put, scale = _unscaled(e)
    if scale and put.is_call(scatter_add) and put not in names:
        g = put.args[0]
        for operator, by in reversed(scale):
            g = e.sheet.call(np.divide, g, by) if operator == "/" else e.sheet.call(np.multiply, by, g)
        e = e.sheet.apply(put.op, [g], dict(put.attrs))  # type: ignore[arg-type]
    if e.is_call(scatter_add) and e.args[0].kind == "number" and all(v < 0 for v in e.args[0].values):
        e = e.sheet.apply(e.op, [e.sheet.number(*(-v for v in e.args[0].values))], dict(e.attrs))  # type: ignore[arg-type]
        negative = not negative
    return [_Term(e, negative)]


def _summed(terms: list[_Term]) -> _Term:
    first, *others = terms
    sheet = first.value.sheet
    total = sheet.call(np.negative, first.value) if first.negative else first.value
    for t in others:
        total = sheet.call(np.subtract if t.negative else np.add, total, t.value)
    return _Term(total, False)


def _side_by_side(put: list[_Term], e: Expression, writer: Writer) -> str | None:
    """Write pieces that fill an array along one axis, one after the other, as ``np.concatenate``."""
    pieces: dict[int, _Term] = {}
    along: set[int] = set()
    for term in put:
        index = term.value.attribute("index")
        parts = index if isinstance(index, tuple) else (index,)
        if not all(
            isinstance(p, slice) and p.step is None and not any(isinstance(x, Expression) for x in (p.start, p.stop)) for p in parts
        ):
            return None
        cut = [i for i, p in enumerate(parts) if p != slice(None)]
        if len(cut) != 1 or len(along | set(cut)) > 1:
            return None
        along |= set(cut)
        pieces[parts[cut[0]].start or 0] = term
    axis = along.pop()
    ordered = [pieces[k] for k in sorted(pieces)]
    if len(ordered) != len(put) or any(sum(t.value.args[0].shapes[k][axis] for t in ordered) != s[axis] for k, s in enumerate(e.shapes)):
        return None
    stop = 0
    for start, term in sorted(pieces.items()):
        if start != stop:
            return None
        stop += term.value.args[0].shape[axis]
    values = [writer(t.value.sheet.call(np.negative, t.value.args[0]) if t.negative else t.value.args[0]) for t in ordered]
    return f"np.concatenate([{', '.join(values)}], axis={axis})"


def _put(name: str, term: _Term, touched: list[Any], writer: Writer) -> list[str]:
    """Write one summand that is put into places; into places that hold nothing yet it is assigned."""
    e = term.value
    index = e.attribute("index")
    g = e.args[0]
    value = "1" if not g.reads and all(np.all(v == 1) for v in g.values) else writer(g)
    place = f"{name}[{writer.index(index)}]"
    if not _are_distinct(index, e):
        for mask in touched:
            mask[...] = True
        return [f"np.{'subtract' if term.negative else 'add'}.at({name}, {_as_object(writer.index(index), index)}, {value})"]
    fresh = True
    for k, mask in enumerate(touched):
        there = ... if any(x.ndim or x.reads for x in inside(index)) else realised(index, k)  # places that depend on values may be any
        fresh = fresh and not np.any(mask[there])
        mask[there] = True
    if fresh:
        g = e.sheet.call(np.negative, g) if term.negative else g
        if _puts(g, writer.names) and is_basic(index):
            return lines_of(place, g, writer)
        return [f"{place} = {writer(g) if term.negative else value}"]
    return [f"{place} {'-' if term.negative else '+'}= {value}"]


def _as_object(text: str, index: Any) -> str:
    """Write an index where Python takes a value."""
    parts = index if isinstance(index, tuple) else (index,)
    if any(isinstance(p, slice) or p is Ellipsis for p in parts):
        return f"np.s_[{text}]"
    return f"({text})" if isinstance(index, tuple) else text


def _are_distinct(index: Any, e: Expression) -> bool:
    """Whether no element is named twice, whatever the places are: slices, numbers, or a row of its own for each."""
    parts = index if isinstance(index, tuple) else (index,)
    if any(isinstance(p, list) for p in parts):
        return False
    if not any(isinstance(p, Expression) and p.ndim for p in parts):
        return True
    if any(isinstance(p, Expression) and p.dtype.kind == "b" for p in parts):
        return len(parts) == 1
    return any(
        isinstance(p, Expression)
        and p.kind == "array"
        and all(np.array_equal(v, np.arange(s[i])) for v, s in zip(p.values, e.shapes, strict=True))
        for i, p in enumerate(parts)
        if p is not Ellipsis and i < e.ndim
    )
