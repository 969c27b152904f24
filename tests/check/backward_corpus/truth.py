"""Whether the gradients of a pass are right, by numeric differences of its own forward: no engine involved."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import FrameType, ModuleType
from typing import Any

import numpy as np

from backward_corpus.loading import functions

__all__ = ["attempt", "errors_of", "hand", "numeric", "same"]

Path = tuple[Any, ...]


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


def _objective(module: ModuleType, forward: Callable[..., Any], given: Mapping[str, Any], upstream: Mapping[str, Any]) -> float:
    if hasattr(module, "loss"):
        _, seen = _run(forward, given)
        return float(module.loss(**_fill(module.loss, {**seen, **given})))
    result = forward(**_fill(forward, given))
    if upstream:
        places = module.UPSTREAM
        return float(sum(np.sum((result if places[name] is None else result[places[name]]) * g) for name, g in upstream.items()))
    return float(np.squeeze(result[getattr(module, "LOSS", 0)] if isinstance(result, tuple) else result))


def hand(module: ModuleType, seed: int = 0) -> dict[Path, Any]:
    """Return path of an input, or of an array of the object -> the gradient that the pass returns or leaves for it."""
    forward, backward = functions(module, seed)
    given = module.inputs(seed)
    result, seen = _run(forward, given)
    scope = {**seen, **given, **_upstreams(module, result, seed)}
    for name in inspect.signature(backward).parameters:
        if name not in scope and isinstance(result, tuple):
            scope[name] = result[-1]  # a cache that has no name in forward
    found = dict(_pairs(module.GRADIENTS, backward(**_fill(backward, scope)), module.inputs(seed)))
    owner = getattr(backward, "__self__", None)
    for gradient, variable in getattr(module, "LEFT", {}).items():
        found.update({(*_path(variable), *path): g for path, g in _leaves(_at({"self": owner}, _path(gradient)))})
    return found


def attempt(module: ModuleType, seed: int = 0) -> dict[Path, Any]:
    """Return what `hand` returns, or nothing if the pass raises."""
    try:
        return hand(module, seed)
    except Exception:  # noqa: BLE001  it may raise anything: that is one of the mistakes
        return {}


def _path(dotted: str) -> Path:
    return ("self", *(int(key) if key.isdigit() else key for key in dotted.split(".")))


def _leaves(tree: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    if isinstance(tree, dict):
        for key, item in tree.items():
            yield from _leaves(item, (*path, key))
    elif isinstance(tree, (list, tuple)):
        for i, item in enumerate(tree):
            yield from _leaves(item, (*path, i))
    else:
        yield path, tree


def _at(tree: Any, path: Path) -> Any:
    for key in path:
        if isinstance(tree, (dict, list, tuple)):
            tree = tree.get(key) if isinstance(tree, dict) else tree[key]
        else:
            tree = getattr(tree, key, None)
    return tree


def _pairs(target: Any, value: Any, given: Mapping[str, Any]) -> Iterator[tuple[Path, Any]]:
    """Yield path of an input -> gradient, of a result and of what GRADIENTS says about it."""
    if isinstance(target, dict):
        values = [value.get(name) for name in target] if isinstance(value, dict) else value
        for part, item in zip(target.values(), values, strict=False):  # one that is not returned is missing
            yield from _pairs(part, item, given)
    elif isinstance(target, list):
        ends = np.cumsum([np.size(given[name]) for name in target])
        for name, part in zip(target, np.split(value, ends[:-1]), strict=True):
            yield (name,), part.reshape(np.shape(given[name]))
    elif target is not None:
        start = target if isinstance(target, tuple) else (target,)
        yield from (((*start, *path), g) for path, g in _leaves(value))


def numeric(module: ModuleType, paths: Iterable[Path], seed: int = 0, step: float = 1e-4) -> dict[Path, Any]:
    """Return path -> gradient of the objective, by five-point differences."""
    forward, _ = functions(module, seed)
    given = {**module.inputs(seed), "self": getattr(forward, "__self__", None)}
    upstream = _upstreams(module, forward(**_fill(forward, given)), seed)
    found = {}
    for path in paths:
        holder, value = _at(given, path[:-1]), _at(given, path)
        cells = value if isinstance(value, np.ndarray) else np.array(value)  # an array is moved where it is: others may hold it too
        gradient = np.zeros(cells.shape)
        for index in np.ndindex(cells.shape):
            terms, before = [], cells[index]
            for shift, weight in ((-2, 1), (-1, -8), (1, 8), (2, -1), (0, 0)):
                cells[index] = before + shift * step
                if cells is not value:
                    holder[path[-1]] = float(cells)
                terms.append(weight * _objective(module, forward, given, upstream))
            gradient[index] = sum(terms) / (12 * step)
        found[path] = gradient
    return found


def errors_of(hand_made: Mapping[Path, Any], true: Mapping[Path, Any]) -> dict[Path, float]:
    """Return path -> largest error as a part of the largest element; infinite for a wrong shape, a missing one, or no number."""
    found = {}
    for path, expected in true.items():
        got = hand_made.get(path)
        if got is None or np.shape(got) != expected.shape or not np.all(np.isfinite(got)):
            found[path] = float("inf")
        else:
            found[path] = float(np.max(np.abs(got - expected)) / max(float(np.max(np.abs(expected))), 1e-3))
    return found


def same(one: Mapping[Path, Any], other: Mapping[Path, Any]) -> bool:
    """Whether two passes return the same gradients."""
    return one.keys() == other.keys() and all(
        np.shape(one[path]) == np.shape(g) and np.allclose(one[path], g, rtol=1e-6, atol=1e-9, equal_nan=True) for path, g in other.items()
    )
