"""The points of a check: the user's own and generic ones, and how the parameters of backward are read at them."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_np import errors
from autograd_np.check.judge.promised import keep_promise
from autograd_np.check.judge.results import Result, Targets
from autograd_np.check.judge.roles import Reading, readings_of
from autograd_np.check.judge.session import Session
from autograd_np.check.watch.point import Point, Traced
from autograd_np.check.watch.spelling import wanted_names
from autograd_np.draws import draw, free_axes, input_leaves, new_sizes, resized

__all__ = ["Read", "choose_readings", "generic_points", "is_random"]


@dataclass
class Read:
    """Backward under one reading of its parameters, at the user's point."""

    reading: Reading
    point: Point
    unjudged: list[Result]
    targets: dict[tuple[Any, ...], Targets]
    error: Exception | None
    promised: str = ""

    def take(self, session: Session) -> None:
        """Go on with this one."""
        session.reading, session.targets = self.reading, self.targets


def choose_readings(session: Session, traced: Traced, seed: int) -> list[Read]:
    """Run backward under every reading that is possible at the user's point; return those with fewest wrong results, likeliest first.

    Raises
    ------
    CheckSetupError
        If a parameter has no source, or every reading raises for that reason.
    """
    found: list[tuple[tuple[float, float], Read]] = []
    failed: Exception | None = None
    for reading in readings_of(session.program, traced):
        try:
            point = session.point(traced, np.random.default_rng(seed), reading, own=True)
        except errors.CheckSetupError as error:
            failed = error
            continue
        done = session.run(point, reading=reading)
        session.targets = {}
        unjudged: list[Result] = []
        promised = ""
        if done.recording.error is not None:
            cost = (2.0, 0.0)  # whichever it is: the likeliest is told
        else:
            session.reading = reading
            right, unjudged = session.decide(point, done)
            promised = keep_promise(session, point, done)
            decided = sum(r.decides for r in session.returned(point, done))
            cost = (0.0, float(decided - right)) if decided else (1.0, 0.0)
        found.append((cost, Read(reading, point, unjudged, dict(session.targets), done.recording.error, promised)))
    if not found:
        assert failed is not None
        raise failed
    best = min(cost for cost, _ in found)
    return [read for cost, read in found if cost == best]


def is_random(session: Session, traced: Traced) -> bool:
    """Whether forward gives something else when the generators are not put back."""
    program = session.program

    def other() -> Any:
        world = program.fresh_world(traced.instead)
        state = [np.random.RandomState(1).get_state(), random.Random(1).getstate()]  # noqa: S311
        before, program.rng = program.rng, [*state, *program.rng[2:]]
        try:
            return program.run(traced.inputs, world)
        finally:
            program.rng = before

    try:
        again = other()
    except Exception:  # noqa: BLE001
        return False
    flat, flat_again = _numbers(traced.run), _numbers(again)
    return any(a.shape != b.shape or a.tobytes() != b.tobytes() for a, b in zip(flat, flat_again, strict=False))


def _numbers(run: Any) -> list[Any]:
    values = run.result if isinstance(run.result, (tuple, list)) else [run.result]
    return [np.asarray(v) for v in [*values, run.total] if isinstance(v, (np.ndarray, np.generic, float))]


def generic_points(
    session: Session, given: Mapping[str, Any], own: Traced, at: Point, draws: int, rng: np.random.Generator
) -> tuple[list[Point], list[str]]:
    """Return generic points at which forward is defined, of other sizes where it allows them; near the given one if nowhere else.

    Parameters
    ----------
    at : Point
        The user's own. What the loss there does not depend on stays as it is in the user's objects.

    Returns
    -------
    points : list of Point
    said : list of str
        What could not be varied.
    """
    program = session.program
    said: list[str] = []
    points: list[Point] = []
    groups = _free(session, given, own) if draws else []
    read = {id(program.state[name][1]) for name in at.leaves if name in program.state}
    names = {name for t in session.targets.values() for name in t.name.split("\0")}
    trained = {*(re.split(r"[.\[]", name)[0] for name in names), *(id(a) for name, (_, a) in program.state.items() if name in names)}
    taken = {n for x in _shapes(given) for n in x} | {n for _, a in program.state.values() for n in np.shape(a)}

    def drawn(start: Mapping[str, Any], *, gently: bool = False, zeros: bool = False) -> Point | None:
        numbers = {n: draw(v, rng, gently=gently, zeros=zeros, symmetric=n not in trained) for n, v in start.items()}
        numbers = _completed(session, given, numbers, rng)
        instead = {k: draw(a, rng, gently=gently, symmetric=k not in trained) if k in read else a for k, a in own.instead.items()}
        instead |= {k: np.array(_other_number(a.item(), rng)) for k, a in instead.items() if k in read and program.is_number(k)}
        try:
            with np.errstate(all="ignore"):
                point = session.point(session.trace(numbers, instead), rng)
        except Exception:  # noqa: BLE001 (forward may refuse other numbers and sizes in any way)
            return None
        finite = all(np.all(np.isfinite(g)) for g in (point.truth(n) for n in point.leaves.values()))
        return point if np.isfinite(point.loss) and finite else None

    for i in range(4 * draws):
        if len(points) == draws:
            break
        gently = i >= draws + 3
        start: Mapping[str, Any] = given
        if groups and i % 3 != 0 and not gently:
            sizes = new_sizes(groups, taken)
            order = list(sizes.values())
            shifted = (
                dict(zip(sizes, order[(i // 3) % len(order) :] + order[: (i // 3) % len(order)], strict=True))
                if i % 3 == 1
                else dict(zip(sizes, reversed(order), strict=True))
            )
            start = resized(given, shifted, rng)
        point = drawn(start, gently=gently, zeros=i % 3 == 2)
        if point is not None and not _reads_all(point, at):
            alone = [drawn(resized(given, new_sizes([group], taken), rng)) for group in groups]
            groups = [group for group, other in zip(groups, alone, strict=True) if other is not None and _reads_all(other, at)]
            said = ["some sizes were not varied: with others forward reads a part of its inputs alone"]
        elif point is not None:
            points.append(point)
    if draws and not groups and not said:
        said.append("other sizes were not tried: forward runs with these alone, or the code names them as numbers")
    if draws and not points:
        said.append("forward is not defined at generic points, so only your own was checked")
    return points, said


def _reads_all(point: Point, own: Point) -> bool:
    """Whether the loss depends on all along the axes of other sizes, as at the user's point: ``w[:n]`` reads a part of a longer vector."""
    for name, node in point.leaves.items():
        here = point.truth(node)
        there = own.truth(own.leaves[name]) if name in own.leaves else here
        for axis in (a for a in range(np.ndim(here)) if np.ndim(there) == np.ndim(here) and np.shape(there)[a] != np.shape(here)[a]):
            if _unread(here, axis) > 1 and not _unread(there, axis):  # one alone may be a unit that is never active
                return False
    return True


def _unread(gradient: Any, axis: int) -> int:
    """Return how many places along an axis have no gradient at all."""
    others = tuple(a for a in range(np.ndim(gradient)) if a != axis)
    return int(np.count_nonzero(~np.any(gradient, axis=others)))


def _completed(session: Session, given: Mapping[str, Any], drawn: Any, rng: np.random.Generator) -> Any:
    """Return drawn inputs with what a draw leaves alone: numbers that are parameters and zero, and zeros that gradients are added to."""
    zeros = set(_buffers(session, given))
    shapes = {path: np.shape(x) for path, x in input_leaves(drawn)}
    like = {path: next((p for p in shapes if p != path and p not in zeros and _is_for(path, p)), path) for path in zeros}

    def inside(value: Any, path: tuple[Any, ...]) -> Any:
        if path in zeros:
            return np.zeros(shapes[like[path]])
        if isinstance(value, Mapping):
            return {k: inside(v, (*path, k)) for k, v in value.items()}
        if type(value) in (list, tuple):
            return type(value)(inside(v, (*path, i)) for i, v in enumerate(value))
        return _other_number(value, rng) if path in session.program.numbers else value

    return inside(drawn, ())


def _other_number(x: float, rng: np.random.Generator) -> float:
    return float(rng.normal()) if x == 0 else float(draw(float(x), rng))


def _buffers(session: Session, given: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    """Yield where zeros stand that only backward takes: gradients are added to them."""
    taken = session.program.taken
    for path, x in input_leaves(dict(given)):
        name = str(path[-1])
        if taken is not None and not {str(path[0]), name} & taken and isinstance(x, np.ndarray) and x.dtype.kind == "f" and not np.any(x):
            yield path


def _is_for(path: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    """Whether what stands at `path` is called as the gradient of what stands at another one, or has its place in a container."""
    return str(other[-1]) in wanted_names(str(path[-1])) or (len(path) > 1 and path[1:] == other[1:])


def _shapes(value: Any) -> list[tuple[int, ...]]:
    if isinstance(value, Mapping):
        return [s for v in value.values() for s in _shapes(v)]
    if isinstance(value, (list, tuple)):
        return [s for v in value for s in _shapes(v)]
    return [np.shape(value)] if isinstance(value, np.ndarray) else []


def _integers(value: Any) -> set[int]:
    if isinstance(value, Mapping):
        return {n for v in value.values() for n in _integers(v)}
    if isinstance(value, (list, tuple)):
        return {n for v in value for n in _integers(v)} | {len(value)}
    return {int(value)} if isinstance(value, (int, np.integer)) and not isinstance(value, bool) else set()


def _free(session: Session, given: Mapping[str, Any], own: Traced) -> list[Any]:
    program = session.program
    named = {int(n) for f in program.functions.watched() for n in f.constants if float(n).is_integer()}
    fixed = named | program.integers | _integers(given)
    outputs = [own.scalar] if own.scalar is not None else own.outputs

    def works(inputs: dict[str, Any]) -> bool:
        try:
            with np.errstate(all="ignore"):
                run = program.run(inputs, program.fresh_world(own.instead))
                found = [run.output(o.position) for o in outputs]
        except Exception:  # noqa: BLE001 (a size that does not fit fails in any way)
            return False
        if own.scalar is not None:
            return np.size(found[0]) == 1 and bool(np.all(np.isfinite(np.asarray(found[0], float))))
        return [np.ndim(x) for x in found] == [len(o.shape) for o in outputs]

    return free_axes(given, works, fixed)
