"""Edits of operators: signs, terms and brackets of sums, factors of products, powers."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

import numpy as np

from autograd_np.check.explain.edits.edit import Edit, Place, is_float_array, is_size
from autograd_np.check.explain.edits.syntax import negated
from autograd_np.check.watch.spelling import wanted_names

__all__ = ["forgotten_edits", "operator_edits"]

AS_SUM, AS_PRODUCT = 5.4, 6.2
"""From these ranks on a product should be a sum, and a sum a product."""

ONE_TOO_FAR = 3.7
"""From this rank on a count is one too large, or too small, by a one that is written."""

OF_ONES = 3.0
"""How much simpler it is that brackets are missing around a sum that begins with a factor of one."""


def operator_edits(at: Place) -> Iterator[Edit]:
    """Yield the edits of an operator; arithmetic on an index has its own."""
    if at.index or at.setting or at.header:
        return
    match at.node:
        case ast.BinOp(op=ast.Add() | ast.Sub()):
            yield from _of_order(at, at.node)
            yield from _of_brackets(at, at.node)
            if not _is(at.parent, ast.Add, ast.Sub):
                yield from _of_sum(at, _summands(at.node))
        case ast.BinOp(op=ast.Mult() | ast.Div()):
            yield from _of_brackets(at, at.node)
            if not _is(at.parent, ast.Mult, ast.Div) or at.path[-1] == "right":
                yield from _of_product(at, _factors(at.node))
        case ast.BinOp(op=ast.Pow(), left=left, right=right):
            words = f"the power `{at.line.text(right)}` of `{at.line.text(left)}` does not belong in `{at.target}`"
            squared = bool(np.all(at.line.value(right) == 2))  # a power may be an array
            yield at.edit(4.3, "extra-factor" if squared else "wrong-point", words, at.line.text(left))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            yield at.edit(3, "sign", f"the minus of `{at.text}` in `{at.target}` is wrong", at.line.text(operand))
        case ast.IfExp(test=test, body=body, orelse=orelse):
            a, b, t = map(at.line.text, (body, orelse, test))
            yield at.edit(6, "wrong-point", f"`{a}` and `{b}` are exchanged in `{at.target}`", f"({b}) if ({t}) else ({a})")
            for kept in (a, b):
                yield at.edit(7, "wrong-point", f"`{at.target}` should be `{kept}` whether `{t}` or not", kept)


def _is(node: object, *operators: type[ast.operator]) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, operators)


# --- sums


def _summands(node: ast.expr, sign: str = "+") -> list[tuple[str, ast.expr]]:
    """Return the terms of a sum with their signs, as written without brackets."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub)):
        return [*_summands(node.left, sign), ("+" if isinstance(node.op, ast.Add) else "-", node.right)]
    return [(sign, node)]


def _sum(at: Place, terms: Sequence[tuple[str, ast.expr]]) -> str:
    (sign, first), *rest = terms
    start = negated(first, at.line.text) if sign == "-" else f"({at.line.text(first)})"
    return " ".join([start, *(f"{s} ({at.line.text(t)})" for s, t in rest)])


def _of_sum(at: Place, terms: Sequence[tuple[str, ast.expr]]) -> Iterator[Edit]:
    if len(terms) == 2 and terms[1][0] == "+":
        yield from _as_other_operation(at, terms[0][1], terms[1][1], "*", AS_PRODUCT)
    for i, (sign, term) in enumerate(terms):
        text = at.line.text(term)
        flipped = [*terms[:i], ("-" if sign == "+" else "+", term), *terms[i + 1 :]]
        yield at.edit(3, "sign", f"the sign of `{text}` in `{at.target}` is wrong", _sum(at, flipped))
        left = [*terms[:i], *terms[i + 1 :]]
        words = f"`{sign} {text}` does not belong in `{at.target}`" if i else f"`{text}` does not belong in `{at.target}`"
        if any(s == sign and at.line.text(t) == text for s, t in left):
            yield at.edit(4, "double-count", f"`{text}` is counted twice in `{at.target}`", _sum(at, left))
        else:
            counted = isinstance(term, ast.Constant) and term.value == 1 and isinstance(at.value, (int, np.integer))
            yield at.edit(ONE_TOO_FAR if counted else 5.5, "extra-term", words, _sum(at, left))
        if i == 0 and left[0][0] == "-" and isinstance(term, ast.Constant):
            bare = [("+", left[0][1]), *((("-" if s == "+" else "+"), t) for s, t in left[1:])]
            yield at.edit(6, "wrong-point", f"`{at.text}` in `{at.target}` should be `{at.line.text(left[0][1])}`", _sum(at, bare))
    first = terms[0][1]
    if isinstance(first, ast.Name) and any(
        first.id in wanted_names(n.id) for _, t in terms[1:] for n in ast.walk(t) if isinstance(n, ast.Name)
    ):
        words = f"`{at.target}` uses an updated `{first.id}`; the gradient needs the value forward had"
        yield at.edit(4.9, "stale-value", words, first.id)


def _of_order(at: Place, node: ast.BinOp) -> Iterator[Edit]:
    if isinstance(node.op, ast.Sub) and not at.whole:
        a, b = at.line.text(node.left), at.line.text(node.right)
        yield at.edit(2.5, "sign", f"the difference `{at.text}` in `{at.target}` is the wrong way round", f"({b}) - ({a})")


# --- products


def _factors(node: ast.expr, op: str = "*") -> list[tuple[str, ast.expr]]:
    """Return the factors of a product, as written without brackets: multiplied or divided by."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mult, ast.Div)):
        return [*_factors(node.left, op), ("*" if isinstance(node.op, ast.Mult) else "/", node.right)]
    return [(op, node)]


def _product(at: Place, factors: Sequence[tuple[str, ast.expr]]) -> str:
    (op, first), *rest = factors
    start = f"1 / ({at.line.text(first)})" if op == "/" else f"({at.line.text(first)})"
    return " ".join([start, *(f"{o} ({at.line.text(f)})" for o, f in rest)])


def _as_other_operation(at: Place, a: ast.expr, b: ast.expr, op: str, rank: float) -> Iterator[Edit]:
    """Yield two arrays of one shape added where they are multiplied, or multiplied where they are added."""
    values = at.line.value(a), at.line.value(b), at.value
    if all(map(is_float_array, values)) and values[0].shape == values[1].shape == values[2].shape:
        done, wanted = ("multiplied by", "added to") if op == "+" else ("added to", "multiplied by")
        words = f"in `{at.target}`, `{at.line.text(b)}` is {done} `{at.line.text(a)}` where it should be {wanted} it"
        yield at.edit(rank, "missing-term" if op == "+" else "missing-factor", words, f"(({at.line.text(a)}) {op} ({at.line.text(b)}))")


def _of_product(at: Place, factors: Sequence[tuple[str, ast.expr]]) -> Iterator[Edit]:
    if len(factors) == 2 and factors[1][0] == "*":
        yield from _as_other_operation(at, factors[0][1], factors[1][1], "+", AS_SUM)
    for i, (op, factor) in enumerate(factors):
        text, scalar = at.line.text(factor), is_size(at.line.value(factor))
        left = [*factors[:i], *factors[i + 1 :]]
        what = f"the division by `{text}`" if op == "/" else f"the factor `{text}`"
        if not (isinstance(factor, ast.Constant) and factor.value == 1):
            number = isinstance(factor, ast.Constant)
            rank = 1.8 if number else 1.9 if scalar else 5
            changed = at.line.value(factor) if scalar else None
            off = None if not changed else changed if op == "*" else 1 / changed
            words = f"{what} does not belong in `{at.target}`"
            twice = changed == 2 and op == "*" and _is(at.parent, ast.Add, ast.Sub)
            kind = "double-count" if twice else "missing-term" if changed == 0 else "scale" if scalar else "extra-factor"
            yield at.edit(rank, kind, words, _product(at, left), off, less=number)
        other = "/" if op == "*" else "*"
        inverse = [*left, (other, factor)] if i == 0 and len(factors) > 1 else [*factors[:i], (other, factor), *factors[i + 1 :]]
        done, wanted = ("multiplied", "divided") if op == "*" else ("divided", "multiplied")
        words = f"`{at.target}` is {done} by `{text}` where it should be {wanted}"
        yield at.edit(3 if scalar else 6, "scale" if scalar else "extra-factor", words, _product(at, inverse))
        if not scalar:
            squared = [*factors[: i + 1], (op, factor), *factors[i + 1 :]]
            words = f"`{at.target}` lacks a second {'factor' if op == '*' else 'division by'} `{text}`"
            yield at.edit(7.5, "missing-factor", words, _product(at, squared))


# --- brackets


def _of_brackets(at: Place, node: ast.BinOp) -> Iterator[Edit]:
    """Yield the products of a sum with its brackets moved: ``(a - b) * c`` for ``a - b * c`` and the reverse."""
    text = at.line.text
    match node:
        case ast.BinOp(left=a, op=ast.Add() | ast.Sub() as op, right=ast.BinOp(left=b, op=ast.Mult() | ast.Div() as by, right=c)):
            sign, times = _symbol(op), _symbol(by)
            words = (
                f"brackets are missing in `{at.target}`: `{text(a)}` lacks the {'factor' if times == '*' else 'division by'} `{text(c)}`"
            )
            yield at.edit(6, _kind(at, c, "missing-factor"), words, f"(({text(a)}) {sign} ({text(b)})) {times} ({text(c)})")
            if times == "*":
                words = f"brackets are missing in `{at.target}`: `{text(a)}` lacks the factor `{text(b)}`"
                yield at.edit(6, _kind(at, b, "missing-factor"), words, f"({text(b)}) * (({text(a)}) {sign} ({text(c)}))")
        case ast.BinOp(left=ast.BinOp(left=a, op=ast.Mult(), right=b), op=ast.Add() | ast.Sub() as op, right=c):
            one = isinstance(b, ast.Constant) and b.value == 1  # nobody means to multiply by it
            words = f"brackets are missing in `{at.target}`: `{text(c)}` lacks the factor `{text(a)}`"
            new = f"({text(a)}) * (({text(b)}) {_symbol(op)} ({text(c)}))"
            yield at.edit(6 - OF_ONES * one, _kind(at, a, "missing-factor"), words, new)
        case ast.BinOp(left=ast.BinOp(left=a, op=ast.Add() | ast.Sub() as op, right=b), op=ast.Mult() | ast.Div() as by, right=c):
            sign, times = _symbol(op), _symbol(by)
            words = f"the brackets in `{at.target}` are wrong: `{text(c)}` belongs to `{text(b)}` only"
            yield at.edit(6, _kind(at, c, "extra-factor"), words, f"({text(a)}) {sign} ({text(b)}) {times} ({text(c)})")
            if times == "*":
                words = f"the brackets in `{at.target}` are wrong: `{text(c)}` belongs to `{text(a)}` only"
                yield at.edit(6, _kind(at, c, "extra-factor"), words, f"({text(a)}) * ({text(c)}) {sign} ({text(b)})")
        case ast.BinOp(left=a, op=ast.Mult(), right=ast.BinOp(left=b, op=ast.Add() | ast.Sub() as op, right=c)):
            words = f"the brackets in `{at.target}` are wrong: `{text(a)}` belongs to `{text(b)}` only"
            yield at.edit(6, _kind(at, a, "extra-factor"), words, f"({text(a)}) * ({text(b)}) {_symbol(op)} ({text(c)})")
        case ast.BinOp(left=ast.BinOp(left=a, op=ast.Div(), right=b), op=ast.Mult() | ast.Div(), right=c) if isinstance(node.op, ast.Mult):
            words = f"brackets are missing in `{at.target}`: it is multiplied by `{text(c)}` where it should be divided"
            yield at.edit(4, _kind(at, c, "extra-factor"), words, f"({text(a)}) / (({text(b)}) * ({text(c)}))")


def _kind(at: Place, factor: ast.expr, of_array: str) -> str:
    return "scale" if is_size(at.line.value(factor)) else of_array


def _symbol(op: ast.operator) -> str:
    return {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}[type(op)]


def forgotten_edits(at: Place) -> Iterator[Edit]:
    """Yield a square, a root, a reciprocal, a minus or a one that an operand may lack."""
    node, text = at.node, at.text
    if not isinstance(node, (ast.Name, ast.Subscript, ast.Attribute, ast.BinOp, ast.Call)) or at.index or at.setting or at.header:
        return
    value, parent = at.value, at.parent
    if is_size(value) and _is(parent, ast.Mult, ast.Div):
        yield at.edit(4.5, "scale", f"`{text}` in `{at.target}` should be its square root", f"{at.line.np}.sqrt({text})")
    if not is_float_array(value) and not isinstance(value, float):
        return
    divisor = _is(parent, ast.Div) and at.path[-1] == "right"
    squared = f"({text})**2"
    if divisor:
        yield at.edit(5, "missing-factor", f"`{at.target}` divides by `{text}`, should be by its square", squared)
        yield at.edit(5, "extra-factor", f"`{at.target}` divides by `{text}`, should be by its square root", f"{at.line.np}.sqrt({text})")
    elif not _is(node, ast.Pow):
        yield at.edit(6, "missing-factor", f"`{text}` in `{at.target}` should be squared", squared)
    if isinstance(parent, (ast.Call, ast.BinOp)) and not _is(parent, ast.Add, ast.Sub) and not _is(node, ast.Sub):
        yield at.edit(3.2, "sign", f"the sign of `{text}` in `{at.target}` is wrong", negated(node, at.line.text))
    for sign in "-+":
        yield at.edit(7.6, "missing-term", f"`{text}` in `{at.target}` lacks a `{sign} 1`", f"({text}) {sign} 1")
    yield at.edit(6.2, "wrong-point", f"`{text}` in `{at.target}` should be `1 - {text}`", f"1 - ({text})")
    if not divisor and np.all(value):
        yield at.edit(7.2, "extra-factor", f"`{text}` in `{at.target}` should be `1 / {text}`", f"1 / ({text})")
    if not divisor:
        yield at.edit(7.4, "wrong-point", f"`{text}` in `{at.target}` should be its square root", f"{at.line.np}.sqrt({text})")
