"""Hands that derive the formula without its safeguards: ``log(p + 1e-7)`` differentiated as ``log(p)``."""

from __future__ import annotations

import ast
import copy
import types
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from autograd_np import errors
from autograd_np.check.judge.outcome import Fix
from autograd_np.check.judge.session import Session
from autograd_np.check.watch.interpret import CannotEvaluate
from autograd_np.check.watch.point import Point, point_of
from autograd_np.check.watch.stand_ins import exchanged

__all__ = ["agrees_without_safeguards", "without_safeguards"]

TINY = 1e-4
"""A constant up to this size that is added may be a safeguard against 0."""

LARGEST_ERROR = 1e-3
"""At the user's own point; where a draw is nearer to what the safeguard is for, it may matter more."""


class _Without(ast.NodeTransformer):
    """Leaves tiny constants out of sums (and out of ``1.0000001``), and makes those that have a name zero."""

    def __init__(self, added: Collection[str], *, in_logarithms: bool) -> None:
        self.added, self.found = added, list[float]()
        self.inside = not in_logarithms

    def visit_Call(self, node: ast.Call) -> ast.AST:
        before, self.inside = self.inside, self.inside or ast.unparse(node.func).rpartition(".")[2].startswith("log")
        self.generic_visit(node)
        self.inside = before
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if self.inside and isinstance(node.op, (ast.Add, ast.Sub)):
            for part, rest in ((node.right, node.left), (node.left, node.right)):
                if isinstance(part, ast.Constant) and isinstance(part.value, float) and _is_tiny(part.value):
                    self.found.append(part.value)
                    return rest
                if isinstance(part, ast.Constant) and isinstance(part.value, float) and _is_tiny(abs(part.value - 1)):
                    self.found.append(part.value)
                    one = ast.copy_location(ast.Constant(value=1.0), part)
                    left, right = (node.left, one) if part is node.right else (one, node.right)
                    return ast.copy_location(ast.BinOp(left=left, op=node.op, right=right), node)
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        self.generic_visit(node)
        named = self.inside and any(isinstance(t, ast.Name) and t.id in self.added for t in node.targets)
        if named and isinstance(node.value, ast.Constant) and isinstance(node.value.value, float) and _is_tiny(node.value.value):
            self.found.append(node.value.value)
            return ast.Assign(targets=node.targets, value=ast.Constant(value=0.0))
        return node


def _added(trees: Iterable[ast.AST | None]) -> set[str]:
    """Return the names that are a whole summand somewhere."""
    sums = [n for t in trees if t is not None for n in ast.walk(t) if isinstance(n, ast.BinOp) and isinstance(n.op, (ast.Add, ast.Sub))]
    return {
        p.id if isinstance(p, ast.Name) else p.attr for n in sums for p in (n.left, n.right) if isinstance(p, (ast.Name, ast.Attribute))
    }


def _is_tiny(x: Any) -> bool:
    return isinstance(x, float) and 0 < x <= TINY


@contextmanager
def _named_constants_zero(functions: Sequence[types.FunctionType], added: Collection[str], found: list[str]) -> Iterator[None]:
    """Make tiny defaults of parameters, and tiny globals, zero while this lasts."""
    defaults = {f: (f.__defaults__, f.__kwdefaults__) for f in functions}
    saved: list[tuple[dict[str, Any], str, Any]] = []
    try:
        for f in functions:
            names = f.__code__.co_varnames[: f.__code__.co_argcount][-len(f.__defaults__ or ()) :]
            tiny = [n in added and _is_tiny(v) for n, v in zip(names, f.__defaults__ or (), strict=False)]
            if any(tiny):
                found += [f"{n} = {v:g}" for n, v, t in zip(names, f.__defaults__ or (), tiny, strict=True) if t]
                f.__defaults__ = tuple(0.0 if t else v for v, t in zip(f.__defaults__ or (), tiny, strict=True))
            for n, v in (f.__kwdefaults__ or {}).items():
                if n in added and _is_tiny(v):
                    found.append(f"{n} = {v:g}")
                    f.__kwdefaults__ = {**(f.__kwdefaults__ or {}), n: 0.0}
            for n in f.__code__.co_names:
                if n in added and _is_tiny(f.__globals__.get(n)):
                    found.append(f"{n} = {f.__globals__[n]:g}")
                    saved.append((f.__globals__, n, f.__globals__[n]))
                    f.__globals__[n] = 0.0
        yield
    finally:
        for f, (positional, keywords) in defaults.items():
            f.__defaults__, f.__kwdefaults__ = positional, keywords
        for scope, n, v in saved:
            scope[n] = v


def without_safeguards(session: Session, points: Sequence[Point], *, in_logarithms: bool = False) -> tuple[list[Point], str]:
    """Return the points with forward's tiny constants left out, and which they are; none where there are none, or they change nothing.

    Those in logarithms alone may be left out: what a normalisation adds to a variance is part of what it computes.
    """
    program = session.program
    functions = [f for f in program.world.functions if program.functions.of(f.__code__) is not session.function]
    codes_of_forward = {f.__code__ for f in functions}
    added = _added(f.tree for f in program.functions.watched() if f.code in codes_of_forward)
    fixes: list[Fix] = []
    said: list[str] = []
    for function in program.functions.watched():
        for place in function.places if function.code in codes_of_forward else ():
            without = _Without(added, in_logarithms=in_logarithms)
            new: Any = without.visit(copy.deepcopy(place.statement)) if place.statement is not None else None
            if without.found:
                fixes.append(Fix(place, "", [new]))
                said += [f"{c:.12g} at line {place.line}" for c in without.found]
    added = set() if in_logarithms else added
    tiny = [n for p in points[:1] for n, v in p.inputs.items() if _is_tiny(v) and n in added]
    said += [f"{n} = {points[0].inputs[n]:g}" for n in tiny]
    found: list[Point] = []
    try:
        codes = session.codes(fixes)
        for point in points:
            inputs = {k: 0.0 if k in tiny else v for k, v in point.inputs.items()}
            more: list[str] = []
            with exchanged(codes), _named_constants_zero(functions, added, more), np.errstate(all="ignore"):
                said += more if point is points[0] else []
                if not said:
                    return [], ""
                traced = session.trace(inputs, point.traced.instead)
            found.append(point_of(traced, dict(point.cotangents), own=point.own))
    except (errors.AutogradError, CannotEvaluate, ValueError, ArithmeticError, AssertionError):
        return [], ""
    truths = [[p.truth(n) for n in p.leaves.values()] for p in found]
    finite = all(np.all(np.isfinite(t)) for some in truths for t in some)
    moved = any(
        np.any(t != p.truth(n)) for some, p in zip(truths, points, strict=True) for t, n in zip(some, p.leaves.values(), strict=False)
    )
    return (found, ", ".join(dict.fromkeys(said))) if finite and moved else ([], "")


def agrees_without_safeguards(session: Session, points: Sequence[Point], ideal: Sequence[Point], said: str) -> str | None:
    """Return what to say if backward is right, on every point, for forward without its tiny constants; ``None`` if it is not."""
    own = worst = 0.0
    if not ideal:
        return None
    for point, better in zip(points, ideal, strict=True):
        results = session.quick(point, {}) or []
        judged = [r for r in session.paired(better, results) if r.decides]
        if not judged or not all(session.is_right(r, better) for r in judged):
            return None
        for r in session.paired(point, results):
            truth = point.truth(r.node)
            if r.decides and truth.shape == r.value.shape and not session.is_right(r, point):
                size = max(float(np.max(np.abs(truth), initial=0.0)), 1e-300)
                error = float(np.max(np.abs(r.value - truth), initial=0.0)) / size
                worst, own = max(worst, error), max(own, error if point.own else 0.0)
    return None if own > LARGEST_ERROR else f"agrees to {worst:.1g}: it is the gradient of forward without {said}"
