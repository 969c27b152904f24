"""Who is wrong? Numeric derivatives settle whether the engine or the hand is the odd one out."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from autograd_np.check.judge.compare import SAFETY
from autograd_np.check.numeric import directional, elementwise
from autograd_np.check.watch.point import Point
from autograd_np.typing import Array

__all__ = ["Decision", "Disagreement", "arbitrate", "at_kink"]

EVALUATIONS = 4000
"""So often, at the most, forward is evaluated for the third opinion."""

MOST_LEAVES = 8
"""Along so many inputs a kink is looked for where there is no opinion of the hand's."""


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
    """What the numeric derivatives said.

    Attributes
    ----------
    lines : list of str
    engine_is_off : bool
        Numeric differences contradict the engine: nothing can be said of the hand.
    partly : bool
        They contradict it in some gradients: these say nothing of what would be right.
    """

    lines: list[str] = field(default_factory=list)
    engine_is_off: bool = False
    partly: bool = False


def arbitrate(cases: Sequence[Disagreement]) -> Decision:
    """Differentiate numerically at single elements and compare the three opinions.

    The hand is wrong where it differs from the engine, unless numeric differences and the engine contradict one another beyond
    what either may be off.
    """
    decision = Decision()
    spent = [0]
    votes = {"with engine": 0, "against engine": 0}
    for case in cases:
        if spent[0] > EVALUATIONS:
            break
        value, error = _numeric(case, spent)
        where = f"∂L/∂{case.name}{list(case.index) if case.index else ''}"
        opinions = f"hand {case.hand:.6g}, engine {case.engine:.6g}, numeric {value:.6g} ± {error:.1g}"
        slack = SAFETY * float(np.max(case.point.slack(case.point.leaves[case.name]), initial=0.0))
        size = float(np.max(np.abs(case.point.truth(case.point.leaves[case.name])), initial=0.0))
        with_engine = _agree(case.engine, value, error, slack + 1e-7 * size, 1e-5)
        with_hand = _agree(case.hand, value, error, slack, 1e-8)
        if case.agrees:
            if not with_engine:
                kink = "likely a kink here" if not np.isfinite(error) else "the loss is too noisy or has a kink here"
                decision.lines.append(f"{where}: hand and engine agree, numeric differences do not ({opinions}): {kink}")
        elif not np.isfinite(case.hand) and with_engine:
            votes["with engine"] += 1
            decision.lines.append(f"{where}: engine and numeric agree, the hand is off ({opinions})")
        elif not np.isfinite(error):
            votes["against engine"] += 1
            decision.lines.append(f"{where}: hand and engine differ, numeric differences find a kink ({opinions})")
        elif with_engine and not with_hand:
            votes["with engine"] += 1
            decision.lines.append(f"{where}: engine and numeric agree, the hand is off ({opinions})")
        elif not with_engine:
            votes["against engine"] += 1
            what = "hand and numeric agree, the engine is off" if with_hand else "the three disagree"
            decision.lines.append(f"{where}: {what} ({opinions}): {'please report it' if with_hand else 'likely a kink or rounding'}")
        else:
            votes["with engine"] += 1
            decision.lines.append(f"{where}: numeric differences are too coarse to tell hand from engine ({opinions})")
    decision.partly = votes["against engine"] > 0
    decision.engine_is_off = decision.partly and votes["with engine"] == 0
    return decision


def at_kink(point: Point) -> bool:
    """Whether the loss bends at a point: along a random direction numeric differences do not confirm the engine."""
    rng = np.random.default_rng(0)
    for name, node in list(point.leaves.items())[:MOST_LEAVES]:
        x = np.asarray(node.out, float)
        direction = rng.choice([-1.0, 1.0], x.shape)
        found = float(np.sum(point.truth(node) * direction))
        try:
            with np.errstate(all="ignore"):
                estimate = directional(functools.partial(_scalar_at, point, name), x, direction)
        except Exception:  # noqa: BLE001 (the user's function may fail in any way off its own point)
            return False
        if not _agree(found, float(estimate.value[0]), float(estimate.error[0]), 1e-7 * abs(found), 1e-5):
            return True
    return False


def _scalar_at(point: Point, name: str, value: Array) -> Array:
    return np.asarray(point.scalar_at(name, value))


def _agree(x: float, value: float, error: float, slack: float, relative: float) -> bool:
    """Whether numeric differences, to the error they claim, allow an opinion."""
    return bool(np.isfinite(error) and np.isfinite(x) and abs(x - value) <= relative * max(abs(x), abs(value)) + 10 * error + slack)


def _numeric(case: Disagreement, spent: list[int]) -> tuple[float, float]:
    """Return the numeric derivative by one element and its error; an infinite error at a kink."""
    point = case.point
    start = np.asarray(point.leaves[case.name].out, float)

    def f(x: Array) -> Array:
        spent[0] += 1
        return _scalar_at(point, case.name, x)

    try:
        with np.errstate(all="ignore"):
            found = elementwise(f, [start], 0, [case.index])
    except Exception:  # noqa: BLE001 (the user's function may fail in any way off its own point)
        return float("nan"), float("inf")
    return float(found.value[0]), float(found.error[0])
