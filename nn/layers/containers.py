"""Modules that hold Modules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, overload

from nn.module import Module

__all__ = ["Sequential"]


class Sequential(Module):
    """Modules applied one after another.

    Parameters
    ----------
    *layers : Module
        Their names are their numbers.

    Examples
    --------
    >>> import nn
    >>> model = nn.Sequential(nn.Linear(2, 3, rng=0), nn.Sigmoid())
    >>> model
    Sequential(
      (0): Linear(in_features=2, out_features=3, bias=True)
      (1): Sigmoid()
    )
    >>> [name for name, _ in model.named_parameters()]
    ['0.weight', '0.bias']
    >>> len(model), model[-1]
    (2, Sigmoid())
    """

    def __init__(self, *layers: Module) -> None:
        for i, layer in enumerate(layers):
            if not isinstance(layer, Module):
                raise TypeError(f"Sequential takes Modules, one an argument; argument {i} is a {type(layer).__name__}")
            setattr(self, str(i), layer)

    def _layers(self) -> list[Module]:
        return [layer for name, layer in vars(self).items() if name.isdecimal()]

    def forward(self, x: Any) -> Any:
        """Return the last layer's output."""
        for layer in self._layers():
            x = layer(x)
        return x

    def __len__(self) -> int:
        return len(self._layers())

    def __iter__(self) -> Iterator[Module]:
        return iter(self._layers())

    @overload
    def __getitem__(self, index: int) -> Module: ...
    @overload
    def __getitem__(self, index: slice) -> Sequential: ...
    def __getitem__(self, index: int | slice) -> Module:
        """Return a layer, or a Sequential that shares the layers of a slice."""
        return Sequential(*self._layers()[index]) if isinstance(index, slice) else self._layers()[index]
