"""What a setting of 0 or 1 hides: a regulariser, a slope, a share that is kept, which stands in an object, a closure or a global.

Settings among the arguments are drawn anew with them. Those that stand elsewhere may belong to others that were computed from
them: they are changed together only where backward reads no number that forward does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from autograd_np.check.judge.session import Session
from autograd_np.check.watch.point import Point
from autograd_np.check.watch.program import Kept, numbers_in

__all__ = ["settings_point"]

MOST = 12

_OTHER = {0.0: 0.37, 1.0: 0.73, 0.5: 0.31, 2.0: 1.6}
"""What hides something, as a factor, a share or a term, and what does not."""


def settings_point(session: Session, own: Point, rng: np.random.Generator) -> Point | None:
    """Return a point with other settings at which backward is wrong, where the user's own hide that; ``None`` if there is none."""
    numbers = [k for k in numbers_in(session.program.world) if isinstance(k.value, float) and not _is_variable(session, k)][:MOST]
    hiding = [k for k in numbers if k.value in _OTHER and _matters(session, own, k)]
    if not hiding or any(_is_backwards(session, own, k) for k in numbers if k not in hiding):
        return None
    try:
        with np.errstate(all="ignore"):
            point = session.point(session.trace(own.inputs, {**own.traced.instead, **{k: _OTHER[k.value] for k in hiding}}), rng)
            done = session.run(point)
    except Exception:  # noqa: BLE001 (forward may refuse other numbers in any way)
        return None
    if done.recording.error is not None or not np.isfinite(point.loss):
        return None
    wrong = [r for r in session.returned(point, done) if r.decides and not session.is_right(r, point)]
    return point if wrong else None


def _is_variable(session: Session, kept: Kept) -> bool:
    return kept.places[0][1] in session.program.paths


def _matters(session: Session, own: Point, kept: Kept) -> bool:
    """Whether forward gives something else with another setting, for what it has itself or for other arguments."""
    return _forward(session, own, {kept: _OTHER[kept.value]}) != _forward(session, own, {})


def _is_backwards(session: Session, own: Point, kept: Kept) -> bool:
    """Whether backward gives something else with another number, and forward does not: it may have been computed from a setting."""
    other = {kept: 1.37 * kept.value + 0.11}
    return _forward(session, own, other) == _forward(session, own, {}) and _backward(session, own, other) != _backward(session, own, {})


def _forward(session: Session, own: Point, instead: Mapping[Any, Any]) -> Sequence[bytes]:
    """Return the loss, or the outputs, with other settings."""
    program = session.program
    try:
        with np.errstate(all="ignore"):
            run = program.run(own.inputs, program.fresh_world({**own.traced.instead, **instead}))
            return [np.asarray(run.output(p), float).tobytes() for p in own.cotangents]
    except Exception:  # noqa: BLE001
        return []


def _backward(session: Session, own: Point, instead: Mapping[Any, Any]) -> Sequence[bytes]:
    """Return the gradients with other settings, handed what forward leaves with them."""
    program = session.program
    traced = replace(own.traced, instead={**own.traced.instead, **instead})
    try:
        with np.errstate(all="ignore"):
            traced = replace(traced, run=program.run(own.inputs, program.fresh_world(traced.instead)))
            results = session.quick(replace(own, traced=traced), {})
            return [np.asarray(r.value, float).tobytes() for r in session.paired(own, results or [])]
    except Exception:  # noqa: BLE001
        return []
