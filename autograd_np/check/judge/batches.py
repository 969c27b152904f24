"""A batch of one sample hides what a sum over samples does: the same pass at a batch of several, where forward takes one.

An axis of length one is an axis of samples if what forward makes of several at once is the sum, the mean, or the row of what it
makes of each. Backward may be meant for one sample all the same: then it raises there, or gives other shapes, and is not judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from autograd_np.check.judge.compare import fits
from autograd_np.check.judge.names import is_data, is_label
from autograd_np.check.judge.session import Session
from autograd_np.check.watch.point import Point, Traced
from autograd_np.draws import draw

__all__ = ["batch_point"]

SAMPLES = 7

Path = tuple[Any, ...]


def batch_point(session: Session, own: Traced, rng: np.random.Generator) -> Point | None:
    """Return a point with several samples, where the user gave one and both passes take more; ``None`` else."""
    given = own.inputs
    for axis in (0, 1):
        paths = [path for path, x in _samples(given) if _is_single(path, x, axis)]
        if not any(not is_label(str(path[-1])) and np.ndim(_at(given, path)) == 2 for path in paths):
            continue
        singles = [draw(dict(given), rng) for _ in range(SAMPLES)]
        whole = _with(given, {p: np.concatenate([_at(s, p) for s in singles], axis=min(axis, np.ndim(_at(given, p)) - 1)) for p in paths})
        singles = [_with(given, {p: _at(s, p) for p in paths}) for s in singles]
        try:
            with np.errstate(all="ignore"):
                if not _is_batch(session, own, singles, whole, axis):
                    continue
                point = session.point(session.trace(whole, own.instead), rng)
                done = session.run(point)
        except Exception:  # noqa: BLE001, S112 (forward may refuse a batch in any way)
            continue
        returned = session.returned(point, done) if done.recording.error is None else []
        if returned and all(_has_shape(r.value, np.shape(r.node.out)) for r in returned):
            return point
    return None


def _has_shape(value: Any, shape: tuple[int, ...]) -> bool:
    return np.shape(value) == shape or fits(np.shape(value), shape)


def _samples(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, Mapping):
        for k, v in value.items():
            yield from _samples(v, (*path, k))
    elif isinstance(value, np.ndarray) and path and is_data(str(path[-1])):
        yield path, value


def _is_single(path: Path, x: Any, axis: int) -> bool:
    """Whether an array may hold one sample along an axis; along its only one a label alone."""
    return bool(x.shape[axis] == 1) if x.ndim == 2 else x.shape == (1,) and is_label(str(path[-1]))


def _at(value: Any, path: Path) -> Any:
    for key in path:
        value = value[key]
    return value


def _with(tree: Any, leaves: Mapping[Path, Any], path: Path = ()) -> Any:
    if path in leaves:
        return leaves[path]
    return {k: _with(v, leaves, (*path, k)) for k, v in tree.items()} if isinstance(tree, Mapping) else tree


def _is_batch(session: Session, own: Traced, singles: list[Any], whole: Any, axis: int) -> bool:
    """Whether forward does with several samples what it does with each."""
    one_by_one = [_results(session, own, s) for s in singles]
    together = _results(session, own, whole)
    return bool(together) and all(
        _is_of_each(total, [parts[i] for parts in one_by_one], axis, scalar=own.scalar is not None) for i, total in enumerate(together)
    )


def _is_of_each(total: Any, parts: list[Any], axis: int, *, scalar: bool) -> bool:
    if scalar:
        ways = [np.sum(parts), np.mean(parts)]
        return bool(np.size(total) == 1 and np.std(parts) > 0 and any(np.allclose(total, way, rtol=1e-9, atol=0) for way in ways))
    if any(np.ndim(p) != 2 or np.shape(p)[axis] != 1 for p in parts):
        return False
    row = np.concatenate(parts, axis=axis)
    return bool(np.shape(total) == np.shape(row) and np.allclose(total, row, rtol=1e-9))


def _results(session: Session, own: Traced, inputs: Mapping[str, Any]) -> list[Any]:
    """Return the loss, or the outputs, of a run on arrays."""
    program = session.program
    run = program.run(inputs, program.fresh_world(own.instead))
    outputs = [own.scalar] if own.scalar is not None else own.outputs
    return [run.output(o.position) for o in outputs]
