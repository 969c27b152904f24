"""A call of a Module as a function of its parameters."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from nn.errors import StateDictError
from nn.module.module import Module
from nn.parameter import Parameter

__all__ = ["functional_call", "with_values"]


def functional_call(module: Module, parameters: Mapping[str, Any], *args: Any, **kwargs: Any) -> Any:
    """Call a Module with other values for its Parameters and buffers, leaving the Module alone.

    This makes a model a function of its parameters, for `autograd_np.grad` and the other transforms. The call runs on a copy
    that shares everything else; what a layer assigns to an attribute meanwhile, such as running statistics, is forgotten with it.

    Parameters
    ----------
    module : Module
        The model.
    parameters : mapping
        Path -> array or Tensor; Parameters and buffers that are not named keep their own values.
    *args, **kwargs
        What the Module is called with.

    Raises
    ------
    StateDictError
        If a path does not exist, or a value has another shape than what it takes the place of.

    Examples
    --------
    >>> import numpy as np
    >>> import autograd_np as ag
    >>> import nn
    >>> model = nn.Linear(2, 1, rng=0)
    >>> x = np.array([[1.0, 2.0]])
    >>> ag.grad(lambda p: np.sum(nn.functional_call(model, p, x)))(model.state_dict())
    {'weight': array([[1., 2.]]), 'bias': array([1.])}
    """
    own = dict(module.slots())
    replacement: dict[tuple[int, str], Any] = {}
    for path, value in parameters.items():
        if path not in own:
            raise StateDictError(f"{type(module).__name__} has no Parameter or buffer {path!r}; it has {', '.join(own) or 'none'}")
        shape = getattr(value, "shape", ())
        if shape != own[path].value.shape:
            raise StateDictError(f"{path}: got shape {shape}, expected {own[path].value.shape}")
        slot = own[path]
        replacement.setdefault(slot.identity, value)
    return with_values(module, replacement, {})(*args, **kwargs)


def with_values(value: Any, replacement: dict[tuple[int, str], Any], made: dict[int, Any]) -> Any:
    """Return a copy of a Module (or a container of Modules) that holds other values for its Parameters and buffers."""
    if isinstance(value, Parameter):
        return replacement.get((id(value), ""), value)
    if isinstance(value, Module):
        if id(value) not in made:
            made[id(value)] = new = copy.copy(value)
            own = {name: replacement.get((id(value), name), item) for name, item in vars(new).items()}
            vars(new).update({name: with_values(item, replacement, made) for name, item in own.items()}, _is_copy=True)
        return made[id(value)]
    if type(value) is dict:
        return {key: with_values(item, replacement, made) for key, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(with_values(item, replacement, made) for item in value)
    return value
