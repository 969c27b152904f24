"""In which order a function says that it returns gradients: to those who call it, and in its docstring.

What is returned is judged by its name. Who unpacks it goes by its place: where the names are in another order than forward's
parameters, and callers or the docstring have forward's, the place counts.
"""

from __future__ import annotations

import ast
import linecache
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from autograd_np.check.judge.session import Done, Session
from autograd_np.check.watch.point import Point
from autograd_np.check.watch.source import Function, is_users, parsed

__all__ = ["keep_promise"]


def keep_promise(session: Session, point: Point, done: Done) -> str:
    """Judge gradients by their places where these are promised; return how they are judged where names and places do not agree."""
    targets, function = session.targets, session.function
    places = [r for r in done.results if not r.left and len(r.keys) == 1 and r.name.isidentifier() and r.path == r.name]
    places = [r for r in places if (t := targets.get(("returned", *r.keys))) is not None and t.is_input and t.name in point.leaves]
    held = [targets["returned", *r.keys] for r in places]
    order = sorted(held, key=lambda t: list(point.leaves).index(t.name))
    given, wanted = [t.name for t in held], [t.name for t in order]
    if session.names or function is None or not isinstance(done.recording.result, tuple) or given == wanted:
        return ""
    if len(set(given)) < len(given) or len(given) < len(done.recording.result):
        return ""
    said = _said(session, point, dict(zip(given, [r.name for r in places], strict=True)), wanted)
    if not said:
        names = ", ".join(r.name for r in places)
        return f"gradients are judged by their names: they are returned as `{names}`, forward has `{', '.join(wanted)}` in this order"
    session.targets = {**targets, **{("returned", *r.keys): t for r, t in zip(places, order, strict=True)}}
    return f"gradients are judged by their places, not by their names: {said}"


def _said(session: Session, point: Point, called: dict[str, str], order: Sequence[str]) -> str:
    """Say who expects gradients in forward's order; nothing if nobody does."""
    function, given = session.function, list(called)
    assert function is not None
    for line, unpacked in _unpackings(session, function):
        names = [session.pairing.forward_name(name, point) for name in unpacked]
        same = len(names) == len(order) and all(n in (None, o) for n, o in zip(names, order, strict=True))
        if same and any(n not in (None, g) for n, g in zip(names, given, strict=True)):
            return f"line {line} unpacks them as `{', '.join(unpacked)}`"
    listed = [called[o] for o in order]
    return f"the docstring has them as `{', '.join(listed)}`" if _documented(function, listed) else ""


def _unpackings(session: Session, function: Function) -> Iterator[tuple[str, list[str]]]:
    """Yield where the user's code unpacks the results of a function, and into what."""
    spaces: dict[str, Mapping[str, Any]] = {}
    for f in session.program.functions.holders(function):
        spaces[function.filename] = f.__globals__
    for module in list(sys.modules.values()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and file.endswith(".py") and is_users(file):
            spaces.setdefault(file, vars(module))
    for file, space in spaces.items():
        text = "".join(linecache.getlines(file))
        tree = parsed(text) if f"{function.name}(" in text else None
        for node in ast.walk(tree) if tree is not None else ():
            match node:
                case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Call(func=called)) if _is(called, function, space):
                    yield f"{node.lineno} of {Path(file).name}", [_last(t) for t in targets]


def _is(node: ast.expr, function: Function, space: Mapping[str, Any]) -> bool:
    """Whether an expression is a function, as far as the names of a module tell."""
    match node:
        case ast.Name(id=name):
            found = space.get(name)
        case ast.Attribute(value=ast.Name(id=base), attr=name) if isinstance(space.get(base), ModuleType):
            found = getattr(space[base], name, None)
        case _:
            return False
    return getattr(found, "__code__", None) is function.code


def _last(node: ast.AST) -> str:
    """Return what an expression calls its value: ``dW`` for ``grads["dW"]`` and ``self.dW``."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.Subscript(slice=ast.Constant(value=str(name))):
            return name
    return "_"


def _documented(function: Function, called: Sequence[str]) -> bool:
    """Whether the docstring lists gradients in an order: with commas, or each at the beginning of a line."""
    tree: Any = function.tree
    text = ast.get_docstring(tree) if isinstance(tree, ast.FunctionDef) else None
    if not text:
        return False
    if re.search(r"\b" + r"\s*,\s*".join(map(re.escape, called)) + r"\b", text):
        return True
    _, _, after = re.split(r"(?i)(\breturns?\b|$)", text, maxsplit=1)[:3]
    lines = [re.search(rf"(?m)^\W*{re.escape(name)}\b", after) for name in called]
    starts = [m.start() for m in lines if m is not None]
    return len(starts) == len(called) and starts == sorted(starts)
