"""The random generators inside a model: those of layers that draw when they run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nn.errors import StateDictError
from nn.module import Module

__all__ = ["find", "restore", "seed", "states"]


def find(model: Module) -> dict[str, np.random.Generator]:
    """Return path -> Generator, for every attribute of a Module that is one."""
    return {
        f"{path}.{name}".lstrip("."): value
        for path, module in model.named_modules()
        for name, value in vars(module).items()
        if isinstance(value, np.random.Generator)
    }


def states(model: Module) -> dict[str, Any]:
    """Return path -> state, of numbers, strings and lists."""
    return {path: _plain(generator.bit_generator.state) for path, generator in find(model).items()}


def restore(model: Module, kept: Mapping[str, Any]) -> None:
    """Put the generators into their states.

    Raises
    ------
    StateDictError
        If there are others, or they are of another kind.
    """
    own = find(model)
    if set(own) != set(kept):
        raise StateDictError(f"the state has the generators {', '.join(kept) or 'none'}; the model has {', '.join(own) or 'none'}")
    for path, generator in own.items():
        try:
            generator.bit_generator.state = kept[path]
        except (ValueError, TypeError, KeyError) as error:
            raise StateDictError(f"the state of generator {path} is none of a {type(generator.bit_generator).__name__}: {error}") from error


def seed(model: Module, number: int) -> None:
    """Seed the generators, each with a stream of its own; one that several layers share once."""
    distinct = {id(generator): generator for generator in find(model).values()}
    for i, generator in enumerate(distinct.values()):
        new = type(generator.bit_generator)(np.random.SeedSequence(number, spawn_key=(i,)))
        generator.bit_generator.state = new.state


def _plain(state: Any) -> Any:
    if isinstance(state, dict):
        return {key: _plain(value) for key, value in state.items()}
    return state.tolist() if isinstance(state, np.ndarray) else state
