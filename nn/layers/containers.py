"""Modules that hold Modules, or Parameters."""

from __future__ import annotations

from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from typing import Any, Self, TypeVar, cast, overload

import autograd_np as ag
from nn.module import Module
from nn.parameter import Parameter

__all__ = ["ModuleDict", "ModuleList", "ParameterDict", "ParameterList", "Sequential"]

T = TypeVar("T")


# --- lists ----------------------------------------------------------------------------------------


class _List(Module):
    """Members under their numbers, or, in a Sequential made of a dict, under names of their own."""

    def _checked(self, member: Any) -> Any:
        if not isinstance(member, Module):
            raise TypeError(f"{type(self).__name__} takes Modules, got a {type(member).__name__}")
        return member

    def _names(self) -> list[str]:
        return [name for name, value in vars(self).items() if isinstance(value, Module)]

    def _name(self, index: int) -> str:
        names = self._names()
        if not -len(names) <= index < len(names):
            raise IndexError(f"{type(self).__name__} has {len(names)} members, got the index {index}")
        return names[index]

    def _replace(self, members: Iterable[Any]) -> None:
        """Hold these members instead, numbered anew."""
        members = list(map(self._checked, members))
        for name in self._names():
            delattr(self, name)
        for i, member in enumerate(members):
            setattr(self, str(i), member)

    def __len__(self) -> int:
        return len(self._names())

    def __iter__(self) -> Iterator[Any]:
        return iter([getattr(self, name) for name in self._names()])

    def __contains__(self, member: object) -> bool:
        return any(own is member for own in self)

    def __getitem__(self, index: Any) -> Any:
        """Return a member, or, of a slice, a list of the same kind that shares them."""
        if isinstance(index, slice):
            new = type(self).__new__(type(self))
            new.extend(list(self)[index])
            return new
        return getattr(self, self._name(index))

    def __setitem__(self, index: int, member: Any) -> None:
        setattr(self, self._name(index), self._checked(member))

    def __delitem__(self, index: Any) -> None:
        members = list(self)
        del members[index]
        self._replace(members)

    def append(self, member: Any) -> Self:
        """Add a member at the end; return this."""
        return self.extend([member])

    def extend(self, members: Iterable[Any]) -> Self:
        """Add members at the end; return this."""
        count = len(self)
        for i, member in enumerate(map(self._checked, list(members))):
            setattr(self, str(count + i), member)
        return self

    def insert(self, index: int, member: Any) -> Self:
        """Put a member before that of a number; return this."""
        members = list(self)
        members.insert(index, self._checked(member))
        self._replace(members)
        return self

    def pop(self, index: int = -1) -> Any:
        """Take a member out, and return it."""
        member = self[index]
        del self[index]
        return member


class Sequential(_List):
    """Modules applied one after another.

    Parameters
    ----------
    *layers : Module, or one dict of them
        Their names are their numbers, or the keys.

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
    >>> nn.Sequential({"hidden": nn.Linear(2, 3, rng=0), "squash": nn.Tanh()}).hidden
    Linear(in_features=2, out_features=3, bias=True)
    """

    def __init__(self, *layers: Module | Mapping[str, Module]) -> None:
        if len(layers) == 1 and isinstance(layers[0], Mapping):
            for name, named in layers[0].items():
                setattr(self, _key(self, name), self._checked(named))
            return
        for i, layer in enumerate(layers):
            if not isinstance(layer, Module):
                raise TypeError(f"Sequential takes Modules, one an argument; argument {i} is a {type(layer).__name__}")
            setattr(self, str(i), layer)

    def forward(self, x: Any) -> Any:
        """Return the last layer's output."""
        for layer in self:
            x = layer(x)
        return x

    @overload
    def __getitem__(self, index: int) -> Module: ...
    @overload
    def __getitem__(self, index: slice) -> Sequential: ...
    def __getitem__(self, index: int | slice) -> Module:
        """Return a layer, or a Sequential that shares the layers of a slice, and their names where these are no numbers."""
        if not isinstance(index, slice):
            return cast(Module, super().__getitem__(index))
        names, layers = self._names()[index], list(self)[index]
        return Sequential(*layers) if all(name.isdecimal() for name in names) else Sequential(dict(zip(names, layers, strict=True)))


class ModuleList(_List):
    """A list of Modules, which are found as its members are: to be called one by one in a `forward`.

    Examples
    --------
    >>> import nn
    >>> layers = nn.ModuleList(nn.Linear(2, 2, rng=i) for i in range(3))
    >>> len(layers.append(nn.Tanh())), [name for name, _ in layers.named_parameters()][:2]
    (4, ['0.weight', '0.bias'])
    """

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        self.extend(modules)


class ParameterList(_List):
    """A list of Parameters; Tensors and arrays become Parameters.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> [name for name, _ in nn.ParameterList([np.ones(2), np.zeros(3)]).named_parameters()]
    ['0', '1']
    """

    def __init__(self, values: Iterable[Any] = ()) -> None:
        self.extend(values)

    def _checked(self, member: Any) -> Any:
        return _parameter(member)

    def _names(self) -> list[str]:
        return [name for name in vars(self) if name.isdecimal()]


# --- dicts ----------------------------------------------------------------------------------------


class _Dict(Module):
    """Members under their keys."""

    def __init__(self, members: Mapping[str, Any] | Iterable[tuple[str, Any]] = ()) -> None:
        self._keys: tuple[str, ...] = ()
        self.update(members)

    def _checked(self, member: Any) -> Any:
        if not isinstance(member, Module):
            raise TypeError(f"{type(self).__name__} takes Modules, got a {type(member).__name__}")
        return member

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __contains__(self, key: object) -> bool:
        return key in self._keys

    def __getitem__(self, key: str) -> Any:
        if key not in self._keys:
            raise KeyError(key)
        return vars(self)[key]

    def __setitem__(self, key: str, member: Any) -> None:
        member = self._checked(member)
        if key not in self._keys:
            _key(self, key)
            self._keys = (*self._keys, key)
        setattr(self, key, member)

    def __delitem__(self, key: str) -> None:
        if key not in self._keys:
            raise KeyError(key)
        delattr(self, key)
        self._keys = tuple(k for k in self._keys if k != key)

    def keys(self) -> KeysView[str]:
        """Return the keys, in the order they came in."""
        return self._as_dict().keys()

    def values(self) -> ValuesView[Any]:
        """Return the members."""
        return self._as_dict().values()

    def items(self) -> ItemsView[str, Any]:
        """Return keys and members."""
        return self._as_dict().items()

    def _as_dict(self) -> dict[str, Any]:
        return {key: vars(self)[key] for key in self._keys}

    def update(self, members: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> None:
        """Add members, or put them in the place of others."""
        for key, member in members.items() if isinstance(members, (Mapping, _Dict)) else members:
            self[key] = member

    def pop(self, key: str) -> Any:
        """Take a member out, and return it."""
        member = self[key]
        del self[key]
        return member


class ModuleDict(_Dict):
    """A dict of Modules, which are found as its members are.

    Examples
    --------
    >>> import nn
    >>> heads = nn.ModuleDict({"mean": nn.Linear(2, 1, rng=0), "scale": nn.Linear(2, 1, rng=1)})
    >>> list(heads), [name for name, _ in heads.named_parameters()][:2]
    (['mean', 'scale'], ['mean.weight', 'mean.bias'])
    """


class ParameterDict(_Dict):
    """A dict of Parameters; Tensors and arrays become Parameters.

    Examples
    --------
    >>> import numpy as np
    >>> import nn
    >>> nn.ParameterDict({"w": np.ones(2)})["w"]
    Parameter([1., 1.], requires_grad=True, name='w')
    """

    def _checked(self, member: Any) -> Any:
        return _parameter(member)


def _parameter(value: Any) -> Parameter:
    if isinstance(value, Parameter):
        return value
    return Parameter(value.detach().data if isinstance(value, ag.Tensor) else value)


def _key(module: Module, key: Any) -> str:
    """Return a key that can be an attribute's name."""
    if not isinstance(key, str) or not key or "." in key:
        raise KeyError(f"a key of {type(module).__name__} must be a string without a dot, got {key!r}")
    if hasattr(module, key):
        raise KeyError(f"{type(module).__name__} already has an attribute {key!r}; take another key")
    return key
