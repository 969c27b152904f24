"""Filling the parameters of the user's functions by name."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from autograd_np import errors
from autograd_np.check.watch.spelling import near_misses
from autograd_np.draws import input_leaves

__all__ = ["arguments", "flat_names", "leaf_names"]


def arguments(
    f: Callable[..., Any],
    available: Mapping[str, Any],
    role: str,
    guess: Callable[[str], Any] | None = None,
    keep_defaults: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Fill the parameters of `f` by name; a default gives way only to what stands in `keep_defaults`, if that is given.

    Raises
    ------
    CheckSetupError
        Naming the parameter nobody supplies, with near misses.
    """
    filled: dict[str, Any] = {}
    for p in inspect.signature(f).parameters.values():
        if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD):
            continue
        own_default = keep_defaults is not None and not _is_open(p) and p.name not in keep_defaults
        if own_default:
            continue
        if p.name in available:
            filled[p.name] = available[p.name]
            continue
        found = guess(p.name) if guess else None
        if found is not None:
            filled[p.name] = found
        elif p.default is p.empty:
            near = ", ".join(near_misses(p.name, available))
            raise errors.CheckSetupError(
                f"{role} {getattr(f, '__name__', 'function')} has a parameter {p.name!r} that nothing supplies; "
                f"add it to inputs{f' (or did you mean {near}?)' if near else ''}. There are: {', '.join(available) or 'none'}"
            )
    return filled


def _is_open(p: inspect.Parameter) -> bool:
    """Whether somebody has to supply a parameter: it has no default, or ``None`` for one."""
    return p.default is p.empty or p.default is None


def flat_names(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the inputs and what their nested dicts hold, by name: ``{'parameters': {'W1': …}}`` gives both."""
    found = dict(inputs)
    for value in inputs.values():
        if isinstance(value, dict):
            found |= {k: v for k, v in flat_names(value).items() if isinstance(k, str) and k not in found}
    return found


def leaf_names(inputs: Mapping[str, Any]) -> dict[tuple[Any, ...], str]:
    """Name every leaf of nested inputs: by its last key where that is unique, else by its whole path."""

    def whole(path: tuple[Any, ...]) -> str:
        return str(path[0]) + "".join(f"[{k!r}]" for k in path[1:])

    def short(path: tuple[Any, ...]) -> str:
        last = max(i for i, k in enumerate(path) if isinstance(k, str))
        return whole(path[last:])

    paths = [path for path, _ in input_leaves(dict(inputs))]
    count = Counter(short(p) for p in paths)
    return {p: short(p) if count[short(p)] == 1 else whole(p) for p in paths}
