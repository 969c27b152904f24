"""Who is wrong? Numeric derivatives settle whether the engine or the hand is the odd one out."""

from __future__ import annotations

import copy
import functools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograd_np.check.numeric import elementwise
from autograd_np.check.watch.calling import bound_to, plain_forward
from autograd_np.check.watch.forward import Point
from autograd_np.typing import Array

__all__ = ["Decision", "Disagreement", "arbitrate"]

SECONDS = 1.0
"""How long the third opinion may take."""


@dataclass
class Disagreement:
    """One element of an input's gradient on which hand and engine differ (or a spot check on which they agree)."""

    point: Point
    name: str
    index: tuple[int, ...]
    hand: float
    engine: float
    agrees: bool


@dataclass
class Decision:
    """What the numeric derivatives said; `inconclusive` if they settle nothing."""

    lines: list[str] = field(default_factory=list)
    inconclusive: bool = False


def arbitrate(forward: Callable[..., Any], loss: Callable[..., Any] | None, cases: list[Disagreement]) -> Decision:
    """Differentiate numerically at single elements and compare the three opinions."""
    decision = Decision()
    started = time.perf_counter()
    votes = {"hand": 0, "engine": 0, "none": 0}
    for case in cases:
        if time.perf_counter() - started > SECONDS:
            break
        value, error = _numeric(forward, loss, case)
        where = f"∂L/∂{case.name}{list(case.index) if case.index else ''}"
        opinions = f"hand {case.hand:.6g}, engine {case.engine:.6g}, numeric {value:.6g} ± {error:.1g}"
        size = case.point.scale
        with_engine = _agree(case.engine, value, error, size)
        if case.agrees:
            if not with_engine:
                decision.inconclusive = True
                kink = "likely a kink here" if not np.isfinite(error) else "the loss is too noisy or has a kink here"
                decision.lines.append(f"{where}: hand and engine agree, numeric differences do not ({opinions}): {kink}")
        elif with_engine and not _agree(case.hand, value, error, size):
            votes["engine"] += 1
            decision.lines.append(f"{where}: engine and numeric agree, the hand is off ({opinions})")
        elif not with_engine and np.isfinite(error) and _agree(case.hand, value, error, size):
            votes["hand"] += 1
            decision.lines.append(f"{where}: hand and numeric agree, the engine is off ({opinions}): please report it")
        else:
            votes["none"] += 1
            decision.lines.append(f"{where}: the three disagree or cannot be told apart ({opinions}): likely a kink or rounding")
    if sum(votes.values()) and not votes["engine"]:
        decision.inconclusive = True
    return decision


def _agree(x: float, value: float, error: float, size: float) -> bool:
    return bool(abs(x - value) <= 1e-5 * max(abs(x), abs(value)) + 10 * error + 1e-9 * size)


def _numeric(forward: Callable[..., Any], loss: Callable[..., Any] | None, case: Disagreement) -> tuple[float, float]:
    """Return the numeric derivative by one element and its error; an infinite error at a kink."""
    point = case.point
    path = point.keys[case.name]
    start = np.asarray(functools.reduce(lambda tree, key: tree[key], path, point.inputs), float)

    def f(x: Array) -> Any:
        inputs, owners = _with_leaf(point.inputs, path, x), dict[int, Any]()
        functions = bound_to(forward, owners), bound_to(loss, owners) if loss else None
        return np.asarray(point.objective(*plain_forward(*functions, copy.deepcopy(inputs))))

    try:
        with np.errstate(all="ignore"):
            found = elementwise(f, [start], 0, [case.index])
    except Exception:  # noqa: BLE001 (the user's function may fail in any way off its own point)
        return float("nan"), float("inf")
    return float(found.value[0]), float(found.error[0])


def _with_leaf(tree: Any, path: tuple[Any, ...], value: Any) -> Any:
    """Return nested inputs with the leaf at `path` replaced."""
    if not path:
        return value
    if isinstance(tree, Mapping):
        return {k: _with_leaf(v, path[1:], value) if k == path[0] else v for k, v in tree.items()}
    return type(tree)(_with_leaf(v, path[1:], value) if i == path[0] else v for i, v in enumerate(tree))
