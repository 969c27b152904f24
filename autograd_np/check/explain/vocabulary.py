"""What a line of backward could have named: arrays, and the numbers a scale may be made of."""

from __future__ import annotations

import ast
import functools
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from autograd_np.check.judge.session import Session
from autograd_np.check.watch.calling import flat_names
from autograd_np.check.watch.point import Point
from autograd_np.check.watch.run import Step
from autograd_np.check.watch.source import Function

__all__ = ["constant_name", "counts_in", "loop_variables", "sizes_in", "sizes_of"]

_COUNTS = {"m", "n", "b", "t", "d", "batch", "batch_size", "num", "num_examples", "num_train", "n_samples", "samples", "size"}

MOST_COUNTS = 6
"""A helper may divide by so many whole numbers of its own."""


def sizes_of(session: Session, point: Point) -> dict[str, float]:
    """Return the numbers a scale may be made of: forward's, the inputs, and backward's integers, but no loop counters."""
    counters = loop_variables(session.forward_function) | loop_variables(session.function)
    scalars = {
        name: float(v)
        for source in (session.counts(point), point.variables, point.inputs)
        for name, v in source.items()
        if isinstance(v, (int, float, np.integer, np.floating))
        and not isinstance(v, bool)
        and v not in (0, 1)
        and np.isfinite(v)
        and name not in counters
    }
    found = {k: v for k, v in scalars.items() if k.lower() in _COUNTS and v > 0}
    found |= {"2": 2.0} if 2.0 not in found.values() else {}
    found |= {k: v for k, v in scalars.items() if v > 0 and k not in found}
    for name, v in flat_names(point.inputs).items():
        if isinstance(v, np.ndarray):
            for axis, n in enumerate(v.shape):
                if n > 1 and float(n) not in found.values():
                    found[f"{name}.shape[{axis}]"] = float(n)
    for n in (3.0, 4.0):
        if n not in found.values():
            found[f"{n:g}"] = n
    return found


def counts_in(step: Step, unread: Collection[str]) -> dict[str, float]:
    """Return the whole numbers that a helper computed and does not read: it may have been meant to divide by them."""
    whole = ((k, v) for k, v in step.before.items() if isinstance(v, (int, np.integer)) and not isinstance(v, bool))
    return dict([(k, float(v)) for k, v in whole if v > 1 and k in unread and not k.startswith("_")][:MOST_COUNTS])


def sizes_in(scope: Collection[str], arrays: Mapping[str, Any], sizes: Mapping[str, float], given: Collection[str]) -> dict[str, float]:
    """Return the numbers that a statement can name: of `sizes` the counts in its scope and what was `given`, and shapes."""
    found = {}
    for name, n in sizes.items():
        root = name.partition(".")[0]
        if name[0].isdigit() or (root in scope and (float(n).is_integer() or name in given)):
            found[name] = n
    for name, x in arrays.items():
        if name.partition(".")[0].partition("[")[0] not in scope:
            continue
        for axis, n in enumerate(np.shape(x)):
            if n > 1 and float(n) not in found.values():
                found[f"{name}.shape[{axis}]"] = float(n)
    return found


@functools.lru_cache(256)
def loop_variables(function: Function | None) -> frozenset[str]:
    """Return the names that ``for`` loops of a function bind, and those that ``while`` loops count with."""
    tree = function.tree if function is not None else None
    nodes = list(ast.walk(tree)) if tree else []
    bound = [n.target for n in nodes if isinstance(n, ast.For)]
    bound += [n.target for loop in nodes if isinstance(loop, ast.While) for n in ast.walk(loop) if isinstance(n, ast.AugAssign)]
    return frozenset(n.id for t in bound for n in ast.walk(t) if isinstance(n, ast.Name))


def constant_name(c: float, sizes: Mapping[str, float]) -> str:
    """Say a constant in the user's words: m, 1/m, -1."""
    for name, n in sizes.items():
        if abs(c - n) < 1e-6 * n:
            return f"{name} ({n:g})" if not name[0].isdigit() else name
        if abs(c * n - 1) < 1e-6:
            return f"1/{name}"
    return f"{c:.6g}"
