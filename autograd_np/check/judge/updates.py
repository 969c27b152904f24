"""A backward pass that updates the parameters itself: what is judged is their change, divided by the learning rate."""

from __future__ import annotations

import ast
import inspect
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autograd_np.check.judge.compare import close, fits
from autograd_np.check.judge.results import Result, Targets
from autograd_np.check.watch.point import Point
from autograd_np.check.watch.program import Program
from autograd_np.check.watch.run import Recording
from autograd_np.check.watch.state import leaves_in
from autograd_np.typing import Array

__all__ = ["rate_at", "told_of_updates", "updates"]

_RATE = re.compile(r"(?i)(\w*_)?(lr|rate|learning_?rate|alpha|eta|step|step_?size)(_\w+)?")

_MAXIMISED = re.compile(r"(?i)likelihood|log_?lik|loglh|posterior|evidence|elbo|reward|utility")
_NEGATED = re.compile(r"(?i)neg|nll|minus")


def updates(
    program: Program, point: Point, results: Sequence[Result], recording: Recording, tolerance: float, *, itself: bool = False
) -> dict[int, Targets]:
    """Pair the parameters that backward changed with themselves; none of those that an optimizer changes by a root of squares.

    The learning rate is the number that is called so; of several, or where none is, the one with which most changes are gradients.
    With `itself` only those count that a statement of backward's own changes by a multiple of the learning rate: ``self.W -= lr * dW``.
    """
    leaves = {tuple(path): n for n, path in point.keys.items() if n in point.leaves}
    leaves |= {tuple(path): n for path, n in program.paths.items() if n in point.leaves}
    changed = {i: leaves[tuple(r.keys)] for i, r in enumerate(results) if r.left and r.whole and tuple(r.keys) in leaves}
    changed = {i: n for i, n in changed.items() if _is_plain(results[i], recording) and _is_of(results[i].value, point.leaves[n].out)}
    if itself:
        changed = {i: n for i, n in changed.items() if _steps(results[i], recording)}
    changed |= {i: n for i, r in enumerate(results) if (n := _handed_back(r, point, recording)) is not None}
    if not changed:
        return {}

    def right_with(rate: float) -> int:
        found = 0
        for i, name in changed.items():
            node = point.leaves[name]
            truth, change = point.truth(node), (np.asarray(node.out) - results[i].value.reshape(np.shape(node.out))) / rate
            noise = np.spacing(np.abs(results[i].value)).reshape(np.shape(node.out)) / rate
            found += bool(np.any(truth)) and close(change, truth, tolerance, point.slack(node) + noise)
        return found

    rates = _rates(program, point)
    up = {name: -rate for name, rate in rates.items()} if _is_maximised(program) else {}
    best = max([*rates.items(), *up.items()], key=lambda way: right_with(way[1]))
    return {i: Targets(n, point.leaves[n], True, best) for i, n in changed.items()}


def _is_maximised(program: Program) -> bool:
    """Whether steps go up, as the name of what forward returns says: that of a likelihood, a reward."""
    names = [getattr(f, "__name__", "") for f in (program.forward, program.loss) if f is not None]
    return any(_MAXIMISED.search(name) and not _NEGATED.search(name) for name in names)


def _is_of(value: Array, variable: Any) -> bool:
    """Whether a parameter may have been what a changed one is: a bias that began as a number has axes after a step."""
    shape = np.shape(variable)
    return value.shape == shape or fits(value.shape, shape)


def _handed_back(r: Result, point: Point, recording: Recording) -> str | None:
    """Return the parameter that a function returns changed by a step, under its own name: ``w = w - lr * dw; return w``."""
    node = point.leaf(r.name) if not r.left and r.path == r.name else None
    if node is None or np.shape(node.out) != r.value.shape or not _is_plain(r, recording) or not _steps(r, recording):
        return None
    return point.traced.program.aliases.get(r.name, r.name) if r.name not in point.leaves else r.name


def _is_plain(r: Result, recording: Recording) -> bool:
    """Whether the statement that changed a parameter takes no root, as optimizers that divide by the size of past gradients do."""
    events = [e for e in recording.events if e.name == r.name and e.value.shape == r.value.shape and np.array_equal(e.value, r.value)]
    return bool(events) and "sqrt" not in ast.unparse(events[-1].place.statement or ast.Pass())


def _steps(r: Result, recording: Recording) -> bool:
    """Whether a statement of backward's own changes a parameter by a multiple of what is called a learning rate, in either direction."""
    events = [e for e in recording.events if e.name == r.name and e.value.shape == r.value.shape and np.array_equal(e.value, r.value)]
    match events[-1].place.statement if events and events[-1].call.number == 0 else None:
        case ast.AugAssign(op=ast.Sub() | ast.Add(), value=taken) | ast.Assign(value=ast.BinOp(op=ast.Sub() | ast.Add(), right=taken)):
            product = isinstance(taken, ast.BinOp) and isinstance(taken.op, (ast.Mult, ast.MatMult))
            names = {n.id if isinstance(n, ast.Name) else n.attr for n in ast.walk(taken) if isinstance(n, (ast.Name, ast.Attribute))}
            return product and any(_RATE.fullmatch(name) for name in names)
    return False


def _rates(program: Program, point: Point) -> Mapping[str, float]:
    """Return the positive numbers that a change may be a multiple by: arguments, attributes, literals, and 1."""
    found: dict[str, float] = {}
    given = dict(point.inputs)
    given |= {p.name: p.default for p in inspect.signature(program.backward).parameters.values() if p.name not in given}
    for slot in program.world.slots:
        given |= {str(path[-1]): v for path, v in leaves_in(slot.value, (slot.name,)) if isinstance(v, float)}
    function = program.function_of(program.backward)
    given |= {f"{c:g}": c for c in sorted(c for c in (function.constants if function is not None else ()) if isinstance(c, float))}
    for name, value in {**given, "1": 1.0}.items():
        if isinstance(value, (float, np.floating)) and value > 0 and np.isfinite(value):
            found.setdefault(name, float(value))
    return {name: value for name, value in found.items() if _RATE.fullmatch(name)} or found  # others might hide a wrong scale


def rate_at(target: Targets, point: Point) -> float:
    """Return the learning rate at a point: an argument is drawn anew like the others."""
    assert target.rate is not None
    name, own = target.rate
    value = point.inputs.get(name)
    return math.copysign(value, own) if isinstance(value, float) else own


def told_of_updates(targets: Mapping[tuple[object, ...], Targets]) -> list[str]:
    """Say which parameters' changes are judged, and by what they are divided."""
    changed = [t for t in targets.values() if t.rate is not None]
    if not changed or changed[0].rate is None:
        return []
    name, rate = changed[0].rate
    size = f"{abs(rate):g}"
    shown = name if name == size else f"{name} = {size}"
    names = ", ".join(f"`{t.name}`" for t in changed)
    up = " upwards, as a likelihood is followed" if rate < 0 else ""
    return [f"backward updates {names}{up}: what is judged is how much they change, divided by {shown}"]
