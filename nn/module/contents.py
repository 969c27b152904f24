"""What a Module holds: Parameters, Modules and buffers, and the paths by which they are found."""

from __future__ import annotations

from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any, NamedTuple, cast

import numpy as np

import autograd_np as ag
from nn.names import Keys, Label, join, path_of
from nn.parameter import Parameter
from nn.state import held

__all__ = ["KEEPS_TENSORS", "Contents", "Slot"]

KEEPS_TENSORS: ContextVar[bool] = ContextVar("nn.KEEPS_TENSORS", default=False)
"""Whether buffers keep Tensors, cut off from gradients: while a step is traced, whose results are put there as arrays at each call."""


class Contents:
    """The part of a Module that knows its members; what it does with them is in `Module`."""

    _buffers: dict[str, bool] = {}  # noqa: RUF012 (name -> whether it is in the state; an instance has one of its own)
    _is_copy: bool = False

    # --- what it is made of

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(vars(self).get(name), Parameter) and value is not None and not isinstance(value, Parameter):
            raise TypeError(
                f"{type(self).__name__}.{name} is a Parameter; assigning a {type(value).__name__} would unregister it. "
                f"Assign a Parameter or None, or give it new values under ag.no_grad(): p[...] = values"
            )
        if name in self._buffers:
            if isinstance(value, (Parameter, Contents)):
                self._forget_buffer(name)
            else:
                value = self._as_buffer(name, value)
        super().__setattr__(name, value)
        self._place(name, value)

    def __delattr__(self, name: str) -> None:
        super().__delattr__(name)
        if name in self._buffers:
            self._forget_buffer(name)

    def _forget_buffer(self, name: str) -> None:
        vars(self)["_buffers"] = {other: persistent for other, persistent in self._buffers.items() if other != name}

    @property
    def _label(self) -> Label:
        labels = vars(self)
        if _LABEL not in labels:
            labels[_LABEL] = Label(self)
        return cast(Label, labels[_LABEL])

    def _place(self, name: str, value: Any) -> None:
        """Tell what is inside an attribute where it is."""
        if isinstance(value, _HOLDERS):
            for keys, member in _members(value, (name,)):
                _label_of(member).place(member, self._label, keys)

    def __getstate__(self) -> Any:
        state = cast(Any, object.__getstate__(self))
        attributes, slots = state if isinstance(state, tuple) else (state, {})
        return {name: value for name, value in (attributes or {}).items() if name != _LABEL}, slots

    def __setstate__(self, state: Any) -> None:
        attributes, slots = state if isinstance(state, tuple) else (state, {})  # a subclass may keep a dict alone
        vars(self).update({name: value for name, value in attributes.items() if name != _LABEL})
        for name, value in slots.items():
            object.__setattr__(self, name, value)
        for name, value in attributes.items():
            self._place(name, value)

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Assign a Parameter, or None in the place of one, to an attribute, as ``module.name = param`` does.

        Raises
        ------
        TypeError, ValueError
            If it is no Parameter, or the name is not that of an attribute, or is taken.
        """
        self._register("register_parameter", name, param, Parameter)

    def register_module(self, name: str, module: Any) -> None:
        """Assign a Module, or None in the place of one, to an attribute whose name may be made up: ``str(i)``.

        Raises
        ------
        TypeError, ValueError
            If it is no Module, or the name is not that of an attribute, or is taken.
        """
        self._register("register_module", name, module, Contents)

    add_module = register_module

    def _register(self, how: str, name: str, value: Any, kind: type) -> None:
        if value is not None and not isinstance(value, kind):
            raise TypeError(f"{how} needs a {'Parameter' if kind is Parameter else 'Module'} or None, got {type(value).__name__}")
        _demand_free(how, self, name, kind)
        setattr(self, name, value)

    def register_buffer(self, name: str, value: Any, persistent: bool = True) -> None:
        """Make an array part of the state without making it a Parameter: running statistics, a mask, a table.

        A buffer is an attribute that holds an ndarray. Whatever is assigned to it becomes one: of a Tensor the values, so that no
        graph is kept from call to call, and a lazy array is computed. Only in the copy that `functional_call` runs a Tensor stays one.

        Parameters
        ----------
        name : str
            Of the attribute.
        value : array_like or None
            ``None`` is kept, and is not part of the state.
        persistent : bool, default True
            Whether it is in `state_dict`.

        Raises
        ------
        TypeError, ValueError
            If the name is not one, or is taken, or the value is no array of numbers.

        Examples
        --------
        >>> import numpy as np
        >>> import nn
        >>> class Centre(nn.Module):
        ...     def __init__(self):
        ...         self.register_buffer("mean", np.zeros(2))
        ...     def forward(self, x):
        ...         if self.training:
        ...             self.mean = 0.9 * self.mean + 0.1 * np.mean(x, axis=0)
        ...         return x - self.mean
        >>> model = Centre()
        >>> model(np.array([[1.0, 2.0], [3.0, 2.0]])).shape
        (2, 2)
        >>> model.state_dict()
        {'mean': array([0.2, 0.2])}
        """
        if not isinstance(name, str) or name not in self._buffers:
            _demand_free("register_buffer", self, name)
        value = self._as_buffer(name, value)
        vars(self)["_buffers"] = {**self._buffers, name: bool(persistent)}
        super().__setattr__(name, value)

    def _as_buffer(self, name: str, value: Any) -> Any:
        """Return what a buffer keeps: an array; in a copy that `functional_call` made, a Tensor too."""
        if value is None or (self._is_copy and hasattr(value, "__array_function__")):
            return value
        value = ag.stop_gradient(value)
        if isinstance(value, ag.Tensor) and KEEPS_TENSORS.get():
            return value
        value = held(value)
        try:
            array = np.asarray(value)
        except TypeError as error:
            if isinstance(error, ag.AutogradError) or not hasattr(value, "__array_function__"):
                raise
            array = value  # of a device, which is not left in silence
        if array.dtype.kind not in "biufc":
            raise TypeError(f"the buffer {name} needs an array of numbers, got {value!r:.80}")
        return array

    # --- what it holds

    def _members(self) -> Iterator[tuple[str, Parameter | Contents]]:
        label = self._label
        for name, value in vars(self).items():
            if isinstance(value, _HOLDERS):
                for keys, member in _members(value, (name,)):
                    _label_of(member).place(member, label, keys)  # a list may have grown
                    yield path_of(keys), member

    def named_children(self) -> Iterator[tuple[str, Any]]:
        """Yield (name, Module) for the Modules directly inside, each once."""
        seen: set[int] = set()
        for name, value in self._members():
            if isinstance(value, Contents) and id(value) not in seen:
                seen.add(id(value))
                yield name, value

    def children(self) -> Iterator[Any]:
        """Yield the Modules directly inside."""
        return (child for _, child in self.named_children())

    def named_modules(self) -> Iterator[tuple[str, Any]]:
        """Yield (path, Module) for this Module (path ``""``) and all inside it, each once."""
        return self._named_modules("", set())

    def _named_modules(self, path: str, seen: set[int]) -> Iterator[tuple[str, Any]]:
        if id(self) not in seen:
            seen.add(id(self))
            yield path, self
            for name, child in self.named_children():
                yield from child._named_modules(join(path, name), seen)

    def modules(self) -> Iterator[Any]:
        """Yield this Module and all inside it."""
        return (module for _, module in self.named_modules())

    def get_submodule(self, target: str) -> Any:
        """Return the Module with a path; this one for ``""``.

        Raises
        ------
        AttributeError
            If there is none.

        Examples
        --------
        >>> import nn
        >>> model = nn.Sequential(nn.Sequential(nn.Linear(2, 1, rng=0), nn.Tanh()))
        >>> model.get_submodule("0.1")
        Tanh()
        """
        return self._found("Module", target, self._walk())

    def get_parameter(self, target: str) -> Parameter:
        """Return the Parameter with a path.

        Raises
        ------
        AttributeError
            If there is none.
        """
        return cast(Parameter, self._found("Parameter", target, self.named_parameters(remove_duplicate=False)))

    def get_buffer(self, target: str) -> Any:
        """Return the buffer with a path.

        Raises
        ------
        AttributeError
            If there is none.
        """
        return self._found("buffer", target, self.named_buffers(remove_duplicate=False))

    def _found(self, kind: str, target: str, known: Iterator[tuple[str, Any]]) -> Any:
        paths = []
        for path, found in known:
            if path == target:
                return found
            paths.append(path)
        raise AttributeError(f"{type(self).__name__} has no {kind} {target!r}; it has {', '.join(filter(None, paths)) or 'none'}")

    def named_parameters(self, *, remove_duplicate: bool = True) -> Iterator[tuple[str, Parameter]]:
        """Yield (path, Parameter) for all Parameters inside.

        Parameters
        ----------
        remove_duplicate : bool, default True
            Yield a Parameter that is reached by several paths once.
        """
        seen: set[int] = set()
        for path, module in self._walk():
            for name, p in module._members():
                if isinstance(p, Parameter) and not (remove_duplicate and id(p) in seen):
                    seen.add(id(p))
                    yield join(path, name), p

    def parameters(self) -> Iterator[Parameter]:
        """Yield all Parameters inside, each once."""
        return (p for _, p in self.named_parameters())

    def named_buffers(self, *, remove_duplicate: bool = True) -> Iterator[tuple[str, Any]]:
        """Yield (path, array) for all buffers inside that are not ``None``.

        Parameters
        ----------
        remove_duplicate : bool, default True
            Yield the buffers of a Module that is reached by several paths once.
        """
        for path, module in self.named_modules() if remove_duplicate else self._walk():
            for name in module._buffers:
                if getattr(module, name) is not None:
                    yield join(path, name), getattr(module, name)

    def buffers(self) -> Iterator[Any]:
        """Yield all buffers inside that are not ``None``."""
        return (array for _, array in self.named_buffers())

    def _walk(self, path: str = "", above: tuple[int, ...] = ()) -> Iterator[tuple[str, Any]]:
        """Yield (path, Module) for this Module and all inside, by every path that does not lead back."""
        if id(self) not in above:
            yield path, self
            for name, child in self._members():
                if isinstance(child, Contents):
                    yield from child._walk(join(path, name), (*above, id(self)))

    def slots(self, *, persistent: bool = False) -> Iterator[tuple[str, Slot]]:
        """Yield (path, place) for all Parameters and buffers inside, in PyTorch's order, by every path."""
        for path, module in self._walk():
            for name, p in module._members():
                if isinstance(p, Parameter):
                    yield join(path, name), Slot(p, None, name)
            for name, kept in module._buffers.items():
                if getattr(module, name) is not None and (kept or not persistent):
                    yield join(path, name), Slot(getattr(module, name), module, name)


_HOLDERS = (Parameter, Contents, list, tuple, dict)
_LABEL = "_own_label"


class Slot(NamedTuple):
    """A Parameter, or a buffer and the Module that it is an attribute of."""

    value: Any
    module: Contents | None
    name: str

    @property
    def identity(self) -> tuple[int, str]:
        """What it has in common with what is tied to it."""
        return (id(self.value), "") if self.module is None else (id(self.module), self.name)


def _demand_free(how: str, module: Contents, name: Any, kind: type | None = None) -> None:
    """Raise unless a name is that of an attribute that a Module does not have, or has with what may be exchanged."""
    if not isinstance(name, str) or not name or "." in name:
        raise ValueError(f"{how} needs the name of an attribute, without a dot, got {name!r}")
    own = vars(module).get(name, module)
    if own is not None and not (kind is not None and isinstance(own, kind) and own is not module) and hasattr(module, name):
        raise ValueError(f"{how}: {type(module).__name__} already has an attribute {name!r}")


def _label_of(member: Parameter | Contents) -> Label:
    return member.label if isinstance(member, Parameter) else member._label


def _members(value: Any, keys: Keys) -> Iterator[tuple[Keys, Parameter | Contents]]:
    if isinstance(value, (Parameter, Contents)):
        yield keys, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _members(item, (*keys, key))
    elif isinstance(value, (list, tuple)):
        for i, item in enumerate(value):
            yield from _members(item, (*keys, i))
