"""Whether the gradients of a pass are right, by numeric differences of its own forward: no engine involved."""

from __future__ import annotations

import copy
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from types import FrameType, ModuleType
from typing import Any

import numpy as np

__all__ = ["errors_of", "gradients", "hand", "numeric"]


def _fill(f: Callable[..., Any], scope: Mapping[str, Any]) -> dict[str, Any]:
    """Return keyword arguments for `f` out of `scope`; a parameter with a default may be missing."""
    found = {}
    for name, parameter in inspect.signature(f).parameters.items():
        if name in scope:
            found[name] = scope[name]
        elif parameter.default is parameter.empty:
            raise KeyError(f"nobody supplies {name!r}")
    return found


def _run(f: Callable[..., Any], scope: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Call `f` and return its result and the local variables it returned with."""
    code = getattr(f, "__func__", f).__code__  # type: ignore[attr-defined]
    seen: dict[str, Any] = {}

    def on_return(frame: FrameType, event: str, argument: Any) -> None:
        if event == "return" and frame.f_code is code:
            seen.update(frame.f_locals)

    before = sys.getprofile()
    sys.setprofile(on_return)
    try:
        result = f(**_fill(f, scope))
    finally:
        sys.setprofile(before)
    return result, seen


def _upstreams(module: ModuleType, result: Any, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(1000 + seed)
    outputs = {name: result if place is None else result[place] for name, place in getattr(module, "UPSTREAM", {}).items()}
    return {name: rng.normal(size=np.shape(out)) for name, out in outputs.items()}


def _objective(module: ModuleType, given: Mapping[str, Any], upstream: Mapping[str, Any]) -> float:
    if hasattr(module, "loss"):
        _, seen = _run(module.forward, given)
        return float(module.loss(**_fill(module.loss, {**seen, **given})))
    result = module.forward(**_fill(module.forward, given))
    if upstream:
        places = module.UPSTREAM
        return float(sum(np.sum((result if places[name] is None else result[places[name]]) * g) for name, g in upstream.items()))
    return float(result[0] if isinstance(result, tuple) else result)


def hand(module: ModuleType, seed: int = 0) -> Any:
    """Return what the backward of a pass returns at its own inputs."""
    given = module.inputs(seed)
    result, seen = _run(module.forward, given)
    scope = {**seen, **given, **_upstreams(module, result, seed)}
    for name in inspect.signature(module.backward).parameters:
        if name not in scope and isinstance(result, tuple):
            scope[name] = result[-1]  # a cache that has no name in forward
    return module.backward(**_fill(module.backward, scope))


def _leaves(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if isinstance(tree, dict):
        for key, item in tree.items():
            yield from _leaves(item, (*path, key))
    elif isinstance(tree, (list, tuple)):
        for i, item in enumerate(tree):
            yield from _leaves(item, (*path, i))
    else:
        yield path, tree


def _at(tree: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        tree = tree[key]
    return tree


def gradients(module: ModuleType, returned: Any) -> dict[tuple[Any, ...], Any]:
    """Return path of an input -> the gradient that the pass returned for it."""
    targets = module.GRADIENTS
    if isinstance(targets, str):
        return {(targets, *path): g for path, g in _leaves(returned)}
    values = [returned[name] for name in targets] if isinstance(returned, dict) else list(returned)
    found = {}
    for target, value in zip(targets.values(), values, strict=True):
        start = target if isinstance(target, tuple) else (target,)
        found.update({(*start, *path): g for path, g in _leaves(value)})
    return found


def numeric(module: ModuleType, paths: list[tuple[Any, ...]], seed: int = 0, step: float = 1e-4) -> dict[tuple[Any, ...], Any]:
    """Return path -> gradient of the objective, by five-point differences."""
    given = copy.deepcopy(module.inputs(seed))
    upstream = _upstreams(module, module.forward(**_fill(module.forward, given)), seed)
    found = {}
    for path in paths:
        holder, key = _at(given, path[:-1]), path[-1]
        value = holder[key]
        gradient = np.zeros(np.shape(value))
        for index in np.ndindex(gradient.shape):
            terms = []
            for shift, weight in ((-2, 1), (-1, -8), (1, 8), (2, -1)):
                moved = np.array(value, dtype=float)
                moved[index] += shift * step
                holder[key] = moved if moved.shape else float(moved)
                terms.append(weight * _objective(module, given, upstream))
            gradient[index] = sum(terms) / (12 * step)
        holder[key] = value
        found[path] = gradient
    return found


def errors_of(hand_made: Mapping[tuple[Any, ...], Any], true: Mapping[tuple[Any, ...], Any]) -> dict[tuple[Any, ...], float]:
    """Return path -> largest error as a part of the largest element; infinite for a wrong shape, a missing one, or no number."""
    found = {}
    for path, expected in true.items():
        got = hand_made.get(path)
        if got is None or np.shape(got) != expected.shape or not np.all(np.isfinite(got)):
            found[path] = float("inf")
        else:
            found[path] = float(np.max(np.abs(got - expected)) / max(float(np.max(np.abs(expected))), 1e-3))
    return found
