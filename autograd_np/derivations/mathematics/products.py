"""Sums, products, quotients and powers as they are written by hand: signs in front, one fraction, brackets where they are needed."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from autograd_np.derivations.expression import Expression
from autograd_np.derivations.mathematics import notation as n
from autograd_np.derivations.mathematics.equations import (
    ONE,
    ONES,
    TIMES,
    TRANSPOSED,
    At,
    Equations,
    bracketed,
    constant_of,
    fenced,
    is_column,
    is_constant,
    is_one,
    is_silent,
)
from autograd_np.derivations.mathematics.matrices import transposed
from autograd_np.derivations.mathematics.notation import Node
from autograd_np.derivations.mathematics.sizes import Leveled, digits
from autograd_np.derivations.mathematics.templates import ATOM, FUNCTION, POWER, PRODUCT, SUM

__all__ = ["FAMILIES", "MINUS", "raised"]

_FACTORS = (np.multiply, np.divide, np.negative, np.reciprocal)
MINUS = n.Sign("−", "prefix")


class _Factor(NamedTuple):
    e: Expression
    at: At
    power: int


def _sum(w: Equations, e: Expression, at: At) -> Leveled | None:
    if not e.is_call(np.add, np.subtract):
        return None
    terms: list[tuple[int, Expression, At]] = []

    def collect(x: Expression, x_at: At, sign: int) -> None:
        if x not in w.names and x.is_call(np.add, np.subtract):
            collect(x.args[0], w.aligned(x.args[0], x, x_at), sign)
            collect(x.args[1], w.aligned(x.args[1], x, x_at), sign if x.is_call(np.add) else -sign)
        elif x not in w.names and is_silent(x):
            collect(x.args[0], w.aligned(x.args[0], x, x_at), sign)
        else:
            terms.append((sign, x, x_at))

    collect(e, at, 1)
    items: list[Node] = []
    for sign, x, x_at in terms:
        own, node, binds = _signed(w, x, x_at)
        negative = sign * own < 0
        if items:
            items.append(n.Sign("−" if negative else "+"))
        elif negative:
            items.append(MINUS)
        if at is None and is_column(w, x) and not is_one(e, 1):
            node, binds = n.row(bracketed(node, binds, POWER), n.Script(ONES, None, TRANSPOSED)), PRODUCT
        items.append(bracketed(node, binds, PRODUCT))
    whole = n.row(*items)
    if at is None and e.ndim and not any(x.ndim for _, x, _ in terms):
        return n.row(fenced(whole), ONES), PRODUCT
    return whole, SUM


def _signed(w: Equations, e: Expression, at: At) -> tuple[int, Node, int]:
    """Return a term without its sign, and the sign."""
    if e not in w.names and (e.is_call(*_FACTORS) or e.kind == "number" or e.kind == "array"):
        sign, node, binds = _multiplied(w, e, at)
        return sign, node, binds
    node, binds = w.leveled(e, at)
    if isinstance(node, n.Row) and node.items[0] == MINUS and binds == PRODUCT:
        return -1, n.row(*node.items[1:]), PRODUCT
    return 1, node, binds


def _product(w: Equations, e: Expression, at: At) -> Leveled | None:
    if not e.is_call(*_FACTORS):
        return None
    sign, node, binds = _multiplied(w, e, at)
    return (node, binds) if sign > 0 else (n.row(MINUS, bracketed(node, binds, PRODUCT)), PRODUCT)


def _multiplied(w: Equations, e: Expression, at: At) -> tuple[int, Node, int]:
    factors: dict[tuple[int, At], _Factor] = {}
    sign = 1

    def collect(x: Expression, x_at: At, power: int) -> None:
        nonlocal sign
        if x in w.names:
            pass
        elif x.is_call(np.multiply, np.divide):
            for i, a in enumerate(x.args):
                collect(a, w.aligned(a, x, x_at), -power if i and x.is_call(np.divide) else power)
            return None
        elif x.is_call(np.negative):
            sign = -sign if power % 2 else sign
            return collect(x.args[0], x_at, power)
        elif x.is_call(np.reciprocal):
            return collect(x.args[0], x_at, -power)
        elif is_silent(x):
            return collect(x.args[0], w.aligned(x.args[0], x, x_at), power)
        elif x.is_call(np.power, np.square) and (exponent := _exponent(x)) is not None:
            base = x.args[0]
            key = (base.index, w.aligned(base, x, x_at))
            if key in factors or exponent == -1:
                return collect(base, key[1], power * exponent)
        value = constant_of(x) if x.kind in ("number", "array") or (x.ndim and x not in w.names and is_constant(x)) else None
        if value is not None and np.asarray(value).dtype.kind in "iuf":
            if all(v < 0 for v in value):
                sign = -sign if power % 2 else sign
                value = tuple(-v for v in value)
            if all(v == 1 for v in value):
                return None
            x = x.sheet.number(*(v if isinstance(v, int) else float(v) for v in value))
            x_at = at
        key = (x.index, x_at)
        before = factors.get(key)
        factors[key] = _Factor(x, x_at, (before.power if before else 0) + power)
        return None

    collect(e, at, 1)
    above: list[_Factor] = []
    below: list[_Factor] = []
    for f in factors.values():
        if f.power % 2 and _is_negative(*w.leveled(f.e, f.at)):
            sign = -sign
        if f.power > 0:
            above.append(f)
        elif f.power < 0:
            below.append(f._replace(power=-f.power))
    above, below = _numbers_apart(w, *_folded(w, above, below))
    if at is None and e.ndim and not any(f.e.ndim for f in (*above, *below)):
        node, binds = _fraction(w, above, below, at)
        return (sign, ONES, ATOM) if node == ONE else (sign, n.row(bracketed(node, binds, POWER), ONES), PRODUCT)
    return sign, *_fraction(w, above, below, at)


def _exponent(x: Expression) -> int | None:
    """Return the whole exponent of a power."""
    if x.is_call(np.square):
        return 2
    number = x.args[1].number
    return int(number) if number is not None and float(number).is_integer() and abs(number) < 10 else None


def _folded(w: Equations, above: list[_Factor], below: list[_Factor]) -> tuple[list[_Factor], list[_Factor]]:
    """Multiply plain numbers with one another, such as the 2 of a square's derivative with the 0.5 before it."""
    plain = [f for f in above if f.e.kind == "number" and f.e.number is not None and f.power == 1 and isinstance(w(f.e), n.Number)]
    if len(plain) < 2:
        return above, below
    value = math.prod(f.e.number for f in plain)
    rest = [f for f in above if f not in plain]
    number = plain[0].e.sheet.number(int(value) if float(value).is_integer() else float(value))
    return ([plain[0]._replace(e=number), *rest] if value != 1 else rest), below


def _numbers_apart(w: Equations, above: list[_Factor], below: list[_Factor]) -> tuple[list[_Factor], list[_Factor]]:
    """Put a number such as 1/m under the line, as m."""
    kept = []
    for f in above:
        values = f.e.values
        if f.e.kind == "number" and below and f.e.number in (0.5, 0.25):
            below.insert(0, f._replace(e=f.e.sheet.number(int(1 / f.e.number))))
            continue
        if f.e.kind == "number" and len(set(values)) > 1 and all(isinstance(v, float) and 0 < abs(v) < 1 for v in values):
            inverse = [round(1 / v) for v in values]
            if all(abs(i * v - 1) < 1e-12 for i, v in zip(inverse, values, strict=True)) and _is_nameless(w, values):
                below.insert(0, f._replace(e=f.e.sheet.number(*inverse)))
                continue
        kept.append(f)
    return kept, below


def _is_nameless(w: Equations, values: tuple[Any, ...]) -> bool:
    known = w.sizes.numbers.text(values, {})
    return known is None or known[0].startswith("1 / ")


def _fraction(w: Equations, above: list[_Factor], below: list[_Factor], at: At) -> Leveled:
    if not below:
        return _joined(w, above, at) if above else (ONE, ATOM)
    under = _joined(w, below, at)[0]
    light = [f for f in above if not _is_heavy(w, f)]
    heavy = [f for f in above if _is_heavy(w, f)]
    if not heavy:
        return n.Fraction(_joined(w, light, at)[0] if light else ONE, under), POWER
    scalar = at is not None or not any(f.e.ndim for f in (*light, *below))
    head = n.Fraction(_joined(w, light, at)[0] if light else ONE, under)
    rest, binds = _joined(w, heavy, at)
    if scalar:
        return n.row(head, bracketed(rest, binds, PRODUCT)), PRODUCT
    if not any(f.e.ndim for f in heavy):
        return n.row(bracketed(rest, binds, POWER), head), PRODUCT
    return n.row(_joined(w, heavy, at, last=False)[0], TIMES, head), PRODUCT


def _is_heavy(w: Equations, f: _Factor) -> bool:
    """Whether a factor would make a fraction too tall."""
    node = w.leveled(f.e, f.at)[0]
    return _has(node, (n.Fraction, n.Big, n.Matrix, n.Cases)) or len(repr(node)) > 2000


def _has(node: Node, kinds: tuple[Any, ...]) -> bool:
    return isinstance(node, kinds) or any(_has(p, kinds) for p in n.parts(node))


def _joined(w: Equations, factors: list[_Factor], at: At, *, last: bool = True) -> Leveled:
    """Write factors side by side: numbers, scalars, and then arrays, element by element."""
    scalars = [f for f in factors if not f.e.ndim or at is not None]
    scalars.sort(key=lambda f: 2 if f.e.kind != "number" else 0 if isinstance(w(f.e), n.Number) else 1)
    arrays = [f for f in factors if f.e.ndim and at is None]
    ordered = [*scalars, *arrays]
    if len(ordered) == 1:
        return _factor(w, ordered[0], SUM if last else POWER)
    items: list[Node] = []
    rows = [f for f in arrays if f.e.ndim == 1 or (f.e.ndim == 2 and is_one(f.e, 0))]
    columns = [f for f in arrays if f.e.ndim == 2 and is_one(f.e, 1) and not is_one(f.e, 0)]
    if len(arrays) == 2 and len(rows) == len(columns) == 1 and not is_one(rows[0].e, -1):
        right = _factor(w, rows[0], POWER)[0] if rows[0].e.ndim == 2 else _turned(w, rows[0])
        outer = n.row(_factor(w, columns[0], POWER)[0], right)
        return (n.row(_joined(w, scalars, at)[0], outer) if scalars else outer), PRODUCT
    wide = any(f.e.ndim == 2 and not is_one(f.e, 1) for f in arrays)
    for i, f in enumerate(ordered):
        is_last = i == len(ordered) - 1 and last
        alone = f.e.ndim > 0 and len(arrays) == 1 and at is None
        if wide and at is None and is_column(w, f.e):
            if arrays[0] is not f:
                items.append(TIMES)
            items.append(n.Fence("(", n.row(_factor(w, f, POWER)[0], n.Script(ONES, None, TRANSPOSED)), ")"))
            continue
        level = PRODUCT if alone else FUNCTION if is_last else POWER
        node, binds = _factor(w, f, SUM)
        if binds < level and (binds != PRODUCT or f in arrays or not _is_plain_product(node)):
            node = fenced(node)
        if items and f.e.ndim and ordered[i - 1].e.ndim and at is None and not _is_outer(ordered[i - 1].e, f.e):
            items.append(TIMES)
        elif items and _starts_with_digit(node) and _has_digits_last(items[-1]):
            items.append(n.Sign("⋅"))
        items.append(node)
    return n.row(*items), PRODUCT


def _is_negative(node: Node, binds: int) -> bool:
    return binds == PRODUCT and isinstance(node, n.Row) and node.items[0] == MINUS


def _factor(w: Equations, f: _Factor, level: int) -> Leveled:
    """Return a factor; a minus before it belongs to the whole product."""
    node, binds = w.leveled(f.e, f.at)
    if _is_negative(node, binds):
        node = n.row(*node.items[1:])  # type: ignore[union-attr]
        binds = FUNCTION if any(isinstance(x, n.Big) for x in n.parts(n.row(node, ONE))) else PRODUCT
    if f.power != 1:
        return raised(node, binds, f.power, of_array=f.e.ndim > 0 and f.at is None)
    return bracketed(node, binds, level), max(binds, level)


def _turned(w: Equations, f: _Factor) -> Node:
    """Return a vector as a row."""
    if f.power == 1:
        return bracketed(*transposed(w, f.e), POWER)
    return n.Script(fenced(_factor(w, f, POWER)[0]), None, TRANSPOSED)


def _is_plain_product(node: Node) -> bool:
    """Whether a product of numbers can stand among other factors without brackets."""
    return isinstance(node, n.Row) and not _has(node, (n.Big,)) and not any(isinstance(x, n.Sign) for x in node.items)


def _is_outer(a: Expression, b: Expression) -> bool:
    return a.ndim == b.ndim == 2 and is_one(a, 1) and is_one(b, 0) and not is_one(a, 0) and not is_one(b, 1)


def _starts_with_digit(node: Node) -> bool:
    first = node.items[0] if isinstance(node, n.Row) and node.items else node
    first = first.base if isinstance(first, n.Script) else first
    return isinstance(first, n.Number)


def _has_digits_last(node: Node) -> bool:
    return isinstance(node, n.Number) or (isinstance(node, n.Script) and isinstance(node.base, n.Number))


def raised(node: Node, binds: int, exponent: Any, *, of_array: bool = False) -> Leveled:
    """Return a power; of an array each element's."""
    above = exponent if not isinstance(exponent, (int, float)) else digits(exponent)[0]
    if isinstance(node, n.Under):
        inner, level = raised(node.body, binds, exponent, of_array=of_array)
        return n.Under(inner, node.below), level
    if of_array:
        above = n.row(n.Sign("⊙", "mark"), above)
    if binds < ATOM or (isinstance(node, n.Script) and node.sup is not None):
        return n.Script(fenced(node), None, above), POWER
    if isinstance(node, n.Script):
        return n.Script(node.base, node.sub, above), POWER
    return n.Script(node, None, above), POWER


def _power(w: Equations, e: Expression, at: At) -> Leveled | None:
    if not e.is_call(np.power, np.float_power, np.square):
        return None
    base = e.args[0]
    node, binds = w.leveled(base, w.aligned(base, e, at))
    of_array = at is None and base.ndim > 0
    if e.is_call(np.square):
        return raised(node, binds, 2, of_array=of_array)
    exponent = e.args[1]
    number = exponent.number
    if number == 0.5:
        return n.Root(node), POWER
    if number is not None and number < 0:
        positive = -number
        if positive == 0.5:
            return n.Fraction(ONE, n.Root(node)), POWER
        return n.Fraction(ONE, node if positive == 1 else raised(node, binds, positive, of_array=of_array)[0]), POWER
    return raised(node, binds, w(exponent, w.aligned(exponent, e, at)), of_array=of_array)


FAMILIES = (_sum, _product, _power)
