"""Edits that insert: a factor or a term that an expression may lack, and the derivative of another activation."""

from __future__ import annotations

import ast
import difflib
import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from autograd_np.check.explain.edits.edit import Edit, Line, Place, as_broadcast, is_float_array, is_size, shape_of
from autograd_np.check.explain.edits.syntax import parsed
from autograd_np.check.judge.names import is_gradients_name

__all__ = ["activation_edits", "beside_edits", "factor_edits", "term_edits"]

MOST_BESIDE = 8
"""So many expressions of other lines are tried in the place of a variable in them."""

_ALWAYS = {"{0}": 6.0, "(1 - {0})": 6.4, "({0} * (1 - {0}))": 6.4, "(1 - {0}**2)": 6.4, "({0} > 0)": 6.4}
"""What a local derivative is made of, whatever forward calls: rank by factor."""

_OF_ACTIVATION = {"({0} * (1 - {0}))": "sig|expit|logistic", "(1 - {0}**2)": "tanh", "({0} > 0)": "relu|maximum"}
"""What forward calls where a derivative of an activation, at its value, is likely."""

OF_FORWARD = 0.8
"""How much simpler a factor is that forward multiplies something by."""

_OF_FUNCTION: Mapping[str, tuple[str, ...]] = {
    "exp": ("{np}.exp({0})", "(1 / (1 + {np}.exp(-{0})))"),
    "log": ("(1 / {0})",),
    "log1p": ("(1 / (1 + {0}))",),
    "sqrt": ("(0.5 / {np}.sqrt({0}))", "(0.5 / {0})", "(1 / {np}.sqrt({0}))"),
    "tanh": ("(1 - {np}.tanh({0})**2)",),
    "sin": ("{np}.cos({0})",),
    "cos": ("(-{np}.sin({0}))",),
    "sinh": ("{np}.cosh({0})",),
    "cosh": ("{np}.sinh({0})",),
    "arctan": ("(1 / (1 + {0}**2))",),
    "abs": ("{np}.sign({0})",),
    "absolute": ("{np}.sign({0})",),
    "square": ("(2 * {0})",),
    "power": ("(2 * {0})", "(3 * {0}**2)"),
    "reciprocal": ("(-1 / {0}**2)",),
    "where": ("{np}.where({0} > 0, 1, 0)",),
}
"""The derivative of a function of NumPy at its argument or, where that is usual, at its value."""


def _factors(line: Line) -> dict[str, float]:
    """Return the forms of a factor that forward's functions suggest, and how simple each is."""
    called = " ".join(line.hints.calls).lower()
    found = {factor: 5.7 if re.search(_OF_ACTIVATION.get(factor, "^$"), called) else rank for factor, rank in _ALWAYS.items()}
    for call in line.hints.calls:
        for template in _OF_FUNCTION.get(call.rpartition(".")[2], ()):
            found.setdefault(template.replace("{np}", line.np), 6.6)
        if call in line.functions(1):
            found.setdefault(f"({call}({{0}}) * (1 - {call}({{0}})))", 6.9)
            found.setdefault(f"(1 - {call}({{0}})**2)", 6.9)
    for name in line.functions(1):
        found.setdefault(f"{name}({{0}})", 6.5)
    found.setdefault(f"{line.np}.exp({{0}})", 7.4)
    found.setdefault(f"{line.np}.cos({{0}})", 7.6)
    found.setdefault("(2 * {0})", 7.2)
    found.setdefault("{0}**2", 7.4)
    found.setdefault("{0}**3", 7.8)
    return found


def factor_edits(at: Place) -> Iterator[Edit]:
    """Yield an expression multiplied or divided by a factor that it may lack."""
    if at.index or at.setting or at.header or at.attribute:
        return
    if isinstance(at.node, ast.Constant) and at.whole and is_size(at.value):
        yield from _spread(at)
    if not isinstance(at.node, (ast.Name, ast.BinOp, ast.Subscript, ast.Attribute, ast.Call)):
        return
    value, text = at.value, at.text
    if not is_float_array(value) and not _is_mask(value):
        if isinstance(value, (float, np.floating)) and at.path != ("value",):
            yield from _scaled(at)
        if is_size(value):
            yield from _spread(at)
        if not isinstance(value, np.floating):
            return
    yield from _widened(at, value)
    more = 0 if at.path == ("value",) else 0.5 if at.whole or isinstance(at.parent, ast.BinOp) else 0.8
    if at.path != ("value",) and not (isinstance(at.parent, ast.BinOp) and isinstance(at.parent.op, ast.Mult)):
        yield from _scaled(at)
    elif not at.whole:
        return  # the whole product is multiplied
    for factor, shape in at.line.factors.items():
        if as_broadcast(factor, shape, value.shape) == factor:
            yield at.edit(5.9 + more, "missing-factor", _lacks(at, factor), f"({text}) * {factor}")
    forms = _factors(at.line)
    whole = _shape_set(at.line)
    wide = len(whole) == value.ndim and whole != value.shape
    for name, other in at.line.arrays.items():
        if name == text or (np.ndim(other) == 0) != (np.ndim(value) == 0):
            continue
        written = as_broadcast(name, np.shape(other), value.shape) or (as_broadcast(name, np.shape(other), whole) if wide else None)
        if written is None or np.asarray(other).dtype.kind not in "fb":
            continue
        plain = written == name and np.asarray(other).dtype.kind == "f"
        for template, rank in forms.items() if plain else (("{0}", 6.0), ("({0} > 0)", 6.4)):
            factor = template.format(written)
            more_likely = OF_FORWARD if template == "{0}" and name in at.line.hints.factors else 0.0
            yield at.edit(rank + more - more_likely, "missing-factor", _lacks(at, factor), f"({text}) * {factor}")
        if np.asarray(other).dtype.kind == "f" and np.all(other):
            yield at.edit(6.2 + more, "missing-factor", _lacks(at, f"1 / {written}"), f"({text}) / {written}")
            if plain:
                root = f"{at.line.np}.sqrt({written})"
                yield at.edit(7 + more, "missing-factor", _lacks(at, f"1 / {root}"), f"({text}) / {root}")
                yield at.edit(7.2 + more, "missing-factor", _lacks(at, f"1 / {written}**2"), f"({text}) / {written}**2")


def _shape_set(line: Line) -> tuple[int, ...]:
    """Return the shape that the value of a line may take: where it is added to a variable, that of the variable."""
    match line.statement:
        case ast.AugAssign(target=target):
            return shape_of(line.value_of(line.text(target))) or ()
        case ast.Assign(value=value) | ast.Return(value=ast.expr() as value) | ast.Expr(value=value):
            return shape_of(line.value(value)) or ()
    return ()


def _is_mask(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.ndim > 0 and (value.dtype.kind == "b" or set(np.unique(value)) <= {0, 1})


def _widened(at: Place, value: Any) -> Iterator[Edit]:
    """Yield all of a line, or a factor in it, multiplied by a gradient of the larger shape that it should have."""
    if not at.whole and not (isinstance(at.parent, ast.BinOp) and isinstance(at.parent.op, ast.Mult)):
        return
    for name, other in at.line.arrays.items():
        wider = is_gradients_name(name) and is_float_array(other) and other.shape != np.shape(value)
        if wider and as_broadcast(at.text, np.shape(value), other.shape) == at.text:
            yield at.edit(6, "missing-factor", _lacks(at, name), f"{name} * ({at.text})")


def _spread(at: Place) -> Iterator[Edit]:
    """Yield a number multiplied by an array, where an array is set."""
    whole = getattr(at.line.statement, "value", at.node)
    wanted = shape_of(at.line.value(whole)) or (shape_of(at.line.value_of(at.line.assigned)) if at.line.assigned else None)
    if not at.whole and not (isinstance(at.parent, ast.BinOp) and isinstance(at.parent.op, (ast.Add, ast.Sub))):
        return
    one = at.whole and isinstance(at.node, ast.Constant) and at.node.value == 1
    for name, other in at.line.arrays.items():
        if not wanted or np.asarray(other).dtype.kind not in ("f" if not one else "fb"):
            continue
        flat = len(wanted) == 1 < np.ndim(other) and np.size(other) == wanted[0]
        if shape_of(other) == wanted or flat:
            factor = f"{name}.flatten()" if flat else name
            yield at.edit(6, "missing-factor", _lacks(at, factor), factor if one else f"({at.text}) * {factor}")
        elif one and np.ndim(other) and (written := as_broadcast(name, np.shape(other), wanted)) is not None:
            yield at.edit(6.2, "missing-factor", _lacks(at, written), written)


def _lacks(at: Place, factor: str) -> str:
    return (
        f"the factor `{factor}` is missing in `{at.target}`" if at.whole else f"in `{at.target}`, `{at.text}` lacks the factor `{factor}`"
    )


def _scaled(at: Place) -> Iterator[Edit]:
    """Yield a part of the line multiplied or divided by a number."""
    names = {**at.line.scalars, **{k: v for k, v in at.line.sizes.items() if k[0].isdigit() or k in at.line.env or "." in k}}
    for name, value in list(names.items())[:12]:
        if value in (0, 1) or name == at.text:
            continue
        shown = "" if name[0].isdigit() else f" (= {value:g})"
        if isinstance(at.line.env.get(name), np.floating):  # what NumPy computed of arrays is no constant
            yield at.edit(5.6, "missing-factor", _lacks(at, name), f"{name} * ({at.text})")
            yield at.edit(5.6, "missing-factor", _lacks(at, f"1 / {name}"), f"({at.text}) / {name}")
            continue
        yield at.edit(5.6, "scale", f"in `{at.target}`, `{at.text}` lacks the factor {name}{shown}", f"{name} * ({at.text})", 1 / value)
        yield at.edit(5.6, "scale", f"in `{at.target}`, `{at.text}` should be divided by {name}{shown}", f"({at.text}) / {name}", value)


def beside_edits(at: Place) -> Iterator[Edit]:
    """Yield what other lines make of a variable in its place: ``x - mu`` for ``x``, where they have ``x - mu``."""
    if at.index or at.setting or at.header:
        return
    if isinstance(at.node, ast.Name) and not at.attribute:
        yield from _instead(at)
    if at.text not in at.line.beside:
        return
    own = at.line.text(at.parent) if isinstance(at.parent, ast.BinOp) else ""
    value = at.value
    for node in at.line.beside[at.text][:MOST_BESIDE]:
        text = ast.unparse(node)
        if text == own or not is_float_array(value) or shape_of(at.line.value_of(text)) != np.shape(value):
            continue
        left = ast.unparse(node.left) == at.text
        match node.op:
            case ast.Add() | ast.Sub():
                sign, other = ("-" if isinstance(node.op, ast.Sub) else "+"), ast.unparse(node.right if left else node.left)
                if not left and sign == "-":
                    yield at.edit(6, "wrong-point", f"`{at.text}` in `{at.target}` should be `{text}`, as elsewhere", f"({text})")
                    continue
                where = "" if at.whole else f" after `{at.text}`"
                words = f"`{sign} {other}` is missing in `{at.target}`{where}"
                yield at.edit(5.4 if at.whole else 5.6, "missing-term", words, f"({text})")
            case ast.Mult() | ast.Div():
                factor = ast.unparse(node.right if left else node.left)
                factor = f"1 / {factor}" if isinstance(node.op, ast.Div) and left else factor
                if isinstance(node.op, ast.Mult) or left:
                    yield at.edit(5.8, _kind_of(at, node.right if left else node.left), _lacks(at, factor), f"({text})")


def _instead(at: Place) -> Iterator[Edit]:
    """Yield the differences that other lines have, in the place of another variable of their shape: ``x - mu`` for ``xhat``."""
    value = at.value
    nodes = (
        {ast.unparse(n): n for found in at.line.beside.values() for n in found if isinstance(n.op, ast.Sub)}
        if is_float_array(value)
        else {}
    )
    for text, node in list(nodes.items())[:MOST_BESIDE]:
        named = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
        if at.text not in named and shape_of(at.line.value_of(text)) == np.shape(value):
            yield at.edit(4.3, "wrong-point", f"`{at.target}` uses `{at.text}`, should be `{text}`", f"({text})")


def _kind_of(at: Place, factor: ast.expr) -> str:
    value = at.line.value(factor)
    return "scale" if is_size(value) and not isinstance(value, np.floating) else "missing-factor"


# --- terms


def term_edits(at: Place) -> Iterator[Edit]:
    """Yield an expression with a term that it may lack: a variable, a penalty, a mean that is taken away."""
    if at.index or at.setting or at.header:
        return
    if isinstance(at.parent, ast.BinOp) and isinstance(at.parent.op, (ast.Add, ast.Sub)):
        yield from _other_terms(at)
        return
    value, text = at.value, at.text
    if not (at.whole or _holds_sum(at)) or (not is_float_array(value) and not (at.whole and is_size(value))):
        return
    more = 0 if at.whole else 0.5
    for term in _terms(at):
        for rank, template in ((5.5, "{}"), (5.8, "2 * {}"), (5.8, "0.5 * {}")):
            yield from _with_term(at, rank + more, "+", template.format(term))
    like = list(at.line.like(value, same=True)) if is_float_array(value) else []
    for name in like:
        if name != text and np.asarray(at.line.arrays[name]).dtype.kind == "f":
            yield from _with_term(at, 6.2 + more, "+", name)
            yield from _with_term(at, 6.3 + more, "-", name)
            for scalar in list(at.line.scalars)[:4]:
                yield from _with_term(at, 6.1 + more, "+", f"{scalar} * {name}")
                yield from _with_term(at, 6.5 + more, "+", f"2 * {scalar} * {name}")
                yield from _with_term(at, 6.6 + more, "-", f"{scalar} * {name}")
            for size in _counts(at.line):
                yield from _with_term(at, 6.6 + more, "+", f"{name} / {size}")
    for factor, shape in at.line.factors.items() if is_float_array(value) and at.whole else ():
        for name in list(filter(is_gradients_name, like))[:8]:
            if as_broadcast(factor, shape, value.shape) == factor:
                yield from _with_term(at, 5.6, "+", f"{name} * {factor}")
    if is_float_array(value):
        yield from _centred(at, like, more)
        if at.whole:
            yield from _analogous(at)
            yield from _of_calls(at)
            yield from _of_branches(at)


def _other_terms(at: Place) -> Iterator[Edit]:
    """Yield terms that forward suggests in the place of one: ``2 * lam * W`` for ``lam * np.sign(W)``."""
    for term in _terms(at):
        for new in (term, f"2 * {term}"):
            if new != at.text:
                yield at.edit(6.4, "wrong-point", f"`{at.text}` in `{at.target}` should be `{new}`", new)


def _terms(at: Place) -> list[str]:
    """Return the terms of forward that have the shape of an expression."""
    shape = shape_of(at.value)
    return [t for t in at.line.hints.terms[:20] if shape is not None and shape_of(at.line.value_of(t)) == shape and t != at.text]


def _holds_sum(at: Place) -> bool:
    """Whether an expression is a bracket or an argument: what a term may be missing in."""
    return isinstance(at.parent, (ast.BinOp, ast.Call, ast.UnaryOp)) and isinstance(
        at.node, (ast.Name, ast.BinOp, ast.Call, ast.Subscript, ast.Attribute)
    )


def _with_term(at: Place, rank: float, sign: str, term: str) -> Iterator[Edit]:
    where = "" if at.whole else f" after `{at.text}`"
    yield at.edit(rank, "missing-term", f"`{sign} {term}` is missing in `{at.target}`{where}", f"({at.text}) {sign} ({term})")


def _counts(line: Line) -> list[str]:
    """Return the sizes in sight that gradients are divided by."""
    return [k for k, v in line.sizes.items() if k in line.env and k[0] != "_" and float(v).is_integer() and v > 1][:3]


def _analogous(at: Place) -> Iterator[Edit]:
    """Yield a sum with another product of the form of its last one: ``+ dk @ Wk.T`` after ``dq @ Wq.T``."""
    node = at.node
    last = node.right if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub)) else node
    arrays = {at.line.text(n): at.line.value(n) for n in _arrays_of(last) if is_float_array(at.line.value(n))}
    if len(arrays) != 2 or not isinstance(last, (ast.BinOp, ast.Call)):
        return
    others = [_resembling([o for o in at.line.like(value) if o not in arrays], name) for name, value in arrays.items()]
    either = re.compile("|".join(rf"(?<![\w.]){re.escape(name)}(?!\w)" for name in sorted(arrays, key=len, reverse=True)))
    for pair in itertools.product(*others):
        new = dict(zip(arrays, pair, strict=True))
        term = either.sub(lambda found: new[found.group()], at.line.text(last))  # noqa: B023 (used at once)
        yield from _with_term(at, 6.6, "+", term)


def _of_branches(at: Place) -> Iterator[Edit]:
    """Yield a sum with the product of another gradient and a matrix: what came through a branch that is left out, ``+ da @ W.T``."""
    shape, written = shape_of(at.value), at.text
    arrays = {k: v for k, v in at.line.arrays.items() if is_float_array(v) and k in at.line.env}
    gradients = [k for k in arrays if at.line.is_gradient(k) and k != written][:8]
    matrices = [k for k, v in arrays.items() if v.ndim == 2 and not at.line.is_gradient(k)][:10]
    for g, m in itertools.product(gradients, matrices):
        for factor, turned in ((m, f"{m}.T"), (f"{m}.T", m)):
            inner = arrays[m].T if factor.endswith(".T") else arrays[m]
            if arrays[g].shape[-1] == inner.shape[0] and (*arrays[g].shape[:-1], inner.shape[1]) == shape:
                yield from _with_term(at, 6.1, "+", at.line.product(g, factor))
            if arrays[g].shape[0] == inner.shape[0] and (inner.shape[1], *arrays[g].shape[1:]) == shape:
                yield from _with_term(at, 6.1, "+", at.line.product(turned, g))


def _of_calls(at: Place) -> Iterator[Edit]:
    """Yield a sum with what a function gives for a variable of the line, where the line calls it: ``- total(dx)``."""
    node = at.node
    if not (isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub))):
        return
    calls = [n for n in ast.walk(node) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and len(n.args) == 1 and not n.keywords]
    names = dict.fromkeys(at.line.text(n) for n in _arrays_of(node) if is_float_array(at.line.value(n)))
    for function in dict.fromkeys(at.line.text(n.func) for n in calls):
        for name in names:
            for sign in "-+":
                yield from _with_term(at, 5.6, sign, f"{function}({name})")


def _arrays_of(node: ast.expr) -> Iterator[ast.expr]:
    """Yield the variables, attributes and elements that an expression reads, without those they are parts of."""
    if isinstance(node, (ast.Name, ast.Subscript)) or (isinstance(node, ast.Attribute) and node.attr not in ("T", "shape", "size")):
        yield node
    else:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                yield from _arrays_of(child)


def _resembling(names: list[str], name: str) -> list[str]:
    """Return the names that are most like one: ``dk`` for ``dv``."""
    return sorted(names, key=lambda n: -difflib.SequenceMatcher(None, n, name).ratio())[:8]


def _centred(at: Place, like: list[str], more: float) -> Iterator[Edit]:
    """Yield the expression without its mean, or without what a normalisation or a softmax takes away."""
    first: ast.expr = at.node
    while isinstance(first, ast.BinOp) and isinstance(first.op, (ast.Add, ast.Sub)):
        first = first.left
    for node in dict.fromkeys((at.node, first)):
        if shape_of(at.line.value(node)) == shape_of(at.value):
            yield from _without_mean(at, at.line.text(node), like, more)


def _without_mean(at: Place, text: str, like: list[str], more: float) -> Iterator[Edit]:
    np_ = at.line.np
    for axis in dict.fromkeys((*range(min(np.ndim(at.value), 3)), -1)):
        mean = f"{np_}.mean({text}, axis={axis}, keepdims=True)"
        yield from _with_term(at, 6.8 + more, "-", mean)
        if not at.whole and not isinstance(at.node, (ast.Name, ast.Subscript)):
            continue
        for name in like[:12]:
            yield from _with_term(at, 7 + more, "-", f"{np_}.sum({text} * {name}, axis={axis}, keepdims=True)")
            yield from _with_term(at, 7 + more, "-", f"{name} * {np_}.sum({text}, axis={axis}, keepdims=True)")
            yield from _with_term(at, 7.4 + more, "-", f"{name} * {np_}.mean({text} * {name}, axis={axis}, keepdims=True)")
    yield from _with_term(at, 6.9 + more, "-", f"{np_}.mean({text})")


# --- activations


def activation_edits(at: Place) -> Iterator[Edit]:
    """Yield the derivatives of other activations in the place of one, and the line without it.

    The kind is that of what is missing: the point may be right, but the factor belongs to another function.
    """
    if at.index or at.setting or at.header:
        return
    for name, rest in _activations(at):
        written = at.text
        for other in (name, *(n for n in at.line.like(at.line.value_of(name)) if n != name)):
            for template in (
                "({0} * (1 - {0}))",
                "(1 - {0}**2)",
                "({0} > 0)",
                "{0}",
                f"{at.line.np}.exp({{0}})",
                f"{at.line.np}.cos({{0}})",
            ):
                factor = template.format(other)
                if not rest and ast.unparse(parsed(factor)) == written:
                    continue
                words = f"the derivative of the wrong activation in `{at.target}`: `{factor}` is missing"
                kind = "missing-factor"
                if factor == name and not rest and is_gradients_name(name):
                    kind, words = "wrong-point", f"`{at.target}` uses the sign of `{name}`, should be `{name}` itself"
                yield at.edit(5.2 if other == name else 5.7, kind, words, f"({rest}) * {factor}" if rest else factor)
        if rest:
            words = f"the derivative of an activation does not belong in `{at.target}`: it should be `{rest}`, not `{written}`"
            yield at.edit(5.1, "extra-factor", words, rest)
    yield from _rests(at)


def _rests(at: Place) -> Iterator[Edit]:
    """Yield the derivative of an activation where only a part of it stands: ``1 - a``, or `a` without ``(1 - a)`` and vice versa."""
    text = at.line.text
    match at.node:
        case ast.BinOp(left=ast.Constant(value=1 | 1.0), op=ast.Sub(), right=ast.Name() | ast.Attribute() | ast.Subscript() as a):
            yield at.edit(5.1, "missing-factor", f"`{text(a)}` in `{at.target}` should be squared", f"1 - {text(a)}**2")
            yield at.edit(5.2, "missing-factor", _lacks(at, text(a)), f"{text(a)} * ({at.text})")
        case ast.BinOp(op=ast.Mult()) if not isinstance(getattr(at.parent, "op", None), ast.Mult):
            written = {text(f) for f in _multiplied(at.node)}
            for f in _multiplied(at.node):
                if not isinstance(f, ast.Constant) and is_float_array(at.line.value(f)) and f"1 - {text(f)}" not in written:
                    yield at.edit(5.3, "missing-factor", _lacks(at, f"(1 - {text(f)})"), f"{at.text} * (1 - {text(f)})")


def _activations(at: Place) -> Iterator[tuple[str, str]]:
    """Yield (variable, what is multiplied by it) for the derivative of an activation: a * (1 - a), 1 - a**2, a > 0."""
    text = at.line.text
    match at.node:
        case ast.BinOp(left=ast.Constant(value=1 | 1.0), op=ast.Sub(), right=ast.BinOp(left=a, op=ast.Pow() | ast.Mult())):
            yield text(a), ""
        case ast.BinOp(left=ast.Constant(value=1 | 1.0), op=ast.Sub(), right=ast.Call(args=[a, *_])):
            yield text(a), ""
        case (
            ast.Call(args=[ast.Compare(left=ast.Name() | ast.Attribute() | ast.Subscript() as a, ops=[ast.Gt() | ast.GtE()])])
            | ast.Call(
                func=ast.Attribute(
                    value=ast.Compare(left=ast.Name() | ast.Attribute() | ast.Subscript() as a, ops=[ast.Gt() | ast.GtE()]), attr="astype"
                )
            )
        ):
            yield text(a), ""  # np.int64(Z > 0), (Z > 0).astype(float)
        case ast.Compare(
            left=ast.Name() | ast.Attribute() | ast.Subscript() as a, ops=[ast.Gt() | ast.GtE()], comparators=[ast.Constant()]
        ):
            yield text(a), ""
        case ast.BinOp(op=ast.Mult()):
            factors = _multiplied(at.node)
            for i, factor in enumerate(factors):
                for j, other in enumerate(factors):
                    if isinstance(other, ast.BinOp) and isinstance(other.op, ast.Sub) and text(other) == f"1 - {text(factor)}":
                        yield text(factor), " * ".join(f"({text(f)})" for k, f in enumerate(factors) if k not in (i, j))


def _multiplied(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return [*_multiplied(node.left), node.right]
    return [node]
