"""A step length that fulfils the strong Wolfe conditions: Nocedal and Wright, Numerical Optimization, algorithms 3.5 and 3.6.

A step is bracketed by growing it, and the bracket then shrunk, both by the minimum of the cubic through two values and two
slopes (equation 3.59). Bounds and safeguards are those of minFunc (Schmidt, 2005), as in PyTorch.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

__all__ = ["Trial", "cubic_minimum", "strong_wolfe"]

DECREASE, CURVATURE = 1e-4, 0.9
"""c1 and c2 of the conditions."""


class Trial(NamedTuple):
    """What was found at a step of length `t`: the value, the gradient, and the slope along the direction."""

    t: float
    value: float
    gradient: Any
    slope: float


def cubic_minimum(a: Trial, b: Trial, bounds: tuple[float, float]) -> float:
    """Return where the cubic through two trials has its minimum, within bounds; their middle if it has none."""
    a, b = (a, b) if a.t <= b.t else (b, a)
    low, high = bounds
    d1 = a.slope + b.slope - 3 * (a.value - b.value) / (a.t - b.t)
    square = d1 * d1 - a.slope * b.slope
    if not square >= 0:
        return (low + high) / 2
    d2 = math.sqrt(square)
    below = b.slope - a.slope + 2 * d2
    if below == 0:
        return (low + high) / 2
    return min(max(b.t - (b.t - a.t) * ((b.slope + d2 - d1) / below), low), high)


def strong_wolfe(
    evaluate: Callable[[float], Trial], start: Trial, t: float, size: float, *, tries: int, tolerance: float = 1e-9
) -> tuple[Trial, int]:
    """Return a trial that fulfils the strong Wolfe conditions, or the best there is, and how many were evaluated.

    Parameters
    ----------
    evaluate : callable
        Step length -> Trial.
    start : Trial
        At 0; its slope is negative.
    t : float
        The first length to try.
    size : float
        The largest element of the direction: a bracket that moves nothing by more than `tolerance` is small enough.
    tries : int
        How many lengths are tried after the first.
    """

    def too_high(trial: Trial) -> bool:
        return trial.value > start.value + DECREASE * trial.t * start.slope

    def flat(trial: Trial) -> bool:
        return abs(trial.slope) <= -CURVATURE * start.slope

    before, now = start, evaluate(t)
    count = 0
    while True:
        if count == tries:
            before = start
            break
        if too_high(now) or (count > 1 and now.value >= before.value) or (not flat(now) and now.slope >= 0):
            break
        if flat(now):
            return now, count + 1
        length = cubic_minimum(before, now, (now.t + 0.01 * (now.t - before.t), 10 * now.t))
        before, now = now, evaluate(length)
        count += 1
    bracket = [before, now]
    low = 0 if before.value <= now.value else 1
    stuck = False
    while count < tries and abs(bracket[1].t - bracket[0].t) * size >= tolerance:
        left, right = sorted(trial.t for trial in bracket)
        length = cubic_minimum(bracket[0], bracket[1], (left, right))
        margin = 0.1 * (right - left)
        near = min(right - length, length - left) < margin
        if near and (stuck or length >= right or length <= left):
            length = right - margin if abs(length - right) < abs(length - left) else left + margin
            near = False
        stuck = near
        new = evaluate(length)
        count += 1
        if too_high(new) or new.value >= bracket[low].value:
            bracket[1 - low] = new
            low = 0 if bracket[0].value <= bracket[1].value else 1
        else:
            if flat(new):
                return new, count + 1
            if new.slope * (bracket[1 - low].t - bracket[low].t) >= 0:
                bracket[1 - low] = bracket[low]
            bracket[low] = new
    return bracket[low], count + 1
