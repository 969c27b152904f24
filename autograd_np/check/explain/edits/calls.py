"""Edits of calls: another function, arguments exchanged, a function too many or missing."""

from __future__ import annotations

import ast
import itertools
import math
import types
from collections.abc import Iterator

import numpy as np

from autograd_np.check.explain.edits.edit import Edit, Place, is_array, is_float_array, shape_of
from autograd_np.check.explain.edits.syntax import name_called

__all__ = ["call_edits"]

_CONFUSED = (
    ("exp", "log"),
    ("sin", "cos", "tan"),
    ("sinh", "cosh", "tanh"),
    ("maximum", "minimum"),
    ("sqrt", "square"),
    ("sign", "abs"),
    ("zeros_like", "ones_like"),
    ("zeros", "ones"),
    ("argmax", "argmin"),
    ("floor", "ceil"),
    ("hstack", "vstack", "concatenate"),
    ("triu", "tril"),
    ("multiply", "divide", "add", "subtract"),
    ("cumsum", "flip"),
    ("repeat", "tile"),
    ("convolve", "correlate"),
    ("convolve2d", "correlate2d"),
    ("fftconvolve", "oaconvolve", "correlate"),
)
"""Functions of NumPy and SciPy that are taken for one another."""

_ARRANGING = {
    "sum",
    "mean",
    "average",
    "max",
    "min",
    "dot",
    "matmul",
    "einsum",
    "len",
    "range",
    "reversed",
    "zeros_like",
    "ones_like",
    "zeros",
}


def call_edits(at: Place) -> Iterator[Edit]:
    """Yield the edits of a call, and the calls that an array may lack."""
    if at.whole and is_float_array(at.value):
        yield from _helpers(at)
    if isinstance(at.node, ast.Constant):
        yield from _instead_of_constant(at)
        if at.whole:
            yield from _put_into_elements(at)
    if isinstance(at.node, (ast.Tuple, ast.List)) and not at.index:
        yield from _reordered(at, at.node)
    if isinstance(at.node, ast.Call):
        name = name_called(at.node)
        yield from _other_functions(at, at.node, name)
        if name not in ("dot", "matmul", "einsum", "range", "transpose", "reshape"):
            yield from _exchanged(at, at.node)
        if name not in _ARRANGING:
            yield from _too_many(at, at.node, name)
    elif isinstance(at.node, (ast.Name, ast.Attribute, ast.Subscript)) and _is_argument(at):
        for function in at.line.functions_of_one_array():
            words = f"`{at.text}` in `{at.target}` should be `{function}({at.text})`"
            yield at.edit(7, "wrong-point", words, f"{function}({at.text})")


def _helpers(at: Place) -> Iterator[Edit]:
    """Yield calls of the user's functions of two arguments that a value may lack: ``relu_backward(dA, Z)``."""
    others = [k for k, v in at.line.env.items() if isinstance(v, (np.ndarray, tuple, dict)) and not k.startswith("_")]
    for function in at.line.functions(2)[:4]:
        for other in others[:12]:
            if other != at.text:
                words = f"`{at.target}` should be `{function}({at.text}, {other})`: that step is missing"
                yield at.edit(6.9, "missing-factor", words, f"{function}({at.text}, {other})")


def _instead_of_constant(at: Place) -> Iterator[Edit]:
    """Yield the arrays and caches that a function of the user's may have been meant to be called with, where it is given a constant."""
    called = at.line.value(at.parent.func) if isinstance(at.parent, ast.Call) and not at.index else np
    if called is not None and not (isinstance(called, (types.FunctionType, types.MethodType)) and called.__module__[:5] != "numpy"):
        return
    for name, value in at.line.env.items():
        held = isinstance(value, (tuple, list, dict)) and len(value) > 0
        if not name.startswith("_") and (held or (is_array(value) and np.ndim(value))):
            words = f"`{at.target}` is made with `{at.text}`, should be with `{name}`"
            yield at.edit(4.9 if is_array(value) else 5.1, "wrong-point", words, name)


def _put_into_elements(at: Place) -> Iterator[Edit]:
    """Yield the arrays that may have been meant to be put into elements, or added to them, where a number is."""
    match at.line.statement:
        case ast.Assign(targets=[ast.Subscript() as target]) | ast.AugAssign(target=ast.Subscript() as target, op=ast.Add() | ast.Sub()):
            elements = at.line.value_of(at.line.text(target))
        case _:
            return
    for name, other in at.line.arrays.items():
        if is_float_array(other) and shape_of(other) == shape_of(elements) and name in at.line.env:
            words = f"`{at.line.text(target)}` is made of `{at.text}`, should be of `{name}`"
            yield at.edit(4.5 if at.line.is_gradient(name) else 4.7, "wrong-point", words, name)


def _is_argument(at: Place) -> bool:
    return (
        (is_float_array(at.value) or isinstance(at.value, np.floating))
        and not at.index
        and not isinstance(at.parent, (ast.Attribute, ast.Subscript))
    )


def _other_functions(at: Place, node: ast.Call, name: str) -> Iterator[Edit]:
    """Yield calls of functions that are taken for this one: of NumPy, of the user, and those that forward calls."""
    written = at.line.text(node.func)
    if name == "at" and (swap := {"add": "subtract", "subtract": "add"}.get(written.split(".")[-2])):
        new_name = f"{at.line.np}.{swap}.at"
        yield at.edit(
            1,
            "sign",
            f"the sign of what is added to `{at.line.text(node.args[0])}` is wrong: use `{new_name}`",
            new_name + at.text[len(written) :],
        )
    rest = at.text[len(written) :]
    new: dict[str, float] = {}
    module = at.line.value(node.func.value) if isinstance(node.func, ast.Attribute) else None
    if isinstance(node.func, ast.Attribute) and isinstance(module, types.ModuleType):
        of = at.line.text(node.func.value)
        for family in _CONFUSED:
            if name in family:
                new |= {f"{of}.{other}": 4.4 for other in family if other != name and hasattr(module, other)}
    elif isinstance(node.func, ast.Attribute):
        count = len(node.args) + len(node.keywords)
        new |= {f: 2.2 if at.line.is_derivative(f, name) else 4.4 for f in at.line.functions(count) if "." in f}
    if len(node.args) == 1 and not node.keywords and name not in ("len", "range", "float", "int", "reversed"):
        new |= {f: 4.5 for f in at.line.hints.calls if f.startswith(f"{at.line.np}.") and f not in _shapes(at.line.np)}
        new |= dict.fromkeys(at.line.functions(1), 4.5)
    if isinstance(node.func, ast.Name):
        own = at.line.env.get(name)
        if isinstance(own, types.FunctionType):
            new |= {f: 2.2 if at.line.is_derivative(f, name) else 4.4 for f in at.line.functions(len(node.args))}
    for function, rank in new.items():
        if function != written:
            yield at.edit(rank, "wrong-point", f"`{at.target}` calls `{written}` where it should call `{function}`", function + rest)


def _shapes(np_name: str) -> set[str]:
    return {f"{np_name}.{f}" for f in ("sum", "mean", "dot", "zeros", "ones", "zeros_like", "max", "array", "arange", "matmul")} | {
        "len",
        "range",
    }


def _reordered(at: Place, node: ast.Tuple | ast.List) -> Iterator[Edit]:
    """Yield the parts of a stack in another order."""
    texts = [at.line.text(e) for e in node.elts]
    orders = itertools.permutations(range(len(texts))) if len(texts) <= 4 else ()
    for order in orders:
        if any(texts[i] != t for i, t in zip(order, texts, strict=True)):
            moved = sum(i != j for i, j in enumerate(order))
            inside = ", ".join(texts[i] for i in order)
            new = f"[{inside}]" if isinstance(node, ast.List) else f"({inside})"
            yield at.edit(4.8 + moved / 10, "wrong-point", f"the order of `{at.text}` in `{at.target}` should be `{new}`", new)


def _exchanged(at: Place, node: ast.Call) -> Iterator[Edit]:
    for i, j in itertools.combinations(range(min(len(node.args), 5)), 2):
        a, b = at.line.text(node.args[i]), at.line.text(node.args[j])
        if a != b:
            changes = ((*at.path, "args", i), b), ((*at.path, "args", j), a)
            words = f"the arguments `{a}` and `{b}` of `{at.line.text(node.func)}` in `{at.target}` are exchanged"
            yield at.line.edit(4.6, "wrong-point", words, *changes)


def _too_many(at: Place, node: ast.Call, name: str) -> Iterator[Edit]:
    method = isinstance(node.func, ast.Attribute) and at.line.value(node.func.value) is not np
    inner = node.func.value if method and isinstance(node.func, ast.Attribute) else node.args[0] if len(node.args) == 1 else None
    if inner is not None and name != "copy":
        text = at.line.text(inner)
        before, after = shape_of(at.line.value(inner)), shape_of(at.value)
        same = before is not None and after is not None and before != after and math.prod(before) == math.prod(after)
        words = f"`{name}` does not belong around `{text}` in `{at.target}`"
        rank = 4.8 if name in ("sqrt", "square", "exp", "log", "abs", "sign", "tanh") else 5.8
        divisor = isinstance(at.parent, ast.BinOp) and isinstance(at.parent.op, ast.Div) and at.path[-1] == "right"
        yield at.edit(rank, "shape" if same else "missing-factor" if divisor and name == "sqrt" else "extra-factor", words, text)
