"""Local rules: the derivative of one operation, on letters that stand for anything."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import TypeAlias

import numpy as np

from autograd_np import errors
from autograd_np.derivations.expression import Expression, Sheet, depends_on, walked
from autograd_np.derivations.mathematics import notation as n
from autograd_np.derivations.mathematics.equations import Variable, is_silent
from autograd_np.derivations.mathematics.notation import Node
from autograd_np.derivations.mathematics.sizes import Sizes
from autograd_np.derivations.mathematics.symbols import Symbols
from autograd_np.derivations.mathematics.writer import Mathematics
from autograd_np.derivations.rules.reverse import pulled
from autograd_np.derivations.simplifying.simplify import Simplifier
from autograd_np.op import RESULT, STEP
from autograd_np.results import Results

__all__ = ["Rule", "local_rules"]

Rule: TypeAlias = tuple[Node, tuple[Node, ...]]
"""An operation, and its slopes."""

PLAIN = (np.add, np.subtract, np.negative, np.multiply, np.sum, np.mean, np.transpose, np.swapaxes, np.expand_dims, np.squeeze, np.where)
"""Operations whose derivative nobody has to be told."""

WIDEST = 26.0
LETTERS = (("u", "v", "w"), "f"), (("s", "t", "r"), "g"), (("p", "q", "z"), "h")


def local_rules(names: Container[Expression], symbols: Symbols, sizes: Sizes, reader: Expression, e: Expression) -> Iterator[Rule]:
    """Yield the rules of the operations between a variable and the one that is computed from it.

    Parameters
    ----------
    names : container of Expression
        The variables.
    symbols : Symbols
    sizes : Sizes
    reader, e : Expression
    """
    for x in walked([reader], lambda y: y is not reader and y in names):
        if (
            x.op is None
            or (x in names and x is not reader)
            or x.op in (RESULT, STEP)
            or x.op.kind == "constant"
            or isinstance(x.values[0], Results)
        ):
            continue
        through = [i for i, a in enumerate(x.args) if (a is e or a not in names) and depends_on(a, {e})]
        if not through or x.is_call(*PLAIN) or is_silent(x) or x.op.name in ("getitem", "reshape", "ravel"):
            continue
        if x.is_call(np.divide) and through == [0]:
            continue
        rule = _rule(symbols, sizes, x, through)
        if rule is not None:
            yield rule


def _rule(symbols: Symbols, sizes: Sizes, x: Expression, through: list[int]) -> Rule | None:
    assert x.op is not None
    letters, result = next((ls for ls in LETTERS if not {*ls[0][: len(x.args)], ls[1]} & symbols.letters), LETTERS[0])
    sheet = Sheet(x.sheet.points)
    by_element = x.op.kind == "elementwise"
    args: list[Expression] = []
    variables: dict[Expression, Variable] = {}
    if len(x.args) > len(letters):
        return None
    for a, letter in zip(x.args, letters, strict=False):
        if a.kind == "number":
            args.append(sheet.number(*a.values))
            continue
        values = [np.float64(np.ravel(v)[0]) if np.size(v) else np.float64(0.5) for v in a.values] if by_element else a.values
        name = letter.upper() if not by_element and a.ndim > 1 else letter
        args.append(sheet.variable(name, values))
        variables[args[-1]] = Variable(name)
    if any(isinstance(v, Expression) and v.kind != "number" for _, v in x.attrs):
        return None
    y = sheet.apply(x.op, args, dict(x.attrs))
    name = result.upper() if y.ndim > 1 else result
    g = sheet.number(1.0) if by_element else sheet.variable(f"d{name}", [np.asarray(v) for v in y.values], flows=True)
    try:
        found = pulled(y, g, [i for i in through if args[i] in variables])
    except errors.AutogradError:
        return None
    what = Mathematics(variables, symbols, sizes)(y)
    simplified = Simplifier(sheet, [*variables, y, g])
    w = Mathematics({**variables, y: Variable(name), **({} if by_element else {g: Variable(name, is_gradient=True)})}, symbols, sizes)
    slopes = []
    for i, slope in found:
        if isinstance(slope, list):
            return None
        left = _slope(w, y, args[i], alone=len(variables) == 1) if by_element else symbols.gradient(w(args[i]))
        right = w(simplified(slope))
        if n.width(right) > WIDEST or _is_nested(right):
            return None
        slopes.append(n.row(left, n.Sign("=", "relation"), right))
    return (n.row(w(y), n.Sign("=", "relation"), what), tuple(slopes)) if slopes else None


def _is_nested(node: Node) -> bool:
    return any(isinstance(p, n.Cases) or _is_nested(p) for p in n.parts(node)) or isinstance(node, n.Cases)


def _slope(w: Mathematics, y: Expression, u: Expression, *, alone: bool) -> Node:
    d: Node = n.Symbol("d", "upright") if alone else n.Sign("∂", "mark")
    return n.Fraction(n.row(d, w(y)), n.row(d, w(u)))
