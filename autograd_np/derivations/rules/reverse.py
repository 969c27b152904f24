"""One step of the chain rule: what flows from the result of an operation to its arguments, as expressions.

Nothing is written down per operation. The rule of the row is NumPy, so it is run on Tensors that record it, at each point, and
what they recorded is read.
"""

from __future__ import annotations

import inspect
import math
import warnings
from typing import Any, cast

import numpy as np

from autograd_np.derivations.expression import Expression, inside
from autograd_np.derivations.expression import realised as realised_at
from autograd_np.derivations.reading.lockstep import Lockstep, NotAlikeError
from autograd_np.derivations.rules.as_written import PARTIALS, VJPS
from autograd_np.derivations.rules.whole import Call, is_general, whole
from autograd_np.derivations.simplifying.patterns import told
from autograd_np.node import Level
from autograd_np.op import RESULT, Op
from autograd_np.ops.complex import real
from autograd_np.ops.indexing import axes_of
from autograd_np.ops.shaping import spread, to_float
from autograd_np.results import Results
from autograd_np.sweeps import broadcast_axes
from autograd_np.tensor import Tensor, leaf

__all__ = ["Cotangent", "is_differentiable", "pulled"]

Cotangent = Expression | list[Expression | None]
"""What arrives at an operation: an expression, or one for each of several results."""


def is_differentiable(e: Expression) -> bool:
    """Whether a gradient by an expression exists: its dtype is a floating or a complex one."""
    value = e.values[0]
    return isinstance(value, Results) or (e.kind != "number" and e.dtype.kind in "fc")


def pulled(e: Expression, g: Cotangent, wanted: list[int], *, as_written: bool = False) -> list[tuple[int, Cotangent]]:
    """Return what flows from an operation to the arguments that are wanted, by their numbers.

    A rule that does something else at other sizes, and so cannot be written for all of them, is a call of `vjp`.

    Parameters
    ----------
    e : Expression
    g : Expression, or a list of them
        What arrives at the result.
    wanted : list of int
    as_written : bool
        Write kinks as people do; see `autograd_np.derivations.rules.as_written`.
    """
    op = cast(Op, e.op)
    if op.kind == "constant":
        return []
    known = {e, *(x for x in (g if isinstance(g, list) else [g]) if x is not None), *e.children}
    if as_written and op in PARTIALS:
        return [(i, _fitted(_by_element(e, cast(Expression, g), PARTIALS[op][i]), e.args[i])) for i in wanted]
    if as_written and e.is_call(np.mean) and {"axis", "keepdims"} >= told(e.attrs).keys() and e.dtype == e.args[0].dtype:
        return [(0, _of_mean(e, cast(Expression, g)))]
    if isinstance(op, Call):
        return [(i, _fitted(whole(e, g, i), e.args[i])) for i in wanted]
    if op.kind == "elementwise":
        wanted = [i for i in wanted if not (isinstance(op.rules[i], int) and op.rules[i] == 0)]
        try:
            found = [(i, _by_element(e, cast(Expression, g), op.rules[i])) for i in wanted]
        except NotAlikeError:
            found = [(i, whole(e, g, i)) for i in wanted]
        return [(i, _fitted(x if is_general(x, known) else whole(e, g, i), e.args[i])) for i, x in found]
    if op.name == "result":
        index = e.attribute("index")
        count = len(cast(Results, e.args[0].values[0]))
        return [(0, [cast(Expression, g) if i == index else None for i in range(count)])]
    try:
        found = _traced(e, g, wanted, VJPS[op] if as_written and op in VJPS and _takes(VJPS[op][0], e) and not _has_ties(e) else op.rules)
    except NotAlikeError:
        found = [(i, whole(e, g, i)) for i in wanted]
    return [(i, _fitted(x if is_general(x, known) else whole(e, g, i), e.args[i])) for i, x in found]


def _of_mean(e: Expression, g: Expression) -> Expression:
    """Return what flows through a mean; the number of elements is one of sizes, which the rule of the row does not know."""
    x, axis, sheet = e.args[0], e.attribute("axis"), e.sheet
    if axis is not None and not e.attribute("keepdims"):
        g = sheet.call(np.expand_dims, g, axis=axis)
    axes = range(x.ndim) if axis is None else axes_of(axis, x.ndim)
    count = sheet.number(*(math.prod(s[i] for i in axes) for s in x.shapes))
    return sheet.call(spread, sheet.call(np.divide, g, count), shape=tuple(map(sheet.size, zip(*x.shapes, strict=True))))


def _by_element(e: Expression, g: Expression, partial: Any) -> Expression:
    sheet = e.sheet
    if isinstance(partial, int):
        return g if partial == 1 else sheet.call(np.negative, g)
    reader = _reader(e)
    results = []
    for k in range(sheet.points):
        level, y, arrays = _leaves(e, reader, k)
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            results.append(partial(y, *arrays))
        level.close()
    return sheet.call(np.multiply, g, reader.read(results))


def _reader(e: Expression) -> Lockstep:
    reader = Lockstep(e.sheet)
    for _, v in e.attrs:
        for x in inside(v):
            reader.know_array(x)
    return reader


def _leaves(e: Expression, reader: Lockstep, k: int) -> tuple[Level, Any, list[Any]]:
    """Return Tensors that stand for the result and the arguments of an operation at a point."""
    level = Level(keeps_all=True)
    arrays = [_leaf(a, level, reader, k) for a in e.args]
    return level, _leaf(e, level, reader, k), arrays


def _leaf(e: Expression, level: Level, reader: Lockstep, k: int) -> Any:
    value = e.values[k]
    if isinstance(value, Results):
        parts = [e.sheet.apply(RESULT, [e], {"index": i}) for i in range(len(value))]
        return value.like([_leaf(p, level, reader, k) for p in parts])
    if e.is_weak or not hasattr(value, "dtype"):
        return value
    made: Tensor = leaf(np.asarray(value), level, needs=value.dtype.kind in "fc")
    assert made._node is not None
    reader.of_node[k][made._node] = e
    return made


def _traced(e: Expression, g: Cotangent, wanted: list[int], rules: tuple[Any, ...]) -> list[tuple[int, Expression]]:
    op = cast(Op, e.op)
    reader = _reader(e)
    by_point: list[dict[int, Any]] = []
    for k in range(e.sheet.points):
        level, y, arrays = _leaves(e, reader, k)
        arriving = (
            y.like([None if x is None else _leaf(x, level, reader, k) for x in g]) if isinstance(g, list) else _leaf(g, level, reader, k)
        )
        how = {name: realised_at(v, k) for name, v in e.attrs}
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            by_point.append(_applied(op, rules, arriving, y, arrays, how, wanted))
        level.close()
    if any(found.keys() != by_point[0].keys() for found in by_point):
        raise NotAlikeError
    return [(i, reader.read([found[i] for found in by_point])) for i in by_point[0]]


def _applied(op: Op, rules: tuple[Any, ...], g: Any, y: Any, arrays: list[Any], how: dict[str, Any], wanted: list[int]) -> dict[int, Any]:
    if op.joint:
        found = rules[0](g, y, tuple(arrays), **how) if op.variadic else rules[0](g, y, *arrays, **how)
        found = found if isinstance(found, (tuple, list)) else (found,)
        return {i: found[i] for i in wanted if found[i] is not None}
    found = {i: rules[i](g, y, *arrays, **how) for i in wanted if rules[i]}
    return {i: x for i, x in found.items() if x is not None}


def _has_ties(e: Expression) -> bool:
    """Whether an extreme is attained twice, as in what holds a number twice: each has a share then."""
    if not e.is_call(np.max, np.min):
        return False
    [x] = e.args
    hits = (
        a == (y if e.attribute("keepdims") or e.attribute("axis") is None else np.expand_dims(y, e.attribute("axis")))
        for a, y in zip(x.values, e.values, strict=True)
    )
    return any(int(np.sum(hit)) > np.size(y) for hit, y in zip(hits, e.values, strict=True))


def _takes(rule: Any, e: Expression) -> bool:
    """Whether a rule knows all attributes that say something."""
    known = inspect.signature(rule).parameters
    return any(p.kind is p.VAR_KEYWORD for p in known.values()) or set(told(e.attrs)) <= set(known)


def _fitted(x: Expression, like: Expression) -> Expression:
    """Sum a cotangent over the axes along which an argument was broadcast, and give it that argument's dtype."""
    sheet = x.sheet
    if x.shapes != like.shapes:
        extra, axes = broadcast_axes(x.shape, like.shape)
        if extra:
            x = sheet.call(np.sum, x, axis=_one(extra) if len(extra) < x.ndim else None)
        if axes:
            x = sheet.call(np.sum, x, axis=_one(axes), keepdims=True)
    if x.dtype != like.dtype:
        if x.dtype.kind == "c" and like.dtype.kind != "c":
            x = sheet.call(real, x)
        if x.dtype != like.dtype:
            x = sheet.call(to_float, x, dtype=like.dtype)
    return x


def _one(axes: tuple[int, ...]) -> Any:
    return axes[0] if len(axes) == 1 else axes
