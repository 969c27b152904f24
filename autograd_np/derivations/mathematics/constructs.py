"""Cases, blocks, products with named indices, and pullbacks that no formula says."""

from __future__ import annotations

import re

import numpy as np

from autograd_np.derivations.expression import Expression, walked
from autograd_np.derivations.mathematics import notation as n
from autograd_np.derivations.mathematics.equations import ONE, At, Equations, constant_of, fenced
from autograd_np.derivations.mathematics.matrices import transposed
from autograd_np.derivations.mathematics.notation import Node
from autograd_np.derivations.mathematics.sizes import Leveled
from autograd_np.derivations.mathematics.templates import ATOM, FUNCTION, POWER, PRODUCT, SUM
from autograd_np.derivations.rules.whole import Pullback
from autograd_np.op import RESULT

__all__ = ["FAMILIES"]

ALL = slice(None)
COMMA = n.Sign(",", "mark")
DOT = n.Sign("⋅", "mark")
PARTIAL = n.Sign("∂", "mark")
EQUALS = n.Sign("=", "relation")


def _where(w: Equations, e: Expression, at: At) -> Leveled | None:
    if e.op is None or e.op.name != "where" or len(e.args) != 3:
        return None
    guarded = _guarded(e) if e not in w.own else None
    if guarded is not None:
        return w.leveled(guarded, w.aligned(guarded, e, at))
    if (found := _indicator(w, e, at)) is not None:
        return found
    where, yes, no = ((a, w.aligned(a, e, at)) for a in e.args)
    first = (w(*yes), n.row(n.Word("if "), w.condition(*where)))
    return n.Cases((first, (w(*no), n.Word("otherwise")))), SUM


def _guarded(e: Expression) -> Expression | None:
    """Return what a rule computes but for a case that it keeps apart, so as not to divide by zero or raise zero to a power."""
    condition, yes, no = e.args
    if not _tells_zero(condition) or (value := constant_of(yes)) is None:
        return None
    if all(v == 1 for v in value):
        return no
    divides = any(x.op is not None and x.op.name == "where" and x.args[0] is condition and _guarded(x) is not None for x in walked([no]))
    return no if divides and all(v == 0 for v in value) else None


def _tells_zero(condition: Expression) -> bool:
    if condition.is_call(np.logical_and, np.bitwise_and):
        return all(map(_tells_zero, condition.args))
    return condition.is_call(np.equal) and (value := constant_of(condition.args[1])) is not None and all(v == 0 for v in value)


def _indicator(w: Equations, e: Expression, at: At) -> Leveled | None:
    """Write ``np.where(c, x, 0)`` as x times the number that a condition is, which is one or zero."""
    condition, yes, no = e.args
    zero = [(v := constant_of(a)) is not None and all(x == 0 for x in v) and a not in w.names for a in (yes, no)]
    if zero[0] == zero[1]:
        return None
    held = w.condition(condition, w.aligned(condition, e, at))
    bracket: Node = n.Fence("[", _opposite(held) if zero[0] else held, "]")
    other = no if zero[0] else yes
    value = constant_of(other)
    if value is not None and all(v == 1 for v in value):
        return bracket, ATOM
    node = w.within(other, POWER, w.aligned(other, e, at))
    return n.joined([node, bracket], n.Sign("⊙") if at is None and other.ndim else None), PRODUCT


def _opposite(held: Node) -> Node:
    """Return what holds where a condition does not."""
    turned = {">": "≤", "<": "≥", "≤": ">", "≥": "<", "=": "≠", "≠": "="}
    relations = [x for x in held.items if isinstance(x, n.Sign) and x.text in turned] if isinstance(held, n.Row) else []
    if len(relations) == 1 and not any(isinstance(x, n.Sign) and x.text in "∧∨¬" for x in held.items):  # type: ignore[union-attr]
        return n.row(*(n.Sign(turned[x.text], "relation") if x is relations[0] else x for x in held.items))  # type: ignore[union-attr]
    return n.row(n.Sign("¬", "mark"), n.Fence("(", held, ")"))


def _blocks(w: Equations, e: Expression, at: At) -> Leveled | None:
    """Write arrays that are put together as blocks."""
    if e.op is None or e.op.name not in ("concatenate", "stack") or not e.args or at is not None:
        return None
    axis = (e.attribute("axis") or 0) % e.ndim
    is_stack = e.op.name == "stack"
    if e.ndim > 2 or (is_stack and e.ndim != 2):
        return None
    blocks = [transposed(w, a)[0] if is_stack and axis == 0 else w(a) for a in e.args]
    beside = axis == 1
    return n.Matrix((tuple(blocks),) if beside else tuple((b,) for b in blocks)), ATOM


def _einsum(w: Equations, e: Expression, at: At) -> Leveled | None:
    """Write a product with indices as the sum over those that the result has not."""
    if e.op is None or e.op.name != "einsum":
        return None
    subscripts = str(e.attribute("subscripts")).replace(" ", "")
    if not re.fullmatch(r"[A-Za-z]*(,[A-Za-z]*)*(->[A-Za-z]*)?", subscripts):
        return None
    left, arrow, right = subscripts.partition("->")
    if not arrow:
        right = "".join(sorted(c for c in set(left) - {","} if left.count(c) == 1))
    if at is None and right:
        letters = [n.Symbol(c) for c in right]
        return n.Script(fenced(w.bound(e, letters)), n.row(*letters)), POWER
    at = at or ()
    before = len(w._used)
    w._used += at
    places: dict[str, Node] = dict(zip(right, at, strict=True))
    summed = [c for c in dict.fromkeys(left.replace(",", "")) if c not in places]
    own = [n.Symbol(c) for c in summed]
    for c, letter in zip(summed, own if not set(own) & set(w._used) else w.fresh(len(summed)), strict=True):
        places[c] = letter
    w._used += [places[c] for c in summed]
    factors = [w.within(a, POWER, tuple(places[c] for c in s)) for a, s in zip(e.args, left.split(","), strict=True)]
    del w._used[before:]
    body = n.row(*factors)
    if not summed:
        return body, PRODUCT
    return n.row(n.Big(n.Sign("∑"), n.joined((places[c] for c in summed), COMMA)), body), FUNCTION


def _pullback(w: Equations, e: Expression, at: At) -> Leveled | None:
    """Write a pullback that no formula says as the transposed derivative, applied to the gradient that arrives."""
    if not isinstance(e.op, Pullback):
        return None
    if at is not None:
        return w.element(e, at)
    count, parts = e.op.cotangents, e.op.parts
    x = e.args[count + e.op.place]
    y = e.sheet.apply(e.op.of, e.args[count:], dict(e.attrs))
    results = [y] if parts is None else [e.sheet.apply(RESULT, [y], {"index": i}) for i in parts]
    terms = []
    for result, g in zip(results, e.args[:count], strict=True):
        slope = n.Fraction(n.row(PARTIAL, w.within(result, POWER)), n.row(PARTIAL, w.within(x, POWER)))
        cotangent = w.within(g, FUNCTION)
        terms.append(n.row(n.Script(n.Fence("(", slope, ")"), None, n.Sign("⊤", "mark")), *([] if cotangent == ONE else [cotangent])))
    return n.joined(terms, n.Sign("+")), PRODUCT if len(terms) == 1 else SUM


FAMILIES = (_pullback, _where, _blocks, _einsum)
